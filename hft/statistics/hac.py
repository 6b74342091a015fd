"""Newey-West: what a mean or a regression line is worth when neighbouring days lean together.

Bartlett weights, no small-sample factor, the customary bandwidth or the label's overlap, whichever
is longer. Below about 200 periods the normal level rejects too often; `fixed_b_critical` gives the
honest level.
Source: Newey and West (1987); Kiefer and Vogelsang (2005).
"""

from dataclasses import dataclass
from math import floor, sqrt

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.series import is_flat, panel, series

# Kiefer and Vogelsang (2005), Bartlett kernel: the level as a cubic in b = lags / n, one-sided.
_FIXED_B = {
    0.900: (1.2816, 1.3040, 0.5135, -0.3386),
    0.950: (1.6449, 2.1859, 0.3142, -0.3427),
    0.975: (1.9600, 2.9694, 0.4160, -0.5324),
    0.990: (2.3263, 4.1618, 0.5368, -0.9060),
}


@dataclass(frozen=True, slots=True)
class HacT:
    """A mean over its HAC standard error."""

    t: float | None  # None when the long-run variance is zero
    mean: float
    se: float | None
    lags: int


@dataclass(frozen=True, slots=True)
class HacLine:
    """A least-squares fit with HAC errors; the first coefficient is the intercept."""

    coefficients: np.ndarray
    errors: np.ndarray
    residuals: np.ndarray
    lags: int

    @property
    def t(self) -> np.ndarray:
        """Coefficients over their errors; NaN where an error is zero."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.errors > 0.0, self.coefficients / self.errors, np.nan)


def bandwidth(n: int, horizon: int = 1) -> int:
    """Lags: floor(4 (n/100)^(2/9)), and at least horizon - 1 for labels that overlap."""
    customary = floor(4.0 * (n / 100.0) ** (2.0 / 9.0))
    return max(0, min(max(customary, horizon - 1), n - 1))


def long_run_variance(x: np.ndarray, lags: int) -> float:
    """Bartlett-weighted sum of the autocovariances of a series, about its own mean."""
    centred = x - x.mean()
    total = float(centred @ centred)
    for lag in range(1, min(lags, x.size - 1) + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag])
    return total / x.size


def hac_t(values: ArrayLike, lags: int | None = None, *, horizon: int = 1) -> HacT:
    """The t-statistic of a mean; `horizon` is the number of periods a label overlaps.

    Raises: ValueError on NaN or fewer than three values.
    """
    x = series(values, minimum=3, name="values")
    used = bandwidth(x.size, horizon) if lags is None else lags
    mean = float(x.mean())
    spread = long_run_variance(x, used)
    if is_flat(mean, float(x.std(ddof=1))) or spread <= 0.0:
        return HacT(None, mean, None, used)
    se = sqrt(spread / x.size)
    return HacT(mean / se, mean, se, used)


def hac_line(y: ArrayLike, x: ArrayLike, lags: int | None = None, *, horizon: int = 1) -> HacLine:
    """Least squares of y on an intercept and the columns of x, with HAC errors.

    Raises: ValueError when the columns are collinear or the rows too few.
    """
    target = series(y, minimum=3, name="y")
    columns = panel(x, rows=3, name="x")
    if target.size != columns.shape[0] or target.size <= columns.shape[1] + 1:
        raise ValueError(f"y has {target.size} rows and x is {columns.shape}; too few or unequal")
    design = np.column_stack([np.ones(target.size), columns])
    scale = np.maximum(np.abs(design).max(axis=0), 1e-300)
    if np.linalg.matrix_rank(design / scale) < design.shape[1]:
        raise ValueError("x: its columns are collinear; leave out the duplicates")
    bread = np.linalg.inv(design.T @ design)
    coefficients = bread @ (design.T @ target)
    residuals = target - design @ coefficients
    used = bandwidth(target.size, horizon) if lags is None else lags
    scores = design * residuals[:, None]
    meat = scores.T @ scores
    for lag in range(1, used + 1):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1.0 - lag / (used + 1.0)) * (cross + cross.T)
    errors = np.sqrt(np.maximum(np.diag(bread @ meat @ bread), 0.0))
    return HacLine(coefficients, errors, residuals, used)


def fixed_b_critical(lags: int, n: int, level: float = 0.975) -> float:
    """The one-sided critical value of a Bartlett HAC t when lags are a share of the sample.

    Raises: ValueError for a level other than 0.9, 0.95, 0.975, 0.99.
    """
    if level not in _FIXED_B:
        raise ValueError(f"level {level}: one of {sorted(_FIXED_B)} is tabled")
    b = min((lags + 1) / n, 1.0)
    return sum(c * b**power for power, c in enumerate(_FIXED_B[level]))
