"""What a strategy takes from outside its own text is part of what its run is."""

from pathlib import Path
from typing import Any

import pytest
from manifest_entry import entry

from hft.runs.code.captures import outside
from hft.runs.code.sources import rebuild, strategies_in
from hft.strategies.base import Strategy

TEXT = """
import numpy as np
import hft
from hft.core.jit import kernel

WIDTH = {width}
STEPS = np.array([1, {step}])
LEVELS = (1, {level})

@kernel
def inner(x):
    return x * WIDTH + {inner}

@kernel
def outer(x):
    return inner(x) + LEVELS[1] + STEPS[1]

@hft.strategy(every="1s", state={{"n": {state}}}, on={on!r})
def body(view, order, p, s):
    order.quote(hft.BUY, outer(3), 1)
"""
PLAIN = {"width": 1, "step": 2, "level": 3, "inner": 4, "state": 5, "on": "timer"}


def written(path: Path, **changed: Any) -> Strategy:
    path.write_text(TEXT.format(**{**PLAIN, **changed}))
    return strategies_in(path)["body"]


@pytest.mark.parametrize("name", ["width", "step", "level", "inner"])
def test_code_and_tables_that_a_body_reaches_are_told_apart(tmp_path: Path, name: str) -> None:
    before = written(tmp_path / "a.py")
    again = written(tmp_path / "b.py")
    after = written(tmp_path / "c.py", **{name: 9})
    assert outside(before) == outside(again)
    assert outside(before) != outside(after)
    assert before.source == after.source


def test_what_hft_and_packages_bring_is_not_the_users_own(tmp_path: Path) -> None:
    assert set(outside(written(tmp_path / "a.py"))) == {
        "outer",
        "outer.LEVELS",
        "outer.STEPS",
        "outer.inner",
        "outer.inner.WIDTH",
    }


CLASS = """
import hft

STEP = {step}

def away(tick):
    return tick - STEP

@hft.strategy(every="1s")
class Body:
    def on_wake(self, view, order):
        order.quote(hft.BUY, away(view.mid_tick), 1)
"""


def test_a_class_is_followed_into_its_methods(tmp_path: Path) -> None:
    texts = []
    for step in (1, 2):
        path = tmp_path / f"{step}.py"
        path.write_text(CLASS.format(step=step))
        texts.append(outside(strategies_in(path)["Body"]))
    assert set(texts[0]) == {"away", "away.STEP"}
    assert texts[0] != texts[1]


def test_a_strategy_is_rebuilt_with_the_functions_it_had(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(CLASS.format(step=1))
    stored = entry(strategies_in(path)["Body"], path)
    path.write_text(CLASS.format(step=2))
    body = rebuild("Body", stored).body
    assert body.on_wake.__globals__["away"](10) == 9
