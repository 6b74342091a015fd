"""Tests one may look at every day: normal-mixture e-processes, confidence sequences, e-values.

An e-process stays small for ever when its null holds: the chance that it ever reaches 1 / alpha is
at most alpha, however often one looks. The variance is frozen from validation and passed in; an
estimate from the same stream would break the promise. Decides nothing about weights: the canary
does, from these.
Source: Robbins (1970); Johari et al., "Always valid inference" (2022); Howard, Ramdas, McAuliffe
and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences" (2021); Wang and
Ramdas, "False discovery rate control with e-values" (2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, log1p, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

from hft.statistics.series import series

# Variance of the mixture in units of one day's variance: tuned for shifts of about 0.2 sd a day.
TAU2 = 0.04
# An e-value of more is shown as e^700, which a float still holds.
LOG_E_MAX = 700.0


@dataclass(frozen=True, slots=True)
class EProcess:
    """The path of one e-process; `e` is today's value, `e_max` the largest so far."""

    log_e: np.ndarray

    @property
    def e(self) -> float:
        """Today's e-value; 1 before the first observation."""
        return float(np.exp(min(self.log_e[-1], LOG_E_MAX))) if self.log_e.size else 1.0

    @property
    def e_max(self) -> float:
        """The largest e-value so far, at least 1."""
        return float(np.exp(min(float(self.log_e.max(initial=0.0)), LOG_E_MAX)))

    @property
    def p(self) -> float:
        """Anytime p-value: 1 over the largest e-value."""
        return 1.0 / self.e_max

    def crossed(self, level: float) -> int | None:
        """Number of observations when the process first reached `level`; None when it never did."""
        above = np.flatnonzero(self.log_e >= log(level))
        return int(above[0]) + 1 if above.size else None


def normal_log_mixture(s: ArrayLike, v: ArrayLike, rho: float) -> np.ndarray:
    """Log of the two-sided normal mixture of a sum `s` with accumulated variance `v`."""
    total = np.asarray(v, dtype=np.float64) + rho
    return 0.5 * np.log(rho / total) + np.asarray(s) ** 2 / (2.0 * total)


def one_sided_log_mixture(s: ArrayLike, v: ArrayLike, rho: float) -> np.ndarray:
    """Log of the half-normal mixture: large only when `s` is large and positive."""
    total = np.asarray(v, dtype=np.float64) + rho
    x = np.asarray(s, dtype=np.float64)
    return 0.5 * np.log(4.0 * rho / total) + x**2 / (2.0 * total) + log_ndtr(x / np.sqrt(total))


def best_rho(v_opt: float, alpha: float = 0.05) -> float:
    """The mixture parameter whose bound is tightest at accumulated variance `v_opt`.

    For a one-sided bound pass twice its alpha.
    """
    return v_opt / (2.0 * log(1.0 / alpha) + log1p(2.0 * log(1.0 / alpha)))


def normal_mixture_bound(v: ArrayLike, alpha: float, rho: float) -> np.ndarray:
    """What |sum| stays below for ever with probability 1 - alpha."""
    total = np.asarray(v, dtype=np.float64) + rho
    return np.sqrt(total * np.log(total / (rho * alpha**2)))


def one_sided_bound(v: float, alpha: float, rho: float) -> float:
    """What a sum stays below for ever with probability 1 - alpha."""
    low, high = 0.0, float(normal_mixture_bound(v, alpha, rho)) + sqrt(v + rho)
    for _ in range(200):
        middle = (low + high) / 2.0
        if float(one_sided_log_mixture(middle, v, rho)) < log(1.0 / alpha):
            low = middle
        else:
            high = middle
    return high


def adverse(
    values: ArrayLike, mean0: float, sigma: float, tau2: float = TAU2, *, one_sided: bool = True
) -> EProcess:
    """E-process against "the mean is at least `mean0`", for daily values with frozen `sigma`.

    Under the null it ever reaches 1 / alpha with probability at most alpha. `one_sided` mixes over
    shortfalls only; without it the two-sided mixture counts while the sum is adverse, which is
    weaker. Units: `tau2` in squared sigmas.
    """
    x = series(values, minimum=0, name="values")
    if not sigma > 0.0 or not tau2 > 0.0:
        raise ValueError(f"sigma {sigma} and tau2 {tau2} must be positive: freeze them beforehand")
    shortfall = np.cumsum((mean0 - x) / sigma)
    days = np.arange(1, x.size + 1, dtype=np.float64)
    if one_sided:
        return EProcess(one_sided_log_mixture(shortfall, days, 1.0 / tau2))
    both = normal_log_mixture(shortfall, days, 1.0 / tau2)
    return EProcess(np.where(shortfall > 0.0, both, np.minimum(both, 0.0)))


def mixture(values: ArrayLike, mean0: float, sigma: float, tau2: float = TAU2) -> EProcess:
    """Two-sided e-process against "the mean is `mean0`"."""
    x = series(values, minimum=0, name="values")
    days = np.arange(1, x.size + 1, dtype=np.float64)
    return EProcess(normal_log_mixture(np.cumsum((x - mean0) / sigma), days, 1.0 / tau2))


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence sequence at one time: what is not yet excluded."""

    low: float
    high: float
    mean: float
    n: int

    def contains(self, value: float) -> bool:
        """True when `value` is not excluded."""
        return self.low <= value <= self.high


def mean_confidence(
    values: ArrayLike, sigma: float, alpha: float = 0.05, tau2: float = TAU2
) -> Interval | None:
    """Anytime interval for a mean with frozen `sigma`; None without observations."""
    x = series(values, minimum=0, name="values")
    if x.size == 0:
        return None
    reach = sigma * float(normal_mixture_bound(x.size, alpha, 1.0 / tau2)) / x.size
    mean = float(x.mean())
    return Interval(mean - reach, mean + reach, mean, x.size)


def merge(e_values: Sequence[float]) -> float:
    """One e-value of several that may depend on each other: their mean; 1 for none."""
    e = series(e_values, minimum=0, name="e-values")
    return float(e.mean()) if e.size else 1.0


def calibrate(p: float, k: float = 0.5) -> float:
    """An e-value of a p-value: k p^(k - 1), 0 < k < 1."""
    if not 0.0 < p <= 1.0 or not 0.0 < k < 1.0:
        raise ValueError(f"p {p} lies in (0, 1] and k {k} inside (0, 1)")
    return float(k * p ** (k - 1.0))


def e_bh(e_values: Sequence[float], alpha: float = 0.10) -> tuple[int, ...]:
    """Which nulls fall with false discovery rate alpha, under any dependence; ascending.

    The k largest fall, for the largest k whose k-th e-value is at least n / (k alpha).
    """
    e = series(e_values, minimum=0, name="e-values")
    order = np.argsort(-e, kind="stable")
    ranks = np.arange(1, e.size + 1)
    passed = np.flatnonzero(ranks * e[order] >= e.size / alpha)
    return tuple(sorted(order[: passed[-1] + 1].tolist())) if passed.size else ()
