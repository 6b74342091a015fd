"""Half a lot, a tick between two and a float for a whole number are refused with a sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hft
from hft.core.errors import ConfigError, StrategyError
from hft.core.jit import JIT_DISABLED
from hft.runs.code.sources import find
from hft.runs.ingest import synthetic
from hft.strategies.kept import kept_at

LOTS, TICK = "lots are not a whole number", "the tick is not a whole number"
HEAD = """
import hft

@hft.strategy(every="60s", params={"half": 0.5, "one": 1.0},
              state={"n": 0, "x": 0.0, "ring": [0, 0], "mean": [0.0, 0.0]})
def mine(view, order, p, s):
    if view.book_valid:
        ACT

@hft.strategy(every="60s", params={"half": 0.5, "one": 1.0})
class Mine:
    def __init__(self, half, one):
        self.p = {"half": half, "one": one}

    def on_wake(self, view, order):
        p = self.p
        if view.book_valid:
            ACT
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return synthetic(events=200, out=tmp_path_factory.mktemp("market") / "tapes")


def written(folder: Path, act: str, name: str = "mine") -> Any:
    (folder / "mine.py").write_text(HEAD.replace("ACT", act))
    return find(f"{folder / 'mine.py'}:{name}")


@pytest.mark.parametrize("name", ["mine", "Mine"])
@pytest.mark.parametrize(
    ("act", "says"),
    [
        ("order.quote(hft.BUY, view.bid_tick, p['half'])", LOTS),
        ("order.new(hft.BUY, view.bid_tick, 0.5)", LOTS),
        ("order.new(hft.BUY, view.bid_tick, float('nan'))", LOTS),
        ("order.new(hft.BUY, view.bid_tick, p['half'] * 1e300)", LOTS),
        ("order.new(hft.BUY, view.bid_tick + p['half'], 1)", TICK),
        ("order.amend(1, view.bid_tick, 1 + p['half'])", LOTS),
        ("order.amend(1, view.bid_tick + p['half'], 1)", TICK),
        ("order.target(p['half'])", LOTS),
        ("order.target(-1.5, view.bid_tick)", LOTS),
    ],
)
def test_what_is_no_whole_number_ends_the_run_and_says_so(
    tmp_path, market, name: str, act: str, says: str
):
    with pytest.raises(StrategyError) as caught:
        hft.replay(market, written(tmp_path, act, name), out=tmp_path / "runs", record="digest")
    said = str(caught.value)
    assert f"strategy {name!r} raised ValueError: {says}" in said
    if name == "Mine" or JIT_DISABLED:
        assert f"`{act}`: strategy" in said
    else:
        assert "--plain (plain=True) names its line" in said


WHOLE = "order.quote(hft.BUY, lots=2 * p['one'], tick=view.bid_tick); order.log(1, value=p['one'])"


@pytest.mark.parametrize("name", ["mine", "Mine"])
def test_a_float_that_is_whole_is_as_good_as_the_number(tmp_path, market, name: str):
    as_float = hft.replay(market, written(tmp_path, WHOLE, name), out=tmp_path / "runs")
    plainly = WHOLE.replace("2 * p['one']", "2").replace("value=p['one']", "1")
    as_number = hft.replay(market, written(tmp_path, plainly, name), out=tmp_path / "other")
    assert as_float.digest == as_number.digest
    assert set(as_float.decisions["lots"].drop_nulls()) == {2}


@pytest.mark.parametrize(
    "act",
    [
        's["n"] = view.mid_tick',
        's["n"] += p["half"]',
        's["n"] = 1.0',
        's["ring"][0] = view.mid_tick',
    ],
)
def test_a_float_is_not_cut_to_fit_state_of_whole_numbers(tmp_path, market, act: str):
    if JIT_DISABLED and "ring" in act:
        pytest.skip("an array of state is numpy's own in plain Python")
    with pytest.raises((ConfigError, StrategyError)) as caught:
        hft.replay(market, written(tmp_path, act), out=tmp_path / "runs")
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'mine.py'}, line 8: `{act}`: strategy 'mine'")
    assert "is declared as a whole number and would cut a float (declare it as 0.0, or" in said
    if "ring" not in act:
        with pytest.raises(StrategyError, match="state field 'n' is declared as a whole number"):
            written(tmp_path, act).check(market)


@pytest.mark.parametrize(
    "act",
    [
        's["n"] += 1',
        's["n"] = int(view.mid_tick)',
        's["n"] = round(p["half"])',
        's["n"] = view.book_valid',
        's["x"] = 3',
        's["x"] = view.mid_tick',
        's["mean"][1] = view.mid_tick',
        's["ring"][1] += view.bid_tick',
    ],
)
def test_what_fits_is_written(tmp_path, market, act: str):
    assert not hft.replay(market, written(tmp_path, act), out=tmp_path / "runs").partial


def test_an_attribute_that_is_tracked_is_not_cut(tmp_path, market):
    @hft.strategy(every="60s", state={"n": 0}, track=("n",))
    class Cut:
        def on_wake(self, view, order):
            self.n = 0.5

    with pytest.raises(StrategyError, match="state field 'n' is declared as a whole number"):
        hft.replay(market, Cut, out=tmp_path / "runs")


def test_state_in_plain_python_is_the_memory_of_the_engine():
    row = np.zeros(1, np.dtype([("n", np.int64), ("x", np.float64), ("ring", np.int64, (2,))]))
    kept = kept_at(row.ctypes.data, row.dtype)
    kept["n"], kept["x"] = 3, 1.5
    kept["ring"][1] = 7
    assert row[0]["n"] == 3 and row[0]["x"] == 1.5 and row[0]["ring"].tolist() == [0, 7]


def test_an_order_of_no_lots_is_past_its_limit(tmp_path, market):
    one = written(tmp_path, "order.new(hft.BUY, view.bid_tick, -1)")
    run = hft.replay(market, one, out=tmp_path / "runs")
    assert run.refusals["reason"].to_list() == ["FASTGATE_BAD_QTY_NEG"]
    assert run.refusals["margin"].to_list() == [-1.0]


@pytest.mark.parametrize("name", ["mine", "Mine"])
def test_what_a_strategy_raises_has_file_line_and_text(tmp_path, market, name: str):
    act = "raise ValueError('no')"
    with pytest.raises(StrategyError) as caught:
        hft.replay(market, written(tmp_path, act, name), out=tmp_path / "runs")
    line = 8 if name == "mine" else 18
    assert str(caught.value).startswith(
        f"{tmp_path / 'mine.py'}, line {line}: `{act}`: strategy {name!r} raised ValueError: no "
    )


def test_plain_python_names_the_line_and_the_member_that_was_meant(tmp_path, market):
    one = written(tmp_path, "order.quot(hft.BUY, 5, 1)")
    with pytest.raises(StrategyError) as caught:
        one.check(market)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'mine.py'}, line 8: `order.quot(hft.BUY, 5, 1)`: ")
    assert "order has no member 'quot'; did you mean 'quote'?" in said
    with pytest.raises(StrategyError, match="view has no member 'bid_tik'; did you mean 'bid_tick"):
        written(tmp_path, "order.quote(0, view.bid_tik, 1)").check(market)
