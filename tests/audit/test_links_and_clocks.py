"""Links in the place of folders, a remote that is full, clocks and keys that are over."""

import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from promotion_world import ALPHA, DAY_NS, World

from hft.api import anchoring, canary
from hft.api.audit import verify
from hft.audit.keys import dump, moment
from hft.core.errors import GovernanceError, HftError, Unavailable
from hft.governance.promotion.signatures import effective
from hft.storage.strict_yaml import load_yaml


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World.made(tmp_path_factory.mktemp("w"), tmp_path_factory.mktemp("keys"))
    (world.root / "config" / "default.yaml").write_text("alpha.rehearsal: true\n")
    world.promoted()
    return world


@pytest.fixture
def root(made: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something live, anchored."""
    remote = tmp_path / "anchors.git"
    remote.mkdir()
    git(remote, "init", "-q", "--bare", ".")
    for name in ("receive.denyDeletes", "receive.denyNonFastForwards"):
        git(remote, "config", name, "true")
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(remote))
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    desk = Path(shutil.copytree(made.root, tmp_path / "desk"))
    anchoring.anchor(desk)
    return desk


def later(made: World, days: float) -> str:
    return moment(made.now_ns + int(days * DAY_NS))


def rolled_back(made: World, root: Path, days: float = 1.0) -> None:
    given = {"key": made.key("cyd"), "root": root, "now": later(made, days)}
    canary.rollback(ALPHA, reason="enough", **given)


PLACES = {
    "promotions": ("config/strategy_promotions", "ARTIFACT_CHANGED"),
    "a day of promotions": ("config/strategy_promotions/20261102", "ARTIFACT_MISSING"),
    "the journal": (".state/audit", "JOURNAL_CUT"),
    "the ledger": ("research/ledger", "LEDGER_"),
    "reports": ("research/experiments/promotions", "ARTIFACT_CHANGED"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_link_to_what_was_before_is_found_like_the_file_itself(
    name: str, root: Path, made: World, tmp_path: Path
) -> None:
    """Each folder replaced by a link to an older or changed copy outside of the workspace."""
    place, codes = PLACES[name]
    old = Path(shutil.copytree(root / place, tmp_path / "old"))
    match name:
        case "a day of promotions":
            (old / f"{ALPHA}.yaml").unlink()
        case "the ledger":
            next(old.glob("*.jsonl")).write_bytes(b"")
        case "reports":
            next(old.rglob("bundle.json")).write_bytes(b"{}")
        case _:
            rolled_back(made, root)
    shutil.rmtree(root / place)
    (root / place).symlink_to(old)
    found = [one.code for one in verify(root).findings]
    assert any(code in one for one in found for code in codes.split("|")), found


def test_a_link_to_a_whole_copy_is_no_other_content(root: Path, tmp_path: Path) -> None:
    for place, _ in PLACES.values():
        if not (root / place).is_symlink() and place.count("/") < 3:
            kept = tmp_path / place.replace("/", "_")
            shutil.move(root / place, kept)
            (root / place).symlink_to(kept)
    assert verify(root).findings == ()


def test_a_remote_that_is_full_takes_no_row_and_a_rollback_counts_all_the_same(
    root: Path, made: World, tmp_path: Path
) -> None:
    git(tmp_path / "anchors.git", "config", "receive.maxInputSize", "10")
    rolled_back(made, root)
    assert "pending: rows" in " ".join(verify(root).extra["trust"])
    with pytest.raises(Unavailable, match="does not take part"):
        anchoring.anchor(root)
    git(tmp_path / "anchors.git", "config", "--unset", "receive.maxInputSize")
    anchoring.anchor(root)
    assert "pending" not in " ".join(verify(root).extra["trust"])


def test_a_remote_that_shows_an_older_state_is_given_its_rows_again(
    root: Path, made: World, tmp_path: Path
) -> None:
    older = shutil.copytree(tmp_path / "anchors.git", tmp_path / "older.git")
    rolled_back(made, root)
    shutil.rmtree(tmp_path / "anchors.git")
    shutil.move(older, tmp_path / "anchors.git")
    assert "pending: rows" in " ".join(verify(root).extra["trust"])
    assert anchoring.anchor(root)["brought"] > 0
    assert verify(root).findings == ()


def test_a_remote_that_hides_its_branches_gets_no_second_history(
    root: Path, made: World, tmp_path: Path
) -> None:
    git(tmp_path / "anchors.git", "config", "uploadpack.hideRefs", "refs/heads/hft-anchors")
    assert "keeps no row of this journal" in " ".join(verify(root).extra["trust"])
    # Within one second the same rows make the same commit, which is no second history.
    time.sleep(1.1)
    with pytest.raises(Unavailable):
        anchoring.anchor(root)


@pytest.mark.parametrize(("days", "said"), [(-30.0, "check the clock"), (60.0, "days")])
def test_a_clock_that_was_set_approves_nothing(
    days: float, said: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World.made(tmp_path / "w", tmp_path_factory.mktemp("k"))
    world.propose()
    world.pass_days(days)
    done = world.approve()
    assert not done.approved and said in " ".join(done.objections), done.objections


@pytest.mark.parametrize("days", [-400.0, -1.0, 4000.0])
def test_a_clock_that_was_set_does_not_undo_a_rollback(
    days: float, root: Path, made: World
) -> None:
    rolled_back(made, root)
    with suppress(HftError):
        canary.evaluate(ALPHA, root=root, now=later(made, days), apply_it=True, key=made.key("cyd"))
    world = World(root, made.workspace.__class__(root), made.keys, made.now_ns)
    recorded = world.office().recorded()
    at = made.now_ns + int(days * DAY_NS)
    assert effective(world.file(), made.keys, at, recorded).weight == 0.0


def test_a_key_that_is_over_approves_nothing_and_one_of_later_neither(
    made: World, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for field in ("until", "from"):
        folder = tmp_path_factory.mktemp(field)
        world = World.made(folder / "w", folder)
        world.propose()
        world.pass_days(1)
        rows = load_yaml(world.workspace.keys.read_text(), "keys")
        when = "2026-11-02T12:00Z" if field == "until" else "2026-12-02T12:00Z"
        changed = [row | ({field: when} if row["name"] == "bob" else {}) for row in rows]
        world.workspace.keys.write_text(dump(changed))
        world.keys = type(world.keys).read(world.workspace.keys)
        with pytest.raises(GovernanceError, match="bob"):
            world.approve()
        assert not list(world.workspace.promotions.rglob("*.yaml"))


APPROVER = """
import sys
from pathlib import Path
from promotion_world import World
from hft.audit.keys import Keys
from hft.core.errors import HftError
from hft.research.workspace import Workspace
root, store, name, now = sys.argv[1:]
place = Workspace(Path(root))
world = World(place.root, place, Keys.read(place.keys), int(now))
world.key_store = Path(store)
sys.stdin.readline()
try:
    done = world.approve(name)
    print("approved" if done.approved else "; ".join(done.objections))
except HftError as error:
    print(f"{type(error).__name__}: {error}")
"""


def test_of_two_who_approve_at_once_one_does(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    world = World.made(tmp_path / "w", keys)
    world.propose()
    world.pass_days(1 / 24)
    (world.root / "memo.md").write_text("Checked.\n")
    command = [sys.executable, "-c", APPROVER, str(world.root), str(tmp_path / "keys")]
    path = {"PYTHONPATH": ":".join(one for one in sys.path if one), "PATH": "/usr/bin:/bin"}
    both = [
        subprocess.Popen(
            [*command, name, str(world.now_ns)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=path,
        )
        for name in ("bob", "dan")
    ]
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = sorted(one.communicate(timeout=120)[0].strip() for one in both)
    assert said.count("approved") == 1, said
    assert any(word in said[1] + said[0] for word in ("was approved before", "Busy")), said
    assert (
        len(
            [
                r
                for r in world.rows("alpha_promotion_log")
                if r["stage"] == "approve" and r["approved"]
            ]
        )
        == 1
    )
    assert len(list(world.workspace.promotions.rglob("*.yaml"))) == 1
