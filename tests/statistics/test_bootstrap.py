"""The stationary bootstrap: arch's block length, geometric blocks, and errors that are right."""

import numpy as np
import pytest

from hft.statistics.bootstrap import block_length, indices, resample
from hft.statistics.series import generator


def ar1(seed: int, n: int, rho: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.zeros(n + 100)
    for t in range(1, n + 100):
        x[t] = rho * x[t - 1] + rng.standard_normal()
    return x[100:]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("n", "rho"), [(250, 0.0), (1000, 0.5), (1008, 0.9), (400, -0.4), (60, 0.2)]
)
def test_the_block_length_is_that_of_arch(seed: int, n: int, rho: float) -> None:
    arch = pytest.importorskip("arch.bootstrap", reason="arch was removed")
    x = ar1(seed, n, rho)
    theirs = float(arch.optimal_block_length(x)["stationary"].iloc[0])
    assert block_length(x) == pytest.approx(max(theirs, 1.0), rel=1e-9)


def test_a_constant_and_a_short_series_have_a_block_length() -> None:
    assert block_length(np.ones(50)) == 1.0
    for n in (4, 5, 6, 8, 12, 20):
        assert 1.0 <= block_length(ar1(n, n, 0.5)) <= max(1.0, np.ceil(n / 3))


def test_blocks_are_geometric_wrap_around_and_use_every_row_alike() -> None:
    drawn = indices(100, 4000, 8.0, generator(1))
    steps = np.diff(drawn, axis=1) % 100
    assert (steps != 1).mean() == pytest.approx((1 / 8.0) * 0.99, abs=0.002)
    share = np.bincount(drawn.ravel(), minlength=100) / drawn.size
    assert share == pytest.approx(np.full(100, 0.01), abs=6e-4)
    assert indices(100, 3, 8.0, generator(1), length=7).shape == (3, 7)


def test_its_standard_error_is_right_where_independence_is_not() -> None:
    x = ar1(3, 4000, 0.6)
    true_se = 1 / 0.4 / np.sqrt(4000)
    mean = resample(x, lambda d: d.mean(axis=1), reps=1500, block=block_length(x), seed=1)
    alone = resample(x, lambda d: d.mean(axis=1), reps=1500, block=1.0, seed=1)
    assert mean.std() == pytest.approx(true_se, rel=0.15)
    assert alone.std() < 0.7 * true_se


def test_the_draws_depend_on_the_seed_only_and_columns_stay_together() -> None:
    x = np.random.default_rng(0).standard_normal((50, 2))
    x[:, 1] = -x[:, 0]

    def total(d: np.ndarray) -> np.ndarray:
        return d.sum(axis=(1, 2))

    sums = resample(x, total, reps=40, block=3.0, seed=5)
    assert np.allclose(sums, 0.0)
    one = resample(x[:, 0], lambda d: d.mean(axis=1), reps=40, block=3.0, seed=5)
    assert np.array_equal(
        one, resample(x[:, 0], lambda d: d.mean(axis=1), reps=40, block=3.0, seed=5)
    )
    other = resample(x[:, 0], lambda d: d.mean(axis=1), reps=40, block=3.0, seed=6)
    assert not np.array_equal(one, other)
    with pytest.raises(ValueError, match="block"):
        indices(10, 1, 0.5, generator(1))
