"""The information coefficient: does the signal rank what happens next?

Spearman decides, Pearson stands beside it (outliers), ties get average ranks. A cross-section or a
stretch without variation is missing, not 0. t-values allow for overlap (HAC).
Source: Grinold, "The fundamental law of active management" (1989).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.hac import HacT, hac_t
from hft.statistics.series import paired, series
from hft.statistics.sharpe import sharpe

# Fewer pairs than this make no coefficient.
FEWEST = 8


@dataclass(frozen=True, slots=True)
class Ic:
    """Correlation of signal and outcome; None where one of them does not vary."""

    spearman: float | None
    pearson: float | None
    n: int


@dataclass(frozen=True, slots=True)
class IcSeries:
    """Coefficients over time, and what they amount to."""

    spearman: np.ndarray  # one per chunk or date that has one, or a session's part of one
    pearson: np.ndarray
    at: np.ndarray  # number of the chunk or date each belongs to
    dropped: int  # chunks or dates without variation or with too few pairs
    horizon: int = 1  # neighbours whose labels overlap

    @property
    def mean(self) -> float | None:
        """Mean Spearman coefficient."""
        return float(self.spearman.mean()) if self.spearman.size else None

    @property
    def pearson_mean(self) -> float | None:
        """Mean Pearson coefficient."""
        return float(self.pearson.mean()) if self.pearson.size else None

    @property
    def pearson_sd(self) -> float | None:
        """Standard deviation (n - 1) of the Pearson coefficients."""
        return float(self.pearson.std(ddof=1)) if self.pearson.size > 1 else None

    @property
    def icir(self) -> float | None:
        """Mean over sd of the Spearman coefficients."""
        return sharpe(self.spearman) if self.spearman.size > 1 else None

    @property
    def hit_rate(self) -> float | None:
        """Share of Spearman coefficients above zero."""
        return float((self.spearman > 0.0).mean()) if self.spearman.size else None

    @property
    def t(self) -> HacT | None:
        """HAC t of the mean Spearman coefficient; None below three of them."""
        if self.spearman.size < 3:
            return None
        return hac_t(self.spearman, horizon=self.horizon)


def ranks(values: np.ndarray) -> np.ndarray:
    """Average ranks from 1."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[inverse]


def pearson(x: np.ndarray, y: np.ndarray) -> float | None:
    """Pearson correlation; None when either does not vary."""
    a, b = x - x.mean(), y - y.mean()
    spread_a, spread_b = float(a @ a), float(b @ b)
    floor_a = 1e-24 * x.size * max(float(np.abs(x).max()) ** 2, 1e-280)
    floor_b = 1e-24 * y.size * max(float(np.abs(y).max()) ** 2, 1e-280)
    if spread_a <= floor_a or spread_b <= floor_b:
        return None
    return float(np.clip(float(a @ b) / sqrt(spread_a) / sqrt(spread_b), -1.0, 1.0))


def ic(signal: ArrayLike, label: ArrayLike, minimum: int = 2) -> Ic:
    """Spearman and Pearson of one sample; None with fewer than `minimum` pairs.

    Raises: ValueError on NaN or unequal lengths.
    """
    x, y = paired(signal, label, 0, ("signal", "label"))
    if x.size < max(minimum, 2):
        return Ic(None, None, x.size)
    return Ic(pearson(ranks(x), ranks(y)), pearson(x, y), x.size)


