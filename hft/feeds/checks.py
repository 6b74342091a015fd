"""What one walk over the rows of a tape with a book can see: the checks behind `sanity.py`.

Kernels that count into `seen`, a count and a first row for each of `NAMES`; they own the book of
the touch and what is remembered between rows, and they refuse nothing.
"""

from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag, StatusCode
from hft.core.jit import kernel
from hft.tape.schema import Columns
from hft.tape.touch import (
    BEST,
    KEY,
    L1,
    LOW,
    ORDERS,
    PRICE,
    QTY,
    SIDE,
    SIZE,
    VALID,
    clear_book,
    order_slot,
    put_order,
    reduce_order,
    set_best,
    set_level,
)

LOTS_MAX = 9_000_000_000_000  # a queue counts in millionths of a lot, in 63 bits
TICKS_MAX = 1 << 40
FAR_SHARE = 10  # a price is far when it is a tenth of the mid or more away from it
SILENCE_NS = 300_000_000_000
SLOW_NS = 60_000_000_000
LOCKED_NS = 1_000_000_000

# The checks, in the order of their slots.
NAMES = (
    "non_positive_price",
    "zero_qty",
    "huge_number",
    "repeated_row",
    "silence",
    "slow_receive",
    "unknown_order_id",
    "duplicate",
    "over_reduced",
    "order_mismatch",
    "one_sided",
    "crossed_book",
    "crossed_auction",
    "locked_book",
    "locked_long",
    "far_price",
    "outside_touch",
    "side_against_touch",
    "unknown_side",
    "book_invalid",
    "missing_snapshot",
    "negative_latency",
)
(
    NON_POSITIVE,
    ZERO,
    HUGE,
    REPEATED,
    SILENCE,
    SLOW,
    UNKNOWN_ID,
    DUPLICATE,
    OVER,
    MISMATCH,
    ONE_SIDED,
    CROSSED,
    CROSSED_AUCTION,
    LOCKED,
    LOCKED_LONG,
    FAR,
    OUTSIDE,
    AGAINST,
    UNKNOWN_SIDE,
    INVALID,
    NO_SNAPSHOT,
    EARLY,
) = range(22)
COUNT, FIRST = 0, 1  # columns of what is found
# Slots of what the walk remembers between rows.
SLOTS = 10
(
    PREV_TS,
    PREV_ROW,
    MID2,
    LOCKED_SINCE,
    BOOK_SEEN,
    CLEARED,
    TWO_SIDED,
    PAUSED,  # 1: the last status row says that there is no continuous trading
    SPAN,  # the row of the hours that has not ended yet
    PREV_PRINT,
) = range(SLOTS)

LEVEL, CLEAR, SNAPSHOT = EventKind.LEVEL.value, EventKind.CLEAR.value, EventKind.SNAPSHOT.value
ADD, CANCEL, MODIFY = EventKind.ADD.value, EventKind.CANCEL.value, EventKind.MODIFY.value
EXECUTE, BBO, TRADE = EventKind.EXECUTE.value, EventKind.BBO.value, EventKind.TRADE.value
STATUS, CLOSED = EventKind.STATUS.value, StatusCode.CLOSE.value
HALTED, IN_AUCTION = StatusCode.HALT.value, StatusCode.AUCTION.value
VENUE_ONLY, LAST, NO_BOOK = Flag.VENUE_ONLY.value, Flag.LAST.value, Flag.NO_BOOK.value
PLACED = (LEVEL, SNAPSHOT, ADD, MODIFY, BBO)
OFF_BOOK = Flag.AUCTION.value | Flag.HIDDEN.value


@kernel
def _note(seen: np.ndarray, slot: int, row: int) -> None:
    if seen[slot, COUNT] == 0:
        seen[slot, FIRST] = row
    seen[slot, COUNT] += 1


