"""The seven steps of the gateway in one readable kernel.

`decide` = dedup, ttl, policy, exposure, risk, leadership, command, commit; `evaluate` is the same
without the final commit, for a service that commits only once its own enqueue succeeded. Every
refusal commits the key as rejected and gives back what it reserved.
"""

from typing import Any

import numpy as np

from hft.core.codes import DedupState, IntentType, OrderStatus, OrderType, Reason, Side, Tif
from hft.core.jit import kernel
from hft.core.numbers import notional_money
from hft.gateway import dedup, exposure, orders, policy, risk, tables
from hft.gateway.selftrade import resolve_crossing

OK = Reason.OK.value
NEW = IntentType.NEW.value
AMEND = IntentType.AMEND.value
CANCEL = IntentType.CANCEL.value
FORCE_FLAT = IntentType.FORCE_FLAT.value
BUY = Side.BUY.value
SELL = Side.SELL.value
NUMBER_MAX = 1 << 62
SATURATED = 1 << 61


@kernel
def malformed(config: np.ndarray, intent: np.ndarray) -> int:
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


@kernel
def is_market(intent: np.ndarray) -> bool:
    """A market order by its type, or price 0 with IOC or FOK."""
    immediate = intent["tif"] == Tif.IOC.value or intent["tif"] == Tif.FOK.value
    return intent["order_type"] == OrderType.MARKET.value or (immediate and intent["price"] == 0)


@kernel
def find_target(gw: Any, intent: np.ndarray) -> int:
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


@kernel
def frame(
    gw: Any, config: np.ndarray, intent: np.ndarray, touch: np.ndarray, q: np.ndarray
) -> None:
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
    if kind == CANCEL:
        q["slot"] = find_target(gw, intent)
        return
    key = exposure.leaf_key(config, q["account_idx"], q["strategy_idx"], q["instrument_idx"])
    q["leaf_idx"] = exposure.find_leaf(gw, key)
    leaf = tables.leaves(gw)[q["leaf_idx"]]
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
    q["proven"] = policy.proves(leaf, q["side"], q["qty"], 0)
    measure(gw, q, 0, 0, 0)


@kernel
def frame_flat(leaf: np.ndarray, q: np.ndarray) -> None:
    """FORCE_FLAT closes what is not being closed already; a given quantity closes that much."""
    net = leaf["net_qty"]
    q["side"] = SELL if net > 0 else BUY
    if q["qty"] == 0:
        q["qty"] = abs(net) - (leaf["open_sell_qty"] if net > 0 else leaf["open_buy_qty"])


@kernel
def frame_amend(gw: Any, q: np.ndarray, leaf: np.ndarray) -> None:
    """An AMEND counts what it would hold beyond what its order holds now."""
    order = tables.orders(gw)[q["slot"]]
    hold = tables.holds(gw)[q["slot"]]
    q["side"] = order["side"]
    filled = order["filled_qty"]
    remaining = q["qty"] - filled
    q["proven"] = policy.proves(leaf, q["side"], remaining, order["held_qty"])
    if (
        q["price"] == order["price"]
        and hold["amends"] == 0
        and q["qty"] > 0
        and q["qty"] < order["qty"]
    ):
        q["lowers"] = 1
    measure(gw, q, filled, order["held_qty"], order["reserved_money"])


@kernel
def measure(gw: Any, q: np.ndarray, filled: int, held_qty: int, held_money: int) -> None:
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


@kernel
def expired(intent: np.ndarray, now_ns: int, d: np.ndarray) -> bool:
    """Older than it may be when it is decided; a CANCEL does not age."""
    d["measured"] = now_ns - intent["timestamp_ns"]
    d["limit"] = intent["ttl_ns"]
    return intent["ttl_ns"] > 0 and intent["intent_type"] != CANCEL and d["measured"] > d["limit"]


