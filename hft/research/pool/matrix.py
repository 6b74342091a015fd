"""Correlation of every pair of a pool, which pairs are redundant, and the largest of a candidate.

An undefined correlation (a signal that does not move) is 0 and flagged; fewer than two rows give
the identity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import ConfigError
from hft.research.experiments import Series
from hft.research.pool.members import Member, Pool, align, read_members

METRICS = ("pearson", "spearman")
ROUNDING = 1e-12  # a copy is one even where the last bit of its correlation says otherwise


@dataclass(frozen=True, eq=False)
class Matrix:
    """Both matrices of a pool; `undefined` are the pairs whose correlation does not exist."""

    alpha_ids: tuple[str, ...]
    pearson: np.ndarray
    spearman: np.ndarray
    sample_length: int
    undefined: tuple[tuple[str, str], ...] = ()
    bad_values: Mapping[str, int] | None = None
    aligned_by: str = "time"
    left_out: Mapping[str, str] | None = None

    def of(self, metric: str) -> np.ndarray:
        """One of the two. Raises: ConfigError."""
        if metric not in METRICS:
            raise ConfigError(f"corr-metric: {metric!r} is not one of {', '.join(METRICS)}")
        return self.pearson if metric == "pearson" else self.spearman

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "alpha_ids": list(self.alpha_ids),
            "matrix": self.pearson.tolist(),
            "pearson_matrix": self.pearson.tolist(),
            "spearman_matrix": self.spearman.tolist(),
            "sample_length": self.sample_length,
            "undefined": [list(pair) for pair in self.undefined],
            "bad_values": dict(self.bad_values or {}),
            "aligned_by": self.aligned_by,
            "left_out": dict(self.left_out or {}),
        }


@dataclass(frozen=True)
class Redundant:
    """A pair that says nearly the same."""

    alpha_a: str
    alpha_b: str
    correlation: float
    metric: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class PoolMax:
    """The largest |Pearson| of a signal against the pool; `against` is whose it is."""

    value: float
    empty: bool
    against: str | None = None
    undefined: tuple[str, ...] = ()
    sample_length: int = 0
    all: Mapping[str, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.__dict__) | {
            "undefined": list(self.undefined),
            "all": dict(self.all or {}),
        }


def matrix(pool: Pool) -> Matrix:
    """Pearson and Spearman (average ranks) of every pair."""
    pearson, undefined = correlated(pool.signals)
    spearman, _ = correlated(ranked(pool.signals))
    return Matrix(
        pool.alpha_ids,
        pearson,
        spearman,
        pool.sample_length,
        tuple((pool.alpha_ids[i], pool.alpha_ids[j]) for i, j in undefined),
        pool.bad_values,
        pool.aligned_by,
        pool.left_out,
    )


def correlated(values: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Pearson of every pair of columns, 0 where undefined, and which pairs those are."""
    rows, columns = values.shape
    if rows < 2:
        return np.eye(columns), []
    centred = values - values.mean(axis=0)
    scale = np.abs(centred).max(axis=0, initial=0.0)
    flat = scale <= 1e-12 * np.maximum(np.abs(values).max(axis=0, initial=0.0), 1e-300)
    unit = centred / np.where(flat, 1.0, scale)
    norm = np.sqrt((unit**2).sum(axis=0))
    unit = np.where(flat, 0.0, unit / np.where(norm > 0, norm, 1.0))
    found = np.clip(unit.T @ unit, -1.0, 1.0)
    found = (found + found.T) / 2
    np.fill_diagonal(found, 1.0)
    pairs = [(i, j) for i in range(columns) for j in range(i + 1, columns) if flat[i] or flat[j]]
    return found, pairs


def ranked(values: np.ndarray) -> np.ndarray:
    """Average ranks of each column."""
    out = np.empty_like(values, dtype=np.float64)
    for k in range(values.shape[1]):
        _, place, counts = np.unique(values[:, k], return_inverse=True, return_counts=True)
        last = np.cumsum(counts)
        out[:, k] = ((last - counts + 1 + last) / 2.0)[place]
    return out


def redundant(found: Matrix, threshold: float = 0.7, metric: str = "pearson") -> list[Redundant]:
    """Pairs with |correlation| of the threshold or more, the closest first."""
    table = found.of(metric)
    n = len(found.alpha_ids)
    pairs = [
        Redundant(found.alpha_ids[i], found.alpha_ids[j], float(table[i, j]), metric)
        for i in range(n)
        for j in range(i + 1, n)
        if abs(table[i, j]) >= threshold - ROUNDING
    ]
    return sorted(pairs, key=lambda one: (-abs(one.correlation), one.alpha_a, one.alpha_b))


def pool_correlation_max(
    signal: Any, experiments: Path, *, ts_ns: Any = None, alpha_id: str = ""
) -> PoolMax:
    """The largest |Pearson| of a signal against the newest signals of the other alphas.

    Each pair is taken on the rows the two share. An empty pool gives 0.0 and says so.
    """
    values = np.asarray(signal, np.float64)
    times = None if ts_ns is None else np.asarray(ts_ns, np.int64)
    own = Member("", Series(values, times))
    found: dict[str, float] = {}
    undefined, rows = [], 0
    for other in read_members(experiments)[0]:
        if other.alpha_id == alpha_id:
            continue
        pair = align([own, other])
        table, flat = correlated(pair.signals)
        if pair.sample_length < 2 or len(pair.alpha_ids) < 2 or flat:
            undefined.append(other.alpha_id)
        whole = len(pair.alpha_ids) == 2 and pair.sample_length >= 2
        found[other.alpha_id] = float(table[0, 1]) if whole else 0.0
        rows = max(rows, pair.sample_length if whole else 0)
    if not found:
        return PoolMax(0.0, True)
    against = max(sorted(found), key=lambda name: abs(found[name]))
    return PoolMax(abs(found[against]), False, against, tuple(undefined), rows, found)
