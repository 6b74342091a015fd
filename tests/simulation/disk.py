"""A disk that forgets: memory and platter of each file and each name, apart until a sync.

A power cut keeps what was synced, and of the rest what the seed draws: a write torn at any byte, or
any of its sectors, names made or not. A sync that fails drops the pages it could not write, and the
next one succeeds without them. It has the port of `hft.storage.disk`, fenced by life: what a life
that has ended still does, such as a `finally` at garbage collection, does nothing.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from hft.core.errors import Busy
from tests.simulation.inodes import Folder, Inode

ROOMY = 1 << 40  # bytes free on a disk that does not fill up


class Crashed(BaseException):
    """The life ended at this step. Nothing catches it but who drives the simulation."""


class ModelDisk:
    """What outlives a process, and with `power_cut` what does not."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.root = Folder()
        self.room: int | None = None  # bytes that files may still grow by
        self.is_read_only = False
        self.has_short_writes = False
        self.fails: dict[str, int] = {}  # what fails next, once -> errno
        self.faults = 0  # how many errors were given
        self.changes = 0  # how often the platter may have changed
        self.renames = 0
        self.locks: dict[Folder | Inode, Life] = {}
        self._lives: list[Life] = []

    def power_cut(self) -> None:
        """Every life ends, and what was not synced is gone or torn."""
        for life in tuple(self._lives):
            life.end()
        self.changes += 1
        for node in tuple(self._nodes(self.root)):
            node.forget(self.random)

    def admit(self, life: "Life") -> None:
        self._lives.append(life)

    def bury(self, life: "Life") -> None:
        """A process has ended: its locks go, and pages may leave the memory."""
        self._lives = [other for other in self._lives if other is not life]
        self.locks = {folder: owner for folder, owner in self.locks.items() if owner is not life}
        for node in self._nodes(self.root):
            if isinstance(node, Inode) and self.random.random() < 0.5:
                node.evict()

    def refuse(self, verb: str) -> None:
        """Raise what was planned for this verb."""
        if verb in self.fails:
            self.faults += 1
            number = self.fails.pop(verb)
            raise OSError(number, os.strerror(number))
        if self.is_read_only and verb not in ("read", "lock"):
            self.faults += 1
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def taken(self, wanted: int, growth: int) -> int:
        """How many bytes of a write are taken. Raises: OSError when the disk is full."""
        if self.room is not None and growth > self.room:
            wanted -= growth - self.room
            growth = self.room
            if wanted <= 0:
                self.faults += 1
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif self.has_short_writes and wanted > 1:
            shorter = self.random.randint(1, wanted)
            growth, wanted = max(0, growth - (wanted - shorter)), shorter
        if self.room is not None:
            self.room -= growth
        return wanted

    def _nodes(self, folder: Folder) -> Iterator[Inode | Folder]:
        """Everything that memory or platter have, a folder before what is in it."""
        yield folder
        inside = [*folder.memory.values(), *folder.platter.values()]
        for node in dict.fromkeys(inside):
            if isinstance(node, Folder):
                yield from self._nodes(node)
            else:
                yield node


