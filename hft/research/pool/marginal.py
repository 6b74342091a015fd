"""What a candidate adds to a pool: uplift of the pool's Sharpe, or of its diversification.

Beside the uplift stand the facts that Gate D judges: the closest member, correlation on the days of
losses, variance inflation, spanning regression. An uplift in sample is never proof of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hft.core.errors import ConfigError, DataError
from hft.research.pool.matrix import correlated
from hft.research.pool.members import Pool
from hft.research.pool.weights import pool_returns, weights
from hft.runs.nearest import nearest
from hft.statistics import redundancy

NO_POOL = "no_existing_pool"


@dataclass(frozen=True)
class Marginal:
    """The uplift of a candidate; `measure` is "sharpe" or "diversification".

    `facts` are correlation, tail_correlation, vif, spanning_alpha, spanning_t, orthogonal_ic,
    each None where it cannot be computed.
    """

    alpha_id: str
    uplift: float
    passed: bool
    reason: str
    base: float | None
    candidate: float | None
    measure: str
    method: str
    returns: str
    min_uplift: float
    facts: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(self.__dict__) | {"facts": dict(self.facts)}


def marginal(
    pool: Pool,
    alpha_id: str,
    *,
    method: str = "equal_weight",
    returns: Any = None,
    min_uplift: float = 0.05,
    ridge_alpha: float = 0.1,
) -> Marginal:
    """What member `alpha_id` adds to the others, on the rows that all share.

    Raises: DataError when it is no member, ConfigError for an unknown method.
    """
    if alpha_id not in pool.alpha_ids:
        known = ", ".join(pool.alpha_ids) or "none"
        near = nearest(alpha_id, pool.alpha_ids) or ";"
        raise DataError(f"alpha {alpha_id!r}: is not in the pool{near} there are {known}")
    if not np.isfinite(min_uplift):
        raise ConfigError(f"min-uplift: {min_uplift!r} is not a number")
    rest = pool.without(alpha_id)
    earned, label = pool_returns(pool, returns)
    if rest.empty:
        return Marginal(
            alpha_id, 1.0, True, NO_POOL, None, None, "none", method, label, min_uplift, {}
        )
    measure = "diversification" if earned is None else "sharpe"
    base, whole = (_value(one, method, returns, ridge_alpha, measure) for one in (rest, pool))
    uplift = _uplift(base, whole)
    passed = uplift >= min_uplift
    side = "at least" if passed else "below"
    return Marginal(
        alpha_id,
        uplift,
        passed,
        f"uplift {uplift:.4g} is {side} {min_uplift:.4g}",
        base,
        whole,
        measure,
        method,
        label,
        min_uplift,
        facts(pool, alpha_id, earned),
    )


def facts(pool: Pool, alpha_id: str, returns: np.ndarray | None = None) -> dict[str, Any]:
    """How the candidate stands to the other members; P&L where all kept one, else signals.

    `returns` are those of the market, rows x members.
    """
    at = pool.alpha_ids.index(alpha_id)
    rest = [k for k in range(len(pool.alpha_ids)) if k != at]
    table = pool.signals if pool.returns is None else pool.returns
    own, others = table[:, at], table[:, rest]
    names = [pool.alpha_ids[k] for k in rest]
    closest = _or_none(lambda: redundancy.correlations(own, others))
    worst = _or_none(lambda: redundancy.tail_correlations(own, others))
    line = _or_none(lambda: redundancy.spanning(own, others))
    signals = pool.signals
    beyond = None
    if returns is not None:
        own_market = returns[:, at]
        beyond = _or_none(
            lambda: redundancy.orthogonal_ic(signals[:, at], signals[:, rest], own_market)
        )
    return {
        "basis": "signals" if pool.returns is None else "returns",
        "correlation": None if closest is None else closest.correlation,
        "closest": _name(closest, names),
        "tail_correlation": None if worst is None else worst.correlation,
        "tail_closest": _name(worst, names),
        "vif": _or_none(lambda: redundancy.vif(own, others)),
        "spanning_alpha": None if line is None else line.alpha,
        "spanning_t": None if line is None else line.t,
        "orthogonal_ic": None if beyond is None else beyond.spearman,
    }


def diversification(signals: np.ndarray, values: np.ndarray) -> float:
    """1 less the weighted sum of |correlation| over the pairs."""
    table, _ = correlated(signals)
    product = np.abs(table * np.outer(values, values))
    return float(1.0 - (product.sum() - np.trace(product)) / 2.0)


def _value(pool: Pool, method: str, returns: Any, ridge_alpha: float, measure: str) -> float | None:
    found = weights(pool, method, returns=returns, ridge_alpha=ridge_alpha)
    return found.sharpe if measure == "sharpe" else diversification(pool.signals, found.values)


def _uplift(base: float | None, whole: float | None) -> float:
    """(whole - base) / |base|; without a base, the sign of the whole."""
    if base is None or base == 0.0:
        return float(np.sign(whole)) if whole is not None else 0.0
    return ((0.0 if whole is None else whole) - base) / abs(base)


def _name(overlap: Any, names: list[str]) -> str | None:
    return None if overlap is None or overlap.against is None else names[overlap.against]


def _or_none(measure: Any) -> Any:
    """A figure, or None where too few rows, a flat series or a duplicate leave it undefined."""
    try:
        return measure()
    except (ValueError, np.linalg.LinAlgError):
        return None
