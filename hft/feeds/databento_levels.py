"""Databento price-level and trade records to tape rows: what changed from one ladder to the next.

The caller owns all arrays and grows them when a pass stops early; nothing is allocated here. Rows
are written as records of one array, since a call is handed one array faster than eight columns.
"""

import numpy as np

from hft.core.codes import EventKind
from hft.core.jit import kernel
from hft.feeds.databento_records import FLAG_LAST, FLAG_MAYBE_BAD_BOOK
from hft.feeds.databento_records import UNDEFINED_PRICE as NO_PRICE
from hft.feeds.databento_rows import (
    AUCTION,
    BAD_NUMBER,
    BUY,
    CLEAR,
    GAP,
    LAST,
    NO_SIDE,
    NONE,
    ROWS,
    SELL,
    TRADE,
    R,
    T,
    in_ticks,
    note,
    side_code,
)
from hft.tape.schema import DTYPES

ROW = np.dtype(list(DTYPES.items()))
LEVEL, BBO = EventKind.LEVEL.value, EventKind.BBO.value
EVENT = ("ts_event", "ts_recv", "price", "size", "action", "side", "flags")


@kernel
def price_step(prices: np.ndarray, step: int) -> int:
    """The greatest common divisor of `step` and every defined price."""
    for price in prices:
        if price == NO_PRICE:
            continue
        rest = price if step == 0 else price % step
        while rest != 0:
            step, rest = rest, step % rest
    return abs(step)


@kernel
def put(
    rows: np.ndarray, row: int, times: tuple, kind: int, side: int, price: int, qty: int
) -> int:
    rows[row]["exch_ts"] = times[0]
    rows[row]["local_ts"] = times[1]
    rows[row]["kind"] = kind
    rows[row]["side"] = side
    rows[row]["price"] = price
    rows[row]["qty"] = qty
    rows[row]["order_id"] = 0
    rows[row]["flags"] = 0
    return row + 1


@kernel
def _quote(
    rows: np.ndarray,
    row: int,
    times: tuple,
    side: int,
    ladder: tuple,
    prior: int,
    record: int,
    tick: int,
    found: np.ndarray,
) -> int:
    """A BBO row when the one recorded level is not what it was at record `prior` (-1: empty)."""
    px, sz = ladder
    new_px, new_sz = px[record, 0], np.int64(sz[record, 0])
    if prior < 0:
        same = new_px == NO_PRICE
    else:
        same = px[prior, 0] == new_px and np.int64(sz[prior, 0]) == new_sz
    if same:
        return row
    if new_px == NO_PRICE:
        return put(rows, row, times, BBO, side, 0, 0)
    return put(rows, row, times, BBO, side, in_ticks(new_px, tick, found, record), new_sz)


@kernel
def _changes(
    rows: np.ndarray,
    row: int,
    times: tuple,
    side: int,
    ladder: tuple,
    prior: int,
    record: int,
    tick: int,
    found: np.ndarray,
) -> int:
    """LEVEL rows that turn the ladder of record `prior` (-1: an empty one) into that of `record`.

    `ladder` is (prices, sizes), best first; a price that is not shown any more is gone.
    """
    px, sz = ladder
    depth = px.shape[1]
    sign = -1 if side == BUY else 1
    i, j = 0 if prior >= 0 else depth, 0
    while i < depth or j < depth:
        old_px = px[prior, i] if i < depth else NO_PRICE
        new_px = px[record, j] if j < depth else NO_PRICE
        if old_px == NO_PRICE and new_px == NO_PRICE:
            break
        gone = new_px == NO_PRICE or (old_px != NO_PRICE and sign * old_px < sign * new_px)
        comes = not gone and (old_px == NO_PRICE or old_px != new_px)
        if gone:
            i += 1
            price = in_ticks(old_px, tick, found, record)
            row = put(rows, row, times, LEVEL, side, price, 0)
            continue
        if comes or sz[prior, i] != sz[record, j]:
            price = in_ticks(new_px, tick, found, record)
            row = put(rows, row, times, LEVEL, side, price, np.int64(sz[record, j]))
        i += 0 if comes else 1
        j += 1
    return row


@kernel
def mbp(
    events: tuple,
    ladders: tuple,
    depth: int,
    first: int,
    tick: int,
    rows: np.ndarray,
    state: np.ndarray,
    found: np.ndarray,
) -> int:
    """Rows of price-level or trade records from `first` on, until they or the rows are used up.

    `events` holds the columns of EVENT, `ladders` is (bid_px, bid_sz, ask_px, ask_sz), arrays of
    (record, level); at `depth` 0 only trades are told.
    """
    bids, asks = (ladders[0], ladders[1]), (ladders[2], ladders[3])
    ts_event, ts_recv, price_of, size_of, action_of, letter_of, marks_of = events
    row = state[ROWS]
    for record in range(first, ts_event.size):
        if row + 4 * depth + 2 > rows.size:
            state[ROWS] = row
            return int(record)
        marks, exch_ts, local_ts = np.int64(marks_of[record]), ts_event[record], ts_recv[record]
        action, times = action_of[record], (exch_ts, local_ts)
        if exch_ts < 0 or local_ts < 0 or (action == T and price_of[record] == NO_PRICE):
            note(found, BAD_NUMBER, record)
            continue
        if marks & FLAG_MAYBE_BAD_BOOK:
            note(found, GAP, record)
        restart = depth > 0 and (record == 0 or action == R)
        if restart:
            row = put(rows, row, times, CLEAR, NONE, 0, 0)
        if action == T:
            side = side_code(letter_of[record])
            price = in_ticks(price_of[record], tick, found, record)
            row = put(rows, row, times, TRADE, side, price, np.int64(size_of[record]))
            if side == NONE:
                note(found, NO_SIDE, record)
                rows[row - 1]["flags"] = AUCTION
        prior = -1 if restart else record - 1
        if depth == 1:
            row = _quote(rows, row, times, BUY, bids, prior, record, tick, found)
            row = _quote(rows, row, times, SELL, asks, prior, record, tick, found)
        elif depth > 1:
            row = _changes(rows, row, times, BUY, bids, prior, record, tick, found)
            row = _changes(rows, row, times, SELL, asks, prior, record, tick, found)
        if marks & FLAG_LAST and row > 0:
            rows[row - 1]["flags"] |= LAST
    state[ROWS] = row
    return int(ts_event.size)
