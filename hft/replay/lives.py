"""The life of our process as a replay has it: it is told to stop, it dies, it is back; and of an
alpha, which ends when its promotion does.

The market knows nothing of it. A live gateway that was killed and started again is so a function of
its inputs, and its replay comes to the same decisions.
"""

from hft.core.codes import ControlKind
from hft.core.jit import kernel, seldom
from hft.gateway.breaker import row_of
from hft.gateway.rows import KillScope
from hft.replay.glances import keep_all_up
from hft.replay.messages import wiring
from hft.replay.state import Engine
from hft.trading.orders import cancel_working
from hft.venue.state import FOREVER

_PROMOTION = ControlKind.PROMOTION.value
_DOWN = ControlKind.DOWN.value
_STOP = ControlKind.STOP.value
_END = ControlKind.END.value
_STRATEGY = KillScope.STRATEGY.value


@kernel
def live(engine: Engine, kind: int, code: int, value: int, now_ns: int) -> None:
    """What an input says of our process or of an alpha, if anything. Mutates: engine."""
    seldom()
    if kind == _DOWN:
        go_down(engine, value)
    elif kind == _STOP:
        cancel_working(engine.trading, wiring(engine), 0, now_ns)
    elif kind == _PROMOTION:
        silence(engine, code, value, now_ns)
    elif kind == _END:
        end(engine, now_ns)


@kernel
def silence(engine: Engine, code: int, value: int, now_ns: int) -> None:
    """An alpha whose promotion has no weight any more has its working orders cancelled.

    Mutates: engine.
    """
    seldom()
    gw = engine.trading.gw
    config = gw.config[0]
    if value > 0 or not 0 <= code < config["n_strategies"]:
        return
    if config["require_promotion"] != 0 and gw.strategies[code]["bound"] != 0:
        scope = row_of(config, _STRATEGY, code)
        cancel_working(engine.trading, wiring(engine), scope, now_ns)


@kernel
def go_down(engine: Engine, until_ns: int) -> None:
    """Our process is dead until `until_ns`, and the market goes on: nothing reaches us, nobody
    wakes. Mutates: engine.

    Commands that had left still arrive, and orders at the venue rest, fill and expire; what it
    answers waits, as do the rows of the tape.
    """
    seldom()
    fault = engine.faults[0]
    keep_all_up(engine)  # when we look next is no longer what the timers said
    fault["dead_until_ns"] = max(fault["dead_until_ns"], until_ns)
    queue = engine.venue.queues[1]
    for position in range(queue["first"], queue["last"]):
        row = engine.venue.responses[position & queue["mask"]]
        row["ts_ns"] = max(row["ts_ns"], until_ns)
    if queue["first"] != queue["last"]:
        queue["next_ns"] = max(queue["next_ns"], until_ns)
    queue["last_ns"] = max(queue["last_ns"], until_ns)
    for s in range(len(engine.strategies)):
        strategy = engine.strategies[s]
        every_ns = strategy["every_ns"]
        if every_ns > 0 and strategy["next_ns"] < until_ns:
            missed = (until_ns - strategy["next_ns"] + every_ns - 1) // every_ns
            strategy["next_ns"] += missed * every_ns


@kernel
def end(engine: Engine, now_ns: int) -> None:
    """No row and no input after `now_ns`; what is on its way still arrives. Mutates: engine."""
    seldom()
    keep_all_up(engine)
    clock = engine.clock[0]
    clock["end_ns"] = min(clock["end_ns"], now_ns)
    for i in range(len(engine.feeds)):
        feed = engine.feeds[i]
        if feed["venue_ns"] > now_ns:
            feed["venue_ns"] = FOREVER
        if feed["view_ns"] > now_ns:
            feed["view_ns"] = FOREVER
    for later in range(clock["control"], len(engine.controls)):
        engine.controls[later]["ts_ns"] = FOREVER
