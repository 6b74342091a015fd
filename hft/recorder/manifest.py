"""What became of each segment: a small file for each that is in the database.

It is written after the rows are there and before the segment is taken away, so that a loader killed
in between has nothing to insert again. One file a segment: two loaders never write the same.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hft.core.errors import JournalError
from hft.core.json_text import page
from hft.storage.disk import Disk

FOLDER = "manifest"
SUFFIX = ".json"


@dataclass(frozen=True)
class Loaded:
    """A segment that the database has: of each table its first and last row."""

    segment: str
    writer_id: str
    rows: dict[str, list[tuple[int, int]]]
    size: int
    sha256: str
    loaded_ns: int
    took_ns: int
    database: str

    @property
    def row_count(self) -> int:
        """How many rows."""
        return sum(last - first + 1 for parts in self.rows.values() for first, last in parts)


class Folders:
    """Folders in that of the segments, each made for good before a segment leaves for it."""

    def __init__(self, wal: Path, disk: Disk) -> None:
        self._wal, self._disk = wal, disk
        self._there: set[str] = set()

    def there(self, name: str) -> Path:
        """The folder of this name. Raises: OSError."""
        if name not in self._there:
            self._disk.make(self._wal / name)
            self._disk.sync_folder(self._wal)  # who made it may have ended before it did
            self._there.add(name)
        return self._wal / name


class Manifest:
    """The entries of a folder of segments; each is read once."""

    def __init__(self, wal: Path, disk: Disk) -> None:
        self.folder, self._disk = wal / FOLDER, disk
        self._folders = Folders(wal, disk)
        self._known: dict[str, Loaded] = {}

    def has(self, segment: str) -> bool:
        return f"{segment}{SUFFIX}" in self._disk.names(self.folder)

    def sync(self) -> None:
        """Every entry is there for good: who wrote one may have ended before. Raises: OSError."""
        self._disk.sync_folder(self._folders.there(FOLDER))

    def write(self, entry: Loaded) -> None:
        """Durable when this returns. Raises: OSError."""
        path = self._folders.there(FOLDER) / f"{entry.segment}{SUFFIX}"
        put(path, page(asdict(entry)), self._disk)

    def entries(self) -> Iterator[Loaded]:
        """Every segment that was loaded, oldest first. Raises: JournalError naming the file."""
        for name in self._disk.names(self.folder):
            if name.startswith(".") or not name.endswith(SUFFIX):
                continue
            if name not in self._known:
                self._known[name] = self._entry(self.folder / name)
            yield self._known[name]

    def _entry(self, path: Path) -> Loaded:
        try:
            return _read(json.loads(self._disk.read(path)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JournalError(
                f"{path}: cannot be read: {error!r}; remove it, and the segment is looked for "
                "in the database again"
            ) from None


def _read(data: Mapping[str, Any]) -> Loaded:
    rows = {
        str(table): [(int(first), int(last)) for first, last in parts]
        for table, parts in data["rows"].items()
    }
    return Loaded(
        segment=str(data["segment"]),
        writer_id=str(data["writer_id"]),
        rows=rows,
        size=int(data["size"]),
        sha256=str(data["sha256"]),
        loaded_ns=int(data["loaded_ns"]),
        took_ns=int(data["took_ns"]),
        database=str(data["database"]),
    )


def put(path: Path, content: str, disk: Disk) -> None:
    """A file that appears whole or not at all, on the port of the disk. Raises: OSError."""
    aside = path.with_name(f".{path.name}.aside")
    if aside.name in disk.names(path.parent):
        disk.unlink(aside)
    file = disk.create(aside)
    try:
        data = content.encode()
        taken = 0
        while taken < len(data):
            taken += file.write(taken, data[taken:])
        file.sync()
    finally:
        file.close()
    disk.rename(aside, path)
    disk.sync_folder(path.parent)
