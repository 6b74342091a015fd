"""Orders of which nobody knows what became: what puts one in doubt, and what ends the doubt.

A new life knows what was decided, not what left: each command without an answer holds what it held,
and its key is answered OUTCOME_UNKNOWN, until the venue says whether its order rests, has ended, or
never was. It says so once all its fills were told; a count that does not fit changes nothing.
"""

from typing import Any

from hft.core.codes import DedupState, IntentType, OrderStatus, Reason, ResponseKind, StepKind
from hft.core.dtypes import Row
from hft.core.jit import kernel, seldom
from hft.gateway import dedup
from hft.gateway.events import (
    end_cancel,
    find_order,
    is_believable,
    know_again,
    let_go,
    on_ack,
    on_amend_rejected,
    on_amended,
    on_done,
    on_unknown,
)
from hft.gateway.rows import ONE_AMEND
from hft.gateway.tables import enter
from hft.trading.inputs import Outcome
from hft.trading.steps import new_step, note_guards, step_row

_NOTHING = -1
_NEW = IntentType.NEW.value
_AMEND = IntentType.AMEND.value
_CANCEL = IntentType.CANCEL.value
_RESTS = Outcome.RESTS.value
_ENDED = Outcome.ENDED.value
_NEVER_SEEN = Outcome.NEVER_SEEN.value
_FAULT = StepKind.FAULT.value
_ACK = ResponseKind.ACK.value
_CANCELLED = ResponseKind.CANCELLED.value
_EXPIRED = ResponseKind.EXPIRED.value
_REJECTED = ResponseKind.REJECTED.value
_LOST = ResponseKind.UNKNOWN.value
_S_CANCELLED = OrderStatus.CANCELLED.value
_S_FILLED = OrderStatus.FILLED.value
_S_EXPIRED = OrderStatus.EXPIRED.value
_S_PENDING = OrderStatus.PENDING_SUBMIT.value
_S_FAILED = OrderStatus.FAILED.value
_S_UNKNOWN = OrderStatus.UNKNOWN.value
_K_APPROVED = DedupState.APPROVED.value
_K_REJECTED = DedupState.REJECTED.value
_NOT_THERE = Reason.VENUE_DOWN.value  # what the key of a command that never arrived answers
_ONE_CANCEL = ONE_AMEND - 1


@kernel
def in_doubt(desk: Any, wiring: Any, now_ns: int) -> None:
    """Each order with a command in flight is UNKNOWN from now on. Mutates: desk."""
    seldom()
    gw = desk.trading.gw
    for slot in range(gw.head[0]["order_count"]):
        order = gw.orders[slot]
        if order["order_id"] > 0 and order["request"] != _NOTHING:
            on_unknown(enter(gw), slot, now_ns)
            _note(wiring, order, _LOST, now_ns, 0)


@kernel
def reconciled(desk: Any, wiring: Any, row: Row) -> None:
    """The venue says what became of an order (a HEARD row). Mutates: desk."""
    seldom()
    gw, now_ns, outcome = desk.trading.gw, row["ts_ns"], row["code"]
    slot = find_order(enter(gw), row["order_id"])
    if slot < 0:
        desk.head[0]["strays"] += 1
        return
    order = gw.orders[slot]
    fits = row["total_qty"] == order["filled_qty"] and _RESTS <= outcome <= _NEVER_SEEN
    if outcome == _RESTS:
        total_qty = order["filled_qty"] + row["qty"]
        fits = fits and row["qty"] > 0 and is_believable(enter(gw), slot, row["price"], total_qty)
    elif outcome == _NEVER_SEEN:
        fits = fits and order["filled_qty"] == 0
    if not fits:
        desk.head[0]["disputed"] += 1
        _note(wiring, order, _LOST, now_ns, 1)
        return
    if outcome == _RESTS:
        _note(wiring, order, _ACK, now_ns, 0)
        _rests(gw, slot, row["price"], row["qty"], now_ns)
    elif outcome == _ENDED:
        kind = row["value"] if row["value"] in (_EXPIRED, _REJECTED) else _CANCELLED
        _note(wiring, order, kind, now_ns, 0)
        status = _S_CANCELLED
        if kind == _EXPIRED:
            status = _S_EXPIRED
        elif kind == _REJECTED:
            status = _S_FAILED
        on_done(enter(gw), slot, status, now_ns)
    else:
        _note(wiring, order, _REJECTED, now_ns, 0)
        _never_was(gw, slot, _NOT_THERE, now_ns)
    note_guards(desk.trading, wiring)


