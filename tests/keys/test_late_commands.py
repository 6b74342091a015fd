"""What a decision takes delays its command, and one that would leave too late is not sent."""

from typing import Any

import pytest
from small_world import finish, opening, session_of

from hft.core.codes import Reason, StepKind
from hft.strategies.base import Strategy

MS = 1_000_000
ROWS = [
    *opening(1, {99: 10}, {101: 10}),
    *[(k * 100 * MS, 0, 0, 99, 10 + k % 2, 0, 1) for k in range(1, 30)],
]


def sent(latency_ns: int, deadline_ns: int) -> tuple[list[int], list[int]]:
    """Arrival times of commands at the venue, and refusals, of one order and its cancel."""
    ids: list[int] = []

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if len(ids) == 1 and view.now >= 1_500 * MS:
            order.cancel(ids[0])
            ids.append(0)
        if not ids:
            ids.append(order.new(0, 98, 1))

    session = session_of([ROWS], [Strategy(body, "script", 500 * MS, 1, {}, {})])
    gw = session.engine.trading.gw
    gw.head[0]["latency_ns"], gw.config[0]["command_deadline_ns"] = latency_ns, deadline_ns
    played = finish(session)
    rows = played.steps[played.steps["kind"] == StepKind.ARRIVAL]
    decided = played.steps[played.steps["kind"] == StepKind.DECISION][0]["ts_ns"]
    return [int(ts - decided) for ts in rows["ts_ns"]], played.refusals()


@pytest.mark.nojit
@pytest.mark.parametrize("latency_ms", [0, 7, 500])
def test_a_command_leaves_after_its_decision(latency_ms: int) -> None:
    arrived, refused = sent(latency_ms * MS, 500 * MS)
    assert arrived[0] == latency_ms * MS and len(arrived) == 2 and refused == []


@pytest.mark.nojit
def test_a_command_past_its_deadline_is_not_sent_and_holds_nothing() -> None:
    arrived, refused = sent(501 * MS, 500 * MS)
    assert refused[0] == Reason.COMMAND_DEADLINE and arrived == []
    assert sent(501 * MS, 0)[1] == [], "without a deadline it leaves late"
