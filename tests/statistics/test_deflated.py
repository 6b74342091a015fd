"""The best of many: printed hurdles, the exact integral, three libraries, and the count's price."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics.deflated import (
    deflated_sharpe,
    expected_maximum,
    expected_maximum_sd,
    hurdle,
    min_backtest_length,
    min_backtest_length_bound,
)
from hft.statistics.sharpe import moments


@pytest.mark.parametrize(
    ("n", "printed", "room"),
    [(10, 1.57, 5e-3), (45, 2.2356, 5e-5), (100, 2.5306, 5e-5), (1000, 3.2551, 5e-5)],
)
def test_the_formula_gives_the_printed_expected_maxima(n: int, printed: float, room: float) -> None:
    assert expected_maximum(n, exact=False) == pytest.approx(printed, abs=room)


@pytest.mark.parametrize(("n", "known"), [(2, 1 / sqrt(np.pi)), (10, 1.53875), (100, 2.50759)])
def test_the_quadrature_gives_the_exact_expected_maxima(n: int, known: float) -> None:
    assert expected_maximum(n, exact=True) == pytest.approx(known, abs=5e-6)


def test_the_default_never_falls_below_formula_or_truth() -> None:
    for n in (1.0, 1.01, 1.5, 2.0, 2.7, 3.0, 5.06, 10.0, 49.0, 300.0):
        default = expected_maximum(n)
        assert default >= expected_maximum(n, exact=True) - 1e-9
        assert default >= expected_maximum(n, exact=False) - 1e-9
    assert expected_maximum(1) == 0.0


@given(st.floats(1.0, 5000.0), st.floats(1.0, 5000.0))
def test_more_trials_never_lower_the_hurdle(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert hurdle(low, 0.01) <= hurdle(high, 0.01) + 1e-12


def test_the_deflated_sharpe_of_the_paper() -> None:
    """SR 2.5 a year, variance 1/2 a year, five years of 250 days, skew -3, kurtosis 10."""
    day = sqrt(250)
    variance = 0.5 / 250
    assert hurdle(100, variance) == pytest.approx(0.1132, abs=5e-5)
    dsr = [
        deflated_sharpe(2.5 / day, 1250, skew, kurtosis, n, variance)
        for skew, kurtosis, n in [(-3.0, 10.0, 100), (-3.0, 10.0, 46), (0.0, 3.0, 88)]
    ]
    assert dsr == pytest.approx([0.9004, 0.9505, 0.9505], abs=5e-5)


def test_the_deflated_sharpe_of_the_2025_paper_with_and_without_the_spread_of_the_maximum() -> None:
    sr, shape = 0.036 / 0.079, (-2.448, 10.164)
    assert hurdle(10, 0.1) == pytest.approx(0.498, abs=5e-4)
    assert deflated_sharpe(sr, 24, *shape, 10, 0.1, "2025") == pytest.approx(0.416, abs=5e-4)
    from hft.statistics.track import psr

    plain = psr(sr, 24, *shape, benchmark=hurdle(10, 0.1), convention="2025")
    assert plain == pytest.approx(0.451, abs=5e-4)


def test_the_minimum_backtest_of_45_trials_is_five_years() -> None:
    assert min_backtest_length(45, 1.0) == pytest.approx(4.998, abs=5e-4)
    assert min_backtest_length_bound(45, 1.0) >= 4.998
    assert min_backtest_length(45, 0.0) is None
    assert min_backtest_length_bound(45, -1.0) is None


def test_the_moments_of_the_maximum_of_two_and_three_are_their_closed_forms() -> None:
    for n, mean, square in (
        (2, 1 / np.sqrt(np.pi), 1.0),
        (3, 1.5 / np.sqrt(np.pi), 1.0 + np.sqrt(3.0) / (2.0 * np.pi)),
    ):
        assert expected_maximum(n, exact=True) == pytest.approx(mean, rel=1e-13)
        assert expected_maximum_sd(n) == pytest.approx(np.sqrt(square - mean**2), rel=1e-12)


@pytest.mark.parametrize("n", [1.3, 7.0, 46.0, 1000.0])
def test_the_moments_of_the_maximum_are_those_of_its_quantiles(n: float) -> None:
    """Another way to the same integrals: over the share below, by adaptive quadrature."""
    integrate, special = (
        pytest.importorskip("scipy.integrate"),
        pytest.importorskip("scipy.special"),
    )

    def moment(k: int) -> float:
        found, _ = integrate.quad(
            lambda u: special.ndtri(u ** (1.0 / n)) ** k, 0.0, 1.0, epsabs=1e-11, limit=400
        )
        return float(found)

    assert expected_maximum(n, exact=True) == pytest.approx(moment(1), rel=1e-8)
    assert expected_maximum_sd(n) ** 2 == pytest.approx(moment(2) - moment(1) ** 2, rel=1e-7)


def test_the_moments_of_the_maximum_are_those_of_simulated_maxima() -> None:
    draws = np.random.default_rng(4).standard_normal((200_000, 7)).max(axis=1)
    assert expected_maximum(7, exact=True) == pytest.approx(draws.mean(), abs=0.006)
    assert expected_maximum_sd(7) == pytest.approx(draws.std(), abs=0.006)
    assert expected_maximum_sd(1) == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_deflation_agrees_with_three_libraries(seed: int) -> None:
    vetted = pytest.importorskip("vetted", reason="the extra `oracles` has it")
    purgedcv = pytest.importorskip("purgedcv", reason="the extra `oracles` has it")
    skfolio = pytest.importorskip("skfolio.measures", reason="the extra `oracles` has it")
    panel = np.random.default_rng(seed).standard_t(5, (800, 30)) * 0.01
    panel[:, 3] += 0.001
    m, trials = moments(panel[:, 3]), panel.mean(axis=0) / panel.std(axis=0, ddof=1)
    variance = float(trials.var(ddof=1))
    ours = deflated_sharpe(m.sharpe, m.n, m.skew, m.kurtosis, 30, variance)
    assert ours == pytest.approx(
        vetted.overfitting.deflated_sharpe(panel[:, 3], panel).statistic, abs=1e-10
    )
    theirs = purgedcv.deflated_sharpe_ratio(panel[:, 3], 30, variance)
    assert ours == pytest.approx(theirs, abs=3e-3)
    theirs = float(skfolio.deflated_sharpe_ratio(panel[:, 3], trials))
    assert ours == pytest.approx(theirs, abs=2e-2), "it takes the population variance of trials"


def test_annual_variance_with_a_daily_sharpe_is_a_visible_mistake() -> None:
    right = deflated_sharpe(2.5 / sqrt(252), 1008, 0.0, 3.0, 20, 0.25 / 252)
    wrong = deflated_sharpe(2.5 / sqrt(252), 1008, 0.0, 3.0, 20, 0.25)
    assert right is not None and wrong is not None and right > 0.95 and wrong < 1e-6


def test_undefined_and_impossible_inputs() -> None:
    assert deflated_sharpe(None, 100, None, None, 10, 0.01) is None
    assert deflated_sharpe(None, 100, None, None, 10, 0.01, "2025") is None
    with pytest.raises(ValueError, match="at least one"):
        expected_maximum(0.5)
    with pytest.raises(ValueError, match="at least one"):
        expected_maximum(float("nan"))
    with pytest.raises(ValueError, match="negative"):
        hurdle(10, -0.1)
