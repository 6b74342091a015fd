"""Sixty and more ways to change a workspace: `verify` finds each, with its file and its row.

The workspace has a root of trust and a remote outside; who tampers can write everything inside, and
computes every hash again where that helps. What git keeps is found in another clone as well.
"""

import os
import shutil
from pathlib import Path

import pytest
from promotion_world import World

from hft.api import anchoring
from hft.api.audit import verify
from hft.audit.walk import Finding
from hft.storage.strict_yaml import load_yaml
from hft.storage.yaml_text import dump_yaml
from tests.audit.lived_world import lived
from tests.audit.workspace_tampers import TAMPERS, git, rolled_back_and_erased


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The workspace, in git, anchored, with its root of trust beside it; only to be copied."""
    outside = tmp_path_factory.mktemp("outside")
    world = lived(tmp_path_factory.mktemp("lived") / "desk", tmp_path_factory.mktemp("keys"))
    rows = load_yaml(world.workspace.keys.read_text(), "keys.yaml")
    (outside / "trust.yaml").write_text(dump_yaml({"quorum": 2, "keys": rows}))
    remote = outside / "anchors.git"
    remote.mkdir()
    git(remote, "init", "-q", "--bare", ".")
    for name in ("receive.denyDeletes", "receive.denyNonFastForwards"):
        git(remote, "config", name, "true")
    (world.root / ".gitignore").write_text(".state/\nresearch/experiments/\n")
    git(world.root, "init", "-q")
    git(world.root, "add", "-A")
    git(world.root, "commit", "-qm", "lived")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HFT_TRUST_ROOT", str(outside / "trust.yaml"))
        patch.setenv("HFT_ANCHOR_REMOTE", str(remote))
        anchoring.anchor(world.root)
    world.outside = outside  # type: ignore[attr-defined]
    return world


@pytest.fixture
def root(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    outside: Path = made.outside  # type: ignore[attr-defined]
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    monkeypatch.setenv("HFT_TRUST_ROOT", str(outside / "trust.yaml"))
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(outside / "anchors.git"))
    return Path(shutil.copytree(made.root, tmp_path / "desk", symlinks=True))


def located(root: Path, code: str, place: str) -> Finding:
    """The finding that names what was done; each says what to do about it."""
    findings = verify(root).findings
    assert all(one.to_dict()["cure"] for one in findings)
    found = [one for one in findings if one.code.startswith(code) and place in one.place]
    assert found, [(one.code, one.place, one.sentence) for one in findings]
    return found[0]


def test_a_workspace_that_nobody_touched_is_whole_here_and_in_a_clone(
    root: Path, tmp_path: Path
) -> None:
    assert verify(root).findings == () and verify(root).unanchored is None
    git(tmp_path, "clone", "-q", str(root), str(tmp_path / "clone"))
    assert verify(tmp_path / "clone").findings == ()
    assert len(TAMPERS) >= 60


@pytest.mark.parametrize("name", TAMPERS)
def test_a_change_of_a_workspace_is_found_and_located(
    name: str, root: Path, made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, code, place, in_clone = TAMPERS[name]
    if act is rolled_back_and_erased:  # it brings rows to the remote, which the others share
        own = shutil.copytree(os.environ["HFT_ANCHOR_REMOTE"], tmp_path / "anchors.git")
        monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(own))
        monkeypatch.setenv("HFT_SIGNING_KEY", str(made.key("cyd")))
    act(root)
    located(root, code, place)
    if in_clone:
        git(root, "add", "-A")
        git(root, "commit", "-qm", "nothing to see")
        git(tmp_path, "clone", "-q", str(root), str(tmp_path / "clone"))
        located(tmp_path / "clone", code, place)
