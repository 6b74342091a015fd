"""The seven steps of the gateway in one readable kernel.

`decide` = dedup, ttl, policy, exposure, risk, leadership, command, commit; `evaluate` is the same
without the final commit, for a service that commits only once its own enqueue succeeded. Every
refusal commits the key as rejected and gives back what it reserved. Compiled callers enter with the
handle of a state (`tables.enter`), here as in `events`, `control` and `trips`.
"""

from typing import Any

from hft.core.codes import DedupState, IntentType, OrderStatus, Reason
from hft.core.jit import kernel, out_of_line, seldom
from hft.core.numbers import elapsed_ns
from hft.gateway import commands, dedup, exposure, framing, orders, policy, risk, tables
from hft.gateway.rows import Row, because
from hft.gateway.selftrade import resolve_crossing

OK = Reason.OK.value
AMEND = IntentType.AMEND.value
CANCEL = IntentType.CANCEL.value
FORCE_FLAT = IntentType.FORCE_FLAT.value


@kernel(inline=True)
def expired(intent: Row, now_ns: int, d: Row) -> bool:
    """Older than it may be when it is decided; a CANCEL does not age."""
    ttl_ns = intent["ttl_ns"]
    # now - ttl cannot wrap, the intent's age can.
    if ttl_ns <= 0 or intent["intent_type"] == CANCEL or intent["timestamp_ns"] >= now_ns - ttl_ns:
        return False
    return because(d, elapsed_ns(now_ns, intent["timestamp_ns"]), ttl_ns)


@kernel(inline=True)
def check_risk(
    gw: Any,
    head: Row,
    config: Row,
    strategy: Row,
    leaf: Row,
    touch: Row,
    q: Row,
    now_ns: int,
    d: Row,
) -> int:
    """Step 4 in the order of contract 3.6; the first failure wins."""
    limit = tables.limits(gw)[q["instrument_idx"]]
    exempt = q["proven"] != 0 or q["lowers"] != 0
    if head["kill_byte"] != 0 and not exempt:
        because(d, head["kill_byte"], 0)
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
        because(d, used_up + 1, used_up)
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
    symbol = tables.symbols(gw)[q["instrument_idx"]]
    reason = risk.size_of_risk(head, config, limit, strategy, symbol, leaf, q, d)
    if reason == Reason.POSITION_LIMIT.value:
        head["position_breaches"] += 1
    return reason


@kernel(inline=True)
def crossing_slot(gw: Any, q: Row) -> int:
    """The first own order of the account, of any strategy, that `q` would trade with, or -1."""
    if q["passive"] != 0:
        return -1
    index = orders.list_of(gw, q["account_idx"], q["instrument_idx"], 1 - q["side"])
    return risk.first_crossing(gw, tables.heads(gw)[index], q["side"], q["reach"])


