"""LOBSTER: what a message becomes, what is refused, and the provider's own order book."""

import gzip
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.core.codes import EventKind, Flag, StatusCode
from hft.core.errors import DataError
from hft.feeds import lobster
from hft.feeds.base import DecodeOptions, settle
from hft.tape.schema import Feed

NAME = "AAPL_2012-06-21_34200000_37800000_message_50.csv"
BOOK_NAME = "AAPL_2012-06-21_34200000_57600000_orderbook_1.csv.gz"
OPEN_NS = 1_340_285_400_000_000_000  # 2012-06-21 09:30 in New York is 13:30 UTC


def decode(tmp_path: Path, *lines: str, name: str = NAME) -> Feed:
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return lobster.decode([path], DecodeOptions(format="lobster"))[0]


def table(feed: Feed) -> list[tuple]:
    """(kind, side, price, qty, order id, flags) of every row."""
    return list(zip(*(column.tolist() for column in feed.columns[2:]), strict=True))


def named(feed: Feed) -> dict[str, tuple[int, int]]:
    return {finding.name: (finding.count, finding.first_row) for finding in feed.findings}


def test_each_message_type_becomes_its_row_and_volume_is_there_once(tmp_path: Path) -> None:
    feed = decode(
        tmp_path,
        "34200.000000001,1,11,100,5850000,1",
        "34200.1,1,12,50,5850100,-1",
        "34200.2,2,11,30,5850000,1",
        "34200.3,4,11,20,5850000,1",
        "34200.4,5,0,7,5850000,1",
        "34200.5,6,0,900,5850100,-1",
        "34200.6,7,0,0,-1,-1",
        "34200.7,7,0,0,1,-1",
        "34200.8,3,12,50,5850100,-1",
    )
    last = Flag.LAST
    assert table(feed) == [
        (EventKind.CLEAR, 2, 0, 0, 0, 0),
        (EventKind.ADD, 0, 58500, 100, 11, 0),
        (EventKind.ADD, 1, 58501, 50, 12, last),
        (EventKind.CANCEL, 0, 58500, 30, 11, last),
        (EventKind.EXECUTE, 0, 58500, 20, 11, last),
        (EventKind.TRADE, 1, 58500, 7, 0, last | Flag.HIDDEN),
        (EventKind.TRADE, 2, 58501, 900, 0, last | Flag.AUCTION),
        (EventKind.STATUS, 2, 0, StatusCode.HALT, 0, last),
        (EventKind.STATUS, 2, 0, StatusCode.OPEN, 0, last),
        (EventKind.CANCEL, 1, 58501, 50, 12, last),
    ]
    assert feed.columns.exch_ts[1] == OPEN_NS + 1
    assert set(named(feed)) == {"missing_snapshot", "assumed_clock"}
    assert feed.source["day"] == "20120621"


def test_the_book_is_not_valid_before_orders_of_the_file_rest_on_both_sides(
    tmp_path: Path,
) -> None:
    feed = decode(
        tmp_path,
        "34200.1,1,1,10,5850000,1",
        "34200.2,3,1,10,5850000,1",
        "34200.3,1,2,10,5850100,-1",
        "34200.4,4,99,10,5850200,-1",
        "34200.5,1,3,10,5850000,1",
    )
    assert [bool(flags & Flag.LAST) for *_, flags in table(feed)] == [False] * 5 + [True]


def test_events_of_orders_from_before_the_file_never_touch_the_lots_of_others(
    tmp_path: Path,
) -> None:
    feed = decode(
        tmp_path,
        "34200.1,1,1,10,5850000,1",
        "34200.2,2,98,4,5850000,1",
        "34200.3,3,98,3,5850000,1",
        "34200.4,4,99,7,5850000,1",
    )
    assert [row[:5] for row in table(feed)[1:]] == [
        (EventKind.ADD, 0, 58500, 10, 1),
        (EventKind.TRADE, 1, 58500, 7, 0),
    ]
    assert named(feed)["unknown_order_id"] == (3, 2)


def test_winter_days_are_an_hour_later_in_utc(tmp_path: Path) -> None:
    line = "34200.0,1,1,10,5850000,1"
    name = "AAPL_2013-01-02_34200000_37800000_message_1.csv"
    feed = decode(tmp_path, line, name=name)
    assert feed.columns.exch_ts[1] == 1_357_137_000_000_000_000


