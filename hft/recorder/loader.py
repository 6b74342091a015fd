"""Segments to the database, each row once, whoever else loads, whoever is killed.

A worker claims a sealed segment by locking it, brings its rows, writes the manifest, and moves it
to the archive. A process that dies lets go of its claims; who takes over asks the database. A
segment that cannot be read goes to quarantine with the reason; one that the database does not take
stays.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from hft.core.errors import HftError, JournalError
from hft.recorder import segments
from hft.recorder.inserts import Target, bring_all, inserts_of
from hft.recorder.manifest import Loaded, Manifest, put
from hft.storage.disk import REAL, Disk
from hft.storage.log import Segment

ARCHIVE, QUARANTINE = "archive", "quarantine"
WHY = ".why"


@dataclass
class Counters:
    """What a loader did: for the metrics."""

    segments: int = 0
    rows: int = 0  # that were missing in the database
    again: int = 0  # segments that the manifest knew already
    busy: int = 0  # segments that somebody else held
    quarantined: int = 0
    errors: dict[str, int] = field(default_factory=dict)  # by class

    def count_error(self, error: HftError) -> None:
        name = type(error).__name__
        self.errors[name] = self.errors.get(name, 0) + 1

    def add(self, other: "Counters") -> None:
        """Count what another worker did too."""
        for name in ("segments", "rows", "again", "busy", "quarantined"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for error, count in other.errors.items():
            self.errors[error] = self.errors.get(error, 0) + count


class Loader:
    """One worker on a folder. `progress` hears of each segment that is through: its bytes."""

    def __init__(
        self,
        wal: Path,
        target: Target,
        *,
        disk: Disk = REAL,
        wall_ns: Callable[[], int] = time.time_ns,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.wal, self.counters = wal, Counters()
        self._target, self._disk = target, disk
        self._wall_ns, self._clock_ns = wall_ns, clock_ns
        self._progress = progress or (lambda size: None)
        self._manifest = Manifest(wal, disk)

    def load(self, path: Path) -> bool:
        """One segment; False where somebody else has it, or it is gone.

        Raises: HftError when the database or the disk does not take it; it stays then.
        """
        try:
            held = self._disk.claim(path)
            if held is None:
                self.counters.busy += 1
                return False
            try:
                size = self._load(path)
            finally:
                held.close()
        except OSError as error:
            failed = JournalError(f"{path}: {_said(error)}")
            self.counters.count_error(failed)
            raise failed from None
        except HftError as error:
            self.counters.count_error(error)
            raise
        self._progress(size)
        return True

    def _load(self, path: Path) -> int:
        size = self._disk.size(path)
        if self._manifest.has(path.name):
            self.counters.again += 1
            self._move(path, ARCHIVE)
            return size
        segment = self._read(path)
        if segment is None:
            return size
        began_ns = self._clock_ns()
        writer_id = segments.writer_of(self.wal, self._disk)
        try:
            inserts = list(inserts_of(segments.batches_of(segment), str(path)))
        except JournalError as error:
            self._quarantine(path, error)
            return size
        rows: dict[str, list[tuple[int, int]]] = {}
        if inserts:
            with self._target.open() as database:
                self.counters.rows += bring_all(inserts, writer_id, database, self._target)
            for one in inserts:
                rows.setdefault(one.table, []).append((one.first, one.last))
        self._manifest.write(
            Loaded(
                segment=path.name,
                writer_id=writer_id,
                rows=rows,
                size=size,
                sha256=hashlib.sha256(segment.data).hexdigest(),
                loaded_ns=self._wall_ns(),
                took_ns=self._clock_ns() - began_ns,
                database=self._target.shown,
            )
        )
        self._move(path, ARCHIVE)
        self.counters.segments += 1
        return size

    def _read(self, path: Path) -> Segment | None:
        """None for one that went to quarantine. Raises: JournalError for one of another hft."""
        try:
            return segments.read_sealed(path, self._disk)
        except segments.Foreign:
            raise
        except JournalError as error:
            self._quarantine(path, error)
            return None

    def _quarantine(self, path: Path, error: JournalError) -> None:
        self._disk.make(self.wal / QUARANTINE)
        put(self.wal / QUARANTINE / f"{path.name}{WHY}", f"{error}\n", self._disk)
        self._move(path, QUARANTINE)
        self.counters.quarantined += 1

    def _move(self, path: Path, folder: str) -> None:
        place = self.wal / folder
        self._disk.make(place)
        self._disk.rename(path, place / path.name)
        self._disk.sync_folder(place)
        self._disk.sync_folder(path.parent)


def load_all(workers: Sequence[Loader], paths: Sequence[Path]) -> Counters:
    """Segments, oldest first, by so many workers, each in a thread where there are several.

    After a failure nothing more is begun: what the database refuses once it refuses again.
    Raises: the first failure, when all have ended what they were doing.
    """
    waiting, failures = iter(paths), list[HftError]()
    guard = threading.Lock()

    def work(one: Loader) -> None:
        while not failures:
            with guard:
                path = next(waiting, None)
            if path is None:
                return
            try:
                one.load(path)
            except HftError as error:
                failures.append(error)

    if len(workers) == 1:
        work(workers[0])
    else:
        with ThreadPoolExecutor(len(workers), "loader") as pool:
            list(pool.map(work, workers))
    if failures:
        raise failures[0]
    total = Counters()
    for one in workers:
        total.add(one.counters)
    return total


def _said(error: OSError) -> str:
    return error.strerror or str(error)
