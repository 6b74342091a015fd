"""Who somebody is, is shown and not told: forged key files, keys that ended, unknown authors."""

import base64
import subprocess
from pathlib import Path

import pytest
from promotion_world import ALPHA, DAY_NS, World

from hft.audit.keys import Keys, dump, moment
from hft.audit.sign import read_key_file
from hft.core.errors import GovernanceError
from hft.governance.promotion.people import person
from hft.storage.strict_yaml import load_yaml

BEGIN, END = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"


def forged(world: World, own: str, victim: str, folder: Path, places: int) -> Path:
    """The private key of `own` in a file whose public half is `victim`'s, in one place or both."""
    raw = base64.b64decode("".join(world.key(own).read_text().strip().splitlines()[1:-1]))
    mine, theirs = (
        base64.b64decode(world.key(name).with_name(f"{name}.pub").read_text().split()[1])
        for name in (own, victim)
    )
    assert raw.count(mine) == 2 and len(mine) == len(theirs)
    text = base64.b64encode(raw.replace(mine, theirs, places)).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    path = folder / "forged"
    path.write_text("\n".join([BEGIN, *lines, END, ""]))
    path.chmod(0o600)
    assert read_key_file(path).fingerprint == world.person(victim).key.fingerprint
    return path


@pytest.mark.parametrize("places", [1, 2])
def test_a_key_file_with_the_public_half_of_another_person_is_nobody(
    world: World, tmp_path: Path, places: int
) -> None:
    path = forged(world, "ann", "bob", tmp_path, places)
    with pytest.raises(GovernanceError, match="forged"):
        person(world.keys, path, None, "mallory", world.now_ns)
    own = person(world.keys, world.key("ann"), None, "ann", world.now_ns)
    assert own.name == "ann"


def ended(world: World, name: str, field: str, at_ns: int) -> None:
    """The keys file once a person's key is revoked, or ends."""
    rows = load_yaml(world.workspace.keys.read_text(), "keys.yaml")
    for row in rows:
        if row["name"] == name:
            row[field] = moment(at_ns)
    world.workspace.keys.write_text(dump(rows))
    world.keys = Keys.read(world.workspace.keys)


@pytest.mark.parametrize(
    ("field", "said"), [("revoked", "is revoked since"), ("until", "expired at")]
)
def test_an_owners_key_that_ended_since_the_proposal_carries_no_approval(
    world: World, field: str, said: str
) -> None:
    world.propose()
    ended(world, "ann", field, world.now_ns + DAY_NS // 2)
    world.pass_days(1)
    done = world.approve()
    assert not done.approved
    assert any("owner's signature" in text and said in text for text in done.objections)


def git(world: World, *words: str) -> None:
    by = ["-c", "user.name=Ann", "-c", "user.email=ann@desk.example"]
    subprocess.run(["git", "-C", str(world.root), *by, *words], check=True, capture_output=True)


@pytest.fixture
def committed(world: World) -> World:
    """A workspace in git with the alpha committed by its owner, and a proposal."""
    git(world, "init", "-q")
    (world.workspace.alphas / ALPHA / "impl.py").write_text("x = 1\n")
    (world.root / ".gitignore").write_text("__pycache__/\n*.tmp.py\n")
    git(world, "add", "research/alphas", ".gitignore")
    git(world, "commit", "-qm", "alpha")
    world.propose()
    return world


def test_what_its_author_committed_is_approved_by_another(committed: World) -> None:
    cache = committed.workspace.alphas / ALPHA / "__pycache__"
    cache.mkdir()
    (cache / "impl.cpython-313.pyc").write_bytes(b"x")
    done = committed.approve()
    assert done.approved and not done.self_approved, done.objections


def _changed(world: World) -> None:
    (world.workspace.alphas / ALPHA / "impl.py").write_text("x = 2\n")


def _added(world: World) -> None:
    (world.workspace.alphas / ALPHA / "more.py").write_text("y = 2\n")


def _ignored(world: World) -> None:
    (world.workspace.alphas / ALPHA / "more.tmp.py").write_text("y = 2\n")


def _hidden(world: World) -> None:
    _changed(world)
    git(world, "update-index", "--assume-unchanged", f"research/alphas/{ALPHA}/impl.py")


def _configured(world: World) -> None:
    git(world, "config", "status.showUntrackedFiles", "no")
    _added(world)


def _never_committed(world: World) -> None:
    git(world, "rm", "-rq", "--cached", "research/alphas")
    git(world, "commit", "-qm", "out")
    (world.root / ".gitignore").write_text("research\n")


def _not_readable(world: World) -> None:
    (world.root / ".git" / "HEAD").write_text("nonsense\n")


@pytest.mark.parametrize(
    "change",
    [_changed, _added, _ignored, _hidden, _configured, _never_committed, _not_readable],
)
def test_what_nobody_committed_has_no_author_and_is_not_approved(
    committed: World, change: object
) -> None:
    assert callable(change)
    change(committed)
    done = committed.approve()
    assert not done.approved and len(done.objections) == 1, done.objections
    assert f"research/alphas/{ALPHA}" in done.objections[0]
    assert "commit" in done.objections[0]


def test_under_base_an_unknown_author_is_a_self_approval(world: World) -> None:
    git(world, "init", "-q")
    _added(world)
    world.propose("base")
    done = world.approve()
    assert done.approved and done.self_approved and done.weight == 0.02
