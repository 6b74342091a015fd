"""The ladder of a run finds where another leaves it, without the first run's journal."""

import copy
from pathlib import Path

import numpy as np
import pytest
from made_runs import Records, records

from hft.core.errors import DataError
from hft.runs.regression.ladder import Span, ladder, parted, rungs

pytestmark = pytest.mark.nojit


@pytest.fixture(scope="module")
def made() -> Records:
    return records(wakes=300)


def moved_from(made: Records, step: int) -> np.ndarray:
    """The steps with another running digest from a step on, as after a change of behaviour."""
    steps = copy.deepcopy(made.steps)
    steps["mix_lo"][step - 1 :] ^= 0x5A5A5A5A
    return steps


def test_rungs_are_ascending_begin_with_one_and_end_with_the_last_step() -> None:
    for steps in (1, 2, 47, 48, 49, 5_000, 10_000_000):
        found = rungs(steps)
        assert found[0] == 1 and found[-1] == steps and found == sorted(set(found))
        assert len(found) <= 48 + steps.bit_length()
    assert rungs(0) == []


@pytest.mark.parametrize("step", [1, 2, 3, 100, 777, 1500])
def test_the_span_holds_the_step_at_which_runs_part(made: Records, step: int) -> None:
    total = len(made.steps)
    kept = ladder([made.steps], total)
    assert parted(kept, total, [made.steps]) is None
    other = moved_from(made, step)
    for blocks in ([other], np.array_split(other, 17)):
        found = parted(kept, total, blocks)
        assert found is not None and found.same < step <= found.other
        known = rungs(total)
        assert known.index(found.other) - (known.index(found.same) if found.same else -1) == 1


def test_a_run_that_ends_earlier_parts_where_it_ended(made: Records) -> None:
    total = len(made.steps)
    found = parted(ladder([made.steps], total), total, [made.steps[:900]])
    assert found is not None and found.same <= 900 < found.other


def test_a_ladder_of_other_length_is_refused(made: Records, tmp_path: Path) -> None:
    kept = ladder([made.steps], len(made.steps))
    with pytest.raises(DataError, match="bless the replay again"):
        parted(kept, 10, [made.steps])
    assert parted(ladder([], 0), 0, []) is None
    assert parted(ladder([made.steps[:1]], 1), 1, [moved_from(made, 1)]) == Span(0, 1)
