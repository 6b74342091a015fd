"""The five figures of the first-match rules, typed by hand or reduced from session rows.

There are no default values: what nobody gave is absent, and absent is INSUFFICIENT.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hft.governance.sessions import Session
from hft.statistics.sharpe import ratio

DAYS_A_YEAR = 252
LIMITED = ("slippage_bps", "drawdown_contribution", "execution_error_rate")


@dataclass(frozen=True)
class Metrics:
    """Units: bps; fraction of capital; share of decisions; sessions; annual Sharpe ratio."""

    slippage_bps: float | None = None
    drawdown_contribution: float | None = None
    execution_error_rate: float | None = None
    sessions_live: int | None = None
    sharpe_live: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; a figure that is not finite is null."""
        return {name: _known(value) for name, value in self.__dict__.items()}

    def absent(self) -> list[str]:
        """The figures that nobody gave or that are no numbers."""
        return [name for name, value in self.__dict__.items() if _known(value) is None]


def of_rows(
    rows: Sequence[Session], capital: float | None, weight_at: Callable[[Session], float]
) -> Metrics:
    """Reduce session rows. `weight_at`: the fraction of capital that a session traded with."""
    decisions = sum(row.decisions for row in rows)
    rejects = sum(row.rejects for row in rows)
    weighted = [(row.slippage_bps, row.n_fills) for row in rows if row.slippage_bps is not None]
    fills = sum(count for _, count in weighted)
    return Metrics(
        slippage_bps=sum(s * n for s, n in weighted) / fills if fills else None,
        drawdown_contribution=None if capital is None else _drawdown(rows, capital),
        execution_error_rate=rejects / decisions if decisions else None,
        sessions_live=len(rows),
        sharpe_live=None if capital is None else sharpe(scaled(rows, capital, weight_at)),
    )


def scaled(
    rows: Sequence[Session], capital: float, weight_at: Callable[[Session], float]
) -> np.ndarray:
    """Daily returns as if the whole target allocation had traded; rows without weight are left."""
    pairs = [(row.pnl, weight_at(row)) for row in rows]
    return np.array([pnl / (weight * capital) for pnl, weight in pairs if weight > 0], np.float64)


def sharpe(daily: np.ndarray) -> float | None:
    """Annual Sharpe ratio; None without variance."""
    if daily.size < 2:
        return None
    found = ratio(float(daily.mean()), float(daily.std(ddof=1)))
    return None if found is None else found * math.sqrt(DAYS_A_YEAR)


def _drawdown(rows: Sequence[Session], capital: float) -> float:
    """The deepest fall of the summed P&L from its peak, the start included, over capital."""
    path = np.cumsum([row.pnl for row in rows]) if rows else np.zeros(1)
    peak = np.maximum.accumulate(np.maximum(path, 0.0))
    return float((peak - path).max(initial=0.0)) / capital


def _known(value: float | int | None) -> float | int | None:
    return value if value is not None and math.isfinite(value) else None
