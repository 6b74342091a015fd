"""Databento mbo records to tape rows in one pass, with the findings that need the live orders.

The pass keeps a table of live orders (open addressing, one 32-byte row an order) because two
answers need it: what a modify takes off the book, and which events name an order nobody added. The
caller owns all arrays and grows them when a pass stops early; nothing is allocated here. The mbo
loop writes its rows itself: handing eight columns to a call costs more than the pass does.
"""

import numpy as np

from hft.core.codes import EventKind, Flag, Side
from hft.core.jit import kernel, table_view
from hft.feeds.borrowed import columns_view, int64_view
from hft.feeds.databento_records import (
    FLAG_LAST,
    FLAG_MAYBE_BAD_BOOK,
    FLAG_SNAPSHOT,
    MBO_RECORD,
)
from hft.feeds.databento_records import UNDEFINED_PRICE as NO_PRICE
from hft.tape.schema import Columns

LIVE_ORDER = np.dtype(
    [
        ("id", np.int64),  # 0: the row is free
        ("price", np.int64),  # ticks
        ("qty", np.int64),  # lots resting before the fills of the running match event
        ("filled_side", np.int64),  # 2 x lots filled since the last change, + side
    ]
)

FOUND = np.dtype([("count", np.int64), ("record", np.int64)])  # the first record, from 1

_records_view = table_view(MBO_RECORD)
_live_view = table_view(LIVE_ORDER)
_found_view = table_view(FOUND)

# Places in the pass's state.
ROWS, LIVE, LIVE_MAX, AGGRESSOR, IN_SNAPSHOT, MOVED_PRICE, MOVED_QTY = range(7)
STATE = 7

FINDINGS = (
    "unknown_order_id",
    "duplicate",
    "zero_qty",
    "off_grid",
    "bad_number",
    "gap",
    "unknown_side",
    "skipped",
)
UNKNOWN, DUPLICATE, ZERO_QTY, OFF_GRID, BAD_NUMBER, GAP, NO_SIDE, SKIPPED = range(8)

ADD, CANCEL = EventKind.ADD.value, EventKind.CANCEL.value
EXECUTE, TRADE, CLEAR = EventKind.EXECUTE.value, EventKind.TRADE.value, EventKind.CLEAR.value
LAST, NO_BOOK, AUCTION = Flag.LAST.value, Flag.NO_BOOK.value, Flag.AUCTION.value
BUY, SELL, NONE = Side.BUY.value, Side.SELL.value, 2
A, B, C, F, M, R, T = (ord(letter) for letter in "ABCFMRT")


@kernel
def _home(key: int, mask: int) -> int:
    """Where the search for an order id begins; products stay below 2^63."""
    low, high = key & 0x7FFFFFFF, (key >> 31) & 0x7FFFFFFF
    return (((low * 0x9E3779B1) ^ (high * 0x45D9F3B3)) >> 21) & mask


@kernel
def _find(table: np.ndarray, key: int) -> int:
    """The row of an order, or the free row where it would go."""
    mask = len(table) - 1
    at: int = _home(key, mask)
    while table[at]["id"] != key and table[at]["id"] != 0:
        at = (at + 1) & mask
    return at


@kernel
def _forget(table: np.ndarray, at: int) -> None:
    """Free a row and close the gap, so that searches never walk over dead rows."""
    mask = len(table) - 1
    hole = at
    at = (at + 1) & mask
    while table[at]["id"] != 0:
        if ((at - _home(table[at]["id"], mask)) & mask) >= ((at - hole) & mask):
            table[hole]["id"] = table[at]["id"]
            table[hole]["price"] = table[at]["price"]
            table[hole]["qty"] = table[at]["qty"]
            table[hole]["filled_side"] = table[at]["filled_side"]
            hole = at
        at = (at + 1) & mask
    table[hole]["id"] = 0


@kernel
def rehash(old: np.ndarray, new: np.ndarray) -> None:
    """Move every live order to a larger table."""
    for row in range(len(old)):
        key = old[row]["id"]
        if key != 0:
            at = _find(new, key)
            new[at]["id"] = key
            new[at]["price"] = old[row]["price"]
            new[at]["qty"] = old[row]["qty"]
            new[at]["filled_side"] = old[row]["filled_side"]


