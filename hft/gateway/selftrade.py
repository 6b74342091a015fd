"""Self-trade prevention before the wire: what happens when an intent crosses an own working order.

REJECT_NEW refuses; the other modes list the old orders to cancel (or amend down) in `cancels`,
which leave before the new order and, as commands never overtake, are at the venue before it. What
closes a position gets out in every mode: FORCE_FLAT cancels the old orders.
Source: the four modes of contract 1.2 (SelfTradeMode).
"""

from typing import Any

from hft.core.codes import IntentType, Reason, SelfTradeMode
from hft.core.jit import kernel
from hft.gateway import risk, tables
from hft.gateway.exposure import hold_qty, open_after
from hft.gateway.rows import CANCELS_MAX, Row, because


@kernel
def mode_of(config: Row, q: Row) -> int:
    """The mode that holds for this intent."""
    if q["kind"] == IntentType.FORCE_FLAT.value:
        return SelfTradeMode.CANCEL_OLD.value
    return config["self_trade_mode"]


@kernel
def refuses_at_once(mode: int, q: Row) -> bool:
    """Whether any crossing at all refuses the new order, and the old ones stay."""
    return mode == SelfTradeMode.REJECT_NEW.value or (
        mode == SelfTradeMode.DECREMENT.value and q["kind"] == IntentType.AMEND.value
    )


@kernel
def push_cancel(gw: Any, head: Row, slot: int, new_total: int) -> bool:
    """Ask the engine to cancel an old order (new total 0) or amend it down. Returns: room left."""
    count = head["cancel_count"]
    if count >= CANCELS_MAX:
        return False
    tables.cancels(gw)[count] = slot
    tables.cancel_qty(gw)[count] = new_total
    head["cancel_count"] = count + 1
    return True


@kernel
def is_leaving(order: Row) -> bool:
    """Is a cancel on its way already? Another one would not make it leave sooner."""
    return order["request"] == IntentType.CANCEL.value


@kernel
def resolve_crossing(
    gw: Any,
    head: Row,
    config: Row,
    q: Row,
    crossing: int,
    d: Row,
) -> int:
    """Apply the self-trade mode to every crossed order, the first found being `crossing`.

    Mutates: cancels; under DECREMENT also q["qty"] and what it adds.
    Returns: OK when the new order may go on.
    """
    mode = mode_of(config, q)
    because(d, tables.orders(gw)[crossing]["price"], q["price"])
    if refuses_at_once(mode, q):
        return Reason.SELF_TRADE.value
    qty = q["qty"]
    slot = crossing
    while slot >= 0:
        new_total = 0
        if mode == SelfTradeMode.DECREMENT.value:
            order = tables.orders(gw)[slot]
            # The new order gives way to the most that the old one may still trade; the old one is
            # lowered from what the venue has acknowledged, which no mode refuses.
            if open_after(order["qty"], order["filled_qty"]) > qty:
                new_total = order["qty"] - qty
            qty -= min(qty, hold_qty(order, tables.holds(gw)[slot]))
        leaving = mode != SelfTradeMode.DECREMENT.value and is_leaving(tables.orders(gw)[slot])
        if not leaving and not push_cancel(gw, head, slot, new_total):
            return Reason.SELF_TRADE.value
        if mode == SelfTradeMode.DECREMENT.value and qty == 0:
            return Reason.SELF_TRADE.value
        after = tables.orders(gw)[slot]["next_slot"]
        slot = risk.first_crossing(gw, after, q["side"], q["reach"])
    if mode == SelfTradeMode.CANCEL_BOTH.value:
        return Reason.SELF_TRADE.value
    if mode == SelfTradeMode.DECREMENT.value:
        q["notional_money"] = q["notional_money"] // q["qty"] * qty
        q["add_money"] = q["notional_money"]
        q["qty"], q["add_qty"] = qty, qty
    because(d, 0, 0)
    return Reason.OK.value
