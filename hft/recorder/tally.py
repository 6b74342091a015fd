"""What went wrong in a recorder's folder, counted over all processes that worked there.

It is for metrics: a count that cannot be written waits for the next one, and nobody fails for it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from hft.core.errors import HftError
from hft.core.json_text import page
from hft.recorder.wal_first import WALFirstWriter
from hft.storage.atomic import write_atomic
from hft.storage.lock import locked
from hft.storage.log import segment_paths

FILE = "counts.json"
LOCK = ".counts.lock"
LOST, ERROR, TORN = "lost:", "error:", "torn"
DAMAGED = "damaged"  # the error of a segment that went to quarantine
WAIT_S = 1.0


def tally(wal: Path) -> dict[str, int]:
    """The counts so far: `lost:TABLE`, `error:TYPE`, `torn`; nothing where none can be read."""
    try:
        found = json.loads((wal / FILE).read_text(encoding="utf-8"))
        return {str(name): int(count) for name, count in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def count(wal: Path, more: Mapping[str, int]) -> bool:
    """Add to the counts of a folder that is there; False where they cannot be written now."""
    more = {name: number for name, number in more.items() if number}
    if not more:
        return True
    try:
        with locked(wal / LOCK, wait_s=WAIT_S):
            found = tally(wal)
            for name, number in more.items():
                found[name] = found.get(name, 0) + number
            write_atomic(wal / FILE, page(found))
    except (HftError, OSError):
        return False
    return True


class WriterTally:
    """The counts of one writer, brought up to date whenever it beats."""

    def __init__(self, writer: WALFirstWriter) -> None:
        self._writer, self._told = writer, dict[str, int]()

    def beat(self) -> None:
        """Count what is new, and show that the recorder is at work."""
        writer, told = self._writer, self._told
        now = {f"{LOST}{table}": rows for table, rows in writer.counters.lost.items()}
        now[TORN] = int(writer.torn_bytes > 0)
        now = {name: max(number, told.get(name, 0)) for name, number in now.items()}
        if count(writer.folder, {name: now[name] - told.get(name, 0) for name in now}):
            self._told = now
        try:
            (writer.folder / LOCK).touch()
        except OSError:
            return


def beaten_ns(wal: Path) -> int:
    """When a recorder of the folder last showed itself; 0 where none ever did."""
    newest = segment_paths(wal)[-1:]
    times = [path.stat().st_mtime_ns for path in (wal / LOCK, *newest) if path.exists()]
    return max(times, default=0)
