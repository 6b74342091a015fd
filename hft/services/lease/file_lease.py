"""The lease among processes of one host: a file a fence, made by who takes it and by nobody twice.

The holder of the newest file leads. It locks its file, which tells others that it lives, and writes
into it until when it leads; both in its own file, so that nobody waits for a process that was
stopped. Another takes over when the lock is gone (the process is dead) or the time is over (it is
stopped). Who renewed in the moment in which another took over is seen by one of both: the holder
writes first and then looks for a newer file, the other makes the newer file first and then looks
until when the holder still believes to lead, and waits for that.
"""

import contextlib
import fcntl
import os
import socket
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hft.core.errors import JournalError
from hft.storage.atomic import sync_folder

TTL_NS = 2_000_000_000
SUFFIX = ".lease"
_RECORD = struct.Struct("<qqq36s64s")  # until, since, pid, boot, host; then its checksum
_SIZE = _RECORD.size + 4


def boot_ns() -> int:
    """Nanoseconds since the machine started; it goes on while it sleeps, and nobody can set it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Holder:
    """Who holds a fence. Units: times in nanoseconds since its machine started."""

    fence: int
    until_ns: int
    since_ns: int
    pid: int
    boot: str
    host: str


class FileLease:
    """A lease kept in a folder that all gateways of a host share; refresh it each `ttl_ns` / 4.

    `now_ns` never goes back and is the same for all processes. Raises: JournalError where the
    folder cannot be used at all.
    """

    def __init__(
        self, folder: Path, *, ttl_ns: int = TTL_NS, now_ns: Callable[[], int] = boot_ns
    ) -> None:
        self.folder, self.ttl_ns, self._now_ns = folder, ttl_ns, now_ns
        self.fence = self._until_ns = self._since_ns = self._after_ns = 0
        self._file, self._unwritten = -1, (0, 0)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(f"{folder}: cannot keep a lease: {error.strerror}") from None

    def acquire(self, *, above: int = 0) -> bool:
        """Take the lease when nobody holds it; a true answer stands until `leads` says otherwise.

        A holder may still believe to lead; then `leads` is false until it no longer does.
        """
        if self.fence:
            return self.renew()
        try:
            newest = self._newest()
            if newest and self._is_held(newest):
                return False
            return self._take(max(newest, above) + 1, newest)
        except OSError:
            self._let_go()
            return False

    def renew(self) -> bool:
        """Write a later end, then look whether another has taken over meanwhile."""
        try:
            if not self.fence or self._now_ns() >= max(self._until_ns, self._after_ns):
                self._let_go()
                return False
            until_ns = self._now_ns() + self.ttl_ns
            self._write(until_ns)
            if self._newest() != self.fence:
                self._let_go()
                return False
        except OSError:
            self._let_go()
            return False
        self._until_ns = until_ns
        return True

    def leads(self) -> bool:
        """Is it ours now? The last quarter of the time is left for what is on its way."""
        return self.fence > 0 and self._after_ns <= self._now_ns() < (
            self._until_ns - self.ttl_ns // 4
        )

    def release(self) -> None:
        """End it: the next `acquire` of another succeeds at once."""
        if self.fence:
            with contextlib.suppress(OSError):
                self._write(0)
        self._let_go()

    def holder(self) -> Holder | None:
        """Who has the newest fence, whether or not its time is over; None: nobody ever had one."""
        newest = self._newest()
        return self._read(newest) if newest else None

    def _take(self, fence: int, before: int) -> bool:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            self._file = os.open(self._path(fence), flags, 0o644)
        except FileExistsError:
            return False  # another was quicker
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.fence, self._since_ns = fence, self._now_ns()
        self._until_ns = self._since_ns + self.ttl_ns
        self._write(self._until_ns)
        sync_folder(self.folder)
        self._after_ns = self._believed_ns(before)
        self._until_ns = max(self._until_ns, self._after_ns + self.ttl_ns)
        self._write(self._until_ns)
        for old in self._fences():
            if old < before:
                self._path(old).unlink(missing_ok=True)
        if self._newest() != fence:
            self._let_go()
        return self.fence > 0

    def _is_held(self, fence: int) -> bool:
        """Does its process live, and is its time not over?"""
        if not self._lives(fence):
            return False
        holder = self._read(fence)
        if holder is None:  # being made in this moment, or by a process that was stopped in it
            if self._unwritten[0] != fence:
                self._unwritten = fence, self._now_ns()
            return self._now_ns() < self._unwritten[1] + self.ttl_ns
        return holder.boot == _boot() and self._now_ns() < holder.until_ns

    def _believed_ns(self, before: int) -> int:
        """Until when the holder before us may believe to lead: no longer than its file says."""
        holder = self._read(before) if before and self._lives(before) else None
        return holder.until_ns if holder is not None and holder.boot == _boot() else 0

    def _lives(self, fence: int) -> bool:
        with contextlib.suppress(FileNotFoundError):
            file = os.open(self._path(fence), os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(file)
        return False

    def _write(self, until_ns: int) -> None:
        host = socket.gethostname().encode()[:64]
        data = _RECORD.pack(until_ns, self._since_ns, os.getpid(), _boot().encode(), host)
        os.pwrite(self._file, data + zlib.crc32(data).to_bytes(4, "little"), 0)
        os.fdatasync(self._file)

    def _read(self, fence: int) -> Holder | None:
        try:
            data = self._path(fence).read_bytes()
        except FileNotFoundError:
            return None
        body, mark = data[: _RECORD.size], data[_RECORD.size : _SIZE]
        if len(data) < _SIZE or zlib.crc32(body).to_bytes(4, "little") != mark:
            return None
        until_ns, since_ns, pid, boot, host = _RECORD.unpack(body)
        return Holder(fence, until_ns, since_ns, pid, _text(boot), _text(host))

    def _fences(self) -> list[int]:
        return sorted(
            int(path.stem) for path in self.folder.glob(f"*{SUFFIX}") if path.stem.isdigit()
        )

    def _newest(self) -> int:
        return max(self._fences(), default=0)

    def _path(self, fence: int) -> Path:
        return self.folder / f"{fence:020d}{SUFFIX}"

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self.fence, self._until_ns, self._after_ns = -1, 0, 0, 0


def _boot() -> str:
    """Which start of the machine this is; times of another one mean nothing."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")