@kernel
def look(
    arena: np.ndarray,
    orders: np.ndarray,
    columns: Columns,
    hours: np.ndarray,
    start: int,
    end: int,
    seen: np.ndarray,
    state: np.ndarray,
) -> Any:
    """Check the rows from `start` on; `hours` are opens and closes, none when they do not count.

    Returns: where to go on with more room for orders, or `end`.
    Mutates: arena, orders, seen, state.
    """
    room = orders.shape[0] // 2
    for i in range(start, end):
        if columns.flags[i] & VENUE_ONLY:
            continue
        if arena[ORDERS] >= room:
            return i
        ts = columns.local_ts[i]
        if ts != state[PREV_TS]:
            if state[PREV_ROW] >= 0:
                _moment(arena, hours, seen, state)
                if ts - state[PREV_TS] > SILENCE_NS:
                    _note(seen, SILENCE, i)
            state[PREV_TS] = ts
        _numbers(columns, i, seen, state)
        kind, flags = columns.kind[i], columns.flags[i]
        if kind == TRADE:
            _print(arena, columns, i, seen, state)
            state[PREV_PRINT] = i
        elif ADD <= kind <= EXECUTE:
            _order(arena, orders, columns, i, seen, state)
        elif kind <= BBO:
            _quote(arena, orders, columns, i, seen, state)
        elif kind == STATUS:
            said = columns.qty[i]
            state[PAUSED] = said == CLOSED or said == HALTED or said == IN_AUCTION
        # As in a replay: neither a diff message nor a print completes a book that was cleared.
        if flags & LAST and kind <= BBO and kind != LEVEL and kind != TRADE:
            arena[VALID] = 1
        state[PREV_ROW] = i
    if state[PREV_ROW] >= 0:
        _moment(arena, hours, seen, state)
        state[PREV_ROW] = -1
    return end


@kernel
def _numbers(columns: Columns, i: int, seen: np.ndarray, state: np.ndarray) -> None:
    """What a row shows without a book. Mutates: seen."""
    kind, side, price, qty = columns.kind[i], columns.side[i], columns.price[i], columns.qty[i]
    latency = columns.local_ts[i] - columns.exch_ts[i]
    if latency < 0:
        _note(seen, EARLY, i)
    elif latency > SLOW_NS:
        _note(seen, SLOW, i)
    if kind > BBO or kind == CLEAR:
        return
    stated = kind <= SNAPSHOT or kind == BBO  # a quantity of nothing withdraws what was there
    if qty == 0 and not stated:
        _note(seen, ZERO, i)
    if price <= 0 and (qty > 0 or not stated):
        _note(seen, NON_POSITIVE, i)
    if qty > LOTS_MAX or price > TICKS_MAX or price < -TICKS_MAX:
        _note(seen, HUGE, i)
    p = state[PREV_PRINT] if kind == TRADE else state[PREV_ROW]  # quotes may stand between prints
    if stated or kind == ADD or p < 0 or columns.kind[p] != kind:
        return
    same = columns.side[p] == side and columns.price[p] == price and columns.qty[p] == qty
    same &= columns.order_id[p] == columns.order_id[i]
    same &= columns.local_ts[p] == columns.local_ts[i] and columns.exch_ts[p] == columns.exch_ts[i]
    if same:
        _note(seen, REPEATED, i)


@kernel
def _print(
    arena: np.ndarray, columns: Columns, i: int, seen: np.ndarray, state: np.ndarray
) -> None:
    """A trade beside the touch that stands. Mutates: seen."""
    if columns.flags[i] & OFF_BOOK or columns.qty[i] == 0:
        return
    side, price = columns.side[i], columns.price[i]
    if side > 1:
        _note(seen, UNKNOWN_SIDE, i)
    if _is_far(2 * price, state[MID2]):
        _note(seen, FAR, i)
    if arena[VALID] == 0 or arena[BEST] < 0 or arena[BEST + 1] < 0:
        return
    bid, ask = arena[BEST] + arena[LOW], arena[BEST + 1] + arena[LOW]
    if price < bid or price > ask:
        _note(seen, OUTSIDE, i)
    if (side == 0 and price <= bid) or (side == 1 and price >= ask):
        _note(seen, AGAINST, i)


