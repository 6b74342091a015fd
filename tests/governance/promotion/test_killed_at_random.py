"""kill -9 at a random moment of whatever changes what may trade: old or new, never twice, whole.

Real processes, real git, real keys. `--seeds` kills each kind as often; else a few times.
"""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forked import Forks
from promotion_world import ALPHA, World

from hft.api import anchoring, keys
from hft.api.audit import verify
from hft.api.desk import open_desk
from hft.api.promotion import office_of
from hft.audit.keys import Keys
from hft.audit.remote import Remote
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.governance.canary.decide import CanaryDecision
from hft.governance.promotion.signatures import effective
from hft.research.workspace import Workspace
from hft.storage.strict_yaml import load_yaml
from hft.storage.yaml_text import dump_yaml
from tests.audit.workspace_tampers import git

KINDS = ("approve", "rollback", "escalate", "anchor", "restore", "keys")
FEW = 2
LIVE = ("rollback", "escalate", "anchor", "restore")


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    here = [str(path) for path in (Path(__file__).parent, *Path(__file__).parents[1:3])]
    imported = f"import sys; sys.path[:0] = {here!r}; import test_killed_at_random"
    made = Forks(tmp_path_factory.mktemp("forks"), imported)
    yield made
    made.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    """A workspace with a proposal, and one with something live; only to be copied."""
    store = tmp_path_factory.mktemp("keys")
    found = {}
    for name in ("proposed", "live"):
        world = World.made(tmp_path_factory.mktemp(name) / "desk", store)
        (world.root / "config" / "default.yaml").write_text("alpha.rehearsal: true\n")
        world.propose() if name == "proposed" else world.promoted()
        world.pass_days(1 / 24)
        world.validate(seed=9)
        found[name] = world
    rows = load_yaml(found["live"].workspace.keys.read_text(), "keys")
    (store / "trust.yaml").write_text(dump_yaml({"quorum": 2, "keys": rows}))
    return found


def world_at(given: dict[str, Any]) -> World:
    workspace = Workspace(Path(given["root"]))
    world = World(workspace.root, workspace, Keys.read(workspace.keys), given["now_ns"])
    world.key_store = Path(given["store"])  # type: ignore[attr-defined]
    return world


def act(given: dict[str, Any]) -> None:
    """The child: what is to be killed."""
    world = world_at(given)
    match given["kind"]:
        case "approve":
            world.approve()
        case "anchor":
            anchoring.anchor(world.root)
        case "restore":
            anchoring.restore(world.root)
        case "keys":
            keys.sign(key=world.key("dan"), root=world.root)
        case "rollback":
            file = world.file()
            assert file.promotion is not None
            applied(world, rollback_by_hand(file.promotion, "stop"))
        case "escalate":
            more: dict[str, Any] = {"old_weight": 0.01, "new_weight": 0.05}
            applied(world, CanaryDecision(ALPHA, "escalated", "held", kind="runs", **more))


def applied(world: World, decision: CanaryDecision) -> None:
    given = {"person": world.person("cyd"), "key": world.key("cyd")}
    apply(world.office("cyd"), world.file(), decision, **given)


def killed_after(seconds: float, given: dict[str, Any]) -> None:
    """`act` in this process, which another one kills."""
    own = os.getpid()
    if os.fork() == 0:
        time.sleep(seconds)
        os.kill(own, signal.SIGKILL)
        os._exit(0)
    began = time.monotonic()
    act(given)
    print(time.monotonic() - began)


def rows_of(root: Path) -> list[dict[str, Any]]:
    return open_desk(root).auditor.rows()


def weight(world: World) -> float:
    found = world.workspace.promotions.rglob("*.yaml")
    if not list(found):
        return -1.0
    file = world.file()
    return float(effective(file, world.keys, world.now_ns, world.office().recorded()).weight)


