"""The order's way: an intent is decided, its command travels, the venue answers, we book it.

This is the only place where the kernel of the gateway is called and the only one that puts a
command on its way to a venue. Nothing reaches `venue.commands` without an approval of `decide`.
"""

import numpy as np

from hft.core.codes import (
    IntentType,
    LatencyLeg,
    Liquidity,
    OrderStatus,
    Reason,
    ResponseKind,
    StepKind,
)
from hft.core.jit import kernel, out_of_line
from hft.gateway.pipeline import (
    decide,
    on_ack,
    on_amend_rejected,
    on_amended,
    on_cancel_rejected,
    on_dispatch_failed,
    on_done,
    on_fill,
    on_pnl,
    on_unknown,
    trip_intents,
)
from hft.gateway.trips import blank
from hft.portfolio.positions import apply_fill, fee_money, mark
from hft.replay.faults import refuses, spoil_answer
from hft.replay.state import Engine
from hft.replay.tick import note
from hft.venue.matching import arrives
from hft.venue.state import leg_ns, pop, push

_NEW = IntentType.NEW.value
_AMEND = IntentType.AMEND.value
_CANCEL = IntentType.CANCEL.value
_ENTRY = LatencyLeg.ENTRY.value
_OK = Reason.OK.value
_QUEUE_FULL = Reason.ORDER_QUEUE_FULL.value
_DECISION = StepKind.DECISION.value
_ARRIVAL = StepKind.ARRIVAL.value
_FILL_STEP = StepKind.FILL.value
_RESPONSE = StepKind.RESPONSE.value
_ACK = ResponseKind.ACK.value
_FILL = ResponseKind.FILL.value
_CANCELLED = ResponseKind.CANCELLED.value
_EXPIRED = ResponseKind.EXPIRED.value
_REJECTED = ResponseKind.REJECTED.value
_CANCEL_REJECTED = ResponseKind.CANCEL_REJECTED.value
_AMENDED = ResponseKind.AMENDED.value
_AMEND_REJECTED = ResponseKind.AMEND_REJECTED.value
_LOST = ResponseKind.UNKNOWN.value
_TAKER = Liquidity.TAKER.value
_S_CANCELLED = OrderStatus.CANCELLED.value
_S_EXPIRED = OrderStatus.EXPIRED.value
_S_FAILED = OrderStatus.FAILED.value


@kernel(inline=True)
def submit(engine: Engine, intent: np.ndarray, now_ns: int) -> int:
    """One intent through the gateway and, when approved, its command on the way to the venue.

    Mutates: engine. Returns: the `Reason`.
    """
    reason = decide(engine.gw, intent, engine.touch[intent["instrument_idx"]], now_ns)
    decision = engine.gw.decision[0]
    if engine.gw.head[0]["cancel_count"] > 0:
        # Self-trade prevention chose to cancel old orders: those commands leave first.
        engine.stash[0] = decision
        decision = engine.stash[0]
        exempt = engine.gw.head[0]["exempt"]
        _cancel_crossed(engine, now_ns)
        engine.gw.head[0]["exempt"] = exempt
    return _conclude(engine, intent, decision, reason, now_ns)


@kernel
def _conclude(
    engine: Engine, intent: np.ndarray, decision: np.ndarray, reason: int, now_ns: int
) -> int:
    """Dispatch what was approved and journal the decision. Mutates: engine."""
    clock = engine.clock[0]
    clock["decisions"] += 1
    if reason == _OK and decision["replayed"] == 0:
        reason = _dispatch(engine, intent, decision, now_ns)
    if reason != _OK:
        clock["refused"] += 1
    note(
        engine,
        _DECISION,
        now_ns,
        intent["strategy_idx"],
        intent["instrument_idx"],
        intent["intent_id"],
        reason,
        intent["side"],
        decision["price"],
        intent["qty"],
        intent["intent_type"],
        decision["measured"],
        decision["limit"],
    )
    return reason


@kernel
def _cancel_crossed(engine: Engine, now_ns: int) -> None:
    """Turn the gateway's list of crossed orders into CANCELs or AMENDs of their owners."""
    out_of_line()
    gw = engine.gw
    count = min(gw.head[0]["cancel_count"], len(engine.own))
    gw.head[0]["cancel_count"] = 0
    for k in range(count):
        order = gw.orders[gw.cancels[k]]
        total = gw.cancel_qty[k]
        intent = engine.own[k]
        blank(intent, engine.clock[0]["next_id"], _AMEND if total > 0 else _CANCEL, now_ns)
        engine.clock[0]["next_id"] += 1
        intent["target_id"] = order["order_id"]
        intent["strategy_idx"] = order["strategy_idx"]
        intent["account_idx"] = order["account_idx"]
        intent["instrument_idx"] = order["instrument_idx"]
        intent["side"] = order["side"]
        intent["price"] = order["price"]
        intent["qty"] = total
    for k in range(count):
        _submit_own(engine, engine.own[k], now_ns)


