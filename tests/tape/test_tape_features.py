"""`hft.features`: the numbers of whole tapes are those that a strategy's view had at that time."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from naive import features as naive
from tape_samples import level_feed

import hft
from hft.core.errors import ConfigError
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.runs.ingest import write_feeds
from hft.tape.dataset import Tapes

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    """A short synthetic market, order by order."""
    out = tmp_path_factory.mktemp("market")
    return write_feeds([synthesize(7, events=20_000)], out, DecodeOptions(format="synthetic"))


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    """Random level updates, which cross each other and empty the book now and then."""
    out = tmp_path_factory.mktemp("levels")
    return write_feeds([level_feed(4_000, seed=5)], out, DecodeOptions(format="test"))


@pytest.mark.parametrize("which", ["market", "levels"])
def test_a_strategy_that_wakes_at_the_clock_sees_the_same_numbers(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    tapes: Tapes = request.getfixturevalue(which)
    first, last = tapes.span
    every = max(1_000, (last - first) // 400 // 1_000 * 1_000)

    @hft.strategy(
        every=every,
        state={"micro": 0.0, "deep": 0.0, "flow": 0, "mid": 0.0, "traded": 0, "seen": [0] * 4},
        track=("micro", "deep", "flow", "mid", "traded"),
    )
    def watch(view, order, p, s):  # type: ignore[no-untyped-def]
        s["micro"] = view.micro_tick if view.book_valid else -1.0
        s["mid"] = view.mid2 * 0.5 if view.book_valid else -1.0
        s["deep"] = view.imbalance(3) if view.book_valid else -9.0
        s["flow"] = view.order_flow(s["seen"])
        s["traded"] = view.traded_since_wake

    start = -(-first // every) * every
    run = hft.replay(tapes, watch, start=start, limits="off", out=tmp_path)
    series: Any = run.series
    seen = series.lazy().collect()
    columns = ["mid_tick", "micro_tick", "imbalance_3", "traded_lots"]
    made = hft.features(tapes, columns, clock=f"{every}ns").collect()
    # The strategy wakes from one interval after the start on; the frame has the start, too.
    both = seen.join(made, on="ts", how="inner")
    assert both.height == seen.height > 300
    assert both["micro_tick"].fill_null(-1.0).to_list() == both["micro"].to_list()
    assert both["mid_tick"].fill_null(-1.0).to_list() == both["mid"].to_list()
    assert both["imbalance_3"].fill_null(-9.0).to_list() == both["deep"].to_list()
    assert both["traded_lots"].to_list()[1:] == both["traded"].to_list()[1:]
    assert both["micro_tick"].drop_nulls().n_unique() > 20, "a market that stands proves nothing"


def test_order_flow_sums_what_each_change_of_the_touch_brought(levels: Tapes) -> None:
    names = ["bid_tick", "bid_lots", "ask_tick", "ask_lots", "order_flow"]
    each = hft.features(levels, names, clock="book").collect()
    touches = each.select(names[:4]).rows()
    flows, wanted = each["order_flow"].to_list(), [0]
    for before, after in pairwise(touches):
        wanted.append(naive.order_flow(before, after))
    # Where the book was not valid in between, flow begins anew, so those rows say 0.
    broken = [k for k, (one, other) in enumerate(zip(flows, wanted, strict=True)) if one != other]
    assert all(flows[k] == 0 for k in broken) and len(broken) < len(flows) // 2
    assert len(flows) > 500 and any(flow != 0 for flow in flows)
    slow = hft.features(levels, ["order_flow"], clock="100us").collect()
    until = slow["ts"].max()
    assert slow["order_flow"].sum() == each.filter(pl.col("ts") <= until)["order_flow"].sum()


def test_the_book_clock_has_the_quotes_of_the_tape(market: Tapes) -> None:
    names = ["bid_tick", "bid_lots", "ask_tick", "ask_lots"]
    quotes = market.quotes().select("ts", *names).collect()
    assert hft.features(market, names, clock="book").drop("symbol").collect().equals(quotes)
    assert quotes.height > 2_000


def test_a_row_says_what_was_known_at_its_time_and_nothing_later(levels: Tapes) -> None:
    """Cutting the tape behind a sample changes no row up to it."""
    whole = hft.features(levels, clock="100us").collect()
    columns = levels[0].columns()
    cut_ns = int(columns.local_ts[len(columns.local_ts) // 2])
    known = whole.filter(pl.col("ts").dt.epoch("ns") <= cut_ns)
    names = ("bid_tick", "ask_tick")
    for ts, bid, ask in known.select(pl.col("ts").dt.epoch("ns"), *names).rows()[::7]:
        ladder = levels.book(int(ts), depth=1).collect()
        best = dict(ladder.select("side", "price_tick").rows())
        if bid is not None:
            assert (best["buy"], best["sell"]) == (bid, ask)


def test_a_value_is_null_while_the_book_is_not_valid(levels: Tapes) -> None:
    frame = hft.features(levels, clock="10us").collect()
    bad = frame.filter(pl.col("mid_tick").is_null())
    assert 0 < bad.height < frame.height
    for name in ("bid_tick", "micro_tick", "spread_ticks", "imbalance", "imbalance_5"):
        assert bad[name].is_null().all()
    assert frame["order_flow"].is_not_null().all()
    assert (frame["spread_ticks"].drop_nulls() > 0).all()


@pytest.mark.parametrize("name", ["imbalance_11", "imbalance_0", "vwap", "imbalance_"])
def test_an_unknown_feature_lists_the_known_ones(name: str, levels: Tapes) -> None:
    with pytest.raises(ConfigError, match=f"no feature '{name}'; there are bid_tick.*imbalance_2"):
        hft.features(levels, [name])


def test_a_clock_that_is_no_duration_is_refused(levels: Tapes) -> None:
    with pytest.raises(ConfigError, match="clock='soon' is not a duration"):
        hft.features(levels, clock="soon")


@pytest.mark.slow
def test_order_flow_explains_how_the_mid_of_btcusdt_moves(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the spirit of the paper: the mid's change in 10 s against the order flow of those 10 s."""
    source = shared_data / "binance_raw_btc_20240808" / "usdm_btcusdt_20240808.gz"
    tapes = hft.ingest(source, tmp_path, clock_fix=True)
    frame = hft.features(tapes, ["mid_tick", "order_flow"], clock="10s").collect()
    moved = frame.with_columns(pl.col("mid_tick").diff().alias("move")).drop_nulls()
    x, y = moved["order_flow"].to_numpy().astype(float), moved["move"].to_numpy()
    slope, level = np.polyfit(x, y, 1)
    explained = 1 - np.var(y - slope * x - level) / np.var(y)
    error = np.sqrt(np.var(y - slope * x - level) / np.var(x) / len(x))
    with capsys.disabled():
        print(
            f"\nOFI, BTCUSDT 2024-08-08: {len(x)} intervals of 10 s, slope {slope:.4g} ticks a lot "
            f"(t {slope / error:.1f}), R2 {explained:.2f}"
        )
    assert len(x) > 20
    assert slope / error > 4
    assert explained > 0.3
