"""Covariance that can be inverted, and weights that are never short.

Shrinkage towards a multiple of the identity; weights are long only, because a negative weight on a
losing alpha is no addition. Used for cluster series and for marginal value, never for trading.
Source: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance" (2004).
"""

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.series import panel


def shrunk(returns: ArrayLike) -> np.ndarray:
    """Ledoit-Wolf covariance of the columns (population moments)."""
    return shrink(panel(returns, rows=2))[0]


def shrink(data: np.ndarray) -> tuple[np.ndarray, float]:
    """The shrunk covariance and how far it was shrunk, 0 to 1."""
    n, p = data.shape
    centred = data - data.mean(axis=0)
    sample = centred.T @ centred / n
    level = float(np.trace(sample)) / p
    distance = float((sample**2).sum()) / p - level**2
    square = centred**2
    noise = (float((square.T @ square).sum()) / n - float((sample**2).sum())) / (n * p)
    if distance <= 0.0:
        return sample, 0.0
    share = min(max(noise, 0.0), distance) / distance
    return (1.0 - share) * sample + share * level * np.eye(p), share


def minimum_variance(covariance: np.ndarray) -> np.ndarray:
    """Long-only minimum-variance weights that sum to one."""
    return _long_only(covariance, np.ones(len(covariance)))


def maximum_sharpe(covariance: np.ndarray, mean: np.ndarray) -> np.ndarray | None:
    """Long-only weights of the best Sharpe ratio, summing to one; None when no mean is positive."""
    if not np.any(mean > 0.0):
        return None
    return _long_only(covariance, mean)


def _long_only(covariance: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Minimise w'Cw / 2 - w'target over w >= 0, then scale to one."""
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import nnls

    scale = float(np.trace(covariance)) / len(covariance)
    if scale <= 0.0:
        return np.full(len(covariance), 1.0 / len(covariance))
    ridge = covariance / scale + 1e-10 * np.eye(len(covariance))
    lower = cholesky(ridge, lower=True)
    weights, _ = nnls(lower.T, solve_triangular(lower, target / np.abs(target).max(), lower=True))
    total = float(weights.sum())
    return weights / total if total > 0.0 else np.full(len(covariance), 1.0 / len(covariance))
