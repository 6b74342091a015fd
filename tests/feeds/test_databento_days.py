"""Databento: whole days against truth that nobody here wrote.

Raw records (never our rows) are replayed with dictionaries, so that decoder and test can only
agree by both being right.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.feeds import databento
from hft.feeds import databento_records as dbn
from hft.feeds.base import DecodeOptions, settle
from hft.feeds.days import split_days
from hft.feeds.merge import merge_feeds
from hft.tape.schema import Feed
from tests.feeds.databento_files import (
    DEFINITIONS,
    ES,
    FIRST_DAY,
    OPTIONS,
    QUOTES,
    SECOND_DAY,
    TRADES,
    named,
    table,
)

# Truth: days that nobody here wrote -----------------------------------------------------------

Event = tuple[str, str, int, int, int, int, int]


def raw_events(path: Path) -> list[Event]:
    """(action, side, price, size, order id, flags, ts_event) of every record."""
    records = dbn.read(path).records
    names = ("action", "side", "price", "size", "order_id", "flags", "ts_event")
    rows = zip(*(records[name].tolist() for name in names), strict=True)
    return [(chr(action), chr(side), *rest) for action, side, *rest in rows]


class Queues:
    """Live orders and their first-in-first-out queues, from the meaning of the records alone."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[str, int]] = {}
        self.queues: dict[tuple[str, int], OrderedDict[int, int]] = {}
        self.filled: Counter[int] = Counter()  # lots of the running match event, not yet booked
        self.refills = 0

    def add(self, side: str, price: int, size: int, order_id: int) -> None:
        self.orders[order_id] = (side, price)
        self.queues.setdefault((side, price), OrderedDict())[order_id] = size

    def remove(self, order_id: int) -> None:
        where = self.orders.pop(order_id)
        del self.queues[where][order_id]
        if not self.queues[where]:
            del self.queues[where]
        self.filled.pop(order_id, None)

    def modify(self, side: str, price: int, size: int, order_id: int) -> None:
        queue = self.queues[self.orders[order_id]]
        left = queue[order_id] - self.filled.pop(order_id, 0)
        if self.orders[order_id] == (side, price) and size <= left:
            queue[order_id] = size
            return
        self.refills += self.orders[order_id] == (side, price)
        self.remove(order_id)
        self.add(side, price, size, order_id)

    def waiting(self, key: tuple[str, int]) -> list[int]:
        """Orders of one queue that the running match event has not used up, first in front."""
        queue = self.queues.get(key, {})
        return [order for order, size in queue.items() if self.filled[order] < size]

    def ahead_of(self, side: str, price: int, order_id: int) -> list[int]:
        """Every order that price-time priority puts before this one."""
        better = [
            key
            for key in self.queues
            if key[0] == side and (key[1] > price if side == "B" else key[1] < price)
        ]
        ahead = [order for key in better for order in self.waiting(key)]
        for order in self.waiting((side, price)):
            if order == order_id:
                break
            ahead.append(order)
        return ahead


def changes_later(events: Sequence[Event]) -> Iterator[set[int]]:
    """For each event: the orders that change later in the same match event (same ts_event)."""
    later: list[set[int]] = []
    seen: set[int] = set()
    ts = None
    for action, *_, order_id, _flags, ts_event in reversed(events):
        if ts_event != ts:
            seen, ts = set(), ts_event
        later.append(set(seen) if action == "F" else set())
        if action in "CM":
            seen.add(order_id)
    return reversed(later)


