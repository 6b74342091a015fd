"""What goes wrong in a scenario, by its seed: which kinds at all, how often, and when.

Each world draws some kinds and a rate, so that some meet one trouble again and again and others all
at once. A fault is one call on the world; what it does is there.
"""

from collections.abc import Callable, Collection
from random import Random
from typing import Any

EIO = 5

KINDS = (
    "kill",
    "kill inside the disk",
    "power cut",
    "disk full",
    "sync fails",
    "write fails",
    "crash behind a fault",
    "short writes",
    "disconnect",
    "acks lost",
    "acks twice",
    "acks reordered",
    "clock forward",
    "clock back",
    "two leaders",
    "stopped before sending",
    "commands held up",
    "lease kept late",
    "stopped in order",
    "venue session anew",
    "checkpoint",
)
ALWAYS = ("kill", "power cut", "checkpoint")


class FaultPlan:
    """Draws faults; those not in `only` are drawn and left out, so that the others stay."""

    def __init__(self, world: Any, random: Random, only: Collection[str] = KINDS) -> None:
        self.world, self.random, self.only = world, random, only
        count = random.choice((3, 5, 8, len(KINDS)))
        chosen = {*ALWAYS, *random.sample(KINDS, count)}
        self.kinds = [kind for kind in KINDS if kind in chosen]
        self.rate = random.choice((0.004, 0.01, 0.025))

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
        self.world.disk.room = self.random.randrange(4000)
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

    def _disconnect(self) -> bool:
        wire = self.world.wire
        wire.disconnect()
        if self.random.random() < 0.5:
            wire.is_down = True
            self.world.later(self.random.random() * 0.5, self.world.wire_up)
        return True

    def _weather(self, **changes: float) -> bool:
        for name, value in changes.items():
            setattr(self.world.wire.weather, name, value)
        self.world.later(0.1 + self.random.random(), self.world.fair_weather)
        return True

    def _acks_lost(self) -> bool:
        return self._weather(loss=self.random.choice((0.1, 0.5)))

    def _acks_twice(self) -> bool:
        return self._weather(copies=self.random.choice((0.2, 1.0)))

    def _acks_reordered(self) -> bool:
        return self._weather(spread=self.random.choice((0.01, 0.05)))

    def _clock_forward(self) -> bool:
        self.world.jump_ns += self.random.choice((10**6, 10**9, 60 * 10**9))
        return True

    def _clock_back(self) -> bool:
        self.world.jump_ns -= self.random.choice((10**6, 10**9, 60 * 10**9))
        return True

    def _two_leaders(self) -> bool:
        return bool(self.world.stop_leader(self.random))

    def _stopped_before_sending(self) -> bool:
        self.world.stops_sender = self.random
        return True

    def _commands_held_up(self) -> bool:
        return self._weather(held=self.random.choice((0.1, 0.5, 1.0)))

    def _lease_kept_late(self) -> bool:
        self.world.slow_s = self.random.choice((0.2, 0.6, 1.2))
        self.world.later(0.1 + self.random.random(), self.world.quick)
        return True

    def _stopped_in_order(self) -> bool:
        return bool(self.world.stop_in_order())

    def _venue_session_anew(self) -> bool:
        self.world.venue.restart()
        return True

    def _checkpoint(self) -> bool:
        return bool(self.world.make_checkpoint())
