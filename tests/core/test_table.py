"""A table: address and length, no owner; what a kernel reads and writes is the array itself."""

import os
import subprocess
import sys

import numpy as np
import pytest

from hft.core.jit import JIT_DISABLED, kernel, table_view

ROW = np.dtype([("a", np.int64), ("b", np.float64)], align=True)
_rows = table_view(ROW)
_bytes = table_view(np.dtype(np.int8))


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


@pytest.mark.skipif(JIT_DISABLED, reason="plain Python indexes numpy arrays")
@pytest.mark.parametrize("at", [3, -1])
def test_an_index_past_the_end_or_before_the_start_is_refused_with_bounds_checks(
    at: int, tmp_path: object
) -> None:
    code = (
        "import numpy as np, test_table as t\n"
        "values = np.zeros(3, np.int8)\n"
        f"try:\n    t._small(values.ctypes.data, 3, {at})\n"
        "except IndexError as error:\n    print('refused:', error)\n"
    )
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "HFT_CACHE_DIR": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "refused: no such row of a table\n", done.stderr
