"""A journal decided again: the same intents, answers and market under this gateway's limits.

The engine's ring of steps is read, not written: Python fills it with journal rows, and each
DECISION comes back with what this gateway says. What the venue answered is booked as it was. An
intent that passes here and was refused there has no known outcome: it is decided and given back at
once. One that is refused here and was approved there never was: its answers are passed over, also
those to an amend, and an order is never filled beyond what it holds here.
"""

from typing import Any

from hft.core.codes import Reason, ResponseKind, StepKind
from hft.core.dtypes import Row
from hft.core.jit import kernel, passed, seldom
from hft.gateway.control import control
from hft.gateway.events import find_order, on_dispatch_failed
from hft.gateway.pipeline import decide
from hft.gateway.rows import ONE_AMEND
from hft.gateway.tables import enter
from hft.gateway.trips import blank
from hft.replay.faults import feed_silent, turns_out
from hft.replay.rows import view_to
from hft.replay.state import STATUS_DONE, Engine
from hft.trading.answers import receive
from hft.trading.profit import mark_held, watch
from hft.trading.state import Wiring

_WAKE = StepKind.WAKE.value
_DECISION = StepKind.DECISION.value
_RESPONSE = StepKind.RESPONSE.value
_CONTROL = StepKind.CONTROL.value
_FAULT = StepKind.FAULT.value
_ACK = ResponseKind.ACK.value
_FILL = ResponseKind.FILL.value
_AMENDED = ResponseKind.AMENDED.value
_AMEND_REJECTED = ResponseKind.AMEND_REJECTED.value
_OK = Reason.OK.value
_FIRST_DISPATCH = Reason.NOT_LEADER.value
_LAST_DISPATCH = Reason.INTERNAL_ERROR.value


@kernel
def redecide(engine: Engine) -> int:
    """Decide the DECISION rows of engine.steps again, in place. Mutates: engine but its venue."""
    seldom()
    count = engine.clock[0]["steps_len"]
    watched = -1
    for k in range(count):
        step = engine.steps[k]
        kind = step["kind"]
        if kind == _WAKE:
            if k != watched:
                _look(engine, step)
        elif kind == _DECISION:
            # Orders of the gateway's own, of a trip, stand before the wake-up that they belong to.
            ahead = _wake_of(engine, k, count)
            if ahead >= 0 and ahead != watched:
                _look(engine, engine.steps[ahead])
                watched = ahead
            _decide(engine, step)
        elif kind == _RESPONSE:
            if step["ignored"] == 0:
                _book(engine, step)
        elif kind == _FAULT:
            slot = find_order(enter(engine.trading.gw), step["order_id"])
            if slot >= 0:
                turns_out(engine, slot, step["code"] == _ACK, step["ts_ns"])
        elif kind == _CONTROL:
            gw = enter(engine.trading.gw)
            control(gw, step["code"], step["target"], step["value"], step["ts_ns"])
    return STATUS_DONE


@kernel
def _wake_of(engine: Engine, k: int, count: int) -> int:
    """The wake-up at whose beginning decision `k` was made; -1: it is of the wake-up before it."""
    ts = engine.steps[k]["ts_ns"]
    for before in range(k - 1, -1, -1):
        row = engine.steps[before]
        if row["ts_ns"] != ts:
            break
        if row["kind"] == _WAKE:
            return -1
    for after in range(k + 1, count):
        row = engine.steps[after]
        if row["ts_ns"] != ts:
            break
        if row["kind"] == _WAKE:
            return after
    return -1


@kernel
def _look(engine: Engine, wake: Row) -> None:
    """What a wake-up does before its strategy acts: the view, marks, the market watch."""
    now_ns = wake["ts_ns"]
    trading = engine.trading
    silent = engine.clock[0]["faulty"] != 0 and feed_silent(engine, now_ns)
    marked = False
    for i in range(trading.head[0]["listened"]):
        if not silent:
            view_to(engine, i, now_ns)
        marked |= mark_held(trading, wake["strategy_idx"], i)
    watch(trading, wake["strategy_idx"], marked, now_ns)
    gw = trading.gw.head[0]
    gw["alerts_taken"] = gw["alerts"]


@kernel
def _decide(engine: Engine, step: Row) -> None:
    """One decision again. Mutates: engine.trading.gw, step."""
    trading = engine.trading
    gw = trading.gw
    now_ns = step["ts_ns"]
    intent = trading.own[0]
    blank(intent, step["order_id"], step["intent_type"], now_ns)
    intent["target_id"] = step["target_id"]
    intent["strategy_idx"] = step["strategy_idx"]
    intent["account_idx"] = 0
    intent["instrument_idx"] = step["instrument_idx"]
    intent["side"] = step["side"]
    intent["price"] = step["price"]
    intent["qty"] = step["qty"]
    intent["tif"] = step["tif"]
    intent["order_type"] = step["order_type"]
    i = max(0, min(step["instrument_idx"], len(trading.touch) - 1))
    reason = decide(enter(gw), intent, trading.touch[i], now_ns)
    gw.head[0]["cancel_count"] = 0
    was = step["code"]
    decision = gw.decision[0]
    if reason == _OK and was != _OK:
        on_dispatch_failed(enter(gw), decision["slot"], _FIRST_DISPATCH)
        if _FIRST_DISPATCH <= was <= _LAST_DISPATCH:
            return  # no limit refused it there, and no limit lets it pass here
    step["code"] = reason
    step["measured"] = decision["measured"]
    step["limit"] = decision["limit"]


@kernel
def _book(engine: Engine, step: Row) -> None:
    """One answer as it was, if the order is one of this gateway's, too."""
    trading = engine.trading
    slot = find_order(enter(trading.gw), step["order_id"])
    if slot < 0:
        return
    gw = trading.gw
    kind = step["code"]
    qty = step["qty"]
    amends = gw.holds[slot]["in_flight"] >= ONE_AMEND
    if (kind == _AMENDED or kind == _AMEND_REJECTED) and not amends:
        return
    if kind == _FILL:
        qty = min(qty, gw.orders[slot]["held_qty"])
    answer = engine.venue.responses[0]
    answer["ts_ns"] = step["ts_ns"]
    answer["kind"] = kind
    answer["slot"] = slot
    answer["order_id"] = step["order_id"]
    answer["price"] = step["price"]
    answer["qty"] = qty
    answer["liquidity"] = step["liquidity"]
    answer["fill_id"] = step["fill_id"]
    answer["acted_ns"] = step["ts_ns"]
    answer["mid2"] = 0
    answer["copy"] = 0
    receive(trading, Wiring(engine, _sent(), _silent()), answer)


@kernel(inline=True)
def _no_send(engine: Any, order: Any, decision: Any, kind: int, reduces: bool, now_ns: int) -> int:
    return _OK


@kernel(inline=True)
def _no_note(engine: Any, step: Row) -> None:
    pass


_sent = passed(_no_send)
_silent = passed(_no_note)