@kernel
def _rests(gw: Any, slot: int, price: int, open_qty: int, now_ns: int) -> None:
    """It works, as the venue says, and nothing about it is in flight any more. Mutates: gw.

    A cancel had no effect, and an amend only when the order is as it asked.
    """
    order, hold = gw.orders[slot], gw.holds[slot]
    total_qty = order["filled_qty"] + open_qty
    request = order["request"]
    took = request != _CANCEL
    if request == _AMEND:
        took = hold["price"] == price and hold["qty"] == total_qty
    if not took:
        know_again(enter(gw), slot, _K_REJECTED, _NOT_THERE, now_ns)
        _forget_refused(gw, hold)
    on_ack(enter(gw), slot, now_ns)
    hold["in_flight"] = hold["in_flight"] & ~_ONE_CANCEL
    again = True
    while again:  # the last amend in flight ends the hold for what any of them may have made of it
        again = hold["in_flight"] > ONE_AMEND
        on_amended(enter(gw), slot, price, total_qty, now_ns)
    order["request"] = _NOTHING
    _as_filled(order)


@kernel
def _forget_refused(gw: Any, hold: Row) -> None:
    """A key that is refused for good stays so, whatever becomes of its order. Mutates: hold."""
    at = dedup.find(enter(gw), hold["key_hi"], hold["key_lo"])
    if at >= 0 and dedup.state_of(gw.dedup[at]["outcome"]) == _K_REJECTED:
        hold["key_hi"] = 0
        hold["key_lo"] = 0


@kernel
def _as_filled(order: Row) -> None:
    status = OrderStatus.PARTIALLY_FILLED.value
    order["status"] = status if order["filled_qty"] > 0 else OrderStatus.SUBMITTED.value


@kernel
def _never_was(gw: Any, slot: int, reason: int, now_ns: int) -> None:
    """The order was never at the venue: all it held comes back, its key answers `reason`."""
    if gw.orders[slot]["status"] == _S_UNKNOWN:
        know_again(enter(gw), slot, _K_REJECTED, reason, now_ns)
    else:
        dedup.commit_key(enter(gw), gw.holds[slot], _K_REJECTED, reason, 0, now_ns)
    on_done(enter(gw), slot, _S_FAILED, now_ns)


@kernel
def unsent(desk: Any, wiring: Any, row: Row) -> None:
    """A command that was decided certainly never left (a HEARD row). Mutates: desk.

    When it is the one that makes the order, what was decided about the order since is void, too;
    of any other `value` says whether it amends or cancels.
    """
    seldom()
    gw, now_ns = desk.trading.gw, row["ts_ns"]
    slot = find_order(enter(gw), row["order_id"])
    if slot < 0:
        desk.head[0]["strays"] += 1
        return
    order, hold = gw.orders[slot], gw.holds[slot]
    waits = order["status"] == _S_PENDING or order["status"] == _S_UNKNOWN
    kind = _NEW if row["cmd_id"] == order["cmd_id"] else row["value"]
    fits = False
    if kind == _NEW:
        fits = row["cmd_id"] == order["cmd_id"] and waits and order["filled_qty"] == 0
    elif kind == _AMEND:
        fits = hold["in_flight"] >= ONE_AMEND
    elif kind == _CANCEL:
        fits = hold["in_flight"] & _ONE_CANCEL > 0
    if not fits:
        desk.head[0]["disputed"] += 1
        _note(wiring, order, _LOST, now_ns, 1)
        return
    _note(wiring, order, _REJECTED, now_ns, 0)
    if kind == _NEW:
        _never_was(gw, slot, row["code"], now_ns)
    else:
        dedup.reject_command(enter(gw), row["cmd_id"], row["code"], now_ns)
        _forget_refused(gw, hold)
        if kind == _AMEND:
            on_amend_rejected(enter(gw), slot, now_ns)
            end_if_filled(gw, slot)
        else:
            end_cancel(order, hold)
    note_guards(desk.trading, wiring)


@kernel(inline=True)
def may_be_more(gw: Any, slot: int, row: Row) -> bool:
    """May this fill be of an order that an amend in flight has made larger, though nobody said so?

    Where outcomes are open, and where the venue tells fills when asked, the answer to the amend is
    missing before them.
    """
    order, hold = gw.orders[slot], gw.holds[slot]
    told_when_asked = row["seq"] <= 0 and row["total_qty"] > 0
    missing = order["status"] == _S_UNKNOWN or told_when_asked
    return bool(missing and hold["in_flight"] >= ONE_AMEND and order["qty"] < hold["qty"])


@kernel
def end_if_filled(gw: Any, slot: int) -> None:
    """The amend that kept a filled order open had no effect: it is complete. Mutates: gw."""
    order = gw.orders[slot]
    works = order["order_id"] > 0 and gw.holds[slot]["in_flight"] < ONE_AMEND
    if works and 0 < order["qty"] <= order["filled_qty"]:
        let_go(enter(gw), slot, _S_FILLED)


@kernel
def _note(wiring: Any, order: Row, kind: int, now_ns: int, ignored: int) -> None:
    step = new_step(step_row(), _FAULT, now_ns)
    step["strategy_idx"] = order["strategy_idx"]
    step["instrument_idx"] = order["instrument_idx"]
    step["order_id"] = order["order_id"]
    step["code"] = kind
    step["side"] = order["side"]
    step["price"] = order["price"]
    step["qty"] = order["qty"]
    step["ignored"] = ignored
    wiring.note(wiring.outside, step)
