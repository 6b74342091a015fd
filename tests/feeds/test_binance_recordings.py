"""Binance recordings: a naive twin, and the book ticker of the exchange as truth."""

import gzip
from bisect import bisect_right
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest

from hft.core.codes import EventKind, Flag, Side
from hft.core.errors import DataError
from hft.feeds import binance
from hft.feeds.base import DecodeOptions, settle
from tests.feeds.binance_recordings import (
    FOLDER,
    NS,
    RECORDINGS,
    decode,
    messages_of,
)


def naive_rows(lines, instrument):
    """The rows of a recording with one snapshot and no gap, as tuples, written from the format."""

    def steps(text, step):
        return int((Decimal(text) / step).to_integral_value(ROUND_HALF_UP))

    def levels(fields, kind, time, local, names):
        out = []
        for side, name in enumerate(names):
            for price, qty in fields[name]:
                lots = steps(qty, instrument.lot)
                lots = max(lots, 1) if Decimal(qty) else 0
                out.append([time, local, kind, side, steps(price, instrument.tick), lots, 0])
        if out:
            out[-1][-1] = Flag.LAST
        return out

    rows, waiting, seen = [], [], None
    messages = list(messages_of(lines))
    for local, stream, fields in messages:
        time = fields.get("T", fields.get("E", -1)) * NS
        if "lastUpdateId" in fields:
            seen = fields["lastUpdateId"]
            newer = [item for item in waiting if item[1]["u"] > seen]
            if time < 0:
                later = [f for _, s, f in messages if "@depth" in s and f["u"] > seen]
                time = later[0]["E"] * NS
            rows.append([time, local, EventKind.CLEAR, 2, 0, 0, 0])
            rows += levels(fields, EventKind.SNAPSHOT, time, local, ("bids", "asks"))
            for then, update in newer:
                rows += levels(update, EventKind.LEVEL, then, local, "ba")
        elif "@depth" in stream and seen is None:
            waiting.append((time, fields))
        elif "@depth" in stream and fields["u"] > seen:
            rows += levels(fields, EventKind.LEVEL, time, local, "ba")
        elif "@trade" in stream and fields.get("X", "MARKET") == "MARKET":
            side = Side.SELL if fields["m"] else Side.BUY
            price, lots = steps(fields["p"], instrument.tick), steps(fields["q"], instrument.lot)
            rows.append([time, local, EventKind.TRADE, side, price, lots, 0])
    return np.array(rows, np.int64)


def as_table(columns):
    return np.stack([column.astype(np.int64) for column in columns if column is not columns[6]], 1)


@pytest.mark.data
@pytest.mark.parametrize("market", RECORDINGS)
def test_decoder_and_naive_reading_agree_row_for_row(shared_data, tmp_path, market):
    name, instrument, files = RECORDINGS[market]
    with gzip.open(shared_data / FOLDER / files[0]) as file:
        lines = [line for line, _ in zip(file, range(4000), strict=False)]
    path = tmp_path / "head.gz"
    path.write_bytes(gzip.compress(b"".join(lines)))
    (feed,) = decode([path], name)
    expected = naive_rows(lines, instrument)
    assert len(expected) > 4000
    np.testing.assert_array_equal(as_table(feed.columns), expected)


class NaiveBook:
    """Two dictionaries, fed by rows of a tape one message at a time."""

    def __init__(self, columns):
        self.rows = list(zip(*(column.tolist() for column in columns), strict=True))
        self.at = 0
        self.sides = ({}, {})

    def apply_next_message(self):
        """Apply rows up to the next LAST row of a depth message."""
        while True:
            _, _, kind, side, price, qty, _, flags = self.rows[self.at]
            self.at += 1
            if kind == EventKind.CLEAR:
                self.sides = ({}, {})
            elif kind in (EventKind.LEVEL, EventKind.SNAPSHOT):
                if qty:
                    self.sides[side][price] = qty
                else:
                    self.sides[side].pop(price, None)
                if flags & Flag.LAST:
                    return

    def touch(self):
        bid, ask = max(self.sides[0]), min(self.sides[1])
        return bid, self.sides[0][bid], ask, self.sides[1][ask]


