"""Whatever a desk hears, it says what its twin says, and a restored one goes on the same way."""

import hypothesis.strategies as st
from desk_world import DeskPair, S
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hft.core.codes import ControlKind, IntentType, Reason, ResponseKind, SelfTradeMode
from tests.naive.gateway import Rules

PLAIN = Rules(dedup_window=6, feed_gap_ns=20 * S, cooldown_ns=S, clears=1)
WORLDS = {
    "plain": PLAIN,
    "cancel old": Rules(dedup_window=6, self_trade=SelfTradeMode.CANCEL_OLD),
    "decrement": Rules(dedup_window=4, self_trade=SelfTradeMode.DECREMENT, order_size=12),
    "limited": Rules(
        dedup_window=6, long_max=15, short_max=15, daily_loss=900, per_s=8, reset_ns=2 * S
    ),
}
QUEUED = st.sampled_from((0, 0, 0, 0, 3, 4, 7, 8))
CONTROLS = (
    (ControlKind.MODE, 0, 0),
    (ControlKind.MODE, 0, 1),
    (ControlKind.MODE, 0, 0),
    (ControlKind.KILL, 0, 1),
    (ControlKind.KILL, 0, 0),
    (ControlKind.KILL, 2, 1),
    (ControlKind.KILL, 2, 0),
    (ControlKind.START, 1, S),
    (ControlKind.RECOVERED, 0, 0),
    (ControlKind.LATENCY, 0, 600_000_000),
    (ControlKind.LATENCY, 0, 1000),
    (ControlKind.LEASE, 0, 1),
    (ControlKind.LEASE, 1, 2),
    (ControlKind.DISCONNECT, 0, 0),
    (ControlKind.RECONNECT, 0, 0),
    (ControlKind.RESET_DAILY, 0, 0),
)


