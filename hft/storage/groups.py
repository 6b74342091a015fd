"""Group commit as a value: which records wait, which are written, which are durable.

Records are numbered without a gap. At most one group is under way; what is added meanwhile waits
for the next one. A group that failed ends everything: nobody knows whether a later life will find
it, and nothing more is taken. No thread, no clock, no file; `commit` moves the bytes.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hft.core.errors import JournalError
from hft.storage.frame import FRAME_MAX
from hft.storage.log import Segment

GROUP_MAX = 4096  # records
FIRST = struct.Struct("<Q")  # the number of a group's first record, in front of its rows
BUCKETS = 40  # of sync times, by powers of two nanoseconds; the last one has all longer ones


class Group(NamedTuple):
    """Records that are written as one frame."""

    first: int
    size: int  # in records
    ts_ns: int  # of its first record
    rows: bytes

    @property
    def last(self) -> int:
        return self.first + self.size - 1

    def payload(self) -> bytes:
        """What its frame holds."""
        return FIRST.pack(self.first) + self.rows


@dataclass
class Counters:
    """What was committed so far, in integers; `records_log2[k]` counts groups of at most 2**k
    records, `sync_log2[k]` those whose write and sync took at most 2**k nanoseconds."""

    groups: int = 0
    records: int = 0
    largest: int = 0
    sync_ns: int = 0
    sync_ns_max: int = 0
    records_log2: list[int] = field(default_factory=lambda: [0] * GROUP_MAX.bit_length())
    sync_log2: list[int] = field(default_factory=lambda: [0] * BUCKETS)

    def count(self, records: int, sync_ns: int) -> None:
        self.groups += 1
        self.records += records
        self.largest = max(self.largest, records)
        self.sync_ns += sync_ns
        self.sync_ns_max = max(self.sync_ns_max, sync_ns)
        _count_log2(self.records_log2, records)
        _count_log2(self.sync_log2, sync_ns)


def _count_log2(buckets: list[int], value: int) -> None:
    buckets[min(max(value - 1, 0).bit_length(), len(buckets) - 1)] += 1


class Groups:
    """The open group, the one under way, and what is durable. Units: records by number."""

    def __init__(self, record_bytes: int, first: int = 1, most: int = GROUP_MAX) -> None:
        if not 1 <= most <= GROUP_MAX or record_bytes * most > FRAME_MAX // 2:
            raise ValueError(f"groups of {most} records of {record_bytes} bytes")
        self.record_bytes, self.most = record_bytes, most
        self.last = self.durable = first - 1
        self.failure: JournalError | None = None
        self.counters = Counters()
        self._under_way: Group | None = None
        self._open: list[tuple[int, bytes]] = []  # time and rows, of at most `most` records each
        self._taken = first - 1  # the last record that is in a group

    @property
    def is_idle(self) -> bool:
        """Is no group under way?"""
        return self._under_way is None

    @property
    def waiting(self) -> int:
        """How many records are not durable yet."""
        return self.last - self.durable

    def add(self, rows: bytes, ts_ns: int) -> int:
        """Put rows into the open group; returns the number of the last one.

        Raises: JournalError with the first cause, once a group has failed.
        """
        if self.failure is not None:
            raise self.refusal()
        if len(rows) == self.record_bytes:
            self._open.append((ts_ns, rows))
            self.last += 1
            return self.last
        count, rest = divmod(len(rows), self.record_bytes)
        if rest or not count:
            raise ValueError(f"{len(rows)} bytes are not rows of {self.record_bytes}")
        step = self.most * self.record_bytes
        self._open += [(ts_ns, rows[at : at + step]) for at in range(0, len(rows), step)]
        self.last += count
        return self.last

    def swap(self) -> Group | None:
        """The next group, now under way; None when nothing waits or one is under way already."""
        if self._under_way is not None or not self._open:
            return None
        taken = len(self._open)
        if self.last - self._taken > self.most:
            taken = self._fitting()
        chunks, self._open = self._open[:taken], self._open[taken:]
        rows = b"".join([rows for _, rows in chunks])
        group = Group(self._taken + 1, len(rows) // self.record_bytes, chunks[0][0], rows)
        self._taken = group.last
        self._under_way = group
        return group

    def done(self, sync_ns: int = 0) -> None:
        """The group under way is durable."""
        group = self._under_way
        if group is None:
            raise ValueError("no group is under way")
        self._under_way = None
        self.durable = group.last
        self.counters.count(group.size, sync_ns)

    def failed(self, cause: JournalError) -> None:
        """The group under way may be lost, and nothing more is taken."""
        self._under_way = None
        self._open = []
        self.failure = self.failure or cause

    def refusal(self) -> JournalError:
        """What whoever waits or adds is told after a failure."""
        return JournalError(f"nothing more is recorded: {self.failure}")

    def _fitting(self) -> int:
        count = 0
        for number, (_, rows) in enumerate(self._open):
            count += len(rows) // self.record_bytes
            if count > self.most:
                return number
        return len(self._open)


class Recorded(NamedTuple):
    """A group as read back, and the frame that holds it."""

    seq: int
    group: Group


def read_groups(
    segments: Iterable[Segment], record_bytes: int, first: int | None = None
) -> Iterator[Recorded]:
    """Every group of these segments, from the one that holds record `first`.

    Raises: JournalError naming segment and offset where rows are of another size, or a record is
    missing or there twice.
    """
    expected: int | None = None
    for segment in segments:
        places = zip(segment.frames.seq, segment.frames.ts_ns, segment.payloads(), strict=True)
        for place, (seq, ts_ns, payload) in enumerate(places):
            where = f"{segment.path}: offset {int(segment.frames.offsets[place])}"
            size, rest = divmod(len(payload) - FIRST.size, record_bytes)
            if rest or size < 1:
                raise JournalError(f"{where}: group {int(seq)} is not rows of {record_bytes} bytes")
            (begins,) = FIRST.unpack_from(payload)
            due = expected if expected is not None else min(begins, first or begins)
            if begins != due:
                raise JournalError(f"{where}: record {begins} stands where {due} is due")
            group = Group(begins, size, int(ts_ns), payload[FIRST.size :])
            expected = group.last + 1
            if first is None or group.last >= first:
                yield Recorded(int(seq), group)
