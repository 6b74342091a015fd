"""Every sample has a row for each strategy and each instrument that is listened to."""

from dataclasses import replace

import numpy as np
import pytest

from hft.replay.run import drive
from hft.replay.state import EQUITY_MAX
from hft.strategies.base import Strategy
from tests.small_world import LEVEL, Kept, X, opening, session_of

pytestmark = pytest.mark.nojit


@pytest.mark.parametrize(("strategies", "instruments"), [(1, 7), (1, 20), (5, 6)])
def test_no_row_of_a_sample_is_lost_however_many_instruments_are_listened_to(
    strategies: int, instruments: int
) -> None:
    """Idle wake-ups: a step each, and a sample each, between two looks at the rings."""
    wakes = 2 * EQUITY_MAX // instruments // strategies
    rows = [*opening(1, {100: 5}, {110: 5}), (20 + wakes, LEVEL, 0, 100, 6)]
    grid = [replace(X, symbol=f"X{k}") for k in range(instruments)]
    idle = [
        Strategy(lambda view, order, p, s: None, f"s{k}", 1, 1, {}, {}, instruments=instruments)
        for k in range(strategies)
    ]
    session, kept = session_of([rows] * instruments, idle, instruments=grid), Kept([], [], [])
    session.engine.clock[0]["equity_every_ns"] = 1
    drive(session, kept, plain=True)
    equity = np.concatenate(kept.equity)
    moments, counts = np.unique(equity["ts_ns"], return_counts=True)
    assert len(moments) >= wakes
    # Behind the last row stand those of the end, at the time of the last sample or after it.
    assert set(counts[:-1].tolist()) == {strategies * instruments}
