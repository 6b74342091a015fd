"""What a tripped breaker asks for: cancel what is open in its scope, then close what is held.

The engine takes these as plain intents and sends them through the gateway like any other; a trip is
taken once nothing is open and nothing is held in its scope. What the gateway or the venue refuses,
and a closing order that finds nothing to trade with, is asked for again after a second, not at each
wake-up: nothing but the market or a person can change the answer.
"""

from typing import Any

import numpy as np

from hft.core.codes import IntentType, OrderType, Side, Tif
from hft.core.jit import kernel
from hft.core.numbers import elapsed_ns
from hft.gateway import tables
from hft.gateway.rows import ONE_AMEND, Row

CANCEL = IntentType.CANCEL.value
FORCE_FLAT = IntentType.FORCE_FLAT.value
BUY, SELL = Side.BUY.value, Side.SELL.value
ASK_AGAIN_NS = 1_000_000_000


@kernel
def covers(
    config: Row, breaker_idx: int, account_idx: int, strategy_idx: int, instrument_idx: int
) -> bool:
    """Whether a breaker row's scope holds this account, strategy and instrument."""
    accounts, strategies = config["n_accounts"], config["n_strategies"]
    if breaker_idx == 0:
        return True
    if breaker_idx <= accounts:
        return account_idx == breaker_idx - 1
    if breaker_idx <= accounts + strategies:
        return strategy_idx == breaker_idx - 1 - accounts
    return instrument_idx == breaker_idx - 1 - accounts - strategies


@kernel
def blank(intent: Row, intent_id: int, kind: int, now_ns: int) -> None:
    """An intent of the gateway's own making."""
    intent["intent_id"] = intent_id
    intent["intent_type"] = kind
    intent["side"] = 0
    intent["price"] = 0
    intent["qty"] = 0
    intent["tif"] = Tif.IOC.value
    intent["order_type"] = OrderType.MARKET.value
    intent["target_id"] = 0
    intent["timestamp_ns"] = now_ns
    intent["source_ts_ns"] = now_ns
    intent["ttl_ns"] = 0
    intent["expire_ts_ns"] = 0
    intent["key_hi"] = 0
    intent["key_lo"] = 0
    intent["parent_id"] = 0
    intent["stop_price"] = 0
    intent["display_qty"] = 0


@kernel
def trip_intents(gw: Any, touches: np.ndarray, out: np.ndarray, next_id: int, now_ns: int) -> int:
    """Fill `out` with the CANCELs and FORCE_FLATs that trips still ask for, ids from `next_id`.

    Called while head["actions"] > 0, once a wake-up; an instrument without a valid touch waits, and
    everything does where no command can leave (a standby, a venue that is down).
    Mutates: out; a breaker row's `taken` and head["actions"] when its scope is empty.
    Returns: how many intents were written.
    """
    head, config, breakers = tables.head(gw)[0], tables.config(gw)[0], tables.breakers(gw)
    count = 0
    if head["leader"] == 0 or head["venue_up"] == 0:
        return count
    for index in range(len(breakers)):
        row = breakers[index]
        if row["tripped"] == 0 or row["taken"] != 0:
            continue
        before = count
        left, count = cancels_of(gw, index, out, count, next_id, now_ns)
        # A close would trade with own orders that are still open, so it waits for their end.
        if left == 0 and config["close_on_trip"] != 0:
            held, count = closes_of(gw, index, touches, out, count, next_id, now_ns)
            left += held
        if left == 0 and count == before:
            row["taken"] = 1
            head["actions"] -= 1
    return count


@kernel
def waits(refused_ns: int, now_ns: int) -> bool:
    """Whether what was refused is not asked for again yet; without a wait a run might never end."""
    return refused_ns != 0 and elapsed_ns(now_ns, refused_ns) < ASK_AGAIN_NS


@kernel
def is_asked(out: np.ndarray, count: int, target: int, strategy: int, instrument: int) -> bool:
    """Whether another trip asks for this CANCEL, or (`target` 0) for this FORCE_FLAT."""
    for k in range(count):
        same = out[k]["strategy_idx"] == strategy and out[k]["instrument_idx"] == instrument
        if same and out[k]["target_id"] == target:
            return True
    return False


