"""The simulated venue's tables: resting orders, message queues, markets, what we took of them.

Everything a venue knows lives in these arrays, so a snapshot is a copy of them. A slot number is
shared with the gateway's order table; the venue never reads that table.
"""

from typing import NamedTuple

import numpy as np

from hft.core.codes import LatencyLeg
from hft.core.dtypes import ANSWER, COMMAND, RESTING, Row
from hft.core.jit import kernel

FOREVER = 1 << 62
KEPT_PART = 16

QUEUE_RISK_AVERSE = 0
QUEUE_PROB_LOG = 1
QUEUE_PROB_SQRT = 2
QUEUE_PROB_POWER = 3
QUEUE_FIFO = 4
QUEUE_USER = 5

LATENCY_CONSTANT = 0
LATENCY_UNIFORM = 1
LATENCY_SAMPLED = 2
LATENCY_INTERPOLATED = 3


def _row(*names: str) -> np.dtype:
    return np.dtype([(name, np.int64) for name in names], align=True)


HEAD = _row(
    "fill_id",
    "queue_power_e6",  # exponent of the power model in 1e-6
    "capped",  # 1: fills never exceed what the tape shows; 0: whole fills
    "restated",  # 1: any statement of a level gives back what we took there
    "taken_levels",  # levels of which we took something that still counts
    "next_expiry_ns",
    "draws",  # random draws made so far
    "seed",
    "overflow",  # messages that found a queue full: a defect
    "priority",  # orders that L3 tapes added
    "amend_keeps_priority",  # 1: a lower quantity at the same price keeps its place
    "queue_at",  # address of a user's queue model; belongs to the process
    "asking",  # 1 while that model runs: who raised what it raises
)
# Positions begin at 0 again whenever a queue runs empty, so that few messages use few cache lines.
QUEUE = _row(
    "first",
    "last",
    "mask",  # slot = position & mask
    "last_ns",  # arrival of the newest message ever: none arrives before it
    "next_ns",  # arrival of the oldest message, FOREVER when there is none
    "told",  # messages before this position are journaled; of commands: may reach the venue
    "room",  # so many may wait before only what is kept for getting out is left
)
LATENCY = _row("kind", "base_ns", "spread_ns", "table_at", "table_len")
MARKET = _row(
    "phase",  # StatusCode
    "queue",  # QUEUE_*
    "followed",  # 1: its orders are known one by one, in `l3`
    "l3_at",
    "l3_mask",
    "l3_count",
    "took_lots",  # that we took as takers
    "printed_lots",  # that the tape's prints traded
)
SPAN = _row("low", "high")  # ticks; low above high where nothing rests
L3 = _row(
    "order_id",
    "priority",  # 0: the row is free
    "qty",
    "taken",  # lots of it that we took
    "level",  # its place in `firsts` and `lasts`, -1 outside the book's window
    "next",  # rows of one level in time order, each + 1; 0 at the ends
    "prev",
)


class VenueState(NamedTuple):
    head: np.ndarray
    resting: np.ndarray
    lists: np.ndarray  # first slot of (instrument, side), -1 when empty
    spans: np.ndarray  # SPAN of (instrument, side): our orders rest at no other price
    commands: np.ndarray
    responses: np.ndarray  # a ring that grows, and one row more that nobody reads
    queues: np.ndarray  # QUEUE rows: 0 commands, 1 responses
    latency: np.ndarray  # LATENCY rows by LatencyLeg
    latency_table: np.ndarray
    markets: np.ndarray  # MARKET rows by instrument
    taken: np.ndarray  # lots we took of each level, at its place in the books' `qty`
    l3: np.ndarray  # open-addressed order_id -> L3 row, one table an instrument
    firsts: np.ndarray  # the first L3 row of a level + 1, 0 for none
    lasts: np.ndarray


