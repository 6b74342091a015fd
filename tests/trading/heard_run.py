"""What the gateway of a replay heard, as input rows: the run is driven by hand, wake by wake.

Touches and intents are taken at each wake-up, answers and controls from the journal; nothing else
of the run is looked at, so that a desk that is given the rows has to find the rest by itself.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hft.core.codes import ControlKind, StepKind
from hft.core.dtypes import INTENT, TOUCH
from hft.gateway.resolve import ResolvedLimits
from hft.replay import state as st
from hft.replay.build import Session
from hft.replay.run import Driver
from hft.strategies.callback import object_waker, plain_waker
from hft.trading.desk import Desk, limits_key
from hft.trading.inputs import InputKind, heard, intent_rows, rows_of, touch_rows

COMPARED = (StepKind.DECISION, StepKind.RESPONSE, StepKind.CONTROL, StepKind.GUARD)
OF_THE_RUN = ("seq", "rows", "mix_lo", "mix_hi", "cmd_id")  # that differ between run and desk


@dataclass
class Wake:
    strategy: int
    touches: np.ndarray
    intents: np.ndarray
    next_id: int


@dataclass
class Heard:
    """A run that was driven to its end."""

    session: Session
    limits: ResolvedLimits
    wakes: list[Wake] = field(default_factory=list)
    parts: list[np.ndarray] = field(default_factory=list)

    def take(self, steps: np.ndarray, fills: Any, equity: Any, series: Any) -> None:
        self.parts.append(steps.copy())

    @property
    def steps(self) -> np.ndarray:
        return np.concatenate(self.parts)

    def desk(self) -> Desk:
        """An empty desk of the run's sizes and limits."""
        trading = self.session.engine.trading
        return Desk(
            trading.instruments,
            self.limits,
            accounts=["paper"],
            strategies=[strategy.name for strategy in self.session.strategies],
            other_limits=self.session.limits,
            order_capacity=len(trading.gw.orders),
            dedup_window=len(trading.gw.dedup),
        )

    def rows(self, desk: Desk) -> np.ndarray:
        """The life of `desk`, then all that the run's gateway heard."""
        steps = self.steps
        out = [desk.begin(int(steps["ts_ns"][0]) - 1)]
        wakes = iter(self.wakes)
        seen = np.zeros(len(self.session.engine.trading.touch), TOUCH)
        for step in steps:
            kind, ts = int(step["kind"]), int(step["ts_ns"])
            if kind == StepKind.WAKE:
                wake = next(wakes, None)
                out += (
                    _wake_rows(wake, seen, ts) if wake else []
                )  # the end of a run is noted as one
            elif kind == StepKind.RESPONSE:
                names = ("order_id", "code", "price", "qty", "liquidity", "fill_id")
                given = {name: int(step[name]) for name in names}
                out.append(heard(InputKind.ANSWER, ts, **given))
            elif kind == StepKind.CONTROL:
                code, target, value = (int(step[name]) for name in ("code", "target", "value"))
                if code == ControlKind.LIMITS:
                    value = limits_key(self.session.limits[target])
                given = {"code": code, "target_id": target, "value": value}
                out.append(rows_of(InputKind.CONTROL, ts, **given))
        return np.concatenate(out)


def _wake_rows(wake: Wake, seen: np.ndarray, ts: int) -> list[np.ndarray]:
    changed = np.flatnonzero(wake.touches != seen)
    seen[:] = wake.touches
    out = [touch_rows(wake.touches, changed.tolist(), ts)]
    out.append(rows_of(InputKind.WAKE, ts, strategy_idx=wake.strategy))
    if len(wake.intents):
        out.append(intent_rows(wake.intents, wake.touches, ts, next_id=wake.next_id))
    return out


def drive_by_hand(session: Session, limits: ResolvedLimits) -> Heard:
    """Run a session to its end; the strategies run as plain Python."""
    run = Heard(session, limits)
    driver = Driver(session, run, None)
    engine = session.engine
    clock, head = engine.clock[0], engine.trading.head[0]
    clock["stop_at_wake"] = 1
    wakers = [object_waker(s)[0] if s.is_class else plain_waker(s) for s in session.strategies]
    driver.reach()
    while driver.until_wake() == st.STATUS_WAKE:
        s = int(clock["strategy"])
        wakers[s](int(engine.context_at[s]))
        count = int(engine.contexts[s]["intents"])
        intents = np.array(engine.intents[:count], INTENT)
        run.wakes.append(Wake(s, engine.trading.touch.copy(), intents, int(head["next_id"])))
    return run


def compared(steps: np.ndarray) -> np.ndarray:
    """The steps that run and desk have in common, without what is the run's own."""
    out = steps[np.isin(steps["kind"], [int(kind) for kind in COMPARED])].copy()
    for name in OF_THE_RUN:
        out[name] = 0
    # A run names other limits by their place, a desk by their key.
    out["value"][(out["kind"] == StepKind.CONTROL) & (out["code"] == ControlKind.LIMITS)] = 0
    return out


def commands(steps: np.ndarray) -> list[int]:
    """The numbers of the commands of these decisions within their life."""
    return (steps["cmd_id"][steps["kind"] == StepKind.DECISION] & ((1 << 36) - 1)).tolist()
