"""What a venue and an operator tell the plain-Python gateway."""

from fractions import Fraction
from typing import Any

from hft.core.codes import DedupState, IntentType, OrderStatus, Reason, Side, StormGuardState
from tests.naive.gateway_checks import Checks
from tests.naive.gateway_state import Leaf, Order, Storm, Trip


class Events(Checks):
    """Answers of the venue, P&L, the market and control inputs."""

    def _known(self, order: Order, state: DedupState, reason: Reason, now: int) -> None:
        if order.status != OrderStatus.UNKNOWN:
            return
        partly = OrderStatus.PARTIALLY_FILLED
        order.status = partly if order.filled else OrderStatus.SUBMITTED
        self._over(order)
        cmd_id = self._asked_by(order) if state == DedupState.APPROVED else 0
        self._commit(order.key, order.payload, state, reason, cmd_id, now)

    def ack(self, order_id: int, now: int) -> None:
        order = self.orders[order_id]
        self._known(order, DedupState.APPROVED, Reason.OK, now)
        if order.status == OrderStatus.PENDING_SUBMIT:
            order.status = OrderStatus.SUBMITTED
            if order.request == IntentType.CANCEL:
                order.status = OrderStatus.CANCEL_REQUESTED
        if order.request == IntentType.NEW:
            order.request = None

    def _over(self, order: Order) -> None:
        """What is under way is over when all requests of its kind have been answered."""
        if order.request == IntentType.NEW or order.request is None:
            return
        left = {IntentType.AMEND: order.amends, IntentType.CANCEL: order.cancels}
        if left[order.request]:
            return
        pending = order.status == OrderStatus.PENDING_SUBMIT
        others = [kind for kind, count in left.items() if count]
        order.request = others[0] if others else IntentType.NEW if pending else None

    def _amend_over(self, order: Order) -> None:
        order.amends = max(0, order.amends - 1)
        self._over(order)

    def amended(self, order_id: int, price: int, qty: int, now: int) -> None:
        order = self.orders[order_id]
        self._known(order, DedupState.APPROVED, Reason.OK, now)
        order.price, order.qty = price, qty
        self._amend_over(order)
        if order.filled >= qty:
            del self.orders[order_id]

    def amend_rejected(self, order_id: int, now: int) -> None:
        self._amend_over(self.orders[order_id])

    def cancel_rejected(self, order_id: int, now: int) -> None:
        order = self.orders[order_id]
        order.cancels = max(0, order.cancels - 1)
        if order.status == OrderStatus.CANCEL_REQUESTED and not order.cancels:
            partly = OrderStatus.PARTIALLY_FILLED
            order.status = partly if order.filled else OrderStatus.SUBMITTED
        self._over(order)

    def fill(self, order_id: int, price: int, qty: int, now: int) -> None:
        order = self.orders[order_id]
        self._known(order, DedupState.APPROVED, Reason.OK, now)
        order.filled += qty
        cancelling = order.request == IntentType.CANCEL
        order.status = OrderStatus.CANCEL_REQUESTED if cancelling else OrderStatus.PARTIALLY_FILLED
        if order.request == IntentType.NEW:
            order.request = None
        leaf = self.leaves[order.account, order.strategy, order.instrument]
        signed = qty if order.side == Side.BUY else -qty
        closed = min(abs(leaf.net), qty) if leaf.net * signed < 0 else 0
        if closed:
            leaf.settled -= round(Fraction(leaf.settled * closed, abs(leaf.net)))
        leaf.settled += price * (qty - closed) * self.rules.money_per_tick_lot
        leaf.net += signed
        self._watch_fill(order, leaf, now)
        if order.filled >= order.qty:
            del self.orders[order_id]

    def _watch_fill(self, order: Order, leaf: Leaf, now: int) -> None:
        rules = self.rules
        times = self.fills.setdefault((order.strategy, order.instrument), [])
        times.append(now)
        if rules.repeated is not None:
            recent = sum(t > now - rules.repeated_ns for t in times)
            if recent > rules.repeated:
                self.repeated[order.strategy] = True
        if self._over_position(leaf):
            where = (order.account, order.strategy, order.instrument)
            self._trip(("strategy", order.strategy), "position", where, now)

    def _over_position(self, leaf: Leaf) -> bool:
        long_max, short_max = self.rules.long_max, self.rules.short_max
        over_long = long_max is not None and leaf.net > long_max
        return over_long or (short_max is not None and -leaf.net > short_max)

    def done(self, order_id: int, status: OrderStatus, now: int) -> None:
        order = self.orders[order_id]
        if status == OrderStatus.FAILED:
            self._known(order, DedupState.REJECTED, Reason.VENUE_REJECT, now)
        else:
            self._known(order, DedupState.APPROVED, Reason.OK, now)
        del self.orders[order_id]

    def unknown(self, order_id: int, now: int) -> None:
        order = self.orders[order_id]
        if order.status != OrderStatus.PENDING_SUBMIT:
            order.cancels = max(0, order.cancels - 1)
        order.status = OrderStatus.UNKNOWN
        state, reason = DedupState.UNKNOWN, Reason.OUTCOME_UNKNOWN
        self._commit(order.key, order.payload, state, reason, self._asked_by(order), now)

    def _asked_by(self, order: Order) -> int:
        """The command that the order's key was decided for."""
        entry = self.keys.get(order.key)
        return entry[2] if entry and entry[2] else order.cmd_id

    def dispatch_failed(self, order_id: int, reason: Reason, now: int) -> None:
        order = self.orders[order_id]
        entry = self.keys.get(order.asked)
        if entry is not None and entry[2] == order.asked_cmd:
            self._commit(order.asked, None, DedupState.REJECTED, reason, 0, now)
        if order.request == IntentType.AMEND:
            self.amend_rejected(order_id, now)
        elif order.request == IntentType.CANCEL:
            self.cancel_rejected(order_id, now)
        else:
            del self.orders[order_id]

    # -- other inputs -----------------------------------------------------------------------------

    GRAVITY = ("position", "market", "loss", "manual")

    def _trip(self, scope: Any, cause: str, detail: Any, now: int) -> None:
        old = self.trips.get(scope)
        if old is None:
            self.trips[scope] = Trip(cause, now, detail)
        elif self.GRAVITY.index(cause) > self.GRAVITY.index(old.cause):
            old.cause, old.detail = cause, detail

    def _auto_reset(self, now: int) -> None:
        for scope, trip in list(self.trips.items()):
            if trip.cause in ("loss", "manual") or now - trip.at_ns < self.rules.reset_ns:
                continue
            if trip.cause == "position":
                still = self._over_position(self.leaves.get(trip.detail, Leaf()))
            else:
                still = self.moved.get(trip.detail, False)
            if still:
                trip.at_ns = now
            else:
                del self.trips[scope]

    def _level(self, value: Any, thresholds: Any) -> int:
        levels = [n + 1 for n, t in enumerate(thresholds) if t is not None and value >= t]
        return max(levels, default=0)

    def pnl(self, strategy: int, money: int, now: int) -> None:
        rules = self.rules
        self.pnls[strategy] = money
        self.peaks[strategy] = max(self.peaks[strategy], money)
        level = self._level(self.day_base[strategy] - money, rules.storm_losses)
        down = self.peaks[strategy] - money
        if down > 0:
            peak = rules.capital + self.peaks[strategy]
            parts = [None if p is None else int(peak * p / 100) for p in rules.drawdowns_pct]
            level = max(level, self._level(down, parts))
        self.storms.setdefault(("strategy", strategy), Storm()).see(level, now, rules)
        breached = rules.daily_loss is not None and self.today() <= -rules.daily_loss
        if breached and not self.breached:
            self._trip("global", "loss", 0, now)
        self.breached = breached
        self._auto_reset(now)

    def market(self, instrument: int, touch: dict[str, int], now: int) -> None:
        rules = self.rules
        silent = rules.feed_gap_ns is not None and now - touch["ts_ns"] >= rules.feed_gap_ns
        level = StormGuardState.STORM if silent and touch["ts_ns"] else 0
        self.storms.setdefault(("instrument", instrument), Storm()).see(level, now, rules)
        if rules.move is not None and touch["valid"]:
            mid2 = touch["bid_tick"] + touch["ask_tick"]
            samples = self.mids.setdefault(instrument, [])
            old = [m for t, m in samples if t <= now - rules.move_window_ns]
            hit = bool(old) and abs(Fraction(mid2, old[-1]) - 1) > rules.move
            self.moved[instrument] = hit
            if not samples or now - samples[-1][0] >= rules.move_window_ns // 60:
                samples.append((now, mid2))
            if hit:
                self._trip(("instrument", instrument), "market", instrument, now)
        self._auto_reset(now)

    def latency(self, ns: int, now: int) -> None:
        level = self._level(ns, self.rules.latencies)
        self.storms.setdefault("gateway", Storm()).see(level, now, self.rules)

    def kill(self, scope: Any, on: bool, now: int) -> None:
        if on:
            self._trip(scope, "manual", 0, now)
            return
        self.trips.pop(scope, None)
        if scope == "global":
            self.storms.clear()
        elif scope[0] == "strategy":
            self.storms.pop(scope, None)

    def reset_daily(self) -> None:
        self.day_base = list(self.pnls)
        self.breached = False
