"""An intent is decided, and an approved command is handed out.

This is the only place where the gateway is asked, so nothing reaches a venue without
its approval. What the gateway itself asks for, cancels of crossed own orders and the orders of a
tripped breaker, goes the same way.
"""

from typing import Any

import numpy as np

from hft.core.codes import IntentType, Reason, StepKind
from hft.core.jit import kernel, seldom
from hft.gateway.events import on_dispatch_failed
from hft.gateway.pipeline import commit_approved, evaluate
from hft.gateway.tables import enter
from hft.gateway.trips import blank, cancels_of, trip_intents
from hft.trading.steps import new_step, shown, step_row

_NEW = IntentType.NEW.value
_AMEND = IntentType.AMEND.value
_CANCEL = IntentType.CANCEL.value
_OK = Reason.OK.value
_DECISION = StepKind.DECISION.value


@kernel(inline=True)
def submit(trading: Any, wiring: Any, intent: np.ndarray, now_ns: int) -> int:
    """One intent through the gateway and, when approved, its command on the way to the venue.

    Mutates: trading. Returns: the `Reason`.
    """
    gw = trading.gw
    reason = evaluate(enter(gw), intent, trading.touch[intent["instrument_idx"]], now_ns)
    if gw.head[0]["cancel_count"] > 0:
        # Self-trade prevention chose to cancel old orders: those commands leave first.
        trading.stash[0] = gw.decision[0]
        exempt = gw.head[0]["exempt"]
        key = gw.head[0]["dedup_row"]
        _cancel_crossed(trading, wiring, now_ns)
        gw.head[0]["exempt"] = exempt
        gw.head[0]["dedup_row"] = key
        gw.decision[0] = trading.stash[0]
    return _conclude(trading, wiring, intent, reason, now_ns)


@kernel
def _conclude(trading: Any, wiring: Any, intent: np.ndarray, reason: int, now_ns: int) -> int:
    """Hand out what was approved and journal the decision. Mutates: trading."""
    head, decision = trading.head[0], trading.gw.decision[0]
    head["decisions"] += 1
    if reason == _OK and decision["replayed"] == 0:
        reason = _hand_out(trading, wiring, intent, decision, now_ns)
    if reason != _OK:
        head["refused"] += 1
    step = new_step(step_row(), _DECISION, now_ns)
    step["strategy_idx"] = intent["strategy_idx"]
    step["instrument_idx"] = intent["instrument_idx"]
    step["order_id"] = intent["intent_id"]
    step["target_id"] = intent["target_id"]
    step["code"] = reason
    step["side"] = shown(intent["side"])
    step["price"] = decision["price"]
    step["qty"] = intent["qty"]
    step["intent_type"] = shown(intent["intent_type"])
    step["order_type"] = shown(intent["order_type"])
    step["tif"] = shown(intent["tif"])
    step["cmd_id"] = decision["cmd_id"]
    step["measured"] = decision["measured"]
    step["limit"] = decision["limit"]
    wiring.note(wiring.outside, step)
    return reason


@kernel(inline=True)
def _hand_out(
    trading: Any, wiring: Any, intent: np.ndarray, decision: np.ndarray, now_ns: int
) -> int:
    """Send an approved command, then remember its key as approved (contract 3.2, steps 6 and 7).

    When it cannot be sent, all that it held comes back and the key is refused.
    """
    gw = trading.gw
    kind = intent["intent_type"]
    slot = decision["slot"]
    reduces = gw.head[0]["exempt"] != 0
    reason = wiring.send(wiring.outside, gw.orders[slot], decision, kind, reduces, now_ns)
    if reason != _OK:
        on_dispatch_failed(enter(gw), slot, reason)
        return reason
    commit_approved(enter(gw), now_ns)
    if kind != _AMEND and kind != _CANCEL:
        trading.head[0]["orders"] += 1
    return reason


@kernel
def _cancel_crossed(trading: Any, wiring: Any, now_ns: int) -> None:
    """Turn the gateway's list of crossed orders into CANCELs or AMENDs of their owners."""
    seldom()
    gw = trading.gw
    head = trading.head[0]
    count = min(gw.head[0]["cancel_count"], len(trading.crossed))
    gw.head[0]["cancel_count"] = 0
    for k in range(count):
        order = gw.orders[gw.cancels[k]]
        total = gw.cancel_qty[k]
        intent = trading.crossed[k]
        blank(intent, head["next_id"], _AMEND if total > 0 else _CANCEL, now_ns)
        head["next_id"] += 1
        intent["target_id"] = order["order_id"]
        intent["strategy_idx"] = order["strategy_idx"]
        intent["account_idx"] = order["account_idx"]
        intent["instrument_idx"] = order["instrument_idx"]
        intent["side"] = order["side"]
        intent["price"] = order["price"]
        intent["qty"] = total
    for k in range(count):
        # A cancel or an amend that lowers meets no own order, so nothing is listed behind it.
        intent = trading.crossed[k]
        reason = evaluate(enter(gw), intent, trading.touch[intent["instrument_idx"]], now_ns)
        _conclude(trading, wiring, intent, reason, now_ns)


@kernel
def take_trips(trading: Any, wiring: Any, now_ns: int) -> None:
    """Send the cancels and closing orders that tripped breakers still ask for. Mutates: trading.

    A closing order goes as a strategy's would: own orders that it could meet are cancelled first.
    """
    seldom()
    head = trading.head[0]
    count = trip_intents(enter(trading.gw), trading.touch, trading.own, head["next_id"], now_ns)
    head["next_id"] += count
    for k in range(count):
        submit(trading, wiring, trading.own[k], now_ns)


@kernel
def cancel_working(trading: Any, wiring: Any, breaker_idx: int, now_ns: int) -> None:
    """Ask for the end of every order of a breaker's scope that works and is not being cancelled.

    Mutates: trading.
    """
    seldom()
    head = trading.head[0]
    count = -1
    while count != 0:
        gw = enter(trading.gw)
        _, count = cancels_of(gw, breaker_idx, trading.own, 0, head["next_id"], now_ns)
        head["next_id"] += count
        for k in range(count):
            if submit(trading, wiring, trading.own[k], now_ns) != _OK:
                return
