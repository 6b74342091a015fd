"""Rows are on the disk before anything else, each once, and what is lost is said."""

import errno
import threading
from pathlib import Path
from random import Random

import numpy as np
import pytest

from hft.core.codes import StepKind
from hft.core.dtypes import STEP
from hft.core.errors import Busy, DataError, JournalError
from hft.recorder.backlog import backlog
from hft.recorder.committer import Committer
from hft.recorder.follow import Follower
from hft.recorder.pressure import Level
from hft.recorder.segments import sealed_paths
from hft.recorder.steps import Names
from hft.recorder.tables import TABLES
from hft.recorder.wal_first import Sizes
from hft.storage import frame
from hft.storage.disk import REAL
from hft.storage.log import segment_paths
from tests.recorder.recorder_world import Told, recorded, rows_of, writer
from tests.simulation.disk import Life, ModelDisk

pytestmark = pytest.mark.nojit
S = 1_000_000_000
FOLDER = Path("/disk/wal")


class Clock:
    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def test_what_was_committed_is_read_back_by_the_next_life(tmp_path: Path) -> None:
    first = writer(tmp_path)
    assert first.write("orders", rows_of("orders", range(3)))
    assert first.write("market_data", rows_of("market_data", range(2)))
    first.commit(mark=7)
    assert first.write("orders", rows_of("orders", range(3, 5)))
    first.close()
    second = writer(tmp_path)
    assert second.mark == 7
    assert second.next_rows["orders"] == 6 and second.next_rows["fills"] == 1
    second.write("orders", rows_of("orders", range(5, 6)))
    second.close()
    found = recorded(tmp_path)
    assert found["orders"] == rows_of("orders", range(6))
    assert found["market_data"] == rows_of("market_data", range(2))


def test_rows_may_be_columns_of_numpy_mappings_or_records(tmp_path: Path) -> None:
    one = writer(tmp_path)
    names = TABLES["latency"].schema.names
    numbers = np.arange(4, dtype=np.int64)
    columns = {n: numbers if n not in ("leg", "session", "strategy", "symbol") else list("abcd")
               for n in names}  # fmt: skip
    assert one.write("latency", columns)
    assert one.write("latency", rows_of("latency", range(2)))
    one.close()
    found = recorded(tmp_path)["latency"]
    assert [row["ns"] for row in found] == [0, 1, 2, 3, 0, 1]
    assert [row["leg"] for row in found] == ["a", "b", "c", "d", "leg-0", "leg-1"]


def test_rows_that_do_not_fit_name_table_and_column(tmp_path: Path) -> None:
    one = writer(tmp_path)
    (row,) = rows_of("orders", range(1))
    del row["price"]
    with pytest.raises(DataError, match="orders: a row without 'price'"):
        one.write("orders", [row])
    with pytest.raises(DataError, match="'quotes' is no table of the recorder; one of orders"):
        one.write("quotes", [])
    one.close()


def test_a_group_is_due_by_time_or_rows_and_a_segment_ends_by_age(tmp_path: Path) -> None:
    clock = Clock()
    one = writer(tmp_path, clock_ns=clock, sizes=Sizes(S, 10, 1 << 20, 5 * S))
    one.write("fills", rows_of("fills", range(3)))
    one.tick()
    assert one.counters.groups == 0
    clock.ns = S
    one.tick()
    assert one.counters.groups == 1
    one.write("fills", rows_of("fills", range(3, 13)))
    one.tick()
    assert one.counters.groups == 2
    assert sealed_paths(tmp_path, REAL) == []
    clock.ns = 5 * S
    one.tick()
    assert len(sealed_paths(tmp_path, REAL)) == 1
    clock.ns = 50 * S
    one.tick()
    assert len(sealed_paths(tmp_path, REAL)) == 1, "a segment without rows does not end"
    one.close()
    assert recorded(tmp_path)["fills"] == rows_of("fills", range(13))


