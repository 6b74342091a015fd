"""Breakers, storm guards and modes: docs/reference/gateway.md, controls.md, limits.md.

Money and marks are the replay's; each is looked at when a strategy wakes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hft.core.codes import PolicyMode, Reason, StormGuardState
from hft.gateway.rows import GuardCause
from hft.runs.controls import PPM, Control
from tests.naive.engine.house import MILLISECOND, SECOND
from tests.naive.engine.money import Position

NORMAL, WARM, STORM, HALT = StormGuardState
LATCHED = (GuardCause.LOSS, GuardCause.MANUAL)
Scope = tuple[str, int]
TURN = {"global": 0, "account": 1, "strategy": 2, "symbol": 3}
EVERYTHING: Scope = ("global", 0)


class Values:
    """A set of limits by its public keys, each in whole numbers."""

    def __init__(self, keys: dict[str, Any], digits: int) -> None:
        self.keys, self.digits = keys, digits

    def money(self, key: str) -> int | None:
        value = self.keys.get(key)
        return None if value is None else int(Decimal(str(value)) * 10**self.digits)

    def ns(self, key: str, unit: int, default: int) -> int:
        value = self.keys.get(key)
        return default if value is None else int(Decimal(str(value)) * unit)

    def count(self, key: str) -> int | None:
        value = self.keys.get(key)
        return None if value is None else int(value)

    def on(self, key: str, default: bool) -> bool:
        return bool(self.keys.get(key, default))


@dataclass
class Trip:
    """One tripped breaker."""

    scope: Scope
    cause: GuardCause
    at_ns: int
    where: tuple[int, int] = (0, 0)  # whose position, or of which instrument
    latched: bool = False
    done: bool = False
    reset_after_ns: int = 0


@dataclass
class Storm:
    """A storm guard: of a strategy's profit, of an instrument's feed, or of our latency."""

    scope: Scope
    state: int = int(NORMAL)
    since_ns: int = 0
    quiet: int = 0
    peak: int = 0


@dataclass
class Seen:
    """What the guards look at, at one moment."""

    now: int
    strategy: int
    pnl: list[int]  # of each strategy, of the day
    whole: list[int]  # of each strategy, of the run
    mid2: list[int | None]  # of each instrument, None where the book is not valid
    silent_ns: list[int]  # of each instrument, 0 outside continuous trading


class Guards:
    """All of them, and what was said from outside."""

    def __init__(
        self,
        values: Values,
        positions: list[list[Position]],
        instruments: int,
        note: Callable[[GuardCause | None, Scope], None],
    ) -> None:
        self.values, self.positions, self.note = values, positions, note
        strategies = len(positions)
        self.mode = int(PolicyMode.NORMAL)
        self.modes = [int(PolicyMode.NORMAL)] * strategies
        self.of_profit = [Storm(("strategy", s)) for s in range(strategies)]
        self.of_feed = [Storm(("symbol", k)) for k in range(instruments)]
        self.of_latency = Storm(EVERYTHING)
        self.trips: dict[Scope, Trip] = {}
        self.moves = [Move() for _ in range(instruments)]
        self.lost = self.degraded = self.byte = False
        self.leads = True
        self.made = 0  # today, by all strategies
        self.weights = [self._first_weight(s) for s in range(strategies)]
        self.decision_ns = 0
        self.free_from = 0  # the end of the hold-off

    # -- promotions and limits

    def needs_promotion(self, strategy: int) -> bool:
        bound = bool(self.values.keys.get(f"strategies.actor{strategy}.alpha_id"))
        return bound and self.values.on("HFT_GATEWAY_REQUIRE_PROMOTION", False)

    def _first_weight(self, strategy: int) -> int:
        return 0 if self.needs_promotion(strategy) else PPM

    def change(self, values: Values) -> None:
        """Other limits; who begins or ceases to need a promotion has its first weight again."""
        needed = [self.needs_promotion(s) for s in range(len(self.weights))]
        self.values = values
        for s, before in enumerate(needed):
            if self.needs_promotion(s) != before:
                self.weights[s] = self._first_weight(s)

    def less(self, most: int) -> int:
        """A limit in degraded mode."""
        if not self.degraded:
            return most
        factor = Decimal(str(self.values.keys.get("degraded.limit_factor", "0.5")))
        return int(most * factor)

    # -- what is said from outside

    def hear(self, control: Control, now: int) -> None:
        who = int(control.strategy.removeprefix("actor") or 0)
        if control.kind == "mode":
            if control.strategy:
                self.modes[who] = control.value
            else:
                self.mode = control.value
        elif control.kind == "stop":
            self.mode = int(PolicyMode.HALT)
        elif control.kind == "degraded":
            self.degraded = bool(control.value)
        elif control.kind in ("kill", "reset"):
            self._kill(control, now)
        elif control.kind == "promotion":
            self.weights[who] = control.value
        elif control.kind == "lease":
            self.leads = bool(control.held)
        elif control.kind == "latency":
            self.decision_ns = control.value
            slow = self.values.keys.get("storm_guard.latency_ms") or ()
            bounds = [int(Decimal(ms) * MILLISECOND) for ms in slow]
            level = _level(control.value, [*bounds, None] if bounds else [])
            if self._evaluate(self.of_latency, level, now):
                self.note(GuardCause.LATENCY, EVERYTHING)

    def _kill(self, control: Control, now: int) -> None:
        if control.scope == "byte":
            self.byte = control.kind == "kill"
            return
        name = (control.strategy or control.symbol).removeprefix("actor").removeprefix("I")
        scope = (control.scope, int(name or 0))
        if control.kind == "kill":
            self.trip(scope, GuardCause.MANUAL, now)
            return
        self.reset(scope)
        for storm in (*self.of_profit, *self.of_feed, self.of_latency):
            if scope == EVERYTHING or (scope == storm.scope and scope[0] == "strategy"):
                was, storm.state, storm.quiet = storm.state, int(NORMAL), 0
                if was != NORMAL:
                    self.note(GuardCause.MANUAL, storm.scope)

    # -- breakers

    def trip(
        self, scope: Scope, cause: GuardCause, now: int, where: tuple[int, int] = (0, 0)
    ) -> None:
        """Trip a breaker; a graver cause takes the place of a lesser one."""
        known = self.trips.get(scope)
        if known is None:
            after = self.values.ns("breaker.reset_after_s", SECOND, 60 * SECOND)
            known = Trip(scope, cause, now, where, cause in LATCHED, reset_after_ns=after)
            self.trips[scope] = known
        elif cause > known.cause:
            known.cause, known.where = cause, where
            known.latched = known.latched or cause in LATCHED
        else:
            return
        self.note(cause, scope)

    def reset(self, scope: Scope) -> None:
        found = self.trips.pop(scope, None)
        if found is not None:
            self.note(found.cause, scope)

    def too_much_lost(self) -> bool:
        limit = self.values.money("max_daily_loss")
        return limit is not None and self.made <= -limit

    def in_turn(self) -> list[Trip]:
        """What has tripped: global, account, strategies, symbols."""
        return sorted(self.trips.values(), key=lambda trip: (TURN[trip.scope[0]], trip.scope[1]))

    def new_day(self) -> None:
        self.lost, self.made = False, 0

    def booked(self, strategy: int, instrument: int, now: int) -> None:
        """After a fill: is the position too large?"""
        if self._too_large(strategy, instrument):
            where = (strategy, instrument)
            self.trip(("strategy", strategy), GuardCause.POSITION, now, where)

    def _too_large(self, strategy: int, instrument: int) -> bool:
        most = self.values.count("max_position_size")
        lots = self.positions[strategy][instrument].lots
        return most is not None and abs(lots) > self.less(most)

    def profit(self, seen: Seen) -> None:
        """A fill or a mark has changed what strategy `seen.strategy` has made."""
        self._profit_storm(seen)
        self.made = sum(seen.pnl)
        lost = self.too_much_lost()
        if lost and not self.lost:
            self.trip(EVERYTHING, GuardCause.LOSS, seen.now)
        self.lost = lost
        self._let_go(seen.now)

    def watch(self, seen: Seen) -> None:
        """At each wake-up: the feeds, and how far the market has moved."""
        gap = self.values.keys.get("storm_guard.feed_gap_s")
        gap_ns = None if gap is None else int(Decimal(gap) * SECOND)
        for k, mid2 in enumerate(seen.mid2):
            silent = gap_ns is not None and seen.silent_ns[k] >= gap_ns > 0
            if self._evaluate(self.of_feed[k], int(STORM if silent else NORMAL), seen.now):
                self.note(GuardCause.FEED_GAP, ("symbol", k))
            if mid2 is not None and self._moved(k, mid2, seen.now):
                self.trip(("symbol", k), GuardCause.MARKET_MOVE, seen.now, (0, k))
            self._let_go(seen.now)

    def _moved(self, k: int, mid2: int, now: int) -> bool:
        threshold = self.values.keys.get("circuit_breaker_threshold")
        if threshold is None:
            return False
        window = self.values.ns("breaker.window_s", SECOND, 60 * SECOND)
        return self.moves[k].look(mid2, now, window, int(Decimal(threshold) * 10_000))

    def _let_go(self, now: int) -> None:
        for trip in self.in_turn():
            if trip.latched or now - trip.at_ns < trip.reset_after_ns:
                continue
            strategy, instrument = trip.where
            if trip.cause == GuardCause.POSITION:
                still = self._too_large(strategy, instrument)
            else:
                still = self.moves[instrument].moved
            if still:
                trip.at_ns = now
            else:
                self.reset(trip.scope)

    # -- storm guards

    def _profit_storm(self, seen: Seen) -> None:
        values, s = self.values, seen.strategy
        storm = self.of_profit[s]
        storm.peak = max(storm.peak, seen.whole[s])
        names = [f"storm_guard.{name}_threshold" for name in ("warm", "storm", "halt")]
        bounds = [values.money(name) for name in names]
        losses = [None if bound is None else -bound for bound in bounds]
        level = by_loss = _level(-seen.pnl[s], losses)
        drawn, fallen = values.keys.get("storm_guard.drawdown_pct"), storm.peak - seen.whole[s]
        if drawn and fallen > 0:
            of = (values.money("capital") or 0) + storm.peak
            level = max(level, _level(fallen, [of * -int(pct) // 100 for pct in drawn]))
        was = storm.state
        if self._evaluate(storm, level, seen.now):
            cause = GuardCause.LOSS if by_loss >= level else GuardCause.DRAWDOWN
            self.note(cause if storm.state > was else None, storm.scope)

    def _evaluate(self, storm: Storm, level: int, now: int) -> bool:
        """One evaluation. Returns: whether the state is another one."""
        if level >= storm.state:
            storm.quiet = 0
            if level > NORMAL:
                storm.since_ns = now
            storm.state, was = level, storm.state
            return level != was
        storm.quiet += 1
        needed = self.values.count("HFT_STORMGUARD_DE_ESCALATE_N") or 5
        cooldown = self.values.ns("HFT_STORMGUARD_STORM_COOLDOWN_S", SECOND, 30 * SECOND)
        cool = storm.state != STORM or now - storm.since_ns >= cooldown
        if storm.state == HALT or storm.quiet < needed or not cool:
            return False
        storm.state, storm.quiet, storm.since_ns = level, 0, now
        return True

    def storm_of(self, strategy: int, instrument: int) -> int:
        """The worst storm guard of an intent."""
        found = (self.of_profit[strategy], self.of_feed[instrument], self.of_latency)
        return max(storm.state for storm in found)

    # -- what they say of an intent

    def refuses(self, strategy: int, instrument: int, now: int) -> Reason:
        """What the modes say of an intent that is neither proven nor lowering."""
        storm = self.storm_of(strategy, instrument)
        mode = max(self.mode, self.modes[strategy])
        if storm == HALT or mode == PolicyMode.HALT:
            return Reason.POLICY_HALT
        stormy = storm == STORM and self.values.on("HFT_GATEWAY_DEGRADE_ON_STORM", True)
        critical = self.values.on(f"strategies.actor{strategy}.critical", True)
        if mode == PolicyMode.DEGRADE or stormy or (self.degraded and not critical):
            return Reason.POLICY_DEGRADE
        if now < self.free_from:
            return Reason.STARTUP_HOLDOFF
        scopes = (EVERYTHING, ("account", 0), ("strategy", strategy), ("symbol", instrument))
        causes = [self.trips[scope].cause for scope in scopes if scope in self.trips]
        if causes:
            gravest = max(causes)
            return Reason.KILL_SWITCH if gravest == GuardCause.MANUAL else Reason.BREAKER_TRIPPED
        if self.needs_promotion(strategy) and self.weights[strategy] == 0:
            return Reason.ALPHA_NOT_LIVE
        return Reason.OK


def _level(value: int, bounds: Sequence[int | None]) -> int:
    """The highest of WARM, STORM and HALT whose bound is reached."""
    found = int(NORMAL)
    for state, bound in zip((WARM, STORM, HALT), bounds, strict=False):
        if bound is not None and value >= bound:
            found = int(state)
    return found


SAMPLES = 60  # of a window


class Move:
    """How far the mid of one instrument has moved in a window."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, int]] = []
        self.moved = False

    def look(self, mid2: int, now: int, window: int, bps: int) -> bool:
        """Compare the mid with the newest one kept that is a window old."""
        old = [kept for at, kept in self.kept if at <= now - window]
        if not self.kept or now - self.kept[-1][0] >= window // SAMPLES:
            self.kept.append((now, mid2))
        self.moved = bool(old) and abs(mid2 - old[-1]) > bps * old[-1] // 10_000
        return self.moved
