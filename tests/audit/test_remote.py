"""The newest rows stand in a repository elsewhere that takes nothing back."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from promotion_world import ALPHA, World

from hft.api import anchoring, canaries, canary
from hft.api.audit import verify
from hft.api.desk import open_desk
from hft.audit.keys import moment
from hft.audit.remote import Remote
from hft.cli.app import run
from hft.core.errors import Busy, ConfigError, GovernanceError, Unavailable
from hft.governance.promotion.commit import exclusive


def git(folder: Path, *words: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *settings, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def bare(folder: Path, *, guarded: bool = True) -> Path:
    """A repository as a firm sets it up, or as git makes it."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--bare", ".")
    if guarded:
        git(folder, "config", "receive.denyDeletes", "true")
        git(folder, "config", "receive.denyNonFastForwards", "true")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A rehearsal in git with something live; only to be copied."""
    world = World.made(tmp_path_factory.mktemp("w"), tmp_path_factory.mktemp("keys"))
    (world.root / "config" / "default.yaml").write_text("alpha.rehearsal: true\n")
    (world.root / ".gitignore").write_text(".state/\nresearch/experiments/\n")
    world.promoted()
    git(world.root, "init", "-q")
    git(world.root, "add", "-A")
    git(world.root, "commit", "-qm", "promoted")
    return world


@pytest.fixture
def desk(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "desk"
    shutil.copytree(made.root, root)
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(bare(tmp_path / "anchors")))
    return root


def later(made: World, days: float) -> str:
    return moment(made.now_ns + int(days * 86_400_000_000_000))


def rolled_back(made: World, root: Path, days: float = 1) -> Any:
    now = later(made, days)
    return canary.rollback(ALPHA, reason="enough", key=made.key("cyd"), root=root, now=now)


def codes(root: Path) -> list[str]:
    return [one.code for one in verify(root).findings]


def said(root: Path) -> str:
    return " | ".join(verify(root).extra["trust"])


def counts(made: World, root: Path) -> float:
    (row,) = canaries.status(root=root, now=later(made, 2))["promotions"]
    return float(row["counts"])


def test_what_was_recorded_stands_elsewhere_and_nothing_takes_it_back(
    desk: Path, made: World
) -> None:
    assert "keeps no row of this journal yet" in said(desk)
    found = anchoring.anchor(desk)
    assert found["brought"] == found["seq"] and not found["allows"] and not found["unknown"]
    assert anchoring.anchor(desk)["brought"] == 0
    assert codes(desk) == [] and f"keeps every row up to {found['seq']}" in said(desk)
    rolled_back(made, desk)
    assert "keeps every row" in said(desk), "each decision brings its rows"


def test_a_rollback_that_was_erased_is_found_in_another_clone_and_does_not_count(
    desk: Path, made: World, tmp_path: Path
) -> None:
    """Journal cut to where it was, database and delivery note gone, the old signed file back."""
    (path,) = (desk / "config" / "strategy_promotions").rglob("*.yaml")
    journal = desk / ".state" / "audit" / "journal.jsonl"
    file, lines = path.read_bytes(), journal.read_bytes()
    rolled_back(made, desk)
    assert counts(made, desk) == 0.0
    path.write_bytes(file)
    journal.write_bytes(lines)
    shutil.rmtree(desk / ".state" / "audit.chdb", ignore_errors=True)
    (desk / ".state" / "audit" / "delivery.json").unlink(missing_ok=True)
    assert counts(made, desk) == 0.0, "the remote knows better than the workspace"
    with pytest.raises(GovernanceError, match="queue_imbalance rolled_back"):
        canary.evaluate(ALPHA, root=desk, now=later(made, 2))
    assert "JOURNAL_CUT" in codes(desk)
    (cut,) = [one for one in verify(desk).findings if one.code == "JOURNAL_CUT"]
    assert "hft audit restore" in cut.sentence and cut.seq == len(lines.splitlines()) + 1
    clone = tmp_path / "clone"
    git(desk, "commit", "--allow-empty", "-qam", "nothing happened")
    git(tmp_path, "clone", "-q", str(desk), str(clone))
    changed = [one for one in verify(clone).findings if one.place == str(path.relative_to(desk))]
    assert [one.code for one in changed] == ["ARTIFACT_CHANGED"]
    assert "its rows are taken from" in said(clone) and counts(made, clone) == 0.0
    assert anchoring.restore(desk)["restored"] == 3
    assert [one.code for one in verify(desk).findings] == ["ARTIFACT_CHANGED"]


def test_a_clone_without_the_journal_is_whole_where_the_remote_has_its_rows(
    desk: Path, made: World, tmp_path: Path
) -> None:
    anchoring.anchor(desk)
    git(tmp_path, "clone", "-q", str(desk), str(tmp_path / "clone"))
    assert codes(tmp_path / "clone") == [] and verify(tmp_path / "clone").rows > 5


def test_a_last_row_that_was_written_anew_is_found(desk: Path, made: World) -> None:
    from tests.audit.some_rows import forged

    anchoring.anchor(desk)
    journal = World(desk, made.workspace, made.keys).office().audit.journal  # type: ignore[attr-defined]
    assert journal.path.is_file()

    def change(row: dict[str, Any]) -> None:
        if row["seq"] == last:
            row["row"]["cause"] = "nothing"

    from hft.audit.journal import Journal

    own = Journal(desk / ".state" / "audit")
    last = own.head().seq
    forged(own, change)
    (found,) = [one for one in verify(desk).findings if one.code == "JOURNAL_REWRITTEN"]
    assert found.seq == last
    with pytest.raises(GovernanceError, match=f"row {last} of the journal is not the one"):
        anchoring.anchor(desk)


def test_a_rollback_takes_effect_while_the_remote_is_away_and_is_anchored_later(
    desk: Path, made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchoring.anchor(desk)
    there = Path(os.environ["HFT_ANCHOR_REMOTE"])
    there.rename(tmp_path / "away")
    done = rolled_back(made, desk)
    assert "not anchored: the anchor remote" in done.notice and counts(made, desk) == 0.0
    row = World.rows(made_at(made, desk), "control_log")[-1]
    assert (row["kind"], row["new_state"]) == ("anchor", "pending")
    assert "not compared with the anchors elsewhere" in said(desk)
    (tmp_path / "away").rename(there)
    assert "pending: rows" in said(desk) and "queue_imbalance rolled_back" in said(desk)
    anchoring.anchor(desk)
    assert "pending" not in said(desk)


def made_at(made: World, root: Path) -> World:
    from hft.research.workspace import Workspace

    return World(root, Workspace(root), made.keys, made.now_ns)


def test_nothing_is_promoted_or_approved_while_the_remote_is_away(
    desk: Path, made: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(desk.parent / "nowhere"))
    monkeypatch.chdir(desk)
    for words in (["promote", ALPHA], ["approve", ALPHA, "--memo", "memo.md"]):
        assert run(["alpha", *words, "--key", str(made.key("bob"))]) == 69
        assert "nothing was changed, try again when it answers" in capsys.readouterr().err
    assert [row["stage"] for row in made_at(made, desk).rows("alpha_promotion_log")][-2:] == [
        "propose",
        "approve",
    ]
    assert run(["audit", "anchor"]) == 69 and run(["audit", "verify"]) == 0


@pytest.mark.parametrize(
    ("setting", "words"),
    [("receive.denyDeletes", "set back"), ("receive.denyNonFastForwards", "deleted")],
)
def test_a_remote_that_takes_something_back_is_no_anchor(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, words: str
) -> None:
    weak = bare(tmp_path / "weak", guarded=False)
    git(weak, "config", setting, "true")
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(weak))
    assert words in anchoring.anchor(desk)["allows"]
    (found,) = verify(desk).findings
    assert found.code == "ANCHOR_DOUBTFUL" and "receive.denyDeletes" in found.sentence
    monkeypatch.chdir(desk)
    assert run(["audit", "anchor"]) == 2


def test_rows_that_somebody_adds_to_the_remote_are_no_rows_of_the_journal(
    desk: Path, tmp_path: Path
) -> None:
    anchoring.anchor(desk)
    other = tmp_path / "other"
    remote = Path(os.environ["HFT_ANCHOR_REMOTE"])
    (name,) = [
        n for n in git(remote, "branch", "--format=%(refname:short)").split() if "probe" not in n
    ]
    git(tmp_path, "clone", "-q", "-b", name, str(remote), str(other))
    git(other, "commit", "--allow-empty", "-qm", 'more\n\n{"seq":99}')
    git(other, "push", "-q", "origin", f"HEAD:{name}")
    (found,) = verify(desk).findings
    assert found.code == "ANCHOR_DOUBTFUL" and "adds a row that does not follow" in found.sentence


def test_a_local_tag_is_no_anchor_and_that_is_said(
    desk: Path, made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HFT_ANCHOR_REMOTE")
    assert "a git tag, export or promotion file here is no anchor" in said(desk)


def test_a_remote_inside_of_the_workspace_is_refused(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(bare(desk / "mine")))
    monkeypatch.chdir(desk)
    assert run(["--json", "audit", "anchor"]) == 78
    assert "lies in the workspace" in json.loads(capsys.readouterr().out)["error"]


def test_a_file_url_inside_of_the_workspace_is_refused_wherever_one_stands(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", f"file://{bare(desk / 'mine')}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="lies in the workspace"):
        anchoring.anchor(desk)


@pytest.mark.parametrize("url", ["file://{0}/anchors", "../anchors"])
def test_a_remote_elsewhere_is_taken_by_url_or_seen_from_the_workspace(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", url.format(tmp_path))
    monkeypatch.chdir(desk)
    assert anchoring.anchor(desk)["seq"] > 1


@pytest.mark.parametrize("url", ["git@host.invalid:a.git", "ssh://git@host.invalid/a.git"])
def test_a_remote_on_another_machine_is_no_folder_of_the_workspace(
    desk: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", url)
    monkeypatch.chdir(desk)
    remote = open_desk(desk).remote
    assert remote is not None and remote.url == url


def begun_anew(desk: Path, made: World) -> None:
    """The journal gone; the next decision begins another one, which is brought as well."""
    shutil.rmtree(desk / ".state" / "audit")
    made_at(made, desk).office().audit.record(
        "control_log",
        {"scope": "x", "kind": "policy", "old_state": "", "new_state": "", "cause": "y"},
        now_ns=made.now_ns,
    )


def test_a_journal_begun_anew_is_found_and_decides_nothing(desk: Path, made: World) -> None:
    anchoring.anchor(desk)
    begun_anew(desk, made)
    (found,) = [one for one in verify(desk).findings if one.code == "JOURNAL_REWRITTEN"]
    assert "keeps another journal of this workspace" in found.sentence
    open_desk(desk).auditor.anchor()  # what was brought does not make it the one journal
    assert "JOURNAL_REWRITTEN" in codes(desk) and counts(made, desk) == 0.0
    with pytest.raises(GovernanceError, match="another journal of this workspace"):
        canary.evaluate(ALPHA, root=desk, now=later(made, 2))


def test_the_journal_of_another_workspace_at_the_same_remote_is_none_of_ours(
    desk: Path, made: World, tmp_path: Path
) -> None:
    other = World.made(tmp_path / "other", made.key_store)  # type: ignore[attr-defined]
    other.office().audit.record(
        "override_log",
        {"kind": "waiver"},
        now_ns=made.now_ns,
        ledger_heads={"w": {"seq": 1, "hash": "a" * 64}},
    )
    anchoring.anchor(other.root)
    anchoring.anchor(desk)
    assert codes(desk) == [] and counts(made, desk) > 0


def test_the_remote_is_asked_again_before_an_approval_is_written(
    desk: Path, made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hft.api.promotion import standing_office

    anchoring.anchor(desk)
    office = standing_office(open_desk(desk, now=later(made, 1)))
    Path(os.environ["HFT_ANCHOR_REMOTE"]).rename(tmp_path / "away")
    with pytest.raises(Unavailable, match="nothing was changed"):
        office.assert_anchored()


def test_an_approval_that_was_measured_while_the_remote_went_writes_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def away() -> None:
        raise Unavailable("it is away")

    world = World.made(tmp_path / "w", tmp_path_factory.mktemp("k"))
    world.propose()
    world.pass_days(1 / 24)
    office = world.office
    world.office = lambda user="": replace(office(user), assert_anchored=away)  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        world.approve()
    assert not list(world.workspace.promotions.rglob("*.yaml"))
    stages = [row["stage"] for row in world.rows("alpha_promotion_log")]
    assert stages == ["propose"]


def test_a_restore_waits_for_whoever_changes_a_promotion(desk: Path) -> None:
    anchoring.anchor(desk)
    journal = desk / ".state" / "audit" / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    with exclusive(desk / ".state" / "promotions"), pytest.raises(Busy):
        anchoring.restore(desk)
    assert anchoring.restore(desk)["restored"] == 1
    assert journal.read_bytes() == whole
    (aside,) = journal.parent.glob("*.aside")
    assert whole.startswith(aside.read_bytes())


def test_two_processes_that_anchor_at_once_lose_nothing(desk: Path) -> None:
    from hft.audit.journal import Journal

    journal = Journal(desk / ".state" / "audit")
    url = os.environ["HFT_ANCHOR_REMOTE"]
    one, two = Remote(url), Remote(url)
    assert one.push(journal) > 0 and two.push(journal) == 0
