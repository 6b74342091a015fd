"""Gateways in simulated trouble: nothing is sent twice, lost, forgotten, or sent by who may not.

`make fuzz-crash` plays thousands; `make fuzz-crash SEED=n` one of them again.
"""

from collections import Counter

import pytest

from tests.simulation.chaos import found_after, not_hit, play_all
from tests.simulation.product import PLANTED
from tests.simulation.scenario import play

SCENARIOS = 8  # a seed of pytest
SELDOM = 12  # states that so few scenarios may miss


def test_scenarios_end_without_a_violation(sim_seed: int) -> None:
    result = play_all(range(sim_seed * SCENARIOS, (sim_seed + 1) * SCENARIOS))
    assert not result.wrong, "make fuzz-crash SEED=n plays one again"


def test_scenarios_meet_trouble() -> None:
    seen: Counter[str] = play_all(range(30)).seen
    assert len(not_hit(seen)) <= SELDOM, not_hit(seen)
    assert seen["steps"] >= 30_000 and seen["lives"] > 90


def test_a_scenario_is_its_seed() -> None:
    assert play(3).trace.hexdigest() == play(3).trace.hexdigest()
    assert play(3).trace.hexdigest() != play(4).trace.hexdigest()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str) -> None:
    assert found_after(PLANTED[name], 400), f"{name}: not found"
