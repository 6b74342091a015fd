"""Rows on disk before anything else: taken in memory, synced in groups, counted where lost.

`write` never touches the disk unless too much waits. One block and one sync make a group durable,
all tables of it together. A full disk costs the droppable rows of the group; for the others the
reserve is spent, and then they wait until there is room. Any other failure ends the writer: nobody
knows what the disk has.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from hft.core.errors import JournalError
from hft.recorder import segments
from hft.recorder.blocks import BLOCK, batch_of, encode
from hft.recorder.pressure import MB, DiskPressureMonitor, Level
from hft.recorder.reserve import Reserve
from hft.recorder.tables import LOSS, SCHEMA, TABLES, table_of
from hft.storage.disk import REAL, Disk
from hft.storage.log import DiskFull, LogWriter, first_of, segment_paths

BLOCK_BYTES = 4 * MB  # a block is cut behind it; a frame holds four times as much
Batches = list[tuple[str, pa.RecordBatch]]
Losses = dict[tuple[str, str], int]  # table and why -> rows
BEHIND = 4  # groups that may wait before a row is dropped or its writer waits


@dataclass(frozen=True)
class Sizes:
    """When a group is written and a segment ends, whichever is first."""

    batch_ns: int = 1_000_000_000
    batch_rows: int = 5000
    segment_bytes: int = 50 * MB
    segment_ns: int = 10_000_000_000


@dataclass
class Counters:
    """What became of rows, by table; `groups` were synced."""

    written: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    lost: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    groups: int = 0


class WALFirstWriter:
    """The one writer of a folder. `writer_id` is given to a folder that has none.

    Raises: Busy naming the other writer; JournalError naming segment and record.
    """

    def __init__(
        self,
        folder: Path,
        writer_id: str,
        monitor: DiskPressureMonitor,
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sizes: Sizes | None = None,
        reserve_bytes: int = 0,
        disk: Disk = REAL,
    ) -> None:
        self.folder, self.monitor, self.counters = folder, monitor, Counters()
        self.writer_id = segments.writer_of(folder, disk) or writer_id
        self._sizes, self._disk = sizes or Sizes(), disk
        self._wall_ns, self._clock_ns = wall_ns, clock_ns
        self._guard = threading.Lock()  # of what waits, for moments
        self._writing = threading.Lock()  # held while a group is written
        self._waiting: Batches = []
        self._losses: Losses = {}
        self._left: list[Batches] = []  # groups that were taken and are not written
        self._left_losses: Losses = {}  # that go with the first of them
        self._left_from: Mapping[str, int] = {}  # the numbers that it was tried with
        self._rows = 0  # that wait
        self._since_ns = 0  # when the first of them came
        self._mark = 0
        self._failure: JournalError | None = None
        self._reserve = Reserve(folder, reserve_bytes, disk)
        self._log = self._open()
        self._reserve.make()

    @property
    def mark(self) -> int:
        """How far the source of the rows had been read when the last block was made."""
        return self._mark

    @property
    def next_rows(self) -> Mapping[str, int]:
        """The number of each table's next row."""
        return dict(self._next)

    @property
    def torn_bytes(self) -> int:
        """What a crash had left behind the last whole block."""
        return self._log.torn_bytes

    @property
    def failure(self) -> JournalError | None:
        """Why nothing more is recorded, if so."""
        return self._failure

    def write(self, table: str, rows: Any, *, marked: bool = False) -> bool:
        """Take rows; False where the level of the disk has them dropped, which is recorded.

        `marked`: a commit with a mark comes next, and is the block of all of them however many.
        Raises: JournalError for rows that may not be dropped once the disk has failed; DataError
        for rows that do not fit their table.
        """
        named = table_of(table)
        batch = batch_of(named, rows)
        if not batch.num_rows:
            return True
        policy = self.monitor.get_topic_policy(table) if named.droppable else "write"
        if self._failure is not None and not named.droppable:
            raise self._refusal()
        if self._failure is not None or policy != "write":
            why = "disk failed" if self._failure is not None else f"disk level, policy {policy}"
            self._lose(table, batch.num_rows, why)
            return False
        if self._is_behind() and not marked:
            if named.droppable:
                self._lose(table, batch.num_rows, "writer behind")
                return False
            self.commit()
        with self._guard:
            self._note_time()
            self._waiting.append((table, batch))
            self._rows += batch.num_rows
        return True

    def is_due(self) -> bool:
        """Is it time to write what waits?"""
        with self._guard:
            late = self._clock_ns() - self._since_ns >= self._sizes.batch_ns
            waits = bool(self._rows or self._losses)
            return waits and (late or self._rows >= self._sizes.batch_rows)

    def tick(self) -> None:
        """Write a group that is due, end a segment that is old. Raises: JournalError.

        A writer that ended because the disk was full goes on once there is room.
        """
        level = self.monitor.get_level()
        with self._writing:
            if isinstance(self._failure, DiskFull) and level < Level.HALT:
                self._go_on()
        if self._failure is None and self.is_due():
            self.commit()
        with self._writing:
            if self._failure is not None:
                return
            if level == Level.OK:
                self._reserve.make()
            if self._has_rows and self._clock_ns() - self._begun_ns >= self._sizes.segment_ns:
                self._end_segment()

    def commit(self, mark: int | None = None) -> None:
        """Everything taken so far is durable when this returns.

        `mark` says how far the source was read, and stands in one block with all that waits.
        Raises: JournalError, and nothing more is taken. What waited is not to be handed over again:
        behind a full disk it is written once there is room, unless it came with a mark, whose
        source is read again from the mark that held.
        """
        with self._writing:
            if self._failure is not None:
                raise self._refusal()
            with self._guard:
                taken, self._waiting, self._rows = self._waiting, [], 0
                losses, self._losses = self._losses, {}
            if not taken and not losses and mark in (None, self._mark):
                return
            old, self._mark = self._mark, self._mark if mark is None else mark
            self._left, self._left_losses = _cut(taken) if mark is None else [taken], losses
            try:
                self._write_left()
            except JournalError as error:
                self._mark = old
                if mark is not None:
                    self._left = []
                self._end(error)
                raise

    def seal(self) -> None:
        """Write what waits and end the segment, for a loader to take. Raises: JournalError."""
        self.commit()
        with self._writing:
            if self._has_rows:
                self._end_segment()

    def close(self) -> None:
        """Seal and let another process write. Raises: JournalError."""
        try:
            if self._failure is None:
                self.seal()
        finally:
            self._log.close()

    # -- the log

    def _open(self) -> LogWriter:
        paths = segment_paths(self.folder, self._disk)
        log = LogWriter(
            self.folder,
            segments.TOPIC,
            schema=SCHEMA,
            owner=self.writer_id,
            first=first_of(paths[-1]) if paths else None,
            created_ns=self._wall_ns(),
            segment_bytes=self._sizes.segment_bytes,
            fsync="always",
            disk=self._disk,
        )
        try:
            found = segments.last(self.folder, self._disk)
        except BaseException:
            log.close()
            raise
        self._next = dict.fromkeys(TABLES, 1) | (found.head.next if found.head else {})
        self._mark = found.head.mark if found.head else 0
        self._has_rows, self._begun_ns = found.has_rows, self._clock_ns()
        if not found.has_block:
            try:
                self._begin(log)
            except BaseException:
                log.close()
                raise
        return log

    def _end(self, failure: JournalError) -> None:
        """Nothing more is taken; whoever decides hears of it first."""
        if isinstance(failure, DiskFull):
            self.monitor.full()
        else:
            self.monitor.failed()
        self._failure = failure

    def _go_on(self) -> None:
        """There is room again. Raises: JournalError where that is not so."""
        try:
            self._log = self._open()
        except JournalError:
            self.monitor.full()
            raise
        self._failure = None
        if self._left and self._next != self._left_from:
            self._written()
        with self._guard:
            self._note_time()
            waited = [one for group in self._left for one in group]
            self._waiting, self._left = waited + self._waiting, []
            self._rows += sum(batch.num_rows for _, batch in waited)
            for what, count in self._left_losses.items():
                self._losses[what] = self._losses.get(what, 0) + count
            self._left_losses = {}

    def _begin(self, log: LogWriter) -> None:
        """A segment begins with a block: it says which row is next."""
        log.append(self._wall_ns(), BLOCK, encode([], self._next, self._mark))

    def _end_segment(self) -> None:
        try:
            self._log.rotate(self._wall_ns())
            self._begin(self._log)
        except JournalError as error:
            self._end(error)
            raise
        self._has_rows, self._begun_ns = False, self._clock_ns()

    def _write_left(self) -> None:
        while self._left:
            self._left_from = self._next
            try:
                self._append(self._left[0], self._left_losses)
            except DiskFull:
                self._without_room()
            self._written()

    def _written(self) -> None:
        self._left.pop(0)
        self._left_losses = {}

    def _without_room(self) -> None:
        """The disk is full: spend the reserve on what may not be dropped."""
        self.monitor.full()
        mark = self._mark
        self._reserve.release()
        self._log = self._open()
        if self._next != self._left_from:  # the block was whole when the disk refused its sync
            return
        group, losses = self._left[0], dict(self._left_losses)
        for name, batch in group:
            if TABLES[name].droppable:
                self._count_lost(losses, name, batch.num_rows, "disk full")
        kept = [(name, batch) for name, batch in group if not TABLES[name].droppable]
        self._mark, self._left[0], self._left_losses = mark, kept, losses
        self._append(kept, losses)

    def _append(self, group: Batches, losses: Losses) -> None:
        """One block: numbers are given when it is durable."""
        batches = [*_joined(group), *self._loss_rows(losses)]
        following = dict(self._next)
        numbered = []
        for name, batch in batches:
            numbered.append((name, following[name], batch))
            following[name] += batch.num_rows
        self._log.append(self._wall_ns(), BLOCK, encode(numbered, following, self._mark))
        self._next, self._has_rows = following, self._has_rows or bool(batches)
        for name, batch in batches:
            self.counters.written[name] += batch.num_rows
        self.counters.groups += 1

    def _loss_rows(self, losses: Mapping[tuple[str, str], int]) -> Batches:
        if not losses:
            return []
        ts = self._wall_ns()
        rows = [
            {"ts": ts, "table": table, "rows": count, "reason": why}
            for (table, why), count in losses.items()
        ]
        return [(LOSS.name, batch_of(LOSS, rows))]

    # -- what does not fit

    def _is_behind(self) -> bool:
        return self._rows >= BEHIND * self._sizes.batch_rows

    def _lose(self, table: str, rows: int, why: str) -> None:
        with self._guard:
            self._note_time()
            self._count_lost(self._losses, table, rows, why)

    def _note_time(self) -> None:
        if not self._rows and not self._losses:
            self._since_ns = self._clock_ns()

    def _count_lost(self, losses: Losses, table: str, rows: int, why: str) -> None:
        losses[table, why] = losses.get((table, why), 0) + rows
        self.counters.lost[table] += rows

    def _refusal(self) -> JournalError:
        return JournalError(f"nothing more is recorded: {self._failure}")


def _joined(group: Batches) -> Batches:
    """One batch a table, in the order they came."""
    by_table: dict[str, list[pa.RecordBatch]] = {}
    for name, batch in group:
        by_table.setdefault(name, []).append(batch)
    return [(name, _whole(parts)) for name, parts in by_table.items()]


def _whole(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(parts) == 1:
        return parts[0]
    table = pa.Table.from_batches(parts).combine_chunks()
    return table.to_batches()[0]


def _cut(taken: Batches) -> list[Batches]:
    """Groups that each fit a block; a batch that is larger is cut by rows."""
    groups: list[Batches] = [[]]
    size = 0
    for name, batch in taken:
        rows = max(1, batch.num_rows * BLOCK_BYTES // max(batch.nbytes, 1))
        for at in range(0, batch.num_rows, rows):
            part = batch.slice(at, rows)
            if size and size + part.nbytes > BLOCK_BYTES:
                groups.append([])
                size = 0
            groups[-1].append((name, part))
            size += part.nbytes
    return groups
