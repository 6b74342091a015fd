"""A run that was filled outside the open hours says so first, with the times that were tried."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import hft
from hft.core.instruments import Instrument
from hft.runs.ingest import ingest
from hft.runs.limits import reference_summary
from hft.runs.open_hours import stretch
from hft.runs.result import Run
from hft.tape.sessions import sessions_of

pytestmark = pytest.mark.nojit

SECOND = 1_000_000_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


OPEN = "2024-11-04 23:00"  # of CMES, an hour after the close


@hft.strategy(every="10m")
def to_and_fro(view, order, p, s):  # type: ignore[no-untyped-def]
    order.target(1 if view.position == 0 else 0)


def replayed(folder: Path, first: str, hours: int, strategy: Any, calendar: str | None) -> Run:
    """Quotes each minute of so many hours, traded on to and fro."""
    ts = at(first) + np.arange(hours * 60) * 60 * SECOND
    # Depth comes and goes, so that what was taken is forgotten.
    depth = np.where(np.arange(hours * 60) % 2 == 0, 5.0, 1.0)
    frame = pl.DataFrame({"ts": ts, "bid_qty": depth, "ask_qty": depth})
    frame = frame.with_columns(bid=99.99, ask=100.01)
    grid = {"F": Instrument("F", Decimal("0.01"), Decimal(1), calendar=calendar)}
    tapes = ingest(frame, folder / "tapes", symbol="F", instruments=grid)
    return hft.replay(tapes, strategy, out=folder / "runs", limits=hft.Limits.off(), record="full")


def test_fills_before_the_open_are_told_first_with_the_start_that_leaves_none(
    tmp_path: Path,
) -> None:
    run = replayed(tmp_path, "2024-11-04 22:00", 3, to_and_fro, "CMES")
    ts = run.fills["exch_ts"].to_physical()
    early = int((ts < at(OPEN)).sum())
    assert 0 < early < run.fills.height
    assert run.metrics["fills_outside_session"].value == early
    sent = run.decisions.filter(pl.col("ts").to_physical() < at(OPEN)).height
    assert run.metrics["orders_outside_session"].value == sent
    said = repr(run).splitlines()[0]
    assert said.startswith(f"{early} of {run.fills.height} fills")
    assert "sessions of CMES" in said and "--start 2024-11-04T23:00:00Z, 0 of " in said
    assert said == run.to_json()["notice"] == Run.open(run.path).view().notice
    assert "--start 2024-11-04T23:00:00Z" in run.report(tmp_path / "r.html").read_text()
    cured = hft.replay(
        run.manifest["tapes"][0]["path"],
        to_and_fro,
        out=tmp_path / "runs",
        limits=hft.Limits.off(),
        start="2024-11-04T23:00:00Z",
    )
    assert cured.metrics["fills_outside_session"].value == 0
    assert f"0 of {cured.fills.height} fills" in said and not cured.view().notice


def test_fills_in_several_pauses_are_no_matter_of_one_start(tmp_path: Path) -> None:
    run = replayed(tmp_path, "2024-11-04 20:30", 27, to_and_fro, "CMES")
    run_of_two = replayed(tmp_path / "b", "2024-11-03 22:30", 24, to_and_fro, "CMES")
    assert run.metrics["fills_outside_session"].value > 0
    assert "view.session_phase" in repr(run).splitlines()[0]
    said = repr(run_of_two).splitlines()[0]
    assert "--start 2024-11-03T23:00:00Z --end 2024-11-04T22:00:00Z" in said


def test_a_strategy_in_python_is_not_run_again(tmp_path: Path) -> None:
    made: list[int] = []

    @hft.strategy(every="10m")
    class InPython:
        def __init__(self) -> None:
            made.append(1)

        def on_wake(self, view: Any, order: Any) -> None:
            order.target(1 if view.position == 0 else 0)

    run = replayed(tmp_path, "2024-11-04 22:00", 3, InPython, "CMES")
    assert "try --start 2024-11-04T23:00:00Z" in run.view().notice
    assert "not tried" in run.view().notice and len(made) == 1


@pytest.mark.parametrize(
    ("first", "calendar", "counted"),
    [("2024-11-04 23:00", "CMES", True), ("2024-11-04 22:00", None, False)],
)
def test_a_run_within_the_hours_or_without_any_says_nothing(
    tmp_path: Path, first: str, calendar: str | None, counted: bool
) -> None:
    run = replayed(tmp_path, first, 2, to_and_fro, calendar)
    assert run.fills.height > 5 and run.view().notice == ""
    assert ("fills_outside_session" in run.metrics) == counted


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["04 22:30", "04 23:10"], {"start_ns": "04 23:00"}),
        (["04 21:30", "04 22:30"], {"end_ns": "04 22:00"}),
        (["04 22:30", "05 21:00", "05 22:10"], {"start_ns": "04 23:00", "end_ns": "05 22:00"}),
        (["04 22:30"], {"start_ns": "04 23:00"}),
        (["04 21:30", "04 22:30", "04 23:10"], None),
    ],
)
def test_the_times_are_the_next_open_and_the_last_close(
    times: list[str], expected: dict[str, str] | None
) -> None:
    sessions = sessions_of("CME")
    assert sessions is not None
    found = stretch(sessions, np.array([at(f"2024-11-{one}") for one in times]))
    wanted = expected and {name: at(f"2024-11-{one}") for name, one in expected.items()}
    assert found == wanted


def summary(rows: int, gap: int | None, mid: int | None = 100) -> Any:
    given = {"first_mid": mid, "gap_ns_p999": gap, "kinds": {"add": rows}}
    return SimpleNamespace(summary=given)


@pytest.mark.parametrize(
    ("chain", "mid", "gap"),
    [
        ([summary(9_000, 0, 1), summary(80_000, 4, 2)], 2, 4),  # a snapshot, then a day
        ([summary(9_000, 3, 1), summary(80_000, 9, 2), summary(9_000, 5, 3)], 1, 9),
        ([summary(9_000, 3, 1), summary(20, 900, 2)], 1, 3),  # too few rows to know
        ([summary(20, 7, 1), summary(30, 8, 2)], 1, 8),  # none has more
        ([summary(9_000, 3, None), summary(9_000, 4, 2)], 2, 4),
        ([summary(1, None, None)], None, None),
    ],
)
def test_relative_limits_are_for_every_tape_of_an_instrument(
    chain: list[Any], mid: int | None, gap: int | None
) -> None:
    found = reference_summary(chain)
    assert (found["first_mid"], found["gap_ns_p999"]) == (mid, gap)
