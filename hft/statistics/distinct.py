"""How many unlike trials there are, when a few are copied often and many stand alone.

The participation ratio weighs a trial by how many are like it: four hundred cells of one sweep and
twenty unrelated ideas count as one try, and a sweep would lower the hurdle of everything beside
it. Here each trial counts as one over the number of trials like it, itself included, so a copy adds
nothing and takes nothing away. Likeness is the squared correlation where it is more than chance
gives the most alike pair of N.
Source: Leinster and Cobbold, "Measuring diversity: the importance of species similarity" (2012);
with likeness C^2 the participation ratio is their order 2, and this is their order 0. The
threshold is that of Bickel and Levina, "Covariance regularization by thresholding" (2008).
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.luck import luck_variance
from hft.statistics.series import FLAT, panel

# More trials than this are not compared pair by pair.
LARGE = 10_000
_ROWS = 512
# A correlation this large is likeness however short the history is.
_ALIKE = 0.7


@dataclass(frozen=True, slots=True)
class Distinct:
    """The weight of each trial that varies, its per-period Sharpe ratio, and the variance that the
    ratio of a worthless trial of this length has.
    """

    weights: np.ndarray
    sharpes: np.ndarray
    sampling: float

    @property
    def count(self) -> float:
        """The number of unlike trials."""
        return float(self.weights.sum())

    @property
    def variance(self) -> float | None:
        """That of luck among the Sharpe ratios, weighted as the count is; None when none shows."""
        return luck_variance(self.sharpes, self.weights, sampling=self.sampling)


def distinct_trials(*returns: ArrayLike) -> Distinct:
    """Of T x N matrices whose trials are unlike each other; constant ones are left out.

    Raises: ValueError on NaN or fewer than 4 periods.
    """
    weights, sharpes, lengths = [np.zeros(0)], [np.zeros(0)], []
    for matrix in returns:
        data = panel(matrix, rows=4, columns=1)
        lengths.append(len(data))
        mean, sd = data.mean(axis=0), data.std(axis=0, ddof=1)
        moving = sd > np.maximum(FLAT * np.abs(mean), 1e-300)
        if moving.any():
            weights.append(1.0 / _alike(data[:, moving]))
            sharpes.append(mean[moving] / sd[moving])
    sampling = 1.0 / (float(np.median(lengths)) - 1.0) if lengths else 1.0
    return Distinct(np.concatenate(weights), np.concatenate(sharpes), sampling)


def _alike(data: np.ndarray) -> np.ndarray:
    """For each column how many are like it, itself included."""
    z = data - data.mean(axis=0)
    z /= np.sqrt((z**2).sum(axis=0))
    if z.shape[1] > LARGE:
        return _alike_roughly(z)
    chance = min(2.0 * sqrt(log(z.shape[1])) / sqrt(len(z) - 1.0), _ALIKE)
    found = []
    for start in range(0, z.shape[1], _ROWS):
        square = (z[:, start : start + _ROWS].T @ z) ** 2
        square[square < chance**2] = 0.0
        found.append(square.sum(axis=1))
    return np.maximum(np.concatenate(found), 1.0)


def _alike_roughly(z: np.ndarray) -> np.ndarray:
    """The same with the share of chance taken off in whole, from the T x T matrix of periods."""
    periods, size = z.shape
    squares = np.einsum("tn,tn->n", z, (z @ z.T) @ z) - 1.0
    by_chance = (size - 1.0) / (periods - 1.0)
    adjusted = (squares - by_chance) * (periods - 1.0) / (periods - 2.0)
    return 1.0 + np.clip(adjusted, 0.0, None)
