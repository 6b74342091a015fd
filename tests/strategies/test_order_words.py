"""`order.quote` and `order.target`: which intents they write, told by what is working already."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_world import LEVEL, TRADE, Row, finish, opening, session_of

from hft.core.codes import IntentType, OrderType, Tif
from hft.core.jit import kernel
from hft.strategies.base import Strategy
from hft.strategies.context import INTENTS_MAX
from hft.strategies.members import passive_tick
from hft.venue.model import Latency, VenueModel

pytestmark = pytest.mark.nojit

BUY, SELL = 0, 1
BOOK = opening(10, {100: 5, 99: 5}, {102: 5, 103: 5})
END: list[Row] = [(99, LEVEL, 0, 50, 1)]
Act = Callable[[Any, Any], Any]


def said(
    script: dict[int, Act], rows: list[Row] | None = None, **legs: int
) -> dict[int, list[tuple[Any, ...]]]:
    """The intents of each scripted wake-up, as (kind, side, price, lots or target)."""
    found: dict[int, list[tuple[Any, ...]]] = {}

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        now = int(view.now)
        if now not in script:
            return
        script[now](view, order)
        engine = kept[0].engine
        intents = engine.intents[: engine.contexts[0]["intents"]]
        found[now] = [spoken(row) for row in intents]

    model = VenueModel({name: Latency(base_ns=ns) for name, ns in legs.items()})
    feed = [*BOOK, *(rows or []), *END]
    kept = [session_of([feed], [Strategy(body, "words", 1, 1, {}, {})], venue=model)]
    finish(kept[0])
    assert set(found) == set(script)
    return found


def spoken(row: Any) -> tuple[Any, ...]:
    kind = IntentType(int(row["intent_type"])).name
    if kind == "CANCEL":
        return (kind, int(row["target_id"]))
    if kind == "AMEND":
        return (kind, int(row["target_id"]), int(row["price"]), int(row["qty"]))
    if row["order_type"] == OrderType.MARKET:
        return ("MARKET", int(row["side"]), int(row["qty"]), Tif(int(row["tif"])).name)
    tif = Tif(int(row["tif"])).name
    return (kind, int(row["side"]), int(row["price"]), int(row["qty"]), tif)


def quote(side: int, tick: float, lots: int) -> Act:
    return lambda view, order: order.quote(side, tick, lots)


NEW_5 = ("NEW", BUY, 100, 5, "GTX")

# What is asked for at 30, after a quote of 5 at 100 at 20 -> what is said at 30.
SECOND = [
    (quote(BUY, 100, 5), []),  # it stands: nothing
    (quote(BUY, 100, 3), [("AMEND", 1, 100, 3)]),  # less keeps its place
    (quote(BUY, 100, 7), [("CANCEL", 1)]),  # more loses it: out now, new when it is gone
    (quote(BUY, 99, 5), [("CANCEL", 1)]),
    (quote(BUY, 0, 0), [("CANCEL", 1)]),  # withdraw
    (quote(BUY, 100, 0), [("CANCEL", 1)]),
    (quote(SELL, 103, 2), [("NEW", SELL, 103, 2, "GTX")]),  # the other side is its own
]


@pytest.mark.parametrize(("second", "intents"), SECOND)
def test_a_quote_says_only_what_changes_what_stands(second: Act, intents: list[Any]) -> None:
    found = said({20: quote(BUY, 100, 5), 30: second})
    assert found == {20: [NEW_5], 30: intents}


def test_the_new_order_follows_when_the_old_one_is_gone() -> None:
    move = quote(BUY, 99, 4)
    found = said({20: quote(BUY, 100, 5), 30: move, 31: move, 32: move})
    assert found[30] == [("CANCEL", 1)]
    assert found[31] == [("NEW", BUY, 99, 4, "GTX")] and found[32] == []


def test_a_side_with_a_request_in_flight_waits() -> None:
    move, slow = quote(BUY, 99, 4), {"entry": 3, "cancel": 3, "response": 3}
    found = said({20: quote(BUY, 100, 5), 22: move, 27: move, 29: move, 34: move}, **slow)
    assert found[22] == [], "the first order is not acknowledged yet"
    assert found[27] == [("CANCEL", 1)]
    assert found[29] == [], "the cancel is on its way"
    assert found[34] == [("NEW", BUY, 99, 4, "GTX")]


def test_a_partly_filled_quote_is_amended_to_what_should_be_left() -> None:
    rows: list[Row] = [(25, TRADE, SELL, 100, 7)]  # 5 stood before us, 2 are ours
    found = said({20: quote(BUY, 100, 5), 30: quote(BUY, 100, 2)}, rows)
    assert found[30] == [("AMEND", 1, 100, 4)], "total = 2 filled + 2 left"


def test_a_filled_quote_is_placed_again() -> None:
    rows: list[Row] = [(25, TRADE, SELL, 99, 9)]
    found = said({20: quote(BUY, 100, 5), 30: quote(BUY, 100, 5)}, rows)
    assert found[30] == [NEW_5]


def test_two_orders_on_a_side_become_the_one_that_is_quoted() -> None:
    def two(view: Any, order: Any) -> None:
        order.new(BUY, 100, 5, Tif.GTX)
        order.new(BUY, 98, 1, Tif.GTX)

    found = said({20: two, 30: quote(BUY, 100, 5), 31: quote(BUY, 100, 5)})
    assert found[30] == [("CANCEL", 2)] and found[31] == []


def test_withdrawing_nothing_says_nothing() -> None:
    assert said({20: quote(BUY, 0, 0)}) == {20: []}


@pytest.mark.parametrize(
    ("side", "price", "tick"),
    [(BUY, 99.9, 99), (BUY, 99.0, 99), (SELL, 102.1, 103), (SELL, 102.0, 102), (BUY, 98.5, 98)],
)
def test_a_float_price_is_rounded_away_from_the_market(side: int, price: float, tick: int) -> None:
    assert said({20: quote(side, price, 1)})[20] == [("NEW", side, tick, 1, "GTX")]
    assert passive_tick(side, price) == tick


def target(lots: int, tick: float | None = None) -> Act:
    return lambda view, order: order.target(lots, tick)


def test_a_target_without_a_price_goes_to_market_for_the_difference() -> None:
    found = said({20: target(3), 30: target(3), 40: target(-2)})
    assert found[20] == [("MARKET", BUY, 3, "IOC")]
    assert found[30] == []
    assert found[40] == [("MARKET", SELL, 5, "IOC")]


def test_a_target_with_a_price_counts_what_is_working_already() -> None:
    found = said({20: target(3, 99.7), 30: target(3, 99), 40: target(5, 99)})
    assert found[20] == [("NEW", BUY, 99, 3, "GTC")]
    assert found[30] == []
    assert found[40] == [("NEW", BUY, 99, 2, "GTC")]


def test_a_target_on_the_other_side_cancels_first_and_then_sends() -> None:
    found = said({20: target(3, 99), 30: target(-2, 103), 31: target(-2, 103)})
    assert found[30] == [("CANCEL", 1)]
    assert found[31] == [("NEW", SELL, 103, 2, "GTC")]


def test_a_target_waits_for_market_orders_in_flight() -> None:
    found = said({20: target(3), 22: target(3), 40: target(3)}, entry=5, response=5)
    assert found[22] == [] and found[40] == []


def test_cancel_all_takes_out_both_sides_once() -> None:
    def both(view: Any, order: Any) -> None:
        order.quote(BUY, 100, 1)
        order.quote(SELL, 102, 1)

    counted: list[int] = []
    out: Act = lambda view, order: counted.append(order.cancel_all())  # noqa: E731
    found = said({20: both, 30: out, 31: out, 50: out}, cancel=4)
    assert found[30] == [("CANCEL", 1), ("CANCEL", 2)]
    assert found[31] == [] and found[50] == [] and counted == [2, 2, 0]


def test_the_buffer_holds_64_intents_and_the_rest_is_counted() -> None:
    ids: list[int] = []

    def many(view: Any, order: Any) -> None:
        ids.extend(order.new(BUY, 90, 1) for _ in range(INTENTS_MAX + 3))

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now == 20:
            many(view, order)

    session = session_of([[*BOOK, *END]], [Strategy(body, "many", 1, 1, {}, {})])
    played = finish(session)
    assert INTENTS_MAX == 64 and ids[64:] == [-1, -1, -1] and ids[:64] == list(range(1, 65))
    assert int(played.engine.clock[0]["lost_intents"]) == 3
    assert int(played.engine.trading.head[0]["orders"]) == 64


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -float("inf"), 1e300, -(2.0**63)])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_the_tick_of_what_is_no_number_is_none_that_a_market_has(price: float, side: int) -> None:
    assert passive_tick(side, price) == -(1 << 63)


def test_a_price_that_is_no_number_written_as_a_constant_is_the_same_tick_as_one_computed() -> None:
    """Compiled, a constant has its tick from the compiler, which may make anything of one."""
    written = kernel(cache=False)(lambda side: passive_tick(side, np.nan))
    assert written(BUY) == written(SELL) == passive_tick(BUY, float("nan")) == -(1 << 63)
