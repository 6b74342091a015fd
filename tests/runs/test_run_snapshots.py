"""Snapshots are kept as often as was asked for, and never for more than a hundredth of the time."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_runs import MANIFEST, NAMES, records, take_all

from hft.runs import snapshots
from hft.runs.folder.writer import RunWriter
from hft.runs.snapshots import SnapshotClock
from hft.storage.log import segment_paths

pytestmark = pytest.mark.nojit


class Wall:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    made = Wall()
    monkeypatch.setattr(snapshots, "time", made)
    return made


@pytest.mark.parametrize(("takes_s", "next_s"), [(0.01, 60), (0.6, 60), (2.0, 200)])
def test_the_next_snapshot_waits_longer_where_one_takes_long(
    wall: Wall, takes_s: float, next_s: float
) -> None:
    clock = SnapshotClock(60)
    wall.now_s += 59
    assert not clock.is_due()
    wall.now_s += 1
    assert clock.is_due()

    def keep() -> None:
        wall.now_s += takes_s

    clock.time(keep)
    wall.now_s += next_s - 0.001
    assert not clock.is_due()
    wall.now_s += 0.002
    assert clock.is_due()


def test_none_are_kept_where_none_are_asked_for(wall: Wall) -> None:
    clock = SnapshotClock(0)
    wall.now_s += 1e9
    assert not clock.is_due()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads names from /proc")
def test_all_that_a_snapshot_counts_is_on_the_disk_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power that goes right after it must not take away records that it says are there."""
    synced: dict[str, int] = {}

    def noted(real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(file: int) -> None:
            real(file)
            synced[os.readlink(f"/proc/self/fd/{file}")] = os.fstat(file).st_size

        return sync

    writer = RunWriter(tmp_path, "x_1", names=NAMES, manifest=MANIFEST, resumable=True)
    take_all(writer, records(wakes=50))
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, noted(getattr(os, name)))
    writer.marks()
    monkeypatch.undo()
    files = [*writer.path.glob(".*.rows"), *segment_paths(writer.path / "journal")]
    with_rows = [path for path in files if path.stat().st_size]
    assert len(with_rows) >= 4
    assert {path: synced.get(str(path)) for path in with_rows} == {
        path: path.stat().st_size for path in with_rows
    }
    assert {str(writer.path), str(tmp_path)} <= set(synced), "their names, too"
    writer.close()
