"""The wire between gateways and a venue: it delays, reorders, repeats, loses and breaks.

Commands of one connection arrive in their order, as on a stream. When it breaks, what was under way
still arrives up to some point and the rest never does; a later connection of the same gateway ends
the one before it for good, so that nothing old comes behind what the venue then says. Answers come
each by itself: late, in any order, twice or never; their numbers tell. Whoever is cut is not told.
"""

import contextvars
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation.loop import SeededLoop
from tests.simulation.venue import Answer, Command, ModelVenue

Heard = Callable[[Answer], None]


@dataclass
class Weather:
    """How the wire is just now. Units: seconds, and shares of messages."""

    delay: float = 0.0005
    spread: float = 0.001
    loss: float = 0.0
    copies: float = 0.0
    held: float = 0.0  # what a command waits longer, as of a process that is stopped as it sends


@dataclass
class Wire:
    """All connections to one venue."""

    loop: SeededLoop
    venue: ModelVenue
    random: Random
    weather: Weather = field(default_factory=Weather)
    is_down: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    left: Callable[[str, Command], None] = lambda who, command: None
    _open: dict[str, "Connection"] = field(default_factory=dict)
    _outside: contextvars.Context = field(default_factory=contextvars.copy_context)

    def __post_init__(self) -> None:
        self.venue.moved = self._tell

    def connect(self, who: str, fence: int, heard: Heard) -> "Connection | None":
        """Log on; None: the venue cannot be reached, or has seen a higher fence."""
        if self.is_down:
            return None
        before = self._open.pop(who, None)
        if before is not None:
            before.end()
        if not self.venue.logon(fence):
            self.seen["logon refused"] += 1
            return None
        connection = Connection(self, who, heard)
        self._open[who] = connection
        return connection

    def disconnect(self) -> None:
        """Every connection breaks; logging on again works once the wire is up."""
        for connection in self._open.values():
            connection.cut()

    def later(self, seconds: float, call: Callable[..., Any], *args: Any) -> None:
        """Something outside of every process."""
        self.loop.call_later(seconds, call, *args, context=self._outside)

    def delay(self) -> float:
        return self.weather.delay + self.random.random() * self.weather.spread

    def _tell(self, answer: Answer) -> None:
        for connection in self._open.values():
            connection.tell(answer)


class Connection:
    """One logged-on gateway. `is_up` is what it can see: a cut shows after a while."""

    def __init__(self, wire: Wire, who: str, heard: Heard) -> None:
        self.wire, self.who, self.is_up = wire, who, True
        self._heard, self._inside = heard, contextvars.copy_context()
        self._is_whole, self._is_over = True, False
        self._at = 0.0  # when the last message sent arrives
        self._lost_from = float("inf")

    def send(self, command: Command) -> None:
        """A command leaves; it arrives unless the connection ends first."""
        self.wire.left(self.who, command)
        self._up(self._arrive, command, held=self.wire.weather.held)

    def ask(self, question: Callable[[ModelVenue], Any], told: Callable[[Any], None]) -> None:
        """Ask the venue; nothing is told when question or reply are lost."""
        self._up(self._reply, question, told)

    def cut(self) -> None:
        """It breaks: what arrives later than some moment never does."""
        wire = self.wire
        if not self._is_whole:
            return
        self._is_whole = False
        now = wire.loop.time()
        self._lost_from = now + wire.random.choice((0.0, wire.random.random() * 0.003))
        wire.seen["disconnect"] += 1
        wire.loop.call_later(wire.delay() + 0.002, self._notice, context=self._inside)

    def end(self) -> None:
        """Nothing of it arrives any more, in either direction."""
        self._is_whole, self._is_over, self.is_up = False, True, False

    def tell(self, answer: Answer) -> None:
        """An answer on its way to the gateway."""
        wire = self.wire
        weather, draw = wire.weather, wire.random.random
        if not self._is_whole:
            return
        if draw() < weather.loss:
            wire.seen["ack lost"] += 1
            return
        count = 1
        if draw() < weather.copies:
            wire.seen["ack twice"] += 1
            count = 2
        for _ in range(count):
            wire.loop.call_later(wire.delay(), self._hear, answer, context=self._inside)

    def _notice(self) -> None:
        self.is_up = False

    def _up(self, call: Callable[..., None], *args: Any, held: float = 0.0) -> None:
        wire = self.wire
        self._at = max(self._at, wire.loop.time() + wire.delay() + held)
        wire.later(self._at - wire.loop.time(), self._deliver, self._at, call, *args)

    def _deliver(self, at: float, call: Callable[..., None], *args: Any) -> None:
        if self._is_over or at > self._lost_from:
            self.wire.seen["command lost" if call == self._arrive else "question lost"] += 1
        else:
            call(*args)

    def _arrive(self, command: Command) -> None:
        self.wire.venue.command(command)

    def _reply(self, question: Callable[[ModelVenue], Any], told: Callable[[Any], None]) -> None:
        wire = self.wire
        reply = question(wire.venue)
        if self._is_whole and wire.random.random() >= wire.weather.loss:
            wire.loop.call_later(wire.delay(), self._tell_reply, told, reply, context=self._inside)
        else:
            wire.seen["reply lost"] += 1

    def _tell_reply(self, told: Callable[[Any], None], reply: Any) -> None:
        if not self._is_over:
            told(reply)

    def _hear(self, answer: Answer) -> None:
        if not self._is_over:
            self._heard(answer)
