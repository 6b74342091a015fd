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
from tests.simulation.fault_coverage import to_meet
from tests.simulation.product import PLANTED
from tests.simulation.worlds import WORLDS, play

pytestmark = [  # a life that is cut leaves coroutines in the middle of what they did
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SCENARIOS = 8  # a seed of pytest
SOME = 18
SELDOM = 14  # troubles and states that so few scenarios may miss; `make fuzz-crash` meets each
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("world", WORLDS)
def test_scenarios_end_without_a_violation(sim_seed: int, world: str) -> None:
    seeds = range(sim_seed * SCENARIOS, (sim_seed + 1) * SCENARIOS)
    result = play_all(seeds, world=world)
    assert not result.wrong, "make fuzz-crash SEED=n plays one again"


@pytest.mark.parametrize("world", WORLDS)
def test_scenarios_meet_trouble(world: str) -> None:
    result = play_all(range(SOME), world=world)
    missed = not_hit(result.seen, world)
    assert len(missed) <= SELDOM, missed
    assert result.seen["steps"] >= 1000 * SOME and result.seen["lives"] > 3 * SOME


def test_what_was_never_met_is_a_failure_where_all_should_be() -> None:
    names = [name for names in to_meet("service").values() for name in names]
    seen = Counter(names)
    assert len(seen) == len(names) and not_hit(seen, "service") == []
    del seen["two leaders"]
    result = Result(seen, {}, {})
    assert report(result, ALL_FROM - 1, 1.0, 1.0, "service") == 0
    assert report(result, ALL_FROM, 1.0, 1.0, "service") == 1


@pytest.mark.parametrize("world", WORLDS)
def test_a_scenario_is_its_seed(world: str) -> None:
    traces = [play(seed, world=world).trace.hexdigest() for seed in (3, 3, 4)]
    assert traces[0] == traces[1] != traces[2]


def test_a_scenario_is_its_seed_in_every_process() -> None:
    """Another process hashes text another way, so no order of a set may count."""
    command = [sys.executable, "-m", "tests.simulation.chaos", "--seed", "3"]
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(play(3, world="service").trace.hexdigest()) == 2


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str, world: str) -> None:
    assert found_after(PLANTED[name], 1000, world), f"{name}: not found"
