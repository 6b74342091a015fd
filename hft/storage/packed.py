"""Rows of integers as few bytes and back, column by column within groups of like rows.

Of each group and field: the first row's value, then 0 where all rows of the group have it, else 1
and of each further row the difference to the row before it in the group. Numbers are zigzag
varints: 0 -1 1 -2 are 0 1 2 3, seven bits a byte, the lowest first, 128 added where more follow;
differences wrap at 64 bits. Nothing here opens a file.
"""

from typing import Any, NamedTuple

import numpy as np

from hft.core.jit import JIT_DISABLED, kernel

VARINT_BYTES = 10  # of 64 bits, at most
MALFORMED = -1
GROUPS = 256
_LOW, _MORE, _SEVEN = np.uint64(127), np.uint64(128), np.uint64(7)
_LAST_SHIFT = np.uint64(63)
_MASK = (1 << 64) - 1


class Rows(NamedTuple):
    """One table of rows, seen as integers of each width."""

    words: np.ndarray  # int64[row, 8 bytes]
    halves: np.ndarray  # int32[row, 4 bytes]
    quarters: np.ndarray  # int16[row, 2 bytes]


class Groups(NamedTuple):
    """Which rows are alike: `order` has the rows of each group in turn, from `starts[group]`."""

    order: np.ndarray  # int64[row]
    starts: np.ndarray  # int64[group + 1]


if JIT_DISABLED:

    def _apart(value: Any, before: Any) -> Any:
        """The zigzag of a difference that wraps."""
        apart = (int(value) - int(before)) & _MASK
        return ((apart << 1) & _MASK) ^ (_MASK if apart >> 63 else 0)

    def _after(before: Any, apart: Any) -> Any:
        """The inverse: the value that lies so far behind the one before."""
        word = int(apart)
        value = (int(before) + ((word >> 1) ^ -(word & 1))) & _MASK
        return value - (1 << 64) if value >> 63 else value
else:

    @kernel(inline=True)
    def _apart(value, before):  # type: ignore[no-untyped-def]
        apart = np.int64(value) - np.int64(before)
        return np.uint64((apart << 1) ^ (apart >> 63))

    @kernel(inline=True)
    def _after(before, apart):  # type: ignore[no-untyped-def]
        return np.int64(before) + (
            np.int64(apart >> np.uint64(1)) ^ -np.int64(apart & np.uint64(1))
        )


@kernel(inline=True)
def _value(rows: Rows, i: int, at: int, size: int) -> Any:
    """The field of row `i` at byte `at`."""
    if size == 8:
        return rows.words[i, at >> 3]
    if size == 4:
        return np.int64(rows.halves[i, at >> 2])
    return np.int64(rows.quarters[i, at >> 1])


@kernel(inline=True)
def _write(out: np.ndarray, end: int, number: Any) -> int:
    """Append a varint. Mutates: out. Returns: the new end."""
    while number >= _MORE:
        out[end] = (number & _LOW) | _MORE
        number >>= _SEVEN
        end += 1
    out[end] = number
    return end + 1


@kernel(beside=True)
def _pack(rows: Rows, groups: Groups, fields: np.ndarray, out: np.ndarray) -> int:
    """Mutates: out. Returns: how many bytes it has."""
    end = 0
    width = rows.words.shape[1]
    varied = np.zeros((1, width), np.int64)
    varies = Rows(varied, varied.view(np.int32), varied.view(np.int16))
    for group in range(len(groups.starts) - 1):
        begin, stop = groups.starts[group], groups.starts[group + 1]
        if begin == stop:
            continue
        first = groups.order[begin]
        varied[:] = 0
        for k in range(begin + 1, stop):
            i = groups.order[k]
            for w in range(width):
                varied[0, w] |= rows.words[i, w] ^ rows.words[first, w]
        for f in range(len(fields)):
            at, size = fields[f, 0], fields[f, 1]
            value = _value(rows, first, at, size)
            end = _write(out, end, _apart(value, 0))
            out[end] = _value(varies, 0, at, size) != 0
            end += 1
            if out[end - 1] == 0:
                continue
            for k in range(begin + 1, stop):
                other = _value(rows, groups.order[k], at, size)
                end = _write(out, end, _apart(other, value))
                value = other
    return end


