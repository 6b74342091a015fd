"""The service's way of an intent beside a bare asyncio.Queue, in one process.

`python -m benchmarks.service` runs its ways in turns, round after round: tuples through a bare
queue, one put and one get each, 4096 waiting; the same tuples through the whole service (channel,
typed rows, all seven steps of the gateway, journal on this disk, commands to an adapter that takes
them), and again with each order acknowledged and ended by the venue. As many wait: 64 submitters
bring 64 each, and the next 64 when they have heard what became of every one. Rates are per second
of CPU of the process, the journal's thread and the disk's part of the kernel included. Then it
measures one intent's way, from `submit` to the answer behind the sync, with one and with 64 on
their way.
"""

import argparse
import asyncio
import functools
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe
from benchmarks.measure import Goal, Series
from benchmarks.ours import LIMITS
from hft.core.codes import Reason, ResponseKind
from hft.core.instruments import Instrument
from hft.core.numbers import resolve as resolve_instrument
from hft.gateway.limits import Limits
from hft.gateway.resolve import resolve
from hft.services.callbacks import Callbacks
from hft.services.channel import CAPACITY, LocalIntentChannel
from hft.services.journal import Journal
from hft.services.lease.lease import AlwaysLeads
from hft.services.life import Options
from hft.services.ports import Alert, World
from hft.services.service import GatewayService
from hft.services.typed import TypedIntents
from hft.storage.strict_yaml import load_yaml
from hft.trading.desk import Desk

QUEUE, SERVICE, ANSWERED = "bare queue", "service", "service, answered"
AIM = 0.25
IN_FLIGHT = 64
WAITING, BROUGHT = CAPACITY, 64
Tuples = Sequence[tuple[Any, ...]]


class Takes:
    """An adapter that takes every command; with `answers` the venue acknowledges and ends each."""

    def __init__(self, answers: bool) -> None:
        self.commands, self._answers = 0, answers
        self._heard: Callbacks | None = None

    def begin(self, fence: int, heard: Callbacks) -> None:
        self._heard = heard
        heard.up()

    def submit(self, commands: np.ndarray) -> Sequence[Reason]:
        self.commands += len(commands)
        if self._answers and self._heard is not None:
            for order_id in commands["order_id"].tolist():
                self._heard.answer(ResponseKind.ACK, order_id)
                self._heard.answer(ResponseKind.CANCELLED, order_id)
        return [Reason.OK] * len(commands)

    def ask(self, token: int, orders: np.ndarray) -> None:
        if self._heard is not None:
            self._heard.end(token)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Measured:
    """One way in one round."""

    intents: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.intents / self.cpu_s


def tuples(count: int) -> Tuples:
    """New orders of one strategy, each with a key of its own."""
    head = ("typed_intent_v1", 1, "maker", "X", 0, 0, 10_000_000, 1, 0, "", 0, 0, "", "")
    return [(*head, f"key-{k}", 0) for k in range(count)]


def desk(count: int) -> Desk:
    """Room for all of them at once; every check is on and refuses none."""
    instrument = Instrument("X", Decimal(1), Decimal(1), max_price=Decimal(5000))
    table = np.array([resolve_instrument(instrument, 2, 5000, 1 << 40)])
    given = dict(load_yaml(LIMITS.read_text(), "bench.yaml"))
    given |= {"max_position_size": 1 << 30, "risk_limits.max_notional": "off"}
    limits = Limits.from_dict(given, "bench")
    stats = [{"first_mid": 1000, "touch_lots": 1}]
    resolved = resolve(limits, [instrument], stats, strategies=["maker"])
    sizes = {"order_capacity": 2 * count, "dedup_window": 10_000, "room": 1024}
    return Desk(table, resolved, accounts=["a"], strategies=["maker"], **sizes)


def service(folder: Path, count: int, answers: bool) -> GatewayService:
    """A whole service on this disk, and its first touch."""
    alerts: list[Alert] = []
    world = World(time.time_ns, alerts.append, _in_thread, lambda table, row: None)
    made = GatewayService(
        desk(count),
        Journal(folder / "journal", "a"),
        Takes(answers),
        LocalIntentChannel(world.now_ns, ttl_ns=0),
        TypedIntents(["maker"], {"X": Decimal(1)}),
        AlwaysLeads(),
        world,
        Options(holdoff_ns=0, close_on_stop=False, stop_wait_ns=0),
    )
    made.hear_touch(0, bid_tick=999, ask_tick=1001, valid=1, ts_ns=time.time_ns())
    return made


def _in_thread(call: Callable[[], Any]) -> Awaitable[Any]:
    return asyncio.to_thread(call)


async def through_queue(work: Tuples) -> Measured:
    """One put and one get each."""
    queue: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue(CAPACITY)

    async def produce() -> None:
        for one in work:
            await queue.put(one)

    async def consume() -> None:
        for _ in work:
            await queue.get()

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(produce(), consume())
    return Measured(len(work), time.perf_counter() - began, time.process_time() - cpu)


async def begun(made: GatewayService) -> "asyncio.Task[Any]":
    """The service runs and is ready."""
    await made.start()
    running = asyncio.create_task(made.run())
    while not made.is_ready:
        await asyncio.sleep(0.001)
    return running


