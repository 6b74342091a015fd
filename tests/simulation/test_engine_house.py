"""Runs under guards, by hand: what random markets found of trips, each also as the twin has it."""

from typing import Any

import pytest

from hft.core.codes import EventKind, Flag, IntentType, Reason, ResponseKind, Tif
from hft.runs.controls import Control
from tests.naive.engine.faults import Faults
from tests.naive.engine.house import House
from tests.naive.engine.markets import Actor, Market, Row, Venue, market
from tests.twin_world import Records, difference, engine_records, twin_records

pytestmark = pytest.mark.nojit
LEGS = ("entry", "amend", "cancel", "response")
BUY, SELL = 0, 1
KILL = Control(125, "kill", 1, "global")
ON_ANSWERS = 1 | 1 << 1 | 1 << 2  # timer, fill, order


def book(*levels: tuple[int, int, int], at: int = 100) -> list[Row]:
    """A snapshot of levels: side, price, lots."""
    rows = [Row(at, at, EventKind.CLEAR, 2, 0, 0)]
    rows += [Row(at, at, EventKind.SNAPSHOT, *level) for level in levels]
    return [*rows[:-1], rows[-1]._replace(flags=int(Flag.LAST))]


def run(made: Market, script: dict[int, Any]) -> Records:
    """The engine's records, after the twin has agreed; `script`: what to do at which wake-up."""

    def author(*_: Any) -> Any:
        wakes = iter(range(1, 10_000))

        def wake(view: Any, order: Any, p: Any, s: Any) -> None:
            todo = script.get(next(wakes))
            if todo is not None:
                todo(order)

        return wake

    found = engine_records(made, author)
    assert difference(found, twin_records(made, author)) is None
    return found


def alone(rows: list[Row], house: House, faults: Faults | None = None, way_ns: int = 0) -> Market:
    made = market(0, form="levels", queue="risk_averse")
    made.feeds, made.actors = [rows], [Actor(0, 10, ON_ANSWERS, 0.0, 1)]
    legs = {leg: ("constant", way_ns, 0, ()) for leg in LEGS}
    made.venue = Venue("risk_averse", legs=legs, faults=faults or Faults())
    made.instruments, made.rules, made.house = made.instruments[:1], None, house
    made.start_ns = made.end_ns = None
    return made


def arrivals(found: Records, kind: IntentType) -> list[int]:
    return [step[1] for step in found.steps if step[0] == "ARRIVAL" and step[5] == kind]


LAST = Row(300, 300, EventKind.LEVEL, BUY, 90, 1)


def test_a_closing_order_that_finds_nothing_to_trade_with_does_not_keep_a_run_alive() -> None:
    """Answers without latency woke the strategy, and each wake-up asked again, at one time."""
    rows = [*book((BUY, 99, 2), (SELL, 101, 5)), LAST]
    made = alone(rows, House({}, (KILL,)))
    found = run(made, {1: lambda order: order.new(BUY, 101, 5, int(Tif.IOC))})
    assert len(arrivals(found, IntentType.FORCE_FLAT)) == 2, "one closes 2 of 5, one finds no more"
    assert found.equity[-1][3] == 3


def test_an_order_that_the_venue_refuses_to_cancel_is_asked_for_again_after_a_second() -> None:
    rows = [*book((BUY, 99, 2), (SELL, 101, 5)), LAST]
    made = alone(rows, House({}, (KILL,)), Faults(down_ns=(120, 400)))
    found = run(made, {1: lambda order: order.new(BUY, 98, 5)})
    assert len(arrivals(found, IntentType.CANCEL)) == 1


def test_a_trip_asks_once_for_a_cancel_although_an_amend_went_behind_the_first() -> None:
    rows = [*book((BUY, 99, 2), (SELL, 101, 5)), LAST]
    house = House({}, (KILL, Control(126, "kill", 1, "strategy", strategy="actor0")))
    made = alone(rows, house, way_ns=30)

    def less(order: Any) -> None:
        order.amend(1, 98, 2)

    found = run(made, {1: lambda order: order.new(BUY, 98, 5), 3: less})
    assert [step[4] for step in found.steps if step[0] == "ARRIVAL"] == [1, 1, 1]
    assert len(arrivals(found, IntentType.CANCEL)) == 1, "of two trips, an amend between"


