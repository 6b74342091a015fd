"""One scenario by its seed: lives of gateways on a disk, a wire and a venue, and an auditor.

A step is one callback of the loop: one turn of a process, of the wire, or of the market. After each
the auditor looks and the fault plan may strike, so that a crash fits between any two. When the
steps are over all troubles end, and everything must come to rest; then the power is cut a last time
and what is found must be what was there.
"""

import contextlib
import struct
from collections import Counter
from collections.abc import Collection
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hft.core.codes import IntentType, ResponseKind
from hft.storage.commit import Commit
from hft.storage.groups import read_groups
from hft.storage.log import LogWriter, drop_segments, read_segments
from hft.trading.inputs import INPUT
from tests.naive.gateway import Rules
from tests.simulation import fault_coverage
from tests.simulation.auditor import Auditor
from tests.simulation.core_gateway import CoreGateway
from tests.simulation.disk import Life
from tests.simulation.gateway_faults import KINDS, GatewayFaults
from tests.simulation.journal import Turns
from tests.simulation.lease import LeaseStore, ModelLease
from tests.simulation.ledger import Wrong
from tests.simulation.link import ModelAdapter
from tests.simulation.platter import FOLDER, durable_records, torn_bytes
from tests.simulation.product import MONEY, PLANTED, Product
from tests.simulation.venue import ModelVenue
from tests.simulation.wire import Weather, Wire
from tests.simulation.workload import Workload
from tests.simulation.world import Process, World

REST_STEPS = 6000
ENDED = {
    ResponseKind.FILL: "order FILLED",
    ResponseKind.CANCELLED: "order CANCELLED",
    ResponseKind.EXPIRED: "order EXPIRED",
    ResponseKind.REJECTED: "order FAILED",
}
START_NS = 1_700_000_000_000_000_000
LEASE_S = 0.4
ROW = INPUT.itemsize
RULES = (
    Rules(dedup_window=4096),
    Rules(dedup_window=4096, long_max=20, short_max=20, order_size=8),
    Rules(dedup_window=4096, daily_loss=300, reset_ns=200_000_000, per_s=120),
    Rules(dedup_window=4096, storm_losses=(40, 120, 400), cooldown_ns=100_000_000, clears=2),
    Rules(
        dedup_window=4096,
        long_max=30,
        short_max=30,
        move=Fraction(1, 100),
        move_window_ns=500_000_000,
        reset_ns=200_000_000,
        repeated=30,
    ),
)


class GatewayProcess(Process):
    """One life of one gateway process."""

    def __init__(self, world: "GatewayWorld", name: str, number: int) -> None:
        super().__init__(world, name, number)
        lease = ModelLease(world.store, name, ttl_ns=int(LEASE_S * 1e9))
        self.gateway = world.gateway(self.life, lease, ModelAdapter(world.wire, name))


