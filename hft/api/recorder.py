"""The recorder from Python: what waits, load it, drain it, verify it, look into a segment.

Rows wait in HFT_WAL_DIR and go to the database of HFT_AUDIT_DSN. No call waits for a gateway, and
no gateway waits for a call.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from hft.api.desk import moment_ns, open_desk
from hft.core.errors import Busy, ConfigError, DataError, HftError, Unavailable
from hft.recorder import segments
from hft.recorder.backlog import backlog
from hft.recorder.blocks import head_of
from hft.recorder.inserts import Target
from hft.recorder.loader import ARCHIVE, QUARANTINE, Counters, Loader, load_all
from hft.recorder.manifest import FOLDER as MANIFEST
from hft.recorder.options import KEPT, Options, options
from hft.recorder.pressure import DiskPressureMonitor
from hft.recorder.room import reading_of
from hft.recorder.schedule import BACKOFF_S, FlushSchedule, backoff_s
from hft.recorder.schema import schema_of
from hft.recorder.tally import DAMAGED, ERROR, WriterTally, count
from hft.recorder.verify import Verified
from hft.recorder.verify import verify as _verify
from hft.recorder.wal_first import WALFirstWriter
from hft.storage.database import Source, opened
from hft.storage.disk import REAL
from hft.storage.log import Segment, segment_paths
from hft.storage.strict_yaml import load_yaml

ASIDE = (ARCHIVE, QUARANTINE, MANIFEST)
DEFAULT = "config/recorder.yaml"
Report = Callable[[int, int], None]


class Place(NamedTuple):
    """Where a recorder's rows wait and go, and how it works."""

    wal: Path
    options: Options
    source: Source

    @property
    def target(self) -> Target:
        """The database for loaders."""
        name = self.options.database
        refills = not self.options.placement.replicated
        embedded = self.source.is_embedded
        return Target(lambda: opened(self.source), self.source.shown, name, refills, embedded)

    def of_session(self, name: str) -> "Place":
        """The folder of one session's rows."""
        return self._replace(wal=self.wal / name)

    def folders(self) -> "list[Place]":
        """The folders of rows at and below this one; this one where there is none."""
        found = [self] if segment_paths(self.wal) else []
        for below in sorted(self.wal.glob("*/")):
            if below.name not in ASIDE and segment_paths(below):
                found.append(self._replace(wal=below))
        return found or [self]

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """The schema is there; an embedded engine stays open meanwhile."""
        with opened(self.source) as database:
            schema_of(self.options.database, self.options.placement).apply(database)
            if self.source.is_embedded:
                yield
                return
        yield

    def monitor(self) -> DiskPressureMonitor:
        """The level of the folder; nobody measures it yet."""
        chosen = self.options
        read = reading_of(self.wal)
        return DiskPressureMonitor(
            read, chosen.budget, chosen.policies, KEPT, poll_s=chosen["check_s"]
        )


def place_of(
    wal_dir: str | Path | None = None,
    dsn: str | None = None,
    *,
    root: str | Path | None = None,
    config: str | None = None,
) -> Place:
    """Raises: ConfigError for options that cannot be used."""
    desk = open_desk(root, config=config)
    settings = desk.settings
    file = desk.root / settings.recorder
    values: Any = {}
    if file.is_file():
        values = load_yaml(file.read_text(encoding="utf-8"), str(file)) or {}
    elif settings.recorder != DEFAULT:
        raise ConfigError(f"HFT_RECORDER: {file}: is no file")
    if not isinstance(values, dict):
        raise ConfigError(f"{file}: is no mapping; write key: value lines")
    wal = Path(wal_dir) if wal_dir is not None else desk.root / settings.wal_dir
    return Place(wal, options(values, str(file)), desk.source(dsn or settings.audit_dsn))


def status(place: Place) -> dict[str, Any]:
    """What waits, since when, what is aside and why, and how full the disk is."""
    found = asdict(backlog(place.wal))
    monitor = place.monitor()
    level = monitor.poll()
    return {
        "wal": str(place.wal),
        "database": place.source.shown,
        **found,
        "level": level.name,
        "used_bytes": monitor.reading.used,
        "free_bytes": monitor.reading.free,
        "budget_bytes": place.options.budget.bytes,
    }


