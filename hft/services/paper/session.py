"""A session on paper: the tape goes by, inputs are heard, and what is decided is on disk first.

Run as the pace of a replay (`hft.runs.pace`): gateway, venue and strategies are those of every
other replay, and the run it leaves is verified as any other. A process that was killed is run again
from its journal to the last mark; it was dead from there to now, while the tape went on.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from hft.core.errors import ConfigError, HftError, JournalError
from hft.replay.paced import Paced, Slice
from hft.runs.controls import Control, parse, rows
from hft.runs.folder.places import split_places
from hft.runs.job import Job
from hft.runs.venues import Venue
from hft.services.paper.clock import E9, TapeClock
from hft.services.paper.journal import Mark, PaperJournal
from hft.services.paper.mailbox import MAILBOX, answer, questions
from hft.services.paper.plan import Plan
from hft.storage.interrupts import Interrupts
from hft.venue.model import Latency
from hft.venue.state import FOREVER

TICK_S = 0.005  # between two looks at the clock and the mailbox
MARK_NS = E9  # of the machine, between two marks when nothing is sent
STALLED_NS = 5 * E9  # a process that was stopped for longer was dead meanwhile
DRAIN_NS = 10 * E9  # of the tape, for the cancels of the end
ASKED = ("kill", "reset", "mode", "degraded", "promotion", "latency", "stop")


def refuse_instant(venue: Venue) -> None:
    """A command is on the disk before it reaches the venue, so it cannot be there at once.

    Raises: ConfigError where a leg of the way there may take no time.
    """
    legs = venue.model().legs
    for name in ("entry", "amend", "cancel"):
        leg = legs.get(name, Latency())
        more = min(leg.table[1::2] if leg.kind == "interpolated" else leg.table, default=0)
        if leg.base_ns + more <= 0:
            raise ConfigError(
                f"venue.latency: {name}: a command takes time to reach the venue, in which its "
                "decision is put on the disk; give one, such as --latency 5ms"
            )


class Board(Protocol):
    """Where a session shows how it is; `show` is called many times a second."""

    def show(self, session: "PaperSession", paced: Paced, reached: Slice) -> None: ...


@dataclass(frozen=True)
class World:
    """What a session reaches outside of its folder. `wall_ns` is UTC, ns."""

    wall_ns: Callable[[], int] = time.time_ns
    sleep: Callable[[float], None] = time.sleep
    inputs: Callable[[], Sequence[Control]] = tuple  # of promotions and the like, times unset


class PaperSession:
    """One life of a session, in the folder `home`."""

    def __init__(
        self,
        plan: Plan,
        job: Job,
        journal: PaperJournal,
        home: Path,
        *,
        board: Board | None = None,
        world: World | None = None,
    ) -> None:
        self.plan, self.job, self.journal = plan, job, journal
        self.clock: TapeClock = plan.clock
        self.home, self._board = home, board
        self._world = world or World()
        refuse_instant(job.venue)
        self._last_ns = max(tape.span[1] for tape in job.tapes)
        self._heard: list[Control] = list(journal.history.inputs)
        self._marked_ns = 0
        self._reached = Slice(0, False, 0, 0)
        self.ending = ""  # why it ends
        self.dead_ns = 0  # of the tape, in which no process of ours was there

    def run(self, paced: Paced, interrupts: Interrupts) -> None:
        """The session to its end. Raises: JournalError where nothing can be recorded any more."""
        wall_ns = self._world.wall_ns()
        if not self.clock.wall_ns:  # it begins now
            self.clock = replace(self.clock, tape_ns=self._begin_ns, wall_ns=wall_ns)
            self.plan = replace(self.plan, clock=self.clock)
            self.plan.save(self.home)
        mark = self.journal.history.mark
        paced.hear(self._rows(paced, self._heard))
        if mark is not None:
            self._again(paced, mark)
            wall_ns = self._world.wall_ns()
        now_ns = self.clock.at(wall_ns)
        self.journal.life(wall_ns, max(now_ns, self._reached.at_ns), os.getpid())
        if mark is not None and not self._reached.ended:
            self._die(paced, now_ns)
        while not self._reached.ended and not self.ending:
            if interrupts.waits:
                interrupts.forget()
                self.ending = "stopped"
                break
            self._turn(paced)
        if not self._reached.ended:
            self._wind_up(paced)
        self._mark(paced)
        how = self.ending or "the tapes ended"
        self.journal.ended(self._world.wall_ns(), how)

    def told(self) -> dict[str, Any]:
        """The manifest of the job with all that was heard: its replay is this session."""
        manifest = replace(self.job, controls=(*self.job.controls, *self._heard)).manifest()
        plain, _ = split_places(manifest)
        names = ("key", "hashes", "config")
        return {name: plain[name] for name in names} | {
            "mode": "paper",
            "paper": {
                "session": self.plan.session,
                "speed": self.clock.speed_e3 / 1000,
                "lives": self.journal.history.lives + 1,
                "inputs": len(self._heard),
                "dead_ns": self.dead_ns,
                "ended": self.ending or "the tapes ended",
            },
        }

    # -- one life after another

    def _again(self, paced: Paced, mark: Mark) -> None:
        """Run to where the last life had come. Raises: JournalError where it comes elsewhere."""
        while True:
            self._reached = reached = paced.until(mark.at_ns)
            if reached.ended or reached.at_ns == mark.at_ns:
                break
            paced.release()
        found = self._mark_of(paced)
        if found != mark:
            raise JournalError(
                f"session {self.plan.session}: run again, it has {found.step} steps at "
                f"{mark.at_ns} and another digest than the {mark.step} steps of its journal; "
                "`hft replay diff` with a run of the same inputs names the first that differs"
            )
        paced.release()

    def _die(self, paced: Paced, now_ns: int) -> None:
        """No process of ours was there since what was reached. Mutates: the journal."""
        at_ns = self._reached.at_ns
        if now_ns > at_ns:
            self.dead_ns += now_ns - at_ns
            self._hear(paced, Control(at_ns, "down", min(now_ns, FOREVER - 1)))

    # -- while the tape goes by

    def _turn(self, paced: Paced) -> None:
        """One look at the clock: hear, run to now, record, and wait a moment."""
        world = self._world
        target = self.clock.at(world.wall_ns())
        late_ns = target - self._reached.at_ns if self._reached.at_ns else 0
        if late_ns * 1000 > STALLED_NS * self.clock.speed_e3:
            self._die(paced, target)
        for control in world.inputs():
            self._hear(paced, replace(control, at_ns=self._now()))
        self._answer(paced)
        if not self.ending:
            self._to(paced, target if target <= self._last_ns else FOREVER)
        if self._board is not None:
            self._board.show(self, paced, self._reached)
        if not self._reached.ended and not self.ending:
            world.sleep(TICK_S)

    def _now(self) -> int:
        """The earliest time of the tape at which something new can be heard."""
        return max(self._reached.at_ns, self._begin_ns)

    @property
    def _begin_ns(self) -> int:
        first = min(tape.span[0] for tape in self.job.tapes)
        return first if self.job.start_ns is None else max(first, self.job.start_ns)

    def _to(self, paced: Paced, target: int) -> None:
        """Run to a time of the tape; what was sent leaves when its decision is on the disk."""
        if target <= self._reached.at_ns:
            return
        while True:
            self._reached = reached = paced.until(target)
            sent = reached.held > 0
            if sent or self._world.wall_ns() - self._marked_ns >= MARK_NS:
                self._mark(paced)
                paced.release()
            if reached.ended or reached.at_ns >= target:
                return

    def _answer(self, paced: Paced) -> None:
        """Hear what other processes ask; each is told when it was heard, or why not."""
        for question in questions(self.home / MAILBOX):
            try:
                kind = question.entry.get("kind")
                if kind not in ASKED:
                    raise ConfigError(f"kind: {kind!r} is none of {', '.join(ASKED)}")
                (control,) = parse([question.entry | {"at": self._now()}], "request")
                if kind == "stop":
                    self.ending = "asked to stop"
                else:
                    self._hear(paced, control)
            except HftError as error:
                if isinstance(error, JournalError):
                    raise
                answer(question, refused=str(error))
            else:
                answer(question, at_ns=control.at_ns)

    def _hear(self, paced: Paced, control: Control) -> None:
        """Journal an input, then let it be heard. Raises: ConfigError for what names nobody."""
        table = self._rows(paced, [control])
        self._mark(paced)  # a life after this one begins no earlier
        self.journal.input(self._world.wall_ns(), control)
        self._heard.append(control)
        paced.hear(table)

    def _wind_up(self, paced: Paced) -> None:
        """Cancel what works, wait for the answers, and end the run where the tape is now."""
        self._hear(paced, Control(self._now(), "stop"))
        end_ns = self._now() + DRAIN_NS
        step_ns = DRAIN_NS // 1000
        while not self._reached.ended and self._now() < end_ns:
            self._to(paced, self._now() + step_ns)
            if not self._is_busy(paced):
                break
        if not self._reached.ended:
            self._hear(paced, Control(self._now(), "end"))
            self._to(paced, FOREVER)

    def _is_busy(self, paced: Paced) -> bool:
        engine = paced.session.engine
        queues = engine.venue.queues
        on_the_way = bool((queues["first"] != queues["last"]).any())
        return on_the_way or bool((engine.trading.gw.orders["order_id"] > 0).any())

    # -- records

    def _rows(self, paced: Paced, controls: Sequence[Control]) -> Any:
        symbols = [source.instrument.symbol for source in paced.session.sources]
        return rows(controls, list(self.job.strategies), symbols)

    def _mark(self, paced: Paced) -> None:
        if self._reached.at_ns:
            self._marked_ns = self._world.wall_ns()
            self.journal.mark(self._marked_ns, self._mark_of(paced))

    def _mark_of(self, paced: Paced) -> Mark:
        low, high = (int(word) for word in paced.session.engine.lanes)
        return Mark(self._reached.at_ns, self._reached.step, (low, high))
