"""The advice of a run names the change that was tried, with the figure that it gave."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import hft
from benchmarks import advice_check
from hft.runs import advice, advice_rules
from hft.runs.advice import Attempt
from hft.runs.advice_rules import Limited, next_change
from hft.runs.folder.layout import ADVICE
from hft.runs.ingest import synthetic
from hft.runs.result import Run

FIRST = {"max_position_size": 10}
SECOND = {"risk.price_band_ticks": 7}
OFF_BANDS = {"risk.price_band_bps": 0, "risk.price_band_spreads": 0}


def refusals(reason: str, measured: list[Any], limit: list[Any]) -> pl.DataFrame:
    rows = {"reason": [reason] * len(measured), "measured": measured, "limit": limit}
    return pl.DataFrame(rows, {"reason": pl.String, "measured": pl.Float64, "limit": pl.Float64})


def limited(tmp_path: Path, **stated: Any) -> Limited:
    """A run of a set that states these keys and resolved nothing else."""
    limits = hft.Limits.off().replace(**stated)
    names = SimpleNamespace(instruments=[SimpleNamespace(tick="0.5")])
    run: Any = SimpleNamespace(path=tmp_path, names=names, _kept=lambda name: None)
    return Limited(run, limits)


def test_a_change_that_made_it_worse_is_not_named_with_the_figure_of_the_better_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    refused = refusals("POSITION_LIMIT", [9] * 100, [8] * 100).with_columns(
        reason_code=440, price_tick=1000
    )
    run: Any = SimpleNamespace(
        path=tmp_path,
        manifest={"config": {"limits": hft.Limits.research().to_dict()}, "tapes": [{"rows": 5}]},
        _frame=lambda name: refused.lazy(),
    )
    changes = iter([FIRST, SECOND, {}])
    left = iter([60, 170])
    monkeypatch.setattr(advice, "next_change", lambda *_: next(changes))
    monkeypatch.setattr(advice, "_attempt", lambda *_: Attempt(refused.head(next(left)), 500, True))
    found = advice._tried(run)
    assert "max_position_size 10" in found["text"]
    assert "60 of 500 intents are refused, not 100" in found["text"]
    assert "price_band_ticks" not in found["text"]
    assert (found["changes"], found["left"]) == (FIRST, 60)


def test_what_one_order_would_have_needed_is_taken_from_nearly_all_of_them(tmp_path: Path):
    of = limited(tmp_path, **{"risk.price_band_ticks": 3})
    far = refusals("PRICE_OUTSIDE_BAND", [4.5] * 40 + [6.5] * 58 + [9_000.0] * 2, [3.0] * 100)
    assert next_change(of, far, {}) == {"risk.price_band_ticks": 7}
    assert next_change(of, far, {"risk.price_band_ticks": 7}) == {}, "it was tried"


def test_a_price_is_written_in_the_currency_and_a_missing_figure_is_no_figure(tmp_path: Path):
    of = limited(tmp_path, **{"risk.max_price_cap": 10})
    dear = refusals("PRICE_EXCEEDS_CAP", [None, 25.0], [None, 20.0])
    assert next_change(of, dear, {}) == {"risk.max_price_cap": 13}
    assert next_change(of, refusals("PRICE_EXCEEDS_CAP", [None], [None]), {}) == {}


def test_what_counts_all_so_far_is_multiplied_and_no_limit_beside_it_is_touched(tmp_path: Path):
    of = limited(tmp_path, **{"max_position_size": 700, "symbols.X.max_long": 4})
    full = refusals("POSITION_LIMIT", [5], [4])
    assert next_change(of, full, {}) == {"symbols.X.max_long": 8}
    assert next_change(of, full, {"symbols.X.max_long": 8}) == {"symbols.X.max_long": 32}


def test_a_limit_that_a_degraded_mode_halved_is_raised_all_the_same(tmp_path: Path):
    of = limited(tmp_path, max_position_size=8)
    assert next_change(of, refusals("POSITION_LIMIT", [5], [4]), {}) == {"max_position_size": 16}


@pytest.mark.parametrize(("limit", "key"), [(2, "second"), (60, "minute")])
def test_of_two_rates_the_one_that_refused_is_raised(tmp_path: Path, limit: int, key: str):
    rates = {"risk_limits.orders_per_second": 2, "risk_limits.orders_per_minute": 60}
    busy = refusals("RATE_LIMIT", [limit + 1], [limit])
    name = f"risk_limits.orders_per_{key}"
    assert next_change(limited(tmp_path, **rates), busy, {}) == {name: 2 * limit}


def test_a_limit_that_is_off_and_a_guard_of_losses_are_never_changed(tmp_path: Path):
    of = limited(tmp_path, **{"strategies.a.max_net_qty": 0, "max_daily_loss": 5})
    assert next_change(of, refusals("NET_QTY_LIMIT", [5], [4]), {}) == {}
    assert next_change(of, refusals("DAILY_LOSS", [6], [5]), {}) == {}
    assert not {"DAILY_LOSS", "BREAKER_TRIPPED", "KILL_SWITCH"} & {
        *advice_rules.OF_ALL_SO_FAR,
        *advice_rules.OF_ONE_ORDER,
    }


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory):
    return synthetic(seed=3, out=tmp_path_factory.mktemp("advice") / "tapes", events=60_000)


@pytest.mark.parametrize("name", ["position", "band", "Python, band"])
def test_the_advised_change_does_what_was_announced(name: str, tapes, tmp_path: Path):
    (case,) = [one for one in advice_check.CASES if (one.market, one.name) == ("synthetic", name)]
    found = advice_check.outcome(case, tapes, tmp_path)
    assert found.verdict == "good", found.line()
    if "Python" not in name:
        assert found.before - found.announced == found.after, "it was repeated, so it is exact"
    said = [json.loads(path.read_text())["text"] for path in tmp_path.glob(f"*/{ADVICE}")]
    assert found.text in said


ASKED = """
import hft
import numpy as np


@hft.strategy(every="10m", params={"lots": 1, "times": 1.0})
def asking(view, order, p, s):
    middle = np.percentile(np.arange(5.0), 50, method="lower")  # no compiler knows it
    if view.book_valid:
        order.new(hft.BUY, int(view.bid_tick * p["times"]) + int(middle) - 2, p["lots"])
"""


@pytest.fixture
def asking(tmp_path: Path) -> Callable[..., Run]:
    tapes = synthetic(seed=3, events=4_000, out=tmp_path / "tapes")
    (tmp_path / "asked.py").write_text(ASKED)

    def run(**params: float) -> Run:
        name = str(tmp_path / "asked.py")
        return hft.replay(tapes, name, params=params, plain=True, out=tmp_path / "runs")

    return run


def test_a_plain_run_that_no_compiler_takes_is_advised_on_its_journal(
    asking: Callable[..., Run],
):
    run = asking(lots=100_000)
    said = json.loads((run.path / ADVICE).read_text())
    assert said["text"].startswith("tried on this journal: with ") and said["left"] == 0
    assert run.verify(), "it is replayed as it was made"


def test_prices_that_are_no_ticks_are_named_and_no_band_is_widened_for_them(
    asking: Callable[..., Run],
):
    run = asking(times=0.1)
    said = json.loads((run.path / ADVICE).read_text())
    assert "orders take ticks, and view.to_ticks(price) makes them" in said["text"]
    assert not said.get("changes")
    near = json.loads((asking(times=0.9).path / ADVICE).read_text())
    assert "ticks from the mid" not in near["text"] and "price_band" in near["text"]
