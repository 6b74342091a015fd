"""Lines of a Binance recording to messages and levels: one pass, no copies, any key order.

Decides what one line says: diff, snapshot, trade, book ticker, or nothing of interest. The caller
owns all state: the STATE record and the rows written to. Text handed in must end with a line feed.
It never orders messages and never judges them: see `binance_sequence`.
"""

from typing import Any

import numpy as np

from hft.core.jit import kernel, table_view
from hft.feeds.binance_text import (
    BOOLEAN,
    COLON,
    COMMA,
    DIFF,
    DIFF_FIELDS,
    FULL,
    IGNORED,
    KEY,
    LEVEL,
    LEVEL_ROW,
    LINE_END,
    MESSAGE,
    OBJECT,
    SNAPSHOT,
    SNAPSHOT_FIELDS,
    STAMP,
    TICKER,
    TICKER_FIELDS,
    TIME_MAX,
    TRADE,
    TRADE_FIELDS,
    fail,
    is_market,
    read_price,
    read_qty,
    read_time,
    read_whole,
    same_symbol,
    skip_value,
    space,
    string_end,
    type_of_event,
    type_of_stream,
)
from hft.feeds.borrowed import bytes_view
from hft.feeds.words import line_feed

_messages_view = table_view(MESSAGE)
_levels_view = table_view(LEVEL_ROW)


@kernel
def _levels(text: np.ndarray, at: int, levels: np.ndarray, state: Any) -> Any:
    """Read [["price","qty"],...] behind the levels already held. Returns: position after, or -1."""
    if text[at] != 91:
        return fail(state, LEVEL, at)
    row = state["levels"]
    at = space(text, at + 1)
    while text[at] != 93:
        if text[at] != 91:
            return fail(state, LEVEL, at)
        if row == len(levels):
            return fail(state, FULL, at)
        price, at = read_price(text, space(text, at + 1), state)
        if at < 0:
            return -1
        at = space(text, at)
        if text[at] != 44:
            return fail(state, LEVEL, at)
        qty, at = read_qty(text, space(text, at + 1), state, True)
        if at < 0:
            return -1
        at = space(text, at)
        if text[at] != 93:
            return fail(state, LEVEL, at)
        levels[row]["price"] = price
        levels[row]["qty"] = qty
        row += 1
        at = space(text, at + 1)
        if text[at] == 44:
            at = space(text, at + 1)
            if text[at] != 91:
                return fail(state, LEVEL, at)
        elif text[at] != 93:
            return fail(state, LEVEL, at)
    state["levels"] = row
    return at + 1


@kernel
def _book_side(
    text: np.ndarray, first: int, at: int, levels: np.ndarray, state: Any, message: Any
) -> Any:
    """The levels of one side; the key begins with b or a."""
    start = state["levels"]
    at = _levels(text, at, levels, state)
    if first == 98:
        message["bid_start"] = start
        message["bid_count"] = state["levels"] - start
    else:
        message["ask_start"] = start
        message["ask_count"] = state["levels"] - start
    return at


@kernel
def _short_value(text: np.ndarray, key: int, at: int, state: Any, message: Any) -> Any:
    """The value of a key of one letter. Returns: position after, or -1."""
    after = np.int64(0)
    if key == 98 or key == 112:  # b of a book ticker, p of a trade
        message["price"], after = read_price(text, at, state)
    elif key == 66 or key == 113:  # B, q
        message["qty"], after = read_qty(text, at, state, key == 66)
    elif key == 97:  # a
        message["ask_price"], after = read_price(text, at, state)
    elif key == 65:  # A
        message["ask_qty"], after = read_qty(text, at, state, True)
    elif key == 69:  # E
        message["event_ns"], after = read_time(text, at, state)
    elif key == 84:  # T
        message["match_ns"], after = read_time(text, at, state)
    elif key == 85:  # U
        message["first_id"], after = read_whole(text, at, state)
    elif key == 117:  # u
        message["last_id"], after = read_whole(text, at, state)
    elif key == 101 and text[at] == 34:  # e
        message["type"] = type_of_event(text, at)
        after = skip_value(text, at, state)
    elif key == 115:  # s
        after = same_symbol(text, at, state)
    elif key == 109:  # m
        message["maker_is_buyer"] = 1 if text[at] == 116 else 0
        if text[at] != 116 and text[at] != 102:
            return fail(state, BOOLEAN, at)
        after = skip_value(text, at, state)
    elif key == 88 and text[at] == 34:  # X
        message["off_market"] = 0 if is_market(text, at) else 1
        after = skip_value(text, at, state)
    else:
        after = skip_value(text, at, state)
    return after


@kernel
def _long_value(text: np.ndarray, key: int, length: int, at: int, state: Any, message: Any) -> Any:
    """The value of a longer key but bids and asks; first letter and length tell them apart."""
    first = text[key]
    if length == 2 and first == 112 and text[key + 1] == 117:  # pu
        message["prev_id"], after = read_whole(text, at, state)
        return after
    if length == 12 and first == 108 and text[key + 4] == 85:  # lastUpdateId
        message["type"] = SNAPSHOT
        message["last_id"], after = read_whole(text, at, state)
        return after
    if length == 6 and first == 115 and text[key + 1] == 116 and text[at] == 34:  # stream
        kind = type_of_stream(text, at)
        message["type"] = kind
        if kind == IGNORED or (kind == TICKER and state["wants_tickers"] == 0):
            message["type"] = IGNORED
            return -2
    return skip_value(text, at, state)


