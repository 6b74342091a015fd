"""How sure a track record is, and how long it must be: PSR and MinTRL, in both conventions.

"2012" puts the estimated Sharpe in the variance and n - 1; "2025" puts the benchmark there and n.
The same 24 months give 0.913 and 0.987, so a figure never travels without its convention.
Source: Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier" (2012); Lopez de Prado,
Lipton and Zoonekynd, "How to use the Sharpe ratio" (2025).
"""

from math import sqrt
from typing import Literal

from scipy.special import ndtr, ndtri

from hft.statistics.sharpe import sharpe_variance_factor

Convention = Literal["2012", "2025"]


def psr(
    sr: float | None,
    n: float,
    skew: float | None = 0.0,
    kurtosis: float | None = 3.0,
    benchmark: float = 0.0,
    convention: Convention = "2012",
    *,
    rho: float = 0.0,
) -> float | None:
    """Probability that the true Sharpe exceeds `benchmark`; everything per period.

    `n` may be an effective length. None when undefined: constant series, n <= 1, or moments that no
    distribution has.
    """
    if sr is None or skew is None or kurtosis is None:
        return None
    at, degrees = _form(sr, benchmark, convention)
    factor = sharpe_variance_factor(at, skew, kurtosis, rho)
    if factor <= 0.0 or n <= degrees:
        return None
    return float(ndtr((sr - benchmark) * sqrt((n - degrees) / factor)))


def min_track_record(
    sr: float | None,
    skew: float | None = 0.0,
    kurtosis: float | None = 3.0,
    benchmark: float = 0.0,
    confidence: float = 0.95,
    convention: Convention = "2012",
    *,
    rho: float = 0.0,
    power: float = 0.5,
) -> float | None:
    """Periods needed for PSR to reach `confidence`, not rounded; None when no length would do.

    `power` is the chance that it does, where `sr` is the true Sharpe ratio: what a track will show
    scatters around it, so that the plain length is enough every other time.
    """
    if sr is None or skew is None or kurtosis is None or sr <= benchmark:
        return None
    for name, value in (("confidence", confidence), ("power", power)):
        if not 0.0 < value < 1.0:
            raise ValueError(f"{name} {value}: it lies inside (0, 1)")
    at, degrees = _form(sr, benchmark, convention)
    factor = sharpe_variance_factor(at, skew, kurtosis, rho)
    if factor <= 0.0:
        return None
    reach = float(ndtri(confidence)) + float(ndtri(power))
    return degrees + factor * (max(reach, 0.0) / (sr - benchmark)) ** 2


def sharpe_needed(
    n: float,
    skew: float = 0.0,
    kurtosis: float = 3.0,
    benchmark: float = 0.0,
    confidence: float = 0.95,
    convention: Convention = "2012",
) -> float | None:
    """The smallest per-period Sharpe whose PSR over `n` periods reaches `confidence`.

    For the shopping list of an insufficient history. None when no Sharpe would do.
    """
    low, high = benchmark, benchmark + 10.0
    top = psr(high, n, skew, kurtosis, benchmark, convention)
    if top is None or top < confidence:
        return None
    for _ in range(200):
        middle = (low + high) / 2.0
        reached = psr(middle, n, skew, kurtosis, benchmark, convention)
        if reached is not None and reached >= confidence:
            high = middle
        else:
            low = middle
    return high


def _form(sr: float, benchmark: float, convention: Convention) -> tuple[float, int]:
    """Which Sharpe stands in the variance, and what is taken from n."""
    if convention == "2012":
        return sr, 1
    if convention == "2025":
        return benchmark, 0
    raise ValueError(f"convention {convention!r}: '2012' or '2025'")
