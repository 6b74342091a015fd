"""Columns made without pandas are those that pyarrow makes, null for null and byte for byte."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hft.storage.arrow import arrow, numbers, strings

DTYPES = (np.int8, np.int16, np.int64, np.float64)


@given(st.lists(st.tuples(st.integers(-128, 127), st.booleans())), st.sampled_from(DTYPES))
def test_numbers_are_pyarrows(cells: list[tuple[int, bool]], dtype: type) -> None:
    values = np.array([value for value, _ in cells], dtype)
    absent = np.array([gone for _, gone in cells], bool)
    for column, theirs in (
        (arrow(values), pa.array(values)),
        (arrow(values, absent), pa.array(values, mask=absent)),
    ):
        column.validate(full=True)
        assert column.type == theirs.type and column.equals(theirs)


def test_a_field_of_rows_is_a_column_of_its_own() -> None:
    rows = np.zeros(5, [("a", np.int64), ("b", np.float64)])
    rows["a"] = np.arange(5)
    assert arrow(rows["a"]).to_pylist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("rows", [1, 5])
def test_rows_that_are_written_over_later_change_no_column(rows: int) -> None:
    """A field of one row counts as contiguous; its column must not be a view of the engine's."""
    made = np.ones(rows, [("a", np.int64), ("b", np.float64)])
    alone = np.ones(rows)
    columns = [arrow(made["a"]), arrow(made["b"], np.zeros(rows, bool)), arrow(alone)]
    made["a"], made["b"], alone[:] = 2, 2, 2
    assert [column.to_pylist() for column in columns] == [[1] * rows] * 3


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="no column of numbers"):
        arrow(np.array([True]))


@given(st.lists(st.none() | st.text()))
def test_words_are_pyarrows(words: list[str | None]) -> None:
    column = strings(words)
    column.validate(full=True)
    assert column.equals(pa.array(words, pa.string()))


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_come_back_where_they_lie_and_cannot_be_written(dtype: type) -> None:
    values = np.arange(100, dtype=dtype)
    back = numbers(pa.array(values)[7:90], np.dtype(dtype))
    assert (back == values[7:90]).all() and np.shares_memory(back, values)
    read = numbers(pa.ipc.open_stream(_stream(values)).read_next_batch().column(0), back.dtype)
    assert (read == values).all() and not read.flags.writeable
    assert len(numbers(pa.array(values)[:0], np.dtype(dtype))) == 0


def _stream(values: np.ndarray) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    batch = pa.record_batch([pa.array(values)], ["x"])
    with pa.ipc.new_stream(sink, batch.schema) as out:
        out.write_batch(batch)
    return sink.getvalue()


def test_a_null_or_a_column_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="null"):
        numbers(pa.array([1, None]), np.dtype(np.int64))
    short = pa.Array.from_buffers(pa.int64(), 2, [None, pa.py_buffer(b"\0" * 16)])[:2]
    with pytest.raises(ValueError, match="buffer is smaller"):
        numbers(_longer(short), np.dtype(np.int64))


class _longer:
    """A column that says it is longer than its bytes."""

    null_count, offset = 0, 0

    def __init__(self, column: pa.Array) -> None:
        self.buffers = column.buffers

    def __len__(self) -> int:
        return 3
