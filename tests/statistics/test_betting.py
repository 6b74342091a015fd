"""Rates and bounded values: confseq's printed intervals, coverage at every look, and width."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics.betting import (
    bernoulli_interval,
    bernoulli_log_e,
    betting_interval,
    empirical_bernstein,
)
from tests.naive.betting import naive_bernstein, naive_betting


@pytest.mark.parametrize(
    ("successes", "trials", "t_opt", "low", "high"),
    [
        (700, 1000, 100, 0.651629, 0.745949),
        (15, 50, 50, 0.129556, 0.511896),
        (5, 50, 50, 0.013021, 0.269264),
        (1, 50, 50, 0.0, 0.13489),
        (1, 2, 50, 0.0, 1.0),
        (100, 200, 1, 0.328923, 0.671076),
        (0, 1, 50, 0.0, 1.0),
        (1, 1, 50, 0.0, 1.0),
    ],
)
def test_counts_have_the_intervals_confseq_prints(
    successes: int, trials: int, t_opt: float, low: float, high: float
) -> None:
    found = bernoulli_interval(successes, trials, 0.05, t_opt)
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-6)


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.001, 0.2))
def test_an_interval_of_counts_holds_the_rate_and_mirrors(a: int, b: int, alpha: float) -> None:
    one, other = bernoulli_interval(a, a + b, alpha), bernoulli_interval(b, a + b, alpha)
    assert 0.0 <= one.low <= one.mean <= one.high <= 1.0
    assert one.low == pytest.approx(1.0 - other.high, abs=1e-9)
    for edge in (one.low, one.high):
        if 0.0 < edge < 1.0:
            log_e = bernoulli_log_e(a, a + b, edge)
            assert log_e == pytest.approx(np.log(1 / alpha), abs=1e-3)


def test_no_reject_in_many_orders_bounds_the_rate_from_above() -> None:
    found = bernoulli_interval(0, 2000, 0.01)
    assert found.low == 0.0 and 0.0 < found.high < 0.01


@pytest.mark.parametrize("rate", [0.02, 0.5])
def test_coverage_holds_at_every_look(rate: float) -> None:
    rng = np.random.default_rng(1)
    missed = {"counts": 0, "bernstein": 0, "betting": 0}
    for _ in range(120):
        x = (rng.random(300) < rate).astype(float)
        ends = [bernoulli_interval(int(x[:n].sum()), n, 0.05) for n in range(20, 301, 20)]
        missed["counts"] += any(not one.contains(rate) for one in ends)
        missed["bernstein"] += not empirical_bernstein(x).contains(rate)
        missed["betting"] += not betting_interval(x, cells=100).contains(rate)
    assert max(missed.values()) <= 0.05 * 120 + 3 * np.sqrt(0.05 * 0.95 * 120)


@pytest.mark.parametrize("seed", range(2))
def test_both_intervals_equal_their_definitions(seed: int) -> None:
    x = np.random.default_rng(seed).beta(0.4, 0.4, 150)
    one = empirical_bernstein(x, alpha=0.05)
    assert (one.low, one.high) == pytest.approx(naive_bernstein(x.tolist(), 0.05), abs=1e-9)
    alive = naive_betting(x.tolist(), 0.05, 40)
    other = betting_interval(x, alpha=0.05, cells=40)
    # Up to one cell outwards, since the edge lies between two candidates.
    assert other.low == pytest.approx(max(0.0, alive[0] - 0.025), abs=1e-9)
    assert other.high == pytest.approx(min(1.0, alive[-1] + 0.025), abs=1e-9)


def test_betting_is_tighter_than_bernstein_and_both_learn_a_small_variance() -> None:
    rng = np.random.default_rng(2)
    x = np.clip(0.5 + 0.05 * rng.standard_normal(2000), 0, 1)
    bet, bernstein = betting_interval(x), empirical_bernstein(x)
    counts = bernoulli_interval(1000, 2000)
    assert bet.high - bet.low < bernstein.high - bernstein.low < counts.high - counts.low
    assert bet.contains(0.5) and bernstein.contains(0.5)


def test_values_in_other_bounds_are_scaled_there_and_back() -> None:
    x = np.random.default_rng(3).random(400)
    one, other = empirical_bernstein(x), empirical_bernstein(x * 20 - 10, -10, 10)
    assert other.low == pytest.approx(one.low * 20 - 10)
    assert other.mean == pytest.approx(one.mean * 20 - 10)
    bet = betting_interval(x * 20 - 10, -10, 10)
    assert bet.high == pytest.approx(betting_interval(x).high * 20 - 10)


def test_nothing_seen_excludes_nothing_and_values_outside_are_refused() -> None:
    for interval in (bernoulli_interval(0, 0), empirical_bernstein([]), betting_interval([])):
        assert (interval.low, interval.high, interval.n) == (0.0, 1.0, 0)
    with pytest.raises(ValueError, match="clip them"):
        empirical_bernstein([0.5, 1.5])
    with pytest.raises(ValueError, match="successes"):
        bernoulli_interval(3, 2)
