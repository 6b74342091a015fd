"""What a tripped breaker asks of a desk in plain Python, and what an ended order leaves behind."""

from typing import Any

from hft.core.codes import IntentType, OrderStatus, OrderType, Reason, Side, Tif
from tests.naive.gateway import NaiveGateway
from tests.naive.gateway_state import Answer, Leaf, Order, Rules, S

AGAIN_NS = S


class Trips(NaiveGateway):
    """Cancels for what is open in a scope, then closing orders for what is held there."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.now = 0
        self.next_id = 1
        self.exempt = False
        self.touches: list[dict[str, int]] = [
            {"bid_tick": 0, "ask_tick": 0, "valid": 0, "ts_ns": 0} for _ in range(rules.instruments)
        ]
        self.taken: set[Any] = set()
        self.tifs: dict[int, Tif] = {}
        self.refused: dict[int, int] = {}
        self.refused_leaf: dict[Any, int] = {}
        self.closing: dict[Any, int] = {}

    def decide(self, now: int, touch: dict[str, int], **intent: int) -> Answer:
        """As the gateway's; `exempt`: it only lowers risk, `priced`: it came so far."""
        self._asked: dict[str, Any] | None = None
        answer = super().decide(now, touch, **intent)
        cancels = intent.get("intent_type", 0) == IntentType.CANCEL
        q = self._asked
        self.exempt = cancels or (q is not None and (q["proven"] or q["lowers"]))
        answer.priced = q is not None
        return answer

    def _question(self, touch: dict[str, int], i: dict[str, int]) -> dict[str, Any]:
        self._asked = super()._question(touch, i)
        return self._asked

    def own(self, kind: IntentType) -> dict[str, int]:
        """An intent of the gateway's own making."""
        self.next_id += 1
        return {
            "intent_id": self.next_id - 1,
            "intent_type": int(kind),
            "tif": int(Tif.IOC),
            "order_type": int(OrderType.MARKET),
            "timestamp_ns": self.now,
            "target_id": 0,
            "qty": 0,
            "price": 0,
        }

    def ended(self, order: Order, status: OrderStatus) -> None:
        where = (order.account, order.strategy, order.instrument)
        if not order.filled and self.closing.get(where) == order.id:
            self.refused_leaf[where] = self.now
        self.done(order.id, status, self.now)

    def take_back(self, order_id: int, reason: Reason) -> None:
        """The command just decided, or the newest about an order, was not sent."""
        self.dispatch_failed(order_id, reason, self.now)

    def trip_intents(self) -> list[dict[str, int]]:
        if not (self.leader and self.venue_up):
            return []
        rules = self.rules
        scopes: list[Any] = ["global"]
        scopes += [("account", k) for k in range(rules.accounts)]
        scopes += [("strategy", k) for k in range(rules.strategies)]
        scopes += [("instrument", k) for k in range(rules.instruments)]
        self.taken &= set(self.trips)
        asked: list[dict[str, int]] = []
        for scope in scopes:
            if scope not in self.trips or scope in self.taken:
                continue
            before = len(asked)
            orders = [o for o in self.orders.values() if self._inside(scope, o)]
            for order in sorted(orders, key=lambda o: o.id):
                self._ask_cancel(order, asked)
            left = len(orders)
            if not left:
                left = self._ask_close(scope, asked)
            if not left and len(asked) == before:
                self.taken.add(scope)
        return asked

    def _inside(self, scope: Any, o: Order) -> bool:
        return self._covers(scope, (o.account, o.strategy, o.instrument))

    def _covers(self, scope: Any, where: tuple[int, int, int]) -> bool:
        if scope == "global":
            return True
        return where[("account", "strategy", "instrument").index(scope[0])] == scope[1]

    def _waits(self, since: int | None) -> bool:
        return bool(since) and self.now - (since or 0) < AGAIN_NS

    def _ask_cancel(self, order: Order, asked: list[dict[str, int]]) -> None:
        if order.cancels or self.tifs[order.id] == Tif.IOC:
            return
        if self._waits(self.refused.get(order.id)):
            return
        if any(one["target_id"] == order.id for one in asked):
            return
        cancel = {"target_id": order.id, "side": 0, "strategy_idx": order.strategy}
        cancel |= {"account_idx": order.account, "instrument_idx": order.instrument}
        asked.append(self.own(IntentType.CANCEL) | cancel)

    def _ask_close(self, scope: Any, asked: list[dict[str, int]]) -> int:
        held = sorted(
            (item for item in self.leaves.items() if self._held(scope, *item)),
            key=lambda item: item[0],
        )
        for where, leaf in held:
            side = Side.SELL if leaf.net > 0 else Side.BUY
            closing = self.open_qty(*where, side)
            account, strategy, instrument = where
            if closing >= abs(leaf.net) or not self.touches[instrument]["valid"]:
                continue
            if self._waits(self.refused_leaf.get(where)):
                continue
            who = {"account_idx": account, "strategy_idx": strategy, "instrument_idx": instrument}
            closes = [one for one in asked if not one["target_id"]]
            if any(all(one[n] == who[n] for n in list(who)[1:]) for one in closes):
                continue
            close = {"side": int(side), "qty": abs(leaf.net) - closing}
            asked.append(self.own(IntentType.FORCE_FLAT) | who | close)
        return len(held)

    def _held(self, scope: Any, where: tuple[int, int, int], leaf: Leaf) -> bool:
        return leaf.net != 0 and self._covers(scope, where)
