"""The best of many tries: expected maximum, hurdle, deflated Sharpe, minimum backtest length.

The hurdle is what the best of N worthless trials shows on average; a Sharpe ratio is only news
above it. Count and variance must belong together (see `trials`).
Source: Bailey and Lopez de Prado, "The Deflated Sharpe Ratio" (2014); Bailey, Borwein, Lopez de
Prado and Zhu, "Pseudo-Mathematics and Financial Charlatanism" (2014).
"""

from functools import lru_cache
from math import e, log, pi, sqrt

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from hft.statistics.track import Convention, psr

EULER = float(np.euler_gamma)
# Above this the formula is the larger of the two; below it may be smaller than the truth.
_FORMULA_FROM = 4.0


def expected_maximum(n: float, exact: bool | None = None) -> float:
    """Mean of the largest of n independent standard normals; n may be an effective count.

    exact True is the quadrature, False the formula of the papers (2.3 % high at 10, 0.9 % at 100,
    low below 3); None the larger of the two, so that the hurdle never falls below either.
    """
    if not n >= 1.0:
        raise ValueError(f"{n} trials: at least one is needed")
    if n == 1.0:
        return 0.0
    if exact is None:
        formula = _formula(n)
        return formula if n >= _FORMULA_FROM else max(formula, _maximum_moments(float(n))[0])
    return _maximum_moments(float(n))[0] if exact else max(_formula(n), 0.0)


def expected_maximum_sd(n: float) -> float:
    """Standard deviation of the largest of n independent standard normals, by quadrature."""
    return 1.0 if n == 1.0 else _maximum_moments(float(n))[1]


def hurdle(n_trials: float, variance: float, exact: bool | None = None) -> float:
    """Per-period Sharpe ratio the best of `n_trials` worthless trials is expected to show.

    `variance` is that of the per-period Sharpe ratios across trials.
    """
    if not variance >= 0.0:
        raise ValueError(f"variance {variance}: it cannot be negative")
    return sqrt(variance) * expected_maximum(n_trials, exact)


def deflated_sharpe(
    sr: float | None,
    n: float,
    skew: float | None,
    kurtosis: float | None,
    n_trials: float,
    variance: float,
    convention: Convention = "2012",
    *,
    exact: bool | None = None,
) -> float | None:
    """Probability that the true Sharpe is above zero, after the best of `n_trials` was taken.

    The "2025" convention also divides by the spread of the maximum itself.
    """
    level = hurdle(n_trials, variance, exact)
    if convention == "2012":
        return psr(sr, n, skew, kurtosis, level, convention)
    plain = psr(sr, n, skew, kurtosis, level, convention)
    if plain is None:
        return None
    return float(ndtr(ndtri(plain) / expected_maximum_sd(n_trials)))


def min_backtest_length(n_trials: float, sr_annual: float) -> float | None:
    """Years below which the best of `n_trials` worthless trials shows `sr_annual` on average."""
    if sr_annual <= 0.0:
        return None
    return (expected_maximum(n_trials) / sr_annual) ** 2


def min_backtest_length_bound(n_trials: float, sr_annual: float) -> float | None:
    """The simpler upper bound 2 ln N / SR^2, in years."""
    return 2.0 * log(n_trials) / sr_annual**2 if sr_annual > 0.0 else None


def _formula(n: float) -> float:
    return float((1.0 - EULER) * ndtri(1.0 - 1.0 / n) + EULER * ndtri(1.0 - 1.0 / (n * e)))


@lru_cache(maxsize=256)
def _maximum_moments(n: float) -> tuple[float, float]:
    """Mean and sd of the maximum, from its density n phi Phi^(n - 1) on a fine grid.

    The density is smooth and dies at both ends, where a trapezoid is exact to rounding; integrals
    of the distribution function have a corner at 0, which costs a sixth of the squared step.
    """
    x = np.linspace(-12.0, 12.0, 24_001)
    density = n * np.exp(-(x**2) / 2.0 + (n - 1.0) * log_ndtr(x)) / sqrt(2.0 * pi)
    step = x[1] - x[0]
    mean = np.trapezoid(x * density, dx=step)
    return float(mean), float(sqrt(np.trapezoid((x - mean) ** 2 * density, dx=step)))
