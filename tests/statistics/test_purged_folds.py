"""Folds: counts by formula, nothing touching a test block trains, paths cover every row once."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.statistics.folds import combinatorial, path_count, walk_forward
from tests.naive.folds import naive_combinatorial


def rows(count: int, horizon: int, step: int = 10) -> tuple[np.ndarray, np.ndarray]:
    start = np.arange(count, dtype=np.int64) * step
    return start, start + horizon


@pytest.mark.parametrize(("n", "k", "splits", "paths"), [(6, 2, 15, 5), (10, 2, 45, 9)])
def test_counts_are_those_of_the_formula(n: int, k: int, splits: int, paths: int) -> None:
    folds = combinatorial(*rows(120, 5), n, k)
    assert len(folds) == splits == comb(n, k)
    assert folds.paths.shape == (paths, n)
    assert path_count(n, k) == paths


def test_counts_of_the_largest_grid() -> None:
    assert (comb(16, 8), path_count(16, 8)) == (12870, 6435)


times = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 40)), min_size=12, max_size=40)


@given(times, st.integers(2, 6), st.integers(0, 30), st.data())
def test_it_equals_the_row_by_row_twin(
    steps: list[tuple[int, int]], n: int, embargo: int, data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, n - 1))
    start = np.cumsum([gap for gap, _ in steps])
    end = start + [length for _, length in steps]
    folds = combinatorial(start, end, n, k, embargo)
    twin = naive_combinatorial(start.tolist(), end.tolist(), n, k, embargo)
    assert [(s.train.tolist(), s.test.tolist()) for s in folds] == twin


@given(times, st.integers(0, 30))
def test_no_training_interval_meets_a_test_block_or_its_embargo(
    steps: list[tuple[int, int]], embargo: int
) -> None:
    start = np.cumsum([gap for gap, _ in steps])
    end = start + [length for _, length in steps]
    for split in combinatorial(start, end, 6, 2, embargo):
        for i in split.train:
            assert not np.any((start[i] <= end[split.test]) & (end[i] >= start[split.test]))
            late = start[i] - end[split.test]
            assert not np.any((late >= 0) & (late <= embargo))


@pytest.mark.parametrize("embargo_days", [0, 3])
def test_splits_agree_with_purgedcv(embargo_days: int) -> None:
    purgedcv = pytest.importorskip("purgedcv", reason="the extra `oracles` has it")
    pd = pytest.importorskip("pandas", reason="purgedcv needs it")
    day = 86_400 * 10**9
    start = np.arange(103, dtype=np.int64) * day
    # Half a day, so that touching, where the two differ by rule, does not occur.
    end = start + 4 * day + day // 2
    ours = combinatorial(start, end, 6, 2, embargo_days * day)
    theirs = purgedcv.CombinatorialPurgedCV(
        6,
        2,
        prediction_times=pd.Series(pd.to_datetime(start)),
        evaluation_times=pd.Series(pd.to_datetime(end)),
        purge_horizon=pd.Timedelta(0),
        embargo=pd.Timedelta(days=embargo_days),
    )
    found = list(theirs.split(np.zeros((103, 1))))
    assert len(found) == len(ours)
    for split, (train, test) in zip(ours, found, strict=True):
        assert split.test.tolist() == test.tolist()
        assert split.train.tolist() == train.tolist()


def test_without_labels_splits_agree_with_skfolio() -> None:
    skfolio = pytest.importorskip("skfolio.model_selection", reason="the extra `oracles` has it")
    start, end = rows(120, 0)
    ours = combinatorial(start, end, 6, 2)
    theirs = skfolio.CombinatorialPurgedCV(n_folds=6, n_test_folds=2, purged_size=0, embargo_size=0)
    assert (theirs.n_splits, theirs.n_test_paths) == (len(ours), len(ours.paths))
    for split, (train, tests) in zip(ours, theirs.split(np.zeros((120, 1))), strict=True):
        assert split.train.tolist() == train.tolist()
        assert split.test.tolist() == np.concatenate(tests).tolist()


def test_paths_agree_with_purgedcv_and_hold_every_row_once() -> None:
    purgedcv = pytest.importorskip("purgedcv", reason="the extra `oracles` has it")
    folds = combinatorial(*rows(31, 5), 5, 3)
    values = [split.test * 1000.0 + i for i, split in enumerate(folds)]
    ours = folds.assemble(values)
    theirs = purgedcv.reconstruct_paths(
        values, [s.test for s in folds], n_splits=5, n_test_groups=3, n_samples=31
    )
    assert np.array_equal(ours, theirs)
    assert np.array_equal(ours // 1000, np.tile(np.arange(31), (6, 1)))
    used = [(i, g) for path in folds.paths for g, i in enumerate(path)]
    assert len(set(used)) == len(used), "no piece of a split is used by two paths"


def test_a_path_needs_every_split_and_the_right_sizes() -> None:
    folds = combinatorial(*rows(30, 0), 5, 2)
    with pytest.raises(ValueError, match="10 expected"):
        folds.assemble([[0.0]])
    with pytest.raises(ValueError, match="do not fill"):
        folds.assemble([np.zeros(3)] * 10)


@pytest.mark.parametrize("anchored", [True, False])
def test_walking_forward_fits_only_on_settled_labels(anchored: bool) -> None:
    start, end = rows(103, horizon=35)
    splits = walk_forward(start, end, 5, anchored=anchored, gap_ns=20)
    assert len(splits) == 5
    tested = np.concatenate([split.test for split in splits])
    assert np.array_equal(tested, np.arange(tested[0], 103)), "each row is judged once, in order"
    for split in splits:
        assert end[split.train].max() + 20 < start[split.test[0]]
    lengths = [split.train.size for split in splits]
    assert (lengths == sorted(lengths) and lengths[-1] > lengths[0]) == anchored
    assert anchored or max(lengths) - min(lengths) <= 1


def test_walking_forward_agrees_with_skfolio_without_a_gap() -> None:
    skfolio = pytest.importorskip("skfolio.model_selection", reason="the extra `oracles` has it")
    start, end = rows(60, 0)
    for anchored in (True, False):
        theirs = skfolio.WalkForward(test_size=10, train_size=10, expand_train=anchored)
        for split, (train, test) in zip(
            walk_forward(start, end, 5, anchored=anchored),
            theirs.split(start[:, None]),
            strict=True,
        ):
            assert (split.train.tolist(), split.test.tolist()) == (train.tolist(), test.tolist())


@pytest.mark.parametrize(
    ("start", "end", "n", "k", "words"),
    [
        ([0, 5, 4], [9, 9, 9], 2, 1, "row 2: t_start goes back"),
        ([0, 5, 9], [9, 4, 9], 2, 1, "row 1: its label ends before"),
        ([0, 1, 2], [1, 2, 3], 5, 2, "cannot make 5 groups"),
        ([0, 1, 2], [1, 2, 3], 3, 3, "must stay for training"),
        ([0, 1, 2], [1, 2], 3, 1, "equal length"),
    ],
)
def test_unusable_rows_are_refused(
    start: list[int], end: list[int], n: int, k: int, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        combinatorial(start, end, n, k)


def test_negative_embargo_and_gap_are_refused() -> None:
    with pytest.raises(ValueError, match="embargo"):
        combinatorial(*rows(20, 1), 4, 1, -1)
    with pytest.raises(ValueError, match="gap"):
        walk_forward(*rows(20, 1), 4, gap_ns=-1)
    with pytest.raises(ValueError, match="first block"):
        walk_forward(*rows(4, 1), 5)
