"""Weights of a pool's members: equal, by IC, mean-variance or ridge, on z-scored signals.

Weights are divided by the sum of their magnitudes. Returns that nobody gave are the median of the
members' equity returns, and the result says `proxy`; the pool then earns the weighted sum of what
its members earned, since their equity has their positions in it already.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hft.research.pool.members import Pool
from hft.core.errors import ConfigError, DataError
from hft.statistics.sharpe import ratio

METHODS = ("equal_weight", "ic_weighted", "mean_variance", "ridge")
JITTER = 1e-6


@dataclass(frozen=True, eq=False)
class Weights:
    """A weight per member; `returns` says where the returns came from: given, proxy or none.

    `sharpe` is per row: of the weighted signal times the returns, with `proxy` of the weighted
    returns of the members; None without returns.
    """

    method: str
    alpha_ids: tuple[str, ...]
    values: np.ndarray
    ic: np.ndarray | None
    returns: str
    sample_length: int
    sharpe: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        ids = self.alpha_ids
        return {
            "method": self.method,
            "weights": dict(zip(ids, self.values.tolist(), strict=True)),
            "ic": None if self.ic is None else dict(zip(ids, self.ic.tolist(), strict=True)),
            "returns": self.returns,
            "sample_length": self.sample_length,
            "pool_sharpe": self.sharpe,
        }


def weights(
    pool: Pool,
    method: str = "equal_weight",
    *,
    returns: Any = None,
    ridge_alpha: float = 0.1,
) -> Weights:
    """The weights of a method; `returns` are aligned with the pool's rows.

    Raises: ConfigError for an unknown method, DataError for an empty pool.
    """
    if method not in METHODS:
        raise ConfigError(f"method: {method!r} is not one of {', '.join(METHODS)}")
    if not (np.isfinite(ridge_alpha) and ridge_alpha > 0):
        raise ConfigError(f"ridge-alpha: {ridge_alpha!r} is not a number > 0")
    if pool.empty:
        raise DataError("pool: it is empty; validate an alpha first, so that its signals are kept")
    earned, label = pool_returns(pool, returns)
    scores = z_scores(pool.signals)
    ic = None if earned is None else information(scores, earned)
    solve: dict[str, Callable[[], np.ndarray]] = {
        "equal_weight": lambda: np.ones(len(pool.alpha_ids)),
        "ic_weighted": lambda: _ic_weighted(ic, len(pool.alpha_ids)),
        "mean_variance": lambda: _mean_variance(scores, ic),
        "ridge": lambda: _ridge(scores, earned, ridge_alpha),
    }
    values = scaled(solve[method]())
    return Weights(
        method,
        pool.alpha_ids,
        values,
        ic,
        label,
        pool.sample_length,
        _sharpe(pool, label, scores @ values, values, earned),
    )


def _sharpe(
    pool: Pool, label: str, position: np.ndarray, values: np.ndarray, earned: np.ndarray | None
) -> float | None:
    if earned is None:
        return None
    if label == "proxy" and pool.returns is not None:
        return sharpe_of(pool.returns @ values)
    return sharpe_of(position * earned)


def pool_returns(pool: Pool, returns: Any = None) -> tuple[np.ndarray | None, str]:
    """(returns by row, where they are from). Raises: DataError for another length."""
    if returns is not None:
        given = np.asarray(returns, np.float64)
        if given.shape != (pool.sample_length,):
            raise DataError(
                f"pool: {given.size} returns for {pool.sample_length} common rows of the signals"
            )
        return np.where(np.isfinite(given), given, 0.0), "given"
    if pool.returns is None or pool.sample_length < 2:
        return None, "none"
    return np.median(pool.returns, axis=1), "proxy"


def z_scores(signals: np.ndarray) -> np.ndarray:
    """Each member less its mean, over its standard deviation; a flat one is 0."""
    if not len(signals):
        return signals.copy()
    centred = signals - signals.mean(axis=0)
    sd = signals.std(axis=0)
    flat = sd <= 1e-12 * np.maximum(np.abs(signals).max(axis=0), 1e-300)
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, sd))


def information(scores: np.ndarray, returns: np.ndarray) -> np.ndarray:
    """Pearson of each member with the returns of the same rows; 0 where undefined."""
    n, spread = len(returns), returns.std()
    if n < 2 or spread <= 1e-300:
        return np.zeros(scores.shape[1])
    return np.asarray(scores.T @ (returns - returns.mean()) / (n * spread))


def scaled(values: np.ndarray) -> np.ndarray:
    """Divided by the sum of magnitudes; equal where there is nothing to divide by."""
    total = float(np.abs(values).sum())
    if not np.isfinite(total) or total <= 1e-300:
        return np.full(len(values), 1.0 / len(values))
    return values / total


def sharpe_of(earned: np.ndarray) -> float | None:
    """Mean over standard deviation; None without variance."""
    if len(earned) < 2:
        return None
    return ratio(float(earned.mean()), float(earned.std(ddof=1)))


def _ic_weighted(ic: np.ndarray | None, members: int) -> np.ndarray:
    return np.ones(members) if ic is None or not np.any(ic) else ic


def _mean_variance(scores: np.ndarray, ic: np.ndarray | None) -> np.ndarray:
    members = scores.shape[1]
    mean = _ic_weighted(ic, members)
    cov = np.cov(scores, rowvar=False).reshape(members, members) if len(scores) > 1 else 0.0
    return np.asarray(np.linalg.pinv(cov + JITTER * np.eye(members)) @ mean)


def _ridge(scores: np.ndarray, returns: np.ndarray | None, penalty: float) -> np.ndarray:
    """Regression of the returns on the scores, penalised; equal without returns."""
    members = scores.shape[1]
    if returns is None:
        return np.ones(members)
    gram = scores.T @ scores + penalty * np.eye(members)
    return np.asarray(np.linalg.solve(gram, scores.T @ returns))
