"""Faults to be planted in the engine's plain Python: a test sees that the twin finds them.

Each is a function that replaces names of loaded modules through `monkeypatch`; nothing in the
package knows of them. They mean something only without compilation.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

from hft.core.codes import EventKind, IntentType
from hft.gateway import control, policy
from hft.market import book as book_module
from hft.replay import venue_rows
from hft.trading import profit
from hft.venue import arrivals, liquidity

REMEMBERED = 256
Plant = Callable[[pytest.MonkeyPatch], None]


def memory_of_256_levels(patch: pytest.MonkeyPatch) -> None:
    """The 257th level taken makes the venue forget the first."""
    kept: OrderedDict[tuple[int, int, int, int], None] = OrderedDict()
    forgotten: set[tuple[int, int, int, int]] = set()
    take, free = liquidity.take, liquidity.free_lots

    def short_take(venue: Any, book: Any, i: int, side: int, tick: int, lots: int) -> None:
        key = (id(venue), int(i), int(side), int(tick))
        take(venue, book, i, side, tick, lots)
        kept[key] = None
        forgotten.discard(key)
        if len(kept) > REMEMBERED:
            forgotten.add(kept.popitem(last=False)[0])

    def forgetful_free(venue: Any, books: Any, book: Any, side: int, tick: int) -> int:
        key = (id(venue), 0, int(side), int(tick))
        if key in forgotten:
            return int(book_module.level_lots(books, book, side, tick))
        return int(free(venue, books, book, side, tick))

    for module in (liquidity, arrivals):
        patch.setattr(module, "take", short_take)
        patch.setattr(module, "free_lots", forgetful_free)


def executions_ignored(patch: pytest.MonkeyPatch) -> None:
    """EXECUTE rows move nobody and fill nobody."""
    traded = venue_rows.traded

    def prints_alone(*given: Any) -> None:
        if sys._getframe(1).f_locals["kind"] != EventKind.EXECUTE:
            traded(*given)

    patch.setattr(venue_rows, "traded", prints_alone)
    patch.setattr(venue_rows, "executed", lambda *given: None)


def mark_too_early(patch: pytest.MonkeyPatch) -> None:
    """A wake-up marks positions at the middle of the wake-up before."""
    mark, last = profit.mark, dict[int, int]()

    def late(position: Any, instrument: Any, mid2: int) -> int:
        at = position.__array_interface__["data"][0]
        before, last[at] = last.get(at, mid2), mid2
        return int(mark(position, instrument, before))

    patch.setattr(profit, "mark", late)


def touch_not_restored(patch: pytest.MonkeyPatch) -> None:
    """Levels that a quote had crossed stay hidden when it goes."""
    patch.setattr(book_module, "_unhide", lambda books, head: None)


def print_given_twice(patch: pytest.MonkeyPatch) -> None:
    """Each print reaches our orders two times."""
    traded = venue_rows.traded

    def twice(*given: Any) -> None:
        traded(*given)
        traded(*given)

    patch.setattr(venue_rows, "traded", twice)


def amend_keeps_place(patch: pytest.MonkeyPatch) -> None:
    """An amended order stands no further back than before, whatever was asked."""
    amend = arrivals._amend

    def favoured(venue: Any, books: Any, book: Any, slot: int, message: Any, ts: int) -> None:
        oid, ahead = int(venue.resting[slot]["order_id"]), int(venue.resting[slot]["ahead_micro"])
        amend(venue, books, book, slot, message, ts)
        row = venue.resting[slot]
        if int(row["order_id"]) == oid:
            row["ahead_micro"] = min(int(row["ahead_micro"]), ahead)

    patch.setattr(arrivals, "_amend", favoured)


def kill_lets_amends_pass(patch: pytest.MonkeyPatch) -> None:
    """A tripped breaker, or a kill, refuses new orders alone."""
    cause = policy.breaker_cause

    def of_new_orders(gw: Any, request: Any) -> int:
        return 0 if request["kind"] == IntentType.AMEND else int(cause(gw, request))

    patch.setattr(policy, "breaker_cause", of_new_orders)


def day_never_ends(patch: pytest.MonkeyPatch) -> None:
    """The loss of yesterday is one of today."""
    patch.setattr(control, "reset_daily", lambda gw: None)


FAULTS: tuple[Plant, ...] = (
    memory_of_256_levels,
    executions_ignored,
    mark_too_early,
    touch_not_restored,
    print_given_twice,
    amend_keeps_place,
    kill_lets_amends_pass,
    day_never_ends,
)
OF_A_HOUSE = (kill_lets_amends_pass, day_never_ends)  # a market without guards cannot show them
