"""CUSUM of shortfalls, and how long it runs without a reason.

It warns early and can hold a canary; it never rolls one back, since an average run length is no
bound on false alarms.
Source: Page (1954); the integral equation of the average run length by Gauss-Legendre nodes
(Crowder 1987, Knoth 2005).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from hft.statistics.series import legendre, series

_NODES = 80


@dataclass(frozen=True, slots=True)
class Cusum:
    """The path of accumulated shortfall in sigmas, and the first day above h."""

    path: np.ndarray
    alarm: int | None  # number of observations at the first alarm

    @property
    def value(self) -> float:
        """Today's value; 0 before the first observation."""
        return float(self.path[-1]) if self.path.size else 0.0


def cusum(values: ArrayLike, mean: float, sigma: float, k: float = 0.25, h: float = 8.585) -> Cusum:
    """C = max(0, C + (mean - x) / sigma - k); the alarm is C > h."""
    x = series(values, minimum=0, name="values")
    if not sigma > 0.0:
        raise ValueError(f"sigma {sigma} must be positive")
    # max(0, running sum) is the sum less its lowest point so far, the start included.
    walk = np.cumsum((mean - x) / sigma - k)
    path = walk - np.minimum(np.minimum.accumulate(walk), 0.0) if x.size else walk
    above = np.flatnonzero(path > h)
    return Cusum(path, int(above[0]) + 1 if above.size else None)


def run_length(k: float, h: float, shift: float = 0.0, *, two_sided: bool = False) -> float:
    """Average days to an alarm when the shortfall has mean `shift` sigmas."""
    one = _run_length(k, h, shift)
    if not two_sided:
        return one
    return 1.0 / (1.0 / one + 1.0 / _run_length(k, h, -shift))


def threshold(k: float, arl0: float) -> float:
    """The h whose average run length without a shift is `arl0`."""
    low, high = 0.0, 1.0
    while _run_length(k, high, 0.0) < arl0:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = (low + high) / 2.0
        if _run_length(k, middle, 0.0) < arl0:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _run_length(k: float, h: float, shift: float) -> float:
    """L(z) = 1 + L(0) Phi(k - shift - z) + int_0^h L(x) phi(x + k - shift - z) dx, at z = 0."""
    nodes, weights = legendre(_NODES)
    x, w = h * (nodes + 1.0) / 2.0, h * weights / 2.0
    at = np.concatenate([[0.0], x])
    drift = k - shift
    kernel = np.exp(-0.5 * (x[None, :] + drift - at[:, None]) ** 2) / sqrt(2.0 * np.pi) * w
    system = np.eye(_NODES + 1)
    system[:, 0] -= ndtr(drift - at)
    system[:, 1:] -= kernel
    return float(np.linalg.solve(system, np.ones(_NODES + 1))[0])
