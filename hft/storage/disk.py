"""What a log needs of a disk, as a port: the real one here, one that forgets in the tests.

Every write says where it goes, so that a write cut short is simply written again. Errors are those
of the system (OSError); whoever calls turns them into a sentence. Nothing here is retried.
"""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from hft.core.errors import Busy
from hft.storage.atomic import sync_folder
from hft.storage.lock import lock


class Held(Protocol):
    """A lock that is held until it is closed, or its process ends."""

    def close(self) -> None: ...


class File(Protocol):
    """A file that is open for writing."""

    def write(self, at: int, data: bytes | memoryview) -> int:
        """Write from `at`; returns how many bytes were taken, which may be fewer."""

    def truncate(self, size: int) -> None: ...

    def sync(self) -> None:
        """Make the content durable; the name is durable by `Disk.sync_folder`."""

    def close(self) -> None: ...


class Disk(Protocol):
    """Folders and files by path."""

    def make(self, folder: Path) -> list[Path]:
        """Make a folder and those above it; returns what was absent, highest first."""

    def names(self, folder: Path) -> list[str]:
        """What is in a folder, in order; nothing where it is absent."""

    def size(self, path: Path) -> int: ...

    def free(self, folder: Path) -> int:
        """Bytes that files in this folder may still grow by; it need not be there yet."""

    def read(self, path: Path, count: int = -1) -> bytes:
        """The whole content, or its first `count` bytes."""

    def create(self, path: Path) -> File:
        """A file that must not exist yet."""

    def open(self, path: Path) -> File:
        """A file that exists."""

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name, in place of what had it."""

    def unlink(self, path: Path) -> None: ...

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""

    def lock(self, folder: Path, doing: str) -> Held:
        """Hold a folder, asked for once. Raises: Busy naming who holds it."""

    def claim(self, path: Path) -> Held | None:
        """Hold a file that is there; None where somebody else does, or it was taken away."""


class RealFile:
    """A descriptor, closed at the latest when nobody has it any more."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, at: int, data: bytes | memoryview) -> int:
        return os.pwrite(self._descriptor, data, at)

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        _sync(self._descriptor)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            self.close()


class RealDisk:
    """The disk of this machine."""

    def make(self, folder: Path) -> list[Path]:
        absent = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        return absent[::-1]

    def names(self, folder: Path) -> list[str]:
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return []

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def free(self, folder: Path) -> int:
        there = folder.absolute()
        while not there.exists():
            there = there.parent
        space = os.statvfs(there)
        return space.f_bavail * space.f_frsize

    def read(self, path: Path, count: int = -1) -> bytes:
        with open(path, "rb", buffering=0) as file:
            return file.read(count) or b""

    def create(self, path: Path) -> File:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return RealFile(os.open(path, flags, 0o666))

    def open(self, path: Path) -> File:
        return RealFile(os.open(path, os.O_RDWR | os.O_CLOEXEC))

    def rename(self, old: Path, new: Path) -> None:
        os.replace(old, new)

    def unlink(self, path: Path) -> None:
        path.unlink()

    def sync_folder(self, folder: Path) -> None:
        sync_folder(folder)

    def lock(self, folder: Path, doing: str) -> Held:
        """The folder itself is locked: no file is left behind, and one of a foreign journal is
        not touched. On a network file system that holds among the processes of one host."""
        held = RealFile(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        lock(held._descriptor, folder, wait_s=0.0, doing=doing)
        return held

    def claim(self, path: Path) -> Held | None:
        """The file itself is locked, so that a claim ends with its process or with its file."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        held = RealFile(descriptor)
        try:
            lock(descriptor, path, wait_s=0.0)
            still = os.path.samestat(os.fstat(descriptor), os.stat(path))
        except (Busy, FileNotFoundError):
            still = False
        if not still:
            held.close()
            return None
        return held


def sync_above(folder: Path, made: Iterable[Path], disk: Disk) -> None:
    """Make the whole path of a folder durable, of which `made` was absent.

    Who made a part of it before may have ended before it did the same. A folder that we may not
    read is left to whoever made it. Raises: OSError.
    """
    changed = {path.parent for path in made}
    for above in folder.parents:
        try:
            disk.sync_folder(above)
        except PermissionError:
            if above in changed:
                raise


def _sync(descriptor: int) -> None:
    """The content and its size, not the times of the file."""
    if sys.platform == "darwin":  # its fsync leaves the data in the drive's own memory
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


REAL = RealDisk()
