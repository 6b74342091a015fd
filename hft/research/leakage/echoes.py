"""A column that is another column, or the size of moves, of later rows; and ranks across names."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from hft.research.data.aliases import of_the_market
from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Z_MIN, Foresight, is_price, limit_of, pace_of
from hft.research.leakage.likeness import (
    ROWS_MIN,
    correlation,
    fisher,
    has_news,
    ranks,
    spread,
    tamed,
    unexplained,
)
from hft.research.leakage.past import Past

ROWS_MOST = 4_000
ECHO, DISTINCT_MIN = 0.97, 100  # flow that a thin book answers a row later reaches 0.94
LEAD_LEAST, LEAD_SOON, LEAD_FAR, LEAD, LEAD_Z = 4, 0.4, 30, 0.25, 10.0
STANDS = 0.5  # of its rows a column that is set now and then has a new value in fewer
OWN_SHARE = 0.05  # of what is new in a column must be its own, else the two are one


def echo(
    values: np.ndarray, data: ResearchData, name: str, steps: Sequence[int]
) -> Foresight | None:
    """Does what is new in a column say what will be new in another one, or how far prices move?"""
    rows = slice(0, ROWS_MOST)
    mine, price = values[rows], data.price[rows]
    step = np.abs(np.diff(price, prepend=np.nan))
    others = {"the size of the price's steps": step}
    kinds = data.frame.schema
    for column in [one for one in data.columns if one != name and kinds[one].is_numeric()]:
        if of_the_market(name) and not of_the_market(column):
            continue  # which may be a late copy of this one
        series = data.field(column)[rows]
        if not is_price(series, price) and has_news(series, data.session[rows]):
            others[f"column {column!r}"] = series
    last = np.concatenate([[np.nan], mine[:-1]])
    best, moved = None, spread(unexplained(mine, [last]))
    for word, series in others.items():
        before = np.concatenate([[np.nan], series[:-1]])
        new = unexplained(mine, [last, series, before])
        if spread(new) <= OWN_SHARE * moved:
            continue
        for k in (one for one in steps if one < len(mine) - ROWS_MIN):
            later = np.full(len(series), np.nan)
            later[:-k] = series[k:]
            other = unexplained(later, [series, before])
            size = _likeness(new, other)
            if size < ECHO or fisher(size, len(mine) / k) < Z_MIN:
                continue
            if best is None or size > best.size:
                row = int(np.argmax(np.isfinite(new)))
                best = Foresight(f"correlation with {word} then", k, size, row, ECHO)
    return best


def shifted(values: np.ndarray, price: np.ndarray) -> Foresight | None:
    """Is a column the price's step of later rows, however many: a clock that is an hour ahead?

    So far ahead of single steps nothing honest has any likeness, so that little condemns.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.diff(price, prepend=np.nan) / price
    later, past = _standard(step), Past(price)
    best = None
    for word, form in (("level", values), ("change", np.diff(values, prepend=np.nan))):
        mine, size = _standard(form), 2 * len(values)
        product = np.fft.irfft(np.conj(np.fft.rfft(mine, size)) * np.fft.rfft(later, size), size)
        leads = np.abs(product[: len(values) // 4]) / len(values)
        for begin, end, limit in ((LEAD_LEAST, LEAD_FAR, LEAD_SOON), (LEAD_FAR, None, LEAD)):
            if not len(leads[begin:end]):
                continue
            at = int(np.argmax(leads[begin:end])) + begin
            likeness = float(leads[at])
            if likeness < limit or fisher(min(likeness, 1.0), len(values)) < LEAD_Z:
                continue
            # A price that swings says its own later steps, and so does what repeats it.
            ahead_of_it = np.append(step[at:], np.full(at, np.nan))
            if past.beyond(form, ahead_of_it) < limit:
                continue
            if best is None or likeness > best.size:
                how = f"correlation of its {word} with one step of the price"
                best = Foresight(how, at, likeness, int(np.argmax(mine != 0)), limit)
    return best


def _standard(values: np.ndarray) -> np.ndarray:
    """Ranks with mean 0 and variance 1; 0 where there is none."""
    found = ranks(values)
    found -= np.nanmean(found) if np.isfinite(found).any() else 0.0
    width = spread(found)
    return np.nan_to_num(found / width) if width > 0 else np.zeros(len(values))


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The smaller of two correlations, by value and by rank; 0 of columns that hardly change."""
    fine = np.isfinite(one) & np.isfinite(other)
    a, b = one[fine], other[fine]
    if min(len(np.unique(a)), len(np.unique(b))) < DISTINCT_MIN:
        return 0.0
    by_value = abs(correlation(tamed(a), tamed(b)))
    if by_value < ECHO:
        return by_value
    return min(by_value, abs(correlation(ranks(a), ranks(b))))


class CrossSection:
    """The names of a panel against each other at each time: who does better than the others?"""

    def __init__(self, data: ResearchData, steps: Sequence[int]) -> None:
        self.data, self.moves = data, {}
        self.pace_ns = pace_of(data)
        for step in steps:
            later = np.full(len(data), np.nan)
            for _, rows in data.groups():
                price = data.price[rows]
                if len(rows) > step:
                    with np.errstate(invalid="ignore", divide="ignore"):
                        later[rows[:-step]] = price[step:] / price[:-step] - 1.0
            self.moves[step] = self._among(later)

    def foresight(self, values: np.ndarray) -> Foresight | None:
        """The distance at which a column, or its step to a new value, ranks the names as their
        moves will."""
        return self._foretold(values) or self._foretold(self._new(values))

    def _foretold(self, values: np.ndarray) -> Foresight | None:
        mine = self._among(values)
        for step, later in self.moves.items():
            fine = np.isfinite(mine) & np.isfinite(later)
            if fine.sum() < 2 * ROWS_MIN:
                continue
            size = abs(correlation(mine[fine], later[fine]))
            ranked = abs(correlation(ranks(mine[fine]), ranks(later[fine])))
            size, limit = max(size, ranked), limit_of(step, 1.0, self.pace_ns)
            times = len(self.data) / max(len(self.data.symbols), 1) / step
            times = min(times, len(np.unique(self.data.ts_ns[fine])))
            if size >= limit and fisher(size, times) >= Z_MIN:
                row = int(np.flatnonzero(fine)[0])
                return Foresight("correlation among the names at a time", step, size, row, limit)
        return None

    def _new(self, values: np.ndarray) -> np.ndarray:
        """The changes of a column that stands still at most rows; NaN elsewhere."""
        found = np.full(len(values), np.nan)
        for _, rows in self.data.groups():
            step = np.diff(values[rows], prepend=np.nan)
            if np.mean(step != 0) < STANDS:
                found[rows] = np.where(step != 0, step, np.nan)
        return found

    def _among(self, values: np.ndarray) -> np.ndarray:
        frame = pl.DataFrame({"ts": self.data.ts_ns, "v": values}, nan_to_null=True)
        mean = pl.col("v").mean().over("ts")
        return frame.select((pl.col("v") - mean).fill_null(np.nan)).to_series().to_numpy()
