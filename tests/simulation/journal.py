"""Log and group commit on a disk that forgets, and what must hold of them after every crash.

A `JournalWorld` plays one life after the other by a seed: records are added, the loop turns, disks
fail, and at any step the process or the power ends. Each start recovers and is compared with what
was added and what was acknowledged.
"""

import contextlib
import struct
from asyncio import Task
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from hft.core.errors import Busy, JournalError
from hft.storage.commit import Commit
from hft.storage.groups import read_groups
from hft.storage.log import LogWriter, drop_segments, read_segments, segment_paths
from tests.simulation.disk import Crashed
from tests.simulation.faults import DISK, FaultPlan
from tests.simulation.journal_product import BUGS, Product
from tests.simulation.ledger import Wrong
from tests.simulation.loop import SeededLoop
from tests.simulation.world import World

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


def _same(bug: Product) -> Product:
    return bug


class JournalFaults(FaultPlan):
    """Those of a disk, and what else happens to a journal. A life may begin with its end."""

    KINDS = (
        *DISK,
        "kill in the next start",
        "two writers",
        "checkpoint",
        "stopped in order",
    )
    RATES = (0.1, 0.25, 0.4)
    ROOM = 300

    def _kill_in_the_next_start(self) -> bool:
        self.world.crash_at_start = self.random.randrange(25)
        return True

    def _two_writers(self) -> bool:
        return bool(self.world.second())

    def _checkpoint(self) -> bool:
        return bool(self.world.keep_less())

    def _stopped_in_order(self) -> bool:
        return bool(self.world.close())


class JournalWorld(World):
    """Lives of one journal, one at a time; each has a loop of its own."""

    kinds = JournalFaults.KINDS
    product_class = Product
    planted: ClassVar = {name: partial(_same, bug) for name, bug in BUGS.items()}
    length = 60
    meets: ClassVar = {
        "troubles": JournalFaults.KINDS,
        "journal": (
            "torn",
            "lost",
            "latched",
            "crashed",
            "several segments",
            "grouped",
            "dropped",
            "kept",
            "never began",
        ),
    }

    def __init__(self, seed: int, product: Product | None = None, **given: Any) -> None:
        super().__init__(seed, product, **given)
        self.recovered: list[bytes] = []  # at the last start, durable since
        self.added: list[bytes] = []  # in this life
        self.acknowledged = 0  # records
        self.rows = 0  # made so far; no two are alike
        self.checkpoint = (1, 0)  # the first frame that it lacks, and how many records it has
        self.groups: list[tuple[int, int]] = []  # the same of each group that was recovered
        self.commit: Commit | None = None
        self._running: list[Coroutine[Any, Any, None]] = []
        self.crash_at_start: int | None = None  # steps of the disk that the next start does
        if self.random.random() < 0.5:
            self.crash_at_start = self.random.randrange(25)
        self.begin_life()
        self.plan = JournalFaults(self, Random(f"{seed} fault"), self.faults)

    def begin_life(self) -> None:
        """A process begins: recovery, and what must hold of it."""
        self.commit = None
        self.lives += 1
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
        self.seen["several segments"] += len(segments) > 1
        rows, self.groups = self.recovered[:number], []
        for found, group in read_groups(segments, ROW, number + 1):
            assert group.first == len(rows) + 1
            rows += [group.rows[at : at + ROW] for at in range(0, len(group.rows), ROW)]
            self.groups.append((found + 1, len(rows)))
        return rows

    def keep_less(self) -> bool:
        """A checkpoint has what was recovered up to some group; what is older may go."""
        if self.commit is None or not self.groups:
            return False
        place = self.random.randrange(len(self.groups))
        self.checkpoint, self.groups = self.groups[place], self.groups[place:]
        try:
            self.seen["dropped"] += drop_segments(FOLDER, self.checkpoint[0], self.life)
        except Crashed:
            self.commit = None
        except OSError:
            assert self.disk.faults
        return True

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
            self.seen["grouped"] += self.commit.counters.largest > 1

    def close(self) -> bool:
        """An orderly end: whatever was added is durable, or the caller is told."""
        if self.commit is None:
            return False
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
        return True

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
        self.begin_life()

    def second(self) -> bool:
        """Another process wants to write the same journal."""
        if self.commit is None or self.commit.failure is not None:
            return False
        other = self.product.disk(self.disk, "another process")
        try:
            LogWriter(FOLDER, disk=other, **OPTIONS)
        except Busy:
            return True
        except Crashed:
            return True
        finally:
            other.end()
        raise Wrong("a second writer was let in")

    def settle(self) -> None:
        """The power is cut a last time, and whoever starts then finds all that must be there."""
        self.turn(self.random.randrange(4))
        self.again(power_cut=True)
        while self.commit is None:
            self.again()

    # -- as a world of scenarios --------------------------------------------------------------

    def someone(self, random: Random) -> Any:
        return self if self.commit is not None else None

    def kill(self, process: Any) -> bool:
        if process is None:
            return False
        self.again()
        return True

    def power_cut(self) -> None:
        self.again(power_cut=True)

    def later(self, seconds: float, call: Callable[..., Any], *args: Any) -> None:
        """A disk that fills up has room again for the next life."""

    def story(self) -> None:
        for _ in range(self.steps):
            if self.random.random() < 0.45:
                self.add(self.random.choice((1, 1, 1, 2, 5, 30)))
            else:
                self.turn(self.random.randint(1, 6))
            self.plan.step()
            if self.commit is None and self.random.random() < 0.8:
                self.again(power_cut=self.random.random() < 0.5)
            self.seen["steps"] += 1
            self.trace.update(struct.pack("<qqq", self.rows, self.acknowledged, self.life.steps))
        self.settle()

    def count(self) -> Counter[str]:
        return self.seen + Counter({"lives": self.lives, "rows": self.rows})