@kernel
def _order(
    arena: np.ndarray,
    orders: np.ndarray,
    columns: Columns,
    i: int,
    seen: np.ndarray,
    state: np.ndarray,
) -> None:
    """An order that comes, shrinks or goes. Mutates: arena, orders, seen, state."""
    kind, side, price, qty = columns.kind[i], columns.side[i], columns.price[i], columns.qty[i]
    order_id = columns.order_id[i]
    _begin(seen, state, i)
    if order_id == 0 or side > 1:
        _note(seen, UNKNOWN_ID, i)
        return
    k = order_slot(orders, order_id)
    known = orders[k, KEY] != 0
    if kind == ADD or kind == MODIFY:
        if kind == ADD and known:
            _note(seen, DUPLICATE, i)
        put_order(arena, orders, order_id, side, price, qty)
        return
    if not known:
        _note(seen, UNKNOWN_ID, i)
        return
    if columns.flags[i] & NO_BOOK:  # it tells the price of the print, which may be a better one
        return
    if orders[k, SIDE] != side or orders[k, PRICE] != price:
        _note(seen, MISMATCH, i)
    elif qty > orders[k, QTY]:
        _note(seen, OVER, i)
    reduce_order(arena, orders, order_id, qty)


@kernel
def _quote(
    arena: np.ndarray,
    orders: np.ndarray,
    columns: Columns,
    i: int,
    seen: np.ndarray,
    state: np.ndarray,
) -> None:
    """A level, a best price, or the end of all of them. Mutates: arena, orders, seen, state."""
    kind, side, qty = columns.kind[i], columns.side[i], columns.qty[i]
    if kind == CLEAR:
        clear_book(arena, orders, side)
        state[CLEARED] = 1
        return
    if side > 1:
        return
    at = columns.price[i] - arena[LOW]
    if kind == BBO:
        if arena[L1] == 1:
            state[BOOK_SEEN] = 1
            set_best(arena, side, at, qty)
        return
    _begin(seen, state, i)
    if 0 <= at < arena[SIZE]:
        set_level(arena, side, at, qty)


@kernel
def _begin(seen: np.ndarray, state: np.ndarray, i: int) -> None:
    """The first row of a book that nothing opened. Mutates: seen, state."""
    if state[BOOK_SEEN] == 0 and state[CLEARED] == 0:
        _note(seen, NO_SNAPSHOT, i)
    state[BOOK_SEEN] = 1


@kernel
def _is_continuous(hours: np.ndarray, state: np.ndarray) -> bool:
    """Whether the moment is of continuous trading, by status rows or hours. Mutates: state."""
    ts, at = state[PREV_TS], state[SPAN]
    while at < len(hours) and hours[at, 1] <= ts:
        at += 1
    state[SPAN] = at
    is_open = len(hours) == 0 or (at < len(hours) and hours[at, 0] <= ts)
    return bool(is_open and state[PAUSED] == 0)


@kernel
def _moment(arena: np.ndarray, hours: np.ndarray, seen: np.ndarray, state: np.ndarray) -> None:
    """The touch at the end of a receive time. Mutates: seen, state."""
    row = state[PREV_ROW]
    if state[BOOK_SEEN] == 0:
        return
    if arena[VALID] == 0:
        if state[TWO_SIDED] == 1:  # before the first whole book there was nothing to lose
            _note(seen, INVALID, row)
        return
    bid, ask = arena[BEST], arena[BEST + 1]
    if bid < 0 or ask < 0:
        _note(seen, ONE_SIDED, row)
    elif bid > ask:
        # Orders of an auction may cross until it is over; the venue matches none of them.
        _note(seen, CROSSED if _is_continuous(hours, state) else CROSSED_AUCTION, row)
    elif bid < ask:
        mid2 = bid + ask + 2 * arena[LOW]
        if _is_far(mid2, state[MID2]):
            _note(seen, FAR, row)
        state[MID2] = mid2
        state[TWO_SIDED] = 1
    else:
        _note(seen, LOCKED, row)
        if state[LOCKED_SINCE] < 0:
            state[LOCKED_SINCE] = state[PREV_TS]
        lasts = state[PREV_TS] - state[LOCKED_SINCE] >= LOCKED_NS
        if lasts and _is_continuous(hours, state):
            _note(seen, LOCKED_LONG, row)
        return
    state[LOCKED_SINCE] = -1


@kernel
def _is_far(price2: int, mid2: int) -> bool:
    """Whether a doubled price is a tenth of the last doubled mid away from it, or more."""
    return bool(mid2 > 0 and abs(price2 - mid2) * FAR_SHARE >= mid2)
