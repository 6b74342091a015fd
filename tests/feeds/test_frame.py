"""The user's own frames: layouts, times, and errors that name row, field and fix."""

import gzip
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from hft.core.codes import EventKind
from hft.core.errors import DataError
from hft.feeds.base import DecodeOptions, settle
from hft.feeds.frame import decode, decode_frame
from hft.feeds.times import spoken
from hft.runs.given import as_frame

OPTIONS = DecodeOptions(symbol="X", tick=Decimal("0.25"), lot=Decimal(1))
NOON = 1_704_196_800_000_000_000  # 2024-01-02T12:00:00Z


def trades(**changes):
    data = {"ts": [NOON, NOON + 1], "price": [100.25, 100.5], "qty": [1, 2], "side": ["buy", "S"]}
    return pl.DataFrame(data | changes)


def names(feed):
    return {finding.name: finding for finding in feed.findings}


def test_trades_become_ticks_lots_and_aggressor_sides():
    (feed,) = decode_frame(trades(), OPTIONS)
    assert feed.columns.kind.tolist() == [EventKind.TRADE] * 2
    assert feed.columns.price.tolist() == [401, 402]
    assert feed.columns.qty.tolist() == [1, 2]
    assert feed.columns.side.tolist() == [0, 1]
    assert names(feed)["assumed_clock"].count == 2


def test_quotes_become_one_row_a_side_that_ends_its_group():
    frame = pl.DataFrame({"ts": [NOON], "bid": [100.0], "ask": [100.25], "bid_size": [3.0]})
    (feed,) = decode_frame(frame, OPTIONS)
    assert feed.columns.kind.tolist() == [EventKind.BBO] * 2
    assert feed.columns.price.tolist() == [400, 401]
    assert feed.columns.qty.tolist() == [3, 1]
    assert feed.columns.flags.tolist() == [0, 4]


@pytest.mark.parametrize("lot", ["0.001", "1", "100"])
def test_quotes_without_sizes_are_of_one_lot_on_any_grid(lot):
    frame = pl.DataFrame({"ts": [NOON, NOON + 1], "bid": [100.0, None], "ask": [100.25, 100.5]})
    (feed,) = decode_frame(frame, replace(OPTIONS, lot=Decimal(lot)))
    assert feed.columns.qty.tolist() == [1, 1, 0, 1]
    assert set(names(feed)) == {"assumed_clock"}


def test_quotes_with_sizes_between_two_lots_are_off_the_grid():
    frame = pl.DataFrame({"ts": [NOON], "bid": [100.0], "ask": [100.25], "bid_size": [150.0]})
    (feed,) = decode_frame(frame, replace(OPTIONS, lot=Decimal(100)))
    assert names(feed)["off_grid"].count == 1


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTC_USDT-trades.feather", "BTC_USDT"),
        ("BTC_USDT_USDT-trades.feather", "BTC_USDT_USDT"),
        ("BTCUSDT-aggTrades-2024-08-08.csv", "BTCUSDT"),
        ("BTCUSDT-trades-2024-08.csv.gz", "BTCUSDT"),
        ("ES-2024-trades.parquet", "ES-2024"),
        ("trades.csv", "trades"),
        ("my-run.csv", "my-run"),
    ],
)
def test_a_file_is_named_as_its_instrument_and_not_as_what_it_holds(name, symbol, tmp_path):
    path = tmp_path / name
    if ".feather" in name:
        trades().write_ipc(path)
    elif ".parquet" in name:
        trades().write_parquet(path)
    elif ".gz" in name:
        path.write_bytes(gzip.compress(trades().write_csv().encode()))
    else:
        trades().write_csv(path)
    (feed,) = decode([path], replace(OPTIONS, symbol=None))
    assert feed.instrument.symbol == symbol


def test_a_null_trade_price_beside_quotes_means_no_trade_in_the_row():
    frame = pl.DataFrame(
        {
            "ts": [NOON, NOON + 1],
            "bid": [100.0, 100.0],
            "ask": [100.25, 100.25],
            "price": [None, 100.25],
            "qty": [None, 5],
        }
    )
    (feed,) = decode_frame(frame, OPTIONS)
    assert feed.columns.kind.tolist() == [8, 8, 8, 8, EventKind.TRADE]
    assert feed.columns.flags.tolist() == [0, 4, 0, 0, 4]


def test_events_carry_kind_side_and_order_id():
    frame = pl.DataFrame(
        {
            "ts": [NOON, NOON, NOON + 5],
            "kind": ["clear", "add", "cancel"],
            "side": [None, "bid", "bid"],
            "price": [None, 100.25, 100.25],
            "qty": [None, 2, 1],
            "order_id": [None, 7, 7],
        }
    )
    (feed,) = decode_frame(frame, OPTIONS)
    assert feed.columns.kind.tolist() == [EventKind.CLEAR, EventKind.ADD, EventKind.CANCEL]
    assert feed.columns.order_id.tolist() == [0, 7, 7]
    assert feed.columns.flags.tolist() == [0, 4, 4]


