"""One pass over a tape's rows that rebuilds the touch, for summaries and quotes.

A small book over a window of ticks: quantities per level with counts per 256 and 65 536 levels, so
that the next best level is found without a scan, and a table of orders for L3 rows. It follows the
rows as a strategy sees them and is read at the end of each receive time. It decides nothing about
fills; the replay's book is another. State is two plain arrays because leaves that take a tuple of
many arrays cost 300 ns a row.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.core.jit import kernel
from hft.tape.schema import Columns

WINDOW_LEVELS_MAX = 1 << 26
BUCKETS = 256 + 56 * 128  # exact below 256, then a bucket spans 1/128 of its value or less

LEVEL, CLEAR, SNAPSHOT = EventKind.LEVEL.value, EventKind.CLEAR.value, EventKind.SNAPSHOT.value
ADD, CANCEL, MODIFY = EventKind.ADD.value, EventKind.CANCEL.value, EventKind.MODIFY.value
EXECUTE, TRADE, BBO = EventKind.EXECUTE.value, EventKind.TRADE.value, EventKind.BBO.value
VENUE_ONLY, LAST, NO_BOOK = Flag.VENUE_ONLY.value, Flag.LAST.value, Flag.NO_BOOK.value

# Slots of the arena's head, then its sections: levels, blocks and supers of bids, of asks, and the
# two histograms.
VALID, ORDERS, ORDERS_MAX, FIRST_BID, FIRST_ASK, SAMPLES, QUOTES, PREV_TS, LOW, L1 = range(10)
BEST = 10  # and 11: best level of bid and ask, -1 for none
LEVELS, BLOCKS, SUPERS = 12, 14, 16  # where the sections of bid and (one further) ask begin
SIZE, SPREAD_HIST, TOUCH_HIST = 18, 19, 20
HEAD = 24
KEY, PRICE, QTY, SIDE = range(4)  # columns of the table of orders
ROW, BID, BID_LOTS, ASK, ASK_LOTS = range(5)  # columns of the quotes


@dataclass
class Touch:
    """State of a walk: the arena, the table of orders and, when asked for, the quotes."""

    arena: np.ndarray
    orders: np.ndarray
    quotes: np.ndarray

    def hist(self, slot: int) -> np.ndarray:
        """One of the two histograms."""
        start = int(self.arena[slot])
        return self.arena[start : start + BUCKETS]


def make_touch(low: int, high: int, l1: bool, quote_rows: int = 0, orders_bits: int = 16) -> Touch:
    """A walk over prices of `low`..`high` ticks; further levels are left out of the touch."""
    levels = min(high - low + 1, WINDOW_LEVELS_MAX)
    sizes = (levels, (levels >> 8) + 1, (levels >> 16) + 1)
    starts, at = [], HEAD
    for size in sizes:
        for _ in range(2):
            starts.append(at)
            at += size
    arena = np.zeros(at + 2 * BUCKETS, np.int64)
    arena[LEVELS : SUPERS + 2] = starts
    arena[[LOW, L1, VALID, SIZE]] = low, int(l1), 1, levels
    arena[[BEST, BEST + 1]] = -1
    arena[[SPREAD_HIST, TOUCH_HIST]] = at, at + BUCKETS
    return Touch(
        arena, np.zeros((1 << orders_bits, 4), np.int64), np.zeros((quote_rows, 5), np.int64)
    )


@kernel
def bucket_of(value: int) -> int:
    """The histogram bucket of a value; negatives are counted as 0."""
    if value < 256:
        return max(value, 0)
    shift = 0
    sub = value
    while sub >= 256:
        sub >>= 1
        shift += 1
    return 256 + (shift - 1) * 128 + (sub - 128)


def bucket_values() -> np.ndarray:
    """The middle value of every bucket."""
    index = np.arange(BUCKETS, dtype=np.int64)
    shift = np.maximum((index - 256) // 128 + 1, 0)
    sub = np.where(index < 256, index, 128 + (index - 256) % 128)
    return np.asarray((sub << shift) + np.where(shift > 0, (1 << shift) >> 1, 0))


def quantile(hist: np.ndarray, share: float) -> int | None:
    """The value below which `share` of what a histogram counted lies; None when it is empty."""
    total = int(hist.sum())
    if total == 0:
        return None
    wanted = max(int(np.ceil(total * share)), 1)
    return int(bucket_values()[int(np.searchsorted(np.cumsum(hist), wanted))])


@kernel
def _find_next(arena: np.ndarray, side: int, start: int, step: int) -> int:
    """The nearest non-empty level from `start` on in direction `step`, or -1."""
    levels, blocks, supers = arena[LEVELS + side], arena[BLOCKS + side], arena[SUPERS + side]
    i = start
    while 0 <= i < arena[SIZE]:
        if arena[levels + i] > 0:
            return i
        if arena[supers + (i >> 16)] == 0:
            i = ((i >> 16) + 1) << 16 if step > 0 else ((i >> 16) << 16) - 1
        elif arena[blocks + (i >> 8)] == 0:
            i = ((i >> 8) + 1) << 8 if step > 0 else ((i >> 8) << 8) - 1
        else:
            i += step
    return -1


@kernel
def set_level(arena: np.ndarray, side: int, i: int, new_qty: int) -> None:
    """Level `i` of the window, known to be inside it, now holds `new_qty`."""
    qty = max(new_qty, 0)
    at = arena[LEVELS + side] + i
    before = arena[at]
    arena[at] = qty
    best = arena[BEST + side]
    step = -1 if side == 0 else 1
    if before == 0 and qty > 0:
        arena[arena[BLOCKS + side] + (i >> 8)] += 1
        arena[arena[SUPERS + side] + (i >> 16)] += 1
        if best < 0 or (i - best) * step < 0:
            arena[BEST + side] = i
    elif before > 0 and qty == 0:
        arena[arena[BLOCKS + side] + (i >> 8)] -= 1
        arena[arena[SUPERS + side] + (i >> 16)] -= 1
        if i == best:
            arena[BEST + side] = _find_next(arena, side, i, step)


@kernel
def _change_level(arena: np.ndarray, side: int, price: int, change: int) -> None:
    i = price - arena[LOW]
    if side < 2 and 0 <= i < arena[SIZE]:
        set_level(arena, side, i, arena[arena[LEVELS + side] + i] + change)


@kernel
def set_best(arena: np.ndarray, side: int, i: int, qty: int) -> None:
    """The only quote of an L1 side is now at level `i`; level counts are not kept there."""
    best = arena[BEST + side]
    if best >= 0:
        arena[arena[LEVELS + side] + best] = 0
        arena[BEST + side] = -1
    if qty > 0 and 0 <= i < arena[SIZE]:
        arena[arena[LEVELS + side] + i] = qty
        arena[BEST + side] = i


@kernel
def _clear_side(arena: np.ndarray, side: int) -> None:
    if arena[L1] == 1:
        set_best(arena, side, 0, 0)
    i = arena[BEST + side]
    while i >= 0:
        set_level(arena, side, i, 0)
        i = arena[BEST + side]


@kernel
def order_slot(orders: np.ndarray, order_id: int) -> Any:
    """Where an order is, or where it would go."""
    last = orders.shape[0] - 1
    k = (order_id ^ (order_id >> 15) ^ (order_id >> 31)) & last
    while orders[k, KEY] != 0 and orders[k, KEY] != order_id:
        k = (k + 1) & last
    return k


@kernel
def _remove_order(orders: np.ndarray, slot: int) -> None:
    """Empty a slot and pull later entries of its chain back."""
    last = orders.shape[0] - 1
    hole = slot
    k = (slot + 1) & last
    while orders[k, KEY] != 0:
        key = orders[k, KEY]
        home = (key ^ (key >> 15) ^ (key >> 31)) & last
        if ((k - home) & last) >= ((k - hole) & last):
            for column in range(4):
                orders[hole, column] = orders[k, column]
            hole = k
        k = (k + 1) & last
    orders[hole, KEY] = 0


@kernel
def put_order(
    arena: np.ndarray, orders: np.ndarray, order_id: int, side: int, price: int, qty: int
) -> None:
    k = order_slot(orders, order_id)
    if orders[k, KEY] == 0:
        orders[k, KEY] = order_id
        arena[ORDERS] += 1
        arena[ORDERS_MAX] = max(arena[ORDERS_MAX], arena[ORDERS])
    else:
        _change_level(arena, orders[k, SIDE], orders[k, PRICE], -orders[k, QTY])
    orders[k, SIDE] = side
    orders[k, PRICE] = price
    orders[k, QTY] = qty
    _change_level(arena, side, price, qty)


@kernel
def reduce_order(arena: np.ndarray, orders: np.ndarray, order_id: int, qty: int) -> None:
    k = order_slot(orders, order_id)
    if orders[k, KEY] == 0:
        return
    gone = min(qty, orders[k, QTY])
    _change_level(arena, orders[k, SIDE], orders[k, PRICE], -gone)
    orders[k, QTY] -= gone
    if orders[k, QTY] <= 0:
        _remove_order(orders, k)
        arena[ORDERS] -= 1


@kernel
def clear_book(arena: np.ndarray, orders: np.ndarray, side: int) -> None:
    """Empty one side, or the book for side 2; it is invalid until a LAST row."""
    for s in range(2):
        if side == s or side > 1:
            _clear_side(arena, s)
    if arena[ORDERS] > 0:
        for k in range(orders.shape[0]):
            if side > 1:
                orders[k, KEY] = 0
            elif orders[k, SIDE] == side:
                orders[k, QTY] = 0  # the key stays, so that probing chains hold
        if side > 1:
            arena[ORDERS] = 0
    arena[VALID] = 0


@kernel
def _sample(arena: np.ndarray, quotes: np.ndarray, row: int) -> None:
    bid_idx, ask_idx = arena[BEST], arena[BEST + 1]
    if arena[VALID] == 0 or bid_idx < 0 or ask_idx < 0 or bid_idx >= ask_idx:
        return
    bid_lots, ask_lots = arena[arena[LEVELS] + bid_idx], arena[arena[LEVELS + 1] + ask_idx]
    bid, ask = bid_idx + arena[LOW], ask_idx + arena[LOW]
    if arena[SAMPLES] == 0:
        arena[FIRST_BID], arena[FIRST_ASK] = bid, ask
    arena[SAMPLES] += 1
    arena[arena[SPREAD_HIST] + bucket_of(ask - bid)] += 1
    arena[arena[TOUCH_HIST] + bucket_of(bid_lots)] += 1
    arena[arena[TOUCH_HIST] + bucket_of(ask_lots)] += 1
    n = arena[QUOTES]
    if n >= quotes.shape[0]:
        return
    if n > 0:
        p = n - 1
        same_bid = quotes[p, BID] == bid and quotes[p, BID_LOTS] == bid_lots
        if same_bid and quotes[p, ASK] == ask and quotes[p, ASK_LOTS] == ask_lots:
            return
    quotes[n, ROW], quotes[n, BID], quotes[n, BID_LOTS] = row, bid, bid_lots
    quotes[n, ASK], quotes[n, ASK_LOTS] = ask, ask_lots
    arena[QUOTES] = n + 1


@kernel
def walk(
    arena: np.ndarray,
    orders: np.ndarray,
    quotes: np.ndarray,
    columns: Columns,
    start: int,
) -> Any:
    """Apply the rows from `start` on, sampling the touch at the end of each receive time.

    Mutates: arena, orders, quotes.
    Returns: the row to go on from with a larger table of orders, or the number of rows.
    """
    rows = columns.local_ts.shape[0]
    room = orders.shape[0] // 2
    for i in range(start, rows):
        flags, kind, side = columns.flags[i], columns.kind[i], columns.side[i]
        if flags & VENUE_ONLY:
            continue
        if arena[ORDERS] >= room:
            return i
        if columns.local_ts[i] != arena[PREV_TS]:
            if i > 0:
                _sample(arena, quotes, i - 1)
            arena[PREV_TS] = columns.local_ts[i]
        price, qty = columns.price[i], columns.qty[i]
        if kind == BBO:
            if arena[L1] == 1 and side < 2:
                set_best(arena, side, price - arena[LOW], qty)
        elif kind == CLEAR:
            clear_book(arena, orders, side)
        elif kind <= SNAPSHOT:
            at = price - arena[LOW]
            if side < 2 and 0 <= at < arena[SIZE]:
                set_level(arena, side, at, qty)
        elif kind == ADD or kind == MODIFY:
            put_order(arena, orders, columns.order_id[i], side, price, qty)
        elif kind == CANCEL or (kind == EXECUTE and flags & NO_BOOK == 0):
            reduce_order(arena, orders, columns.order_id[i], qty)
        # As in a replay: neither a diff message nor a print completes a book that was cleared.
        if flags & LAST and kind <= BBO and kind != LEVEL and kind != TRADE:
            arena[VALID] = 1
    if rows > 0:
        _sample(arena, quotes, rows - 1)
    return rows


@kernel
def rehash(old: np.ndarray, new: np.ndarray) -> None:
    for k in range(old.shape[0]):
        if old[k, KEY] != 0:
            slot = order_slot(new, old[k, KEY])
            for column in range(4):
                new[slot, column] = old[k, column]


def walk_all(touch: Touch, columns: Columns) -> Touch:
    """Walk all rows, growing the table of orders as needed; returns the state, updated."""
    at = 0
    while True:
        at = int(walk(touch.arena, touch.orders, touch.quotes, columns, at))
        if at >= len(columns.local_ts):
            return touch
        grown = np.zeros((touch.orders.shape[0] * 2, 4), np.int64)
        rehash(touch.orders, grown)
        touch.orders = grown
