"""The compiled loop: what is next, in total order, until there is nothing left.

Ties in time go: control input, answer to us, tape row at the venue, command at the venue, order
expiry, wake-up. So a cancel sent at t does not see a fill at t, and a strategy that wakes at t has
seen every row and answer of t. The delayed view is brought up to date when somebody looks at it;
only strategies that wake on trades or book changes put its rows into the calendar. A strategy is a
function pointer, so the engine is compiled once and loaded from the cache for every strategy.
"""

from typing import Any

from numba import types

from hft.core.codes import ControlKind, ResponseKind, StepKind, WakeCause
from hft.core.jit import kernel, out_of_line, seldom
from hft.gateway.control import control
from hft.gateway.tables import enter
from hft.replay.faults import feed_silent, heard_ns, reconcile
from hft.replay.hours import turn
from hft.replay.lives import live
from hft.replay.messages import arrive, note_answers, receive, wiring
from hft.replay.redecide import redecide
from hft.replay.rows import view_to
from hft.replay.sample import sample_equity, sample_series
from hft.replay.span import begin, finish, nothing_left
from hft.replay.state import (
    CHECKPOINT_STEPS,
    EQUITY_MAX,
    FILLS_MAX,
    HORIZON,
    PAUSE_STEPS,
    PHASE_AWAKE,
    PHASE_DONE,
    PHASE_REDECIDE,
    PHASE_RUN,
    SERIES_MAX,
    STATUS_DEFECT,
    STATUS_DONE,
    STATUS_FLUSH,
    STATUS_HORIZON,
    STATUS_LIMITS,
    STATUS_ROOM,
    STATUS_STEP,
    STATUS_WAKE,
    STATUS_YIELD,
    STEPS_MAX,
    Engine,
)
from hft.replay.tick import checkpoint, note, note_wake
from hft.replay.venue_rows import venue_span
from hft.strategies.context import INTENTS_MAX
from hft.trading.orders import submit, take_trips
from hft.trading.profit import mark_held, watch
from hft.trading.steps import new_step, note_guards, step_row
from hft.venue.answers import needs_room
from hft.venue.arrivals import has_room
from hft.venue.expiry import expire_due
from hft.venue.state import FOREVER

ON_WAKE = types.FunctionType(types.int64(types.int64, types.int64))

_CONTROL = StepKind.CONTROL.value
_LIMITS = ControlKind.LIMITS.value
_TIMER = WakeCause.TIMER.value
_ON_FILL = WakeCause.FILL.value
_ON_ORDER = WakeCause.ORDER.value
_ON_TRADE = WakeCause.TRADE.value
_ON_BOOK = WakeCause.BOOK.value
_ON_STATUS = WakeCause.STATUS.value
_FILL = ResponseKind.FILL.value
# Between two pauses a step writes at most one row to each ring. What one item adds beyond that, and
# the rows of a sample of equity, have room of their own behind the rings (`replay.build`).
_MARGIN = PAUSE_STEPS + 4 * INTENTS_MAX


@kernel
def next_feed(engine: Engine) -> int:
    """The instrument whose next venue row is first; ties go to the lower index."""
    out_of_line()
    best = 0
    for i in range(1, len(engine.feeds)):
        if engine.feeds[i]["venue_ns"] < engine.feeds[best]["venue_ns"]:
            best = i
    return best


@kernel
def other_feed_ns(engine: Engine, skip: int) -> int:
    """Until when instrument `skip` may run alone: the next row of any other, by rank at a tie."""
    out_of_line()
    other = 1 if skip == 0 else 0
    for i in range(other + 1, len(engine.feeds)):
        if i != skip and engine.feeds[i]["venue_ns"] < engine.feeds[other]["venue_ns"]:
            other = i
    # The lowest index among the soonest is the one that goes first at a tie.
    ts = engine.feeds[other]["venue_ns"]
    return ts - 1 if other < skip else ts


