"""A strategy that cannot be compiled is told where, and what it names that is not there."""

from pathlib import Path

import pytest
from numba.core.errors import TypingError

import hft
from hft.core.errors import StrategyError
from hft.core.jit import JIT_DISABLED
from hft.runs.code.compilation import strategy_error
from hft.runs.code.sources import find
from hft.runs.code.unknown import unknowns
from hft.runs.ingest import synthetic
from hft.strategies.base import Strategy

HEAD = """
import math
import numpy as np
import hft

STEP = 2

@hft.strategy(every="1s", params={"half": 1.0}, state={"fair": 0.0, "ring": [0.0] * 4})
def mine(view, order, p, s):
    if view.book_valid:
        ACT
"""
LINE = 11
NAMES = [
    ("order.quot(hft.BUY, 5, 1)", "order has no 'quot'; did you mean 'quote'?"),
    ("order[0].cancl_all()", "order[0] has no 'cancl_all'; did you mean 'cancel_all'?"),
    ("order.quote(hft.BUY, view.bid_tik, 1)", "view has no 'bid_tik'; did you mean 'bid_tick'?"),
    ("view.target(1)", "view has no 'target', but order.target is there"),
    ('s["fiar"] = 1.0', "there is no state field 'fiar'; did you mean 'fair'?"),
    ('s["fair"] = p["hlf"]', "there is no parameter 'hlf'; did you mean 'half'?"),
    ('s["half"] = 1.0', "no state field 'half', but there is a parameter of that name"),
    ('s["zz"] = 1.0', "no state field 'zz'; declared are: 'fair', 'ring'"),
    ("order.quote(hft.BUUY, 5, 1)", "hft has no 'BUUY'; did you mean 'BUY'?"),
    ('s["fair"] = np.mena(s["ring"])', "np has no 'mena'; did you mean 'mean'?"),
    ('s["fair"] = math.flor(1.5)', "math has no 'flor'; did you mean 'floor'?"),
    ("order.quote(hft.BUY, STEPP, 1)", "there is no 'STEPP'; did you mean 'STEP'?"),
    ("order.quote(hft.BUY, 5)", "order.quote(side, tick, lots): missing a required argument"),
    ("order.cancel_all(1)", "order.cancel_all(): too many positional arguments"),
    ("order.new(hft.BUY, 5, 1, tiff=0)", "got an unexpected keyword argument 'tiff'"),
    ("view.imbalance()", "view.imbalance(levels): missing a required argument: 'levels'"),
    ("order.quote(hft.BUY, view.bid_tick(), 1)", "write view.bid_tick without ()"),
    ("order.quote(hft.BUY, view.bid_ticks(0), 1)", "write view.bid_ticks[0] for its first"),
    (
        'order.quote("buy", view.bid_tick, 1)',
        "order.quote(side, tick, lots): side is hft.BUY or hft.SELL, not 'buy'",
    ),
    ('order.target(lots="1")', "order.target(lots, tick): lots is a number, not '1'"),
    (
        's["fair"] = p.get("half")',
        "p has no 'get'; a parameter is read as p['half']; declared are: 'half'",
    ),
    ("s.update(fair=1.0)", "s has no 'update'; a state field is read as s['fair']"),
    (
        's["fair"] = view.imbalance + 1',
        "view.imbalance is a function; write view.imbalance(levels)",
    ),
]


def written(folder: Path, act: str) -> Strategy:
    (folder / "mine.py").write_text(HEAD.replace("ACT", act))
    return find(f"{folder / 'mine.py'}:mine")


@pytest.mark.parametrize(("act", "says"), NAMES)
def test_a_name_that_is_not_there_is_said_with_its_line_and_the_one_that_was_meant(
    tmp_path, act: str, says: str
):
    found = unknowns(written(tmp_path, act))
    assert [one.line for one in found] == [LINE]
    assert says in found[0].says


