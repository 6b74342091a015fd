"""PBO: the naive twin, three libraries, what the odd column does, and what noise looks like."""

from math import comb

import numpy as np
import pytest

from hft.statistics.overfitting import cscv, dominance, halves, odd_one_out
from tests.naive.cscv import naive_cscv


def noise(seed: int, rows: int = 240, columns: int = 8, edge: float = 0.0) -> np.ndarray:
    data = np.random.default_rng(seed).standard_t(5, (rows, columns)) * 0.01
    data[:, 0] += edge * 0.01
    return data


@pytest.mark.parametrize(("blocks", "splits"), [(4, 6), (12, 924), (16, 12870)])
def test_every_half_is_tried_once(blocks: int, splits: int) -> None:
    mask = halves(blocks)
    assert len(mask) == splits == comb(blocks, blocks // 2)
    assert len(np.unique(mask, axis=0)) == splits
    assert np.all(mask.sum(axis=1) == blocks // 2)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("rows", "purge"), [(240, 0), (251, 0), (240, 3)])
def test_the_fast_way_equals_the_naive_one(seed: int, rows: int, purge: int) -> None:
    data = noise(seed, rows)
    fast = cscv(data, blocks=8, purge=purge)
    pbo, logits = naive_cscv(data, 8, purge)
    assert fast is not None
    assert fast.pbo == pbo
    assert fast.logits == pytest.approx(logits, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("columns", [8, 9])
def test_it_agrees_with_vetted_and_purgedcv(seed: int, columns: int) -> None:
    vetted = pytest.importorskip("vetted", reason="the extra `oracles` has it")
    purgedcv = pytest.importorskip("purgedcv", reason="the extra `oracles` has it")
    data = noise(seed, 480, columns, edge=0.05)
    ours = cscv(data, blocks=10, even=False)
    assert ours is not None
    theirs = vetted.overfitting.pbo(data, n_blocks=10)
    assert ours.pbo == pytest.approx(theirs.statistic, abs=1e-9)
    assert ours.slope == pytest.approx(theirs.detail["performance_degradation_slope"], abs=1e-9)
    assert ours.prob_loss == pytest.approx(theirs.detail["prob_oos_loss"], abs=1e-9)
    # Configurations x time there; a matrix the other way round gives a quiet wrong number.
    other = purgedcv.probability_of_backtest_overfitting(np.ascontiguousarray(data.T), n_splits=10)
    # It does not count a winner at the median of an odd number; we do.
    assert float(np.mean(ours.logits < 0)) == pytest.approx(other.pbo, abs=1e-9)


def test_an_odd_number_leaves_out_the_least_observed_and_never_the_best() -> None:
    data = noise(1, columns=7, edge=0.3)
    assert odd_one_out(data, range(7), [5, 240, 240, 200, 240, 240, 240]) == 3
    assert odd_one_out(data, range(7)) == 1, "all equal: the smallest id that is not the best"
    assert odd_one_out(data, range(7), None, ["a", "z", "c", "d", "b", "e", "f"]) == 4
    found = cscv(data, blocks=8, observations=[9, 240, 240, 8, 240, 240, 240])
    assert found is not None
    assert (found.n_configs, found.left_out) == (6, (3,))


def test_the_sharpe_ratios_of_the_first_half_are_those_of_its_rows() -> None:
    data = noise(7, 240, 8)
    found = cscv(data, blocks=8)
    assert found is not None
    ratios = data[:120].mean(axis=0) / data[:120].std(axis=0, ddof=1)
    later = data[120:].mean(axis=0) / data[120:].std(axis=0, ddof=1)
    assert found.in_sample[0] == pytest.approx(ratios.max(), rel=1e-9)
    assert found.out_of_sample[0] == pytest.approx(later[ratios.argmax()], rel=1e-9)


def test_at_the_median_a_winner_counts_as_overfit() -> None:
    """With an odd N the middle rank has logit 0; the rule counts it, so dropping it differs."""
    data = noise(5, columns=9)
    kept = cscv(data, blocks=8, even=False)
    assert kept is not None
    middle = np.isclose(kept.logits, 0.0)
    assert middle.any()
    assert kept.pbo == pytest.approx(float(np.mean((kept.logits < 0) | middle)))


def test_noise_is_near_one_half_on_average_and_scatters() -> None:
    found = [cscv(noise(seed, 400, 20), blocks=8) for seed in range(60)]
    pbo = np.array([one.pbo for one in found if one is not None])
    assert pbo.mean() == pytest.approx(0.5, abs=0.06)
    assert pbo.std() > 0.1, "one panel is no verdict"


def test_a_real_edge_has_a_small_pbo_and_a_dominant_winner() -> None:
    found = cscv(noise(2, 1008, 20, edge=0.25), blocks=16)
    assert found is not None
    assert found.pbo < 0.02 and found.prob_loss < 0.02
    assert found.dominance.second_order


def test_constant_configurations_are_left_out_and_named() -> None:
    data = noise(3, columns=6)
    data[:, 2], data[:, 4] = 0.0, 0.01
    found = cscv(data, blocks=8)
    assert found is not None
    assert (found.n_configs, found.left_out) == (4, (2, 4))
    assert cscv(np.zeros((100, 6)), blocks=4) is None


def test_a_configuration_that_rests_in_half_the_blocks_is_no_error() -> None:
    data = noise(4, columns=6)
    data[:120, 1] = 0.0
    found = cscv(data, blocks=4)
    assert found is not None
    assert np.isfinite(found.logits).all() and np.isfinite(found.out_of_sample).all()


def test_scale_and_order_of_columns_do_not_matter() -> None:
    data = noise(6, columns=10, edge=0.1)
    a, b = cscv(data, blocks=8), cscv(data[:, ::-1] * 1e6, blocks=8)
    assert a is not None and b is not None
    assert a.pbo == b.pbo


def test_blocks_must_be_longer_than_the_purge_and_even() -> None:
    with pytest.raises(ValueError, match="purging 40"):
        cscv(noise(0), blocks=16, purge=40)
    with pytest.raises(ValueError, match="even number"):
        cscv(noise(0), blocks=7)
    with pytest.raises(ValueError, match="not a number"):
        cscv(np.full((100, 4), np.nan))


def test_dominance_is_that_of_the_distribution_functions() -> None:
    better = dominance([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
    assert better.first_order and better.second_order and better.gap <= 0.0
    worse = dominance([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    assert not worse.first_order and not worse.second_order
    steadier = dominance([1.9, 2.0, 2.1], [1.0, 2.0, 3.0])
    assert not steadier.first_order and steadier.second_order


def test_a_winner_that_ties_has_the_average_of_the_ranks_it_shares() -> None:
    """Two copies among three: they win every half, and share ranks 2 and 3 out of sample."""
    rng = np.random.Generator(np.random.Philox(11))
    good, bad = rng.normal(0.01, 0.01, 160), rng.normal(-0.01, 0.01, 160)
    found = cscv(np.column_stack([good, good, bad]), 4, even=False)
    assert found is not None
    assert found.logits == pytest.approx(np.log(2.5 / 1.5)), "rank 2.5 of 3, over 4"
    same = cscv(np.column_stack([good, good]), 4)
    assert same is not None and same.pbo == 1.0, "between two copies there is nothing to choose"
