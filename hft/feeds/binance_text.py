"""Tokens of a Binance recording: what a message holds, and readers for its numbers and strings.

Decides how decimal text becomes ticks and lots, exactly, and names what was expected where a line
cannot be read. The caller owns the STATE record. Text must end with a line feed: no reader here
steps over one, which is what keeps every access inside the buffer.
"""

from typing import Any

import numpy as np

from hft.core.jit import kernel
from hft.feeds.digits import DIGITS_MAX, nearest_step, read_decimal
from hft.feeds.words import quick_decimal, quick_whole

MESSAGE = np.dtype(
    [
        ("type", np.int64),
        ("line", np.int64),  # 1-based, within its file
        ("local_ns", np.int64),
        ("event_ns", np.int64),  # E; -1 where absent, as every field below
        ("match_ns", np.int64),  # T
        ("first_id", np.int64),  # U
        ("last_id", np.int64),  # u, lastUpdateId
        ("prev_id", np.int64),  # pu
        ("bid_start", np.int64),  # into the level rows
        ("bid_count", np.int64),
        ("ask_start", np.int64),
        ("ask_count", np.int64),
        ("price", np.int64),  # of the trade, or the best bid
        ("qty", np.int64),
        ("ask_price", np.int64),  # the best ask
        ("ask_qty", np.int64),
        ("maker_is_buyer", np.int64),
        ("off_market", np.int64),  # a print of the insurance fund or the like: X is not MARKET
    ]
)

IGNORED, DIFF, SNAPSHOT, TRADE, TICKER = 0, 1, 2, 3, 4

TIME_MAX = (1 << 63) - 1
FULL = 1
EXPECTED = {
    2: "a receive time of 13, 16 or 19 digits and a blank",
    3: "a JSON object",
    4: "a quoted key",
    5: "a colon after the key",
    6: "a comma or a closing brace",
    7: "a decimal number of at most 18 digits",
    8: 'a level ["price","quantity"]',
    9: "a whole number",
    10: "a closed JSON value",
    11: "true or false",
    12: "the same symbol as on the first line",
    13: "the end of the line",
    14: "the fields of a depth update (U, u, E or T, b, a)",
    15: "the fields of a trade (p, q, T, m)",
    16: "the fields of a book ticker (u, b, B, a, A)",
    17: "the fields of a snapshot (lastUpdateId, bids, asks)",
    18: "a time of 13 (ms) or 16 (us) digits",
}
(
    STAMP,
    OBJECT,
    KEY,
    COLON,
    COMMA,
    NUMBER,
    LEVEL,
    WHOLE,
    VALUE,
    BOOLEAN,
    SYMBOL,
    LINE_END,
    DIFF_FIELDS,
    TRADE_FIELDS,
    TICKER_FIELDS,
    SNAPSHOT_FIELDS,
    TIME,
) = range(2, 19)


LEVEL_ROW = np.dtype([("price", np.int64), ("qty", np.int64)])  # ticks, lots

# One record, because a tuple of arrays costs more to pass from reader to reader than the reading.
STATE = np.dtype(
    [
        ("messages", np.int64),  # written so far
        ("levels", np.int64),  # written so far
        ("line", np.int64),  # lines read so far in this file
        ("skipped", np.int64),  # messages of no interest
        ("error", np.int64),  # 0, FULL or a key of EXPECTED
        ("error_at", np.int64),
        ("off_grid", np.int64),  # prices and traded quantities between steps
        ("off_grid_line", np.int64),
        ("off_lot", np.int64),  # resting quantities between lots
        ("off_lot_line", np.int64),
        ("wants_tickers", np.int64),
        ("price_decimals", np.int64),
        ("price_units", np.int64),  # of 10^-decimals in one tick
        ("qty_decimals", np.int64),
        ("qty_units", np.int64),
        ("symbol", np.uint8, (33,)),  # length, then the symbol of the first line
    ]
)


@kernel
def fail(state: Any, code: int, at: int) -> Any:
    state["error"] = code
    state["error_at"] = at
    return -1


@kernel
def space(text: np.ndarray, at: int) -> Any:
    while text[at] == 32 or text[at] == 13 or text[at] == 9:
        at += 1
    return at


@kernel
def _note_off_grid(state: Any) -> None:
    if state["off_grid"] == 0:
        state["off_grid_line"] = state["line"]
    state["off_grid"] += 1


@kernel(inline=True)
def quoted(text: np.ndarray, at: int, decimals: int) -> Any:
    """As `_decimal`, for a number in quotes or without them."""
    if text[at] != 34:
        return read_decimal(text, at, decimals)
    value, after = quick_decimal(text, at + 1, decimals)
    if after >= 0 and text[after] == 34:
        return value, after + 1, 0
    value, after, lost = read_decimal(text, at + 1, decimals)
    if after < 0 or text[after] != 34:
        return value, -1, lost
    return value, after + 1, lost