@kernel
def check_risk(
    gw: Any,
    head: np.ndarray,
    config: np.ndarray,
    strategy: np.ndarray,
    leaf: np.ndarray,
    touch: np.ndarray,
    q: np.ndarray,
    now_ns: int,
    d: np.ndarray,
) -> int:
    """Step 4 in the order of contract 3.6; the first failure wins."""
    limit = tables.limits(gw)[q["instrument_idx"]]
    exempt = q["proven"] != 0 or q["lowers"] != 0
    d["measured"], d["limit"] = head["kill_byte"], 0
    if head["kill_byte"] != 0:
        return Reason.FASTGATE_KILL_SWITCH.value
    if config["fast_gate"] != 0:
        reason = risk.fast_gate(limit, q, d)
        if reason != OK:
            return reason
    if head["storms"] > 0 and not exempt:
        reason = risk.storm(policy.storm_state(gw, q), q["kind"], d)
        if reason != OK:
            return reason
    used_up = risk.rate(gw, q, now_ns)
    if used_up > 0 and not exempt:
        head["rate_breaches"] += 1
        d["measured"], d["limit"] = used_up + 1, used_up
        return Reason.RATE_LIMIT.value
    risk.count_rate(gw, q, now_ns)
    if q["lowers"] != 0:
        return OK
    if not exempt and risk.oversize(limit, strategy, q, d):
        return Reason.ORDER_SIZE.value
    reason = risk.price(config, limit, touch, q, now_ns, d)
    if reason != OK:
        return reason
    crossing = crossing_slot(gw, q)
    if crossing >= 0:
        reason = resolve_crossing(gw, head, config, q, crossing, d)
        if reason != OK:
            return reason
    if exempt:
        return OK
    reason = risk.size_of_risk(head, config, limit, strategy, leaf, q, d)
    if reason == Reason.POSITION_LIMIT.value:
        head["position_breaches"] += 1
    return reason


@kernel
def crossing_slot(gw: Any, q: np.ndarray) -> int:
    """The first own order of the account, of any strategy, that `q` would trade with, or -1."""
    index = orders.list_of(gw, q["account_idx"], q["instrument_idx"], 1 - q["side"])
    return risk.first_crossing(gw, tables.heads(gw)[index], q["side"], q["price"])


@kernel
def hold_new(
    gw: Any, head: np.ndarray, intent: np.ndarray, q: np.ndarray, slot: int, now_ns: int
) -> None:
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
    order["status"] = OrderStatus.PENDING_SUBMIT.value
    order["request"] = NEW
    order["request_price"] = q["price"]
    order["request_qty"] = q["qty"]
    order["reserved_money"] = 0
    order["held_qty"] = 0
    order["cmd_id"] = head["cmd_id"]
    order["sent_ns"] = now_ns
    order["acked_ns"] = 0
    order["expire_ts_ns"] = intent["expire_ts_ns"]
    order["parent_id"] = intent["parent_id"]
    tables.holds(gw)[slot]["amends"] = 0
    tables.holds(gw)[slot]["status_before"] = OrderStatus.PENDING_SUBMIT.value
    head["live_orders"] += 1
    orders.link(gw, slot)


@kernel
def hold_amend(hold: np.ndarray, order: np.ndarray, q: np.ndarray) -> None:
    """Note an amend in flight: until the venue answers, either version may trade."""
    price, qty = q["price"], q["qty"]
    if hold["amends"] == 0:
        hold["price"], hold["price_low"], hold["qty"] = price, price, qty
    else:
        hold["price"] = max(hold["price"], price)
        hold["price_low"] = min(hold["price_low"], price)
        hold["qty"] = max(hold["qty"], qty)
    hold["amends"] += 1
    order["request"] = AMEND
    order["request_price"] = price
    order["request_qty"] = qty


@kernel
def hold_cancel(hold: np.ndarray, order: np.ndarray) -> None:
    """Note a cancel in flight; what is held stays held until the venue answers."""
    status = order["status"]
    if status == OrderStatus.SUBMITTED.value or status == OrderStatus.PARTIALLY_FILLED.value:
        hold["status_before"] = status
        order["status"] = OrderStatus.CANCEL_REQUESTED.value
    order["request"] = CANCEL


@kernel
def keep_key(hold: np.ndarray, intent: np.ndarray, payload: int) -> None:
    """Keep the key beside the order, so that a later outcome can still be committed to it."""
    hold["key_hi"] = intent["key_hi"]
    hold["key_lo"] = intent["key_lo"]
    hold["payload"] = payload


