"""Policy, exposure and risk of the plain-Python gateway, in the order of the contract."""

from fractions import Fraction
from typing import Any

from hft.core.codes import (
    IntentType,
    OrderStatus,
    PolicyMode,
    Reason,
    SelfTradeMode,
    Side,
    StormGuardState,
    Tif,
)
from tests.naive.gateway_state import Leaf, Order, S, State


class Checks(State):
    """Each answers OK or the reason that refuses."""

    def _age(self, now: int, touch: Any, i: dict[str, int], q: dict[str, Any]) -> Reason:
        if i["ttl_ns"] > 0 and now - i["timestamp_ns"] > i["ttl_ns"]:
            return Reason.TTL_EXPIRED
        nothing = i["intent_type"] == IntentType.FORCE_FLAT and q["qty"] == 0
        return Reason.NOT_FOUND if nothing else Reason.OK

    # -- policy -----------------------------------------------------------------------------------

    def storm(self, i: dict[str, int]) -> int:
        scopes = (("strategy", i["strategy_idx"]), ("instrument", i["instrument_idx"]), "gateway")
        return max(self.storms[scope].state if scope in self.storms else 0 for scope in scopes)

    def _trip_causes(self, i: dict[str, int]) -> set[str]:
        scopes = (
            "global",
            ("account", i["account_idx"]),
            ("strategy", i["strategy_idx"]),
            ("instrument", i["instrument_idx"]),
        )
        return {self.trips[scope].cause for scope in scopes if scope in self.trips}

    def _policy(self, now: int, touch: Any, i: dict[str, int], q: dict[str, Any]) -> Reason:
        if q["proven"] or q["lowers"]:
            return Reason.OK
        strategy = i["strategy_idx"]
        storm = self.storm(i)
        asked = max(self.operator, self.strategy_mode[strategy])
        if storm == StormGuardState.HALT:
            asked = PolicyMode.HALT
        elif storm == StormGuardState.STORM and self.rules.degrade_on_storm:
            asked = max(asked, PolicyMode.DEGRADE)
        causes = self._trip_causes(i)
        dead = self.rules.require_promotion and self.bound[strategy] and self.weights[strategy] <= 0
        table = (
            (asked == PolicyMode.HALT, Reason.POLICY_HALT),
            (self.repeated[strategy], Reason.REPEATED_EXECUTION),
            (asked == PolicyMode.DEGRADE, Reason.POLICY_DEGRADE),
            (now < self.holdoff_until, Reason.STARTUP_HOLDOFF),
            (bool(causes) and "manual" not in causes, Reason.BREAKER_TRIPPED),
            ("manual" in causes, Reason.KILL_SWITCH),
            (self.recovering, Reason.RECONCILING),
            (dead, Reason.ALPHA_NOT_LIVE),
        )
        return next((reason for holds, reason in table if holds), Reason.OK)

    # -- exposure ---------------------------------------------------------------------------------

    def _exposure(self, now: int, touch: Any, i: dict[str, int], q: dict[str, Any]) -> Reason:
        rules = self.rules
        if i["intent_type"] == IntentType.AMEND:
            if q["order"] is None:
                return Reason.EXPOSURE_ORDER_UNKNOWN
            if q["order"].status == OrderStatus.UNKNOWN:
                return Reason.OUTCOME_UNKNOWN
        strategy = i["strategy_idx"]
        leaf = self.leaf(*q["where"])
        money = q["add_money"]
        exempt = q["proven"] or q["lowers"]

        def over(total: int, limit: int | None) -> bool:
            return not exempt and money > 0 and limit is not None and total + money > limit

        if over(self.reserved() + self.settled(), rules.global_max):
            return Reason.GLOBAL_EXPOSURE_LIMIT
        if over(self.reserved(strategy) + self.settled(strategy), rules.strategy_max):
            return Reason.STRATEGY_EXPOSURE_LIMIT
        if over(self.reserved(leaf=q["where"]) + leaf.settled, rules.leaf_max):
            return Reason.LEAF_NOTIONAL_LIMIT
        limited = not exempt and q["add_qty"] > 0 and rules.net_qty_max is not None
        if limited and self._worst(q) > (rules.net_qty_max or 0):
            return Reason.NET_QTY_LIMIT
        if q["where"] not in self.leaves:
            if len(self.leaves) >= rules.leaves:
                self._evict()
            if len(self.leaves) >= rules.leaves:
                return Reason.EXPOSURE_SYMBOL_LIMIT
            self.leaves[q["where"]] = Leaf()
        if q["beyond"] and not rules.fast_gate:
            return Reason.EXPOSURE_OVERFLOW
        return Reason.OK

    def _evict(self) -> None:
        """Zero leaves: no position, nothing open."""
        for where in list(self.leaves):
            idle = self.open_qty(*where, 0) == 0 and self.open_qty(*where, 1) == 0
            if self.leaves[where] == Leaf() and idle:
                del self.leaves[where]

    def _worst(self, q: dict[str, Any]) -> int:
        leaf = self.leaf(*q["where"])
        sign = 1 if q["side"] == Side.BUY else -1
        return sign * leaf.net + self.open_qty(*q["where"], q["side"]) + q["add_qty"]

    # -- risk -------------------------------------------------------------------------------------

    def _scopes(self, i: dict[str, int]) -> tuple[Any, ...]:
        return ("all", ("strategy", i["strategy_idx"]))

    def _count_rate(self, now: int, i: dict[str, int]) -> None:
        for scope in self._scopes(i):
            self.times.setdefault(scope, []).append(now)

    def _rate_full(self, now: int, i: dict[str, int]) -> bool:
        for scope in self._scopes(i):
            times = self.times.get(scope, [])
            for limit, window in ((self.rules.per_s, S), (self.rules.per_min, 60 * S)):
                if limit is not None and sum(t > now - window for t in times) >= limit:
                    return True
        return False

    def _risk(self, now: int, touch: Any, i: dict[str, int], q: dict[str, Any]) -> Reason:
        rules = self.rules
        exempt = q["proven"] or q["lowers"]
        if self.kill_byte and not exempt:
            return Reason.FASTGATE_KILL_SWITCH
        if rules.fast_gate:
            if q["price"] < 0:
                return Reason.FASTGATE_BAD_PRICE_NEG
            if q["price"] > rules.price_max:
                return Reason.FASTGATE_BAD_PRICE_MAX
            if q["qty"] <= 0:
                return Reason.FASTGATE_BAD_QTY_NEG
            if q["qty"] > rules.qty_max:
                return Reason.FASTGATE_BAD_QTY_MAX
        storm = self.storm(i)
        if not exempt and storm == StormGuardState.HALT:
            return Reason.STORMGUARD_HALT
        amend = i["intent_type"] == IntentType.AMEND
        if not exempt and storm == StormGuardState.STORM and not amend:
            return Reason.STORMGUARD_STORM_NEW_BLOCKED
        if not exempt and self._rate_full(now, i):
            return Reason.RATE_LIMIT
        self._count_rate(now, i)
        if q["lowers"]:
            return Reason.OK
        size = self._weighted(rules.order_size, i)
        if not exempt and (q["qty"] <= 0 or (size is not None and q["qty"] > size)):
            return Reason.ORDER_SIZE
        reason = self._price(now, touch, q)
        if reason:
            return reason
        reason = self._self_trade(i, q)
        if reason or exempt:
            return reason
        side_max = rules.long_max if q["side"] == Side.BUY else rules.short_max
        position = self._weighted(side_max, i)
        if position is not None and q["add_qty"] > 0 and self._worst(q) > position:
            return Reason.POSITION_LIMIT
        money = self._in_symbol(i["instrument_idx"]) + q["add_money"]
        if rules.notional_max is not None and q["add_money"] > 0 and money > rules.notional_max:
            return Reason.NOTIONAL_LIMIT
        if rules.order_notional_max is not None and q["notional"] > rules.order_notional_max:
            return Reason.MAX_NOTIONAL_EXCEEDED
        if rules.daily_loss is not None and self.today() <= -rules.daily_loss:
            return Reason.DAILY_LOSS
        if i["instrument_idx"] in rules.restricted:
            return Reason.SYMBOL_RESTRICTED
        return Reason.OK

    def _weighted(self, limit: int | None, i: dict[str, int]) -> int | None:
        weight = self.weights[i["strategy_idx"]]
        if limit is None or weight == 1 or limit == 0:
            return limit
        return max(1, int(limit * weight)) if weight > 0 else 0

    def _price(self, now: int, touch: Any, q: dict[str, Any]) -> Reason:
        rules = self.rules
        if q["price"] <= 0:
            return Reason.MARKET_NO_TOUCH if q["market"] else Reason.PRICE_ZERO_OR_NEG
        if rules.cap is not None and q["price"] > rules.cap:
            return Reason.PRICE_EXCEEDS_CAP
        banded = rules.band_ticks is not None or bool(rules.band_bps)
        reason = Reason.OK
        if not touch["valid"] and (banded or rules.age_ns is not None):
            reason = Reason.BOOK_INVALID
        elif rules.age_ns is not None and now - touch["ts_ns"] > rules.age_ns:
            reason = Reason.REFERENCE_STALE
        if reason:
            excused = rules.cap_only or (q["proven"] and not q["market"])
            return Reason.OK if excused else reason
        if banded:
            mid = Fraction(touch["bid_tick"] + touch["ask_tick"], 2)
            ticks = Fraction(rules.band_ticks if rules.band_ticks is not None else -1)
            band = max(ticks, mid * (rules.band_bps or 0) / 10_000)
            if abs(q["price"] - mid) > band:
                return Reason.PRICE_OUTSIDE_BAND
        return Reason.OK

    def _crossed(self, i: dict[str, int], q: dict[str, Any]) -> list[Order]:
        """Own working orders of the other side that the new one could trade with, newest first.

        A post-only order expires where it would trade, so it can never trade with its owner.
        """
        found: list[Order] = []
        target = q["order"] if i["intent_type"] == IntentType.AMEND else None
        fresh = i["intent_type"] == IntentType.NEW and i["tif"] == Tif.GTX
        if fresh or (target is not None and target.post_only):
            return found
        for order in reversed(self.orders.values()):
            same = (order.account, order.instrument) == (i["account_idx"], i["instrument_idx"])
            if not same or order.side == q["side"]:
                continue
            prices = [order.price]
            if order.amends:
                prices += [order.low_price, order.high[0]]
            below = q["side"] == Side.BUY and min(prices) <= q["price"]
            above = q["side"] == Side.SELL and max(prices) >= q["price"]
            if q["market"] or below or above:
                found.append(order)
        return found

    def _self_trade(self, i: dict[str, int], q: dict[str, Any]) -> Reason:
        crossed = self._crossed(i, q)
        mode = self.rules.self_trade
        if i["intent_type"] == IntentType.FORCE_FLAT:
            mode = SelfTradeMode.CANCEL_OLD
        if not crossed:
            return Reason.OK
        amend = i["intent_type"] == IntentType.AMEND
        if mode == SelfTradeMode.REJECT_NEW or (mode == SelfTradeMode.DECREMENT and amend):
            return Reason.SELF_TRADE
        if mode != SelfTradeMode.DECREMENT:
            staying = [order for order in crossed if order.request != IntentType.CANCEL]
            q["cancels"] = [(order.id, 0) for order in staying]
            return Reason.OK if mode == SelfTradeMode.CANCEL_OLD else Reason.SELF_TRADE
        left = q["qty"]
        for order in crossed:
            held = order.held_qty()
            working = order.qty - order.filled
            q["cancels"].append((order.id, order.qty - left if working > left else 0))
            left -= min(left, held)
            if left == 0:
                return Reason.SELF_TRADE
        q["qty"] = q["add_qty"] = left
        q["notional"] = q["add_money"] = q["price"] * left * self.rules.money_per_tick_lot
        return Reason.OK

    def _dispatch(self, now: int, touch: Any, i: dict[str, int], q: dict[str, Any]) -> Reason:
        if not self.leader:
            return Reason.NOT_LEADER
        if not self.venue_up:
            return Reason.VENUE_DOWN
        new = i["intent_type"] != IntentType.AMEND
        return Reason.INTERNAL_ERROR if new and i["intent_id"] in self.orders else Reason.OK
