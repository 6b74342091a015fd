"""The work every side does, in numbers: two-sided quoting over level sets and trades.

Every `interval_ns` of local time: cancel a resting order that left the best price of its side or
whose side is over the position limit; then, where a side has no live order and the position allows
it, rest one lot post-only at its best price. Needs numpy only, so that the peers' environments can
read it too.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

TICK = 0.1
FEED_LATENCY_NS = 1_000_000
ENTRY_LATENCY_NS = 1_000_000
RESPONSE_LATENCY_NS = 1_000_000
MAKER_FEE = -0.00005
TAKER_FEE = 0.0002
POSITION_LIMIT_LOTS = 10
INTERVALS_NS = (100_000_000, 10_000_000, 1_000_000)

SYNTHETIC_EVENTS = 5_000_000
SYNTHETIC_LOT = 1.0
REAL_LOT = 0.001
NAUTILUS_QUOTES = 500_000
NAUTILUS_QUOTING = 100_000

BID_LEVEL, ASK_LEVEL, BUYER_TRADE, SELLER_TRADE = 0, 1, 2, 3
FIRST_NS = 1_700_000_000_000_000_000
FIRST_TICK = 100_000


class Events(NamedTuple):
    """Market events by column; `kind` is one of the four codes above."""

    kind: np.ndarray  # int8
    exch_ts: np.ndarray  # int64 ns
    px: np.ndarray  # int64 ticks
    qty: np.ndarray  # int64 lots; 0 removes the level


def synthetic(rows: int, seed: int = 1) -> Events:
    """A book that drifts lazily: nine level sets in ten events, the rest trades at the touch.

    The order of the draws is part of the definition: equal `rows` and `seed` give equal arrays.
    """
    draws = np.random.default_rng(seed)
    drift = draws.random(rows)
    is_trade = draws.random(rows) >= 0.9
    is_buy = draws.random(rows) < 0.5
    depth = draws.exponential(5.0, rows).astype(np.int64)
    trade_lots = 1 + draws.exponential(3.0, rows).astype(np.int64)
    level_lots = draws.exponential(10.0, rows).astype(np.int64)
    gaps_ns = draws.exponential(1e6, rows).astype(np.int64)

    steps = (drift < 0.02).astype(np.int64) - ((drift >= 0.02) & (drift < 0.04))
    mid = FIRST_TICK + np.cumsum(steps)
    # A buyer lifts the tick above mid, where asks start; a bid rests at or below the tick under it.
    outward = np.where(is_buy == is_trade, 1, -1)
    px = mid + outward * np.where(is_trade, 1, depth + 1)
    qty = np.where(is_trade, trade_lots, level_lots)
    kind = (2 * is_trade + ~is_buy).astype(np.int8)
    return Events(kind, FIRST_NS + np.cumsum(gaps_ns), px, qty)


def checksum(events: Events) -> str:
    """The sha256 of the four columns, as text: two files of the same work have the same."""
    digest = hashlib.sha256()
    for column in events:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def save(events: Events, path: Path) -> None:
    """Write the events as an uncompressed npz."""
    np.savez(path, kind=events.kind, exch_ts=events.exch_ts, px=events.px, qty=events.qty)


def load(path: str | Path) -> Events:
    """Read what `save` wrote."""
    with np.load(path) as stored:
        return Events(stored["kind"], stored["exch_ts"], stored["px"], stored["qty"])


class Quotes(NamedTuple):
    """Best bid and ask after each event, from the first moment both sides exist."""

    exch_ts: np.ndarray
    bid_px: np.ndarray
    bid_qty: np.ndarray
    ask_px: np.ndarray
    ask_qty: np.ndarray


def top_of_book(events: Events, count: int) -> Quotes:
    """The first `count` quotes; a level set through the other side removes what it crosses."""
    books: tuple[dict[int, int], dict[int, int]] = ({}, {})
    rows: list[tuple[int, int, int, int, int]] = []
    columns = (events.kind, events.exch_ts, events.px, events.qty)
    for start in range(0, len(events.kind), 1 << 16):
        chunk = (column[start : start + (1 << 16)].tolist() for column in columns)
        for kind, exch_ts, px, qty in zip(*chunk, strict=True):
            if kind in (BID_LEVEL, ASK_LEVEL):
                _set_level(books, kind, px, qty)
            if books[0] and books[1]:
                bid, ask = max(books[0]), min(books[1])
                rows.append((exch_ts, bid, books[0][bid], ask, books[1][ask]))
                if len(rows) == count:
                    return _quotes(rows)
    return _quotes(rows)


def _quotes(rows: list[tuple[int, int, int, int, int]]) -> Quotes:
    return Quotes(*np.array(rows, np.int64).reshape(-1, 5).T)


def _set_level(books: tuple[dict[int, int], dict[int, int]], side: int, px: int, qty: int) -> None:
    own, other = books[side], books[1 - side]
    if qty == 0:
        own.pop(px, None)
        return
    own[px] = qty
    crossed = [p for p in other if (p <= px if side == BID_LEVEL else p >= px)]
    for price in crossed:
        del other[price]


def save_quotes(quotes: Quotes, path: Path) -> None:
    """Write the quotes as an uncompressed npz."""
    np.savez(path, **quotes._asdict())


def load_quotes(path: str | Path) -> Quotes:
    """Read what `save_quotes` wrote."""
    with np.load(path) as stored:
        return Quotes(*(stored[name] for name in Quotes._fields))


def loop_recording(rows: np.ndarray, copies: int) -> np.ndarray:
    """`copies` of a recording in a row, each moved in time past the end of the one before.

    Rows are structured with `exch_ts` and `local_ts`; the shift is a whole number of seconds, and
    no copy begins before the last receive time of the previous one.
    """
    times = rows["exch_ts"], rows["local_ts"]
    span = max(int(t.max()) for t in times) - min(int(t.min()) for t in times)
    shift = (span // 1_000_000_000 + 2) * 1_000_000_000
    looped = np.tile(rows, copies)
    offsets = np.repeat(np.arange(copies, dtype=np.int64) * shift, len(rows))
    looped["exch_ts"] += offsets
    looped["local_ts"] += offsets
    return looped
