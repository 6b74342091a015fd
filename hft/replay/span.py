"""Where a replay begins and where it ends: the first view, and the last mark of what we hold."""

from hft.core.jit import kernel, seldom
from hft.portfolio.positions import mark
from hft.replay.rows import view_to
from hft.replay.sample import sample_equity
from hft.replay.state import PHASE_DONE, Engine
from hft.replay.tick import checkpoint, note_wake
from hft.venue.state import FOREVER


@kernel
def begin(engine: Engine) -> None:
    """The view as it stands when the replay starts: what is told before is history, no news.

    Mutates: engine.
    """
    seldom()
    clock, trading = engine.clock[0], engine.trading
    instruments = len(trading.touch)
    for i in range(trading.head[0]["listened"]):
        view_to(engine, i, clock["begin_ns"])
        for s in range(clock["strategies"]):
            engine.traded[s * instruments + i] = trading.touch[i]["traded_lots"]
    clock["begin_ns"] = 0


@kernel
def nothing_left(engine: Engine, now_ns: int) -> bool:
    """Is there no row after `now_ns` and no message on its way? Timers alone keep no run alive."""
    seldom()
    for i in range(len(engine.feeds)):
        if engine.feeds[i]["venue_ns"] != FOREVER:
            return False
    queues = engine.venue.queues
    if queues[0]["first"] != queues[0]["last"] or queues[1]["first"] != queues[1]["last"]:
        return False
    for i in range(engine.trading.head[0]["listened"]):
        view_to(engine, i, now_ns)
        if engine.feeds[i]["view_ns"] != FOREVER:
            return False
    return True


@kernel
def finish(engine: Engine) -> None:
    """The end of the tapes: all that we hold is marked by the last touch, at the last row's time.

    Mutates: engine.
    """
    seldom()
    clock, trading = engine.clock[0], engine.trading
    instruments = len(trading.touch)
    for i in range(trading.head[0]["listened"]):
        view_to(engine, i, FOREVER - 1)
        clock["now_ns"] = max(clock["now_ns"], trading.touch[i]["ts_ns"])
    for s in range(clock["strategies"]):
        engine.contexts[s]["now_ns"] = clock["now_ns"]
    for i in range(trading.head[0]["listened"]):
        touch = trading.touch[i]
        for s in range(clock["strategies"]):
            position = trading.positions[s * instruments + i]
            if position["qty"] != 0 and touch["valid"] != 0:
                mid2 = touch["bid_tick"] + touch["ask_tick"]
                mark(position, trading.instruments[i], mid2)
    clock["phase"] = PHASE_DONE
    note_wake(engine, 0, clock["now_ns"], 0, 0, 0)
    checkpoint(engine)
    # Also where a sample of this time stands: what was answered at once came after it.
    if clock["record"] > 0:
        sample_equity(engine, clock["now_ns"])
