"""The parts under test as one value, and the planted bugs: parts with one thing left out.

The product has none of these switches; a test hands another `Product` to a world.
"""

from typing import Any

import numpy as np

from hft.core.codes import ResponseKind
from hft.core.dtypes import INSTRUMENT
from hft.services.service import GatewayService
from hft.storage.commit import Commit
from hft.storage.log import LogWriter
from hft.trading.desk import Applied, Desk
from hft.trading.inputs import HEARD, InputKind
from tests.naive.gateway import Rules
from tests.naive.gateway_rows import resolved
from tests.simulation.disk import Life
from tests.simulation.journal_product import BUGS as JOURNAL_BUGS

MONEY = 10  # of a tick and a lot


def instruments(rules: Rules) -> np.ndarray:
    """The table of a desk under these rules."""
    rows = np.zeros(rules.instruments, INSTRUMENT)
    rows["money_per_tick_lot"] = MONEY
    rows["maker_fee_e8"], rows["taker_fee_e8"] = 10_000, 50_000
    rows["symbol_key"] = 11 + np.arange(rules.instruments)
    return rows


class Product:
    """What a world is made of; a planted bug overrides one part."""

    disk: type[Life] = Life
    log: type[LogWriter] = LogWriter
    commit: type[Commit] = Commit
    desk_class: type[Desk] = Desk
    service: type[GatewayService] = GatewayService

    def desk(self, world: Any) -> Desk:
        rules = world.rules
        return self.desk_class(
            instruments(rules),
            resolved(rules),
            accounts=["account0"],
            strategies=[f"strategy{k}" for k in range(rules.strategies)],
            order_capacity=128,
            dedup_window=rules.dedup_window,
            room=world.room,
        )

    def begin(self, gateway: Any, rows: np.ndarray) -> None:
        gateway.hear(rows)

    def record(self, gateway: Any, rows: np.ndarray, applied: Applied, answered: Any) -> None:
        gateway.record(rows, applied, answered)

    def enqueue(self, gateway: Any, commands: np.ndarray, era: int) -> None:
        gateway.enqueue(commands, era)

    def may_send(self, gateway: Any) -> bool:
        return bool(gateway.lease.leads())


class _Forgetful(Desk):
    """A cancelled order's hold stays."""

    def apply(self, rows: np.ndarray) -> Applied:
        head = self.trading.gw.head[0]
        before = int(head["reserved_money"])
        applied = super().apply(rows)
        kinds, codes = rows["kind"], rows.view(HEARD)["code"]
        if np.any((kinds == InputKind.ANSWER) & (codes == ResponseKind.CANCELLED)):
            head["reserved_money"] = max(before, int(head["reserved_money"]))
        return applied


class ReleaseForgotten(Product):
    desk_class = _Forgetful


class _SmallQueue(GatewayService):
    """Of each batch one command finds a place; nobody is told of the others."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        send = self.dispatch.send
        self.dispatch.send = lambda commands, now_ns: send(commands[:1], now_ns)  # type: ignore[method-assign]


class CommitBeforeEnqueue(Product):
    """Approved is said and kept before there is a place for the command."""

    service = _SmallQueue

    def enqueue(self, gateway: Any, commands: np.ndarray, era: int) -> None:
        room = max(0, 2 - len(gateway.outbox))
        gateway.queued -= max(0, len(commands) - room)
        gateway.enqueue(commands[:room], era)


class _Eager(GatewayService):
    """Takes for durable what was only handed over."""

    def _release(self, durable: int) -> None:
        super()._release(self.commit.last)


class DispatchBeforeSync(Product):
    service = _Eager

    def record(self, gateway: Any, rows: np.ndarray, applied: Applied, answered: Any) -> None:
        gateway.record(rows, applied, answered)
        gateway.enqueue(applied.commands, gateway.era)

    def enqueue(self, gateway: Any, commands: np.ndarray, era: int) -> None:
        """They have left already."""


class SyncSkipped(Product):
    disk = JOURNAL_BUGS["sync skipped"].disk


class SyncRetried(Product):
    disk = JOURNAL_BUGS["failed sync tried again"].disk


class _EpochInMemory(Desk):
    """Each life counts its commands from the same number; nobody looks."""

    def begin(self, ts_ns: int) -> np.ndarray:
        rows = super().begin(ts_ns)
        rows["value"][rows["kind"] == InputKind.LIFE] = 1
        return rows

    def _checked(self, rows: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(rows)


class CounterNotDurable(Product):
    desk_class = _EpochInMemory


class _NeverLooks(GatewayService):
    def _leads(self) -> bool:
        return True


class FencingIgnored(Product):
    service = _NeverLooks

    def may_send(self, gateway: Any) -> bool:
        return True


PLANTED: dict[str, type[Product]] = {
    "release forgotten": ReleaseForgotten,
    "commit before enqueue": CommitBeforeEnqueue,
    "dispatch before sync": DispatchBeforeSync,
    "fsync skipped": SyncSkipped,
    "failed sync retried": SyncRetried,
    "id counter not durable": CounterNotDurable,
    "fencing ignored": FencingIgnored,
}
