"""What the plain-Python gateway knows: rules, orders, keys; sums are made anew at each question."""

from collections import OrderedDict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hft.core.codes import (
    DedupState,
    IntentType,
    OrderStatus,
    PolicyMode,
    Reason,
    SelfTradeMode,
    StormGuardState,
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
    cancels: int = 0
    high: tuple[int, int] = (0, 0)  # largest price and total asked for by amends in flight
    low_price: int = 0
    request: IntentType | None = IntentType.NEW
    post_only: bool = False
    asked: tuple[int, int] = (0, 0)  # the key of the newest command about it, and its id
    asked_cmd: int = 0

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
    priced: bool = False  # it came as far as to be priced


class State:
    """Lists and dictionaries, and the window of keys."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.orders: dict[int, Order] = {}
        self.leaves: dict[tuple[int, int, int], Leaf] = {}
        self.keys: OrderedDict[tuple[int, int], list[Any]] = OrderedDict()
        self.times: dict[Any, list[int]] = {}
        self.cmd_id = 0
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
