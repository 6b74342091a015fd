"""What the venue tells us about a working order, and what that releases or settles.

Every function is O(1) and takes the slot; the caller has checked that the slot still carries the
order of the message. `on_done` and the completing `on_fill` are the only ways a slot becomes free.
Returns are 0, or -1 where nothing could be done (counted as an invariant failure).
"""

from typing import Any

from hft.core.codes import DedupState, IntentType, OrderStatus, Reason
from hft.core.jit import kernel
from hft.gateway import alerts, breaker, dedup, exposure, orders, policy, tables
from hft.gateway.rows import ONE_AMEND, GuardCause, KillScope, Row

APPROVED = DedupState.APPROVED.value
REJECTED = DedupState.REJECTED.value
UNKNOWN_KEY = DedupState.UNKNOWN.value
PENDING = OrderStatus.PENDING_SUBMIT.value
SUBMITTED = OrderStatus.SUBMITTED.value
PARTIAL = OrderStatus.PARTIALLY_FILLED.value
CANCEL_REQUESTED = OrderStatus.CANCEL_REQUESTED.value
UNKNOWN = OrderStatus.UNKNOWN.value
NEW = IntentType.NEW.value
AMEND = IntentType.AMEND.value
FORCE_FLAT = IntentType.FORCE_FLAT.value
CANCEL = IntentType.CANCEL.value
NOTHING = -1
WORTH_MAX = 1 << 60  # money of one fill


@kernel
def find_order(gw: Any, order_id: int) -> int:
    """The slot of a working order, or -1."""
    return orders.find(gw, order_id)


@kernel
def leaf_of(gw: Any, account_idx: int, strategy_idx: int, instrument_idx: int) -> int:
    """The row of a leaf, or -1 when nothing was ever held there."""
    config = tables.config(gw)[0]
    key = exposure.leaf_key(config, account_idx, strategy_idx, instrument_idx)
    return exposure.find_leaf(gw, key)


@kernel
def is_working(gw: Any, slot: int) -> bool:
    """Whether a slot holds a working order; asking for another is an invariant failure."""
    if 0 <= slot < len(tables.orders(gw)) and tables.orders(gw)[slot]["order_id"] > 0:
        return True
    tables.head(gw)[0]["invariant_failures"] += 1
    return False


@kernel
def is_believable(gw: Any, slot: int, price: int, qty: int) -> bool:
    """Whether price and quantity of an answer can be; others are an invariant failure."""
    instrument = tables.instruments(gw)[tables.orders(gw)[slot]["instrument_idx"]]
    linear = instrument["inverse"] == 0
    step = instrument["money_per_tick_lot"] if linear else instrument["notional_per_lot"]
    room = WORTH_MAX // max(1, step)
    factor = max(1, price) if linear else 1
    if 0 <= price <= WORTH_MAX and factor <= room and 0 <= qty <= room // factor:
        return True
    tables.head(gw)[0]["invariant_failures"] += 1
    return False


@kernel
def hold_again(gw: Any, slot: int) -> None:
    """Bring an order's hold to its worst case after anything about it changed."""
    order = tables.orders(gw)[slot]
    hold = tables.holds(gw)[slot]
    instrument = tables.instruments(gw)[order["instrument_idx"]]
    exposure.rehold(
        tables.head(gw)[0],
        tables.strategies(gw)[order["strategy_idx"]],
        tables.symbols(gw)[order["instrument_idx"]],
        tables.leaves(gw)[order["leaf_idx"]],
        order,
        exposure.hold_qty(order, hold),
        exposure.hold_money(instrument, order, hold),
    )


@kernel
def let_go(gw: Any, slot: int, status: int) -> None:
    """Release what is left and free the slot; the row stays readable until it is used again."""
    order = tables.orders(gw)[slot]
    head = tables.head(gw)[0]
    strategy = tables.strategies(gw)[order["strategy_idx"]]
    symbol = tables.symbols(gw)[order["instrument_idx"]]
    exposure.rehold(head, strategy, symbol, tables.leaves(gw)[order["leaf_idx"]], order, 0, 0)
    if order["status"] == UNKNOWN:
        head["unknown_orders"] -= 1
    order["status"] = status
    order["request"] = NOTHING
    orders.unlink(gw, slot)
    orders.free(gw, slot)
    head["live_orders"] -= 1


@kernel
def ask_no_more(order: Row, hold: Row) -> None:
    """The request that was answered is over, if no other of its kind is in flight.

    Answers come in the order of requests, so that the newest is over when all are.
    """
    amends, cancels = hold["in_flight"] >> 32, hold["in_flight"] & (ONE_AMEND - 1)
    request = order["request"]
    if (request == AMEND and amends > 0) or (request == CANCEL and cancels > 0):
        return
    if amends > 0:
        order["request"] = AMEND
    elif cancels > 0:
        order["request"] = CANCEL
    else:
        order["request"] = NEW if order["status"] == PENDING else NOTHING


