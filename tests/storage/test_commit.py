"""Group commit: the rules as a value, and the thread that moves the bytes on a real disk."""

import asyncio
import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hft.core.errors import JournalError
from hft.storage.commit import Commit
from hft.storage.disk import File, RealDisk, RealFile
from hft.storage.groups import Counters, Group, Groups, read_groups
from hft.storage.log import LogWriter, Segment, read_segments

pytestmark = pytest.mark.nojit

ROW = 8


def row(number: int) -> bytes:
    return number.to_bytes(ROW, "little")


def rows(first: int, count: int) -> bytes:
    return b"".join(row(number) for number in range(first, first + count))


def numbers(group: Group) -> list[int]:
    parts = [group.rows[at : at + ROW] for at in range(0, len(group.rows), ROW)]
    return [int.from_bytes(part, "little") for part in parts]


def open_log(folder: Path, **options: Any) -> LogWriter:
    return LogWriter(folder, "test", fsync="always", **options)


def recorded(folder: Path) -> list[Group]:
    return [found.group for found in read_groups(read_segments(folder), ROW)]


# The rules.


def test_what_is_added_while_a_group_is_under_way_is_the_next_group() -> None:
    groups = Groups(ROW)
    assert [groups.add(row(k), 10 + k) for k in (1, 2)] == [1, 2]
    first = groups.swap()
    assert first == Group(1, 2, 11, rows(1, 2))
    assert [groups.add(row(k), 10 + k) for k in (3, 4, 5)] == [3, 4, 5]
    assert groups.swap() is None and groups.durable == 0 and groups.waiting == 5
    groups.done()
    assert groups.durable == 2
    assert groups.swap() == Group(3, 3, 13, rows(3, 3))
    groups.done()
    assert groups.swap() is None and groups.is_idle and groups.waiting == 0


def test_a_group_has_no_more_than_the_most_and_nothing_changes_its_place() -> None:
    groups, found = Groups(ROW, most=10), []
    for first, count in ((1, 3), (4, 6), (10, 2), (12, 25), (37, 1)):
        assert groups.add(rows(first, count), first) == first + count - 1
    while (group := groups.swap()) is not None:
        groups.done()
        found.append(group)
    assert [number for group in found for number in numbers(group)] == list(range(1, 38))
    assert [group.first for group in found] == [1, 10, 12, 22, 32]
    assert [group.size for group in found] == [9, 2, 10, 10, 6]


def test_numbers_go_on_behind_what_was_read_back() -> None:
    groups = Groups(ROW, first=101)
    assert groups.durable == 100 and groups.add(row(1), 0) == 101
    group = groups.swap()
    assert group is not None and group.first == 101


def test_a_group_that_failed_ends_everything_with_the_first_cause() -> None:
    groups = Groups(ROW)
    groups.add(row(1), 0)
    groups.swap()
    groups.add(row(2), 0)
    groups.failed(JournalError("the disk is full"))
    groups.failed(JournalError("something later"))
    assert groups.swap() is None and groups.durable == 0
    with pytest.raises(JournalError, match="nothing more is recorded: the disk is full"):
        groups.add(row(3), 0)


@pytest.mark.parametrize("data", [b"", b"1234567", b"123456789"])
def test_what_is_not_rows_is_a_defect(data: bytes) -> None:
    with pytest.raises(ValueError, match="are not rows of 8"):
        Groups(ROW).add(data, 0)


def test_a_group_must_fit_into_a_frame() -> None:
    with pytest.raises(ValueError, match="groups of 4096 records of 4096 bytes"):
        Groups(4096)
    Groups(4096, most=1024)


def test_groups_and_syncs_are_counted_by_powers_of_two() -> None:
    counters = Counters()
    for records, sync_ns in ((1, 0), (2, 1), (3, 1000), (4, 1024), (4096, 10**15)):
        counters.count(records, sync_ns)
    assert (counters.groups, counters.records, counters.largest) == (5, 4106, 4096)
    assert counters.records_log2[:4] == [1, 1, 2, 0] and counters.records_log2[12] == 1
    assert counters.sync_log2[0] == 2 and counters.sync_log2[10] == 2
    assert counters.sync_log2[-1] == 1 and counters.sync_ns_max == 10**15


# The thread.


