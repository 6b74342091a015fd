"""A session on paper on a made market, by a machine whose clock passes while it sleeps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hft.api import gateway
from hft.services.paper.session import World
from hft.tape.dataset import Tapes

SECOND = 1_000_000_000
SPAN = {"end": "2024-01-02T00:08:00Z"}
MADE: list[Tapes] = []
WALL = 1_800_000_000 * SECOND


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Machine:
    """A clock that passes while one sleeps, and dies at a time."""

    now_ns: int = WALL
    dies_ns: int = 1 << 62
    at: dict[int, Callable[[], None]] = field(default_factory=dict)
    slept: int = 0

    def sleep(self, seconds: float) -> None:
        self.slept += 1
        self.now_ns += max(1, round(seconds * SECOND))
        for due in sorted(k for k in self.at if k <= self.now_ns):
            self.at.pop(due)()
        if self.now_ns >= self.dies_ns:
            raise Killed

    @property
    def world(self) -> World:
        return World(wall_ns=lambda: self.now_ns, sleep=self.sleep)


def trade(machine: Machine, home: Path, tapes: Tapes | None = None, **given: Any) -> gateway.Paper:
    asked: dict[str, Any] = {"speed": 20.0, "venue": {"latency": "5ms"}, **SPAN} | given
    return gateway.run(
        tapes or MADE[0],
        "market_making",
        home=home,
        out=home / "runs",
        world=machine.world,
        **asked,
    )


def go_on(machine: Machine, home: Path) -> gateway.Paper:
    return gateway.run(home=home, world=machine.world)