def test_a_trip_cancels_the_oldest_order_first_whatever_place_it_has_in_the_table() -> None:
    rows = [*book((BUY, 99, 2), (SELL, 101, 5)), LAST]
    made = alone(rows, House({}, (KILL,)))

    def first(order: Any) -> None:
        order.new(BUY, 95, 1)
        order.new(BUY, 94, 1)
        order.cancel(1)

    def second(order: Any) -> None:
        order.new(BUY, 96, 1)  # where the first was

    found = run(made, {1: first, 5: second})
    gone = [s[4] for s in found.steps if s[0] == "ARRIVAL" and s[5] == IntentType.CANCEL]
    assert gone[1:] == sorted(gone[1:]) and len(gone) == 3


def test_an_amend_that_found_no_place_in_the_queue_is_not_in_flight() -> None:
    rows = [*book((BUY, 99, 2), (SELL, 101, 5)), LAST]
    made = alone(rows, House({}, slots=4), way_ns=15)

    def much(order: Any) -> None:
        order.amend(1, 107, 5)
        order.amend(1, 106, 5)
        order.amend(1, 105, 5)
        order.amend(1, 102, 5)  # the queue is full: this is not sent
        order.new(BUY, 103, 1)  # crosses that price, and none that is asked for

    found = run(made, {1: lambda order: order.new(SELL, 108, 5), 5: much})
    told = [s[5] for s in found.steps if s[0] == "DECISION"]
    assert told == [0, 0, 0, 0, Reason.ORDER_QUEUE_FULL, Reason.ORDER_QUEUE_FULL]


def test_profit_is_looked_at_when_all_that_a_strategy_holds_is_marked() -> None:
    """A pair that falls together has lost nothing; with one leg marked it had lost its half."""
    opening = book((BUY, 99, 50), (SELL, 100, 50))
    later = book((BUY, 89, 50), (SELL, 90, 50), at=125)
    last = Row(300, 300, EventKind.LEVEL, BUY, 80, 1)
    made = alone([*opening, *later, last], House({"max_daily_loss": "1"}))
    two = [one for seed in range(200) for one in market(seed).instruments[1:]][:1]
    made.instruments = [made.instruments[0], two[0]]
    made.feeds = [made.feeds[0], list(made.feeds[0])]
    made.actors = [Actor(0, 10, ON_ANSWERS, 0.0, 2)]

    def pair(order: Any) -> None:
        order[0].new(BUY, 100, 5, int(Tif.IOC))
        order[1].new(SELL, 99, 5, int(Tif.IOC))

    found = run(made, {1: pair})
    assert len(found.fills) == 2
    assert not [step for step in found.steps if step[0] == "GUARD"]


def test_a_venue_that_rejects_new_orders_rejects_closing_ones_too() -> None:
    rows = [*book((BUY, 99, 900), (SELL, 101, 900)), LAST]
    said = []
    for k in range(4):
        said += [
            Control(125 + 40 * k, "kill", 1, "global"),
            Control(135 + 40 * k, "reset", 0, "global"),
        ]
    made = alone(rows, House({}, tuple(said)), Faults(reject=0.5))

    def often(order: Any) -> None:
        for _ in range(6):
            order.new(BUY, 101, 1, int(Tif.IOC))

    found = run(made, dict.fromkeys(range(1, 200, 3), often))
    closing = {s[4] for s in found.steps if s[0] == "ARRIVAL" and s[5] == IntentType.FORCE_FLAT}
    refused = {s[4] for s in found.steps if s[0] == "RESPONSE" and s[5] == ResponseKind.REJECTED}
    assert closing & refused
