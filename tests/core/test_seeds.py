"""Philox 4x32-10 against the published vectors; streams are apart and repeat."""

import numpy as np
import pytest

from hft.core.jit import kernel
from hft.core.seeds import draw, philox

pytestmark = pytest.mark.nojit

# Source: known answers of Random123 (kat_vectors), philox4x32 with 10 rounds.
VECTORS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


@kernel
def _rounds(inputs: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(inputs)):
        w = inputs[i]
        a, b, c, d = philox(w[0], w[1], w[2], w[3], w[4], w[5])
        out[i, 0] = a
        out[i, 1] = b
        out[i, 2] = c
        out[i, 3] = d


@kernel
def _draws(keys: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(keys)):
        out[i] = draw(keys[i, 0], keys[i, 1], keys[i, 2], keys[i, 3])


def hexes(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def draws(keys: list[tuple[int, int, int, int]]) -> list[int]:
    out = np.zeros(len(keys), np.int64)
    _draws(np.array(keys, np.int64), out)
    return out.tolist()


def test_philox_gives_the_published_answers() -> None:
    inputs = np.array([hexes(counter) + hexes(key) for counter, key, _ in VECTORS], np.uint64)
    out = np.zeros((len(VECTORS), 4), np.uint64)
    _rounds(inputs, out)
    assert out.tolist() == [hexes(answer) for _, _, answer in VECTORS]


def test_a_draw_is_built_from_the_first_two_words() -> None:
    # The zero vector above: low word 6627e8d5, 20 bits of the next word e169c58d.
    assert draws([(0, 0, 0, 0)]) == [(0x9C58D << 32) | 0x6627E8D5]


def test_seed_purpose_key_and_counter_each_choose_another_stream() -> None:
    keys = [(s, p, k, c) for s in (1, 1 << 40) for p in (1, 2) for k in (0, 7) for c in range(50)]
    found = draws(keys)
    assert len(set(found)) == len(keys)
    assert draws(keys[::-1]) == found[::-1], "who drew before must not matter"


def test_draws_are_uniform_below_two_to_the_52() -> None:
    found = np.array(draws([(3, 1, 0, c) for c in range(4000)]))
    assert found.min() >= 0 and found.max() < 1 << 52
    counts, _ = np.histogram(found, bins=16, range=(0, 1 << 52))
    chi_square = float(((counts - 250.0) ** 2 / 250.0).sum())
    assert chi_square < 37.7, "15 degrees of freedom: 99.9 %"