@kernel
def know_again(gw: Any, slot: int, state: int, reason: int, now_ns: int) -> None:
    """An UNKNOWN order turned out: its key is decided again."""
    order = tables.orders(gw)[slot]
    if order["status"] != UNKNOWN:
        return
    tables.head(gw)[0]["unknown_orders"] -= 1
    order["status"] = PARTIAL if order["filled_qty"] > 0 else SUBMITTED
    if order["request"] > NEW:
        ask_no_more(order, tables.holds(gw)[slot])  # the answer to a cancel may have been lost
    hold = tables.holds(gw)[slot]
    cmd_id = dedup.command_of(gw, hold, order["cmd_id"]) if state == APPROVED else 0
    dedup.commit_key(gw, hold, state, reason, cmd_id, now_ns)


@kernel
def on_ack(gw: Any, slot: int, now_ns: int) -> int:
    """The venue accepted a NEW."""
    if not is_working(gw, slot):
        return -1
    know_again(gw, slot, APPROVED, 0, now_ns)
    order = tables.orders(gw)[slot]
    if order["status"] == PENDING:
        order["status"] = SUBMITTED
        if order["request"] == CANCEL:
            order["status"] = CANCEL_REQUESTED
    if order["request"] == NEW:
        order["request"] = NOTHING
    return 0


@kernel
def end_amend(gw: Any, slot: int) -> None:
    """One amend less in flight."""
    order = tables.orders(gw)[slot]
    hold = tables.holds(gw)[slot]
    if hold["in_flight"] >= ONE_AMEND:
        hold["in_flight"] -= ONE_AMEND
    if order["request"] != NEW:
        ask_no_more(order, hold)
    hold_again(gw, slot)


@kernel
def end_cancel(order: Row, hold: Row) -> None:
    """One cancel less in flight: the order is still there."""
    if hold["in_flight"] & (ONE_AMEND - 1) > 0:
        hold["in_flight"] -= 1
    if hold["in_flight"] & (ONE_AMEND - 1) == 0 and order["status"] == CANCEL_REQUESTED:
        order["status"] = PARTIAL if order["filled_qty"] > 0 else SUBMITTED
    if order["request"] != NEW:
        ask_no_more(order, hold)


@kernel
def on_amended(gw: Any, slot: int, price: int, qty: int, now_ns: int) -> int:
    """The venue changed the order to `price` and total `qty`."""
    if not is_working(gw, slot) or not is_believable(gw, slot, price, qty):
        return -1
    know_again(gw, slot, APPROVED, 0, now_ns)
    order = tables.orders(gw)[slot]
    order["price"] = price
    order["qty"] = qty
    end_amend(gw, slot)
    if order["filled_qty"] >= qty:
        done = OrderStatus.FILLED.value if order["filled_qty"] > 0 else OrderStatus.CANCELLED.value
        let_go(gw, slot, done)
    return 0


@kernel
def on_amend_rejected(gw: Any, slot: int, now_ns: int) -> int:
    """The order stays as last acknowledged; what the amend held beyond that is released."""
    if not is_working(gw, slot):
        return -1
    end_amend(gw, slot)
    return 0


@kernel
def on_cancel_rejected(gw: Any, slot: int, now_ns: int) -> int:
    """The order is still there."""
    if not is_working(gw, slot):
        return -1
    tables.orders(gw)[slot]["refused_ns"] = now_ns
    end_cancel(tables.orders(gw)[slot], tables.holds(gw)[slot])
    return 0


@kernel
def on_fill(gw: Any, slot: int, price: int, qty: int, now_ns: int) -> int:
    """Move a fill from reserved to position; a complete order frees its slot.

    Returns: 1 when the order is complete, 0 when it works on, -1 for more than it had open.
    """
    if not is_working(gw, slot) or not is_believable(gw, slot, price, qty) or qty <= 0:
        return -1
    know_again(gw, slot, APPROVED, 0, now_ns)
    head = tables.head(gw)[0]
    order = tables.orders(gw)[slot]
    result = 0
    if qty > order["held_qty"]:
        # The venue is right about the position; what it says cannot be, so it is counted.
        head["invariant_failures"] += 1
        result = -1
    order["filled_qty"] += qty
    order["status"] = CANCEL_REQUESTED if order["request"] == CANCEL else PARTIAL
    if order["request"] == NEW:
        order["request"] = NOTHING
    hold_again(gw, slot)
    strategy_idx = order["strategy_idx"]
    instrument_idx = order["instrument_idx"]
    strategy = tables.strategies(gw)[strategy_idx]
    leaf = tables.leaves(gw)[order["leaf_idx"]]
    symbol, instrument = tables.symbols(gw)[instrument_idx], tables.instruments(gw)[instrument_idx]
    exposure.settle(head, strategy, symbol, leaf, instrument, order["side"], price, qty)
    head["fills"] += 1
    watch_fill(gw, strategy_idx, instrument_idx, order["leaf_idx"], now_ns)
    if order["filled_qty"] >= order["qty"]:
        let_go(gw, slot, OrderStatus.FILLED.value)
        result = 1 if result == 0 else result
    return result