@kernel
def next_view_ns(engine: Engine) -> int:
    """When the next row of a listened instrument reaches us."""
    out_of_line()
    best = 0
    for i in range(1, engine.trading.head[0]["listened"]):
        if engine.feeds[i]["view_ns"] < engine.feeds[best]["view_ns"]:
            best = i
    return heard_ns(engine, engine.feeds[best]["view_ns"])


@kernel
def next_timer(engine: Engine) -> int:
    """The strategy whose timer is first; ties go to the lower index."""
    out_of_line()
    best = 0
    for s in range(1, len(engine.strategies)):
        if engine.strategies[s]["next_ns"] < engine.strategies[best]["next_ns"]:
            best = s
    return best


@kernel
def rings_full(engine: Engine) -> bool:
    """Must the records be written out before the next item?"""
    clock = engine.clock[0]
    return (
        clock["steps_len"] > STEPS_MAX - _MARGIN
        or engine.trading.head[0]["fills_len"] > FILLS_MAX - _MARGIN
        or clock["series_len"] > SERIES_MAX - _MARGIN
        or clock["equity_len"] > EQUITY_MAX - _MARGIN
    )


@kernel
def pause(engine: Engine) -> int:
    """What is due between two items, once in a while: -1 to go on, else a STATUS_*.

    Sets the step of the next pause, so that a ring cannot fill up before it. Mutates: engine.
    """
    seldom()
    clock = engine.clock[0]
    if engine.venue.head[0]["overflow"] != 0:
        return STATUS_DEFECT
    if rings_full(engine):
        return STATUS_FLUSH
    if needs_room(engine.venue):
        return STATUS_ROOM
    if clock["step"] >= clock["checkpoint_step"]:
        checkpoint(engine)
        clock["checkpoint_step"] += CHECKPOINT_STEPS
    if clock["stop_at_step"] != 0 and clock["step"] >= clock["stop_at_step"]:
        return STATUS_STEP
    clock["pause_step"] = min(clock["checkpoint_step"], clock["step"] + PAUSE_STEPS)
    if clock["stop_at_step"] != 0:
        clock["pause_step"] = min(clock["pause_step"], clock["stop_at_step"])
    return -1


@kernel(inline=True)
def wake(engine: Engine, s: int, cause: int, on_wake: Any) -> bool:
    """Wake strategy `s` now; False when the engine must come back to Python for it.

    Mutates: engine.
    """
    clock = engine.clock[0]
    now_ns = clock["now_ns"]
    strategy = engine.strategies[s]
    trading = engine.trading
    silent = marked = False
    if clock["faulty"] != 0:
        silent = feed_silent(engine, now_ns)
        reconcile(engine, now_ns)
    for i in range(trading.head[0]["listened"]):
        if not silent:
            view_to(engine, i, now_ns)
        if now_ns >= trading.touch[i]["turn_ns"]:
            turn(engine, i, now_ns)
        marked |= mark_held(trading, s, i)
    watch(trading, s, marked, now_ns)
    note_guards(trading, wiring(engine))
    if trading.gw.head[0]["actions"] > 0:
        take_trips(trading, wiring(engine), now_ns)
    context = engine.contexts[s]
    context["now_ns"] = now_ns
    context["wake"] = cause
    context["intents"] = 0
    context["intents_lost"] = 0
    clock["wakes"] += 1
    strategy["woken"] += 1
    clock["strategy"] = s
    if clock["stop_at_wake"] != 0:
        clock["wake_cause"] = cause
        clock["phase"] = PHASE_AWAKE
        return False
    on_wake(s, engine.context_at[s])
    after_wake(engine, s, cause)
    return True


