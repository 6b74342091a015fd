"""The append-only log: numbered frames in a folder of segments, rotated by size, torn-tail safe.

One writer owns the folder, by a lock. A write or sync that failed is never tried again: the writer
cuts back to the last good frame, says where, and takes nothing more, since a later sync can succeed
with the data gone. With `fsync` "always" at most one frame is not durable yet, the last one. It
never reads a clock; whoever appends brings the time.
"""

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hft.core.errors import Busy, JournalError
from hft.storage import frame
from hft.storage.disk import REAL, Disk, File, Held, sync_above

SEGMENT_BYTES = 50 << 20
SUFFIX = ".wal"
OWNER = "owner"  # the file of a log that is somebody's
DOING = "writes this journal"
Fsync = Literal["always", "close", "never"]


class DiskFull(JournalError):
    """A record that had no room. Nothing else failed: with room made, a writer opened anew takes
    it."""


def segment_name(first_seq: int) -> str:
    """Segments sort by name in the order they were written."""
    return f"{first_seq:020d}{SUFFIX}"


def segment_paths(folder: Path, disk: Disk = REAL) -> list[Path]:
    """The segments of a log, oldest first."""
    return [folder / name for name in disk.names(folder) if name.endswith(SUFFIX)]


@dataclass(frozen=True)
class Segment:
    """One segment as read: its bytes and the good frames in them."""

    path: Path
    header: frame.Header
    data: bytes
    frames: frame.Frames
    torn_bytes: int

    @property
    def next_seq(self) -> int:
        """The number of the frame behind the last one."""
        return self.header.first_seq + len(self.frames)

    def payloads(self) -> Iterator[bytes]:
        """The payload of each frame."""
        for offset, length in zip(self.frames.offsets, self.frames.lengths, strict=True):
            start = int(offset) + frame.HEAD_BYTES
            yield self.data[start : start + int(length)]


