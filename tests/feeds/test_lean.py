"""Lean ticks: a naive twin, the vendor's own second bars as truth, clocks, sides, and bad bytes."""

import random
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest

from hft.core.codes import EventKind, Flag, Side
from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds import lean
from hft.feeds.base import DecodeOptions, settle
from hft.feeds.files import peek

TICKS = "lean_us_equity_tick_201310"
BARS = "lean_us_equity_second_201310"
FX = "lean_fx_tick_201405/fxcm_eurusd"
NEW_YORK_SUMMER = timezone(timedelta(hours=-4))
MS = 1_000_000


def decode(*paths, **options):
    return lean.decode(list(paths), DecodeOptions("lean", **options))


def lines_of(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read(archive.namelist()[0]).decode().splitlines()


def write(folder, name, lines, symbol="bac"):
    """A zip as Lean lays it out; `name` is like 20131007_quote."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.zip"
    day, kind = name.split("_")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{day}_{symbol}_{kind.title()}_Tick.csv", "\n".join(lines))
    return path


def rows_of(feed):
    c = feed.columns
    return [
        (EventKind(k).name, int(s), int(p), int(q), int(f))
        for k, s, p, q, f in zip(c.kind, c.side, c.price, c.qty, c.flags, strict=True)
    ]


def findings_of(feed):
    return {finding.name: (finding.count, finding.first_row) for finding in feed.findings}


def naive_quote_rows(lines, midnight):
    """BBO rows of one-sided quote lines, pair by pair, in plain Python."""
    quotes = [line.split(",") for line in lines]
    best, tape, rows, at = {}, {}, [], 0
    first = midnight + timedelta(milliseconds=int(quotes[0][0]))
    rows.append((first, "CLEAR", 2, 0, 0, 0))
    while at < len(quotes):
        time, pair = quotes[at][0], [quotes[at]]
        follows = at + 1 < len(quotes) and quotes[at + 1]
        if quotes[at][1] != "0" and follows and follows[0] == time and follows[1] == "0":
            pair.append(follows)
        at += len(pair)
        for _, bid, bid_size, ask, ask_size, *_ in pair:
            if bid != "0":
                best[Side.BUY] = (int(Decimal(bid) / 100), int(bid_size))
            if ask != "0":
                best[Side.SELL] = (int(Decimal(ask) / 100), int(ask_size))
        whole = len(best) == 2
        if whole and best[Side.BUY][0] > best[Side.SELL][0]:
            continue
        changed = [side for side in sorted(best) if tape.get(side) != best[side]]
        for side in changed:
            flag = Flag.LAST if whole and side == changed[-1] else 0
            when = midnight + timedelta(milliseconds=int(time))
            rows.append((when, "BBO", side, *best[side], flag))
        tape = dict(best)
    return rows


@pytest.mark.data
@pytest.mark.parametrize("symbol", ["bac", "aig"])
def test_quotes_and_naive_reading_agree_row_for_row(shared_data, tmp_path, symbol):
    lines = lines_of(shared_data / TICKS / symbol / "20131010_quote.zip")[:20_000]
    (feed,) = decode(write(tmp_path, "20131010_quote", lines, symbol))
    midnight = datetime(2013, 10, 10, tzinfo=NEW_YORK_SUMMER)
    expected = naive_quote_rows(lines, midnight)
    times = [int(row[0].timestamp()) * 10**9 + row[0].microsecond * 1000 for row in expected]
    assert feed.columns.exch_ts.tolist() == times
    assert rows_of(feed) == [row[1:] for row in expected]
    assert len(expected) > 1000


@pytest.mark.data
def test_quote_rows_are_pairs_of_the_national_best_not_quotes_per_exchange(shared_data):
    """Why no best of exchanges is built: kept per exchange, this day would be crossed."""
    lines = lines_of(shared_data / TICKS / "bac" / "20131008_quote.zip")[:60_000]
    rows = [line.split(",") for line in lines]
    bids = {index for index, row in enumerate(rows) if row[1] != "0"}
    pairs = sum(i + 1 not in bids and rows[i][0] == rows[i + 1][0] for i in bids)
    assert pairs == len(bids)
    crossed, quotes = 0, {"bid": {}, "ask": {}}
    for _, bid, _, ask, _, exchange, *_ in rows:
        quotes["bid" if bid != "0" else "ask"][exchange] = int(bid) or int(ask)
        if quotes["bid"] and quotes["ask"]:
            crossed += max(quotes["bid"].values()) > min(quotes["ask"].values())
    assert crossed > 0.5 * len(rows)


@pytest.mark.data
@pytest.mark.parametrize("symbol", ["bac", "aig"])
@pytest.mark.parametrize("day", ["20131007", "20131009", "20131010", "20131011"])
def test_best_quotes_equal_the_vendors_second_bars(shared_data, symbol, day, capsys):
    """Each bar's closing bid and offer with sizes against the tape at the end of that second.

    Bars that close locked or crossed carry one size for both sides and are left out.
    """
    (feed,) = decode(shared_data / TICKS / symbol / f"{day}_quote.zip")
    columns = feed.columns
    noon = datetime(int(day[:4]), int(day[4:6]), int(day[6:]), 16, tzinfo=UTC)
    midnight_ns = (int(noon.timestamp()) - 12 * 3600) * 10**9
    bars = [line.split(",") for line in lines_of(shared_data / BARS / symbol / f"{day}_quote.zip")]
    touch = {}
    for side in (Side.BUY, Side.SELL):
        rows = np.flatnonzero((columns.kind == EventKind.BBO) & (columns.side == side))
        times = (columns.exch_ts[rows] - midnight_ns) // MS
        touch[side] = (times, columns.price[rows], columns.qty[rows])
    compared = crossed = partial = 0
    for bar in bars:
        end = int(bar[0]) + 1000
        bid, bid_size, ask, ask_size = bar[4], bar[5], bar[9], bar[10]
        if "" in (bid, ask) or "0" in (bid, ask):
            partial += 1
        elif int(bid) >= int(ask):
            crossed += 1
        else:
            for side, price, size in ((Side.BUY, bid, bid_size), (Side.SELL, ask, ask_size)):
                times, prices, qtys = touch[side]
                row = int(np.searchsorted(times, end, "left")) - 1
                assert (prices[row] * 100, qtys[row]) == (int(price), int(size)), bar
            compared += 1
    with capsys.disabled():
        print(
            f"\n{symbol} {day}: {compared} second bars compared; excluded: {crossed} that close "
            f"locked or crossed, {partial} with one side only"
        )
    assert compared > 5000


@pytest.mark.data
def test_a_week_is_one_tape_and_file_order_does_not_matter(shared_data):
    paths = sorted((shared_data / TICKS / "bac").glob("2013100[78]_*.zip"))
    (feed,) = decode(*paths)
    (other,) = decode(*paths[::-1])
    assert lean.sniff(peek(paths[0], 1 << 16), paths[0]) == "lean"
    assert feed.source["days"] == ["20131007", "20131008"]
    assert int((feed.columns.kind == EventKind.CLEAR).sum()) == 2
    assert int((feed.columns.kind == EventKind.TRADE).sum()) == 88172 + 125872
    for one, two in zip(feed.columns, other.columns, strict=True):
        np.testing.assert_array_equal(one, two)
    assert settle(feed, DecodeOptions()).columns.exch_ts is feed.columns.exch_ts


@pytest.mark.data
def test_dealer_quotes_are_utc_minus_five_and_their_crossed_rows_stay_off(shared_data):
    path = shared_data / FX / "20140502_quote.zip"
    (feed,) = decode(path, tick=Decimal("0.00001"), lot=Decimal(1000))
    columns = feed.columns
    rows = [line.split(",") for line in lines_of(path)]
    crossed = sum(Decimal(bid) > Decimal(ask) for _, bid, ask in rows)
    assert findings_of(feed)["crossed_book"][0] == crossed > 0
    # FX closes at 17:00 New York on Fridays, which is 21:00 UTC in May.
    close_ns = int(datetime(2014, 5, 2, 21, tzinfo=UTC).timestamp()) * 10**9
    assert 0 < close_ns - int(columns.exch_ts[-1]) < 120 * 10**9
    bid = int(columns.price[(columns.kind == EventKind.BBO) & (columns.side == Side.BUY)][0])
    assert bid == 138626
    with pytest.raises(DataError, match="crossed_book"):
        settle(feed, DecodeOptions())


def test_new_york_midnight_follows_the_clock_change(tmp_path):
    quotes = ["36000000,0,0,140000,100,Q,1,0"]
    paths = [write(tmp_path, f"{day}_quote", quotes) for day in ("20131101", "20131104")]
    (feed,) = decode(*paths)
    hours = [datetime.fromtimestamp(t / 1e9, UTC).hour for t in feed.columns.exch_ts.tolist()]
    assert hours == [14, 14, 15, 15]


@pytest.mark.nojit
def test_each_day_begins_without_the_quotes_of_the_day_before(tmp_path):
    first = ["36000000,140000,100,0,0,Q,1,0", "36000000,0,0,140100,200,P,1,0"]
    second = ["36000000,0,0,140200,300,Q,1,0"]
    paths = [write(tmp_path, "20131007_quote", first), write(tmp_path, "20131008_quote", second)]
    (feed,) = decode(*paths)
    assert rows_of(feed) == [
        ("CLEAR", 2, 0, 0, 0),
        ("BBO", Side.BUY, 1400, 100, 0),
        ("BBO", Side.SELL, 1401, 200, Flag.LAST),
        ("CLEAR", 2, 0, 0, 0),
        ("BBO", Side.SELL, 1402, 300, 0),
    ]


@pytest.mark.nojit
def test_sides_come_from_the_middle_of_the_quote_then_from_the_last_price(tmp_path):
    quotes = ["36000000,140000,100,0,0,Q,1,0", "36000000,0,0,140400,200,P,1,0"]
    trades = [
        "35000000,140100,10,Q,1,0",  # no quote, no earlier price
        "36000000,140400,11,Q,1,0",  # at the offer: quotes of the same time go first
        "36000001,140000,12,Q,1,0",  # at the bid
        "36000002,140200,13,Q,1,0",  # in the middle, price up
        "36000003,140200,14,Q,1,0",  # in the middle, price unchanged
        "36000004,140300,15,Q,1,0",
        "36000005,140200,16,Q,1,0",  # in the middle, price down
    ]
    (feed,) = decode(
        write(tmp_path, "20131007_quote", quotes), write(tmp_path, "20131007_trade", trades)
    )
    sides = [row[1] for row in rows_of(feed) if row[0] == "TRADE"]
    buy, sell = Side.BUY, Side.SELL
    assert sides == [2, buy, sell, buy, buy, buy, sell]
    assert findings_of(feed)["unknown_side"] == (1, 1)


@pytest.mark.nojit
def test_suspicious_and_empty_rows_are_left_out_and_odd_prints_marked(tmp_path):
    trades = [
        "36000000,140000,10,Q,1,0",
        "36000001,999900,10,Q,1,1",
        "36000002,140000,0,Q,1,0",
        "36000003,140100,10,N,40,0",  # opening print
        "36000004,140100,10,P,2000,0",  # extended hours: continuous
        "36000005,140100,10,D,20100000,0",  # average price
    ]
    (feed,) = decode(write(tmp_path, "20131007_trade", trades))
    assert [row[4] for row in rows_of(feed)] == [0, 0, Flag.AUCTION, 0, Flag.AUCTION]
    found = findings_of(feed)
    assert found["suspicious"] == (1, 2)
    assert found["zero_qty"] == (1, 3)
    assert feed.source["prints_outside_continuous_trading"] == 2


@pytest.mark.nojit
def test_a_crossed_pair_is_counted_and_stays_off_the_tape(tmp_path):
    quotes = [
        "36000000,140000,100,0,0,Q,1,0",
        "36000000,0,0,140100,200,P,1,0",
        "36000001,140200,100,0,0,Q,1,0",
        "36000001,0,0,140100,200,P,1,0",
        "36000002,140100,100,0,0,Q,1,0",
        "36000002,0,0,140100,200,P,1,0",
    ]
    (feed,) = decode(write(tmp_path, "20131007_quote", quotes))
    assert rows_of(feed)[3:] == [("BBO", Side.BUY, 1401, 100, Flag.LAST)]
    assert findings_of(feed)["crossed_book"] == (1, 3)
    assert findings_of(feed)["locked_book"] == (1, 5)


def test_a_price_between_ticks_is_counted_with_its_line(tmp_path):
    trades = ["36000000,140000,10,Q,1,0", "36000001,140050,10,Q,1,0"]
    path = write(tmp_path, "20131007_trade", trades)
    (feed,) = decode(path)
    assert findings_of(feed)["off_grid"] == (1, 2)
    fine = Instrument("BAC", Decimal("0.0001"), Decimal(1))
    (feed,) = decode(path, instruments={"BAC": fine})
    assert feed.columns.price[1:].tolist() == [140000, 140050]
    assert "off_grid" not in findings_of(feed)


@pytest.mark.nojit
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("x,140000,10,Q,1,0", "character 1: expected a number"),
        ("36000001,1400x0,10,Q,1,0", "expected a comma"),
        ("36000001,140000", "expected a comma"),
        ("36000001,140000,10,Q,1,2", "character 24: expected 0 or 1"),
        ("36000001,140000,10,Q,xyz,0", "hexadecimal"),
        ("36000001,140000,10,Q,1,0,9", "end of the line"),
        ("99000001,140000,10,Q,1,0", "within one day"),
        ("36000001," + "1" * 19 + ",10,Q,1,0", "18 digits"),
    ],
)
def test_a_malformed_line_is_named_with_what_was_expected(tmp_path, bad, said):
    path = write(tmp_path, "20131007_trade", ["36000000,140000,10,Q,1,0", bad])
    with pytest.raises(DataError, match=f"20131007_trade.zip: line 2, .*{said}"):
        decode(path)


def test_files_that_are_no_lean_zips_are_refused_by_name(tmp_path):
    good = write(tmp_path, "20131007_trade", ["36000000,140000,10,Q,1,0"])
    packed = good.read_bytes()
    torn = tmp_path / "20131008_trade.zip"
    torn.write_bytes(packed[: len(packed) // 2])
    flipped = bytearray(packed)
    flipped[60] ^= 0xFF
    corrupt = tmp_path / "20131009_trade.zip"
    corrupt.write_bytes(bytes(flipped))
    named = tmp_path / "bac.zip"
    named.write_bytes(packed)
    for path in (torn, corrupt, named, tmp_path / "20131010_trade.zip"):
        with pytest.raises(DataError, match=path.name):
            decode(path)
    quotes = write(tmp_path, "20131011_quote", ["36000000,140000,10,Q,1,0"])
    with pytest.raises(DataError, match="line 1: expected the columns of a Lean quote file"):
        decode(quotes)


@pytest.mark.nojit
def test_random_edits_are_read_or_refused(tmp_path, sim_seed):
    draw = random.Random(sim_seed)
    quotes = [f"{36000000 + n},{140000 + n % 7 * 100},{n},0,0,Q,1,0" for n in range(1, 9)]
    trades = [f"{36000000 + n},140000,{n},Q,20,0" for n in range(1, 9)]
    outcomes = {"read": 0, "refused": 0}
    for _ in range(200):
        name, lines = draw.choice([("20131007_quote", quotes), ("20131007_trade", trades)])
        text = bytearray("\n".join(lines).encode())
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(text))
            match draw.randrange(3):
                case 0:
                    text[at] = draw.choice(b"0123456789,\n\r.-QF\x00")
                case 1:
                    del text[at : at + draw.randint(1, 12)]
                case _:
                    text[at:at] = text[at : at + draw.randint(1, 40)]
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"20131007_bac_{name[9:].title()}_Tick.csv", bytes(text))
        try:
            (feed,) = decode(path)
            assert len(set(map(len, feed.columns))) == 1
            outcomes["read"] += 1
        except DataError:
            outcomes["refused"] += 1
    assert all(outcomes.values())
