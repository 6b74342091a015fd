"""The append-only log: numbered frames in a folder of segments, rotated by size, torn-tail safe.

It owns the files of one folder while a writer is open. A failed write leaves every earlier frame
whole: the writer cuts back to the last good one and says where. It never reads a clock; whoever
appends brings the time.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from hft.core.errors import JournalError
from hft.storage import frame
from hft.storage.atomic import sync_folder

SEGMENT_BYTES = 50 << 20
SUFFIX = ".wal"
Fsync = Literal["always", "close", "never"]


def segment_name(first_seq: int) -> str:
    """Segments sort by name in the order they were written."""
    return f"{first_seq:020d}{SUFFIX}"


def segment_paths(folder: Path) -> list[Path]:
    """The segments of a log, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


@dataclass(frozen=True)
class Segment:
    """One segment as read: its bytes and the good frames in them."""

    path: Path
    header: frame.Header
    data: bytes
    frames: frame.Frames
    torn_bytes: int

    def payloads(self) -> Iterator[bytes]:
        """The payload of each frame."""
        for offset, length in zip(self.frames.offsets, self.frames.lengths, strict=True):
            start = int(offset) + frame.HEAD_BYTES
            yield self.data[start : start + int(length)]


class LogWriter:
    """Appends to the log in `folder`; continues one that is there, cutting its torn tail.

    `fsync`: "always" after each append, "close" at rotation and close, "never". Times are the
    caller's. Raises: JournalError naming segment and offset.
    """

    def __init__(
        self,
        folder: Path,
        topic: str,
        *,
        schema: bytes = b"",
        first_seq: int = 1,
        created_ns: int = 0,
        segment_bytes: int = SEGMENT_BYTES,
        fsync: Fsync = "close",
    ) -> None:
        self.folder, self.topic, self.schema = folder, topic, schema
        self.segment_bytes, self.fsync = segment_bytes, fsync
        self.next_seq, self.torn_bytes = first_seq, 0
        self._file: BinaryIO | None = None
        self._size = self._before = 0  # of the last segment, and of those before it
        folder.mkdir(parents=True, exist_ok=True)
        existing = segment_paths(folder)
        if existing:
            self._continue(existing)
        else:
            self._rotate(created_ns)

    def append(self, ts_ns: int, kind: int, payload: bytes, flags: int = 0) -> int:
        """Write one frame; returns its sequence number."""
        seq = self.next_seq
        self._write(frame.encode(seq, ts_ns, kind, payload, flags), ts_ns)
        return seq

    @property
    def size(self) -> int:
        """Bytes of all segments that this writer has begun or continued."""
        return self._before + self._size

    def sync(self) -> None:
        """Make everything appended so far durable."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the last segment; a closed log can be continued by another writer."""
        if self._file is None:
            return
        try:
            if self.fsync != "never":
                os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise self._failed(error) from None
        self._file = None

    def _write(self, data: bytes, ts_ns: int) -> None:
        if self._file is None:
            raise JournalError(f"{self.folder}: the log is closed")
        if self._size > frame.HEADER_BYTES and self._size + len(data) > self.segment_bytes:
            self.close()
            self._before += self._size
            self._rotate(ts_ns)
        try:
            _write_all(self._file, data)
            if self.fsync == "always":
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from None
        self._size += len(data)
        self.next_seq += 1

    def _failed(self, error: OSError) -> JournalError:
        """Cut back to the last whole frame, so that what was written stays readable, and close."""
        path = self.folder / segment_name(self._first_seq)
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # else the next reader cuts the torn tail
                file.truncate(self._size)
            with contextlib.suppress(OSError):
                file.close()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full" if full else (error.strerror or str(error))
        return JournalError(
            f"{path}: cannot write record {self.next_seq} at offset {self._size}: {what}; "
            "what was written before is kept"
        )

    def _rotate(self, created_ns: int) -> None:
        self._first_seq = self.next_seq
        header = frame.Header(self.topic, self.next_seq, created_ns, self.schema)
        self._size = 0
        path = self.folder / segment_name(self.next_seq)
        try:
            self._file = open(path, "xb", buffering=0)  # noqa: SIM115
            _write_all(self._file, frame.encode_header(header))
            if self.fsync != "never":
                sync_folder(self.folder)
        except OSError as error:
            raise self._failed(error) from None
        self._size = frame.HEADER_BYTES

    def _continue(self, existing: list[Path]) -> None:
        last: Segment | None = None
        for segment in read_segments(self.folder):
            last = segment
        if last is None:  # only a header that a crash cut short
            existing[-1].unlink()
            self._rotate(0)
            return
        self._first_seq = last.header.first_seq
        self.next_seq = last.header.first_seq + len(last.frames)
        self.torn_bytes = last.torn_bytes
        self._size = len(last.data) - last.torn_bytes
        self._file = open(last.path, "r+b", buffering=0)  # noqa: SIM115
        self._file.truncate(self._size)
        self._file.seek(self._size)


def _write_all(file: BinaryIO, data: bytes) -> None:
    """An unbuffered file may take a part only."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def read_segments(folder: Path) -> Iterator[Segment]:
    """Every segment in order, one in memory at a time; a torn tail of the last one is left out.

    Raises: JournalError naming segment and offset for damage anywhere else.
    """
    paths = segment_paths(folder)
    expected = -1
    for path in paths:
        is_last = path is paths[-1]
        data = path.read_bytes()
        if is_last and len(data) < frame.HEADER_BYTES:
            return
        header = frame.decode_header(data, str(path))
        if expected not in (-1, header.first_seq):
            raise JournalError(
                f"{path}: offset 0: begins with record {header.first_seq}, expected {expected}; "
                "a segment is missing"
            )
        scan = frame.scan(data, header.first_seq)
        damaged_at = scan.end if scan.torn_bytes and not is_last else scan.damaged_at
        if damaged_at >= 0:
            seq = header.first_seq + len(scan.frames)
            raise JournalError(f"{path}: offset {damaged_at}: record {seq} is damaged")
        expected = header.first_seq + len(scan.frames)
        yield Segment(path, header, data, scan.frames, scan.torn_bytes)