class Life:
    """The disk as one process has it: `hft.storage.disk.Disk`."""

    def __init__(self, disk: ModelDisk, name: str = "process 1") -> None:
        self.disk, self.name = disk, name
        self.is_over = False
        self.steps = 0
        self.crashes_after_fault = False  # before anything can be done about it
        self.pace: Callable[[str], None] | None = None  # others run before a step
        self._crash_at: int | None = None
        disk.admit(self)

    def end(self) -> None:
        """The process ends, as by kill -9; memory stays until the power is cut."""
        if not self.is_over:
            self.is_over = True
            self.disk.bury(self)

    def crash_in(self, steps: int) -> None:
        """End before the disk is asked for the so-maniest step from now."""
        self._crash_at = self.steps + steps

    def acts(self, verb: str) -> bool:
        """One step, unless the life is over; it may end here, or fail."""
        if self.is_over:
            return False
        if self.pace is not None:
            self.pace(verb)
        if self.steps == self._crash_at:
            self.end()
            raise Crashed(f"before a step: {verb}")
        self.steps += 1
        try:
            self.disk.refuse(verb)
        except OSError:
            if self.crashes_after_fault:
                self._crash_at = self.steps
            raise
        return True

    def make(self, folder: Path) -> list[Path]:
        made: list[Path] = []
        if not self.acts("read"):
            return made
        for path in [*reversed(folder.parents), folder][1:]:
            if path.name in self._folder(path.parent).memory:
                continue
            self.acts("make")
            parent = self._folder(path.parent)
            if path.name not in parent.memory:  # somebody else may have made it meanwhile
                parent.change({path.name: Folder()})
                made.append(path)
        return made

    def names(self, folder: Path) -> list[str]:
        if not self.acts("read"):
            raise Crashed
        try:
            return sorted(self._folder(folder).memory)
        except FileNotFoundError:
            return []

    def size(self, path: Path) -> int:
        return len(self.read(path))

    def free(self, folder: Path) -> int:
        if not self.acts("read"):
            raise Crashed
        return ROOMY if self.disk.room is None else self.disk.room

    def read(self, path: Path, count: int = -1) -> bytes:
        if not self.acts("read"):
            raise Crashed
        content = bytes(self._inode(path).memory)
        return content if count < 0 else content[:count]

    def create(self, path: Path) -> "ModelFile":
        inode = Inode()
        if self.acts("create"):
            folder = self._folder(path.parent)
            if path.name in folder.memory:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
            folder.change({path.name: inode})
        return ModelFile(self, inode)

    def open(self, path: Path) -> "ModelFile":
        if not self.acts("open"):
            raise Crashed
        return ModelFile(self, self._inode(path))

    def rename(self, old: Path, new: Path) -> None:
        if self.acts("rename"):
            self.disk.renames += 1
            inode = self._inode(old)
            if old.parent == new.parent:
                self._folder(old.parent).change({old.name: None, new.name: inode})
                return
            there = self._folder(new.parent)  # a journal has the new name before the old one goes
            there.change({new.name: inode})
            there.platter[new.name] = inode
            self._folder(old.parent).change({old.name: None})

    def unlink(self, path: Path) -> None:
        if self.acts("unlink"):
            inode = self._inode(path)
            if self.disk.room is not None:
                self.disk.room += len(inode.memory)
            self._folder(path.parent).change({path.name: None})

    def sync_folder(self, folder: Path) -> None:
        if self.acts("sync_folder"):
            self.disk.changes += 1
            self._folder(folder).sync()

    def lock(self, folder: Path, doing: str) -> "ModelLock":
        acts = self.acts("lock")
        node = self._folder(folder)
        if acts:
            if node in self.disk.locks:
                owner = self.disk.locks[node]
                raise Busy(f"{folder}: {owner.name} {doing}; try again")
            self.disk.locks[node] = self
        return ModelLock(self, node)

    def claim(self, path: Path) -> "ModelLock | None":
        if not self.acts("lock"):
            return None
        try:
            inode = self._inode(path)
        except FileNotFoundError:
            return None
        if inode in self.disk.locks:
            return None
        self.disk.locks[inode] = self
        return ModelLock(self, inode)

    def _folder(self, path: Path) -> Folder:
        node: Inode | Folder = self.disk.root
        for name in path.parts[1:]:
            found = node.memory.get(name) if isinstance(node, Folder) else None
            if found is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
            node = found
        if not isinstance(node, Folder):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        return node

    def _inode(self, path: Path) -> Inode:
        node = self._folder(path.parent).memory.get(path.name)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        if not isinstance(node, Inode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        return node


@dataclass
class ModelFile:
    """A file open for writing, by one life."""

    life: Life
    inode: Inode

    def write(self, at: int, data: bytes | memoryview) -> int:
        if not self.life.acts("write"):
            return len(data)
        growth = max(0, at + len(data) - max(at, len(self.inode.memory)))
        taken = self.life.disk.taken(len(data), growth)
        self.inode.change(at, bytes(data[:taken]))
        return taken

    def truncate(self, size: int) -> None:
        if self.life.acts("truncate"):
            self.inode.change(size, None)

    def sync(self) -> None:
        try:
            self.life.disk.changes += 1
            if self.life.acts("sync"):
                self.inode.sync()
        except OSError:
            self.inode.fail_sync(self.life.disk.random)
            raise

    def close(self) -> None:
        """Nothing becomes durable by it."""


@dataclass
class ModelLock:
    """A folder or a file held by one life."""

    life: Life
    folder: Folder | Inode

    def close(self) -> None:
        if self.life.disk.locks.get(self.folder) is self.life:
            del self.life.disk.locks[self.folder]