def new_state(
    instruments: int,
    slots: int,
    *,
    levels: int = 0,
    l3_orders: int = 0,
    samples: int = 0,
    seed: int = 0,
) -> VenueState:
    """An empty venue for `instruments` and an order table of `slots` (a power of two).

    So many commands may be on their way to it at once; the last sixteenth of them is kept for
    cancels and what reduces a position: getting out goes first.
    `levels` is the length of the books' `qty`; pages of it that nobody touches cost nothing.
    `l3_orders` is the most market orders that any one instrument has alive at once.
    """
    l3_size = _power_of_two(2 * l3_orders + 16)
    state = VenueState(
        np.zeros(1, HEAD),
        np.zeros(slots, RESTING),
        np.full(2 * instruments, -1, np.int64),
        np.zeros(2 * instruments, SPAN),
        np.zeros(slots, COMMAND),
        np.zeros(4 * slots + 1, ANSWER),
        np.zeros(2, QUEUE),
        np.zeros(len(LatencyLeg), LATENCY),
        np.zeros(samples + 2, np.int64),
        np.zeros(instruments, MARKET),
        np.zeros(levels, np.int64),
        np.zeros(instruments * l3_size, L3),
        np.zeros(levels if l3_orders else 0, np.int64),
        np.zeros(levels if l3_orders else 0, np.int64),
    )
    state.spans["low"], state.spans["high"] = FOREVER, -FOREVER
    state.queues["mask"] = slots - 1, 4 * slots - 1
    state.queues["room"] = slots - max(1, slots // KEPT_PART), 4 * slots
    state.queues["last_ns"] = -FOREVER
    state.queues["next_ns"] = FOREVER
    state.markets["l3_at"] = np.arange(instruments) * l3_size
    state.markets["l3_mask"] = l3_size - 1
    head = state.head[0]
    head["next_expiry_ns"] = FOREVER
    head["seed"] = seed
    head["capped"] = 1
    head["amend_keeps_priority"] = 1
    return state


def _power_of_two(n: int) -> int:
    return 1 << (int(n) - 1).bit_length()


@kernel
def push(ring: np.ndarray, queue: Row, head: Row, ts: int) -> int:
    """The ring position of a new message that arrives at `ts`, never before the one ahead of it.

    Mutates: queue, ring[...]["ts_ns"]. Returns: -1 when the queue is full, which is a defect.
    """
    position = queue["last"]
    if position - queue["first"] > queue["mask"]:
        head["overflow"] += 1
        return -1
    ts = max(ts, queue["last_ns"])
    if position == queue["first"]:
        queue["next_ns"] = ts
    queue["last_ns"] = ts
    queue["last"] = position + 1
    slot = position & queue["mask"]
    ring[slot]["ts_ns"] = ts
    return slot


@kernel
def pop(ring: np.ndarray, queue: Row) -> int:
    """The ring position of the oldest message, which is taken off; its row stays till a push.

    Mutates: queue. The queue must not be empty, and all that is in it journaled.
    """
    slot = queue["first"] & queue["mask"]
    after = queue["first"] + 1
    if after == queue["last"]:
        queue["first"] = 0
        queue["last"] = 0
        queue["told"] = 0
        queue["next_ns"] = FOREVER
    else:
        queue["first"] = after
        queue["next_ns"] = ring[after & queue["mask"]]["ts_ns"]
    return slot


@kernel
def link(venue: VenueState, slot: int) -> None:
    """Put a resting order into its (instrument, side) list: best price first, then by time."""
    row = venue.resting[slot]
    side = row["side"]
    at = row["instrument_idx"] * 2 + side
    before = -1
    after = venue.lists[at]
    while after >= 0:
        nearer = row["price"] - venue.resting[after]["price"]
        if (nearer if side == 0 else -nearer) > 0:
            break
        before = after
        after = venue.resting[after]["next_slot"]
    row["prev_slot"] = before
    row["next_slot"] = after
    if before >= 0:
        venue.resting[before]["next_slot"] = slot
    else:
        venue.lists[at] = slot
    if after >= 0:
        venue.resting[after]["prev_slot"] = slot
    span = venue.spans[at]
    span["low"] = min(span["low"], row["price"])
    span["high"] = max(span["high"], row["price"])


@kernel
def unlink(venue: VenueState, slot: int) -> None:
    """Take an order out of its list; its row no longer rests. Mutates: venue."""
    row = venue.resting[slot]
    before = row["prev_slot"]
    after = row["next_slot"]
    side = row["side"]
    at = row["instrument_idx"] * 2 + side
    if before >= 0:
        venue.resting[before]["next_slot"] = after
    else:
        venue.lists[at] = after
    if after >= 0:
        venue.resting[after]["prev_slot"] = before
    row["order_id"] = 0
    # The list is sorted: the prices of its ends are the span's.
    span = venue.spans[at]
    if before < 0 and after < 0:
        span["low"] = FOREVER
        span["high"] = -FOREVER
    elif before < 0 or after < 0:
        price = venue.resting[max(before, after)]["price"]
        if (before < 0) == (side == 0):
            span["high"] = price
        else:
            span["low"] = price


@kernel
def hold(venue: VenueState, level: int, lots: int) -> None:
    """What we took of a level and still counts is `lots`. Mutates: venue.taken, taken_levels."""
    before = venue.taken[level]
    venue.taken[level] = lots
    if before == 0 and lots > 0:
        venue.head[0]["taken_levels"] += 1
    elif before > 0 and lots == 0:
        venue.head[0]["taken_levels"] -= 1
