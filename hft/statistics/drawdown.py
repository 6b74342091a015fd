"""Drawdown, from the starting equity on, and where it lies among those the claim would produce.

A loss on the first day is a drawdown. A realised figure far in either tail of the bootstrap of the
claimed process is a flag: too large breaks the claim, too small smells of smoothing or a leak.
Positive figures here; the scorecard shows them as losses.
Source: Magdon-Ismail, Atiya, Pratap and Abu-Mostafa, "On the maximum drawdown of a Brownian motion"
(2004), re-derived as an eigenfunction expansion of the reflected process.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.bootstrap import block_length, resample
from hft.statistics.series import legendre, series

_TERMS = 120

# Of wealth that compounds from 1, of 1 plus the running sum, or of the running sum in its own unit.
Kind = Literal["compound", "simple", "absolute"]


def max_drawdown(returns: ArrayLike, *, kind: Kind = "compound") -> float:
    """Largest fall from a peak, the starting equity included; a share unless `kind` is absolute."""
    return float(_drawdowns(series(returns, minimum=1)[None, :], kind)[0])


@dataclass(frozen=True, slots=True)
class DrawdownTest:
    """A realised drawdown among resampled ones."""

    realised: float
    percentile: float  # share of resamples at or below it, mid-rank for ties
    distribution: np.ndarray  # ascending
    block: float

    def quantile(self, share: float) -> float:
        """The drawdown that `share` of the resamples stay within."""
        return float(np.quantile(self.distribution, share))

    def exceeds(self, limit: float) -> float:
        """Share of resamples beyond a limit."""
        return float((self.distribution > limit).mean())


def drawdown_test(
    claimed: ArrayLike,
    realised: ArrayLike | float | None = None,
    *,
    length: int = 0,
    reps: int = 2000,
    block: float | None = None,
    seed: int = 42,
    kind: Kind = "compound",
) -> DrawdownTest:
    """Bootstrap the drawdown of the claimed returns over `length` periods (theirs by default).

    `realised` is a return series, a figure, or None for the claimed series' own.
    """
    r = series(claimed, minimum=4, name="claimed returns")
    mean_length = block_length(r) if block is None else block
    drawn = resample(
        r,
        lambda d: _drawdowns(d, kind),
        reps=reps,
        block=mean_length,
        seed=seed,
        length=length,
    )
    own = r if realised is None else realised
    figure = float(own) if np.ndim(own) == 0 else max_drawdown(own, kind=kind)  # type: ignore[arg-type]
    below, ties = float((drawn < figure).mean()), float((drawn == figure).mean())
    return DrawdownTest(figure, below + ties / 2.0, np.sort(drawn), mean_length)


def expected_brownian(mu: float, sigma: float, periods: float) -> float:
    """Mean maximum drawdown of a Brownian motion with drift, in its own unit (no compounding)."""
    if sigma <= 0.0 or periods <= 0.0:
        raise ValueError("sigma and periods must be positive")
    if mu == 0.0:
        return sqrt(pi / 2.0) * sigma * sqrt(periods)
    scale = sigma * sqrt(periods)
    top = 10.0 * scale + max(0.0, -mu) * periods
    nodes, weights = legendre(24)
    edges = np.linspace(0.0, top, 41)
    total = 0.0
    for a, b in pairwise(edges.tolist()):
        for node, weight in zip(nodes, weights, strict=True):
            h = a + (b - a) * (node + 1.0) / 2.0
            total += (b - a) / 2.0 * weight * exceed_brownian(h, mu, sigma, periods)
    return float(total)


def exceed_brownian(level: float, mu: float, sigma: float, periods: float) -> float:
    """Chance that the maximum drawdown of a Brownian motion exceeds `level`.

    The drawdown is a motion with drift -mu reflected at 0 and stopped at the level; its survival is
    a sum over the eigenvalues tan(x) = x / a, with a = mu level / sigma^2.
    """
    if level <= 0.0:
        return 1.0
    a = mu * level / sigma**2
    time = sigma**2 * periods / (2.0 * level**2)
    x = _roots(a)
    # Each term: e^(-a) 2 x sin(x) / ((a^2 + x^2)(1 - sin(2x) / 2x)).
    size = np.sin(x) * 2.0 * x / ((a**2 + x**2) * (1.0 - np.sin(2.0 * x) / (2.0 * x)))
    survival = float((size * np.exp(-a - (x**2 + a**2) * time)).sum())
    if a > 1.0:
        survival += _slow_term(a, time)
    elif a == 1.0:
        survival += 3.0 * float(np.exp(-1.0 - time))
    return min(max(1.0 - survival, 0.0), 1.0)


def _drawdowns(returns: np.ndarray, kind: Kind) -> np.ndarray:
    """Maximum drawdown of every row."""
    if kind == "compound" and returns.min() < -1.0:
        raise ValueError("returns: a loss of more than the whole equity does not compound")
    with np.errstate(divide="ignore"):  # the whole equity: log wealth is -inf, the drawdown 1
        wealth = np.cumsum(np.log1p(returns) if kind == "compound" else returns, axis=1)
    peak = np.maximum(np.maximum.accumulate(wealth, axis=1), 0.0)
    fall = peak - wealth
    if kind == "simple":
        return (fall / (1.0 + peak)).max(axis=1)
    deepest = fall.max(axis=1)
    return -np.expm1(-deepest) if kind == "compound" else deepest


def _roots(a: float) -> np.ndarray:
    """Positive solutions of tan(x) = x / a, that is a sin(x) = x cos(x), ascending."""
    n = np.arange(_TERMS, dtype=np.float64)
    # One root per interval between poles; the one next to 0 exists only while a < 1.
    low, high = (n + 0.0) * pi, (n + 1.0) * pi
    if a >= 1.0:
        low, high = low[1:], high[1:]
    low, high = low + 1e-12, high - 1e-12

    def gap(x: np.ndarray) -> np.ndarray:
        return a * np.sin(x) - x * np.cos(x)

    start = np.sign(gap(low))
    for _ in range(60):
        middle = (low + high) / 2.0
        same = np.sign(gap(middle)) == start
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return (low + high) / 2.0


def _slow_term(a: float, time: float) -> float:
    """The one term with a real exponent, tanh(y) = y / a, scaled so that nothing overflows."""
    low, high = 1e-12, a
    for _ in range(200):
        y = (low + high) / 2.0
        if np.tanh(y) > y / a:
            low = y
        else:
            high = y
    # a^2 - y^2 = a^2 / cosh(y)^2, from tanh(y) = y / a; written in powers of e^(-y).
    small = np.exp(-2.0 * y)
    cosh2 = (1.0 + small) ** 2 / 4.0  # cosh(y)^2 e^(-2y)
    sinh = (1.0 - small) / 2.0  # sinh(y) e^(-y)
    norm = (1.0 - small**2) / (8.0 * y) - small / 2.0  # (sinh(2y) / 4y - 1/2) e^(-2y)
    rate = a**2 * small / cosh2
    return float(np.exp(y - a) * y * cosh2 * sinh / (a**2 * norm) * np.exp(-rate * time))
