"""What a report shows of the market: the tape's own touch, our quotes in it, or that it is gone."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import hft
from hft.runs.ingest import synthetic
from hft.runs.result import Run
from hft.runs.shown_market import shown_market
from hft.tape.dataset import Tapes


@hft.strategy(every="600s", track=("fair", "k"), state={"fair": 0.0, "k": 0})
def seldom(view, order, p, s):  # type: ignore[no-untyped-def]
    s["k"] += 1
    s["fair"] = view.mid_tick
    order.quote(0, view.bid_tick - 30 - s["k"] % 3, 1)
    order.quote(1, view.ask_tick + 30, 1)


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Tapes:
    return synthetic(seed=5, out=tmp_path_factory.mktemp("m") / "t", events=3_000)


@pytest.fixture(scope="module")
def run(tapes: Tapes, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return hft.replay(tapes, seldom, limits=hft.Limits.off(), out=tmp_path_factory.mktemp("runs"))


def test_prices_reach_what_lay_between_two_wake_ups(run: Run, tapes: Tapes) -> None:
    found = shown_market(run)
    market = found.markets["SYNTH"]
    ask, bid = market.ask.extremes(), market.bid.extremes()
    assert ask is not None and bid is not None and found.untaped == ""
    quotes = tapes.quotes().collect()
    assert ask[1] == pytest.approx(quotes["ask"].max())
    assert bid[0] == pytest.approx(quotes["bid"].min())
    sampled = run.equity.drop_nulls("ask")
    assert ask[1] > sampled["ask"].max() or bid[0] < sampled["bid"].min()
    page = run.report(run.path / "a.html").read_text()
    assert f"{bid[0]:.2f} to {ask[1]:.2f}" in page and "by the clock of the venue" in page


def test_our_quotes_are_those_that_arrived(run: Run) -> None:
    own_bid, own_ask = shown_market(run).own["SYNTH"]
    assert own_bid is not None and own_ask is not None
    arrived = run.events.filter(pl.col("event") == "ARRIVED_NEW")
    assert arrived.height > 100
    for side, track in (("BUY", own_bid), ("SELL", own_ask)):
        rows = arrived.filter(pl.col("side") == side)
        at = rows["ts"].to_physical().to_numpy()
        k = np.searchsorted(track.ts_ns, at, side="right") - 1
        assert (k >= 0).all()
        assert track.last[k].tolist() == rows["price_tick"].to_list()


def test_what_is_tracked_in_ticks_lies_over_the_price_and_the_rest_below(run: Run) -> None:
    page = run.report(run.path / "a.html").read_text()
    price = page[page.index("<b>Price") :]
    price = price[: price.index("</figure>")]
    assert ">fair<" in price and "<b>k <small>tracked" in page and "<b>fair" not in page


def test_the_bytes_are_the_same_again_and_without_its_tape_the_page_says_so(
    run: Run, tmp_path: Path
) -> None:
    first, again = run.report(tmp_path / "1.html"), run.report(tmp_path / "2.html")
    assert first.read_bytes() == again.read_bytes()
    tape = Path(run.manifest["tapes"][0]["path"])
    shutil.move(tape, tmp_path / "elsewhere")
    try:
        page = Run.open(run.path).report(tmp_path / "3.html").read_text()
    finally:
        shutil.move(tmp_path / "elsewhere", tape)
    assert "The tape is not where it was (SYNTH 2024-01-02)" in page
    assert "by the clock of the venue" not in page and str(tape) not in page
    assert run.report(tmp_path / "4.html").read_bytes() == first.read_bytes()
