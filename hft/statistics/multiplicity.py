"""Many p-values at once: adjustment, rejection counts, and the haircut of a Sharpe ratio.

An adjusted p must be over all trials. BY holds under any dependence and BH does not, so gates use
BY ("bhy" in Harvey and Liu); Bonferroni is shown beside it as the floor.
Source: Holm (1979); Benjamini and Hochberg (1995); Benjamini and Yekutieli (2001); Harvey and Liu,
"Backtesting" (2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from hft.statistics.series import series
from hft.statistics.sharpe import ar1, eta

# Smaller p-values are taken as this one: below it a float has no tail to invert.
SMALLEST_P = 1e-280

Method = Literal["bonferroni", "holm", "bh", "by", "none"]


def adjust(p_values: ArrayLike, method: Method = "by", trials: int | None = None) -> np.ndarray:
    """Adjusted p-values in the order given; each is compared with the level itself.

    `trials` is the number of tests when more were made than p-values are known; the unknown ones
    count as p = 1.
    Raises: ValueError for a p outside [0, 1] or an unknown method.
    """
    p = series(p_values, minimum=0, name="p-values")
    if p.size and (p.min() < 0.0 or p.max() > 1.0):
        raise ValueError("p-values: each lies in [0, 1]")
    m = p.size if trials is None else trials
    if m < p.size:
        raise ValueError(f"{m} trials, but {p.size} p-values were given")
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, p.size + 1)
    sorted_p = p[order]
    if method == "bonferroni":
        adjusted = m * sorted_p
    elif method == "holm":
        adjusted = np.maximum.accumulate((m - rank + 1) * sorted_p)
    elif method in ("bh", "by"):
        scale = m * float((1.0 / np.arange(1, m + 1)).sum()) if method == "by" else float(m)
        raw = np.minimum(sorted_p * scale / rank, 1.0)
        adjusted = np.minimum.accumulate(raw[::-1])[::-1]
    elif method == "none":
        adjusted = sorted_p
    else:
        raise ValueError(f"method {method!r}: one of bonferroni, holm, bh, by, none")
    back = np.empty(p.size)
    back[order] = np.minimum(adjusted, 1.0)
    return back


def survivors(p_values: ArrayLike, method: Method = "by", level: float = 0.05) -> int:
    """How many nulls fall at `level`."""
    return int((adjust(p_values, method) <= level).sum())


@dataclass(frozen=True, slots=True)
class Haircut:
    """An annual Sharpe ratio after the number of tests was paid for."""

    sharpe: float  # what came in, per year
    adjusted: float  # what is left, per year, never below 0
    haircut: float | None  # share lost; None when there was nothing to lose
    p_single: float
    p_adjusted: float
    t: float
    method: Method
    trials: int


def haircut(
    sharpe_annual: float,
    observations: int,
    trials: int | Sequence[float],
    method: Method = "by",
    *,
    periods: int = 252,
    rho: float = 0.0,
) -> Haircut:
    """Sharpe -> t -> two-sided p -> adjusted p -> Sharpe, by Student's t with n - 1 degrees.

    `trials` is a count, enough for Bonferroni, or the annual Sharpe ratios of all trials over the
    same length, of which this is one (it is added when absent). `rho` is the first
    autocorrelation; the annual figure is taken as sqrt(periods) times the per-period one and loses
    Lo's eta first.
    Raises: ValueError when another method than Bonferroni is asked of a mere count.
    """
    if observations < 3:
        raise ValueError(f"{observations} observations: at least 3 are needed")
    others = None if isinstance(trials, int) else series(trials, minimum=1, name="trials")
    if others is None and method not in ("bonferroni", "none"):
        raise ValueError(f"{method} needs the Sharpe ratio of every trial; only a count was given")
    t = _t(sharpe_annual, observations, periods, rho)
    p_single = _two_sided(t, observations)
    if others is None:
        m = int(trials)  # type: ignore[arg-type]
        p_adjusted = float(adjust([p_single], method, m)[0])
    else:
        if not np.any(np.isclose(others, sharpe_annual, rtol=1e-12, atol=1e-15)):
            others = np.append(others, sharpe_annual)
        m = others.size
        mine = int(np.argmin(np.abs(others - sharpe_annual)))
        ps = [_two_sided(_t(float(s), observations, periods, rho), observations) for s in others]
        p_adjusted = float(adjust(ps, method)[mine])
    t_left = max(0.0, _t_of(p_adjusted, observations))
    # Where p is the smallest, the share is that of the t it stands for, which lost no less.
    t_told = _t_of(p_single, observations) if p_single <= SMALLEST_P else t
    left = t_left / t_told * sharpe_annual if t > 0.0 else 0.0
    lost = 1.0 - left / sharpe_annual if sharpe_annual > 0.0 else None
    return Haircut(sharpe_annual, left, lost, p_single, p_adjusted, t, method, m)


def _t(sharpe_annual: float, observations: int, periods: int, rho: float) -> float:
    factor = eta(periods, ar1(rho, periods))
    if factor is None:
        raise ValueError(f"rho {rho}: no AR(1) has it over {periods} periods")
    per_period = sharpe_annual / sqrt(periods) * factor / sqrt(periods)
    return per_period * sqrt(observations)


def _two_sided(t: float, observations: int) -> float:
    return max(float(2.0 * stdtr(observations - 1, -abs(t))), SMALLEST_P)


def _t_of(p: float, observations: int) -> float:
    """The t whose two-sided p this is."""
    return -float(stdtrit(observations - 1, p / 2.0))
