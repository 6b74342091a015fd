"""The return vectors of trials: Arrow files named by what they hold, written once, never changed.

A batch of one vector is named by the vector's own hash; a batch of several by the hash of their
hashes. What is read is compared with its hash, so a changed file is found and never used.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hft.core.errors import JournalError
from hft.research.trial import EMPTY_SHA256, Trial
from hft.storage.atomic import sync_folder, write_atomic

SUFFIX = ".arrow"
BATCH = "batch-"
COLUMNS = ("returns_sha256", "periods_per_year", "returns", "periods_ns")


class Vector(NamedTuple):
    """Net returns of one trial; `periods_ns` is None where the times were not given."""

    returns: np.ndarray
    periods_per_year: float
    periods_ns: np.ndarray | None


class Vectors:
    """The folder of vectors. What was read once is kept in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Vector] = {}
        self._batches: dict[str, list[str]] = {}  # file name -> hashes in it, in order

    def write(self, trials: Sequence[Trial]) -> None:
        """Make the vectors of these trials durable, in one file.

        Raises: JournalError; then nothing was written.
        """
        unique = {trial.returns_sha256: trial for trial in trials if len(trial.returns)}
        if not unique:
            return
        name = _name(list(unique))
        if self._holds(name, unique):
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self.folder / name, _encode(unique), contended=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise JournalError(
                f"{self.folder / name}: cannot write the returns of a trial: {reason}; nothing "
                "was recorded"
            ) from None

    def read(self, wanted: Iterable[str]) -> dict[str, Vector]:
        """Vectors by hash, as far as they are there whole."""
        wanted = sorted(set(wanted))
        found = {sha: self._known[sha] for sha in wanted if sha in self._known}
        missing = {sha for sha in wanted if sha not in found}
        if EMPTY_SHA256 in missing:
            missing.discard(EMPTY_SHA256)
            found[EMPTY_SHA256] = Vector(np.empty(0), 0.0, None)
        for name in self._files_with(missing):
            for sha, vector in _read_file(self.folder / name).items():
                self._known[sha] = vector
                if sha in missing:
                    found[sha] = vector
        return {sha: found[sha] for sha in wanted if sha in found}

    def _holds(self, name: str, unique: dict[str, Trial]) -> bool:
        """Whether the file is there with exactly this content; a damaged one is written again."""
        path = self.folder / name
        if not path.exists() or not set(unique) <= set(_read_file(path)):
            return False
        with contextlib.suppress(OSError):
            sync_folder(self.folder)  # its writer may have been killed before it did
        return True

    def _files_with(self, missing: set[str]) -> list[str]:
        if not missing:
            return []
        try:
            names = sorted(name for name in os.listdir(self.folder) if name.endswith(SUFFIX))
        except FileNotFoundError:
            return []
        singles = [name for name in names if name.removesuffix(SUFFIX) in missing]
        rest = missing - {name.removesuffix(SUFFIX) for name in singles}
        return singles + (self._batches_with(names, rest) if rest else [])

    def _batches_with(self, names: list[str], missing: set[str]) -> list[str]:
        """The batch files that hold any of these, from an index of them kept in memory."""
        found = []
        for name in names:
            if not name.startswith(BATCH):
                continue
            if name not in self._batches:
                self._batches[name] = _read_index(self.folder / name)
            if not missing.isdisjoint(self._batches[name]):
                found.append(name)
        return found


def _name(hashes: list[str]) -> str:
    if len(hashes) == 1:
        return f"{hashes[0]}{SUFFIX}"
    return f"{BATCH}{hashlib.sha256(''.join(hashes).encode()).hexdigest()}{SUFFIX}"


def _encode(unique: dict[str, Trial]) -> bytes:
    import pyarrow as pa

    trials = list(unique.values())
    periods = [trial.periods_ns for trial in trials]
    table = pa.table(
        {
            "returns_sha256": pa.array(list(unique), pa.string()),
            "periods_per_year": pa.array([t.periods_per_year for t in trials], pa.float64()),
            "returns": _lists(pa, [trial.returns for trial in trials], "<f8"),
            "periods_ns": _lists(pa, [_or_empty(period) for period in periods], "<i8"),
        }
    )
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _or_empty(period: np.ndarray | None) -> np.ndarray:
    return np.empty(0, "<i8") if period is None else period


def _lists(pa: Any, arrays: list[np.ndarray], dtype: str) -> Any:
    from hft.storage.arrow import arrow

    offsets = np.cumsum([0, *(len(array) for array in arrays)], dtype=np.int64)
    values = np.concatenate([np.asarray(array, dtype) for array in arrays])
    return pa.LargeListArray.from_arrays(arrow(offsets), arrow(values))


def _open(path: Path) -> Any:
    """The table of a file; None where it is missing or damaged."""
    import pyarrow as pa

    try:
        table = pa.ipc.open_file(pa.BufferReader(path.read_bytes())).read_all()
        table.validate(full=True)
        return table if tuple(table.column_names) == COLUMNS else None
    except (OSError, pa.ArrowException, ValueError, OverflowError, MemoryError):
        return None


def _read_index(path: Path) -> list[str]:
    table = _open(path)
    return [] if table is None else table.column("returns_sha256").to_pylist()


def _read_file(path: Path) -> dict[str, Vector]:
    """The vectors of a file whose bytes still have their hashes."""
    table = _open(path)
    if table is None:
        return {}
    found: dict[str, Vector] = {}
    try:
        columns = [table.column(name).combine_chunks() for name in COLUMNS]
        hashes, rates = columns[0].to_pylist(), columns[1].to_pylist()
        returns, periods = (_split(column) for column in columns[2:])
    except (ValueError, TypeError, AttributeError):
        return {}
    for sha, rate, values, times in zip(hashes, rates, returns, periods, strict=True):
        if hashlib.sha256(np.ascontiguousarray(values, "<f8").tobytes()).hexdigest() == sha:
            found[sha] = Vector(values, rate or 0.0, times if len(times) == len(values) else None)
    return found


def _split(column: Any) -> list[np.ndarray]:
    offsets = column.offsets.to_numpy()
    values = column.values.to_numpy(zero_copy_only=False)
    return [values[a:b] for a, b in pairwise(offsets)]
