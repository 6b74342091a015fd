"""What lies in the workspace never answers for the remote: not a git setting, not an object.

Whoever has a shell in the workspace prepares whatever git would read there, and erases a rollback.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from promotion_world import ALPHA, World

from hft.api import anchoring, canary
from hft.api.audit import verify
from hft.core.errors import ConfigError, GovernanceError


def git(folder: Path, *words: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *settings, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Something live; only to be copied."""
    world = World.made(tmp_path_factory.mktemp("w"), tmp_path_factory.mktemp("keys"))
    (world.root / "config" / "default.yaml").write_text("alpha.rehearsal: true\n")
    world.promoted()
    return world


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "anchors"
    folder.mkdir()
    git(folder, "init", "-q", "--bare", ".")
    for word in ("denyDeletes", "denyNonFastForwards"):
        git(folder, "config", f"receive.{word}", "true")
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(folder))
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "person"))
    return folder


@pytest.fixture
def desk(made: World, remote: Path, tmp_path: Path) -> Path:
    """Anchored while it is live, then rolled back, then set to what it was before that."""
    root = Path(shutil.copytree(made.root, tmp_path / "desk"))
    anchoring.anchor(root)
    (path,) = (root / "config" / "strategy_promotions").rglob("*.yaml")
    journal = root / ".state" / "audit" / "journal.jsonl"
    before = path.read_bytes(), journal.read_bytes()
    shutil.copytree(remote, root / ".state" / "older.git")  # what the remote was then
    given = {"key": made.key("cyd"), "root": root, "now": "2026-11-04T12:00Z"}
    canary.rollback(ALPHA, reason="enough", **given)
    path.write_bytes(before[0])
    journal.write_bytes(before[1])
    return root


def cache(desk: Path) -> Path:
    folder = desk / ".state" / "anchors.git"
    if not (folder / "HEAD").is_file():
        folder.mkdir(exist_ok=True)
        git(folder, "init", "-q", "--bare", ".")
    return folder


def elsewhere(desk: Path, remote: Path) -> None:
    older = desk / ".state" / "older.git"
    git(cache(desk), "config", f"url.{older}.insteadOf", str(remote))


def replaced(desk: Path, remote: Path) -> None:
    """The newest commit stands for the one before it."""
    names = git(remote, "for-each-ref", "--format=%(refname)", "refs/heads/hft-anchors").split()
    name = next(one for one in names if "probe" not in one)
    git(cache(desk), "fetch", "-q", str(remote), name)
    tip = git(remote, "rev-parse", name)
    git(cache(desk), "replace", "-f", tip, git(remote, "rev-parse", f"{name}~1"))


def shallow(desk: Path, remote: Path) -> None:
    """History ends at the newest commit, whose rows follow nothing then."""
    names = git(remote, "for-each-ref", "--format=%(refname)", "refs/heads/hft-anchors").split()
    name = next(one for one in names if "probe" not in one)
    git(cache(desk), "fetch", "-q", str(remote), name)
    (cache(desk) / "shallow").write_text(git(remote, "rev-parse", name) + "\n")


@pytest.mark.parametrize("prepared", [elsewhere, replaced, shallow])
def test_nothing_in_the_workspace_answers_for_the_remote(
    prepared: Callable[[Path, Path], None], desk: Path, remote: Path
) -> None:
    prepared(desk, remote)
    assert "JOURNAL_CUT" in [one.code for one in verify(desk).findings]
    with pytest.raises(GovernanceError, match="queue_imbalance rolled_back"):
        canary.evaluate(ALPHA, root=desk, now="2026-11-05T12:00Z")


def test_a_name_that_git_leads_into_the_workspace_is_refused(
    desk: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = desk / ".state" / "older.git"
    (tmp_path / "person").write_text(f'[url "{older}"]\n\tinsteadOf = {remote}\n')
    with pytest.raises(ConfigError, match="lies in the workspace"):
        anchoring.anchor(desk)
