"""Drive an engine to its end: hand its records to a sink, call Python strategies, seal the digest."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from hft.core import digest
from hft.core.errors import InvariantError, StrategyError
from hft.core.jit import array_at
from hft.replay import state as st
from hft.replay.build import Session
from hft.replay.compiled import loop, no_pointer
from hft.strategies.base import pointer
from hft.strategies.callback import object_waker, plain_waker
from hft.strategies.context import LOGS_MAX


class Sink(Protocol):
    """Where a run's records go; called many times with views that are reused afterwards."""

    def take(
        self, steps: np.ndarray, fills: np.ndarray, equity: np.ndarray, series: np.ndarray
    ) -> None: ...


Progress = Callable[[int], None]


def drive(
    session: Session,
    sink: Sink | None = None,
    progress: Progress | None = None,
    *,
    plain: bool = False,
    stop_at_step: int = 0,
) -> bool:
    """Run until the end, or until `stop_at_step` steps; True when the end was reached.

    `plain` runs function strategies as plain Python with the same digest. Ctrl-C leaves the engine
    at a step boundary with its records delivered, and is raised again.
    """
    engine = session.engine
    clock = engine.clock[0]
    called = plain or any(strategy.is_class for strategy in session.strategies)
    clock["stop_at_wake"] = int(called)
    clock["stop_at_step"] = stop_at_step
    step = loop()
    on_wake = no_pointer() if called else pointer(session.strategies)
    wakers = _wakers(session) if called else []
    try:
        while True:
            status = _advance(step, session, on_wake)
            if progress is not None:
                progress(int(clock["rows"]))
            if status == st.STATUS_WAKE:
                _call(session, wakers[int(clock["strategy"])])
                continue
            deliver(engine, sink)
            if status in (st.STATUS_DONE, st.STATUS_STEP):
                return status == st.STATUS_DONE
            if status == st.STATUS_DEFECT:
                raise InvariantError("a message queue of the venue overflowed; see docs/limits")
    except KeyboardInterrupt:
        deliver(engine, sink)
        raise


def _advance(step: Any, session: Session, on_wake: Any) -> int:
    try:
        return int(step(session.arena.handle, on_wake))
    except (IndexError, ZeroDivisionError, ValueError, OverflowError) as error:
        raise StrategyError(where(session, error)) from error


def _call(session: Session, waker: Callable[[int], None]) -> None:
    engine = session.engine
    s = int(engine.clock[0]["strategy"])
    try:
        waker(int(engine.context_at[s]))
    except KeyboardInterrupt:
        raise
    except Exception as error:
        raise StrategyError(where(session, error)) from error


def where(session: Session, error: BaseException) -> str:
    """One sentence: which strategy raised what, at which wake-up and time, with its named state."""
    engine = session.engine
    s = int(engine.clock[0]["strategy"])
    strategy = session.strategies[s]
    wake = int(engine.strategies[s]["woken"])
    now_ns = int(engine.clock[0]["now_ns"])
    state = ", ".join(f"{k}={v}" for k, v in named_state(session, s).items()) or "none"
    return (
        f"strategy {strategy.name!r} raised {type(error).__name__}: {error} "
        f"at wake-up {wake}, {np.datetime64(now_ns, 'ns')}Z; state: {state}"
    )


def named_state(session: Session, s: int) -> dict[str, Any]:
    """The state record of strategy `s` by name."""
    strategy = session.strategies[s]
    row = strategy.state_row()
    at = int(session.engine.contexts[s]["state_at"])
    record = array_at(at, 1, row.dtype)[0]
    return {name: _plain(record[name]) for name in strategy.state}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value.item()


def deliver(engine: st.Engine, sink: Sink | None) -> None:
    """Hand the records since last time to the sink and empty the rings. Mutates: engine.clock."""
    clock = engine.clock[0]
    if sink is not None:
        sink.take(
            engine.steps[: clock["steps_len"]],
            engine.fills[: clock["fills_len"]],
            engine.equity[: clock["equity_len"]],
            engine.series[: clock["series_len"]],
        )
    for name in ("steps_len", "fills_len", "equity_len", "series_len"):
        clock[name] = 0


def run_digest(engine: st.Engine) -> str:
    """The run's digest: sha-256 over the checkpoints and the last lanes."""
    count = int(engine.clock[0]["checkpoints"])
    return digest.seal(engine.checkpoints[: 2 * count], engine.lanes, f"hft-run-1:{count}")


def logs_of(session: Session, s: int) -> np.ndarray:
    """The log entries of strategy `s`, oldest first, as far as the ring still has them."""
    written = int(session.engine.contexts[s]["logs"])
    ring = session.engine.logs[s * LOGS_MAX : (s + 1) * LOGS_MAX]
    if written <= LOGS_MAX:
        return ring[:written].copy()
    return np.roll(ring, -(written % LOGS_MAX))


def _wakers(session: Session) -> list[Callable[[int], None]]:
    return [
        object_waker(strategy)[0] if strategy.is_class else plain_waker(strategy)
        for strategy in session.strategies
    ]