def ic_by_chunk(signal: ArrayLike, label: ArrayLike, *, horizon: int = 1) -> IcSeries:
    """Coefficients of consecutive chunks of max(8, n // 20) rows; a shorter rest joins the last.

    `horizon` is how many rows a label reaches over. With fewer than 8 rows there is none.
    """
    x, y = paired(signal, label, 0, ("signal", "label"))
    size = max(FEWEST, x.size // 20)
    starts = list(range(0, x.size - size + 1, size))
    pieces = [(a, x.size if a == starts[-1] else a + size) for a in starts]
    overlap = 1 + (horizon - 1) // size
    return _collected([(x[a:b], y[a:b]) for a, b in pieces], FEWEST, overlap)


def ic_by_date(
    dates: ArrayLike,
    signal: ArrayLike,
    label: ArrayLike,
    *,
    min_names: int = 5,
    horizon: int = 1,
) -> IcSeries:
    """Coefficients across names, one per date in ascending order.

    A pair with a NaN is dropped from its date; a date with fewer than `min_names` is missing.
    `horizon` is how many dates a label reaches over.
    """
    day, x, y = np.asarray(dates), np.asarray(signal, float), np.asarray(label, float)
    if day.ndim != 1 or day.shape != x.shape or x.shape != y.shape:
        raise ValueError(f"dates {day.shape}, signal {x.shape}, label {y.shape}: equal lengths")
    keep = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(day, kind="stable")
    values, first = np.unique(day[order], return_index=True)
    rows = np.split(order, first[1:]) if values.size else []
    return _collected(
        [(x[r][keep[r]], y[r][keep[r]]) for r in rows], max(min_names, 2), max(horizon, 1)
    )


def ic_over_time(
    sessions: ArrayLike, signal: ArrayLike, label: ArrayLike, *, horizon: int = 1
) -> IcSeries:
    """The coefficient of one name over time, as what each session adds to it.

    Ranks are over all rows; a session's figure is its part of the sum, scaled so that their mean is
    the coefficient of all rows. Sessions, not rows, are what a t counts. A coefficient within each
    session would take away the session's mean, and with it most of a signal that moves slowly.
    Pairs with a NaN are dropped; nothing that varies gives none. `horizon` is how many sessions a
    label reaches over.
    """
    day, x, y = np.asarray(sessions), np.asarray(signal, float), np.asarray(label, float)
    if day.ndim != 1 or day.shape != x.shape or x.shape != y.shape:
        raise ValueError(f"sessions {day.shape}, signal {x.shape}, label {y.shape}: equal lengths")
    keep = np.isfinite(x) & np.isfinite(y)
    names, at = np.unique(day, return_inverse=True)
    at, x, y = at[keep], x[keep], y[keep]
    counts = np.bincount(at, minlength=len(names))
    there = np.flatnonzero(counts)
    found = []
    for a, b in ((ranks(x), ranks(y)), (x, y)):
        if x.size < 2 or pearson(a, b) is None:
            return IcSeries(np.zeros(0), np.zeros(0), np.zeros(0, np.int64), len(names), horizon)
        a, b = a - a.mean(), b - b.mean()
        part = np.bincount(at, a * b, len(names))[there]
        found.append(part * (len(there) / sqrt(float(a @ a)) / sqrt(float(b @ b))))
    return IcSeries(found[0], found[1], there, len(names) - len(there), max(horizon, 1))


def rolling(values: ArrayLike, window: int) -> np.ndarray:
    """Mean of the last `window` coefficients at each point; NaN until there are that many."""
    x = series(values, minimum=0, name="values")
    if window < 1:
        raise ValueError(f"window {window}: at least 1")
    means = np.full(x.size, np.nan)
    if x.size >= window:
        total = np.concatenate([[0.0], np.cumsum(x)])
        means[window - 1 :] = (total[window:] - total[:-window]) / window
    return means


def fundamental_law(mean_ic: float, breadth: float) -> float:
    """Information ratio of a coefficient applied `breadth` independent times a year."""
    if breadth < 0.0:
        raise ValueError(f"breadth {breadth}: it cannot be negative")
    return mean_ic * sqrt(breadth)


def _collected(
    samples: list[tuple[np.ndarray, np.ndarray]], minimum: int, horizon: int
) -> IcSeries:
    """The coefficients of many samples; those of one length are computed at once."""
    spearman, alike = np.full((2, len(samples)), np.nan)
    sizes = np.array([x.size for x, _ in samples], np.int64)
    for size in np.unique(sizes[sizes >= max(minimum, 2)]).tolist():
        mine = np.flatnonzero(sizes == size)
        x, y = (np.array([samples[i][side] for i in mine]) for side in (0, 1))
        spearman[mine] = _pearson_rows(_ranks_rows(x), _ranks_rows(y))
        alike[mine] = _pearson_rows(x, y)
    kept = np.flatnonzero(np.isfinite(spearman) & np.isfinite(alike))
    return IcSeries(
        spearman=spearman[kept],
        pearson=alike[kept],
        at=kept,
        dropped=len(samples) - len(kept),
        horizon=horizon,
    )


def _ranks_rows(values: np.ndarray) -> np.ndarray:
    """`ranks` of every row."""
    order = np.argsort(values, axis=1, kind="stable")
    ascending = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    edge = np.ones((len(values), 1), bool)
    other = ascending[:, 1:] != ascending[:, :-1]
    first = np.maximum.accumulate(np.where(np.hstack([edge, other]), place, 0), axis=1)
    ends = np.where(np.hstack([other, edge]), place, values.shape[1])
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    found = np.empty(values.shape)
    np.put_along_axis(found, order, (first + last) / 2.0 + 1.0, axis=1)
    return found


def _pearson_rows(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`pearson` of every pair of rows; NaN where it is None."""
    a, b = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    spread, moving = [], np.ones(len(x), bool)
    for part, values in ((a, x), (b, y)):
        square = np.einsum("ij,ij->i", part, part)
        floor = 1e-24 * x.shape[1] * np.maximum(np.abs(values).max(axis=1) ** 2, 1e-280)
        moving &= square > floor
        spread.append(np.sqrt(square))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.clip(np.einsum("ij,ij->i", a, b) / spread[0] / spread[1], -1.0, 1.0)
    return np.where(moving, found, np.nan)
