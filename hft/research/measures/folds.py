"""Paths of combinatorial purged folds, and walking forward: what choosing costs out of sample.

The one thing a validation fits is the threshold: each fold takes the best of the sweep on its
training sessions and is judged on the others. Rows of these folds are sessions.
"""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from hft.research.backtest import DAYS_A_YEAR, annual_sharpe
from hft.research.data.dataset import ResearchData
from hft.statistics.folds import combinatorial, walk_forward


@dataclass(frozen=True, eq=False)
class Paths:
    """Net returns of each path (paths x sessions) and their annual Sharpe ratios.

    A path without variance has no ratio, and a quantile over such a path has none either.
    """

    returns: np.ndarray
    sharpes: tuple[float | None, ...]
    splits: int

    @property
    def median(self) -> float | None:
        """The path in the middle."""
        return self._quantile(0.5)

    @property
    def low(self) -> float | None:
        """The 5 % quantile of the paths."""
        return self._quantile(0.05)

    def _quantile(self, part: float) -> float | None:
        known = [value for value in self.sharpes if value is not None]
        return (
            float(np.quantile(known, part)) if known and len(known) == len(self.sharpes) else None
        )


@dataclass(frozen=True)
class Walk:
    """Sharpe ratio of each fold, out of sample and as it was chosen in sample."""

    out_of_sample: tuple[float | None, ...]
    in_sample: tuple[float | None, ...]
    chosen: tuple[int, ...]
    returns: tuple[float, ...]
    first: tuple[int, ...]  # position of the first session of each fold

    @property
    def known(self) -> list[float]:
        """The folds with a Sharpe ratio."""
        return [value for value in self.out_of_sample if value is not None]

    @property
    def mean(self) -> float | None:
        """Mean of the folds."""
        return float(np.mean(self.known)) if self.known else None

    @property
    def spread(self) -> float | None:
        """Standard deviation of the folds."""
        return float(np.std(self.known, ddof=1)) if len(self.known) > 1 else None

    @property
    def worst(self) -> float | None:
        """The lowest fold."""
        return min(self.known, default=None)

    @property
    def error(self) -> float:
        """Standard error of a fold's annual Sharpe ratio; folds differ by a session at most."""
        return sqrt(DAYS_A_YEAR * len(self.first) / len(self.returns)) if self.returns else inf

    @property
    def worst_t(self) -> float | None:
        """The lowest fold in standard errors of a fold's Sharpe ratio: how far it is from luck."""
        return None if self.worst is None else self.worst / self.error

    @property
    def consistency(self) -> float | None:
        """Share of all folds that gained; a fold without trades did not."""
        if not self.known:
            return None
        return sum(value > 0 for value in self.known) / len(self.out_of_sample)

    @property
    def stitched(self) -> float | None:
        """Annual Sharpe ratio of the folds after one another."""
        return annual_sharpe(np.array(self.returns)) if len(self.returns) > 1 else None

    @property
    def ratio(self) -> float | None:
        """Stitched Sharpe out of sample over the mean of what was chosen in sample."""
        inside = [value for value in self.in_sample if value is not None]
        if self.stitched is None or not inside or float(np.mean(inside)) <= 0:
            return None
        return self.stitched / float(np.mean(inside))


def intervals(data: ResearchData, horizon_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """When each session begins, and when its last label is settled."""
    begin, end = data.session_times
    return begin, end + horizon_ns


def paths(
    matrix: np.ndarray, t_start: np.ndarray, t_end: np.ndarray, groups: int, k: int
) -> Paths | None:
    """CPCV over sessions x configurations; None with fewer than two sessions a group."""
    rows = len(matrix)
    if rows < 2 * groups:
        return None
    embargo_ns = int((t_end[-1] - t_start[0]) * 0.01)
    folds = combinatorial(t_start, t_end, groups, k, embargo_ns)
    values = [matrix[split.test, best(matrix[split.train])] for split in folds]
    returns = folds.assemble(values)
    sharpes = tuple(annual_sharpe(path) for path in returns)
    return Paths(returns, sharpes, len(folds))


def walk(
    matrix: np.ndarray,
    t_start: np.ndarray,
    t_end: np.ndarray,
    folds: int,
    *,
    anchored: bool = True,
) -> Walk | None:
    """Choosing on the past, judging on the next block; None with too few sessions."""
    if len(matrix) < 2 * (folds + 1):
        return None
    outside: list[float | None] = []
    inside: list[float | None] = []
    chosen, returns, first = [], [], []
    for split in walk_forward(t_start, t_end, folds, anchored=anchored):
        take = best(matrix[split.train])
        outside.append(annual_sharpe(matrix[split.test, take]))
        inside.append(annual_sharpe(matrix[split.train, take]))
        chosen.append(take)
        returns += matrix[split.test, take].tolist()
        first.append(int(split.test[0]))
    return Walk(tuple(outside), tuple(inside), tuple(chosen), tuple(returns), tuple(first))


def best(train: np.ndarray) -> int:
    """The configuration with the highest Sharpe ratio; the first of equals, 0 where none varies."""
    if len(train) < 2:
        return 0
    sd = train.std(axis=0, ddof=1)
    mean = train.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(sd > 0, mean / np.where(sd > 0, sd, 1.0), -np.inf)
    return int(np.argmax(score))
