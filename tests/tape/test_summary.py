"""The summary against a plain Python walk over the same rows."""

import numpy as np
import pytest
from tape_samples import level_feed, order_feed

from hft.core.codes import EventKind, Flag
from hft.tape.schema import Columns
from hft.tape.summary import frozen, summarise
from hft.tape.touch import bucket_of, bucket_values, make_touch, quantile, walk_all


def naive_touches(columns: Columns) -> list[tuple[int, int, int, int]]:
    """The touch at the end of each receive time where both sides are there and not crossed."""
    levels: list[dict[int, int]] = [{}, {}]
    orders: dict[int, tuple[int, int, int]] = {}
    touches, valid, rows = [], True, len(columns.kind)

    def reduce(order_id: int, lots: int) -> None:
        if order_id in orders:
            side, price, left = orders.pop(order_id)
            gone = min(lots, left)
            levels[side][price] -= gone
            if left > gone:
                orders[order_id] = (side, price, left - gone)

    for i in range(rows):
        kind, side, price, qty = (
            int(column[i]) for column in (columns.kind, columns.side, columns.price, columns.qty)
        )
        order_id, flags = int(columns.order_id[i]), int(columns.flags[i])
        if kind in (EventKind.LEVEL, EventKind.SNAPSHOT):
            levels[side][price] = qty
        elif kind in (EventKind.ADD, EventKind.MODIFY):
            reduce(order_id, 1 << 60)
            orders[order_id] = (side, price, qty)
            levels[side][price] = levels[side].get(price, 0) + qty
        elif kind in (EventKind.CANCEL, EventKind.EXECUTE):
            reduce(order_id, qty)
        elif kind == EventKind.CLEAR:
            for s in (0, 1):
                if side in (s, 2):
                    levels[s].clear()
                    orders = {k: order for k, order in orders.items() if order[0] != s}
            valid = False
        whole = kind not in (EventKind.LEVEL, EventKind.TRADE)
        valid = valid or bool(whole and flags & Flag.LAST)
        if i + 1 < rows and columns.local_ts[i + 1] == columns.local_ts[i]:
            continue
        bids = [price for price, lots in levels[0].items() if lots > 0]
        asks = [price for price, lots in levels[1].items() if lots > 0]
        if valid and bids and asks and max(bids) < min(asks):
            bid, ask = max(bids), min(asks)
            touches.append((bid, levels[0][bid], ask, levels[1][ask]))
    return touches


def with_clears(columns: Columns) -> Columns:
    """The same rows with the book or a side emptied now and then."""
    rng = np.random.default_rng(5)
    at = rng.integers(0, len(columns.kind), 6)
    columns.kind[at] = EventKind.CLEAR
    columns.side[at] = [0, 1, 2, 0, 1, 2]
    columns.flags[at] = 0
    after = np.minimum(at[:4] + 9, len(columns.kind) - 1)  # neither diffs nor prints make it whole
    columns.kind[after[columns.kind[after] == EventKind.LEVEL]] = EventKind.SNAPSHOT
    return columns


@pytest.mark.parametrize("make", [level_feed, order_feed])
@pytest.mark.parametrize("clears", [False, True])
def test_the_touch_is_that_of_a_plain_book(sim_seed, make, clears):
    columns = make(700, seed=sim_seed).columns
    columns = frozen(with_clears(columns) if clears else columns)
    expected = naive_touches(columns)
    assert expected
    touch = walk_all(make_touch(990, 1010, l1=False, quote_rows=700, orders_bits=4), columns)
    changes = [now for i, now in enumerate(expected) if i == 0 or now != expected[i - 1]]
    found = touch.quotes[: int(touch.arena[6])]
    assert [tuple(row[1:]) for row in found.tolist()] == changes
    summary = summarise(columns)
    assert summary["touch_samples"] == len(expected)
    assert summary["first_mid"] == (expected[0][0] + expected[0][2]) / 2
    spreads = sorted(ask - bid for bid, _, ask, _ in expected)
    assert summary["spread_ticks_median"] == spreads[(len(spreads) + 1) // 2 - 1]


def test_counts_extremes_and_gaps_are_those_of_the_rows():
    columns = level_feed(500).columns
    summary = summarise(frozen(columns))
    book = (columns.kind == EventKind.LEVEL) & (columns.qty > 0) & (columns.side == 0)
    assert summary["rows"] == 500
    assert summary["kinds"]["trade"] == 50
    assert summary["first_exch_ts"] == columns.exch_ts[0]
    assert summary["last_local_ts"] == columns.local_ts[-1]
    assert summary["bid_price_range"] == [columns.price[book].min(), columns.price[book].max()]
    assert summary["traded_lots"] == columns.qty[columns.kind == EventKind.TRADE].sum()
    assert (summary["latency_ns_min"], summary["latency_ns_max"]) == (500, 500)
    assert summary["gap_ns_p999"] == pytest.approx(2000, rel=1 / 128)


def test_most_live_orders_are_counted():
    feed = order_feed(3)
    feed.columns.kind[:] = [EventKind.ADD, EventKind.ADD, EventKind.CANCEL]
    feed.columns.order_id[:] = [7, 8, 7]
    feed.columns.qty[:] = 4
    assert summarise(frozen(feed.columns))["orders_max"] == 2


def test_level_one_quotes_make_the_touch_where_there_is_no_book():
    columns = Columns.empty(4)
    columns.kind[:] = EventKind.BBO
    columns.side[:] = [0, 1, 0, 1]
    columns.price[:] = [100, 101, 90, 95]
    columns.qty[:] = [5, 6, 7, 8]
    columns.local_ts[:] = [1, 1, 2, 2]
    columns.exch_ts[:] = columns.local_ts
    summary = summarise(frozen(columns))
    assert summary["first_mid"] == 100.5
    assert summary["touch_samples"] == 2


@pytest.mark.parametrize("value", [0, 1, 255, 256, 257, 1000, 10**9, 2**62, 2**63 - 1])
def test_a_histogram_bucket_holds_its_value_within_one_part_in_128(value):
    middle = int(bucket_values()[bucket_of(value)])
    assert abs(middle - value) <= value / 128
    hist = np.zeros(len(bucket_values()), np.int64)
    hist[bucket_of(value)] = 3
    assert quantile(hist, 0.5) == middle
    assert quantile(hist * 0, 0.5) is None
