"""A hash index of open addresses: from a key to the number of the row that holds it.

A word carries 31 bits of the key (the tag) beside row + 1, so that a wrong row is hardly ever
looked at and a word can move without asking its row. Words of a run stand in the order of their
homes (Celis, Larson and Munro 1985, "Robin Hood hashing"): a search ends early, and a removal moves
up only words that are not at home. Keys that count up share cache lines and never move. Owns
nothing; a table has room for twice its entries.
"""

import numpy as np

from hft.core.jit import kernel

TAG = (1 << 31) - 1
ROW = (1 << 32) - 1


@kernel(inline=True)
def row_of(word: int) -> int:
    """The row an index word leads to; -1 for an empty one."""
    return (word & ROW) - 1


@kernel(inline=True)
def add(index: np.ndarray, key: int, row: int) -> None:
    """Enter a key that is not there. Mutates: index."""
    mask = len(index) - 1
    word = ((key & TAG) << 32) + row + 1
    at = key & TAG & mask
    far = 0
    while index[at] != 0:
        other = index[at]
        its_far = (at - (other >> 32)) & mask
        if its_far < far:
            index[at] = word
            word = other
            far = its_far
        at = (at + 1) & mask
        far += 1
    index[at] = word


@kernel(inline=True)
def remove(index: np.ndarray, key: int, row: int) -> None:
    """Take out a key that is there. Mutates: index."""
    mask = len(index) - 1
    at = key & TAG & mask
    while index[at] & ROW != row + 1:
        at = (at + 1) & mask
    after = (at + 1) & mask
    word = index[after]
    while word != 0 and (after - (word >> 32)) & mask != 0:
        index[at] = word
        at = after
        after = (at + 1) & mask
        word = index[after]
    index[at] = 0


@kernel(inline=True)
def seek(index: np.ndarray, key: int, at: int) -> int:
    """Where a word with the key's tag stands, from place `at` on; -1 when there is none.

    `at` is `home` at first, and one past the last answer when that row held another key.
    """
    mask = len(index) - 1
    tag = key & TAG
    far = (at - tag) & mask
    word = index[at]
    while word != 0:
        if word >> 32 == tag:
            return at
        if (at - (word >> 32)) & mask < far:
            return -1
        at = (at + 1) & mask
        far += 1
        word = index[at]
    return -1


@kernel(inline=True)
def home(index: np.ndarray, key: int) -> int:
    """Where the search for a key begins."""
    return key & TAG & (len(index) - 1)
