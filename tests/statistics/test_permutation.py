"""Permutation nulls: counted from one, uniform under the null, structure of the data kept."""

import numpy as np
import pytest

from hft.statistics.information import ic
from hft.statistics.permutation import (
    circular_p,
    lag_retention,
    panel_circular_p,
    permutation_p,
    shifted_null,
    shuffle_null,
    shuffled_within,
)


def smooth(seed: int, n: int = 600) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal(n + 50)
    return np.convolve(x, np.ones(20) / 20, mode="valid")[:n]


def test_p_counts_the_statistic_itself_and_is_never_zero() -> None:
    assert permutation_p(5.0, np.zeros(999)) == 0.001
    assert permutation_p(0.0, [0.0, 1.0, -1.0]) == 0.75
    assert permutation_p(1.0, []) == 1.0
    with pytest.raises(ValueError, match="number"):
        permutation_p(float("nan"), [0.0])


@pytest.mark.parametrize("rank", [True, False])
def test_all_shifts_at_once_equal_one_at_a_time(rank: bool) -> None:
    x, y = smooth(1), smooth(2)

    def coefficient(moved: np.ndarray) -> float:
        found = ic(x, moved)
        return (found.spearman if rank else found.pearson) or 0.0

    null = shifted_null(y, coefficient, reps=200, min_shift=20, seed=3)
    expected = permutation_p(coefficient(y) - 1e-12, null)
    assert circular_p(x, y, reps=200, min_shift=20, seed=3, rank=rank) == pytest.approx(expected)


def test_two_smooth_strangers_are_not_related_where_a_shuffle_says_so() -> None:
    honest, naive = 0, 0
    for seed in range(60):
        x, y = smooth(seed), smooth(seed + 1000)
        honest += (circular_p(x, y, reps=99, min_shift=20) or 1.0) <= 0.05
        rng = np.random.default_rng(seed)
        ranks, labels = np.argsort(np.argsort(x)), np.argsort(np.argsort(y)) - 299.5
        null = [float(ranks @ rng.permutation(labels)) for _ in range(99)]
        naive += permutation_p(float(ranks @ labels), null) <= 0.05
    assert honest <= 8
    assert naive > 12


def test_a_related_label_is_found() -> None:
    x = smooth(5)
    y = x + 0.2 * smooth(6)
    assert circular_p(x, y, reps=999, min_shift=30) == pytest.approx(1 / 1000)
    assert circular_p(np.ones(100), smooth(1, 100)) is None
    with pytest.raises(ValueError, match="min_shift"):
        circular_p(x, y, min_shift=400)


def test_a_shuffle_within_dates_keeps_each_date() -> None:
    rng = np.random.default_rng(7)
    dates = rng.integers(0, 9, 200)
    values = rng.standard_normal(200)
    moved = shuffled_within(dates, values, rng)
    assert not np.array_equal(moved, values)
    for day in range(9):
        assert sorted(moved[dates == day]) == sorted(values[dates == day])


def test_the_null_of_shuffled_labels_has_the_right_level() -> None:
    dates, below = np.repeat(np.arange(20), 10), 0
    for seed in range(160):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal(200), rng.standard_normal(200)

        def together(label: np.ndarray, x: np.ndarray = x) -> float:
            return float(x @ label)

        below += permutation_p(together(y), shuffle_null(dates, y, together, reps=19)) <= 0.1
    # 16 expected, deviation 3.8: a level of 0.2 would have 32, one of 0.03 five.
    assert 6 <= below <= 26


def test_what_a_bar_of_delay_leaves() -> None:
    kept = lag_retention(2.0, 1.2)
    assert kept is not None and kept.retention == pytest.approx(0.6) and not kept.same_bar
    gone = lag_retention(6.0, -0.3)
    assert gone is not None and gone.same_bar
    nothing = lag_retention(-0.5, 0.4)
    assert nothing is not None and nothing.retention is None and not nothing.same_bar
    assert lag_retention(None, 1.0) is None


def test_names_of_a_panel_are_shifted_apart_from_each_other() -> None:
    rng = np.random.default_rng(7)
    signals = [rng.standard_normal(n) for n in (300, 300, 250)]
    noise = [rng.standard_normal(len(s)) for s in signals]
    linked = [0.3 * s + e for s, e in zip(signals, noise, strict=True)]
    assert panel_circular_p(list(zip(signals, linked, strict=True))) == 1 / 1000
    worthless = panel_circular_p(list(zip(signals, noise, strict=True)))
    assert worthless is not None and worthless > 0.01


def test_a_worthless_panel_has_a_uniform_p() -> None:
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        pairs = [(rng.standard_normal(80), rng.standard_normal(80)) for _ in range(3)]
        found.append(panel_circular_p(pairs, reps=99, seed=seed))
    assert 0.02 <= np.mean(np.array(found) <= 0.1) <= 0.19


def test_a_panel_without_variation_has_no_p() -> None:
    assert panel_circular_p([(np.ones(50), np.arange(50.0))]) is None


def test_shifts_that_give_the_very_same_alignment_count_against_it() -> None:
    """Signal and label repeat every 4 rows: a shift by 4 is no shift, whatever the transform says
    in its last bits."""
    signal = np.tile([0.1, 0.7, 0.3, 0.2], 25)
    alone = circular_p(signal, signal, reps=400, min_shift=4, seed=1)
    for seed in range(6):  # for some of them the transform rounds the shifted sum down
        tiled = np.tile(np.random.default_rng(seed).standard_normal(7), 13)
        for rank in (True, False):
            p = circular_p(tiled, tiled, reps=700, min_shift=7, seed=1, rank=rank)
            assert p == pytest.approx(1 / 7, abs=0.04)
    names = panel_circular_p([(signal, signal), (-signal, -signal)], reps=400, min_shift=4, seed=1)
    assert alone is not None and alone == pytest.approx(0.25, abs=0.06)
    assert names is not None and names == pytest.approx(0.25, abs=0.06)
