"""Eight characters at once: digits and line ends of a text, by arithmetic on whole words.

Quick readers for the common shapes only: each says with -1 that the general reader of `digits` has
to decide, so they never judge a text. A word's first character is its lowest byte. In plain
Python, where a word costs more than its characters, they always leave it to the general reader.
"""

import sys
from typing import Any

import numpy as np

from hft.core.jit import JIT_DISABLED, address_of, kernel, record_at

IN_WORDS = sys.byteorder == "little" and not JIT_DISABLED
REACH = 40  # bytes that must follow: the longest number a quick reader looks at, and a word
DECIMALS_MAX = 8

_WORD = np.dtype([("word", np.uint64)])  # unaligned: a text begins anywhere
_word_at = record_at(_WORD)

_ONES = np.uint64(0x0101010101010101)
_TOPS = np.uint64(0x8080808080808080)
_ZEROS = np.uint64(0x3030303030303030)  # "00000000"
_FEEDS = np.uint64(0x0A0A0A0A0A0A0A0A)
_TEN_TO_TOP = np.uint64(0x7676767676767676)  # carries 10 and more into a byte's top bit
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_PAIRS = np.uint64(0x000000FF000000FF)
_HIGH, _LOW = np.uint64(0x000F424000000064), np.uint64(0x0000271000000001)
_POWERS = np.array([10**n for n in range(19)], np.int64)


@kernel(inline=True)
def _load(text: np.ndarray, at: int) -> Any:
    return _word_at(address_of(text) + at)["word"]


@kernel(inline=True)
def _first_marked(marks: Any) -> Any:
    """The place of the lowest byte whose top bit is set; 8 where none is."""
    if marks == np.uint64(0):
        return np.int64(8)
    below = (marks & (~marks + np.uint64(1))) - np.uint64(1)
    return np.int64(((below & _ONES) * _ONES) >> np.uint64(56)) - 1


@kernel(inline=True)
def _digit_count(word: Any) -> Any:
    """How many of the first characters are digits."""
    values = word ^ _ZEROS
    return _first_marked(((values + _TEN_TO_TOP) | values) & _TOPS)


@kernel(inline=True)
def _value(digits: Any) -> Any:
    """The number that eight digit values (not characters) spell."""
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    high, low = (pairs & _PAIRS) * _HIGH, ((pairs >> np.uint64(16)) & _PAIRS) * _LOW
    return np.int64((high + low) >> np.uint64(32))


@kernel(inline=True)
def _leading(word: Any, count: int) -> Any:
    """The number of the first `count` (1 to 8) characters, all digits."""
    return _value((word ^ _ZEROS) << np.uint64(8 * (8 - count)))


@kernel(inline=True)
def quick_whole(text: np.ndarray, at: int) -> Any:
    """A number of up to 16 digits. Returns: (value, position after or -1: ask the reader)."""
    if not IN_WORDS or at + REACH > len(text):
        return np.int64(0), np.int64(-1)
    word = _load(text, at)
    count = _digit_count(word)
    if count == 0:
        return np.int64(0), np.int64(-1)
    value = _leading(word, count)
    at += count
    if count == 8:
        word = _load(text, at)
        count = _digit_count(word)
        if count > 0:
            value = value * _POWERS[count] + _leading(word, count)
            at += count
    if 48 <= text[at] <= 57:
        return value, np.int64(-1)
    return value, np.int64(at)


@kernel(inline=True)
def quick_decimal(text: np.ndarray, at: int, decimals: int) -> Any:
    """A decimal x 10^decimals of up to 8 digits on each side of the point, with nothing lost.

    Returns: (value, position after or -1: ask the reader).
    """
    if not IN_WORDS or at + REACH > len(text) or decimals > DECIMALS_MAX:
        return np.int64(0), np.int64(-1)
    word = _load(text, at)
    count = _digit_count(word)
    if count == 0:
        return np.int64(0), np.int64(-1)
    value = _leading(word, count) * _POWERS[decimals]
    at += count
    if text[at] == 46:
        digits = _load(text, at + 1)
        count = _digit_count(digits)
        digits = digits ^ _ZEROS
        if count < 8:
            digits &= ~(_ALL << np.uint64(8 * count))
        if decimals > 0:
            value += _value(digits << np.uint64(8 * (DECIMALS_MAX - decimals)))
        lost = decimals < 8 and digits >> np.uint64(8 * min(decimals, 7)) != np.uint64(0)
        if count == 0 or lost:
            return value, np.int64(-1)
        at += count + 1
    if 48 <= text[at] <= 57:
        return value, np.int64(-1)
    return value, np.int64(at)


@kernel
def line_feed(text: np.ndarray, at: int) -> Any:
    """Position of the first line feed from `at` on; the text ends with one."""
    while IN_WORDS and at + 8 <= len(text):
        word = _load(text, at) ^ _FEEDS
        marks = (word - _ONES) & ~word & _TOPS
        if marks != np.uint64(0):
            return at + _first_marked(marks)
        at += 8
    while text[at] != 10:
        at += 1
    return at
