"""Thresholds that are loosened for a validation and put back before anybody looks."""

import json
from pathlib import Path
from typing import Any

import pytest
from promotion_desk import CARD, MANIFEST, PlantedDesk, at
from promotion_world import World

from hft.api.desk import open_desk
from hft.core.errors import ConfigError, PromotionError
from hft.governance.profile import Profile
from hft.storage.strict_yaml import load_yaml
from hft.storage.yaml_text import dump_yaml

pytestmark = pytest.mark.usefixtures("shared_judgements")
slow = pytest.mark.slow


def governance(desk: PlantedDesk, name: str = "base") -> Path:
    return desk.root / "config" / "governance" / f"{name}.yaml"


def edit(path: Path, key: str, value: Any, **more: Any) -> None:
    """One threshold of a profile's file, and other sections."""
    section, _, name = key.partition(".")
    data = load_yaml(path.read_text(), str(path))
    data[section][name] = value
    path.write_text(dump_yaml({**data, **more}))


@pytest.fixture
def loosened(
    planted_desk: PlantedDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> PlantedDesk:
    """Validated under a file that asks less, which was then put back as it was."""
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    desk = planted_desk.copy(tmp_path / "desk")
    path = governance(desk)
    before = path.read_text()
    edit(path, "gate_c.oos_points_min", 5)
    assert desk.validate(skip_gate_b_tests=False).passed
    path.write_text(before)
    return desk


@slow
def test_a_threshold_loosened_for_the_validation_and_put_back_is_named(
    loosened: PlantedDesk,
) -> None:
    said = "C INSUFFICIENT: gate_c.oos_points_min was 5 at the validation and is 20 now"
    done = loosened.promote().decided
    assert not done.accepted and [text for text in done.reasons if text.startswith(said)]
    manifest = loosened.read(MANIFEST)["thresholds"]
    forged = {**manifest, "values": {**manifest["values"], "gate_c.oos_points_min": 20}}
    loosened.forge(MANIFEST, thresholds=forged)
    done = loosened.promote(12).decided
    assert not done.accepted
    assert "not those that the journal has" in "; ".join(done.reasons)


@slow
def test_one_loosened_by_a_flag_is_named_and_one_tightened_is_kept(
    planted_desk: PlantedDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    desk = planted_desk.copy(tmp_path / "desk")
    desk.validate(set={"gate_c.oos_points_min": 25, "gate_c.sharpe_oos_min": -1.0})
    told = desk.read(MANIFEST)["thresholds"]
    assert told["set"] == {"gate_c.oos_points_min": 25, "gate_c.sharpe_oos_min": -1.0}
    assert told["values"]["gate_c.oos_points_min"] == 25
    [said] = desk.promote().decided.reasons
    assert said.startswith("C INSUFFICIENT: gate_c.sharpe_oos_min was -1.0 at the validation and")


@slow
def test_a_threshold_that_moved_between_proposal_and_approval_is_named(
    judged: PlantedDesk,
) -> None:
    assert judged.promote().decided.accepted
    edit(governance(judged), "gate_c.oos_points_min", 21)
    done = judged.approve().decided
    assert not done.approved
    wanted = "gate_c.oos_points_min was 20 at the proposal and is 21 now; promote again"
    assert wanted in done.objections


@slow
def test_a_validation_that_names_no_thresholds_is_made_again(judged: PlantedDesk) -> None:
    kept = judged.read(MANIFEST)
    del kept["thresholds"]
    (judged.validation / MANIFEST).write_text(json.dumps(kept))
    [said] = judged.promote().decided.reasons
    assert "does not say by which thresholds" in said


def test_at_approval_the_validation_is_held_against_the_thresholds_of_then(world: World) -> None:
    validated = world.validate(under="standard")
    values = dict(validated.context["thresholds"]["values"])
    for key, value, said in (
        ("gate_c.dsr_min", 0.99, "C INSUFFICIENT: gate_c.dsr_min was 0.95"),
        ("gate_a.cuts_min", 99, "A INSUFFICIENT: gate_a.cuts_min was"),
    ):
        stricter = Profile("standard", {**values, key: value})
        [reason] = validated.unproven(world.office().audit.rows(), stricter)
        assert reason.startswith(said)
    for key in ("gate_d.sharpe_oos_min", "canary.weight_max"):  # decided when they are asked
        other = Profile("standard", {**values, key: 9.0})
        assert validated.unproven(world.office().audit.rows(), other) == []


def test_a_workspace_profile_looser_than_the_shipped_one_says_why_or_is_refused(
    planted_desk: PlantedDesk, tmp_path: Path
) -> None:
    desk = planted_desk.copy(tmp_path / "desk")
    path = governance(desk, "standard")
    edit(path, "gate_c.dsr_min", 0.5)
    with pytest.raises(ConfigError, match=r"standard.yaml: gate_c.dsr_min: 0.5 is looser than the"):
        open_desk(desk.root, now=at(9)).profile("standard")
    for reason in ("", 7):
        edit(path, "gate_c.dsr_min", 0.5, looser={"gate_c.dsr_min": reason})
        with pytest.raises(ConfigError, match="is no reason; write why"):
            open_desk(desk.root, now=at(9)).profile("standard")
    edit(path, "gate_c.dsr_min", 0.5, looser={"gate_c.dsr_min": "committee of 2025-01-02"})
    found = open_desk(desk.root, now=at(9)).profile("standard")
    assert found.loosened == ("gate_c.dsr_min is 0.5 instead of 0.95: committee of 2025-01-02",)
    assert found.replace({"gate_c.pbo_max": 0.1}).loosened == found.loosened
    edit(path, "gate_c.dsr_min", 0.5, profile="tier1", looser={"gate_c.dsr_min": "as agreed"})
    with pytest.raises(ConfigError, match="of hft's profile tier1"):
        open_desk(desk.root, now=at(9)).profile(str(path))


def test_a_tighter_file_and_any_base_need_no_reason(
    planted_desk: PlantedDesk, tmp_path: Path
) -> None:
    desk = planted_desk.copy(tmp_path / "desk")
    edit(governance(desk, "standard"), "gate_c.dsr_min", 0.99)
    edit(governance(desk), "gate_c.oos_points_min", 1)
    here = open_desk(desk.root, now=at(9))
    assert here.profile("standard").get("gate_c.dsr_min") == 0.99
    assert here.profile("base").get("gate_c.oos_points_min") == 1


@slow
def test_who_proposes_and_who_approves_is_told_of_a_looser_profile(judged: PlantedDesk) -> None:
    path = governance(judged, "standard")
    edit(path, "gate_c.dsr_min", 0.5, looser={"gate_c.dsr_min": "committee of 2025-01-02"})
    said = (
        "the profile is looser than hft's: "
        "gate_c.dsr_min is 0.5 instead of 0.95: committee of 2025-01-02"
    )
    refused = judged.promote(profile="standard", asserted={})
    assert not refused.decided.accepted and said in refused.notice
    forced = {"force": True, "reason": "a rehearsal"}
    proposed = judged.promote(12, profile="standard", asserted={}, **forced)
    assert proposed.decided.forced and said in proposed.notice
    told: list[str] = []
    done = judged.approve(13, tell=told.append)
    assert done.decided.approved and said in done.notice, done.decided.objections
    assert told[0] == said  # before anything was decided


@slow
def test_a_profile_file_of_ones_own_is_approved_under_where_it_lies_with_the_others(
    judged: PlantedDesk, tmp_path: Path
) -> None:
    mine = governance(judged, "mine")
    mine.write_text(governance(judged).read_text())
    edit(mine, "gate_c.oos_points_min", 19)
    elsewhere = tmp_path / "mine.yaml"
    elsewhere.write_text(mine.read_text())
    with pytest.raises(ConfigError, match=r"as mine.yaml and name it with --profile mine"):
        judged.promote(profile=str(elsewhere))
    assert judged.promote(12, profile="mine").decided.accepted
    done = judged.approve(13).decided
    assert done.approved, done.objections


@slow
def test_a_validation_that_approval_would_not_find_is_not_proposed(
    judged: PlantedDesk, tmp_path: Path
) -> None:
    given = {"skip_gate_b_tests": True, "set": {"gate_b.runs_min": 1}}  # nobody asks what it says
    there = judged.validate(12, experiments_dir=tmp_path / "there", **given).path
    with pytest.raises(PromotionError, match="validate again without --experiments-dir"):
        judged.promote(13, scorecard=there)


@slow
def test_a_forced_proposal_is_measured_again_all_the_same(judged: PlantedDesk) -> None:
    judged.forge(CARD, sharpe_oos=25.0)
    forced = {"force": True, "reason": "a rehearsal"}
    assert judged.promote(profile="standard", asserted={}, **forced).decided.forced
    done = judged.approve().decided
    assert not done.approved and done.objections[0].startswith("sharpe_oos: 25 in the bundle's")
