"""Files that rows name by hash: one that was changed is found by its path, one that is gone is not
tampering; and whatever else is broken, `verify` says so and goes on.
"""

import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from promotion_world import ALPHA, World

from hft.api.audit import verify
from hft.audit.artifacts import Artifact, check, hashes_of
from hft.audit.walk import walk
from hft.cli.app import run


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = World.made(tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("keys"))
    made.promoted()
    return made.root


@pytest.fixture
def root(promoted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(promoted, tmp_path / "copy"))


def proposal(root: Path) -> Path:
    (path,) = (root / "research" / "experiments" / "promotions" / ALPHA).iterdir()
    return path


def found(root: Path) -> list[tuple[str, str]]:
    return [(one.code, one.place) for one in verify(root).findings]


WRITTEN = (
    "bundle.json",
    "memo.md",
    "unseen.json",
    "report.html",
    "integration_report.json",
    "shadow_report.json",
    "promotion_decision.json",
)


def test_a_whole_workspace_has_every_artifact_and_no_note(root: Path) -> None:
    assert {path.name for path in proposal(root).iterdir()} == set(WRITTEN)
    assert verify(root).ok and verify(root).notes == ()


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("edit", [lambda b: b + b" ", lambda b: b.replace(b"e", b"E", 1)])
def test_an_artifact_that_was_changed_is_found_by_its_path(
    root: Path, name: str, edit: Callable[[bytes], bytes]
) -> None:
    path = proposal(root) / name
    path.write_bytes(edit(path.read_bytes()))
    place = path.relative_to(root).as_posix()
    findings = verify(root).findings
    assert {(one.code, one.place) for one in findings} == {("ARTIFACT_CHANGED", place)}
    assert all("was changed" in one.sentence for one in findings)


@pytest.mark.parametrize("name", WRITTEN)
def test_an_artifact_that_is_gone_is_absent_not_tampering(root: Path, name: str) -> None:
    path = proposal(root) / name
    path.unlink()
    answer = verify(root)
    (note,) = answer.notes
    assert answer.ok and note.startswith("absent") and path.relative_to(root).as_posix() in note


def test_reports_that_were_all_cleaned_up_are_one_note(root: Path) -> None:
    shutil.rmtree(root / "research" / "experiments")
    answer = verify(root)
    (note,) = answer.notes
    assert answer.ok and "and 9 more" in note


def test_an_older_promotion_file_put_back_is_found_though_its_signatures_are_good(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from hft.governance.canary.apply import apply, rollback_by_hand

    world = World.made(tmp_path, tmp_path_factory.mktemp("keys"))
    world.promoted()
    world.pass_days(1)
    file = world.file()
    assert file.promotion is not None
    before = file.path.read_bytes()
    out = rollback_by_hand(file.promotion, "now")
    apply(world.office("cyd"), file, out, person=world.person("cyd"), key=world.key("cyd"))
    assert verify(tmp_path).ok
    file.path.write_bytes(before)
    assert found(tmp_path) == [("ARTIFACT_CHANGED", file.path.relative_to(tmp_path).as_posix())]


def test_a_row_cannot_name_a_file_outside_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").write_text("x")
    for path in ("../out", str(tmp_path / "out")):
        findings, notes = check([Artifact(path, "0" * 64, 3)], tmp_path / "in")
        assert findings == [] and path in notes[0]
    assert hashes_of(tmp_path, tmp_path / "in", ["out"]) == {}


def verified(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> set[str]:
    """The codes that the command finds; it must end with the code of a mismatch."""
    monkeypatch.chdir(root)
    code = run(["--json", "audit", "verify"])
    said = capsys.readouterr()
    assert code == 2, said.err
    return {one["code"] for one in json.loads(said.out)["findings"]}


def test_keys_that_cannot_be_read_are_a_finding_beside_all_others(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "config" / "keys.yaml").write_text("- name: [\n")
    (proposal(root) / "report.html").write_text("better")
    journal = root / ".state" / "audit" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"gate":"B"', b'"gate":"C"', 1))
    codes = verified(root, monkeypatch, capsys)
    assert codes == {"KEYS_UNREADABLE", "ARTIFACT_CHANGED", "JOURNAL_ROW_CHANGED"}
    assert any("signatures" in note for note in verify(root).notes)


def test_any_byte_of_the_journal_may_be_any_other_and_verify_ends_with_a_finding(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also bytes that make a line no JSON, two lines of one, or take a field's name away."""
    # The search for the byte has its own test.
    monkeypatch.setattr(sys.modules[walk.__module__], "LOCATED_MAX", 0)
    journal = root / ".state" / "audit" / "journal.jsonl"
    data = journal.read_bytes()
    rng = random.Random(7)
    places = [rng.randrange(len(data)) for _ in range(60)]
    places += [data.index(b'"ledger_heads"') + 3, data.rindex(b'"seq') + 2, data.index(b"\n")]
    (proposal(root) / "bundle.json").write_text("{}")
    for at in places:
        byte = rng.choice([b for b in (0x0A, 0x22, 0x7B, 0x80, 0xFF, 0x00, 0x41) if b != data[at]])
        journal.write_bytes(data[:at] + bytes([byte]) + data[at + 1 :])
        codes = verified(root, monkeypatch, capsys)
        assert any(code.startswith("JOURNAL_") for code in codes), (at, byte)
        if b'"propose"' not in data.splitlines()[data[:at].count(b"\n")]:
            assert "ARTIFACT_CHANGED" in codes, (at, byte)