@kernel
def _submit_own(engine: Engine, intent: np.ndarray, now_ns: int) -> int:
    """An intent of the gateway's own making; it goes through the gateway like any other."""
    reason = decide(engine.gw, intent, engine.touch[intent["instrument_idx"]], now_ns)
    return _conclude(engine, intent, engine.gw.decision[0], reason, now_ns)


@kernel
def take_trips(engine: Engine, now_ns: int) -> None:
    """Send the cancels and closing orders that tripped breakers still ask for. Mutates: engine."""
    out_of_line()
    clock = engine.clock[0]
    count = trip_intents(engine.gw, engine.touch, engine.own, clock["next_id"], now_ns)
    clock["next_id"] += count
    for k in range(count):
        _submit_own(engine, engine.own[k], now_ns)


@kernel(inline=True)
def _dispatch(engine: Engine, intent: np.ndarray, decision: np.ndarray, now_ns: int) -> int:
    """Put an approved command into the venue's queue; a full queue gives everything back."""
    venue = engine.venue
    kind = intent["intent_type"]
    slot = decision["slot"]
    queue = venue.queues[0]
    if queue["last"] - queue["first"] >= queue["room"] and _queue_full(engine, decision):
        return _QUEUE_FULL
    leg = _ENTRY
    if kind != _AMEND and kind != _CANCEL:
        engine.clock[0]["orders"] += 1
    if kind == _AMEND:
        leg = LatencyLeg.AMEND.value
    elif kind == _CANCEL:
        leg = LatencyLeg.CANCEL.value
    arrives_ns = now_ns + engine.clock[0]["latency_ns"] + leg_ns(venue, leg, now_ns)
    message = venue.commands[push(venue.commands, queue, venue.head[0], arrives_ns)]
    message["kind"] = kind
    message["slot"] = slot
    order = engine.gw.orders[slot]
    message["order_id"] = order["order_id"]
    message["strategy_idx"] = order["strategy_idx"]
    message["instrument_idx"] = order["instrument_idx"]
    message["side"] = order["side"]
    message["price"] = decision["price"]
    message["qty"] = decision["qty"]
    message["cmd_id"] = decision["cmd_id"]
    message["exch_ns"] = now_ns
    message["deadline_ns"] = decision["deadline_ns"]
    return _OK


@kernel
def _queue_full(engine: Engine, decision: np.ndarray) -> bool:
    """Is there no place for the approved command? The last ones are kept for getting out.

    Mutates: engine.gw, decision when it is refused.
    """
    out_of_line()
    queue = engine.venue.queues[0]
    reduces = engine.gw.head[0]["exempt"] != 0
    room = queue["mask"] + 1 if reduces else queue["room"]
    count = queue["last"] - queue["first"]
    if count < room:
        return False
    on_dispatch_failed(engine.gw, decision["slot"], _QUEUE_FULL)
    decision["measured"] = count + 1
    decision["limit"] = room
    return True


@kernel
def arrive(engine: Engine) -> None:
    """The oldest command reaches the venue. Mutates: engine."""
    out_of_line()
    venue = engine.venue
    queue = venue.queues[0]
    message = venue.commands[pop(venue.commands, queue)]
    # Not from the order table: the order may have ended, and another one have its slot.
    i = message["instrument_idx"]
    ts = message["ts_ns"]
    up = not refuses(engine, message["kind"], ts)
    arrives(venue, engine.books, engine.books.heads[2 * i], engine.gw.orders, message, up)
    note(
        engine,
        _ARRIVAL,
        ts,
        message["strategy_idx"],
        i,
        message["order_id"],
        message["kind"],
        message["side"],
        message["price"],
        message["qty"],
        0,
        0,
        message["cmd_id"],
    )
    note_answers(engine)


@kernel
def note_answers(engine: Engine) -> None:
    """Journal what the venue did since last time, in its own time. Mutates: engine."""
    clock = engine.clock[0]
    queue = engine.venue.queues[1]
    while queue["told"] < queue["last"]:
        position = queue["told"]
        message = engine.venue.responses[position & queue["mask"]]
        queue["told"] = position + 1
        if message["cmd_id"] < 0:
            continue
        if clock["faulty"] != 0:
            spoil_answer(engine, position)
        if message["kind"] == _FILL:
            order = engine.gw.orders[message["slot"]]
            i = order["instrument_idx"]
            head = engine.books.heads[2 * i]
            before2 = engine.feeds[i]["mid2"]
            # The venue's mid at the fill, for markouts; the message's spare field carries it.
            message["deadline_ns"] = before2 if before2 != 0 else head["bid"] + head["ask"]
            note(
                engine,
                _FILL_STEP,
                message["exch_ns"],
                order["strategy_idx"],
                i,
                message["order_id"],
                message["liquidity"],
                order["side"],
                message["price"],
                message["qty"],
                0,
                message["fill_id"],
                0,
            )
    for i in range(clock["listened"]):
        engine.feeds[i]["mid2"] = 0


