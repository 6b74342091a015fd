"""A desk that hears what a replay's gateway heard decides what that decided."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from heard_run import Heard, commands, compared, drive_by_hand

import hft
from hft.core.codes import ControlKind, IntentType, Reason, ResponseKind, StepKind
from hft.gateway.limits import Limits
from hft.runs.controls import Control
from hft.runs.ingest import synthetic
from hft.runs.job import Job
from hft.runs.prepare import prepare
from hft.strategies.market_making import market_making
from hft.strategies.momentum import momentum

RECORDED = "binance_raw_btc_20240808/usdm_btcusdt_20240808.gz"
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
POSITION = ("qty", "cost_money", "realized_money", "fees_money", "bought_qty", "sold_qty", "fills")


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return synthetic(events=40_000, seed=3, out=tmp_path_factory.mktemp("market") / "tapes")


def run_of(tapes: Any, limits: Limits, **given: Any) -> Heard:
    slow = {"maker": market_making, "trend": momentum}
    strategies = {name: replace(one, every_ns=SECOND) for name, one in slow.items()}
    end = tapes[0].span[0] + 90 * MINUTE
    job = Job(tapes, strategies, hft.Venue(latency="2ms"), limits, end_ns=end, **given)
    session, resolved, _ = prepare(job, "full")
    return drive_by_hand(session, resolved)


def same(run: Heard) -> np.ndarray:
    """The desk's steps, orders and positions are the run's. Returns: the steps."""
    desk = run.desk()
    applied = desk.apply(run.rows(desk))
    assert compared(applied.steps).tolist() == compared(run.steps).tolist()
    assert commands(applied.steps) == commands(run.steps)
    engine = run.session.engine.trading
    theirs = engine.gw.orders[engine.gw.orders["order_id"] > 0]
    ours = desk.working()
    for name in theirs.dtype.names or ():
        if name not in ("cmd_id", "next_slot", "prev_slot"):
            assert ours[name].tolist() == np.sort(theirs, order="order_id")[name].tolist(), name
    for name in POSITION:
        assert desk.trading.positions[name].tolist() == engine.positions[name].tolist(), name
    assert applied.fills["realized_money"].tolist() != [] or not np.any(engine.positions["fills"])
    return applied.steps


def test_decisions_orders_and_positions_are_those_of_the_run(tapes: Any) -> None:
    steps = same(run_of(tapes, Limits.off()))
    filled = (steps["kind"] == StepKind.RESPONSE) & (steps["code"] == ResponseKind.FILL)
    assert np.count_nonzero(filled) > 10


def test_so_they_are_under_limits_with_controls_and_other_limits_on_the_way(tapes: Any) -> None:
    keys = {"max_position_size": 3, "risk_limits.orders_per_minute": 4}
    keys |= {"max_daily_loss": "50", "breaker.close_on_trip": True}
    limits = Limits.off().replace(**keys)
    begin = tapes[0].span[0]
    other = limits.replace(**{"max_position_size": 6}).to_dict()
    controls = (
        Control(begin + 10 * MINUTE, "mode", value=1),
        Control(begin + 12 * MINUTE, "mode", value=0),
        Control(begin + 20 * MINUTE, "limits", limits=other),
        Control(begin + 30 * MINUTE, "lease", held=0),
        Control(begin + 35 * MINUTE, "lease", value=2),
    )
    for minute in range(40, 80, 5):  # one of them finds a position to close
        kill = Control(begin + minute * MINUTE, "kill", value=1, scope="global")
        controls += (kill, replace(kill, at_ns=kill.at_ns + 2 * MINUTE, value=0))
    steps = same(run_of(tapes, limits, controls=controls))
    reasons = set(steps["code"][steps["kind"] == StepKind.DECISION].tolist())
    wanted = {Reason.OK, Reason.RATE_LIMIT, Reason.NOT_LEADER, Reason.POLICY_DEGRADE}
    assert wanted <= reasons
    assert StepKind.GUARD in steps["kind"]
    codes = steps["code"][steps["kind"] == StepKind.CONTROL]
    assert ControlKind.LIMITS in codes
    assert IntentType.FORCE_FLAT in steps["intent_type"][steps["kind"] == StepKind.DECISION]


@pytest.mark.data
@pytest.mark.slow
def test_ten_minutes_of_a_recorded_market_lead_to_the_decisions_of_their_replay(
    shared_data: Path, tmp_path: Path
) -> None:
    tapes = hft.ingest([shared_data / RECORDED], tmp_path / "tapes", clock_fix=True)
    end = tapes[0].span[0] + 10 * MINUTE
    job = Job(tapes, {"maker": market_making}, hft.Venue(latency="2ms"), Limits.off(), end_ns=end)
    session, resolved, _ = prepare(job, "full")
    steps = same(drive_by_hand(session, resolved))
    filled = (steps["kind"] == StepKind.RESPONSE) & (steps["code"] == ResponseKind.FILL)
    assert np.count_nonzero(steps["kind"] == StepKind.DECISION) > 1000
    assert np.count_nonzero(filled) > 50
