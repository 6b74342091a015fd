"""Does the database have what was recorded, row by row? Segments, manifest and tables compared.

Rows are read back and compared as they were written. Of a segment whose archive is gone the
manifest still says which rows it had; those are counted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.compute as pc

from hft.core.errors import JournalError
from hft.recorder import segments
from hft.recorder.backlog import reasons
from hft.recorder.inserts import Insert, Rows, Target, inserts_of, stored
from hft.recorder.loader import ARCHIVE
from hft.recorder.manifest import Loaded, Manifest
from hft.recorder.tables import TABLES
from hft.storage.disk import REAL, Disk

MOST = 20  # findings that are said; the others are counted


@dataclass
class Verified:
    """Rows compared, by table, and what is wrong with them."""

    compared: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    counted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    findings: list[str] = field(default_factory=list)
    more: int = 0  # findings beyond those

    @property
    def ok(self) -> bool:
        return not self.findings

    def find(self, sentence: str) -> None:
        if len(self.findings) < MOST:
            self.findings.append(sentence)
        else:
            self.more += 1


def verify(
    wal: Path,
    target: Target,
    *,
    disk: Disk = REAL,
    progress: Callable[[int, int], None] | None = None,
) -> Verified:
    """Compare every segment that the manifest knows. Raises: HftError where none can be asked."""
    found = Verified()
    entries = list(Manifest(wal, disk).entries())
    _numbers(entries, found)
    for name, why in reasons(wal, disk).items():
        found.find(f"segment {name} is in quarantine: {why}")
    if not entries:
        return found
    with target.open() as database:
        for place, entry in enumerate(entries):
            _segment(wal, entry, database, target.database, disk, found)
            if progress is not None:
                progress(place + 1, len(entries))
    return found


def _segment(
    wal: Path, entry: Loaded, database: Rows, name: str, disk: Disk, found: Verified
) -> None:
    path = wal / ARCHIVE / entry.segment
    if entry.segment not in disk.names(path.parent):
        path = wal / entry.segment
    if entry.segment not in disk.names(path.parent):
        _count(entry, database, name, found)
        return
    try:
        segment = segments.read_sealed(path, disk)
        for insert in inserts_of(segments.batches_of(segment), str(path)):
            compare(insert, entry.writer_id, database, name, found)
    except JournalError as error:
        found.find(str(error))


def _count(entry: Loaded, database: Rows, name: str, found: Verified) -> None:
    for table, parts in entry.rows.items():
        for first, last in parts:
            size = last - first + 1
            query = (
                f"SELECT count(), uniqExact(wal_seq) FROM {name}.{table} WHERE writer_id = "
                "{writer:String} AND wal_seq BETWEEN {first:UInt64} AND {last:UInt64}"
            )
            asked: dict[str, object] = {"writer": entry.writer_id, "first": first, "last": last}
            ((count, distinct),) = database.rows(query, asked)
            found.counted[table] += size
            if (count, distinct) != (size, size):
                found.find(f"{table}: rows {first} to {last}: {count} of {size} are there")


def compare(insert: Insert, writer_id: str, database: Rows, name: str, found: Verified) -> None:
    """Rows against those of the database. Mutates: found."""
    table, wanted = insert.table, insert.rows
    there = stored(insert, writer_id, database, name)
    found.compared[table] += wanted.num_rows
    numbers = there.column("wal_seq").to_pylist()
    if numbers != list(range(insert.first, insert.last + 1)):
        for sentence in _wrong_numbers(insert, numbers):
            found.find(sentence)
        return
    for column in wanted.column_names:
        mine, theirs = (
            wanted.column(column),
            there.column(column).cast(wanted.schema.field(column).type),
        )
        if mine.equals(theirs):
            continue
        at = pc.index(pc.equal(mine, theirs), False).as_py()
        found.find(
            f"{table}: row {insert.first + at}: {column} is {theirs[at].as_py()!r} in the "
            f"database and {mine[at].as_py()!r} as recorded"
        )


def _wrong_numbers(insert: Insert, numbers: list[int]) -> Iterator[str]:
    times: dict[int, int] = defaultdict(int)
    for number in numbers:
        times[number] += 1
    missing = [n for n in range(insert.first, insert.last + 1) if n not in times]
    twice = [n for n, count in times.items() if count > 1]
    if missing:
        yield f"{insert.table}: {len(missing)} rows are missing, the first is row {missing[0]}"
    if twice:
        yield f"{insert.table}: {len(twice)} rows are there twice, the first is row {twice[0]}"


def _numbers(entries: list[Loaded], found: Verified) -> None:
    """Between two segments that were loaded no number may be missing or there twice."""
    following: dict[tuple[str, str], int] = {}
    for entry in entries:
        for table, parts in entry.rows.items():
            for first, last in parts:
                due = following.get((entry.writer_id, table), 1)
                if first != due:
                    found.find(
                        f"{table}: row {first} of segment {entry.segment} stands where {due} is "
                        "due; a segment between is not loaded"
                    )
                following[entry.writer_id, table] = last + 1