class Submitter:
    """Brings so many at once, and the next ones when it has heard what became of them."""

    def __init__(self, made: GatewayService, work: Tuples) -> None:
        self.heard: list[np.ndarray] = []
        self._made, self._work = made, work
        self._left, self._all = 0, asyncio.Event()

    async def bring(self) -> None:
        for at in range(0, len(self._work), BROUGHT):
            some = self._work[at : at + BROUGHT]
            self._left = len(some)
            self._all.clear()
            self._made.submit_many(some, self._told)
            await self._all.wait()

    def _told(self, answers: np.ndarray) -> None:
        self.heard.append(answers)
        self._left -= len(answers)
        if not self._left:
            self._all.set()


async def through_service(folder: Path, work: Tuples, answers: bool) -> Measured:
    """Until every command is with the adapter and every submitter has heard what became of his."""
    made = service(folder, len(work), answers)
    running = await begun(made)
    size = -(-len(work) // (WAITING // BROUGHT))
    each = [Submitter(made, work[at : at + size]) for at in range(0, len(work), size)]
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one.bring() for one in each))
    measured = Measured(len(work), time.perf_counter() - began, time.process_time() - cpu)
    told = np.concatenate([answers for one in each for answers in one.heard])
    approved = told[told["reason"] == Reason.OK.value]
    late = np.count_nonzero(told["reason"] == Reason.COMMAND_DEADLINE.value)  # the disk stalled
    if late:
        print(f"{late} commands were late and did not leave: the disk took more than 500 ms")
    sent = made.dispatch.sent
    if not sent == len(np.unique(approved["order_id"])) == len(work) - late:
        raise SystemExit(f"{sent} of {len(work)} were sent, {late} late; {made.phase} {made.cause}")
    made.stop()
    await running
    return measured


async def ways(folder: Path, work: Tuples, in_flight: int) -> list[float]:
    """Milliseconds from `submit` to the answer, so many on their way at any time."""
    made = service(folder, len(work), answers=True)
    running = await begun(made)
    waits: list[float] = []
    left = list(work)
    clock, ended = time.perf_counter, asyncio.Event()

    def bring() -> None:
        if not left:
            if len(waits) == len(work):
                ended.set()
            return
        at = clock()

        def answered(reason: Reason, said: Any) -> None:
            waits.append((clock() - at) * 1e3)
            bring()

        made.submit(left.pop(), answered)

    for _ in range(in_flight):
        bring()
    await ended.wait()
    made.stop()
    await running
    return waits


def in_folder(place: Path, way: Callable[[Path], Any]) -> Any:
    folder = Path(tempfile.mkdtemp(prefix="bench-service-", dir=place))
    try:
        return asyncio.run(way(folder))
    finally:
        shutil.rmtree(folder)


def a_round(place: Path, work: Tuples) -> dict[str, Measured]:
    """Every way once."""
    return {
        QUEUE: in_folder(place, lambda _: through_queue(work)),
        SERVICE: in_folder(place, lambda folder: through_service(folder, work, False)),
        ANSWERED: in_folder(place, lambda folder: through_service(folder, work, True)),
    }


def table(rounds: Sequence[dict[str, Measured]]) -> Iterable[str]:
    """A line a way, then the ratios."""
    yield f"{'':20}{'per CPU s':>12}{'low':>12}{'high':>12}{'per s':>12}"
    for name in rounds[0]:
        rate = Series(tuple(one[name].rate for one in rounds))
        wall = Series(tuple(one[name].intents / one[name].seconds for one in rounds))
        figures = (rate.median, rate.low, rate.high, wall.median)
        yield f"{name:20}" + "".join(f"{figure:12,.0f}" for figure in figures)
    for name in (SERVICE, ANSWERED):
        ratio = Series(tuple(one[name].rate / one[QUEUE].rate for one in rounds))
        said = f"{name} / {QUEUE}: {ratio.median:.3f} [{ratio.low:.3f} .. {ratio.high:.3f}]"
        yield said + (f", aim {AIM}: {Goal(AIM).verdict(ratio)}" if name == SERVICE else "")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--intents", type=int, default=50_000, help="a round and way")
    parser.add_argument("--folder", type=Path, default=Path("."), help="on the disk to measure")
    given = parser.parse_args()
    facts = describe()
    print(
        f"{given.intents} typed intents, each with a key; {facts['cores']} cores of "
        f"{facts['processor']}, Python {facts['python']}, load {facts['load_at_start']}"
    )
    work = tuples(given.intents)
    found = [a_round(given.folder, work) for _ in range(given.rounds + 1)][1:]  # one warms up
    print("\n".join(table(found)))
    for in_flight in (1, IN_FLIGHT):
        some = work[: max(1000, given.intents // (50 if in_flight == 1 else 5))]
        way = functools.partial(ways, work=some, in_flight=in_flight)
        waits = sorted(in_folder(given.folder, way))
        p50, p99 = (waits[int(share * (len(waits) - 1))] for share in (0.5, 0.99))
        print(f"one intent's way, {in_flight} at a time: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


if __name__ == "__main__":
    main()
