"""Binance recordings: a naive twin, the exchange's book ticker as truth, gaps, and bad bytes."""

import gzip
import json
import random
from decimal import Decimal

import pytest

from hft.core.codes import EventKind, Flag, Side
from hft.core.errors import DataError
from hft.feeds import binance
from hft.feeds.base import DecodeOptions, settle
from tests.feeds.binance_recordings import (
    decode,
)

LOCAL = 1723161255000000000


def line(stamp, stream, **fields):
    return f"{stamp} " + json.dumps({"stream": f"btcusdt@{stream}", "data": fields}) + "\n"


def diff(n, first, last, prev, bids, asks=(), **more):
    return line(
        LOCAL + n,
        "depth@0ms",
        e="depthUpdate",
        E=1723161250000 + n,
        T=1723161250000 + n,
        s="BTCUSDT",
        U=first,
        u=last,
        pu=prev,
        b=[list(level) for level in bids],
        a=[list(level) for level in asks],
        **more,
    )


def snapshot(n, last, bids, asks):
    fields = {"lastUpdateId": last, "E": 1723161250000 + n, "T": 1723161250000 + n}
    return f"{LOCAL + n} " + json.dumps(fields | {"bids": bids, "asks": asks}) + "\n"


def trade(n, price, qty, maker_is_buyer, kind="MARKET"):
    return line(
        LOCAL + n,
        "trade",
        e="trade",
        E=1723161250000 + n,
        T=1723161250000 + n,
        s="BTCUSDT",
        p=price,
        q=qty,
        X=kind,
        m=maker_is_buyer,
    )


START = (
    diff(1, 1, 5, 0, [("10.0", "1.000")])
    + diff(2, 6, 9, 5, [("10.1", "2.000")], [("10.4", "0.000")])
    + snapshot(3, 7, [["10.0", "5.000"]], [["10.3", "4.000"]])
    + diff(4, 10, 12, 9, [("10.0", "0.000")], [("10.3", "1.500")])
)


def read(tmp_path, text, name="binance-usdm", **options):
    path = tmp_path / "recording.gz"
    path.write_bytes(gzip.compress(text.encode() if isinstance(text, str) else text))
    (feed,) = decode([path], name, **options)
    return feed


def rows_of(feed):
    c = feed.columns
    return [
        (EventKind(k).name, int(s), int(p), int(q), int(f))
        for k, s, p, q, f in zip(c.kind, c.side, c.price, c.qty, c.flags, strict=True)
    ]


def findings_of(feed):
    return {finding.name: (finding.count, finding.first_row) for finding in feed.findings}


@pytest.mark.nojit
def test_updates_before_the_snapshot_are_replayed_on_top_of_it(tmp_path):
    feed = read(tmp_path, START)
    assert rows_of(feed) == [
        ("CLEAR", 2, 0, 0, 0),
        ("SNAPSHOT", 0, 100, 5000, 0),
        ("SNAPSHOT", 1, 103, 4000, Flag.LAST),
        ("LEVEL", 0, 101, 2000, 0),
        ("LEVEL", 1, 104, 0, Flag.LAST),
        ("LEVEL", 0, 100, 0, 0),
        ("LEVEL", 1, 103, 1500, Flag.LAST),
    ]
    assert findings_of(feed) == {"late_snapshot": (1, 2)}
    assert feed.columns.local_ts.tolist() == [LOCAL + 3] * 5 + [LOCAL + 4] * 2


@pytest.mark.nojit
def test_a_gap_clears_the_book_until_the_next_snapshot(tmp_path):
    text = START + diff(5, 20, 21, 19, [("9.9", "1.000")]) + diff(6, 22, 23, 21, [("9.8", "1.000")])
    feed = read(tmp_path, text)
    assert rows_of(feed)[7:] == [("CLEAR", 2, 0, 0, 0)]
    assert findings_of(feed)["gap"] == (1, 5)
    with pytest.raises(DataError, match="gap"):
        settle(feed, DecodeOptions(clock_fix=True))
    text += snapshot(7, 22, [["9.7", "1.000"]], [["9.9", "1.000"]])
    feed = read(tmp_path, text + diff(8, 24, 25, 23, [("9.6", "1.000")]))
    assert [row[0] for row in rows_of(feed)[7:]] == [
        "CLEAR",
        "CLEAR",
        "SNAPSHOT",
        "SNAPSHOT",
        "LEVEL",
        "LEVEL",
    ]


def test_a_repeated_update_is_dropped_and_counted(tmp_path):
    again = diff(5, 10, 12, 9, [("10.0", "0.000")])
    feed = read(tmp_path, START + again)
    assert len(rows_of(feed)) == 7
    assert findings_of(feed)["duplicate"] == (1, 5)


