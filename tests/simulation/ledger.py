"""What orders hold and what was bought, from commands, answers and the venue's own fills alone.

Nothing of the gateway's state is read: an order is what the venue said of it last, or what a change
under way would make of it, and holds the larger of both; a position is the sum of what the venue
filled. The auditor compares this with what the gateway believes, after every step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hft.core.codes import IntentType, ResponseKind
from hft.trading.inputs import HEARD, INPUT, InputKind, Outcome
from tests.simulation.venue import NEWS, Answer, Command

FIELD = {name: at for at, name in enumerate(HEARD.names or ())}
ANSWER, RECONCILED, UNSENT = (
    int(kind) for kind in (InputKind.ANSWER, InputKind.RECONCILED, InputKind.UNSENT)
)
HIDDEN = ("ts_ns", "kind", "touch_ns", "timestamp_ns", "key_hi")
ENDS = (ResponseKind.CANCELLED, ResponseKind.EXPIRED, ResponseKind.REJECTED)


class Wrong(AssertionError):
    """Something that must never be."""


@dataclass
class Shape:
    """One working order; `high` is the most that changes under way ask for."""

    cmd_id: int
    strategy: int
    instrument: int
    side: int
    price: int
    total: int
    filled: int = 0
    changes: int = 0
    high: tuple[int, int] = (0, 0)

    def open(self) -> int:
        """The most lots that may still trade."""
        most = max(self.total, self.high[1]) if self.changes else self.total
        return max(0, most - self.filled)

    def worst(self) -> int:
        """The largest notional that it may still become, in ticks x lots."""
        worst = self.price * max(0, self.total - self.filled)
        if self.changes:
            worst = max(worst, self.high[0] * max(0, self.high[1] - self.filled))
        return worst


@dataclass
class Ledger:
    """`fills` are the venue's, by order and what was filled of it in all."""

    fills: Mapping[tuple[int, int], Answer]
    orders: dict[int, Shape] = field(default_factory=dict)
    bought: dict[tuple[int, int, int], int] = field(default_factory=dict)  # who, what, side: lots
    number: tuple[int, int] = (0, 0)
    kinds: dict[int, int] = field(default_factory=dict)  # command: its kind
    disputed: int = 0

    def copy(self) -> "Ledger":
        orders = {one: replace(order) for one, order in self.orders.items()}
        return replace(self, orders=orders, bought=dict(self.bought), kinds=dict(self.kinds))

    def reserved(self) -> int:
        return sum(order.worst() for order in self.orders.values())

    def position(self, strategy: int, instrument: int) -> int:
        bought = self.bought.get((strategy, instrument, 0), 0)
        return bought - self.bought.get((strategy, instrument, 1), 0)

    def take(self, row: tuple[int, ...], commands: list[Command]) -> None:
        """One input row as HEARD, then the commands that it led to."""
        kind = row[FIELD["kind"]]
        if kind == ANSWER:
            self._answer(row)
        elif kind == RECONCILED:
            self._reconciled(row)
        elif kind == UNSENT:
            self._unsent(row)
        for command in commands:
            self._decided(command)

    def _decided(self, c: Command) -> None:
        self.kinds[c.cmd_id] = c.kind
        if c.kind in NEWS:
            who = (c.cmd_id, c.strategy_idx, c.instrument_idx, c.side)
            self.orders[c.order_id] = Shape(*who, c.price, c.qty)
        elif c.kind == IntentType.AMEND:
            order = self.orders[c.order_id]
            before = order.high if order.changes else (0, 0)
            order.high = max(before[0], c.price), max(before[1], c.qty)
            order.changes += 1

    def _answer(self, row: tuple[int, ...]) -> None:
        number = (row[FIELD["session"]], row[FIELD["seq"]])
        if number[1] > 0:
            if number <= self.number:
                return
            self.number = number
        order_id, code = row[FIELD["order_id"]], row[FIELD["code"]]
        order = self.orders.get(order_id)
        if order is None:
            return
        if code == ResponseKind.FILL:
            self._fill(order_id, order, row)
        elif code in ENDS:
            del self.orders[order_id]
        elif code == ResponseKind.AMENDED:
            order.price, order.total = row[FIELD["price"]], order.filled + row[FIELD["qty"]]
            order.changes = max(0, order.changes - 1)
            self._complete(order_id, order)
        elif code == ResponseKind.AMEND_REJECTED:
            self._unchanged(order_id, order)

    def _fill(self, order_id: int, order: Shape, row: tuple[int, ...]) -> None:
        total, qty = row[FIELD["total_qty"]], row[FIELD["qty"]]
        if total <= order.filled:
            return
        told = self.fills.get((order_id, total))
        if told is None or (told.qty, told.price) != (qty, row[FIELD["price"]]):
            raise Wrong(f"a fill of order {order_id} was booked that the venue never made")
        if total - qty != order.filled:
            raise Wrong(f"a fill of order {order_id} was passed over")
        order.filled += qty
        key = (order.strategy, order.instrument, order.side)
        self.bought[key] = self.bought.get(key, 0) + qty
        if row[FIELD["seq"]] > 0 or not order.changes or order.filled >= order.high[1]:
            self._complete(order_id, order)  # else a change may have made it larger: we are asking

    def _complete(self, order_id: int, order: Shape) -> None:
        if order.filled >= order.total:
            del self.orders[order_id]

    def _reconciled(self, row: tuple[int, ...]) -> None:
        order_id, outcome = row[FIELD["order_id"]], row[FIELD["code"]]
        order = self.orders.get(order_id)
        if order is None:
            return
        if row[FIELD["total_qty"]] != order.filled:
            self.disputed += 1
        elif outcome == Outcome.RESTS:
            order.price, order.total = row[FIELD["price"]], order.filled + row[FIELD["qty"]]
            order.changes = 0
        else:
            del self.orders[order_id]

    def _unsent(self, row: tuple[int, ...]) -> None:
        order_id, cmd_id = row[FIELD["order_id"]], row[FIELD["cmd_id"]]
        order = self.orders.get(order_id)
        if order is None:
            return
        if cmd_id == order.cmd_id:
            del self.orders[order_id]
        elif self.kinds.get(cmd_id) == IntentType.AMEND:
            self._unchanged(order_id, order)

    def _unchanged(self, order_id: int, order: Shape) -> None:
        """A change came to nothing; the order may have been filled meanwhile."""
        order.changes = max(0, order.changes - 1)
        if not order.changes:
            self._complete(order_id, order)


def said(number: int, row: tuple[int, ...]) -> str:
    """A row as a line of text: its number, kind and what is not zero in it."""
    kind = InputKind(row[FIELD["kind"]])
    told = kind in (InputKind.ANSWER, InputKind.RECONCILED, InputKind.UNSENT)
    names = (HEARD if told else INPUT).names or ()
    shown = [f"{n}={v}" for n, v in zip(names, row, strict=True) if v and n not in HIDDEN]
    return f"{number} {kind.name} {' '.join(shown)}"
