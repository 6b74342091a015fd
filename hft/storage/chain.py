"""A file of JSON lines in which every row carries the hash of the row before it.

It decides what a row looks like in bytes, what its hash is, and whether a file is whole. Rows are
appended under a lock and synced before they are acknowledged; several processes may append to one
file. A crash leaves at most one torn last line, which the next append cuts and counts; a failed
write leaves every earlier row whole. It never reads a clock, and never deletes a whole row.

A chain alone shows damage, not replacement: whoever can write the file can write another one with
matching hashes. That is found by comparing it with a head that was kept elsewhere.
"""

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hft.core.errors import DataError, JournalError
from hft.storage.atomic import sync_folder
from hft.storage.chain_row import (
    HASH_CHARS,
    NotARow,
    canonical,
    parse,
    parse_whole,
    row_hash,
    seal,
)
from hft.storage.interrupts import held_back
from hft.storage.lock import WAIT_S, lock, unlock

__all__ = [
    "GENESIS",
    "Appended",
    "Chain",
    "Checked",
    "Damage",
    "Head",
    "Mark",
    "canonical",
    "row_hash",
]

GENESIS = "0" * HASH_CHARS  # the prev_hash of the first row
OWN_FIELDS = ("seq", "prev_hash", "row_hash")
TAIL_BYTES = 4096
MARK_BYTES = 256
REPLACED_MAX = 5


class Head(NamedTuple):
    """The newest row of a chain; (0, GENESIS) when there is none."""

    seq: int
    hash: str


class Appended(NamedTuple):
    """What one append wrote: rows `first_seq`.. with their hashes, and the torn bytes it cut."""

    first_seq: int
    hashes: tuple[str, ...]
    torn_bytes: int


class Mark(NamedTuple):
    """How far a file was read: which file it was, the bytes read, the hash of the last ones.

    `again` says that it was read from the start, because it is not the file of the mark before.
    """

    inode: int
    offset: int
    last: bytes
    again: bool


@dataclass(frozen=True)
class Damage:
    """The first row that does not fit; `forked` when it is whole but its number was used before."""

    line: int  # from 1
    seq: int  # as expected at that line
    what: str
    forked: bool = False


@dataclass(frozen=True)
class Checked:
    """What a walk over a whole chain found; `head` is the newest row before any damage."""

    rows: int
    head: Head
    torn_bytes: int
    damage: Damage | None