def touches_by_update(paths, columns):
    """({update id: (file index, touch after it)}, ids older than the snapshot), by NaiveBook."""
    book, seen, waiting, touches, older = NaiveBook(columns), None, [], {}, set()
    for index, path in enumerate(paths):
        with gzip.open(path) as file:
            for _, stream, fields in messages_of(file):
                updates = [fields] if "@depth" in stream else []
                if "lastUpdateId" in fields:
                    seen = fields["lastUpdateId"]
                    book.apply_next_message()
                    updates, waiting = waiting, []
                elif seen is None:
                    waiting += updates
                    continue
                for update in updates:
                    if update["u"] <= seen:
                        older.add(update["u"])
                        continue
                    if update["b"] or update["a"]:
                        book.apply_next_message()
                    touches[update["u"]] = (index, book.touch())
    assert not any(row[2] == EventKind.LEVEL for row in book.rows[book.at :])
    return touches, older


# The exchange sends one ticker for one matching event, which may span some ids, and an update may
# end inside it: there the last ticker is not the book. An event seen here spans 16 ids or less.
EVENT_IDS = 16


@pytest.mark.data
@pytest.mark.parametrize("market", RECORDINGS)
def test_top_of_book_equals_the_book_ticker_at_matching_update_ids(shared_data, market, capsys):
    """At equal ids, and at each update the ticker in force there (the last at or before it)."""
    name, instrument, files = RECORDINGS[market]
    paths = [shared_data / FOLDER / file for file in files]
    (feed,) = decode(paths, name)
    tickers = binance.read_tickers(paths, instrument)
    touches, older = touches_by_update(paths, feed.columns)
    ids = tickers["update_id"].tolist()
    fields = ("bid", "bid_qty", "ask", "ask_qty")
    quotes = list(zip(*(tickers[field].tolist() for field in fields), strict=True))
    assert ids == sorted(ids)
    for index, file in enumerate(files):
        equal_ids = unmatched = before = 0
        for row in np.flatnonzero(tickers["file"] == index).tolist():
            if ids[row] in touches:
                assert touches[ids[row]][1] == quotes[row], f"{file}: update {ids[row]}"
                equal_ids += 1
            before += ids[row] in older
            unmatched += ids[row] not in touches and ids[row] not in older
        in_force = inside = unquoted = 0
        for update_id, (where, touch) in touches.items():
            if where != index:
                continue
            row = bisect_right(ids, update_id) - 1
            if row < 0:
                unquoted += 1
            elif ids[row] != update_id and ids[row + 1 : row + 2] <= [update_id + EVENT_IDS]:
                inside += 1
            else:
                assert touch == quotes[row], f"{file}: update {update_id}"
                in_force += 1
        with capsys.disabled():
            print(
                f"\n{file}: {equal_ids} book tickers compared at equal update ids; excluded: "
                f"{unmatched} whose id ends no update, {before} older than the snapshot. "
                f"{in_force} updates compared with the ticker in force; excluded: {inside} that "
                f"may end inside a matching event, {unquoted} before the first ticker"
            )
        assert equal_ids >= 500
        assert in_force >= 560


@pytest.mark.data
@pytest.mark.parametrize("market", ["coinm", "spot"])
def test_a_later_file_carries_the_book_over_and_file_order_does_not_matter(shared_data, market):
    name, _, files = RECORDINGS[market]
    paths = [shared_data / FOLDER / file for file in files]
    (forward,) = decode(paths, name)
    (backward,) = decode(paths[::-1], name)
    (first,) = decode(paths[:1], name)
    names = {finding.name for finding in forward.findings}
    assert "gap" not in names and "missing_snapshot" not in names
    for one, other in zip(forward.columns, backward.columns, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(forward.columns.kind) > 1.5 * len(first.columns.kind)


@pytest.mark.data
def test_a_clock_behind_the_exchange_is_refused_until_repair_is_asked_for(shared_data):
    (feed,) = decode([shared_data / FOLDER / "usdm_btcusdt_20240808.gz"], "binance-usdm")
    with pytest.raises(DataError, match="negative_latency"):
        settle(feed, DecodeOptions())
    columns = settle(feed, DecodeOptions(clock_fix=True)).columns
    assert int((columns.local_ts - columns.exch_ts).min()) == 1_000_000


@pytest.mark.data
def test_microsecond_recordings_read_as_nanoseconds(shared_data):
    path = shared_data / "hftbacktest_npz_btcusdt_20230404" / "btcusdt_20230404.dat.gz"
    (feed,) = decode([path], "binance-usdm")
    assert int(feed.columns.local_ts[0]) == 1680652700441533000
