"""Broken files and wrong names at the command line: a sentence, the exit code, a journal row."""

import json
from pathlib import Path
from typing import Any

import pytest
from promotion_world import ALPHA, World

from hft.audit import journal
from hft.cli.app import run
from hft.governance.promotion.signatures import effective

TYPED = ("--slippage-bps", "1", "--sessions", "3")


@pytest.fixture
def desk(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The commands' working folder; nothing is delivered, the journal is what counts."""
    (world.root / "research" / "alphas").mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(world.root)
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    return world


def refused(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    """The one sentence of a command that ends with the code, and no traceback."""
    capsys.readouterr()
    assert run(["alpha", *words]) == code
    told = capsys.readouterr().err
    assert "Traceback" not in told
    return told


def rows(world: World, table: str) -> list[dict[str, Any]]:
    return [
        row["row"] for row in journal.read(world.workspace.audit_journal) if row["table"] == table
    ]


@pytest.mark.parametrize("content", ["{[: a", "5", "- name: x\n", b"\xff\xfe\x00"])
def test_a_broken_keys_file_refuses_every_decision_with_a_row(
    desk: World, capsys: pytest.CaptureFixture[str], content: str | bytes
) -> None:
    raw = content.encode() if isinstance(content, str) else content
    desk.workspace.keys.write_bytes(raw)
    Path("memo.md").write_text("checked")
    for words in (
        ("validate", ALPHA, "--data", "x", "--yes"),
        ("promote", ALPHA),
        ("approve", ALPHA, "--memo", "memo.md"),
        ("canary", ALPHA, *TYPED, "--apply"),
    ):
        assert "keys.yaml" in refused(capsys, 78, *words)
    tables = ("alpha_gate_log", "alpha_promotion_log", "alpha_canary_log")
    assert [len(rows(desk, name)) for name in tables] == [1, 2, 1]
    assert {row["keys_hash"] for row in journal.read(desk.workspace.audit_journal)} != {""}


def test_a_profile_that_is_broken_refuses_a_validation_with_a_row(
    desk: World, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.yaml").write_text("profile: base\ngate_c:\n  dsr_min: .nan\n")
    told = refused(capsys, 78, "validate", ALPHA, "--data", "x", "--profile", "mine.yaml", "--yes")
    assert "gate_c.dsr_min: '.nan' is no number" in told
    [row] = rows(desk, "alpha_gate_log")
    assert row["verdict"] == "FAIL" and "dsr_min" in json.dumps(row["details"])


def test_a_canary_that_is_not_there_or_has_no_evidence_is_a_row_only_when_it_was_to_be_applied(
    desk: World, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.promoted()
    for flag, count in (((), 0), (("--apply",), 2)):
        refused(capsys, 65, "canary", "nobody", *TYPED, *flag)
        refused(capsys, 65, "canary", ALPHA, "--evidence", "nowhere.csv", *flag)
        assert len(rows(desk, "alpha_canary_log")) == count
    assert [row["applied"] for row in rows(desk, "alpha_canary_log")] == [0, 0]


@pytest.mark.parametrize("broken", ["{[: a", ""])
def test_a_rollback_takes_effect_when_nobody_can_sign_any_more(
    desk: World, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    desk.promoted()
    desk.workspace.keys.write_text(broken)
    key = desk.workspace.keys.parent / "no_such_key"
    told = refused(capsys, 0, "canary", "rollback", ALPHA, "--reason", "loss", "--key", str(key))
    assert "without a signature" in told
    promotion = desk.file().promotion
    assert promotion is not None and not promotion.enabled and promotion.weight == 0
    counts = effective(desk.file(), desk.keys, desk.now_ns, desk.office().recorded())
    assert counts.weight == 0 and rows(desk, "alpha_canary_log")[-1]["action"] == "rollback"


@pytest.mark.parametrize("now", ["9999-12-31T00:00Z", "0001-01-01T00:00Z", "2400-01-01"])
def test_a_time_that_no_clock_holds_is_named(
    desk: World, capsys: pytest.CaptureFixture[str], now: str
) -> None:
    assert "outside of the years" in refused(capsys, 78, "asof", now)


def test_an_id_no_file_system_holds_is_refused_as_data(
    desk: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "64 are the most" in refused(capsys, 65, "scaffold", "a" * 300)
    assert "64 are the most" in refused(capsys, 65, "promote", "a" * 300)


def test_a_horizon_of_nothing_is_refused(desk: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no time at all" in refused(capsys, 78, "scaffold", "mine", "--horizon", "0s")


def test_a_pool_of_a_folder_that_is_not_there_makes_none(
    desk: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no such folder" in refused(capsys, 65, "pool", "--base-dir", "nowhere")
    assert not Path("nowhere").exists()
    assert "Is a directory" in refused(capsys, 74, "inventory", "--out", ".")
