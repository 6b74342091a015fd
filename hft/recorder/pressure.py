"""How full the recorder's disk is, as a level that anybody may ask without touching the disk.

A level rises at once and falls after two lower readings, so that it does not flutter. A thread
takes the readings; whoever wants to know of a change gives a hook.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

_LOG = logging.getLogger(__name__)
MB = 1 << 20
POLICIES = ("write", "drop", "halt")


class Level(IntEnum):
    OK = 0
    WARN = 1
    CRITICAL = 2
    HALT = 3


class Reading(NamedTuple):
    """Bytes that the segments of a folder have, and that its disk still has room for."""

    used: int
    free: int


@dataclass(frozen=True)
class Budget:
    """From where on a level holds: shares of the budget, or bytes that replace them.

    The budget is at most the space there is. `min_free` is what the disk keeps for others.
    """

    bytes: int = 10_240 * MB
    shares: tuple[int, int, int] = (60, 80, 95)  # %: WARN, CRITICAL, HALT
    marks: tuple[int | None, int | None, int | None] = (None, None, None)
    min_free: int = 500 * MB

    def level(self, reading: Reading) -> Level:
        """The level of one reading."""
        budget = min(self.bytes, reading.used + reading.free)
        found = Level.OK
        for level, share, mark in zip(list(Level)[1:], self.shares, self.marks, strict=True):
            limit = budget * share // 100 if mark is None else mark
            if reading.used >= limit and (mark is not None or budget):
                found = level
        return found


Hook = Callable[[Level, Level], None]


class DiskPressureMonitor:
    """The level of a folder; `read` is asked for a reading by `poll`, and by the thread.

    `policies` say what happens to a droppable table at CRITICAL, `kept` are the tables that are
    always written. Hooks hear (old, new) on a change only; one that fails stops nobody.
    """

    def __init__(
        self,
        read: Callable[[], Reading],
        budget: Budget,
        policies: Mapping[str, str],
        kept: Iterable[str],
        *,
        hooks: Iterable[Hook] = (),
        poll_s: float = 10.0,
    ) -> None:
        self._read, self.budget, self._poll_s = read, budget, poll_s
        self._hooks = list(hooks)
        self._kept = frozenset(kept)
        self._policies = dict(policies)
        self._guard = threading.RLock()
        self._lower: list[Level] = []
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self.reading = Reading(0, 0)
        self.failures = 0  # readings that could not be taken
        self._level = Level.OK
        self._has_failed = False
        self._now = self._in_force()

    def get_level(self) -> Level:
        """The level, as of the last reading."""
        return self._level

    def get_topic_policy(self, table: str) -> str:
        """What happens to rows of a table now: write, drop or halt."""
        return self._now[table]

    def poll(self) -> Level:
        """Take a reading; one that fails counts, and leaves the level."""
        try:
            reading = self._read()
        except OSError as error:
            self.failures += 1
            _LOG.warning("the recorder's disk cannot be measured: %s", error)
            return self._level
        with self._guard:
            self.reading = reading
            self._take(self.budget.level(reading), reading.free < self.budget.min_free)
        return self._level

    def full(self) -> None:
        """A write met the end of the disk: HALT, whatever was measured."""
        with self._guard:
            self._lower.clear()
            self._change(Level.HALT)

    def failed(self) -> None:
        """A writer ended, and will not go on: HALT for good."""
        with self._guard:
            self._has_failed = True
            self._change(Level.HALT)

    def add_hook(self, hook: Hook) -> None:
        """Hear of changes from now on."""
        self._hooks.append(hook)

    def start(self) -> None:
        """Measure now, then in a thread of its own until `stop`."""
        self.poll()
        self._thread = threading.Thread(target=self._loop, name="disk-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        while not self._ends.wait(self._poll_s):
            try:
                self.poll()
            except Exception:
                self.failures += 1
                _LOG.exception("the recorder's disk cannot be measured")

    def _take(self, found: Level, is_short: bool) -> None:
        if is_short or self._has_failed:  # others need what is left: as if the budget were spent
            found = max(found, Level.HALT)
        if found >= self._level:
            self._lower.clear()
            self._change(found)
            return
        self._lower.append(found)
        if len(self._lower) == 2:
            highest = max(self._lower)
            self._lower.clear()
            self._change(highest)

    def _change(self, new: Level) -> None:
        old, self._level = self._level, new
        if new == old:
            return
        self._now = self._in_force()
        for hook in self._hooks:
            try:
                hook(old, new)
            except Exception:
                _LOG.exception("a hook of the disk's level failed")

    def _in_force(self) -> dict[str, str]:
        """What holds for each table at this level."""
        found = dict.fromkeys(self._policies, "write")
        if self._level >= Level.CRITICAL:
            found = (
                {name: "halt" for name in found} if self._level >= Level.HALT else self._policies
            )
        return found | dict.fromkeys(self._kept, "write")
