"""What a strategy sees: the delayed book, trades since it last looked, and its own orders."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from small_world import (
    BBO,
    CLEAR,
    FUNDING,
    LAST,
    LEVEL,
    LOW,
    SIGNAL,
    SNAPSHOT,
    STATUS,
    TRADE,
    Row,
    X,
    finish,
    opening,
    play,
    session_of,
)

from hft.core.codes import StatusCode, Tif, WakeCause
from hft.core.errors import StrategyError
from hft.market.book import NO_ASK, NO_BID
from hft.strategies.base import Strategy
from hft.venue.model import Latency, VenueModel

pytestmark = pytest.mark.nojit

BUY, SELL = 0, 1
BOOK = opening(10, {100: 5, 99: 7, 96: 1}, {103: 15, 104: 2, 110: 8})
END: list[Row] = [(99, LEVEL, 0, LOW, 1)]
Look = Callable[[Any], Any]


def seen(look: Look, *times: int, rows: list[Row] | None = None, **given: Any) -> list[Any]:
    """What `look` finds at these times."""
    found: list[Any] = []
    script = {ts: (lambda view, order: found.append(look(view))) for ts in times}
    play([*BOOK, *(rows or []), *END], script, **given)
    assert len(found) == len(times)
    return found


MEMBERS: dict[str, tuple[Look, Any]] = {
    "touch": (lambda v: (v.bid_tick, v.bid_lots, v.ask_tick, v.ask_lots), (100, 5, 103, 15)),
    "spread": (lambda v: v.spread_ticks, 3),
    "mid": (lambda v: v.mid_tick, 101.5),
    # (100 x 15 + 103 x 5) / 20: the side with less behind it is nearer to trading.
    "microprice": (lambda v: v.micro_tick, 100.75),
    "mid in half ticks": (lambda v: v.mid2, 203),
    "imbalance": (lambda v: v.imbalance(1), (5 - 15) / 20),
    "imbalance of two levels": (lambda v: v.imbalance(2), (12 - 17) / 29),
    "imbalance of all levels": (lambda v: v.imbalance(10), (13 - 25) / 38),
    "valid": (lambda v: bool(v.book_valid), True),
    "now": (lambda v: v.now, 20),
    "wake": (lambda v: v.wake, WakeCause.TIMER),
    "phase": (lambda v: v.session_phase, StatusCode.OPEN),
    "flat": (lambda v: (v.position, v.pnl, v.open_buy, v.open_sell), (0, 0, 0, 0)),
    "no orders": (lambda v: (v.working_buy_tick, v.working_sell_tick), (NO_BID, NO_ASK)),
    "first order": (lambda v: v.first_order(0), -1),
    "no trades": (lambda v: (v.last_trade_tick, v.traded_since_wake), (0, 0)),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_of_the_view_says(name: str) -> None:
    look, wanted = MEMBERS[name]
    assert seen(look, 20) == [wanted]


def test_ladders_hold_the_non_empty_levels_best_first() -> None:
    def look(view: Any) -> list[list[int]]:
        ladders = (view.bid_ticks, view.bid_depth, view.ask_ticks, view.ask_depth)
        return [[ladder[k] for k in range(4)] for ladder in ladders]

    assert seen(look, 20) == [
        [[100, 99, 96, NO_BID], [5, 7, 1, 0], [103, 104, 110, NO_ASK], [15, 2, 8, 0]]
    ]


@pytest.mark.parametrize("k", [-1, 10])
def test_a_ladder_has_ten_steps(k: int) -> None:
    with pytest.raises(
        StrategyError, match=r"IndexError: view.bid_ticks has items 0 to 9 at wake-up"
    ):
        seen(lambda view: view.bid_ticks[k], 20)


def test_an_unknown_member_lists_the_known_ones_and_says_when() -> None:
    with pytest.raises(StrategyError, match=r"view has no member 'bid'; it has .*bid_tick"):
        seen(lambda view: view.bid, 20)


def test_an_instrument_the_strategy_does_not_listen_to_is_refused() -> None:
    with pytest.raises(StrategyError, match="does not listen to that many"):
        seen(lambda view: view[1], 20)


def test_the_view_is_late_by_the_feeds_latency() -> None:
    rows: list[Row] = [(30, LEVEL, BUY, 101, 4)]
    look: Look = lambda view: view.bid_tick  # noqa: E731
    assert seen(look, 34, 35, rows=rows, latency_ns=5) == [100, 101]


def test_trades_are_counted_from_wake_up_to_wake_up() -> None:
    rows: list[Row] = [
        (22, TRADE, BUY, 103, 2),
        (24, TRADE, SELL, 100, 1),
        (36, TRADE, BUY, 103, 4),
    ]
    found: list[Any] = []

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        last = (view.last_trade_tick, view.last_trade_lots, view.last_trade_side)
        found.append((int(view.now), view.traded_since_wake, last))

    play([*BOOK, *rows, *END], body, every_ns=10)
    assert found[:4] == [
        (20, 0, (0, 0, 0)),
        (30, 3, (100, 1, SELL)),
        (40, 4, (103, 4, BUY)),
        (50, 0, (103, 4, BUY)),
    ]


def test_an_open_snapshot_and_a_one_sided_book_are_not_valid() -> None:
    rows: list[Row] = [
        (30, CLEAR, 2, 0, 0),
        (40, SNAPSHOT, 0, 90, 1),
        *opening(50, {90: 1}, {95: 1}),
        (60, LEVEL, 1, 95, 0),
    ]
    times = (29, 30, 40, 50, 60)
    assert seen(lambda view: bool(view.book_valid), *times, rows=rows) == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_a_quote_feed_has_a_touch_and_no_depth() -> None:
    rows: list[Row] = [(10, BBO, 0, 100, 5), (10, BBO, 1, 102, 6), (20, BBO, 1, 101, 2), *END]
    found: list[Any] = []

    def look(view: Any, order: Any) -> None:
        ticks = view.ask_ticks
        found.append((view.bid_tick, view.ask_tick, view.ask_lots, ticks[0], ticks[1]))

    play(rows, {15: look, 25: look})
    assert found == [(100, 102, 6, 102, NO_ASK), (100, 101, 2, 101, NO_ASK)]


def test_the_session_phase_follows_the_status_rows() -> None:
    rows: list[Row] = [(30, STATUS, 2, 0, StatusCode.HALT), (40, STATUS, 2, 0, StatusCode.OPEN)]
    assert seen(lambda view: view.session_phase, 29, 30, 40, rows=rows) == [
        StatusCode.OPEN,
        StatusCode.HALT,
        StatusCode.OPEN,
    ]


def test_signals_are_seen_by_column_when_they_have_reached_us_and_keep_their_time() -> None:
    rows: list[Row] = [
        (30, SIGNAL, 2, 1_500_000_000, 0, 0),
        (32, SIGNAL, 2, -250_000_000, 0, 7),
        (40, SIGNAL, 2, 3, 0, 0),
        (41, SIGNAL, 2, 9, 0, 8),  # there are eight columns, 0 to 7
    ]
    look: Look = lambda v: (v.signal[0], v.signal_ns[0], v.signal[7], v.signal_ns[7])  # noqa: E731
    assert seen(look, 34, 35, 37, 45, 46, rows=rows, latency_ns=5) == [
        (0.0, 0, 0.0, 0),
        (1.5, 30, 0.0, 0),
        (1.5, 30, -0.25, 32),
        (3e-9, 40, -0.25, 32),
        (3e-9, 40, -0.25, 32),
    ]


def test_signals_and_funding_leave_the_book_and_its_validity_alone() -> None:
    rows: list[Row] = [
        (30, SIGNAL, 0, 100, 50, 0, LAST),
        (31, FUNDING, 1, 103, 50, 0, LAST),
        (40, CLEAR, 2, 0, 0),
        (50, SIGNAL, 2, 5, 0, 0, LAST),
        (51, FUNDING, 2, 5, 0, 0, LAST),
    ]
    look: Look = lambda v: (v.bid_lots, v.ask_lots, bool(v.book_valid))  # noqa: E731
    assert seen(look, 35, 60, rows=rows) == [(5, 15, True), (0, 0, False)]


def test_a_signal_of_the_second_instrument_is_its_own() -> None:
    found: list[Any] = []

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now == 40:
            found.append([(view[i].signal[0], view[i].signal[1]) for i in (0, 1)])

    strategy = Strategy(body, "pair", 1, 1, {}, {}, instruments=2)
    one = [*BOOK, (30, SIGNAL, 2, 10**9, 0, 0), *END]
    two = [*opening(10, {200: 1}, {201: 6}), (30, SIGNAL, 2, 2 * 10**9, 0, 1), *END]
    finish(session_of([one, two], [strategy], instruments=(X, replace(X, symbol="Y"))))
    assert found == [[(1.0, 0.0), (0.0, 2.0)]]


@pytest.mark.parametrize("k", [-1, 8])
def test_there_are_eight_columns_of_signals(k: int) -> None:
    with pytest.raises(StrategyError, match=r"IndexError: view.signal has items 0 to 7 at"):
        seen(lambda view: view.signal[k], 20)


def test_order_flow_is_counted_from_look_to_look() -> None:
    rows: list[Row] = [
        (30, LEVEL, BUY, 100, 9),  # 4 lots came to bid
        (32, LEVEL, SELL, 103, 12),  # 3 left the offer
        (40, LEVEL, BUY, 101, 2),  # a better bid
        (50, LEVEL, SELL, 103, 0),  # the offer is gone: 12 lots left
    ]
    memory = np.zeros(4, np.int64)
    look: Look = lambda view: view.order_flow(memory)  # noqa: E731
    assert seen(look, 20, 35, 36, 45, 55, rows=rows) == [0, 4 + 3, 0, 2, 12]


def test_own_orders_are_seen_as_acknowledged() -> None:
    found: list[Any] = []

    def send(view: Any, order: Any) -> None:
        order.new(BUY, 99, 2, Tif.GTX)
        order.new(BUY, 98, 3, Tif.GTX)
        order.new(SELL, 104, 4, Tif.GTX)

    def look(view: Any, order: Any) -> None:
        slots, slot = [], view.first_order(BUY)
        while slot >= 0:
            slots.append(slot)
            slot = view.next_order(slot)
        found.append(
            (
                view.open_buy,
                view.open_sell,
                view.working_buy_tick,
                view.working_sell_tick,
                sorted((view.order_id(k), view.order_tick(k), view.order_open(k)) for k in slots),
                [bool(view.order_live(k)) for k in slots],
            )
        )

    model = VenueModel({"response": Latency(base_ns=10)})
    play([*BOOK, *END], {20: send, 25: look, 35: look}, venue=model)
    orders = [(1, 99, 2), (2, 98, 3)]
    assert found[0] == (5, 4, 99, 104, orders, [False, False]), "still on their way"
    assert found[1] == (5, 4, 99, 104, orders, [True, True])


def test_position_and_profit_are_money_after_fees() -> None:
    fees = replace(X, taker_bps=Decimal(10))
    found: list[Any] = []

    def trade(view: Any, order: Any) -> None:
        order.target(2)

    def look(view: Any, order: Any) -> None:
        found.append((view.position, view.pnl))

    played = play([*BOOK, (40, LEVEL, 0, 102, 1), *END], {20: trade, 50: look}, instruments=[fees])
    money = int(played.engine.trading.instruments[0]["money_per_tick_lot"])
    # Bought 2 at 103 with the mid at 101.5 when the fill was marked; fee 10 bps of 206.
    position, pnl = found[0]
    marked = int(played.engine.trading.positions[0]["mark2"]) / 2
    assert position == 2 and pnl == (marked - 103) * 2 * money - 0.001 * 206 * money


def test_prices_become_ticks_only_on_the_grid() -> None:
    fine = replace(X, tick=Decimal("0.1"))
    look: Look = lambda view: (view.to_ticks(57.3), view.to_price(573.0))  # noqa: E731
    assert seen(look, 20, instruments=[fine]) == [(573, pytest.approx(57.3))]
    with pytest.raises(StrategyError, match="to_ticks: the price is between two ticks"):
        seen(lambda view: view.to_ticks(57.35), 20, instruments=[fine])


def test_a_second_instrument_is_seen_under_its_number() -> None:
    other = replace(X, symbol="Y")
    found: list[Any] = []

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now == 20:
            found.append((view.bid_tick, view[0].bid_tick, view[1].bid_tick, view[1].ask_depth[0]))
            order[1].new(BUY, 201, 1, Tif.IOC)

    strategy = Strategy(body, "pair", 1, 1, {}, {}, instruments=2)
    second = [*opening(10, {200: 1}, {201: 6}), *END]
    played = finish(session_of([[*BOOK, *END], second], [strategy], instruments=(X, other)))
    assert found == [(100, 100, 200, 6)]
    assert played.engine.trading.positions["qty"].tolist() == [0, 1]


def test_wake_ups_on_events_say_their_cause() -> None:
    causes: list[tuple[int, str]] = []

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        causes.append((int(view.now), WakeCause(int(view.wake)).name))
        if view.wake == WakeCause.TRADE:
            order.new(BUY, 103, 1, Tif.IOC)

    mask = sum(1 << c for c in (WakeCause.TRADE, WakeCause.BOOK, WakeCause.FILL, WakeCause.STATUS))
    rows: list[Row] = [
        (22, TRADE, BUY, 103, 2),
        (30, LEVEL, 0, 99, 6),
        (40, STATUS, 2, 0, StatusCode.OPEN),
    ]
    finish(session_of([[*BOOK, *rows]], [Strategy(body, "events", 0, mask, {}, {})]))
    assert causes == [(10, "BOOK"), (22, "TRADE"), (22, "FILL"), (30, "BOOK"), (40, "STATUS")]


# A session with lunch, 20 to 24 and 26 to 30, and the next day's, 40 to 50.
HOURS = [(20, 24, 20, 30), (26, 30, 20, 30), (40, 50, 40, 50)]
CLOSED, IN_SESSION = int(StatusCode.CLOSE), int(StatusCode.OPEN)


def test_phase_and_time_to_the_close_come_from_the_calendar() -> None:
    times = (19, 20, 23, 24, 25, 26, 29, 30, 39, 40, 49, 50)
    found = seen(lambda v: (v.session_phase, v.ns_to_close), *times, hours=HOURS)
    assert found == [
        (CLOSED, 0),
        (IN_SESSION, 10),
        (IN_SESSION, 7),
        (CLOSED, 6),  # at lunch the session goes on
        (CLOSED, 5),
        (IN_SESSION, 4),
        (IN_SESSION, 1),
        (CLOSED, 0),
        (CLOSED, 0),
        (IN_SESSION, 10),
        (IN_SESSION, 1),
        (CLOSED, 0),
    ]


def test_a_session_that_nobody_looked_into_is_over_when_it_is() -> None:
    found = seen(lambda v: (v.session_phase, v.ns_to_close), 35, 45, hours=HOURS)
    assert found == [(CLOSED, 0), (IN_SESSION, 5)]


def test_status_rows_say_the_phase_and_the_calendar_the_close() -> None:
    rows: list[Row] = [(22, STATUS, 2, 0, StatusCode.HALT)]
    found = seen(lambda v: (v.session_phase, v.ns_to_close), 21, 23, 35, rows=rows, hours=HOURS)
    assert found == [(IN_SESSION, 9), (StatusCode.HALT, 7), (StatusCode.HALT, 0)]


def test_without_a_calendar_the_close_is_far() -> None:
    assert seen(lambda v: (v.session_phase, v.ns_to_close), 20) == [(IN_SESSION, 1 << 62)]


def test_the_close_comes_on_time_though_the_feed_is_late() -> None:
    found = seen(lambda v: v.ns_to_close, 23, hours=HOURS, latency_ns=5)
    assert found == [7]
