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

import numpy as np

from hft.core.errors import ConfigError, HftError, JournalError
from hft.gateway.limits import Limits
from hft.replay.paced import Paced, Slice
from hft.runs.controls import Control, parse, rows
from hft.runs.folder.places import split_places
from hft.runs.job import Job
from hft.runs.prepare import LimitChanges, limit_changes
from hft.runs.venues import Venue
from hft.services.paper.changes import Change, change_of, no_limits
from hft.services.paper.checked import CHECK, check
from hft.services.paper.clock import E9, TapeClock
from hft.services.paper.dead_man import BEAT, DeadMan
from hft.services.paper.journal import Mark, PaperJournal
from hft.services.paper.mailbox import MAILBOX, Question, answer, questions
from hft.services.paper.plan import Plan
from hft.services.ports import Audit
from hft.services.stages import Latencies
from hft.storage.interrupts import Interrupts
from hft.venue.model import Latency
from hft.venue.state import FOREVER

TICK_S = 0.005  # between two looks at the clock and the mailbox
MARK_NS = E9  # of the machine, between two marks when nothing is sent
STALLED_NS = 5 * E9  # a process that was stopped for longer was dead meanwhile
DRAIN_NS = 10 * E9  # of the tape, for the cancels of the end
ENDINGS = ("", "the tapes ended", "stopped", "asked to stop")
CONTROLS = ("kill", "reset", "mode", "degraded", "promotion", "latency", "limits", "stop")
ASKED = (*CONTROLS, CHECK, BEAT)


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


def dead(heard: Sequence[Control]) -> tuple[int, int]:
    """How long no process was there by what was heard, each moment counted once, and until when."""
    total_ns = until_ns = 0
    for one in heard:
        if one.kind == "down":
            total_ns += max(0, one.value - max(one.at_ns, until_ns))
            until_ns = max(until_ns, one.value)
    return total_ns, until_ns


class Board(Protocol):
    """Where a session shows how it is; `show` is called many times a second."""

    def show(self, session: "PaperSession", paced: Paced, reached: Slice) -> None: ...


