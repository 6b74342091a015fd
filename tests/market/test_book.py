"""The tick-indexed book and its bitmap against two dictionaries, row by row."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive.book import NO_ASK, NO_BID, NaiveBook

from hft.core.codes import EventKind, Flag
from hft.core.jit import kernel
from hft.market.book import (
    CROSSED,
    Books,
    apply_row,
    is_valid,
    level_lots,
    new_books,
    next_ask,
    next_bid,
    tree_above,
    tree_below,
    tree_clear,
    tree_set,
    tree_words,
)
from hft.runs.prepare import WINDOW_TICKS

pytestmark = pytest.mark.nojit

LEVEL, CLEAR, SNAPSHOT = int(EventKind.LEVEL), int(EventKind.CLEAR), int(EventKind.SNAPSHOT)
ADD, CANCEL, EXECUTE = int(EventKind.ADD), int(EventKind.CANCEL), int(EventKind.EXECUTE)
BBO, LAST, NO_BOOK = int(EventKind.BBO), int(Flag.LAST), int(Flag.NO_BOOK)

Row = tuple[int, int, int, int, int]  # kind, side, tick, lots, flags


@kernel
def _play(books: Books, book: int, rows: np.ndarray, out: np.ndarray, ladder: np.ndarray) -> None:
    """Apply rows to one book, noting its head after each; then walk both sides from the best."""
    head = books.heads[book]
    for i in range(len(rows)):
        row = rows[i]
        out[i, 0] = apply_row(books, head, row[0], row[1], row[2], row[3], row[4])
        out[i, 1] = head["bid"]
        out[i, 2] = head["ask"]
        out[i, 3] = head["complete"]
        out[i, 4] = 1 if is_valid(head) else 0
        out[i, 5] = head["outside"]
    for side in range(2):
        tick = head["bid"] if side == 0 else head["ask"]
        k = 0
        while tick != NO_BID and tick != NO_ASK:
            ladder[side, k, 0] = tick
            ladder[side, k, 1] = level_lots(books, head, side, tick)
            tick = next_bid(books, head, tick) if side == 0 else next_ask(books, head, tick)
            k += 1


@kernel
def _tree(bits: np.ndarray, at: int, size: int, asks: np.ndarray, out: np.ndarray) -> None:
    """Each row of `asks`: 1 set, 0 clear, 2 ask only; then the neighbours of its position."""
    for i in range(len(asks)):
        if asks[i, 0] == 1:
            tree_set(bits, at, size, asks[i, 1])
        elif asks[i, 0] == 0:
            tree_clear(bits, at, size, asks[i, 1])
        out[i, 0] = tree_above(bits, at, size, asks[i, 1])
        out[i, 1] = tree_below(bits, at, size, asks[i, 1])


def agree(rows: list[Row], low: int = 90, high: int = 217, crossed: str = "returns") -> NaiveBook:
    """Play rows on kernel and twin; everything either side can see must be equal."""
    books, twin = new_books([(5, 80), (low, high)], crossed), NaiveBook(low, high, crossed)
    out = np.zeros((len(rows), 6), np.int64)
    ladder = np.zeros((2, high - low + 2, 2), np.int64)
    _play(books, 2, np.array(rows, np.int64).reshape(-1, 5), out, ladder)
    for k, row in enumerate(rows):
        before = twin.apply(*row)
        wanted = [before, *twin.best, twin.complete, twin.valid, twin.outside]
        assert out[k].tolist() == wanted, f"row {k}: {row}"
    for side in (0, 1):
        seen = [tuple(level) for level in ladder[side].tolist() if level != [0, 0]]
        assert seen == twin.ladder(side)
    _whole(books, twin)
    return twin


def _whole(books: Books, twin: NaiveBook) -> None:
    """The array holds the dictionary, and every word of the bitmap tells what is below it."""
    for index, head in enumerate(books.heads):
        size, at, tree = int(head["size"]), int(head["qty_at"]), int(head["bits_at"])
        for side in (0, 1):
            qty = books.qty[at + side * size : at + (side + 1) * size]
            lots = twin.lots[side] if index == 2 else {}
            wanted = np.zeros(size, np.int64)
            for tick, value in lots.items():
                wanted[tick - int(head["low"])] = value
            assert (qty == wanted).all(), "another book of the run was touched"
            _tree_tells(books.bits[tree + side * int(head["tree_size"]) :], qty != 0)


def _tree_tells(bits: np.ndarray, full: np.ndarray) -> None:
    at = 0
    while len(full) > 1:
        words = -(-len(full) // 64)
        padded = np.zeros(words * 64, bool)
        padded[: len(full)] = full
        groups = padded.reshape(words, 64)
        weights = np.uint64(1) << np.arange(64, dtype=np.uint64)
        wanted = (groups * weights).sum(axis=1, dtype=np.uint64)
        assert (bits[at : at + words].view(np.uint64) == wanted).all()
        full, at = wanted != 0, at + words


ticks = st.integers(86, 221)  # a little wider than the window
near = st.integers(98, 104)
some = st.one_of(near, near, near, ticks)
side = st.integers(0, 1)
lots = st.integers(0, 4)
flags = st.sampled_from([0, 0, 0, LAST])
l2_row = st.tuples(st.sampled_from([LEVEL] * 8 + [SNAPSHOT]), side, some, lots, flags)
clear_row = st.tuples(st.just(CLEAR), st.integers(0, 2), st.just(0), st.just(0), st.just(0))
l3_row = st.tuples(
    st.sampled_from([ADD, ADD, CANCEL, EXECUTE]),
    side,
    some,
    st.integers(1, 4),
    st.sampled_from([0, 0, LAST, NO_BOOK, NO_BOOK | LAST]),
)
bbo_row = st.tuples(st.just(BBO), side, some, lots, flags)


@settings(max_examples=120)
@given(st.lists(st.one_of(l2_row, l2_row, l2_row, l2_row, clear_row), max_size=80))
def test_levels_and_snapshots_are_the_twins(rows: list[Row]) -> None:
    for crossed in CROSSED:
        bid, ask = agree(rows, crossed=crossed).best
        assert bid < ask, "a book fed by levels is never crossed"


@settings(max_examples=80)
@given(st.lists(st.one_of(l3_row, l3_row, l3_row, l3_row, clear_row), max_size=80))
def test_orders_are_the_twins(rows: list[Row]) -> None:
    agree(rows)


@settings(max_examples=80)
@given(st.lists(st.one_of(bbo_row, bbo_row, bbo_row, clear_row), max_size=60))
def test_quotes_are_the_twins(rows: list[Row]) -> None:
    twin = agree(rows)
    assert all(len(side) <= 1 for side in twin.lots), "an L1 side has one level at most"


def test_a_thousand_random_rows_over_a_wide_window_are_the_twins() -> None:
    chance = random.Random(5)
    rows = [
        (LEVEL, chance.randrange(2), chance.randrange(0, 9_000), chance.randrange(3), 0)
        for _ in range(1_000)
    ]
    agree(rows, low=100, high=8_291)


def test_a_crossed_level_is_hidden_and_comes_back_when_what_crossed_it_goes() -> None:
    rows = [(LEVEL, 0, 100, 5, 0), (LEVEL, 0, 99, 7, 0), (LEVEL, 1, 101, 5, 0)]
    crossed = agree([*rows, (LEVEL, 1, 100, 3, 0)])
    assert crossed.best == [99, 100] and crossed.at(0, 100) == 5
    gone = agree([*rows, (LEVEL, 1, 100, 3, 0), (LEVEL, 1, 100, 0, 0)])
    assert gone.best == [100, 101], "the feed did not say that the bid at 100 went"
    above = agree([*rows, (LEVEL, 1, 100, 3, 0), (LEVEL, 0, 102, 1, 0), (LEVEL, 0, 102, 0, 0)])
    assert above.ladder(0) == [(100, 5), (99, 7)] and above.best[1] == 101
    assert above.at(1, 100) == 3, "still crossed by the bid at 100, and out of sight"


def test_a_crossed_level_is_back_only_when_the_tape_states_it_where_one_asks_for_that() -> None:
    rows = [(LEVEL, 0, 98, 5, 0), (LEVEL, 0, 100, 7, 0), (LEVEL, 1, 99, 1, 0), (LEVEL, 1, 99, 0, 0)]
    assert agree(rows).best == [100, NO_ASK]
    assert agree(rows, crossed="restated").best == [98, NO_ASK]
    assert agree([*rows, (LEVEL, 0, 100, 6, 0)], crossed="restated").best == [100, NO_ASK]
    cleared = [*rows[:3], (CLEAR, 1, 0, 0, 0)]
    assert agree(cleared, crossed="restated").best == [98, NO_ASK]


def test_a_level_of_the_same_side_comes_back_once_what_hid_it_is_hidden() -> None:
    rows = [(LEVEL, 0, 125, 1, 0), (LEVEL, 1, 127, 1, 0), (LEVEL, 0, 129, 40, 0)]
    rows += [(LEVEL, 1, 129, 1, 0), (LEVEL, 1, 128, 1, 0)]
    assert agree(rows).best == [125, 128], "127 was crossed by the bid at 129, which 129 hides now"
    assert agree([*rows, (LEVEL, 1, 128, 0, 0)]).best == [125, 127]


def test_a_cleared_side_brings_back_what_it_had_crossed() -> None:
    rows = [(LEVEL, 0, 100, 5, 0), (LEVEL, 0, 99, 7, 0), (LEVEL, 1, 99, 5, 0)]
    assert agree(rows).best == [NO_BID, 99]
    assert agree([*rows, (CLEAR, 1, 0, 0, 0)]).best == [100, NO_ASK]


def test_the_feed_that_says_a_hidden_level_is_gone_is_believed() -> None:
    rows = [(LEVEL, 0, 100, 5, 0), (LEVEL, 1, 101, 5, 0), (LEVEL, 1, 100, 3, 0)]
    twin = agree([*rows, (LEVEL, 0, 100, 0, 0), (LEVEL, 0, 98, 1, 0)])
    assert twin.ladder(0) == [(98, 1)]


def test_only_the_last_row_of_a_snapshot_makes_a_cleared_book_valid() -> None:
    snapshot = [(CLEAR, 2, 0, 0, 0), (SNAPSHOT, 0, 100, 5, 0), (SNAPSHOT, 1, 101, 5, 0)]
    assert not agree(snapshot).valid
    assert not agree([*snapshot, (LEVEL, 0, 100, 6, LAST)]).valid, "a diff completes nothing"
    assert agree([*snapshot, (SNAPSHOT, 1, 102, 5, LAST)]).valid


def test_clearing_one_side_keeps_the_other_and_is_invalid_too() -> None:
    rows = [(LEVEL, 0, 100, 5, 0), (LEVEL, 1, 101, 5, 0), (CLEAR, 0, 0, 0, 0)]
    twin = agree(rows)
    assert twin.best == [NO_BID, 101] and not twin.valid


def test_a_row_outside_the_window_is_counted_and_changes_nothing() -> None:
    twin = agree([(LEVEL, 0, 100, 5, 0), (LEVEL, 1, 10_000, 5, 0), (LEVEL, 0, -3, 5, 0)])
    assert twin.outside == 2 and twin.best == [100, NO_ASK]


def test_a_locked_quote_is_shown_and_is_not_valid() -> None:
    twin = agree([(BBO, 0, 101, 5, 0), (BBO, 1, 101, 5, 0)])
    assert twin.best == [101, 101] and not twin.valid


@settings(max_examples=60)
@given(
    st.sampled_from([64, 128, 4_096, 4_160, 300_032]),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1 << 20)), min_size=1, max_size=60),
)
def test_the_bitmap_finds_the_neighbours_of_a_sorted_list(
    size: int, asks: list[tuple[int, int]]
) -> None:
    asks = [(op, position % size) for op, position in asks]
    asks += [(1, 0), (1, size - 1), (2, size // 2), (0, size - 1), (2, size - 1), (2, 0)]
    offset = 3  # a tree does not begin at the array's first word
    bits, out = np.zeros(tree_words(size) + 5, np.int64), np.zeros((len(asks), 2), np.int64)
    _tree(bits, offset, size, np.array(asks, np.int64), out)
    full: set[int] = set()
    for (op, position), (up, down) in zip(asks, out.tolist(), strict=True):
        if op == 1:
            full.add(position)
        elif op == 0:
            full.discard(position)
        assert up == min((p for p in full if p > position), default=-1)
        assert down == max((p for p in full if p < position), default=-1)


def test_the_bitmap_may_be_asked_beyond_both_ends() -> None:
    size = 128
    bits, out = np.zeros(tree_words(size), np.int64), np.zeros((6, 2), np.int64)
    asks = np.array([[1, 5], [1, 90], [2, -7], [2, -1], [2, size], [2, size + 9]], np.int64)
    _tree(bits, 0, size, asks, out)
    assert out[2:].tolist() == [[5, -1], [5, -1], [-1, 90], [-1, 90]]


def test_the_bitmap_reaches_across_the_middle_of_the_widest_window() -> None:
    size = 2 * WINDOW_TICKS + 64
    middle = WINDOW_TICKS
    bits, out = np.zeros(tree_words(size), np.int64), np.zeros((5, 2), np.int64)
    asks = [[1, middle - 5], [1, middle + 3], [1, size - 1], [2, 0], [2, size]]
    _tree(bits, 0, size, np.array(asks, np.int64), out)
    assert out[1].tolist() == [-1, middle - 5]
    assert out[2].tolist() == [-1, middle + 3]
    assert out[3].tolist() == [middle - 5, -1]
    assert out[4].tolist() == [-1, size - 1]
