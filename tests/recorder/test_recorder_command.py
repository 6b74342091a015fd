"""`hft recorder` as an operator uses it: status, load, drain, verify, inspect, refusals."""

import json
from pathlib import Path
from typing import Any

import pytest

from hft.cli.app import run
from hft.recorder.segments import sealed_paths
from hft.recorder.wal_first import WALFirstWriter
from hft.storage.disk import REAL
from hft.storage.log import segment_paths
from tests.recorder.loading_world import COUNTS, record
from tests.recorder.recorder_world import Told, rows_of

pytestmark = pytest.mark.nojit
ROWS = 3 * sum(COUNTS.values())


@pytest.fixture
def wal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of rows of a workspace that we are in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return tmp_path / ".wal"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """The document of a command that ended well."""
    assert run(["recorder", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["recorder", *words])
    return code, capsys.readouterr().err


def test_what_waits_is_loaded_verified_and_gone(
    wal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(wal)
    before = said(capsys, "status")["folders"][0]
    assert (before["files"], before["loaded"], before["level"]) == (3, 0, "OK")
    assert before["eta_s"] is None and before["writer_id"] == "w1"
    assert said(capsys, "load")["rows"] == ROWS
    after = said(capsys, "status")["folders"][0]
    assert (after["files"], after["loaded"], after["rows"], after["eta_s"]) == (0, 3, ROWS, 0.0)
    found = said(capsys, "verify")
    assert found["ok"] and found["compared"] == ROWS
    assert run(["recorder", "status"]) == 0
    assert "waits     0 segments" in capsys.readouterr().out


def test_drain_ends_the_last_segment_of_a_writer_that_is_gone(
    wal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = WALFirstWriter(wal, "w1", Told().monitor)
    one.write("orders", rows_of("orders", range(5)))
    one.commit()
    assert said(capsys, "drain")["rows"] == 0, "its writer is at work"
    one._log.close()  # as a kill leaves it
    assert said(capsys, "load")["rows"] == 0
    assert said(capsys, "drain")["rows"] == 5
    assert said(capsys, "status")["folders"][0]["files"] == 0


def test_inspect_shows_blocks_and_rows(wal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(wal, segments=1)
    path = sealed_paths(wal, REAL)[0]
    blocks = said(capsys, "inspect", str(path))
    assert blocks[0]["rows"] == {"orders": [1, 500]} or blocks[0]["rows"] == {}
    assert run(["recorder", "inspect", str(path), "--jsonl"]) == 0
    lines = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    orders = [one for one in lines if one["table"] == "orders"]
    assert [one["wal_seq"] for one in orders] == list(range(1, COUNTS["orders"] + 1))
    assert orders[3]["event"] == "event-3"


def test_damage_is_put_aside_with_exit_code_2_and_status_says_why(
    wal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(wal)
    bad = sealed_paths(wal, REAL)[0]
    bad.write_bytes(bad.read_bytes()[:-1])
    assert run(["recorder", "load"]) == 2
    assert "1 segment damaged, now in quarantine" in capsys.readouterr().out
    assert run(["recorder", "status"]) == 0
    assert "damaged   " in capsys.readouterr().out
    assert run(["recorder", "verify"]) == 2


def test_every_refusal_is_one_sentence_with_its_exit_code_and_touches_nothing(
    wal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(wal, segments=1)
    (path,) = sealed_paths(wal, REAL)
    newer = path.read_bytes()[:8] + b"\2\0" + path.read_bytes()[10:]
    path.write_bytes(newer)
    assert refused(capsys, "load") == (
        74,
        f"hft: {path}: journal version 2; this hft reads 1; load it with the hft that wrote it\n",
    )
    assert path.read_bytes() == newer and not (wal / "quarantine").exists()

    options = wal.parent / "config" / "recorder.yaml"
    options.write_text("policies: {market_date: drop}\n")
    code, words = refused(capsys, "status")
    assert code == 78 and "'market_date' is no table of the recorder; did you mean" in words
    options.unlink()

    code, words = refused(capsys, "load", "--dsn", "clickhouse://127.0.0.1:9/")
    assert code == 69 and "does not answer" in words and words.count("\n") == 1
    code, words = refused(capsys, "verify", "--wal-dir", "nowhere")
    assert code == 65 and "nothing was recorded there" in words
    code, words = refused(capsys, "inspect", "nowhere")
    assert code == 65 and "no segment of a recorder is there" in words


def test_a_journal_of_something_else_is_no_recorders_folder(
    wal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hft.storage.log import LogWriter

    for _ in range(2):
        log = LogWriter(wal, "gateway")
        log.append(1, 2, b"not ours")
        log.rotate(1)
        log.append(1, 2, b"not ours")
        log.close()
    before = {path: path.read_bytes() for path in segment_paths(wal)}
    code, words = refused(capsys, "load")
    assert code == 74 and "a journal of 'gateway', not of 'recorder'" in words
    assert {path: path.read_bytes() for path in segment_paths(wal)} == before
