"""Sessions that are missing from data, and which of them have a reason.

Where the data's calendar is known (of its tapes, or named beside it), or its days tell it, the
table of sessions says exactly which are missing, single ones too. Elsewhere days are counted by
the week: known closures explain a gap, and single days count once they are more than holidays could
be. In both, a gap is explained when the data says so, or when the data is sampled at that distance
all around it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hft.tape.sessions import names, sessions_of

TOLD_BY = 60  # sessions; fewer do not tell a calendar
DAY_KINDS = ("1111100", "1111111", "1111110")  # weekdays; every day; every day but Sunday
# Closures of more than a session: exchange holidays that meet, and days that stood still.
CLOSED = (
    ("2001-09-11", "2001-09-14"),  # New York
    ("2012-10-29", "2012-10-30"),  # New York, the hurricane
    ("1914-07-31", "1914-11-27"),
)
CADENCE_ROUND = 3
STRAY = 0.01  # of the sessions, that a calendar told by the days need not have: a Saturday's test
STRAY_COSTS = 10  # a day that a calendar has not says more against it than one that lacks
HOLIDAYS = 0.05  # of the days of the week, that may lack singly in a market without a table


@dataclass(frozen=True)
class Gap:
    """Sessions missing between two that are there (YYYYMMDD)."""

    after: int
    before: int
    missing: int
    reason: str = ""
    calendar: str = ""  # the table that says so; none: counted by weekdays

    @property
    def sentence(self) -> str:
        """The gap in words."""
        noun = "session is" if self.missing == 1 else "sessions are"
        whose = f" ({self.calendar})" if self.calendar else ""
        text = f"{self.missing} {noun} missing between {self.after} and {self.before}{whose}"
        return f"{text} ({self.reason})" if self.reason else text


def gaps(
    sessions: Sequence[int],
    explained: Sequence[tuple[int, int]] = (),
    calendar: str | None = None,
) -> list[Gap]:
    """Gaps with the reason where there is one; single sessions where a calendar is known."""
    if len(sessions) < 3:
        return []
    known = calendar if calendar and _table(calendar, sessions) is not None else told_by(sessions)
    table = _table(known, sessions) if known else None
    if table is not None:
        return _exactly(sessions, table, explained, known)
    days = _days(sessions)
    week = _week(days)
    steps = np.busday_count(days[:-1], days[1:], weekmask=week)
    single = int((steps == 2).sum())
    least = 2 if single <= math.ceil(HOLIDAYS * (len(sessions) + single)) else 1
    found = []
    for k in np.flatnonzero(steps > least).tolist():
        low, high = int(sessions[k]), int(sessions[k + 1])
        missing = int(steps[k]) - 1
        told = any(first <= low and high <= last for first, last in explained)
        reason = "as the data's description says" if told else ""
        if not reason and _lacks(days[k], days[k + 1], week) < least:
            reason = "exchange closed"
        found.append(Gap(low, high, missing, reason or _cadence(steps, k)))
    return found


def told_by(sessions: Sequence[int]) -> str:
    """The calendar that has these sessions and the fewest others; "" without one.

    It has to trade on the same days of the week, and may lack one session in a hundred. Of several
    that are equally close, the first of the table.
    """
    if len(sessions) < TOLD_BY:
        return ""
    week, best, fewest = _week(_days(sessions)), "", 0
    for name in names():
        table = _table(name, sessions)
        if table is None:
            continue
        stray = len(sessions) - int(np.isin(sessions, table).sum())
        if stray > STRAY * len(sessions) or _week(_days(table.tolist())) != week:
            continue
        wrong = len(np.setdiff1d(table, sessions)) + STRAY_COSTS * stray
        if not best or wrong < fewest:
            best, fewest = name, wrong
    return best


def _table(calendar: str, sessions: Sequence[int]) -> np.ndarray | None:
    """The sessions of a calendar from the first to the last of these; None: not in the table."""
    found = sessions_of(calendar)
    if found is None or sessions[0] < found.day[0] or sessions[-1] > found.day[-1]:
        return None
    return found.days(int(sessions[0]), int(sessions[-1]))


def _exactly(
    sessions: Sequence[int],
    table: np.ndarray,
    explained: Sequence[tuple[int, int]],
    calendar: str,
) -> list[Gap]:
    """Every stretch of sessions of the table that the data has not."""
    lacks = np.setdiff1d(table, sessions)
    there = np.unique(sessions)
    before = np.searchsorted(there, lacks)
    counts = np.bincount(before, minlength=len(there))
    steps = counts[1:] + 1
    found = []
    for k in np.flatnonzero(steps > 1).tolist():
        low, high = int(there[k]), int(there[k + 1])
        told = any(first <= low and high <= last for first, last in explained)
        reason = "as the data's description says" if told else _cadence(steps, k)
        found.append(Gap(low, high, int(steps[k]) - 1, reason, calendar))
    return found


def _days(sessions: Sequence[int]) -> np.ndarray:
    texts = [f"{n // 10000:04}-{n // 100 % 100:02}-{n % 100:02}" for n in sessions]
    return np.array(texts, "datetime64[D]")


def _week(days: np.ndarray) -> str:
    """The days of the week that are traded, as seen."""
    weekday = (days.astype(np.int64) + 3) % 7
    share = np.bincount(weekday, minlength=7) / len(days)
    sunday, saturday = share[6] > 0.03, share[5] > 0.03
    if saturday and sunday:
        return DAY_KINDS[1]
    return "1111101" if sunday else DAY_KINDS[2] if saturday else DAY_KINDS[0]


def _lacks(one: np.datetime64, other: np.datetime64, week: str) -> int:
    """Trading days between two sessions, less the closures that are known."""
    closed = [np.arange(np.datetime64(a), np.datetime64(b) + 1) for a, b in CLOSED]
    free = np.concatenate([*closed, _holidays(one, other)])
    return int(np.busday_count(one, other, weekmask=week, holidays=free)) - 1


def _holidays(one: np.datetime64, other: np.datetime64) -> np.ndarray:
    """Easter Friday and Monday, and 24 to 26 and 31 December to 2 January, of the gap's years."""
    found = []
    first, last = int(str(one)[:4]), int(str(other)[:4])
    for year in range(first, last + 1):
        easter = _easter(year)
        found += [easter - 3, easter - 2, easter + 1]
        found += [np.datetime64(f"{year}-12-{day}") for day in (24, 25, 26, 31)]
        found += [np.datetime64(f"{year}-01-0{day}") for day in (1, 2)]
    return np.array(found, "datetime64[D]")


def _easter(year: int) -> np.datetime64:
    """Easter Sunday. Source: the anonymous Gregorian algorithm (Meeus, 1991)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return np.datetime64(f"{year}-{month:02}-{day + 1:02}")


def _cadence(steps: np.ndarray, at: int) -> str:
    """Is the data sampled at such a distance here: even steps on one side, this no longer?"""
    for side in (steps[at + 1 : at + 1 + CADENCE_ROUND], steps[max(0, at - CADENCE_ROUND) : at]):
        middle = float(np.median(side)) if len(side) else 0.0
        slack = max(1.0, 0.25 * middle)
        even = len(side) >= CADENCE_ROUND and bool(np.all(np.abs(side - middle) <= slack))
        if even and middle > 2 and steps[at] <= middle + slack:
            return f"sampled about every {int(middle)} sessions here"
    return ""
