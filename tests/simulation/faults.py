"""What goes wrong in a scenario, by its seed: which kinds at all, how often, and when.

Each world draws some kinds and a rate, so that some meet one trouble again and again and others all
at once. A fault is one call on the world; what it does is there. Here are those of processes, disks
and clocks, which every world knows; what a world has besides is a class of its own.
"""

from collections.abc import Callable, Collection
from errno import EIO
from random import Random
from typing import Any, ClassVar

DISK = (
    "kill",
    "kill inside the disk",
    "power cut",
    "disk full",
    "sync fails",
    "write fails",
    "crash behind a fault",
    "short writes",
)
CLOCK = ("clock forward", "clock back")


class FaultPlan:
    """Draws faults; those not in `only` are drawn and left out, so that the others stay."""

    KINDS: ClassVar[tuple[str, ...]]
    ALWAYS: ClassVar[tuple[str, ...]] = ("kill", "power cut")
    RATES: ClassVar[tuple[float, ...]] = (0.004, 0.01, 0.025)
    ROOM: ClassVar[int] = 4000  # bytes that a disk has left at most when it fills up

    def __init__(self, world: Any, random: Random, only: Collection[str]) -> None:
        self.world, self.random, self.only = world, random, only
        count = random.choice((3, 5, 8, len(self.KINDS)))
        chosen = {*self.ALWAYS, *random.sample(self.KINDS, count)}
        self.kinds = [kind for kind in self.KINDS if kind in chosen]
        self.rate = random.choice(self.RATES)

    def step(self) -> None:
        """Between two steps, perhaps something happens."""
        if self.random.random() < self.rate:
            kind = self.random.choice(self.kinds)
            if kind in self.only and self._do(kind):
                self.world.seen[kind] += 1
                self.world.note(f"FAULT {kind}")

    def _do(self, kind: str) -> bool:
        call: Callable[[], bool] = getattr(self, "_" + kind.replace(" ", "_"))
        return call()

    def _kill(self) -> bool:
        return bool(self.world.kill(self.world.someone(self.random)))

    def _kill_inside_the_disk(self) -> bool:
        process = self.world.someone(self.random)
        if process is None:
            return False
        process.life.crash_in(self.random.randrange(10))
        return True

    def _power_cut(self) -> bool:
        self.world.power_cut()
        return True

    def _disk_full(self) -> bool:
        self.world.disk.room = self.random.randrange(self.ROOM)
        self.world.later(self.random.random() * 0.15, self.world.free_disk)
        return True

    def _sync_fails(self) -> bool:
        self.world.disk.fails[self.random.choice(("sync", "sync", "sync_folder"))] = EIO
        return True

    def _write_fails(self) -> bool:
        self.world.disk.fails[self.random.choice(("write", "create"))] = EIO
        return True

    def _crash_behind_a_fault(self) -> bool:
        process = self.world.someone(self.random)
        if process is None:
            return False
        process.life.crashes_after_fault = True
        self.world.disk.fails["sync"] = EIO
        return True

    def _short_writes(self) -> bool:
        self.world.disk.has_short_writes = True
        return True

    def _clock_forward(self) -> bool:
        self.world.jump_ns += self.random.choice((10**6, 10**9, 60 * 10**9))
        return True

    def _clock_back(self) -> bool:
        self.world.jump_ns -= self.random.choice((10**6, 10**9, 60 * 10**9))
        return True
