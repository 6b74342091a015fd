"""Open hours by the exchange's calendar: what a strategy may know of the session at its moment.

The calendar is known beforehand, so a close that is still to come is no look ahead. The phase comes
from it only where the tape has no status rows of its own. The venue does not ask: what was recorded
outside the hours trades there.
"""

from collections.abc import Sequence

import numpy as np

from hft.core.codes import StatusCode
from hft.core.jit import kernel, seldom
from hft.replay import state as st
from hft.replay.state import Engine
from hft.venue.state import FOREVER

_OPEN = StatusCode.OPEN.value
_CLOSE = StatusCode.CLOSE.value


@kernel
def turn(engine: Engine, i: int, now_ns: int) -> None:
    """Instrument `i` may have opened or closed since its last turn. Mutates: touch[i], feeds[i]."""
    seldom()
    feed = engine.feeds[i]
    touch = engine.trading.touch[i]
    row, stop = feed["session_row"], feed["session_stop"]
    while row < stop and engine.sessions[row]["close_ns"] <= now_ns:
        row += 1
    feed["session_row"] = row
    phase = _CLOSE
    touch["turn_ns"] = FOREVER
    touch["end_ns"] = 0
    if row < stop:
        span = engine.sessions[row]
        touch["turn_ns"] = span["open_ns"]
        if span["open_ns"] <= now_ns:
            phase = _OPEN
            touch["open_ns"] = span["open_ns"]
            touch["turn_ns"] = span["close_ns"]
        if span["begin_ns"] <= now_ns:  # at lunch, too: the day goes on
            touch["end_ns"] = span["end_ns"]
    if feed["statuses"] == 0:
        touch["phase"] = phase


def set_hours(engine: Engine, sessions: Sequence[np.ndarray]) -> None:
    """Point each instrument to its SESSION rows in the table. Mutates: feeds, touch."""
    at = 0
    for feed, touch, rows in zip(engine.feeds, engine.trading.touch, sessions, strict=True):
        feed["session_row"], feed["session_stop"] = at, at + len(rows)
        at += len(rows)
        if not len(rows):
            touch["turn_ns"] = touch["end_ns"] = FOREVER


def table(sessions: Sequence[np.ndarray]) -> np.ndarray:
    """The SESSION rows of all instruments, one after another."""
    return np.concatenate([*sessions, np.zeros(1, st.SESSION)])
