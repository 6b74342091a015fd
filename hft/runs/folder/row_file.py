"""The records behind a table as the engine wrote them, from which a run that was stopped goes on.

A table of a run that was killed has no end and cannot be read. These can: their rows have one size,
and a snapshot says how many of them there were then, and what their hash was.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hft.core.errors import JournalError

CHUNK_ROWS = 1 << 16


def row_file_path(folder: Path, table: str) -> Path:
    """Where the records of a table lie until its run is whole."""
    return folder / f".{table}.rows"


class RowFile:
    """Appends records of one type; each is with the system when `add` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")
        self._hash = hashlib.blake2b(digest_size=16)
        self._rows = 0

    def add(self, rows: np.ndarray) -> None:
        data = np.ascontiguousarray(rows).view(np.uint8).data
        self._file.write(data)
        self._file.flush()
        self._hash.update(data)
        self._rows += len(rows)

    def sync(self) -> None:
        """Make everything added so far durable."""
        os.fsync(self._file.fileno())

    def mark(self) -> np.ndarray:
        """How many records there are, and their hash: what a snapshot keeps."""
        return np.frombuffer(self._rows.to_bytes(8, "little") + self._hash.digest(), np.uint8)

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        """The run is whole: its table has these rows."""
        self.path.unlink(missing_ok=True)


def read_rows(path: Path, mark: np.ndarray, dtype: np.dtype) -> Iterator[np.ndarray]:
    """The records up to a mark. Raises: JournalError when they are not those that were written."""
    left, seen = int.from_bytes(mark[:8].tobytes(), "little"), hashlib.blake2b(digest_size=16)
    refusal = f"{path}: is not as the run left it, so it cannot be resumed; replay anew"
    try:
        with path.open("rb") as file:
            while left:
                data = file.read(min(left, CHUNK_ROWS) * dtype.itemsize)
                if not data or len(data) % dtype.itemsize:
                    raise JournalError(refusal)
                seen.update(data)
                left -= len(data) // dtype.itemsize
                yield np.frombuffer(data, dtype)
    except OSError:
        raise JournalError(refusal) from None
    if seen.digest() != mark[8:].tobytes():
        raise JournalError(refusal)
