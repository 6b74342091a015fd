"""`hft doctor` says what works, what is missing and what to do, and ends with 2 where it is bad."""

import json
from pathlib import Path

import pytest

from hft.api import doctor
from hft.cli.app import run
from hft.core import kernel_cache
from hft.core.jit import JIT_DISABLED

STATES = {doctor.OK, doctor.MISSING, doctor.BAD}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_installation_that_works_is_told_so_in_every_part(here, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "EVENTS", 200)
    code = run(["doctor", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert {row["state"] for row in rows} <= STATES
    bad = {row["what"] for row in rows if row["state"] == doctor.BAD}
    # Without the compiler, as some of our tests run, replays are slow, and the doctor says so.
    assert (code, bad) == ((2, {"kernels"}) if JIT_DISABLED else (0, set()))
    parts = [row["what"] for row in rows]
    for part in ("python", "packages", "kernels", "engine", "settings", "disk", "keys", "database"):
        assert part in parts
    assert all(row["cure"] for row in rows if row["state"] != doctor.OK)
    assert not list(here.iterdir()), "it leaves nothing behind"


def test_the_engine_is_run_and_two_runs_that_differ_are_bad(here, monkeypatch):
    digests = iter(["a" * 64, "b" * 64])
    made = "hft.api.replays.replay"
    monkeypatch.setattr(made, lambda *a, **k: type("R", (), {"digest": next(digests)}))
    (engine,) = [check for check in doctor.examine() if check.what == "engine"]
    assert engine.state == doctor.BAD and "differ" in engine.says


def test_a_cache_that_cannot_be_written_is_bad_and_the_command_ends_with_2(
    here, monkeypatch, capsys
):
    monkeypatch.setattr(kernel_cache.FOLDERS, "own", "")
    monkeypatch.setattr("hft.core.jit.JIT_DISABLED", False)
    assert run(["doctor"]) == 2
    said = capsys.readouterr().out
    assert "!!  kernels" in said and "HFT_CACHE_DIR" in said


def test_a_cache_that_others_may_write_is_told_apart(here, tmp_path, monkeypatch):
    monkeypatch.setenv("HFT_CACHE_DIR", str(tmp_path))
    folder = Path(kernel_cache.Folders().own)
    folder.parent.chmod(0o777)
    monkeypatch.setattr(kernel_cache, "FOLDERS", kernel_cache.Folders())
    monkeypatch.setattr("hft.core.jit.JIT_DISABLED", False)
    (check,) = [c for c in doctor.examine() if c.what == "kernels" and c.state == doctor.BAD]
    assert "open to all" in check.says and "HFT_CACHE_DIR" in check.cure


def test_a_database_that_does_not_answer_is_bad_and_named(here, monkeypatch):
    monkeypatch.setenv("HFT_AUDIT_DSN", "clickhouse://localhost:9/none")
    (found,) = [check for check in doctor.examine() if check.what == "database"]
    assert found.state == doctor.BAD and "localhost:9" in found.says and found.cure


def test_a_setting_that_cannot_be_read_is_said_and_the_other_checks_go_on(here, monkeypatch):
    Path("hft.yaml").write_text("replay: [\n")
    found = doctor.examine("hft.yaml")
    by_part = {check.what: check for check in found}
    assert by_part["settings"].state == doctor.BAD and "hft.yaml" in by_part["settings"].says
    assert by_part["python"].state == doctor.OK


@pytest.mark.parametrize("brought", [True, False])
def test_kernels_of_a_wheel_are_said_to_be_in_use_or_why_not(here, tmp_path, monkeypatch, brought):
    root = tmp_path / "prebuilt"
    root.mkdir()
    (root / "constraints.txt").write_text("numba==0.1\n")
    monkeypatch.setattr(kernel_cache, "prebuilt_root", lambda: root)
    monkeypatch.setattr(kernel_cache.FOLDERS, "prebuilt", str(root) if brought else "")
    said = doctor._prebuilt()
    assert ("in use" in said) and ("numba==0.1" in said) is not brought
