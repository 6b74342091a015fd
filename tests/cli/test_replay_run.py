"""`hft replay run`: several strategies together, and nothing asked for is left out in silence."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import hft
from hft.cli import app
from hft.runs.ingest import synthetic

START_NS = 1_700_000_000_000_000_000
NAMES = {"ts": "t", "price": "px", "qty": "q", "side": "s"}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("market")
    synthetic(seed=3, out=folder / "tapes", events=2_000)
    return str(folder / "tapes")


@pytest.fixture(scope="module")
def two_markets(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("two")
    ts = [START_NS + i * 1_000_000_000 for i in range(30)]
    names = {"ts": "ts", "bid": "b", "ask": "a", "bid_qty": "bq", "ask_qty": "aq"}
    rows = pl.DataFrame({"ts": ts, "b": [10.0] * 30, "a": [10.5] * 30, "bq": 5, "aq": 5})
    for symbol in ("X", "Y"):
        hft.ingest(rows, folder / symbol, columns=names, symbol=symbol, tick="0.5", lot=1)
    return [str(folder / "X"), str(folder / "Y")]


@pytest.fixture
def replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str, code: int = 0) -> Any:
        given = ["replay", "run", *words, "--out", str(tmp_path), "--json"]
        assert app.run(given) == code, capsys.readouterr().err
        captured = capsys.readouterr()
        return json.loads(captured.out) | {"words": captured.err}

    return run


def test_several_strategies_run_together_each_with_its_parameters(market: str, replay: Any) -> None:
    named = ["-s", "two_sided", "-s", "slow=two_sided"]
    done = replay(market, *named, "--set", "slow.lots=2", "--set", "two_sided.limit=3")
    strategies = hft.load(done["path"]).config["strategies"]
    assert {*strategies} == {"two_sided", "slow"}
    one, slow = strategies["two_sided"]["params"], strategies["slow"]["params"]
    assert (slow["lots"], one["limit"]) == (2, 3)
    assert one["lots"] != 2 and slow["limit"] != 3, "the other keeps its own"


def test_one_strategy_may_have_a_name_of_its_own(market: str, replay: Any) -> None:
    done = replay(market, "-s", "mine=two_sided", "--set", "lots=2")
    (name,) = hft.load(done["path"]).config["strategies"]
    assert name == "mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-s", "two_sided", "-s", "two_sided"], "two strategies are called 'two_sided'; name"),
        (["-s", "two_sided", "-s", "momentum", "--set", "lots=2"], "write NAME.lots=2 with a name"),
        (["-s", "two_sided", "-s", "momentum", "--set", "x.lots=2"], "of two_sided, momentum"),
    ],
)
def test_what_is_not_clear_of_several_is_asked(
    market: str, words: list[str], sentence: str, replay: Any
) -> None:
    found = replay(market, *words, code=64)
    assert sentence in found["error"]


@pytest.mark.parametrize("latency", ["5", "0.5", "entry=5,response=1ms"])
def test_a_latency_without_a_unit_is_refused(market: str, latency: str, replay: Any) -> None:
    found = replay(market, "-s", "two_sided", "--latency", latency, code=78)
    assert "has no unit; did you mean" in found["error"] and "ms?" in found["error"]


def test_no_latency_and_a_number_of_python_need_no_unit() -> None:
    assert hft.Venue("0").model().legs["entry"].base_ns == 0
    assert hft.Venue(5_000).model().legs["entry"].base_ns == 5_000, "documented: a number is ns"


def test_what_no_strategy_listens_to_is_said(two_markets: list[str], replay: Any) -> None:
    done = replay(*two_markets, "-s", "two_sided")
    assert "Y: not replayed; two_sided listens to one instrument, the first (X)" in done["notice"]
    assert "not replayed" not in replay(two_markets[0], "-s", "two_sided")["notice"]


def test_plain_replays_though_a_compiled_run_is_sealed(two_markets: list[str], replay: Any) -> None:
    market, _ = two_markets  # half a minute, so a few hundred wake-ups
    first = replay(market, "-s", "two_sided")
    assert "was sealed before" in replay(market, "-s", "two_sided")["words"]
    again = replay(market, "-s", "two_sided", "--plain")
    assert again["path"] != first["path"] and again["digest"] == first["digest"]


def test_the_card_says_what_fees_are_charged(two_markets: list[str], replay: Any) -> None:
    done = replay(two_markets[0], "-s", "two_sided", "--venue", "binance_usdm")
    assert done["mode"]["fees"] == "none: neither the venue nor the instrument names any"
    done = replay(two_markets[0], "-s", "two_sided", "--fees", "taker_bps=5")
    assert done["mode"]["fees"] == "taker 5 bps"


MOODY = """
import hft


@hft.strategy(every="10m", params={"mood": "calm", "lots": 1})
class Moody:
    def __init__(self, mood, lots):
        self.mood, self.lots = mood, lots

    def on_wake(self, view, order):
        if view.book_valid and self.mood == "wild":
            order.quote(hft.BUY, view.bid_tick, self.lots)
"""


def test_a_text_is_set_for_a_class_and_stands_in_the_run(
    market: str, tmp_path: Path, replay: Any
) -> None:
    (tmp_path / "moody.py").write_text(MOODY)
    calm = replay(market, "-s", str(tmp_path / "moody.py"))
    wild = replay(market, "-s", str(tmp_path / "moody.py"), "--set", "mood=wild")
    assert calm["metrics"]["decisions"]["value"] == 0 < wild["metrics"]["decisions"]["value"]
    run = hft.load(wild["path"])
    assert run.config["strategies"]["Moody"]["params"] == {"mood": "wild", "lots": 1}
    assert run.verify().same


PRINTS = """
import hft
print("loaded")

@hft.strategy(every="10m")
def said(view, order, p, s):
    print("hello", view.bid_tick)

@hft.strategy(every="10m")
class Said:
    def on_wake(self, view, order):
        print("hello", view.bid_tick)
"""


@pytest.mark.parametrize("how", [["-s", "said.py:said"], ["-s", "said.py:Said"]])
def test_what_a_strategy_prints_is_no_part_of_the_document(
    market: str,
    replay: Any,
    how: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "said.py").write_text(PRINTS)
    monkeypatch.chdir(tmp_path)
    done = replay(market, *how)  # reads the document
    assert "loaded" in done["words"] and "hello" in done["words"]
    assert app.run(["replay", "run", market, *how, "--fresh", "--out", str(tmp_path)]) == 0
    assert "hello" in capsys.readouterr().out, "a person reads it where results go"
