"""Folds that cannot leak: combinatorial purged and walk-forward, by label interval.

A row is known at `t_start` and its label is settled at `t_end`. A training row is dropped when its
interval meets a test block's (touching counts: both would use the same price), and when it starts
within the embargo after a block. Decides which rows may be used together; fits nothing.
Source: Lopez de Prado, "Advances in Financial Machine Learning" (2018), chapters 7 and 12.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to fit on and rows to judge on, ascending."""

    train: np.ndarray
    test: np.ndarray
    groups: tuple[int, ...]  # which groups are tested


@dataclass(frozen=True, slots=True)
class Combinatorial:
    """Every choice of k test groups out of n, and the backtest paths they add up to.

    Splits come in the lexicographic order of their groups; `paths[p, g]` is the split that supplies
    group g of path p. Each is built when asked for.
    """

    rows: int
    k: int
    edges: np.ndarray  # int64[n + 1]: group g is rows edges[g] to edges[g + 1]
    forbidden: np.ndarray  # bool[n, rows]: purged or embargoed because of a group
    choices: tuple[tuple[int, ...], ...]
    paths: np.ndarray  # int64[phi, n]

    def __len__(self) -> int:
        return len(self.choices)

    def __iter__(self) -> Iterator[Split]:
        return (self.split(i) for i in range(len(self.choices)))

    def split(self, i: int) -> Split:
        """The i-th split."""
        chosen = self.choices[i]
        test = np.zeros(self.rows, dtype=bool)
        for group in chosen:
            test[self.edges[group] : self.edges[group + 1]] = True
        train = ~(test | self.forbidden[list(chosen)].any(axis=0))
        return Split(np.flatnonzero(train), np.flatnonzero(test), chosen)

    def assemble(self, values: Sequence[ArrayLike]) -> np.ndarray:
        """Paths x rows, from one array of test values per split in the order of its test rows."""
        if len(values) != len(self.choices):
            raise ValueError(f"{len(values)} splits given, {len(self.choices)} expected")
        whole = [np.asarray(value, dtype=np.float64) for value in values]
        sizes = np.diff(self.edges)
        path = np.empty((len(self.paths), self.rows))
        for p, suppliers in enumerate(self.paths):
            for group, i in enumerate(suppliers):
                chosen = self.choices[i]
                start = int(sum(sizes[g] for g in chosen if g < group))
                piece = whole[i][start : start + sizes[group]]
                if piece.size != sizes[group]:
                    raise ValueError(f"split {i}: {whole[i].size} values do not fill its groups")
                path[p, self.edges[group] : self.edges[group + 1]] = piece
        return path


def path_count(n: int, k: int) -> int:
    """Backtest paths of n groups taken k at a time: C(n - 1, k - 1)."""
    return comb(n - 1, k - 1)


def combinatorial(
    t_start: ArrayLike, t_end: ArrayLike, n: int = 10, k: int = 2, embargo_ns: int = 0
) -> Combinatorial:
    """Combinatorial purged folds of rows in time order.

    Units: times and embargo in ns. The first groups take the remainder of the rows.
    Raises: ValueError when times go back, a label ends before it starts, or groups would be empty.
    """
    start, end = _times(t_start, t_end)
    if not 0 < k < n:
        raise ValueError(f"{k} test groups of {n}: at least one must stay for training")
    if start.size < n:
        raise ValueError(f"{start.size} rows cannot make {n} groups")
    if embargo_ns < 0:
        raise ValueError(f"embargo {embargo_ns} ns: it cannot be negative")
    edges = _even_edges(start.size, n)
    forbidden = np.array(
        [_forbidden(start, end, edges[g], edges[g + 1], embargo_ns) for g in range(n)]
    )
    choices = tuple(combinations(range(n), k))
    suppliers = [[i for i, chosen in enumerate(choices) if g in chosen] for g in range(n)]
    return Combinatorial(start.size, k, edges, forbidden, choices, np.array(suppliers).T)


def walk_forward(
    t_start: ArrayLike,
    t_end: ArrayLike,
    folds: int = 5,
    *,
    anchored: bool = True,
    gap_ns: int = 0,
) -> list[Split]:
    """Fit on the past, judge on the next block: `folds` blocks after a first one of equal size.

    Anchored keeps every earlier row; rolling keeps as many as the first block has. A training label
    is settled more than `gap_ns` before the test block begins.
    Raises: ValueError when times go back or there are fewer rows than blocks.
    """
    start, end = _times(t_start, t_end)
    if folds < 1 or start.size < folds + 1:
        raise ValueError(f"{start.size} rows cannot make a first block and {folds} folds")
    if gap_ns < 0:
        raise ValueError(f"gap {gap_ns} ns: it cannot be negative")
    edges = _even_edges(start.size, folds + 1)
    window = int(edges[1])
    splits = []
    for fold in range(1, folds + 1):
        first = int(edges[fold])
        before = np.arange(0 if anchored else first - window, first)
        train = before[end[before] < start[first] - gap_ns]
        splits.append(Split(train, np.arange(first, int(edges[fold + 1])), (fold,)))
    return splits


def _times(t_start: ArrayLike, t_end: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    start, end = np.asarray(t_start, dtype=np.int64), np.asarray(t_end, dtype=np.int64)
    if start.ndim != 1 or start.shape != end.shape:
        raise ValueError(f"t_start {start.shape} and t_end {end.shape}: one axis, equal length")
    if np.any(np.diff(start) < 0):
        row = int(np.argmax(np.diff(start) < 0)) + 1
        raise ValueError(f"row {row}: t_start goes back; sort the rows by time")
    if np.any(end < start):
        raise ValueError(f"row {int(np.argmax(end < start))}: its label ends before it starts")
    return start, end


def _even_edges(rows: int, parts: int) -> np.ndarray:
    sizes = [rows // parts + (part < rows % parts) for part in range(parts)]
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _forbidden(
    start: np.ndarray, end: np.ndarray, first: int, last: int, embargo_ns: int
) -> np.ndarray:
    """Rows that may not train when rows first..last - 1 are tested; the tested ones included."""
    opens, closes = start[first], end[first:last].max()
    return (start <= closes + embargo_ns) & (end >= opens)