def load(
    place: Place,
    *,
    force: bool = False,
    workers: int | None = None,
    progress: Report | None = None,
) -> Counters:
    """Bring every sealed segment to the database; with `force` the last one is sealed first.

    Raises: Busy, Unavailable, DataError, ConfigError for a database that does not take it; what it
    has not taken stays and is brought by the next call.
    """
    if force:
        seal(place)
    paths = segments.sealed_paths(place.wal, REAL)
    if not paths:
        return Counters()
    total = sum(path.stat().st_size for path in paths if path.exists())
    done = [0]

    def report(size: int) -> None:
        done[0] += size
        if progress is not None:
            progress(done[0], total)

    embedded = place.source.is_embedded
    number = 1 if embedded else min(workers or place.options["workers"], len(paths))
    team = [Loader(place.wal, place.target, progress=report) for _ in range(number)]
    failed = ""
    try:
        with place.prepared():
            return load_all(team, paths)
    except HftError as error:
        failed = type(error).__name__
        raise
    finally:
        _count_errors(place.wal, team, failed)


def _count_errors(wal: Path, team: Sequence[Loader], failed: str) -> None:
    """Keep what went wrong, for the metrics; `failed` is of a load that came to no segment."""
    total = Counters()
    for one in team:
        total.add(one.counters)
    errors = total.errors or ({failed: 1} if failed else {})
    count(
        wal, {f"{ERROR}{DAMAGED}": total.quarantined, **{ERROR + k: n for k, n in errors.items()}}
    )


def seal(place: Place) -> bool:
    """End the last segment, so that it can be loaded; False where its writer is at work."""
    if not segment_paths(place.wal):
        return False
    try:
        writer = WALFirstWriter(place.wal, "", place.monitor())
    except Busy:
        return False
    WriterTally(writer).beat()
    writer.close()
    return True


def drain(
    place: Place,
    *,
    workers: int | None = None,
    progress: Report | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Counters:
    """Seal and load until nothing waits; a database that is away is tried a few times.

    Raises: what the last try failed with.
    """
    total = Counters()
    tries = place.options["flush_retries"]
    for attempt in range(1, tries + 1):
        try:
            total.add(load(place, force=True, workers=workers, progress=progress))
            return total
        except (Busy, Unavailable):
            if attempt == tries:
                raise
            sleep(backoff_s(attempt))
    return total


def flush_after(
    place: Place,
    closes: Sequence[Any],
    *,
    tell: Callable[[str], None],
    now_ns: Callable[[], int] = time.time_ns,
    sleep: Callable[[float], None] = time.sleep,
) -> list[int]:
    """Stay, and have everything in the database a while after each of these times.

    Returns: the closes that were given up after so many tries, ns. Raises: ConfigError for a time
    without a zone.
    """
    chosen = place.options
    schedule = FlushSchedule(
        [moment_ns(close, "--after-close") for close in closes],
        chosen["flush_after_close_s"],
        chosen["flush_retries"],
    )
    while True:
        if schedule.due(now_ns()) is not None:
            try:
                rows = sum(load(one, force=True).rows for one in place.folders())
            except (Busy, Unavailable, DataError) as error:
                tell(str(error))
                schedule.failed(now_ns())
            else:
                tell(f"{rows} rows brought")
                schedule.done()
        if schedule.is_over:
            return schedule.given_up
        sleep(min(chosen["flush_check_s"], BACKOFF_S[0] if schedule.has_failed else 1 << 30))


def verify(place: Place, progress: Report | None = None) -> Verified:
    """Compare what was loaded with the database, row by row."""
    if not place.wal.is_dir():
        raise DataError(f"{place.wal}: is no folder; nothing was recorded there")
    with place.prepared():
        return _verify(place.wal, place.target, progress=progress)


def inspect(path: str | Path) -> list[dict[str, Any]]:
    """The blocks of a segment: record, time, and of each table its rows."""
    found = []
    for segment in _segments_of(Path(path)):
        frames = segment.frames
        for seq, ts, payload in zip(frames.seq, frames.ts_ns, segment.payloads(), strict=True):
            head = head_of(payload, f"{segment.path}: record {int(seq)}")
            rows = {one.table: [one.first, one.last] for one in head.places}
            found.append(
                {
                    "segment": segment.path.name,
                    "record": int(seq),
                    "ts": int(ts),
                    "rows": rows,
                    "mark": head.mark,
                    "bytes": len(payload),
                }
            )
    return found


def rows_in(path: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of a segment or a folder of them, with table and number."""
    for segment in _segments_of(Path(path)):
        for place, batch in segments.batches_of(segment):
            for number, row in enumerate(batch.to_pylist(), place.first):
                yield {"table": place.table, "wal_seq": number, **row}


def _segments_of(path: Path) -> Iterator[Segment]:
    """Raises: DataError where nothing is; JournalError for what cannot be read."""
    paths = segment_paths(path) if path.is_dir() else [path]
    if not paths or not path.exists():
        raise DataError(f"{path}: no segment of a recorder is there")
    for one in paths:
        yield segments.read_whole(one, REAL)


__all__ = [
    "drain",
    "flush_after",
    "inspect",
    "load",
    "place_of",
    "rows_in",
    "seal",
    "status",
    "verify",
]