class DeskIsItsTwin(RuleBasedStateMachine):
    """Rows drawn at random; orders that they are about are drawn from those there are."""

    @initialize(world=st.sampled_from(sorted(WORLDS)))
    def open(self, world: str) -> None:
        self.pair = DeskPair(WORLDS[world])
        self.touches = [(999, 1001), (999, 1001)]
        self.session, self.seq = 1, 0

    def touch(self, instrument: int) -> dict[str, int]:
        bid, ask = self.touches[instrument]
        valid = int(bid < ask)
        now = self.pair.now
        return {"bid_tick": bid, "ask_tick": ask, "valid": valid, "touch_ns": now}

    def order(self, k: int) -> int:
        """A working order, or now and then one that is not."""
        ids = sorted(self.pair.twin.orders)
        return ids[k % len(ids)] if ids and k % 11 else 900_000 + k

    @rule(
        kind=st.sampled_from((0, 0, 0, 0, 1, 2, 3)),
        who=st.integers(0, 1),
        what=st.integers(0, 1),
        side=st.integers(0, 1),
        away=st.integers(-3, 6),
        qty=st.integers(0, 14),
        tif=st.sampled_from((0, 0, 0, 1, 5)),
        key=st.integers(0, 5),
        k=st.integers(0, 99),
        queued=QUEUED,
    )
    def ask(
        self,
        kind: int,
        who: int,
        what: int,
        side: int,
        away: int,
        qty: int,
        tif: int,
        key: int,
        k: int,
        queued: int,
    ) -> None:
        pair = self.pair
        next_id = pair.desk.next_id
        fields = {"intent_id": next_id, "next_id": next_id + 1, "intent_type": kind}
        fields |= {"strategy_idx": who, "instrument_idx": what, "side": side, "qty": qty}
        fields |= {"price": 1000 - away if side == 0 else 1000 + away, "tif": tif, "order_type": 1}
        fields |= {"key_hi": key, "key_lo": key, "timestamp_ns": pair.now, "queued": queued}
        if kind in (IntentType.AMEND, IntentType.CANCEL):
            order = pair.twin.orders.get(self.order(k))
            fields["target_id"] = order.id if order else 77_777
            if order:
                fields |= {"strategy_idx": order.strategy, "instrument_idx": order.instrument}
                fields |= {"side": order.side}
        pair.hear("intent", **fields, **self.touch(fields["instrument_idx"]))

    @rule(
        kind=st.sampled_from((0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8)),
        k=st.integers(0, 99),
        part=st.integers(1, 14),
        price=st.integers(996, 1004),
        told=st.integers(-1, 2),
        number=st.sampled_from(
            ("next", "next", "next", "none", "again", "gap", "session", "session")
        ),
        liquidity=st.integers(0, 1),
        wrong=st.sampled_from((None,) * 8 + ("price", "qty")),
    )
    def answer(
        self,
        kind: int,
        k: int,
        part: int,
        price: int,
        told: int,
        number: str,
        liquidity: int,
        wrong: str | None,
    ) -> None:
        order = self.pair.twin.orders.get(self.order(k))
        fields = {"order_id": order.id if order else 88_888, "code": kind, "price": price}
        fields |= {"qty": part, "liquidity": liquidity}
        if order and kind == ResponseKind.FILL:
            fields["qty"] = max(1, min(part, order.held_qty()))
            if order.held_qty() < 1:
                return
            fields["total_qty"] = max(0, order.filled + fields["qty"] * (told > 0) + (told > 1))
            if wrong is not None:
                fields[wrong] = -fields[wrong]
        elif order and told > 0:  # what it had filled of it when it said this
            fields["total_qty"] = order.filled + told - 1
        if number == "session":
            self.session, self.seq = self.session + 1, 0
        self.seq += {"next": 1, "session": 1, "gap": 3}.get(number, 0)
        if number != "none":
            fields |= {"session": self.session, "seq": max(1, self.seq)}
        self.pair.hear("answer", **fields)

    @rule(
        k=st.integers(0, 99),
        outcome=st.integers(0, 2),
        end=st.sampled_from((2, 3, 4)),
        as_asked=st.booleans(),
        price=st.integers(990, 1010),
        qty=st.integers(0, 12),
        off=st.sampled_from((0, 0, 0, 1)),
    )
    def reconcile(
        self, k: int, outcome: int, end: int, as_asked: bool, price: int, qty: int, off: int
    ) -> None:
        order = self.pair.twin.orders.get(self.order(k))
        fields = {"order_id": order.id if order else 66_666, "code": outcome, "value": end}
        fields |= {"price": price, "qty": qty}
        if order and as_asked:
            price, total = order.high if order.amends else (order.price, order.qty)
            fields |= {"price": price, "qty": max(0, total - order.filled)}
        fields["total_qty"] = (order.filled if order else 0) + off
        self.pair.hear("reconciled", **fields)

    @rule(
        k=st.integers(0, 99),
        first=st.booleans(),
        kind=st.sampled_from((1, 2)),
        reason=st.sampled_from((Reason.STALE_FENCE, Reason.VENUE_DOWN)),
    )
    def unsent(self, k: int, first: bool, kind: int, reason: Reason) -> None:
        order = self.pair.twin.orders.get(self.order(k))
        cmd_id = (order.cmd_id if first else order.asked_cmd) if order else 5
        order_id = order.id if order else 55_555
        fields = {"order_id": order_id, "cmd_id": cmd_id, "code": int(reason), "value": kind}
        self.pair.hear("unsent", **fields)

    @rule(what=st.integers(0, 1), bid=st.integers(990, 1008), spread=st.integers(0, 3))
    def market(self, what: int, bid: int, spread: int) -> None:
        self.touches[what] = (bid, bid + spread)
        self.pair.hear("touch", instrument_idx=what, **self.touch(what))

    @rule(ns=st.sampled_from((1, S // 5, S, 3 * S, 30 * S)))
    def wait(self, ns: int) -> None:
        self.pair.now += ns

    @rule(who=st.integers(0, 1), queued=QUEUED)
    def wake(self, who: int, queued: int) -> None:
        self.pair.hear("wake", strategy_idx=who, queued=queued)

    @rule(queued=QUEUED)
    def tick(self, queued: int) -> None:
        self.pair.hear("tick", queued=queued)

    @rule(which=st.sampled_from(CONTROLS))
    def control(self, which: tuple[ControlKind, int, int]) -> None:
        kind, code, value = which
        self.pair.hear("control", code=int(kind), target_id=code, value=value)

    @rule()
    def crash(self) -> None:
        self.pair.live()

    @rule()
    def restart(self) -> None:
        self.pair.restart()

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            self.pair.whole(len(self.pair.rows) // 2)


TestDeskIsItsTwin = DeskIsItsTwin.TestCase
TestDeskIsItsTwin.settings = settings(max_examples=60, stateful_step_count=60)
