"""Frames of tapes with analytics: as of receive time, at any clock, null where undefined."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import hft
from hft.core.errors import ConfigError
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.microstructure.columns import ANALYTICS, NEEDS, frame_of, trades_of
from hft.research.data.planted_market import make
from hft.runs.ingest import write_feeds
from hft.tape.dataset import Tapes

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    out = tmp_path_factory.mktemp("market")
    return write_feeds([synthesize(7, events=30_000)], out, DecodeOptions(format="synthetic"))


@pytest.fixture(scope="module")
def whole(market: Tapes) -> pl.DataFrame:
    return frame_of(market, "all", "1s").collect()


def test_every_analytic_is_there_and_says_when_it_is_null(whole: pl.DataFrame) -> None:
    assert set(ANALYTICS) == set(NEEDS)
    assert set(ANALYTICS) <= set(whole.columns)
    silent = [name for name in ANALYTICS if whole[name].null_count() == whole.height]
    assert silent == []
    floats = whole.select(pl.col(pl.Float64))
    assert not any(floats[name].is_nan().any() for name in floats.columns)


def test_a_row_does_not_know_what_came_after_it(market: Tapes, whole: pl.DataFrame) -> None:
    """The tape cut in half gives the first half of the rows."""
    first, last = market.span
    middle = (first + last) // 2 // SECOND * SECOND
    columns = market[0].columns()
    seen = int(np.searchsorted(columns.local_ts, middle, side="right"))
    from hft.tape.schema import Columns, Feed

    cut = Feed(market[0].instrument, Columns(*(c[:seen].copy() for c in columns)))
    with_cut = write_feeds([cut], market[0].path.parent / "cut", DecodeOptions(format="test"))
    half = frame_of(with_cut, "all", "1s").collect()
    known = whole.filter(pl.col("ts").dt.epoch("ns") <= middle).head(half.height)
    assert half.height > 50
    for name in whole.columns:
        assert half[name].head(known.height).equals(known[name], null_equal=True), name


@pytest.mark.parametrize("clock", ["200 trades", "300 lots", "50000 USD"])
def test_an_event_clock_ticks_when_its_measure_is_reached(market: Tapes, clock: str) -> None:
    trades = trades_of(market.chains()[0], "SYNTH")
    every, unit = float(clock.split()[0]), clock.split()[1]
    measure = {
        "trades": np.ones(len(trades)),
        "lots": trades.qty / float(market[0].instrument.lot),
        "USD": trades.qty * trades.price * float(market[0].instrument.multiplier),
    }[unit]
    frame = frame_of(market, ["mid_tick", "traded_lots"], clock).collect()
    total, wanted, reached = 0.0, [], 0
    for ts, size in zip(trades.ts_ns, measure, strict=True):
        total += size
        if int(total / every + 1e-9) > reached:
            reached = int(total / every + 1e-9)
            wanted.append(int(ts))
    assert frame["ts"].dt.epoch("ns").to_list() == sorted(set(wanted))
    assert frame.height > 5
    until = np.searchsorted(trades.ts_ns, frame["ts"].dt.epoch("ns")[-1], side="right")
    lots = trades.qty[:until].sum() / float(market[0].instrument.lot)
    assert frame["traded_lots"].sum() == pytest.approx(lots)


@pytest.mark.parametrize("clock", ["5 BTC", "0 trades", "ten trades", "5"])
def test_a_clock_that_is_none_is_refused(market: Tapes, clock: str) -> None:
    if clock == "5":
        assert hft.features(market, clock="5000ms").collect_schema().names()[0] == "ts"
        return
    with pytest.raises(ConfigError, match="clock"):
        frame_of(market, ["mid_tick"], clock).collect()


def test_horizons_add_returns_their_intervals_and_the_split(market: Tapes) -> None:
    frame = hft.features(market, ["imbalance"], clock="1s", horizons="5s").collect()
    assert {"session", "mid", "label_5s", "t_start", "t_end_5s", "split"} <= set(frame.columns)
    row = frame.row(20, named=True)
    later = frame.filter(pl.col("ts") == row["t_end_5s"])["mid"][0]
    assert row["label_5s"] == pytest.approx(later / row["mid"] - 1)
    assert frame["split"].null_count() == frame.height, "one session cannot be split"
    assert frame["label_5s"][-1] is None


def test_a_market_without_trades_has_every_column_and_nulls_where_trades_are_asked(
    tmp_path: Path,
) -> None:
    made = make(tmp_path, 0.1, kind="l2", days=1, seed=1, start="2025-01-06")
    tapes = hft.tapes(made["path"])
    quiet = frame_of(tapes, "all", "60s").collect()
    assert set(ANALYTICS) <= set(quiet.columns) and quiet["mid"].null_count() == 0
    assert all(quiet[name].null_count() == quiet.height for name in ("vpin", "kyle_lambda"))


def test_prices_are_the_nearest_doubles(whole: pl.DataFrame) -> None:
    row = whole.drop_nulls("mid").row(0, named=True)
    assert row["bid_px"] == float(f"{row['bid_tick'] * 0.01:.2f}")
    assert row["mid"] == float(f"{row['mid_tick'] * 0.01:.3f}")
    assert row["quoted_spread"] == float(f"{row['spread_ticks'] * 0.01:.2f}")


def test_research_data_of_tapes_keeps_the_tapes(market: Tapes, tmp_path: Path) -> None:
    from hft.research.data.load import load

    data = load(market[0].path, fields=["ofi", "queue_imbalance", "microprice", "trade_vol"])
    assert data.kind == "tapes" and data.tapes.sha256 == market.sha256
    assert len(data.sessions) == 1 and data.clock == "1s"
    assert data.fingerprint == load(market[0].path.parent / market[0].path.name).fingerprint
