"""Readers that take eight characters at once: beside Python's own numbers, and never wrong."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hft.core.jit import kernel
from hft.feeds import words
from hft.feeds.borrowed import bytes_view
from hft.feeds.digits import read_decimal
from hft.feeds.words import DECIMALS_MAX, IN_WORDS, REACH

pytestmark = pytest.mark.skipif(not IN_WORDS, reason="plain Python reads character by character")

NUMBERS = st.from_regex(r"[0-9]{0,20}(\.[0-9]{0,20})?", fullmatch=True)
ENDS = st.sampled_from(['"', ",", "}", " ", "-", "e5", ".", "/", ":", "\xba", "\xff"])


@kernel(cache=False)
def quick_decimal(text, at, decimals):  # type: ignore[no-untyped-def]
    return words.quick_decimal(bytes_view(text.ctypes.data, text.size), at, decimals)


@kernel(cache=False)
def quick_whole(text, at):  # type: ignore[no-untyped-def]
    return words.quick_whole(bytes_view(text.ctypes.data, text.size), at)


@kernel(cache=False)
def line_feed(text, at):  # type: ignore[no-untyped-def]
    return words.line_feed(bytes_view(text.ctypes.data, text.size), at)


def text_of(written: str) -> np.ndarray:
    return np.frombuffer(written.encode("latin-1") + b'"' * REACH + b"\n", np.uint8)


@given(NUMBERS, ENDS, st.integers(0, 10))
@example("61800.30", '"', 1)
@example("12345678.12345678", '"', 8)
@example("0.50", '"', 0)
def test_a_decimal_read_quickly_is_the_one_read_slowly(number, end, decimals):
    text = text_of(number + end)
    value, after = quick_decimal(text, 0, decimals)
    if after >= 0:
        assert (value, after, 0) == read_decimal(text, 0, decimals)
        exact = Decimal(number).scaleb(decimals)
        assert value == exact.quantize(Decimal(1), ROUND_HALF_UP) == exact


@given(
    st.integers(0, 99_999_999), st.integers(0, 8), st.data(), st.sampled_from(['"', ",", "]", "\n"])
)
def test_prices_of_every_market_are_read_quickly(whole, decimals, data, end):
    fraction = data.draw(st.integers(0, 10**decimals - 1)) if decimals else 0
    zeros = data.draw(st.integers(0, DECIMALS_MAX - decimals))
    number = f"{whole}.{fraction:0{decimals}d}{'0' * zeros}" if decimals else str(whole)
    value, after = quick_decimal(text_of(number + end), 0, decimals)
    assert (value, after) == (whole * 10**decimals + fraction, len(number))


@given(st.integers(0, 10**20), ENDS)
@example(1723161256299, ",")
@example(10**15, ",")
def test_a_whole_number_read_quickly_is_that_number(number, end):
    value, after = quick_whole(text_of(f"{number}{end}"), 0)
    if len(str(number)) <= 15:
        assert after >= 0
    if after >= 0:
        assert (value, after) == (number, len(str(number)))


def test_nothing_is_read_beyond_the_end():
    text = np.frombuffer(b"12345678.5\n", np.uint8)
    assert quick_decimal(text, 0, 1)[1] == -1
    assert quick_whole(text, 0)[1] == -1


@given(st.binary(max_size=60), st.integers(0, 60))
def test_a_line_feed_is_found_where_python_finds_it(content, start):
    whole = content + b"\n"
    start = min(start, len(content))
    assert line_feed(np.frombuffer(whole, np.uint8), start) == whole.find(b"\n", start)
