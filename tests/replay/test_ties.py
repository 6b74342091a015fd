"""What happens at one time happens in one order."""

import pytest

from hft.core.codes import Side, StepKind
from hft.venue.model import Latency, VenueModel
from tests.small_world import TRADE, opening, play

pytestmark = pytest.mark.nojit
BUY = Side.BUY.value


def test_at_one_time_go_answers_then_rows_then_commands_then_wake_ups() -> None:
    """At 31 our first order is acknowledged and filled, our second arrives, and we wake."""
    legs = {name: Latency("constant", 10, 0, ()) for name in ("entry", "response")}
    rows = [*opening(1, {99: 5}, {110: 5}), (31, TRADE, 1, 99, 1), (60, TRADE, 1, 99, 1)]
    played = play(
        rows,
        {
            11: lambda view, order: order.new(BUY, 100, 2),
            21: lambda view, order: order.new(BUY, 98, 3),
        },
        every_ns=10,
        venue=VenueModel(legs=legs),
    )
    told = [StepKind(int(kind)).name for kind in played.steps["kind"][played.steps["ts_ns"] == 31]]
    assert told == ["RESPONSE", "FILL", "ARRIVAL", "WAKE"]
    assert played.answers()[:2] == [(1, "ACK"), (1, "FILL")]