def test_every_fill_of_the_day_is_at_the_head_of_its_queue_or_explained(es: Any) -> None:
    events = raw_events(es(SECOND_DAY))
    book, classes, unknown, aggressor = Queues(), Counter[str](), 0, 0
    for event, later in zip(events, changes_later(events), strict=True):
        action, side, price, size, order_id, *_ = event
        if action == "A":
            book.add(side, price, size, order_id)
        elif action == "T":
            aggressor = order_id
        elif action in "CM":
            if order_id not in book.orders:
                unknown += 1
            elif action == "M":
                book.modify(side, price, size, order_id)
            else:
                assert size == book.queues[book.orders[order_id]][order_id]
                book.remove(order_id)
        elif side == "N":
            classes["opening auction: one price, no aggressor"] += 1
        elif order_id == aggressor:
            classes["the aggressor's own order, amended into the market"] += 1
        else:
            assert book.orders[order_id] == (side, price), "a fill away from its order's price"
            ahead = book.ahead_of(side, price, order_id)
            if not ahead:
                classes["at the head"] += 1
            elif all(order in later for order in ahead):
                classes["orders ahead leave in the same match event"] += 1
            else:
                classes["UNEXPLAINED"] += 1
        if action == "F" and order_id in book.orders:
            book.filled[order_id] += size
    fills = sum(classes.values())
    print(f"fills compared: {fills}; unknown ids: {unknown}; icebergs refilled: {book.refills}")
    for name, count in classes.most_common():
        print(f"  {count:6} {name}")
    assert unknown == 0
    assert fills == sum(event[0] == "F" for event in events) > 6_000
    assert classes["UNEXPLAINED"] == 0
    # Were the replay's queues wrong, fills would scatter over the queue; most must be heads.
    assert classes["at the head"] > 0.85 * fills
    feed = databento.decode([es(SECOND_DAY)], OPTIONS)[0]
    assert "unknown_order_id" not in named(feed)
    heads = classes["at the head"] + classes["orders ahead leave in the same match event"]
    resting = feed.columns.kind == EventKind.EXECUTE
    auction = feed.columns.flags & Flag.AUCTION != 0
    assert np.count_nonzero(resting & ~auction) == heads