@kernel
def note(found: np.ndarray, which: int, record: int) -> None:
    if found[which]["count"] == 0:
        found[which]["record"] = record + 1
    found[which]["count"] += 1


@kernel
def in_ticks(price: int, tick: int, found: np.ndarray, record: int) -> int:
    """A recorded price in ticks, to the nearest one where it is off the grid."""
    ticks: int = price // tick
    rest = price - ticks * tick
    if rest != 0:
        note(found, OFF_GRID, record)
        if 2 * rest >= tick:
            ticks += 1
    return ticks


@kernel
def side_code(letter: int) -> int:
    if letter == B:
        return BUY
    return SELL if letter == A else NONE


@kernel(inline=True)
def _add(table: np.ndarray, state: np.ndarray, at: int, event: tuple) -> None:
    _, side, price, qty, order_id = event
    table[at]["id"] = order_id
    table[at]["price"] = price
    table[at]["qty"] = qty
    table[at]["filled_side"] = side
    state[LIVE] += 1
    state[LIVE_MAX] = max(state[LIVE_MAX], state[LIVE])


@kernel(inline=True)
def _track(
    table: np.ndarray, state: np.ndarray, found: np.ndarray, record: int, event: tuple
) -> tuple:
    """Apply an A, C or M to the table of live orders.

    Mutates: table, state; state[MOVED_*] ask for a CANCEL of the order's old place first.
    Returns: kind and lots of the row; kind -1 leaves it out.
    """
    action, side, price, qty, order_id = event
    at = _find(table, order_id)
    known = table[at]["id"] == order_id
    if action == A or (action == M and not known):
        if known:
            note(found, DUPLICATE, record)
            return -1, qty
        if action == M:  # its full state is told, so it can join now
            note(found, UNKNOWN, record)
        _add(table, state, at, event)
        return ADD, qty
    if not known:
        note(found, UNKNOWN, record)
        return -1, qty
    before = table[at]["qty"]
    if action == C:
        table[at]["qty"] = before - qty
        if qty >= before:
            _forget(table, at)
            state[LIVE] -= 1
        return CANCEL, min(qty, before)
    # A modify. An order whose displayed part was filled and refilled (iceberg) goes to the end.
    left = before - (table[at]["filled_side"] >> 1)
    old_price = table[at]["price"]
    table[at]["price"] = price
    table[at]["qty"] = qty
    table[at]["filled_side"] = side
    if price == old_price and qty <= left:
        return CANCEL if qty < before else -1, before - qty
    state[MOVED_PRICE] = old_price
    state[MOVED_QTY] = before
    return ADD, qty


@kernel
def _clear(table: np.ndarray, state: np.ndarray) -> None:
    if state[LIVE] > 0:
        for row in range(len(table)):
            table[row]["id"] = 0
    state[LIVE] = 0
    state[AGGRESSOR] = 0


@kernel(inline=True)
def _fill(
    table: np.ndarray, state: np.ndarray, found: np.ndarray, record: int, event: tuple
) -> tuple:
    """What an F is: a fill of a resting order, whose book change comes later.

    Returns: side and flags of the row; flags -1 leave it out.
    """
    _, side, _, qty, order_id = event
    at = _find(table, order_id)
    known = table[at]["id"] == order_id
    flags = NO_BOOK
    if side == NONE:
        flags |= AUCTION
        if not known:  # a market order of the auction never rested
            note(found, SKIPPED, record)
            return side, -1
        side = table[at]["filled_side"] & 1
    if known:
        table[at]["filled_side"] += 2 * qty
    if order_id == state[AGGRESSOR]:
        # The order was amended into the market: it took, it did not rest.
        note(found, SKIPPED, record)
        return side, -1
    if not known:
        note(found, UNKNOWN, record)
    return side, flags


@kernel(inline=True)
def _meaning(
    table: np.ndarray, state: np.ndarray, found: np.ndarray, record: int, event: tuple
) -> tuple:
    """Kind, side, lots, order id and flags of an order event's row; kind -1 leaves it out."""
    action, side, _, qty, order_id = event
    if qty == 0 and action != C:
        note(found, ZERO_QTY, record)
        return -1, side, qty, order_id, 0
    if action == T:
        state[AGGRESSOR] = order_id
        if side == NONE:
            note(found, NO_SIDE, record)
            return TRADE, side, qty, 0, AUCTION
        return TRADE, side, qty, 0, 0
    if order_id == 0 or (side == NONE and action != F):
        note(found, SKIPPED, record)
        return -1, side, qty, order_id, 0
    if action in (A, C, M):
        kind, qty = _track(table, state, found, record, event)
        return kind, side, qty, order_id, 0
    if action == F:
        side, flags = _fill(table, state, found, record, event)
        return EXECUTE if flags >= 0 else -1, side, qty, order_id, flags
    note(found, SKIPPED, record)
    return -1, side, qty, order_id, 0


