"""The benchmark of getting ready measures what it says, and its states are compared."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.inputs import a_round, report, write


def test_a_small_round_finds_equal_states_and_prints_its_ratios(tmp_path: Path) -> None:
    world = write(tmp_path, 400, 100)
    assert (world.decisions, world.approved, world.records) == (400, 200, 604)
    lines = report([a_round(world)])
    assert lines[-2].startswith("ready / check files: ")
    assert lines[-1].startswith("again / check journal: ")


def test_another_state_ends_the_measurement(tmp_path: Path) -> None:
    world = replace(write(tmp_path, 40, 10), digest="another")
    with pytest.raises(AssertionError, match="from checkpoint and tail"):
        a_round(world)
