"""Whole books in own tables: repeated snapshots, lists of levels, a column a number."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from hft.core.codes import EventKind, Flag
from hft.core.errors import DataError
from hft.feeds.base import DecodeOptions, settle
from hft.feeds.frame import decode, decode_frame
from hft.feeds.merge import merge_feeds

pytestmark = pytest.mark.nojit

OPTIONS = DecodeOptions(symbol="X", tick=Decimal("0.5"), lot=Decimal(1))
NOON_MS = 1_704_196_800_000
CLEAR, SNAPSHOT, LEVEL = EventKind.CLEAR, EventKind.SNAPSHOT, EventKind.LEVEL
LAST = Flag.LAST.value
# Two books whose prices move up through each other: mixed, they would be crossed.
BOOKS = [
    ([[100.0, 2.0], [99.5, 1.0]], [[100.5, 3.0]]),
    ([[101.5, 4.0]], [[102.0, 5.0], [102.5, 6.0]]),
]


def long(books=BOOKS, **more):
    rows = [
        {"timestamp": NOON_MS + 100 * at, "side": side, "price": price, "amount": qty}
        for at, book in enumerate(books)
        for side, levels in zip(("bid", "ask"), book, strict=True)
        for price, qty in levels
    ]
    return pl.DataFrame(rows).with_columns(**{name: pl.lit(one) for name, one in more.items()})


def listed(books=BOOKS, wrap=json.dumps):
    return pl.DataFrame(
        {
            "timestamp": [NOON_MS + 100 * at for at in range(len(books))],
            "bids": [wrap(bids) for bids, _ in books],
            "asks": [wrap(asks) for _, asks in books],
        }
    )


def wide(price="{side}_{at}_price", amount="{side}_{at}_amount"):
    rows = []
    for at, book in enumerate(BOOKS):
        row = {"timestamp": NOON_MS + 100 * at, "nonce": at}
        for side, levels in zip(("bid", "ask"), book, strict=True):
            for level in range(2):
                there = level < len(levels)
                row[price.format(side=side, at=level)] = levels[level][0] if there else None
                row[amount.format(side=side, at=level)] = levels[level][1] if there else None
        rows.append(row)
    return pl.DataFrame(rows)


def read(frame, options=OPTIONS):
    (feed,) = decode_frame(frame, options)
    return feed


def whole(feed):
    """What each moment's book is, from rows that must say: clear, levels, the last one LAST."""
    columns = feed.columns
    books: list[dict] = []
    for kind, side, price, qty, flags in zip(
        *(columns[at].tolist() for at in (2, 3, 4, 5, 7)), strict=True
    ):
        if kind == CLEAR:
            books.append({})
        else:
            assert kind == SNAPSHOT
            books[-1][side, price / 2] = qty
        books[-1]["ended"] = flags == LAST
    assert all(book.pop("ended") for book in books)
    return books


WANTED = [{(side, price): qty for side in (0, 1) for price, qty in book[side]} for book in BOOKS]


@pytest.mark.parametrize(
    "frame",
    [
        long(is_snapshot=True),
        listed(),
        listed(wrap=lambda levels: levels),
        listed(wrap=lambda levels: json.dumps([[str(p), str(q), 7] for p, q in levels])),
        listed(wrap=lambda levels: json.dumps([[p, q, 7.0] for p, q in levels])),
        wide(),
        wide("{side}_price_{at}", "{side}_qty_{at}"),
    ],
    ids=["long", "json", "lists", "quoted", "triples", "wide", "number last"],
)
def test_each_moment_is_a_book_of_its_own_that_replaces_the_one_before(frame):
    feed = read(frame)
    assert whole(feed) == WANTED
    found = {finding.name for finding in settle(feed, OPTIONS).findings}
    assert found == {"assumed_clock"}  # neither crossed nor never valid


def test_rows_without_a_time_of_both_sides_are_one_snapshot():
    frame = long(BOOKS[:1], is_snapshot=True)
    frame = frame.with_columns(timestamp=NOON_MS + pl.int_range(pl.len()))
    feed = read(frame)
    assert feed.columns.kind.tolist() == [CLEAR, SNAPSHOT, SNAPSHOT, SNAPSHOT]
    assert feed.columns.flags.tolist() == [0, 0, 0, LAST]


def test_one_message_is_one_snapshot_whatever_the_exchange_times_of_its_levels():
    frame = long(is_snapshot=True).with_columns(local_ts=pl.lit(NOON_MS + 900))
    assert read(frame).columns.kind.tolist() == [CLEAR, *[SNAPSHOT] * 6]


