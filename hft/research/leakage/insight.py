"""Does an alpha's own signal know its outcome, more than any honest alpha can?

Two columns that say nothing apart may say all of it as the alpha joins them: a side and a cost, a
flag that means something on the rows of entries only. The join is in the signal, so the signal is
asked what a column is asked, and one thing more. An honest alpha is bounded by what it would earn:
a correlation c with moves of which m fit into a day is a Sharpe ratio of c times the root of m a
day, before costs, and none that lasts reaches ten a year with moves of some rows and minutes. What
is nearer than that, a book or a bounce, says more and is left to the limits of columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import LATER_NS, Foresight, limit_of, pace_of
from hft.research.leakage.likeness import ROWS_MIN, ahead, correlation, fisher, ranks, spread
from hft.research.leakage.past import Past
from hft.research.leakage.report import Violation, moment

SHARPE_MOST, DAYS_A_YEAR = 10.0, 252
LIKENESS_LEAST = 0.3  # costs keep what is below from being earned where moves are many
ROWS_AHEAD = 4
HOUR_NS = 3_600_000_000_000
# A quarter of an hour ahead, of all rows: honest alphas in strangers' lists stay below 0.40.
QUARTER_NS, QUARTER = 900_000_000_000, 0.42
FIFTHS = 5
ERRORS = 3.0  # standard errors by which a likeness has to be above its limit
ERRORS_APART = 4.0  # on some of the rows, since there are a dozen such parts
STILL = 0.5  # of its rows: a signal that is held
USUAL_MIN = 0.3  # of its rows have one value

Part = tuple[str, np.ndarray, float]  # how it is called, its rows, the errors to be above by

CURE = (
    "Its fields say so together and not by themselves: take them out one by one to see which one "
    "carries it, find out when that one's values were known, and shift it to that time"
)


@dataclass(frozen=True)
class Asked:
    """What no past price explains of the signal and of its outcome, of all names."""

    signal: np.ndarray
    later: np.ndarray

    @cached_property
    def there(self) -> np.ndarray:
        """The rows where both are numbers."""
        return np.isfinite(self.signal) & np.isfinite(self.later)

    @cached_property
    def ranked(self) -> tuple[np.ndarray, np.ndarray]:
        """Both by rank."""
        fine = self.there
        pair = (self.signal, self.later)
        one, other = (ranks(np.where(fine, each, np.nan)) for each in pair)
        return one, other

    def likeness(self, rows: np.ndarray) -> float:
        """The larger of two, by value and by rank over all rows."""
        by_rank = correlation(*(one[rows] for one in self.ranked))
        return max(abs(correlation(self.signal[rows], self.later[rows])), abs(by_rank))


def signal_violations(signal: np.ndarray, data: ResearchData, horizon_ns: int) -> list[Violation]:
    """What an alpha's signal knows of its own outcome, with row, figure and what to do."""
    proof = insight(signal, data, horizon_ns)
    if proof is None:
        return []
    row, steps = proof.row, proof.steps
    ts = int(data.ts_ns[row])
    said = (
        f"the signal knows what comes up to {steps} row{'s'[: steps != 1]} later: {proof.how} is "
        f"{proof.size:.4f}, where an honest alpha stays below {proof.limit:.4g}; at {moment(ts)} "
        f"it says {signal[row]:.6g}. {CURE}"
    )
    found = Violation("label", said, row, ts, known=proof.size, prefix_rows=row + 1, reach=steps)
    return [found]


def insight(signal: np.ndarray, data: ResearchData, horizon_ns: int) -> Foresight | None:
    """The proof that a signal is made of its outcome; None without one."""
    reach = rows_ahead(data, horizon_ns)
    if not reach or not np.isfinite(signal).any():
        return None
    parts, pace = list(_parts(signal, data)), pace_of(data)
    found = [one for step in reach for one in _known(signal, data, step, parts, pace)]
    return max(found, key=lambda one: one.size - one.limit, default=None)


