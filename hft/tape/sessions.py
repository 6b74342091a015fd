"""When markets are open: the sessions of known calendars, from the table in the package.

`sessions.json` is made from `exchange_calendars` by `make sessions` and compared with it by a test;
nothing else knows an exchange's hours. A session is a trading day (YYYYMMDD) of one or more spans
[open, close) in UTC ns; a lunch break lies between two spans of a day. A day turns amid the pause
from its last close to the next open, so that what trades outside the hours belongs to the nearer
session; where there is no pause it turns at the close. Instruments without a calendar that the
table knows have UTC days and no hours.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument

TABLE = Path(__file__).with_name("sessions.json")
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
UTC_DAYS = "UTC days"
# Other names of the same hours.
ALIASES = {
    **dict.fromkeys(("XNAS", "ARCX", "BATS", "XASE", "NYSE", "NASDAQ"), "XNYS"),
    **dict.fromkeys(("CME", "XCME", "GLBX"), "CMES"),
    "LSE": "XLON",
    "XFRA": "XETR",
}
# Markets that trade nearly round the clock have the regular hours of the market they follow.
REGULAR_OF = {"CMES": "XNYS"}
REGULAR = "RTH"


@dataclass(frozen=True, eq=False)
class Sessions:
    """Spans of open hours in time order: `day` YYYYMMDD, `open_ns` and `close_ns` UTC, int64.

    `begin_ns` and `end_ns` are the first open and the last close of the span's day.
    """

    name: str
    day: np.ndarray
    open_ns: np.ndarray
    close_ns: np.ndarray
    begin_ns: np.ndarray
    end_ns: np.ndarray

    def __len__(self) -> int:
        return len(self.day)

    def covers(self, first_ns: int, last_ns: int) -> bool:
        """Does the table reach over these times?"""
        return len(self) > 0 and int(self.open_ns[0]) <= first_ns and last_ns < int(self.end_ns[-1])

    def between(self, first_ns: int, last_ns: int) -> "Sessions":
        """The spans that hold any time of [first_ns, last_ns]."""
        low = int(np.searchsorted(self.close_ns, first_ns, side="right"))
        high = int(np.searchsorted(self.open_ns, last_ns, side="right"))
        return self.part(low, max(low, high))

    def part(self, low: int, high: int) -> "Sessions":
        """The spans [low, high) by position."""
        columns = (self.day, self.open_ns, self.close_ns, self.begin_ns, self.end_ns)
        return Sessions(self.name, *(column[low:high] for column in columns))

    def inside(self, ts_ns: np.ndarray) -> np.ndarray:
        """Which times are within open hours, bool."""
        at = np.searchsorted(self.open_ns, ts_ns, side="right") - 1
        return (at >= 0) & (ts_ns < self.close_ns[np.maximum(at, 0)])

    def turns(self) -> tuple[np.ndarray, np.ndarray]:
        """When each day begins and its YYYYMMDD; the first day begins as early as you like."""
        first = np.flatnonzero(np.diff(self.day, prepend=0))
        last = np.append(first[1:], len(self)) - 1
        pause = self.open_ns[first[1:]] - self.close_ns[last[:-1]]
        begins = self.close_ns[last[:-1]] + pause // 2
        return np.append(np.iinfo(np.int64).min, begins), self.day[first]

    def day_of(self, ts_ns: np.ndarray) -> np.ndarray:
        """The session that each time belongs to, YYYYMMDD; closed hours go to the nearer one."""
        begins, days = self.turns()
        return days[np.searchsorted(begins, ts_ns, side="right") - 1]

    def days(self, first: int, last: int) -> np.ndarray:
        """The sessions from one day (YYYYMMDD) to another, both included."""
        days = np.unique(self.day)
        return days[(days >= first) & (days <= last)]


def names() -> tuple[str, ...]:
    """The calendars that the table has; `ALIASES` are other names of some."""
    return tuple(_table()["calendars"])


def sessions_of(calendar: str | None) -> Sessions | None:
    """The sessions of a calendar by name or alias; None for one that the table does not have."""
    name = ALIASES.get(calendar or "", calendar)
    return _read(name) if name in _table()["calendars"] else None


def regular_of(calendar: str | None) -> Sessions | None:
    """The regular trading hours of a calendar; None where they are not known."""
    name = ALIASES.get(calendar or "", calendar)
    return sessions_of(REGULAR_OF.get(name or "", name))


def check_calendar(name: str) -> None:
    """Raises: ConfigError for a calendar that the table does not have, with those it has."""
    if sessions_of(name) is None:
        raise ConfigError(
            f"calendar: {name!r} is not in the table of sessions; there are "
            f"{', '.join((*names(), *ALIASES))}"
        )


def shared(instruments: Sequence[Instrument]) -> Sessions | None:
    """The calendar that all these instruments have; None where one has another or none."""
    found = {ALIASES.get(one.calendar or "", one.calendar) for one in instruments}
    return sessions_of(found.pop()) if len(found) == 1 else None


def day_turns(
    instruments: Sequence[Instrument], first_ns: int, last_ns: int
) -> tuple[str, np.ndarray]:
    """Whose days count for what is daily in a run, and when they turn within (first_ns, last_ns].

    The days of the calendar that all instruments share; UTC midnights where they share none, or
    where the table does not reach so far.
    """
    found = shared(instruments)
    if found is None or not found.covers(first_ns, last_ns):
        day = np.arange(first_ns // DAY_NS + 1, last_ns // DAY_NS + 1, dtype=np.int64)
        return UTC_DAYS, day * DAY_NS
    begins, _ = found.turns()
    return found.name, begins[(begins > first_ns) & (begins <= last_ns)]


def utc_day_of(ts_ns: np.ndarray) -> np.ndarray:
    """The UTC day of each time, YYYYMMDD."""
    known, inverse = np.unique(np.floor_divide(ts_ns, DAY_NS), return_inverse=True)
    return _numbers(known.astype("datetime64[D]"))[inverse]


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="ascii"))
    return table


@cache
def _read(name: str) -> Sessions:
    """The spans of a calendar: the hours in force, less closed days, with special ones."""
    table = _table()
    rules = table["calendars"][name]
    days = np.arange(np.datetime64(table["first"]), np.datetime64(table["last"]) + 1)
    numbers = _numbers(days)
    weekday = (days.astype(np.int64) + 3) % 7
    week = np.array([mark == "1" for mark in rules["week"]])
    regular = week[weekday] & ~np.isin(numbers, rules["closed"])
    since = np.array([int(day) for day in rules["hours"]])
    hours = list(rules["hours"].values())
    in_force = np.searchsorted(since, numbers, side="right") - 1
    special = {int(day): spans for day, spans in rules["special"].items()}
    rows = []
    for at in np.flatnonzero(regular | np.isin(numbers, list(special))).tolist():
        day = int(numbers[at])
        midnight = int(days[at].astype(np.int64)) * DAY_NS
        spans = special.get(day) or hours[in_force[at]]
        begin, end = (midnight + at * MINUTE_NS for at in (spans[0][0], spans[-1][1]))
        rows += [
            (day, midnight + low * MINUTE_NS, midnight + high * MINUTE_NS, begin, end)
            for low, high in spans
        ]
    columns = np.array(rows, np.int64).T
    columns.flags.writeable = False
    return Sessions(name, *columns)


def _numbers(days: np.ndarray) -> np.ndarray:
    """Dates as YYYYMMDD."""
    month = days.astype("datetime64[M]").astype(np.int64)
    day = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    return (month // 12 + 1970) * 10_000 + (month % 12 + 1) * 100 + day
