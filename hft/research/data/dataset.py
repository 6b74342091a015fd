"""Research data: rows in time order, what an alpha may read of them, and what they are worth.

Immutable. One object for bars, feature frames, panels and the user's own tables; a part of it
(a split, a prefix, a symbol) is another object of the same kind. The fingerprint is of the content,
not of the files: the same rows in other files, or files in another order, are the same data.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from hft.core.errors import ConfigError, DataError, ValidationError
from hft.research.data import aliases
from hft.research.data.labels import Labels, of_one
from hft.research.data.splits import Splits
from hft.tape.sessions import shared

OWN = ("ts", "session", "symbol")
WHOLE = "whole"


@dataclass(frozen=True, eq=False)
class ResearchData:
    """Rows of one or several names, by time.

    `frame` has `ts`, `session` (YYYYMMDD) and, for a panel, `symbol`; then the columns as they
    came, numbers as Float64. `content` is the hash of the whole dataset, of which this may be a
    part. `files` has the columns of each file. `kind` is "arrays", or "tapes" where tapes stand
    behind the rows.
    """

    frame: pl.DataFrame
    content: str
    source: str = "data"
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kind: str = "arrays"
    splits: Splits | None = None
    split: str = WHOLE
    horizon_ns: int = 0
    tapes: Any = None
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    looked_at: tuple[tuple[int, int], ...] = ()
    spoiled: tuple[
        str, ...
    ] = ()  # why rows of it prove nothing, as `hft.research.data.usage` knows it
    clock: str | None = None
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    made_of_tapes: bool = False  # though they may not be there any more; then a note says so

    def __len__(self) -> int:
        return self.frame.height

    @cached_property
    def ts_ns(self) -> np.ndarray:
        """When each row was known, ns since the epoch, never going back."""
        return self.frame["ts"].dt.epoch("ns").to_numpy()

    @cached_property
    def session(self) -> np.ndarray:
        """The trading day of each row, YYYYMMDD."""
        return self.frame["session"].to_numpy()

    @cached_property
    def sessions(self) -> tuple[int, ...]:
        """The trading days there are."""
        return tuple(int(day) for day in np.unique(self.session))

    @cached_property
    def session_times(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last time of each of the trading days, ns.

        Those of a panel over several time zones overlap: a day's rows need not stand together.
        """
        names, at = np.unique(self.session, return_inverse=True)
        first = np.full(len(names), np.iinfo(np.int64).max)
        last = np.full(len(names), np.iinfo(np.int64).min)
        np.minimum.at(first, at, self.ts_ns)
        np.maximum.at(last, at, self.ts_ns)
        return first, last

    @cached_property
    def price(self) -> np.ndarray:
        """The price that profit is counted in."""
        return aliases.price_of(self.columns, self._column, self.source)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns an alpha may ask for, besides `ts_ns` and `session`."""
        return tuple(name for name in self.frame.columns if name not in OWN)

    @property
    def panel(self) -> bool:
        """Are there several names?"""
        return "symbol" in self.frame.columns

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names of a panel, sorted; one empty name for anything else."""
        return tuple(sorted(self.frame["symbol"].unique())) if self.panel else ("",)

    def groups(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each name with the indices of its rows, in time order; not to be changed."""
        yield from zip(self.symbols, self._rows, strict=True)

    @cached_property
    def _rows(self) -> list[np.ndarray]:
        """The rows of each symbol, found once: every backtest of a sweep asks for them."""
        if not self.panel:
            return [np.arange(len(self))]
        number = {name: k for k, name in enumerate(self.symbols)}
        codes = self.frame["symbol"].replace_strict(number, return_dtype=pl.Int64).to_numpy()
        order = np.argsort(codes, kind="stable")
        return np.split(order, np.searchsorted(codes[order], np.arange(1, len(number))))

    def of(self, symbol: str) -> "ResearchData":
        """The rows of one name."""
        rows = self.frame.filter(pl.col("symbol") == symbol).drop("symbol")
        return replace(self, frame=rows)

    def field(self, name: str) -> np.ndarray:
        """A field by its name or an alias, float64 (`session`, `ts_ns`: int64).

        Raises: ValidationError naming the file that lacks it and near names.
        """
        if name == "ts_ns":
            return self.ts_ns
        if name == "session":
            return self.session
        return aliases.resolve(name, self.columns, self._column, self.source)

    def fields(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Fields under the names they are asked for by."""
        return {name: self.field(name) for name in names}

    def require(self, names: Sequence[str]) -> None:
        """Every file has every field. Raises: ValidationError naming the first file and field."""
        for name in names:
            if name in aliases.CLOCK_FIELDS:
                continue
            for file, columns in self.files.items():
                if not aliases.provides(name, columns):
                    raise aliases.unknown(name, columns, file)
            self.field(name)

    def tick_frame(self, names: Sequence[str]) -> pl.DataFrame:
        """What a batch alpha is given: `ts`, `session`, and its fields under their own names."""
        kept = [name for name in OWN if name in self.frame.columns]
        given = {name: self.field(name) for name in names if name not in OWN}
        return self.frame.select(kept).with_columns(
            pl.Series(name, values) for name, values in given.items()
        )

    def select(self, split: str) -> "ResearchData":
        """The rows of one split; "whole" is all there is, which counts as validate.

        Raises: ConfigError for a split that there is not.
        """
        if split in (WHOLE, self.split):
            return self
        if self.splits is None:
            if split == "validate":
                return self
            raise ConfigError(
                f"{self.source}: has no splits; `hft data features` makes explore, validate and "
                "vault"
            )
        mask = self.splits.mask(split, self.ts_ns, self.session)
        return replace(self, frame=self.frame.filter(pl.Series(mask)), split=split)

    def head(self, rows: int) -> "ResearchData":
        """The first rows."""
        return replace(self, frame=self.frame.head(rows))

    def with_frame(self, frame: pl.DataFrame) -> "ResearchData":
        """The same data with other rows, for tests of what an alpha depends on."""
        return replace(self, frame=frame)

    @property
    def explained(self) -> tuple[tuple[int, int], ...]:
        """Gaps that a sidecar explains: the sessions before and after."""
        return tuple(
            (int(gap["after"]), int(gap["before"]))
            for told in self.metadata.values()
            for gap in told.get("gaps", ())
        )

    @property
    def calendar(self) -> str | None:
        """Whose sessions these are: of the tapes behind, else as a sidecar says; None: unknown."""
        if self.tapes is not None:
            found = shared(list(self.tapes.instruments.values()))
            return None if found is None else found.name
        named = {told["calendar"] for told in self.metadata.values() if "calendar" in told}
        return named.pop() if len(named) == 1 else None

    @property
    def interval(self) -> tuple[int, int]:
        """First and last time, ns. Raises: DataError when there is no row."""
        if not len(self):
            raise DataError(f"{self.source}: there are no rows in {self.split}")
        return int(self.ts_ns[0]), int(self.ts_ns[-1])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of content, split boundaries and the part of them that this is."""
        if self.splits is None and self.split == WHOLE:
            return self.content
        boundaries = self.splits.hash if self.splits is not None else ""
        return hashlib.sha256(f"{self.content}{boundaries}{self.split}".encode()).hexdigest()

    def labels(self, horizon_ns: int | None = None) -> Labels:
        """Forward returns over a horizon, per name; 0 means the next row of the same name.

        See `hft.research.data.labels`.
        """
        horizon = self.horizon_ns if horizon_ns is None else horizon_ns
        value = np.full(len(self), np.nan)
        t_end = self.ts_ns.copy()
        steps = np.zeros(len(self), np.int64)
        for _, rows in self.groups():
            one = of_one(self.ts_ns[rows], self.session[rows], self.price[rows], horizon)
            value[rows], t_end[rows], steps[rows] = one
        return Labels(value, self.ts_ns, t_end, steps)

    def _column(self, name: str) -> np.ndarray:
        column = self.frame[name]
        if not column.dtype.is_numeric():
            raise ValidationError(
                f"{self.source}: field {name!r} is {column.dtype}, not a number; drop or encode it"
            )
        return column.to_numpy()


def content_sha256(frame: pl.DataFrame) -> str:
    """The hash of rows in canonical order and of columns by name; NaN and null are one thing."""
    digest = hashlib.sha256(f"rows {frame.height}\n".encode())
    for name in sorted(frame.columns):
        column = frame[name]
        digest.update(f"{name}\n".encode())
        if column.dtype.is_numeric():
            # Adding 0 turns -0.0 into 0.0; one bit pattern for every NaN.
            values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy() + 0.0
            values = np.where(np.isnan(values), np.nan, values)
            digest.update(np.ascontiguousarray(values, "<f8").tobytes())
        elif isinstance(column.dtype, pl.Datetime):
            digest.update(np.ascontiguousarray(column.dt.epoch("ns").to_numpy(), "<i8").tobytes())
        else:
            for text in column.cast(pl.String).to_list():
                digest.update(f"{'' if text is None else text}\x1f".encode())
    return digest.hexdigest()
