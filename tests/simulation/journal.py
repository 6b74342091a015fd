"""Log and group commit on a disk that forgets, and what must hold of them after every crash.

A `World` plays one life after the other by a seed: records are added, the loop turns, disks fail,
and at any step the process or the power ends. Each start recovers and is compared with what was
added and what was acknowledged. A `Product` is what is under test; the planted faults replace a
part of it, and the tests alone have them.
"""

import contextlib
from asyncio import Task
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from hft.core.errors import Busy, JournalError
from hft.storage.commit import Commit
from hft.storage.groups import Group, read_groups
from hft.storage.log import LogWriter, drop_segments, read_segments, segment_paths
from tests.simulation.disk import Crashed, Life, ModelDisk, ModelFile
from tests.simulation.loop import SeededLoop

FOLDER = Path("/journal")
ROW = 40  # bytes; some groups reach over several sectors
OPTIONS: dict[str, Any] = {
    "topic": "test",
    "schema": b"rows",
    "owner": "account 1",
    "fsync": "always",
    "segment_bytes": 900,
}


class Turns(Executor):
    """Runs what it is given as a callback of the loop: a thread whose moments the seed draws."""

    def __init__(self, loop: SeededLoop) -> None:
        self.loop = loop

    def submit(self, call: Callable[..., Any], /, *args: Any, **options: Any) -> "Future[Any]":
        self.loop.call_soon(call, *args)
        return Future()


@dataclass(frozen=True)
class Product:
    """The parts under test."""

    disk: type[Life] = Life
    log: type[LogWriter] = LogWriter
    commit: type[Commit] = Commit


class World:
    """Lives of one journal, one at a time."""

    def __init__(self, seed: int, product: Product | None = None) -> None:
        self.random = Random(seed)
        self.product = product or Product()
        self.disk = ModelDisk(self.random)
        self.recovered: list[bytes] = []  # at the last start, durable since
        self.added: list[bytes] = []  # in this life
        self.acknowledged = 0  # records
        self.rows = 0  # made so far; no two are alike
        self.checkpoint = (1, 0)  # the first frame that it lacks, and how many records it has
        self.groups: list[tuple[int, int]] = []  # the same of each group that was recovered
        self.seen = dict.fromkeys(
            (
                "torn",
                "lost",
                "latched",
                "crashed",
                "segments",
                "grouped",
                "dropped",
                "kept",
                "never began",
            ),
            0,
        )
        self.commit: Commit | None = None
        self._running: list[Coroutine[Any, Any, None]] = []
        self.crash_at_start: int | None = None  # steps of the disk that the next start does
        if self.random.random() < 0.5:
            self.crash_at_start = self.random.randrange(25)
        self.start()

    def start(self) -> None:
        """A process begins: recovery, and what must hold of it."""
        self.commit = None
        self.life = self.product.disk(self.disk)
        if self.crash_at_start is not None:
            self.life.crash_in(self.crash_at_start)
            self.crash_at_start = None
        faults = self.disk.faults
        try:
            log = self.product.log(FOLDER, disk=self.life, first=self.checkpoint[0], **OPTIONS)
            self._recover(log)
        except Crashed:
            self.seen["never began"] += 1
        except JournalError:
            self.life.end()
            if self.disk.faults == faults:  # nothing was wrong with the disk
                raise

    def _recover(self, log: LogWriter) -> None:
        found = self.read()
        expected = self.recovered + self.added
        assert found == expected[: len(found)], "records are other ones, twice or out of order"
        assert len(found) >= self.acknowledged, "an acknowledged record is lost"
        assert self.size() == log.size - log._before, "a torn tail is left"
        self.seen["lost"] += len(expected) - len(found)
        self.seen["torn"] += log.torn_bytes > 0
        self.seen["kept"] += len(found) - len(self.recovered)
        self.recovered, self.added, self.acknowledged = found, [], len(found)
        self.loop = SeededLoop(self.random.randrange(1 << 30))
        self.commit = self.product.commit(
            log,
            ROW,
            first=len(found) + 1,
            most=12,
            loop=self.loop,
            executor=Turns(self.loop),
            clock_ns=lambda: 0,
        )

    def read(self) -> list[bytes]:
        """Every record of the journal as a reader finds it."""
        seq, number = self.checkpoint
        segments = list(read_segments(FOLDER, first=seq, disk=self.life))
        self.seen["segments"] = max(self.seen["segments"], len(segments))
        rows, self.groups = self.recovered[:number], []
        for found, group in read_groups(segments, ROW, number + 1):
            assert group.first == len(rows) + 1
            rows += [group.rows[at : at + ROW] for at in range(0, len(group.rows), ROW)]
            self.groups.append((found + 1, len(rows)))
        return rows

    def keep_less(self) -> None:
        """A checkpoint has what was recovered up to some group; what is older may go."""
        if self.commit is None or not self.groups:
            return
        place = self.random.randrange(len(self.groups))
        self.checkpoint, self.groups = self.groups[place], self.groups[place:]
        try:
            self.seen["dropped"] += drop_segments(FOLDER, self.checkpoint[0], self.life)
        except Crashed:
            self.commit = None
        except OSError:
            assert self.disk.faults

    def size(self) -> int:
        return len(self.life.read(segment_paths(FOLDER, self.life)[-1]))

    def add(self, count: int) -> None:
        """Somebody decides something and waits until it is durable."""
        if self.commit is None:
            return
        rows = [b"%d" % (self.rows + k) for k in range(count)]
        rows = [row.ljust(ROW, b".") for row in rows]
        try:
            number = self.commit.add(b"".join(rows), 7)
        except JournalError:
            self.seen["latched"] += 1
            assert self.commit.failure is not None and self.disk.faults
            return
        self.rows += count
        self.added += rows
        assert number == len(self.recovered) + len(self.added)
        self._task(self._wait(self.commit, number))

    def _task(self, coroutine: Coroutine[Any, Any, None]) -> "Task[None]":
        """Part of this life: it goes no further when that ends."""
        self._running.append(coroutine)
        return self.loop.create_task(coroutine)

    async def _wait(self, commit: Commit, number: int) -> None:
        with contextlib.suppress(JournalError):
            await commit.durable(number)
            self.acknowledged = max(self.acknowledged, number)

    def turn(self, turns: int) -> None:
        """The loop runs some callbacks; the process may end inside of one."""
        if self.commit is None:
            return
        loop, until = self.loop, self.loop.steps + turns
        try:
            loop.run_until(lambda: bool(loop.errors) or loop.steps >= until or not loop._ready)
        except Crashed:
            self.seen["crashed"] += 1
            self.commit = None
        else:
            self.seen["grouped"] = max(self.seen["grouped"], self.commit.counters.largest)

    def close(self) -> None:
        """An orderly end: whatever was added is durable, or the caller is told."""
        if self.commit is None:
            return
        commit, self.commit = self.commit, None
        loop, closing = self.loop, self._task(commit.close())
        try:
            loop.run_until(lambda: bool(loop.errors) or closing.done())
            closing.result()
            self.acknowledged = len(self.recovered) + len(self.added)
        except JournalError:
            assert self.disk.faults
        except Crashed:
            self.seen["crashed"] += 1
        self.again()

    def again(self, *, power_cut: bool = False) -> None:
        """This process ends at once, or all do with the power, and the next one begins."""
        self.life.end()
        for coroutine in self._running:
            coroutine.close()
        self._running.clear()
        if power_cut:
            self.disk.power_cut()
        self.disk.room, self.disk.has_short_writes = None, False
        self.disk.fails.clear()
        self.start()

    def second(self) -> None:
        """Another process wants to write the same journal."""
        if self.commit is None or self.commit.failure is not None:
            return
        other = self.product.disk(self.disk, "another process")
        try:
            LogWriter(FOLDER, disk=other, **OPTIONS)
        except Busy:
            return
        finally:
            other.end()
        raise AssertionError("a second writer was let in")

    def settle(self) -> None:
        """The power is cut a last time, and whoever starts then finds all that must be there."""
        self.turn(self.random.randrange(4))
        self.again(power_cut=True)
        while self.commit is None:
            self.again()


