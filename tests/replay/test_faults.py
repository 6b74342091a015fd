"""Faults between us and the venue never change what the venue has done, only when we know it.

Whatever is lost, late or told twice: when nothing is on its way any more, our position is what the
venue filled and our orders are what rests there.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.core.codes import LatencyLeg, StepKind
from hft.strategies.base import Strategy
from hft.venue.model import Latency, VenueModel
from tests.small_world import LEVEL, TRADE, Played, Row, finish, opening, session_of

BUY, SELL = 0, 1
ALWAYS = 1_000_000
QUIET = (4_000, LEVEL, BUY, 60, 1)
Do = Callable[[Any, Any], object]


def played(
    rows: list[Row],
    script: Mapping[int, Do] | Callable[[Any, Any], None],
    *,
    leg_ns: int = 0,
    answer_ns: int = 0,
    **faults: int,
) -> Played:
    """A run under faults; `lost_from` switches the loss of answers on at that wake-up."""
    lost_from = faults.pop("lost_from", 0)
    lost = faults.pop("lost_ack_e6", 0)

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        now = int(view.now)
        if now >= lost_from:
            session.engine.faults[0]["lost_ack_e6"] = lost
        if callable(script):
            script(view, order)
        elif now in script:
            script[now](view, order)

    legs = {leg.name.lower(): Latency(base_ns=leg_ns) for leg in LatencyLeg}
    legs["response"] = Latency(base_ns=answer_ns)
    strategy = Strategy(body, "script", 1, 1, {}, {})
    session = session_of([rows], [strategy], venue=VenueModel(legs))
    session.engine.clock[0]["faulty"] = 1
    for name, value in ({"seed": 1, "unknown_after_ns": 5} | faults).items():
        session.engine.faults[0][name] = value
    return finish(session)


def agree(run: Played) -> None:
    """What we believe is what the venue did and has."""
    fills = run.steps[run.steps["kind"] == StepKind.FILL]
    signed = np.where(fills["side"] == BUY, fills["qty"], -fills["qty"])
    assert int(run.engine.trading.positions[0]["qty"]) == int(signed.sum())
    resting = run.engine.venue.resting
    orders = run.engine.trading.gw.orders
    ours = {
        int(o["order_id"]): (int(o["price"]), int(o["qty"] - o["filled_qty"]))
        for o in orders[orders["order_id"] > 0]
    }
    theirs = {
        int(r["order_id"]): (int(r["price"]), int(r["open_qty"]))
        for r in resting[resting["order_id"] > 0]
    }
    assert ours == theirs
    assert int(run.engine.trading.gw.head[0]["invariant_failures"]) == 0


def test_a_fill_on_its_way_is_heard_before_its_order_is_given_up() -> None:
    rows = [*opening(1, {100: 10}, {102: 10}), (24, TRADE, SELL, 100, 50), QUIET]
    new: Mapping[int, Do] = {5: lambda view, order: order.new(BUY, 101, 3)}
    run = played(rows, new, answer_ns=20, lost_ack_e6=ALWAYS)
    assert run.venue_fills() == [(24, 1, 101, 3, 0)]
    assert int(run.engine.trading.positions[0]["qty"]) == 3
    agree(run)


def test_an_amend_that_is_answered_twice_changes_the_order_once() -> None:
    rows = [*opening(1, {100: 10}, {102: 4}), QUIET]
    script: Mapping[int, Do] = {
        5: lambda view, order: order.new(BUY, 100, 7),
        10: lambda view, order: order.amend(1, 102, 9),
    }
    run = played(rows, script, duplicate_ack_e6=ALWAYS)
    assert int(run.engine.trading.gw.orders[0]["qty"]) == 9
    agree(run)


def test_an_amended_order_is_not_given_up_when_its_old_size_has_filled() -> None:
    rows = [*opening(1, {100: 10}, {102: 10}), (40, TRADE, SELL, 101, 5)]
    rows += [(60, TRADE, SELL, 101, 3), QUIET]
    script: Mapping[int, Do] = {
        5: lambda view, order: order.new(BUY, 101, 5),
        10: lambda view, order: order.amend(1, 101, 10),
        45: lambda view, order: order.new(SELL, 110, 2),
    }
    run = played(rows, script, lost_ack_e6=ALWAYS, lost_from=8)
    assert [fill[1:4] for fill in run.venue_fills()] == [(1, 101, 5), (1, 101, 3)]
    agree(run)


CHANCE = st.sampled_from([0, 200_000, ALWAYS])


@settings(max_examples=12, deadline=None)
@given(
    lost=CHANCE,
    late=CHANCE,
    twice=CHANCE,
    seed=st.integers(0, 1 << 30),
    leg_ns=st.sampled_from([0, 3]),
    answer_ns=st.sampled_from([0, 7, 20]),
)
def test_under_any_faults_we_end_up_knowing_what_the_venue_did(
    lost: int, late: int, twice: int, seed: int, leg_ns: int, answer_ns: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = opening(1, {100: 10}, {104: 10})
    for ts in range(10, 400, 7):
        side, tick = int(rng.integers(2)), int(rng.integers(99, 106))
        rows.append((ts, TRADE, side, tick, int(rng.integers(1, 6))))
    rows.append(QUIET)

    def act(view: Any, order: Any) -> None:
        now = int(view.now)
        if now % 9 == 0 and now < 350:
            order.new(int(rng.integers(2)), int(rng.integers(99, 106)), int(rng.integers(1, 6)))
        if now % 11 == 0 and now < 350:
            order.amend(int(rng.integers(1, now)), int(rng.integers(99, 106)), 5)
        if now % 13 == 0:
            order.cancel(int(rng.integers(1, now)))

    run = played(
        rows,
        act,
        leg_ns=leg_ns,
        answer_ns=answer_ns,
        lost_ack_e6=lost,
        late_ack_e6=late,
        late_ack_ns=30,
        duplicate_ack_e6=twice,
        seed=seed,
    )
    agree(run)


@pytest.mark.parametrize("closing", [113, 114])
def test_a_position_that_is_closed_without_a_mid_leaves_no_paper_profit(closing: int) -> None:
    rows = opening(1, {100: 10}, {102: 10})
    rows += [(20, LEVEL, BUY, 110, 10), (20, LEVEL, SELL, 112, 10), (20, LEVEL, SELL, 102, 0)]
    rows += [(30, LEVEL, SELL, 112, 0), (31, TRADE, BUY, 115, 5), QUIET]
    script: Mapping[int, Do] = {
        5: lambda view, order: order.new(BUY, 102, 5),
        25: lambda view, order: order.new(SELL, closing, 5),
    }
    run = played(rows, script)
    position = run.engine.trading.positions[0]
    assert int(position["qty"]) == 0
    assert int(position["marked_money"]) == 0
    made = (closing - 102) * 5
    scale = int(run.engine.trading.instruments[0]["money_per_tick_lot"])
    assert int(run.engine.trading.gw.strategies[0]["pnl_money"]) == made * scale


def test_more_orders_than_a_ring_has_margin_for_may_fill_in_one_row() -> None:
    count = 1_500
    rows = [*opening(1, {100: 10}, {102: 10}), (60, TRADE, SELL, 50, 100_000), QUIET]

    def act(view: Any, order: Any) -> None:
        now = int(view.now)
        if now < 40 and len(run_orders()) < count:
            for _ in range(60):
                order.new(BUY, 99, 1)
        if now == 50:
            session.engine.clock[0]["steps_len"] = (1 << 15) - 600

    def run_orders() -> np.ndarray:
        orders = session.engine.trading.gw.orders
        return orders[orders["order_id"] > 0]

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        act(view, order)

    session = session_of([rows], [Strategy(body, "script", 1, 1, {}, {})], slots=2_048)
    run = finish(session)
    fills = run.steps[run.steps["kind"] == StepKind.FILL]
    assert len(fills) == count
    assert int(run.engine.trading.positions[0]["qty"]) == count


def test_a_venue_that_is_down_refuses_every_command_and_keeps_what_rests() -> None:
    rows = [*opening(1, {100: 10}, {102: 10}), QUIET]
    script: Mapping[int, Do] = {
        5: lambda view, order: order.new(BUY, 100, 7),
        50: lambda view, order: order.amend(1, 101, 9),
        51: lambda view, order: order.cancel(1),
        52: lambda view, order: order.new(SELL, 103, 2),
        90: lambda view, order: order.cancel(1),
    }
    run = played(rows, script, down_from_ns=40, down_until_ns=80)
    said = [name for _, name in run.answers()]
    assert said == ["ACK", "AMEND_REJECTED", "CANCEL_REJECTED", "REJECTED", "CANCELLED"]
    assert int(run.engine.faults[0]["injected"]) == 3
    agree(run)


def test_lateness_counts_from_an_answers_own_time_and_never_adds_up() -> None:
    """Ten answers a nanosecond apart, each 100 late: the last is heard 100 after its own time."""
    rows = [*opening(1, {100: 10}, {102: 10}), QUIET]
    script: dict[int, Do] = {5 + k: lambda view, order: order.new(BUY, 90, 1) for k in range(10)}
    run = played(rows, script, answer_ns=3, late_ack_e6=ALWAYS, late_ack_ns=100)
    heard = run.steps[run.steps["kind"] == StepKind.RESPONSE]["ts_ns"]
    assert heard.tolist() == [5 + k + 3 + 100 for k in range(10)]
    agree(run)
