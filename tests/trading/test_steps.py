"""What is written of a step before it is noted."""

import numpy as np
import pytest
from naive.step import blank_step

from hft.core.codes import StepKind
from hft.core.dtypes import STEP
from hft.core.jit import JIT_DISABLED
from hft.trading.steps import copy_step, new_step

# Told when the step is noted, whatever its kind.
AT_THE_NOTE = ("seq", "rows", "mix_lo", "mix_hi")


@pytest.mark.nojit
@pytest.mark.skipif(not JIT_DISABLED, reason="compiled, it takes the state by address")
def test_a_new_step_says_nothing_of_the_step_before_it() -> None:
    steps = np.frombuffer(b"\x55" * STEP.itemsize, STEP).copy()
    step = new_step(steps[0], StepKind.FILL.value, 77)
    wanted = blank_step()
    wanted["kind"], wanted["ts_ns"] = StepKind.FILL.value, 77
    for name in STEP.names or ():
        if name not in AT_THE_NOTE:
            assert step[name] == wanted[name], name


@pytest.mark.nojit
@pytest.mark.skipif(not JIT_DISABLED, reason="compiled, it takes the state by address")
def test_a_record_of_the_journal_has_every_field_of_its_step() -> None:
    step, row = np.zeros(1, STEP), np.zeros(1, STEP)
    for k, name in enumerate(STEP.names or ()):
        step[name] = k + 1
    copy_step(step[0], row[0])
    for k, name in enumerate(STEP.names or ()):
        assert row[name][0] == (0 if name in AT_THE_NOTE else k + 1), name