class LogWriter:
    """Appends to the log in `folder`; continues one that is there, cutting its torn tail.

    `fsync`: "always" after each append, "close" at rotation and close, "never". `owner` is whose
    log it is, such as an account. `first` says that records before it are not needed any more (a
    checkpoint has them): segments that end before it are not read. Times are the caller's.
    Raises: Busy naming the other writer; JournalError naming segment and offset.
    """

    def __init__(
        self,
        folder: Path,
        topic: str,
        *,
        schema: bytes = b"",
        owner: str = "",
        first_seq: int = 1,
        first: int | None = None,
        created_ns: int = 0,
        segment_bytes: int = SEGMENT_BYTES,
        fsync: Fsync = "close",
        disk: Disk = REAL,
    ) -> None:
        self.folder, self.topic, self.schema, self.owner = folder, topic, schema, owner
        self.segment_bytes, self.fsync = segment_bytes, fsync
        self.next_seq, self.torn_bytes = first_seq, 0
        self._disk = disk
        self._file: File | None = None
        self._held: Held | None = None
        self._failure: JournalError | None = None
        self._first_seq = first_seq  # of the last segment
        self._size = self._before = 0  # of the last segment, and of those before it
        try:
            self._open(first, created_ns)
        except OSError as error:
            self._release()
            what = error.strerror or str(error)
            raise JournalError(f"{folder}: cannot be opened for writing: {what}") from None
        except (Busy, JournalError):
            self._release()
            raise

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
        if self._failure is not None:
            raise self._refused(self._failure)
        if self._file is not None:
            try:
                self._file.sync()
            except OSError as error:
                raise self._failed(error, "sync") from None

    def rotate(self, created_ns: int) -> None:
        """Begin the next segment, unless the last one has no record yet."""
        if self._failure is not None:
            raise self._refused(self._failure)
        if self._size > frame.HEADER_BYTES:
            self._end_segment()
            self._before += self._size
            self._rotate(created_ns)

    def close(self) -> None:
        """Close the last segment; a closed log can be continued by another writer."""
        try:
            self._end_segment()
        finally:
            self._release()

    def _write(self, data: bytes, ts_ns: int) -> None:
        if self._failure is not None:
            raise self._refused(self._failure)
        if self._file is None:
            raise JournalError(f"{self.folder}: the log is closed")
        if self._size > frame.HEADER_BYTES and self._size + len(data) > self.segment_bytes:
            self.rotate(ts_ns)
        try:
            _write_all(self._file, self._size, data)
            if self.fsync == "always":
                self._file.sync()
        except OSError as error:
            raise self._failed(error) from None
        self._size += len(data)
        self.next_seq += 1

    def _refused(self, cause: JournalError) -> JournalError:
        return JournalError(f"{self.folder}: takes nothing more since a write failed: {cause}")

    def _failed(self, error: OSError, verb: str = "write") -> JournalError:
        """Latch. What is behind the last good frame is cut away, or a reader would find a frame in
        memory that is not on the disk."""
        path = self.folder / segment_name(self._first_seq)
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # else the next writer cuts the torn tail
                file.truncate(self._size)
            with contextlib.suppress(OSError):
                file.close()
        self._release()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full" if full else (error.strerror or str(error))
        self._failure = (DiskFull if full else JournalError)(
            f"{path}: cannot {verb} record {self.next_seq} at offset {self._size}: {what}; "
            "what was written before is kept"
        )
        return self._failure

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _end_segment(self) -> None:
        if self._file is None:
            return
        try:
            if self.fsync != "never":
                self._file.sync()
            self._file.close()
        except OSError as error:
            raise self._failed(error) from None
        self._file = None

    def _rotate(self, created_ns: int) -> None:
        self._first_seq = self.next_seq
        header = frame.Header(self.topic, self.next_seq, created_ns, self.schema)
        self._size = 0
        path = self.folder / segment_name(self.next_seq)
        try:
            self._file = self._disk.create(path)
            _write_all(self._file, 0, frame.encode_header(header))
            if self.fsync == "always":  # a header that is not whole is cut only where it is alone
                self._file.sync()
            if self.fsync != "never":
                self._disk.sync_folder(self.folder)
        except OSError as error:
            raise self._failed(error) from None
        self._size = frame.HEADER_BYTES

    def _open(self, first: int | None, created_ns: int) -> None:
        """Everything is checked before anything is touched."""
        made = self._disk.make(self.folder)
        self._held = self._disk.lock(self.folder, DOING)
        existing = segment_paths(self.folder, self._disk)
        claimed = _check_owner(self.folder, self.owner, bool(existing), self._disk)
        last, unread = self._read(first, existing)
        if self.fsync == "always":  # a writer before this one may have ended before it did
            sync_above(self.folder, made, self._disk)
        if not claimed:
            _write_owner(self.folder, self.owner, self._disk)
        if unread is not None:  # only a header that a crash cut short
            self._disk.unlink(unread)
        if last is None:
            self._rotate(created_ns)
        else:
            self._continue(last)

    def _read(self, first: int | None, existing: list[Path]) -> tuple[Segment | None, Path | None]:
        """The segment to continue, and one behind it that is no more than a torn header."""
        last: Segment | None = None
        for segment in _segments(self.folder, existing, first, self._disk):
            _check_header(segment, self.topic, self.schema)
            last = segment
        unread = existing[-1] if existing and (last is None or last.path != existing[-1]) else None
        if last is not None:
            self.next_seq = last.next_seq
        elif unread is not None:
            self.next_seq = first_of(unread)
        if first is not None and first > self.next_seq:
            raise JournalError(
                f"{self.folder}: ends with record {self.next_seq - 1}, and a checkpoint has those "
                f"before {first}; a segment is missing"
            )
        return last, unread

    def _continue(self, last: Segment) -> None:
        """Nobody acts on the tail before it is durable.

        A sync that failed in a life before this one may have left the last frame in memory alone,
        and nothing tells: the next sync would succeed without writing it. So it is written again.
        """
        self._first_seq, self.torn_bytes = last.header.first_seq, last.torn_bytes
        self._size = len(last.data) - last.torn_bytes
        self._file = self._disk.open(last.path)
        try:
            if last.torn_bytes:
                self._file.truncate(self._size)
            if self.fsync == "always":
                self._write_tail(last, self._file)
            if self.fsync != "never":
                self._file.sync()
            if self.fsync == "always":
                self._disk.sync_folder(self.folder)
        except OSError as error:
            raise self._failed(error, "continue with") from None

    def _write_tail(self, last: Segment, file: File) -> None:
        at = int(last.frames.offsets[-1]) if len(last.frames) > 1 else 0
        _write_all(file, at, last.data[at : self._size])


def _write_all(file: File, at: int, data: bytes) -> None:
    """A file may take a part only."""
    taken = file.write(at, data)
    while taken < len(data):
        taken += file.write(at + taken, memoryview(data)[taken:])