@pytest.mark.nojit
def test_spot_updates_chain_by_first_and_last_id(tmp_path):
    def spot(n, first, last, bid):
        fields = {"e": "depthUpdate", "E": 1723161250000 + n, "s": "BTCUSDT", "U": first, "u": last}
        return line(LOCAL + n, "depth@100ms", **fields, b=[[bid, "1.00000000"]], a=[])

    head = f"{LOCAL} " + json.dumps({"lastUpdateId": 7, "bids": [], "asks": []}) + "\n"
    feed = read(tmp_path, head + spot(1, 5, 9, "10.01") + spot(2, 10, 11, "10.02"), "binance-spot")
    assert [row[:3] for row in rows_of(feed)] == [
        ("CLEAR", 2, 0),
        ("LEVEL", 0, 1001),
        ("LEVEL", 0, 1002),
    ]
    assert findings_of(feed) == {}
    feed = read(tmp_path, head + spot(1, 5, 9, "10.01") + spot(2, 11, 12, "10.02"), "binance-spot")
    assert findings_of(feed)["gap"] == (1, 3)


@pytest.mark.nojit
def test_trades_carry_the_aggressor_and_insurance_prints_are_left_out(tmp_path):
    text = START + trade(5, "10.2", "0.003", True) + trade(6, "10.3", "0.004", False)
    feed = read(tmp_path, text + trade(7, "10.3", "9.000", False, "INSURANCE_FUND"))
    assert rows_of(feed)[7:] == [
        ("TRADE", Side.SELL, 102, 3, 0),
        ("TRADE", Side.BUY, 103, 4, 0),
    ]
    assert findings_of(feed)["skipped"] == (1, 7)


def test_a_price_between_ticks_is_counted_with_its_line(tmp_path):
    feed = read(tmp_path, START + trade(5, "10.26", "0.003", True))
    assert findings_of(feed)["off_grid"] == (1, 5)
    with pytest.raises(DataError, match="off_grid"):
        settle(feed, DecodeOptions(clock_fix=True))


def test_a_resting_quantity_below_one_lot_does_not_vanish(tmp_path):
    feed = read(tmp_path, START + diff(5, 13, 14, 12, [("10.0", "0.0001")]))
    assert rows_of(feed)[-1] == ("LEVEL", 0, 100, 1, Flag.LAST)
    assert findings_of(feed)["off_lot"] == (1, 5)


def test_without_an_instrument_the_grid_is_guessed_only_where_that_is_waived(tmp_path):
    path = tmp_path / "recording.gz"
    path.write_bytes(gzip.compress(START.encode()))
    with pytest.raises(DataError, match=r"recording\.gz: instrument 'BTCUSDT' is unknown.*--tick"):
        binance.decode([path], DecodeOptions("binance-usdm"))
    guess = DecodeOptions("binance-usdm", waive=("guessed_tick", "guessed_lot"))
    (feed,) = binance.decode([path], guess)
    assert (feed.instrument.tick, feed.instrument.lot) == (Decimal("0.1"), Decimal("0.5"))
    assert {"guessed_tick", "guessed_lot"} <= set(findings_of(feed))
    assert rows_of(feed)[1] == ("SNAPSHOT", 0, 100, 10, 0)


@pytest.mark.nojit
def test_key_order_blanks_and_unknown_streams_do_not_matter(tmp_path):
    odd = (
        f'{LOCAL + 5}  {{ "data" : {{"a":[ ["10.3" , "2.000"] ],"b":[],"u":14,"U":13,"pu":12,'
        f'"T":1723161250005,"x":{{"y":[1,"]}}"]}},"e":"depthUpdate"}}, '
        f'"stream":"btcusdt@depth"}}\r\n'
    )
    text = START + line(LOCAL + 4, "markPrice@1s", e="markPriceUpdate", p="1") + odd
    assert rows_of(read(tmp_path, text))[-1] == ("LEVEL", 1, 103, 2000, Flag.LAST)


@pytest.mark.nojit
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("17231612551 {}\n", "receive time"),
        (f"{LOCAL} [1]\n", "JSON object"),
        (f'{LOCAL} {{"stream":"btcusdt@depth","data":{{"e":"depthUpdate"}}}}\n', "depth update"),
        (diff(5, 13, 14, 12, [("ten", "1")]), "decimal number"),
        (diff(5, 13, 14, 12, [("10.0", "-1")]), "decimal number"),
        (diff(5, 13, 14, 12, [("1" * 19, "1")]), "decimal number"),
        (diff(5, 13, 14, 12, [("10.0",)]), "level"),
        (diff(5, 13, 14, 12, []).replace("BTCUSDT", "ETHUSDT"), "same symbol"),
        (diff(5, 13, 14, 12, []).replace("}}", "}"), "comma or a closing brace"),
        (diff(5, 13, 14, 12, []).replace("\n", " x\n"), "end of the line"),
        (trade(5, "10.2", "0.003", True).replace("true", "maybe"), "true or false"),
        (f'{LOCAL} {{"s":\n', "same symbol"),  # nothing behind the last line feed is looked at
    ],
)
def test_a_malformed_line_is_named_with_what_was_expected(tmp_path, bad, said):
    with pytest.raises(DataError, match=f"recording.gz: line 5, character .*{said}"):
        read(tmp_path, START + bad)


