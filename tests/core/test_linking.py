"""What only kernels call has no machine code of its own; called from Python it has."""

import numpy as np
import pytest
from llvmlite.binding import Linkage

from hft.core.dtypes import RESTING
from hft.core.jit import JIT_DISABLED, kernel, record_at
from hft.core.linking import LinkedLibrary
from hft.gateway import events
from hft.gateway.tables import handle
from hft.replay.compiled import example_session
from hft.venue import queue

pytestmark = pytest.mark.skipif(JIT_DISABLED, reason="is about compiled code")


def test_a_kernel_that_kernels_call_is_linked_into_its_caller_and_python_calls_it_as_ever():
    resting_at = record_at(RESTING)

    @kernel(cache=False)
    def entry(address):
        row = resting_at(address)
        queue.trades(row, 3)
        return row["traded_qty"]

    rows = np.zeros(1, RESTING)
    emitted = len(queue.trades.overloads)
    assert entry(int(rows.ctypes.data)) == 3
    assert len(queue.trades.overloads) == emitted, "it was emitted for a caller that links it"
    compiled = list(queue.trades.linked.overloads.values())[-1]
    assert isinstance(compiled.library, LinkedLibrary)
    assert compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name) == 0

    queue.trades(rows[0], 4)
    assert rows[0]["traded_qty"] == 7, "called from Python it runs"
    assert len(queue.trades.overloads) > 0


def test_what_an_entry_was_given_is_its_own_and_meets_no_other_by_name():
    """With arguments that never change left out, code found by the same name would be misread."""
    resting_at = record_at(RESTING)

    @kernel(cache=False)
    def entry(address):
        row = resting_at(address)
        queue.changes(row, queue.QUEUE_RISK_AVERSE, 1, 9, 2)
        return row["ahead_micro"]

    rows = np.zeros(1, RESTING)
    rows["ahead_micro"] = 5 * queue.MICRO
    assert entry(int(rows.ctypes.data)) == 2 * queue.MICRO
    module = entry.overloads[entry.signatures[0]].library._final_module
    shared = [one.name for one in module.functions if one.linkage == Linkage.linkonce_odr]
    assert not [name for name in shared if not name.startswith("numba")]

    rows["ahead_micro"] = 5 * queue.MICRO
    queue.changes(rows[0], queue.QUEUE_RISK_AVERSE, 1, 9, 4)
    assert rows[0]["ahead_micro"] == 4 * queue.MICRO


def test_what_a_dead_branch_and_a_living_one_both_call_is_linked():
    """A truth is never 2: the branch is left out, and what it calls was linked for it alone."""

    @kernel(cache=False)
    def entry(gw, end):
        if end == 2:
            events.on_ack(gw, 0, 1)
        elif end == 1:
            return events.on_done(gw, 0, 4, 1)
        return 9

    state = example_session().engine.trading.gw
    assert entry(handle(state), True) == -1, "no order works in slot 0"
    assert state.head[0]["invariant_failures"] == 1
