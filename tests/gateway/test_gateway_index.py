"""The hash index against a plain dictionary: what was entered is found, what was removed is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.core.jit import kernel
from hft.gateway import index
from hft.gateway.invariants import _reached

SIZE = 32

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "ask"]),
        # Few homes, high bits that the tag drops, and keys that count up: all kinds of runs.
        st.one_of(
            st.integers(0, 40), st.sampled_from([7, 7 + SIZE, 7 + (1 << 31), -1, -(1 << 62) + 7])
        ),
    ),
    max_size=120,
)


@kernel
def find(words, keys, key):  # type: ignore[no-untyped-def]
    at = index.seek(words, key, index.home(words, key))
    while at >= 0:
        row = index.row_of(words[at])
        if keys[row] == key:
            return row
        at = index.seek(words, key, (at + 1) & (len(words) - 1))
    return -1


@pytest.mark.nojit
@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_the_index_answers_as_a_dictionary_would(actions: list[tuple[str, int]]) -> None:
    words = np.zeros(SIZE, np.int64)
    keys = np.zeros(SIZE // 2, np.int64)
    held: dict[int, int] = {}
    free = list(range(SIZE // 2))
    for action, key in actions:
        if action == "add" and key not in held and free:
            held[key] = free.pop()
            keys[held[key]] = key
            index.add(words, key, held[key])
        elif action == "remove" and key in held:
            index.remove(words, key, held[key])
            free.append(held.pop(key))
        assert find(words, keys, key) == held.get(key, -1)
        assert _reached(words, keys, np.array(sorted(held.values()), np.int64), "key") == []


@pytest.mark.nojit
def test_keys_that_count_up_stand_at_home_and_never_move() -> None:
    words = np.zeros(SIZE, np.int64)
    for key in range(100, 116):
        index.add(words, key, key - 100)
    before = words.copy()
    index.remove(words, 100, 0)
    assert words[100 & (SIZE - 1)] == 0
    assert np.count_nonzero(words != before) == 1