def test_a_clock_that_steps_back_delays_no_group(tmp_path: Path) -> None:
    wall = iter(range(10 * S, 0, -S))
    one = writer(tmp_path, wall_ns=lambda: next(wall), sizes=Sizes(batch_ns=0))
    for n in range(3):
        one.write("fills", rows_of("fills", range(n, n + 1)))
        one.tick()
    one.close()
    assert recorded(tmp_path)["fills"] == rows_of("fills", range(3))


def test_segments_end_by_size_and_every_one_says_which_row_is_next(tmp_path: Path) -> None:
    one = writer(tmp_path, sizes=Sizes(segment_bytes=20_000))
    for n in range(0, 1000, 50):
        one.write("orders", rows_of("orders", range(n, n + 50)))
        one.commit()
    paths = segment_paths(tmp_path)
    assert len(paths) > 5
    one.close()
    for path in segment_paths(tmp_path)[:-1]:
        path.unlink()  # loaded and taken away
    again = writer(tmp_path)
    assert again.next_rows["orders"] == 1001
    again.close()


def test_more_rows_than_a_frame_holds_are_several_blocks(tmp_path: Path) -> None:
    one = writer(tmp_path)
    count = 200_000
    numbers = np.arange(count, dtype=np.int64)
    words = ["x"] * count
    columns = {n: numbers if k == "int" else words for n, k in TABLES["market_data"].columns}
    one.write("market_data", columns)
    one.commit()
    assert one.counters.groups > 2
    one.close()
    assert [row["seq"] for row in recorded(tmp_path)["market_data"]] == list(range(count))


def test_two_writers_on_one_folder_are_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    one = writer(tmp_path)
    before = {path: path.read_bytes() for path in segment_paths(tmp_path)}
    with pytest.raises(Busy, match="writes this journal"):
        writer(tmp_path)
    assert {path: path.read_bytes() for path in segment_paths(tmp_path)} == before
    one.close()


def test_a_segment_of_another_version_or_kind_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "1" / f"{1:020d}.wal"
    path.parent.mkdir()
    data = bytearray(frame.encode_header(frame.Header("recorder", 1, 0, b"rec-other")))
    path.write_bytes(data)
    (path.parent / "owner").write_text("w1\n")
    with pytest.raises(JournalError, match="other fields than this hft writes"):
        writer(path.parent)
    assert path.read_bytes() == data


