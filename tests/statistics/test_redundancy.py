"""Redundancy: tails, VIF and spanning against statsmodels, and what a copy cannot hide."""

import numpy as np
import pytest

from hft.statistics.redundancy import (
    correlations,
    marginal_sharpe,
    orthogonal_ic,
    orthogonal_ic_by_date,
    spanning,
    tail_correlations,
    vif,
)


def pool(seed: int, rows: int = 600, columns: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)) * 0.01 + 0.0004


def test_the_closest_incumbent_is_named_whatever_the_sign() -> None:
    others = pool(1)
    own = -others[:, 1] + 0.3 * pool(2)[:, 0]
    found = correlations(own, others)
    assert found.against == 1
    assert found.correlation is not None and found.correlation < -0.9
    assert found.magnitude == -found.correlation
    assert found.correlation == pytest.approx(np.corrcoef(own, others[:, 1])[0, 1])


def test_an_empty_pool_has_no_closest_one() -> None:
    found = correlations(pool(1)[:, 0], np.zeros((600, 0)))
    assert (found.correlation, found.against, found.magnitude) == (None, None, None)
    assert vif(pool(1)[:, 0], []) == 1.0


def test_quiet_days_hide_what_the_tail_shows() -> None:
    rng = np.random.default_rng(3)
    other = rng.standard_normal(3000)
    own = rng.standard_normal(3000)
    bad = other <= np.quantile(other, 0.1)
    own[bad] = 1.5 * other[bad] + 0.2 * own[bad]
    plain, tail = correlations(own, other[:, None]), tail_correlations(own, other[:, None])
    assert plain.correlation is not None and tail.correlation is not None
    assert tail.correlation > 0.9 > plain.correlation
    assert tail_correlations(own[:100], other[:100, None]).correlation is None


def test_vif_is_that_of_statsmodels_and_a_copy_has_none() -> None:
    tools = pytest.importorskip(
        "statsmodels.stats.outliers_influence", reason="statsmodels comes with arch"
    )
    others = pool(4)
    own = others @ [0.5, 0.5, 0.0] + 0.5 * pool(5)[:, 0]
    design = np.column_stack([own, np.ones(600), others])
    assert vif(own, others) == pytest.approx(tools.variance_inflation_factor(design, 0))
    assert vif(others @ [1.0, -2.0, 0.5] + 3.0, others) is None


def test_spanning_is_the_hac_regression_of_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.api", reason="statsmodels comes with arch")
    others = pool(6)
    own = 0.001 + others @ [0.4, 0.0, 0.2] + pool(7)[:, 0]
    found = spanning(own, others, lags=6)
    theirs = sm.OLS(own, sm.add_constant(others)).fit(
        cov_type="HAC", cov_kwds={"maxlags": 6, "use_correction": False}
    )
    assert found.alpha == pytest.approx(float(theirs.params[0]))
    assert found.t == pytest.approx(float(theirs.tvalues[0]))
    assert found.betas == pytest.approx(np.asarray(theirs.params[1:]))
    assert found.r_squared == pytest.approx(float(theirs.rsquared))
    assert found.information == pytest.approx(
        float(theirs.params[0] / np.sqrt(theirs.mse_resid)), rel=1e-9
    )


def test_a_mix_of_the_pool_is_spanned_and_a_new_edge_is_not() -> None:
    others = pool(8, rows=1500)
    noise = pool(9, rows=1500)[:, 0] - 0.0004
    mixed = spanning(others @ [0.5, 0.3, 0.2] + 0.1 * noise, others)
    fresh = spanning(noise + 0.0012, others)
    assert mixed.t is not None and abs(mixed.t) < 2.5
    assert fresh.t is not None and fresh.t > 2.5
    copy = spanning(others[:, 0] * 2.0, others)
    assert copy.t is None and copy.information is None


def test_the_orthogonal_ic_sees_only_what_is_new() -> None:
    rng = np.random.default_rng(10)
    known, new = rng.standard_normal((2000, 2)), rng.standard_normal(2000)
    label = known[:, 0] + 0.5 * new + rng.standard_normal(2000)
    borrowed = orthogonal_ic(known[:, 0] + 0.01 * rng.standard_normal(2000), known, label)
    own = orthogonal_ic(known[:, 0] + new, known, label)
    assert borrowed.spearman is not None and abs(borrowed.spearman) < 0.08
    assert own.spearman is not None and own.spearman > 0.2
    assert orthogonal_ic(known[:, 0] * 3.0, known, label).spearman is None


def test_the_orthogonal_ic_by_date_takes_the_residual_within_the_date() -> None:
    rng = np.random.default_rng(11)
    dates = np.repeat(np.arange(40), 30)
    level = np.repeat(rng.standard_normal(40) * 50, 30)
    known, new = rng.standard_normal((1200, 1)), rng.standard_normal(1200)
    label = known[:, 0] + new + rng.standard_normal(1200)
    found = orthogonal_ic_by_date(dates, known[:, 0] + new + level, known, label)
    assert found.mean is not None and found.mean > 0.4
    assert found.spearman.size == 40


@pytest.mark.parametrize(("pool_sr", "rho"), [(0.1, 0.5), (0.05, -0.3), (0.2, 0.0)])
def test_the_marginal_sharpe_adds_nothing_exactly_on_the_line(pool_sr: float, rho: float) -> None:
    assert marginal_sharpe(pool_sr, rho * pool_sr, rho) == pytest.approx(pool_sr)
    better = marginal_sharpe(pool_sr, rho * pool_sr + 0.05, rho)
    assert better is not None and better > pool_sr
    assert marginal_sharpe(pool_sr, 0.1, 1.0) is None
    # Two assets with unit risk: the best mix has Sharpe sqrt(mu' C^-1 mu).
    mu = np.array([pool_sr, 0.08])
    best = np.sqrt(mu @ np.linalg.inv([[1, rho], [rho, 1]]) @ mu)
    assert marginal_sharpe(pool_sr, 0.08, rho) == pytest.approx(best)


def test_series_that_are_not_aligned_are_refused() -> None:
    with pytest.raises(ValueError, match="align"):
        correlations(np.zeros(10), np.zeros((9, 2)))