@kernel
def put(
    rows: Columns, row: int, exch_ts: int, local_ts: int, kind: int, side: int, price: int, qty: int
) -> int:
    rows.exch_ts[row] = exch_ts
    rows.local_ts[row] = local_ts
    rows.kind[row] = kind
    rows.side[row] = side
    rows.price[row] = price
    rows.qty[row] = qty
    rows.order_id[row] = 0
    rows.flags[row] = 0
    return row + 1


@kernel
def mbo(
    records: np.ndarray,
    first: int,
    tick: int,
    rows: Columns,
    table: np.ndarray,
    state: np.ndarray,
    found: np.ndarray,
) -> int:
    """Rows of the records from `first` on, until they, the rows or half the table are used up.

    Units: `tick` in 1e-9. Mutates: all but `records`. Returns: the first record not done.
    """
    return _mbo(
        _records_view(records.ctypes.data, records.size),
        first,
        tick,
        columns_view(rows),
        _live_view(table.ctypes.data, table.size),
        int64_view(state.ctypes.data, state.size),
        _found_view(found.ctypes.data, found.size),
    )


@kernel
def _mbo(
    records: np.ndarray,
    first: int,
    tick: int,
    rows: Columns,
    table: np.ndarray,
    state: np.ndarray,
    found: np.ndarray,
) -> int:
    exch_ts_of, local_ts_of, kind_of, side_of, price_of, qty_of, order_id_of, flags_of = rows
    row = state[ROWS]
    for record in range(first, len(records)):
        if row + 3 > len(rows.kind) or 2 * state[LIVE] >= len(table):
            state[ROWS] = row
            return int(record)
        event = records[record]
        marks, action = np.int64(event["flags"]), np.int64(event["action"])
        if marks & FLAG_MAYBE_BAD_BOOK:
            note(found, GAP, record)
        snapshot = marks & FLAG_SNAPSHOT != 0
        local_ts, price = event["ts_recv"], event["price"]
        exch_ts = local_ts if snapshot else event["ts_event"]
        if exch_ts < 0 or local_ts < 0 or (price == NO_PRICE and action != R):
            note(found, BAD_NUMBER, record)
            continue
        last = LAST if marks & FLAG_LAST else 0
        if not snapshot and state[IN_SNAPSHOT] == 1:
            flags_of[row - 1] |= LAST
            state[IN_SNAPSHOT] = 0
        if action == R or (snapshot and state[IN_SNAPSHOT] == 0):
            _clear(table, state)
            row = put(rows, row, exch_ts, local_ts, CLEAR, NONE, 0, 0)
            state[IN_SNAPSHOT] = 1 if snapshot else 0
            if action == R:
                flags_of[row - 1] = 0 if snapshot else last
                continue
        side = side_code(event["side"])
        price = in_ticks(price, tick, found, record)
        change = (action, side, price, np.int64(event["size"]), event["order_id"])
        kind, side, qty, order_id, flags = _meaning(table, state, found, record, change)
        if kind < 0:
            if row > 0:
                flags_of[row - 1] |= last
            continue
        if state[MOVED_QTY] > 0:
            put(rows, row, exch_ts, local_ts, CANCEL, side, state[MOVED_PRICE], state[MOVED_QTY])
            order_id_of[row] = order_id
            state[MOVED_QTY] = 0
            row += 1
        exch_ts_of[row], local_ts_of[row] = exch_ts, local_ts
        kind_of[row], side_of[row] = kind, side
        price_of[row], qty_of[row] = price, qty
        order_id_of[row], flags_of[row] = order_id, flags | last
        row += 1
    if state[IN_SNAPSHOT] == 1:
        flags_of[row - 1] |= LAST
    state[ROWS] = row
    return int(len(records))
