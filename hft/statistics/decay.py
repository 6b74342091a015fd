"""How fast an edge dies: IC by horizon, its half-life and how sure that is.

IC(h) = IC0 2^(-h / half-life), weighted least squares. For a given half-life the best IC0 has a
closed form, so the fit is a search on one axis, ended by a root, and a bootstrap of a thousand
costs one matrix product. A half-life that leaves the range of the horizons is None, not a large
number.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.bootstrap import block_length, resample
from hft.statistics.series import panel, series

# Half-lives tried: from a tenth of the shortest horizon to ten times the longest.
_GRID = 400
_BEYOND = 10.0


@dataclass(frozen=True, slots=True)
class Decay:
    """A fitted half-life in the unit of the horizons; None when the data show none."""

    ic0: float
    half_life: float | None
    low: float | None  # bootstrap bounds; None when they lie outside the range
    high: float | None
    unresolved: float  # share of resamples without a half-life inside the range


def fit(
    horizons: ArrayLike, ics: ArrayLike, weights: ArrayLike | None = None
) -> tuple[float, float | None]:
    """IC0 and half-life of one curve.

    Raises: ValueError for fewer than two horizons or horizons not positive and ascending.
    """
    h = _horizons(horizons)
    y = series(ics, minimum=h.size, name="ics")
    w = np.ones(h.size) if weights is None else series(weights, minimum=h.size, name="weights")
    if y.size != h.size or w.size != h.size or np.any(w <= 0.0):
        raise ValueError("ics and weights: one per horizon, weights above 0")
    lives, gains, ic0s = _profile(h, y[None, :], w)
    best = int(gains[0].argmax())
    if gains[0, best] <= 0.0:
        return 0.0, None
    if best in (0, lives.size - 1):
        return float(ic0s[0, best]), None
    life = _exact(h, y, w, float(lives[best - 1]), float(lives[best + 1]))
    basis = 2.0 ** (-h / life)
    return float((w * basis) @ y / ((w * basis) @ basis)), life


def half_life(
    horizons: ArrayLike,
    ics: ArrayLike,
    *,
    confidence: float = 0.90,
    reps: int = 999,
    block: float | None = None,
    seed: int = 42,
) -> Decay:
    """Half-life of a T x H panel of coefficients (one row per date or chunk), with bounds.

    Weights are one over the variance of each horizon's mean. Rows are resampled in blocks, so that
    horizons stay together.
    """
    h = _horizons(horizons)
    data = panel(ics, rows=4, columns=h.size, name="ics")
    if data.shape[1] != h.size:
        raise ValueError(f"ics have {data.shape[1]} columns for {h.size} horizons")
    variance = data.var(axis=0, ddof=1)
    weights = 1.0 / np.maximum(variance, max(float(variance.max()), 1e-300) * 1e-6)
    ic0, life = fit(h, data.mean(axis=0), weights)
    length = block_length(data[:, 0]) if block is None else block
    means = resample(data, lambda d: d.mean(axis=1), reps=reps, block=length, seed=seed)
    lives, gains, _ = _profile(h, means, weights)
    best = gains.argmax(axis=1)
    inside = (best > 0) & (best < lives.size - 1)
    # What never falls off counts as the largest, so that a bound beyond the range is None.
    drawn = np.where(best == 0, 0.0, np.where(inside, lives[best], np.inf))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail], method="inverted_cdf")
    return Decay(
        ic0,
        life,
        float(low) if 0.0 < low < np.inf else None,
        float(high) if 0.0 < high < np.inf else None,
        float(1.0 - inside.mean()),
    )


def _horizons(horizons: ArrayLike) -> np.ndarray:
    h = series(horizons, minimum=2, name="horizons")
    if h[0] <= 0.0 or np.any(np.diff(h) <= 0.0):
        raise ValueError("horizons: positive and ascending")
    return h


def _profile(
    h: np.ndarray, curves: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half-lives, and for each curve how much of its square each explains, and with which IC0."""
    lives = np.geomspace(h[0] / _BEYOND, h[-1] * _BEYOND, _GRID)
    basis = 2.0 ** (-h[None, :] / lives[:, None]) * np.sqrt(weights)
    norm = (basis**2).sum(axis=1)
    inner = (curves * np.sqrt(weights)) @ basis.T
    return lives, inner**2 / norm, inner / norm


def _exact(h: np.ndarray, y: np.ndarray, w: np.ndarray, low: float, high: float) -> float:
    """The half-life between two of the grid at which what is explained no longer rises."""

    def rise(life: float) -> float:
        basis = 2.0 ** (-h / life)
        inner, norm = (w * y) @ basis, (w * basis) @ basis
        return float(((w * y) @ (h * basis)) * norm - inner * ((w * basis) @ (h * basis)))

    from scipy.optimize import brentq  # here, since few that import this need it

    if rise(low) * rise(high) >= 0.0:  # flat to rounding: any of them is the top
        return (low * high) ** 0.5
    return float(brentq(rise, low, high, xtol=1e-15 * high, rtol=1e-14))