@kernel
def _members(text: np.ndarray, at: int, levels: np.ndarray, state: Any, message: Any) -> Any:
    """Read the members of the object at `at`, those of "data" as if they were its own.

    Returns: position after, -1 on an error, -2 when the message is of no interest.
    """
    if text[at] != 123:
        return fail(state, OBJECT, at)
    depth = 1
    at = space(text, at + 1)
    while True:
        if text[at] == 125:
            depth -= 1
            at = space(text, at + 1)
            if depth == 0:
                return at
        else:
            if text[at] != 34:
                return fail(state, KEY, at)
            key = at + 1
            at = string_end(text, at)
            if at < 0:
                return fail(state, KEY, key)
            length = at - 1 - key
            first = text[key]
            at = space(text, at)
            if text[at] != 58:
                return fail(state, COLON, at)
            at = space(text, at + 1)
            if length == 4 and text[at] == 123 and first == 100 and depth == 1:  # data
                depth = 2
                at = space(text, at + 1)
                continue
            if text[at] == 91 and (first == 98 or first == 97) and (length == 1 or length == 4):
                at = _book_side(text, first, at, levels, state, message)
            elif length == 1:
                at = _short_value(text, first, at, state, message)
            else:
                at = _long_value(text, key, length, at, state, message)
            if at < 0:
                return at
            at = space(text, at)
        if text[at] == 44:
            at = space(text, at + 1)
            if text[at] != 34:
                return fail(state, KEY, at)
        elif text[at] != 125:
            return fail(state, COMMA, at)


@kernel
def _stamp(text: np.ndarray, at: int, state: Any, message: Any) -> Any:
    """The receive time at the head of a line: 13, 16 or 19 digits are ms, us or ns."""
    start = at
    value = np.int64(0)
    while 48 <= text[at] <= 57 and at - start < 19:
        if value > TIME_MAX // 10 - 1:
            return fail(state, STAMP, start)
        value = value * 10 + (np.int64(text[at]) - 48)
        at += 1
    digits = at - start
    scale = 1
    if digits == 16:
        scale = 1_000
    elif digits == 13:
        scale = 1_000_000
    elif digits != 19:
        return fail(state, STAMP, start)
    if value > TIME_MAX // scale:
        return fail(state, STAMP, start)
    value *= scale
    if text[at] != 32:
        return fail(state, STAMP, at)
    message["local_ns"] = value
    return space(text, at)


@kernel
def _begin(message: Any, line: int) -> None:
    message["type"] = IGNORED
    message["line"] = line
    message["event_ns"] = -1
    message["match_ns"] = -1
    message["first_id"] = -1
    message["last_id"] = -1
    message["prev_id"] = -1
    message["bid_start"] = -1
    message["bid_count"] = 0
    message["ask_start"] = -1
    message["ask_count"] = 0
    message["price"] = -1
    message["qty"] = -1
    message["ask_price"] = -1
    message["ask_qty"] = -1
    message["maker_is_buyer"] = -1
    message["off_market"] = 0


@kernel
def _missing(message: Any) -> Any:
    """The error code of a message that lacks a field of its type; 0 when it is whole."""
    kind = message["type"]
    both = message["bid_start"] >= 0 and message["ask_start"] >= 0
    timed = message["event_ns"] >= 0 or message["match_ns"] >= 0
    if kind == DIFF:
        ids = message["first_id"] >= 0 and message["last_id"] >= 0
        return 0 if ids and both and timed else DIFF_FIELDS
    if kind == SNAPSHOT:
        return 0 if message["last_id"] >= 0 and both else SNAPSHOT_FIELDS
    priced = message["price"] >= 0 and message["qty"] >= 0
    if kind == TRADE:
        return 0 if priced and timed and message["maker_is_buyer"] >= 0 else TRADE_FIELDS
    if kind == TICKER:
        asked = message["ask_price"] >= 0 and message["ask_qty"] >= 0
        return 0 if priced and asked and message["last_id"] >= 0 else TICKER_FIELDS
    return 0


@kernel
def _read_line(text: np.ndarray, at: int, levels: np.ndarray, state: Any, message: Any) -> Any:
    """One line into `message`. Returns: position of its line feed, -1 error, -2 no interest."""
    _begin(message, state["line"])
    at = _stamp(text, at, state, message)
    if at >= 0:
        at = _members(text, at, levels, state, message)
    if at < 0:
        return at
    if text[at] != 10:
        return fail(state, LINE_END, at)
    lacks = _missing(message)
    if lacks != 0:
        return fail(state, lacks, at)
    kind = message["type"]
    return -2 if kind == IGNORED or (kind == TICKER and state["wants_tickers"] == 0) else at


@kernel
def scan_lines(
    text: np.ndarray, at: int, messages: np.ndarray, levels: np.ndarray, state: Any
) -> Any:
    """Read lines from `at` until the text ends, an array is full or a line cannot be read.

    The text ends with a line feed. Counters of `state` go on from where they are; its "error" is 0,
    FULL (make room and call again from the returned position) or a key of EXPECTED.
    Mutates: messages, levels, state.
    Returns: the position of the first byte not consumed.
    """
    return _scan_lines(
        bytes_view(text.ctypes.data, text.size),
        at,
        _messages_view(messages.ctypes.data, messages.size),
        _levels_view(levels.ctypes.data, levels.size),
        state,
    )


@kernel
def _scan_lines(
    text: np.ndarray, at: int, messages: np.ndarray, levels: np.ndarray, state: Any
) -> Any:
    state["error"] = 0
    while at < len(text):
        start = at
        level = state["levels"]
        row = state["messages"]
        if row == len(messages):
            fail(state, FULL, at)
            return start
        state["line"] += 1
        at = _read_line(text, at, levels, state, messages[row])
        if at >= 0:
            state["messages"] = row + 1
        else:
            state["levels"] = level
            if at == -1:
                if state["error"] == FULL:
                    state["line"] -= 1
                return start
            state["skipped"] += 1
            at = line_feed(text, start)
        at += 1
    return at