@kernel(inline=True)
def _put(rows: Rows, i: int, at: int, size: int, value: Any) -> bool:
    """Set the field of row `i` at byte `at`; False where it does not fit. Mutates: rows."""
    if size == 8:
        rows.words[i, at >> 3] = value
        return True
    most = 1 << (8 * size - 1)
    if value < -most or value >= most:
        return False
    if size == 4:
        rows.halves[i, at >> 2] = value
    else:
        rows.quarters[i, at >> 1] = value
    return True


@kernel(beside=True)
def _unpack(data: np.ndarray, rows: Rows, groups: Groups, fields: np.ndarray) -> int:
    """Mutates: rows, which are blank. Returns: how many bytes of `data` they were, or MALFORMED."""
    at = 0
    width = rows.words.shape[1]
    shared = np.zeros((1, width), np.int64)
    alike = Rows(shared, shared.view(np.int32), shared.view(np.int16))
    for group in range(len(groups.starts) - 1):
        begin, stop = groups.starts[group], groups.starts[group + 1]
        if begin == stop:
            continue
        shared[:] = 0
        for f in range(len(fields)):
            field, size = fields[f, 0], fields[f, 1]
            value: Any = np.int64(0)
            k = begin
            while k < stop:
                number, shift, byte = np.uint64(0), np.uint64(0), _MORE
                while byte >= _MORE:
                    if at >= len(data) or shift > _LAST_SHIFT:
                        return MALFORMED
                    byte = np.uint64(data[at])
                    number |= (byte & _LOW) << shift
                    shift += _SEVEN
                    at += 1
                value = _after(value, number)
                if k > begin:
                    fits = _put(rows, groups.order[k], field, size, value)
                else:
                    if at >= len(data) or data[at] > 1:
                        return MALFORMED
                    if data[at] == 1:
                        fits = _put(rows, groups.order[k], field, size, value)
                    else:
                        fits = _put(alike, 0, field, size, value)
                        k = stop
                    at += 1
                if not fits:
                    return MALFORMED
                k += 1
        for k in range(begin, stop):
            i = groups.order[k]
            for w in range(width):
                rows.words[i, w] |= shared[0, w]
    return at


def grouped(kinds: np.ndarray) -> Groups:
    """Rows of one kind (uint8) are one group; the lowest kind comes first."""
    starts = np.zeros(GROUPS + 1, np.int64)
    np.cumsum(np.bincount(kinds, minlength=GROUPS), out=starts[1:])
    return Groups(np.argsort(kinds, kind="stable"), starts)


def layout(dtype: np.dtype, names: tuple[str, ...]) -> np.ndarray:
    """Where those fields of a row lie and how wide they are: int64[field, 2]."""
    assert dtype.fields is not None and dtype.itemsize % 8 == 0
    return np.array([(dtype.fields[name][1], dtype.fields[name][0].itemsize) for name in names])


def pack(rows: np.ndarray, groups: Groups, fields: np.ndarray) -> np.ndarray:
    """The bytes of these fields of the rows, which lie one behind the other."""
    used = int(np.count_nonzero(np.diff(groups.starts)))
    out = np.empty(len(fields) * (VARINT_BYTES * len(rows) + used), np.uint8)
    return out[: _pack(_rows(rows), groups, fields, out)]


def unpack(data: np.ndarray, rows: np.ndarray, groups: Groups, fields: np.ndarray) -> None:
    """The inverse. Mutates: rows, which are blank.

    Raises: ValueError for bytes that are not those of such rows.
    """
    if _unpack(data, _rows(rows), groups, fields) != len(data):
        raise ValueError("packed rows do not end where their bytes do")


def _rows(rows: np.ndarray) -> Rows:
    words = rows.view(np.int64).reshape(len(rows), -1)
    return Rows(words, words.view(np.int32), words.view(np.int16))
