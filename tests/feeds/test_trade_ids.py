"""Trades with ids, and what --symbol says of a column of symbols."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions, settle
from hft.feeds.frame import decode, decode_frame
from hft.feeds.merge import merge_feeds
from hft.tape.schema import Feed

pytestmark = pytest.mark.nojit

NOON_MS = 1_704_196_800_000
GRID = DecodeOptions(symbol="X", tick=Decimal("0.1"), lot=Decimal(1))


def trades(ids: list, times: list[int] | None = None, name: str = "id", **more) -> pl.DataFrame:
    """Prints that differ in nothing but their ids, unless told otherwise."""
    rows = len(ids)
    moments = [NOON_MS + at for at in (times or [0] * rows)]
    cells = {name: ids, "timestamp": moments, "price": [100.1] * rows, "amount": [1] * rows}
    return pl.DataFrame(cells | {"side": ["buy"] * rows} | more)


def found(feed: Feed) -> dict[str, tuple[int, int]]:
    settled = settle(feed, GRID)
    return {one.name: (one.count, one.first_row) for one in settled.findings}


@pytest.mark.parametrize("name", ["id", "trade_id", "tid", "agg_trade_id"])
def test_an_id_that_comes_again_is_one_trade_with_its_row(name: str):
    (feed,) = decode_frame(trades([7, 8, 8, 9, 7], name=name), GRID)
    assert len(feed.columns.kind) == 3
    assert found(feed)["repeated_trade"] == (2, 3)


def test_equal_prints_of_different_ids_are_no_repetition():
    (feed,) = decode_frame(trades([1, 2, 3]), GRID)
    assert found(feed).keys() == {"assumed_clock"}
    (bare,) = decode_frame(trades([1, 2, 3]), replace(GRID, columns={"trade_id": None}))
    assert found(bare)["repeated_row"][0] == 2


def test_an_id_that_comes_again_with_another_time_is_another_trade():
    (feed,) = decode_frame(trades([1, 2, 1], [0, 1, 2]), GRID)
    assert len(feed.columns.kind) == 3
    assert "repeated_trade" not in found(feed)


def test_prints_without_an_id_stay_and_are_looked_at_as_before():
    (feed,) = decode_frame(trades([None, None, 1]), GRID)
    assert len(feed.columns.kind) == 3
    assert found(feed)["repeated_row"][0] == 2


def test_pages_that_overlap_are_one_list_of_trades(tmp_path: Path):
    paths = [tmp_path / f"{k}.csv" for k in range(3)]
    trades([1, 2, 3], [0, 1, 2]).write_csv(paths[0])
    trades([3, 4], [2, 3], price=[100.1, 100.2]).write_csv(paths[1])
    trades([4], [3], price=[100.2]).write_csv(paths[2])  # nothing new
    (feed,) = merge_feeds(decode(paths, GRID))
    assert feed.columns.local_ts.tolist() == [(NOON_MS + k) * 10**6 for k in range(4)]
    assert found(feed)["repeated_trade"] == (2, 2)


def test_one_id_of_two_symbols_is_two_trades():
    frame = trades([1, 1], symbol=["A", "B"])
    options = DecodeOptions(tick=GRID.tick, lot=GRID.lot)
    assert [len(feed.columns.kind) for feed in decode_frame(frame, options)] == [1, 1]


USDM = {"v:BTCUSDT": Instrument("BTCUSDT", Decimal("0.1"), Decimal(1), venue="v")}


def test_a_symbol_that_is_given_renames_the_one_of_the_column(tmp_path: Path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    trades([1], symbol=["BTC/USDT:USDT"]).write_csv(paths[0])
    trades([2], symbol=["BTC-USDT"]).write_csv(paths[1])
    known = decode(paths, DecodeOptions(symbol="v:BTCUSDT", instruments=USDM))
    assert [feed.instrument for feed in known] == [USDM["v:BTCUSDT"]] * 2
    assert [feed.instrument.symbol for feed in decode(paths, GRID)] == ["X", "X"]


def test_a_symbol_that_is_given_is_no_name_of_two(tmp_path: Path):
    with pytest.raises(DataError, match=r"'symbol': --symbol X .* here are 2 \(A, B\)"):
        decode_frame(trades([1, 2], symbol=["A", "B"]), GRID)
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    trades([1], symbol=["BTC/USDT"]).write_csv(paths[0])
    trades([2], symbol=["ETH/USDT"]).write_csv(paths[1])
    with pytest.raises(DataError, match=r"b.csv.*here is ETH/USDT, in a.csv.* BTC/USDT"):
        decode(paths, GRID)


def test_the_cure_for_an_unknown_symbol_is_one_that_works():
    one = trades([1], symbol=["BTC/USDT:USDT"])
    with pytest.raises(DataError, match="if it is v:BTCUSDT, say so by --symbol"):
        decode_frame(one, DecodeOptions(instruments=USDM))
    two = trades([1, 2], symbol=["BTC/USDT:USDT", "ETH"])
    with pytest.raises(DataError, match="if it is v:BTCUSDT, write so in the column of symbols"):
        decode_frame(two, DecodeOptions(instruments=USDM))
    written = trades([1], symbol=["v:BTCUSDT"])
    (feed,) = decode_frame(written, DecodeOptions(instruments=USDM))
    assert feed.instrument == USDM["v:BTCUSDT"]


def test_a_time_that_is_missing_names_the_columns_that_have_one():
    frame = trades([1, 2], fetched=[NOON_MS, NOON_MS + 1], datetime=["2024-01-02T12:00:00Z"] * 2)
    empty = frame.with_columns(timestamp=pl.lit(None).cast(pl.Int64))
    cure = "row 1: the time is missing; --columns ts=fetched or --columns ts=datetime has one"
    with pytest.raises(DataError, match=cure):
        decode_frame(empty, GRID)
    for name in ("fetched", "datetime"):
        options = replace(GRID, columns={"ts": name})
        assert len(decode_frame(empty, options)[0].columns.kind) == 2
    alone = trades([1]).with_columns(timestamp=pl.lit(None).cast(pl.Int64))
    with pytest.raises(DataError, match=r"the time is missing$"):
        decode_frame(alone, GRID)
