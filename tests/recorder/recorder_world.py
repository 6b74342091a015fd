"""What tests of the recorder share: a monitor told its readings, rows, and what was read."""

from pathlib import Path
from typing import Any

from hft.recorder.options import DROPPABLE, KEPT
from hft.recorder.pressure import MB, Budget, DiskPressureMonitor, Reading
from hft.recorder.segments import TOPIC, batches_of
from hft.recorder.tables import TABLES
from hft.recorder.wal_first import WALFirstWriter
from hft.storage.disk import REAL, Disk
from hft.storage.log import read_segments

PLENTY = Reading(0, 1000 * MB)


class Told:
    """A monitor and the reading that it gets next."""

    def __init__(self, policies: dict[str, str] | None = None, reading: Reading = PLENTY) -> None:
        self.reading = reading
        self.seen: list[tuple[int, int]] = []
        budget = Budget(bytes=100 * MB, min_free=10 * MB)
        everyone = dict.fromkeys(DROPPABLE, "write") | (policies or {})
        self.monitor = DiskPressureMonitor(
            lambda: self.reading,
            budget,
            everyone,
            KEPT,
            hooks=[lambda old, new: self.seen.append((old, new))],
        )

    def at(self, used_mb: int, free_mb: int = 1000, times: int = 1) -> int:
        """The level after so many readings of this."""
        self.reading = Reading(used_mb * MB, free_mb * MB)
        return [self.monitor.poll() for _ in range(times)][-1]


def rows_of(table: str, numbers: range) -> list[dict[str, Any]]:
    """Rows that tell their number in every column."""
    return [
        {name: n if kind == "int" else f"{name}-{n}" for name, kind in TABLES[table].columns}
        for n in numbers
    ]


def recorded(folder: Path, disk: Disk = REAL) -> dict[str, list[dict[str, Any]]]:
    """Every row on the disk by table, whose numbers have no gap and nothing twice."""
    found: dict[str, list[dict[str, Any]]] = {}
    for segment in read_segments(folder, disk=disk):
        assert segment.header.topic == TOPIC
        for place, batch in batches_of(segment):
            there = found.setdefault(place.table, [])
            assert place.first == len(there) + 1, f"{place} behind {len(there)} rows"
            there += batch.to_pylist()
    return found


def writer(folder: Path, told: Told | None = None, **options: Any) -> WALFirstWriter:
    """A writer named w1."""
    return WALFirstWriter(folder, "w1", (told or Told()).monitor, **options)
