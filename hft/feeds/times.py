"""Time columns of a user's frame to int64 ns: epoch numbers, aware datetimes, ISO-8601 text.

The unit of an epoch number is told by its size, which is safe from 1973 on. A time without a zone
is refused: nobody can know what it means.
"""

import numpy as np
import polars as pl

from hft.core.errors import DataError

UNITS = ((10**11, 10**9, "s"), (10**14, 10**6, "ms"), (10**17, 10**3, "us"), (2**63 - 1, 1, "ns"))
SMALLEST, LARGEST = 10**8, 2.0**63
ZONE = r"(Z|[+-]\d{2}:?\d{2})\s*$"


def times_ns(series: pl.Series, where: str, first_row: int) -> np.ndarray:
    """Nanoseconds since the epoch.

    Raises: DataError with row and field for a null, a naive or an unreadable time.
    """
    nulls = series.is_null()
    if nulls.any():
        raise DataError(f"{where}, row {_row(nulls, first_row)}: the time is missing")
    kind = series.dtype
    if kind == pl.String:
        return _from_text(series, where, first_row)
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is None:
            raise DataError(
                f"{where}: the times have no zone; give them one, as with "
                "pl.col(name).dt.replace_time_zone('UTC')"
            )
        return series.dt.epoch("ns").to_numpy()
    if kind.is_integer():
        whole = series.cast(pl.Int64, strict=False)
        if whole.null_count():
            row = _row(whole.is_null(), first_row)
            raise DataError(f"{where}, row {row}: {series[row - first_row]} is no time")
        return _from_numbers(whole.to_numpy(), where, first_row)
    if kind.is_float():
        return _from_floats(series.to_numpy().astype(np.float64), where, first_row)
    raise DataError(f"{where}: {kind} is no time; give ISO-8601 with a zone or epoch numbers")


def _row(mask: pl.Series, first_row: int) -> int:
    return first_row + int(mask.arg_true()[0])


def _from_text(series: pl.Series, where: str, first_row: int) -> np.ndarray:
    numbers = series.str.strip_chars().cast(pl.Int64, strict=False)
    if not numbers.is_null().any():
        return _from_numbers(numbers.to_numpy(), where, first_row)
    naive = ~series.str.contains(ZONE)
    if naive.any():
        row = _row(naive, first_row)
        text = series[row - first_row]
        raise DataError(
            f"{where}, row {row}: time {text!r} has no zone; write 2024-08-08T23:55:00Z"
        )
    parsed = series.str.to_datetime(time_unit="ns", time_zone="UTC", strict=False)
    unread = parsed.is_null()
    if unread.any():
        row = _row(unread, first_row)
        text = series[row - first_row]
        raise DataError(f"{where}, row {row}: time {text!r} is not ISO-8601")
    return parsed.dt.epoch("ns").to_numpy()


def _from_numbers(numbers: np.ndarray, where: str, first_row: int) -> np.ndarray:
    if not len(numbers):
        return numbers
    low = int(numbers.min())
    if low < SMALLEST:
        row = first_row + int(np.argmin(numbers))
        raise DataError(f"{where}, row {row}: {low} is no time since the epoch")
    high = int(numbers.max())
    for limit, factor, _ in UNITS:
        if high < limit:
            return np.asarray(numbers * factor)
    return numbers


def _from_floats(numbers: np.ndarray, where: str, first_row: int) -> np.ndarray:
    bad = ~((numbers >= SMALLEST) & (numbers < LARGEST))
    if bad.any():
        row = first_row + int(np.argmax(bad))
        raise DataError(f"{where}, row {row}: {numbers[row - first_row]} is no time")
    high = float(numbers.max()) if len(numbers) else 0.0
    for limit, factor, unit in UNITS:
        if high < limit:
            if unit == "s":  # a double holds seconds of our days to a quarter of a microsecond
                return np.asarray(np.rint(numbers * 1e6).astype(np.int64) * 1_000)
            return np.asarray(np.rint(numbers).astype(np.int64) * factor)
    return numbers.astype(np.int64)
