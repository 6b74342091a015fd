"""How many trials a search was: planted clusters are found, diagnostics have their formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics import trials
from hft.statistics.clusters import cluster, silhouettes
from hft.statistics.luck import luck_variance
from hft.statistics.trials import (
    cluster_sharpes,
    correlation,
    effective_trials,
    onc,
    participation_of,
    participation_ratio,
    ranks,
)


def blocks(seed: int, groups: int, each: int, noise: float, rows: int = 1000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    factors = np.repeat(rng.standard_normal((rows, groups)), each, axis=1)
    return factors + noise * rng.standard_normal((rows, groups * each))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("groups", "each", "noise"), [(4, 6, 0.4), (2, 10, 0.8), (12, 5, 0.6)])
def test_planted_clusters_are_found(seed: int, groups: int, each: int, noise: float) -> None:
    found = onc(blocks(seed, groups, each, noise))
    assert found.n == groups
    assert found.labels.tolist() == np.repeat(np.arange(groups), each).tolist()


def test_the_24_trials_of_the_reference_count_4_by_onc_and_5_by_participation() -> None:
    panel = blocks(0, 4, 6, 0.4)
    found = effective_trials(panel)
    assert found.onc == 4
    assert found.participation == pytest.approx(5.06, abs=0.1)
    assert found.used == max(found.onc, found.participation)
    # The correlation inside a block that gives exactly this participation.
    block = np.full((6, 6), 0.8652) + 0.1348 * np.eye(6)
    others = ranks(np.kron(np.eye(4), block))
    assert others["participation"] == pytest.approx(5.06, abs=5e-3)
    assert others["entropy"] == pytest.approx(6.80, abs=0.02)
    assert others["li_ji"] == pytest.approx(8.0, abs=1e-6)
    assert others["galwey"] == pytest.approx(11.4, abs=0.05)
    assert others["average_correlation"] == pytest.approx(19.5, abs=0.2)
    assert others["nyholt"] == pytest.approx(20.3, abs=0.05)


@pytest.mark.parametrize("n", [1, 3, 10])
def test_every_rank_counts_n_unrelated_and_one_repeated_trial(n: int) -> None:
    assert ranks(np.eye(n)) == pytest.approx(dict.fromkeys(ranks(np.eye(n)), float(n)))
    same = ranks(np.ones((n, n)))
    assert same == pytest.approx(dict.fromkeys(same, 1.0), abs=1e-4)


def test_participation_agrees_with_vetted_and_does_not_need_eigenvalues() -> None:
    vetted = pytest.importorskip("vetted", reason="the extra `oracles` has it")
    for panel in (blocks(1, 3, 5, 0.5), np.random.default_rng(2).standard_normal((60, 200))):
        ours = participation_ratio(panel)
        assert ours == pytest.approx(vetted.overfitting.effective_trials(panel), rel=1e-9)
        assert ours == pytest.approx(participation_of(correlation(panel)), rel=1e-9)


def test_silhouettes_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="it comes with skfolio")
    rng = np.random.default_rng(3)
    points, labels = rng.standard_normal((40, 5)), rng.integers(0, 4, 40)
    labels[:4] = np.arange(4)
    assert silhouettes(points, labels) == pytest.approx(metrics.silhouette_samples(points, labels))


def test_the_quality_is_that_of_the_silhouettes_in_the_distance_of_the_paper() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="it comes with skfolio")
    rng = np.random.default_rng(12)
    factors = rng.standard_normal((800, 3))
    panel = np.column_stack(
        [
            *(factors[:, [0]] + 0.5 * rng.standard_normal((800, 4))).T,
            *(-factors[:, [0]] + 0.5 * rng.standard_normal((800, 4))).T,
            *(factors[:, [1]] + 0.8 * rng.standard_normal((800, 5))).T,
        ]
    )
    found = onc(panel)
    assert found.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 5, "a negation is another idea"
    points = np.sqrt((1 - np.clip(np.corrcoef(panel.T), -1, 1)) / 2)
    values = metrics.silhouette_samples(points, found.labels)
    assert found.quality == pytest.approx(values.mean() / values.std(), rel=1e-6)


def test_a_repeat_of_a_trial_adds_nothing() -> None:
    panel = blocks(4, 4, 3, 0.5)
    twice = np.column_stack([panel, panel])
    a, b = effective_trials(panel), effective_trials(twice)
    assert (a.onc, b.onc) == (4, 4)
    assert b.participation == pytest.approx(a.participation, rel=1e-9)


def test_one_trial_and_constant_trials() -> None:
    one = effective_trials(np.random.default_rng(0).standard_normal((50, 1)))
    assert (one.n, one.onc, one.used) == (1, 1, 1.0)
    rest = effective_trials(np.zeros((50, 3)))
    assert (rest.n, rest.used) == (0, 1.0)
    panel = np.column_stack([blocks(5, 2, 3, 0.4), np.zeros(1000)])
    found = effective_trials(panel)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, -1]


@pytest.mark.parametrize(("rho", "count"), [(0.95, 1), (0.58, 1), (0.42, 2), (0.0, 2), (-1.0, 2)])
def test_two_trials_are_one_when_they_move_together(rho: float, count: int) -> None:
    rng = np.random.default_rng(1)
    a = rng.standard_normal(2000)
    b = rho * a + np.sqrt(1 - rho**2) * rng.standard_normal(2000)
    assert effective_trials(np.column_stack([a, b])).onc == count


def test_the_variance_is_floored_at_the_sampling_variance() -> None:
    calm = blocks(6, 3, 4, 0.3, rows=500)
    calm -= calm.mean(axis=0)  # every Sharpe ratio is 0: no spread at all
    found = effective_trials(calm)
    assert found.floored and found.variance == pytest.approx(1 / 499)
    spread = calm + np.repeat([0.0, 0.5, 1.0], 4)
    wide = effective_trials(spread)
    assert not wide.floored
    assert wide.variance == pytest.approx(luck_variance(wide.cluster_sharpes))


columns = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, -1.0, 1e-6, 1e6]), st.integers(0, 3), st.booleans()),
    min_size=1,
    max_size=14,
)


@given(columns, st.integers(0, 1000), st.integers(3, 40))
def test_copies_negations_constants_and_any_scale_give_a_sane_answer(
    recipe: list[tuple[float, int, bool]], seed: int, rows: int
) -> None:
    rng = np.random.default_rng(seed)
    base = rng.standard_normal((rows, 4))
    panel = np.column_stack(
        [
            scale * (base[:, k] + (0.3 * rng.standard_normal(rows) if own else 0.0))
            for scale, k, own in recipe
        ]
    )
    found = effective_trials(panel)
    assert 1.0 <= found.used <= max(1, len(recipe)) + 1e-9
    assert 0.0 < found.variance < np.inf
    assert np.isfinite(found.cluster_sharpes).all()
    assert found.n == sum(scale != 0.0 for scale, _, _ in recipe)


def test_a_cluster_is_one_minimum_variance_series() -> None:
    rng = np.random.default_rng(7)
    quiet, loud = rng.standard_normal(4000) * 0.1 + 0.02, rng.standard_normal(4000) * 10.0
    found = cluster_sharpes(np.column_stack([quiet, loud]), np.array([0, 0]))
    assert found[0] == pytest.approx(quiet.mean() / quiet.std(ddof=1), abs=0.02)


def test_the_same_seed_gives_the_same_answer_and_order_gives_the_same_count() -> None:
    panel = blocks(8, 6, 5, 0.7)
    a, b = effective_trials(panel), effective_trials(panel)
    assert a.labels.tolist() == b.labels.tolist() and a.variance == b.variance
    shuffled = np.random.default_rng(0).permutation(30)
    assert effective_trials(panel[:, shuffled]).onc == a.onc


def test_beyond_500_series_seeded_groups_stand_in_for_the_clustering(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trials, "GATHERED", 90)  # 300 only take longer
    panel = blocks(9, 15, 40, 0.6, rows=400)
    found = effective_trials(panel, seed=1)
    assert found.gathered and found.n == 600
    assert found.onc == 15
    assert found.participation == pytest.approx(participation_ratio(panel))
    assert effective_trials(panel, seed=1).labels.tolist() == found.labels.tolist()


def test_identical_series_are_one_cluster() -> None:
    assert cluster(np.ones((5, 5))).n == 1
