"""Whatever happens to orders, what is held is what may still trade."""

import hypothesis.strategies as st
from gateway_world import gateway
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from hft.core.codes import IntentType, OrderStatus, Reason
from tests.naive.gateway import Rules

RULES = Rules(
    strategies=1,
    instruments=1,
    long_max=60,
    short_max=60,
    order_size=25,
    global_max=700_000,
    per_s=200,
    dedup_window=8,
)
PER_TICK = RULES.money_per_tick_lot


class HeldIsOpen(RuleBasedStateMachine):
    """The model knows, for each order, every (price, open lots) it may still have."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.gateway = gateway(RULES, order_capacity=32)
        self.now = int(self.gateway.touches[0]["ts_ns"])
        self.next_id = 1
        self.model: dict[int, dict] = {}
        self.net = 0

    def send(self, **intent: int) -> tuple[Reason, int]:
        self.now += 1
        order_id = self.next_id
        self.next_id += 1
        before = self.totals()
        row = self.gateway.decide(self.now, intent_id=order_id, order_type=1, **intent)
        reason = Reason(int(row["reason"]))
        if reason or row["replayed"]:
            assert self.totals() == before, "a refusal changed what is held"
            return reason or Reason.DEDUP_IN_FLIGHT, order_id
        return reason, order_id

    def totals(self) -> tuple[int, ...]:
        head, leaf = self.gateway.state.head[0], self.gateway.state.leaves[0]
        return tuple(
            int(value)
            for value in (
                head["reserved_money"],
                head["settled_money"],
                head["live_orders"],
                leaf["open_buy_qty"],
                leaf["open_sell_qty"],
                leaf["net_qty"],
            )
        )

    @rule(
        target=orders,
        side=st.integers(0, 1),
        away=st.integers(1, 9),
        qty=st.integers(0, 30),
        key=st.integers(0, 6),
    )
    def new(self, side: int, away: int, qty: int, key: int) -> int:
        price = 1000 - away if side == 0 else 1000 + away
        reason, order_id = self.send(side=side, price=price, qty=qty, key_hi=key, key_lo=key)
        if reason == Reason.OK:
            self.model[order_id] = {
                "side": side,
                "now": (price, qty),
                "flight": [],
                "filled": 0,
            }
        return order_id

    @rule(order_id=orders, price_change=st.integers(-3, 3), qty=st.integers(1, 30))
    def amend(self, order_id: int, price_change: int, qty: int) -> None:
        order = self.model.get(order_id)
        price = 1000 if order is None else order["now"][0] + price_change
        reason, _ = self.send(
            intent_type=IntentType.AMEND, side=0, price=price, qty=qty, target_id=order_id
        )
        if reason == Reason.OK:
            assert order is not None
            order["flight"].append((price, qty))

    @rule(order_id=orders)
    def cancel(self, order_id: int) -> None:
        reason, _ = self.send(intent_type=IntentType.CANCEL, target_id=order_id)
        assert reason == (Reason.OK if order_id in self.model else Reason.NOT_FOUND)

    @rule(order_id=orders, accepted=st.booleans())
    def amend_answer(self, order_id: int, accepted: bool) -> None:
        order = self.model.get(order_id)
        if order is None or not order["flight"]:
            return
        price, qty = order["flight"].pop()
        if not accepted:
            self.gateway.amend_rejected(order_id, self.now)
            return
        order["now"] = (price, qty)
        self.gateway.amended(order_id, price, qty, self.now)
        if order["filled"] >= qty:
            del self.model[order_id]

    @rule(order_id=orders, qty=st.integers(1, 30))
    def fill(self, order_id: int, qty: int) -> None:
        order = self.model.get(order_id)
        if order is None:
            return
        qty = min(qty, order["now"][1] - order["filled"])
        if qty <= 0:
            return
        order["filled"] += qty
        self.net += qty if order["side"] == 0 else -qty
        done = self.gateway.fill(order_id, order["now"][0], qty, self.now)
        assert done == int(order["filled"] == order["now"][1])
        if done:
            del self.model[order_id]

    @rule(order_id=orders, status=st.sampled_from([4, 5, 7]))
    def end(self, order_id: int, status: int) -> None:
        if self.model.pop(order_id, None) is not None:
            self.gateway.done(order_id, OrderStatus(status), self.now)

    @rule(order_id=orders)
    def lose_sight(self, order_id: int) -> None:
        if order_id in self.model:
            self.gateway.unknown(order_id, self.now)

    @rule(order_id=orders)
    def ack(self, order_id: int) -> None:
        if order_id in self.model:
            self.gateway.ack(order_id, self.now)

    @rule()
    def freeze_and_thaw(self) -> None:
        saved = self.gateway.snapshot()
        self.send(side=0, price=999, qty=1)
        self.gateway.restore(saved)

    @invariant()
    def held_is_what_may_trade(self) -> None:
        self.gateway.prove()
        open_qty, money = [0, 0], 0
        for order in self.model.values():
            shapes = [order["now"]]
            if order["flight"]:
                flights = order["flight"]
                shapes.append((max(p for p, _ in flights), max(q for _, q in flights)))
            opens = [(p, max(0, q - order["filled"])) for p, q in shapes]
            # An answered amend may leave an older, larger one of the same flight as the hold.
            open_qty[order["side"]] += max(q for _, q in opens)
            money += max(p * q for p, q in opens) * PER_TICK
        leaf = self.gateway.state.leaves[0]
        held = (int(leaf["open_buy_qty"]), int(leaf["open_sell_qty"]))
        assert held[0] >= open_qty[0] and held[1] >= open_qty[1]
        if not any(len(order["flight"]) for order in self.model.values()):
            assert held == tuple(open_qty)
            assert int(leaf["reserved_money"]) == money
        assert int(leaf["net_qty"]) == self.net
        assert self.gateway.state.head[0]["invariant_failures"] == 0


HeldIsOpen.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestHeldIsOpen = HeldIsOpen.TestCase
