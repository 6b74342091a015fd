"""Bounds for a few planned looks: alpha spent by Lan and DeMets, computed, not tabled.

For graduation, whose review dates are fixed beforehand; rollback uses an e-process, which may be
looked at any time. One-sided throughout.
Source: Lan and DeMets (1983); Armitage, McPherson and Rowe (1969) for the recursive integration.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import e, log, sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from hft.statistics.series import legendre

_NODES = 240
_REACH = 9.0  # standard deviations of Brownian motion that are integrated over


def obrien_fleming(alpha: float) -> Callable[[float], float]:
    """Spending that is stingy at first: 2 (1 - Phi(z_{alpha/2} / sqrt t))."""
    level = float(ndtri(1.0 - alpha / 2.0))
    return lambda t: float(2.0 * ndtr(-level / sqrt(t))) if t > 0.0 else 0.0


def pocock(alpha: float) -> Callable[[float], float]:
    """Spending that is nearly even: alpha ln(1 + (e - 1) t)."""
    return lambda t: alpha * log(1.0 + (e - 1.0) * t)


def bounds(
    information: Sequence[float] | int,
    alpha: float = 0.05,
    spending: Callable[[float], Callable[[float], float]] = obrien_fleming,
) -> tuple[float, ...]:
    """One-sided z bounds at the planned looks.

    `information` are ascending fractions ending at 1, or a number of equally spaced looks.
    Raises: ValueError for fractions that are not.
    """
    looks = (
        [(k + 1) / information for k in range(information)]
        if isinstance(information, int)
        else [float(t) for t in information]
    )
    if not looks or looks[-1] != 1.0 or any(b <= a for a, b in pairwise([0.0, *looks])):
        raise ValueError(f"looks {looks}: ascending fractions of the information, ending at 1")
    spent = spending(alpha)
    found: list[float] = []
    nodes, weights = legendre(_NODES)
    points, mass = np.zeros(1), np.ones(1)  # where the process is and how likely, not yet stopped
    before = 0.0
    for t in looks:
        step = sqrt(t - before)
        need = spent(t) - spent(before) if before else spent(t)
        edge = _crossing(points, mass, step, need, t)
        found.append(edge / sqrt(t))
        low = -_REACH * sqrt(t)
        here = low + (edge - low) * (nodes + 1.0) / 2.0
        density = np.exp(-0.5 * ((here[:, None] - points) / step) ** 2) @ mass
        mass = density / (step * sqrt(2.0 * np.pi)) * weights * (edge - low) / 2.0
        points, before = here, t
    return tuple(found)


def _crossing(points: np.ndarray, mass: np.ndarray, step: float, need: float, t: float) -> float:
    """The level above which exactly `need` of the surviving mass lands."""
    low, high = -_REACH * sqrt(t), _REACH * sqrt(t)
    for _ in range(80):
        middle = (low + high) / 2.0
        if float(mass @ ndtr((points - middle) / step)) > need:
            low = middle
        else:
            high = middle
    return high
