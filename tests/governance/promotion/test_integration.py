"""Gate D's figures on rows whose edge is known: against what is live, at size, and under stress."""

from dataclasses import replace

import numpy as np
import pytest
from promotion_world import profile

from hft.governance.gates import d
from hft.governance.promotion.integration import DAYS_MIN, Candidate, Live, measure
from hft.research.backtest import Rules, run
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.research.data.planted import planted

RULES = Rules(threshold=0.3, max_position=1.0)
LATENCY_NS = 36_000_000


@pytest.fixture(scope="module")
def data() -> ResearchData:
    return load(planted(0.1, days=90, seed=3), horizon_ns=60_000_000_000)


@pytest.fixture(scope="module")
def flow(data: ResearchData) -> np.ndarray:
    """The decayed flow that the next bar leans on, about one sd wide."""
    ofi = data.field("ofi") / 500.0
    level, out = 0.0, np.zeros(len(ofi))
    for row, arrived in enumerate(ofi):
        level = 0.9 * level + arrived
        out[row] = level
    return np.asarray(out * 0.43)


def candidate(data: ResearchData, signal: np.ndarray, launch: float = 1.0) -> Candidate:
    return Candidate(data, signal, RULES, LATENCY_NS, launch)


def checks(found: d.Portfolio) -> dict[str, str]:
    gate = d.evaluate({}, found, profile("standard"))
    return {check.id: str(check.verdict) for check in gate.checks}


def test_with_nothing_live_the_comparisons_do_not_apply(
    data: ResearchData, flow: np.ndarray
) -> None:
    found = measure(candidate(data, flow), (), profile("standard"))
    assert found.live == () and found.vif is None and not found.notes.get("vif")
    gate = d.evaluate({}, found, profile("standard"))
    applies = {check.id: check.applicable for check in gate.checks}
    assert not any(applies[id] for id in ("pnl_correlation", "vif", "spanning_t"))


def test_a_clone_of_what_is_live_is_refused(data: ResearchData, flow: np.ndarray) -> None:
    live = (Live("older", flow.copy()),)
    found = measure(candidate(data, flow), live, profile("standard"))
    assert found.live == ("older",) and found.pnl_correlation_with == "older"
    assert found.pnl_correlation_max == pytest.approx(1.0)
    assert checks(found)["pnl_correlation"] == "FAIL"


def test_an_edge_that_the_live_one_lacks_is_wanted(data: ResearchData, flow: np.ndarray) -> None:
    luck = np.random.Generator(np.random.Philox(8)).standard_normal(len(data))
    found = measure(candidate(data, flow), (Live("noise", luck),), profile("standard"))
    daily = [run(data, signal, RULES).daily for signal in (flow, luck)]
    assert found.pnl_correlation_max == pytest.approx(abs(np.corrcoef(*daily)[0, 1]))
    assert (found.spanning_t or 0) > 2.5 and (found.orthogonal_ic_t or 0) > 2
    assert (found.marginal_probability or 0) > 0.9 and (found.vif or 9) < 1.5
    said = checks(found)
    assert {said[id] for id in ("pnl_correlation", "vif", "spanning_t")} == {"PASS"}


def test_noise_beside_an_edge_spans_nothing(data: ResearchData, flow: np.ndarray) -> None:
    luck = np.random.Generator(np.random.Philox(9)).standard_normal(len(data))
    found = measure(candidate(data, luck), (Live("flow", flow),), profile("standard"))
    assert (found.spanning_t or 0) < 2.5
    assert checks(found)["spanning_t"] == "FAIL"


def test_a_live_alpha_that_cannot_run_here_leaves_the_comparison_open(
    data: ResearchData, flow: np.ndarray
) -> None:
    live = (Live("tape_reader", None, "needs the column depth_5"),)
    found = measure(candidate(data, flow), live, profile("standard"))
    assert found.pnl_correlation_max is None and "depth_5" in found.notes["vif"]
    assert checks(found)["vif"] == "INSUFFICIENT"


def test_too_few_common_days_are_not_compared(flow: np.ndarray) -> None:
    few = load(planted(0.1, days=DAYS_MIN - 1, seed=3), horizon_ns=60_000_000_000)
    found = measure(
        candidate(few, flow[: len(few)]), (Live("a", flow[: len(few)]),), profile("standard")
    )
    assert found.vif is None and f"{DAYS_MIN - 1} days" in found.notes["vif"]


def test_twice_the_launch_halves_the_capacity_multiple(
    data: ResearchData, flow: np.ndarray
) -> None:
    one = measure(candidate(data, flow), (), profile("standard"))
    two = measure(candidate(data, flow, launch=2.0), (), profile("standard"))
    assert one.capacity_multiple == pytest.approx(2 * (two.capacity_multiple or 0))
    assert two.participation_share == pytest.approx(2 * (one.participation_share or 0))


def test_stress_is_worse_than_the_plain_run_and_stays_bounded(
    data: ResearchData, flow: np.ndarray
) -> None:
    found = measure(candidate(data, flow), (), profile("standard"))
    plain = abs(run(data, flow, RULES).drawdown)
    assert set(found.stress_loss) == set(d.STRESSES) and found.unbounded == ()
    assert all((found.stress_loss[name] or 0) >= plain for name in ("volatility", "spread"))


def test_costs_that_eat_the_edge_leave_no_retention(data: ResearchData, flow: np.ndarray) -> None:
    dear = replace(candidate(data, flow), rules=replace(RULES, taker_bps=2.0))
    found = measure(dear, (), profile("standard"))
    assert (found.cost_retention or 0) < 0.6
    assert checks(found)["cost_retention"] == "FAIL"
