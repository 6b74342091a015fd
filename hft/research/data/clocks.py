"""The time and the session of every row of a table: found in its columns, never guessed silently.

A row's `ts` is when its content was known. A column of times is taken as it is; times without a
zone count as UTC and are noted. A minute of the New York session (`day` and `b`) is known at its
end. A session is a trading day; where a market is quiet for hours it turns in that pause, else at
midnight UTC.
"""

from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from hft.core.errors import DataError

TIME = pl.Datetime("ns", "UTC")
TIME_NAMES = (
    *("ts", "ts_ns", "timestamp", "local_ts", "time", "datetime", "date", "t", "bar_end"),
)
DAY_NAMES = ("session", "trading_day", "trade_date", "day")
MINUTE_NAMES = ("b", "minute")
OPEN_MINUTE = 9 * 60 + 30  # New York
NEW_YORK = "America/New_York"
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
QUIET_MINUTES = 180
QUIET_SHARE = 0.002
# Whole numbers are seconds, ms, us or ns since the epoch by their size (years 1975 to 2250).
_UNITS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (10**20, 1))


class Clocked(NamedTuple):
    """A table with `ts`; the columns it came from are gone. `day` names its sessions, if any."""

    frame: pl.DataFrame
    day: pl.Series | None
    note: str


def clocked(frame: pl.DataFrame, source: str) -> Clocked:
    """The table with its times as `ts`. Raises: DataError naming file, row and column."""
    lower = {name.lower(): name for name in reversed(frame.columns)}
    day = next((lower[name] for name in DAY_NAMES if name in lower), None)
    minute = next((lower[name] for name in MINUTE_NAMES if name in lower), None)
    named = [lower[name] for name in TIME_NAMES if name in lower]
    if named:
        ts, note = _times(frame[named[0]], source)
        _one_a_day(frame, ts, named[0], source)
        return Clocked(_with(frame, ts, [named[0], day]), _day(frame, day), note)
    if day and minute and frame[minute].dtype.is_numeric():
        ts = _minutes(frame[day], frame[minute], source)
        note = f"{minute}: minute of the New York session; known at its end"
        return Clocked(_with(frame, ts, [day, minute]), _day(frame, day), note)
    if day:
        ts, note = _times(frame[day], source)
        _one_a_day(frame, ts, day, source)
        return Clocked(_with(frame, ts, [day]), None, note)
    raise DataError(
        f"{source}: no column of times; name one of {', '.join(TIME_NAMES[:6])}, or day and b"
    )


def _one_a_day(frame: pl.DataFrame, ts: pl.Series, column: str, source: str) -> None:
    """Dates alone are the times of daily rows; several different rows of one date have no order.

    Raises: DataError naming the column and the times that are missing.
    """
    if not len(ts) or (ts.dt.epoch("ns").to_numpy() % DAY_NS).any():
        return
    names = [name for name in frame.columns if name.lower() == "symbol"]
    days = pl.DataFrame({"at": ts, **{name: frame[name] for name in names}})
    again = ~days.is_unique()
    if not again.any() or not frame.filter(again).unique().height > days.filter(again).n_unique():
        return
    at = int(again.arg_true()[0])
    count = int((ts == ts[at]).sum())
    raise DataError(
        f"{source}: {column}: {count} rows are of {ts[at]:%Y-%m-%d} and no column says when "
        f"on that day; name one of {', '.join(TIME_NAMES[:4])} for the times, or "
        f"{' or '.join(MINUTE_NAMES)} for the minute of the New York session"
    )


def _with(frame: pl.DataFrame, ts: pl.Series, used: list[str | None]) -> pl.DataFrame:
    rest = frame.drop([name for name in dict.fromkeys(used) if name])
    return rest.drop("ts", strict=False).insert_column(0, ts.alias("ts"))


def _day(frame: pl.DataFrame, name: str | None) -> pl.Series | None:
    return None if name is None else frame[name].alias("session")


def _times(column: pl.Series, source: str) -> tuple[pl.Series, str]:
    """The column as UTC times, and what was assumed."""
    _no_null(column, source)
    kind = column.dtype
    if isinstance(kind, pl.Datetime):
        return _zoned(column)
    if kind == pl.Date:
        return column.cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"), "dates: midnight UTC"
    if kind == pl.String:
        return _texts(column, source)
    if kind.is_numeric():
        return _numbers(column, source)
    raise DataError(f"{source}: {column.name}: {kind} is no time; use ISO text with zone or ns")


def _zoned(column: pl.Series) -> tuple[pl.Series, str]:
    assert isinstance(column.dtype, pl.Datetime)
    fine = column.dt.cast_time_unit("ns")
    if column.dtype.time_zone is None:
        return fine.dt.replace_time_zone("UTC"), f"{column.name}: no zone; taken as UTC"
    return fine.dt.convert_time_zone("UTC"), ""


