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

# Columns of the integer samples.
TS, VALID, BID, BID_LOTS, ASK, ASK_LOTS, SPREAD, FLOW, TRADED, SIGNED = range(10)
MID, MICRO, IMBALANCES = range(3)  # columns of the real samples
# Slots of the walk's figures.
COUNT, NEXT_NS = range(2)


class Samples(NamedTuple):
    """What a walk needs and writes; `whole` and `real` have one row a sample."""

    figures: np.ndarray  # COUNT, NEXT_NS
    seen: np.ndarray  # the touch before, for order flow
    sums: np.ndarray  # flow, traded and signed lots since the last sample
    levels: np.ndarray  # depths of the imbalances
    whole: np.ndarray
    real: np.ndarray


@kernel
def _sample(books: Books, samples: Samples, ts: int) -> None:
    """Write one sample and begin new sums. Mutates: samples."""
    head = books.heads[0]
    n = samples.figures[COUNT]
    whole, real, sums = samples.whole, samples.real, samples.sums
    bid, ask = head["bid"], head["ask"]
    bid_lots, ask_lots = level_lots(books, head, 0, bid), level_lots(books, head, 1, ask)
    whole[n, TS], whole[n, VALID] = ts, 1 if is_valid(head) else 0
    whole[n, BID], whole[n, BID_LOTS] = bid, bid_lots
    whole[n, ASK], whole[n, ASK_LOTS] = ask, ask_lots
    for k in range(3):
        whole[n, FLOW + k] = sums[k]
        sums[k] = 0
    whole[n, SPREAD] = spread_ticks(bid, ask)
    real[n, MID], real[n, MICRO] = mid_tick(bid, ask), micro_tick(bid, bid_lots, ask, ask_lots)
    for k in range(samples.levels.shape[0]):
        depth = samples.levels[k]
        real[n, IMBALANCES + k] = imbalance(
            side_lots(books, head, 0, depth), side_lots(books, head, 1, depth)
        )
    samples.figures[COUNT] = n + 1


@kernel
def _settle(books: Books, samples: Samples) -> bool:
    """All rows of one receive time are in: count the flow; true when the touch is another.

    Mutates: samples.
    """
    head, seen = books.heads[0], samples.seen
    bid, ask = head["bid"], head["ask"]
    bid_lots, ask_lots = level_lots(books, head, 0, bid), level_lots(books, head, 1, ask)
    valid = is_valid(head)
    same = seen[0] == bid and seen[1] == bid_lots and seen[2] == ask and seen[3] == ask_lots
    if valid and same:
        return False
    samples.sums[0] += flow_since(seen, valid, bid, bid_lots, ask, ask_lots)
    return valid


@kernel
def _walk(books: Books, columns: Columns, samples: Samples, every_ns: int) -> None:
    """Apply all rows; sample at multiples of `every_ns`, or at each change when it is 0.

    Mutates: books, samples.
    """
    figures = samples.figures
    ts = figures[NEXT_NS]
    begun = False
    for i in range(columns.kind.shape[0]):
        flags, kind = np.int64(columns.flags[i]), np.int64(columns.kind[i])
        if flags & _VENUE_ONLY != 0:
            continue
        if begun and columns.local_ts[i] != ts:
            changed = _settle(books, samples)
            if every_ns == 0 and changed:
                _sample(books, samples, ts)
            while every_ns > 0 and columns.local_ts[i] > figures[NEXT_NS]:
                _sample(books, samples, figures[NEXT_NS])
                figures[NEXT_NS] += every_ns
        begun = True
        ts = columns.local_ts[i]
        side, qty = np.int64(columns.side[i]), columns.qty[i]
        if kind == _TRADE or (kind == _EXECUTE and flags & _NO_BOOK == 0):
            samples.sums[1] += qty
            aggressor = side if kind == _TRADE else 1 - side
            if aggressor == 0:
                samples.sums[2] += qty
            elif aggressor == 1:
                samples.sums[2] -= qty
        if kind < _STATUS and kind != _TRADE:
            apply_row(books, books.heads[0], kind, side, columns.price[i], qty, flags)
    if begun and _settle(books, samples) and every_ns == 0:
        _sample(books, samples, ts)
    if every_ns > 0 and begun and ts == figures[NEXT_NS]:
        _sample(books, samples, ts)


def features(
    run: Sequence[Tape], symbol: str, names: Sequence[str] | None, every_ns: int
) -> pl.LazyFrame:
    """The named features of consecutive tapes of one instrument, a row a sample.

    Units: `every_ns` 0 samples at each change of the touch. Raises: ConfigError for a name.
    """
    chosen = tuple(DEFAULT if names is None else names)
    depths = _depths(chosen)
    columns = joined(run)
    found = survey(columns)
    window = touch_window(found)
    samples = _samples(columns, every_ns, list(depths.values()))
    if window is not None and len(samples.whole):
        _walk(new_books([window]), columns, samples, every_ns)
    return _frame(samples, symbol, chosen, depths)


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


def _samples(columns: Columns, every_ns: int, depths: list[int]) -> Samples:
    """Room for every sample; pages that stay empty are never touched."""
    seen = columns.local_ts[(columns.flags & _VENUE_ONLY) == 0]
    first, last = (int(seen[0]), int(seen[-1])) if len(seen) else (0, -1)
    rows = len(seen)
    begin = 0
    if every_ns > 0:
        begin = -(-first // every_ns) * every_ns
        rows = max(0, last // every_ns - begin // every_ns + 1)
    return Samples(
        np.array([0, begin], np.int64),
        np.zeros(TOUCH_SEEN, np.int64),
        np.zeros(3, np.int64),
        np.array(depths, np.int64),
        np.zeros((rows, 10), np.int64),
        np.zeros((rows, IMBALANCES + len(depths))),
    )


def _frame(
    samples: Samples, symbol: str, names: Sequence[str], depths: dict[str, int]
) -> pl.LazyFrame:
    count = int(samples.figures[COUNT])
    whole, real = samples.whole[:count], samples.real[:count]
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
