"""Rows at addresses, compiled or plain."""

import numpy as np
import pytest

from hft.core import jit

pytestmark = pytest.mark.nojit


def test_a_record_is_read_and_written_at_its_address() -> None:
    row = np.dtype([("a", np.int64), ("b", np.float64)], align=True)
    rows = np.zeros(3, row)
    at = rows.ctypes.data + row.itemsize
    record = jit.array_at(at, 1, row)[0]
    record["a"], record["b"] = 7, 0.25
    assert rows[1].item() == (7, 0.25) and rows[0].item() == (0, 0.0)