@pytest.fixture
def desk(
    kind: str, made: dict[str, World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """A copy on which a kind can be done, and what the child is given."""
    world = made["live" if kind in (*LIVE, "keys") else "proposed"]
    monkeypatch.setenv("HFT_ANCHOR_REMOTE", str(tmp_path))  # of each copy another: `copied`
    monkeypatch.setenv("HFT_ALPHA_AUDIT_ENABLED", "0")
    store = world.key("ann").parent
    if kind == "keys":
        monkeypatch.setenv("HFT_TRUST_ROOT", str(store / "trust.yaml"))
    return {"store": str(store), "now_ns": world.now_ns, "kind": kind, "of": str(world.root)}


def copied(given: dict[str, Any], root: Path) -> dict[str, Any]:
    shutil.copytree(given["of"], root)
    remote = root.with_name(f"{root.name}.anchors")
    remote.mkdir()
    git(remote, "init", "-q", "--bare", ".")
    for word in ("denyDeletes", "denyNonFastForwards"):
        git(remote, "config", f"receive.{word}", "true")
    os.environ["HFT_ANCHOR_REMOTE"] = str(remote)
    if given["kind"] == "keys":
        keys.revoke("cyd", key=Path(given["store"]) / "bob", root=root)
    if given["kind"] == "restore":
        anchoring.anchor(root)
        journal = root / ".state" / "audit" / "journal.jsonl"
        journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-3]))
    return {**given, "root": str(root)}


def script(given: dict[str, Any], seconds: float) -> str:
    return f"import test_killed_at_random as t; t.killed_after({seconds!r}, {given!r})"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_moment_it_is_done_or_not_and_goes_on(
    kind: str,
    desk: dict[str, Any],
    forks: Forks,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    old = state(kind, copied(desk, tmp_path / "old"))
    whole = copied(desk, tmp_path / "whole")
    done = forks.run(script(whole, 60.0), tmp_path)
    assert done.returncode == 0, done.stderr
    long = float(done.stdout.splitlines()[-1])
    new = state(kind, whole)
    assert old != new
    seeds = pytestconfig.getoption("seeds")
    times = FEW if seeds is None else int(seeds)
    ends = {"old": 0, "new": 0, "whole": 0}
    for number in range(times):
        rng = random.Random(f"{kind} {number}")
        given = copied(desk, tmp_path / f"desk{number}")
        child = forks.run(script(given, rng.uniform(0.0, long)), tmp_path)
        assert child.returncode in (0, -signal.SIGKILL), child.stderr
        root = Path(given["root"])
        if kind == "keys" and open_desk(root).trust.wrong:
            keys.restore(root=root)  # as the refusal of every decision says
        office_of(open_desk(root), None, asked=False).recover()
        assert kind == "restore" or verify(root).ok, verify(root).findings
        found = state(kind, given)
        assert found in (old, new), (number, found)
        ends["whole" if child.returncode == 0 else "new" if found == new else "old"] += 1
        once(root)
        if found == old:
            again = forks.run(script(given, 60.0), tmp_path)
            assert again.returncode == 0, again.stderr
        assert verify(root).ok, verify(root).findings
        assert state(kind, given) == new
        once(root)
        shutil.rmtree(root)
    print(kind, f"{long:.2f} s", ends)


def once(root: Path) -> None:
    """No decision is there twice."""
    rows = rows_of(root)
    told = [
        json.dumps([row["table"], row["row"].get("scope"), row["row"].get("new_state"), row["ts"]])
        for row in rows
        if row["row"].get("kind") in ("promotion", "keys") and "incident" not in row["row"]["cause"]
    ]
    assert len(told) == len(set(told)), told
    files = [row["row"]["yaml_sha256"] for row in rows if row["row"].get("yaml_sha256")]
    assert len(files) == len(set(files))


def state(kind: str, given: dict[str, Any]) -> Any:
    """What the kind changes, as seen after it."""
    world = world_at(given)
    match kind:
        case "keys":
            return len(open_desk(world.root).trust.hashes)
        case "anchor":
            kept = Remote(os.environ["HFT_ANCHOR_REMOTE"]).kept()
            return {name for name in kept if name == world.office().audit.journal.id} != set()
        case "restore":
            return len(rows_of(world.root))
        case _:
            return weight(world)
