"""Sharpe ratios and their errors: the published tables, and what an error is for."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.governance.canary.metrics import sharpe as session_sharpe
from hft.reports.performance import sharpe as run_sharpe
from hft.research.backtest import annual_sharpe
from hft.research.pool.weights import sharpe_of
from hft.statistics.sharpe import (
    annualise,
    ar1,
    autocorrelations,
    effective_length,
    eta,
    moments,
    ratio,
    sharpe,
    sharpe_se,
    sharpe_se_hac,
)


@pytest.mark.parametrize(
    ("sr", "n", "printed"), [(1.5, 60, 0.188), (3.0, 60, 0.303), (1.0, 24, 0.250)]
)
def test_the_error_of_white_normal_returns_is_that_of_lo_table_1(
    sr: float, n: int, printed: float
) -> None:
    assert sharpe_se(sr, n, degrees=0) == pytest.approx(printed, abs=5e-4)


@pytest.mark.parametrize(("rho", "printed"), [(0.2, 2.88), (0.0, 3.46), (-0.2, 4.17), (0.9, 1.21)])
def test_the_time_aggregation_factor_is_that_of_lo_table_2(rho: float, printed: float) -> None:
    assert eta(12, ar1(rho, 12)) == pytest.approx(printed, abs=5e-3)


@pytest.mark.parametrize(
    ("sr", "skew", "kurtosis", "printed"),
    [(0.7079, -0.2250, 2.9570, 0.1028), (0.8183, -1.4455, 7.0497, 0.1550)],
)
def test_the_error_of_fat_tailed_returns_is_that_of_bailey_and_lopez_de_prado(
    sr: float, skew: float, kurtosis: float, printed: float
) -> None:
    assert sharpe_se(sr, 134, skew, kurtosis) == pytest.approx(printed, abs=5e-5)


def test_a_year_of_uncorrelated_days_is_the_square_root_of_time() -> None:
    assert annualise(0.1, 252) == pytest.approx(0.1 * np.sqrt(252))
    assert annualise(None, 252) is None
    assert eta(1) == 1.0
    with pytest.raises(ValueError, match="at least one"):
        eta(0)
    assert eta(3, (-0.9, 0.9)) is None or eta(3, (-0.9, 0.9)) > 0
    assert eta(2, (-1.0,)) is None, "the two days cancel: no variance, no ratio"


def test_moments_are_those_of_scipy_with_kurtosis_not_excess() -> None:
    stats = pytest.importorskip("scipy.stats")
    r = np.random.default_rng(1).standard_t(5, 700) * 0.01 + 0.0004
    found = moments(r)
    assert found.skew == pytest.approx(stats.skew(r), rel=1e-12)
    assert found.kurtosis == pytest.approx(stats.kurtosis(r, fisher=False), rel=1e-12)
    assert found.sharpe == pytest.approx(r.mean() / r.std(ddof=1), rel=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.01, 1e9, -3.3])
def test_a_constant_series_has_no_sharpe_ratio(constant: float) -> None:
    r = np.full(50, constant)
    assert sharpe(r) is None
    assert moments(r).sd == 0.0
    assert sharpe_se_hac(r) is None
    assert sharpe_se(None, 50) is None


@pytest.mark.parametrize("bad", [[0.1, float("nan")], [0.1], [], [[0.1], [0.2]]])
def test_nan_and_too_little_are_refused_with_a_sentence(bad: list) -> None:
    with pytest.raises(ValueError, match="returns: "):
        moments(bad)


@given(st.floats(0.01, 100.0), st.integers(0, 2**32 - 1))
def test_the_ratio_does_not_depend_on_the_unit_of_the_returns(scale: float, seed: int) -> None:
    r = np.random.default_rng(seed).standard_normal(60) + 0.1
    assert sharpe(r * scale) == pytest.approx(sharpe(r), rel=1e-9)
    assert sharpe_se_hac(r * scale) == pytest.approx(sharpe_se_hac(r), rel=1e-9)


def test_moments_no_distribution_has_give_no_error() -> None:
    assert sharpe_se(1.0, 100, skew=3.0, kurtosis=1.0) is None


def _ar1_series(rho: float, n: int, count: int, seed: int) -> np.ndarray:
    shock = np.random.default_rng(seed).standard_normal((count, n + 200))
    x = np.zeros_like(shock)
    for t in range(1, shock.shape[1]):
        x[:, t] = rho * x[:, t - 1] + shock[:, t]
    return x[:, 200:] * np.sqrt(1 - rho**2) + 0.1


def test_the_ar1_error_is_the_scatter_of_simulated_sharpe_ratios() -> None:
    rho, n = 0.3, 400
    r = _ar1_series(rho, n, 4000, seed=7)
    scatter = (r.mean(axis=1) / r.std(axis=1, ddof=1)).std()
    assert sharpe_se(0.1, n, rho=rho, degrees=0) == pytest.approx(scatter, rel=0.05)
    assert sharpe_se(0.1, n, degrees=0) < 0.8 * scatter, "the white form is far too sure"


def test_the_hac_error_sees_dependence_and_agrees_with_mertens_without_it() -> None:
    white = np.random.default_rng(3).standard_t(6, 20_000) + 0.05
    m = moments(white)
    assert sharpe_se_hac(white) == pytest.approx(
        sharpe_se(m.sharpe, m.n, m.skew, m.kurtosis), rel=0.05
    )
    leaning = _ar1_series(0.3, 20_000, 1, seed=5)[0]
    assert sharpe_se_hac(leaning, lags=60) == pytest.approx(
        sharpe_se(0.1, 20_000, rho=0.3), rel=0.1
    )


def test_dependence_shortens_a_history_and_never_lengthens_it() -> None:
    leaning = _ar1_series(0.5, 20_000, 1, seed=2)[0]
    assert effective_length(leaning, lags=100) == pytest.approx(20_000 / 3, rel=0.1)
    assert effective_length(_ar1_series(-0.5, 5000, 1, seed=2)[0]) == 5000.0
    assert np.array_equal(autocorrelations(np.ones(10), 3), np.zeros(3))


def test_autocorrelations_are_those_of_statsmodels() -> None:
    tools = pytest.importorskip("statsmodels.tsa.stattools", reason="statsmodels comes with arch")
    r = _ar1_series(0.4, 300, 1, seed=9)[0]
    assert autocorrelations(r, 12) == pytest.approx(tools.acf(r, nlags=12, fft=False)[1:])


def test_a_constant_has_no_sharpe_ratio_wherever_it_is_asked_for() -> None:
    flat = np.full(37, 0.1)
    assert flat.std(ddof=1) > 0.0, "the rounding of a constant is not 0: each place asks the rule"
    assert sharpe(flat) is None
    assert annual_sharpe(flat) is None
    assert annual_sharpe(flat, "step") is None
    assert session_sharpe(flat) is None
    assert sharpe_of(flat) is None
    minutes = np.arange(1, 38) * 60_000_000_000
    rising = pl.DataFrame({"ts": minutes.view("datetime64[ns]"), "net": np.cumsum(flat)})
    assert run_sharpe(rising) is None


@pytest.mark.parametrize(("mean", "sd"), [(np.nan, 1.0), (1.0, np.nan), (1.0, np.inf), (1.0, 0.0)])
def test_there_is_no_ratio_of_what_is_no_number(mean: float, sd: float) -> None:
    assert ratio(mean, sd) is None
    assert ratio(0.0, 0.5) == 0.0
    assert ratio(-1.0, 0.5) == -2.0
