"""Rows of a segment as inserts, and what the database has of them: the half that knows both.

A segment never changes and is always cut the same way, so that an insert that was tried before is
tried again with the same rows under the same token, and the database drops it if it has it. The
database is asked first all the same: it remembers a token for a while only. A hole in what it has
is filled with the rows that are missing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from hft.core.errors import JournalError
from hft.recorder.blocks import Place
from hft.recorder.tables import TABLES
from hft.storage.arrow import arrow, strings
from hft.storage.database import DatabaseRefused

INSERT_ROWS = 100_000
INSERT_BYTES = 64 << 20
FILE_ROWS = 20_000  # from so many on the embedded engine reads a file faster


class Rows(Protocol):
    """What inserting needs of a database (`storage.database.Database`)."""

    def insert_arrow(self, table: str, rows: pa.Table, token: str) -> None: ...

    def insert_file(self, table: str, rows: pa.Table) -> None: ...

    def arrow(self, query: str, parameters: dict[str, object] | None = None) -> pa.Table: ...

    def rows(
        self, query: str, parameters: dict[str, object] | None = None
    ) -> list[tuple[object, ...]]: ...


class Target(NamedTuple):
    """Where rows go: how to open it, how it is shown, and the name of the database in it.

    `refills`: a count that is short means that rows are gone. Of a copy that may lag behind others
    it does not, and its rows are left to `hft recorder verify`.
    """

    open: "Callable[[], AbstractContextManager[Rows]]"
    shown: str
    database: str
    refills: bool = True
    is_embedded: bool = False


class Span(NamedTuple):
    """Rows `first` to `last` of a table."""

    table: str
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


class Insert(NamedTuple):
    """Rows `first` to `last` of a table, without a gap."""

    table: str
    first: int
    rows: pa.Table

    @classmethod
    def of(cls, table: str, first: int, batch: pa.RecordBatch) -> "Insert":
        return cls(table, first, pa.Table.from_batches([batch]))

    @property
    def last(self) -> int:
        return self.first + self.rows.num_rows - 1


def inserts_of(batches: Iterable[tuple[Place, pa.RecordBatch]], where: str) -> Iterator[Insert]:
    """The rows of a segment by table, cut at blocks. Raises: JournalError where numbers jump."""
    waiting: dict[str, list[pa.RecordBatch]] = {}
    first: dict[str, int] = {}
    following: dict[str, int] = {}
    for place, batch in batches:
        name = place.table
        if following.setdefault(name, place.first) != place.first:
            raise JournalError(
                f"{where}: row {place.first} of {name} stands where {following[name]} is due"
            )
        following[name] = place.last + 1
        first.setdefault(name, place.first)
        parts = waiting.setdefault(name, [])
        parts.append(batch)
        rows, size = sum(one.num_rows for one in parts), sum(one.nbytes for one in parts)
        if rows >= INSERT_ROWS or size >= INSERT_BYTES:
            yield Insert(name, first.pop(name), pa.Table.from_batches(waiting.pop(name)))
    for name, parts in waiting.items():
        yield Insert(name, first[name], pa.Table.from_batches(parts))


def bring_all(inserts: Sequence[Insert], writer_id: str, database: Rows, target: Target) -> int:
    """The same for all inserts of a segment; where it has none of a table, two questions do."""
    missing = 0
    for table in dict.fromkeys(one.table for one in inserts):
        parts = [one for one in inserts if one.table == table]
        whole = Span(table, parts[0].first, parts[-1].last)
        if not _count(whole, writer_id, database, target.database):
            _send(parts, writer_id, database, target)
            if _count(whole, writer_id, database, target.database) == whole.size:
                missing += whole.size
                continue
        missing += sum(bring(one, writer_id, database, target) for one in parts)
    return missing


def _send(parts: Sequence[Insert], writer_id: str, database: Rows, target: Target) -> None:
    """Rows of one table of which none is there.

    An engine in this process ends with it: no insert of a dead loader arrives late, so that a token
    is not needed, and one that broke off is a hole that is found and filled.
    """
    full = f"{target.database}.{parts[0].table}"
    if target.is_embedded and sum(one.rows.num_rows for one in parts) > FILE_ROWS:
        whole = pa.concat_tables([one.rows for one in parts])
        numbers = np.arange(parts[0].first, parts[-1].last + 1, dtype=np.int64)
        database.insert_file(full, named(whole, writer_id, numbers))
        return
    for one in parts:
        numbers = np.arange(one.first, one.last + 1, dtype=np.int64)
        rows = named(one.rows, writer_id, numbers)
        database.insert_arrow(full, rows, _token(one, writer_id))


def _token(insert: Insert, writer_id: str) -> str:
    return f"{writer_id}:{insert.table}:{insert.first}-{insert.last}"


def bring(insert: Insert, writer_id: str, database: Rows, target: Target) -> int:
    """See to it that the database has these rows, once each; returns how many were missing.

    Raises: DatabaseRefused where it took them and still has not the same number.
    """
    name, size = target.database, insert.rows.num_rows
    there = _count(insert, writer_id, database, name)
    if there == size:
        return 0
    token = _token(insert, writer_id)
    numbers = np.arange(insert.first, insert.last + 1, dtype=np.int64)
    missing = insert.rows
    if 0 < there < size and target.refills:
        kept = ~np.isin(numbers, _numbers(insert, writer_id, database, name))
        missing, numbers = insert.rows.filter(pa.array(kept)), numbers[kept]
        token += f":{size - there}"
    full = f"{name}.{insert.table}"
    if there < size:
        database.insert_arrow(full, named(missing, writer_id, numbers), token)
    found = _count(insert, writer_id, database, name)
    if not found and target.refills:  # the token is remembered, the rows were removed
        database.insert_arrow(full, named(missing, writer_id, numbers), f"{token}:again")
        found = _count(insert, writer_id, database, name)
    if found != size:
        raise DatabaseRefused(
            f"{full}: has {found} rows of {writer_id} from {insert.first} to {insert.last}, where "
            f"{size} were recorded; `hft recorder verify` names them"
        )
    return size - there


def named(rows: pa.Table, writer_id: str, numbers: np.ndarray) -> pa.Table:
    """Rows with the two columns that name them."""
    index = pa.array(np.zeros(len(numbers), np.int32))
    writer = pa.DictionaryArray.from_arrays(index, strings([writer_id]))
    with_number = rows.add_column(0, "wal_seq", arrow(numbers.astype(np.uint64)))
    return with_number.add_column(0, "writer_id", writer)


_RANGE = "writer_id = {writer:String} AND wal_seq BETWEEN {first:UInt64} AND {last:UInt64}"


def _range(insert: Insert | Span, writer_id: str) -> dict[str, object]:
    return {"writer": writer_id, "first": insert.first, "last": insert.last}


def _count(insert: Insert | Span, writer_id: str, database: Rows, name: str) -> int:
    query = f"SELECT count() FROM {name}.{insert.table} WHERE {_RANGE}"
    ((count,),) = database.rows(query, _range(insert, writer_id))
    return int(str(count))


def _numbers(insert: Insert, writer_id: str, database: Rows, name: str) -> np.ndarray:
    query = f"SELECT wal_seq FROM {name}.{insert.table} WHERE {_RANGE}"
    found = database.rows(query, _range(insert, writer_id))
    return np.array([int(str(one)) for (one,) in found], np.int64)


def stored(insert: Insert, writer_id: str, database: Rows, name: str) -> pa.Table:
    """What the database has of these rows, in order of their numbers, with `wal_seq` first."""
    columns = ", ".join(["wal_seq", *(f"`{one}`" for one in TABLES[insert.table].schema.names)])
    query = f"SELECT {columns} FROM {name}.{insert.table} WHERE {_RANGE} ORDER BY wal_seq"
    return database.arrow(query, _range(insert, writer_id))
