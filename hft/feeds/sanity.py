"""The sanity checks of every tape, whoever decoded it: one walk over its rows with a book.

It sees the rows as a strategy does, in tape order, and counts what cannot be true of a market (a
crossed book, a price of nothing, an order that nobody added) beside what is only worth knowing (a
side without a quote, a long silence). What each name means, what it does to a replay and how many
are accepted stands in the table of `findings.py`; nothing here refuses. A decoder that counted the
same thing itself may have seen more (rows that it left out): the larger count stays.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.core.errors import DataError
from hft.core.jit import kernel
from hft.tape.schema import Columns, Finding
from hft.tape.summary import check_rows, frozen, is_l1, survey, touch_window
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
    Touch,
    clear_book,
    make_touch,
    order_slot,
    put_order,
    reduce_order,
    rehash,
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
    LOCKED,
    LOCKED_LONG,
    FAR,
    OUTSIDE,
    AGAINST,
    UNKNOWN_SIDE,
    INVALID,
    NO_SNAPSHOT,
    EARLY,
) = range(21)
COUNT, FIRST = 0, 1  # columns of what is found
# Slots of what the walk remembers between rows.
PREV_TS, PREV_ROW, MID2, LOCKED_SINCE, BOOK_SEEN, CLEARED, TWO_SIDED = range(7)

LEVEL, CLEAR, SNAPSHOT = EventKind.LEVEL.value, EventKind.CLEAR.value, EventKind.SNAPSHOT.value
ADD, CANCEL, MODIFY = EventKind.ADD.value, EventKind.CANCEL.value, EventKind.MODIFY.value
EXECUTE, BBO, TRADE = EventKind.EXECUTE.value, EventKind.BBO.value, EventKind.TRADE.value
VENUE_ONLY, LAST, NO_BOOK = Flag.VENUE_ONLY.value, Flag.LAST.value, Flag.NO_BOOK.value
PLACED = (LEVEL, SNAPSHOT, ADD, MODIFY, BBO)
OFF_BOOK = Flag.AUCTION.value | Flag.HIDDEN.value


class Sanity:
    """The checks over the rows of one settled feed, part by part; the book carries over."""

    def __init__(self, columns: Columns, origin: str, continues: bool = False) -> None:
        """Raises: DataError where a row's kind, side or quantity is no code of a tape, or a row
        that rests in the book is of no side."""
        self.columns = frozen(columns)
        found = survey(self.columns)
        check_rows(found, origin)
        _refuse_no_side(self.columns, origin)
        window = touch_window(found) or (0, 0)
        self.touch = make_touch(*window, l1=is_l1(found.kinds))
        self.state = np.zeros(8, np.int64)
        self.state[[PREV_ROW, LOCKED_SINCE]] = -1
        self.state[CLEARED] = continues
        self.quoted = bool(found.kinds[: EventKind.TRADE].sum() + found.kinds[EventKind.BBO])

    def part(self, low: int, high: int) -> list[Finding]:
        """What the rows from `low` to `high` show; rows count from the first of the part."""
        seen = np.zeros((len(NAMES), 2), np.int64)
        at = low
        while at < high:
            touch = self.touch
            at = int(_look(touch.arena, touch.orders, self.columns, at, high, seen, self.state))
            if at < high:
                _grow(self.touch)
        return list(self._findings(seen, low))

    def _findings(self, seen: np.ndarray, low: int) -> Iterator[Finding]:
        for slot, name in enumerate(NAMES):
            count, first = (int(value) for value in seen[slot])
            if count:
                note = f"tape row {first - low + 1}: {self._row(first)}"
                yield Finding(name, count, first - low + 1, note)
        if self.quoted and not self.state[TWO_SIDED]:
            yield Finding("book_never_valid", 1, 1, self._why())

    def _row(self, row: int) -> str:
        """A row in the words of a tape: time, kind, side, price and quantity."""
        columns = self.columns
        kind, side = EventKind(int(columns.kind[row])).name, int(columns.side[row])
        moment = np.datetime64(int(columns.local_ts[row]), "ns")
        price, lots = int(columns.price[row]), int(columns.qty[row])
        return f"{moment}Z {kind} {('buy ', 'sell ', '')[side]}{lots} lots at tick {price}"

    def _why(self) -> str:
        if self.state[CLEARED] and not self.touch.arena[VALID]:
            return (
                "no snapshot after the book was cleared; record one, or --book-from-deltas N "
                "(book_from_deltas=N)"
            )
        return "a bid below an ask never stood at the end of a receive time"


def _refuse_no_side(columns: Columns, origin: str) -> None:
    """A level, quote or order is of a buyer or a seller; only prints and clears may name neither.

    Raises: DataError with the 1-based row.
    """
    without = np.flatnonzero((columns.side > 1) & np.isin(columns.kind, PLACED))
    if len(without):
        row = int(without[0])
        kind = EventKind(int(columns.kind[row])).name
        raise DataError(
            f"{origin}, tape row {row + 1}: {kind} has no side; write 0 (buy) or 1 (sell)"
        )


def _grow(touch: Touch) -> None:
    grown = np.zeros((touch.orders.shape[0] * 2, 4), np.int64)
    rehash(touch.orders, grown)
    touch.orders = grown


@kernel
def _note(seen: np.ndarray, slot: int, row: int) -> None:
    if seen[slot, COUNT] == 0:
        seen[slot, FIRST] = row
    seen[slot, COUNT] += 1


@kernel
def _look(
    arena: np.ndarray,
    orders: np.ndarray,
    columns: Columns,
    start: int,
    end: int,
    seen: np.ndarray,
    state: np.ndarray,
) -> Any:
    """Check the rows from `start` on. Returns: where to go on with more room for orders, or `end`.

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
                _moment(arena, seen, state)
                if ts - state[PREV_TS] > SILENCE_NS:
                    _note(seen, SILENCE, i)
            state[PREV_TS] = ts
        _numbers(columns, i, seen, state)
        kind, flags = columns.kind[i], columns.flags[i]
        if kind == TRADE:
            _print(arena, columns, i, seen, state)
        elif ADD <= kind <= EXECUTE:
            _order(arena, orders, columns, i, seen, state)
        elif kind <= BBO:
            _quote(arena, orders, columns, i, seen, state)
        # As in a replay: neither a diff message nor a print completes a book that was cleared.
        if flags & LAST and kind <= BBO and kind != LEVEL and kind != TRADE:
            arena[VALID] = 1
        state[PREV_ROW] = i
    if state[PREV_ROW] >= 0:
        _moment(arena, seen, state)
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
    p = state[PREV_ROW]
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
def _moment(arena: np.ndarray, seen: np.ndarray, state: np.ndarray) -> None:
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
        _note(seen, CROSSED, row)
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
        if state[PREV_TS] - state[LOCKED_SINCE] >= LOCKED_NS:
            _note(seen, LOCKED_LONG, row)
        return
    state[LOCKED_SINCE] = -1


@kernel
def _is_far(price2: int, mid2: int) -> bool:
    """Whether a doubled price is a tenth of the last doubled mid away from it, or more."""
    return bool(mid2 > 0 and abs(price2 - mid2) * FAR_SHARE >= mid2)
