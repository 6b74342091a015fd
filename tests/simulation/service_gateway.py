"""The whole service in a scenario: `GatewayService`, its channel, journal and link, on models.

One process leads again and again while it lives, as a supervisor would have it; what a life of the
service hands to the journal, sends and answers goes by the auditor. Nothing of it is replaced.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.codes import ControlKind, Reason
from hft.core.errors import Busy, ConfigError, HftError
from hft.gateway.stores import key_of_text
from hft.services.channel import LocalIntentChannel, QueueFull
from hft.services.journal import Journal
from hft.services.life import Ending, Options, Phase
from hft.services.ports import Alert, World
from hft.services.service import GatewayService
from hft.services.typed import MARKER, PRICE_X, TypedIntents
from hft.storage.commit import Commit
from hft.trading.inputs import InputKind
from tests.simulation.journal import Turns

FOLDER = Path("/gateway/journal")
AGAIN_S = 0.05
S = 1_000_000_000
OPTIONS = Options(
    batch=8,
    tick_ns=S // 4,
    holdoff_ns=0,
    refresh_s=0.1,
    retry_ns=S // 50,
    patience_ns=S // 5,
    close_on_stop=False,
    clock_slack_ns=S,
)


class ServiceGateway:
    """What a process runs; the same to the world as `CoreGateway`."""

    def __init__(self, setting: Any, life: Any, lease: Any, adapter: Any) -> None:
        self.setting, self.life, self.lease, self.adapter = setting, life, lease, adapter
        self.loop, self.watch = setting.loop, setting.auditor
        self.service: GatewayService | None = None
        self.desk: Any = None  # while it leads
        self.task: asyncio.Task[None] | None = None
        self.closing = self
        self._led: Any = None  # the commands of the rows applied last

    @property
    def state(self) -> str:
        service = self.service
        return "ready" if service is not None and service.phase is Phase.READY else "other"

    @property
    def is_connected(self) -> bool:
        return self.service is not None and self.service.link.is_live

    @property
    def outbox(self) -> bool:
        return self.service is not None and self.service.queued > 0

    @property
    def is_idle(self) -> bool:
        """Has it decided all that it heard?"""
        service = self.service
        return service is not None and not (len(service.callbacks) or service.hearing.has_more)

    def states(self) -> tuple[str, ...]:
        """Of the link and of the life, to be counted."""
        service = self.service
        if service is None:
            return ()
        return f"link {service.link.phase.name}", f"life {service.phase.name}"

    @property
    def commit(self) -> Commit:
        assert self.service is not None
        return self.service.commit

    def begin(self) -> None:
        self.task = self.loop.create_task(self._lead())
        self.task.add_done_callback(self._is_over)

    def _is_over(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.loop.errors.append(error)

    def close(self) -> None:
        """The process is dead: nothing of it goes on."""
        self.loop.bury(self.life_number)

    @property
    def life_number(self) -> int:
        return int(self.setting.number_of(self))

    def now(self) -> int:
        return int(self.setting.clock_ns())

    def stop(self) -> bool:
        """SIGTERM; false: it does not lead, or is ending already."""
        service = self.service
        if service is None or service.phase is not Phase.READY:
            return False
        service.stop()
        return True

    def control(self, kind: ControlKind, code: int = 0, value: int = 0) -> None:
        """A control input; nobody waits for it."""
        if self.service is not None:
            self.service.control(kind, code, value)

    def submit(self, rows: np.ndarray, answered: list[Callable[[int, int], None]]) -> bool:
        """The intents of INPUT rows as typed intents, the touches as quotes."""
        service = self.service
        if service is None or self.desk is None:
            return False
        told = iter(answered)
        for row in rows:
            if row["kind"] == InputKind.TOUCH:
                fields = {name: int(row[name]) for name in ("bid_tick", "ask_tick", "valid")}
                service.hear_touch(int(row["instrument_idx"]), ts_ns=self.now(), **fields)
            elif row["kind"] == InputKind.INTENT:
                try:
                    service.submit(_typed(row), _once(next(told)))
                except QueueFull:
                    self.setting.seen["channel full"] += 1
        return True

    async def _lead(self) -> None:
        """Life after life, until the process is told to end."""
        while True:
            try:
                ending = await self._live()
            except Busy:
                self.setting.seen["stands by"] += 1
                await asyncio.sleep(AGAIN_S)
                continue
            except ConfigError as error:
                assert "clock" in str(error), error
                self.setting.jump_ns += 20 * S  # somebody sets it
                self._end("the clock is behind")
                return
            except HftError as error:
                self.setting.note(f"{self.life.name} cannot begin: {error}")
                self._end("no journal")
                return
            self.setting.seen[ending.name] += 1
            if ending is Ending.STOPPED:
                self._end("stopped and ended")
                return
            if ending is Ending.JOURNAL_FAILED:
                self._end("latched")
                return

    async def _live(self) -> Ending:
        self.service = service = self._made()
        try:
            await service.start()
            return await service.run()
        finally:
            self.watch.let_go(self)
            self.desk = None

    def _end(self, why: str) -> None:
        self.setting.seen[why] += 1
        self.setting.ends(self)

    def _made(self) -> GatewayService:
        setting = self.setting
        desk = _tapped(setting.product.desk(setting), self)
        journal = Journal(FOLDER, "account0", shared=True, segment_bytes=16_000, disk=self.life)
        world = World(self.now, self._alert, self._beside, _no_audit, self.loop, Turns(self.loop))
        strategies = [f"strategy{k}" for k in range(setting.strategies)]
        ticks = {f"I{k}": Decimal(1) for k in range(len(setting.venue.touches))}
        typed = TypedIntents(strategies, ticks)
        channel = LocalIntentChannel(self.now, capacity=64)
        made = setting.product.service(
            desk, journal, self.adapter, channel, typed, self.lease, world, OPTIONS
        )
        begin = made._writer.begin
        made._writer.begin = lambda commit: begin(self._watched(commit, desk))
        return made

    def _watched(self, commit: Commit, desk: Any) -> Commit:
        """A life has read the journal and begins to write."""
        self.desk = desk
        self.watch.recovered(self, b"".join(desk.replayed), desk.replayed_from)
        add = commit.add

        def seen(rows: bytes, ts_ns: int) -> int:
            number = add(rows, ts_ns)
            self.watch.heard(self, *desk.led)
            return number

        commit.add = seen  # type: ignore[method-assign]
        return commit

    async def _beside(self, call: Callable[[], Any]) -> Any:
        """As a thread: it ends what it began, whoever waits, and it may take long."""
        done: asyncio.Future[Any] = self.loop.create_future()
        self.loop.call_later(self.setting.slow_s, _end_of, call, done)
        return await done

    def _alert(self, alert: Alert) -> None:
        self.setting.seen[f"alert {alert.kind}"] += 1
        self.setting.note(f"ALERT {alert.kind}: {alert.said}")


def _end_of(call: Callable[[], Any], done: "asyncio.Future[Any]") -> None:
    try:
        result = call()
    except Exception as error:
        if done.done():
            raise
        done.set_exception(error)
    else:
        if not done.done():
            done.set_result(result)


def _tapped(desk: Any, gateway: ServiceGateway) -> Any:
    """What is applied and replayed goes by the auditor."""
    apply, replay = desk.apply, desk.replay
    desk.led, desk.replayed, desk.replayed_from = None, [], 0

    def applied(rows: np.ndarray) -> Any:
        found = apply(rows)
        desk.led = (rows, found.commands)
        return found

    def replayed(rows: np.ndarray) -> None:
        if not desk.replayed:
            desk.replayed_from = desk.inputs
        replay(rows)
        desk.replayed.append(rows.tobytes())

    desk.apply, desk.replay = applied, replayed
    return desk


def _once(told: Callable[[int, int], None]) -> Callable[[Reason, Any], None]:
    """What was decided is told on; that nothing was decided is no answer to remember."""
    return lambda reason, said: told(int(reason), said.cmd_id) if said is not None else None


def key_text(key: tuple[int, int]) -> str:
    return f"{key[0]}:{key[1]}"


def key_of(key: tuple[int, int]) -> tuple[int, int]:
    """A submitter's key as the journal has it."""
    return key_of_text(key_text(key))


def _typed(row: np.ndarray) -> tuple[Any, ...]:
    kind, side, price, qty, tif, target = (
        int(row[n]) for n in ("intent_type", "side", "price", "qty", "tif", "target_id")
    )
    strategy, symbol = f"strategy{row['strategy_idx']}", f"I{row['instrument_idx']}"
    head = (MARKER, 1, strategy, symbol, kind, side, price * PRICE_X, qty, tif, str(target or ""))
    key = key_text((int(row["key_hi"]), int(row["key_lo"])))
    return (*head, 0, 0, "", "", key, 0)


def _no_audit(table: str, row: Any) -> None:
    """Nobody reads it here."""