def _check_header(segment: Segment, topic: str, schema: bytes) -> None:
    header = segment.header
    if header.topic != topic:
        raise JournalError(f"{segment.path}: a journal of {header.topic!r}, not of {topic!r}")
    if header.schema != schema.rstrip(b"\0"):
        raise JournalError(
            f"{segment.path}: its records have other fields than this hft writes; continue it "
            "with the hft that began it, or begin another folder"
        )


def _check_owner(folder: Path, owner: str, has_segments: bool, disk: Disk) -> bool:
    """Does the log say that it is this owner's? One that says nothing is without an owner.

    Raises: JournalError when it is somebody else's, or has lost the file that tells.
    """
    named = OWNER in disk.names(folder)
    found = disk.read(folder / OWNER).decode(errors="replace").rstrip("\n") if named else ""
    if found != owner and (named or has_segments):
        whose = f"the journal of {found!r}" if named else "a journal that names no owner"
        asked = f"not of {owner!r}" if owner else "and it was opened without an owner"
        raise JournalError(f"{folder}: {whose}, {asked}")
    return found == owner


def _write_owner(folder: Path, owner: str, disk: Disk) -> None:
    """Durable before the first segment is: a log with records always tells."""
    aside = folder / f".{OWNER}.aside"
    if aside.name in disk.names(folder):
        disk.unlink(aside)
    file = disk.create(aside)
    _write_all(file, 0, f"{owner}\n".encode())
    file.sync()
    file.close()
    disk.rename(aside, folder / OWNER)
    disk.sync_folder(folder)


def read_segments(
    folder: Path, *, first: int | None = None, disk: Disk = REAL
) -> Iterator[Segment]:
    """Every segment in order, one in memory at a time; a torn tail of the last one is left out.

    With `first`, from the segment that holds this record. While a writer with fsync "always" is at
    work its last frame may not be durable yet; those before it are.
    Raises: JournalError naming segment and offset for damage anywhere else.
    """
    return _segments(folder, segment_paths(folder, disk), first, disk)


def _segments(folder: Path, paths: list[Path], first: int | None, disk: Disk) -> Iterator[Segment]:
    needed = _needed(folder, paths, first)
    expected = -1
    for path in needed:
        is_last = path is needed[-1]
        data = disk.read(path)
        if is_last and frame.is_torn_header(data):
            return
        header = frame.decode_header(data, str(path))
        if expected not in (-1, header.first_seq):
            raise JournalError(
                f"{path}: offset 0: begins with record {header.first_seq}, expected {expected}; "
                "a segment is missing"
            )
        if header.first_seq != first_of(path):
            raise JournalError(f"{path}: offset 0: begins with record {header.first_seq}")
        scan = frame.scan(data, header.first_seq)
        damaged_at = scan.end if scan.torn_bytes and not is_last else scan.damaged_at
        if damaged_at >= 0:
            seq = header.first_seq + len(scan.frames)
            raise JournalError(f"{path}: offset {damaged_at}: record {seq} is damaged")
        segment = Segment(path, header, data, scan.frames, scan.torn_bytes)
        expected = segment.next_seq
        yield segment


def _needed(folder: Path, paths: list[Path], first: int | None) -> list[Path]:
    """The segments from the one that holds record `first`, which its name tells."""
    if first is None or not paths:
        return paths
    begun = [k for k, path in enumerate(paths) if first_of(path) <= first]
    if not begun:
        raise JournalError(
            f"{folder}: begins with record {first_of(paths[0])}, and record {first} is needed; "
            "a segment is missing"
        )
    return paths[begun[-1] :]


def first_of(path: Path) -> int:
    """The first record of a segment, by its name."""
    digits = path.name.removesuffix(SUFFIX)
    if not (len(digits) == 20 and digits.isascii() and digits.isdigit()):
        raise JournalError(f"{path}: not the name of a journal segment")
    return int(digits)


def drop_segments(folder: Path, first: int, disk: Disk = REAL) -> int:
    """Remove the segments that end before record `first`; returns how many.

    The oldest goes first and for good, so that a crash leaves no gap; the last one always stays.
    """
    paths = segment_paths(folder, disk)
    gone = paths[: len(paths) - len(_needed(folder, paths, first))]
    for path in gone:
        disk.unlink(path)
        disk.sync_folder(folder)
    return len(gone)
