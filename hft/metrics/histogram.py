"""A histogram as one column of integers, so that a scoreboard can hold it and nobody allocates."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from hft.metrics.catalogue import CATALOGUE


class Histogram:
    """`cells` are the counts of the buckets, of what is above them all, and the sum of values.

    A bucket has what is at most its bound. What is below 0, by a clock that was set back, is 0.
    """

    def __init__(self, metric: str) -> None:
        self.bounds = CATALOGUE[metric].bounds
        self.cells = np.zeros(len(self.bounds) + 2, np.int64)
        self._edges = np.array(self.bounds, np.int64)

    def observe(self, value: int, times: int = 1) -> None:
        """Count a value."""
        value = max(0, value)
        self.cells[bisect_left(self.bounds, value)] += times
        self.cells[-1:] += value * times

    def observe_all(self, values: np.ndarray) -> None:
        """Count many values."""
        values = np.maximum(values, 0)
        at = np.searchsorted(self._edges, values, side="left")
        self.cells[:-1] += np.bincount(at, minlength=len(self.cells) - 1)
        self.cells[-1:] += values.sum()  # of an array: one that passes 64 bits wraps


def cumulative(cells: Sequence[int]) -> list[int]:
    """What Prometheus calls buckets: how many are at most each bound, and all."""
    return [int(count) for count in np.cumsum(np.asarray(cells)[:-1])]
