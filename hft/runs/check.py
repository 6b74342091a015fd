"""The first wake-ups of a strategy in plain Python: a debugger works, every index is checked.

The engine, gateway and venue are those of a replay; no folder is written.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from hft.core.codes import Reason
from hft.core.errors import DataError
from hft.gateway.limits import Limits
from hft.replay.build import Session
from hft.replay.run import drive, named_state
from hft.runs.ingest import open_tapes
from hft.runs.job import Job
from hft.runs.prepare import prepare
from hft.runs.venues import Venue
from hft.strategies.base import Strategy
from hft.tape.dataset import Tapes


@dataclass(frozen=True)
class Checked:
    """What the first wake-ups of a strategy did."""

    strategy: str
    wakes: int
    intents: int
    refusals: dict[str, int]
    lost_intents: int
    state: dict[str, Any]

    def __repr__(self) -> str:
        reasons = ", ".join(f"{name} {count}" for name, count in self.refusals.items())
        state = ", ".join(f"{name}={value}" for name, value in self.state.items())
        lines = [
            f"{self.strategy}: {self.wakes:,} wake-ups in plain Python, {self.intents:,} intents",
            f"  refused: {reasons or 'none'}",
            f"  state: {state or 'none'}",
        ]
        return "\n".join(lines)


class _Enough(BaseException):
    """The wake-ups that were asked for are done; no `except Exception` of a strategy stops it."""


def check(
    strategy: Strategy,
    tapes: Any,
    wakes: int = 1000,
    *,
    limits: Limits,
    venue: Venue | None = None,
) -> Checked:
    """Run at most `wakes` wake-ups in plain Python.

    Raises: StrategyError with wake-up, time and named state when the strategy raises;
    DataError when the tapes never wake it.
    """
    opened = tapes if isinstance(tapes, Tapes) else open_tapes(tapes)
    job = Job(opened, {strategy.name: strategy}, venue or Venue(), limits, plain=True)
    session, _, _ = prepare(job, "digest")
    clock = session.engine.clock[0]

    def stop(_: int) -> None:
        if clock["wakes"] > wakes:
            raise _Enough

    with suppress(_Enough):
        drive(session, progress=stop, plain=True)
    if clock["wakes"] == 0:
        raise DataError(
            f"strategy {strategy.name!r} was never woken on these tapes; look at every= and on="
        )
    return _checked(session, min(int(clock["wakes"]), wakes))


def _checked(session: Session, wakes: int) -> Checked:
    trading, clock = session.engine.trading, session.engine.clock[0]
    counts = trading.gw.counts
    refused = {Reason(int(code)).name: int(counts[code]) for code in np.flatnonzero(counts) if code}
    if clock["lost_intents"]:
        refused[Reason.INTENT_BUFFER_FULL.name] = int(clock["lost_intents"])
    return Checked(
        session.strategies[0].name,
        wakes,
        int(trading.head[0]["decisions"]) + int(clock["lost_intents"]),
        refused,
        int(clock["lost_intents"]),
        named_state(session, 0),
    )
