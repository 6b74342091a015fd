"""The advice of a run names the change that was tried, with the figure that it gave."""

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import hft
from hft.runs import advice

FIRST = {"max_position_size": 10}
SECOND = {"risk.price_band_ticks": 7}


def test_a_change_that_made_it_worse_is_not_named_with_the_figure_of_the_better_one(
    monkeypatch: pytest.MonkeyPatch,
):
    refused = pl.DataFrame({"reason": ["POSITION_LIMIT"], "measured": [9]})
    run: Any = SimpleNamespace(
        manifest={"config": {"limits": hft.Limits.research().to_dict()}},
        _frame=lambda name: refused.lazy(),
    )
    changes = iter([FIRST, SECOND, {}])
    passed = iter([40, 30])
    monkeypatch.setattr(advice, "_next_change", lambda *_: next(changes))
    monkeypatch.setattr(
        advice,
        "relimit",
        lambda *_: SimpleNamespace(decisions=refused, would_pass=next(passed), refused=100),
    )
    text = advice._tried(run)
    assert "max_position_size 10" in text
    assert "40 of 100" in text
    assert "price_band_ticks" not in text
