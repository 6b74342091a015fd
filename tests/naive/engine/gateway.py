"""Our side: orders as we know them, and the few refusals that accounting alone has.

With every limit off the gateway refuses what cannot be an order, a market order without a touch, a
trade with ourselves, a second request for one order, and requests about orders that are not there.
"""

from dataclasses import dataclass

from hft.core.codes import IntentType, OrderType, Reason, ResponseKind, Tif
from tests.naive.engine.venue import Answer

BUY, SELL = 0, 1
NOTHING = -1
ENDS = (ResponseKind.CANCELLED, ResponseKind.EXPIRED, ResponseKind.REJECTED)


@dataclass(slots=True)
class Order:
    """A working order as acknowledged; `request` is the kind of what is under way."""

    oid: int
    strategy: int
    instrument: int
    side: int
    price: int
    lots: int
    tif: int
    filled: int = 0
    request: int = int(IntentType.NEW)
    amends: int = 0  # how many are under way
    asked_low: int = 0  # of the prices that those ask for
    asked_high: int = 0
    asked_by: int = 0  # the intent of the newest request
    unknown: bool = False  # an answer was lost
    counted: bool = False  # some time one was: `cancels` and `amends` tell what is under way
    heard: bool = False  # something was answered
    cancels: int = 0  # how many are under way
    refused_ns: int | None = None  # when the venue last refused to cancel it

    @property
    def open(self) -> int:
        return self.lots - self.filled


@dataclass(slots=True)
class Intent:
    """What a strategy wrote."""

    number: int
    kind: int
    strategy: int
    instrument: int
    side: int = 0
    price: int = 0
    lots: int = 0
    tif: int = 0
    type: int = int(OrderType.LIMIT)
    target: int = 0
    expires_ns: int = 0
    sent: int = 0  # lots of the command, where they are not those asked for


