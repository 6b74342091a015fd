"""What an approved command leaves in the order table: an order, an amend or cancel in flight."""

from typing import Any

from hft.core.codes import IntentType, OrderStatus, OrderType, Tif
from hft.core.jit import kernel
from hft.gateway import orders, tables
from hft.gateway.rows import ONE_AMEND, Row

NEW = IntentType.NEW.value
AMEND = IntentType.AMEND.value
CANCEL = IntentType.CANCEL.value
FORCE_FLAT = IntentType.FORCE_FLAT.value


@kernel(inline=True)
def hold_new(gw: Any, head: Row, intent: Row, q: Row, slot: int, now_ns: int) -> None:
    """Enter an approved order: its row, its list, its hold."""
    order = tables.orders(gw)[slot]
    order["order_id"] = intent["intent_id"]
    order["strategy_idx"] = q["strategy_idx"]
    order["account_idx"] = q["account_idx"]
    order["instrument_idx"] = q["instrument_idx"]
    order["leaf_idx"] = q["leaf_idx"]
    order["side"] = q["side"]
    order["price"] = q["price"]
    order["qty"] = q["qty"]
    order["filled_qty"] = 0
    order["tif"] = intent["tif"]
    order["order_type"] = intent["order_type"]
    if q["market"] != 0:
        order["order_type"] = OrderType.MARKET.value
        if q["kind"] == FORCE_FLAT:
            order["tif"] = Tif.IOC.value
            tables.leaves(gw)[q["leaf_idx"]]["closing_id"] = intent["intent_id"]
    order["status"] = OrderStatus.PENDING_SUBMIT.value
    order["request"] = NEW
    order["reserved_money"] = 0
    order["held_qty"] = 0
    order["cmd_id"] = head["cmd_id"]
    order["sent_ns"] = now_ns
    order["refused_ns"] = 0
    order["expire_ts_ns"] = intent["expire_ts_ns"]
    tables.holds(gw)[slot]["in_flight"] = 0
    head["live_orders"] += 1
    orders.link(gw, slot)


@kernel
def hold_amend(hold: Row, order: Row, q: Row) -> None:
    """Note an amend in flight: until the venue answers, either version may trade.

    Mutates: hold, order, and what `q` remembers of both.
    """
    price, qty = q["price"], q["qty"]
    q["was_request"] = order["request"]
    q["was_price"], q["was_low"], q["was_qty"] = hold["price"], hold["price_low"], hold["qty"]
    if hold["in_flight"] < ONE_AMEND:
        hold["price"], hold["price_low"], hold["qty"] = price, price, qty
    else:
        hold["price"] = max(hold["price"], price)
        hold["price_low"] = min(hold["price_low"], price)
        hold["qty"] = max(hold["qty"], qty)
    hold["in_flight"] += ONE_AMEND
    order["request"] = AMEND


@kernel(inline=True)
def hold_cancel(order: Row, q: Row) -> None:
    """Note a cancel in flight; what is held stays held until the venue answers."""
    q["was_request"] = order["request"]
    status = order["status"]
    if status == OrderStatus.SUBMITTED.value or status == OrderStatus.PARTIALLY_FILLED.value:
        order["status"] = OrderStatus.CANCEL_REQUESTED.value
    order["request"] = CANCEL


@kernel(inline=True)
def keep_key(order: Row, hold: Row, intent: Row, payload: int) -> None:
    """Keep the key beside the order, so that a later outcome can still be committed to it.

    While the outcome of an earlier request is open, its key stays: it is the one to block. A cancel
    is counted here as in flight.
    """
    kind = intent["intent_type"]
    if kind == CANCEL:
        hold["in_flight"] += 1
    if kind in (AMEND, CANCEL):
        status = order["status"]
        if status == OrderStatus.PENDING_SUBMIT.value or status == OrderStatus.UNKNOWN.value:
            return
        if intent["key_hi"] == 0 and intent["key_lo"] == 0:
            return
    hold["key_hi"] = intent["key_hi"]
    hold["key_lo"] = intent["key_lo"]
    hold["payload"] = payload