@kernel(inline=True)
def after_wake(engine: Engine, s: int, cause: int) -> None:
    """Journal the wake-up and send what the strategy wrote through the gateway. Mutates: engine."""
    clock = engine.clock[0]
    context = engine.contexts[s]
    now_ns = clock["now_ns"]
    count = context["intents"]
    note_wake(engine, s, now_ns, cause, count, context["intents_lost"])
    instruments = len(engine.trading.touch)
    for i in range(engine.trading.head[0]["listened"]):
        engine.traded[s * instruments + i] = engine.trading.touch[i]["traded_lots"]
    if count > 0:
        clock["lost_intents"] += context["intents_lost"]
        for k in range(count):
            submit(engine.trading, wiring(engine), engine.intents[k], now_ns)
    if clock["record"] > 0:
        if now_ns >= clock["equity_next_ns"]:
            sample_equity(engine, now_ns)
        if clock["record"] > 1 and engine.strategies[s]["tracked"] > 0:
            sample_series(engine, s, now_ns)


@kernel
def note_events(engine: Engine, now_ns: int) -> None:
    """Rows have reached us that somebody may want to wake for. Mutates: engine."""
    out_of_line()
    seen = 0
    for i in range(engine.trading.head[0]["listened"]):
        seen |= view_to(engine, i, now_ns)
    cause = _ON_TRADE
    if seen & 4 != 0:
        cause = _ON_STATUS
    elif seen & 2 == 0:
        cause = _ON_BOOK
    wanted = (1 << _ON_BOOK) * (seen & 1) + (1 << _ON_TRADE) * ((seen >> 1) & 1)
    wanted += (1 << _ON_STATUS) * ((seen >> 2) & 1)
    for s in range(len(engine.strategies)):
        if engine.strategies[s]["wakes_on"] & wanted != 0:
            engine.strategies[s]["events"] = cause + 1


@kernel(inline=True)
def run_pending(engine: Engine, on_wake: Any) -> bool:
    """Wake every strategy that has an event pending, in order. Mutates: engine."""
    for s in range(len(engine.strategies)):
        strategy = engine.strategies[s]
        cause = strategy["events"]
        if cause > 0:
            strategy["events"] = 0
            if not wake(engine, s, cause - 1, on_wake):
                return False
    return True


@kernel
def run_control(engine: Engine, now_ns: int) -> int:
    """Apply the next control input, unless a paced run stops before it. Mutates: engine.

    Returns: a STATUS_* when Python is needed, else -1.
    """
    seldom()
    clock = engine.clock[0]
    row = engine.controls[clock["control"]]
    if row["kind"] == HORIZON or row["ts_ns"] > now_ns:
        return STATUS_HORIZON
    clock["control"] += 1
    clock["now_ns"] = row["ts_ns"]
    kind, code, value = row["kind"], row["code"], row["value"]
    trading = engine.trading
    step = new_step(step_row(), _CONTROL, row["ts_ns"])
    step["code"] = kind
    step["target"] = code
    step["value"] = value
    note(engine, step)
    control(enter(trading.gw), kind, code, value, row["ts_ns"])
    note_guards(trading, wiring(engine))
    live(engine, kind, code, value, row["ts_ns"])
    return STATUS_LIMITS if kind == _LIMITS else -1


@kernel
def note_answer(engine: Engine) -> bool:
    """An answer of the venue reaches us; true when its strategy wants to wake. Mutates: engine."""
    out_of_line()
    queue = engine.venue.queues[1]
    kind = engine.venue.responses[queue["first"] & queue["mask"]]["kind"]
    s = receive(engine)
    if s < 0:
        return False
    cause = _ON_FILL if kind == _FILL else _ON_ORDER
    strategy = engine.strategies[s]
    if (strategy["wakes_on"] >> cause) & 1 == 0:
        return False
    strategy["events"] = cause + 1
    return True


@kernel(inline=True)
def arrival_fits(engine: Engine) -> bool:
    """Has the ring of answers room for all that the next command may be answered?"""
    venue = engine.venue
    queue = venue.queues[0]
    message = venue.commands[queue["first"] & queue["mask"]]
    book = engine.books.heads[2 * message["instrument_idx"]]
    return has_room(venue, engine.books, book, engine.trading.gw.orders, message)