def play(seed: int, product: Product | None = None, steps: int = 60) -> World:
    """One world, played by its seed alone. Raises: AssertionError, JournalError."""
    world = World(seed, product)
    random = world.random
    for _ in range(steps):
        draw = random.random()
        if draw < 0.35:
            world.add(random.choice((1, 1, 1, 2, 5, 30)))
        elif draw < 0.80:
            world.turn(random.randint(1, 6))
        elif draw < 0.84:
            world.again(power_cut=random.random() < 0.7)
        elif draw < 0.89:
            world.life.crash_in(random.randrange(12))
        elif draw < 0.93:
            world.disk.fails[random.choice(("sync", "sync", "sync_folder", "write", "create"))] = 5
            world.life.crashes_after_fault = random.random() < 0.3
        elif draw < 0.95:
            world.disk.room = random.randrange(300)
        elif draw < 0.97:
            world.disk.has_short_writes = True
        elif draw < 0.98:
            world.second()
        elif draw < 0.99:
            world.keep_less()
        else:
            world.close()
        if random.random() < 0.05:
            world.crash_at_start = random.randrange(25)
        if world.commit is None and random.random() < 0.8:
            world.again(power_cut=random.random() < 0.5)
    world.settle()
    return world


class _NoSync(ModelFile):
    def sync(self) -> None:
        """Says that it did."""


class _Again(ModelFile):
    def sync(self) -> None:
        try:
            super().sync()
        except OSError:
            super().sync()


def _with_file(made_of: type[ModelFile]) -> type[Life]:
    class Planted(Life):
        def create(self, path: Path) -> ModelFile:
            return made_of(self, super().create(path).inode)

        def open(self, path: Path) -> ModelFile:
            return made_of(self, super().open(path).inode)

    return Planted


class _NoFolderSync(Life):
    def sync_folder(self, folder: Path) -> None:
        """Says that it did."""


class _Hasty(Commit):
    """Tells before the disk has it, and writes a turn later."""

    def _write_groups(self, group: Group | None) -> None:
        if group is not None:
            self._groups.durable = group.last
            self._loop.call_soon(self._wake)
            self._loop.call_soon(super()._write_groups, group)


class _TrustsItsTail(LogWriter):
    """Syncs the tail it found without writing it again."""

    def _write_tail(self, last: Any, file: Any) -> None:
        """Says that it did."""


class _ActsOnItsTail(_TrustsItsTail):
    """Continues with what it reads."""

    def _continue(self, last: Any) -> None:
        self.fsync = "never"
        super()._continue(last)
        self.fsync = "always"


PLANTED: dict[str, Product] = {
    "sync skipped": Product(disk=_with_file(_NoSync)),
    "failed sync tried again": Product(disk=_with_file(_Again)),
    "folder not synced": Product(disk=_NoFolderSync),
    "acknowledged before the sync": Product(commit=_Hasty),
    "tail acted on before it is durable": Product(log=_ActsOnItsTail),
    "tail synced and not written again": Product(log=_TrustsItsTail),
}
