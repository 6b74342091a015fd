"""`hft audit` as a risk officer types it."""

import base64
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hft.api import audit as api
from hft.audit.auditor import Auditor
from hft.audit.delivery import waiting
from hft.cli.app import run
from hft.core.errors import DataError
from hft.storage.database import opened
from tests.audit import some_rows
from tests.audit.some_rows import START, write


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Auditor:
    """An empty workspace, and the auditor that commands in it use."""
    (tmp_path / "research" / "alphas").mkdir(parents=True)
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path)
    return Auditor(tmp_path / ".state" / "audit", f"chdb://{tmp_path}/.state/audit.chdb")


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert run(["audit", *words, "--json"]) == code
    out = capsys.readouterr().out
    return json.loads(out) if out else None


def test_a_trail_is_shown_drained_verified_and_exported(
    desk: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    write(desk, 8, ledger=False)
    assert len(said(capsys, "show")) == 8
    assert [row["table"] for row in said(capsys, "show", "--table", "audit.risk_log")] == [
        "risk_log"
    ]
    assert len(said(capsys, "show", "--since", "2030-01-01")) == 0
    assert said(capsys, "drain") == {"delivered": 8, "waiting": 0}
    found = said(capsys, "verify")
    assert found["ok"] and found["compared"] and found["oldest_row_without_anchor"]["seq"] == 2
    exported = said(capsys, "export", "--out", "e.jsonl")
    assert (exported["rows"], exported["seq"]) == (8, 9)
    found = said(capsys, "verify", "--export", "e.jsonl")
    assert found["oldest_row_without_anchor"] is None and found["anchors"] == 2
    assert said(capsys, "apply-schema")["applied"] == 0


def test_a_folder_without_any_record_is_not_called_whole(
    desk: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "verify"]) == 0
    out = capsys.readouterr().out
    assert "nothing was ever recorded" in out and "is what it was" not in out


def test_a_changed_row_ends_verify_with_2_and_says_where(
    desk: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    write(desk, 8, ledger=False)
    said(capsys, "drain")
    path = desk.journal.path
    path.write_bytes(path.read_bytes().replace(b"known gap", b"known lap"))
    (one,) = said(capsys, "verify", code=2)["findings"]
    assert (one["code"], one["seq"], one["column"]) == ("JOURNAL_ROW_CHANGED", 6, "reason")
    assert run(["audit", "verify"]) == 2
    assert "journal.jsonl: row 6: reason is 'known lap'" in capsys.readouterr().out
    assert run(["audit", "export", "--out", "e"]) == 2
    assert not Path("e").exists()


def test_a_page_of_overrides_and_a_pack(desk: Auditor, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "overrides"]) == 0
    assert "no overrides" in capsys.readouterr().out
    write(desk, 8, ledger=False)
    kinds = {row["kind"] for row in said(capsys, "overrides")}
    assert kinds == {"limit change", "waiver"}
    packed = said(capsys, "pack", "--out", "p.zip", "--alpha", "p")
    assert packed["rows"] == 1 and Path("p.zip").is_file()
    said(capsys, "pack", "--out", "q.zip", "--alpha", "nobody", code=65)
    assert not Path("q.zip").exists()
    assert said(capsys, "pack", "--out", "all.zip")["rows"] == 8


