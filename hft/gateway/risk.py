"""Step 4: one leaf a check, each writes what it measured; `pipeline` walks them, first one wins.

Order of contract 3.6: fast gate, storm guard, rate, order size, price, self-trade, position,
notional, daily loss, then restriction. Reads state, changes nothing but the rate windows.
"""

from typing import Any

from hft.core.codes import IntentType, Reason, Side, StormGuardState
from hft.core.jit import kernel
from hft.core.numbers import elapsed_ns
from hft.gateway import tables
from hft.gateway.exposure import worst_qty
from hft.gateway.rate import full, push
from hft.gateway.rows import ONE_AMEND, Row, because

BUY = Side.BUY.value
PPM = 1_000_000


@kernel(inline=True)
def weighted(limit: int, strategy: Row) -> int:
    """A size or position limit times the promotion weight, at least 1 while that is > 0."""
    weight = strategy["weight_ppm"]
    if weight == PPM or limit <= 0:
        return limit
    if weight <= 0:
        return 0
    return max(1, limit // PPM * weight + limit % PPM * weight // PPM)


@kernel
def fast_gate_price(limit: Row, request: Row, d: Row) -> int:
    """Prices no order may have."""
    price = request["price"]
    if price < 0:
        because(d, price, 0)
        return Reason.FASTGATE_BAD_PRICE_NEG.value
    if price > limit["fast_price_max"]:
        because(d, price, limit["fast_price_max"])
        return Reason.FASTGATE_BAD_PRICE_MAX.value
    return Reason.OK.value


@kernel
def fast_gate_qty(limit: Row, request: Row, d: Row) -> int:
    """Quantities no order may have."""
    qty = request["qty"]
    if qty <= 0:
        because(d, qty, 0)
        return Reason.FASTGATE_BAD_QTY_NEG.value
    if qty > limit["fast_qty_max"]:
        because(d, qty, limit["fast_qty_max"])
        return Reason.FASTGATE_BAD_QTY_MAX.value
    return Reason.OK.value


@kernel(inline=True)
def fast_gate(limit: Row, request: Row, d: Row) -> int:
    """Values no order may have."""
    reason = fast_gate_price(limit, request, d)
    return reason if reason != Reason.OK.value else fast_gate_qty(limit, request, d)


@kernel
def storm(state: int, kind: int, d: Row) -> int:
    because(d, state, StormGuardState.STORM.value)
    if state >= StormGuardState.HALT.value:
        return Reason.STORMGUARD_HALT.value
    if state == StormGuardState.STORM.value and kind != IntentType.AMEND.value:
        return Reason.STORMGUARD_STORM_NEW_BLOCKED.value
    return Reason.OK.value


@kernel(inline=True)
def rate(gw: Any, request: Row, now_ns: int) -> int:
    """The limit that is used up: of the strategy, the instrument or all together; 0 when none."""
    rates, config = tables.rates(gw), tables.config(gw)[0]
    n_strategies = config["n_strategies"]
    limit = full(gw, rates[request["strategy_idx"]], now_ns)
    if limit == 0:
        limit = full(gw, rates[n_strategies + request["instrument_idx"]], now_ns)
    if limit == 0:
        limit = full(gw, rates[n_strategies + config["n_instruments"]], now_ns)
    return limit


@kernel(inline=True)
def count_rate(gw: Any, request: Row, now_ns: int) -> None:
    """Count this intent in its three windows."""
    rates, config = tables.rates(gw), tables.config(gw)[0]
    n_strategies = config["n_strategies"]
    push(gw, rates[request["strategy_idx"]], now_ns)
    push(gw, rates[n_strategies + request["instrument_idx"]], now_ns)
    push(gw, rates[n_strategies + config["n_instruments"]], now_ns)


@kernel(inline=True)
def oversize(limit: Row, strategy: Row, request: Row, d: Row) -> bool:
    qty = request["qty"]
    most = weighted(limit["order_size_max"], strategy)
    if qty <= 0:
        return because(d, qty, most)
    return limit["order_size_max"] >= 0 and qty > most and because(d, qty, most)


@kernel(inline=True)
def price_value(limit: Row, request: Row, d: Row) -> int:
    """A price at all, positive and below the cap."""
    price = request["price"]
    if price <= 0:
        because(d, price, 0)
        if request["market"] != 0:
            return Reason.MARKET_NO_TOUCH.value
        return Reason.PRICE_ZERO_OR_NEG.value
    if limit["price_cap"] >= 0 and price > limit["price_cap"]:
        because(d, price, limit["price_cap"])
        return Reason.PRICE_EXCEEDS_CAP.value
    return Reason.OK.value


@kernel(inline=True)
def reference(limit: Row, touch: Row, now_ns: int, band_on: bool, d: Row) -> int:
    """A reference that can be trusted: a valid book, and fresh."""
    age = elapsed_ns(now_ns, touch["ts_ns"])
    if touch["valid"] == 0 and (band_on or limit["reference_age_ns"] > 0):
        because(d, 0, 1)
        return Reason.BOOK_INVALID.value
    if limit["reference_age_ns"] > 0 and age > limit["reference_age_ns"]:
        because(d, age, limit["reference_age_ns"])
        return Reason.REFERENCE_STALE.value
    return Reason.OK.value


@kernel(inline=True)
def band(limit: Row, touch: Row, request: Row, d: Row) -> bool:
    """Farther from mid than the wider of the two bands. Units: measured and limit in half ticks."""
    mid2 = touch["bid_tick"] + touch["ask_tick"]
    away2 = abs(2 * request["price"] - mid2)
    if away2 <= 2 * limit["band_ticks"] or away2 * 10_000 <= limit["band_bps"] * mid2:
        return False
    return because(d, away2, max(2 * limit["band_ticks"], mid2 * limit["band_bps"] // 10_000))


@kernel
def has_band(limit: Row) -> bool:
    return limit["band_ticks"] >= 0 or limit["band_bps"] > 0


@kernel(inline=True)
def price(
    config: Row,
    limit: Row,
    touch: Row,
    request: Row,
    now_ns: int,
    d: Row,
) -> int:
    """All of the price: value, reference, band; a proven limit order may do without a reference."""
    reason = price_value(limit, request, d)
    if reason != Reason.OK.value:
        return reason
    band_on = has_band(limit)
    reason = reference(limit, touch, now_ns, band_on, d)
    if reason != Reason.OK.value:
        if config["cap_only"] != 0 or (request["proven"] != 0 and request["market"] == 0):
            because(d, 0, 0)
            return Reason.OK.value
        return reason
    if band_on and band(limit, touch, request, d):
        return Reason.PRICE_OUTSIDE_BAND.value
    return Reason.OK.value


@kernel
def crosses(order: Row, hold: Row, side: int, price: int) -> bool:
    """Whether an own working order of the other side could trade with one that goes to `price`."""
    resting = order["price"]
    if hold["in_flight"] >= ONE_AMEND:
        other = hold["price_low"] if side == BUY else hold["price"]
        resting = min(resting, other) if side == BUY else max(resting, other)
    above, below = price - resting, resting - price
    return (above if side == BUY else below) >= 0


@kernel(inline=True)
def first_crossing(gw: Any, first: int, side: int, price: int) -> int:
    """The first crossing order from `first` on in a list of the other side, or -1."""
    slot = first
    while slot >= 0:
        order = tables.orders(gw)[slot]
        if crosses(order, tables.holds(gw)[slot], side, price):
            return slot
        slot = order["next_slot"]
    return -1


@kernel(inline=True)
def over_position(limit: Row, strategy: Row, leaf: Row, request: Row, d: Row) -> bool:
    """The worst case of the request's side against that side's limit."""
    side_max = limit["long_max"] if request["side"] == BUY else limit["short_max"]
    if side_max < 0 or request["add_qty"] <= 0:
        return False
    worst = worst_qty(leaf, request)
    most = weighted(side_max, strategy)
    return worst > most and because(d, worst, most)


@kernel
def over_symbol_notional(limit: Row, symbol: Row, request: Row, d: Row) -> bool:
    """What all strategies hold of the symbol, working orders and positions at cost, with this."""
    money = symbol["reserved_money"] + symbol["settled_money"] + request["add_money"]
    most = limit["notional_max"]
    return most >= 0 and request["add_money"] > 0 and money > most and because(d, money, most)


@kernel
def over_order_notional(strategy: Row, request: Row, d: Row) -> bool:
    """The whole order by itself."""
    money, most = request["notional_money"], strategy["order_notional_max"]
    return most >= 0 and money > most and because(d, money, most)


@kernel(inline=True)
def lost(head: Row, config: Row, d: Row) -> bool:
    """Today's P&L at or below the daily loss."""
    pnl, least = head["pnl_money"], -config["daily_loss_max"]
    return config["daily_loss_max"] >= 0 and pnl <= least and because(d, pnl, least)


@kernel(inline=True)
def size_of_risk(
    head: Row,
    config: Row,
    limit: Row,
    strategy: Row,
    symbol: Row,
    leaf: Row,
    request: Row,
    d: Row,
) -> int:
    """Position, notional, daily loss and restriction: what a proven order need not ask."""
    if over_position(limit, strategy, leaf, request, d):
        return Reason.POSITION_LIMIT.value
    if over_symbol_notional(limit, symbol, request, d):
        return Reason.NOTIONAL_LIMIT.value
    if over_order_notional(strategy, request, d):
        return Reason.MAX_NOTIONAL_EXCEEDED.value
    if lost(head, config, d):
        return Reason.DAILY_LOSS.value
    if limit["restricted"] != 0:
        because(d, 1, 0)
        return Reason.SYMBOL_RESTRICTED.value
    return Reason.OK.value
