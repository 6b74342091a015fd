"""Typed columns of a user's table, each error with its origin, row and field."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from hft.core.errors import DataError
from hft.feeds.base import EXACT_FLOAT
from hft.feeds.layout import NO_SIDE, moments_of
from hft.feeds.times import times_ns

ABSENT = ("", "null", "none", "na", "n/a", "<na>", "nan", "\\n")  # words for no number


class Cells:
    """The columns of one symbol's rows; `rows` are their 1-based places in the source."""

    def __init__(
        self,
        frame: pl.DataFrame,
        fields: Mapping[str, str],
        origin: str,
        rows: np.ndarray,
        tz: str | None = None,
    ) -> None:
        self.frame, self.fields, self.origin, self.rows = frame, fields, origin, rows
        self.tz = tz

    def at(self, order: np.ndarray) -> "Cells":
        """The same columns with their rows in another order."""
        return Cells(self.frame[order], self.fields, self.origin, self.rows[order], self.tz)

    def where(self, field: str) -> str:
        return f"{self.origin}, column {self.fields[field]!r}"

    def times(self, field: str) -> np.ndarray:
        """Nanoseconds since the epoch."""
        series, where = self.frame[self.fields[field]], self.where(field)
        if series.dtype.is_float():
            series = series.fill_nan(None)
        if series.null_count() and (others := moments_of(self.frame, self.fields.values())):
            row = self.rows[int(series.is_null().arg_true()[0])]
            named = " or ".join(f"--columns {field}={one}" for one in others)
            raise DataError(f"{where}, row {row}: the time is missing; {named} has one in all rows")
        return times_ns(series, where, self.rows, self.tz)

    def numbers(self, field: str) -> np.ndarray:
        """Floats or integers; a null or empty cell becomes NaN."""
        series = self.frame[self.fields[field]]
        if isinstance(series.dtype, pl.Categorical | pl.Enum):
            series = series.cast(pl.String)
        if series.dtype.is_integer() and not series.null_count():
            whole = series.cast(pl.Int64, strict=False)
            if not whole.null_count():
                return whole.to_numpy()
        if series.dtype == pl.Float32 and not series.null_count():
            return series.to_numpy()
        if series.dtype == pl.String:
            series = series.str.strip_chars()
            series = series.set(series.str.to_lowercase().is_in(ABSENT), None)
        cast = series.cast(pl.Float64, strict=False)
        broken = cast.is_null() & series.is_not_null()
        if broken.any():
            index = int(broken.arg_true()[0])
            shown = series[index]
            raise DataError(
                f"{self.where(field)}, row {self.rows[index]}: {shown!r} is no number{_cure(shown)}"
            )
        return cast.fill_null(np.nan).to_numpy()

    def floats(self, field: str) -> bool:
        """Whether the numbers are floats: text and decimals say exactly what they mean."""
        return field in self.fields and self.frame[self.fields[field]].dtype.is_float()

    def words(self, field: str, words: Sequence[str]) -> np.ndarray:
        """Which cells are one of the words."""
        text = _text(self.frame[self.fields[field]]).str.strip_chars().str.to_lowercase()
        return text.is_in(list(words)).fill_null(False).to_numpy()

    def codes(self, field: str, table: Mapping[str, int], empty: int | None) -> np.ndarray:
        """Codes of texts; `empty` stands for none."""
        text = _text(self.frame[self.fields[field]]).str.strip_chars().str.to_lowercase()
        text = text.fill_null("")
        words = dict(table)
        if empty is not None:
            words.update(dict.fromkeys(NO_SIDE, empty))
        codes = text.replace_strict(words, default=None, return_dtype=pl.Int8)
        unknown = codes.is_null()
        if unknown.any():
            index = int(unknown.arg_true()[0])
            guessed = field == "kind" and self.fields[field] != "kind"
            none = "; --columns kind= says that no column is one of events" if guessed else ""
            raise DataError(
                f"{self.where(field)}, row {self.rows[index]}: {text[index]!r} is none of "
                f"{', '.join(name for name in table)}{none}"
            )
        return codes.to_numpy()

    def order_ids(self) -> np.ndarray:
        """Whole numbers; an empty cell is 0."""
        numbers = self.numbers("order_id")
        if numbers.dtype.kind == "f":
            numbers = np.where(np.isnan(numbers), 0.0, numbers)
            bad = (np.abs(numbers) > EXACT_FLOAT) | (numbers != np.rint(numbers))
            if bad.any():
                row = int(np.argmax(bad))
                raise DataError(
                    f"{self.where('order_id')}, row {self.rows[row]}: {numbers[row]} is no order id"
                )
        return numbers.astype(np.int64)

    def require(self, missing: np.ndarray, field: str) -> None:
        """Raises: DataError with the first row that is `missing` a field its event needs."""
        if missing.any():
            row = self.rows[int(np.argmax(missing))]
            raise DataError(f"{self.origin}, row {row}: {field} is missing for its kind of event")


def _cure(cell: object) -> str:
    """How to write a number with commas, or none where it has no comma."""
    marked = isinstance(cell, str) and re.fullmatch(r"[^\d]*\d[\d.,' ]*[^\d]*", cell)
    if not marked or not set(str(cell)) & set(",'"):
        return ""
    return "; write 59999.95: a point before the decimals, nothing between thousands"


def _text(series: pl.Series) -> pl.Series:
    """Cells as text; of a whole number that a frame holds as a float, the whole number."""
    if series.dtype.is_float():
        return series.fill_nan(None).cast(pl.String).str.strip_suffix(".0")
    return series.cast(pl.String)
