"""Rows on start-up: over bare Python, wall and processor time, and a reason where there is none."""

import sys
from pathlib import Path

import pytest

from benchmarks import startup_rows
from benchmarks.environments import NotMeasured
from benchmarks.measure import MET, MISSED, NOT_MEASURED
from benchmarks.startup import Starts, Times, once, starts

BARE = (Times(0.010, 0.008), Times(0.012, 0.008), Times(0.010, 0.008))


def _took(*seconds: float) -> Starts:
    return Starts(tuple(Times(wall, wall / 2) for wall in seconds), BARE)


@pytest.mark.parametrize(("bound", "verdict"), [(12.0, MET), (9.0, MISSED)])
def test_a_start_is_judged_by_its_ratio_to_a_bare_python_run_beside_it(bound, verdict):
    row = startup_rows._row("help", "`hft --help`", bound, lambda: _took(0.16, 0.18, 0.18))
    assert row.ratio is not None and row.ratio.values == pytest.approx((10.0, 11.25, 11.25))
    assert row.verdict == verdict
    assert row.facts["the same of wall time"] == pytest.approx(16.0)


def test_what_cannot_be_started_is_a_row_with_its_reason():
    def fails() -> Starts:
        raise NotMeasured("there is no wheel in dist")

    row = startup_rows._row("first-replay", "", 200.0, fails)
    assert (row.verdict, row.reason) == (NOT_MEASURED, "there is no wheel in dist")


def test_a_command_that_fails_is_not_measured_but_says_its_last_line(tmp_path: Path):
    with pytest.raises(NotMeasured, match="code 3: gone"):
        once([sys.executable, "-c", "print('gone'); raise SystemExit(3)"], tmp_path)


def test_work_takes_longer_than_none_and_the_first_of_each_is_not_counted(tmp_path: Path):
    seen: list[int] = []
    work = [sys.executable, "-c", "sum(range(8_000_000))"]
    found = starts(work, 2, sys.executable, before=seen.append, cwd=tmp_path)
    assert seen == [0, 1, 2] and len(found.ours) == len(found.bare) == 2
    assert found.cpu_ratio.low > 1.0
