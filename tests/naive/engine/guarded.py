"""Our side under guards: the checks of docs/reference/gateway.md in their order."""

from collections import deque

from hft.core.codes import IntentType, OrderType, Reason, ResponseKind, StormGuardState, Tif
from hft.runs.controls import PPM
from tests.naive.engine.gateway import BUY, ENDS, Gateway, Intent, Order
from tests.naive.engine.guards import Guards
from tests.naive.engine.house import MILLISECOND, SECOND
from tests.naive.engine.money import Position
from tests.naive.engine.venue import Answer

NEW, AMEND, CANCEL, FLAT = (
    int(kind)
    for kind in (IntentType.NEW, IntentType.AMEND, IntentType.CANCEL, IntentType.FORCE_FLAT)
)


class Guarded(Gateway):
    """All working orders of the account, guards, and the few limits that guards change."""

    def __init__(self, guards: Guards, positions: list[list[Position]], slots: int) -> None:
        super().__init__()
        self.guards, self.positions, self.slots = guards, positions, slots
        self.cancels: list[int] = []
        self.counted: dict[int, deque[int]] = {}
        self.asked_most: dict[int, int] = {}  # of amends under way, by order
        self.closing: dict[tuple[int, int], int] = {}  # the newest FORCE_FLAT of a position
        self.waits: dict[tuple[int, int], int] = {}  # until when it is not asked for again
        self.proven = self.lowering = False

    # -- words

    def held(self, order: Order) -> int:
        """The lots that an order may still have: its acknowledged state or an amend's."""
        most = self.asked_most.get(order.oid, 0) if order.amends else 0
        return max(order.lots, most) - order.filled

    def works(self, strategy: int, instrument: int, side: int) -> int:
        return sum(self.held(order) for order in self.of(strategy, instrument, side))

    def left_to_close(self, strategy: int, instrument: int) -> int:
        lots = self.positions[strategy][instrument].lots
        return abs(lots) - self.works(strategy, instrument, 1 if lots > 0 else 0)

    def _is_proven(self, intent: Intent, target: Order | None) -> bool:
        lots = self.positions[intent.strategy][intent.instrument].lots
        if lots == 0 or (lots > 0) == (intent.side == BUY):
            return False
        works = self.works(intent.strategy, intent.instrument, intent.side)
        if target is None:
            return works + intent.lots <= abs(lots)
        rest = intent.lots - target.filled
        return rest > 0 and works - self.held(target) + rest <= abs(lots)

    # -- the checks

    def judge(self, intent: Intent, touch: int | None, now: int) -> Reason:
        """Approve or refuse; an approved order is one of ours from now on."""
        self.cancels = []
        target = self.orders.get(intent.target) if intent.kind in (AMEND, CANCEL) else None
        if target and (target.strategy, target.instrument) != (intent.strategy, intent.instrument):
            target = None
        if target is not None:
            intent.side, intent.tif = target.side, target.tif
        reason = self._shape(intent, target)
        market = intent.kind == FLAT or (intent.kind == NEW and intent.type == OrderType.MARKET)
        if market and reason == Reason.OK and touch is not None:
            intent.price = touch
        if reason == Reason.OK and intent.kind != CANCEL:
            reason = self._checked(intent, target, touch, now)
        elif intent.kind == CANCEL:
            self._in_time(intent, now, True)
        if reason == Reason.OK and not self.guards.leads:
            reason = Reason.NOT_LEADER
        return reason

    def _shape(self, intent: Intent, target: Order | None) -> Reason:
        if intent.kind == NEW:
            known = intent.type in (OrderType.MARKET, OrderType.LIMIT)
            if not known or not 0 <= intent.tif <= Tif.GTX:
                return Reason.BAD_MESSAGE
        if intent.kind == FLAT:
            left = self.left_to_close(intent.strategy, intent.instrument)
            if left <= 0:
                return Reason.NOT_FOUND
            lots = self.positions[intent.strategy][intent.instrument].lots
            intent.side = 1 if lots > 0 else 0
            intent.sent = min(left, intent.lots) if intent.lots else left
        if intent.kind == CANCEL and target is None:
            return Reason.NOT_FOUND
        return Reason.OK

    def _checked(self, intent: Intent, target: Order | None, touch: int | None, now: int) -> Reason:
        lower = intent.kind == AMEND and target is not None
        self.lowering = bool(
            lower and target and intent.price == target.price and 0 < intent.lots < target.lots
        )
        known = intent.kind != AMEND or target is not None
        self.proven = intent.kind == FLAT or (known and self._is_proven(intent, target))
        passes = self.proven or self.lowering
        reason = Reason.OK
        if not passes:
            reason = self.guards.refuses(intent.strategy, intent.instrument, now)
        if reason == Reason.OK and intent.kind == AMEND:
            if target is None:
                reason = Reason.EXPOSURE_ORDER_UNKNOWN
            elif target.unknown:
                reason = Reason.OUTCOME_UNKNOWN
        if reason == Reason.OK and not passes and self.guards.byte:
            reason = Reason.FASTGATE_KILL_SWITCH
        if reason == Reason.OK and not passes:
            reason = self._storm(intent)
        if reason != Reason.OK:
            return reason
        late = self._in_time(intent, now, passes)
        if late and not passes:
            return Reason.RATE_LIMIT
        return self._sized(intent, target, touch, passes)

    def _storm(self, intent: Intent) -> Reason:
        state = self.guards.storm_of(intent.strategy, intent.instrument)
        if state == StormGuardState.HALT:
            return Reason.STORMGUARD_HALT
        if state == StormGuardState.STORM and intent.kind == NEW:
            return Reason.STORMGUARD_STORM_NEW_BLOCKED
        return Reason.OK

    def _in_time(self, intent: Intent, now: int, always: bool) -> bool:
        """Count an intent. Returns: whether there are too many of them; one too many counts not."""
        values, late = self.guards.values, False
        counted = [self.counted.setdefault(who, deque()) for who in (intent.strategy, -1)]
        for times in counted:
            for unit, span in (("second", SECOND), ("minute", 60 * SECOND)):
                most = values.count(f"risk_limits.orders_per_{unit}")
                if most is not None:
                    recent = sum(1 for t in times if now - t < span)
                    late = late or recent >= max(1, self.guards.less(most))
        if always or not late:
            for times in counted:
                times.append(now)
        return late

    def _weighed(self, most: int, strategy: int) -> int:
        weight = self.guards.weights[strategy]
        if weight < PPM:
            return min(most, max(1, most * weight // PPM)) if weight else 0
        return most

    def _sized(
        self, intent: Intent, target: Order | None, touch: int | None, passes: bool
    ) -> Reason:
        values, k = self.guards.values, intent.instrument
        lots = intent.lots - (target.filled if target else 0)
        most = values.count(f"symbols.I{k}.max_order_size")
        if most is None:
            most = values.count("max_position_size")
        sized = most is not None and not passes
        if sized and intent.lots > self._weighed(self.guards.less(most or 0), intent.strategy):
            return Reason.ORDER_SIZE
        market = intent.kind == FLAT or (intent.kind == NEW and intent.type == OrderType.MARKET)
        if market and touch is None:
            return Reason.MARKET_NO_TOUCH
        if not self.lowering:
            reason = self._own(intent, market)
            if reason != Reason.OK:
                return reason
        if passes:
            return Reason.OK
        adds = lots - (self.held(target) if target else 0)
        most = values.count("max_position_size")
        if most is not None and adds > 0:
            held = self.positions[intent.strategy][k].lots
            worst = (held if intent.side == BUY else -held) + adds
            worst += self.works(intent.strategy, k, intent.side)
            if worst > self._weighed(self.guards.less(most), intent.strategy):
                return Reason.POSITION_LIMIT
        if self.guards.too_much_lost():
            return Reason.DAILY_LOSS
        return Reason.OK

    def _own(self, intent: Intent, market: bool) -> Reason:
        if intent.kind != FLAT:
            return Reason.SELF_TRADE if self._meets_own(intent, market) else Reason.OK
        met = [
            order
            for order in self.orders.values()
            if order.instrument == intent.instrument and order.side != intent.side
        ]
        asked = [o for o in reversed(met) if o.request != CANCEL and o.cancels == 0]
        self.cancels = [order.oid for order in asked]
        return Reason.OK

    def has_room(self, intent: Intent) -> bool:
        return intent.kind not in (NEW, FLAT) or len(self.orders) < self.slots

    def answer(self, answer: Answer) -> Order | None:
        """Take an answer in; what did not get out waits before a trip asks for it again."""
        before = None if answer.again else self.orders.get(answer.oid)
        if before is not None and answer.kind == ResponseKind.CANCEL_REJECTED:
            before.refused_ns = answer.heard_ns
        if before is not None and answer.kind in ENDS:
            self._ended(before, answer.heard_ns)
        return super().answer(answer)

    def turns_out(self, order: Order, rests: bool, now: int) -> None:
        if not rests:
            self._ended(order, now)
        super().turns_out(order, rests, now)

    def _ended(self, order: Order, now: int) -> None:
        whose = (order.strategy, order.instrument)
        if order.filled == 0 and self.closing.get(whose) == order.oid:
            self.waits[whose] = now + SECOND

    def goes(self, intent: Intent) -> None:
        """It is under way: a new order works, a request is remembered."""
        if intent.kind == FLAT:
            self.closing[intent.strategy, intent.instrument] = intent.number
        if intent.kind in (NEW, FLAT):
            self._open(
                Order(
                    *(intent.number, intent.strategy, intent.instrument, intent.side),
                    *(intent.price, intent.sent or intent.lots, intent.tif),
                    asked_by=intent.number,
                )
            )
            return
        target = self.orders[intent.target]
        if intent.kind == CANCEL:
            self._cancel(intent, target)
            return
        if target.amends == 0:
            self.asked_most[target.oid] = 0
            target.asked_low = target.asked_high = intent.price
        self.asked_most[target.oid] = max(self.asked_most[target.oid], intent.lots)
        target.asked_low = min(target.asked_low, intent.price)
        target.asked_high = max(target.asked_high, intent.price)
        target.request, target.asked_by = AMEND, intent.number
        target.amends += 1


def deadline_ns(guards: Guards) -> int:
    """How long a decision may take; 0: as long as it likes."""
    return guards.values.ns("HFT_COMMAND_DEADLINE_MS", MILLISECOND, 500 * MILLISECOND)
