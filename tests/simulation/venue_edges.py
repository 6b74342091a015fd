"""What no market may bring about in the simulated venue: settings that it refuses, full tables.

`make fuzz-engine-coverage` runs it beside the markets; each case checks what it finds.
"""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from hft.core.codes import ResponseKind, Tif
from hft.core.errors import ConfigError
from hft.venue import arrivals, fifo
from hft.venue.answers import respond
from hft.venue.model import Latency, VenueModel
from hft.venue.queue import QUEUE_CALL, _call
from hft.venue.state import VenueState, link, new_state
from hft.venue.user_queue import QueueModel, queue_model

SLOTS = 16
Case = Callable[[], None]
ACK = int(ResponseKind.ACK)


def _made_of_chance(ahead_micro: int, before: int, after: int, traded: int) -> int:
    return random.randrange(after)


def _helped(ahead_micro: int, before: int, after: int, traded: int) -> int:
    return helper(after)


def _half(ahead_micro: int, before: int, after: int, traded: int) -> int:
    return after / 2  # type: ignore[return-value]


def helper(lots: int) -> int:
    return lots


REFUSED: tuple[Callable[[], Any], ...] = (
    partial(VenueModel, queue="magic"),
    partial(VenueModel, taken="given back"),
    partial(VenueModel, crossed="never"),
    partial(VenueModel, {"thought": Latency()}),
    partial(VenueModel, {"entry": Latency("slow")}),
    partial(VenueModel, {"entry": Latency(base_ns=-1)}),
    partial(VenueModel, {"entry": Latency("sampled")}),
    partial(queue_model, helper),
    partial(queue_model, _made_of_chance),
    partial(queue_model, _helped),
    QueueModel(print, "print").address,  # no function of ours
)


def settings_are_refused() -> None:
    for case in REFUSED:
        try:
            case()
        except ConfigError:
            continue
        raise AssertionError(f"{case} was not refused")


def a_model_has_its_text_and_whole_lots() -> None:
    model = queue_model(_half)
    assert "after / 2" in model.source and len(QUEUE_CALL.args) == 4
    try:
        _call(model.address(), (0, 2, 1, 0))
    except TypeError as error:
        assert "whole millionths" in str(error)
    else:
        raise AssertionError("half a lot was taken for whole ones")


def a_full_ring_keeps_what_waits() -> None:
    """A defect, which `replay.growth` never lets happen: counted, and nothing is overwritten."""
    venue = new_state(1, SLOTS)
    for oid in range(1, 4 * SLOTS + 2):
        respond(venue, ACK, 0, oid, 100, 1, 0)
    assert int(venue.head[0]["overflow"]) == 1
    assert venue.responses["order_id"].tolist() == list(range(1, 4 * SLOTS + 2))


def a_full_table_of_orders_counts_who_found_no_room() -> None:
    venue = new_state(1, SLOTS, levels=8, l3_orders=1)
    there = [bool(fifo.add(venue, 0, oid, 1, 0)) for oid in range(1, 30)]
    assert there.count(False) == int(venue.head[0]["overflow"]) > 0


def _order(venue: VenueState, slot: int, account: int, side: int, price: int) -> None:
    row = venue.resting[slot]
    row["order_id"], row["account_idx"], row["side"], row["price"] = slot + 1, account, side, price
    row["open_qty"], row["tif"] = 1, int(Tif.GTC)


def orders_of_another_account_are_not_our_own() -> None:
    """A replay has one account; the venue's rule is about the same account."""
    venue = new_state(1, SLOTS)
    for slot, account in ((0, 1), (1, 0)):
        _order(venue, slot, account, 1, 100)
    _order(venue, 2, 0, 0, 100)
    link(venue, 0)
    assert not arrivals._meets_own(venue, 2)
    link(venue, 1)
    assert arrivals._meets_own(venue, 2)


CASES: tuple[Case, ...] = (
    settings_are_refused,
    a_model_has_its_text_and_whole_lots,
    a_full_ring_keeps_what_waits,
    a_full_table_of_orders_counts_who_found_no_room,
    orders_of_another_account_are_not_our_own,
)


def all_of_them() -> None:
    for case in CASES:
        case()
