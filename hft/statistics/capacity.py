"""Turnover and capacity: what trading the idea moves, and what that costs.

Impact follows the square root of participation with a prefactor that is calibrated, about 1; the
Almgren form with exponent 3/5 stands beside it. Turnover says which convention it is.
Source: Almgren, Thum, Hauptmann and Li, "Direct estimation of equity market impact" (2005).
"""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.series import panel, series

_PERMANENT, _TEMPORARY = 0.314, 0.142


def turnover(positions: ArrayLike, start: float = 0.0) -> float:
    """Mean |change of position| per step, the first step from `start`."""
    held = series(positions, minimum=1, name="positions")
    return float(np.abs(np.diff(held, prepend=start)).mean())


def one_way_turnover(weights: ArrayLike) -> float:
    """Mean over dates of sum |change of weight| / 2; the first row is where it starts."""
    held = panel(weights, rows=2, name="weights")
    return float(np.abs(np.diff(held, axis=0)).sum(axis=1).mean() / 2.0)


def square_root_impact(participation: float, sigma: float, prefactor: float = 1.0) -> float:
    """Impact of trading a share of volume: Y sigma sqrt(Q / V), in the unit of sigma."""
    if participation < 0.0 or sigma < 0.0:
        raise ValueError("participation and sigma cannot be negative")
    return prefactor * sigma * sqrt(participation)


def break_even_participation(edge: float, sigma: float, prefactor: float = 1.0) -> float | None:
    """Share of volume whose impact eats the whole edge: (g / (Y sigma))^2; None without an edge."""
    if edge <= 0.0 or sigma <= 0.0 or prefactor <= 0.0:
        return None
    return (edge / (prefactor * sigma)) ** 2


def best_participation(edge: float, sigma: float, prefactor: float = 1.0) -> float | None:
    """Share of volume that earns most: (2 g / (3 Y sigma))^2; None without an edge."""
    whole = break_even_participation(edge, sigma, prefactor)
    return None if whole is None else 4.0 / 9.0 * whole


def almgren(
    shares: float, volume: float, outstanding: float, sigma: float, days: float
) -> tuple[float, float, float]:
    """Permanent impact, temporary impact and total cost of an order, in the unit of sigma.

    Units: shares per order, volume per day, shares outstanding, sigma per day, days of trading.
    """
    if min(volume, outstanding, days) <= 0.0 or sigma < 0.0:
        raise ValueError("volume, outstanding and days must be positive, sigma not negative")
    side = 1.0 if shares >= 0.0 else -1.0
    size = abs(shares) / volume
    permanent = _PERMANENT * sigma * size * (outstanding / volume) ** 0.25 * side
    temporary = _TEMPORARY * sigma * (size / days) ** 0.6 * side
    return permanent, temporary, permanent / 2.0 + temporary