class GatewayWorld(World):
    """Gateways, a wire and a venue, and who trades."""

    kinds = KINDS
    planted = PLANTED
    meets = fault_coverage.CORE
    product_class = Product

    def __init__(
        self,
        seed: int,
        product: Product | None = None,
        *,
        steps: int | None = None,
        faults: Collection[str] | None = None,
    ) -> None:
        super().__init__(seed, product, steps=steps, faults=faults)
        draws = {name: Random(f"{seed} {name}") for name in ("venue", "wire", "work", "fault")}
        self.rules = RULES[self.random.randrange(len(RULES))]
        self.strategies, self.money = self.rules.strategies, MONEY
        self.room = self.random.choice((1, 2, 64))
        self.venue = ModelVenue(draws["venue"])
        self.auditor = Auditor(self)
        self.wire = Wire(self.loop, self.venue, draws["wire"], left=self.auditor.left)
        self.wire.seen = self.seen
        self.store = LeaseStore(lambda: int(self.loop.now * 1e9))
        self.workload = Workload(self, draws["work"])
        self.plan = GatewayFaults(self, draws["fault"], self.faults)
        self.slow_s = 0.0  # what looks after the lease takes so much longer
        self.stops_sender: Random | None = None  # the leader stops before its next command leaves
        self.checkpoint: tuple[int, int, Any] = (1, 0, None)

    folder = FOLDER
    has_late_writers = False  # may a leader that was stopped still write, where nobody reads it?
    may_skip = False  # may a command stay back and later ones leave?

    def durable(self, fence: int) -> int:
        """The last record on the platter, for whoever leads under this fence."""
        return self.last_record(FOLDER)

    def last_record(self, folder: Path) -> int:
        try:
            return durable_records(self.disk, folder, self.auditor.rows)
        except Wrong as error:
            raise self.auditor.broken(str(error)) from None

    def key(self, key: tuple[int, int]) -> tuple[int, int]:
        """A submitter's key as the journal has it."""
        return key

    def number_of(self, gateway: Any) -> int:
        """The life that a gateway is of."""
        return next(one.number for one in self.processes.values() if one.gateway is gateway)

    # -- what a gateway is given ------------------------------------------------------------------

    def gateway(self, life: Life, lease: ModelLease, adapter: ModelAdapter) -> Any:
        return CoreGateway(self, life, lease, adapter)

    def clock_ns(self) -> int:
        """The clock on the wall."""
        return START_NS + int(self.loop.now * 1e9) + self.jump_ns

    def open_log(self, life: Life) -> LogWriter:
        log = self.product.log(
            FOLDER,
            "inputs",
            owner="account0",
            first=self.checkpoint[0],
            segment_bytes=16_000,
            fsync="always",
            disk=life,
        )
        return log

    def open_commit(self, log: LogWriter, first: int) -> Commit:
        turns = Turns(self.loop)
        return self.product.commit(
            log, ROW, first=first, most=64, loop=self.loop, executor=turns, clock_ns=lambda: 0
        )

    def ends(self, gateway: Any) -> None:
        """A gateway is through: its process ends a little later."""
        for process in self.processes.values():
            if process.gateway is gateway:
                self.later(0.001, self.kill, process)

    # -- what happens to processes ----------------------------------------------------------------

    def process(self, name: str, number: int) -> GatewayProcess:
        return GatewayProcess(self, name, number)

    def begin(self, process: GatewayProcess) -> None:
        for call in (process.gateway.begin, lambda: self.workload.begin(process.gateway)):
            self.loop.call_soon(call, context=process.context)

    def died(self, process: GatewayProcess) -> None:
        if process.gateway.closing is not None:
            process.gateway.closing.close()
        self.auditor.let_go(process.gateway)
        self.store.dies(process.name)

    def forgotten(self) -> None:
        self.seen["torn tail"] += torn_bytes(self.disk, self.folder) > 0

    def stop_in_order(self) -> bool:
        """SIGTERM: the leader cancels what works, and its process ends."""
        process = self.leader()
        return process is not None and process.gateway.stop()

    def stop_leader(self, random: Random) -> bool:
        """Stopped for longer than the lease lives."""
        process = self.leader()
        if process is None or process.is_stopped:
            return False
        seconds = random.choice((0.1 + random.random(), LEASE_S + random.random() / 8))
        return self.stop(process, seconds, is_killed=random.random() < 0.4)

    def leader(self) -> Process | None:
        running = [one for one in self.processes.values() if not one.is_over]
        return next((one for one in running if one.gateway is self.auditor.holder), None)

    # -- what happens to the rest -----------------------------------------------------------------

    def wire_up(self) -> None:
        self.wire.is_down = False

    def quick(self) -> None:
        self.slow_s = 0.0

    def fair_weather(self) -> None:
        self.wire.weather = Weather()

    def market(self) -> None:
        """The market goes on, whoever is dead."""
        if self.is_quiet:
            return
        if self.random.random() < 0.5:
            self.venue.move()
        else:
            self.venue.trade()
        self.later(0.002 + self.random.random() * 0.02, self.market)

    def make_checkpoint(self) -> bool:
        """Another process replays the journal and keeps what it finds; older segments go."""
        seq, number, saved = self.checkpoint
        life = Life(self.disk, "checkpoint")
        found = list(read_groups(read_segments(FOLDER, first=seq, disk=life), ROW, number + 1))
        if len(found) > 3:  # the last frame may not be durable
            rows = b"".join(
                one.group.rows[max(0, number + 1 - one.group.first) * ROW :] for one in found[:-1]
            )
            desk = self.product.desk(self)
            if saved is not None:
                desk.restore(saved)
            desk.replay(np.frombuffer(rows, INPUT))
            self.checkpoint = (found[-2].seq + 1, desk.inputs, desk.snapshot())
            with contextlib.suppress(OSError):  # the disk may be failing
                self.seen["segments dropped"] += drop_segments(FOLDER, found[-2].seq + 1, life)
        life.end()
        return len(found) > 3

    def count(self) -> Counter[str]:
        """What was met, by name."""
        kinds = Counter(f"sent {IntentType(c.kind).name}" for c in self.venue.arrived)
        told = Counter({f"answer {name}": n for name, n in self.venue.seen.items()})
        rest = {
            "rows": len(self.auditor.rows),
            "asked again": self.workload.retries,
            "stale at the venue": self.venue.stale,
            "disputed": self.auditor.firm.disputed,
        }
        ends = Counter(ENDED[o.ended] for o in self.venue.orders.values() if o.ended is not None)
        return super().count() + kinds + told + ends + Counter(rest)

    # -- the run ----------------------------------------------------------------------------------

    def story(self) -> None:
        for name in ("a", "b") if "two leaders" in self.plan.kinds else ("a",):
            self.start(name)
        self.later(0.0, self.market)
        self.loop.run_until(lambda: self.step(self.steps))
        self._rest()
        self.power_cut()
        self._rest()
        self.trace.update(self.auditor.holder.desk.digest().encode())

    def _rest(self) -> None:
        """No more trouble: everything must come to rest."""
        self.stops_sender = None
        for end in (self.wire_up, self.fair_weather, self.quick, self.calm):
            end()
        before = self.loop.steps
        self.loop.run_until(lambda: self.step(before + REST_STEPS) or self._is_at_rest())
        if not self._is_at_rest():
            raise Wrong(f"it does not come to rest in {REST_STEPS} steps")
        self.auditor.finish(self.auditor.holder)

    def _is_at_rest(self) -> bool:
        gateway = self.auditor.holder
        if gateway is None or gateway.state != "ready" or not gateway.is_connected:
            return False
        if not gateway.is_idle or gateway.outbox or gateway.commit.waiting or self.auditor.waiting:
            return False
        last = self.venue.answers[-1] if self.venue.answers else None
        if last and (gateway.adapter.number or (0, 0)) < (last.session, last.seq):
            return False
        return not np.any(gateway.desk.working()["request"] >= 0)

    def _stop_sender(self) -> None:
        random, waiting = self.stops_sender, self.auditor.waiting
        if random is None or not waiting:
            return
        if waiting[0].input <= self.durable(self.store.fence) and self.stop_leader(random):
            self.stops_sender = None
            self.seen["stopped with a command in hand"] += 1

    def looked(self) -> None:
        self.auditor.look()
        if self.auditor.holder is not None:
            self.seen.update(self.auditor.holder.states())
        rows, answers = len(self.auditor.rows), len(self.venue.answers)
        self.trace.update(struct.pack("<dqqq", self.loop.now, rows, answers, self.lives))
        self._stop_sender()
