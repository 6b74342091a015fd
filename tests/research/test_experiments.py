"""Experiments on disk: written whole, listed newest first; what is broken is counted."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hft.core.errors import DataError, JournalError, ValidationError
from hft.governance.paper import log_session, sessions_folder, summarize
from hft.research import experiments as ex

NOON = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def write(root: Path, alpha: str, at: int, **given: Any) -> ex.Experiment:
    base = {"config_hash": "c" * 16, "data_hash": "d" * 64, "signals": [0.1, 0.2]}
    return ex.write_run(root, alpha_id=alpha, now_ns=at, **(base | given))


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    run = write(
        tmp_path,
        "ofi",
        NOON,
        data_paths=["a.parquet"],
        metrics={"sharpe_oos": 1.5, "ic": float("nan")},
        gate_status={"A": "PASS"},
        scorecard={"sharpe_oos": np.float64(1.5), "rows": np.arange(2)},
        backtest_report={"net": float("inf")},
        signals=[0.5, np.nan, -0.5],
        equity=[1e6, 1e6 + 1],
        ts_ns=[1, 2, 3],
    )
    (found,) = ex.list_runs(tmp_path).runs
    assert found.meta == run.meta
    assert set(found.meta) == set(ex.META_KEYS)
    assert found.run_id == f"20270115T080000Z_{run.run_id[-8:]}"
    assert found.timestamp == "2027-01-15T08:00:00+00:00"
    assert found.scorecard == {"sharpe_oos": 1.5, "rows": [0, 1]}
    assert found.backtest_report == {"net": None} and found.metric("ic") is None
    signals, equity = found.signals, found.equity
    assert signals is not None and equity is not None
    assert signals.ts_ns is not None and signals.ts_ns.tolist() == [1, 2, 3]
    assert np.array_equal(signals.values, [0.5, np.nan, -0.5], equal_nan=True)
    assert equity.ts_ns is None and equity.values.tolist() == [1e6, 1e6 + 1]
    for name in ("meta.json", "scorecard.json", "backtest_report.json"):
        text = (found.path / name).read_text()
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) + "\n"


def test_runs_are_listed_newest_first_and_by_alpha(tmp_path: Path) -> None:
    for k, alpha in enumerate(["b", "a", "b"]):
        write(tmp_path, alpha, NOON + k * SECOND)
    assert [run.alpha_id for run in ex.list_runs(tmp_path).runs] == ["b", "a", "b"]
    stamps = [run.timestamp for run in ex.list_runs(tmp_path).runs]
    assert stamps == sorted(stamps, reverse=True)
    assert len(ex.list_runs(tmp_path, "b").runs) == 2
    assert ex.list_runs(tmp_path / "nowhere").runs == ()


def test_two_runs_of_the_same_second_are_two_runs(tmp_path: Path) -> None:
    ids = [write(tmp_path, "a", NOON).run_id for _ in range(3)]
    assert len(set(ids)) == 3 and len(ex.list_runs(tmp_path).runs) == 3
    other = write(tmp_path, "a", NOON, config_hash="e" * 16)
    assert other.run_id[-8:] != ids[0][-8:]


def test_writers_of_the_same_moment_all_keep_their_run(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda k: write(tmp_path, f"a{k}", NOON).run_id, range(24)))
    found = ex.list_runs(tmp_path)
    assert len(set(made)) == 24 == len(found.runs) and found.unreadable == ()
    assert {run.alpha_id for run in found.runs} == {f"a{k}" for k in range(24)}
    assert all(run.path.name == run.run_id for run in found.runs)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"run_id": 3}', "\xff"])
def test_meta_that_cannot_be_read_is_skipped_and_counted(tmp_path: Path, content: str) -> None:
    write(tmp_path, "a", NOON)
    broken = write(tmp_path, "a", NOON + SECOND)
    (broken.path / "meta.json").write_bytes(content.encode("latin-1"))
    (tmp_path / "runs" / "empty").mkdir()
    listing = ex.list_runs(tmp_path)
    assert len(listing.runs) == 1
    assert listing.unreadable == (broken.run_id, "empty")
    assert listing.to_dict()["unreadable"] == 2


def test_compare_keeps_the_order_asked_for_and_takes_unique_beginnings(tmp_path: Path) -> None:
    first, second = write(tmp_path, "a", NOON), write(tmp_path, "b", NOON + DAY)
    asked = [second.run_id, first.run_id, second.run_id[:10]]
    assert [run.alpha_id for run in ex.compare(tmp_path, asked)] == ["b", "a", "b"]
    with pytest.raises(ValidationError, match="not unique"):
        ex.compare(tmp_path, ["2027"])
    with pytest.raises(ValidationError, match=f"no such run.*{first.run_id}"):
        ex.compare(tmp_path, ["nothing"])


def test_best_sorts_descending_and_puts_those_without_the_figure_last(tmp_path: Path) -> None:
    for k, value in enumerate([0.5, None, 2.0, float("nan"), 1.0]):
        write(tmp_path, f"a{k}", NOON + k * SECOND, metrics={"sharpe_oos": value, "flag": True})
    names = [run.alpha_id for run in ex.best(tmp_path).runs]
    assert names == ["a2", "a4", "a0", "a3", "a1"]
    assert [run.alpha_id for run in ex.best(tmp_path, top=2).runs] == ["a2", "a4"]
    assert ex.best(tmp_path, alpha_id="a0").runs[0].metric("sharpe_oos") == 0.5
    assert ex.best(tmp_path, "flag").runs[0].metric("flag") is None, "a truth is no figure"
    with pytest.raises(ValidationError, match=r"'sharp'.*sharpe_oos"):
        ex.best(tmp_path, "sharp")


def test_a_run_that_cannot_be_finished_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="3 values for 2 times"):
        write(tmp_path, "a", NOON, signals=[1, 2, 3], ts_ns=[1, 2])

    def refuse(source: Any, target: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(JournalError, match="No space left"):
        write(tmp_path, "a", NOON)
    assert list((tmp_path / "runs").iterdir()) == []


def test_the_newest_run_with_signals_speaks_for_an_alpha(tmp_path: Path) -> None:
    old = write(tmp_path, "a", NOON)
    write(tmp_path, "a", NOON + SECOND, signals=None)
    assert ex.latest(tmp_path, with_signals=True)["a"].run_id == old.run_id
    assert ex.latest(tmp_path)["a"].run_id != old.run_id


def test_paper_sessions_are_summed_up(tmp_path: Path) -> None:
    for k, (hours, alerts, rate) in enumerate([(2, 0, 0.0), (1, 1, 0.01), (3, 0, 0.02)]):
        start = NOON + 2 * k * DAY
        log_session(
            tmp_path,
            "ofi",
            f"s{k}",
            started_ns=start,
            ended_ns=start + hours * 3600 * SECOND,
            drift_alerts=alerts,
            execution_reject_rate=rate,
            regime=["calm", "wild"][k % 2],
        )
    found = summarize(sessions_folder(tmp_path, "ofi"))
    told = found.to_dict()
    assert [one["started_ns"] for one in told.pop("sessions")] == [
        NOON,
        NOON + 2 * DAY,
        NOON + 4 * DAY,
    ]
    assert told == {
        "session_count": 3,
        "calendar_span_days": 5,
        "distinct_trading_days": 3,
        "min_session_duration_seconds": 3600.0,
        "invalid_session_duration_count": 0,
        "drift_alerts_total": 1,
        "execution_reject_rate_mean": pytest.approx(0.01),
        "execution_reject_rate_p95": pytest.approx(np.percentile([0.0, 0.01, 0.02], 95)),
        "regimes_covered": ["calm", "wild"],
        "first_day": "20270115",
        "unreadable_session_count": 0,
    }


def test_what_a_session_lacks_is_absent_not_zero(tmp_path: Path) -> None:
    assert summarize(sessions_folder(tmp_path, "none")).drift_alerts_total is None
    log_session(tmp_path, "a", "s1", started_ns=NOON, ended_ns=NOON, drift_alerts=0)
    log_session(
        tmp_path, "a", "s2", started_ns=NOON, ended_ns=NOON + SECOND, execution_reject_rate=0.0
    )
    (sessions_folder(tmp_path, "a") / "torn.json").write_text('{"started_ns": 1')
    found = summarize(sessions_folder(tmp_path, "a"))
    assert (found.session_count, found.unreadable_session_count) == (2, 1)
    assert found.invalid_session_duration_count == 1
    assert found.min_session_duration_seconds == 1.0
    assert found.drift_alerts_total is None
    assert found.execution_reject_rate_mean is found.execution_reject_rate_p95 is None
    with pytest.raises(ValidationError, match="no share"):
        log_session(tmp_path, "a", "s3", started_ns=0, ended_ns=1, execution_reject_rate=1.5)
    with pytest.raises(ValidationError, match=r"\.\./x"):
        log_session(tmp_path, "a", "../x", started_ns=0, ended_ns=1)
