"""Newey-West: equal to statsmodels, and honest where a plain t is not."""

import numpy as np
import pytest

from hft.statistics.hac import bandwidth, fixed_b_critical, hac_line, hac_t


def ar1(seed: int, n: int, rho: float, mean: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.zeros(n + 100)
    for t in range(1, n + 100):
        x[t] = rho * x[t - 1] + rng.standard_normal()
    return x[100:] + mean


@pytest.mark.parametrize("lags", [0, 4, 10])
@pytest.mark.parametrize("seed", range(3))
def test_the_t_of_a_mean_is_that_of_statsmodels(seed: int, lags: int) -> None:
    sm = pytest.importorskip("statsmodels.api", reason="statsmodels comes with arch")
    x = ar1(seed, 300, 0.3, 0.1)
    theirs = sm.OLS(x, np.ones(300)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    ours = hac_t(x, lags)
    assert ours.t == pytest.approx(float(theirs.tvalues[0]), rel=1e-10)
    assert ours.se == pytest.approx(float(theirs.bse[0]), rel=1e-10)


@pytest.mark.parametrize("lags", [0, 5])
def test_a_line_is_that_of_statsmodels(lags: int) -> None:
    sm = pytest.importorskip("statsmodels.api", reason="statsmodels comes with arch")
    rng = np.random.default_rng(4)
    x = rng.standard_normal((250, 3))
    y = 0.2 + x @ [0.5, -0.1, 0.0] + ar1(4, 250, 0.4)
    theirs = sm.OLS(y, sm.add_constant(x)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    ours = hac_line(y, x, lags)
    assert ours.coefficients == pytest.approx(np.asarray(theirs.params), rel=1e-9)
    assert ours.errors == pytest.approx(np.asarray(theirs.bse), rel=1e-9)
    assert ours.t == pytest.approx(np.asarray(theirs.tvalues), rel=1e-9)


def test_dependence_takes_significance_away() -> None:
    x = ar1(7, 500, 0.3, 0.08)
    plain, honest = hac_t(x, 0), hac_t(x, 10)
    assert plain.t is not None and honest.t is not None
    assert abs(honest.t) < 0.9 * abs(plain.t)


@pytest.mark.parametrize(
    ("n", "horizon", "lags"), [(100, 1, 4), (1000, 1, 6), (1000, 21, 20), (10, 30, 9), (3, 1, 1)]
)
def test_lags_are_the_customary_ones_or_the_overlap(n: int, horizon: int, lags: int) -> None:
    assert bandwidth(n, horizon) == lags


@pytest.mark.parametrize("level", [0.95, 0.975])
def test_the_fixed_b_level_rejects_as_often_as_it_says(level: float) -> None:
    rng = np.random.default_rng(5)
    n, lags, reps = 120, 23, 3000
    found = [hac_t(row, lags).t or 0.0 for row in rng.standard_normal((reps, n))]
    share = np.mean(np.abs(found) > fixed_b_critical(lags, n, level))
    assert share == pytest.approx(2 * (1 - level), abs=0.015)
    assert np.mean(np.abs(found) > 1.96) > 0.08, "the normal level is too easy here"


def test_a_constant_has_no_t_and_collinear_columns_no_line() -> None:
    assert hac_t(np.full(50, 0.3)).t is None
    assert hac_t(np.zeros(50)).t is None
    x = np.random.default_rng(6).standard_normal((50, 1))
    with pytest.raises(ValueError, match="collinear"):
        hac_line(x[:, 0], np.column_stack([x, 2 * x]))
    with pytest.raises(ValueError, match="level"):
        fixed_b_critical(3, 100, 0.8)
    with pytest.raises(ValueError, match="rows"):
        hac_line(np.ones(5), np.ones((4, 1)))
