"""Marginal value out of sample: an edge adds, a copy and a loser do not, shrinkage is sklearn's."""

import numpy as np
import pytest

from hft.statistics.covariance import (
    maximum_sharpe,
    minimum_variance,
    shrink,
    shrunk,
)
from hft.statistics.marginal import addition


def panel(seed: int, edges: list[float], rows: int = 1000) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((rows, len(edges)))
    return 0.01 * (drawn + np.array(edges))


@pytest.mark.parametrize(("rows", "columns"), [(500, 3), (60, 20), (30, 40)])
def test_the_covariance_is_shrunk_as_in_scikit_learn(rows: int, columns: int) -> None:
    sklearn = pytest.importorskip("sklearn.covariance", reason="it comes with skfolio")
    data = np.random.default_rng(1).standard_normal((rows, columns)) @ np.diag(
        np.linspace(0.5, 2, columns)
    )
    theirs, share = sklearn.ledoit_wolf(data)
    ours, our_share = shrink(data)
    assert our_share == pytest.approx(share, rel=1e-9)
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_long_only_weights_beat_every_random_portfolio() -> None:
    data = panel(2, [0.05, 0.1, 0.02, -0.1])
    data[:, 3] += 0.8 * data[:, 0]
    covariance, mean = shrunk(data), data.mean(axis=0)
    weights, least = maximum_sharpe(covariance, mean), minimum_variance(covariance)
    assert weights is not None
    assert weights.min() >= 0.0 and weights.sum() == pytest.approx(1.0)
    others = np.random.default_rng(3).dirichlet(np.ones(4), 5000)
    risk = np.sqrt(np.einsum("ij,jk,ik->i", others, covariance, others))
    assert (mean @ weights) / np.sqrt(weights @ covariance @ weights) >= (
        others @ mean / risk
    ).max()
    assert np.sqrt(least @ covariance @ least) <= risk.min() + 1e-12
    assert maximum_sharpe(covariance, -np.ones(4)) is None


def test_a_new_edge_adds_and_most_resamples_agree() -> None:
    data = panel(4, [0.08, 0.08, 0.12])
    found = addition(data[:, 2], data[:, :2])
    assert found.delta is not None and found.probability is not None
    assert found.delta > 0 and found.probability > 0.8
    assert found.weight > 0 and found.judged == 800


def test_a_loser_gets_no_weight_and_no_credit() -> None:
    data = panel(5, [0.1, 0.1, -0.15])
    found = addition(data[:, 2], data[:, :2])
    assert found.weight == 0.0
    assert found.delta is not None and found.delta <= 0.0
    assert found.probability is not None and found.probability < 0.5


def test_a_noisy_copy_does_not_reach_the_gate() -> None:
    passed = 0
    for seed in range(12):
        data = panel(seed, [0.1, 0.1, 0.0])
        found = addition(data[:, 0] + 0.3 * data[:, 2], data[:, :2], reps=200)
        passed += found.delta is not None and found.delta > 0 and (found.probability or 0) > 0.8
    assert passed <= 3


def test_nothing_to_hold_is_none_and_the_future_is_not_used() -> None:
    losers = panel(6, [-0.3, -0.3, -0.3])
    found = addition(losers[:, 2], losers[:, :2])
    assert (found.without, found.joined, found.delta) == (None, None, None)
    data = panel(7, [0.1, 0.1, 0.1])
    changed = data.copy()
    changed[-200:] = changed[-200:][::-1]
    a, b = (
        addition(data[:, 2], data[:, :2], reps=10),
        addition(changed[:, 2], changed[:, :2], reps=10),
    )
    assert a.weight == b.weight, "the last fit ends where the last block begins"
    with pytest.raises(ValueError, match="at least 10"):
        addition(data[:40, 2], data[:40, :2], folds=5)


def test_a_constant_return_has_no_sharpe_ratio_however_it_is_rounded() -> None:
    flat = np.column_stack([np.full(200, 0.1), np.full(200, 0.1)])
    found = addition(np.full(200, 0.1), flat, reps=20)
    assert found.without is None and found.delta is None
