"""For each metric what makes it move, on a gateway and a recorder that are there.

The gateway is the live service on virtual time, the recorder writes on this disk.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hft.api.metrics import BOARD, Watch
from hft.api.recorder import Place, load, place_of, seal
from hft.core.codes import ControlKind
from hft.core.errors import Unavailable
from hft.gateway.limits import Limits
from hft.metrics.readings import Readings
from hft.recorder.tally import WriterTally
from hft.recorder.wal_first import WALFirstWriter
from hft.services.adapters.loopback import Loopback, LoopbackVenue, LoopOrder
from hft.services.channel import CAPACITY
from hft.services.health import Shown
from hft.storage.log import segment_paths
from tests.recorder.recorder_world import Told, rows_of
from tests.services.service_world import (
    QUICK,
    SYMBOLS,
    Answers,
    Gateways,
    LeaseStore,
    S,
    desk_of,
    intent,
    limits_of,
)

GUARDED = {"storm_guard.latency_ms": [5, 20]}


def fills_at_once(venue: LoopbackVenue, order: LoopOrder) -> None:
    for _ in range(order.qty):
        venue.fill(order.order_id, 1)


@dataclass
class House:
    """A home with the board of a gateway that lives, and a folder of rows that wait."""

    root: Path
    given: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world, self.answers = Gateways(7, venue=self.given.pop("venue", None)), Answers()
        self.leases = LeaseStore(self.world.now_ns)
        self.live()
        self.watch = Watch(self.root, wall_ns=self.world.now_ns)

    def live(self) -> None:
        """Another life, under the next fence."""
        lease = self.leases.lease()
        given = {
            "desk": desk_of(limits_of(Limits.from_dict(Limits.off().to_dict() | GUARDED))),
            "lease": lease,
        }
        self.service, self.life, self.number, self.task = self.world.begin(**given | self.given)
        self.shown = Shown(self.service, self.root / BOARD, list(SYMBOLS), 2)
        self.write()

    def write(self) -> None:
        self.shown.write(self.world.now_ns())

    def read(self) -> Readings:
        self.write()
        return self.watch.read()

    @property
    def place(self) -> Place:
        return place_of()

    def submit(self, key: str, **given: Any) -> None:
        self.service.submit(intent(key=key, **given), self.answers.of(key))
        self.world.until(lambda: key in self.answers.heard)

    def fill(self, key: str, qty: int, price: int | None = None) -> None:
        """An order that is filled a second after it was sent."""
        self.submit(key, qty=qty)
        self.world.pass_ns(S)
        self.world.venue.fill(self.answers.order_id(key), qty, price)
        self.world.pass_ns(S)

    def control(self, kind: ControlKind, code: int, value: int) -> None:
        async def ask() -> Any:
            return self.service.control(kind, code, value)

        waiter = self.world.loop.run_until_complete(ask())
        self.world.until(waiter.done)

    def touch(self) -> None:
        self.service.hear_touch(0, bid_tick=999, ask_tick=1001, valid=1, ts_ns=self.world.now_ns())
        self.world.pass_ns(S)

    def record(self, told: Told | None = None, rows: int = 3) -> WALFirstWriter:
        """Rows on disk, in a segment that is sealed."""
        writer = WALFirstWriter(
            self.place.wal, "w1", (told or Told()).monitor, wall_ns=self.world.now_ns
        )
        writer.write("orders", rows_of("orders", range(rows)))
        writer.seal()
        return writer

    def load(self) -> None:
        load(self.place)


def too_many(house: House) -> None:
    house.service.submit_many([intent(key=str(k)) for k in range(CAPACITY)])
    assert not house.service.submit_many([intent(key="more")])


def reused(house: House) -> None:
    house.submit("a", qty=1)
    house.service.submit(intent(key="a", qty=1), house.answers.of("again"))
    house.world.until(lambda: "again" in house.answers.heard)


def in_doubt(house: House) -> None:
    assert isinstance(house.service.adapter, Loopback)
    house.service.adapter.fails = OSError("broken pipe")
    house.submit("a", qty=1)


def lost(house: House) -> None:
    house.leases.fence += 1
    house.world.until(house.task.done)


def another_life(house: House) -> None:
    house.world.kill(house.life, house.number)
    house.world.pass_ns(3 * S)
    house.live()


def disk_fails(house: House) -> None:
    house.world.disk.fails["sync"] = 5
    house.service.submit(intent(key="a"), house.answers.of("a"))
    house.world.until(house.task.done)


def crowd(house: House) -> None:
    """More callbacks at once than there is room for."""
    for name in "abcdef":
        house.service.submit(intent(key=name, qty=3), house.answers.of(name))
    house.world.until(lambda: len(house.answers.heard) == 6)


def nobody_writes(house: House) -> None:
    now = house.world.now_ns()
    house.world.pass_ns(6 * S)
    house.write = lambda: house.shown.write(now)  # type: ignore[method-assign]


def recorder_beats(house: House) -> None:
    writer = house.record()
    WriterTally(writer).beat()
    for path in [house.place.wal / ".counts.lock", *segment_paths(house.place.wal)]:
        os.utime(path, ns=(house.world.now_ns(), house.world.now_ns()))


def recorded(house: House) -> None:
    house.record().close()
    house.world.pass_ns(S)


def loaded(house: House) -> None:
    house.record().close()
    house.load()


def loaded_and_more(house: House) -> None:
    loaded(house)
    house.record().close()


def no_database(house: House) -> None:
    house.record().close()
    try:
        load(place_of(dsn="clickhouse://localhost:1"))
    except Unavailable:
        return
    raise AssertionError("nobody listens on port 1")


def damaged(house: House) -> None:
    house.record().close()
    path = segment_paths(house.place.wal)[0]
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    house.load()


def pressed(house: House) -> None:
    """A disk that should keep more than there is."""
    file = house.root / "config" / "recorder.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"min_free_mb: {1 << 30}\n")
    house.watch = Watch(house.root, wall_ns=house.world.now_ns)


def dropped(house: House) -> None:
    told = Told()
    told.at(99)
    writer = house.record(told)
    assert not writer.write("wakes", rows_of("wakes", range(5)))
    WriterTally(writer).beat()
    writer.close()


def torn(house: House) -> None:
    house.record().close()
    last = segment_paths(house.place.wal)[-1]
    last.write_bytes(last.read_bytes() + b"\x40\0\0\0torn")
    assert seal(house.place)


Act = Callable[[House], object]


@dataclass(frozen=True)
class Move:
    """What somebody does, and the figure that is another one afterwards: more, or less."""

    act: Act
    labels: tuple[str, ...] = ()
    less: bool = False
    before: Act | None = None
    given: dict[str, Any] = field(default_factory=dict)


def sends(house: House) -> None:
    house.submit("a", qty=2)


def gains(house: House) -> None:
    """What it buys is marked at 1000."""
    house.fill("a", 1, price=990)
    house.touch()


def kills(house: House) -> None:
    house.control(ControlKind.KILL, 0, 1)


MOVES: dict[str, list[Move]] = {
    "gateway_dispatch_latency_ns": [Move(sends)],
    "gateway_reject_total": [
        Move(lambda house: house.submit("a", qty=0), ("FASTGATE_BAD_QTY_NEG",)),
        Move(too_many, ("CHANNEL_FULL",)),
    ],
    "gateway_dedup_hits_total": [Move(reused)],
    "gateway_dedup_unknown": [Move(in_doubt)],
    "gateway_intent_channel_depth": [Move(lambda house: house.service.submit(intent(key="a")))],
    "gateway_policy_mode": [Move(lambda house: house.control(ControlKind.MODE, 0, 2))],
    "gateway_leader": [Move(lost, less=True)],
    "gateway_fence": [Move(another_life)],
    "gateway_exposure_notional_scaled": [Move(sends, ("maker", "X"))],
    "gateway_exposure_net_qty": [Move(lambda house: house.fill("a", 2), ("maker", "X"))],
    "gateway_breaker_tripped": [Move(kills, ("MANUAL",))],
    "stormguard_state": [
        Move(lambda house: house.control(ControlKind.LATENCY, 0, 6_000_000)),
    ],
    "gateway_latch_resets_total": [
        Move(lambda house: house.control(ControlKind.KILL, 0, 0), before=kills)
    ],
    "gateway_risk_check_latency_ns": [Move(sends)],
    "gateway_orderbook_latency_us": [Move(House.touch)],
    "gateway_order_fill_latency_us": [Move(lambda house: house.fill("a", 1))],
    "gateway_orderbook_updates_total": [Move(House.touch)],
    "gateway_orders_submitted_total": [Move(sends)],
    "gateway_orders_filled_total": [Move(lambda house: house.fill("a", 1))],
    "gateway_risk_checks_total": [Move(sends)],
    "gateway_signals_generated_total": [Move(sends)],
    "gateway_active_positions": [Move(lambda house: house.fill("a", 1))],
    "gateway_total_pnl": [Move(gains, before=House.touch)],
    "gateway_strategy_pnl": [Move(gains, ("maker",), before=House.touch)],
    "gateway_fill_ratio": [Move(lambda house: house.fill("b", 1), ("maker",), before=sends)],
    "gateway_component_up": [
        Move(nobody_writes, ("gateway",), less=True),
        Move(
            lambda house: house.world.venue.drop() or house.world.pass_ns(S // 5),
            ("venue",),
            less=True,
        ),
        Move(disk_fails, ("journal",), less=True),
        Move(recorder_beats, ("recorder",)),
    ],
    "feed_callback_dropped_total": [
        Move(
            crowd,
            given={
                "venue": LoopbackVenue(fills_at_once),
                "options": replace(QUICK, callbacks=8),
            },
        )
    ],
    "wal_backlog_files": [Move(recorded)],
    "wal_backlog_bytes": [Move(recorded)],
    "wal_replay_lag_seconds": [Move(recorded)],
    "wal_replay_throughput_rows_total": [Move(loaded)],
    "wal_replay_errors_total": [
        Move(no_database, ("Unavailable",)),
        Move(damaged, ("damaged",)),
    ],
    "wal_drain_eta_seconds": [Move(loaded_and_more)],
    "wal_quarantined_files": [Move(damaged)],
    "disk_pressure_level": [Move(pressed)],
    "wal_data_loss_total": [Move(dropped, ("wakes",))],
    "wal_torn_tail_total": [Move(torn)],
}
# There is one mode of recording; another one would have to be built first.
CONSTANT = {"wal_mode": 1}
