"""Datasets and the `Tapes` that users hold."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tape_samples import DAY, TEST, level_feed, order_feed
from test_summary import naive_touches

from hft.core.codes import EventKind
from hft.core.errors import ConfigError, DataError
from hft.feeds.base import DecodeOptions
from hft.runs.ingest import open_tapes, write_feeds
from hft.tape.dataset import Tapes, to_ns

DAY_NS = 86_400_000_000_000


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two days of one instrument; the second continues the book of the first."""
    second = level_feed(400, seed=1, start=DAY + DAY_NS)
    second.source["continues"] = True
    write_feeds([level_feed(500), second], tmp_path / "set", DecodeOptions())
    return tmp_path / "set"


def test_a_dataset_knows_its_symbols_days_rows_and_span(dataset: Path):
    tapes = open_tapes(dataset)
    assert tapes.symbols == ("TEST",)
    assert tapes.days == ("2024-01-02", "2024-01-03")
    assert tapes.rows == 900
    assert tapes.span[0] < tapes.span[1]
    assert tapes[1].continues == tapes[0].sha256
    assert "TEST" in repr(tapes) and "2024-01-03" in repr(tapes)


@pytest.mark.parametrize("day", ["2024-01-03", "20240103", "2024-01-03..2024-01-09", ["20240103"]])
def test_days_are_chosen_by_date_range_or_list(dataset: Path, day):
    assert open_tapes(dataset, day).days == ("2024-01-03",)
    assert open_tapes(dataset)[day].rows == 400


def test_a_day_or_symbol_that_is_not_there_names_those_that_are(dataset: Path):
    with pytest.raises(ConfigError, match="2024-01-02, 2024-01-03"):
        open_tapes(dataset, "2024-02-01")
    with pytest.raises(ConfigError, match="'NOPE'"):
        open_tapes(dataset, symbols=["NOPE"])
    with pytest.raises(ConfigError, match="no date"):
        open_tapes(dataset, "soon")


def test_tapes_go_to_another_process_as_paths(dataset: Path):
    tapes = open_tapes(dataset)
    there = pickle.loads(pickle.dumps(tapes))
    assert len(pickle.dumps(tapes)) < 5_000
    assert there.sha256 == tapes.sha256


def test_adding_tapes_keeps_each_once(dataset: Path):
    tapes = open_tapes(dataset)
    assert (tapes["2024-01-02"] + tapes).rows == tapes.rows


def test_a_tape_exchanged_behind_the_manifest_is_refused(dataset: Path, tmp_path: Path):
    write_feeds([level_feed(500, seed=9)], tmp_path / "other", DecodeOptions())
    name = "own_test_20240102.tape.arrow"
    (dataset / name).write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(DataError, match=r"not the tape that manifest.json names"):
        open_tapes(dataset)
    (dataset / name).unlink()
    with pytest.raises(DataError, match="is missing"):
        open_tapes(dataset)


def test_the_manifest_lists_hashes_findings_and_instruments(dataset: Path):
    entries = json.loads((dataset / "manifest.json").read_text())["tapes"]
    assert [entry["rows"] for entry in entries] == [500, 400]
    assert entries[0]["sha256"] == open_tapes(dataset)[0].sha256
    assert entries[0]["instrument"]["tick"] == "0.25"
    found = open_tapes(dataset).findings
    assert [name for name in found["finding"] if name == "disorder"] == ["disorder", "disorder"]


def test_an_empty_folder_and_a_stray_file_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="no tapes here"):
        open_tapes(tmp_path)
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(DataError, match="is no tape"):
        open_tapes(tmp_path / "a.csv")
    with pytest.raises(DataError, match="no such"):
        open_tapes(tmp_path / "nothing")


def test_events_show_price_beside_ticks_and_lots(dataset: Path):
    tapes = open_tapes(dataset)
    frame = tapes.events().collect()
    assert frame.height == tapes.rows
    assert frame["ts"].dtype == pl.Datetime("ns", "UTC")
    assert (frame["price"] == frame["price_tick"] * 0.25).all()
    assert set(frame["kind"].unique()) == {"level", "trade"}
    assert frame.head(500)["lots"].to_list() == level_feed(500).columns.qty.tolist()


def test_bars_add_up_to_the_trades(dataset: Path):
    tapes = open_tapes(dataset)
    trades, bars = tapes.trades().collect(), tapes.bars("100us").collect()
    assert trades.height == 90
    assert bars["lots"].sum() == trades["lots"].sum()
    assert bars["trades"].sum() == 90
    assert (bars["low"] <= bars["open"]).all() and (bars["close"] <= bars["high"]).all()


@pytest.mark.parametrize("make", [level_feed, order_feed])
def test_book_and_quotes_agree_with_a_plain_book(tmp_path: Path, make):
    feed = make(400, seed=3)
    # The plain book takes a modify of one as its arrival, too, and executions at any price; the
    # rows are drawn at random, and some adds name an order that rests.
    waive = ("unknown_order_id", "order_mismatch", "duplicate")
    tapes = write_feeds([feed], tmp_path / "set", DecodeOptions(waive=waive))
    last = naive_touches(feed.columns)[-1]
    quotes = tapes.quotes().collect().tail(1)
    names = ("bid_tick", "bid_lots", "ask_tick", "ask_lots")
    assert quotes.select(names).row(0) == last
    book = tapes.book(int(quotes["ts"].dt.epoch("ns")[0]), depth=1).collect()
    assert (
        *book.select("price_tick", "lots").row(0),
        *book.select("price_tick", "lots").row(1),
    ) == (last)


