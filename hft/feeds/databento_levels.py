"""Databento price-level and trade records to tape rows: what changed from one ladder to the next.

The caller owns all arrays and grows them when a pass stops early; nothing is allocated here.
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
    put,
    side_code,
)
from hft.tape.schema import Columns

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
def _changes(
    rows: Columns,
    row: int,
    times: tuple,
    side: int,
    old: tuple,
    new: tuple,
    tick: int,
    found: np.ndarray,
    record: int,
) -> int:
    """LEVEL rows (BBO rows where one level is recorded) that turn one ladder into the next.

    `old` and `new` are (prices, sizes), best first; a price that is not shown any more is gone.
    """
    exch_ts, local_ts = times
    old_px, old_sz = old
    new_px, new_sz = new
    depth = new_px.size
    if depth == 1:
        if old_px[0] == new_px[0] and old_sz[0] == new_sz[0]:
            return row
        none = new_px[0] == NO_PRICE
        price = 0 if none else in_ticks(new_px[0], tick, found, record)
        qty = 0 if none else np.int64(new_sz[0])
        return put(rows, row, exch_ts, local_ts, BBO, side, price, qty)
    sign = -1 if side == BUY else 1
    i, j = 0, 0
    while i < depth or j < depth:
        has_old = i < depth and old_px[i] != NO_PRICE
        has_new = j < depth and new_px[j] != NO_PRICE
        if not has_old and not has_new:
            break
        if has_old and (not has_new or sign * old_px[i] < sign * new_px[j]):
            price = in_ticks(old_px[i], tick, found, record)
            row = put(rows, row, exch_ts, local_ts, LEVEL, side, price, 0)
            i += 1
        elif not has_old or sign * old_px[i] > sign * new_px[j]:
            price = in_ticks(new_px[j], tick, found, record)
            row = put(rows, row, exch_ts, local_ts, LEVEL, side, price, np.int64(new_sz[j]))
            j += 1
        else:
            if old_sz[i] != new_sz[j]:
                price = in_ticks(new_px[j], tick, found, record)
                row = put(rows, row, exch_ts, local_ts, LEVEL, side, price, np.int64(new_sz[j]))
            i += 1
            j += 1
    return row


@kernel
def mbp(
    events: tuple,
    ladders: tuple,
    blank: tuple,
    first: int,
    tick: int,
    rows: Columns,
    state: np.ndarray,
    found: np.ndarray,
) -> int:
    """Rows of price-level or trade records from `first` on, until they or the rows are used up.

    `events` holds the columns of EVENT, `ladders` is (bid_px, bid_sz, ask_px, ask_sz), arrays of (record, level), and `blank` the same
    for one record of an empty book; without levels only trades are told.
    """
    bid_px, bid_sz, ask_px, ask_sz = ladders
    ts_event, ts_recv, price_of, size_of, action_of, letter_of, marks_of = events
    depth = bid_px.shape[1]
    row = state[ROWS]
    for record in range(first, ts_event.size):
        if row + 4 * depth + 2 > rows.kind.size:
            state[ROWS] = row
            return int(record)
        marks, exch_ts, local_ts = np.int64(marks_of[record]), ts_event[record], ts_recv[record]
        action = action_of[record]
        if exch_ts < 0 or local_ts < 0 or (action == T and price_of[record] == NO_PRICE):
            note(found, BAD_NUMBER, record)
            continue
        if marks & FLAG_MAYBE_BAD_BOOK:
            note(found, GAP, record)
        restart = depth > 0 and (record == 0 or action == R)
        if restart:
            row = put(rows, row, exch_ts, local_ts, CLEAR, NONE, 0, 0)
        if action == T:
            side = side_code(letter_of[record])
            price = in_ticks(price_of[record], tick, found, record)
            row = put(rows, row, exch_ts, local_ts, TRADE, side, price, np.int64(size_of[record]))
            if side == NONE:
                note(found, NO_SIDE, record)
                rows.flags[row - 1] = AUCTION
        if depth > 0:
            times = (exch_ts, local_ts)
            prior = record - 1
            old = (blank[0][0], blank[1][0]) if restart else (bid_px[prior], bid_sz[prior])
            new = (bid_px[record], bid_sz[record])
            row = _changes(rows, row, times, BUY, old, new, tick, found, record)
            old = (blank[2][0], blank[3][0]) if restart else (ask_px[prior], ask_sz[prior])
            new = (ask_px[record], ask_sz[record])
            row = _changes(rows, row, times, SELL, old, new, tick, found, record)
        if marks & FLAG_LAST and row > 0:
            rows.flags[row - 1] |= LAST
    state[ROWS] = row
    return int(ts_event.size)