@settings(max_examples=50)
@given(ns=st.integers(0, 86_400 * 10**9 - 1))
def test_every_nanosecond_of_the_day_survives_the_decimal_time(
    tmp_path_factory: pytest.TempPathFactory, ns: int
) -> None:
    line = f"{ns // 10**9}.{ns % 10**9:09d},1,1,10,5850000,1"
    feed = decode(tmp_path_factory.mktemp("ns"), line)
    assert feed.columns.exch_ts[1] == OPEN_NS - 34_200 * 10**9 + ns


def test_a_hidden_print_between_two_ticks_is_left_out_but_an_order_there_is_refused(
    tmp_path: Path,
) -> None:
    feed = decode(tmp_path, "34200.1,5,0,7,5850050,1", "34200.2,1,1,5,5850000,1")
    assert [row[0] for row in table(feed)] == [EventKind.CLEAR, EventKind.ADD]
    assert named(feed)["skipped"] == (1, 1)
    off = decode(tmp_path, "34200.1,1,1,5,5850050,1")
    with pytest.raises(DataError, match="off_grid"):
        settle(off, DecodeOptions())


def test_an_order_added_twice_and_one_of_no_size_are_left_out(tmp_path: Path) -> None:
    feed = decode(
        tmp_path,
        "34200.1,1,1,5,5850000,1",
        "34200.2,1,1,5,5850000,1",
        "34200.3,1,2,0,5850100,-1",
    )
    assert len(table(feed)) == 2
    assert named(feed)["duplicate"] == (1, 2) and named(feed)["zero_qty"] == (1, 3)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["34200.1,1,1,5,5850000,1", "34200.2,1,1,x,5850000,1"], "row 2: '34200.2,1,1,x"),
        (["34200.1,1,1,5,5850000"], "row 1"),
        (["34200.1,9,1,5,5850000,1"], "row 1: '34200.1,9"),
        (["34200.1,1,1,5,5850000,1,8"], "row 1"),
        (["34200.1,1,1,5,5850000,2"], "direction 1 or -1"),
        (["34200.1,7,0,0,5,1"], "row 1: price 5 of a halt"),
        (["time,type,id,size,price,direction"], "row 1: 'time"),
    ],
)
def test_a_row_that_is_no_message_is_named(tmp_path: Path, lines: list[str], text: str) -> None:
    with pytest.raises(DataError, match=text) as refusal:
        decode(tmp_path, *lines)
    assert NAME in str(refusal.value)


def test_names_without_a_day_torn_files_and_books_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no symbol and day"):
        decode(tmp_path, "34200.1,1,1,5,5850000,1", name="messages.csv")
    torn = tmp_path / f"{NAME}.gz"
    torn.write_bytes(gzip.compress(b"34200.1,1,1,5,5850000,1\n" * 1000)[:-9])
    with pytest.raises(DataError, match="cut short or corrupt"):
        lobster.decode([torn], DecodeOptions())
    with pytest.raises(DataError, match="give its message file"):
        lobster.decode([tmp_path / BOOK_NAME], DecodeOptions())


def test_a_message_file_is_recognised_by_name_and_first_line() -> None:
    line = b"34200.004241176,1,16113575,18,5853300,1\n"
    assert lobster.sniff(line, Path(NAME)) == "lobster"
    assert lobster.sniff(line, Path("trades.csv")) is None
    assert lobster.sniff(b"a,b\n", Path(NAME)) is None


# Truth: the provider's own order book ---------------------------------------------------------

Top = tuple[int, int, int, int]  # ask price, ask size, bid price, bid size, as the provider writes


@dataclass
class Replay:
    """The book of a tape by dictionaries, with the time of each new best price."""

    orders: dict[int, list[int]] = field(default_factory=dict)  # id -> [side, price, left]
    levels: tuple[dict[int, int], dict[int, int]] = field(default_factory=lambda: ({}, {}))
    tops: list[Top] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def apply(self, kind: int, side: int, price: int, qty: int, order_id: int) -> None:
        level = self.levels[side] if side < 2 else {}
        if kind == EventKind.ADD:
            self.orders[order_id] = [side, price, qty]
            level[price] = level.get(price, 0) + qty
        elif kind in (EventKind.CANCEL, EventKind.EXECUTE):
            order = self.orders[order_id]
            assert order[:2] == [side, price] and order[2] >= qty > 0
            order[2] -= qty
            level[price] -= qty
            if not order[2]:
                del self.orders[order_id]
            if not level[price]:
                del level[price]

    def play(self, feed: Feed) -> None:
        for ts, row in zip(feed.columns.exch_ts.tolist(), table(feed), strict=True):
            self.apply(*row[:5])
            bids, asks = self.levels
            if not bids or not asks:
                continue
            bid, ask = max(bids), min(asks)
            top = (ask * 100, asks[ask], bid * 100, bids[bid])
            if not self.tops or self.tops[-1] != top:
                self.tops.append(top)
                self.times.append(ts)