@kernel
def watch_fill(gw: Any, strategy_idx: int, instrument_idx: int, leaf_idx: int, now_ns: int) -> None:
    """Repeated execution and the position breaker, after each fill."""
    config = tables.config(gw)[0]
    count = config["repeated_count"]
    if count > 0:
        row = tables.repeats(gw)[strategy_idx * len(tables.instruments(gw)) + instrument_idx]
        at = row["start"] + row["cursor"]
        oldest = tables.repeat_ring(gw)[at]
        if row["count"] >= count and oldest > now_ns - config["repeated_window_ns"]:
            strategy = tables.strategies(gw)[strategy_idx]
            if strategy["repeated"] == 0:
                alerts.write(
                    gw,
                    alerts.REPEATED,
                    KillScope.STRATEGY.value,
                    strategy_idx,
                    1,
                    GuardCause.REPEATED_EXECUTION.value,
                    count + 1,
                    count,
                    now_ns,
                )
            strategy["repeated"] = 1
            policy.refresh(gw)
        tables.repeat_ring(gw)[at] = now_ns
        row["cursor"] = 0 if row["cursor"] + 1 == count else row["cursor"] + 1
        row["count"] += 1
    limit, leaf = tables.limits(gw)[instrument_idx], tables.leaves(gw)[leaf_idx]
    if breaker.over_position(limit, leaf):
        net = leaf["net_qty"]
        most = limit["long_max"] if net > 0 else -limit["short_max"]
        index = breaker.row_of(config, 2, strategy_idx)
        if breaker.trip(gw, index, breaker.POSITION, leaf_idx, net, most, now_ns) != 0:
            policy.refresh(gw)


@kernel
def on_done(gw: Any, slot: int, status: int, now_ns: int) -> int:
    """The order ended unfilled or part filled: CANCELLED, EXPIRED or FAILED."""
    if not is_working(gw, slot):
        return -1
    if tables.orders(gw)[slot]["status"] == UNKNOWN:
        failed = status == OrderStatus.FAILED.value
        reason = Reason.VENUE_REJECT.value if failed else 0
        know_again(gw, slot, REJECTED if failed else APPROVED, reason, now_ns)
    order = tables.orders(gw)[slot]
    leaf = tables.leaves(gw)[order["leaf_idx"]]
    if order["filled_qty"] == 0 and order["order_id"] == leaf["closing_id"]:
        leaf["refused_ns"] = now_ns  # there was nothing to close with
    let_go(gw, slot, status)
    return 0


@kernel
def on_unknown(gw: Any, slot: int, now_ns: int) -> int:
    """Nobody knows what became of the order: it keeps its hold and its key blocks a retry."""
    if not is_working(gw, slot):
        return -1
    order = tables.orders(gw)[slot]
    cancels = tables.holds(gw)[slot]["in_flight"] & (ONE_AMEND - 1)
    if order["status"] != PENDING and cancels > 0:  # the answer that was lost was to a cancel
        tables.holds(gw)[slot]["in_flight"] -= 1
    if order["status"] != UNKNOWN:
        tables.head(gw)[0]["unknown_orders"] += 1
    order["status"] = UNKNOWN
    unknown = Reason.OUTCOME_UNKNOWN.value
    hold = tables.holds(gw)[slot]
    cmd_id = dedup.command_of(gw, hold, order["cmd_id"])
    dedup.commit_key(gw, hold, UNKNOWN_KEY, unknown, cmd_id, now_ns)
    return 0


@kernel
def never_left(gw: Any, hold: Row, now_ns: int) -> None:
    """The intent just decided was not sent: its AMEND holds nothing, its FORCE_FLAT waits."""
    q = tables.request(gw)[0]
    if q["kind"] == AMEND:
        hold["price"], hold["price_low"], hold["qty"] = q["was_price"], q["was_low"], q["was_qty"]
    elif q["kind"] == FORCE_FLAT:
        tables.leaves(gw)[q["leaf_idx"]]["refused_ns"] = now_ns


@kernel
def on_dispatch_failed(gw: Any, slot: int, reason: int) -> int:
    """The command never left: all it held comes back, and its key answers `reason` from now on."""
    if not is_working(gw, slot):
        return -1
    head = tables.head(gw)[0]
    order = tables.orders(gw)[slot]
    hold = tables.holds(gw)[slot]
    now_ns = head["now_ns"]
    if tables.decision(gw)[0]["slot"] == slot:
        dedup.commit(gw, head["dedup_row"], REJECTED, reason, 0, now_ns)
        never_left(gw, hold, now_ns)
    elif order["request"] == NEW:
        dedup.commit_key(gw, hold, REJECTED, reason, 0, now_ns)
    else:
        # Own cancels were decided since: the key beside the order need not be the command's.
        dedup.reject_command(gw, hold["request_cmd_id"], reason, now_ns)
    head["orders_rejected"] += 1
    tables.counts(gw)[reason] += 1
    tables.counts(gw)[0] -= 1
    request = order["request"]
    if request == AMEND:
        on_amend_rejected(gw, slot, now_ns)
    elif request == CANCEL:
        end_cancel(order, hold)
    else:
        let_go(gw, slot, OrderStatus.FAILED.value)
        return 0
    if tables.decision(gw)[0]["slot"] == slot:
        order["request"] = tables.request(gw)[0]["was_request"]
    return 0
