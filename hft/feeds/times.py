"""Time columns of a user's table to int64 ns: epoch numbers, datetimes, text.

The unit of an epoch number is told by its size, which is safe from 1973 on. A time without a zone
is refused unless the zone is given: nobody can know what it means. So is a date like 11/10/2019,
unless another row of the column tells which number is the day.
"""

from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl

from hft.core.errors import ConfigError, DataError

UNITS = ((10**11, 10**9, "s"), (10**14, 10**6, "ms"), (10**17, 10**3, "us"), (2**63 - 1, 1, "ns"))
SMALLEST, LARGEST = 10**8, 2.0**63
ZONE = r"(Z|[+-]\d{2}:?\d{2})\s*$"
SPANS = ((86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"))
SMALL_SPANS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
COMMA = r"(:\d{2}),(\d)"  # before the decimals of a second
HOURS = r"(:\d{2}(?:\.\d+)?)([+-]\d{2})$"  # a zone without minutes
WORLD = r"\s*(?:UTC|GMT)$"
NO_DATE = r"^\d{1,2}:\d{2}"
YEAR_LAST = r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})"
YEAR_FIRST = r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})"
COMPACT = r"^(\d{4})(\d{2})(\d{2})[ T](\d{1,2}:)"


def check_zone(tz: str | None) -> str | None:
    """The zone itself. Raises: ConfigError for a name that is no time zone."""
    if tz is not None:
        try:
            ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(
                f"tz: {tz!r} is no time zone; write one like America/New_York"
            ) from None
    return tz


def spoken(ns: int) -> str:
    """A duration as one says it, with nothing lost: 6 h 30 min, 23.4 s, -5 ns."""
    left, words = abs(int(ns)), []
    for size, unit in SPANS:
        if count := left // size:
            words.append(f"{count} {unit}")
            left -= count * size
    if left or not words:
        size, unit = next((pair for pair in SMALL_SPANS if left >= pair[0]), SMALL_SPANS[-1])
        if words:
            size, unit = SMALL_SPANS[0]
        words.append(f"{(Decimal(left) / size).normalize():f} {unit}")
    return ("-" if ns < 0 else "") + " ".join(words)


def times_ns(series: pl.Series, where: str, rows: np.ndarray, tz: str | None = None) -> np.ndarray:
    """Nanoseconds since the epoch; `tz` is the zone of times that name none.

    Raises: DataError with row and field for a null, a naive or an unreadable time.
    """
    nulls = series.is_null()
    if nulls.any():
        raise DataError(f"{where}, row {_row(nulls, rows)}: the time is missing")
    kind = series.dtype
    if kind == pl.String:
        return _from_text(series, where, rows, tz)
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is None:
            if tz is None:
                raise DataError(
                    f"{where}: the times have no zone; say which with --tz Europe/Berlin "
                    "(tz='Europe/Berlin', or UTC)"
                )
            series = _in_zone(series, where, rows, tz)
        return series.dt.epoch("ns").to_numpy()
    if kind.is_integer():
        whole = series.cast(pl.Int64, strict=False)
        if whole.null_count():
            index = int(whole.is_null().arg_true()[0])
            raise DataError(f"{where}, row {rows[index]}: {series[index]} is no time")
        return _from_numbers(whole.to_numpy(), where, rows)
    if kind.is_float():
        return _from_floats(series.to_numpy().astype(np.float64), where, rows)
    raise DataError(f"{where}: {kind} is no time; give ISO-8601 with a zone or epoch numbers")


def _row(mask: pl.Series, rows: np.ndarray) -> int:
    return int(rows[int(mask.arg_true()[0])])


def _in_zone(series: pl.Series, where: str, rows: np.ndarray, tz: str) -> pl.Series:
    """Local times of a zone; one that its clock change repeats or leaves out is refused."""
    placed = series.dt.replace_time_zone(tz, ambiguous="null", non_existent="null")
    lost = placed.is_null()
    if lost.any():
        row, text = _row(lost, rows), series.filter(lost)[0]
        raise DataError(
            f"{where}, row {row}: {text} is there twice or never in {tz}, where the clocks change; "
            "give the times in UTC"
        )
    return placed


def _from_text(series: pl.Series, where: str, rows: np.ndarray, tz: str | None) -> np.ndarray:
    text = series.str.strip_chars()
    numbers = text.cast(pl.Int64, strict=False)
    if not numbers.is_null().any():
        return _from_numbers(numbers.to_numpy(), where, rows)
    _refuse_other_words(series, text, where, rows)
    iso = _iso_dates(text, where, rows)
    naive = ~iso.str.contains(ZONE)
    if naive.any() and tz is None:
        row = _row(naive, rows)
        raise DataError(
            f"{where}, row {row}: time {series.filter(naive)[0]!r} has no zone; write "
            "2024-08-08T23:55:00Z, or give the zone of all of them (--tz America/New_York)"
        )
    marked = pl.select(pl.when(naive).then(iso + "Z").otherwise(iso)).to_series()
    parsed = marked.str.to_datetime(time_unit="ns", time_zone="UTC", strict=False)
    unread = parsed.is_null()
    if unread.any():
        raise DataError(
            f"{where}, row {_row(unread, rows)}: time {series.filter(unread)[0]!r} is not "
            "ISO-8601; write 2024-08-08T23:55:00Z"
        )
    if tz is not None and naive.any():
        local = _in_zone(
            parsed.filter(naive).dt.replace_time_zone(None), where, _of(rows, naive), tz
        )
        parsed = parsed.scatter(naive.arg_true(), local.dt.convert_time_zone("UTC"))
    return parsed.dt.epoch("ns").to_numpy()