class Gateway:
    """All working orders of the account."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.whose: dict[tuple[int, int, int], dict[int, Order]] = {}

    def of(self, strategy: int, instrument: int, side: int) -> list[Order]:
        """Own working orders of a side, the oldest first."""
        found = self.whose.get((strategy, instrument, side))
        return list(found.values()) if found else []

    def _open(self, order: Order) -> None:
        self.orders[order.oid] = order
        key = (order.strategy, order.instrument, order.side)
        self.whose.setdefault(key, {})[order.oid] = order

    def _close(self, order: Order) -> None:
        del self.orders[order.oid]
        del self.whose[order.strategy, order.instrument, order.side][order.oid]

    def decide(self, intent: Intent, touch: int | None) -> Reason:
        """Approve or refuse; `touch` is the price of a market order, None without a valid book."""
        if intent.kind == IntentType.NEW:
            return self._new(intent, touch)
        target = self.orders.get(intent.target)
        whose = (intent.strategy, intent.instrument)
        if target is None or (target.strategy, target.instrument) != whose:
            cancel = intent.kind == IntentType.CANCEL
            return Reason.NOT_FOUND if cancel else Reason.EXPOSURE_ORDER_UNKNOWN
        intent.side = target.side
        if intent.kind == IntentType.CANCEL:
            return self._cancel(intent, target)
        return self._amend(intent, target)

    def _new(self, intent: Intent, touch: int | None) -> Reason:
        market = is_market(intent)
        if intent.type not in (OrderType.MARKET, OrderType.LIMIT) or not 0 <= intent.tif <= Tif.GTX:
            return Reason.BAD_MESSAGE
        if market and touch is None:
            return Reason.MARKET_NO_TOUCH
        if market:
            assert touch is not None
            intent.price, intent.type = touch, int(OrderType.MARKET)
        if self._meets_own(intent, market):
            return Reason.SELF_TRADE
        self._open(
            Order(
                *(intent.number, intent.strategy, intent.instrument, intent.side),
                *(intent.price, intent.lots, intent.tif),
                asked_by=intent.number,
            )
        )
        return Reason.OK

    def _meets_own(self, intent: Intent, market: bool) -> bool:
        if intent.tif == Tif.GTX:
            return False
        for order in self.orders.values():
            if order.instrument != intent.instrument or order.side == intent.side:
                continue
            prices = [order.price]
            if order.amends:
                prices += [order.asked_low, order.asked_high]
            if market or any(_meets(intent.side, intent.price, price) for price in prices):
                return True
        return False

    def _cancel(self, intent: Intent, target: Order) -> Reason:
        target.asked_by = intent.number
        target.request = int(IntentType.CANCEL)
        target.cancels += 1
        return Reason.OK

    def _amend(self, intent: Intent, target: Order) -> Reason:
        if target.unknown:
            return Reason.OUTCOME_UNKNOWN
        intent.tif = target.tif
        less = intent.price == target.price and intent.lots < target.lots
        if not less and self._meets_own(intent, False):
            return Reason.SELF_TRADE
        target.request = int(IntentType.AMEND)
        target.asked_by = intent.number
        if target.amends == 0:
            target.asked_low = target.asked_high = intent.price
        target.asked_low = min(target.asked_low, intent.price)
        target.asked_high = max(target.asked_high, intent.price)
        target.amends += 1
        return Reason.OK

    def known_again(self, order: Order) -> None:
        """An order of which an answer was lost is known: what nothing of is under way is over."""
        order.unknown = False
        if order.request != IntentType.NEW:
            self._count(order)

    def _count(self, order: Order) -> None:
        """Where an answer was lost, requests are told by how many of a kind are under way."""
        left = {int(IntentType.AMEND): order.amends, int(IntentType.CANCEL): order.cancels}
        if not left.get(order.request):
            order.request = next((kind for kind, count in left.items() if count), NOTHING)

    def _lost(self, order: Order) -> None:
        """After the first answer a lost one counts as one to a cancel, if one is under way."""
        order.cancels -= order.heard and order.cancels > 0
        order.unknown = order.heard = order.counted = True

    def _over(self, order: Order, answer: Answer) -> None:
        order.amends -= answer.kind in (ResponseKind.AMENDED, ResponseKind.AMEND_REJECTED)
        order.cancels -= answer.kind == ResponseKind.CANCEL_REJECTED and order.cancels > 0
        if not order.counted:
            if order.asked_by == answer.intent:  # not when a later request is under way
                order.request = NOTHING
        elif order.request == IntentType.NEW:
            order.request = NOTHING if answer.kind == ResponseKind.ACK else order.request
        else:
            self._count(order)

    def turns_out(self, order: Order, rests: bool, now: int) -> None:
        """What the venue says of an order of which an answer was lost."""
        if rests:
            self.known_again(order)
            if order.request == IntentType.NEW:
                order.request = NOTHING
        else:
            self._close(order)

    def answer(self, answer: Answer) -> Order | None:
        """Take an answer in. Returns: the order it is about, None when that has ended."""
        order = self.orders.get(answer.oid)
        if order is None or answer.again:
            return None
        if answer.kind == ResponseKind.UNKNOWN:
            self._lost(order)
            return order
        if answer.kind in KNOWN and order.unknown:
            self.known_again(order)
        order.heard = True
        if answer.kind == ResponseKind.FILL:
            if order.request == IntentType.NEW:
                order.request = NOTHING
            order.filled += answer.lots
            if order.open <= 0:
                self._close(order)
        elif answer.kind in ENDS:
            self._close(order)
        else:
            if answer.kind == ResponseKind.AMENDED:
                order.price, order.lots = answer.price, order.filled + answer.lots
            self._over(order, answer)
        return order


KNOWN = (ResponseKind.ACK, ResponseKind.FILL, ResponseKind.AMENDED)


def is_market(intent: Intent) -> bool:
    """By its type, or price 0 with IOC or FOK: docs/reference/gateway.md, "Words"."""
    at_once = intent.price == 0 and intent.tif in (Tif.IOC, Tif.FOK)
    return intent.type == OrderType.MARKET or at_once


def _meets(side: int, price: int, other: int) -> bool:
    return price >= other if side == BUY else price <= other
