"""The level of the disk rises at once, falls slowly, and asking for it costs nothing."""

import threading
import time
from pathlib import Path

import pytest

from hft.recorder.options import DROPPABLE, KEPT
from hft.recorder.pressure import MB, Budget, DiskPressureMonitor, Level, Reading
from hft.recorder.room import reading_of
from tests.recorder.recorder_world import Told

pytestmark = pytest.mark.nojit


@pytest.mark.parametrize(
    ("used", "level"),
    [(59, 0), (60, 1), (79, 1), (80, 2), (94, 2), (95, 3), (100, 3)],
)
def test_a_level_holds_from_its_share_of_the_budget_on(used: int, level: int) -> None:
    assert Told().at(used) == level


def test_the_budget_is_at_most_the_space_there_is() -> None:
    assert Told().at(20, free_mb=20) == Level.OK
    assert Told().at(35, free_mb=20) == Level.WARN, "35 of 55 MB, not of 100"


def test_given_bytes_replace_the_shares() -> None:
    budget = Budget(bytes=100 * MB, marks=(5 * MB, None, 90 * MB))
    levels = [budget.level(Reading(n * MB, 1000 * MB)) for n in (4, 5, 80, 90)]
    assert levels == [Level.OK, Level.WARN, Level.CRITICAL, Level.HALT]


def test_a_level_rises_at_once_and_falls_after_two_lower_readings() -> None:
    told = Told()
    assert told.at(96) == Level.HALT
    assert told.at(10) == Level.HALT
    assert told.at(96) == Level.HALT, "a reading that is not lower begins the count again"
    assert told.at(10) == Level.HALT
    assert told.at(70) == Level.WARN, "to the higher of the two"
    assert told.at(10, times=2) == Level.OK
    assert told.seen == [(0, 3), (3, 1), (1, 0)]


def test_a_disk_that_others_need_is_at_halt_whatever_the_budget() -> None:
    assert Told().at(1, free_mb=9) == Level.HALT
    assert Told().at(1, free_mb=90) == Level.OK


def test_policies_hold_from_critical_on_and_halt_drops_every_droppable_table() -> None:
    told = Told({"market_data": "drop", "wakes": "halt"})
    ask = told.monitor.get_topic_policy
    told.at(70)
    assert {ask(name) for name in (*DROPPABLE, *KEPT)} == {"write"}
    told.at(85)
    assert [ask(n) for n in ("market_data", "wakes", "latency")] == ["drop", "halt", "write"]
    told.at(99)
    assert {ask(name) for name in DROPPABLE} == {"halt"}
    assert {ask(name) for name in KEPT} == {"write"}


def test_a_reading_that_fails_counts_and_leaves_the_level() -> None:
    told = Told()
    told.at(85)

    def fails() -> Reading:
        raise OSError(5, "input/output error")

    told.monitor._read = fails
    assert told.monitor.poll() == Level.CRITICAL
    assert told.monitor.failures == 1


def test_a_hook_that_fails_stops_neither_the_level_nor_the_others() -> None:
    told = Told()
    heard: list[int] = []
    told.monitor._hooks[:0] = [lambda old, new: 1 // 0]
    told.monitor.add_hook(lambda old, new: heard.append(new))
    assert told.at(85) == Level.CRITICAL
    assert heard == [Level.CRITICAL]


def test_the_thread_measures_and_survives_what_a_reading_raises() -> None:
    readings = iter([Reading(0, 10**9), RuntimeError("odd"), Reading(99 * MB, 10**9)])
    last = threading.Event()

    def read() -> Reading:
        found = next(readings, None)
        if isinstance(found, Exception):
            raise found
        if found is None or found.used:
            last.set()
        return found or Reading(99 * MB, 10**9)

    monitor = DiskPressureMonitor(
        read, Budget(100 * MB, min_free=0), dict.fromkeys(DROPPABLE, "write"), KEPT, poll_s=0.01
    )
    monitor.start()
    assert any(thread.name == "disk-monitor" for thread in threading.enumerate())
    assert last.wait(10)
    monitor.stop()
    assert monitor.get_level() == Level.HALT
    assert monitor.failures == 1


def test_asking_reads_no_disk_and_costs_no_more_than_a_few_dictionary_looks() -> None:
    """The exact ratio is in the benchmark; here ten times would be a lock or a file."""
    monitor = Told().monitor
    plain = {"orders": "write"}

    def took(what: object) -> float:
        began = time.perf_counter()
        for _ in range(20_000):
            what("orders")  # type: ignore[operator]
        return time.perf_counter() - began

    look = min(took(plain.__getitem__) for _ in range(5))
    assert min(took(monitor.get_topic_policy) for _ in range(5)) < 10 * look


def test_a_folder_is_measured_flat_and_may_be_absent(tmp_path: Path) -> None:
    read = reading_of(tmp_path / "none")
    assert read().used == 0
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "1.wal").write_bytes(bytes(100))
    (tmp_path / "2.wal").write_bytes(bytes(10))
    (tmp_path / "reserve.block").write_bytes(bytes(50))
    found = reading_of(tmp_path)()
    assert found.used == 10 and found.free > 0
