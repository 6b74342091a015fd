"""The audit of a workspace in which somebody was promoted: files, rows, signatures and the pack."""

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from promotion_world import ALPHA, World

from hft.api.audit import pack, verify
from hft.audit.keys import moment
from hft.core.errors import ConfigError, GovernanceError
from tests.audit.some_rows import forged


@pytest.fixture
def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World.made(tmp_path, tmp_path_factory.mktemp("keys"))
    made.promoted()
    return made


def test_a_promotion_is_audited_signed_and_an_anchor(world: World) -> None:
    found = verify(world.root)
    assert found.ok and found.anchors == 1 and found.unanchored is not None


def test_a_promotion_edited_by_hand_is_found_and_named(world: World) -> None:
    (path,) = (world.root / "config" / "strategy_promotions").rglob("*.yaml")
    path.write_text(path.read_text().replace("weight: 0.01", "weight: 0.05"))
    (one,) = verify(world.root).findings
    assert one.code == "UNSIGNED_PROMOTION" and one.place == str(path.relative_to(world.root))
    assert "signatures.state" in one.sentence and "weight 0" in one.sentence


def test_a_promotion_whose_rows_are_gone_is_unaudited(world: World) -> None:
    journal = world.root / ".state" / "audit" / "journal.jsonl"
    journal.unlink()
    codes = {one.code for one in verify(world.root).findings}
    assert {"UNAUDITED_PROMOTION", "JOURNAL_CUT"} <= codes


def test_the_pack_of_an_alpha_checks_its_promotion_with_python_alone(world: World) -> None:
    packed = pack(world.root / "p.zip", alphas=[ALPHA], root=world.root)
    assert packed.signatures == 3 and packed.files >= 2
    folder = world.root / "unpacked"
    with zipfile.ZipFile(packed.path) as archive:
        archive.extractall(folder)
    words = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "anchors: 1" in done.stdout, done.stdout


def test_every_decision_of_a_promotion_is_signed_over_its_row(world: World) -> None:
    signed = {
        (row["table"], row["row"].get("stage", ""))
        for row in world.office().audit.rows()
        if row["row"].get("signature")
    }
    assert signed == {("alpha_promotion_log", "propose"), ("alpha_promotion_log", "approve")}


def test_more_weight_written_into_a_signed_row_is_found_though_the_chain_is_whole(
    world: World,
) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["row"].get("stage") == "approve":
            row["row"]["canary_weight"] = 0.5

    forged(world.office().audit.journal, change)
    codes = [one.code for one in verify(world.root).findings]
    assert codes == ["BAD_SIGNATURE", "CHANGE_UNFOUNDED"], "its anchor is older than the row"


def test_what_was_live_is_asked_from_python(world: World) -> None:
    import hft

    at = moment(world.now_ns)
    (one,) = hft.audit.asof(at, world.root)["alphas"]
    assert (one["alpha_id"], one["weight"], one["validator"]) == (ALPHA, 0.01, "bob")
    assert hft.audit.asof("2020-01-01T16:00Z", world.root)["alphas"] == []
    with pytest.raises(ConfigError, match="has no zone"):
        hft.audit.asof("2026-11-02T16:00", world.root)


def test_a_pack_holds_what_the_promotion_names_by_hash_and_says_what_is_not_there(
    world: World,
) -> None:
    promotion = world.file().promotion
    assert promotion is not None
    hashes = promotion.data["hashes"]
    packed = pack(world.root / "p.zip", alphas=[ALPHA], root=world.root)
    assert packed.missing == ()
    with zipfile.ZipFile(packed.path) as archive:
        found = {hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
        names = archive.namelist()
    assert {hashes["memo"], hashes["bundle"], promotion.sha256} <= found
    assert any(name.endswith("report.html") for name in names)
    done = run_alone(world.root / "v", packed.path)
    assert done.returncode == 0 and "signed rows: 2" in done.stdout


def test_the_limits_a_promotion_names_are_packed_wherever_they_lie(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = (world.root / "config" / "strategy_promotions").rglob("*.yaml")
    wanted = hashlib.sha256(b"max_position_size: 7\n").hexdigest()
    text = re.sub(r'limits: "?[0-9a-f]{64}"?', f"limits: {wanted}", path.read_text())
    assert wanted in text
    path.write_text(text)
    limits = world.root / "config" / "limits" / "mine.yaml"
    limits.write_bytes(b"max_position_size: 7\n")
    packed = pack(world.root / "p.zip", root=world.root)
    assert packed.missing == ()
    with zipfile.ZipFile(packed.path) as archive:
        name = f"files/limits/{wanted[:12]}_mine.yaml"
        assert archive.read(name) == limits.read_bytes()


def test_a_forged_row_in_a_pack_is_found_with_python_alone(world: World) -> None:
    def change(row: dict[str, Any]) -> None:
        if row["row"].get("stage") == "approve":
            row["row"]["reasons"] = '["it is all fine"]'

    forged(world.office().audit.journal, change)
    packed = pack(world.root / "p.zip", alphas=[ALPHA], root=world.root)
    done = run_alone(world.root / "v", packed.path)
    assert done.returncode == 2
    assert "its signature: it does not fit the content" in done.stdout


def run_alone(folder: Path, packed: str) -> subprocess.CompletedProcess[str]:
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    words = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_a_promotion_says_on_whose_word_its_keys_count(world: World) -> None:
    promotion = world.file().promotion
    assert promotion is not None and promotion.data["trust"] == "workspace"
    (row,) = [r["row"] for r in world.office().audit.rows() if r["table"] == "control_log"]
    assert '"trust":"workspace"' in row["evidence"]
    assert any(
        "whoever can write config/keys.yaml" in note for note in verify(world.root).extra["trust"]
    )


def test_under_tier1_keys_that_the_workspace_names_will_not_do(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = World.made(tmp_path, tmp_path_factory.mktemp("keys"))
    with pytest.raises(GovernanceError, match="profile tier1: keys are as this workspace says"):
        made.propose("tier1")
