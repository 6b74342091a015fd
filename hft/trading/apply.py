"""Input rows become state, commands and steps: one kernel for the service, recovery, checkpoints.

It drives what the replay drives (`submit`, `receive`, `watch`, `take_trips`, `control`), so that an
order has one way only. `checks` looks at all rows first: `apply_all` then refuses none, and what it
is given twice leads to the same bits twice.
"""

from typing import Any

from hft.core.codes import ControlKind, ResponseKind, StepKind
from hft.core.dtypes import Row
from hft.core.jit import kernel, seldom
from hft.gateway import dedup
from hft.gateway.control import control
from hft.gateway.events import find_order, hold_again, is_believable
from hft.gateway.tables import enter
from hft.trading.answers import receive
from hft.trading.checks import heard_row, name_index
from hft.trading.desk_state import MARGIN
from hft.trading.inputs import EPOCH_SHIFT, InputKind
from hft.trading.orders import submit, take_trips
from hft.trading.profit import mark_held, watch
from hft.trading.rings import note, wiring
from hft.trading.steps import new_step, note_guards, step_row
from hft.trading.unknown import end_if_filled, in_doubt, may_be_more, reconciled, unsent

_LIFE = InputKind.LIFE.value
_NAME = InputKind.NAME.value
_TOUCH = InputKind.TOUCH.value
_WAKE = InputKind.WAKE.value
_INTENT = InputKind.INTENT.value
_ANSWER = InputKind.ANSWER.value
_CONTROL = InputKind.CONTROL.value
_TICK = InputKind.TICK.value
_RECONCILED = InputKind.RECONCILED.value
_UNSENT = InputKind.UNSENT.value
_LIMITS = ControlKind.LIMITS.value
_DISCONNECT = ControlKind.DISCONNECT.value
_FILL = ResponseKind.FILL.value
_CANCELLED = ResponseKind.CANCELLED.value
_EXPIRED = ResponseKind.EXPIRED.value
_REJECTED = ResponseKind.REJECTED.value
_AMEND_REJECTED = ResponseKind.AMEND_REJECTED.value
_STEP_CONTROL = StepKind.CONTROL.value
AHEAD = 8  # rows whose key is fetched before its turn


@kernel
def apply_all(desk: Any, rows: Any, count: int) -> int:
    """Apply rows that `check` found fine. Mutates: desk.

    Returns: how many were applied. Fewer than all when the records must be taken first, or when
    the last one applied puts other limits in force, which Python holds.
    """
    head = desk.head[0]
    for k in range(count):
        if head["steps_len"] + MARGIN > len(desk.steps) or _is_full(desk):
            return k
        if k + AHEAD < count:
            dedup.warm(enter(desk.trading.gw), rows[k + AHEAD]["key_lo"])
        row = rows[k]
        _begin(desk, row)
        kind = row["kind"]
        if kind == _INTENT:
            _hear_intent(desk, row)
        elif kind == _ANSWER:
            _hear_answer(desk, heard_row(rows, k))
        elif kind == _TOUCH:
            _hear_touch(desk, row)
        elif kind == _WAKE:
            _look(desk, row["strategy_idx"], row["ts_ns"])
        elif kind == _TICK:
            for s in range(desk.trading.gw.config[0]["n_strategies"]):
                _look(desk, s, row["ts_ns"])
        elif _hear_seldom(desk, rows, k):
            return k + 1
    return count


@kernel(inline=True)
def _begin(desk: Any, row: Row) -> None:
    head = desk.head[0]
    head["inputs"] += 1
    head["now_ns"] = row["ts_ns"]
    head["queued"] = row["queued"]
    head["row_commands"] = 0
    trading = desk.trading.head[0]
    trading["next_id"] = max(trading["next_id"], row["next_id"])


