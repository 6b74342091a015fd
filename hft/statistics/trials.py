"""How many independent trials a search was, and how widely their Sharpe ratios scatter.

Count and variance must match: trials are clustered (ONC), each cluster becomes one minimum-variance
series, and the variance is that of luck among the cluster Sharpes (`luck`), at least the
sampling variance. The gate uses the larger of ONC and the
participation ratio, which is the careful choice; the other ranks are diagnostics.
Source: Lopez de Prado and Lewis, "Detection of false investment strategies using unsupervised
learning methods" (2019).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.clusters import Clusters, cluster, group
from hft.statistics.covariance import minimum_variance, shrunk
from hft.statistics.luck import luck_variance
from hft.statistics.series import FLAT, panel
from hft.statistics.sharpe import sharpe

# More series than this are first gathered into as many seeded groups.
LARGE = 500
GATHERED = 300


@dataclass(frozen=True, slots=True)
class EffectiveTrials:
    """What the deflated Sharpe ratio needs of a ledger, and how it came about."""

    n: int  # series that vary
    onc: int
    participation: float
    used: float  # the larger of the two
    variance: float  # of luck among per-period cluster Sharpes, at least 1 / (T - 1)
    floored: bool
    labels: np.ndarray  # cluster of every series; -1 for a constant one
    cluster_sharpes: np.ndarray
    gathered: bool  # True when the clustering ran on a pre-reduction

    def diagnostics(self) -> dict[str, float]:
        """For the page."""
        return {"onc": float(self.onc), "participation": self.participation, "used": self.used}


def onc(returns: ArrayLike, seed: int = 0) -> Clusters:
    """Optimal number of clusters of a T x N matrix of returns; see `clusters.cluster`."""
    data = panel(returns, rows=3, columns=1)
    return cluster(correlation(data), seed)


def correlation(data: np.ndarray) -> np.ndarray:
    """Correlation of the columns, exact ones on the diagonal."""
    z = _standard(data)
    c = np.clip(z.T @ z, -1.0, 1.0)
    np.fill_diagonal(c, 1.0)
    return c


def effective_trials(returns: ArrayLike, seed: int = 0) -> EffectiveTrials:
    """Effective number of trials of a T x N matrix, and the variance that goes with it.

    Constant series carry no evidence and are left out of both. With none that vary: one trial.
    """
    data = panel(returns, rows=3, columns=1)
    moving = _moving(data)
    labels = np.full(data.shape[1], -1)
    floor = 1.0 / (data.shape[0] - 1)
    if moving.sum() < 2:
        labels[moving] = 0
        one = int(moving.sum())
        return EffectiveTrials(one, 1, 1.0, 1.0, floor, True, labels, np.zeros(0), False)
    kept = data[:, moving]
    gathered = kept.shape[1] > LARGE
    found = _gathered(kept, seed) if gathered else cluster(correlation(kept), seed).labels
    labels[moving] = found
    sharpes = cluster_sharpes(kept, found)
    count = len(sharpes)
    spread = luck_variance(sharpes, sampling=floor) or 0.0
    floored = spread < floor
    share = participation_ratio(kept)
    used = max(float(count), share)
    variance = floor if floored else spread
    return EffectiveTrials(
        kept.shape[1], count, share, used, variance, floored, labels, sharpes, gathered
    )


def cluster_sharpes(data: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Per-period Sharpe ratio of each cluster's minimum-variance series, by cluster number."""
    found = []
    for label in range(int(labels.max()) + 1):
        members = data[:, labels == label]
        together = sharpe(members @ minimum_variance(shrunk(members)))
        # A trial and its negation can cancel: then their own ratios stand for them.
        own = members.mean(axis=0) / members.std(axis=0, ddof=1)
        found.append(float(own.mean()) if together is None else together)
    return np.array(found)


def participation_ratio(returns: ArrayLike) -> float:
    """(sum l)^2 / sum l^2 of the correlation matrix of the columns, without its eigenvalues."""
    z = _standard(panel(returns, rows=3, columns=1))
    small = z.T @ z if z.shape[1] <= z.shape[0] else z @ z.T
    return float(np.trace(small)) ** 2 / float((small**2).sum())


def participation_of(corr: ArrayLike) -> float:
    """The same, of a correlation matrix."""
    c = panel(corr, rows=1, name="the correlation matrix")
    return float(np.trace(c)) ** 2 / float((c**2).sum())


def ranks(corr: ArrayLike) -> dict[str, float]:
    """Other answers to "how many", of a correlation matrix; for the page, never for a gate."""
    c = panel(corr, rows=1, name="the correlation matrix")
    n = len(c)
    values = np.clip(np.linalg.eigvalsh(c), 0.0, None)
    share = values[values > 0.0] / values.sum()
    near = values + 1e-9  # a whole eigenvalue must not fall below itself by rounding
    rho = (c.sum() - n) / (n * (n - 1)) if n > 1 else 0.0
    ways: dict[str, Callable[[], float]] = {
        "entropy": lambda: float(np.exp(-(share * np.log(share)).sum())),
        "li_ji": lambda: float(((near >= 1.0) + near - np.floor(near)).sum()),
        "galwey": lambda: float(np.sqrt(values).sum() ** 2 / values.sum()),
        "average_correlation": lambda: float(rho + (1.0 - rho) * n),
        "nyholt": lambda: float(1 + (n - 1) * (1 - values.var(ddof=1) / n)) if n > 1 else 1.0,
        "participation": lambda: participation_of(c),
    }
    return {name: way() for name, way in sorted(ways.items())}


def _gathered(data: np.ndarray, seed: int) -> np.ndarray:
    """Clusters of many series: seeded groups first, then ONC on the groups' mean series."""
    z = _standard(data)
    first = group(z.T, GATHERED, seed)
    means = np.stack([z[:, first == g].mean(axis=1) for g in range(first.max() + 1)], axis=1)
    return cluster(correlation(means), seed).labels[first]


def _moving(data: np.ndarray) -> np.ndarray:
    mean, sd = data.mean(axis=0), data.std(axis=0)
    return sd > np.maximum(FLAT * np.abs(mean), 1e-300)


def _standard(data: np.ndarray) -> np.ndarray:
    """Columns centred and of unit length; constant ones become zero."""
    centred = data - data.mean(axis=0)
    length = np.where(_moving(data), np.sqrt((centred**2).sum(axis=0)), np.inf)
    return centred / length
