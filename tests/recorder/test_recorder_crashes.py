"""A crash, a full disk or a failed sync at any step costs no row that was acknowledged."""

from collections import Counter

import pytest

from hft.core.errors import JournalError
from tests.recorder.recorder_crashes import PLANTED, play

pytestmark = pytest.mark.nojit
WORLDS = 100
FOUND_WITHIN = 500


def test_what_was_acknowledged_is_there_once_after_every_crash(sim_seed: int) -> None:
    for seed in range(sim_seed * WORLDS, (sim_seed + 1) * WORLDS):
        try:
            play(seed)
        except (AssertionError, JournalError) as error:
            raise AssertionError(f"recorder_crashes.play({seed}): {error}") from error


def test_the_worlds_meet_every_kind_of_trouble() -> None:
    seen: Counter[str] = Counter()
    for seed in range(WORLDS):
        seen.update(play(seed).seen)
    assert min(seen.values()) > 5 and len(seen) == 6, seen


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name: str) -> None:
    for seed in range(FOUND_WITHIN):
        try:
            play(seed, PLANTED[name])
        except (AssertionError, JournalError):
            return
    raise AssertionError(f"{name}: not found in {FOUND_WITHIN} worlds")