def _texts(column: pl.Series, source: str) -> tuple[pl.Series, str]:
    first = str(column[0]) if len(column) else ""
    if first.isdigit() and len(first) != 8:
        return _numbers(column.cast(pl.Int64, strict=False).alias(column.name), source)
    zoned = first.endswith("Z") or (first[-6:-5] in ("+", "-") and ":" in first[-6:])
    if zoned:
        found = column.str.to_datetime(time_unit="ns", time_zone="UTC", strict=False)
    elif len(first) <= 10:
        form = "%Y%m%d" if len(first) == 8 else "%Y-%m-%d"
        found = column.str.to_date(form, strict=False).cast(pl.Datetime("ns"))
        found = found.dt.replace_time_zone("UTC")
    else:
        found = column.str.to_datetime(time_unit="ns", strict=False).dt.replace_time_zone("UTC")
    _no_null(found.alias(column.name), source)
    note = "" if zoned else f"{column.name}: no zone; taken as UTC"
    return found, note


def _numbers(column: pl.Series, source: str) -> tuple[pl.Series, str]:
    whole = column.cast(pl.Int64, strict=False).alias(column.name)
    _no_null(whole, source)
    largest = int(whole.abs().max() or 0)  # type: ignore[arg-type]
    scale = next((factor for limit, factor in _UNITS if largest < limit), 1)
    times = (whole * scale).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    unit = {10**9: "s", 10**6: "ms", 10**3: "us", 1: "ns"}[scale]
    return times, f"{column.name}: {unit} since the epoch"


def _minutes(day: pl.Series, minute: pl.Series, source: str) -> pl.Series:
    """When a minute of the regular New York session ends, in UTC."""
    _no_null(day, source)
    _no_null(minute, source)
    starts = {}
    for text in day.cast(pl.String).unique().to_list():
        starts[text] = _midnight(text, source)
    midnight = day.cast(pl.String).replace_strict(starts, return_dtype=pl.Int64)
    after = (minute.cast(pl.Int64) + OPEN_MINUTE + 1) * MINUTE_NS
    return (midnight + after).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")


def _midnight(text: str, source: str) -> int:
    """Noon of a New York day less twelve hours: wall time, on days when the clock changes too."""
    from datetime import datetime

    try:
        day = datetime.strptime(text.replace("-", "")[:8], "%Y%m%d")
    except ValueError:
        raise DataError(f"{source}: day {text!r} is no date; write YYYYMMDD") from None
    noon = day.replace(hour=12, tzinfo=ZoneInfo(NEW_YORK))
    return (int(noon.timestamp()) - 12 * 3600) * 1_000_000_000


def _no_null(column: pl.Series, source: str) -> None:
    if column.null_count():
        row = int(column.is_null().arg_true()[0]) + 1
        raise DataError(f"{source}: row {row}: {column.name}: is no time; correct or drop the row")


def sessions(ts_ns: np.ndarray, day: pl.Series | None) -> np.ndarray:
    """The trading day of each row as YYYYMMDD: the one that is named, else by the clock."""
    if day is not None:
        found = _named(day)
        if found is not None:
            return found
    turn = _turn_ns(ts_ns)
    days = np.floor_divide(ts_ns - turn, DAY_NS)
    known, inverse = np.unique(days, return_inverse=True)
    dates = known.astype("datetime64[D]").astype(str)
    return np.array([int(str(text).replace("-", "")) for text in dates], np.int64)[inverse]


def _named(day: pl.Series) -> np.ndarray | None:
    """Days that are dates, as YYYYMMDD; None when one is not."""
    kind = day.dtype
    if isinstance(kind, pl.Datetime) or kind == pl.Date:
        text = day.dt.strftime("%Y%m%d")
    else:
        text = day.cast(pl.String).str.replace_all("-", "").str.slice(0, 8)
    number = text.str.to_date("%Y%m%d", strict=False)
    if number.null_count():
        return None
    return text.cast(pl.Int64).to_numpy()


def _turn_ns(ts_ns: np.ndarray) -> int:
    """The time of day at which sessions turn: amid the longest pause, when it is long enough."""
    if len(ts_ns) < 1000:
        return 0
    minute = (ts_ns % DAY_NS) // MINUTE_NS
    counts = np.bincount(minute.astype(np.int64), minlength=1440)
    quiet = counts <= QUIET_SHARE * counts.max()
    best, length, begun = 0, 0, -1
    for k, still in enumerate(np.concatenate([quiet, quiet])):
        begun = (k if begun < 0 else begun) if still else -1
        if begun >= 0 and k - begun + 1 > length:
            best, length = begun, k - begun + 1
    if length < QUIET_MINUTES or length >= 1440:
        return 0
    middle = (best + length // 2) % 1440
    return (middle if middle < 720 else middle - 1440) * MINUTE_NS
