"""A journal decided again books what the run knew, and nothing that its orders never were."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from hft.core.codes import Reason, StepKind
from hft.replay.build import Session
from hft.replay.compiled import loop, no_pointer
from hft.replay.run import drive
from hft.replay.state import PHASE_REDECIDE
from hft.runs.relimit import _KINDS
from hft.strategies.base import Strategy
from tests.small_world import LEVEL, TRADE, Kept, opening, session_of

pytestmark = pytest.mark.nojit

Actions = Mapping[int, Callable[[Any, Any], object]]

ROWS = [
    *opening(1, {100: 10}, {105: 10}),
    (90, TRADE, 1, 100, 60),
    (200, LEVEL, 0, 90, 1),
]


def _session(actions: Actions, *, lost: bool) -> Session:
    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        action = actions.get(int(view.now))
        if action is not None:
            action(view, order)

    session = session_of([ROWS], [Strategy(body, "script", 1, 1, {}, {})])
    if lost:
        session.engine.clock[0]["faulty"] = 1
        session.engine.faults[0]["lost_ack_e6"] = 1_000_000
        session.engine.faults[0]["unknown_after_ns"] = 20
    return session


def _again(actions: Actions, *, lost: bool, most: int | None = None) -> tuple[np.ndarray, Session]:
    """The run's decisions, and a fresh session in which they were decided again."""
    kept = Kept([], [], [])
    drive(_session(actions, lost=lost), kept, plain=True)
    steps = np.concatenate(kept.steps)
    steps = steps[np.isin(steps["kind"], _KINDS)]
    other = _session(actions, lost=lost)
    if most is not None:
        other.engine.trading.gw.limits["order_size_max"] = most
    engine = other.engine
    engine.steps[: len(steps)] = steps
    engine.clock[0]["steps_len"], engine.clock[0]["phase"] = len(steps), PHASE_REDECIDE
    loop()(other.arena.handle, no_pointer())
    asked = steps["kind"] == StepKind.DECISION
    return steps[asked], other


def _decided(session: Session, count: int) -> list[int]:
    steps = session.engine.steps[: session.engine.clock[0]["steps_len"]]
    found = steps[steps["kind"] == StepKind.DECISION]["code"].tolist()
    assert len(found) == count
    return found


def test_an_order_of_unknown_outcome_is_known_again_when_the_run_asked_the_venue():
    actions = {
        10: lambda view, order: order.new(0, 99, 4),
        80: lambda view, order: order.amend(1, 98, 4),
    }
    was, other = _again(actions, lost=True)
    assert was["code"].tolist() == [Reason.OK, Reason.OK]
    assert _decided(other, 2) == [Reason.OK, Reason.OK]
    assert other.engine.trading.gw.head[0]["unknown_orders"] == 0


def test_an_amend_that_these_limits_refuse_changes_no_order_and_fills_no_more_than_it_had():
    actions = {
        10: lambda view, order: order.new(0, 100, 4),
        20: lambda view, order: order.amend(1, 100, 30),
    }
    was, other = _again(actions, lost=False, most=10)
    assert was["code"].tolist() == [Reason.OK, Reason.OK]
    assert _decided(other, 2) == [Reason.OK, Reason.ORDER_SIZE]
    gw = other.engine.trading.gw
    assert other.engine.trading.positions[0]["qty"] == 4
    assert gw.head[0]["invariant_failures"] == 0
    assert gw.head[0]["live_orders"] == 0
    assert gw.head[0]["reserved_money"] == 0