@pytest.mark.parametrize(
    "times",
    [
        ["2024-01-02T12:00:00Z", "2024-01-02T13:00:00.000000001+01:00"],
        [1_704_196_800, 1_704_196_801],
        [1_704_196_800_000, 1_704_196_800_001],
        [1_704_196_800_000_000, 1_704_196_800_000_001],
        [1_704_196_800.0, 1_704_196_800.5],
    ],
)
def test_iso_text_and_epoch_numbers_of_any_unit_are_the_same_moment(times):
    (feed,) = decode_frame(trades(ts=times), OPTIONS)
    assert int(feed.columns.exch_ts[0]) == NOON
    assert int(feed.columns.exch_ts[1]) > NOON


def test_aware_datetimes_are_read_and_naive_ones_refused():
    series = pl.Series([NOON, NOON + 1]).cast(pl.Datetime("ns"))
    (feed,) = decode_frame(trades(ts=series.dt.replace_time_zone("UTC")), OPTIONS)
    assert feed.columns.exch_ts.tolist() == [NOON, NOON + 1]
    with pytest.raises(DataError, match="no zone"):
        decode_frame(trades(ts=series), OPTIONS)
    with pytest.raises(DataError, match=r"'ts', row 2: time '2024-01-02 12:00:01' has no zone"):
        decode_frame(trades(ts=["2024-01-02T12:00:00Z", "2024-01-02 12:00:01"]), OPTIONS)


@pytest.mark.parametrize(
    ("ns", "said"),
    [
        (0, "0 ns"),
        (-5, "-5 ns"),
        (1_500, "1.5 us"),
        (23_400_000_000, "23.4 s"),
        (23_400_000_000_000, "6 h 30 min"),
        (-90_061_000_000_001, "-1 d 1 h 1 min 1.000000001 s"),
    ],
)
def test_a_duration_is_said_in_units_of_people_with_nothing_lost(ns, said):
    assert spoken(ns) == said


def test_symbols_are_taken_without_spaces_and_refused_with_half_a_name():
    (feed,) = decode_frame(trades(symbol=["A", " A "]), replace(OPTIONS, symbol=None))
    assert (feed.instrument.symbol, len(feed.columns.kind)) == ("A", 2)
    with pytest.raises(DataError, match=r"'symbol', row 2: symbol ':B' has nothing on one side"):
        decode_frame(trades(symbol=["A", ":B"]), replace(OPTIONS, symbol=None))


def test_time_going_back_names_the_row_and_can_be_waived():
    frame = trades(ts=[NOON, NOON - 5])
    with pytest.raises(DataError, match=r"column 'ts', row 2: receive_disorder: .*back 5 ns"):
        decode_frame(frame, OPTIONS)
    options = replace(OPTIONS, waive=("receive_disorder",))
    (feed,) = decode_frame(frame, options)
    assert feed.columns.price.tolist() == [402, 401]
    assert names(feed)["receive_disorder"].first_row == 2


def test_a_column_with_a_typo_gets_the_closest_match_and_the_list():
    options = DecodeOptions(columns={"price": "Prise"})
    with pytest.raises(DataError, match=r"no column 'Prise'; did you mean 'Price'\?.*ts, Price"):
        decode_frame(pl.DataFrame({"ts": [NOON], "Price": [1.0], "qty": [1]}), options)
    with pytest.raises(DataError, match=r"no field 'prise'; did you mean 'price'\?"):
        decode_frame(trades(), DecodeOptions(columns={"prise": "price"}))


def test_bars_are_no_layout_and_the_layouts_are_listed():
    frame = pl.DataFrame({"ts": [NOON], "open": [1.0], "close": [2.0]})
    with pytest.raises(DataError, match="ts bid ask"):
        decode_frame(frame, OPTIONS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"price": ["100.25", "abc"]}, r"'price', row 2: 'abc' is no number"),
        ({"side": ["buy", "up"]}, r"'side', row 2: 'up' is none of buy"),
        ({"ts": [NOON, None]}, r"'ts', row 2: the time is missing"),
        ({"ts": [5, 6]}, r"'ts', row 1: 5 is no time"),
    ],
)
def test_a_bad_cell_is_named_by_column_and_row(changes, message):
    with pytest.raises(DataError, match=message):
        decode_frame(trades(**changes), OPTIONS)


@pytest.mark.parametrize(
    ("given", "missing"),
    [({}, "tick and lot .--tick, --lot."), ({"tick": Decimal("0.25")}, "lot .--lot.")],
)
def test_an_instrument_that_nobody_described_is_refused_with_the_ways_to_go_on(given, missing):
    with pytest.raises(DataError, match=f"frame: instrument 'X' is unknown: .*its {missing}"):
        decode_frame(trades(), DecodeOptions(symbol="X", **given))


