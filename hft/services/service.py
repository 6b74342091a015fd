"""One life of a gateway under one fence: the only task that decides, writes and sends.

Inputs become rows, rows are applied and go to the journal, and what they led to waits until the
disk has them; only then commands leave and submitters hear. A life ends in good order, or because
the lease or the journal is lost; then nothing leaves any more and everybody is told.
"""

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hft.core.codes import ControlKind
from hft.core.errors import Busy, JournalError
from hft.services import intake, outbox
from hft.services.answers import Told, ToldOne, one_by_one
from hft.services.audit_rows import AuditRows
from hft.services.callbacks import Callbacks
from hft.services.channel import Envelope, LocalIntentChannel, QueueFull
from hft.services.clock import LifeClock
from hft.services.desk_file import keep_plan
from hft.services.dispatch import Dispatch
from hft.services.hearing import Hearing
from hft.services.journal import Journal
from hft.services.leading import Leading
from hft.services.lease.lease import Lease
from hft.services.life import ENDINGS, REFUSALS, Ending, Options, Phase
from hft.services.link import Link, Step
from hft.services.outbox import Decided, Outbox
from hft.services.ports import Alert, AlertKind, OrderAdapter, World
from hft.services.recovery import Recovered, recover
from hft.services.shutdown import Intent, Shutdown, cancels
from hft.services.stages import Stages
from hft.services.touches import Touches
from hft.services.typed import TypedIntents
from hft.services.writer import Writer, control_row
from hft.storage.commit import Commit
from hft.trading.desk import Desk
from hft.trading.inputs import INPUT, InputKind, rows_of