@pytest.mark.parametrize(
    "act",
    [
        "order[0].quote(hft.BUY, view[0].bid_ticks[2] - p['half'], 1)",
        "order.new(hft.BUY, 5, 1, tif=hft.GTC)",
        "order.target(1) if abs(view.imbalance(5)) > 0.5 else order.target(0, tick=5)",
        "order = view; order.anything",
        "total = sum([k for k in range(3)]); s['fair'] = total",
        "for j in range(4): s['ring'][j] = np.float64(j) * math.pi",
        "args = (hft.BUY, 5, 1); order.quote(*args)",
        's["fair"] = p.half + s.ring[0] + view.imbalance(5)',
    ],
)
def test_what_is_there_or_cannot_be_known_is_passed_over(tmp_path, act: str):
    assert unknowns(written(tmp_path, act)) == []


def test_the_shipped_strategies_name_nothing_that_is_not_there():
    from hft.strategies.registry import SHIPPED, shipped

    assert [found for name in SHIPPED for found in unknowns(shipped(name))] == []


def test_the_words_of_the_compiler_stay_where_they_are_about_another_line(tmp_path):
    one = written(tmp_path, 's["fair"] = 1.0\n        s["fiar"] = 2.0')
    there = TypingError(f"No way\nDuring: typing of x at {tmp_path / 'mine.py'} ({LINE})")
    said = str(strategy_error({"mine": one}, there))
    assert said.startswith(f'{tmp_path / "mine.py"}, line {LINE}: `s["fair"] = 1.0`: ')
    assert "fiar" not in said
    nowhere = str(strategy_error({"mine": one}, KeyError("fiar")))
    assert f"line {LINE + 1}: " in nowhere and "did you mean 'fair'" in nowhere


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
@pytest.mark.parametrize("act", [NAMES[k][0] for k in (0, 2, 8, 11, 16, 18, 20, 22)])
def test_the_error_of_a_replay_has_file_line_text_and_name(tmp_path, act: str):
    tapes = synthetic(events=200, out=tmp_path / "tapes")
    says = dict(NAMES)[act]
    with pytest.raises(StrategyError) as caught:
        hft.replay(tapes, written(tmp_path, act), out=tmp_path / "runs")
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'mine.py'}, line {LINE}: `{act}`: strategy 'mine' cannot ")
    assert says in said and "plain" not in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
@pytest.mark.parametrize(
    ("act", "says"),
    [
        ('side = "buy"; order.quote(side, 5, 1)', "takes numbers, found (buy, 5, 1); a side is"),
        ('look = view.imbalance; s["fair"] = look + 1', "view.imbalance is a function; write"),
    ],
)
def test_plain_python_is_no_way_out_of_what_it_does_not_take_either(tmp_path, act: str, says: str):
    tapes = synthetic(events=200, out=tmp_path / "tapes")
    one = written(tmp_path, act)
    with pytest.raises(StrategyError) as caught:
        hft.replay(tapes, one, out=tmp_path / "runs")
    assert says in str(caught.value) and "--plain" not in str(caught.value)
    with pytest.raises(StrategyError):
        hft.replay(tapes, one, plain=True, out=tmp_path / "runs")


PERCENTILE = 's["fair"] = np.percentile(s["ring"], 50, method="nearest")'


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_what_the_compiler_does_not_know_is_named_and_runs_the_ways_that_are_said(tmp_path):
    tapes = synthetic(events=200, out=tmp_path / "tapes")
    one = written(tmp_path, PERCENTILE)
    with pytest.raises(StrategyError) as caught:
        hft.replay(tapes, one, out=tmp_path / "runs")
    said = str(caught.value)
    assert f"line {LINE}: `{PERCENTILE}`: " in said
    assert (
        "the compiler knows no percentile(nestedarray(float64, (4,)), 50, method=nearest)" in said
    )
    assert "unexpected keyword argument 'method'" in said
    assert "--plain or hft.replay(..., plain=True)" in said and "a class with on_wake" in said
    assert not hft.replay(tapes, one, plain=True, out=tmp_path / "runs").partial

    @hft.strategy(every="1s")
    class Mine:
        def on_wake(self, view, order):
            import numpy as np

            np.percentile([view.mid_tick], 50, method="nearest")

    assert not hft.replay(tapes, Mine, out=tmp_path / "runs").partial
