"""A table: address and length, no owner; what a kernel reads and writes is the array itself."""

import os
import subprocess
import sys

import numpy as np
import pytest

from hft.core.jit import JIT_DISABLED, array_view, kernel

ROW = np.dtype([("a", np.int64), ("b", np.float64)], align=True)
_rows = array_view(ROW)
_bytes = array_view(np.dtype(np.int8))


@kernel
def _swap(address, length, first, second):  # type: ignore[no-untyped-def]
    rows = _rows(address, length)
    kept = rows[first]["a"]
    rows[first] = rows[second]
    rows[second]["a"] = kept
    return len(rows)


@kernel
def _small(address, length, at):  # type: ignore[no-untyped-def]
    return np.int64(_bytes(address, length)[at])


@pytest.mark.nojit
def test_a_row_is_copied_whole_and_a_field_alone() -> None:
    rows = np.array([(1, 0.5), (2, 1.5), (3, 2.5)], ROW)
    assert _swap(rows.ctypes.data, len(rows), 0, 2) == 3
    assert rows.tolist() == [(3, 2.5), (2, 1.5), (1, 2.5)]


@pytest.mark.nojit
def test_a_small_negative_number_keeps_its_sign() -> None:
    values = np.array([1, -128, 127], np.int8)
    assert [_small(values.ctypes.data, 3, at) for at in range(3)] == [1, -128, 127]


BREAK = """
import numpy as np
from tests.core.test_table import _small
values = np.zeros(3, np.int8)
try:
    _small(values.ctypes.data, 3, {at})
except IndexError as error:
    print("refused:", error)
"""


@pytest.mark.skipif(JIT_DISABLED, reason="plain Python indexes numpy arrays")
@pytest.mark.parametrize("at", [3, -1])
def test_an_index_past_the_end_or_before_the_start_is_refused_with_bounds_checks(at: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BREAK.format(at=at)],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "refused: no such row of a table\n"
