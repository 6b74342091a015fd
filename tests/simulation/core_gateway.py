"""The smallest gateway around a `Desk`: journal, lease and adapter, one row after the other.

It keeps the order that a service has to keep and nothing else, so that desk, journal and commit are
tried fast. Everything it hears becomes rows; what follows from a row leaves, and is told to whoever
asked, once the disk has it. It is of one process: `life` fences all it touches.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np

from hft.core.codes import ControlKind, Reason, ResponseKind, StepKind
from hft.core.errors import Busy, JournalError
from hft.storage.groups import read_groups
from hft.storage.log import read_segments
from hft.trading.inputs import INPUT, InputKind, Outcome, heard, rows_of

ROW = INPUT.itemsize
LOOK_S, TICK_S = 0.1, 0.25
DECISION = int(StepKind.DECISION)
Answered = Callable[[int, int], None]


class CoreGateway:
    """`setting` is the world around it, `product` the parts under test."""

    def __init__(self, setting: Any, life: Any, lease: Any, adapter: Any) -> None:
        self.setting, self.life, self.lease, self.adapter = setting, life, lease, adapter
        self.loop, self.product, self.watch = setting.loop, setting.product, setting.auditor
        self.desk: Any = None
        self.commit: Any = None
        self.state = "standby"
        self.outbox: deque[np.ndarray] = deque()
        self.undurable: deque[tuple[int, int, Any, Any]] = deque()
        self.queued = 0  # decided, and not yet handed to the adapter
        self.is_connected = self._pumps = False
        self.is_idle = True  # what it hears, it decides at once
        self.token = 0
        self.era = 0  # what was decided in another one never leaves: the venue was asked since
        self._now = 0
        self.closing: Coroutine[Any, Any, None] | None = None

    # -- leading ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Wait for the lease; lead while it is there."""
        if self.state == "over":
            return
        held = self.lease.renew() if self.lease.fence else self.lease.acquire()
        if held and self.state == "standby":
            self._open()
        elif not held and self.state != "standby":
            self._step_down()
        self.loop.call_later(LOOK_S + self.setting.slow_s, self.begin)

    def _open(self) -> None:
        setting = self.setting
        try:
            log = setting.open_log(self.life)
        except Busy:
            setting.seen["journal still held"] += 1
            return
        except JournalError:
            return self._end("no journal")
        first_seq, number, saved = setting.checkpoint
        rows = b"".join(
            recorded.group.rows[max(0, number + 1 - recorded.group.first) * ROW :]
            for recorded in read_groups(
                read_segments(log.folder, first=first_seq, disk=self.life), ROW, number + 1
            )
        )
        desk = self.product.desk(setting)
        if saved is not None:
            desk.restore(saved)
        desk.replay(np.frombuffer(rows, INPUT))
        self.desk, self._now = desk, desk.now_ns
        self.commit = setting.open_commit(log, desk.inputs + 1)
        self.watch.recovered(self, rows, number)
        self.state = "recovering"
        self.product.begin(self, desk.begin(self.now()))
        self.control(ControlKind.LEASE, 1, self.lease.fence)
        self.control(ControlKind.START, 1)
        self.control(ControlKind.DISCONNECT)
        self.adapter.begin(self.lease.fence, self)
        self.loop.call_later(TICK_S, self._tick, desk)

    def _step_down(self) -> None:
        """Another leads: what has not left never will, and the journal is let go."""
        self.setting.seen["stepped down"] += 1
        self.control(ControlKind.LEASE, 0)
        self.void(Reason.STALE_FENCE)
        self.adapter.close()
        commit, self.commit, self.desk, self.state = self.commit, None, None, "standby"
        self.undurable.clear()
        self.queued = 0
        self.is_connected = False
        if commit is not None:
            self.watch.let_go(self)
            self.closing = self._close(commit)
            self.loop.create_task(self.closing)

    async def _close(self, commit: Any) -> None:
        with contextlib.suppress(JournalError):
            await commit.close()

    def _end(self, why: str) -> None:
        """Nothing more is decided, sent or answered; the process waits for its end."""
        if self.state != "over":
            self.setting.seen[why] += 1
            self.state = "over"
            self.setting.ends(self)

    def stop(self) -> bool:
        """An orderly end is the service's."""
        return False

    def states(self) -> tuple[str, str]:
        """Of the link and of the life, to be counted."""
        return "link LIVE" if self.is_connected else "link DOWN", f"life {self.state.upper()}"

    def now(self) -> int:
        """The clock of this machine, which may jump; ours never goes back."""
        self._now = max(self._now, self.setting.clock_ns())
        return self._now

    # -- rows -------------------------------------------------------------------------------------

    def hear(self, rows: np.ndarray, answered: dict[int, Answered] | None = None) -> None:
        """Apply and journal rows; commands and answers wait for the disk."""
        if self.state == "over" or self.desk is None:
            return
        rows["queued"] = self.queued
        applied = self.desk.apply(rows)
        self.queued += len(applied.commands)
        self.product.record(self, rows, applied, answered or {})

    def record(self, rows: np.ndarray, applied: Any, answered: dict[int, Answered]) -> None:
        try:
            number = self.commit.add(rows.tobytes(), int(rows["ts_ns"][0]))
        except JournalError:
            return self._end("latched")
        self.watch.heard(self, rows, applied.commands)
        assert number == self.desk.inputs, "journal and desk number differently"
        self.undurable.append((number, self.era, applied, answered))
        self.commit.durable(number).add_done_callback(self._durable)

    def _durable(self, done: Any) -> None:
        """Whichever callback comes first: what is durable goes on in the order it was decided."""
        if done.cancelled():
            return
        if done.exception() is not None:
            return self._end("latched")
        while self.undurable and self.state != "over" and self.commit is not None:
            if self.undurable[0][0] > self.commit.last_durable:
                break
            _, era, applied, answered = self.undurable.popleft()
            self.tell(applied.steps, answered)
            self.product.enqueue(self, applied.commands, era)

    def tell(self, steps: np.ndarray, answered: dict[int, Answered]) -> None:
        """Whoever asked hears what was decided."""
        if answered:
            for step in steps[steps["kind"] == DECISION]:
                call = answered.pop(int(step["order_id"]), None)
                if call is not None:
                    call(int(step["code"]), int(step["cmd_id"]))

    def enqueue(self, commands: np.ndarray, era: int) -> None:
        for k in range(len(commands)):
            self.outbox.append(commands[k : k + 1])
        if era != self.era or not self.is_connected:
            self.setting.seen["decided before a cut"] += len(commands) > 0
            self.void(Reason.VENUE_DOWN, len(self.outbox) - len(commands))
        self.pump()

    def pump(self) -> None:
        """Hand one command a turn to the adapter, so that a crash fits in between."""
        if self.outbox and not self._pumps:
            self._pumps = True
            self.loop.call_soon(self._send_one)

    def _send_one(self) -> None:
        self._pumps = False
        if not self.outbox or self.state != "ready" or not self.is_connected:
            return
        if not self.product.may_send(self):
            self.setting.seen["lease over before sending"] += 1
            return self.void(Reason.STALE_FENCE)
        command = self.outbox.popleft()
        self.queued -= 1
        (reason,) = self.adapter.submit(command)
        if reason != Reason.OK:
            self._unsent(command, reason)
            self.void(reason)
        self.pump()

    def void(self, reason: Reason, kept: int = 0) -> None:
        """Nothing in the outbox leaves, but for the first `kept`."""
        gone = [self.outbox.pop() for _ in range(len(self.outbox) - kept)]
        for command in reversed(gone):
            self.queued -= 1
            self._unsent(command, reason)

    def _unsent(self, command: np.ndarray, reason: Reason) -> None:
        row = command[0]
        fields = {name: int(row[name]) for name in ("order_id", "cmd_id")}
        fields["value"] = int(row["kind"])
        self.setting.seen["unsent"] += 1
        self.hear(heard(InputKind.UNSENT, self.now(), code=int(reason), **fields))

    def control(self, kind: ControlKind, code: int = 0, value: int = 0) -> None:
        """A control input."""
        fields = {"code": int(kind), "target_id": code, "value": value}
        self.hear(rows_of(InputKind.CONTROL, self.now(), **fields))

    def _tick(self, desk: Any) -> None:
        if desk is self.desk and self.state != "over":
            self.hear(rows_of(InputKind.TICK, self.now()))
            self.loop.call_later(TICK_S, self._tick, desk)

    # -- submitters -------------------------------------------------------------------------------

    def submit(self, rows: np.ndarray, answered: list[Answered]) -> bool:
        """Intents of one strategy as INPUT rows, touches and wake in front; false: not ready."""
        if self.state not in ("ready", "recovering") or self.desk is None:
            return False
        rows["ts_ns"] = self.now()
        intents = rows["kind"] == InputKind.INTENT
        first, count = self.desk.next_id, int(np.count_nonzero(intents))
        rows["intent_id"][intents] = np.arange(first, first + count)
        rows["next_id"] = first + count  # a wake in front may make orders of its own
        self.hear(rows, dict(zip(range(first, first + count), answered, strict=True)))
        return True

    # -- what the adapter says --------------------------------------------------------------------

    def answer(self, code: ResponseKind, order_id: int, **fields: int) -> None:
        row = heard(InputKind.ANSWER, self.now(), code=int(code), order_id=order_id, **fields)
        self.hear(row)

    def up(self) -> None:
        """Nothing sent before can arrive any more: what is in flight is in doubt, and asked."""
        if self.desk is None:
            return
        self.era += 1
        orders = self.desk.working()
        for order_id in orders["order_id"][orders["request"] >= 0].tolist():
            self.answer(ResponseKind.UNKNOWN, order_id)
        if self.desk is not None:
            self.token += 1
            self.adapter.ask(self.token, self.desk.working())

    def told(self, token: int, outcome: Outcome, order_id: int, **fields: int) -> None:
        if token == self.token:
            row = heard(
                InputKind.RECONCILED, self.now(), code=int(outcome), order_id=order_id, **fields
            )
            self.setting.seen[outcome.name] += 1
            self.hear(row)

    def end(self, token: int) -> None:
        if token != self.token:
            return
        self.control(ControlKind.RECONNECT)
        if self.state == "recovering":
            self.control(ControlKind.RECOVERED)
            self.state = "ready"
            self.setting.seen["ready"] += 1
        self.is_connected = self.state == "ready"
        self.pump()

    def down(self, said: str) -> None:
        """What waits never left; what left is asked for once we are connected again."""
        if self.is_connected:
            self.control(ControlKind.DISCONNECT)
        self.is_connected = False
        self.era += 1
        self.void(Reason.VENUE_DOWN)
        self.adapter.begin(self.lease.fence, self)
