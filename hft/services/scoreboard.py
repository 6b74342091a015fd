"""The gateway's counters in a file that others map into memory and read without asking.

The writer copies its arrays in and counts a sequence number before and after; a reader that meets
an odd or a changed number reads again, so that what it returns was true at one moment. Nothing is
synced: after a crash the numbers are those of the last tick, and `is_alive` says so.
"""

import json
import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.errors import DataError, JournalError
from hft.core.json_text import line
from hft.storage.cures import cured

MAGIC, VERSION = b"hftboard", 1
_HEAD = struct.Struct("<8sqqq")  # magic, version, bytes of the layout, bytes of the numbers
_MARK = struct.Struct("<qqq")  # sequence, written at, process
TRIES = 1000


@dataclass(frozen=True)
class Seen:
    """What a scoreboard held at one moment: columns of int64 by table and field."""

    ts_ns: int
    pid: int
    tables: Mapping[str, np.ndarray]
    facts: Mapping[str, Any]  # what does not change: names of strategies, instruments, accounts

    def is_alive(self, now_ns: int, patience_ns: int = 5_000_000_000) -> bool:
        """Did somebody write lately?"""
        return now_ns - self.ts_ns <= patience_ns


class Scoreboard:
    """The writer of one file. `tables` are arrays of int64 fields; they are only read.

    Raises: JournalError when the file cannot be made.
    """

    def __init__(
        self, path: Path, tables: Mapping[str, np.ndarray], facts: Mapping[str, Any] | None = None
    ) -> None:
        self._tables = {name: tables[name] for name in sorted(tables)}  # as JSON has them
        layout = {
            "tables": {
                name: {"fields": _fields(name, table), "rows": len(table)}
                for name, table in self._tables.items()
            },
            "facts": dict(facts or {}),
        }
        text = line(layout).encode()
        text += b" " * (-len(text) % 8)
        size = sum(table.nbytes for table in self._tables.values())
        self._at = _HEAD.size + len(text)
        self._sequence = 0
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(aside, "w+b") as file:
                file.write(_HEAD.pack(MAGIC, VERSION, len(text), size) + text)
                file.flush()
                # Room on the disk now: a write to a page without one would end the process.
                os.posix_fallocate(file.fileno(), 0, self._at + _MARK.size + size)
                self._map = mmap.mmap(file.fileno(), 0)
            os.replace(aside, path)  # who has the old file mapped sees that it is not alive
        except OSError as error:
            raise JournalError(f"{path}: {cured(error)}") from None

    def write(self, now_ns: int) -> None:
        """Show the tables as they are now."""
        self._mark(now_ns)
        at = self._at + _MARK.size
        for table in self._tables.values():
            self._map[at : at + table.nbytes] = table.tobytes()
            at += table.nbytes
        self._mark(now_ns)

    def close(self) -> None:
        """Leave the file as it is."""
        self._map.close()

    def _mark(self, now_ns: int) -> None:
        """An odd sequence while the numbers change."""
        self._sequence += 1
        _MARK.pack_into(self._map, self._at, self._sequence, now_ns, os.getpid())


class Reader:
    """Reads the scoreboard at `path`. Raises: DataError for a file that is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else "is empty"
            raise DataError(f"{path}: no scoreboard can be read there: {said}") from None
        self._layout, self._at = self._read_layout()
        self._size = len(self._map) - self._at - _MARK.size

    def read(self) -> Seen:
        """What is there now. Raises: DataError when the writer died in the middle of writing."""
        for _ in range(TRIES):
            before = _MARK.unpack_from(self._map, self._at)
            numbers = self._map[self._at + _MARK.size : self._at + _MARK.size + self._size]
            after = _MARK.unpack_from(self._map, self._at)
            if before == after and before[0] % 2 == 0 and before[0] > 0:
                return Seen(after[1], after[2], self._split(numbers), self._layout["facts"])
        raise DataError(f"{self.path}: holds no whole numbers; its writer died or never wrote")

    def close(self) -> None:
        self._map.close()

    def _read_layout(self) -> tuple[Any, int]:
        try:
            magic, version, length, size = _HEAD.unpack_from(self._map, 0)
        except struct.error:
            magic = version = length = size = 0
        at = _HEAD.size + length
        if magic != MAGIC or version != VERSION or len(self._map) != at + _MARK.size + size:
            raise DataError(f"{self.path}: is no scoreboard of version {VERSION}")
        return json.loads(self._map[_HEAD.size : at]), at

    def _split(self, numbers: bytes) -> dict[str, np.ndarray]:
        found, at = {}, 0
        for name, shape in sorted(self._layout["tables"].items()):
            fields = shape["fields"]
            dtype = np.dtype([(field, np.int64) for field in fields] if fields else np.int64)
            size = dtype.itemsize * int(shape["rows"])
            found[name] = np.frombuffer(numbers, dtype, int(shape["rows"]), at)
            at += size
        return found


def _fields(name: str, table: np.ndarray) -> list[str]:
    """The fields of a table; none for a plain column. Raises: DataError for other than int64."""
    names = list(table.dtype.names or ())
    kinds = [table.dtype[field] for field in names] or [table.dtype]
    if any(kind != np.int64 for kind in kinds) or table.dtype.itemsize != 8 * len(kinds):
        raise DataError(f"scoreboard: table {name} is not made of int64")
    return names