def decoded_book(feed: Feed) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Queues by (side, price) as [(order id, lots)], from the rows of a tape."""
    queues: dict[tuple[int, int], OrderedDict[int, int]] = {}
    where: dict[int, tuple[int, int]] = {}
    for kind, side, price, qty, order_id, _ in table(feed):
        if kind == EventKind.CLEAR:
            queues, where = {}, {}
        elif kind == EventKind.ADD:
            where[order_id] = (side, price)
            queues.setdefault((side, price), OrderedDict())[order_id] = qty
        elif kind == EventKind.CANCEL:
            assert where[order_id] == (side, price)
            queue = queues[side, price]
            queue[order_id] -= qty
            assert queue[order_id] >= 0
            if queue[order_id] == 0:
                del queue[order_id], where[order_id]
    return {key: list(queue.items()) for key, queue in queues.items() if queue}


def opening_snapshot(events: Sequence[Event]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    queues: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for _, side, price, size, order_id, flags, _ in events:
        if not flags & 32:
            break
        queues.setdefault(("BA".index(side), price // 250_000_000), []).append((order_id, size))
    return queues


def test_the_end_of_one_day_is_the_opening_snapshot_of_the_next_order_by_order(es: Any) -> None:
    ended = decoded_book(databento.decode([es(FIRST_DAY)], OPTIONS)[0])
    opened = opening_snapshot(raw_events(es(SECOND_DAY)))
    compared = sum(len(queue) for queue in opened.values())
    print(f"orders compared: {compared} in {len(opened)} queues")
    assert compared == 8_725
    assert ended == opened


def test_the_decoded_day_ends_with_the_book_that_the_records_leave(es: Any) -> None:
    book = Queues()
    for action, side, price, size, order_id, *_ in raw_events(es(SECOND_DAY)):
        if action == "A":
            book.add(side, price, size, order_id)
        elif action == "C":
            book.remove(order_id)
        elif action == "M":
            book.modify(side, price, size, order_id)
        elif action == "F" and order_id in book.orders:
            book.filled[order_id] += size
    left = {
        ("BA".index(side), price // 250_000_000): list(queue.items())
        for (side, price), queue in book.queues.items()
    }
    assert len(book.orders) > 10_000
    assert decoded_book(databento.decode([es(SECOND_DAY)], OPTIONS)[0]) == left


def test_the_books_of_the_quotes_file_follow_from_its_own_trades(es: Any) -> None:
    records = dbn.read(es(QUOTES)).records
    checked, excluded = Counter[str](), Counter[str]()
    trades = np.flatnonzero(records["action"] == ord("T")).tolist()
    for i in trades:
        trade, prior, after = records[i], records[max(i - 1, 0)], records[i + 1]
        touch = "ask" if trade["side"] == ord("B") else "bid"
        px, sz, orders = (f"{touch}_{name}" for name in ("px", "sz", "ct"))
        before, left = trade["levels"][0], after["levels"][0]
        if trade["side"] == ord("N") or i == 0:
            excluded["no aggressor, or no record before it"] += 1
            continue
        assert before == prior["levels"][0], "a trade record changed the book by itself"
        assert trade["price"] == before[px], "a trade away from the opposite best"
        checked["trade at the opposite best of the record before"] += 1
        assert after["ts_event"] == trade["ts_event"], "no book change follows the trade"
        expected = int(before[sz]) - int(trade["size"])
        if expected > 0 and (left[px], left[sz]) == (before[px], expected):
            checked["size reduced by exactly the trade"] += 1
        elif expected <= 0 and left[px] != before[px]:
            assert (left[px] > before[px]) == (touch == "ask")
            checked["level gone with its last lots"] += 1
        elif left[px] != before[px] and before[orders] > 1:
            excluded["another order left in the same match event"] += 1
        else:
            excluded[f"OTHER at record {i + 1}"] += 1
    print(f"{len(trades)} trades; checked {dict(checked)}; excluded {dict(excluded)}")
    assert len(trades) == 120
    assert sum(excluded.values()) <= 3, "more exceptions than the explained ones"
    assert not any(name.startswith("OTHER") for name in excluded)


def test_quote_rows_replayed_give_the_recorded_quotes(es: Any) -> None:
    feed = databento.decode([es(QUOTES), es(DEFINITIONS)], DecodeOptions())[0]
    records = dbn.read(es(QUOTES)).records
    levels = records["levels"][:, 0][records["flags"] & dbn.FLAG_LAST != 0]
    recorded: list[tuple[int, ...]] = []
    names = ("bid_px", "bid_sz", "ask_px", "ask_sz")
    for row in zip(*(levels[name].tolist() for name in names), strict=True):
        state = (row[0] // 250_000_000, row[1], row[2] // 250_000_000, row[3])
        if not recorded or recorded[-1] != state:
            recorded.append(state)
    best: dict[int, tuple[int, int]] = {}
    rebuilt: list[tuple[int, ...]] = []
    for kind, side, price, qty, _, flags in table(feed):
        if kind == EventKind.BBO:
            best[side] = (price, qty)
            if flags & Flag.LAST:
                rebuilt.append((*best[0], *best[1]))
    print(f"states compared: {len(recorded)}")
    assert rebuilt == recorded and len(recorded) > 1_000
    trades = databento.decode([es(TRADES), es(DEFINITIONS)], DecodeOptions())[0]
    mine = [row[:5] for row in table(feed) if row[0] == EventKind.TRADE]
    assert mine == [row[:5] for row in table(trades)] and len(mine) == 120


def test_the_pre_open_of_globex_crosses_and_continuous_trading_does_not(es: Any) -> None:
    given = DecodeOptions(tick=Decimal("0.25"), lot=Decimal(1))
    feed = databento.decode([es(SECOND_DAY)], given)[0]
    count = {one.name: one.count for one in settle(feed, given).findings}
    moments = len(np.unique(feed.columns.local_ts))
    # 22:39 to the opening at 23:00 UTC: more than the limit, were it trading.
    assert 0.01 * len(feed.columns.kind) < count["crossed_auction"] < 0.1 * moments
    assert count["crossed_book"] == 2, "between 23:00:00 and the prints of the opening"


def test_two_days_merged_are_the_days_of_their_files_on_a_clock_of_chicago(es: Any) -> None:
    paths = [es(FIRST_DAY), es(SECOND_DAY)]
    chicago = {"ESH4": replace(ES, time_zone="America/Chicago")}
    options = replace(OPTIONS, instruments=chicago)
    plain = [settle(feed, options) for feed in databento.decode(paths, options)]
    (merged,) = merge_feeds(databento.decode(paths, options))
    days = split_days(settle(merged, options))
    assert [len(day.columns.kind) for day in days] == [8_726, 78_666]
    assert [table(day) for day in days] == [table(feed) for feed in plain]
    assert not any("continues" in day.source for day in days)
