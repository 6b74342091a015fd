"""Weights of a pool's members: equal, by IC, mean-variance or ridge, on z-scored signals.

What a member is worth is asked of the market: the returns of the price of the common rows, each
member against its own. Weights are divided by the sum of their magnitudes; members that say exactly
the same share one weight, and a weight below zero comes with its reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hft.core.errors import ConfigError, DataError
from hft.research.pool.matrix import ROUNDING, correlated
from hft.research.pool.members import Pool
from hft.statistics.sharpe import ratio

METHODS = ("equal_weight", "ic_weighted", "mean_variance", "ridge")
JITTER = 1e-6
ONE_MARKET = 0.9  # correlation of the returns under two members, below which they are two markets
LARGEST = 1e100  # a return as large is none: its square has no number
NOTHING = 1e-12  # a weight of this magnitude has no sign


@dataclass(frozen=True, eq=False)
class Weights:
    """A weight per member; `returns` says where the returns came from: market, given or none.

    `ic` is each member's correlation with the returns; `sharpe` is per row, before costs, of the
    weighted signals times the returns. Both are None without returns. `notes` are sentences: copies
    that share a weight, and why a weight is below zero.
    """

    method: str
    alpha_ids: tuple[str, ...]
    values: np.ndarray
    ic: np.ndarray | None
    returns: str
    sample_length: int
    sharpe: float | None
    notes: tuple[str, ...] = ()

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
            "notes": list(self.notes),
        }


def weights(
    pool: Pool,
    method: str = "equal_weight",
    *,
    returns: Any = None,
    ridge_alpha: float = 0.1,
) -> Weights:
    """The weights of a method; `returns` are aligned with the pool's rows.

    Raises: ConfigError for an unknown method, DataError for an empty pool or weights that are no
    numbers.
    """
    if method not in METHODS:
        raise ConfigError(f"method: {method!r} is not one of {', '.join(METHODS)}")
    if not (np.isfinite(ridge_alpha) and ridge_alpha > 0):
        raise ConfigError(f"ridge-alpha: {ridge_alpha!r} is not a number > 0")
    if pool.empty:
        raise DataError("pool: it is empty; validate an alpha first, so that its signals are kept")
    earned, label = pool_returns(pool, returns)
    scores = z_scores(pool.signals)
    groups = copies(pool.signals)
    first = [group[0] for group in groups]
    ic = None if earned is None else information(scores, earned)
    own_ic = None if ic is None else ic[first]
    own_earned = None if earned is None else earned[:, first]
    solve: dict[str, Callable[[], np.ndarray]] = {
        "equal_weight": lambda: np.ones(len(first)),
        "ic_weighted": lambda: _ic_weighted(own_ic, len(first)),
        "mean_variance": lambda: _mean_variance(scores[:, first], own_ic),
        "ridge": lambda: _ridge(scores[:, first], own_earned, ridge_alpha),
    }
    values = np.zeros(len(pool.alpha_ids))
    for group, value in zip(groups, scaled(solve[method]()), strict=True):
        values[group] = value / len(group)
    sharpe = None if earned is None else sharpe_of((scores * earned) @ values)
    found = Weights(method, pool.alpha_ids, values, ic, label, pool.sample_length, sharpe)
    return replace(found, notes=tuple(_notes(pool, found, groups)))


def pool_returns(pool: Pool, returns: Any = None) -> tuple[np.ndarray | None, str]:
    """(returns, rows x members, and where they are from). Raises: DataError for another length."""
    if returns is not None:
        given = np.asarray(returns, np.float64)
        if given.shape != (pool.sample_length,):
            raise DataError(
                f"pool: {given.size} returns for {pool.sample_length} common rows of the signals"
            )
        fine = np.where(np.isfinite(given), given, 0.0)
        return _returns(np.tile(fine[:, None], (1, len(pool.alpha_ids))), pool), "given"
    if pool.market is None or pool.sample_length < 2:
        return None, "none"
    return _returns(pool.market, pool), "market"


def _returns(found: np.ndarray, pool: Pool) -> np.ndarray:
    """Raises: DataError where they are so large that weights would be no numbers."""
    largest = np.abs(found).max(axis=0, initial=0.0)
    if largest.max(initial=0.0) < LARGEST:
        return found
    at = int(largest.argmax())
    whose = f"{pool.alpha_ids[at]} (run {pool.runs.get(pool.alpha_ids[at]) or 'in memory'})"
    raise DataError(
        f"pool: a return of {largest[at]:.3g} under {whose} is none, and weights would be no "
        "numbers; validate it again on rows with prices"
    )


def copies(signals: np.ndarray) -> list[list[int]]:
    """The columns in groups that say exactly the same: equal but for level and positive scale."""
    table, flat = correlated(signals)
    unknown = {k for pair in flat for k in pair if not np.ptp(signals[:, k])}
    groups: list[list[int]] = []
    for k in range(signals.shape[1]):
        home = [g for g in groups if k not in unknown and table[g[0], k] >= 1 - ROUNDING]
        if home:
            home[0].append(k)
        else:
            groups.append([k])
    return groups


def z_scores(signals: np.ndarray) -> np.ndarray:
    """Each member less its mean, over its standard deviation; a flat one is 0."""
    if not len(signals):
        return signals.copy()
    largest = np.abs(signals).max(axis=0)
    unit = signals / np.where(largest > 0, largest, 1.0)  # squares of any size fit
    centred = unit - unit.mean(axis=0)
    sd = unit.std(axis=0)
    flat = sd <= 1e-12
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, sd))


def information(scores: np.ndarray, returns: np.ndarray) -> np.ndarray:
    """Pearson of each member with the returns of its rows; 0 where undefined."""
    n, spread = len(returns), returns.std(axis=0)
    known = spread > 1e-300
    if n < 2:
        return np.zeros(scores.shape[1])
    together = (scores * (returns - returns.mean(axis=0))).sum(axis=0)
    return np.where(known, together / (n * np.where(known, spread, 1.0)), 0.0)


def scaled(values: np.ndarray) -> np.ndarray:
    """Divided by the sum of magnitudes; equal where there is nothing to divide by."""
    total = float(np.abs(values).sum())
    if total <= 1e-300:
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
    table, _ = correlated(returns)
    if (table < ONE_MARKET).any():
        raise ConfigError(
            "method: ridge explains the returns of one market, and the members stand on several; "
            "use --method mean_variance"
        )
    gram = scores.T @ scores + penalty * np.eye(members)
    return np.asarray(np.linalg.solve(gram, scores.T @ returns[:, 0]))


def _notes(pool: Pool, found: Weights, groups: list[list[int]]) -> list[str]:
    ids, said = pool.alpha_ids, []
    if found.ic is None and found.method != "equal_weight":
        who = ", ".join(pool.without_market) or "too few common rows"
        said.append(
            f"no returns of the market ({who}: validate again, so that the prices of the rows are "
            f"kept): {found.method} weighs all alike"
        )
    elif found.ic is not None and not np.any(found.ic):
        said.append("no member goes with the market's returns: all weigh alike")
    for group in groups:
        if len(group) > 1:
            names = " and ".join(ids[k] for k in group)
            each = f"{found.values[group[0]]:+.4f}"
            said.append(f"{names} say exactly the same and share one weight: {each} each")
    table, _ = correlated(pool.signals)
    for k in np.flatnonzero(found.values < -NOTHING).tolist():
        said.append(
            f"{ids[k]} has a weight below zero, its sign is turned: {_why(found, table, k)}"
        )
    return said


def _why(found: Weights, table: np.ndarray, k: int) -> str:
    """Why a member counts against its own sign."""
    assert found.ic is not None  # without returns no weight is below zero
    ic = float(found.ic[k])
    if ic < 0:
        return f"its IC with the market's returns is {ic:+.4f}"
    others = [j for j in range(len(table)) if j != k]
    near = max(others, key=lambda j: abs(float(table[k, j])))
    return (
        f"its own IC is {ic:+.4f}, but it goes with {found.alpha_ids[near]} (correlation "
        f"{table[k, near]:+.2f}, IC {float(found.ic[near]):+.4f}) and hedges it; keep its sign "
        "with --method ic_weighted"
    )