def test_the_book_carries_over_to_a_tape_that_continues(dataset: Path):
    tapes = open_tapes(dataset)
    first_of_day = int(tapes[1].batches()[0].local_ts[0])
    before = tapes.book(tapes[0].span[1], depth=50).collect()
    assert before.height > 2
    assert tapes.book(first_of_day - 1, depth=50).collect().equals(before)
    carried = tapes.book(first_of_day, depth=50).collect()
    assert abs(carried.height - before.height) <= 2  # the first rows of the day change little
    with pytest.raises(DataError, match="no tape has begun"):
        tapes.book(5)


def test_a_session_keeps_the_rows_inside_it(tmp_path: Path):
    feed = level_feed(3)
    hours = np.array([13, 15, 22]) * 3_600_000_000_000
    feed.columns.exch_ts[:] = DAY + hours
    feed.columns.local_ts[:] = DAY + hours
    feed.columns.kind[:] = EventKind.TRADE
    write_feeds([feed], tmp_path / "set", DecodeOptions())
    tapes = open_tapes(tmp_path / "set", session="09:30-16:00", tz="America/New_York")
    assert tapes.trades().collect()["ts"].dt.hour().to_list() == [15]
    with pytest.raises(ConfigError, match="time zone"):
        open_tapes(tmp_path / "set", session="09:30-16:00", tz="Mars")
    with pytest.raises(ConfigError, match="HH:MM"):
        open_tapes(tmp_path / "set", session="16:00-09:30")


def test_regular_hours_are_those_of_each_instrument_on_each_day(tmp_path: Path):
    # Either side of a half day's close and of the close on the Monday after the clocks changed.
    times = ["2024-07-03T16:59", "2024-07-03T17:01", "2024-11-04T20:59", "2024-11-04T21:01"]
    feed = level_feed(len(times))
    at = np.array(times, "datetime64[ns]").astype(np.int64)
    feed.columns.exch_ts[:] = at
    feed.columns.local_ts[:] = at
    feed.columns.kind[:] = EventKind.TRADE
    feed.instrument = replace(feed.instrument, calendar="XNAS")
    write_feeds([feed], tmp_path / "set", DecodeOptions())
    kept = open_tapes(tmp_path / "set", session="RTH").trades().collect()["ts"]
    assert kept.dt.strftime("%Y-%m-%dT%H:%M").to_list() == [times[0], times[2]]
    kept = open_tapes(tmp_path / "set", session="24/7").trades().collect()["ts"]
    assert len(kept) == 4
    with pytest.raises(ConfigError, match="RTH or one of XNYS"):
        open_tapes(tmp_path / "set", session="lunch")


def test_regular_hours_of_an_unknown_calendar_are_refused_with_a_cure(tmp_path: Path):
    write_feeds([level_feed(3)], tmp_path / "set", DecodeOptions())
    with pytest.raises(ConfigError, match=r"no calendar that the table of sessions knows \(None\)"):
        open_tapes(tmp_path / "set", session="RTH")


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_export_writes_every_event(dataset: Path, tmp_path: Path, format):
    tapes = open_tapes(dataset)
    paths = tapes.export(tmp_path / "out", format)
    read = pl.read_parquet if format == "parquet" else pl.read_csv
    assert sum(read(path).height for path in paths) == tapes.rows
    with pytest.raises(ConfigError, match="neither"):
        tapes.export(tmp_path / "out", "xls")


def test_one_symbol_on_two_venues_is_told_apart(tmp_path: Path):
    from dataclasses import replace

    spot, future = level_feed(50), level_feed(60)
    spot.instrument = replace(TEST, venue="spot", tick="0.01")
    future.instrument = replace(TEST, venue="future")
    tapes = write_feeds([spot, future], tmp_path / "set", DecodeOptions())
    assert tapes.symbols == ("future:TEST", "spot:TEST")
    assert tapes["spot:TEST"].rows == 50


def test_two_grids_for_one_instrument_are_refused(tmp_path: Path):
    from dataclasses import replace

    other = level_feed(50)
    other.instrument = replace(TEST, tick="0.5")
    other.source["day"] = "20240105"
    for clock in (other.columns.exch_ts, other.columns.local_ts):
        clock += 3 * 86_400_000_000_000
    with pytest.raises(DataError, match=r"tick 0.5.*another tape 0.25"):
        write_feeds([level_feed(50), other], tmp_path / "set", DecodeOptions())


@pytest.mark.parametrize("at", ["2024-01-02T00:00:00Z", "2024-01-02T01:00:00+01:00", DAY])
def test_a_moment_needs_a_zone(at):
    assert to_ns(at) == DAY
    with pytest.raises(ConfigError, match="no time zone"):
        to_ns("2024-01-02T00:00:00")


def test_no_tapes_is_a_sentence():
    with pytest.raises(DataError, match="no tapes"):
        Tapes([]).events()
