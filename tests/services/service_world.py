"""A gateway service on a model disk and virtual time, or on the real ones; a loop-back venue."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hft.core.codes import IntentType, Reason, Side, Tif
from hft.core.instruments import Instrument
from hft.core.numbers import resolve as resolve_instrument
from hft.gateway.limits import Limits
from hft.gateway.resolve import ResolvedLimits, resolve
from hft.services.adapters.loopback import Loopback, LoopbackVenue
from hft.services.channel import LocalIntentChannel
from hft.services.journal import Journal
from hft.services.lease.lease import AlwaysLeads, Lease
from hft.services.life import Ending, Options
from hft.services.ports import Alert, World
from hft.services.service import GatewayService
from hft.services.typed import TypedIntents
from hft.storage.disk import REAL, Disk
from hft.trading.desk import Desk
from tests.simulation.disk import Life, ModelDisk
from tests.simulation.journal import Turns
from tests.simulation.loop import LIFE, SeededLoop

S = 1_000_000_000
START = 1_700_000_000 * S
FOLDER = Path("/gateway/journal")
SYMBOLS = {"X": Decimal("1"), "Y": Decimal("0.5")}
STRATEGIES = ["maker", "taker"]
QUICK = Options(holdoff_ns=0, tick_ns=S // 10, close_on_stop=False, stop_wait_ns=3 * S)


def instruments() -> list[Instrument]:
    return [
        Instrument(name, tick, Decimal(1), max_price=Decimal(5000))
        for name, tick in SYMBOLS.items()
    ]


def limits_of(limits: Limits | None = None) -> ResolvedLimits:
    stats = [{"first_mid": 1000}] * len(SYMBOLS)
    return resolve(limits or Limits.off(), instruments(), stats, strategies=STRATEGIES)


def desk_of(limits: ResolvedLimits | None = None, **given: Any) -> Desk:
    table = np.array([resolve_instrument(one, 2, 5000, 1) for one in instruments()])
    sizes: dict[str, Any] = {"order_capacity": 256, "dedup_window": 256, "room": 64}
    return Desk(
        table,
        limits or limits_of(),
        accounts=["account 1"],
        strategies=STRATEGIES,
        **(sizes | given),
    )


def intent(
    *,
    key: str = "",
    side: Side = Side.BUY,
    price: int = 1000,
    qty: int = 1,
    tif: Tif = Tif.GTC,
    kind: IntentType = IntentType.NEW,
    target: int = 0,
    strategy: str = "maker",
    symbol: str = "X",
) -> tuple[Any, ...]:
    """A typed intent; price in currency."""
    head = ("typed_intent_v1", 1, strategy, symbol, kind.value, side.value)
    return (*head, price * 10_000, qty, tif.value, str(target or ""), 0, 0, "", "", key, 0)


class LeaseStore:
    """A lease among lives of one simulation: a fence, who has it, until when."""

    def __init__(self, now_ns: Callable[[], int], ttl_ns: int = 2 * S) -> None:
        self.now_ns, self.ttl_ns = now_ns, ttl_ns
        self.fence = self.until_ns = 0

    def lease(self) -> "ModelLease":
        return ModelLease(self)


class ModelLease:
    """One life's part of it."""

    def __init__(self, store: LeaseStore) -> None:
        self._store, self.fence, self._until_ns = store, 0, 0

    def acquire(self, *, above: int = 0) -> bool:
        store = self._store
        if store.now_ns() < store.until_ns:
            return False
        store.fence = self.fence = max(store.fence, above) + 1
        return self.renew()

    def renew(self) -> bool:
        store = self._store
        if store.fence != self.fence or self.fence == 0:
            return False
        store.until_ns = self._until_ns = store.now_ns() + store.ttl_ns
        return True

    def leads(self) -> bool:
        return self.fence > 0 and self._store.now_ns() < self._until_ns - self._store.ttl_ns // 4

    def release(self) -> None:
        if self.fence and self._store.fence == self.fence:
            self._store.until_ns = 0
        self.fence = 0


class Answers:
    """What submitters heard, by their key."""

    def __init__(self) -> None:
        self.heard: dict[Any, list[tuple[Reason, Any]]] = {}

    def of(self, key: Any) -> Callable[[Reason, Any], None]:
        return lambda reason, said: self.heard.setdefault(key, []).append((reason, said))

    def reason(self, key: Any) -> Reason:
        [(reason, _)] = self.heard[key]
        return reason

    def order_id(self, key: Any) -> int:
        [(_, said)] = self.heard[key]
        return int(said.order_id)


