"""The state of a recorder's folders as figures: what waits, how full the disk is, what went wrong.

It is read from the folders themselves; neither recorder nor loader does anything for it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from hft.metrics.readings import Readings
from hft.recorder.backlog import Backlog, backlog
from hft.recorder.manifest import Manifest
from hft.recorder.pressure import DiskPressureMonitor, Level
from hft.recorder.tables import TABLES
from hft.recorder.tally import DAMAGED, ERROR, LOST, TORN, beaten_ns, tally
from hft.storage.disk import REAL

FRESH_NS = 5_000_000_000  # a recorder that follows shows itself every second
# Those that are there from the first scrape, so that a rate sees the first one.
ERRORS = (DAMAGED, "Busy", "DataError", "JournalError", "Unavailable")
WAL_FIRST = 1  # the one mode there is: to disk first


class Folder(Protocol):
    """Where rows wait."""

    @property
    def wal(self) -> Path: ...

    def monitor(self) -> DiskPressureMonitor: ...


@dataclass(frozen=True)
class RecorderState:
    """All folders together. Units: bytes, seconds; `eta_s` None where nobody can know it."""

    files: int = 0
    bytes: int = 0
    oldest_s: float = 0.0
    rows: int = 0
    eta_s: float | None = 0.0
    level: Level = Level.OK
    used: int = 0
    free: int = 0  # of the disk
    has_recorded: bool = False
    quarantined: int = 0
    records: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Rows that were dropped."""
        return sum(rows for name, rows in self.counts.items() if name.startswith(LOST))


class RecorderWatch:
    """Looks at folders again and again; a level falls after two lower looks."""

    def __init__(
        self,
        folders: Callable[[], Sequence[Folder]],
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._folders, self._wall_ns = folders, wall_ns
        self._known: dict[Path, tuple[Manifest, DiskPressureMonitor]] = {}

    def read(self) -> RecorderState:
        """How it is now. Raises: JournalError where a folder cannot be read."""
        folders = list(self._folders())
        found = [self._backlog(one) for one in folders]
        etas = [one.eta_s for one in found]
        counts: dict[str, int] = {}
        for one in folders:
            for name, number in tally(one.wal).items():
                counts[name] = counts.get(name, 0) + number
        beaten = max((beaten_ns(one.wal) for one in folders), default=0)
        monitors = [self._known[one.wal][1] for one in folders]
        levels = [one.poll() for one in monitors]
        return RecorderState(
            files=sum(one.files for one in found),
            bytes=sum(one.bytes for one in found),
            oldest_s=max((one.oldest_s for one in found if one.files), default=0.0),
            rows=sum(one.rows for one in found),
            eta_s=None if None in etas else sum(eta for eta in etas if eta is not None),
            level=max(levels, default=Level.OK),
            used=sum(one.reading.used for one in monitors),
            free=min((one.reading.free for one in monitors), default=0),
            has_recorded=any(one.writer_id for one in found),
            quarantined=sum(len(one.quarantined) for one in found),
            records=self._wall_ns() - beaten <= FRESH_NS,
            counts=counts,
        )

    def _backlog(self, folder: Folder) -> Backlog:
        if folder.wal not in self._known:
            self._known[folder.wal] = (Manifest(folder.wal, REAL), folder.monitor())
        return backlog(folder.wal, REAL, self._wall_ns, self._known[folder.wal][0])


def read_recorder(state: RecorderState, into: Readings) -> None:
    """Mutates: `into`."""
    into.put("wal_mode", WAL_FIRST)
    into.put("wal_backlog_files", state.files)
    into.put("wal_backlog_bytes", state.bytes)
    into.put("wal_replay_lag_seconds", state.oldest_s)
    into.put("wal_replay_throughput_rows_total", state.rows)
    into.put("wal_quarantined_files", state.quarantined)
    into.put("disk_pressure_level", state.level.value)
    into.put("gateway_component_up", int(state.records), "recorder")
    into.put("wal_torn_tail_total", state.counts.get(TORN, 0))
    if state.eta_s is not None:
        into.put("wal_drain_eta_seconds", state.eta_s)
    for table in TABLES:
        into.put("wal_data_loss_total", state.counts.get(f"{LOST}{table}", 0), table)
    others = {name.removeprefix(ERROR) for name in state.counts if name.startswith(ERROR)}
    for kind in sorted({*ERRORS, *others}):
        into.put("wal_replay_errors_total", state.counts.get(f"{ERROR}{kind}", 0), kind)
