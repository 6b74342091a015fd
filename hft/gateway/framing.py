"""An intent as the question that the checks read: its shape, its price, what it would add.

A market order is priced at the opposite touch, FORCE_FLAT becomes a market order of at most what is
left to close, an AMEND counts what it adds to its own hold. Writes the REQUEST row only.
"""

from typing import Any

from hft.core.codes import IntentType, OrderType, Reason, Side, Tif
from hft.core.jit import kernel
from hft.core.numbers import notional_money
from hft.gateway import exposure, orders, policy, tables
from hft.gateway.rows import Row

OK = Reason.OK.value
NEW = IntentType.NEW.value
AMEND = IntentType.AMEND.value
CANCEL = IntentType.CANCEL.value
FORCE_FLAT = IntentType.FORCE_FLAT.value
BUY = Side.BUY.value
SELL = Side.SELL.value
GTC = Tif.GTC.value
GTX = Tif.GTX.value
MARKET = OrderType.MARKET.value
LIMIT = OrderType.LIMIT.value
NUMBER_MAX = 1 << 62
SATURATED = 1 << 61


@kernel(inline=True)
def unknown_shape(intent: Row) -> bool:
    """An order type, a time in force or a field of an order that no venue here can keep.

    A CANCEL names an order and has no shape of its own.
    """
    if intent["intent_type"] == CANCEL:
        return False
    return (
        (intent["order_type"] != LIMIT and intent["order_type"] != MARKET)
        or intent["tif"] < GTC
        or intent["tif"] > GTX
        or intent["stop_price"] != 0
        or intent["display_qty"] != 0
    )


@kernel(inline=True)
def malformed(config: Row, intent: Row) -> int:
    """Fields no table can be asked with; tested before anything is reserved."""
    if intent["instrument_idx"] < 0 or intent["instrument_idx"] >= config["n_instruments"]:
        return Reason.UNKNOWN_INSTRUMENT.value
    if intent["side"] != BUY and intent["side"] != SELL:
        return Reason.INVALID_SIDE.value
    if (
        intent["strategy_idx"] < 0
        or intent["strategy_idx"] >= config["n_strategies"]
        or intent["account_idx"] < 0
        or intent["account_idx"] >= config["n_accounts"]
        or intent["intent_type"] < NEW
        or intent["intent_type"] > FORCE_FLAT
        or intent["intent_id"] <= 0
        or unknown_shape(intent)
    ):
        return Reason.BAD_MESSAGE.value
    if (
        intent["price"] > NUMBER_MAX
        or intent["price"] < -NUMBER_MAX
        or intent["qty"] > NUMBER_MAX
        or intent["qty"] < -NUMBER_MAX
    ):
        return Reason.BAD_NUMBER.value
    return OK


@kernel(inline=True)
def is_market(intent: Row) -> bool:
    """A market order by its type, or price 0 with IOC or FOK."""
    immediate = intent["tif"] == Tif.IOC.value or intent["tif"] == Tif.FOK.value
    return intent["order_type"] == MARKET or (immediate and intent["price"] == 0)


@kernel
def find_target(gw: Any, intent: Row) -> int:
    """The slot of the caller's own working order that an AMEND or CANCEL names, or -1."""
    slot = orders.find(gw, intent["target_id"])
    if slot < 0:
        return -1
    order = tables.orders(gw)[slot]
    if (
        order["strategy_idx"] != intent["strategy_idx"]
        or order["account_idx"] != intent["account_idx"]
        or order["instrument_idx"] != intent["instrument_idx"]
    ):
        return -1
    return slot


