"""Anytime intervals for bounded things: reject rate, fill rate, hit rate, clipped costs.

No normality and no variance to freeze: only the bounds are assumed. Three forms: a closed one for
counts, an empirical-Bernstein one for values, and the betting one, the tightest and the slowest.
Source: Howard et al. (2021), the beta-binomial mixture; Waudby-Smith and Ramdas, "Estimating means
of bounded random variables by betting" (2024).
"""

from math import log

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln

from hft.statistics.sequential import Interval, best_rho
from hft.statistics.series import series


def bernoulli_interval(
    successes: int, trials: int, alpha: float = 0.05, t_opt: float = 1000.0
) -> Interval:
    """Anytime interval for a rate from counts; tightest near `t_opt` trials."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials}: successes lie between 0 and trials")
    if trials == 0:
        return Interval(0.0, 1.0, 0.5, 0)
    rate = successes / trials
    low = 0.0 if successes == 0 else _edge(0.0, rate, successes, trials, alpha, t_opt)
    high = 1.0 if successes == trials else _edge(1.0, rate, successes, trials, alpha, t_opt)
    return Interval(low, high, rate, trials)


def bernoulli_log_e(successes: int, trials: int, rate: float, t_opt: float = 1000.0) -> float:
    """Log e-value against "the rate is `rate`": a beta-binomial mixture centred on it."""
    spread = rate * (1.0 - rate)
    r = max(best_rho(spread * t_opt, 0.05) - spread, 1e-3 * spread)
    a, b = r / (1.0 - rate), r / rate
    failures = trials - successes
    mixed = float(betaln(a + successes, b + failures) - betaln(a, b))
    return mixed - successes * log(rate) - failures * log(1.0 - rate)


def empirical_bernstein(
    values: ArrayLike, low: float = 0.0, high: float = 1.0, alpha: float = 0.05
) -> Interval:
    """Anytime interval for the mean of values inside [low, high] (predictable plug-in)."""
    x = _unit(values, low, high)
    if x.size == 0:
        return Interval(low, high, (low + high) / 2.0, 0)
    before, variance = _plug_in(x)
    t = np.arange(1, x.size + 1)
    bets = np.minimum(np.sqrt(2.0 * log(2.0 / alpha) / (variance * t * np.log1p(t))), 0.5)
    cost = (-np.log1p(-bets) - bets) * (x - before) ** 2
    total = np.cumsum(bets)
    centre = np.cumsum(bets * x) / total
    reach = (log(2.0 / alpha) + np.cumsum(cost)) / total
    # The running intersection is itself a confidence sequence.
    lower, upper = max(0.0, float((centre - reach).max())), min(1.0, float((centre + reach).min()))
    return _scaled(lower, upper, x, low, high)


def betting_interval(
    values: ArrayLike,
    low: float = 0.0,
    high: float = 1.0,
    alpha: float = 0.05,
    cells: int = 1000,
) -> Interval:
    """Anytime interval for the mean of values inside [low, high], by hedged capital on a grid."""
    x = _unit(values, low, high)
    if x.size == 0:
        return Interval(low, high, (low + high) / 2.0, 0)
    _, variance = _plug_in(x)
    t = np.arange(1, x.size + 1)
    bets = np.sqrt(2.0 * log(2.0 / alpha) / (variance * t * np.log1p(t)))
    means = np.arange(cells + 1) / cells
    up, down = np.zeros(cells + 1), np.zeros(cells + 1)
    alive = np.ones(cells + 1, dtype=bool)
    with np.errstate(divide="ignore"):
        cap_up, cap_down = 0.5 / means, 0.5 / (1.0 - means)
    for value, bet in zip(x, bets, strict=True):
        up += np.log1p(np.minimum(bet, cap_up) * (value - means))
        down += np.log1p(-np.minimum(bet, cap_down) * (value - means))
        alive &= np.maximum(up, down) < log(2.0 / alpha)
    inside = np.flatnonzero(alive)
    if inside.size == 0:
        nearest = float(np.clip(x.mean(), 0.0, 1.0))
        return _scaled(nearest, nearest, x, low, high)
    step = 1.0 / cells
    lower = 0.0 if inside[0] == 0 else means[inside[0]] - step
    upper = 1.0 if inside[-1] == cells else means[inside[-1]] + step
    return _scaled(float(lower), float(upper), x, low, high)


def _edge(
    end: float, rate: float, successes: int, trials: int, alpha: float, t_opt: float
) -> float:
    """Where the e-value reaches 1 / alpha between the observed rate and 0 or 1."""
    tiny = 1e-12
    inside, outside = min(max(rate, tiny), 1.0 - tiny), abs(end - tiny)
    if bernoulli_log_e(successes, trials, outside, t_opt) < log(1.0 / alpha):
        return end
    for _ in range(100):
        middle = (inside + outside) / 2.0
        if bernoulli_log_e(successes, trials, middle, t_opt) < log(1.0 / alpha):
            inside = middle
        else:
            outside = middle
    return outside


def _plug_in(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance estimates from what came before each value."""
    t = np.arange(1, x.size + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    return np.concatenate([[0.5], mean[:-1]]), np.concatenate([[0.25], variance[:-1]])


def _unit(values: ArrayLike, low: float, high: float) -> np.ndarray:
    x = series(values, minimum=0, name="values")
    if not low < high or (x.size and (x.min() < low or x.max() > high)):
        raise ValueError(f"values: they must lie inside [{low}, {high}]; clip them first")
    return (x - low) / (high - low)


def _scaled(lower: float, upper: float, x: np.ndarray, low: float, high: float) -> Interval:
    width = high - low
    mean = low + width * float(x.mean())
    return Interval(low + width * lower, low + width * upper, mean, x.size)
