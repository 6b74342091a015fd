"""Lives of a recorder on a disk that forgets: what was acknowledged is there once, after any crash.

`play(seed)` is one story of several lives; `Told` what happened in it. A product with a planted
fault takes the place of the writer.
"""

import errno
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hft.core.errors import JournalError
from hft.recorder.wal_first import Sizes, WALFirstWriter
from tests.recorder.recorder_world import Told, recorded, rows_of
from tests.simulation.disk import Crashed, Life, ModelDisk

FOLDER = Path("/wal")
TABLES = ("orders", "fills", "market_data")
LIVES, STEPS = 6, 25
Make = Callable[..., WALFirstWriter]


@dataclass
class Story:
    """Rows that were handed over, by table, and how many of each a commit has acknowledged."""

    given: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in TABLES})
    acknowledged: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    marks: list[int] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    number: int = 0


def play(seed: int, make: Make = WALFirstWriter) -> Story:
    """Raises: AssertionError where a row is lost, twice, out of order or torn from its group."""
    random = Random(seed)
    disk, story = ModelDisk(random), Story()
    for k in range(LIVES):
        _live(random, disk, story, make, f"process {k}")
    return story


def _live(random: Random, disk: ModelDisk, story: Story, make: Make, name: str) -> None:
    life = Life(disk, name)
    told = Told()
    life.crash_in(random.randint(1, 150))
    disk.has_short_writes = random.random() < 0.3
    disk.room = 40_000 if random.random() < 0.3 else None
    pending: dict[str, list[int]] = {one: [] for one in TABLES}
    try:
        _work(random, life, told, story, make, pending)
        story.seen["ended"] += 1
    except Crashed:
        story.seen["crashed"] += 1
    except JournalError:
        story.seen["failed"] += 1
    life.end()
    disk.fails.clear()
    disk.room = None
    disk.is_read_only = False
    if random.random() < 0.6:
        disk.power_cut()
        story.seen["power cut"] += 1
    _check(disk, story, pending)


def _work(
    random: Random,
    life: Life,
    told: Told,
    story: Story,
    make: Make,
    pending: dict[str, list[int]],
) -> None:
    sizes = Sizes(0, 1000, random.choice((2000, 1 << 20)), 1 << 60)
    reserve = random.choice((0, 20_000))
    one = make(
        FOLDER,
        "w1",
        told.monitor,
        wall_ns=lambda: 1,
        clock_ns=lambda: 1,
        sizes=sizes,
        reserve_bytes=reserve,
        disk=life,
    )
    for _ in range(STEPS):
        step = random.random()
        if step < 0.6:
            table = random.choice(TABLES)
            numbers = range(story.number, story.number + random.randint(1, 5))
            if one.write(table, rows_of(table, numbers)):
                story.number = numbers.stop
                pending[table] += numbers
        elif step < 0.65:
            life.disk.fails[random.choice(("write", "sync", "create"))] = random.choice(
                (errno.EIO, errno.ENOSPC)
            )
        else:
            _acknowledge(story, pending, one, one.seal if step > 0.9 else one.commit)
    _acknowledge(story, pending, one, one.close)


def _acknowledge(
    story: Story, pending: dict[str, list[int]], one: WALFirstWriter, commit: Callable[[], None]
) -> None:
    """What a call that returned made durable, but for what it said it dropped."""
    before = one.counters.lost["market_data"]
    commit()
    if one.counters.lost["market_data"] > before:
        pending["market_data"] = []
        story.seen["dropped"] += 1
    for table, numbers in pending.items():
        story.given[table] += numbers
        story.acknowledged[table] = len(story.given[table])
        numbers.clear()
    story.seen["acknowledged"] += 1


def _check(disk: ModelDisk, story: Story, pending: dict[str, list[int]]) -> None:
    """What a new life reads: all that was acknowledged, then all of a group or nothing of it."""
    life = Life(disk, "reader")
    one = WALFirstWriter(FOLDER, "w1", Told().monitor, wall_ns=lambda: 1, disk=life)
    one.close()
    there = recorded(FOLDER, life)
    found = {name: [row["seq"] for row in there.get(name, [])] for name in TABLES}
    more: dict[str, list[int]] = {}
    for table in TABLES:
        rows, sure = found.get(table, []), story.acknowledged[table]
        assert rows[:sure] == story.given[table][:sure], f"{table}: acknowledged rows are gone"
        more[table] = rows[sure:]
    for table, rows in more.items():
        if table == "market_data" and rows == []:
            continue  # dropped with its loss recorded, or not there with the others
        wanted = pending[table]
        assert rows in ([], wanted), f"{table}: {rows} of a group of {wanted}"
    kept = [bool(more[table]) for table in ("orders", "fills") if pending[table]]
    assert len({*kept}) <= 1, f"a group was torn: {more} of {pending}"
    for table in TABLES:
        story.given[table] = found.get(table, [])
        story.acknowledged[table] = len(story.given[table])
    life.end()


class _Unsynced:
    """A disk whose files take a sync for done."""

    def __init__(self, disk: Any) -> None:
        self._disk = disk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk, name)

    def create(self, path: Path) -> Any:
        return _no_sync(self._disk.create(path))

    def open(self, path: Path) -> Any:
        return _no_sync(self._disk.open(path))


def _no_sync(file: Any) -> Any:
    file.sync = lambda: None
    return file


class DropsOrders(WALFirstWriter):
    """Planted: a full disk costs every row of the group."""

    def _without_room(self) -> None:
        self._left[0] = [one for one in self._left[0] if one[0] == "market_data"]
        super()._without_room()


class CountsFromOne(WALFirstWriter):
    """Planted: a life does not look which row is next."""

    def _open(self) -> Any:
        log = super()._open()
        self._next = dict.fromkeys(self._next, 1)
        return log


class TornGroups(WALFirstWriter):
    """Planted: a block for each table, where all are one."""

    def _append(self, group: Any, losses: Any) -> None:
        for one in group:
            super()._append([one], {})
        super()._append([], losses)


def skips_syncs(*given: Any, disk: Any, **rest: Any) -> WALFirstWriter:
    """Planted: acknowledged before it is durable."""
    return WALFirstWriter(*given, disk=_Unsynced(disk), **rest)


PLANTED: dict[str, Make] = {
    "sync skipped": skips_syncs,
    "never-droppable rows dropped": DropsOrders,
    "numbers given twice": CountsFromOne,
    "torn groups": TornGroups,
}