Unknown = tuple[int, int, int]  # time, side, price in ticks


def unknown_orders(path: Path) -> list[Unknown]:
    """Removals of orders that no message before them added, from the lines of the file."""
    seen, found = set(), []
    with gzip.open(path, "rt") as file:
        for line in file:
            seconds, what, order_id, _, price, direction = line.strip().split(",")
            if what == "1":
                seen.add(order_id)
            elif what in "234" and order_id not in seen:
                whole, _, part = seconds.partition(".")
                ts = OPEN_NS + (int(whole) - 34_200) * 10**9 + int(part.ljust(9, "0"))
                found.append((ts, int(direction == "-1"), int(price) // 100))
    return found


def provider_tops(path: Path) -> list[Top]:
    tops: list[Top] = []
    with gzip.open(path, "rt") as file:
        for line in file:
            ask, ask_size, bid, bid_size = map(int, line.split(","))
            if not tops or tops[-1] != (ask, ask_size, bid, bid_size):
                tops.append((ask, ask_size, bid, bid_size))
    return tops


def resynchronise(ours: list[Top], theirs: list[Top], reach: int = 200, run: int = 3) -> tuple:
    """The nearest places ahead where `run` states agree again: how far in each sequence."""
    for total in range(1, 2 * reach):
        for skip in range(max(0, total - reach), min(total, reach) + 1):
            there = total - skip
            if ours[skip : skip + run] == theirs[there : there + run] != []:
                return skip, there
    raise AssertionError(f"{reach} states on, the sequences still differ: {ours[:2]} {theirs[:2]}")


def was_beyond_the_file(feed: Feed, order_id: int, until: int) -> bool:
    """Whether 50 better levels ever hid a resting order, so that the file missed how it left."""
    book = Replay()
    for ts, row in zip(feed.columns.exch_ts.tolist(), table(feed), strict=True):
        if ts >= until:
            return False
        book.apply(*row[:5])
        if order_id in book.orders:
            side, price, _ = book.orders[order_id]
            if sum(p > price if side == 0 else p < price for p in book.levels[side]) >= 50:
                return True
    return False


def cause(
    ours: Top, theirs: Top, ts: int, feed: Feed, replay: Replay, unknown: list[Unknown]
) -> str:
    """Why two states differ, told from the best price of the side on which they do."""
    for side, at in ((1, 0), (0, 2)):
        if ours[at : at + 2] == theirs[at : at + 2]:
            continue
        price, his_price = ours[at] // 100, theirs[at] // 100
        if any(later >= ts and (s, p) == (side, his_price) for later, s, p in unknown):
            return "an order at the touch that the messages never added, but remove later"
        for order_id, order in replay.orders.items():
            if order[:2] == [side, price] and was_beyond_the_file(feed, order_id, ts):
                return "an order of ours that left while beyond the 50 levels of the file"
    return f"UNEXPLAINED at {ts}: {ours} {theirs}"


def test_the_rebuilt_touch_is_the_providers_order_book_of_the_first_hour(
    shared_data: Path,
) -> None:
    folder = shared_data / "lobster_aapl_20120621"
    if not folder.is_dir():
        pytest.skip(f"no recording in {folder}")
    feed = lobster.decode([folder / f"{NAME}.gz"], DecodeOptions())[0]
    unknown = unknown_orders(folder / f"{NAME}.gz")
    replay = Replay()
    replay.play(feed)
    ours, theirs = replay.tops, provider_tops(folder / BOOK_NAME)
    i = j = matched = stretches = 0
    excluded: Counter[str] = Counter()
    while i < len(ours) and j < len(theirs):
        if ours[i] == theirs[j]:
            matched, i, j = matched + 1, i + 1, j + 1
            continue
        mine, his = resynchronise(ours[i : i + 400], theirs[j : j + 400])
        reason = cause(ours[i], theirs[j], replay.times[i], feed, replay, unknown)
        excluded[reason] += max(mine, his)
        stretches += 1
        i, j = i + mine, j + his
    print(f"states compared: {len(ours)}; matched: {matched}; stretches excluded: {stretches}")
    for reason, count in excluded.most_common():
        print(f"  {count:6} {reason}")
    assert i == len(ours) > 20_000, "the whole hour is compared"
    assert not any(reason.startswith("UNEXPLAINED") for reason in excluded)
    # Each unknown order can hide at one touch; more stretches than that need another cause.
    assert stretches <= len(unknown)
    assert matched >= 0.99 * len(ours)
    assert len(unknown) == named(feed)["unknown_order_id"][0] == 84