@kernel(inline=True)
def _is_full(desk: Any) -> bool:
    """Might the next row lead to more commands or fills than there is room for?"""
    head, trading = desk.head[0], desk.trading.head[0]
    return head["commands_len"] + MARGIN > len(desk.commands) or trading["fills_len"] + 1 > len(
        desk.trading.fills
    )


@kernel(inline=True)
def _hear_touch(desk: Any, row: Row) -> None:
    touch = desk.trading.touch[row["instrument_idx"]]
    touch["bid_tick"] = row["bid_tick"]
    touch["ask_tick"] = row["ask_tick"]
    touch["valid"] = row["valid"]
    touch["ts_ns"] = row["touch_ns"]
    touch["phase"] = row["phase"]
    touch["open_ns"] = row["open_ns"]


@kernel(inline=True)
def _hear_intent(desk: Any, row: Row) -> None:
    _hear_touch(desk, row)
    intent = desk.intent[0]
    _copy_intent(row, intent)
    submit(desk.trading, wiring(desk), intent, row["ts_ns"])


@kernel(inline=True)
def _copy_intent(row: Row, intent: Row) -> None:
    intent["intent_id"] = row["intent_id"]
    intent["strategy_idx"] = row["strategy_idx"]
    intent["account_idx"] = row["account_idx"]
    intent["instrument_idx"] = row["instrument_idx"]
    intent["intent_type"] = row["intent_type"]
    intent["side"] = row["side"]
    intent["price"] = row["price"]
    intent["qty"] = row["qty"]
    intent["tif"] = row["tif"]
    intent["order_type"] = row["order_type"]
    intent["target_id"] = row["target_id"]
    intent["timestamp_ns"] = row["timestamp_ns"]
    intent["source_ts_ns"] = row["source_ts_ns"]
    intent["ttl_ns"] = row["ttl_ns"]
    intent["expire_ts_ns"] = row["expire_ts_ns"]
    intent["key_hi"] = row["key_hi"]
    intent["key_lo"] = row["key_lo"]
    intent["parent_id"] = row["parent_id"]
    intent["stop_price"] = row["stop_price"]
    intent["display_qty"] = row["display_qty"]


@kernel
def _hear_answer(desk: Any, row: Row) -> None:
    """An answer of the venue, once: by its number, and a fill by what the venue has filled so far.

    Behind a hole nothing of the session counts: an end without the fill before it would be booked
    as an end without the fill. Mutates: desk.
    """
    head, gw = desk.head[0], desk.trading.gw
    answer = desk.answer[0]
    slot = find_order(enter(gw), row["order_id"])
    copy = 0 if _is_next(desk, row) else 1
    if slot < 0:
        head["strays"] += 1
        slot, copy = 0, 1
    elif copy == 0 and not _follows(desk, slot, row):
        copy = 1
    answer["ts_ns"] = row["ts_ns"]
    answer["kind"] = row["code"]
    answer["slot"] = slot
    answer["order_id"] = row["order_id"]
    answer["price"] = row["price"]
    answer["qty"] = row["qty"]
    answer["reason"] = row["value"]
    answer["acted_ns"] = row["acted_ns"]
    answer["liquidity"] = row["liquidity"]
    answer["fill_id"] = row["fill_id"]
    answer["mid2"] = row["mid2"]
    answer["copy"] = copy
    order = gw.orders[slot]
    known_qty = order["qty"]
    open_ended = copy == 0 and row["code"] == _FILL and may_be_more(gw, slot, row)
    if open_ended:
        order["qty"] = gw.holds[slot]["qty"]
    receive(desk.trading, wiring(desk), answer)
    if open_ended and order["order_id"] == row["order_id"]:
        order["qty"] = known_qty
        hold_again(enter(gw), slot)
    elif copy == 0 and row["code"] == _AMEND_REJECTED:
        end_if_filled(gw, slot)