@kernel(inline=True)
def frame(gw: Any, config: Row, intent: Row, touch: Row, q: Row) -> None:
    """Turn an intent into the priced question `q` that every check reads."""
    kind = intent["intent_type"]
    q["kind"] = kind
    q["side"] = intent["side"]
    q["price"] = intent["price"]
    q["qty"] = intent["qty"]
    q["market"] = 0
    q["slot"] = -1
    q["instrument_idx"] = intent["instrument_idx"]
    q["strategy_idx"] = intent["strategy_idx"]
    q["account_idx"] = intent["account_idx"]
    q["notional_money"] = 0
    q["add_qty"] = 0
    q["add_money"] = 0
    q["saturated"] = 0
    q["proven"] = 0
    q["lowers"] = 0
    q["passive"] = 1 if intent["tif"] == GTX and kind == NEW else 0
    q["reach"] = intent["price"]
    if kind == CANCEL:
        q["slot"] = find_target(gw, intent)
        return
    key = exposure.leaf_key(config, q["account_idx"], q["strategy_idx"], q["instrument_idx"])
    q["leaf_idx"] = exposure.find_leaf(gw, key)
    leaf = exposure.leaf_at(gw, q["leaf_idx"])
    if kind == AMEND:
        q["slot"] = find_target(gw, intent)
        if q["slot"] >= 0:
            frame_amend(gw, q, leaf)
        return
    if kind == FORCE_FLAT:
        q["market"] = 1
        frame_flat(leaf, q)
    elif is_market(intent):
        q["market"] = 1
    if q["market"] != 0:
        q["price"] = 0
        if touch["valid"] != 0:
            q["price"] = touch["ask_tick"] if q["side"] == BUY else touch["bid_tick"]
        # It takes level after level, so no price bounds which own order it could meet.
        q["reach"] = NUMBER_MAX if q["side"] == BUY else -NUMBER_MAX
    q["proven"] = policy.proves(leaf, q["side"], q["qty"], 0)
    measure(gw, q, 0, 0, 0)


@kernel
def frame_flat(leaf: Row, q: Row) -> None:
    """FORCE_FLAT closes what is not being closed already, or the part of it that was asked for.

    0 lots say that nothing is left to close: it never opens a position and never turns one round.
    """
    net = leaf["net_qty"]
    q["side"] = SELL if net > 0 else BUY
    left = max(0, abs(net) - (leaf["open_sell_qty"] if net > 0 else leaf["open_buy_qty"]))
    if q["qty"] == 0 or q["qty"] > left:
        q["qty"] = left


@kernel
def frame_amend(gw: Any, q: Row, leaf: Row) -> None:
    """An AMEND counts what it would hold beyond what its order holds now."""
    order = tables.orders(gw)[q["slot"]]
    q["side"] = order["side"]
    q["passive"] = 1 if order["tif"] == GTX else 0
    filled = order["filled_qty"]
    remaining = q["qty"] - filled
    q["proven"] = policy.proves(leaf, q["side"], remaining, order["held_qty"])
    # Whatever amend is in flight, the order that the venue acknowledged only gets smaller.
    if q["price"] == order["price"] and q["qty"] > 0 and q["qty"] < order["qty"]:
        q["lowers"] = 1
    measure(gw, q, filled, order["held_qty"], order["reserved_money"])


@kernel(inline=True)
def measure(gw: Any, q: Row, filled: int, held_qty: int, held_money: int) -> None:
    """What the order is worth and would add to what is held; beyond the bounds a stand-in."""
    limit = tables.limits(gw)[q["instrument_idx"]]
    price, qty = q["price"], q["qty"]
    if price < 0 or qty <= 0:
        return
    if price > limit["price_bound"] or qty > limit["qty_bound"]:
        q["saturated"] = 1
        q["notional_money"] = SATURATED
        q["add_money"] = SATURATED
        q["add_qty"] = SATURATED
        return
    instrument = tables.instruments(gw)[q["instrument_idx"]]
    remaining = exposure.open_after(qty, filled)
    q["notional_money"] = notional_money(instrument, price, qty)
    q["add_qty"] = max(0, remaining - held_qty)
    q["add_money"] = max(0, notional_money(instrument, price, remaining) - held_money)