@kernel(inline=True)
def receive(engine: Engine) -> int:
    """The oldest answer of the venue reaches us; returns the strategy it concerns, -1 for none.

    Mutates: engine.
    """
    venue = engine.venue
    queue = venue.queues[1]
    message = venue.responses[pop(venue.responses, queue)]
    slot = message["slot"]
    order = engine.gw.orders[slot]
    kind = message["kind"]
    ts = message["ts_ns"]
    told = message["cmd_id"] < 0
    if order["order_id"] != message["order_id"] or told:
        # A second answer, or one about an order that has ended: journaled, never applied.
        note(engine, _RESPONSE, ts, -1, -1, message["order_id"], kind, 0, 0, 0, 1, 0, 0)
        return -1
    strategy = order["strategy_idx"]
    i = order["instrument_idx"]
    side = order["side"]
    fee = 0
    if kind == _FILL:
        fee = _book_fill(engine, order, message)
    else:
        _book_answer(engine, slot, kind, message)
    note(
        engine,
        _RESPONSE,
        ts,
        strategy,
        i,
        message["order_id"],
        kind,
        side,
        message["price"],
        message["qty"],
        message["liquidity"],
        message["fill_id"],
        fee,
    )
    return strategy


@kernel(inline=True)
def _book_answer(engine: Engine, slot: int, kind: int, message: np.ndarray) -> None:
    gw = engine.gw
    ts = message["ts_ns"]
    if kind == _ACK:
        on_ack(gw, slot, ts)
    elif kind == _CANCELLED:
        on_done(gw, slot, _S_CANCELLED, ts)
    elif kind == _EXPIRED:
        on_done(gw, slot, _S_EXPIRED, ts)
    elif kind == _REJECTED:
        on_done(gw, slot, _S_FAILED, ts)
    elif kind == _CANCEL_REJECTED:
        on_cancel_rejected(gw, slot, ts)
    elif kind == _AMENDED:
        # The venue says what is open; every fill before this answer has been booked.
        total = gw.orders[slot]["filled_qty"] + message["qty"]
        on_amended(gw, slot, message["price"], total, ts)
    elif kind == _AMEND_REJECTED:
        on_amend_rejected(gw, slot, ts)
    elif kind == _LOST:
        on_unknown(gw, slot, ts)


@kernel(inline=True)
def _book_fill(engine: Engine, order: np.ndarray, message: np.ndarray) -> int:
    """Position, profit, fee and exposure of one fill, in the same step. Returns: the fee."""
    clock = engine.clock[0]
    s = order["strategy_idx"]
    i = order["instrument_idx"]
    side = order["side"]
    price = message["price"]
    qty = message["qty"]
    ts = message["ts_ns"]
    instrument = engine.instruments[i]
    position = engine.positions[s * len(engine.touch) + i]
    taker = message["liquidity"] == _TAKER
    fee = fee_money(instrument, price, qty, taker, order["filled_qty"] == 0)
    realized = apply_fill(position, instrument, side, price, qty, fee)
    if clock["record"] > 0:
        row = engine.fills[clock["fills_len"]]
        clock["fills_len"] += 1
        row["fill_id"] = message["fill_id"]
        row["order_id"] = message["order_id"]
        row["cmd_id"] = order["cmd_id"]
        row["account_idx"] = order["account_idx"]
        row["strategy_idx"] = s
        row["instrument_idx"] = i
        row["side"] = side
        row["price"] = price
        row["qty"] = qty
        row["fee_money"] = fee
        row["realized_money"] = realized
        row["liquidity"] = message["liquidity"]
        row["exch_ts_ns"] = message["exch_ns"]
        row["local_ts_ns"] = ts
        row["mid2"] = message["deadline_ns"]
        row["position_qty"] = position["qty"]
    on_fill(engine.gw, message["slot"], price, qty, ts)
    touch = engine.touch[i]
    # Without a mid the fill's own price is the newest there is; what was marked before was another
    # position.
    mid2 = touch["bid_tick"] + touch["ask_tick"] if touch["valid"] != 0 else 2 * price
    mark(position, instrument, mid2)
    feed_pnl(engine, s, ts)
    return fee


@kernel
def feed_pnl(engine: Engine, s: int, now_ns: int) -> None:
    """Tell the gateway what the strategy has made so far. Mutates: engine.gw."""
    out_of_line()
    instruments = len(engine.touch)
    total = 0
    for i in range(engine.clock[0]["listened"]):
        row = engine.positions[s * instruments + i]
        total += row["realized_money"] + row["marked_money"] - row["fees_money"]
    on_pnl(engine.gw, s, total, now_ns)
