"""Bit searches of a 64-bit word against the list of its set bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hft.core.bits import above, below, highest, lowest, mask
from hft.core.jit import kernel

pytestmark = pytest.mark.nojit


@kernel
def _ask(words: np.ndarray, bits: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(words)):
        out[i, 0] = lowest(words[i])
        out[i, 1] = highest(words[i])
        out[i, 2] = above(words[i], bits[i])
        out[i, 3] = below(words[i], bits[i] + 1)
        out[i, 4] = mask(max(0, min(63, bits[i])))


sets = st.sets(st.integers(0, 63), max_size=12)


def word_of(bits: set[int]) -> int:
    word = sum(1 << bit for bit in bits)
    return word - (1 << 64) if word >> 63 else word


@settings(max_examples=60)
@given(st.lists(st.tuples(sets, st.integers(-1, 63)), min_size=1, max_size=30))
def test_the_next_bit_is_the_next_of_the_set(cases: list[tuple[set[int], int]]) -> None:
    cases += [({0}, -1), ({63}, 63), ({63}, 62), (set(range(64)), 31), (set(), 0)]
    out = np.zeros((len(cases), 5), np.int64)
    words = np.array([word_of(bits) for bits, _ in cases], np.int64)
    _ask(words, np.array([bit for _, bit in cases], np.int64), out)
    for (bits, bit), row in zip(cases, out.tolist(), strict=True):
        assert row[0] == min(bits, default=64)
        assert row[1] == max(bits, default=-1)
        assert row[2] == min((b for b in bits if b > bit), default=64)
        assert row[3] == max((b for b in bits if b < bit + 1), default=-1)
        assert row[4] == word_of({max(0, bit)})