def rows_ahead(data: ResearchData, horizon_ns: int) -> tuple[int, ...]:
    """Half, once and twice the alpha's horizon, in rows."""
    reached = data.labels(horizon_ns).steps if horizon_ns > 0 else np.zeros(0)
    reached = reached[reached > 0]
    if not len(reached):
        return ()
    rows = int(np.median(reached))
    longest = len(data) // len(data.symbols) // 4
    steps = {max(rows // 2, 1), rows, 2 * rows}
    return tuple(sorted(step for step in steps if step <= longest))


def _known(
    signal: np.ndarray, data: ResearchData, step: int, parts: Sequence[Part], pace: float
) -> Iterator[Foresight]:
    """More than an edge may say, by so many standard errors that luck is out of the question."""
    asked = _asked(signal, data, step)
    if asked is None:
        return
    time = step * pace
    far = step >= ROWS_AHEAD and time >= LATER_NS
    often = float(np.mean(np.diff(data.price) != 0))
    for word, rows, errors in parts:
        fine = rows & asked.there
        apart = _apart(data, fine, step)
        if apart < ROWS_MIN:
            continue
        size = asked.likeness(fine)
        days = len(np.unique(data.session[fine]))
        earned = bound(apart / days)
        limit = earned if far else limit_of(step, often, pace)
        if not far and not word and time >= HOUR_NS:
            limit = min(limit, earned)
        elif not far and not word and time >= QUARTER_NS:
            limit = min(limit, max(earned, QUARTER))
        low = float(np.tanh((fisher(size, apart) - errors) / sqrt(apart - 3.0)))
        if low >= limit:
            at = np.flatnonzero(fine)
            row = int(at[np.argmax(np.abs(asked.signal[at] * asked.later[at]))])
            yield Foresight(f"likeness of its level with the move{word}", step, size, row, limit)


def bound(moves_a_day: float) -> float:
    """The likeness of an alpha of Sharpe ratio ten a year that has so many moves a day."""
    daily = SHARPE_MOST / sqrt(DAYS_A_YEAR)
    return max(LIKENESS_LEAST, daily / sqrt(max(moves_a_day, 1e-9)))


def _asked(signal: np.ndarray, data: ResearchData, step: int) -> Asked | None:
    said, came = np.full(len(data), np.nan), np.full(len(data), np.nan)
    for _, rows in data.groups():
        price = data.price[rows]
        if len(rows) < ROWS_MIN + 4 * step:
            continue
        mine, later = Past(price).left(signal[rows].astype(float), ahead(price, step))
        width = spread(later)
        if mine is not None and width > 0.0:
            said[rows], came[rows] = mine, later / width
    return Asked(said, came) if np.isfinite(said).any() else None


def _parts(signal: np.ndarray, data: ResearchData) -> Iterator[Part]:
    """All rows, each fifth of them, those at which it says something and at which it changes."""
    there = np.isfinite(signal)
    yield "", there, ERRORS
    place = np.zeros(len(signal))
    changes = np.zeros(len(signal), bool)
    for _, rows in data.groups():
        place[rows] = np.arange(len(rows)) * FIFTHS // len(rows)
        changes[rows] = np.diff(signal[rows], prepend=np.nan) != 0
    for part in range(FIFTHS):
        yield f" in the fifth {part + 1} of {FIFTHS} of its rows", place == part, ERRORS_APART
    if not there.any():
        return
    different, counts = np.unique(signal[there], return_counts=True)
    usual = different[np.argmax(counts)]
    if counts.max() >= USUAL_MIN * there.sum():
        yield f" where it is not {usual:g}", there & (signal != usual), ERRORS_APART
    if changes[there].mean() < STILL:
        yield " where it changes", there & changes, ERRORS_APART


def _apart(data: ResearchData, fine: np.ndarray, step: int) -> int:
    """Moves that do not overlap, those of several names at a time counted once on average."""
    count = 0
    for _, rows in data.groups():
        count += len(np.unique(np.flatnonzero(fine[rows]) // step))
    return count // len(data.symbols)
