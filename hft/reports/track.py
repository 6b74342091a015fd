"""A value over time as a page keeps it: it holds until the next, and no extreme is lost.

Time is cut into steps of 1 us, or of that doubled as often as it takes to be left with few enough.
A step in which the value changed keeps its lowest, its highest and its last value, as whole numbers
of a unit; the other steps cost nothing.
"""

from base64 import b64encode
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

STEP_NS = 1_000
STEPS_HELD = 1 << 19  # of a track before a page chooses how many it has room for
DOUBLINGS_MAX = 50
LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
GAP = LEAST  # the last value of a step from which on nothing holds
FINE, DIGITS = 4, 14  # decimal digits that the range of a float is cut into, that it has at most
SMALL = 11  # two numbers below it are packed as one


class Track(NamedTuple):
    """Steps in order: when (in steps since the epoch), and the values in units."""

    step_ns: int
    at: np.ndarray
    low: np.ndarray
    high: np.ndarray
    last: np.ndarray
    unit: float

    @property
    def ts_ns(self) -> np.ndarray:
        """When each step begins."""
        return np.asarray(self.at * self.step_ns)

    def values(self, name: str) -> np.ndarray:
        """`low`, `high` or `last` as numbers, NaN where there is no value."""
        found = getattr(self, name)
        none = self.last == GAP if name == "last" else self.high < self.low
        return np.where(none, np.nan, np.where(none, 0, found) * self.unit)

    def extremes(self) -> tuple[float, float] | None:
        """Lowest and highest value; None without any."""
        if not (self.low <= self.high).any():
            return None
        return float(self.low.min() * self.unit), float(self.high.max() * self.unit)


class Market(NamedTuple):
    """Best bid, best ask and the ticks between them."""

    bid: Track
    ask: Track
    spread: Track


def track(ts_ns: np.ndarray, whole: np.ndarray, unit: float, *, most: int = STEPS_HELD) -> Track:
    """The track of values in time order, GAP where there is none."""
    whole = np.asarray(whole, np.int64)
    changed = np.flatnonzero(np.append(True, whole[1:] != whole[:-1])[: len(whole)])
    held = whole[changed]
    none = held == GAP
    made = Track(
        1,
        np.asarray(ts_ns, np.int64)[changed],
        np.where(none, MOST, held),
        np.where(none, LEAST, held),
        held,
        unit,
    )
    return fitted(made, most)