def test_tick_and_lot_that_nobody_gave_are_guessed_where_that_is_waived():
    waive = ("guessed_tick", "guessed_lot")
    (feed,) = decode_frame(trades(), DecodeOptions(symbol="X", waive=waive))
    assert feed.instrument.tick == Decimal("0.25")
    assert {"guessed_tick", "guessed_lot"} <= set(names(feed))


def test_an_off_grid_price_is_found_at_its_row():
    (feed,) = decode_frame(trades(price=[100.25, 100.3]), OPTIONS)
    assert names(feed)["off_grid"].first_row == 2


def test_each_symbol_gets_its_own_feed_with_the_rows_of_the_frame():
    frame = trades(symbol=["A", "B"], price=[100.25, 100.3])
    feeds = decode_frame(frame, replace(OPTIONS, symbol=None))
    assert [feed.instrument.symbol for feed in feeds] == ["A", "B"]
    assert names(feeds[1])["off_grid"].first_row == 2


def test_csv_rows_are_counted_as_in_the_file(tmp_path: Path):
    path = tmp_path / "own.csv.gz"
    text = b"Time,Price,Size\n2024-01-02T12:00:00Z,100.25,1\n2024-01-02T12:00:01Z,x,1\n"
    path.write_bytes(gzip.compress(text))
    with pytest.raises(DataError, match=r"own.csv.gz, column 'Price', row 3: 'x' is no number"):
        decode([path], DecodeOptions())


def test_a_csv_row_with_too_many_cells_is_named(tmp_path: Path):
    path = tmp_path / "own.csv"
    path.write_text("ts,price,qty\n1704196800,100.25,1\n1704196801,100.25,1,9\n")
    with pytest.raises(DataError, match=r"own.csv, row 3"):
        decode([path], DecodeOptions())


@pytest.mark.parametrize("columns", [{"ts": "T", "price": "P", "qty": "Q"}])
def test_parquet_with_own_names(tmp_path: Path, columns):
    path = tmp_path / "own.parquet"
    trades().rename({"ts": "T", "price": "P", "qty": "Q"}).write_parquet(path)
    (feed,) = decode([path], replace(OPTIONS, symbol=None, columns=columns))
    assert feed.columns.price.tolist() == [401, 402]
    assert feed.instrument.symbol == "own"


def test_numeric_sides_that_a_missing_one_made_floats_are_sides():
    frame = trades(
        side=[1.0, -1.0, None, float("nan")], ts=[NOON] * 4, price=[100.0] * 4, qty=[1] * 4
    )
    (feed,) = decode_frame(frame, OPTIONS)
    assert feed.columns.side.tolist() == [0, 1, 2, 2]
    with pytest.raises(DataError, match=r"row 2: '0\.5' is none of buy"):
        decode_frame(trades(side=[1.0, 0.5]), OPTIONS)


def test_numbers_as_categories_are_numbers():
    texts = pl.Series(["100.25", "100.5"])
    for kind in (pl.Categorical, pl.Enum(["100.25", "100.5"])):
        (feed,) = decode_frame(trades(price=texts.cast(kind)), OPTIONS)
        assert feed.columns.price.tolist() == [401, 402]


@pytest.mark.parametrize("times", [[NOON // 1000, NOON], [NOON // 10**9, NOON // 10**6]])
@pytest.mark.parametrize("kind", [int, float])
def test_times_in_two_units_are_refused(times, kind):
    message = "column 'ts', row 1: .* the times are in two units"
    with pytest.raises(DataError, match=message):
        decode_frame(trades(ts=[kind(time) for time in times]), OPTIONS)


@pytest.mark.parametrize("absent", [None, "", " "])
def test_a_row_without_a_symbol_is_named(absent):
    with pytest.raises(DataError, match="column 'symbol', row 2: the symbol is missing"):
        decode_frame(trades(symbol=["A", absent]), replace(OPTIONS, symbol=None))


def test_a_lot_beyond_every_quantity_is_a_finding():
    (feed,) = decode_frame(trades(), replace(OPTIONS, lot=Decimal("1e20")))
    assert names(feed)["bad_number"].count == 2


@pytest.mark.parametrize("doubled", [True, False])
def test_a_pandas_frame_that_is_no_table_is_refused_in_a_sentence(doubled):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"ts": [NOON, NOON], "price": [100.25, "100.5"]})
    if doubled:
        frame = pandas.concat([frame[["ts"]], frame[["ts"]]], axis=1)
    said = "column 'ts' stands 2 times" if doubled else "column 'price', row 2: '100.5' is text"
    with pytest.raises(DataError, match=f"frame.*{said}"):
        as_frame(frame)


def test_a_source_without_a_usable_row_is_told_why():
    (feed,) = decode_frame(trades(qty=[-1, 0]), OPTIONS)
    with pytest.raises(DataError, match=r"none of its rows can be used \(negative_qty 1, first"):
        settle(feed, OPTIONS)