@kernel(inline=True)
def read_price(text: np.ndarray, at: int, state: Any) -> Any:
    """A price in ticks, the nearest one when it is between two. Returns: (ticks, after or -1)."""
    value, after, lost = quoted(text, at, state["price_decimals"])
    if after < 0:
        return value, fail(state, NUMBER, at)
    value, between = nearest_step(value, lost, state["price_units"])
    if between:
        _note_off_grid(state)
    return value, after


@kernel(inline=True)
def read_qty(text: np.ndarray, at: int, state: Any, resting: bool) -> Any:
    """A quantity in lots, the nearest whole number and at least one unless it is exactly zero.

    Resting quantities may add up orders of odd sizes, so they are counted apart.
    """
    value, after, lost = quoted(text, at, state["qty_decimals"])
    if after < 0:
        return value, fail(state, NUMBER, at)
    value, between = nearest_step(value, lost, state["qty_units"])
    if between:
        value = max(value, 1)
        if not resting:
            _note_off_grid(state)
        else:
            if state["off_lot"] == 0:
                state["off_lot_line"] = state["line"]
            state["off_lot"] += 1
    return value, after


@kernel
def read_whole(text: np.ndarray, at: int, state: Any) -> Any:
    """A number of digits only. Returns: (value, position after or -1)."""
    value, after = quick_whole(text, at)
    if after >= 0 and text[after] != 46:
        return value, after
    start = at
    value = np.int64(0)
    while 48 <= text[at] <= 57 and at - start < DIGITS_MAX:
        value = value * 10 + (np.int64(text[at]) - 48)
        at += 1
    if at == start or text[at] == 46 or 48 <= text[at] <= 57:
        return value, fail(state, WHOLE, start)
    return value, at


@kernel
def read_time(text: np.ndarray, at: int, state: Any) -> Any:
    """A time of 13 digits (ms) or 16 (us) in ns. Returns: (ns, position after or -1)."""
    value, after = read_whole(text, at, state)
    if after < 0:
        return value, -1
    scale = 1_000_000 if after - at == 13 else 1_000
    if (after - at != 13 and after - at != 16) or value > TIME_MAX // scale:
        return value, fail(state, TIME, at)
    return value * scale, after


@kernel
def string_end(text: np.ndarray, at: int) -> Any:
    """Position after the closing quote of the string that opens at `at`; -1 without one."""
    at += 1
    while text[at] != 34:
        if text[at] == 92 and text[at + 1] != 10:
            at += 1
        elif text[at] == 10:
            return -1
        at += 1
    return at + 1


@kernel
def skip_value(text: np.ndarray, at: int, state: Any) -> Any:
    """Step over any JSON value. Returns: position after, or -1."""
    start = at
    depth = 0
    while True:
        char = text[at]
        if char == 34:
            at = string_end(text, at)
            if at < 0:
                return fail(state, VALUE, start)
        elif char == 91 or char == 123:
            depth += 1
            at += 1
        elif char == 93 or char == 125:
            if depth == 0:
                return at
            depth -= 1
            at += 1
        elif char == 10:
            return fail(state, VALUE, start)
        elif char == 44 and depth == 0:
            return at
        else:
            at += 1


@kernel
def same_symbol(text: np.ndarray, at: int, state: Any) -> Any:
    if text[at] != 34:
        return fail(state, SYMBOL, at)
    end = string_end(text, at)
    if end < 0 or end - at - 2 > 32:
        return fail(state, SYMBOL, at)
    length = end - at - 2
    if state["symbol"][0] == 0:
        state["symbol"][0] = length
        for i in range(length):
            state["symbol"][i + 1] = text[at + 1 + i]
    if state["symbol"][0] != length:
        return fail(state, SYMBOL, at)
    for i in range(length):
        if state["symbol"][i + 1] != text[at + 1 + i]:
            return fail(state, SYMBOL, at)
    return end


@kernel
def type_of_event(text: np.ndarray, at: int) -> Any:
    """The message type named by "e"; its first letters decide."""
    if text[at + 1] == 100 and text[at + 2] == 101:  # depthUpdate
        return DIFF
    if text[at + 1] == 116 and text[at + 2] == 114:  # trade
        return TRADE
    if text[at + 1] == 98 and text[at + 2] == 111:  # bookTicker
        return TICKER
    return IGNORED


@kernel
def type_of_stream(text: np.ndarray, at: int) -> Any:
    """The message type named by "symbol@stream"; partial books (depth20) are not diffs."""
    at += 1
    while text[at] != 64:
        if text[at] == 34 or text[at] == 10:
            return IGNORED
        at += 1
    kind = type_of_event(text, at)
    if kind == DIFF:
        while text[at] != 104 and text[at] != 34 and text[at] != 10:
            at += 1
        if text[at] == 104 and 48 <= text[at + 1] <= 57:
            return IGNORED
    return kind


@kernel
def is_market(text: np.ndarray, at: int) -> Any:
    return (
        text[at] == 34
        and text[at + 1] == 77
        and text[at + 2] == 65
        and text[at + 3] == 82
        and text[at + 4] == 75
        and text[at + 5] == 69
        and text[at + 6] == 84
        and text[at + 7] == 34
    )
