"""What waits on the disk and since when, what is aside and why: a folder's state, read only."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hft.core.errors import JournalError
from hft.recorder import segments
from hft.recorder.loader import ARCHIVE, QUARANTINE, WHY
from hft.recorder.manifest import Loaded, Manifest
from hft.storage import frame
from hft.storage.disk import REAL, Disk
from hft.storage.log import SUFFIX, segment_paths

RECENT = 20  # segments whose rate tells how long the rest takes
NS = 1_000_000_000


@dataclass(frozen=True)
class Backlog:
    """A folder of segments. Units: bytes, seconds; `eta_s` None where nothing was loaded yet."""

    writer_id: str
    files: int
    bytes: int
    open_bytes: int  # of the last segment, which its writer still fills
    oldest_s: float  # since the oldest that waits was begun
    loaded: int
    rows: int  # of the segments that were loaded
    eta_s: float | None
    quarantined: dict[str, str]
    archived: int


def backlog(
    wal: Path,
    disk: Disk = REAL,
    wall_ns: Callable[[], int] = time.time_ns,
    manifest: Manifest | None = None,
) -> Backlog:
    """Whoever asks again and again keeps the folder's `manifest`, which reads an entry once.

    Raises: JournalError where the folder cannot be read.
    """
    try:
        return _backlog(wal, disk, wall_ns(), manifest or Manifest(wal, disk))
    except OSError as error:
        raise JournalError(f"{wal}: cannot be read: {error.strerror or error}") from None


def _backlog(wal: Path, disk: Disk, now_ns: int, manifest: Manifest) -> Backlog:
    waiting = segments.sealed_paths(wal, disk)
    last = [path for path in segment_paths(wal, disk) if path not in waiting]
    size = sum(disk.size(path) for path in waiting)
    entries = list(manifest.entries())
    begun_ns = _begun_ns(waiting[0], disk) if waiting else now_ns
    return Backlog(
        writer_id=segments.writer_of(wal, disk),
        files=len(waiting),
        bytes=size,
        open_bytes=sum(disk.size(path) for path in last),
        oldest_s=max(0, now_ns - begun_ns) / NS,
        loaded=len(entries),
        rows=sum(entry.row_count for entry in entries),
        eta_s=_eta_s(size, entries),
        quarantined=reasons(wal, disk),
        archived=len(segment_paths(wal / ARCHIVE, disk)),
    )


def _begun_ns(path: Path, disk: Disk) -> int:
    return frame.decode_header(disk.read(path, frame.HEADER_BYTES), str(path)).created_ns


def _eta_s(size: int, entries: list[Loaded]) -> float | None:
    """How long the rest takes at the rate of the newest segments, by one worker."""
    if not size:
        return 0.0
    recent = entries[-RECENT:]
    took_ns, done = sum(one.took_ns for one in recent), sum(one.size for one in recent)
    return size / done * took_ns / NS if done else None


def reasons(wal: Path, disk: Disk) -> dict[str, str]:
    """Segment in quarantine -> why. Raises: OSError."""
    place = wal / QUARANTINE
    found = {}
    for name in disk.names(place):
        if name.endswith(SUFFIX):
            why = place / f"{name}{WHY}"
            there = why.name in disk.names(place)
            found[name] = disk.read(why).decode(errors="replace").strip() if there else ""
    return found