def test_old_rows_are_retired_with_a_reason(
    desk: Auditor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(some_rows, "START", some_rows.START - 7 * 366 * 86_400_000_000_000)
    write(desk, 8, ledger=False)
    assert said(capsys, "retire", "--before", "2015-01-01", "--reason", "old")["count"] == 0
    day = "2025-01-01"
    assert said(capsys, "retire", "--before", day, "--reason", "old")["count"] == 8
    assert said(capsys, "verify")["ok"] and len(said(capsys, "show")) == 1
    said(capsys, "retire", "--before", "soon", "--reason", "x", code=78)
    assert run(["audit", "retire", "--before", "2099-01-01", "--reason", "a rollback"]) == 78
    assert "less than 400 days ago" in capsys.readouterr().err
    said(capsys, "retire", "--before", day, code=64)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["verify", "--dsn", "nonsense"], 78, "nonsense: is no DSN"),
        (["drain", "--dsn", "http://127.0.0.1:9"], 69, "does not answer"),
        (["export", "--out", "/proc/none/x"], 74, "/proc"),
        (["verify", "--export", "none.jsonl"], 65, "none.jsonl: No such file"),
        (["show", "--since", "yesterday"], 78, "--since: 'yesterday' is no time"),
        (["show", "--nonsense"], 64, "No such option"),
        (["pack"], 64, "Missing option '--out'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_code(
    desk: Auditor,
    words: list[str],
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(desk, 1, ledger=False)
    assert run(["audit", *words]) == code
    error = capsys.readouterr().err
    assert sentence in error and len(error.strip().splitlines()) == 1


HOLD = """
import sys
import zipfile
from hft.storage.database import Source, opened
with opened(Source(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_while_another_process_holds_the_database_drain_is_busy_and_verify_says_so(
    desk: Auditor, capfd: pytest.CaptureFixture[str]
) -> None:
    write(desk, 2, ledger=False)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, desk.source.dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin and holder.stdout and holder.stdout.readline() == "held\n"
    assert run(["audit", "drain"]) == 75
    assert run(["audit", "verify"]) == 0
    assert "not compared" in capfd.readouterr().out
    holder.stdin.close()
    assert holder.wait(timeout=30) == 0
    holder.stdout.close()
    assert run(["audit", "drain"]) == 0


def test_the_trail_is_read_in_sql_and_a_query_changes_nothing(desk: Auditor) -> None:
    write(desk, 16, ledger=False)
    frame = api.sql("SELECT alpha_id, verdict FROM audit.alpha_gate_log ORDER BY ts")
    assert frame.to_dicts() == [
        {"alpha_id": "a0", "verdict": "PASS"},
        {"alpha_id": "a8", "verdict": "PASS"},
    ]
    for query in ("DROP TABLE audit.risk_log", "SELECT nope FROM audit.risk_log"):
        with pytest.raises(DataError):
            api.sql(query)
    assert api.verify().ok and api.overrides(START).height == 4


def test_a_ledger_that_is_gone_is_found_by_the_heads_of_the_rows(
    desk: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    write(desk, 3)
    found = said(capsys, "verify", code=2)["findings"]
    assert [one["code"] for one in found] == ["LEDGER_MISSING"]


def test_delivery_that_is_off_leaves_the_database_alone(
    desk: Auditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(desk, 2, ledger=False)
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    assert api.verify().database == "not asked" and waiting(desk.journal, desk.source) == 2
    assert not (tmp_path / ".state" / "audit.chdb").exists()


def test_show_with_a_database_shows_what_it_has(
    desk: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    write(desk, 8, ledger=False)
    dsn = desk.source.dsn
    assert run(["audit", "show", "--dsn", dsn]) == 69
    assert "there is no database; `hft audit drain` makes it" in capsys.readouterr().err
    said(capsys, "drain")
    write(desk, 2, 8, ledger=False)
    rows = said(capsys, "show")
    assert len(rows) == 10
    assert said(capsys, "show", "--dsn", dsn) == rows[:8], "as the journal has them"
    (one,) = said(capsys, "show", "--dsn", dsn, "--alpha", "p")
    assert one["table"] == "alpha_promotion_log"
    assert len(said(capsys, "show", "--dsn", dsn, "--since", "2030-01-01")) == 0


def test_verify_since_compares_from_a_time_on_and_walks_the_whole_chain(
    desk: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    write(desk, 8, ledger=False)
    said(capsys, "drain")
    with opened(desk.source) as database:
        database.command(
            "ALTER TABLE audit.override_log DELETE WHERE 1 SETTINGS mutations_sync = 1"
        )
        database.command(
            "ALTER TABLE audit.risk_log UPDATE reason = 'other' WHERE 1 SETTINGS mutations_sync = 1"
        )
    assert [one["seq"] for one in said(capsys, "verify", code=2)["findings"]] == [3]
    found = said(capsys, "verify", "--since", "2030-01-01")
    assert found["ok"] and "compared from row 10 on" in found["database"]
    path = desk.journal.path
    path.write_bytes(path.read_bytes().replace(b"known gap", b"known lap"))
    (one,) = said(capsys, "verify", "--since", "2030-01-01", code=2)["findings"]
    assert (one["code"], one["seq"]) == ("JOURNAL_ROW_CHANGED", 6)
    said(capsys, "verify", "--since", "soon", code=78)


KEY = "c2VjcmV0IHNlY3JldCBzZWNyZXQ="


def test_a_key_in_the_environment_makes_the_hashes_and_is_never_shown(
    desk: Auditor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_HMAC_KEY", KEY)
    keyed = Auditor(desk.journal.folder, desk.source, hmac_key=base64.b64decode(KEY))
    write(keyed, 3, ledger=False)
    assert said(capsys, "verify")["ok"]
    assert run(["config", "show", "--json"]) == 0
    shown = capsys.readouterr().out
    data = json.loads(shown)
    assert data["settings"]["AUDIT_HMAC_KEY"]["value"] == "(set)" and KEY not in shown
    assert run(["config", "show"]) == 0
    assert KEY not in (text := capsys.readouterr().out) and "(set)" in text
    monkeypatch.setenv("AUDIT_HMAC_KEY", base64.b64encode(b"another key").decode())
    assert run(["config", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hash"] == data["hash"], "the hash tells nothing"
    assert not said(capsys, "verify", code=2)["ok"]
    monkeypatch.delenv("AUDIT_HMAC_KEY")
    assert not said(capsys, "verify", code=2)["ok"]


@pytest.mark.parametrize("wrong", ["not base64!", "abc", "=", "c2VjcmV0 c2VjcmV0"])
def test_a_key_that_is_not_base64_is_refused_without_being_repeated(
    desk: Auditor,
    wrong: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUDIT_HMAC_KEY", wrong)
    assert run(["audit", "show"]) == 78
    error = capsys.readouterr().err
    assert "environment: AUDIT_HMAC_KEY: is not base64" in error
    assert len(error.strip().splitlines()) == 1 and repr(wrong) not in error


def test_a_key_and_a_key_file_at_once_are_refused(
    desk: Auditor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "key").write_bytes(base64.b64decode(KEY))
    monkeypatch.setenv("HFT_AUDIT_HMAC_KEY_FILE", "key")
    write(Auditor(desk.journal.folder, desk.source, hmac_key=base64.b64decode(KEY)), 2, 0, False)
    assert said(capsys, "verify")["ok"], "the file alone"
    monkeypatch.setenv("HFT_AUDIT_HMAC_KEY", KEY)
    assert run(["audit", "verify"]) == 78
    assert "are both set; keep one" in capsys.readouterr().err
    monkeypatch.delenv("HFT_AUDIT_HMAC_KEY_FILE")
    assert said(capsys, "verify")["ok"], "the prefixed name is the same key"


def test_a_pack_made_with_a_key_of_the_environment_is_checked_with_it(
    desk: Auditor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(Auditor(desk.journal.folder, desk.source, hmac_key=base64.b64decode(KEY)), 2, 0, False)
    words = [sys.executable, "-m", "hft.cli.app", "audit", "pack", "--out", "p.zip"]
    environment = {**os.environ, "AUDIT_HMAC_KEY": KEY}
    subprocess.run(words, env=environment, check=True, capture_output=True, cwd=tmp_path)
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        archive.extractall(tmp_path / "v")
    check = [sys.executable, "-I", "-S", str(tmp_path / "v" / "verify.py"), str(tmp_path / "v")]
    check += ["--hmac-key-base64", str(tmp_path / "key")]
    (tmp_path / "key").write_text(f"{KEY}\n")
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "rows: 3" in done.stdout
    (tmp_path / "key").write_text("d3Jvbmc=")
    assert subprocess.run(check, capture_output=True, check=False).returncode == 2


def test_a_table_that_there_is_not_is_no_empty_answer(
    desk: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    write(desk, 3)
    assert run(["audit", "show", "--table", "alpha_gate_logs"]) == 64
    assert "none of alpha_canary_log, alpha_gate_log" in capsys.readouterr().err
    assert {row["table"] for row in said(capsys, "show", "--table", "audit.alpha_gate_log")} == {
        "alpha_gate_log"
    }
