"""Unlike trials: copies add nothing and take nothing away, and chance is not likeness."""

import numpy as np
import pytest

from hft.statistics.distinct import LARGE, distinct_trials
from hft.statistics.trials import effective_trials, participation_ratio

T = 120


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


def block(seed: int, size: int, spread: float = 0.05) -> np.ndarray:
    """A sweep: one idea and its near copies."""
    return noise(seed, T, 1) + spread * noise(seed + 1000, T, size)


def directly(data: np.ndarray) -> float:
    """The same from the full correlation matrix, pair by pair."""
    c = np.corrcoef(data.T)
    chance = min(2 * np.sqrt(np.log(len(c)) / (len(data) - 1)), 0.7)
    likeness = [[r * r if abs(r) >= chance else 0.0 for r in row] for row in c]
    return sum(1.0 / sum(row) for row in likeness)


@pytest.mark.parametrize("seed", range(5))
def test_the_short_way_is_the_sum_over_all_pairs(seed: int) -> None:
    data = noise(seed, 40, 60) @ noise(seed + 50, 60, 600)
    assert distinct_trials(data).count == pytest.approx(directly(data), rel=1e-9)


@pytest.mark.parametrize("copies", [2, 12, 400])
def test_copies_of_one_try_change_nothing(copies: int) -> None:
    others = noise(3, T, 20)
    alone = distinct_trials(others)
    with_one = distinct_trials(np.column_stack([others, block(7, 1)]))
    swept = distinct_trials(np.column_stack([others, block(7, copies, 0.001)]))
    assert swept.count >= alone.count
    assert swept.count == pytest.approx(with_one.count, rel=1e-3)
    assert swept.variance == pytest.approx(with_one.variance, rel=1e-2)


def test_a_sweep_beside_ideas_is_what_the_participation_ratio_misses() -> None:
    data = np.column_stack([block(7, 400), noise(3, T, 20)])
    assert participation_ratio(data) < 1.3 and effective_trials(data).used < 5
    assert distinct_trials(data).count == pytest.approx(21, rel=0.02)


@pytest.mark.parametrize("size", [20, 120, 1000, 5000, 12_000])
def test_independent_trials_are_seen_beyond_the_number_of_periods(size: int) -> None:
    found = distinct_trials(noise(size, T, size))
    assert (0.98 if size <= LARGE else 0.6) * size < found.count <= size
    assert found.variance == pytest.approx(1.0 / T, rel=0.5 if size == 20 else 0.15)


@pytest.mark.parametrize(("blocks", "size"), [(10, 12), (50, 12), (4, 6)])
def test_blocks_count_as_blocks(blocks: int, size: int) -> None:
    data = np.column_stack([block(at, size) for at in range(blocks)])
    assert distinct_trials(data).count == pytest.approx(blocks, rel=0.05)


def test_it_is_never_below_the_participation_ratio() -> None:
    for seed in range(20):
        data = noise(seed, T, 30) @ noise(seed + 100, 30, 30)
        assert distinct_trials(data).count >= participation_ratio(data) * (1 - 1e-9)


def test_several_matrices_are_unlike_each_other() -> None:
    one, other = noise(1, T, 10), noise(2, 90, 7)
    joined = distinct_trials(one, other)
    apart = distinct_trials(one).count + distinct_trials(other).count
    assert joined.count == pytest.approx(apart)
    assert joined.variance is not None and joined.variance > 0


def test_too_few_give_no_variance() -> None:
    flat = np.column_stack([np.zeros(T), np.ones(T)])
    assert distinct_trials(flat).count == 0.0 and distinct_trials(flat).variance is None
    assert distinct_trials(noise(1, T, 1)).variance is None
    assert distinct_trials(block(1, 5, 1e-6)).variance is None
    with pytest.raises(ValueError):
        distinct_trials(np.full((10, 2), np.nan))
