"""Between us and the simulated venue: commands leave, arrive, and what it did is told.

The wiring of `trading` to the venue's two queues; its half of an order's way is there, the venue's
in `venue.arrivals`.
"""

from typing import Any

import numpy as np

from hft.core.codes import IntentType, LatencyLeg, Reason, ResponseKind, StepKind
from hft.core.jit import kernel, out_of_line, passed, seldom
from hft.market.book import NO_ASK
from hft.replay.faults import refuses, spoil_answer
from hft.replay.state import Engine
from hft.replay.tick import note
from hft.trading.answers import receive as book
from hft.trading.state import Wiring
from hft.trading.steps import new_step, step_row
from hft.venue.answers import needs_room
from hft.venue.arrivals import arrives
from hft.venue.latency import leg_ns
from hft.venue.state import pop, push

_AMEND = IntentType.AMEND.value
_CANCEL = IntentType.CANCEL.value
_OK = Reason.OK.value
_QUEUE_FULL = Reason.ORDER_QUEUE_FULL.value
_DEADLINE = Reason.COMMAND_DEADLINE.value
_ARRIVAL = StepKind.ARRIVAL.value
_FILL_STEP = StepKind.FILL.value
_FILL = ResponseKind.FILL.value
FAR = NO_ASK >> 1


@kernel(inline=True)
def send(
    engine: Engine, order: np.ndarray, decision: np.ndarray, kind: int, reduces: bool, now_ns: int
) -> int:
    """Put an approved command into the venue's queue. Mutates: engine.venue. Returns: a `Reason`.

    The last places of the queue are kept for getting out. A command whose decision takes longer
    than its deadline is not sent.
    """
    venue = engine.venue
    queue = venue.queues[0]
    if queue["last"] - queue["first"] >= queue["room"] and _is_full(engine, decision, reduces):
        return _QUEUE_FULL
    latency_ns = engine.trading.gw.head[0]["latency_ns"]
    if 0 < decision["deadline_ns"] < now_ns + latency_ns:
        decision["measured"] = latency_ns
        decision["limit"] = decision["deadline_ns"] - now_ns
        return _DEADLINE
    leg = LatencyLeg.ENTRY.value
    if kind == _AMEND:
        leg = LatencyLeg.AMEND.value
    elif kind == _CANCEL:
        leg = LatencyLeg.CANCEL.value
    arrives_ns = now_ns + latency_ns + leg_ns(venue, leg, now_ns)
    message = venue.commands[push(venue.commands, queue, venue.head[0], arrives_ns)]
    message["kind"] = kind
    message["slot"] = decision["slot"]
    message["order_id"] = order["order_id"]
    message["strategy_idx"] = order["strategy_idx"]
    message["instrument_idx"] = order["instrument_idx"]
    message["side"] = order["side"]
    message["price"] = decision["price"]
    message["qty"] = decision["qty"]
    message["cmd_id"] = decision["cmd_id"]
    message["sent_ns"] = now_ns
    message["deadline_ns"] = decision["deadline_ns"]
    return _OK


@kernel
def _is_full(engine: Engine, decision: np.ndarray, reduces: bool) -> bool:
    """Is there no place for the approved command? Mutates: decision when there is none."""
    seldom()
    queue = engine.venue.queues[0]
    room = queue["mask"] + 1 if reduces else queue["room"]
    count = queue["last"] - queue["first"]
    if count < room:
        return False
    decision["measured"] = count + 1
    decision["limit"] = room
    return True


_send = passed(send)
_note = passed(note)


@kernel(inline=True)
def wiring(engine: Engine) -> Any:
    """Trading, wired to this replay's venue and journal."""
    return Wiring(engine, _send(), _note())


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
    up = engine.clock[0]["faulty"] == 0 or not refuses(engine, message["kind"], ts)
    orders = engine.trading.gw.orders
    arrives(venue, engine.books, engine.books.heads[2 * i], orders, message, up)
    step = new_step(step_row(), _ARRIVAL, ts)
    step["strategy_idx"] = message["strategy_idx"]
    step["instrument_idx"] = i
    step["order_id"] = message["order_id"]
    step["code"] = message["kind"]
    step["side"] = message["side"]
    step["price"] = message["price"]
    step["qty"] = message["qty"]
    step["cmd_id"] = message["cmd_id"]
    note(engine, step)
    note_answers(engine)


@kernel
def note_answers(engine: Engine) -> None:
    """Journal what the venue did since last time, in its own time. Mutates: engine."""
    queue = engine.venue.queues[1]
    while queue["told"] < queue["last"]:
        position = queue["told"]
        message = engine.venue.responses[position & queue["mask"]]
        queue["told"] = position + 1
        if message["copy"] != 0:
            continue
        if engine.clock[0]["faulty"] != 0:
            spoil_answer(engine, position)
        if message["kind"] == _FILL:
            order = engine.trading.gw.orders[message["slot"]]
            i = order["instrument_idx"]
            head = engine.books.heads[2 * i]
            before2 = engine.feeds[i]["mid2"]
            mid2 = before2 if before2 != 0 else head["bid"] + head["ask"]
            # A side without a quote stands far outside every price; then there is no mid.
            message["mid2"] = mid2 if 0 < mid2 < FAR else 0
            step = new_step(step_row(), _FILL_STEP, message["acted_ns"])
            step["strategy_idx"] = order["strategy_idx"]
            step["instrument_idx"] = i
            step["order_id"] = message["order_id"]
            step["code"] = _FILL
            step["side"] = order["side"]
            step["price"] = message["price"]
            step["qty"] = message["qty"]
            step["liquidity"] = message["liquidity"]
            step["fill_id"] = message["fill_id"]
            note(engine, step)
    for i in range(engine.trading.head[0]["listened"]):
        engine.feeds[i]["mid2"] = 0
    if needs_room(engine.venue):
        engine.clock[0]["pause_step"] = 0  # before the next thing Python enlarges the ring


@kernel(inline=True)
def receive(engine: Engine) -> int:
    """The oldest answer of the venue reaches us; returns the strategy it concerns, -1 for none.

    Mutates: engine.
    """
    venue = engine.venue
    message = venue.responses[pop(venue.responses, venue.queues[1])]
    return book(engine.trading, wiring(engine), message)
