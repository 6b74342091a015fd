"""A desk in plain Python, from the contract: rows heard one by one, dictionaries and lists.

The gateway and the positions are those of the other twins; here is what stands between a row and
them. The twin of `hft.trading.desk`.
"""

from typing import Any

from hft.core.codes import (
    ControlKind,
    DedupState,
    IntentType,
    OrderStatus,
    PolicyMode,
    Reason,
    ResponseKind,
    Tif,
)
from tests.naive.desk_trips import Trips
from tests.naive.gateway_state import Order, Rules
from tests.naive.positions import NaiveInstrument, NaivePosition

EPOCH = 1 << 36
DEADLINE_NS = 500_000_000
WORKING = (OrderStatus.SUBMITTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCEL_REQUESTED)
ENDS = {
    ResponseKind.CANCELLED: OrderStatus.CANCELLED,
    ResponseKind.EXPIRED: OrderStatus.EXPIRED,
    ResponseKind.REJECTED: OrderStatus.FAILED,
}


class NaiveDesk(Trips):
    """`hear` takes one row as a dictionary; what follows is in `sent` and `said`."""

    def __init__(self, rules: Rules, instrument: NaiveInstrument, room: int) -> None:
        super().__init__(rules)
        self.room = room
        self.positions = {
            (s, i): NaivePosition(instrument)
            for s in range(rules.strategies)
            for i in range(rules.instruments)
        }
        self.marks: dict[tuple[int, int], tuple[int, int]] = {}
        self.sessions = [(0, 0)] * rules.accounts
        self.asked: set[int] = set()  # accounts whose next answer may have any later number
        self.epoch, self.next_id, self.latency_ns = 0, 1, 0
        self.copies = self.gaps = self.disputed = self.strays = 0
        self.sent: list[tuple[int, ...]] = []  # kind, order, command, price, qty
        self.said: list[tuple[Any, ...]] = []

    def hear(self, row_kind: str, **row: int) -> None:
        self.now = row["ts_ns"]
        self.next_id = max(self.next_id, row.get("next_id", 0))
        self.ahead = row.get("queued", 0)
        getattr(self, f"_{row_kind}")(row)

    # -- intents ----------------------------------------------------------------------------------

    def _touch(self, row: dict[str, int]) -> None:
        names = {"bid_tick", "ask_tick", "valid", "touch_ns"}
        touch = {name: row.get(name, 0) for name in names}
        self.touches[row["instrument_idx"]] = touch | {"ts_ns": touch["touch_ns"]}

    def _intent(self, row: dict[str, int]) -> None:
        self._touch(row)
        self._submit(row)

    def _submit(self, i: dict[str, int]) -> None:
        answer = self.decide(self.now, self.touches[i["instrument_idx"]], **i)
        exempt = self.exempt
        crossed = []
        for order_id, total in answer.cancels:
            order = self.orders[order_id]
            kind = IntentType.AMEND if total else IntentType.CANCEL
            crossed.append(
                self.own(kind)
                | {"target_id": order_id, "qty": total, "price": order.price, "side": order.side}
                | {"strategy_idx": order.strategy, "account_idx": order.account}
                | {"instrument_idx": order.instrument}
            )
        for one in crossed:
            theirs = self.decide(self.now, self.touches[one["instrument_idx"]], **one)
            self._conclude(one, theirs, self.exempt)
        self._conclude(i, answer, exempt)

    def _conclude(self, i: dict[str, int], answer: Any, exempt: bool) -> None:
        reason = answer.reason
        kind = IntentType(i.get("intent_type", 0)) if 0 <= i.get("intent_type", 0) <= 3 else None
        where = (i.get("account_idx", 0), i.get("strategy_idx", 0), i["instrument_idx"])
        if reason == Reason.OK and not answer.replayed:
            reason = self._send(i, answer, exempt)
            target = i["target_id"] if kind in (IntentType.AMEND, IntentType.CANCEL) else None
            if reason == Reason.OK and target is None:
                self.tifs[i["intent_id"]] = Tif(i.get("tif", 0))
                if kind == IntentType.FORCE_FLAT:
                    self.tifs[i["intent_id"]] = Tif.IOC
                    self.closing[where] = i["intent_id"]
            elif reason != Reason.OK:
                if kind == IntentType.FORCE_FLAT:
                    self.closing[where] = i["intent_id"]
                self.take_back(target or i["intent_id"], reason)
                if kind == IntentType.FORCE_FLAT:
                    self.refused_leaf[where] = self.now
        elif kind == IntentType.FORCE_FLAT and where in self.leaves and answer.priced:
            self.refused_leaf[where] = self.now
        self.said.append(("decision", i["intent_id"], int(reason), answer.cmd_id))

    def _send(self, i: dict[str, int], answer: Any, exempt: bool) -> Reason:
        if self.ahead >= (2 * self.room if exempt else self.room):
            return Reason.ORDER_QUEUE_FULL
        kind = IntentType(i.get("intent_type", 0))
        if kind != IntentType.CANCEL and self.latency_ns > DEADLINE_NS:
            return Reason.COMMAND_DEADLINE
        self.ahead += 1
        order_id = i["intent_id"]
        if kind in (IntentType.AMEND, IntentType.CANCEL):
            order_id = i["target_id"]
        self.sent.append((int(kind), order_id, answer.cmd_id, answer.price, answer.qty))
        return Reason.OK

    # -- what the venue says ----------------------------------------------------------------------

    def _answer(self, row: dict[str, int]) -> None:
        new = self._is_new(row)
        order = self.orders.get(row["order_id"])
        if order is None:
            self.strays += 1
            return
        kind = ResponseKind(row["code"])
        told = row.get("total_qty", 0)
        if not new:
            return
        if kind == ResponseKind.FILL and 0 < told <= order.filled:
            self.copies += 1
            return
        missing = told - order.filled if told else 0
        if kind == ResponseKind.FILL:
            cannot_be = row["qty"] <= 0 or row["price"] < 0
            is_cut = cannot_be or (told > 0 and missing != row["qty"])
        else:
            is_cut = kind in ENDS and missing > 0
        if is_cut:
            self.gaps += 1
            if row.get("seq", 0) > 0:
                self.sessions[row.get("account_idx", 0)] = (row["session"], row["seq"] - 1)
                self.asked.discard(row.get("account_idx", 0))
            return
        if kind == ResponseKind.FILL:
            self._fill(order, row)
        elif kind == ResponseKind.ACK:
            self.ack(order.id, self.now)
        elif kind == ResponseKind.UNKNOWN:
            self.unknown(order.id, self.now)
        elif kind == ResponseKind.AMENDED:
            self.amended(order.id, row["price"], order.filled + row["qty"], self.now)
        elif kind == ResponseKind.AMEND_REJECTED:
            self.amend_rejected(order.id, self.now)
            self._end_if_filled(order)
        elif kind == ResponseKind.CANCEL_REJECTED:
            self.refused[order.id] = self.now
            self.cancel_rejected(order.id, self.now)
        else:
            self.ended(order, ENDS[kind])

    def _is_new(self, row: dict[str, int]) -> bool:
        number = (row.get("session", 0), row.get("seq", 0))
        if number[1] <= 0:
            return True
        last = self.sessions[row.get("account_idx", 0)]
        if number <= last:
            self.copies += 1
            return False
        account = row.get("account_idx", 0)
        if number[0] == last[0] and number[1] > last[1] + 1 and account not in self.asked:
            self.gaps += 1
            return False
        self.asked.discard(account)
        self.sessions[row.get("account_idx", 0)] = number
        return True

    def _fill(self, order: Order, row: dict[str, int]) -> None:
        position = self.positions[order.strategy, order.instrument]
        price, qty = row["price"], row["qty"]
        taker = row.get("liquidity", 0) == 1
        fee = position.instrument.fee(price, qty, taker, order.filled == 0)
        position.fill(order.side, price, qty, fee)
        asked = row.get("seq", 0) <= 0 and row.get("total_qty", 0) > 0
        doubt = order.status == OrderStatus.UNKNOWN or asked
        known = order.qty
        larger = doubt and order.amends > 0 and order.high[1] > known
        if larger:
            order.qty = order.high[1]
        self.fill(order.id, price, qty, self.now)
        order.qty = known
        touch = self.touches[order.instrument]
        mid2 = touch["bid_tick"] + touch["ask_tick"] if touch["valid"] else 2 * price
        self._mark(order.strategy, order.instrument, mid2)
        self._profit(order.strategy)

    def _mark(self, s: int, i: int, mid2: int) -> None:
        self.marks[s, i] = (mid2, self.positions[s, i].mark(mid2))

    def _profit(self, s: int) -> None:
        total = 0
        for i in range(self.rules.instruments):
            position = self.positions[s, i]
            total += position.realized - position.fees + self.marks.get((s, i), (0, 0))[1]
        self.pnl(s, total, self.now)

    # -- time -------------------------------------------------------------------------------------

    def _wake(self, row: dict[str, int]) -> None:
        s, marked = row["strategy_idx"], False
        for i, touch in enumerate(self.touches):
            mid2 = touch["bid_tick"] + touch["ask_tick"]
            old = self.marks.get((s, i), (0, 0))[0]
            if self.positions[s, i].qty and touch["valid"] and mid2 != old:
                self._mark(s, i, mid2)
                marked = True
        if marked:
            self._profit(s)
        for i, touch in enumerate(self.touches):
            self.market(i, touch, self.now)
        for intent in self.trip_intents():
            self._submit(intent)

    def _tick(self, row: dict[str, int]) -> None:
        for s in range(self.rules.strategies):
            self._wake(row | {"strategy_idx": s})

    # -- lives and doubt --------------------------------------------------------------------------

    def _life(self, row: dict[str, int]) -> None:
        self.epoch = row["value"]
        self.cmd_id = self.epoch * EPOCH
        for order in list(self.orders.values()):
            if order.request is not None:
                self.unknown(order.id, self.now)

    def _name(self, row: dict[str, int]) -> None:
        pass

    def _reconciled(self, row: dict[str, int]) -> None:
        order = self.orders.get(row["order_id"])
        if order is None:
            self.strays += 1
            return
        rests, never = row["code"] == 0, row["code"] == 2
        price, qty = row.get("price", 0), row.get("qty", 0)
        fits = row.get("total_qty", 0) == order.filled and (qty > 0 or not rests)
        if not fits or (never and order.filled):
            self.disputed += 1
        elif rests:
            self._rests(order, price, qty)
        elif never:
            self._never_was(order, Reason.VENUE_DOWN)
        else:
            kind = ResponseKind(row["value"])
            self.ended(order, ENDS.get(kind, OrderStatus.CANCELLED))

    def _rests(self, order: Order, price: int, qty: int) -> None:
        total = order.filled + qty
        took = order.request != IntentType.CANCEL
        if order.request == IntentType.AMEND:
            took = order.high == (price, total)
        if order.status == OrderStatus.UNKNOWN:
            state = DedupState.APPROVED if took else DedupState.REJECTED
            reason = Reason.OK if took else Reason.VENUE_DOWN
            cmd_id = order.cmd_id if took else 0
            self._commit(order.key, order.payload, state, reason, cmd_id, self.now)
        if not took:
            self._forget_refused(order)
        order.price, order.qty = price, total
        order.amends = order.cancels = 0
        order.request = None
        partly = OrderStatus.PARTIALLY_FILLED
        order.status = partly if order.filled else OrderStatus.SUBMITTED

    def _never_was(self, order: Order, reason: Reason) -> None:
        rejected = DedupState.REJECTED
        self._commit(order.key, order.payload, rejected, reason, 0, self.now)
        order.status = OrderStatus.PENDING_SUBMIT
        self.ended(order, OrderStatus.FAILED)

    def _unsent(self, row: dict[str, int]) -> None:
        order = self.orders.get(row["order_id"])
        if order is None:
            self.strays += 1
            return
        reason = Reason(row["code"])
        if row["cmd_id"] == order.cmd_id:
            if order.status in WORKING or order.filled:
                self.disputed += 1
                return
            self._never_was(order, reason)
        elif row["value"] == IntentType.AMEND and order.amends:
            self._reject_key(row["cmd_id"], reason)
            self._forget_refused(order)
            self.amend_rejected(order.id, self.now)
            self._end_if_filled(order)
        elif row["value"] == IntentType.CANCEL and order.cancels:
            self._reject_key(row["cmd_id"], reason)
            self._forget_refused(order)
            self.cancel_rejected(order.id, self.now)
        else:
            self.disputed += 1

    def _reject_key(self, cmd_id: int, reason: Reason) -> None:
        for key, entry in list(self.keys.items()):
            if entry[2] == cmd_id and entry[0] == DedupState.APPROVED:
                self._commit(key, None, DedupState.REJECTED, reason, 0, self.now)

    def _forget_refused(self, order: Order) -> None:
        entry = self.keys.get(order.key)
        if entry is not None and entry[0] == DedupState.REJECTED:
            order.key = (0, 0)

    def _end_if_filled(self, order: Order) -> None:
        if order.id in self.orders and not order.amends and 0 < order.qty <= order.filled:
            del self.orders[order.id]

    # -- controls ---------------------------------------------------------------------------------

    def _control(self, row: dict[str, int]) -> None:
        if row["code"] == ControlKind.DISCONNECT:
            self.asked = set(range(len(self.sessions)))
        code, value = row.get("target_id", 0), row.get("value", 0)
        kind = ControlKind(row["code"])
        if kind == ControlKind.MODE and code == 0:
            self.operator = PolicyMode(value)
        elif kind == ControlKind.KILL:
            scope = ("global", ("account", code >> 4), ("strategy", code >> 4))
            self.taken.discard(scope[code & 15])
            self.kill(scope[code & 15], bool(value), self.now)
        elif kind == ControlKind.START:
            self.holdoff_until = self.now + value if value else 0
            self.recovering = code != 0
        elif kind == ControlKind.RECOVERED:
            self.recovering = False
        elif kind == ControlKind.LATENCY:
            self.latency_ns = value
            self.latency(value, self.now)
        elif kind == ControlKind.LEASE:
            self.leader = code != 0
        elif kind == ControlKind.DISCONNECT:
            self.venue_up = False
        elif kind == ControlKind.RECONNECT:
            self.venue_up = True
        elif kind == ControlKind.RESET_DAILY:
            self.reset_daily()