def test_a_truncated_gzip_says_after_which_line(tmp_path):
    text = START + "".join(trade(n, f"1{n % 7}.{n % 10}", "0.001", True) for n in range(5, 900))
    packed = gzip.compress(text.encode())
    path = tmp_path / "cut.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match=r"cut.gz: the compressed file is cut short .* line [1-9]"):
        decode([path], "binance-usdm")


def test_a_file_of_several_pieces_and_gzip_members_is_one_recording(tmp_path, monkeypatch):
    whole = rows_of(read(tmp_path, START + trade(5, "10.2", "0.003", True)))
    monkeypatch.setattr(binance, "CHUNK_BYTES", 100)
    path = tmp_path / "members.gz"
    cut = len(START) // 3
    text = (START + trade(5, "10.2", "0.003", True)).encode()
    path.write_bytes(gzip.compress(text[:cut]) + gzip.compress(text[cut:]))
    (feed,) = decode([path], "binance-usdm")
    assert rows_of(feed) == whole


@pytest.mark.nojit
def test_random_edits_are_read_or_refused(tmp_path, sim_seed):
    draw = random.Random(sim_seed)
    text = START.encode() + b"".join(
        trade(n, "10.2", "0.003", n % 2 == 0).encode() for n in range(5, 8)
    )
    path = tmp_path / "fuzz"
    read_count = refused_count = 0
    for _ in range(300):
        data = bytearray(text)
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(data))
            match draw.randrange(4):
                case 0:
                    data[at] = draw.randrange(256)
                case 1:
                    del data[at : at + draw.randint(1, 30)]
                case 2:
                    data[at:at] = draw.choice([b'"', b"[", b"{", b"]", b"\n", b"9" * 20, b"\\"])
                case _:
                    data[at:at] = data[at : at + draw.randint(1, 60)]
        path.write_bytes(bytes(data) or b" ")
        try:
            feeds = decode([path], "binance-usdm")
            assert all(len(set(map(len, feed.columns))) == 1 for feed in feeds)
            read_count += 1
        except DataError:
            refused_count += 1
    assert read_count and refused_count


def test_tick_and_lot_suffice_and_the_market_says_what_a_contract_settles_in(tmp_path):
    path = tmp_path / "coin.gz"
    path.write_bytes(gzip.compress(START.replace("BTCUSDT", "BTCUSD_PERP").encode()))
    options = DecodeOptions("binance-coinm", tick=Decimal("0.1"), lot=Decimal("0.001"))
    (feed,) = binance.decode([path], options)
    instrument = feed.instrument
    assert (instrument.kind, instrument.multiplier, instrument.currency) == ("inverse", 100, "BTC")
    assert instrument.venue == "binance-coinm"


def test_each_symbol_is_a_feed_of_its_own(tmp_path):
    paths = []
    for symbol in ("ETHUSDT", "BTCUSDT"):
        paths.append(tmp_path / f"{symbol}.gz")
        paths[-1].write_bytes(gzip.compress(START.replace("BTCUSDT", symbol).encode()))
    grid = {"tick": Decimal("0.1"), "lot": Decimal("0.5")}
    feeds = binance.decode(paths, DecodeOptions("binance-usdm", **grid))
    assert [feed.instrument.symbol for feed in feeds] == ["BTCUSDT", "ETHUSDT"]


def test_a_recording_without_a_snapshot_is_built_from_updates_and_says_so(tmp_path):
    text = diff(1, 6, 9, 5, [("10.1", "2.000")]) + diff(2, 10, 12, 9, [("10.0", "1.000")])
    feed = read(tmp_path, text)
    assert [row[0] for row in rows_of(feed)] == ["CLEAR", "LEVEL", "LEVEL"]
    assert findings_of(feed) == {"missing_snapshot": (1, 1)}


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (START, "binance-usdm"),
        (START.replace('"s": "BTCUSDT"', '"s": "BTCUSD_PERP", "ps": "BTCUSD"'), "binance-coinm"),
        (START.replace('"pu"', '"xx"'), "binance-spot"),
        ("time,price\n1,2\n", None),
    ],
)
def test_the_three_markets_are_told_apart_by_their_messages(tmp_path, head, name):
    assert binance.sniff(head.encode(), tmp_path / "x.gz") == name
