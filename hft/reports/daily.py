"""What a run earned each day: by sessions of the calendar its instruments share, or UTC days."""

from collections.abc import Sequence
from itertools import pairwise
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
    """A row a day that has a sample or a fill, and whose days: a calendar's name or `UTC days`.

    `gross` is what positions and marks earned between the last samples of two days, `fees` those of
    the day's fills, `net` the difference; `max_drawdown` is from the highest net P&L of the day's
    samples, its beginning included (<= 0). Units: currency.
    """
    total = total_equity(equity)
    ts = total["ts"].to_physical().to_numpy()
    if not len(ts):
        return pl.DataFrame(schema=SCHEMA), UTC_DAYS
    filled = fills["ts"].to_physical().to_numpy()
    name, turns = day_turns(instruments, int(ts[0]), int(ts[-1]))
    of_sample, of_fill = (np.searchsorted(turns, one, side="right") for one in (ts, filled))
    days, at = np.unique(np.append(of_sample, of_fill), return_index=True)
    end = np.searchsorted(of_sample, days, side="right")  # samples until then
    gross = np.append(0.0, (total["realized"] + total["unrealized"]).to_numpy())
    net, fees = (np.append(0.0, total[name].to_numpy()) for name in ("net", "fees"))
    # Fees of fills behind the last sample of a day, which only a sample of a later day has.
    paid = np.append(0.0, np.cumsum(fills["fee"].to_numpy()))
    seen = np.searchsorted(filled, np.append(np.iinfo(np.int64).min, ts)[end], side="right")
    late = np.diff(paid[np.searchsorted(of_fill, days, side="right")] - paid[seen], prepend=0.0)
    found: dict[str, Any] = {
        "net": np.diff(net[end], prepend=0.0) - late,
        "gross": np.diff(gross[end], prepend=0.0),
        "fees": np.diff(fees[end], prepend=0.0) + late,
    }
    found["max_drawdown"] = [
        _fall(net[low : high + 1]) for low, high in pairwise([0, *end.tolist()])
    ]
    found["fills"] = np.bincount(of_fill, minlength=len(turns) + 1)[days]
    found["day"] = _names(name, np.append(ts, filled)[at])
    return pl.DataFrame(found, schema=SCHEMA), name


def _fall(path: np.ndarray) -> float:
    """The deepest fall from the highest value so far."""
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
