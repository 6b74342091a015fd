"""One set of rules for both gateways, and a driver that gives them the same day.

`Pair` calls kernel and twin with the same arguments and compares answers and totals; `play` is a
seeded day of intents, venue answers and control inputs.
"""

import random
from typing import Any

import numpy as np

from hft.core.codes import ControlKind, IntentType, OrderStatus, PolicyMode, Reason, Side
from hft.core.dtypes import INSTRUMENT
from hft.gateway.gateway import Gateway
from hft.gateway.rows import MODE_OWNER_STRATEGY, KillScope
from tests.naive.gateway import NaiveGateway, Rules
from tests.naive.gateway_rows import resolved

S = 1_000_000_000
EDGE = 1 << 63
START = 1_700_000_000 * S


def gateway(rules: Rules, order_capacity: int = 64) -> Gateway:
    """A kernel gateway under these rules."""
    instruments = np.zeros(rules.instruments, INSTRUMENT)
    instruments["money_per_tick_lot"] = rules.money_per_tick_lot
    made = Gateway(
        instruments,
        resolved(rules),
        rules.accounts,
        rules.strategies,
        order_capacity=order_capacity,
        dedup_window=rules.dedup_window,
    )
    made.touches["bid_tick"], made.touches["ask_tick"] = 999, 1001
    made.touches["valid"] = 1
    made.touches["ts_ns"] = START
    return made


class Pair:
    """Kernel and twin side by side; every call goes to both and is compared."""

    def __init__(self, rules: Rules, **sizes: int) -> None:
        self.rules = rules
        self.kernel = gateway(rules, **sizes)
        self.twin = NaiveGateway(rules)
        self.now = START
        self.next_id = 1
        self.seen: set[Reason] = set()
        self.trace: list[tuple[int, int]] = []

    def touch(self, instrument: int = 0) -> dict[str, int]:
        row = self.kernel.touches[instrument]
        return {name: int(row[name]) for name in ("bid_tick", "ask_tick", "valid", "ts_ns")}

    def set_touch(self, instrument: int, **fields: int) -> None:
        for name, value in fields.items():
            self.kernel.touches[instrument][name] = value

    def decide(self, **intent: int) -> tuple[Reason, int]:
        """One intent through both. Returns: the reason and the order's id."""
        intent.setdefault("intent_id", self.next_id)
        intent.setdefault("order_type", 1)
        intent.setdefault("timestamp_ns", self.now)
        self.next_id = max(self.next_id, intent["intent_id"]) + 1
        touch = self.touch(max(0, min(intent.get("instrument_idx", 0), self.rules.instruments - 1)))
        answer = self.twin.decide(self.now, touch, **intent)
        row = self.kernel.decide(self.now, **intent)
        reason = Reason(int(row["reason"]))
        assert (reason, bool(row["replayed"])) == (answer.reason, answer.replayed), intent
        assert int(row["cmd_id"]) == answer.cmd_id, intent
        state = self.kernel.state
        count = int(state.head[0]["cancel_count"])
        ids = [int(state.orders[slot]["order_id"]) for slot in state.cancels[:count]]
        assert list(zip(ids, state.cancel_qty[:count].tolist(), strict=True)) == answer.cancels
        self.seen.add(reason)
        self.trace.append((int(reason), int(row["replayed"])))
        self.same()
        return reason, intent["intent_id"]

    def both(self, name: str, *args: Any) -> None:
        """A venue answer or another input, given to both."""
        getattr(self.twin, name)(*args, self.now)
        getattr(self.kernel, name)(*args, self.now)
        self.same()

    def dispatch_failed(self, order_id: int, reason: Reason) -> None:
        self.twin.dispatch_failed(order_id, reason, self.now)
        self.kernel.dispatch_failed(order_id, reason)
        self.same()

    def pnl(self, strategy: int, money: int) -> None:
        self.both("pnl", strategy, money)

    def market(self, instrument: int) -> None:
        self.twin.market(instrument, self.touch(instrument), self.now)
        self.kernel.market(instrument, self.now)

    def control(self, kind: ControlKind, code: int, value: int) -> None:
        self.kernel.control(kind, code, value, self.now)

    def set_operator(self, mode: PolicyMode) -> None:
        self.twin.operator = mode
        self.control(ControlKind.MODE, 0, mode)

    def set_strategy(self, strategy: int, mode: PolicyMode) -> None:
        self.twin.strategy_mode[strategy] = mode
        if mode == PolicyMode.NORMAL:
            self.twin.repeated[strategy] = False
        self.control(ControlKind.MODE, MODE_OWNER_STRATEGY + strategy, mode)

    def kill(self, scope: KillScope, index: int, on: bool) -> None:
        names: dict[KillScope, Any] = {
            KillScope.GLOBAL: "global",
            KillScope.ACCOUNT: ("account", index),
            KillScope.STRATEGY: ("strategy", index),
            KillScope.SYMBOL: ("instrument", index),
        }
        if scope == KillScope.BYTE:
            self.twin.kill_byte = int(on)
        else:
            self.twin.kill(names[scope], on, self.now)
        self.control(ControlKind.KILL, int(scope) + 16 * index, int(on))

    def same(self) -> None:
        """Totals of both agree; the kernel's own invariants hold."""
        self.kernel.prove()
        head, twin = self.kernel.state.head[0], self.twin
        assert int(head["reserved_money"]) == twin.reserved()
        assert int(head["settled_money"]) == twin.settled()
        assert int(head["live_orders"]) == len(twin.orders)
        for order in twin.orders.values():
            row = self.kernel.state.orders[self.kernel.slot(order.id)]
            request = None if row["request"] < 0 else IntentType(int(row["request"]))
            assert (request, int(row["status"])) == (order.request, order.status), order
        for (account, strategy, instrument), leaf in twin.leaves.items():
            assert self.kernel.position(account, strategy, instrument) == leaf.net


