"""Databento mbo records to tape rows in one pass, with the findings that need the live orders.

The pass keeps a table of live orders (open addressing, one 32-byte row an order) because two
answers need it: whether a modify keeps its place, and which events name an order nobody added. The
caller owns all arrays and grows them when a pass stops early; nothing is allocated here. The mbo
loop writes its rows itself: handing eight columns to a call costs more than the pass does.
"""

import numpy as np

from hft.core.codes import EventKind, Flag, Side
from hft.core.jit import kernel
from hft.feeds.databento_records import FLAG_LAST, FLAG_MAYBE_BAD_BOOK, FLAG_SNAPSHOT
from hft.feeds.databento_records import UNDEFINED_PRICE as NO_PRICE
from hft.tape.schema import Columns

LIVE_ORDER = np.dtype(
    [
        ("id", np.int64),  # 0: the row is free
        ("price", np.int64),  # as recorded, 1e-9
        ("qty", np.int64),  # lots resting before the fills of the running match event
        ("filled_side", np.int64),  # 2 x lots filled since the last change, + side
    ]
)

# Places in the pass's state.
ROWS, LIVE, LIVE_MAX, AGGRESSOR, IN_SNAPSHOT = range(5)
STATE = 5

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

ADD, CANCEL, MODIFY = EventKind.ADD.value, EventKind.CANCEL.value, EventKind.MODIFY.value
EXECUTE, TRADE, CLEAR = EventKind.EXECUTE.value, EventKind.TRADE.value, EventKind.CLEAR.value
LAST, NO_BOOK, KEEPS = Flag.LAST.value, Flag.NO_BOOK.value, Flag.KEEPS_PRIORITY.value
AUCTION = Flag.AUCTION.value
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
    mask = table.size - 1
    at: int = _home(key, mask)
    while table[at]["id"] != key and table[at]["id"] != 0:
        at = (at + 1) & mask
    return at


@kernel
def _forget(table: np.ndarray, at: int) -> None:
    """Free a row and close the gap, so that searches never walk over dead rows."""
    mask = table.size - 1
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
    for row in range(old.size):
        key = old[row]["id"]
        if key != 0:
            at = _find(new, key)
            new[at]["id"] = key
            new[at]["price"] = old[row]["price"]
            new[at]["qty"] = old[row]["qty"]
            new[at]["filled_side"] = old[row]["filled_side"]


@kernel
def note(found: np.ndarray, which: int, record: int) -> None:
    if found[which, 0] == 0:
        found[which, 1] = record + 1
    found[which, 0] += 1


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
def _track(
    table: np.ndarray, state: np.ndarray, found: np.ndarray, record: int, event: tuple
) -> int:
    """Apply an order event to the table of live orders.

    Returns: extra flags of the row (KEEPS_PRIORITY), or -1 when the row is left out.
    """
    action, side, price, qty, order_id = event
    at = _find(table, order_id)
    known = table[at]["id"] == order_id and order_id != 0
    if action == A:
        if known:
            note(found, DUPLICATE, record)
            return -1
        if order_id != 0:
            table[at]["id"] = order_id
            table[at]["price"] = price
            table[at]["qty"] = qty
            table[at]["filled_side"] = side
            state[LIVE] += 1
            state[LIVE_MAX] = max(state[LIVE_MAX], state[LIVE])
        return 0
    if not known:
        note(found, UNKNOWN, record)
        return 0
    if action == C:
        table[at]["qty"] -= qty
        if table[at]["qty"] <= 0:
            _forget(table, at)
            state[LIVE] -= 1
        return 0
    # A modify. An order whose displayed part was filled and refilled (iceberg) goes to the end.
    left = table[at]["qty"] - (table[at]["filled_side"] >> 1)
    keeps = price == table[at]["price"] and qty <= left
    table[at]["price"] = price
    table[at]["qty"] = qty
    table[at]["filled_side"] = side
    return KEEPS if keeps else 0


@kernel
def _clear(table: np.ndarray, state: np.ndarray) -> None:
    if state[LIVE] > 0:
        for row in range(table.size):
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
    known = table[at]["id"] == order_id and order_id != 0
    flags = NO_BOOK
    if side == NONE:
        flags |= AUCTION
        if not known:  # a market order of the auction never rested
            note(found, SKIPPED, record)
            return side, -1
        side = table[at]["filled_side"] & 1
    if known:
        table[at]["filled_side"] += 2 * qty
    if order_id == state[AGGRESSOR] and order_id != 0:
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
    """Kind, side, order id and flags of an order event's row; flags -1 leave it out."""
    action, side, _, qty, order_id = event
    if qty == 0 and action != C:
        note(found, ZERO_QTY, record)
        return 0, side, order_id, -1
    if action == A:
        return ADD, side, order_id, _track(table, state, found, record, event)
    if action == C:
        return CANCEL, side, order_id, _track(table, state, found, record, event)
    if action == M:
        return MODIFY, side, order_id, _track(table, state, found, record, event)
    if action == F:
        side, flags = _fill(table, state, found, record, event)
        return EXECUTE, side, order_id, flags
    if action != T:
        note(found, SKIPPED, record)
        return 0, side, order_id, -1
    state[AGGRESSOR] = order_id
    if side == NONE:
        note(found, NO_SIDE, record)
        return TRADE, side, 0, AUCTION
    return TRADE, side, 0, 0


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
    exch_ts_of, local_ts_of, kind_of, side_of, price_of, qty_of, order_id_of, flags_of = rows
    row = state[ROWS]
    for record in range(first, records.size):
        if row + 2 > rows.kind.size or 2 * state[LIVE] >= table.size:
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
        change = (action, side, price, np.int64(event["size"]), event["order_id"])
        kind, side, order_id, flags = _meaning(table, state, found, record, change)
        if flags < 0:
            if row > 0:
                flags_of[row - 1] |= last
            continue
        exch_ts_of[row], local_ts_of[row] = exch_ts, local_ts
        kind_of[row], side_of[row] = kind, side
        price_of[row] = in_ticks(price, tick, found, record)
        qty_of[row], order_id_of[row] = change[3], order_id
        flags_of[row] = flags | last
        row += 1
    if state[IN_SNAPSHOT] == 1:
        flags_of[row - 1] |= LAST
    state[ROWS] = row
    return int(records.size)