@kernel
def decide_cancel(
    gw: Any,
    head: Row,
    config: Row,
    intent: Row,
    q: Row,
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
    commands.hold_cancel(tables.orders(gw)[q["slot"]], q)
    return OK


@kernel(inline=True)
def check_all(
    gw: Any,
    head: Row,
    config: Row,
    intent: Row,
    touch: Row,
    q: Row,
    now_ns: int,
    d: Row,
) -> int:
    """Steps 1b to 5 for NEW, AMEND and FORCE_FLAT; what step 3 holds is given back on refusal."""
    strategy = tables.strategies(gw)[q["strategy_idx"]]
    if expired(intent, now_ns, d):
        return Reason.TTL_EXPIRED.value
    if q["kind"] == FORCE_FLAT and q["qty"] == 0:
        return Reason.NOT_FOUND.value
    reason = policy.gate(gw, head, strategy, q, now_ns)
    if reason != OK:
        d["policy_mode"] = policy.mode(gw, strategy, q)
        because(d, 1, 0)
        return reason
    if q["kind"] == AMEND:
        if q["slot"] < 0:
            return Reason.EXPOSURE_ORDER_UNKNOWN.value
        if tables.orders(gw)[q["slot"]]["status"] == OrderStatus.UNKNOWN.value:
            return Reason.OUTCOME_UNKNOWN.value
    leaf = exposure.leaf_at(gw, q["leaf_idx"])
    reason = exposure.check(head, config, strategy, leaf, q, d)
    if reason != OK:
        return reason
    if q["leaf_idx"] < 0:
        key = exposure.leaf_key(config, q["account_idx"], q["strategy_idx"], q["instrument_idx"])
        q["leaf_idx"] = exposure.add_leaf(gw, key)
        if q["leaf_idx"] < 0:
            because(d, config["leaf_capacity"] + 1, config["leaf_capacity"])
            return Reason.EXPOSURE_SYMBOL_LIMIT.value
    if exposure.overflows(head, config, q, d):
        return Reason.EXPOSURE_OVERFLOW.value
    reason = check_risk(gw, head, config, strategy, leaf, touch, q, now_ns, d)
    if reason != OK:
        return reason
    if head["leader"] == 0:
        return Reason.NOT_LEADER.value
    return create_command(gw, head, config, strategy, intent, q, now_ns, d)


@kernel(inline=True)
def create_command(
    gw: Any,
    head: Row,
    config: Row,
    strategy: Row,
    intent: Row,
    q: Row,
    now_ns: int,
    d: Row,
) -> int:
    """Steps 5 and 6: a command id and the hold; from here on the venue's answers release it."""
    if head["venue_up"] == 0:
        return Reason.VENUE_DOWN.value
    slot = q["slot"]
    if q["kind"] != AMEND:
        if head["live_orders"] >= config["order_max"]:
            because(d, head["live_orders"] + 1, config["order_max"])
            return Reason.ORDER_QUEUE_FULL.value
        slot = orders.place(gw, intent["intent_id"])
        if slot < 0:
            return Reason.INTERNAL_ERROR.value
        head["cmd_id"] += 1
        q["slot"] = slot
        commands.hold_new(gw, head, intent, q, slot, now_ns)
    else:
        head["cmd_id"] += 1
        commands.hold_amend(tables.holds(gw)[slot], tables.orders(gw)[slot], q)
    order = tables.orders(gw)[slot]
    hold = tables.holds(gw)[slot]
    held_qty = exposure.hold_qty(order, hold)
    held_money = exposure.hold_money(tables.instruments(gw)[q["instrument_idx"]], order, hold)
    leaf, symbol = tables.leaves(gw)[q["leaf_idx"]], tables.symbols(gw)[q["instrument_idx"]]
    exposure.rehold(head, strategy, symbol, leaf, order, held_qty, held_money)
    return OK


@kernel(inline=True)
def open_decision(d: Row, intent: Row, now_ns: int) -> None:
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
def refuse(gw: Any, head: Row, reason: int, now_ns: int) -> int:
    """Write a refusal and commit the key as rejected. Nothing is held at this point."""
    seldom()
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
def answer_again(gw: Any, head: Row) -> int:
    """Return the stored decision of a key that was decided before; nothing is sent."""
    seldom()
    d = tables.decision(gw)[0]
    outcome = tables.dedup(gw)[head["dedup_row"]]["outcome"]
    d["reason"] = dedup.reason_of(outcome)
    d["cmd_id"] = dedup.cmd_of(outcome)
    d["replayed"] = 1
    head["dedup_hits"] += 1
    return d["reason"]


@kernel
def evaluate(gw: Any, intent: Row, touch: Row, now_ns: int) -> int:
    """Steps 1 to 6 of contract 3.2; an approved key stays reserved until `commit_approved`.

    Mutates: the rows `decision` and `request`; on approval the order table and what is held.
    Returns: a `Reason` value; approved and not replayed means decision["slot"] >= 0.
    """
    out_of_line()
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
    reason = framing.malformed(config, intent)
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
    framing.frame(gw, config, intent, touch, q)
    if q["kind"] == CANCEL:
        reason = decide_cancel(gw, head, config, intent, q, now_ns)
    else:
        reason = check_all(gw, head, config, intent, touch, q, now_ns, d)
    d["price"] = q["price"]
    d["qty"] = q["qty"]
    if reason != OK:
        if q["kind"] == FORCE_FLAT and q["leaf_idx"] >= 0:
            tables.leaves(gw)[q["leaf_idx"]]["refused_ns"] = now_ns
        return refuse(gw, head, reason, now_ns)
    slot = q["slot"]
    tables.holds(gw)[slot]["request_cmd_id"] = head["cmd_id"]
    commands.keep_key(tables.orders(gw)[slot], tables.holds(gw)[slot], intent, payload)
    head["exempt"] = 1 if q["kind"] == CANCEL or q["proven"] + q["lowers"] > 0 else 0
    tables.counts(gw)[OK] += 1
    d["slot"] = slot
    d["cmd_id"] = head["cmd_id"]
    if q["kind"] != CANCEL and config["command_deadline_ns"] > 0:
        d["deadline_ns"] = now_ns + config["command_deadline_ns"]
    return OK


@kernel(inline=True)
def commit_approved(gw: Any, now_ns: int) -> None:
    """Step 7: the key of the intent just evaluated is approved, once the enqueue succeeded."""
    head = tables.head(gw)[0]
    approved = DedupState.APPROVED.value
    cmd_id = tables.decision(gw)[0]["cmd_id"]
    dedup.commit(gw, head["dedup_row"], approved, OK, cmd_id, now_ns)


@kernel
def decide(gw: Any, intent: Row, touch: Row, now_ns: int) -> int:
    """All seven steps; the caller enqueues at once, or calls `events.on_dispatch_failed`.

    Returns: a `Reason` value. Dispatch only when it is 0 and decision["slot"] >= 0: a replayed
    approval carries slot -1 and must not be sent again.
    """
    reason = evaluate(gw, intent, touch, now_ns)
    if reason == OK and tables.decision(gw)[0]["replayed"] == 0:
        commit_approved(gw, now_ns)
    return reason
