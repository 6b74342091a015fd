"""Drive an engine to its end: its records to a sink, Python strategies called, a digest sealed."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from hft.core import digest
from hft.core.errors import ConfigError, InvariantError, StrategyError
from hft.core.jit import array_at
from hft.core.source import place_of
from hft.gateway.state import apply_limits
from hft.replay import state as st
from hft.replay.build import Session
from hft.replay.glances import lag
from hft.replay.growth import grow
from hft.strategies.base import duration_ns, pointer
from hft.strategies.callback import object_waker, plain_waker
from hft.strategies.context import LOGS_MAX
from hft.strategies.kept import kept_at
from hft.strategies.view import Order, View


class Sink(Protocol):
    """Where a run's records go; called many times with views that are reused afterwards."""

    def take(
        self, steps: np.ndarray, fills: np.ndarray, equity: np.ndarray, series: np.ndarray
    ) -> None: ...


Progress = Callable[[int], None]


class Driver:
    """Runs one session: advances the engine, serves what it comes back for, until it is done."""

    def __init__(self, session: Session, sink: Sink | None, progress: Progress | None) -> None:
        from hft.replay.compiled import loop, no_pointer  # compiles, which only a replay waits for

        self.session, self.sink, self.progress = session, sink, progress
        self.clock = session.engine.clock[0]
        self._step, self._no_pointer = loop(), no_pointer()

    def reach(self) -> None:
        """Say where the views' books can be brought up, if they are behind. Mutates: contexts."""
        from hft.replay.compiled import catch_up, known

        engine = self.session.engine
        behind = bool(engine.feeds["lags"].any())
        engine.contexts["engine_at"] = known(self.session.arena).address if behind else 0
        engine.contexts["catch_up_at"] = catch_up()

    def until_wake(self, on_wake: Any = None) -> int:
        """Advance to the next wake-up of Python, a stop or the end. Returns: a STATUS_*.

        `on_wake` is the pointer of the strategies; without one each wake-up is Python's.
        """
        while True:
            status = self._advance(self._no_pointer if on_wake is None else on_wake)
            if status == st.STATUS_LIMITS:
                change_limits(self.session)
                continue
            if status == st.STATUS_ROOM:
                grow(self.session)
                self.reach()
                continue
            if status != st.STATUS_WAKE:
                deliver(self.session.engine, self.sink)
            if self.progress is not None:
                self.progress(int(self.clock["rows"]))
            if status == st.STATUS_WAKE:
                return status
            if status == st.STATUS_DEFECT:
                raise InvariantError("a table of the venue overflowed: messages or market orders")
            if status in (st.STATUS_DONE, st.STATUS_STEP, st.STATUS_HORIZON):
                return status

    def _advance(self, on_wake: Any) -> int:
        try:
            return int(self._step(self.session.arena.handle, on_wake))
        except Exception as error:
            if self.session.engine.venue.head[0]["asking"] != 0:
                raise StrategyError(in_queue_model(self.session, error)) from error
            raise StrategyError(where(self.session, error)) from error


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
    at a step boundary; it and a strategy that raises go on, with all records delivered.
    """
    driver = Driver(session, sink, progress)
    clock = session.engine.clock[0]
    clock["stop_at_step"] = stop_at_step
    try:
        if any(strategy.loop for strategy in session.strategies):
            clock["stop_at_wake"] = 1
            driver.reach()
            return pull(driver, session)
        return Awake(driver, plain=plain).go_on() == st.STATUS_DONE
    except (KeyboardInterrupt, StrategyError):
        deliver(session.engine, sink)
        raise


class Awake:
    """The strategies of a session, made once, and woken for as long as its driver advances."""

    def __init__(self, driver: Driver, *, plain: bool = False) -> None:
        session = driver.session
        called = plain or any(strategy.is_class for strategy in session.strategies)
        session.engine.clock[0]["stop_at_wake"] = int(called)
        lag(session.engine)  # not for a pull loop, which may change its interval
        driver.reach()
        self._driver = driver
        self._on_wake = None if called else pointer(session.strategies)
        self._wakers = _wakers(session) if called else []

    def go_on(self) -> int:
        """Advance to a stop or to the end. Returns: a STATUS_*. Raises: StrategyError."""
        session = self._driver.session
        while True:
            status = self._driver.until_wake(self._on_wake)
            if status != st.STATUS_WAKE:
                return status
            _call(session, self._wakers[int(session.engine.clock[0]["strategy"])])


def _call(session: Session, waker: Callable[[int], None]) -> None:
    engine = session.engine
    s = int(engine.clock[0]["strategy"])
    try:
        waker(int(engine.context_at[s]))
    except (Exception, SystemExit) as error:  # one that ends the process ends its run in order
        raise StrategyError(where(session, error)) from error


def change_limits(session: Session) -> None:
    """Put the limits of the control input just run in force. Mutates: session.engine."""
    engine = session.engine
    row = engine.controls[int(engine.clock[0]["control"]) - 1]
    apply_limits(engine.trading.gw, session.limits[int(row["code"])])


def where(session: Session, error: BaseException) -> str:
    """One sentence: where which strategy raised what, at which wake-up and time, with its state."""
    engine = session.engine
    s = int(engine.clock[0]["strategy"])
    strategy = session.strategies[s]
    wake = int(engine.strategies[s]["woken"])
    now_ns = int(engine.clock[0]["now_ns"])
    state = ", ".join(f"{k}={v}" for k, v in named_state(session, s).items()) or "none"
    place = place_of(strategy.body, error)
    return (
        f"{place}strategy {strategy.name!r} raised {type(error).__name__}: {error} "
        f"at wake-up {wake}, {np.datetime64(now_ns, 'ns')}Z; state: {state}"
        + (
            ""
            if place or engine.clock[0]["stop_at_wake"]
            else "; --plain (plain=True) names its line"
        )
    )


def in_queue_model(session: Session, error: BaseException) -> str:
    """One sentence: what the user's queue model raised, and when. Mutates: head["asking"]."""
    session.engine.venue.head[0]["asking"] = 0
    now_ns = int(session.engine.clock[0]["now_ns"])
    return (
        f"the queue model raised {type(error).__name__}: {error} "
        f"in the rows after {np.datetime64(now_ns, 'ns')}Z"
    )