@kernel
def decide_cancel(
    gw: Any,
    head: np.ndarray,
    config: np.ndarray,
    intent: np.ndarray,
    q: np.ndarray,
    now_ns: int,
) -> int:
    """A CANCEL skips every check but leadership; it is counted in the rates."""
    risk.count_rate(gw, q, now_ns)
    if q["slot"] < 0:
        return Reason.NOT_FOUND.value
    if head["leader"] == 0:
        return Reason.NOT_LEADER.value
    if head["venue_up"] == 0:
        return Reason.VENUE_DOWN.value
    head["cmd_id"] += 1
    hold_cancel(tables.holds(gw)[q["slot"]], tables.orders(gw)[q["slot"]])
    return OK


@kernel
def check_all(
    gw: Any,
    head: np.ndarray,
    config: np.ndarray,
    intent: np.ndarray,
    touch: np.ndarray,
    q: np.ndarray,
    now_ns: int,
    d: np.ndarray,
) -> int:
    """Steps 1b to 5 for NEW, AMEND and FORCE_FLAT; what step 3 holds is given back on refusal."""
    strategy = tables.strategies(gw)[q["strategy_idx"]]
    if expired(intent, now_ns, d):
        return Reason.TTL_EXPIRED.value
    reason = policy.gate(gw, head, strategy, q, now_ns)
    if reason != OK:
        d["policy_mode"] = policy.mode(gw, strategy, q)
        return reason
    if q["kind"] == AMEND:
        if q["slot"] < 0:
            return Reason.EXPOSURE_ORDER_UNKNOWN.value
        if tables.orders(gw)[q["slot"]]["status"] == OrderStatus.UNKNOWN.value:
            return Reason.OUTCOME_UNKNOWN.value
    leaf = tables.leaves(gw)[q["leaf_idx"]]
    reason = exposure.check(head, config, strategy, leaf, q, d)
    if reason != OK:
        return reason
    if q["leaf_idx"] < 0:
        key = exposure.leaf_key(config, q["account_idx"], q["strategy_idx"], q["instrument_idx"])
        q["leaf_idx"] = exposure.add_leaf(gw, key)
        if q["leaf_idx"] < 0:
            d["measured"], d["limit"] = config["leaf_capacity"] + 1, config["leaf_capacity"]
            return Reason.EXPOSURE_SYMBOL_LIMIT.value
    if exposure.overflows(head, config, q, d):
        return Reason.EXPOSURE_OVERFLOW.value
    reason = check_risk(gw, head, config, strategy, leaf, touch, q, now_ns, d)
    if reason != OK:
        return reason
    if head["leader"] == 0:
        return Reason.NOT_LEADER.value
    return create_command(gw, head, config, strategy, intent, q, now_ns, d)


@kernel
def create_command(
    gw: Any,
    head: np.ndarray,
    config: np.ndarray,
    strategy: np.ndarray,
    intent: np.ndarray,
    q: np.ndarray,
    now_ns: int,
    d: np.ndarray,
) -> int:
    """Steps 5 and 6: a command id and the hold; from here on the venue's answers release it."""
    if head["venue_up"] == 0:
        return Reason.VENUE_DOWN.value
    slot = q["slot"]
    if q["kind"] != AMEND:
        slot = -1
        if head["live_orders"] < config["order_max"]:
            slot = orders.place(gw, intent["intent_id"])
        if slot < 0:
            d["measured"], d["limit"] = head["live_orders"], config["order_max"]
            return Reason.INTERNAL_ERROR.value
        head["cmd_id"] += 1
        q["slot"] = slot
        hold_new(gw, head, intent, q, slot, now_ns)
    else:
        head["cmd_id"] += 1
        hold_amend(tables.holds(gw)[slot], tables.orders(gw)[slot], q)
    order = tables.orders(gw)[slot]
    hold = tables.holds(gw)[slot]
    held_qty = exposure.hold_qty(order, hold)
    held_money = exposure.hold_money(tables.instruments(gw)[q["instrument_idx"]], order, hold)
    exposure.rehold(head, strategy, tables.leaves(gw)[q["leaf_idx"]], order, held_qty, held_money)
    return OK


@kernel
def open_decision(d: np.ndarray, intent: np.ndarray, now_ns: int) -> None:
    d["intent_id"] = intent["intent_id"]
    d["reason"] = OK
    d["cmd_id"] = 0
    d["slot"] = -1
    d["price"] = intent["price"]
    d["qty"] = intent["qty"]
    d["measured"] = 0
    d["limit"] = 0
    d["policy_mode"] = 0
    d["decided_ns"] = now_ns
    d["replayed"] = 0
    d["deadline_ns"] = 0