def _refuse_other_words(series: pl.Series, text: pl.Series, where: str, rows: np.ndarray) -> None:
    """Raises: DataError for names of columns among the rows, and for a time without a day."""
    header = text == series.name.strip()
    if header.any():
        raise DataError(
            f"{where}, row {_row(header, rows)}: the row repeats the names of the first line, as "
            "in two files in one; remove it"
        )
    dayless = text.str.contains(NO_DATE)
    if dayless.any():
        raise DataError(
            f"{where}, row {_row(dayless, rows)}: time {series.filter(dayless)[0]!r} has no date; "
            "write 2024-08-08T23:55:00Z, or add a column date beside a column time"
        )


def _of(rows: np.ndarray, mask: pl.Series) -> np.ndarray:
    return np.asarray(rows[mask.to_numpy()])


def _iso_dates(text: pl.Series, where: str, rows: np.ndarray) -> pl.Series:
    """Dates with the year first; which of two small numbers is the day must be seen somewhere."""
    text = text.str.replace(YEAR_FIRST, "${1}-${2}-${3}").str.replace(
        COMPACT, "${1}-${2}-${3} ${4}"
    )
    text = text.str.replace(COMMA, "${1}.${2}").str.replace(HOURS, "${1}${2}:00")
    text = text.str.replace(WORLD, "Z")
    last = text.str.contains(YEAR_LAST)
    if not last.any():
        return text
    first, second = (text.str.extract(YEAR_LAST, n).cast(pl.Int64) for n in (1, 2))
    by_day, by_month = bool((first > 12).any()), bool((second > 12).any())
    if by_day == by_month:
        example = text.filter(last)[0]
        raise DataError(
            f"{where}, row {_row(last, rows)}: {example!r} may be day or month first; write the "
            "year first (2019-10-11), as pandas.to_datetime(column, dayfirst=...) gives it"
        )
    day, month = (1, 2) if by_day else (2, 1)
    parts = [text.str.extract(YEAR_LAST, n).str.zfill(2) for n in (month, day)]
    dates = text.str.extract(YEAR_LAST, 3) + "-" + parts[0] + "-" + parts[1]
    turned = dates + text.str.replace(YEAR_LAST, "")
    return pl.select(pl.when(last).then(turned).otherwise(text)).to_series()


def _from_numbers(numbers: np.ndarray, where: str, rows: np.ndarray) -> np.ndarray:
    if not len(numbers):
        return numbers
    low = int(numbers.min())
    if low < SMALLEST:
        row = rows[int(np.argmin(numbers))]
        raise DataError(f"{where}, row {row}: {low} is no time since the epoch")
    high = int(numbers.max())
    _one_unit(low, high, where, rows[int(np.argmin(numbers))])
    for limit, factor, _ in UNITS:
        if high < limit:
            return np.asarray(numbers * factor)
    return numbers


def _one_unit(low: float, high: float, where: str, row: int) -> None:
    """Raises: DataError when the sizes of two numbers of a column tell two units."""
    first, last = (next((u for limit, _, u in UNITS if n < limit), "ns") for n in (low, high))
    if first != last:
        raise DataError(
            f"{where}, row {row}: {low} tells {first}, {high} tells {last}: the times are in two "
            "units, or from before 1973; give all in one unit, or as datetimes"
        )


def _from_floats(numbers: np.ndarray, where: str, rows: np.ndarray) -> np.ndarray:
    bad = ~((numbers >= SMALLEST) & (numbers < LARGEST))
    if bad.any():
        index = int(np.argmax(bad))
        raise DataError(
            f"{where}, row {rows[index]}: {numbers[index]} is no time; give seconds since 1970, or "
            "ISO-8601 with a zone"
        )
    if not len(numbers):
        return numbers.astype(np.int64)
    high = float(numbers.max())
    _one_unit(float(numbers.min()), high, where, rows[int(np.argmin(numbers))])
    for limit, factor, unit in UNITS:
        if high < limit:
            if unit == "s":  # a double holds seconds of our days to a quarter of a microsecond
                return np.asarray(np.rint(numbers * 1e6).astype(np.int64) * 1_000)
            return np.asarray(np.rint(numbers).astype(np.int64) * factor)
    return numbers.astype(np.int64)