@kernel
def next_order(gw: Any, breaker_idx: int, after_id: int, now_ns: int) -> tuple[int, int]:
    """The oldest order of a scope after this one that is to be cancelled, and how many there are.

    Returns: (its slot or -1, orders of the scope).
    """
    config, orders, holds = tables.config(gw)[0], tables.orders(gw), tables.holds(gw)
    found, left = -1, 0
    for slot in range(len(orders)):
        order = orders[slot]
        if order["order_id"] <= 0:
            continue
        account, strategy = order["account_idx"], order["strategy_idx"]
        if not covers(config, breaker_idx, account, strategy, order["instrument_idx"]):
            continue
        left += 1
        cancels = holds[slot]["in_flight"] & (ONE_AMEND - 1)
        if cancels > 0 or order["tif"] == Tif.IOC.value or order["order_id"] <= after_id:
            continue
        if waits(order["refused_ns"], now_ns):
            continue
        if found < 0 or order["order_id"] < orders[found]["order_id"]:
            found = slot
    return found, left


@kernel
def cancels_of(
    gw: Any, breaker_idx: int, out: np.ndarray, count: int, next_id: int, now_ns: int
) -> tuple[int, int]:
    """CANCELs for working orders of a scope, oldest first.

    Returns: (orders there, intents written so far).
    """
    orders = tables.orders(gw)
    slot, left = next_order(gw, breaker_idx, 0, now_ns)
    while slot >= 0 and count < len(out):
        order, intent = orders[slot], out[count]
        slot, _ = next_order(gw, breaker_idx, order["order_id"], now_ns)
        if is_asked(out, count, order["order_id"], order["strategy_idx"], order["instrument_idx"]):
            continue
        blank(intent, next_id + count, CANCEL, now_ns)
        intent["target_id"] = order["order_id"]
        intent["account_idx"] = order["account_idx"]
        intent["strategy_idx"] = order["strategy_idx"]
        intent["instrument_idx"] = order["instrument_idx"]
        count += 1
    return left, count


@kernel
def next_position(gw: Any, breaker_idx: int, after_key: int) -> int:
    """The leaf of a scope's next position by account, strategy and instrument; -1: no more."""
    config, leaves = tables.config(gw)[0], tables.leaves(gw)
    found = -1
    for index in range(tables.head(gw)[0]["leaf_count"]):
        leaf = leaves[index]
        if leaf["key"] <= after_key or leaf["net_qty"] == 0:
            continue
        pair = (leaf["key"] - 1) // config["n_instruments"]
        account, strategy = pair // config["n_strategies"], pair % config["n_strategies"]
        inside = covers(config, breaker_idx, account, strategy, leaf["instrument_idx"])
        if inside and (found < 0 or leaf["key"] < leaves[found]["key"]):
            found = index
    return found


@kernel
def closes_of(
    gw: Any,
    breaker_idx: int,
    touches: np.ndarray,
    out: np.ndarray,
    count: int,
    next_id: int,
    now_ns: int,
) -> tuple[int, int]:
    """FORCE_FLATs for positions of a scope that nothing closes yet. Returns: as `cancels_of`."""
    config, leaves = tables.config(gw)[0], tables.leaves(gw)
    left = 0
    index = next_position(gw, breaker_idx, 0)
    while index >= 0:
        leaf = leaves[index]
        index = next_position(gw, breaker_idx, leaf["key"])
        net, instrument = leaf["net_qty"], leaf["instrument_idx"]
        left += 1
        closing = leaf["open_sell_qty"] if net > 0 else leaf["open_buy_qty"]
        if closing >= abs(net) or touches[instrument]["valid"] == 0 or count >= len(out):
            continue
        if waits(leaf["refused_ns"], now_ns):
            continue
        pair = (leaf["key"] - 1) // config["n_instruments"]
        if is_asked(out, count, 0, pair % config["n_strategies"], instrument):
            continue
        intent = out[count]
        blank(intent, next_id + count, FORCE_FLAT, now_ns)
        intent["account_idx"] = pair // config["n_strategies"]
        intent["strategy_idx"] = pair % config["n_strategies"]
        intent["instrument_idx"] = instrument
        intent["side"] = SELL if net > 0 else BUY
        intent["qty"] = abs(net) - closing
        count += 1
    return left, count
