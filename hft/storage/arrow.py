"""numpy columns as Arrow ones, copied, and back, on the same memory.

`pyarrow.array` and `to_numpy` do the same for numbers, but first import pandas where there is one,
which a replay has no other use for: a third of a second of every command that replays.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def arrow(values: np.ndarray, absent: np.ndarray | None = None) -> pa.Array:
    """Numbers as a column; null where `absent`. A copy: tables wait while the engine writes on."""
    if values.dtype.kind not in "iuf":
        raise TypeError(f"a column of {values.dtype} is no column of numbers")
    valid = None if absent is None else _bits(~absent)
    whole = pa.py_buffer(values.tobytes())
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [valid, whole])


def strings(words: Sequence[str | None]) -> pa.Array:
    """Words as a column; null where None."""
    parts = [b"" if word is None else word.encode() for word in words]
    ends = np.cumsum([0, *map(len, parts)], dtype=np.int32)
    buffers = [_bits(np.array([word is not None for word in words], bool)), ends, b"".join(parts)]
    return pa.Array.from_buffers(pa.string(), len(parts), [pa.py_buffer(one) for one in buffers])


def _bits(valid: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def numbers(column: pa.Array, dtype: np.dtype) -> np.ndarray:
    """The values of a column where they lie, read-only.

    Raises: ValueError when one is null or the column is shorter than it says.
    """
    if column.null_count:
        raise ValueError("a null is no number")
    if not len(column):
        return np.zeros(0, dtype)
    return np.frombuffer(column.buffers()[1], dtype, len(column), column.offset * dtype.itemsize)