@dataclass(frozen=True)
class World:
    """What a session reaches outside of its folder. `wall_ns` is UTC, ns.

    `changes` are those that files say since it was last asked, `limits` reads a file that somebody
    signed; `tell` is for the person who watches.
    """

    wall_ns: Callable[[], int] = time.time_ns
    sleep: Callable[[float], None] = time.sleep
    changes: Callable[[], Sequence[Change]] = tuple
    limits: Callable[[str], Change] = no_limits
    audit: Audit | None = None
    tell: Callable[[str], None] = lambda said: None


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
        self._taken: list[tuple[Change, dict[str, Any]]] = []
        self._limits: LimitChanges | None = None  # made when the first others are heard
        self._marked_ns = self._looked_ns = 0  # of the machine
        self.stages = Latencies()
        self._dead_man = DeadMan(plan.dead_man_ns)
        self._reached = Slice(0, False, 0, 0)
        self.ending = ""  # why it ends
        # Of the tape: how long no process of ours was there, and since when one is.
        self.dead_ns, self._back_ns = dead(self._heard)

    @property
    def inputs(self) -> int:
        """How many were heard so far."""
        return len(self._heard)

    def run(self, paced: Paced, interrupts: Interrupts) -> None:
        """The session to its end. Raises: JournalError where nothing can be recorded any more."""
        wall_ns = self._world.wall_ns()
        if not self.clock.wall_ns:  # it begins now
            self.clock = replace(self.clock, tape_ns=self._begin_ns, wall_ns=wall_ns)
            self.plan = replace(self.plan, clock=self.clock)
        mark = self.journal.history.mark
        paced.hear(self._rows(paced, self._heard))
        if mark is not None:
            self._again(paced, mark)
            wall_ns = self._world.wall_ns()
        now_ns = self.clock.at(wall_ns)
        self.journal.life(wall_ns, max(now_ns, self._reached.at_ns), os.getpid())
        self._dead_man.sign(wall_ns)
        self._say_begun()
        self.plan.save(self.home)  # a plan with a clock has a journal with a life
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
        self._acknowledge()
        if self._board is not None:
            self._board.show(self, paced, self._reached)

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

    def _say_begun(self) -> None:
        life = self.journal.history.lives + 1
        how = "begins" if life == 1 else f"goes on, life {life},"
        self._world.tell(
            f"session {self.plan.session} {how} in {self.home}; Ctrl-C ends it, "
            "`hft gateway top` shows it"
        )

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
            self._hear(paced, Control(at_ns, "down", min(now_ns, FOREVER - 1)))

    # -- while the tape goes by

    def _turn(self, paced: Paced) -> None:
        """One look at the clock: hear, run to now, record, and wait a moment."""
        world = self._world
        looked_ns = world.wall_ns()
        target = self.clock.at(looked_ns)
        since_ns = max(self._reached.at_ns, self._back_ns)
        late_ns = target - since_ns if since_ns else 0
        if late_ns * 1000 > STALLED_NS * self.clock.speed_e3:
            self._die(paced, target)
        for change in world.changes():
            self._take(paced, change)
        self._answer(paced)
        alone = self._dead_man.due(looked_ns)
        if alone is not None:
            self._take(paced, alone)
        if not self.ending:
            self._to(paced, target if target <= self._last_ns else FOREVER)
            self._seen(looked_ns)
        self._acknowledge()
        if self._board is not None:
            self._board.show(self, paced, self._reached)
        if not self._reached.ended and not self.ending:
            world.sleep(TICK_S)

    def _now(self) -> int:
        """The earliest time of the tape at which something new can be heard: nobody heard anything
        while no process was there."""
        return max(self._reached.at_ns, self._begin_ns, min(self._back_ns, self._last_ns))

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
            sent, decided_ns = reached.held > 0, self._world.wall_ns()
            if sent or decided_ns - self._marked_ns >= MARK_NS:
                self._mark(paced)
                paced.release()
                self.stages.left(self._world.wall_ns() - decided_ns, reached.held)
            if reached.ended or reached.at_ns >= target:
                return

    def _seen(self, looked_ns: int) -> None:
        """The tape was applied to this time: its oldest row came after the look before."""
        if self._looked_ns:
            self.stages.seen(np.array([self._world.wall_ns() - self._looked_ns]))
        self._looked_ns = looked_ns

    def _answer(self, paced: Paced) -> None:
        """Hear what other processes ask; each is told when it was heard, or why not."""
        for question in questions(self.home / MAILBOX):
            said: dict[str, Any] = {}
            refused = ""
            try:
                said = self._do(paced, question)
            except HftError as error:
                if isinstance(error, JournalError):
                    raise
                refused = str(error)
            answer(question, refused=refused, **said)
            if question.is_kept:  # nobody waits for its answer
                kind = question.entry.get("kind")
                self._world.tell(f"a {kind} that was kept is {refused or 'in force'}")

    def _do(self, paced: Paced, question: Question) -> dict[str, Any]:
        """What one of them asks. Returns: the answer. Raises: ConfigError why it is not heard."""
        entry = dict(question.entry)
        kind, by = entry.get("kind"), str(entry.pop("by", ""))
        if kind not in ASKED:
            raise ConfigError(f"kind: {kind!r} is none of {', '.join(ASKED)}")
        at_ns = self._now()
        if kind == BEAT:
            self._dead_man.refuse_unwatched()
            self._dead_man.sign(self._world.wall_ns())
            return {"at_ns": at_ns}
        if kind == CHECK:
            return {"at_ns": at_ns} | check(paced, list(self.job.strategies), entry, at_ns)
        if kind == "limits":
            self._take(paced, self._world.limits(str(entry.get("file", ""))), by)
            return {"at_ns": at_ns}
        (control,) = parse([entry | {"at": at_ns}], "request")
        if kind == "stop":
            self.ending = "asked to stop"
        else:
            self._take(paced, change_of(control), by)
        if kind == "reset":
            self._dead_man.sign(self._world.wall_ns())
        return {"at_ns": at_ns}

    def _take(self, paced: Paced, change: Change, by: str = "") -> None:
        """Hear a change; it is acknowledged once it is in force."""
        at_ns, gw = self._now(), paced.session.engine.trading.gw
        before = f"{int(gw.config[0]['limits_hash']):016x}"
        self._hear(paced, replace(change.control, at_ns=at_ns), by)
        if change.control.limits is not None:
            change = replace(change, before=before, after=paced.session.limits[-1].hash)
        where = {"session": self.plan.session, "home": str(self.home.resolve())}
        self._taken.append((change, {**where, "tape_ns": at_ns, "by": by}))

    def _acknowledge(self) -> None:
        """Say and audit what is in force now: all that was decided before it has left.

        Neither can hinder it.
        """
        taken, self._taken = self._taken, []
        world = self._world
        for change, where in taken:
            late_ns = world.wall_ns() - change.since_ns if change.since_ns else None
            if change.said:
                world.tell(change.told(late_ns))
            if world.audit is None or not change.kind:
                continue
            try:
                world.audit("control_log", change.row(self.plan.session, where, late_ns))
            except HftError as error:
                world.tell(f"no audit row says so: {error}")

    def _hear(self, paced: Paced, control: Control, by: str = "") -> None:
        """Journal an input, then let it be heard. Raises: ConfigError for what names nobody."""
        table = self._rows(paced, [control])
        self._mark(paced)  # a life after this one begins no earlier
        self.journal.input(self._world.wall_ns(), control, by)
        self._heard.append(control)
        self.dead_ns, self._back_ns = dead(self._heard)
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
        session = paced.session
        symbols, known = [one.instrument.symbol for one in session.sources], len(session.limits)
        for one in controls:
            if one.limits is not None:
                self._limits = self._limits or limit_changes(self.job, session)
                resolved = self._limits.add(Limits.from_dict(one.limits))
                session.limits = [*session.limits, resolved]
        return rows(controls, list(self.job.strategies), symbols, known)

    def _mark(self, paced: Paced) -> None:
        if self._reached.at_ns:
            self._marked_ns = self._world.wall_ns()
            self.journal.mark(self._marked_ns, self._mark_of(paced))

    def _mark_of(self, paced: Paced) -> Mark:
        low, high = (int(word) for word in paced.session.engine.lanes)
        return Mark(self._reached.at_ns, self._reached.step, (low, high))
