"""Files and folders of a disk that forgets: what readers see and what is on the platter."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

SECTOR = 512


@dataclass(eq=False)
class Inode:
    """One file: what readers see, what a power cut leaves, and what is between."""

    memory: bytearray = field(default_factory=bytearray)
    platter: bytearray = field(default_factory=bytearray)
    dirty: list[tuple[int, bytes | None]] = field(default_factory=list)  # None cuts to a size
    has_dropped: bool = False
    scanned: Any = None  # what somebody read of the platter, until it changes

    def change(self, at: int, data: bytes | None) -> None:
        _apply(self.memory, at, data)
        self.dirty.append((at, data))

    def sync(self) -> None:
        for at, data in self.dirty:
            _apply(self.platter, at, data)
        self.dirty.clear()
        self.scanned = None

    def fail_sync(self, random: Random) -> None:
        """Some sectors are on the platter, others are taken for written and never will be."""
        self.platter = _torn_by_sector(self, random)
        self.has_dropped = self.has_dropped or self.platter != self.memory
        self.dirty.clear()
        self.scanned = None

    def forget(self, random: Random) -> None:
        """What a power cut leaves."""
        self.scanned = None
        torn = _torn_in_order if random.random() < 0.5 else _torn_by_sector
        self.platter = torn(self, random)
        self.memory = bytearray(self.platter)
        self.dirty.clear()
        self.has_dropped = False

    def evict(self) -> None:
        """Pages that the system takes for written are read from the platter again."""
        if self.has_dropped and not self.dirty:
            self.memory = bytearray(self.platter)
            self.has_dropped = False


def _apply(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
        at, data = max(at, len(content)), b""
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data


def _torn_in_order(inode: Inode, random: Random) -> bytearray:
    """Some of the changes, and a part of the next one."""
    content, count = bytearray(inode.platter), random.randint(0, len(inode.dirty))
    for at, data in inode.dirty[:count]:
        _apply(content, at, data)
    if count < len(inode.dirty):
        at, data = inode.dirty[count]
        if data is not None:
            _apply(content, at, data[: random.randint(0, len(data))])
    return content


def _torn_by_sector(inode: Inode, random: Random) -> bytearray:
    """Each sector old or new by itself, at a size that the file had in between."""
    new, sizes = bytearray(inode.platter), [len(inode.platter)]
    for at, data in inode.dirty:
        _apply(new, at, data)
        sizes.append(len(new))
    content = bytearray(random.choice(sizes))
    for at in range(0, len(content), SECTOR):
        source = random.choice((inode.platter, new))[at : at + SECTOR][: len(content) - at]
        content[at : at + len(source)] = source
    return content


@dataclass(eq=False)
class Folder:
    """Names in memory and on the platter; `dirty` holds (name, what has it now or None) groups
    that are kept or lost together."""

    memory: dict[str, "Inode | Folder"] = field(default_factory=dict)
    platter: dict[str, "Inode | Folder"] = field(default_factory=dict)
    dirty: list[dict[str, "Inode | Folder | None"]] = field(default_factory=list)

    def change(self, names: "dict[str, Inode | Folder | None]") -> None:
        _rename(self.memory, names)
        self.dirty.append(names)

    def sync(self) -> None:
        for names in self.dirty:
            _rename(self.platter, names)
        self.dirty.clear()

    def forget(self, random: Random) -> None:
        for names in self.dirty:
            if random.random() < 0.5:
                _rename(self.platter, names)
        self.dirty.clear()
        self.memory = dict(self.platter)


def _rename(
    content: "dict[str, Inode | Folder]", names: "dict[str, Inode | Folder | None]"
) -> None:
    for name, node in names.items():
        content.pop(name, None)
        if node is not None:
            content[name] = node
