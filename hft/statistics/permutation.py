"""Null distributions made from the data themselves, and how an edge takes a late fill.

p is (1 + exceedances) / (1 + draws): it is never 0. Across names the labels of a date are shuffled;
one name is shifted in a circle, which keeps both autocorrelations. Neither sees a tautological
label: structural checks do.
Source: Phipson and Smyth, "Permutation p-values should never be zero" (2010).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.information import ranks
from hft.statistics.series import generator, paired, series


def permutation_p(statistic: float, null: ArrayLike) -> float:
    """Share of the null at or above the statistic, counting the statistic itself."""
    drawn = series(null, minimum=0, name="null")
    if not np.isfinite(statistic):
        raise ValueError(f"statistic {statistic}: it must be a number")
    return (1.0 + float((drawn >= statistic).sum())) / (1.0 + drawn.size)


def circular_p(
    signal: ArrayLike,
    label: ArrayLike,
    *,
    reps: int = 999,
    min_shift: int = 1,
    seed: int = 42,
    rank: bool = True,
) -> float | None:
    """One-sided p of the correlation over time, against circular shifts of the label.

    Every shift is at least `min_shift` rows from none (use the label's reach or the signal's
    memory). All shifts are scored at once by a Fourier transform. None when nothing varies.
    Raises: ValueError when `min_shift` leaves no room.
    """
    x, y = paired(signal, label, 3, ("signal", "label"))
    n = x.size
    if not 0 < min_shift <= n // 2:
        raise ValueError(f"min_shift {min_shift}: between 1 and half of {n} rows")
    a, b = (ranks(x), ranks(y)) if rank else (x, y)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    if scale <= 1e-12 * n * max(float(np.abs(a).max()) * float(np.abs(b).max()), 1e-280):
        return None
    # sums[s] is the inner product of the signal with the label moved s rows on.
    sums = np.fft.irfft(np.fft.rfft(a) * np.conj(np.fft.rfft(b)), n)
    shifts = generator(seed, 6).integers(min_shift, n - min_shift + 1, reps)
    # Equal alignments differ in the last bits of the transform; they count as ties.
    room = 1e-9 * scale
    return (1.0 + float((sums[shifts] >= float(a @ b) - room).sum())) / (1.0 + reps)


def panel_circular_p(
    pairs: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    reps: int = 999,
    min_shift: int = 1,
    seed: int = 42,
) -> float | None:
    """The same for several names, each a pair of signal and label over its own rows.

    The sum of the names' rank products against shifts by a common share of each name's rows. None
    when no name varies. Raises: ValueError when `min_shift` leaves a name no room.
    """
    shares = generator(seed, 6).random(reps)
    total, null, moving = 0.0, np.zeros(reps), False
    for signal, label in pairs:
        x, y = paired(signal, label, 3, ("signal", "label"))
        n = x.size
        if not 0 < min_shift <= n // 2:
            raise ValueError(f"min_shift {min_shift}: between 1 and half of {n} rows")
        a, b = ranks(x), ranks(y)
        a, b = a - a.mean(), b - b.mean()
        scale = float(np.sqrt((a @ a) * (b @ b)))
        if scale <= 0.0:
            continue
        moving = True
        sums = np.fft.irfft(np.fft.rfft(a) * np.conj(np.fft.rfft(b)), n) / scale
        total += float(a @ b) / scale
        room = n - 2 * min_shift
        null += sums[min_shift + (shares * (room + 1)).astype(np.int64).clip(0, room)]
    if not moving:
        return None
    return (1.0 + float((null >= total - 1e-9).sum())) / (1.0 + reps)


def shifted_null(
    label: np.ndarray,
    statistic: Callable[[np.ndarray], float],
    *,
    reps: int = 999,
    min_shift: int = 1,
    seed: int = 42,
) -> np.ndarray:
    """`statistic` of circularly shifted copies of anything with time down its first axis."""
    n = len(label)
    if not 0 < min_shift <= n // 2:
        raise ValueError(f"min_shift {min_shift}: between 1 and half of {n} rows")
    shifts = generator(seed, 6).integers(min_shift, n - min_shift + 1, reps)
    return np.array([statistic(np.roll(label, int(shift), axis=0)) for shift in shifts])


def shuffled_within(dates: ArrayLike, values: ArrayLike, rng: np.random.Generator) -> np.ndarray:
    """Values shuffled among the rows of the same date."""
    day, x = np.asarray(dates), np.asarray(values)
    key = rng.random(x.size)
    inside = np.lexsort((key, day))
    plain = np.argsort(day, kind="stable")
    shuffled = np.empty_like(x)
    shuffled[plain] = x[inside]
    return shuffled


def shuffle_null(
    dates: ArrayLike,
    label: ArrayLike,
    statistic: Callable[[np.ndarray], float],
    *,
    reps: int = 999,
    seed: int = 42,
) -> np.ndarray:
    """`statistic` of labels shuffled within their dates."""
    rng = generator(seed, 7)
    return np.array([statistic(shuffled_within(dates, label, rng)) for _ in range(reps)])


@dataclass(frozen=True, slots=True)
class LagRetention:
    """What one bar of delay leaves of a Sharpe ratio.

    `retention` is None when there was nothing to keep; `same_bar` marks an edge that lives at lag 0
    only, the mark of a fill that was not there.
    """

    at_zero: float
    at_one: float
    retention: float | None
    same_bar: bool


def lag_retention(at_zero: float | None, at_one: float | None) -> LagRetention | None:
    """The Sharpe ratio of a signal beside that of the signal one bar late; None if unknown."""
    if at_zero is None or at_one is None:
        return None
    if at_zero <= 0.0:
        return LagRetention(at_zero, at_one, None, False)
    kept = at_one / at_zero
    return LagRetention(at_zero, at_one, kept, kept <= 0.0)
