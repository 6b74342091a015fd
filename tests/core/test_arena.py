"""A NamedTuple behind one address: the same arrays, nested ones too, and bounds still checked."""

import os
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from hft.core.arena import Arena, arena_type, opener
from hft.core.jit import JIT_DISABLED, kernel

ROW = np.dtype([("a", np.int64), ("b", np.float64)], align=True)


class Inner(NamedTuple):
    rows: np.ndarray
    bytes_: np.ndarray


class Outer(NamedTuple):
    ints: np.ndarray
    inner: Inner
    words: np.ndarray


def state() -> Outer:
    return Outer(
        np.arange(5, dtype=np.int64),
        Inner(np.zeros(3, ROW), np.array([7, 8], np.uint8)),
        np.array([1 << 63], np.uint64),
    )


_open = opener(state())


@kernel
def _touch(handle):  # type: ignore[no-untyped-def]
    """Reads and writes one field of each kind; returns lengths and values."""
    outer = _open(handle)
    outer.ints[4] += 10
    outer.inner.rows[2]["a"] = outer.ints[4]
    outer.inner.rows[2]["b"] = 0.5
    outer.words[0] = outer.words[0] >> np.uint64(1)
    return len(outer.ints), len(outer.inner.rows), outer.inner.bytes_[1]


@kernel
def _read(handle, at):  # type: ignore[no-untyped-def]
    return _open(handle).inner.rows[at]["a"]


@pytest.mark.nojit
def test_a_kernel_sees_and_changes_the_very_arrays() -> None:
    outer = state()
    assert tuple(_touch(Arena(outer).handle)) == (5, 3, 8)
    assert outer.ints.tolist() == [0, 1, 2, 3, 14]
    assert outer.inner.rows[2].item() == (14, 0.5)
    assert outer.words[0] == 1 << 62


@pytest.mark.nojit
def test_arrays_of_another_length_need_no_other_kernel() -> None:
    outer = state()._replace(ints=np.arange(9, dtype=np.int64))
    assert _touch(Arena(outer).handle)[0] == 9


@pytest.mark.nojit
def test_two_arenas_do_not_share() -> None:
    first, second = state(), state()
    _touch(Arena(first).handle)
    assert second.ints[4] == 4


@pytest.mark.nojit
@pytest.mark.parametrize("bad", [np.zeros((2, 2), np.int64), np.zeros(8, np.int64)[::2]])
def test_an_array_that_is_no_plain_vector_is_refused_by_name(bad: np.ndarray) -> None:
    with pytest.raises(TypeError, match="words is not a contiguous 1-D array"):
        arena_type(state()._replace(words=bad))


@pytest.mark.nojit
def test_fields_have_the_types_of_their_arrays() -> None:
    kind = arena_type(state())
    assert [name for name, _, _ in kind.fields] == ["ints", "inner", "words"]
    assert [offset for _, offset, _ in kind.fields] == [0, 1, 3]
    assert str(kind.by_name["words"][1].dtype) == "uint64"
    assert kind.by_name["inner"][1].by_name["rows"][0] == 1
    assert arena_type(state()) == kind, "the type must not depend on sizes or addresses"


@pytest.mark.skipif(JIT_DISABLED, reason="plain numpy checks bounds by itself")
def test_a_read_behind_the_end_raises_under_bounds_check(tmp_path: object) -> None:
    code = (
        "import test_arena as t\n"
        "outer = t.state(); arena = t.Arena(outer)\n"
        "assert t._read(arena.handle, 2) == 0\n"
        "try:\n    t._read(arena.handle, 3)\n"
        "except IndexError:\n    print('refused')\n"
    )
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "HFT_CACHE_DIR": str(tmp_path)}
    environment["PYTHONPATH"] = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "refused", done.stderr
