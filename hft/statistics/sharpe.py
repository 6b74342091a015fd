"""The Sharpe ratio, its standard errors, and what a year makes of it.

Per period throughout, sd with n - 1, kurtosis not excess (3 for a normal). Annualising is for
display, and the square root of time is used only where returns are uncorrelated. Gates never read
an annual figure.
Source: Lo, "The Statistics of Sharpe Ratios" (2002); Mertens (2002); Opdyke (2007); Lopez de Prado,
Lipton and Zoonekynd (2025) for the AR(1) form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.hac import bandwidth, long_run_variance
from hft.statistics.series import is_flat, series


@dataclass(frozen=True, slots=True)
class Moments:
    """What the Sharpe tests need of a series; skew and kurtosis are population moments."""

    n: int
    mean: float
    sd: float  # n - 1
    skew: float | None  # None when the series is constant
    kurtosis: float | None  # not excess: 3 for a normal

    @property
    def sharpe(self) -> float | None:
        """Per-period mean over sd; None for a constant series."""
        return ratio(self.mean, self.sd)


def ratio(mean: float, sd: float) -> float | None:
    """Mean over standard deviation: the one rule of when there is a Sharpe ratio.

    None where nothing varies but the rounding of a constant, and where either is no number.
    Reports, backtests, the pool, the search and the canary all ask it; what differs between them
    is which changes are in the sample, and whether n - 1 or n divides.
    """
    return mean / sd if isfinite(mean) and isfinite(sd) and not is_flat(mean, sd) else None


def moments(returns: ArrayLike) -> Moments:
    """The four moments of per-period returns.

    Raises: ValueError on NaN or fewer than two values.
    """
    r = series(returns, minimum=2)
    mean, sd = float(r.mean()), float(r.std(ddof=1))
    if is_flat(mean, sd):
        return Moments(r.size, mean, 0.0, None, None)
    z = (r - mean) / r.std()
    return Moments(r.size, mean, sd, float(np.mean(z**3)), float(np.mean(z**4)))


def sharpe(returns: ArrayLike) -> float | None:
    """Per-period Sharpe ratio; None for a constant series."""
    return moments(returns).sharpe


def sharpe_variance_factor(
    sr: float, skew: float = 0.0, kurtosis: float = 3.0, rho: float = 0.0
) -> float:
    """n times the variance of an estimated Sharpe ratio; 1 + SR^2 / 2 for white normal returns.

    `rho` is the first autocorrelation of an AR(1). Not positive when the moments contradict each
    other (no distribution has them); the callers then answer None.
    """
    if not -1.0 < rho < 1.0:
        raise ValueError(f"rho {rho}: an autocorrelation lies inside (-1, 1)")
    first, second = rho / (1.0 - rho), rho**2 / (1.0 - rho**2)
    a, b, c = 1.0 + 2.0 * first, 1.0 + first + second, 1.0 + 2.0 * second
    return a - b * skew * sr + c * (kurtosis - 1.0) / 4.0 * sr**2


def sharpe_se(
    sr: float | None,
    n: float,
    skew: float | None = 0.0,
    kurtosis: float | None = 3.0,
    *,
    rho: float = 0.0,
    degrees: int = 1,
) -> float | None:
    """Standard error of a per-period Sharpe ratio over `n` periods (Mertens, or AR(1) with rho).

    `degrees` is taken from n: 1 as in Bailey and Lopez de Prado (2012), 0 as in Lo (2002).
    """
    if sr is None or skew is None or kurtosis is None or n <= degrees:
        return None
    factor = sharpe_variance_factor(sr, skew, kurtosis, rho)
    return sqrt(factor / (n - degrees)) if factor > 0.0 else None


def sharpe_se_hac(returns: ArrayLike, lags: int | None = None) -> float | None:
    """Standard error that allows for any short dependence (Lo 2002, appendix; delta method).

    The long-run variance is Bartlett's; it is biased down when dependence is strong.
    """
    r = series(returns, minimum=3)
    shape = moments(r)
    if shape.sharpe is None:
        return None
    z = (r - shape.mean) / r.std()
    influence = z - shape.sharpe / 2.0 * (z**2 - 1.0)
    spread = long_run_variance(influence, bandwidth(r.size) if lags is None else lags)
    return sqrt(spread / r.size) if spread > 0.0 else None


def autocorrelations(returns: ArrayLike, lags: int) -> np.ndarray:
    """Sample autocorrelations 1..lags; zeros for a constant series."""
    r = series(returns, minimum=2)
    centred = r - r.mean()
    total = float(centred @ centred)
    if is_flat(float(r.mean()), float(r.std(ddof=1))):
        return np.zeros(lags)
    return np.array(
        [
            centred[lag:] @ centred[:-lag] / total if lag < r.size else 0.0
            for lag in range(1, lags + 1)
        ]
    )


def eta(periods: int, rho: Sequence[float] = ()) -> float | None:
    """What one period's Sharpe is multiplied by for `periods` of them (Lo 2002, eq. 20).

    `rho` are autocorrelations from lag 1 on; what is not given counts as zero. One number r given
    as an AR(1) is `ar1(r, periods)`. None when the variance of the sum would not be positive.
    """
    if periods < 1:
        raise ValueError(f"{periods} periods: at least one is needed")
    weights = np.array([(periods - lag) * r for lag, r in enumerate(rho, 1) if lag < periods])
    spread = periods + 2.0 * float(weights.sum())
    return periods / sqrt(spread) if spread > 0.0 else None


def ar1(rho: float, periods: int) -> tuple[float, ...]:
    """The autocorrelations rho, rho^2, ... an AR(1) has at lags 1 to periods - 1."""
    return tuple(rho**lag for lag in range(1, periods))


def annualise(sr: float | None, periods: int, rho: Sequence[float] = ()) -> float | None:
    """The Sharpe ratio of `periods` periods, for display; square root of time when rho is empty."""
    factor = eta(periods, rho)
    return None if sr is None or factor is None else factor * sr


def effective_length(returns: ArrayLike, lags: int | None = None) -> float:
    """How many independent periods a series is worth: n / (1 + 2 sum rho), at most n.

    Bartlett weights keep the sum from going wild. Source: governance reference, section 2.
    """
    r = series(returns, minimum=2)
    used = bandwidth(r.size) if lags is None else lags
    weights = 1.0 - np.arange(1, used + 1) / (used + 1.0)
    inflation = 1.0 + 2.0 * float(weights @ autocorrelations(r, used))
    return r.size / max(inflation, 1.0)