def test_damage_in_the_middle_is_refused_with_offset_and_record(tmp_path: Path) -> None:
    one = writer(tmp_path)
    for n in range(5):
        one.write("orders", rows_of("orders", range(n, n + 1)))
        one.commit()
    one._log.close()
    (path,) = segment_paths(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(JournalError, match=r"offset \d+: record \d is damaged"):
        writer(tmp_path)
    assert path.read_bytes() == data


def test_a_torn_tail_is_cut_and_counted(tmp_path: Path) -> None:
    one = writer(tmp_path)
    one.write("orders", rows_of("orders", range(2)))
    one.commit()
    one._log.close()
    (path,) = segment_paths(tmp_path)
    with open(path, "ab") as file:
        file.write(b"torn")
    again = writer(tmp_path)
    assert again.torn_bytes == 4
    again.close()
    assert recorded(tmp_path)["orders"] == rows_of("orders", range(2))


def test_droppable_rows_are_dropped_by_level_and_policy_and_the_loss_is_recorded(
    tmp_path: Path,
) -> None:
    told = Told({"market_data": "drop", "latency": "write"})
    one = writer(tmp_path, told)
    told.at(85)
    assert not one.write("market_data", rows_of("market_data", range(4)))
    assert one.write("latency", rows_of("latency", range(1)))
    told.at(97)
    assert not one.write("latency", rows_of("latency", range(2)))
    assert one.write("orders", rows_of("orders", range(2))), "never dropped, whatever the level"
    one.close()
    found = recorded(tmp_path)
    assert found["orders"] == rows_of("orders", range(2))
    assert "market_data" not in found and len(found["latency"]) == 1
    losses = [(row["table"], row["rows"], row["reason"]) for row in found["data_loss"]]
    assert losses == [
        ("market_data", 4, "disk level, policy drop"),
        ("latency", 2, "disk level, policy halt"),
    ]
    assert one.counters.lost["market_data"] == 4


def test_a_writer_that_is_behind_drops_what_it_may_and_waits_for_the_rest(tmp_path: Path) -> None:
    one = writer(tmp_path, sizes=Sizes(batch_rows=10))
    assert one.write("market_data", rows_of("market_data", range(40)))
    assert not one.write("market_data", rows_of("market_data", range(40, 41)))
    assert one.counters.groups == 0
    assert one.write("orders", rows_of("orders", range(1)))
    assert one.counters.groups == 1, "the writer of an order waited for the disk"
    one.close()
    found = recorded(tmp_path)
    assert len(found["market_data"]) == 40 and len(found["orders"]) == 1
    assert [row["reason"] for row in found["data_loss"]] == ["writer behind"]


def test_many_threads_write_while_one_commits_and_no_row_is_lost_or_twice(tmp_path: Path) -> None:
    one = writer(tmp_path, sizes=Sizes(batch_ns=1_000_000, batch_rows=50, segment_bytes=50_000))
    committer = Committer(one, look_s=0.001)
    committer.start()

    def work(k: int) -> None:
        for n in range(100):
            assert one.write("fills", rows_of("fills", range(1000 * k + n, 1000 * k + n + 1)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    committer.stop()
    one.close()
    seen = sorted(row["seq"] for row in recorded(tmp_path)["fills"])
    assert seen == sorted(1000 * k + n for k in range(4) for n in range(100))


def test_what_waits_is_as_old_as_its_segment_by_the_clock_of_the_wall(tmp_path: Path) -> None:
    """Of each segment, the folder's first one too."""
    second, now = 1_000_000_000, [1_700_000_000 * 1_000_000_000]
    one = writer(tmp_path, wall_ns=lambda: now[0])
    for _ in range(2):
        one.write("orders", rows_of("orders", range(3)))
        now[0] += 5 * second
        one.seal()
    assert backlog(tmp_path, wall_ns=lambda: now[0]).oldest_s == 10.0
    one.close()


def test_rows_of_a_mark_are_one_block_however_many(tmp_path: Path) -> None:
    """A recorder killed between two blocks of them would record some of them again."""
    one = writer(tmp_path, sizes=Sizes(batch_rows=10))
    steps = np.zeros(500, STEP)
    steps["kind"], steps["ts_ns"] = StepKind.FILL, np.arange(500)
    assert Follower(one, Names("s", ["maker"], ["BTC"])).follow([steps]) == 500
    assert (one.counters.groups, one.mark, one.next_rows["fills"]) == (1, 500, 501)
    one.close()


def test_a_writer_that_ends_has_told_whoever_trades_before() -> None:
    disk, told = ModelDisk(Random(1)), Told()
    one = writer(FOLDER, told, disk=Life(disk, "recorder"))
    one.write("orders", rows_of("orders", range(3)))
    disk.fails["sync"] = errno.EIO
    with pytest.raises(JournalError, match="Input/output error"):
        one.commit()
    assert told.seen == [(Level.OK, Level.HALT)]
    assert told.at(0, times=5) == Level.HALT, "nothing will be recorded, however much room there is"


def test_rows_that_found_no_room_are_written_once_there_is() -> None:
    """Whoever commits next is told that they are durable, and may not know of the failure."""
    disk, told = ModelDisk(Random(1)), Told()
    one = writer(FOLDER, told, disk=Life(disk, "recorder"), sizes=Sizes(batch_rows=1))
    one.write("market_data", rows_of("market_data", range(4)))
    one.write("orders", rows_of("orders", range(3)))
    disk.room = 0
    with pytest.raises(JournalError, match="the disk is full"):
        one.tick()
    assert told.seen == [(Level.OK, Level.HALT)]
    disk.room = None
    told.at(0, times=2)
    one.tick()
    one.write("orders", rows_of("orders", range(3, 5)))
    one.commit()
    disk.power_cut()
    found = recorded(FOLDER, Life(disk, "reader"))
    assert found["orders"] == rows_of("orders", range(5))
    assert "market_data" in found or found["data_loss"][0]["rows"] == 4
