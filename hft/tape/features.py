"""Features of whole tapes: what a strategy would have seen of the book, at given times.

One pass over the rows in receive order with the book of `hft.market` and the definitions of
`hft.market.features`, so that a number here is the number of `view` at that moment. Order flow is
summed over every change of the touch between two samples.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from hft.core.arena import Arena, opener
from hft.core.codes import EventKind, Flag
from hft.core.errors import ConfigError
from hft.core.jit import kernel
from hft.market.book import Books, apply_row, is_valid, level_lots, new_books
from hft.market.features import (
    TOUCH_SEEN,
    flow_since,
    imbalance,
    micro_tick,
    mid_tick,
    side_lots,
    spread_ticks,
)
from hft.tape.clock import ticks
from hft.tape.frames import joined, time_of
from hft.tape.reader import Tape
from hft.tape.schema import Columns
from hft.tape.summary import survey, touch_window

BOOK = "book"  # the clock that ticks at each change of the touch
LEVELS_MAX = 10
DEFAULT = (
    *("bid_tick", "bid_lots", "ask_tick", "ask_lots", "mid_tick", "micro_tick", "spread_ticks"),
    *("imbalance", "imbalance_5", "order_flow", "traded_lots", "signed_lots"),
)
SUMS = ("order_flow", "traded_lots", "signed_lots")
_PLAIN = tuple(name for name in DEFAULT if not name.startswith("imbalance"))
_IMBALANCE = re.compile(r"imbalance(?:_(\d+))?")

_TRADE, _EXECUTE = EventKind.TRADE.value, EventKind.EXECUTE.value
_STATUS = EventKind.STATUS.value
_VENUE_ONLY, _NO_BOOK = Flag.VENUE_ONLY.value, Flag.NO_BOOK.value

# Columns of the integer samples, and how many there are; then of the real ones.
TS, VALID, BID, BID_LOTS, ASK, ASK_LOTS, SPREAD, FLOW, TRADED, SIGNED, WHOLE = range(11)
MID, MICRO, IMBALANCES = range(3)
# Slots of the walk's figures.
COUNT, NEXT = range(2)


class Walk(NamedTuple):
    """A pass over rows: its book, what it remembers, and the samples it writes row by row."""

    books: Books
    figures: np.ndarray  # COUNT, NEXT
    times: np.ndarray  # when to sample, ascending ns; none samples at each change of the touch
    seen: np.ndarray  # the touch before, for order flow
    sums: np.ndarray  # flow, traded and signed lots since the last sample
    levels: np.ndarray  # depths of the imbalances
    whole: np.ndarray  # WHOLE integers a sample
    real: np.ndarray  # IMBALANCES floats a sample, then its imbalances


def new_walk(window: tuple[int, int], rows: int, times: np.ndarray, depths: Sequence[int]) -> Walk:
    """An empty book over a window of ticks, and room for so many samples."""
    return Walk(
        new_books([window]),
        np.zeros(2, np.int64),
        np.array(times, np.int64),
        np.zeros(TOUCH_SEEN, np.int64),
        np.zeros(3, np.int64),
        np.array(depths, np.int64),
        np.zeros(rows * WHOLE, np.int64),
        np.zeros(rows * (IMBALANCES + len(depths))),
    )


_open = opener(new_walk((0, 63), 1, np.zeros(1, np.int64), [1]))


@kernel
def _sample(walk: Any, ts: int) -> None:
    """Write one sample and begin new sums. Mutates: walk."""
    head = walk.books.heads[0]
    whole, real, sums = walk.whole, walk.real, walk.sums
    n, depths = walk.figures[COUNT], len(walk.levels)
    i, r = n * WHOLE, n * (IMBALANCES + depths)
    bid, ask = head["bid"], head["ask"]
    bid_lots = level_lots(walk.books, head, 0, bid)
    ask_lots = level_lots(walk.books, head, 1, ask)
    whole[i + TS], whole[i + VALID] = ts, 1 if is_valid(head) else 0
    whole[i + BID], whole[i + BID_LOTS] = bid, bid_lots
    whole[i + ASK], whole[i + ASK_LOTS] = ask, ask_lots
    whole[i + SPREAD] = spread_ticks(bid, ask)
    for k in range(3):
        whole[i + FLOW + k] = sums[k]
        sums[k] = 0
    real[r + MID] = mid_tick(bid, ask)
    real[r + MICRO] = micro_tick(bid, bid_lots, ask, ask_lots)
    for k in range(depths):
        buys = side_lots(walk.books, head, 0, walk.levels[k])
        real[r + IMBALANCES + k] = imbalance(buys, side_lots(walk.books, head, 1, walk.levels[k]))
    walk.figures[COUNT] = n + 1


@kernel
def _settle(walk: Any) -> bool:
    """All rows of one receive time are in: count the flow; true when the touch is another.

    Mutates: walk.
    """
    head, seen = walk.books.heads[0], walk.seen
    bid, ask = head["bid"], head["ask"]
    bid_lots = level_lots(walk.books, head, 0, bid)
    ask_lots = level_lots(walk.books, head, 1, ask)
    valid = is_valid(head)
    same = seen[0] == bid and seen[1] == bid_lots and seen[2] == ask and seen[3] == ask_lots
    if valid and same:
        return False
    walk.sums[0] += flow_since(seen, valid, bid, bid_lots, ask, ask_lots)
    return valid


@kernel
def _walk(handle: Any, columns: Columns) -> None:
    """Apply all rows; sample at the walk's times, or at each change when it has none.

    Mutates: the walk behind the handle.
    """
    walk = _open(handle)
    figures, sums, times = walk.figures, walk.sums, walk.times
    count = len(times)
    ts = np.int64(0)
    begun = False
    for i in range(columns.kind.shape[0]):
        flags, kind = np.int64(columns.flags[i]), np.int64(columns.kind[i])
        if flags & _VENUE_ONLY != 0:
            continue
        if begun and columns.local_ts[i] != ts:
            if _settle(walk) and count == 0:
                _sample(walk, ts)
            while figures[NEXT] < count and columns.local_ts[i] > times[figures[NEXT]]:
                _sample(walk, times[figures[NEXT]])
                figures[NEXT] += 1
        begun = True
        ts = columns.local_ts[i]
        side, qty = np.int64(columns.side[i]), columns.qty[i]
        if kind == _TRADE or (kind == _EXECUTE and flags & _NO_BOOK == 0):
            sums[1] += qty
            aggressor = side if kind == _TRADE else 1 - side
            if aggressor == 0:
                sums[2] += qty
            elif aggressor == 1:
                sums[2] -= qty
        if kind < _STATUS and kind != _TRADE:
            apply_row(walk.books, walk.books.heads[0], kind, side, columns.price[i], qty, flags)
    if begun and _settle(walk) and count == 0:
        _sample(walk, ts)
    while begun and figures[NEXT] < count and times[figures[NEXT]] <= ts:
        _sample(walk, times[figures[NEXT]])
        figures[NEXT] += 1


def features(
    run: Sequence[Tape], symbol: str, names: Sequence[str] | None, clock: int | np.ndarray
) -> pl.LazyFrame:
    """The named features of consecutive tapes of one instrument, a row a sample.

    `clock` is the distance of samples in ns, counted from each session's open (`hft.tape.clock`), 0
    for each change of the touch, or the ascending times themselves. Raises: ConfigError for a name.
    """
    chosen = tuple(DEFAULT if names is None else names)
    depths = _depths(chosen)
    columns = joined(run)
    found = survey(columns)
    rows, times = _room(run, columns, clock)
    walk = new_walk(touch_window(found) or (0, 63), rows, times, list(depths.values()))
    if rows:
        _walk(Arena(walk).handle, columns)
    return _frame(walk, symbol, chosen, depths)


def _depths(names: Sequence[str]) -> dict[str, int]:
    """The depth of each imbalance that is asked for. Raises: ConfigError for an unknown name."""
    depths = {}
    for name in names:
        matched = _IMBALANCE.fullmatch(name)
        depth = int(matched[1] or 1) if matched else 0
        if matched and 1 <= depth <= LEVELS_MAX:
            depths[name] = depth
        elif name not in _PLAIN:
            raise ConfigError(
                f"columns: no feature {name!r}; there are {', '.join(_PLAIN)}, and imbalance or "
                f"imbalance_2 to imbalance_{LEVELS_MAX} over so many levels"
            )
    return depths


def _room(run: Sequence[Tape], columns: Columns, clock: int | np.ndarray) -> tuple[int, np.ndarray]:
    """How many samples there can be, and their times; no times for each change of the touch."""
    none = np.zeros(0, np.int64)
    seen = columns.local_ts[(columns.flags & _VENUE_ONLY) == 0]
    if not len(seen):
        return 0, none
    if isinstance(clock, np.ndarray):
        times = clock[clock <= int(seen[-1])]
        return len(times), times
    if clock == 0:
        return len(seen), none
    times = ticks(run, clock, int(seen[0]), int(seen[-1]))
    return len(times), times


def _frame(walk: Walk, symbol: str, names: Sequence[str], depths: dict[str, int]) -> pl.LazyFrame:
    count = int(walk.figures[COUNT])
    whole = walk.whole.reshape(-1, WHOLE)[:count]
    real = walk.real.reshape(-1, IMBALANCES + len(depths))[:count]
    whole_of = {
        **{"bid_tick": BID, "bid_lots": BID_LOTS, "ask_tick": ASK, "ask_lots": ASK_LOTS},
        **{"spread_ticks": SPREAD, "order_flow": FLOW, "traded_lots": TRADED},
        "signed_lots": SIGNED,
    }
    real_of = {"mid_tick": MID, "micro_tick": MICRO}
    real_of |= {name: IMBALANCES + k for k, name in enumerate(depths)}
    data: dict[str, Any] = {"ts": whole[:, TS].copy(), "valid": whole[:, VALID] != 0}
    data |= {name: whole[:, at].copy() for name, at in whole_of.items()}
    data |= {name: real[:, at].copy() for name, at in real_of.items()}
    # What was summed between two samples stands whatever the book is at their end.
    shown = [
        pl.col(name) if name in SUMS else pl.when("valid").then(pl.col(name)).alias(name)
        for name in names
    ]
    frame = pl.DataFrame(data).lazy()
    return frame.select(time_of("ts", "ts"), pl.lit(symbol).alias("symbol"), *shown)
