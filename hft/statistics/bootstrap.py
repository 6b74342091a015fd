"""The stationary bootstrap: blocks of geometric length, wrapped around, so dependence survives.

Owns the automatic block length, too (flat-top kernel; checked against arch, which is therefore not
needed here). All draws come from one seeded generator in one fixed order.
Source: Politis and Romano (1994); Politis and White (2004); Patton, Politis and White (2009).
"""

from collections.abc import Callable
from math import ceil, log10, sqrt

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.series import generator, is_flat, series

# Values drawn at once, so that a long series times many draws stays in memory.
_CHUNK_VALUES = 4_000_000


def block_length(values: ArrayLike) -> float:
    """Mean block length that suits a series, at least 1 and at most min(3 sqrt n, n / 3)."""
    x = series(values, minimum=4, name="values")
    n = x.size
    if is_flat(float(x.mean()), float(x.std())):
        return 1.0
    centred = x - x.mean()
    reach = max(5, int(log10(n)))
    longest = min(ceil(sqrt(n)) + reach, n - 2)
    gamma = np.array([centred[lag:] @ centred[: n - lag] / n for lag in range(longest + 1)])
    m = min(2 * _first_quiet(centred, gamma, reach), longest)
    lags = np.arange(1, m + 1)
    taper = np.where(lags / m <= 0.5, 1.0, 2.0 * (1.0 - lags / m))
    spectrum = gamma[0] + 2.0 * float(taper @ gamma[1 : m + 1])
    slope = 2.0 * float((taper * lags) @ gamma[1 : m + 1])
    if spectrum == 0.0:
        return 1.0
    best = (slope / spectrum) ** 2
    return float(min(max(best ** (1.0 / 3.0) * n ** (1.0 / 3.0), 1.0), _longest(n)))


def _longest(n: int) -> float:
    return float(max(1, ceil(min(3.0 * sqrt(n), n / 3.0))))


def _first_quiet(centred: np.ndarray, gamma: np.ndarray, reach: int) -> int:
    """The first lag from which `reach` autocorrelations in a row are insignificant."""
    n = centred.size
    level = 2.0 * sqrt(log10(n) / n)
    quiet = np.zeros(gamma.size, dtype=bool)
    for lag in range(1, gamma.size):
        tail, head = centred[lag + 1 :], centred[: -(lag + 1)]
        scale = sqrt(float(tail @ tail) * float(head @ head))
        quiet[lag] = abs(gamma[lag] * n) < level * scale
    for lag in range(1, gamma.size - reach):
        if quiet[lag : lag + reach].all():
            return lag
    return gamma.size  # never quiet: the caller's cap decides


def indices(
    n: int, reps: int, block: float, rng: np.random.Generator, length: int = 0
) -> np.ndarray:
    """Row numbers of `reps` resamples of `length` rows (n by default): int64[reps, length]."""
    if block < 1.0:
        raise ValueError(f"block {block}: a mean length of at least 1 is needed")
    size = length or n
    fresh = rng.random((reps, size)) < 1.0 / block
    fresh[:, 0] = True
    starts = rng.integers(0, n, (reps, size))
    # Position of the block's first row, carried forward; then count on from it and wrap.
    opened = np.maximum.accumulate(np.where(fresh, np.arange(size), 0), axis=1)
    return (np.take_along_axis(starts, opened, axis=1) + np.arange(size) - opened) % n


def resample(
    values: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    reps: int,
    block: float,
    seed: int,
    length: int = 0,
) -> np.ndarray:
    """`statistic` of every resample: it takes [reps, length, ...] and gives one row per resample.

    Rows of `values` are kept together, so columns stay aligned.
    """
    rng = generator(seed, 1)
    size = (length or len(values)) * max(1, values[0].size if values.ndim > 1 else 1)
    step = max(1, min(reps, _CHUNK_VALUES // size))
    parts = [
        statistic(values[indices(len(values), min(step, reps - done), block, rng, length)])
        for done in range(0, reps, step)
    ]
    return np.concatenate(parts)
