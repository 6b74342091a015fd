"""Rows of several tables as one frame of the log and back: durable together, or not at all.

`u32` length of the head, the head as JSON, zeros to a multiple of 8, then an Arrow record batch a
table. The head has for each batch its table, number of the first row, rows and bytes; the number of
the next row of every table; and how far the source of the rows had been read (`mark`).
"""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from hft.core.errors import DataError, JournalError
from hft.core.json_text import line
from hft.recorder.tables import TABLES, Table
from hft.storage.arrow import arrow, strings

BLOCK = 1  # kind of frame
_LENGTH = struct.Struct("<I")


class Place(NamedTuple):
    """A batch in a block: rows `first` to `last` of a table, and where its bytes are."""

    table: str
    first: int
    rows: int
    start: int
    size: int

    @property
    def last(self) -> int:
        return self.first + self.rows - 1


class Head(NamedTuple):
    """What a block says of itself."""

    places: tuple[Place, ...]
    next: dict[str, int]
    mark: int


def batch_of(table: Table, rows: Any) -> pa.RecordBatch:
    """Rows as a batch: a batch, columns by name (lists or numpy), or a sequence of mappings.

    Raises: DataError naming table and column.
    """
    if isinstance(rows, pa.RecordBatch) and rows.schema == table.schema:
        return rows
    try:
        if isinstance(rows, np.ndarray) and rows.dtype.names:
            rows = {name: rows[name] for name in rows.dtype.names}
        if not isinstance(rows, Mapping):
            rows = {name: [row[name] for row in rows] for name in table.schema.names}
        columns = [_column(rows[name], kind, name) for name, kind in table.columns]
        return pa.RecordBatch.from_arrays(columns, schema=table.schema)
    except KeyError as error:
        raise DataError(f"{table.name}: a row without {error.args[0]!r}") from None
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"{table.name}: rows that do not fit: {error}") from None


def _column(values: Any, kind: str, name: str) -> pa.Array:
    """A number must be there; a word that is not is empty."""
    if kind != "int":
        if isinstance(values, pa.Array):
            return values.cast(pa.string()).fill_null("")
        return strings(["" if one is None else str(one) for one in values])
    if isinstance(values, np.ndarray):
        return arrow(np.ascontiguousarray(values, np.int64))
    found = pa.array(values, pa.int64())
    if found.null_count:
        raise ValueError(f"{name} is not there")
    return found


def encode(
    batches: Sequence[tuple[str, int, pa.RecordBatch]], following: Mapping[str, int], mark: int
) -> bytes:
    """One block: of each batch its table and the number of its first row."""
    bodies = [batch.serialize() for _, _, batch in batches]
    places = [
        [name, first, batch.num_rows, body.size]
        for (name, first, batch), body in zip(batches, bodies, strict=True)
    ]
    head = line({"places": places, "next": dict(following), "mark": mark}).encode()
    start = _padded(_LENGTH.size + len(head))
    lead = (_LENGTH.pack(len(head)) + head).ljust(start, b"\0")
    return b"".join([lead, *(memoryview(body) for body in bodies)])


def head_of(payload: bytes, where: str) -> Head:
    """Raises: JournalError for a payload that is no block of ours."""
    try:
        (size,) = _LENGTH.unpack_from(payload)
        said = json.loads(payload[_LENGTH.size : _LENGTH.size + size])
        at = _padded(_LENGTH.size + size)
        places = []
        for name, first, rows, bytes_ in said["places"]:
            places.append(Place(str(name), int(first), int(rows), at, int(bytes_)))
            at += int(bytes_)
        if at != len(payload):
            raise ValueError(f"{len(payload)} bytes, its head says {at}")
        following = {str(name): int(number) for name, number in said["next"].items()}
        return Head(tuple(places), following, int(said["mark"]))
    except (struct.error, ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise JournalError(f"{where}: is no block of rows: {error!r}") from None


def rows_at(payload: bytes, place: Place, where: str) -> pa.RecordBatch:
    """The rows of one batch. Raises: JournalError where they are not those its head tells of."""
    table = TABLES.get(place.table)
    if table is None:
        raise JournalError(f"{where}: has rows of {place.table!r}, which is no table of this hft")
    body = pa.py_buffer(payload).slice(place.start, place.size)
    try:
        batch = pa.ipc.read_record_batch(body, table.schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise JournalError(f"{where}: rows of {place.table} cannot be read: {error}") from None
    if batch.num_rows != place.rows:
        raise JournalError(
            f"{where}: {batch.num_rows} rows of {place.table}, its head says {place.rows}"
        )
    return batch


def _padded(size: int) -> int:
    return -(-size // 8) * 8
