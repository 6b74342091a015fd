"""Segments to the database, each row once, whoever else loads, whoever is killed.

A worker claims a sealed segment by locking it, brings its rows, writes the manifest, and moves it
to the archive. A process that dies lets go of its claims; who takes over asks the database. A
segment that cannot be read goes to quarantine with the reason; one that the database does not take
stays.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hft.core.errors import HftError, JournalError
from hft.recorder import segments
from hft.recorder.inserts import Insert, Target, bring_all, inserts_of
from hft.recorder.manifest import Folders, Loaded, Manifest, put
from hft.storage.disk import REAL, Disk, Held

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


class Read(NamedTuple):
    """A segment that a worker holds, and what it read of it."""

    path: Path
    held: Held
    size: int
    is_known: bool = False  # the manifest has it, it was not read
    damage: JournalError | None = None
    inserts: Sequence[Insert] = ()
    sha256: str = ""


_thread = partial(ThreadPoolExecutor, 1, "reader")


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
        self._folders = Folders(wal, disk)
        self._manifest = Manifest(wal, disk)

    def read(self, path: Path) -> Read | None:
        """Hold a segment and read it; None where somebody else has it, or it is gone.

        Raises: JournalError for one of another hft, or where the disk does not give it.
        """
        with _named(path):
            held = self._disk.claim(path)
            if held is None:
                return None
            try:
                return self._read(path, held)
            except BaseException:
                held.close()
                raise

    def bring(self, read: Read) -> None:
        """Bring it to the database, or to quarantine; it is let go of in any case.

        Raises: HftError when the database or the disk does not take it; it stays then.
        """
        try:
            with _named(read.path):
                self._bring(read)
        finally:
            read.held.close()
        self._progress(read.size)

    def _read(self, path: Path, held: Held) -> Read:
        found = Read(path, held, self._disk.size(path))
        if self._manifest.has(path.name):
            return found._replace(is_known=True)
        try:
            segment = segments.read_sealed(path, self._disk)
            inserts = list(inserts_of(segments.batches_of(segment), str(path)))
        except segments.Foreign:
            raise
        except JournalError as error:
            return found._replace(damage=error)
        sha256 = hashlib.sha256(segment.data).hexdigest()
        return found._replace(inserts=inserts, sha256=sha256)

    def _bring(self, read: Read) -> None:
        if read.damage is not None:
            self._quarantine(read.path, read.damage)
            return
        if read.is_known:
            self._manifest.sync()
            self.counters.again += 1
            self._move(read.path, ARCHIVE)
            return
        began_ns = self._clock_ns()
        writer_id = segments.writer_of(self.wal, self._disk)
        rows: dict[str, list[tuple[int, int]]] = {}
        if read.inserts:
            with self._target.open() as database:
                self.counters.rows += bring_all(read.inserts, writer_id, database, self._target)
            for one in read.inserts:
                rows.setdefault(one.table, []).append((one.first, one.last))
        self._manifest.write(
            Loaded(
                segment=read.path.name,
                writer_id=writer_id,
                rows=rows,
                size=read.size,
                sha256=read.sha256,
                loaded_ns=self._wall_ns(),
                took_ns=self._clock_ns() - began_ns,
                database=self._target.shown,
            )
        )
        self._move(read.path, ARCHIVE)
        self.counters.segments += 1

    def _quarantine(self, path: Path, error: JournalError) -> None:
        place = self._folders.there(QUARANTINE)
        put(place / f"{path.name}{WHY}", f"{error}\n", self._disk)
        self._move(path, QUARANTINE)
        self.counters.quarantined += 1

    def _move(self, path: Path, folder: str) -> None:
        place = self._folders.there(folder)
        self._disk.rename(path, place / path.name)
        self._disk.sync_folder(place)
        self._disk.sync_folder(path.parent)


class _Waiting:
    """Segments that nobody took yet, handed to several workers."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths, self._guard = iter(paths), threading.Lock()
        self.failures: list[HftError] = []

    def next(self) -> Path | None:
        """None when all are taken, and after a failure."""
        with self._guard:
            return None if self.failures else next(self._paths, None)


def load_all(
    workers: Sequence[Loader], paths: Sequence[Path], ahead: Callable[[], Executor] = _thread
) -> Counters:
    """Segments, oldest first, by so many workers, each in a thread where there are several.

    Each reads its next segment, on an executor of its own, while the database takes this one.
    After a failure nothing more is begun: what the database refuses once it refuses again.
    Raises: the first failure, when all have ended what they were doing.
    """
    waiting = _Waiting(paths)

    def work(one: Loader) -> None:
        with ahead() as reader:
            _work(one, waiting, reader)

    if len(workers) == 1:
        work(workers[0])
    else:
        with ThreadPoolExecutor(len(workers), "loader") as pool:
            list(pool.map(work, workers))
    if waiting.failures:
        raise waiting.failures[0]
    total = Counters()
    for one in workers:
        total.add(one.counters)
    return total


def _work(one: Loader, waiting: _Waiting, reader: Executor) -> None:
    def begin() -> Future[Read | None] | None:
        path = waiting.next()
        return None if path is None else reader.submit(one.read, path)

    reading = begin()
    try:
        while reading is not None:
            this, reading = reading, None
            read = this.result()
            reading = begin()
            if read is None:
                one.counters.busy += 1
            else:
                one.bring(read)
    except HftError as error:
        one.counters.count_error(error)
        waiting.failures.append(error)
    finally:
        if reading is not None:
            _let_go(reading)


def _let_go(reading: Future[Read | None]) -> None:
    """Of a segment that was read and will not be brought."""
    if reading.cancel():
        return
    with suppress(HftError):
        read = reading.result()
        if read is not None:
            read.held.close()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror or error}") from None
