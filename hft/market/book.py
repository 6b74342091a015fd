"""The order book: quantities by tick, a 64-ary bitmap of non-empty ticks, the best of each side.

One `Books` holds all books of a run: book 2i is the venue's of instrument i, book 2i+1 the delayed
view of it. A side's levels stand in a window of the flat `qty` array that the kernel never scans:
the bitmap leads to the next non-empty tick in a few steps. A level that the other side has crossed
is hidden, not deleted: an L2 feed states every quantity absolutely and will say when it is gone; it
comes back when the best of the other side goes.
Never decides what is filled; that is the venue's.
"""

from typing import Any, NamedTuple

import numpy as np

from hft.core.bits import mask
from hft.core.codes import EventKind, Flag
from hft.core.dtypes import Row
from hft.core.jit import kernel, out_of_line
from hft.market.tree import (
    TREE_LEVELS,
    tree_above,
    tree_below,
    tree_clear,
    tree_set,
    tree_words,
)

NO_BID = -(1 << 60)
NO_ASK = 1 << 60

_LEVEL = EventKind.LEVEL.value
_CLEAR = EventKind.CLEAR.value
_SNAPSHOT = EventKind.SNAPSHOT.value
_ADD = EventKind.ADD.value
_CANCEL = EventKind.CANCEL.value
_EXECUTE = EventKind.EXECUTE.value
_BBO = EventKind.BBO.value
_NO_BOOK = Flag.NO_BOOK.value
_LAST = Flag.LAST.value

# When a crossed level is there again: as what crossed it goes, or when the tape states it.
CROSSED = ("returns", "restated")

HEAD = np.dtype(
    [
        (name, np.int64)
        for name in (
            "bid",  # best bid tick, NO_BID when empty
            "ask",  # best ask tick, NO_ASK when empty
            "low",  # tick of window position 0
            "size",  # ticks in the window, a multiple of 64
            "qty_at",  # offset of the bid side in `qty`; the ask side follows
            "bits_at",  # offset of the bid tree in `bits`; the ask tree follows
            "tree_size",  # words of one tree
            "complete",  # 0 between a CLEAR and the LAST row of the snapshot after it
            "outside",  # rows whose tick is outside the window, not kept
            "quote",  # 1: an L1 book, fed by BBO rows
            "hidden",  # 1: levels may be out of sight, crossed by the other side; -1: never sought
        )
    ],
    align=True,
)


class Books(NamedTuple):
    """All books of a run. Units: qty in lots; bits are words of 64 ticks and their summaries."""

    heads: np.ndarray
    qty: np.ndarray
    bits: np.ndarray


