"""Queue models: how much of a level stands before our order, estimated from what the tape shows.

A model sees three moments: our order joins, a trade prints at its price, the level's quantity
changes. `ahead_micro` is in 1e-6 lots, so that the probability models are integers after one
quantised step and the digest never sees a float. A user's model (`venue.user_queue`) is asked by
its address for the third moment alone: the first two are facts.
Source: R. Rigtorp, "Estimating order queue position" (2013); the probability family follows the
question 3782 of quant.stackexchange.com, as used by hftbacktest's models of the same names.
"""

import math

from numba import types

from hft.core.dtypes import Row
from hft.core.jit import kernel
from hft.core.pointer import caller_of
from hft.venue.state import (
    QUEUE_PROB_LOG,
    QUEUE_PROB_SQRT,
    QUEUE_RISK_AVERSE,
)

MICRO = 1_000_000
NEAREST = -1 << 60
# More lots than these count as these, so that no place in a queue can pass what an int64 holds.
LOTS_MAX = 1 << 40
# A user's model: (ahead_micro, lots before, lots after, lots traded) -> ahead_micro.
QUEUE_CALL = types.int64(types.int64, types.int64, types.int64, types.int64)
_call = caller_of(QUEUE_CALL)


@kernel
def joins(row: Row, level_lots: int) -> None:
    """Our order joins behind everything displayed. Mutates: row (RESTING)."""
    row["ahead_micro"] = min(level_lots, LOTS_MAX) * MICRO
    row["traded_qty"] = 0


@kernel
def trades(row: Row, lots: int) -> None:
    """A trade at our price takes from the front. Mutates: row."""
    row["ahead_micro"] -= min(lots, LOTS_MAX) * MICRO
    row["traded_qty"] = min(row["traded_qty"] + lots, LOTS_MAX)


@kernel
def changes(row: Row, model: int, power_e6: int, before: int, after: int) -> None:
    """The level's displayed quantity went from `before` to `after`. Mutates: row."""
    before = min(before, LOTS_MAX)
    after = min(after, LOTS_MAX)
    if model == QUEUE_RISK_AVERSE:
        row["ahead_micro"] = min(row["ahead_micro"], after * MICRO)
        return
    # What trades already explained is not a cancellation.
    change = before - after - row["traded_qty"]
    row["traded_qty"] = 0
    front = row["ahead_micro"]
    if change >= 0:
        back = before * MICRO - front
        behind_e6 = _share_behind_e6(front, back, model, power_e6)
        # The part of the change that happened behind us cannot exceed what stands there.
        shortfall = min(0, back - change * behind_e6)
        front = front - change * (MICRO - behind_e6) + shortfall
    row["ahead_micro"] = min(front, after * MICRO)


@kernel
def asks(row: Row, head: Row, before: int, after: int) -> None:
    """As `changes`, by the user's model at head["queue_at"]. Mutates: row, head["asking"]."""
    before = min(before, LOTS_MAX)
    after = min(after, LOTS_MAX)
    traded = row["traded_qty"]
    row["traded_qty"] = 0
    head["asking"] = 1
    ahead = _call(head["queue_at"], (row["ahead_micro"], before, after, traded))
    head["asking"] = 0
    row["ahead_micro"] = max(NEAREST, min(ahead, after * MICRO))


@kernel
def _share_behind_e6(front: int, back: int, model: int, power_e6: int) -> int:
    """The probability, in 1e-6, that a cancellation happened behind us."""
    ahead = _weight(max(front, 0) / MICRO, model, power_e6)
    behind = _weight(max(back, 0) / MICRO, model, power_e6)
    if ahead + behind <= 0.0:
        return MICRO
    return int(math.floor(behind / (ahead + behind) * MICRO + 0.5))


@kernel
def _weight(lots: float, model: int, power_e6: int) -> float:
    if model == QUEUE_PROB_LOG:
        return math.log(1.0 + lots)
    if model == QUEUE_PROB_SQRT:
        return math.sqrt(lots)
    return math.pow(lots, power_e6 / MICRO)


@kernel
def settles(row: Row, lots: int) -> None:
    """The whole level is known to show `lots`: no more stand before our order. Mutates: row."""
    row["ahead_micro"] = min(row["ahead_micro"], min(lots, LOTS_MAX) * MICRO)


@kernel
def reached_lots(row: Row) -> int:
    """Whole lots of trading that went past everything ahead of us."""
    return max(0, -row["ahead_micro"] // MICRO)