def play(pair: Pair, rng: random.Random, steps: int) -> None:
    """A seeded day: whatever a strategy, the venue and an operator may do, in any order."""
    sent: list[dict[str, int]] = []
    for _ in range(steps):
        if rng.random() < 0.7:
            pair.now += rng.choice((0, 1, 10**6, 10**8, S // 4))
        draw = rng.random()
        if draw < 0.45:
            send(pair, rng, sent)
        elif draw < 0.85:
            answer(pair, rng)
        elif draw < 0.95:
            move(pair, rng)
        else:
            operate(pair, rng)


def send(pair: Pair, rng: random.Random, sent: list[dict[str, int]]) -> None:
    """An intent of any kind; some repeat an old key, with the same body or another."""
    if sent and rng.random() < 0.12:
        again = dict(rng.choice(sent))
        if rng.random() < 0.3:
            again["qty"] += 1
        again["intent_id"] = pair.next_id
        pair.decide(**again)
        return
    intent = {
        "strategy_idx": rng.randrange(pair.rules.strategies),
        "account_idx": rng.randrange(pair.rules.accounts),
        "instrument_idx": rng.randrange(pair.rules.instruments),
        "intent_type": rng.choice((0, 0, 0, 0, 0, 1, 1, 2, 3)),
        "side": rng.randrange(2),
        "price": rng.choice((1000 + rng.randint(-15, 15), 1000, 0, -1, 1200, 10**9)),
        "qty": rng.choice((1, 1, 2, 3, 5, 8, 0, -2, 40)),
        "tif": rng.choice((0, 0, 0, 1, 2, 5)),
        "order_type": rng.choice((1, 1, 1, 1, 0)),
    }
    if rng.random() < 0.7:
        intent["price"] = 1000 + (-1 if intent["side"] == Side.BUY else 1) * rng.randint(1, 8)
    if rng.random() < 0.3:
        intent["ttl_ns"] = rng.choice((1, 10**9))
        intent["timestamp_ns"] = pair.now - rng.choice((0, 2, 2 * 10**9))
    if rng.random() < 0.03:
        odd = {"order_type": (2, 9, 77, -1), "tif": (6, 99, -1), "stop_price": (1,)}
        name = rng.choice((*odd, "display_qty"))
        intent[name] = rng.choice(odd.get(name, (5,)))
    if rng.random() < 0.03:
        intent["ttl_ns"] = rng.choice((1, EDGE - 1))
        intent["timestamp_ns"] = rng.choice((-EDGE, 0, EDGE - 1))
    if intent["intent_type"] in (IntentType.AMEND, IntentType.CANCEL) and pair.twin.orders:
        order = rng.choice(list(pair.twin.orders.values()))
        intent["target_id"] = order.id
        if rng.random() < 0.9:
            intent["strategy_idx"], intent["account_idx"] = order.strategy, order.account
            intent["instrument_idx"] = order.instrument
        if rng.random() < 0.4:
            intent["price"] = order.price
            if rng.random() < 0.5 and order.qty > 1:
                intent["qty"] = rng.randrange(1, order.qty)
    if rng.random() < 0.6:
        intent["key_hi"], intent["key_lo"] = rng.randint(1, 9), rng.randint(1, 40)
        sent.append(intent)
    reason, order_id = pair.decide(**intent)
    if reason == Reason.OK and rng.random() < 0.05:
        target = intent.get("target_id", order_id)
        if intent["intent_type"] in (IntentType.NEW, IntentType.FORCE_FLAT):
            target = order_id
        if target in pair.twin.orders and pair.trace[-1][1] == 0:
            if rng.random() < 0.5:
                cancel_others(pair, rng, target)
            pair.dispatch_failed(target, Reason.ORDER_QUEUE_FULL)


def cancel_others(pair: Pair, rng: random.Random, target: int) -> None:
    """Cancels of other orders, which leave before an approved command does."""
    others = [order for order in pair.twin.orders.values() if order.id != target]
    for order in others[:2]:
        pair.decide(
            intent_type=IntentType.CANCEL,
            target_id=order.id,
            strategy_idx=order.strategy,
            account_idx=order.account,
            instrument_idx=order.instrument,
            key_hi=rng.choice((0, 77)),
            key_lo=pair.next_id,
        )


def answer(pair: Pair, rng: random.Random) -> None:
    """Something the venue says about a working order."""
    if not pair.twin.orders:
        return
    order = rng.choice(list(pair.twin.orders.values()))
    choice = rng.random()
    if order.status == OrderStatus.PENDING_SUBMIT and choice < 0.5:
        pair.both("ack", order.id)
    elif choice < 0.55 and order.held_qty() > 0 and order.qty > order.filled:
        price = order.price + rng.randint(-2, 2)
        pair.both("fill", order.id, max(1, price), rng.randint(1, order.qty - order.filled))
    elif choice < 0.75 and order.amends:
        if rng.random() < 0.7:
            pair.both("amended", order.id, order.high[0], order.high[1])
        else:
            pair.both("amend_rejected", order.id)
    elif choice < 0.8:
        pair.both("cancel_rejected", order.id)
    elif choice < 0.86:
        pair.both("unknown", order.id)
    else:
        ends = (OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.FAILED)
        pair.both("done", order.id, rng.choice(ends))


def move(pair: Pair, rng: random.Random) -> None:
    """The market and the P&L move."""
    instrument = rng.randrange(pair.rules.instruments)
    mid = 1000 + rng.randint(-4, 4) * rng.choice((1, 1, 1, 20))
    pair.set_touch(instrument, bid_tick=mid - 1, ask_tick=mid + 1)
    if rng.random() < 0.8:
        pair.set_touch(instrument, ts_ns=pair.now, valid=int(rng.random() < 0.95))
    pair.market(instrument)
    if rng.random() < 0.5:
        pair.pnl(rng.randrange(pair.rules.strategies), rng.randint(-6_000, 6_000))


def operate(pair: Pair, rng: random.Random) -> None:
    """An operator: mostly back to normal, so that the day goes on."""
    choice = rng.random()
    strategy = rng.randrange(pair.rules.strategies)
    if choice < 0.2:
        pair.set_operator(rng.choice(list(PolicyMode)))
    elif choice < 0.3:
        pair.set_strategy(strategy, rng.choice(list(PolicyMode)))
    elif choice < 0.4:
        pair.kill(rng.choice(list(KillScope)), 0, True)
    elif choice < 0.5:
        pair.twin.leader = not pair.twin.leader
        pair.control(ControlKind.LEASE, int(pair.twin.leader), 0)
    elif choice < 0.55:
        pair.twin.venue_up = not pair.twin.venue_up
        kind = ControlKind.RECONNECT if pair.twin.venue_up else ControlKind.DISCONNECT
        pair.control(kind, 0, 0)
    elif choice < 0.6:
        ns = rng.choice((0, 6_000_000, 30_000_000))
        pair.twin.latency(ns, pair.now)
        pair.control(ControlKind.LATENCY, 0, ns)
    elif choice < 0.65:
        pair.twin.reset_daily()
        pair.control(ControlKind.RESET_DAILY, 0, 0)
    elif choice < 0.7:
        saved = pair.kernel.snapshot()
        pair.kernel.decide(pair.now, intent_id=10**9, side=0, price=999, qty=1, order_type=1)
        pair.kernel.restore(saved)
        pair.same()
    else:
        pair.set_operator(PolicyMode.NORMAL)
        for index in range(pair.rules.strategies):
            pair.set_strategy(index, PolicyMode.NORMAL)
            pair.kill(KillScope.STRATEGY, index, False)
        for scope in (KillScope.GLOBAL, KillScope.ACCOUNT, KillScope.SYMBOL, KillScope.BYTE):
            pair.kill(scope, 0, False)
        pair.twin.leader = pair.twin.venue_up = True
        pair.control(ControlKind.LEASE, 1, 0)
        pair.control(ControlKind.RECONNECT, 0, 0)
