"""Seeded faults between us and the venue, so that a strategy meets them before its owner does.

A lost answer leaves its order UNKNOWN: it keeps its reservation, and after `unknown_after_ns` the
venue is asked what became of it, as a recovering gateway would; what it has answered and we have
not heard yet comes first. Fills and answers to amends are never lost, for the venue would not say
them again. Late answers hold up all answers behind them: the venue's channel keeps its order.
"""

import numpy as np

from hft.core.codes import IntentType, OrderStatus, ResponseKind, StepKind
from hft.core.jit import kernel, seldom
from hft.core.seeds import PURPOSE_FAULT, draw
from hft.gateway.events import on_ack, on_done
from hft.gateway.tables import enter
from hft.replay.state import Engine
from hft.replay.tick import note
from hft.trading.steps import new_step, step_row
from hft.venue.state import push

_NEW = IntentType.NEW.value
_FORCE_FLAT = IntentType.FORCE_FLAT.value
_KEPT = (
    ResponseKind.FILL.value,
    ResponseKind.AMENDED.value,
    ResponseKind.AMEND_REJECTED.value,
)
_UNKNOWN = ResponseKind.UNKNOWN.value
_ACK = ResponseKind.ACK.value
_CANCELLED = ResponseKind.CANCELLED.value
_S_UNKNOWN = OrderStatus.UNKNOWN.value
_S_CANCELLED = OrderStatus.CANCELLED.value
_FAULT = StepKind.FAULT.value


@kernel
def refuses(engine: Engine, kind: int, ts: int) -> bool:
    """Is the venue down for this command, or does it reject this order? Mutates: engine.faults."""
    fault = engine.faults[0]
    if fault["down_from_ns"] <= ts < fault["down_until_ns"]:
        fault["injected"] += 1
        return True
    new = kind == _NEW or kind == _FORCE_FLAT
    return new and _strikes(engine, fault["reject_e6"], 1)


@kernel
def _strikes(engine: Engine, chance_e6: int, purpose: int) -> bool:
    if chance_e6 == 0:
        return False
    fault = engine.faults[0]
    value = draw(fault["seed"], PURPOSE_FAULT, purpose, fault["draws"])
    fault["draws"] += 1
    hit = value % 1_000_000 < chance_e6
    if hit:
        fault["injected"] += 1
    return hit


@kernel(inline=True)
def feed_silent(engine: Engine, now_ns: int) -> bool:
    """Is the market data feed down at `now_ns`? What it missed arrives when it is back."""
    fault = engine.faults[0]
    return fault["gap_from_ns"] <= now_ns < fault["gap_until_ns"]


@kernel(inline=True)
def heard_ns(engine: Engine, ts: int) -> int:
    """When we hear of a row that reaches us at `ts`: when process and feed are there again."""
    fault = engine.faults[0]
    ts = max(ts, fault["dead_until_ns"])
    return fault["gap_until_ns"] if fault["gap_from_ns"] <= ts < fault["gap_until_ns"] else ts


@kernel
def spoil_answer(engine: Engine, position: int) -> None:
    """Lose, delay or double the answer just queued at `position`. Mutates: venue, faults."""
    seldom()
    fault = engine.faults[0]
    if fault["lost_ack_e6"] + fault["late_ack_e6"] + fault["duplicate_ack_e6"] == 0:
        return
    venue = engine.venue
    queue = venue.queues[1]
    message = venue.responses[position & queue["mask"]]
    if message["kind"] == _UNKNOWN:
        return
    if message["kind"] not in _KEPT and _strikes(engine, fault["lost_ack_e6"], 2):
        message["kind"] = _UNKNOWN
        return
    if _strikes(engine, fault["late_ack_e6"], 3):
        # From when it would have arrived by itself: what waits for a late one is not late again.
        late_ns = max(message["ts_ns"], message["due_ns"] + fault["late_ack_ns"])
        for later in range(position, queue["last"]):
            row = venue.responses[later & queue["mask"]]
            row["ts_ns"] = max(row["ts_ns"], late_ns)
        if position == queue["first"]:
            queue["next_ns"] = message["ts_ns"]
        queue["last_ns"] = max(queue["last_ns"], late_ns)
    if _strikes(engine, fault["duplicate_ack_e6"], 4):
        at = push(venue.responses, queue, venue.head[0], message["ts_ns"])
        if at >= 0:
            _copy(message, venue.responses[at])
            # No second act of the venue: the copy is neither journaled as one nor applied.
            venue.responses[at]["copy"] = 1


@kernel
def _copy(message: np.ndarray, twin: np.ndarray) -> None:
    twin["kind"] = message["kind"]
    twin["slot"] = message["slot"]
    twin["order_id"] = message["order_id"]
    twin["price"] = message["price"]
    twin["qty"] = message["qty"]
    twin["reason"] = message["reason"]
    twin["acted_ns"] = message["acted_ns"]
    twin["liquidity"] = message["liquidity"]
    twin["fill_id"] = message["fill_id"]


@kernel
def _is_told(engine: Engine, order_id: int) -> bool:
    """Is an answer about this order still on its way to us?"""
    queue = engine.venue.queues[1]
    for position in range(queue["first"], queue["last"]):
        if engine.venue.responses[position & queue["mask"]]["order_id"] == order_id:
            return True
    return False


@kernel
def reconcile(engine: Engine, now_ns: int) -> None:
    """Ask the venue about orders that have been UNKNOWN for long enough. Mutates: engine."""
    seldom()
    fault = engine.faults[0]
    if fault["lost_ack_e6"] == 0 or now_ns < fault["ask_ns"]:
        return
    fault["ask_ns"] = now_ns + fault["unknown_after_ns"]
    gw = engine.trading.gw
    for at in range(len(gw.heads)):
        slot = gw.heads[at]
        while slot >= 0:
            order = gw.orders[slot]
            after = order["next_slot"]
            if order["status"] == _S_UNKNOWN and not _is_told(engine, order["order_id"]):
                rests = engine.venue.resting[slot]["order_id"] == order["order_id"]
                step = new_step(step_row(), _FAULT, now_ns)
                step["strategy_idx"] = order["strategy_idx"]
                step["instrument_idx"] = order["instrument_idx"]
                step["order_id"] = order["order_id"]
                step["code"] = _ACK if rests else _CANCELLED
                step["side"] = order["side"]
                step["price"] = order["price"]
                step["qty"] = order["qty"]
                note(engine, step)
                turns_out(engine, slot, rests, now_ns)
            slot = after


@kernel
def turns_out(engine: Engine, slot: int, rests: bool, now_ns: int) -> None:
    """The venue said of an UNKNOWN order whether it rests or has ended. Mutates: trading.gw."""
    gw = engine.trading.gw
    if rests:
        on_ack(enter(gw), slot, now_ns)
    else:
        on_done(enter(gw), slot, _S_CANCELLED, now_ns)
