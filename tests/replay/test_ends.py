"""Where a replay begins and ends: what is news at the first wake-up, and the last mark."""

import numpy as np
import pytest

from hft.core.codes import Side, WakeCause
from hft.replay.run import drive
from hft.strategies.base import Strategy
from hft.strategies.view import View
from tests.small_world import LEVEL, TRADE, Kept, opening, play, session_of

pytestmark = pytest.mark.nojit
BUY = Side.BUY.value


def bought_at_ten(view, order):  # type: ignore[no-untyped-def]
    order.new(BUY, 110, 2)


def test_the_last_equity_row_is_of_the_last_row_by_its_own_touch_and_profit() -> None:
    """Bought at 110; the tape ends at 95 with the market at 90 and 94, after the last wake-up."""
    rows = [*opening(1, {100: 5}, {110: 5}), (93, LEVEL, 0, 100, 0), (93, LEVEL, 0, 90, 5)]
    rows += [(95, LEVEL, 1, 94, 5)]
    strategy = Strategy(
        lambda view, order, p, s: bought_at_ten(view, order) if view.now == 11 else None,
        "script",
        10,
        1,
        {},
        {},
    )
    session, kept = session_of([rows], [strategy]), Kept([], [], [])
    drive(session, kept, plain=True)
    last = np.concatenate(kept.equity)[-1]
    money = int(session.engine.trading.instruments[0]["money_per_tick_lot"])
    assert int(last["ts_ns"]) == 95
    assert (int(last["bid_tick"]), int(last["ask_tick"])) == (90, 94)
    assert int(last["unrealized_money"]) == 2 * (92 - 110) * money
    assert int(session.engine.trading.positions[0]["marked_money"]) == last["unrealized_money"]


def test_a_fill_that_is_answered_in_the_last_moment_is_in_the_last_equity_row() -> None:
    """Woken by the last row and filled without latency: the sample of that wake-up knew nothing."""
    rows = [*opening(1, {100: 5}, {110: 5}), (95, LEVEL, 0, 101, 5)]
    strategy = Strategy(
        lambda view, order, p, s: bought_at_ten(view, order) if view.now == 95 else None,
        "script",
        0,
        1 << WakeCause.BOOK.value,
        {},
        {},
    )
    session, kept = session_of([rows], [strategy]), Kept([], [], [])
    session.engine.clock[0]["equity_every_ns"] = 1
    drive(session, kept, plain=True)
    assert int(session.engine.trading.positions[0]["qty"]) == 2
    last = np.concatenate(kept.equity)[-1]
    assert (int(last["ts_ns"]), int(last["qty"])) == (95, 2)


def test_no_equity_row_shows_a_touch_and_a_profit_of_two_times() -> None:
    """The row of a wake-up of one strategy marks the other's position at that very touch."""
    rows = [*opening(1, {100: 5}, {110: 9})]
    rows += [(20 + 10 * k, LEVEL, 0, 100 + k, 5) for k in range(1, 8)]

    def once(view, order, p, s):  # type: ignore[no-untyped-def]
        if view.position == 0:
            order.new(BUY, 110, 1)

    slow, quick = (Strategy(once, name, every, 1, {}, {}) for name, every in (("a", 50), ("b", 7)))
    session, kept = session_of([rows], [slow, quick]), Kept([], [], [])
    session.engine.clock[0]["equity_every_ns"] = 1
    drive(session, kept, plain=True)
    money = int(session.engine.trading.instruments[0]["money_per_tick_lot"])
    equity = np.concatenate(kept.equity)
    held = equity[(equity["qty"] != 0) & (equity["mid2"] != 0)]
    assert len(np.unique(held["mid2"])) > 3
    assert (held["unrealized_money"] == held["qty"] * (held["mid2"] - 220) * (money // 2)).all()


def test_what_traded_before_the_start_is_no_news_at_the_first_wake_up() -> None:
    seen: list[int] = []
    rows = [*opening(1, {100: 5}, {110: 5}), (5, TRADE, 0, 110, 7), (30, TRADE, 0, 110, 2)]
    rows += [(50, TRADE, 0, 110, 1), (90, LEVEL, 0, 100, 6)]

    def look(view, order, p, s):  # type: ignore[no-untyped-def]
        seen.append(int(view.traded_since_wake))

    session = session_of([rows], [Strategy(look, "looks", 20, 1, {}, {})], start_ns=20)
    drive(session, None, plain=True)
    assert seen[:2] == [2, 1], "the 7 lots at 5 are before the start at 20"


def test_a_fill_while_one_side_is_empty_has_no_mid() -> None:
    rows = [*opening(1, {100: 5}, {110: 5}), (8, LEVEL, 0, 100, 0), (90, LEVEL, 0, 100, 5)]
    played = play(rows, {10: bought_at_ten})
    assert played.venue_fills() == [(10, 1, 110, 2, 1)]
    assert played.fills["mid2"].tolist() == [0]


def test_after_the_end_the_view_counts_what_traded_since_the_last_wake_up() -> None:
    """The end is no wake-up: a pull loop that looks once more sees all of one moment."""
    rows = [*opening(1, {100: 5}, {110: 5}), (12, TRADE, 0, 110, 3), (95, TRADE, 0, 110, 4)]
    wakes: list[int] = []
    strategy = Strategy(
        lambda view, order, p, s: wakes.append(int(view.traded_since_wake)), "script", 20, 1, {}, {}
    )
    session = session_of([rows], [strategy])
    drive(session, Kept([], [], []), plain=True)
    view = View(int(session.engine.context_at[0]))
    assert wakes == [3, 0, 0, 0]
    assert (int(view.now), int(view.traded_since_wake)) == (95, 4)
