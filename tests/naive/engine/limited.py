"""Our side under limits: the gateway's own twin (tests/naive/gateway.py) decides each intent.

What a strategy sees of its orders is kept here, as without limits; both follow the same answers.
"""

from hft.core.codes import IntentType, OrderStatus, OrderType, Reason, ResponseKind
from tests.naive.engine.gateway import NOTHING, Gateway, Intent, Order, is_market
from tests.naive.engine.venue import Answer
from tests.naive.gateway import NaiveGateway, Rules
from tests.naive.gateway_state import Answer as Decision

ENDED = {
    ResponseKind.CANCELLED: OrderStatus.CANCELLED,
    ResponseKind.EXPIRED: OrderStatus.EXPIRED,
    ResponseKind.REJECTED: OrderStatus.FAILED,
}


class Limited(Gateway):
    """All working orders of the account, and the rules that new ones must keep."""

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self.rules = NaiveGateway(rules)
        self.cancels: list[tuple[int, int]] = []  # own orders met: id, and a total or 0

    def judge(self, intent: Intent, touch: dict[str, int], now: int) -> Reason:
        """Approve or refuse; an approved order is one of ours from now on."""
        before = self.orders.get(intent.target)
        found = self.rules.decide(now, touch, **_fields(intent, now))
        self.cancels = found.cancels
        if found.reason == Reason.OK:
            self._take_on(intent, found, before)
        if intent.kind == IntentType.NEW and found.reason != Reason.BAD_MESSAGE:
            intent.price = found.price
        return found.reason

    def _take_on(self, intent: Intent, found: Decision, target: Order | None) -> None:
        if intent.kind in (IntentType.NEW, IntentType.FORCE_FLAT):
            intent.sent = found.qty
            if is_market(intent):
                intent.type = int(OrderType.MARKET)
            self._open(
                Order(
                    *(intent.number, intent.strategy, intent.instrument, intent.side),
                    *(found.price, found.qty, intent.tif),
                    asked_by=intent.number,
                )
            )
            return
        assert target is not None
        intent.side, intent.tif = target.side, target.tif
        target.request, target.asked_by = intent.kind, intent.number
        target.amends += intent.kind == IntentType.AMEND
        target.cancels += intent.kind == IntentType.CANCEL

    def answer(self, answer: Answer) -> Order | None:
        """Take an answer in. Returns: the order it is about, None when that has ended."""
        if answer.oid in self.orders and not answer.again:
            self._tell(answer)
        return super().answer(answer)

    def _tell(self, answer: Answer) -> None:
        rules, oid, at = self.rules, answer.oid, answer.heard_ns
        kind = ResponseKind(answer.kind)
        if kind == ResponseKind.FILL:
            rules.fill(oid, answer.price, answer.lots, at)
        elif kind in ENDED:
            rules.done(oid, ENDED[kind], at)
        elif kind == ResponseKind.AMENDED:
            rules.amended(oid, answer.price, self.orders[oid].filled + answer.lots, at)
        else:
            words = {
                ResponseKind.ACK: rules.ack,
                ResponseKind.AMEND_REJECTED: rules.amend_rejected,
                ResponseKind.CANCEL_REJECTED: rules.cancel_rejected,
                ResponseKind.UNKNOWN: rules.unknown,
            }
            words[kind](oid, at)

    def turns_out(self, order: Order, rests: bool, now: int) -> None:
        """What the venue says of an order of which an answer was lost."""
        if rests:
            self.rules.ack(order.oid, now)
        else:
            self.rules.done(order.oid, OrderStatus.CANCELLED, now)
        super().turns_out(order, rests, now)


def _fields(intent: Intent, now: int) -> dict[str, int]:
    return {
        "intent_id": intent.number,
        "strategy_idx": intent.strategy,
        "instrument_idx": intent.instrument,
        "intent_type": intent.kind,
        "side": intent.side,
        "price": intent.price,
        "qty": intent.lots,
        "tif": intent.tif,
        "order_type": intent.type,
        "target_id": intent.target,
        "timestamp_ns": now,
    }


__all__ = ["NOTHING", "Limited"]