def track_of(ts_ns: np.ndarray, values: np.ndarray, *, most: int = STEPS_HELD) -> Track:
    """The track of floats, in a decimal unit that cuts their range into 10^4 parts or more."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values) & (np.abs(values) < 1e14)
    unit = 10.0 ** -decimals(values[known])
    whole = np.full(len(values), GAP)
    whole[known] = np.rint(values[known] / unit).astype(np.int64)
    return track(ts_ns, whole, unit, most=most)


def decimals(values: np.ndarray) -> int:
    """Digits behind the point that show these values apart; never below zero, at most twelve."""
    if len(values) == 0:
        return 0
    most = float(np.abs(values).max())
    wide = float(values.max() - values.min()) or most
    if wide == 0:
        return 0
    fine, whole = FINE - int(np.floor(np.log10(wide))), DIGITS - int(np.ceil(np.log10(most)))
    return min(max(fine, 0), max(whole, 0), 12)


def fitted(one: Track, most: int) -> Track:
    """The track in the shortest steps that leave at most `most`."""
    base, ts_ns = max(one.step_ns, STEP_NS), one.ts_ns

    def few(doublings: int) -> bool:
        return int(np.count_nonzero(np.diff(ts_ns // (base << doublings)))) < most

    return _cut(one, base << bisect_left(range(DOUBLINGS_MAX), True, key=few))


def _cut(one: Track, step_ns: int) -> Track:
    """The track in steps of another length, which is a multiple of its own."""
    at = one.ts_ns // step_ns
    if len(at) == 0:
        return one._replace(step_ns=step_ns)
    first = np.flatnonzero(np.append(True, at[1:] != at[:-1]))
    end = np.append(first[1:], len(at)) - 1
    low = np.minimum.reduceat(one.low, first)
    high = np.maximum.reduceat(one.high, first)
    return Track(step_ns, at[first], low, high, one.last[end], one.unit)


def joined(parts: Sequence[Track], most: int) -> Track:
    """Tracks of one value, one after the other, as one."""
    step_ns = max(part.step_ns for part in parts)
    cut = [_cut(part, step_ns) for part in parts]
    at, low, high, last = (
        np.concatenate([getattr(part, name) for part in cut]) for name in Track._fields[1:5]
    )
    news = (low != high) | (low != last) | np.append(True, last[1:] != last[:-1])[: len(last)]
    at, low, high, last = (column[news] for column in (at, low, high, last))
    return fitted(Track(step_ns, at, low, high, last, parts[0].unit), most)


def sized(one: Track, room: int, start_ns: int) -> Track:
    """The track in the shortest steps with which it takes at most `room` characters."""
    made = fitted(one, max(room // 2, 1))
    if len(packed(made, start_ns)) <= room:
        return made

    def fits(doublings: int) -> bool:
        return len(packed(_cut(made, made.step_ns << doublings), start_ns)) <= room

    return _cut(made, made.step_ns << bisect_left(range(DOUBLINGS_MAX // 2), True, key=fits))


def within(one: Track, start_ns: int, end_ns: int) -> Track:
    """The part of a track in a span of time, with what held when that began."""
    ts_ns = one.ts_ns
    low, high = np.searchsorted(ts_ns, (start_ns, end_ns), side="right")
    part = one._replace(**{name: getattr(one, name)[low:high] for name in Track._fields[1:5]})
    if low == 0 or one.last[low - 1] == GAP:
        return part
    held = one.last[low - 1 : low]
    first = Track(one.step_ns, np.array([start_ns // one.step_ns]), held, held, held, one.unit)
    return joined([first, part], max(len(part.at) + 1, 1))


def packed(one: Track, start_ns: int) -> str:
    """The steps as text, two to four numbers each, as `page.js` reads them.

    Twice the change of the last value (plus one; zero for a gap), plus one where it is not the next
    step, followed by how many steps it is on (the first one's from the step of `start_ns`); then
    how far the lowest is below and the highest above the last: as one number while both are small.
    """
    gap = one.last == GAP
    known = np.maximum.accumulate(np.where(gap, -1, np.arange(len(gap))))
    before = np.append(-1, known[:-1])[: len(gap)]
    prev = np.where(before >= 0, np.where(gap, 0, one.last)[np.maximum(before, 0)], 0)
    inside = one.low <= one.high
    last, low, high = (np.where(inside, part, 0) for part in (one.last, one.low, one.high))
    ahead = np.diff(one.at, prepend=start_ns // one.step_ns)
    code = np.where(gap, 0, _signed(np.where(gap, 0, last) - prev) + 1)
    under = np.where(gap, np.where(inside, _signed(low - prev) + 1, 0), last - low)
    over = np.where(gap, high - low, high - last)
    small = (under < SMALL) & (over < SMALL)
    both = np.where(small, under * SMALL + over, under + SMALL * SMALL)
    table = np.stack([2 * code + (ahead != 1), ahead, both, over], axis=1)
    there = np.stack([gap | ~gap, ahead != 1, gap | ~gap, ~small], axis=1)
    return text(table[there])


def _signed(values: np.ndarray) -> np.ndarray:
    """Whole numbers as ones that are not negative, small where they were near to zero."""
    return np.asarray((values << 1) ^ (values >> 63))


def text(numbers: np.ndarray) -> str:
    """Numbers >= 0 as base64 of seven bits a byte, the lowest first, the high bit for `more`."""
    wide = np.ones(len(numbers), np.int64)
    for k in range(1, 9):
        wide += numbers >> (7 * k) > 0
    ends = np.cumsum(wide)
    out = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for k in range(int(wide.max(initial=0))):
        here = np.flatnonzero(wide > k)
        more = np.where(wide[here] > k + 1, 128, 0)
        out[(ends - wide)[here] + k] = ((numbers[here] >> (7 * k)) & 127) | more
    return b64encode(out.tobytes()).decode()


def events(ts_ns: np.ndarray, start_ns: int, whole: np.ndarray, *more: np.ndarray) -> str:
    """Moments with values as text: us since the one before, change of the value, then `more`."""
    at = (np.asarray(ts_ns, np.int64) - start_ns) // STEP_NS
    changes = _signed(np.diff(np.asarray(whole, np.int64), prepend=0))
    return text(np.stack([_signed(np.diff(at, prepend=0)), changes, *more], axis=1).ravel())
