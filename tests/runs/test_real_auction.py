"""The recorded pre-open of ES: its fills are told first, and two recordings share one limit."""

from pathlib import Path

import pytest

import hft

FILES = [f"databento_dbn_es/esh4-glbx-mdp3-202312{day}.mbo.dbn.zst" for day in (24, 25)]


def test_fills_of_the_pre_open_are_told_and_the_limits_fit_both_days(
    shared_data: Path, tmp_path: Path
) -> None:
    paths = [shared_data / name for name in FILES]
    if not all(path.is_file() for path in paths):
        pytest.skip(f"no recording {paths[0]}")
    tapes = hft.ingest(paths, tmp_path / "es")
    run = hft.replay(tapes, "market_making", venue="cme", out=tmp_path / "runs")
    early = run.metrics["fills_outside_session"].value
    assert 0 < early < run.fills.height
    assert "--start 2023-12-25T23:00:00Z, 0 of 16 fills" in repr(run).splitlines()[0]
    get = run.metrics.get_value
    assert get("refused") < 0.01 * get(
        "decisions"
    )  # nearly all of them, by the snapshot's gap of 0