def new_books(windows: list[tuple[int, int]], crossed: str = CROSSED[0]) -> Books:
    """Empty venue and view books for each (lowest tick, highest tick) of an instrument.

    `crossed`: one of CROSSED, when a level that the other side crossed is there again.
    """
    heads = np.zeros(2 * len(windows), HEAD)
    qty_at = bits_at = 0
    for i, (low, high) in enumerate(windows):
        size = -(-(high - low + 1) // 64) * 64
        for head in (heads[2 * i], heads[2 * i + 1]):
            head["bid"], head["ask"] = NO_BID, NO_ASK
            head["low"], head["size"] = low, size
            head["qty_at"], head["bits_at"] = qty_at, bits_at
            head["tree_size"] = tree_words(size)
            head["complete"] = 1
            head["hidden"] = 0 if crossed == CROSSED[0] else -1
            qty_at += 2 * size
            bits_at += 2 * int(head["tree_size"])
    return Books(heads, np.zeros(qty_at, np.int64), np.zeros(bits_at, np.int64))


@kernel
def next_bid(books: Books, head: Row, tick: int) -> int:
    """The next non-empty bid tick below `tick`, NO_BID when there is none."""
    position = tree_below(books.bits, head["bits_at"], head["size"], tick - head["low"])
    return NO_BID if position < 0 else position + head["low"]


@kernel
def next_ask(books: Books, head: Row, tick: int) -> int:
    """The next non-empty ask tick above `tick`, NO_ASK when there is none."""
    at = head["bits_at"] + head["tree_size"]
    position = tree_above(books.bits, at, head["size"], tick - head["low"])
    return NO_ASK if position < 0 else position + head["low"]


@kernel
def level_at(head: Row, side: int, tick: int) -> int:
    """The place of a level in `Books.qty`, -1 outside the window."""
    position = tick - head["low"]
    if position < 0 or position >= head["size"]:
        return -1
    return head["qty_at"] + side * head["size"] + position


@kernel
def level_lots(books: Books, head: Row, side: int, tick: int) -> int:
    """The quantity at a tick of one side, 0 outside the window."""
    position = tick - head["low"]
    if position < 0 or position >= head["size"]:
        return 0
    return books.qty[head["qty_at"] + side * head["size"] + position]


@kernel(inline=True)
def set_level(books: Books, head: Row, side: int, tick: int, lots: int) -> int:
    """State the quantity of one level; returns what stood there. Mutates: books, head."""
    return put_level(books, head, window_of(head), head["bid"], head["ask"], side, tick, lots)


@kernel(inline=True)
def window_of(head: Row) -> Any:
    """Where a book's levels are, which never changes: low, size, qty_at, bits_at, tree_size."""
    return head["low"], head["size"], head["qty_at"], head["bits_at"], head["tree_size"]


@kernel(inline=True)
def put_level(
    books: Books, head: Row, window: Any, bid: int, ask: int, side: int, tick: int, lots: int
) -> int:
    """`set_level` for a loop that keeps the window and the touch of the book beside it.

    This runs for every market event, and no branch predictor can guess whether a level comes or
    goes: the level's bit is written either way, and only a word that turns empty or filled, or a
    touch that moves, leaves the straight line.
    """
    low, size, qty_at, bits_at, tree_size = window
    position = tick - low
    if position < 0 or position >= size:
        head["outside"] += 1
        return 0
    at = qty_at + side * size + position
    before = books.qty[at]
    books.qty[at] = lots
    at = bits_at + side * tree_size + (position >> 6)
    word = books.bits[at]
    bit = mask(position & 63)
    now = word | bit if lots != 0 else word & ~bit
    books.bits[at] = now
    if (word == 0) != (now == 0):
        _word_turned(books, head, side, position, lots)
    above, below = tick - bid, ask - tick
    nearer = above if side == 0 else below
    if ((nearer == 0) & (lots == 0)) | ((nearer > 0) & (lots != 0)):
        _touch_moved(books, head, side, tick, lots)
    return before


@kernel
def _word_turned(books: Books, head: Row, side: int, position: int, lots: int) -> None:
    """A word of the bitmap got its first level or lost its last one. Mutates: books.bits."""
    out_of_line()
    words = head["size"] >> 6
    # What stands above the lowest words is a tree of its own over them.
    at = head["bits_at"] + side * head["tree_size"] + words
    if lots != 0:
        tree_set(books.bits, at, words, position >> 6, TREE_LEVELS - 1)
    else:
        tree_clear(books.bits, at, words, position >> 6, TREE_LEVELS - 1)


@kernel
def _touch_moved(books: Books, head: Row, side: int, tick: int, lots: int) -> None:
    """The best level went, or a better one came. Mutates: head.

    What a better one crosses is hidden; what is no longer crossed once the best went comes back.
    """
    out_of_line()
    if side == 0:
        if lots == 0:
            head["bid"] = next_bid(books, head, tick)
            if head["hidden"] > 0:
                _unhide(books, head, 0)
            return
        head["bid"] = tick
        if tick >= head["ask"]:
            head["ask"] = next_ask(books, head, tick)
            head["hidden"] |= 1  # -1 stays
    else:
        if lots == 0:
            head["ask"] = next_ask(books, head, tick)
            if head["hidden"] > 0:
                _unhide(books, head, 1)
            return
        head["ask"] = tick
        if tick <= head["bid"]:
            head["bid"] = next_bid(books, head, tick)
            head["hidden"] |= 1


@kernel
def _unhide(books: Books, head: Row, side: int) -> None:
    """The best of `side` went: levels that it crossed come back, then those that they do not cross.

    Mutates: head.
    """
    for k in range(2):
        if (side == 1) == (k == 0):
            head["bid"] = max(head["bid"], next_bid(books, head, head["ask"]))
        else:
            head["ask"] = min(head["ask"], next_ask(books, head, head["bid"]))
    # Levels are hidden as long as some stand nearer than the best of their side.
    nearer = next_bid(books, head, NO_ASK) != head["bid"]
    head["hidden"] = 1 if nearer or next_ask(books, head, NO_BID) != head["ask"] else 0


@kernel
def set_quote(books: Books, head: Row, side: int, tick: int, lots: int) -> int:
    """State the best of one side of an L1 book, or withdraw it. Mutates: books, head."""
    old = head["bid"] if side == 0 else head["ask"]
    head["quote"] = 1
    before = 0
    if old != NO_BID and old != NO_ASK:
        if old == tick:
            before = level_lots(books, head, side, tick)
        if old != tick or lots == 0:
            position = old - head["low"]
            books.qty[head["qty_at"] + side * head["size"] + position] = 0
            tree_clear(
                books.bits,
                head["bits_at"] + side * head["tree_size"],
                head["size"],
                position,
            )
    position = tick - head["low"]
    if lots != 0 and (position < 0 or position >= head["size"]):
        head["outside"] += 1
        lots = 0
    if lots != 0:
        books.qty[head["qty_at"] + side * head["size"] + position] = lots
        tree_set(books.bits, head["bits_at"] + side * head["tree_size"], head["size"], position)
    if side == 0:
        head["bid"] = tick if lots != 0 else NO_BID
    else:
        head["ask"] = tick if lots != 0 else NO_ASK
    return before


@kernel
def clear_side(books: Books, head: Row, side: int) -> None:
    """Empty one side by walking its bitmap only. Mutates: books, head."""
    at = head["bits_at"] + side * head["tree_size"]
    size = head["size"]
    position = tree_above(books.bits, at, size, -1)
    while position >= 0:
        books.qty[head["qty_at"] + side * size + position] = 0
        tree_clear(books.bits, at, size, position)
        position = tree_above(books.bits, at, size, position)
    if side == 0:
        head["bid"] = NO_BID
    else:
        head["ask"] = NO_ASK


@kernel
def apply_row(
    books: Books, head: Row, kind: int, side: int, tick: int, lots: int, flags: int
) -> int:
    """Apply one tape row that touches the book; returns the lots that stood at its level before.

    Mutates: books, head.
    """
    before = 0
    if kind == _LEVEL or kind == _SNAPSHOT:
        before = set_level(books, head, side, tick, lots)
    elif kind == _ADD:
        before = level_lots(books, head, side, tick)
        set_level(books, head, side, tick, before + lots)
    elif kind == _CANCEL or kind == _EXECUTE:
        before = level_lots(books, head, side, tick)
        if flags & _NO_BOOK == 0:
            set_level(books, head, side, tick, max(0, before - lots))
    elif kind == _BBO:
        before = set_quote(books, head, side, tick, lots)
    elif kind == _CLEAR:
        if side != 1:
            clear_side(books, head, 0)
        if side != 0:
            clear_side(books, head, 1)
        if head["hidden"] > 0:
            _unhide(books, head, side)
        head["complete"] = 0
    # A diff message (LEVEL rows) never completes a book that a gap has cleared.
    if flags & _LAST != 0 and kind != _LEVEL:
        head["complete"] = 1
    return before


@kernel
def is_valid(head: Row) -> bool:
    """Both sides quoted, not crossed, snapshot complete: only then may anything act on the book."""
    return bool(
        head["complete"] != 0
        and head["bid"] != NO_BID
        and head["ask"] != NO_ASK
        and head["bid"] < head["ask"]
    )