class QuietLoop(SeededLoop):
    """Says nothing of tasks that a crash left behind; a life can be stopped, as by SIGSTOP."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._stopped: dict[int, list[asyncio.Handle]] = {}

    def stop(self, life: int) -> None:
        """Nothing of this life runs until it goes on."""
        self._stopped[life] = []

    def go_on(self, life: int) -> None:
        self._ready += self._stopped.pop(life)

    def _step(self) -> None:
        self._wake_timers()
        for handle in tuple(self._ready):
            context = getattr(handle, "_context", None)
            life = context.get(LIFE, 0) if context is not None else 0
            if life in self._stopped:
                self._ready.remove(handle)
                self._stopped[life].append(handle)
        if self._ready or not self._timers:
            super()._step()

    def create_task(self, coro: Any, **given: Any) -> "asyncio.Task[Any]":
        return _quiet(super().create_task(coro, **given))

    def in_life(self, life: int, main: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        return _quiet(super().in_life(life, main))


def _quiet(task: Any) -> Any:
    task._log_destroy_pending = False
    return task


class Gateways:
    """Lives of one account's gateway on virtual time, one after the other or side by side."""

    def __init__(self, seed: int, *, venue: LoopbackVenue | None = None) -> None:
        self.random = Random(seed)
        self.loop = QuietLoop(seed)
        self.disk = ModelDisk(self.random)
        self.venue = venue or LoopbackVenue()
        self.alerts: list[Alert] = []
        self.lives = 0

    def now_ns(self) -> int:
        return START + int(self.loop.now * S)

    def make(
        self,
        *,
        lease: Lease | None = None,
        options: Options = QUICK,
        desk: Desk | None = None,
        service: type[GatewayService] = GatewayService,
    ) -> tuple[GatewayService, Life, int]:
        """A service for another life, what it has of the disk, and its number."""
        self.lives += 1
        life = Life(self.disk, f"process {self.lives}")
        made = service(
            desk or desk_of(),
            Journal(FOLDER, "account 1", shared=lease is not None, disk=life),
            Loopback(self.venue),
            LocalIntentChannel(self.now_ns, ttl_ns=0),
            TypedIntents(STRATEGIES, SYMBOLS),
            lease or AlwaysLeads(),
            World(self.now_ns, self.alerts.append, _beside, _no_audit, self.loop, Turns(self.loop)),
            options,
        )
        return made, life, self.lives

    def in_life(self, number: int, main: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        return self.loop.in_life(number, main)

    def begin(self, **given: Any) -> tuple[GatewayService, Life, int, "asyncio.Task[Ending]"]:
        """Start a life and run it until it is ready."""
        service, life, number = self.make(**given)
        task = self.in_life(number, _whole(service))
        self.until(lambda: service.is_ready or task.done())
        if task.done():
            task.result()
        return service, life, number, task

    def until(self, done: Callable[[], bool]) -> None:
        self.loop.run_until(done)

    def pass_ns(self, ns: int) -> None:
        """Let virtual time go by."""
        end = self.loop.now + ns / 1e9
        reached: list[bool] = []
        self.loop.call_at(end, lambda: reached.append(True))
        self.loop.run_until(lambda: bool(reached))

    def kill(self, life: Life, number: int, *, power_cut: bool = False) -> None:
        """The process ends at once; with a power cut the disk forgets, too."""
        self.loop.cut(number)
        life.end()
        if power_cut:
            self.disk.power_cut()


async def _whole(service: GatewayService) -> Ending:
    await service.start()
    return await service.run()


async def _beside(call: Callable[[], Any]) -> Any:
    await asyncio.sleep(0)
    return call()


def _no_audit(table: str, row: Any) -> None:
    """Nobody reads it here."""


def real_world(alerts: list[Alert]) -> World:
    """This machine's clock, loop and threads."""
    import time

    return World(time.time_ns, alerts.append, _in_thread, _no_audit)


def _in_thread(call: Callable[[], Any]) -> Awaitable[Any]:
    return asyncio.to_thread(call)


def real_service(folder: Path, venue: LoopbackVenue, alerts: list[Alert]) -> GatewayService:
    """On the disk of this machine."""
    world = real_world(alerts)
    disk: Disk = REAL
    return GatewayService(
        desk_of(),
        Journal(folder, "account 1", disk=disk),
        Loopback(venue),
        LocalIntentChannel(world.now_ns, ttl_ns=0),
        TypedIntents(STRATEGIES, SYMBOLS),
        AlwaysLeads(),
        world,
        QUICK,
    )


__all__ = ["LIFE", "Answers", "Gateways", "desk_of", "intent", "limits_of", "real_service"]
