"""Killed at every step of an approval or a rollback: nothing, or what the next call finishes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forked import Forks
from promotion_world import ALPHA, World

from hft.audit.journal import Journal
from hft.audit.keys import Keys
from hft.core.errors import Busy
from hft.governance.canary.apply import apply, rollback_by_hand
from hft.governance.promotion import commit
from hft.governance.promotion.promotions import read
from hft.governance.promotion.signatures import effective
from hft.research.workspace import Workspace

STEPS = 9


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """The process whose forks are killed."""
    paths = [str(path) for path in (Path(__file__).parent, Path(__file__).parents[2])]
    imported = f"import sys; sys.path[:0] = {paths!r}; import test_promotion_crash"
    made = Forks(tmp_path_factory.mktemp("forks"), imported)
    yield made
    made.close()


def child(forks: Forks, step: int, what: str, world: World) -> int:
    """Run `what` in a process that gets SIGKILL before its `step`-th write; its exit status."""
    given = {
        "step": step,
        "what": what,
        "root": str(world.root),
        "keys": str(world.key("ann").parent),
        "now_ns": world.now_ns,
    }
    done = forks.run(f"import test_promotion_crash as t; t.main({given!r})", world.root)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def main(given: dict[str, Any]) -> None:
    """The child: counts writes down and kills itself."""
    root = Path(given["root"])
    workspace = Workspace(root)
    world = World(root, workspace, Keys.read(workspace.keys), given["now_ns"])
    world.key_store = Path(given["keys"])  # type: ignore[attr-defined]
    left = [given["step"]]

    def counted(function):  # type: ignore[no-untyped-def]
        def call(*args, **kwargs):  # type: ignore[no-untyped-def]
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    commit.write_atomic = counted(commit.write_atomic)
    commit._drop = counted(commit._drop)
    Journal.append = counted(Journal.append)  # type: ignore[method-assign]
    if given["what"] == "approve":
        world.approve()
        return
    file = world.file()
    assert file.promotion is not None
    decision = rollback_by_hand(file.promotion, "stop")
    apply(world.office("cyd"), file, decision, person=world.person("cyd"), key=world.key("cyd"))


def weight(world: World) -> float | None:
    """What counts now; None where there is no file."""
    file = read(world.workspace.promotions).file(ALPHA)
    if file is None:
        return None
    office = world.office()
    return effective(file, world.keys, world.now_ns, office.recorded()).weight


@pytest.mark.slow
@pytest.mark.parametrize("step", range(STEPS))
def test_an_approval_killed_at_any_step_is_whole_or_nothing(
    world: World, forks: Forks, step: int
) -> None:
    world.propose()
    killed = child(forks, step, "approve", world) != 0
    assert weight(world) in (None, 0.01)  # never half of it
    world.office().recover()
    done = weight(world) == 0.01
    rows = world.rows("alpha_promotion_log")
    assert done == any(row["yaml_sha256"] for row in rows)
    assert len([row for row in rows if row["stage"] == "approve"]) == int(done)
    assert len(world.rows("control_log")) == int(done)
    assert world.office().recover() == []
    assert done or killed
    assert done == (step >= 2)  # the decision is the first audit row, after the stage
    if not done:
        assert world.approve().approved  # the same call works then


@pytest.mark.slow
@pytest.mark.parametrize("step", range(STEPS))
def test_a_rollback_killed_at_any_step_is_finished_by_the_next_call(
    world: World, forks: Forks, step: int
) -> None:
    world.promoted()
    world.pass_days(1)
    child(forks, step, "rollback", world)
    world.office().recover()
    staged = step >= 1
    assert weight(world) == (0.0 if staged else 0.01)
    assert len(world.rows("alpha_canary_log")) == int(staged)
    incidents = [r for r in world.rows("control_log") if r["cause"].startswith("incident")]
    assert len(incidents) == int(staged)


def test_two_commands_at_once_do_not_mix(world: World) -> None:
    world.propose()
    with commit.exclusive(world.office().stage), pytest.raises(Busy, match="changing a promotion"):
        world.approve()
    assert world.approve().approved


def test_a_damaged_stage_is_dropped_with_a_sentence(world: World) -> None:
    world.promoted()
    stage = world.office().stage / f"{ALPHA}.pending.json"
    stage.write_bytes(b'{"alpha_id": "queue_')
    assert "damaged" in world.office().recover()[0]
    assert weight(world) == 0.01
