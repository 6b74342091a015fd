import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_runs import START_NS, records, write_run

from hft.reports.earnings import by_hour, earnings, logs
from hft.reports.html import render
from hft.reports.view import View
from hft.runs.result import Run

HOUR = 3_600 * 10**9


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_run(tmp_path_factory.mktemp("earnings"), records(wakes=400))


def equity(hours: list[int], nets: list[float]) -> pl.DataFrame:
    at = pl.Series([START_NS + h * HOUR + 1 for h in hours]).cast(pl.Datetime("ns", "UTC"))
    zero = np.zeros(len(hours))
    parts = {"realized": nets, "unrealized": zero, "fees": zero, "net": nets}
    return pl.DataFrame({"ts": at, "strategy": "a", "symbol": "X", **parts})


def test_an_hour_earns_the_change_since_the_hour_before_over_all_days() -> None:
    rows = by_hour(equity([0, 1, 24, 25], [1.0, 2.0, 7.0, 6.5]))
    assert rows.select("hour", "net", "days").rows() == [(0, 6.0, 2), (1, 0.5, 2)]


def test_hours_add_up_to_the_run() -> None:
    nets = np.cumsum(np.random.default_rng(0).normal(size=90))
    rows = by_hour(equity(list(range(90)), nets.tolist()))
    assert rows.height == 24 and rows["net"].sum() == pytest.approx(nets[-1])


def view_of(run: Run, hours: int) -> View:
    """The run stretched over so many hours."""
    made = run.view(full=True)
    assert made.equity is not None
    count = made.equity.height
    at = pl.Series(START_NS + np.arange(count) * hours * HOUR // count).cast(
        pl.Datetime("ns", "UTC")
    )
    return replace(made, equity=made.equity.with_columns(ts=at))


def test_the_page_says_by_hour_and_of_round_trips_and_how_long_they_were_held(run: Run) -> None:
    page = earnings(view_of(run, 30))
    assert "By hour of the day" in page and "The best hour began at" in page
    assert "Round trips" in page and "Held for" in page and "first in, first out" in page
    trips = run.round_trips
    assert trips.height > 20 and f">{trips.height:,}</td>" in page
    assert page.count('class="panel') >= 3


def test_hours_that_earned_nothing_or_are_too_few_are_not_drawn(run: Run) -> None:
    assert "By hour" not in earnings(run.view(full=True))
    view = view_of(run, 30)
    assert view.equity is not None
    idle = view.equity.with_columns(realized=0.0, unrealized=0.0, fees=0.0, net=0.0)
    assert "By hour" not in earnings(replace(view, equity=idle))


def test_without_a_closed_trip_there_is_no_section(tmp_path: Path) -> None:
    made = records(wakes=60)
    made.fills, made.steps = made.fills[:0], made.steps[made.steps["kind"] < 2]
    assert "Round trips" not in render(write_run(tmp_path, made).view(full=True))


def test_logs_are_counted_by_their_text(run: Run) -> None:
    at = pl.Series([START_NS + k for k in range(50)]).cast(pl.Datetime("ns", "UTC"))
    frame = pl.DataFrame(
        {
            "ts": at,
            "strategy": "market_making",
            "code": [1] * 49 + [2],
            "text": ["wide <spread>"] * 49 + [""],
            "value": np.arange(50.0),
        }
    )
    page = logs(replace(run.view(full=True), logs=frame))
    assert "50 lines" in page and "wide &lt;spread&gt;" in page and "code 2" in page
    assert "the first 40 of 50" in page
    assert logs(run.view(full=True)) == ""


def test_a_partial_run_says_how_it_goes_on(run: Run) -> None:
    view = replace(run.view(full=True), partial=True, stopped="Ctrl-C", resume="20260101T0_ab")
    html = render(view)
    assert re.search(r"stopped: Ctrl-C.*--resume 20260101T0_ab</code>", html, re.DOTALL)
    assert "--resume" not in render(run.view(full=True))
