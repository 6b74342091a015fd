"""Tests of one series and BDS: equal to scipy and statsmodels, and honest about what they are."""

import numpy as np
import pytest

from hft.statistics.dependence import bds
from hft.statistics.one_series import Battery, battery


def noise(n: int, mean: float = 0.0, seed: int = 1) -> np.ndarray:
    return mean + np.random.default_rng(seed).standard_normal(n)


def judged(values: np.ndarray, method: str = "bh") -> Battery:
    found = battery(values, method)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("dimension", [2, 3, 5])
@pytest.mark.parametrize("n", [20, 61, 400])
def test_bds_is_that_of_statsmodels(n: int, dimension: int) -> None:
    tools = pytest.importorskip("statsmodels.tsa.stattools", reason="statsmodels comes with arch")
    for seed in range(3):
        x = noise(n, seed=seed)
        statistic, p = tools.bds(x, max_dim=dimension)
        found = bds(x, dimension)
        assert found is not None
        assert found.statistic == pytest.approx(np.atleast_1d(statistic)[-1], rel=1e-9)
        assert found.p == pytest.approx(np.atleast_1d(p)[-1], rel=1e-9)


def test_bds_finds_what_autocorrelation_does_not() -> None:
    # The logistic map: no autocorrelation at any lag, and every value follows from the one before.
    x = np.empty(500)
    x[0] = 0.3
    for k in range(1, 500):
        x[k] = 4.0 * x[k - 1] * (1.0 - x[k - 1])
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.1
    found = bds(x)
    assert found is not None and found.statistic > 5.0
    shuffled = bds(np.random.default_rng(3).permutation(x))
    assert shuffled is not None and shuffled.p > 0.01


def test_bds_keeps_its_level_on_independent_values() -> None:
    found = [bds(noise(300, seed=seed)) for seed in range(200)]
    share = np.mean([one is not None and one.p < 0.05 for one in found])
    assert 0.02 <= share <= 0.12


def test_bds_of_a_constant_is_undefined_and_too_few_values_are_refused() -> None:
    assert bds(np.full(30, 0.1)) is None
    with pytest.raises(ValueError, match="at least 10"):
        bds(noise(9))
    with pytest.raises(ValueError, match="dimension"):
        bds(noise(10), 1)


def test_the_tests_are_those_of_scipy() -> None:
    from scipy import stats

    x = noise(80, 0.2)
    p = {one.name: one.p for one in judged(x, "none").tests}
    assert p["t"] == pytest.approx(stats.t.sf(stats.ttest_1samp(x, 0).statistic, 79), rel=1e-9)
    assert p["wilcoxon"] == stats.wilcoxon(x, alternative="greater").pvalue
    up = int((x > 0).sum())
    assert p["sign"] == pytest.approx(stats.binom.sf(up - 1, 80, 0.5), rel=1e-9)


def test_a_clear_gain_survives_every_correction_and_a_loss_none() -> None:
    for method in ("bh", "bonferroni", "by", "holm", "none"):
        assert judged(noise(100, 0.6), method).survivors == 4
        assert judged(noise(100, -0.6), method).survivors == 0


def test_a_stricter_correction_leaves_fewer_survivors() -> None:
    counts = {
        method: sum(judged(noise(60, 0.18, seed), method).survivors for seed in range(40))
        for method in ("none", "bh", "bonferroni")
    }
    assert counts["none"] > counts["bh"] > counts["bonferroni"] > 0


def test_wilcoxon_needs_ten_values_that_are_not_zero() -> None:
    x = np.zeros(40)
    x[:9] = noise(9, 0.5)
    found = {one.name: one for one in judged(x).tests}
    assert found["wilcoxon"].p is None and "9 values are not 0, 10" in found["wilcoxon"].reason
    assert found["sign"].p is not None


def test_a_mean_whose_interval_holds_zero_does_not_survive_by_its_p_alone() -> None:
    for seed in range(200):
        found = judged(noise(60, 0.2, seed), "none")
        mean = {one.name: one for one in found.tests}["bootstrap"]
        if mean.p is not None and 0.06 < mean.p <= found.level:
            assert not mean.survives and "quantile of the mean" in mean.reason
            return
    raise AssertionError("no series lay between the two levels")


def test_a_constant_series_has_no_tests_and_the_draws_are_seeded() -> None:
    assert battery(np.zeros(30)) is None
    with pytest.raises(ValueError, match="at least 10"):
        battery(noise(9))
    x = noise(50, 0.2)
    assert battery(x, seed=7) == battery(x, seed=7)
