"""The bitmap of a book's side: words of 64 ticks, words of 64 such words, and so on to one word.

It leads from a tick to the next one that is not empty in a few steps, however far that is.
"""

import numpy as np

from hft.core.bits import above, below, mask
from hft.core.jit import kernel

TREE_LEVELS = 5  # 2^30 ticks; a window has up to 2^25


def tree_words(size: int) -> int:
    """Words that the bitmap tree of one side needs for a window of `size` ticks."""
    total = 0
    words = size
    for _ in range(TREE_LEVELS):
        words = -(-words // 64)
        total += words
    return total


@kernel
def tree_set(
    bits: np.ndarray, at: int, size: int, position: int, levels: int = TREE_LEVELS
) -> None:
    """Mark a tick as non-empty. Mutates: bits."""
    words = (size + 63) >> 6
    for _ in range(levels):
        word = bits[at + (position >> 6)]
        bits[at + (position >> 6)] = word | mask(position & 63)
        if word != 0:
            return
        at += words
        position >>= 6
        words = (words + 63) >> 6


@kernel
def tree_clear(
    bits: np.ndarray, at: int, size: int, position: int, levels: int = TREE_LEVELS
) -> None:
    """Mark a tick as empty. Mutates: bits."""
    words = (size + 63) >> 6
    for _ in range(levels):
        word = bits[at + (position >> 6)] & ~mask(position & 63)
        bits[at + (position >> 6)] = word
        if word != 0:
            return
        at += words
        position >>= 6
        words = (words + 63) >> 6


@kernel
def tree_above(bits: np.ndarray, at: int, size: int, position: int) -> int:
    """The next non-empty position above `position` (>= -1), -1 when there is none."""
    if position < -1:
        position = -1
    if position >= size:
        return -1
    words = size >> 6
    bit = (position & 63) if position >= 0 else -1
    index = (position >> 6) if position >= 0 else 0
    for level in range(TREE_LEVELS):
        found = above(bits[at + index], bit)
        if found < 64:
            index = (index << 6) + found
            for down in range(level):
                at -= _tree_words_at(size, level - 1 - down)
                index = (index << 6) + above(bits[at + index], -1)
            return index
        at += words
        words = (words + 63) >> 6
        bit = index & 63
        index >>= 6
    return -1


@kernel
def tree_below(bits: np.ndarray, at: int, size: int, position: int) -> int:
    """The next non-empty position below `position` (<= size), -1 when there is none."""
    if position > size:
        position = size
    if position <= 0:
        return -1
    words = size >> 6
    index = (position - 1) >> 6
    bit = ((position - 1) & 63) + 1
    for level in range(TREE_LEVELS):
        found = below(bits[at + index], bit)
        if found >= 0:
            index = (index << 6) + found
            for down in range(level):
                at -= _tree_words_at(size, level - 1 - down)
                index = (index << 6) + below(bits[at + index], 64)
            return index
        at += words
        words = (words + 63) >> 6
        bit = index & 63
        index >>= 6
    return -1


@kernel
def _tree_words_at(size: int, level: int) -> int:
    """Words of the tree's level (0 is the finest)."""
    words = size >> 6
    for _ in range(level):
        words = (words + 63) >> 6
    return words