class Chain:
    """One chained file, opened anew for each append and read, so that it may be replaced.

    `key` makes the row hashes an HMAC. Raises: JournalError where the file cannot be read or
    written, Busy where its lock is held for longer than `wait_s`.
    """

    def __init__(self, path: Path, *, key: bytes | None = None, wait_s: float = WAIT_S) -> None:
        self.path, self.key, self.wait_s = path, key, wait_s

    def append(self, rows: Sequence[Mapping[str, Any]]) -> Appended:
        """Write all rows with one sync; they are durable when this returns.

        After a crash in the middle a part of them may be there, in order and each one whole.
        Raises: DataError for a row without a canonical form, JournalError for a failed write or a
        last line that is no row; then nothing was added.
        """
        for row in rows:
            self._check_fields(row)
        if not rows:
            return Appended(self.head().seq + 1, (), 0)
        for _ in range(REPLACED_MAX):
            with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
                lock(file, self.path, wait_s=self.wait_s)
                if not _is_still(file, self.path):
                    continue
                with held_back():
                    appended = self._append_locked(file, rows)
                if _is_still(file, self.path):  # else the rows are in a file that has no name
                    return appended
        raise JournalError(f"{self.path}: was replaced while it was written; try again")

    def head(self) -> Head:
        """The newest whole row, read from the end of the file."""
        try:
            with self._opened(os.O_RDONLY) as file:
                lock(file, self.path, shared=True, wait_s=self.wait_s)
                return self._tail(file)[0]
        except FileNotFoundError:
            return Head(0, GENESIS)

    def lines(self) -> Iterator[bytes]:
        """The whole lines that were acknowledged when this was called, without newlines."""
        for line in self._raw_lines():
            if line.endswith(b"\n"):
                yield line[:-1]

    def follow(self, mark: Mark | None = None) -> tuple[list[bytes], Mark, int]:
        """The whole lines added since `mark`, a new mark, and the torn bytes behind them.

        A file that was replaced or cut is read from its start. An absent one is empty.
        """
        try:
            with self._opened(os.O_RDONLY) as file:
                size = self._size_locked(file)
                inode = os.fstat(file).st_ino
                start = mark.offset if mark is not None and _is_marked(file, mark, size) else 0
                data = _read_span(file, start, size)
        except FileNotFoundError:
            return [], Mark(0, 0, b"", mark is not None and mark.offset > 0), 0
        except OSError as error:
            raise self._failed(error, "read") from None
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].split(b"\n")[:-1]
        last = lines[-1][-MARK_BYTES:] if lines else (mark.last if mark and start else b"")
        again = mark is None or (start == 0 and mark.offset > 0)
        return lines, Mark(inode, start + whole, last, again), len(data) - whole

    def read(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """The rows with a seq above `after`; hashes are not checked.

        Raises: JournalError naming the line that is no row.
        """
        for number, line in enumerate(self.lines(), start=1):
            try:
                row = parse(line)
            except NotARow as error:
                raise JournalError(f"{self.path}: line {number} is no row: {error}") from None
            if type(row.get("seq")) is not int:
                raise JournalError(f"{self.path}: line {number} is no row: it has no seq")
            if row["seq"] > after:
                yield row

    def verify(self) -> Checked:
        """Walk the whole chain up to the first row that does not fit; an absent file is empty."""
        head, number, torn = Head(0, GENESIS), 0, 0
        for number, line in enumerate(self._raw_lines(), start=1):
            if not line.endswith(b"\n"):
                torn = len(line)
                break
            try:
                row = parse_whole(line[:-1], self.key)
            except NotARow as error:
                damage = Damage(number, head.seq + 1, str(error))
                return Checked(number - 1, head, 0, damage)
            what = _misfit(row, head)
            if what:
                forked = 1 <= row["seq"] <= head.seq
                return Checked(number - 1, head, 0, Damage(number, head.seq + 1, what, forked))
            head = Head(row["seq"], row["row_hash"])
        return Checked(head.seq, head, torn, None)

    def _raw_lines(self) -> Iterator[bytes]:
        """Lines up to the size at the call: what an append under way writes is not read."""
        try:
            with self._opened(os.O_RDONLY) as file, os.fdopen(os.dup(file), "rb") as stream:
                size = self._size_locked(file)
                while size > 0 and (line := stream.readline()):
                    yield line[:size]
                    size -= len(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._failed(error, "read") from None

    def _size_locked(self, file: int) -> int:
        """The size while nobody writes: all below it was acknowledged, but for a torn line."""
        lock(file, self.path, shared=True, wait_s=self.wait_s)
        size = os.fstat(file).st_size
        unlock(file)
        return size

    @contextlib.contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        try:
            if flags & os.O_CREAT:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, flags | os.O_CLOEXEC, 0o644)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not flags & os.O_CREAT:
                raise
            raise self._failed(error, "open") from None
        try:
            yield file
        finally:
            os.close(file)

    def _check_fields(self, row: Mapping[str, Any]) -> None:
        canonical(row)
        for name in OWN_FIELDS:
            if name in row:
                raise DataError(f"{self.path}: row field {name} is written by the chain itself")

    def _append_locked(self, file: int, rows: Sequence[Mapping[str, Any]]) -> Appended:
        head, end = self._tail(file)
        first, hashes, parts = head.seq + 1, [], []
        for seq, row in enumerate(rows, start=first):
            own, line = seal(row, seq, head.hash, self.key)
            head = Head(seq, own)
            hashes.append(own)
            parts.append(line)
        torn = os.fstat(file).st_size - end
        try:
            if torn:
                os.ftruncate(file, end)
            _write_all(file, b"".join(parts))
            os.fsync(file)
            if end == 0:
                _sync_upwards(self.path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):  # else the next append cuts the torn line
                os.ftruncate(file, end)
            raise self._failed(error, f"write row {first} of") from None
        return Appended(first, tuple(hashes), torn)

    def _tail(self, file: int) -> tuple[Head, int]:
        """The newest whole row and where it ends, from the last bytes alone."""
        size = os.fstat(file).st_size
        window = TAIL_BYTES
        while True:
            start = max(0, size - window)
            data = os.pread(file, size - start, start)
            end = data.rfind(b"\n")
            begin = data.rfind(b"\n", 0, end) if end > 0 else -1
            if begin >= 0 or start == 0:
                break
            window *= 8
        if end < 0:
            return Head(0, GENESIS), 0
        try:
            row = parse_whole(data[begin + 1 : end], self.key)
        except NotARow as error:
            raise JournalError(
                f"{self.path}: the last line is no row of this chain: {error}; nothing can be "
                "added to it until the file is restored"
            ) from None
        return Head(row["seq"], row["row_hash"]), start + end + 1

    def _failed(self, error: OSError, verb: str) -> JournalError:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full" if full else (error.strerror or str(error))
        return JournalError(f"{self.path}: cannot {verb} the chain: {what}; earlier rows are kept")


def _misfit(row: Mapping[str, Any], head: Head) -> str:
    """Why a whole row does not follow `head`; empty when it does."""
    if row["seq"] != head.seq + 1:
        return f"its seq is {row['seq']} where {head.seq + 1} is expected"
    if row["prev_hash"] != head.hash:
        return f"its prev_hash is {row['prev_hash'][:12]}, the row before has {head.hash[:12]}"
    return ""


def _is_still(file: int, path: Path) -> bool:
    """Whether the open file is the one of that name: a checkout replaces files by renaming."""
    try:
        named = os.stat(path)
    except FileNotFoundError:
        return False
    opened = os.fstat(file)
    return (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)


def _is_marked(file: int, mark: Mark, size: int) -> bool:
    """Whether the file still ends where it was read to in the same bytes."""
    if os.fstat(file).st_ino != mark.inode or size < mark.offset:
        return False
    start = mark.offset - len(mark.last) - 1
    return start >= 0 and os.pread(file, len(mark.last), start) == mark.last


def _read_span(file: int, start: int, end: int) -> bytes:
    parts = []
    while start < end and (part := os.pread(file, min(end - start, 1 << 26), start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _sync_upwards(folder: Path) -> None:
    """A new file is durable when its folder is, and that one's name in the folder above."""
    sync_folder(folder)
    with contextlib.suppress(OSError):
        sync_folder(folder.parent)
