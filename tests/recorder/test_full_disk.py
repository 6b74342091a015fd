"""A disk that is really full: the gateway hears of it before an order row is lost.

On a small tmpfs of its own, so only root on Linux can run it.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hft.core.errors import JournalError
from hft.recorder.options import DROPPABLE, KEPT
from hft.recorder.pressure import MB, Budget, DiskPressureMonitor, Level
from hft.recorder.room import reading_of
from hft.recorder.wal_first import WALFirstWriter
from tests.recorder.recorder_world import recorded, rows_of

pytestmark = pytest.mark.nojit


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small tmpfs")
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this system mounts no tmpfs: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def monitor_of(folder: Path, heard: list[Level]) -> DiskPressureMonitor:
    return DiskPressureMonitor(
        reading_of(folder),
        Budget(bytes=100 * MB, min_free=0),
        dict.fromkeys(DROPPABLE, "write"),
        KEPT,
        hooks=[lambda old, new: heard.append(new)],
    )


def test_the_gateway_hears_of_a_full_disk_before_an_order_row_is_lost(small_disk: Path) -> None:
    folder, heard = small_disk / "wal", []
    one = WALFirstWriter(folder, "w1", monitor_of(folder, heard), reserve_bytes=2 * MB)
    one.write("orders", rows_of("orders", range(10)))
    one.commit()
    _fill(small_disk / "somebody-else")
    one.write("market_data", rows_of("market_data", range(20_000)))
    one.write("orders", rows_of("orders", range(10, 20)))
    one.commit()
    assert heard == [Level.HALT]
    assert not one.write("market_data", rows_of("market_data", range(5)))
    degraded_at, number = 20, 20
    with pytest.raises(JournalError, match="the disk is full"):
        while True:  # the gateway has been told; it may use up what was reserved
            one.write("orders", rows_of("orders", range(number, number + 1000)))
            one.commit()
            number += 1000
    assert number > degraded_at + 5000, "the reserve held thousands of rows"
    number += 1000  # they wait
    for _ in range(2):
        with pytest.raises(JournalError, match="nothing more is recorded"):
            one.write("orders", rows_of("orders", range(1)))
        with pytest.raises(JournalError, match="nothing more is recorded"):
            one.commit()

    (small_disk / "somebody-else").unlink()
    [one.monitor.poll() for _ in range(2)]
    one.tick()
    one.write("orders", rows_of("orders", range(number, number + 5)))
    one.close()
    found = recorded(folder)
    assert found["orders"] == rows_of("orders", range(number + 5))
    assert "market_data" not in found
    first = found["data_loss"][0]
    assert (first["table"], first["rows"]) == ("market_data", 20_000)


def test_a_reserve_that_does_not_fit_leaves_nothing_and_stops_nobody(small_disk: Path) -> None:
    folder = small_disk / "wal"
    one = WALFirstWriter(folder, "w1", monitor_of(folder, []), reserve_bytes=20 * MB)
    assert not (folder / "reserve.block").exists()
    assert one.write("orders", rows_of("orders", range(3)))
    one.close()
    assert recorded(folder)["orders"] == rows_of("orders", range(3))


def _fill(path: Path) -> None:
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return
