"""A replay in slices, for somebody who trades on paper while the tape goes by.

A slice ends at a horizon: all before that time has happened and nothing of it has, so an input
heard by then goes first at that time, as it would had it been known from the start. A command that
a strategy sent is held: the slice ends when it would reach the venue, and it does so only after
`release`, once its decision is on the disk. Neither leaves a mark in the digest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hft.core.arena import Arena
from hft.core.codes import ControlKind
from hft.core.errors import ConfigError, InvariantError
from hft.replay import state as st
from hft.replay.build import Session
from hft.replay.run import Awake, Driver, Progress, Sink
from hft.strategies.base import Strategy
from hft.venue.state import FOREVER

_MORE = 64  # rows of inputs that the table has room for at first


@dataclass(frozen=True)
class Slice:
    """Where a slice ended. Units: `at_ns` tape time.

    `held` is how many commands wait for `release`; `step` the steps so far.
    """

    at_ns: int
    ended: bool
    held: int
    step: int


def refuse_loops(strategies: Sequence[Strategy]) -> None:
    """Raises: ConfigError for a pull loop, which moves time itself."""
    loops = [strategy.name for strategy in strategies if strategy.loop]
    if loops:
        raise ConfigError(
            f"strategy {loops[0]!r} is a pull loop, which moves time itself, and here time passes; "
            "write its body as @hft.strategy(every=...) def name(view, order, p, s), which is "
            "woken (docs/strategies.md shows both)"
        )


class Paced:
    """One session, run to one horizon after the other; its strategies keep their state."""

    def __init__(
        self,
        session: Session,
        sink: Sink | None = None,
        progress: Progress | None = None,
        *,
        plain: bool = False,
    ) -> None:
        """Raises: ConfigError for a pull loop, which moves time itself."""
        refuse_loops(session.strategies)
        self.session = session
        session.engine.clock[0]["holds"] = 1
        self._inputs = session.engine.controls[:-1].copy()
        self._horizon_ns = FOREVER
        self._driver = Driver(session, sink, progress)
        self._room(_MORE)
        self._awake = Awake(self._driver, plain=plain)

    def hear(self, rows: np.ndarray) -> None:
        """Inputs from outside, as CONTROL rows at or after the last horizon. Mutates: session.

        Raises: InvariantError for one of a time that has been.
        """
        clock = self.session.engine.clock[0]
        done = int(clock["control"])
        reached_ns = self._horizon_ns if self._horizon_ns != FOREVER else 0
        if len(rows) and int(rows["ts_ns"].min()) < reached_ns:
            raise InvariantError(f"an input of {rows['ts_ns'].min()} was heard at {reached_ns}")
        ahead = np.concatenate([self._inputs[done:], rows])
        ordered = ahead[np.argsort(ahead["ts_ns"], kind="stable")]
        ends = np.flatnonzero(ordered["kind"] == ControlKind.END.value)
        if len(ends):
            ordered = ordered[: ends[0] + 1]
        self._inputs = np.concatenate([self._inputs[:done], ordered])

    def until(self, ns: int) -> Slice:
        """Run to the horizon `ns`, to a held command, or to the end of the tapes.

        Without timers only the horizon FOREVER comes after the end of the tapes.
        """
        self._place(ns)
        status = self._awake.go_on()
        commands = self.session.engine.venue.queues[0]
        clock = self.session.engine.clock[0]
        held = int(commands["last"] - max(commands["told"], commands["first"]))
        ended = status == st.STATUS_DONE
        at_ns = int(clock["now_ns"]) if ended else ns
        # A held command stops the slice exactly when it is due; else the horizon did.
        if not ended and held and commands["told"] <= commands["first"]:
            at_ns = min(ns, int(commands["next_ns"]))
        self._horizon_ns = FOREVER if ended else at_ns
        return Slice(at_ns, ended, held, int(clock["step"]))

    def release(self) -> None:
        """What was sent so far may reach the venue: it is on the disk. Mutates: the engine."""
        commands = self.session.engine.venue.queues[0]
        commands["told"] = commands["last"]

    def _place(self, ns: int) -> None:
        """Put the horizon before the first input of its time that has not been. Mutates: engine."""
        done = int(self.session.engine.clock[0]["control"])
        self._room(len(self._inputs) + 2)
        table = self.session.engine.controls
        at = max(done, int(np.searchsorted(self._inputs["ts_ns"], ns, side="left")))
        table[:at] = self._inputs[:at]
        table[at] = (ns, st.HORIZON, 0, 0)
        table[at + 1 :]["ts_ns"] = FOREVER

    def _room(self, rows: int) -> None:
        """A table of inputs with this room; what does not fit makes a larger one."""
        old = self.session.engine.controls
        if len(old) >= rows:
            return
        table = np.zeros(max(rows, 2 * len(old)), old.dtype)
        table["ts_ns"] = FOREVER
        table[: len(old)] = old
        self.session.engine = self.session.engine._replace(controls=table)
        self.session.arena = Arena(self.session.engine)
        self._driver.reach()
