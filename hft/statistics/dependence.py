"""The BDS test: are the values of a series independent of each other, in any way at all?

It counts how often stretches of `dimension` values come close together, against how often single
values do. The null is independent and identical values; its law is asymptotic, and below a few
hundred values the test rejects too often.
Source: Broock, Scheinkman, Dechert and LeBaron (1996); variance by Brock, Dechert and Scheinkman.
"""

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.series import is_flat, series

NEAR = 1.5  # standard deviations within which two values are close


@dataclass(frozen=True, slots=True)
class Bds:
    """The statistic, standard normal under the null, and its two-sided p."""

    statistic: float
    p: float
    observations: int


def bds(values: ArrayLike, dimension: int = 2, near: float = NEAR) -> Bds | None:
    """The test at one embedding dimension; None for a series that does not vary.

    Takes n steps over n values and memory for n. Raises: ValueError for fewer than 10 values or a
    dimension below 2.
    """
    x = series(values, minimum=10, name="values")
    if not 2 <= dimension < x.size // 2:
        raise ValueError(f"dimension {dimension}: it lies from 2 to below half of the values")
    spread = float(x.std(ddof=1))
    if is_flat(float(x.mean()), spread):
        return None
    reach, n, m = near * spread, x.size, dimension
    singles, joint = _close(x, m, reach)
    each = np.array([(np.abs(x - one) < reach).sum() for one in x], float)
    c = (each.sum() - n) / (n * (n - 1.0))
    k = ((each**2).sum() - 3.0 * each.sum() + 2.0 * n) / (n * (n - 1.0) * (n - 2.0))
    middle = sum(k ** (m - j) * c ** (2 * j) for j in range(1, m))
    variance = 4.0 * (
        k**m + 2.0 * middle + (m - 1) ** 2 * c ** (2 * m) - m**2 * k * c ** (2 * m - 2)
    )
    if not variance > 0.0:
        return None
    statistic = sqrt(n - m + 1.0) * (joint - singles**m) / sqrt(float(variance))
    return Bds(statistic, erfc(abs(statistic) / sqrt(2.0)), n)


def _close(x: np.ndarray, m: int, reach: float) -> tuple[float, float]:
    """Share of pairs that are close: last values of the stretches, and whole stretches."""
    count = x.size - m + 1
    pairs = count * (count - 1) / 2.0
    alone = together = 0
    for i in range(count - 1):
        steps = [np.abs(x[i + 1 + j : count + j] - x[i + j]) < reach for j in range(m)]
        alone += int(steps[-1].sum())
        together += int(np.logical_and.reduce(steps).sum())
    return alone / pairs, together / pairs
