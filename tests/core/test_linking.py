"""What only kernels call has no machine code of its own; called from Python it has."""

import numpy as np
import pytest

from hft.core.dtypes import RESTING
from hft.core.jit import JIT_DISABLED, kernel, record_at
from hft.core.linking import LinkedLibrary
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