@kernel
def refuse(gw: Any, head: np.ndarray, reason: int, now_ns: int) -> int:
    """Write a refusal and commit the key as rejected. Nothing is held at this point."""
    d = tables.decision(gw)[0]
    d["reason"] = reason
    head["orders_rejected"] += 1
    if reason != Reason.SELF_TRADE.value:
        head["cancel_count"] = 0
    tables.counts(gw)[reason] += 1
    rejected = DedupState.REJECTED.value
    dedup.commit(gw, head["dedup_row"], rejected, reason, 0, now_ns)
    return reason


@kernel
def answer_again(gw: Any, head: np.ndarray) -> int:
    """Return the stored decision of a key that was decided before; nothing is sent."""
    d = tables.decision(gw)[0]
    outcome = tables.dedup(gw)[head["dedup_row"]]["outcome"]
    d["reason"] = dedup.reason_of(outcome)
    d["cmd_id"] = dedup.cmd_of(outcome)
    d["replayed"] = 1
    head["dedup_hits"] += 1
    return d["reason"]


@kernel
def evaluate(gw: Any, intent: np.ndarray, touch: np.ndarray, now_ns: int) -> int:
    """Steps 1 to 6 of contract 3.2; an approved key stays reserved until `commit_approved`.

    Mutates: tables.decision(gw)[0], tables.request(gw)[0]; on approval the order table and what is held.
    Returns: a `Reason` value; approved and not replayed means decision["slot"] >= 0.
    """
    head = tables.head(gw)[0]
    config = tables.config(gw)[0]
    d = tables.decision(gw)[0]
    q = tables.request(gw)[0]
    open_decision(d, intent, now_ns)
    head["now_ns"] = now_ns
    head["orders_checked"] += 1
    head["cancel_count"] = 0
    head["exempt"] = 0
    head["dedup_row"] = -1
    reason = malformed(config, intent)
    if reason != OK:
        return refuse(gw, head, reason, now_ns)
    payload = 0
    if intent["key_lo"] != 0 or intent["key_hi"] != 0:
        payload = dedup.payload_hash(intent)
        reason = dedup.check_or_reserve(gw, intent["key_hi"], intent["key_lo"], payload, now_ns)
        if reason == dedup.REPLAYED:
            return answer_again(gw, head)
        if reason != OK:
            return refuse(gw, head, reason, now_ns)
    frame(gw, config, intent, touch, q)
    if q["kind"] == CANCEL:
        reason = decide_cancel(gw, head, config, intent, q, now_ns)
    else:
        reason = check_all(gw, head, config, intent, touch, q, now_ns, d)
    d["price"] = q["price"]
    d["qty"] = q["qty"]
    if reason != OK:
        return refuse(gw, head, reason, now_ns)
    slot = q["slot"]
    keep_key(tables.holds(gw)[slot], intent, payload)
    head["exempt"] = 1 if q["kind"] == CANCEL or q["proven"] + q["lowers"] > 0 else 0
    head["orders_approved"] += 1
    tables.counts(gw)[OK] += 1
    d["slot"] = slot
    d["cmd_id"] = head["cmd_id"]
    d["measured"], d["limit"] = 0, 0
    if q["kind"] != CANCEL and config["command_deadline_ns"] > 0:
        d["deadline_ns"] = now_ns + config["command_deadline_ns"]
    return OK


@kernel
def commit_approved(gw: Any, now_ns: int) -> None:
    """Step 7: the key of the intent just evaluated is approved, once the enqueue succeeded."""
    head = tables.head(gw)[0]
    approved = DedupState.APPROVED.value
    cmd_id = tables.decision(gw)[0]["cmd_id"]
    dedup.commit(gw, head["dedup_row"], approved, OK, cmd_id, now_ns)


@kernel
def decide(gw: Any, intent: np.ndarray, touch: np.ndarray, now_ns: int) -> int:
    """All seven steps; the caller enqueues at once, or calls `events.on_dispatch_failed`.

    Returns: a `Reason` value. Dispatch only when it is 0 and decision["slot"] >= 0: a replayed
    approval carries slot -1 and must not be sent again.
    """
    reason = evaluate(gw, intent, touch, now_ns)
    if reason == OK and tables.decision(gw)[0]["replayed"] == 0:
        commit_approved(gw, now_ns)
    return reason