class Slow(RealDisk):
    """Counts the syncs, each of which waits until it may go on, and fails where told."""

    def __init__(self) -> None:
        self.syncs, self.fail_at = 0, -1
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def create(self, path: Path) -> File:
        disk = self

        class SlowFile(RealFile):
            def sync(self) -> None:
                disk.may_go_on.wait(10)
                disk.syncs += 1
                if disk.syncs == disk.fail_at:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                super().sync()

        return SlowFile(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def test_all_that_is_decided_in_one_turn_is_one_group_and_one_sync(tmp_path: Path) -> None:
    disk = Slow()

    async def main() -> Counters:
        commit = Commit(open_log(tmp_path, disk=disk), ROW)
        began = disk.syncs
        await asyncio.gather(*(commit.durable(commit.add(row(k), k)) for k in range(1, 501)))
        assert disk.syncs == began + 1 and commit.last_durable == 500
        await commit.close()
        return commit.counters

    counters = asyncio.run(main())
    assert (counters.groups, counters.records, counters.largest) == (1, 500, 500)
    assert counters.sync_ns == counters.sync_ns_max > 0
    assert [numbers(group) for group in recorded(tmp_path)] == [list(range(1, 501))]


def test_what_comes_while_a_sync_runs_is_one_group_behind_it_and_wakes_once(
    tmp_path: Path,
) -> None:
    disk, woken = Slow(), 0

    class Watched(Commit):
        def _wake(self) -> None:
            nonlocal woken
            woken += 1
            super()._wake()

    async def main() -> None:
        commit = Watched(open_log(tmp_path, disk=disk), ROW)
        disk.may_go_on.clear()
        commit.add(row(1), 1)
        for number in range(2, 40):
            await asyncio.sleep(0.0005)
            commit.add(row(number), number)
        assert commit.last_durable == 0 and commit.waiting == 39
        disk.may_go_on.set()
        await commit.durable(20)
        assert commit.last_durable == 39
        await commit.close()

    asyncio.run(main())
    assert [group.size for group in recorded(tmp_path)] == [1, 38]
    assert woken == 2


def test_nobody_goes_on_before_the_sync(tmp_path: Path) -> None:
    disk = Slow()

    async def main() -> None:
        commit = Commit(open_log(tmp_path, disk=disk), ROW)
        disk.may_go_on.clear()
        waiting = asyncio.ensure_future(commit.durable(commit.add(row(1), 1)))
        await asyncio.sleep(0.02)
        assert not waiting.done() and [numbers(g) for g in recorded(tmp_path)] == [[1]]
        disk.may_go_on.set()
        await waiting
        await commit.durable(1)
        await commit.close()

    asyncio.run(main())


def test_a_failed_sync_is_told_to_all_who_wait_and_to_all_who_come(tmp_path: Path) -> None:
    disk = Slow()

    async def main() -> None:
        commit = Commit(open_log(tmp_path, disk=disk), ROW)
        await commit.durable(commit.add(row(1), 1))
        disk.may_go_on.clear()
        disk.fail_at = disk.syncs + 1
        waiting = [asyncio.ensure_future(commit.durable(commit.add(row(2), 2)))]
        await asyncio.sleep(0.01)
        waiting.append(asyncio.ensure_future(commit.durable(commit.add(row(3), 3))))
        await asyncio.sleep(0)
        disk.may_go_on.set()
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, JournalError) and "Input/output error" in str(error)
        syncs = disk.syncs
        with pytest.raises(JournalError, match=r"nothing more is recorded: .*Input/output error"):
            commit.add(row(4), 4)
        with pytest.raises(JournalError, match="nothing more is recorded"):
            await commit.durable(3)
        await commit.durable(1)
        with pytest.raises(JournalError):
            await commit.close()
        assert disk.syncs == syncs  # never tried again

    asyncio.run(main())
    assert [numbers(group) for group in recorded(tmp_path)] == [[1]]


def test_a_defect_in_the_thread_leaves_nobody_waiting() -> None:
    class Broken:
        def append(self, ts_ns: int, kind: int, payload: bytes) -> int:
            raise ZeroDivisionError("a defect")

        def close(self) -> None:
            pass

    async def main() -> None:
        commit = Commit(Broken(), ROW)
        with pytest.raises(JournalError, match="ZeroDivisionError"):
            await commit.durable(commit.add(row(1), 1))
        with pytest.raises(JournalError, match="ZeroDivisionError"):
            await commit.close()

    asyncio.run(main())