def test_updates_between_snapshots_stay_updates():
    snapshots = [True] * 3 + [False] * 2 + [True] * 2
    times = [0, 0, 0, 1, 2, 2, 2]
    frame = pl.DataFrame(
        {
            "ts": [NOON_MS + at for at in times],
            "is_snapshot": snapshots,
            "side": ["bid", "ask", "ask", "bid", "ask", "bid", "ask"],
            "price": [100.0, 100.5, 101.0, 100.0, 100.5, 100.0, 101.0],
            "qty": [1, 1, 1, 2, 0, 5, 5],
        }
    )
    feed = read(frame)
    kinds = [CLEAR, *[SNAPSHOT] * 3, LEVEL, LEVEL, CLEAR, SNAPSHOT, SNAPSHOT]
    assert feed.columns.kind.tolist() == kinds
    assert feed.columns.flags.tolist() == [0, 0, 0, LAST, LAST, LAST, 0, 0, LAST]


def test_a_row_without_levels_is_an_empty_book():
    books = [BOOKS[0], ([], []), BOOKS[1]]
    feed = read(listed(books))
    assert whole(feed) == [WANTED[0], {}, WANTED[1]]
    assert [one.name for one in settle(feed, OPTIONS).findings].count("one_sided") == 1


def test_an_empty_side_of_a_list_or_an_empty_cell_has_no_levels():
    frame = pl.DataFrame(
        {"ts": [NOON_MS, NOON_MS + 1], "bids": ["", "[[100.0, 1]]"], "asks": ["[[101.0, 2]]", None]}
    )
    assert whole(read(frame)) == [{(1, 101.0): 2}, {(0, 100.0): 1}]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("[[100.0", r"column 'bids', row 3: '\[\[100.0' is no list of .price, quantity."),
        ("[[100.0]]", r"column 'bids', row 3: a level is no .price, quantity."),
        ("[[100.0, null]]", r"row 3: price is missing"),
        ('[["x", 1]]', r"column 'bids', row 3: .* is no list of"),
    ],
)
def test_a_cell_that_is_no_list_of_levels_is_named_by_column_and_row(cell, said, tmp_path: Path):
    frame = listed().with_columns(bids=pl.Series(["[[100.0, 1.0]]", cell]))
    frame.write_csv(tmp_path / "books.csv")
    with pytest.raises(DataError, match=said):
        decode([tmp_path / "books.csv"], OPTIONS)


def test_each_symbol_has_its_books_and_the_rows_of_the_file():
    frame = listed().with_columns(symbol=pl.Series(["A", "B"]))
    frame = frame.with_columns(asks=pl.Series(["[[100.5, 3]]", "[[102.2, 5]]"]))
    first, second = decode_frame(frame, replace(OPTIONS, symbol=None), first_row=2)
    assert (first.instrument.symbol, second.instrument.symbol) == ("A", "B")
    (off,) = [one for one in second.findings if one.name == "off_grid"]
    assert (off.count, off.first_row) == (1, 3)


def test_levels_without_is_snapshot_are_refused_with_the_cure():
    feed = read(long())
    said = r"row 1: book_side: 6 of 6 rows .read as trades.*column is_snapshot .*--waive book_side"
    with pytest.raises(DataError, match=said):
        settle(feed, OPTIONS)
    assert settle(feed, replace(OPTIONS, waive=("book_side",))).source["waived"] == ["book_side"]


def test_trades_of_buyers_and_sellers_are_no_levels():
    frame = long().with_columns(side=pl.Series(["buy", "sell", "b", "a", "s", "1"]))
    assert "book_side" not in {one.name for one in read(frame).findings}


def test_a_tape_says_as_what_its_rows_were_read():
    trades = long().with_columns(side=pl.lit("buy"))
    quotes = pl.DataFrame({"ts": [NOON_MS], "bid": [100.0], "ask": [100.5]})
    read_as = [
        read(frame).source["layout"]
        for frame in (trades, quotes, long(is_snapshot=True), listed(), wide(), long(kind="trade"))
    ]
    assert read_as == ["trades", "quotes", "levels", "books", "books", "events"]
    (merged,) = merge_feeds([read(quotes), read(trades)])
    assert merged.source["layout"] == "quotes + trades"


def test_a_wide_table_that_is_no_layout_is_refused_in_few_words():
    frame = pl.DataFrame({"ts": [NOON_MS], **{f"level{at}": [1.0] for at in range(40)}})
    with pytest.raises(DataError, match=r"level6 and 33 more are no layout: .*is_snapshot") as no:
        read(frame)
    assert "level7" not in str(no.value)


def test_dust_of_a_frames_arithmetic_is_the_tick_but_text_is_exact():
    frame = pl.DataFrame({"ts": [NOON_MS], "bid": [100.02 - 0.01], "ask": [100.02000000000001]})
    options = replace(OPTIONS, tick=Decimal("0.01"))
    feed = read(frame, options)
    assert feed.columns.price.tolist() == [10001, 10002]
    assert "float_dust" in {one.name for one in feed.findings}
    exact = read(frame.with_columns(ask=pl.lit("100.02000000000001")), options)
    assert "off_grid" in {one.name for one in exact.findings}
    rounded = read(frame.with_columns(pl.col("bid", "ask").round(2)), options)
    assert not {"float_dust", "off_grid"} & {one.name for one in rounded.findings}
