"""Makes `hft/tape/sessions.json` from `exchange_calendars`: `make sessions`.

Spans are minutes from UTC midnight of the session's day. Hours that hold for at least a week are
written once; other days are special, or closed. What differs from the library is in this file: CME
Globex pauses from 16:00 in Chicago, the week of foreign exchange is not a calendar of the library,
and a close that nobody could know beforehand is not in the table, since a strategy may look ahead
to a close.
"""

import json
import warnings
from datetime import time
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pandas as pd
from exchange_calendars.exchange_calendar import ExchangeCalendar, HolidayCalendar
from pandas.tseries.holiday import Holiday

FIRST, LAST = "1998-01-01", "2030-12-31"
CALENDARS = (
    *("XNYS", "XTSE", "XLON", "XETR", "XPAR", "XTKS", "XHKG", "XTAI", "XASX"),
    *("CMES", "FX", "24/5", "24/7"),
)
PAUSE = {"CMES": ("America/Chicago", time(16))}  # the daily maintenance begins
# Closes that came without notice: a failure of New York's computers.
UNSCHEDULED = {"XNYS": ("2005-06-01",)}
HOLDS = 5  # sessions that new hours hold for, at least
PATH = Path(__file__).resolve().parents[1] / "hft" / "tape" / "sessions.json"
Spans = list[list[int]]


class ForeignExchange(ExchangeCalendar):
    """17:00 in New York to 17:00, Monday to Friday; closed at Christmas and New Year."""

    name = "FX"
    tz = ZoneInfo("America/New_York")
    open_times = ((None, time(17)),)
    close_times = ((None, time(17)),)

    @property
    def open_offset(self) -> int:
        return -1

    @property
    def regular_holidays(self) -> HolidayCalendar:
        return HolidayCalendar(
            [Holiday("Christmas", month=12, day=25), Holiday("New Year", month=1, day=1)]
        )


def calendar_of(name: str) -> ExchangeCalendar:
    """The library's calendar over the table's years."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls what pandas is about to drop
        if name == "FX":
            return ForeignExchange(start=FIRST, end=LAST)
        return exchange_calendars.get_calendar(name, start=FIRST, end=LAST)


@cache
def spans_of(name: str) -> dict[str, Spans]:
    """Session (YYYY-MM-DD) to its spans as the library has them, in minutes from UTC midnight."""
    found: dict[str, Spans] = {}
    calendar = calendar_of(name)
    for row in calendar.schedule.itertuples():
        day = row.Index.strftime("%Y-%m-%d")
        close = row.close
        if name in PAUSE:
            zone, begins = PAUSE[name]
            close = min(close, pd.Timestamp.combine(row.Index.date(), begins).tz_localize(zone))
        if day in UNSCHEDULED.get(name, ()):
            zone = calendar.tz.key
            close = pd.Timestamp.combine(row.Index.date(), calendar.close_times[-1][1])
            close = close.tz_localize(zone)
        edges = [row.open, row.break_start, row.break_end, close]
        minutes = [_minutes(edge, day) for edge in edges if edge is not pd.NaT]
        found[day] = [minutes[k : k + 2] for k in range(0, len(minutes), 2)]
    return found


def _minutes(moment: pd.Timestamp, day: str) -> int:
    return round((moment.tz_convert("UTC") - pd.Timestamp(day, tz="UTC")).total_seconds() / 60)


def rules_of(name: str) -> dict[str, object]:
    """The compact form of a calendar: hours since a day, closed days, special days."""
    spans = spans_of(name)
    dates = list(spans)
    week = "1111111" if name == "24/7" else "1111100"
    hours: dict[str, Spans] = {}
    special: dict[str, Spans] = {}
    current: Spans = []
    for at, day in enumerate(dates):
        if spans[day] != current:
            ahead = [spans[one] for one in dates[at : at + HOLDS]]
            if not hours or all(one == spans[day] for one in ahead):
                current = spans[day]
                hours[_number(day)] = current
        weekday = (np.datetime64(day).astype(int) + 3) % 7
        if spans[day] != current or week[weekday] == "0":
            special[_number(day)] = spans[day]
    every = np.arange(np.datetime64(FIRST), np.datetime64(LAST) + 1)
    closed = [
        int(_number(str(day)))
        for day in every
        if week[(day.astype(int) + 3) % 7] == "1" and str(day) not in spans
    ]
    return {"week": week, "hours": hours, "closed": closed, "special": special}


def _number(day: str) -> str:
    return day.replace("-", "")


def text() -> str:
    """The file: a line for each part of a calendar."""
    lines = []
    for name in CALENDARS:
        rules = rules_of(name)
        parts = [f"{json.dumps(key)}:{_compact(value)}" for key, value in rules.items()]
        lines.append(f"{json.dumps(name)}:{{\n" + ",\n".join(parts) + "}")
    head = f'"first":"{FIRST}","last":"{LAST}","calendars":{{\n'
    return "{" + head + ",\n".join(lines) + "}}\n"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    PATH.write_text(text(), encoding="ascii")
    print(f"{PATH}: {PATH.stat().st_size:,} bytes")