def pull(driver: Driver, session: Session) -> bool:
    """Hand the loop to the user's function; True when it followed the tape to its end."""
    if len(session.strategies) > 1:
        raise ConfigError("a pull loop owns its run; several strategies need the wake-up form")
    strategy = session.strategies[0]
    context = session.engine.contexts[0]
    p = array_at(int(context["params_at"]), 1, strategy.params_row().dtype)[0]
    s = kept_at(int(context["state_at"]), strategy.state_row().dtype)
    sim = Sim(driver, session)
    try:
        strategy.body(sim, p, s)
    except (KeyboardInterrupt, StrategyError):
        raise
    except (Exception, SystemExit) as error:
        raise StrategyError(where(session, error)) from error
    deliver(session.engine, driver.sink)
    return sim.ended


class Sim:
    """What a pull loop holds: `next` moves time, `view` and `order` are those of a wake-up."""

    def __init__(self, driver: Driver, session: Session) -> None:
        self._driver, self._session = driver, session
        at = int(session.engine.context_at[0])
        self.view, self.order = View(at), Order(at)
        self.ended = False

    def next(self, interval: str | int | None = None) -> bool:
        """Run to the next wake-up, `interval` after the last one; False when the tape has ended.

        The first call starts the clock one interval after the first row, like a timer strategy.
        """
        row = self._session.engine.strategies[0]
        if interval is not None:
            every_ns = duration_ns(interval, "next")
            if every_ns == 0:
                raise ConfigError(f"next={interval!r} is shorter than 1 ns")
            if row["every_ns"] != every_ns:
                started = int(row["woken"]) > 0 or int(row["every_ns"]) > 0
                clock = self._session.engine.clock[0]
                base = int(clock["now_ns"] if started else clock["first_ns"])
                row["every_ns"], row["next_ns"] = every_ns, base + every_ns
        status = self._driver.until_wake()
        self.ended = status == st.STATUS_DONE
        return status == st.STATUS_WAKE


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
    clock, trading = engine.clock[0], engine.trading
    if sink is not None:
        sink.take(
            engine.steps[: clock["steps_len"]],
            trading.fills[: trading.head[0]["fills_len"]],
            engine.equity[: clock["equity_len"]],
            engine.series[: clock["series_len"]],
        )
    for name in ("steps_len", "equity_len", "series_len"):
        clock[name] = 0
    trading.head[0]["fills_len"] = 0


def run_digest(engine: st.Engine) -> str:
    """The run's digest: sha-256 over the checkpoints and the last lanes."""
    count = int(engine.clock[0]["checkpoints"])
    return digest.seal(engine.checkpoints[: 2 * count], engine.lanes, f"hft-run-2:{count}")


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
