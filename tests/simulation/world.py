"""What every scenario is made of: a seed, a loop, a disk that forgets, lives, and a plan of faults.

A step is one callback of the loop. After each the world looks and the fault plan may strike, so
that a crash fits between any two. A world says what runs in a process (`process`), what must hold
after a step (`looked`) and how it is played (`story`).
"""

import contextvars
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Any, ClassVar

from tests.simulation.disk import Crashed, ModelDisk
from tests.simulation.loop import LIFE, SeededLoop

Groups = Mapping[str, tuple[str, ...]]


class Process:
    """One life of one process."""

    def __init__(self, world: "World", name: str, number: int) -> None:
        self.name, self.number = name, number
        self.life = world.product.disk(world.disk, name)
        self.is_over = self.is_stopped = False
        self.context = contextvars.copy_context()
        self.context.run(LIFE.set, number)


class World:
    """Everything of one scenario; `product` is under test.

    `kinds` are its troubles, `planted` its bugs by name, `meets` what scenarios of it have to meet.
    """

    kinds: ClassVar[tuple[str, ...]]
    planted: ClassVar[Mapping[str, Callable[[], Any]]]
    meets: ClassVar[Groups]
    product_class: ClassVar[type]
    length: ClassVar[int] = 1000  # steps
    plan: Any

    def __init__(
        self,
        seed: int,
        product: Any = None,
        *,
        steps: int | None = None,
        faults: Collection[str] | None = None,
    ) -> None:
        self.seed, self.product = seed, product or self.product_class()
        self.steps = self.length if steps is None else steps
        self.faults = self.kinds if faults is None else faults
        self.trail: deque[str] | None = None  # what happened last, for people
        self.random = Random(f"{seed} rest")
        self.seen: Counter[str] = Counter()
        self.loop = SeededLoop(seed)
        self.disk = ModelDisk(Random(f"{seed} disk"))
        self.jump_ns = 0
        self.processes: dict[str, Any] = {}
        self.lives = 0
        self.is_quiet = False
        self.trace = hashlib.blake2b(digest_size=16)
        self._steps = -1
        self._outside = contextvars.copy_context()  # of no life

    # -- what a world says --------------------------------------------------------------------

    def process(self, name: str, number: int) -> Any:
        """A process that begins."""
        raise NotImplementedError

    def begin(self, process: Any) -> None:
        """Give it something to run."""

    def died(self, process: Any) -> None:
        """It has ended."""

    def looked(self) -> None:
        """After each step, before the fault plan. Raises: Wrong."""

    def story(self) -> None:
        """All of it. Raises: Wrong, Stuck."""

    def count(self) -> Counter[str]:
        """What was met, by name."""
        return self.seen + Counter({"lives": self.lives, "steps": self.loop.steps})

    # -- what happens to processes ------------------------------------------------------------

    def later(self, seconds: float, call: Callable[..., Any], *args: Any) -> None:
        """Something outside of every process."""
        self.loop.call_later(seconds, call, *args, context=self._outside)

    def start(self, name: str) -> None:
        """A process begins, unless it runs."""
        if name in self.processes and not self.processes[name].is_over:
            return
        self.note(f"{name} starts")
        self.lives += 1
        process = self.processes[name] = self.process(name, self.lives)
        self.begin(process)

    def kill(self, process: Any) -> bool:
        """kill -9, and a start some time later."""
        if process is None or process.is_over:
            return False
        self.note(f"{process.name} ends")
        process.is_over = True
        process.life.end()
        self.loop.cut(process.number)
        self.died(process)
        self.later(0.01 + self.random.random() * 0.1, self.start, process.name)
        return True

    def power_cut(self) -> None:
        """What was not synced is gone or torn, and every process with it."""
        self.disk.power_cut()
        self.forgotten()
        for process in list(self.processes.values()):
            self.kill(process)
        self.disk.has_short_writes = False
        self.disk.fails.clear()

    def forgotten(self) -> None:
        """The power was cut; nobody has started yet."""

    def stop(self, process: Any, seconds: float, *, is_killed: bool) -> bool:
        """SIGSTOP for so long; then it goes on, or is killed."""
        if process is None or process.is_stopped:
            return False
        process.is_stopped = True
        self.loop.hold(process.number)
        self.later(seconds, self.go_on, process, is_killed)
        return True

    def go_on(self, process: Any, is_killed: bool) -> None:
        process.is_stopped = False
        if is_killed:
            self.kill(process)
        self.loop.resume(process.number)

    def someone(self, random: Random) -> Any:
        """A process that runs."""
        running = [one for one in self.processes.values() if not one.is_over]
        return random.choice(running) if running else None

    def free_disk(self) -> None:
        self.disk.room = None

    def note(self, said: str) -> None:
        """One line of what happens, where somebody wants to read it."""
        if self.trail is not None:
            self.trail.append(f"{self.loop.steps:6d} {self.loop.now:9.6f} s  {said}")

    # -- the run ------------------------------------------------------------------------------

    def play(self) -> "World":
        """All of it. Raises: Wrong."""
        try:
            self.story()
        finally:
            for process in self.processes.values():
                self.loop.cut(process.number)
                self.loop.bury(process.number)
        return self

    def calm(self) -> None:
        """No more trouble from here on."""
        self.is_quiet = True
        self.plan.rate = 0.0
        self.free_disk()
        self.disk.has_short_writes = False
        self.disk.fails.clear()
        for process in self.processes.values():
            self.go_on(process, False)

    def step(self, until: int) -> bool:
        """After each step, and before the first."""
        errors, self.loop.errors = self.loop.errors, []
        for error in errors:
            if not isinstance(error, Crashed):
                raise error
            self.seen["crashed inside a step"] += 1
        for process in list(self.processes.values()):
            if process.life.is_over:
                self.kill(process)
        if self.loop.steps != self._steps:
            self._steps = self.loop.steps
            self.looked()
            self.plan.step()
        return self._steps >= until
