"""A venue that keeps our orders: each command counts, each answer has a number.

It holds every order it ever saw under the id the client gave it, matches them against a touch that
walks by the seed, and tells what it did in answers numbered without a gap. Who was not there asks
for the answers since, and for what became of an order. It never repeats or drops anything itself:
that is the wire's part. Prices are ticks, quantities lots.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from hft.core.codes import IntentType, Liquidity, OrderType, Reason, ResponseKind, Tif

BUY = 0
NEWS = (IntentType.NEW, IntentType.FORCE_FLAT)


class Command(NamedTuple):
    """What a gateway sends: the fields of an OUTBOUND row that a venue looks at."""

    cmd_id: int
    kind: int
    order_id: int
    strategy_idx: int
    instrument_idx: int
    side: int
    price: int
    qty: int
    tif: int
    order_type: int
    fence: int
    input: int


class Answer(NamedTuple):
    """One numbered answer."""

    session: int
    seq: int
    code: int
    order_id: int
    price: int = 0
    qty: int = 0
    total_qty: int = 0  # filled of the order in all
    liquidity: int = 0
    fill_id: int = 0
    mid2: int = 0


@dataclass
class Order:
    """One order as the venue knows it; `ended` is the answer that ended it."""

    order_id: int
    strategy: int
    instrument: int
    side: int
    price: int
    open: int
    filled: int = 0
    ended: int | None = None

    @property
    def rests(self) -> bool:
        return self.ended is None


@dataclass
class Status:
    """What the venue says when asked: `number` is that of its last answer before."""

    number: tuple[int, int]
    orders: dict[int, tuple[int, int, int, int | None]]  # id: price, open, filled, ended


@dataclass
class ModelVenue:
    """One account's orders. `moved` is called with each answer."""

    random: Random
    touches: list[tuple[int, int]] = field(default_factory=lambda: [(999, 1001), (499, 501)])
    refuses: float = 0.02
    arrived: list[Command] = field(default_factory=list)
    times: Counter[int] = field(default_factory=Counter)  # how often each command came
    accepted_fence: int = 0
    stale: int = 0
    orders: dict[int, Order] = field(default_factory=dict)
    resting: dict[int, Order] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    filled: dict[tuple[int, int], Answer] = field(default_factory=dict)  # by order and its total
    session: int = 1
    seq: int = 0
    fills: int = 0
    moved: Callable[[Answer], None] = lambda answer: None
    seen: Counter[str] = field(default_factory=Counter)

    def command(self, command: Command) -> Reason:
        """Take one command. Returns: STALE_FENCE when another has taken over; nobody is told."""
        self.arrived.append(command)
        self.times[command.cmd_id] += 1
        if command.fence < self.accepted_fence:
            self.stale += 1
            return Reason.STALE_FENCE
        self.accepted_fence = command.fence
        if command.kind in NEWS:
            self._new(command)
        elif command.kind == IntentType.AMEND:
            self._amend(command)
        else:
            self._cancel(command)
        return Reason.OK

    def logon(self, fence: int) -> bool:
        """Somebody who leads under `fence` is there; from now on a lower one is refused."""
        if fence < self.accepted_fence:
            return False
        self.accepted_fence = fence
        return True

    def since(self, number: tuple[int, int]) -> list[Answer]:
        """The answers behind (session, seq), in order."""
        found: list[Answer] = []
        for answer in reversed(self.answers):
            if (answer.session, answer.seq) <= number:
                break
            found.append(answer)
        return found[::-1]

    def status(self, ids: list[int]) -> Status:
        """What became of these orders, and of all that rest; one never seen is not in it."""
        known = {*(one for one in ids if one in self.orders), *self.resting}
        found = {one: self.orders[one] for one in sorted(known)}
        told = {one: (o.price, o.open, o.filled, o.ended) for one, o in found.items()}
        return Status((self.session, self.seq), told)

    def restart(self) -> None:
        """The venue numbers anew from here on."""
        self.session, self.seq = self.session + 1, 0

    def move(self) -> int:
        """One touch walks; resting orders that it passes are filled. Returns: the instrument."""
        at = self.random.randrange(len(self.touches))
        bid, _ = self.touches[at]
        step = self.random.choice((-2, -1, -1, 1, 1, 2))
        bid = max(50, bid + step)
        self.touches[at] = (bid, bid + self.random.choice((1, 1, 2, 3)))
        for order in [one for one in self.resting.values() if one.instrument == at]:
            self._meet(order, Liquidity.MAKER, self.random.random() < 0.7)
        return at

    def trade(self) -> None:
        """Somebody hits one of our orders at or inside the touch."""
        near = [o for o in self.resting.values() if self._distance(o) <= 1]
        if near:
            order = self.random.choice(near)
            self._fill(order, order.price, self.random.randint(1, order.open), Liquidity.MAKER)

    def fill(self, order_id: int, qty: int) -> None:
        """Somebody takes so many lots of what rests."""
        order = self.resting[order_id]
        self._fill(order, order.price, min(qty, order.open), Liquidity.MAKER)

    def _distance(self, order: Order) -> int:
        bid, ask = self.touches[order.instrument]
        return bid - order.price if order.side == BUY else order.price - ask

    def _crosses(self, side: int, price: int, instrument: int) -> bool:
        bid, ask = self.touches[instrument]
        return price >= ask if side == BUY else price <= bid

    def _new(self, c: Command) -> None:
        if c.order_id in self.orders:
            self.seen["order id twice"] += 1
            self._say(ResponseKind.REJECTED, self.orders[c.order_id])
            return
        order = Order(c.order_id, c.strategy_idx, c.instrument_idx, c.side, c.price, c.qty)
        self.orders[c.order_id] = order
        is_market = c.order_type == OrderType.MARKET
        if self.random.random() < self.refuses:
            self._end(order, ResponseKind.REJECTED)
            return
        crosses = is_market or self._crosses(c.side, c.price, c.instrument_idx)
        if c.tif == Tif.GTX and crosses:
            self._end(order, ResponseKind.EXPIRED)
            return
        self.resting[c.order_id] = order
        rests = not is_market and c.tif not in (Tif.IOC, Tif.FOK)
        if rests or crosses:
            self._say(ResponseKind.ACK, order, order.open)
        if crosses:
            whole = c.tif == Tif.FOK or self.random.random() < 0.6
            self._meet(order, Liquidity.TAKER, whole, is_market)
        if order.rests and not rests:
            self._end(order, ResponseKind.EXPIRED)

    def _amend(self, c: Command) -> None:
        order = self.resting.get(c.order_id)
        refused = self.random.random() < self.refuses
        if order is None or refused:
            self._say_of(ResponseKind.AMEND_REJECTED, c.order_id)
        elif c.qty <= order.filled:
            self._end(order, ResponseKind.CANCELLED)
        else:
            order.price, order.open = c.price, c.qty - order.filled
            self._say(ResponseKind.AMENDED, order, order.open)
            self._meet(order, Liquidity.TAKER, self.random.random() < 0.5)

    def _cancel(self, c: Command) -> None:
        order = self.resting.get(c.order_id)
        if order is None or self.random.random() < self.refuses:
            self._say_of(ResponseKind.CANCEL_REJECTED, c.order_id)
        else:
            self._end(order, ResponseKind.CANCELLED)

    def _meet(self, order: Order, liquidity: int, whole: bool, market: bool = False) -> None:
        """Fill what crosses the touch."""
        if not market and not self._crosses(order.side, order.price, order.instrument):
            return
        bid, ask = self.touches[order.instrument]
        price = ask if order.side == BUY else bid
        if liquidity == Liquidity.MAKER:
            price = order.price
        part = order.open if whole else self.random.randint(1, order.open)
        if not whole and part > 1:
            first = self.random.randint(1, part - 1)
            self._fill(order, price, first, liquidity)
            part -= first
        self._fill(order, price, part, liquidity)

    def _fill(self, order: Order, price: int, qty: int, liquidity: int) -> None:
        order.open -= qty
        order.filled += qty
        self.fills += 1
        bid, ask = self.touches[order.instrument]
        if order.open == 0:
            order.ended = ResponseKind.FILL
            del self.resting[order.order_id]
        told = {"liquidity": int(liquidity), "fill_id": self.fills, "mid2": bid + ask}
        self._say(ResponseKind.FILL, order, qty, price, **told)

    def _end(self, order: Order, kind: ResponseKind) -> None:
        qty, order.open = order.open, 0
        order.ended = int(kind)
        self.resting.pop(order.order_id, None)
        self._say(kind, order, qty)

    def _say_of(self, kind: ResponseKind, order_id: int) -> None:
        unknown = Order(order_id, 0, 0, 0, 0, 0)
        self._say(kind, self.orders.get(order_id, unknown))

    def _say(
        self, kind: ResponseKind, order: Order, qty: int = 0, price: int = -1, **told: int
    ) -> None:
        self.seq += 1
        price = order.price if price < 0 else price
        head = (self.session, self.seq, int(kind), order.order_id, price, qty, order.filled)
        answer = Answer(*head, **told)
        self.answers.append(answer)
        if kind == ResponseKind.FILL:
            self.filled[order.order_id, order.filled] = answer
        self.seen[kind.name] += 1
        self.moved(answer)