@kernel(inline=True)
def _is_next(desk: Any, row: Row) -> bool:
    """Has this answer not been heard yet? Mutates: desk.sessions and what it counts."""
    if row["seq"] <= 0:
        return True
    head, last = desk.head[0], desk.sessions[row["account_idx"]]
    known, asked = last["seq"], last["seq"] < 0
    if asked:
        known = -1 - known
    new = row["session"] > last["session"]
    if not new and (row["session"] < last["session"] or row["seq"] <= known):
        head["copies"] += 1
        return False
    if not (new or asked) and row["seq"] > known + 1:
        head["gaps"] += 1
        return False
    last["session"] = row["session"]
    last["seq"] = row["seq"]
    return True


@kernel
def _follows(desk: Any, slot: int, row: Row) -> bool:
    """Does this answer follow what is booked of its order? A copy does not, nor what lacks a fill
    before it, nor a fill that cannot be. Mutates: desk, what it counts and its sessions."""
    head, gw, total_qty = desk.head[0], desk.trading.gw, row["total_qty"]
    filled = gw.orders[slot]["filled_qty"]
    if row["code"] == _FILL:
        if 0 < total_qty <= filled:
            head["copies"] += 1
            return False
        fits = row["qty"] > 0 and is_believable(enter(gw), slot, row["price"], row["qty"])
        fits = fits and (total_qty <= 0 or total_qty - row["qty"] == filled)
    else:
        fits = total_qty <= filled or not _is_end(row["code"])
    if not fits:
        head["gaps"] += 1
        if row["seq"] > 0:  # the hole stays open until the session is given up
            desk.sessions[row["account_idx"]]["seq"] = row["seq"] - 1
    return bool(fits)


@kernel(inline=True)
def _is_end(code: int) -> bool:
    return bool(code == _CANCELLED or code == _EXPIRED or code == _REJECTED)


@kernel
def _look(desk: Any, s: int, now_ns: int) -> None:
    """What is done before strategy `s` acts, as in a replay. Mutates: desk."""
    trading = desk.trading
    marked = False
    for i in range(trading.head[0]["listened"]):
        marked |= mark_held(trading, s, i)
    watch(trading, s, marked, now_ns)
    note_guards(trading, wiring(desk))
    if trading.gw.head[0]["actions"] > 0:
        take_trips(trading, wiring(desk), now_ns)


@kernel
def _hear_seldom(desk: Any, rows: Any, k: int) -> bool:
    """The rows that are few; true when Python has to put limits in force. Mutates: desk."""
    seldom()
    row = rows[k]
    kind = row["kind"]
    if kind == _CONTROL:
        return _hear_control(desk, row)
    if kind == _RECONCILED:
        reconciled(desk, wiring(desk), heard_row(rows, k))
    elif kind == _UNSENT:
        unsent(desk, wiring(desk), heard_row(rows, k))
    elif kind == _NAME:
        desk.names[name_index(desk, row["code"], row["target_id"])] = row["value"]
    elif kind == _LIFE:
        head = desk.head[0]
        head["epoch"] = row["value"]
        desk.trading.gw.head[0]["cmd_id"] = row["value"] << EPOCH_SHIFT
        in_doubt(desk, wiring(desk), row["ts_ns"])
    return False


@kernel
def _forget_numbers(desk: Any) -> None:
    """The venue will be asked: what it tells then stands for answers that are never heard."""
    for a in range(len(desk.sessions)):
        last = desk.sessions[a]
        if last["seq"] >= 0:
            last["seq"] = -1 - last["seq"]


@kernel(inline=True)
def _hear_control(desk: Any, row: Row) -> bool:
    trading = desk.trading
    if row["code"] == _DISCONNECT:
        _forget_numbers(desk)
    step = new_step(step_row(), _STEP_CONTROL, row["ts_ns"])
    step["code"] = row["code"]
    step["target"] = row["target_id"]
    step["value"] = row["value"]
    note(desk, step)
    control(enter(trading.gw), row["code"], row["target_id"], row["value"], row["ts_ns"])
    note_guards(trading, wiring(desk))
    return bool(row["code"] == _LIMITS)
