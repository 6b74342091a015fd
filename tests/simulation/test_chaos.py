"""Gateways in simulated trouble: nothing is sent twice, lost, forgotten, or sent by who may not.

`make fuzz-crash` plays thousands; `make fuzz-crash SEED=n` one of them again.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.chaos import ALL_FROM, Result, found_after, not_hit, play_all, report
from tests.simulation.worlds import WORLDS, play

pytestmark = [  # a life that is cut leaves coroutines in the middle of what they did
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# Scenarios a seed of pytest; scenarios that meet much; how many troubles and states those few may
# miss (`make fuzz-crash` meets each); their least steps and lives.
SIZES = {
    "core": (8, 18, 14, 1000, 3),
    "service": (8, 18, 14, 1000, 3),
    "journal": (60, 60, 0, 60, 5),
}
IN_PYTHON = ("journal",)  # nothing compiled is in them
ROOT = Path(__file__).resolve().parents[2]
EACH = [
    pytest.param(name, marks=[pytest.mark.nojit] * (name in IN_PYTHON), id=name) for name in WORLDS
]
BUGS = [
    pytest.param(name, bug, marks=[pytest.mark.nojit] * (name in IN_PYTHON), id=f"{name}-{bug}")
    for name, world in WORLDS.items()
    for bug in world.planted
]


@pytest.mark.parametrize("world", EACH)
def test_scenarios_end_without_a_violation(sim_seed: int, world: str) -> None:
    count = SIZES[world][0]
    result = play_all(range(sim_seed * count, (sim_seed + 1) * count), world=world)
    assert not result.wrong, f"make fuzz-crash SEED=n ARGS='--world {world}' plays one again"


@pytest.mark.parametrize("world", EACH)
def test_scenarios_meet_trouble(world: str) -> None:
    _, count, seldom, steps, lives = SIZES[world]
    result = play_all(range(count), world=world)
    missed = not_hit(result.seen, world)
    assert len(missed) <= seldom, missed
    assert result.seen["steps"] >= steps * count and result.seen["lives"] > lives * count


def test_what_was_never_met_is_a_failure_where_all_should_be() -> None:
    names = [name for names in WORLDS["service"].meets.values() for name in names]
    seen = Counter(names)
    assert len(seen) == len(names) and not_hit(seen, "service") == []
    del seen["two leaders"]
    result = Result(seen, {}, {})
    assert report(result, ALL_FROM - 1, 1.0, 1.0, "service") == 0
    assert report(result, ALL_FROM, 1.0, 1.0, "service") == 1


@pytest.mark.parametrize("world", EACH)
def test_a_scenario_is_its_seed(world: str) -> None:
    traces = [play(seed, world=world).trace.hexdigest() for seed in (3, 3, 4)]
    assert traces[0] == traces[1] != traces[2]


def test_a_scenario_is_its_seed_in_every_process() -> None:
    """Another process hashes text another way, so no order of a set may count."""
    command = [sys.executable, "-m", "tests.simulation.chaos", "--seed", "3"]
    command += [word for world in WORLDS for word in ("--world", world)]
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for world in WORLDS:
        assert done.stdout.count(play(3, world=world).trace.hexdigest()) == 2, world


@pytest.mark.parametrize(("world", "name"), BUGS)
def test_a_planted_bug_is_found(world: str, name: str) -> None:
    assert found_after(name, 1000, world), f"{world}: {name}: not found"
