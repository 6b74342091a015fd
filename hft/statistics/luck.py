"""How widely luck scatters Sharpe ratios, seen on the side from which a winner is taken.

The hurdle asks how good the best of many worthless trials looks. Trials that lose on purpose (dear
turnover, wrong sign) scatter far below; their spread says nothing about luck at the top, and with
it one search would raise the hurdle beyond every true alpha. So the spread is measured above the
middle, and never from below zero, where that is less than the variance. For worthless trials around
zero both are the same. A trial that loses by more than luck does not say where the middle is: all
of them together count like one more trial in the middle.
"""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.series import series

# Sampling deviations below zero from which a loss is no luck: 1 worthless trial in 30 000.
LOSING = 4.0


def luck_variance(
    sharpes: ArrayLike, weights: ArrayLike | None = None, *, sampling: float | None = None
) -> float | None:
    """Variance, or the mean square distance above max(median, 0) where that is less.

    `weights` count a trial as part of one; `sampling` is the variance of one worthless trial's
    Sharpe ratio, by which losses beyond luck are told. None for fewer than two trials, or when none
    lies above. Raises: ValueError on NaN or unequal lengths.
    """
    values = series(sharpes, minimum=0, name="sharpes")
    shares = np.ones(values.size) if weights is None else series(weights, 0, "weights")
    if shares.size != values.size:
        raise ValueError(f"{values.size} Sharpe ratios and {shares.size} weights")
    lost = values < (-np.inf if sampling is None else -LOSING * sqrt(sampling))
    beside = min(float(shares[lost].sum()), 1.0)
    values, shares = values[~lost], shares[~lost]
    middle = max(_median(values, shares), 0.0) if values.size else 0.0
    above = values > middle
    total = float(shares[above].sum())
    whole = _variance(values, shares, beside)
    if total <= 0.0 or whole is None:
        return None
    return min(whole, float(shares[above] @ (values[above] - middle) ** 2) / total)


def _variance(values: np.ndarray, shares: np.ndarray, beside: float) -> float | None:
    """The weighted one, unbiased for weights that are parts of trials; None for fewer than two.

    `beside` is the weight of further trials that lie in its centre.
    """
    own = float(shares.sum())
    count = own + beside
    if own <= 0.0 or count < 1.5:
        return None
    centre = float(shares @ values) / own
    return float(shares @ (values - centre) ** 2) / (count - 1.0)


def _median(values: np.ndarray, shares: np.ndarray) -> float:
    """The weighted median: half of the weight on each side, the middle of two where it is even."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(shares[order])
    half = reached[-1] / 2.0
    at = int(np.searchsorted(reached, half * (1.0 - 1e-12)))
    exact = np.isclose(reached[at], half, rtol=1e-12, atol=0.0) and at + 1 < values.size
    low = float(values[order[at]])
    return (low + float(values[order[at + 1]])) / 2.0 if exact else low
