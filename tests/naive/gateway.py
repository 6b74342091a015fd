"""The gateway in plain Python: lists, dictionaries and Fractions, written from the contract.

Nothing incremental: what is held is summed over the working orders at each question, windows are
counted from the list of all times. Slow and obvious, the twin of `hft.gateway`.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hft.core.codes import (
    DedupState,
    IntentType,
    OrderStatus,
    OrderType,
    PolicyMode,
    Reason,
    SelfTradeMode,
    Side,
    StormGuardState,
    Tif,
)

S = 1_000_000_000
DECIDED = (DedupState.APPROVED, DedupState.REJECTED)


@dataclass
class Rules:
    """Limits of one instrument world; None is off."""

    money_per_tick_lot: int = 10
    accounts: int = 1
    strategies: int = 2
    instruments: int = 2
    global_max: int | None = None
    strategy_max: int | None = None
    leaf_max: int | None = None
    net_qty_max: int | None = None
    leaves: int = 10_000
    price_max: int = 1 << 40
    qty_max: int = 1 << 40
    price_bound: int = 1 << 40
    qty_bound: int = 1 << 40
    fast_gate: bool = True
    cap: int | None = None
    band_ticks: int | None = None
    band_bps: int | None = None
    age_ns: int | None = None
    cap_only: bool = False
    order_size: int | None = None
    long_max: int | None = None
    short_max: int | None = None
    notional_max: int | None = None
    order_notional_max: int | None = None
    restricted: tuple[int, ...] = ()
    per_s: int | None = None
    per_min: int | None = None
    daily_loss: int | None = None
    capital: int = 1_000_000
    storm_losses: tuple[int | None, int | None, int | None] = (None, None, None)
    drawdowns_pct: tuple[Fraction | None, ...] = (None, None, None)
    latencies: tuple[int | None, int | None] = (None, None)
    feed_gap_ns: int | None = None
    cooldown_ns: int = 30 * S
    clears: int = 5
    degrade_on_storm: bool = True
    move: Fraction | None = None
    move_window_ns: int = 60 * S
    reset_ns: int = 60 * S
    repeated: int | None = None
    repeated_ns: int = S
    self_trade: SelfTradeMode = SelfTradeMode.REJECT_NEW
    dedup_window: int = 10_000
    dedup_ttl_ns: int = 300 * S
    require_promotion: bool = False


@dataclass
class Order:
    id: int
    strategy: int
    account: int
    instrument: int
    side: int
    price: int
    qty: int
    key: tuple[int, int]
    payload: Any
    cmd_id: int
    filled: int = 0
    status: OrderStatus = OrderStatus.PENDING_SUBMIT
    amends: int = 0
    high: tuple[int, int] = (0, 0)  # largest price and total asked for by amends in flight
    low_price: int = 0
    request: IntentType | None = IntentType.NEW
    post_only: bool = False

    def shapes(self) -> list[tuple[int, int]]:
        """What the order may be: as acknowledged, and as amends in flight would make it."""
        out = [(self.price, max(0, self.qty - self.filled))]
        if self.amends:
            out.append((self.high[0], max(0, self.high[1] - self.filled)))
        return out

    def held_qty(self) -> int:
        return max(qty for _, qty in self.shapes())

    def held_money(self, per_tick: int) -> int:
        return max(price * qty * per_tick for price, qty in self.shapes())


@dataclass
class Storm:
    """One storm guard machine."""

    state: int = 0
    clear: int = 0
    last_bad_ns: int = 0

    def see(self, level: int, now: int, rules: Rules) -> None:
        if level >= self.state:
            self.clear = 0
            if level > 0:
                self.last_bad_ns = now
            self.state = level
            return
        self.clear += 1
        if self.state == StormGuardState.HALT or self.clear < rules.clears:
            return
        cooling = now - self.last_bad_ns < rules.cooldown_ns
        if self.state == StormGuardState.STORM and cooling:
            return
        self.state, self.clear, self.last_bad_ns = level, 0, now


@dataclass
class Trip:
    cause: str
    at_ns: int
    detail: Any


@dataclass
class Leaf:
    net: int = 0
    settled: int = 0


@dataclass
class Answer:
    reason: Reason
    replayed: bool = False
    cmd_id: int = 0
    price: int = 0
    qty: int = 0
    cancels: list[tuple[int, int]] = field(default_factory=list)


class NaiveGateway:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.orders: dict[int, Order] = {}
        self.leaves: dict[tuple[int, int, int], Leaf] = {}
        self.keys: OrderedDict[tuple[int, int], list[Any]] = OrderedDict()
        self.times: dict[Any, list[int]] = {}
        self.cmd_id = 0
        self.last: Any = (0, (0, 0), None)
        self.operator = PolicyMode.NORMAL
        self.strategy_mode = [PolicyMode.NORMAL] * rules.strategies
        self.repeated = [False] * rules.strategies
        self.fills: dict[tuple[int, int], list[int]] = {}
        self.storms: dict[Any, Storm] = {}
        self.trips: dict[Any, Trip] = {}
        self.mids: dict[int, list[tuple[int, int]]] = {}
        self.moved: dict[int, bool] = {}
        self.pnls = [0] * rules.strategies
        self.day_base = [0] * rules.strategies
        self.peaks = [0] * rules.strategies
        self.breached = False
        self.kill_byte = 0
        self.holdoff_until = 0
        self.recovering = False
        self.leader = True
        self.venue_up = True
        self.weights = [Fraction(1)] * rules.strategies
        self.bound = [False] * rules.strategies

    # -- sums over what is there ------------------------------------------------------------------

    def leaf(self, account: int, strategy: int, instrument: int) -> Leaf:
        return self.leaves.get((account, strategy, instrument), Leaf())

    def open_qty(self, account: int, strategy: int, instrument: int, side: int) -> int:
        return sum(
            o.held_qty()
            for o in self.orders.values()
            if (o.account, o.strategy, o.instrument, o.side)
            == (account, strategy, instrument, side)
        )

    def reserved(self, strategy: int | None = None, leaf: tuple | None = None) -> int:
        per_tick = self.rules.money_per_tick_lot
        return sum(
            o.held_money(per_tick)
            for o in self.orders.values()
            if (strategy is None or o.strategy == strategy)
            and (leaf is None or (o.account, o.strategy, o.instrument) == leaf)
        )

    def settled(self, strategy: int | None = None) -> int:
        return sum(
            leaf.settled
            for (_, owner, _), leaf in self.leaves.items()
            if strategy is None or owner == strategy
        )

    def _in_symbol(self, instrument: int) -> int:
        """Working orders and positions at cost of one instrument, whoever has them."""
        per_tick = self.rules.money_per_tick_lot
        orders = [o for o in self.orders.values() if o.instrument == instrument]
        settled = sum(leaf.settled for where, leaf in self.leaves.items() if where[2] == instrument)
        return settled + sum(o.held_money(per_tick) for o in orders)

    def today(self) -> int:
        return sum(self.pnls) - sum(self.day_base)

    # -- the seven steps --------------------------------------------------------------------------

    def decide(self, now: int, touch: dict[str, int], **intent: int) -> Answer:
        i = {
            name: intent.get(name, 0)
            for name in [
                "intent_id",
                "strategy_idx",
                "account_idx",
                "instrument_idx",
                "intent_type",
                "side",
                "price",
                "qty",
                "tif",
                "order_type",
                "stop_price",
                "display_qty",
                "target_id",
                "timestamp_ns",
                "ttl_ns",
                "key_hi",
                "key_lo",
            ]
        }
        bad = self._malformed(i)
        if bad:
            return Answer(bad)
        key = (i["key_hi"], i["key_lo"])
        payload = tuple(
            i[name]
            for name in [
                "account_idx",
                "strategy_idx",
                "instrument_idx",
                "intent_type",
                "side",
                "price",
                "qty",
                "target_id",
            ]
        )
        if key != (0, 0):
            known = self._lookup(key, payload, now)
            if known is not None:
                return known
        answer = self._steps(now, touch, i)
        if key != (0, 0):
            state = DedupState.REJECTED if answer.reason else DedupState.APPROVED
            self._commit(key, payload, state, answer.reason, answer.cmd_id, now)
        if answer.reason == Reason.OK:
            target = i["intent_id"]
            if i["intent_type"] in (IntentType.AMEND, IntentType.CANCEL):
                target = i["target_id"]
            order = self.orders[target]
            self.last = (target, key, payload)
            first = i["intent_type"] in (IntentType.NEW, IntentType.FORCE_FLAT)
            open_outcome = order.status in (OrderStatus.PENDING_SUBMIT, OrderStatus.UNKNOWN)
            if first or (key != (0, 0) and not open_outcome):
                order.key, order.payload = key, payload
        return answer

    def _malformed(self, i: dict[str, int]) -> Reason | None:
        rules = self.rules
        if not 0 <= i["instrument_idx"] < rules.instruments:
            return Reason.UNKNOWN_INSTRUMENT
        if i["side"] not in (0, 1):
            return Reason.INVALID_SIDE
        if (
            not 0 <= i["strategy_idx"] < rules.strategies
            or not 0 <= i["account_idx"] < rules.accounts
            or i["intent_type"] not in (0, 1, 2, 3)
            or i["intent_id"] <= 0
            or self._not_built(i)
        ):
            return Reason.BAD_MESSAGE
        if abs(i["price"]) > 1 << 62 or abs(i["qty"]) > 1 << 62:
            return Reason.BAD_NUMBER
        return None

    def _not_built(self, i: dict[str, int]) -> bool:
        """Only MARKET and LIMIT, the six times in force, and no stop or hidden part."""
        if i["intent_type"] == IntentType.CANCEL:
            return False
        types, tifs = (OrderType.MARKET, OrderType.LIMIT), list(Tif)
        shaped = i["order_type"] in types and i["tif"] in tifs
        return not shaped or bool(i["stop_price"] or i["display_qty"])

    def _lookup(self, key: tuple[int, int], payload: Any, now: int) -> Answer | None:
        """The stored answer, a 1xx refusal, or None after reserving."""
        entry = self.keys.get(key)
        if entry is not None:
            state, reason, cmd_id, ts, stored = entry
            expired = self.rules.dedup_ttl_ns and now - ts > self.rules.dedup_ttl_ns
            standby = reason == Reason.NOT_LEADER and self.leader
            if state in DECIDED and (expired or standby):
                del self.keys[key]
            elif stored != payload:
                return Answer(Reason.DEDUP_KEY_REUSED)
            elif state == DedupState.RESERVED:
                return Answer(Reason.DEDUP_IN_FLIGHT)
            elif state == DedupState.UNKNOWN:
                return Answer(Reason.DEDUP_OUTCOME_UNKNOWN)
            else:
                self.keys.move_to_end(key)
                return Answer(reason, True, cmd_id)
        if not self._room():
            return Answer(Reason.DEDUP_WINDOW_FULL)
        self.keys[key] = [DedupState.RESERVED, Reason.OK, 0, now, payload]
        return None

    def _room(self) -> bool:
        """Evict the least recently used decided entry of a full window."""
        if len(self.keys) < self.rules.dedup_window:
            return True
        for key, entry in self.keys.items():
            if entry[0] in DECIDED:
                del self.keys[key]
                return True
        return False

    def _commit(
        self, key: Any, payload: Any, state: DedupState, reason: Reason, cmd_id: int, now: int
    ) -> None:
        if key == (0, 0) or (key not in self.keys and not self._room()):
            return
        if key in self.keys:
            payload = self.keys[key][4]
        self.keys[key] = [state, reason, cmd_id, now, payload]
        self.keys.move_to_end(key)

    def _steps(self, now: int, touch: dict[str, int], i: dict[str, int]) -> Answer:
        kind = IntentType(i["intent_type"])
        if kind == IntentType.CANCEL:
            return self._cancel(now, i)
        q = self._question(touch, i)
        answer = Answer(Reason.OK, price=q["price"], qty=q["qty"])
        for step in (self._age, self._policy, self._exposure, self._risk, self._dispatch):
            answer.reason = step(now, touch, i, q)
            answer.cancels = q["cancels"]
            if answer.reason:
                if answer.reason != Reason.SELF_TRADE:
                    answer.cancels = []
                return answer
        self.cmd_id += 1
        answer.cmd_id = self.cmd_id
        answer.qty = q["qty"]
        if kind == IntentType.AMEND:
            order = self.orders[i["target_id"]]
            if order.amends == 0:
                order.high, order.low_price = (q["price"], q["qty"]), q["price"]
            else:
                order.high = (max(order.high[0], q["price"]), max(order.high[1], q["qty"]))
                order.low_price = min(order.low_price, q["price"])
            order.amends += 1
            order.request = IntentType.AMEND
        else:
            self.orders[i["intent_id"]] = Order(
                i["intent_id"],
                i["strategy_idx"],
                i["account_idx"],
                i["instrument_idx"],
                q["side"],
                q["price"],
                q["qty"],
                (0, 0),
                None,
                self.cmd_id,
                post_only=i["intent_type"] == IntentType.NEW and i["tif"] == Tif.GTX,
            )
        return answer

    def _cancel(self, now: int, i: dict[str, int]) -> Answer:
        self._count_rate(now, i)
        order = self._target(i)
        if order is None:
            return Answer(Reason.NOT_FOUND)
        if not self.leader:
            return Answer(Reason.NOT_LEADER)
        if not self.venue_up:
            return Answer(Reason.VENUE_DOWN)
        self.cmd_id += 1
        if order.status in (OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED):
            order.status = OrderStatus.CANCEL_REQUESTED
        order.request = IntentType.CANCEL
        return Answer(Reason.OK, cmd_id=self.cmd_id, price=i["price"], qty=i["qty"])

    def _target(self, i: dict[str, int]) -> Order | None:
        order = self.orders.get(i["target_id"])
        mine = ("strategy_idx", "account_idx", "instrument_idx")
        if order is None:
            return None
        theirs = (order.strategy, order.account, order.instrument)
        return order if theirs == tuple(i[name] for name in mine) else None

    def _question(self, touch: dict[str, int], i: dict[str, int]) -> dict[str, Any]:
        """The intent priced, with what it would add and whether it only reduces."""
        where = (i["account_idx"], i["strategy_idx"], i["instrument_idx"])
        leaf = self.leaf(*where)
        q: dict[str, Any] = {
            "side": i["side"],
            "price": i["price"],
            "qty": i["qty"],
            "market": False,
            "proven": False,
            "lowers": False,
            "add_qty": 0,
            "add_money": 0,
            "notional": 0,
            "cancels": [],
            "order": None,
            "where": where,
        }
        filled = held_qty = held_money = 0
        if i["intent_type"] == IntentType.AMEND:
            order = q["order"] = self._target(i)
            if order is None:
                return q
            q["side"] = order.side
            filled, held_qty = order.filled, order.held_qty()
            held_money = order.held_money(self.rules.money_per_tick_lot)
            q["lowers"] = q["price"] == order.price and 0 < q["qty"] < order.qty
        elif i["intent_type"] == IntentType.FORCE_FLAT:
            q["side"] = Side.SELL if leaf.net > 0 else Side.BUY
            left = max(0, abs(leaf.net) - self.open_qty(*where, q["side"]))
            q["qty"] = left if q["qty"] == 0 else min(q["qty"], left)
            q["market"] = True
        else:
            immediate = i["tif"] in (Tif.IOC, Tif.FOK) and i["price"] == 0
            q["market"] = i["order_type"] == OrderType.MARKET or immediate
        if q["market"]:
            best = touch["ask_tick"] if q["side"] == Side.BUY else touch["bid_tick"]
            q["price"] = best if touch["valid"] else 0
        remaining = q["qty"] - filled
        opposes = (leaf.net > 0) == (q["side"] == Side.SELL) and leaf.net != 0
        others = self.open_qty(*where, q["side"]) - held_qty
        q["proven"] = opposes and remaining > 0 and others + remaining <= abs(leaf.net)
        if q["price"] >= 0 and q["qty"] > 0:
            per_tick = self.rules.money_per_tick_lot
            remaining = max(0, remaining)
            q["notional"] = q["price"] * q["qty"] * per_tick
            q["add_qty"] = max(0, remaining - held_qty)
            q["add_money"] = max(0, q["price"] * remaining * per_tick - held_money)
        q["beyond"] = (
            q["qty"] > 0
            and (q["price"] > self.rules.price_bound or q["qty"] > self.rules.qty_bound)
            and q["price"] >= 0
        )
        return q

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

    # -- what the venue says ----------------------------------------------------------------------

    def _known(self, order: Order, state: DedupState, reason: Reason, now: int) -> None:
        if order.status != OrderStatus.UNKNOWN:
            return
        partly = OrderStatus.PARTIALLY_FILLED
        order.status = partly if order.filled else OrderStatus.SUBMITTED
        cmd_id = order.cmd_id if state == DedupState.APPROVED else 0
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

    def _amend_over(self, order: Order) -> None:
        order.amends = max(0, order.amends - 1)
        if order.request == IntentType.AMEND and not order.amends:
            pending = order.status == OrderStatus.PENDING_SUBMIT
            order.request = IntentType.NEW if pending else None

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
        if order.status == OrderStatus.CANCEL_REQUESTED:
            partly = OrderStatus.PARTIALLY_FILLED
            order.status = partly if order.filled else OrderStatus.SUBMITTED
        if order.request == IntentType.CANCEL:
            order.request = IntentType.AMEND if order.amends else None
            if order.status == OrderStatus.PENDING_SUBMIT and order.request is None:
                order.request = IntentType.NEW

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
        order.status = OrderStatus.UNKNOWN
        state, reason = DedupState.UNKNOWN, Reason.OUTCOME_UNKNOWN
        self._commit(order.key, order.payload, state, reason, order.cmd_id, now)

    def dispatch_failed(self, order_id: int, reason: Reason, now: int) -> None:
        order = self.orders[order_id]
        last_id, key, payload = self.last
        if last_id != order_id:
            key, payload = order.key, order.payload
        if last_id == order_id or order.request == IntentType.NEW:
            self._commit(key, payload, DedupState.REJECTED, reason, 0, now)
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