def test_close_writes_what_waits_and_takes_nothing_more(tmp_path: Path) -> None:
    async def main() -> None:
        commit = Commit(open_log(tmp_path), ROW, most=7)
        commit.add(rows(1, 30), 1)
        await commit.close()
        assert commit.last_durable == 30
        with pytest.raises(JournalError, match="the journal is closed"):
            commit.add(row(31), 1)

    asyncio.run(main())
    assert [group.size for group in recorded(tmp_path)] == [7, 7, 7, 7, 2]


def test_one_who_stops_waiting_takes_nobody_with_him(tmp_path: Path) -> None:
    disk = Slow()

    async def main() -> None:
        commit = Commit(open_log(tmp_path, disk=disk), ROW)
        disk.may_go_on.clear()
        number = commit.add(row(1), 1)
        left, other = (asyncio.ensure_future(commit.durable(number)) for _ in range(2))
        await asyncio.sleep(0.005)
        left.cancel()
        await asyncio.sleep(0)
        disk.may_go_on.set()
        await other
        assert left.cancelled()
        with pytest.raises(ValueError, match="record 2 was never added"):
            await commit.durable(2)
        await commit.close()

    asyncio.run(main())


def test_a_continued_journal_is_one_sequence(tmp_path: Path) -> None:
    async def life(first: int, count: int) -> None:
        commit = Commit(open_log(tmp_path, segment_bytes=500), ROW, first=first, most=20)
        for number in range(first, first + count):
            commit.add(row(number), number)
            if number % 9 == 0:
                await commit.durable(number)
        await commit.close()

    asyncio.run(life(1, 100))
    asyncio.run(life(101, 50))
    groups = recorded(tmp_path)
    assert [number for group in groups for number in numbers(group)] == list(range(1, 151))
    later = list(read_groups(read_segments(tmp_path), ROW, first=120))
    assert later[0].group.first <= 120 <= later[0].group.last
    assert [found.seq for found in later] == list(range(later[0].seq, later[0].seq + len(later)))


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (Group(5, 1, 0, row(5)).payload(), "record 5 stands where 3 is due"),
        (Group(2, 1, 0, row(2)).payload(), "record 2 stands where 3 is due"),
        (Group(3, 1, 0, b"short").payload(), "group 2 is not rows of 8 bytes"),
        (b"", "group 2 is not rows of 8 bytes"),
    ],
)
def test_a_gap_a_repeat_and_rows_of_another_size_are_damage(
    tmp_path: Path, payload: bytes, sentence: str
) -> None:
    log = open_log(tmp_path)
    log.append(1, 2, Group(1, 2, 0, rows(1, 2)).payload())
    log.append(1, 2, payload)
    log.close()
    segments: list[Segment] = list(read_segments(tmp_path))
    with pytest.raises(JournalError, match=rf"\.wal: offset 116: .*{sentence}"):
        list(read_groups(segments, ROW))


def test_a_journal_that_begins_behind_the_needed_record_is_damage(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append(1, 2, Group(7, 2, 0, rows(7, 2)).payload())
    log.close()
    assert len(list(read_groups(read_segments(tmp_path), ROW))) == 1
    assert len(list(read_groups(read_segments(tmp_path), ROW, first=8))) == 1
    assert list(read_groups(read_segments(tmp_path), ROW, first=9)) == []
    with pytest.raises(JournalError, match="record 7 stands where 6 is due"):
        list(read_groups(read_segments(tmp_path), ROW, first=6))


def test_many_who_wait_share_syncs(tmp_path: Path) -> None:
    async def client(commit: Commit, times: int) -> None:
        for _ in range(times):
            await commit.durable(commit.add(row(1), time.monotonic_ns()))

    async def main() -> Counters:
        commit = Commit(open_log(tmp_path), ROW)
        await asyncio.gather(*(client(commit, 10) for _ in range(100)))
        await commit.close()
        return commit.counters

    counters = asyncio.run(main())
    assert counters.records == 1000
    assert counters.groups <= 30  # 10 where the loop is quicker than the disk
