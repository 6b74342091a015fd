"""A sealed tape opened by memory map: zero-copy columns per batch, its seal and its checks.

Opening reads the footer only; `verify` reads every byte. A file without a finished seal is refused.
"""

import json
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hft.core.errors import ConfigError, DataError
from hft.core.instruments import Instrument
from hft.storage.arrow import numbers
from hft.tape.schema import BATCH_ROWS, DTYPES, Columns, Finding
from hft.tape.seal import (
    INSTRUMENT_KEY,
    SEAL_KEY,
    SOURCE_KEY,
    columns_sha256,
    decode_seal,
    frame_sha256,
)

SUFFIX = ".tape.arrow"
UNSEALED = "the tape is unsealed: the file is cut short or is no tape; ingest its source again"


class Tape:
    """One instrument's events of one file.

    Raises: DataError when the file is absent, unsealed or of another schema.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._map = pa.memory_map(str(self.path), "r")
            self._file = pa.ipc.open_file(self._map)
        except FileNotFoundError:
            raise DataError(f"{self.path}: no such tape") from None
        except (pa.ArrowException, OSError):
            raise DataError(f"{self.path}: {UNSEALED}") from None
        self.seal = decode_seal((self._file.metadata or {}).get(SEAL_KEY), self.path)
        self._check_layout()
        metadata = self._file.schema.metadata or {}
        try:
            self.instrument = Instrument.from_dict(json.loads(metadata[INSTRUMENT_KEY]))
            self.source: dict[str, Any] = json.loads(metadata[SOURCE_KEY])
        except (KeyError, ValueError, TypeError, ConfigError):
            raise DataError(f"{self.path}: the tape's instrument cannot be read") from None

    def _check_layout(self) -> None:
        wanted = [(name, pa.from_numpy_dtype(dtype)) for name, dtype in DTYPES.items()]
        try:
            found = [(field.name, field.type) for field in self._file.schema]
        except ValueError:  # a damaged name need not be text
            found = []
        if found != wanted:
            raise DataError(f"{self.path}: columns are not those of a tape")
        expected = -(-self.rows // BATCH_ROWS)
        if self._file.num_record_batches != expected:
            there = self._file.num_record_batches
            raise DataError(f"{self.path}: {there} batches where the seal says {expected}")

    @property
    def rows(self) -> int:
        return int(self.seal["rows"])

    @property
    def sha256(self) -> str:
        """The identity of the rows."""
        return str(self.seal["sha256"])

    @property
    def summary(self) -> dict[str, Any]:
        return dict(self.seal["summary"])

    @property
    def findings(self) -> list[Finding]:
        return [Finding(**finding) for finding in self.seal["findings"]]

    @property
    def waived(self) -> tuple[str, ...]:
        return tuple(self.seal["waived"])

    @property
    def continues(self) -> str | None:
        """The sha256 of the tape whose final book this one starts from."""
        value = self.seal["continues"]
        return None if value is None else str(value)

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @cached_property
    def day(self) -> str:
        """YYYY-MM-DD: the source's day, else the UTC date of the first receive time."""
        given = self.source.get("day")
        if given:
            return f"{given[:4]}-{given[4:6]}-{given[6:8]}"
        return day_of(self.summary["first_local_ts"])

    @property
    def span(self) -> tuple[int, int]:
        """First and last receive time, ns."""
        return int(self.summary["first_local_ts"]), int(self.summary["last_local_ts"])

    @cached_property
    def _batches(self) -> list[Columns]:
        batches = []
        for index in range(self._file.num_record_batches):
            try:
                batch = self._file.get_batch(index)
                columns = [
                    numbers(*pair) for pair in zip(batch.columns, DTYPES.values(), strict=True)
                ]
            except (pa.ArrowException, OSError, ValueError):
                raise DataError(f"{self.path}: batch {index + 1} is damaged") from None
            batches.append(Columns(*columns))
        return batches

    def batches(self) -> list[Columns]:
        """The rows, one read-only `Columns` a batch, mapped from the file without a copy."""
        return self._batches

    def columns(self) -> Columns:
        """All rows as one `Columns`; copies when there is more than one batch."""
        batches = self.batches()
        if len(batches) == 1:
            return batches[0]
        joined = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
        for column in joined:
            column.flags.writeable = False
        return Columns(*joined) if joined else Columns.empty(0)

    def between(self, start_ns: int, end_ns: int, clock: str = "local_ts") -> list[Columns]:
        """The batches' rows from `start_ns` up to but not including `end_ns`, without a copy.

        By receive time (`local_ts`) or exchange time (`exch_ts`); rows of the other side keep their
        place between them.
        """
        parts = []
        for batch in self.batches():
            times = np.maximum.accumulate(getattr(batch, clock))
            low, high = np.searchsorted(times, (start_ns, end_ns), side="left")
            if high > low:
                parts.append(Columns(*(column[low:high] for column in batch)))
        return parts

    def table(self) -> pa.Table:
        """The rows as an Arrow table over the mapped file."""
        batches = [self._file.get_batch(i) for i in range(self._file.num_record_batches)]
        return pa.Table.from_batches(batches, self._file.schema)

    def verify(self) -> None:
        """Read every byte and compare with the seal.

        Raises: DataError naming what differs.
        """
        try:
            rows = sum(len(batch.kind) for batch in self.batches())
            columns_hash = columns_sha256(self.batches())
        except (pa.ArrowException, ValueError, OSError):
            raise DataError(f"{self.path}: the tape is damaged") from None
        if rows != self.rows or columns_hash != self.sha256:
            raise DataError(f"{self.path}: the rows differ from the seal: the tape was changed")
        if self._frame_sha256() != self.seal["frame_sha256"]:
            raise DataError(f"{self.path}: bytes around the rows differ from the seal")

    def _frame_sha256(self) -> str:
        self._map.seek(0)
        whole = self._map.read_buffer()
        content = memoryview(whole)
        hole_at = bytes(content[-_tail(len(content)) :]).rfind(self.seal["frame_sha256"].encode())
        if hole_at < 0:
            return "missing"
        bodies = body_spans(self.batches(), whole.address)
        return frame_sha256(content, bodies, len(content) - _tail(len(content)) + hole_at)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process maps the file itself."""
        return Tape, (self.path,)

    def __repr__(self) -> str:
        return f"<Tape {self.symbol} {self.day} {self.rows:,} rows {self.sha256[:12]}>"


def _tail(size: int) -> int:
    return min(size, 1 << 22)


def body_spans(batches: list[Columns], base: int) -> list[tuple[int, int]]:
    """Where the columns lie in the mapped file."""
    spans = []
    for batch in batches:
        for column in batch:
            start = column.__array_interface__["data"][0] - base
            spans.append((start, start + column.nbytes))
    return spans


def day_of(time_ns: int) -> str:
    """YYYY-MM-DD of a time, UTC."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")
