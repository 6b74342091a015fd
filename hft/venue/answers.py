"""What the venue answers: one message an event, in one channel back to us that keeps its order.

Before each thing that the venue does there is room for all that it may answer: the ring is enlarged
between two steps of the engine (`hft.replay.growth`), never inside one.
"""

import numpy as np

from hft.core.codes import LatencyLeg, Liquidity, ResponseKind
from hft.core.jit import kernel
from hft.venue.latency import leg_ns
from hft.venue.state import VenueState, push, unlink

_RESPONSE = LatencyLeg.RESPONSE.value
_MAKER = Liquidity.MAKER.value
_FILL = ResponseKind.FILL.value
_EXPIRED = ResponseKind.EXPIRED.value
# Each answer may be doubled by a fault; an order has an acknowledgement and an end beside fills.
COPIES = 2
BESIDE_FILLS = 3


@kernel(inline=True)
def room(venue: VenueState) -> int:
    """How many more answers the ring can take."""
    queue = venue.queues[1]
    return queue["mask"] + 1 - (queue["last"] - queue["first"])


@kernel(inline=True)
def needs_room(venue: VenueState) -> bool:
    """Could one row of the tape, which may answer every resting order, find the ring full?"""
    return room(venue) < COPIES * (len(venue.resting) + BESIDE_FILLS)


@kernel(inline=True)
def respond(
    venue: VenueState, kind: int, slot: int, order_id: int, price: int, qty: int, ts: int
) -> np.ndarray:
    """Queue an answer of the venue; the caller fills in what the kind adds. Mutates: venue."""
    arrives_ns = ts + leg_ns(venue, _RESPONSE, ts)
    at = push(venue.responses, venue.queues[1], venue.head[0], arrives_ns)
    if at < 0:
        at = len(venue.responses) - 1  # a defect, counted; what waits is not overwritten
    message = venue.responses[at]
    message["kind"] = kind
    message["slot"] = slot
    message["order_id"] = order_id
    message["price"] = price
    message["qty"] = qty
    message["reason"] = 0
    message["acted_ns"] = ts
    message["due_ns"] = arrives_ns
    message["liquidity"] = 0
    message["fill_id"] = 0
    message["mid2"] = 0
    message["copy"] = 0
    return message


@kernel(inline=True)
def fill(
    venue: VenueState, slot: int, order_id: int, price: int, qty: int, liquidity: int, ts: int
) -> None:
    """Queue one fill. Mutates: venue."""
    head = venue.head[0]
    head["fill_id"] += 1
    message = respond(venue, _FILL, slot, order_id, price, qty, ts)
    message["liquidity"] = liquidity
    message["fill_id"] = head["fill_id"]


@kernel
def fill_resting(venue: VenueState, slot: int, qty: int, ts: int) -> None:
    """A resting order trades at its own price; a complete one leaves the book. Mutates: venue."""
    row = venue.resting[slot]
    fill(venue, slot, row["order_id"], row["price"], qty, _MAKER, ts)
    row["open_qty"] -= qty
    if row["open_qty"] == 0:
        unlink(venue, slot)


@kernel
def expire(venue: VenueState, slot: int, order_id: int, ts: int) -> None:
    """An order that does not rest ends. Mutates: venue."""
    row = venue.resting[slot]
    row["order_id"] = 0
    respond(venue, _EXPIRED, slot, order_id, row["price"], row["open_qty"], ts)
