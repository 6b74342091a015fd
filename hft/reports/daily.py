"""What a run earned each day: by sessions of the calendar its instruments share, or UTC days."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from hft.core.instruments import Instrument
from hft.reports.performance import total_equity
from hft.tape.sessions import UTC_DAYS, day_turns, sessions_of, utc_day_of

SCHEMA: dict[str, Any] = {
    "day": pl.Date,
    **dict.fromkeys(("net", "gross", "fees", "max_drawdown"), pl.Float64),
    "fills": pl.Int64,
}


def daily(
    equity: pl.DataFrame, fills: pl.DataFrame, instruments: Sequence[Instrument]
) -> tuple[pl.DataFrame, str]:
    """A row a day that has a sample, and whose days: a calendar's name or `UTC days`.

    `net`, `gross` and `fees` are of that day alone; `max_drawdown` is from the highest net P&L of
    the day, its beginning included (<= 0). Units: currency.
    """
    total = total_equity(equity)
    ts = total["ts"].to_physical().to_numpy()
    if not len(ts):
        return pl.DataFrame(schema=SCHEMA), UTC_DAYS
    name, turns = day_turns(instruments, int(ts[0]), int(ts[-1]))
    day = np.searchsorted(turns, ts, side="right")
    last = np.flatnonzero(np.append(day[1:] != day[:-1], True))
    columns = {key: total[key].to_numpy() for key in ("net", "realized", "unrealized", "fees")}
    columns["gross"] = columns["realized"] + columns["unrealized"]
    found: dict[str, Any] = {"day": _names(name, ts[last])}
    for key in ("net", "gross", "fees"):
        found[key] = np.diff(columns[key][last], prepend=0.0)
    net = columns["net"]
    first = np.append(0, last[:-1] + 1)
    found["max_drawdown"] = [
        _fall(net[low : high + 1], float(net[low - 1]) if low else 0.0)
        for low, high in zip(first, last, strict=True)
    ]
    when = np.searchsorted(turns, fills["ts"].to_physical().to_numpy(), side="right")
    found["fills"] = np.bincount(when, minlength=len(turns) + 1)[day[last]]
    return pl.DataFrame(found, schema=SCHEMA), name


def _fall(net: np.ndarray, before: float) -> float:
    """The deepest fall from the highest value so far, where the day began included."""
    path = np.append(before, net)
    return float(np.min(path - np.maximum.accumulate(path)))


def _names(calendar: str, ts_ns: np.ndarray) -> np.ndarray:
    """The dates of the days that these times are in."""
    known = sessions_of(calendar)
    days = utc_day_of(ts_ns) if known is None else known.day_of(ts_ns)
    text = [f"{n // 10000:04}-{n // 100 % 100:02}-{n % 100:02}" for n in days.tolist()]
    return np.array(text, "datetime64[D]")


def days_of(name: str) -> str:
    """Whose days these are, in words."""
    return "UTC days: no one calendar is known" if name == UTC_DAYS else f"sessions of {name}"