class GatewayService:
    """A fresh `desk` for the journal of its account, and the world it lives in."""

    def __init__(
        self,
        desk: Desk,
        journal: Journal,
        adapter: OrderAdapter,
        channel: LocalIntentChannel,
        typed: TypedIntents,
        lease: Lease,
        world: World,
        options: Options | None = None,
    ) -> None:
        self.desk, self.journal, self.adapter = desk, journal, adapter
        self.channel, self.typed, self.world = channel, typed, world
        self.lease, self.options = lease, options or Options()
        self.phase, self.cause = Phase.NEW, ""
        self.callbacks = Callbacks(self.wake, capacity=self.options.callbacks)
        self.link = Link(self.options.retry_ns, self.options.patience_ns)
        self.hearing = Hearing(self.link, self.callbacks, len(desk.accounts))
        self.dispatch = Dispatch(adapter, self.link, self.alert)
        self.stages = Stages(len(desk.strategies), world.clock_ns)
        self.touches = Touches(len(desk.trading.touch), self.stages)
        refresh_s = self.options.refresh_s
        self._leading = Leading(lease, world.beside, self._lose, refresh_s=refresh_s)
        self._outbox = Outbox()
        told = (self.alert, self.wake, self.stages)
        self._writer = Writer(desk, self._outbox, channel, self.touches.rows, *told)
        self._controls: deque[tuple[ControlKind, int, int, asyncio.Future[int]]] = deque()
        self._own: list[Intent] = []
        self._tick_at_ns = 0
        self._clock = LifeClock(world.now_ns, self.options.clock_slack_ns, self.alert)
        # What waits for the disk stays below what the gateway would refuse: intents wait in the
        # channel instead, where they can grow old and their submitters feel it.
        self._room = int(desk.state.head[0]["room"])
        self._awake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._audit_rows = AuditRows(world, self.alert)
        self._shutdown: Shutdown | None = None
        channel.woken = self.wake

    @property
    def is_ready(self) -> bool:
        """May new risk be decided?"""
        return self.phase is Phase.READY and self.link.is_live

    @property
    def commit(self) -> Commit:
        """The journal's writer of this life. Raises: JournalError before it has one."""
        return self._writer.commit

    @property
    def queued(self) -> int:
        """Commands that were decided and are not handed to the adapter yet."""
        return self._outbox.queued

    def submit(self, payload: tuple[Any, ...], answered: ToldOne | None = None) -> None:
        """Bring a typed intent; `answered` is called once.

        Raises: QueueFull when the channel has no room.
        """
        told = one_by_one(answered) if answered is not None else None
        if not self.submit_many((payload,), told):
            raise QueueFull(self.channel.capacity)

    def submit_many(self, payloads: Sequence[tuple[Any, ...]], answered: Told | None = None) -> int:
        """Bring many at once; returns how many were taken or answered, the first ones.

        `answered` hears ANSWER rows, of each once, as many at a time as were decided together.
        """
        reason = REFUSALS.get(self.phase)
        if reason is None:
            return self.channel.submit_many(payloads, intake.ages, answered)
        Envelope(payloads, answered=answered).refuse(reason)
        return len(payloads)

    def control(self, kind: ControlKind, code: int = 0, value: int = 0) -> "asyncio.Future[int]":
        """A control input at the next turn; await it for the number of its durable record.

        It is cancelled when this life ends before that, and raises the ConfigError or DataError of
        an input that cannot be applied.
        """
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self.phase in ENDINGS:
            waiter.cancel()
        else:
            self.stages.resets += kind is ControlKind.KILL and value == 0
            self._controls.append((kind, code, value, waiter))
            self.wake()
        return waiter

    def hear_touch(self, instrument_idx: int, **fields: int) -> None:
        """The market of an instrument moved; fields of TOUCH."""
        self.touches.hear(instrument_idx, fields)

    def cancel_orders(self, orders: np.ndarray) -> None:
        """Ask for cancels of these ORDER rows, through the gateway."""
        self._own += cancels(orders)
        self.wake()

    def stop(self) -> None:
        """Begin the orderly end; `run` returns when nothing is left."""
        if self.phase not in (Phase.RECOVERING, Phase.READY):
            return
        self.phase = Phase.STOPPING
        self._refuse_waiting()
        wait_ns, closes = self.options.stop_wait_ns, self.options.close_on_stop
        self._shutdown = Shutdown(self._now(), wait_ns, closes_positions=closes)
        self.wake()

    def wake(self) -> None:
        """There is something to do."""
        self._awake.set()

    def alert(self, kind: AlertKind, said: str) -> None:
        """Tell a person."""
        self.world.alerts(Alert(kind, self.world.now_ns(), said))

    def record(self, table: str, row: Mapping[str, Any]) -> None:
        """Leave an audit row, beside the loop; one that cannot be written is an alert."""
        self._audit_rows.record(table, row)

    async def start(self) -> None:
        """Lead, know what is on the disk, and begin the next life durably.

        Raises: Busy when another leads; HftError in one sentence. Nothing has been sent then.
        """
        self.callbacks.begin(asyncio.get_running_loop())
        try:
            if not await self._leading.acquire(self.journal.fence):
                raise Busy(f"{self.journal.folder}: another gateway leads; this one stands by")
            await self._begin(self.lease.fence)
        except (Exception, asyncio.CancelledError):
            with contextlib.suppress(JournalError):
                await self._writer.close()
            await self._leading.release()
            self.journal.close()
            raise

    async def run(self) -> Ending:
        """Decide until the end. Raises: JournalError when the last records could not be kept.

        A defect, or who cancels it, ends the life like any other: what it leads is let go.
        """
        self._arm()
        try:
            while self.phase not in ENDINGS:
                await self._awake.wait()
                self._awake.clear()
                self.turn()
                await asyncio.sleep(0)
        except (Exception, asyncio.CancelledError) as error:
            self._finish(Phase.BROKEN, AlertKind.DEFECT, f"{error!r}; nothing leaves any more")
            await self._end()
            raise
        await self._end()
        return ENDINGS[self.phase]

    def turn(self) -> None:
        """Send what is durable, hear what has come, decide it."""
        self._release(self.commit.last_durable)
        if self.phase in ENDINGS:
            return
        now_ns = self._now()
        self._step_link(now_ns)
        if self._shutdown is not None:
            self._step_shutdown(self._shutdown, now_ns)
        self._decide(now_ns)

    async def _begin(self, fence: int) -> None:
        found = await self.world.beside(functools.partial(self._replay, fence))
        for said in found.passed_over:
            self.alert(AlertKind.CHECKPOINT, said)
        self._clock.check(self.desk.now_ns)
        now_ns = self._now()
        log = await self.world.beside(functools.partial(self.journal.begin, fence, now_ns))
        given: dict[str, Any] = {"loop": self.world.loop, "executor": self.world.executor}
        given["woken"] = self.wake
        commit = Commit(log, INPUT.itemsize, first=self.desk.inputs + 1, **given)
        self._writer.begin(commit)
        if self.phase in ENDINGS:  # it was read for longer than the lease lasted
            raise Busy(f"{self.journal.folder}: {self.cause}; begin again")
        self.hearing.begin(self.desk)
        self.phase = Phase.RECOVERING
        first = [
            self.desk.begin(now_ns),
            control_row(ControlKind.LEASE, 1, fence),
            control_row(ControlKind.START, 1, self.options.holdoff_ns),
            control_row(ControlKind.DISCONNECT),
        ]
        self._writer.put(first, [], now_ns)
        await self.commit.durable(self.commit.last)
        self.wake()

    def _replay(self, fence: int) -> Recovered:
        """What the disk has of it, into the desk; what it is made of, onto the disk."""
        journal = self.journal
        found = recover(self.desk, journal.history, journal.checkpoints, fence)
        keep_plan(self.desk, journal.folder, journal.account, journal.disk)
        return found

    async def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for decided in self._outbox.drop():
            self._drop(decided)
        for *_, waiter in self._controls:
            waiter.cancel()
        self._refuse_waiting()
        self._venue(self.adapter.close)
        await self._audit_rows.written()
        try:
            await self.commit.close()
        except JournalError:
            if self.phase is Phase.STOPPED:
                raise
        finally:
            await self._leading.release()
            self.journal.close()

    def _drop(self, decided: Decided) -> None:
        """It never leaves, and nobody is told what was decided."""
        intake.refuse(decided.envelopes, REFUSALS[self.phase])
        self.channel.done_with(decided.envelopes)
        for waiter in decided.waiters:
            waiter.cancel()

    def _refuse_waiting(self) -> None:
        while waiting := self.channel.take(self.channel.capacity):
            intake.refuse(waiting, REFUSALS[self.phase])
            self.channel.done_with(waiting)

    def _release(self, durable: int) -> None:
        """What the disk has may leave, and be told."""
        if self.commit.failure is not None:
            self._finish(Phase.JOURNAL_FAILED, AlertKind.JOURNAL_FAILED, str(self.commit.failure))
            return
        for decided in self._outbox.release(durable):
            if not self._leads():
                self._lose()
                self._drop(decided)
                return
            unsent = self.dispatch.send(decided.commands, self._now())
            self.stages.sent(decided.since_ns, len(decided.commands))
            outbox.settle(decided)
            outbox.answer(decided, unsent)
            self.channel.done_with(decided.envelopes)
            if self.dispatch.is_fenced:
                self._lose()
                return
        if self.dispatch.is_broken:
            self.dispatch.is_broken = False
            self.hearing.broken(self._now(), "the adapter failed")
        if not len(self._outbox) and not self.dispatch.has_returned:
            self.dispatch.forget()

    def _leads(self) -> bool:
        return self.lease.leads()

    def _lose(self) -> None:
        said = f"the lease under fence {self.lease.fence} is lost; nothing leaves any more"
        self._finish(Phase.LEASE_LOST, AlertKind.LEASE_LOST, said)

    def _finish(self, phase: Phase, kind: AlertKind, said: str) -> None:
        if self.phase not in ENDINGS:
            self.phase, self.cause = phase, said
            self.alert(kind, said)
            self.wake()

    def _step_link(self, now_ns: int) -> None:
        drained = not len(self._outbox) and not self.dispatch.has_returned
        step = self.link.step(now_ns, is_drained=drained)
        if step is Step.BEGIN:
            self._venue(self.adapter.begin, self.lease.fence, self.callbacks)
        elif step is Step.ASK:
            orders = self.desk.working()
            self.hearing.ask(orders, self.desk)
            self._venue(self.adapter.ask, self.link.token, orders)

    def _venue(self, call: Callable[..., None], *given: Any) -> None:
        """Ask something of the adapter; whatever it raises means that there is no session."""
        try:
            call(*given)
        except Exception as error:
            self.alert(AlertKind.VENUE_DOWN, f"the adapter failed: {error!r}")
            self.link.down(self._now())

    def _step_shutdown(self, shutdown: Shutdown, now_ns: int) -> None:
        if len(self._outbox) or self.dispatch.has_returned:
            return
        self._own += shutdown.step(self.desk, now_ns)
        if shutdown.is_over:
            if shutdown.left:
                self.alert(AlertKind.SHUTDOWN, f"{shutdown.left} are left behind")
            self.phase = Phase.STOPPED

    def _decide(self, now_ns: int) -> None:
        """One batch of everything that has come."""
        rows = self.dispatch.take()
        heard = self.hearing.take(now_ns, self.options.hears)
        rows += [heard] if heard is not None else []
        rows += self._link_rows()
        first = sum(len(one) for one in rows)
        waiters = {first + k: waiter for k, (*_, waiter) in enumerate(self._controls)}
        rows += [control_row(*given[:3]) for given in self._controls]
        self._controls.clear()
        head = self.desk.trading.gw.head[0]
        if now_ns >= self._tick_at_ns or (head["actions"] > 0 and heard is not None):
            rows += self._tick(now_ns)
        batches = [intake.own(self._own, now_ns)] if self._own else []
        self._own = []
        is_behind = len(self.callbacks) > self.callbacks.capacity // 2  # answers come first
        free = 0 if is_behind else self._room - self._outbox.queued
        found = intake.take(self.channel, self.typed, min(self.options.batch, free))
        batches += [found] if found is not None else []
        if rows or batches:
            self._writer.put(rows, batches, now_ns, waiters)
        self.hearing.applied(self.desk, now_ns)
        for kind, said in self.hearing.alerts:
            self.alert(kind, said)
        self.hearing.alerts.clear()
        is_told = head["venue_up"] == self.link.is_live
        has_more = len(self.callbacks) or self.hearing.has_more or not is_told
        if has_more or (len(self.channel) and free > 0):  # else the disk wakes us
            self.wake()

    def _link_rows(self) -> list[np.ndarray]:
        """Bring what the desk knows of the venue up to what the link knows."""
        head, rows = self.desk.trading.gw.head[0], []
        if head["venue_up"] != self.link.is_live:
            kind = ControlKind.RECONNECT if self.link.is_live else ControlKind.DISCONNECT
            rows.append(control_row(kind))
        if self.link.is_live and head["recovering"]:
            rows.append(control_row(ControlKind.RECOVERED))
        if self.link.is_live and self.phase is Phase.RECOVERING:
            self.phase = Phase.READY
        return rows

    def _tick(self, now_ns: int) -> list[np.ndarray]:
        self._tick_at_ns = now_ns + self.options.tick_ns
        return [*self.touches.take(now_ns), rows_of(InputKind.TICK, now_ns)]

    def _now(self) -> int:
        return self._clock.now(self.desk.now_ns)

    def _arm(self) -> None:
        """Look at least so often, whether or not something happens."""
        if self.phase not in ENDINGS:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.options.tick_ns / 1e9, self._arm)
            self.wake()