@kernel
def advance(engine: Engine, on_wake: Any) -> int:
    """Run until done or until Python is needed. Mutates: engine. Returns: a STATUS_*."""
    clock = engine.clock[0]
    if clock["phase"] == PHASE_DONE:
        return STATUS_DONE
    if clock["phase"] == PHASE_REDECIDE:
        return redecide(engine)
    if clock["begin_ns"] != 0:
        begin(engine)
    pending = clock["phase"] == PHASE_AWAKE
    if pending:
        after_wake(engine, clock["strategy"], clock["wake_cause"])
        clock["phase"] = PHASE_RUN
    yield_at = clock["rows"] + clock["yield_rows"]
    commands, answers = engine.venue.queues[0], engine.venue.queues[1]
    alone, several = len(engine.feeds) == 1, len(engine.strategies) > 1
    events_on, holds = clock["events_on"] != 0, clock["holds"] != 0
    control_ns = engine.controls[clock["control"]]["ts_ns"]
    view_ns = FOREVER
    i = s = 0
    while True:
        if pending:
            if not run_pending(engine, on_wake):
                return STATUS_WAKE
            pending = False
        if clock["step"] >= clock["pause_step"]:
            status = pause(engine)
            if status >= 0:
                return status
        answer_ns = answers["next_ns"]
        command_ns = commands["next_ns"]
        if several:
            s = next_timer(engine)
        timer_ns = engine.strategies[s]["next_ns"]
        if events_on:
            view_ns = next_view_ns(engine)
        expiry_ns = engine.venue.head[0]["next_expiry_ns"]
        if not alone:
            i = next_feed(engine)
        row_ns = engine.feeds[i]["venue_ns"]
        later_ns = min(min(command_ns, expiry_ns), min(timer_ns, view_ns))
        stop_ns = control_ns
        if holds and commands["told"] <= commands["first"]:
            stop_ns = min(stop_ns, command_ns)
        until_ns = min(later_ns, min(answer_ns - 1, stop_ns - 1))
        if row_ns <= until_ns:
            if not alone:
                until_ns = min(until_ns, other_feed_ns(engine, i))
            venue_span(engine, i, until_ns)
            quiet = answers["told"] == answers["last"]
            if not quiet:
                note_answers(engine)
            if clock["rows"] >= yield_at:
                return STATUS_YIELD
            # Rows that told us nothing leave the rest of the calendar as it stands.
            if not (alone and quiet):
                continue
            if engine.feeds[0]["venue_ns"] <= until_ns:
                continue
        if stop_ns <= answer_ns and stop_ns <= later_ns:
            if stop_ns == FOREVER:
                break
            status = run_control(engine, stop_ns)
            if status >= 0:
                return status
            control_ns = engine.controls[clock["control"]]["ts_ns"]
        elif answer_ns <= later_ns:
            clock["now_ns"] = answer_ns
            pending = note_answer(engine)
        elif command_ns <= later_ns:
            if not arrival_fits(engine):
                return STATUS_ROOM
            clock["now_ns"] = command_ns
            arrive(engine)
        elif expiry_ns <= later_ns:
            expire_due(engine.venue, expiry_ns)
            note_answers(engine)
        elif view_ns <= timer_ns:
            clock["now_ns"] = view_ns
            note_events(engine, view_ns)
            pending = True
        else:
            if engine.feeds[i]["venue_ns"] == FOREVER and nothing_left(engine, timer_ns):
                break
            clock["now_ns"] = timer_ns
            strategy = engine.strategies[s]
            strategy["next_ns"] += strategy["every_ns"]
            strategy["events"] = _TIMER + 1
            pending = True
    finish(engine)
    return STATUS_DONE
