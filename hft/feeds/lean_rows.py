"""Lean tick files, bytes to rows of a tape: the CSV reader and the merge of quotes with trades.

Decides what the best quote is and who the aggressor of a trade was. A quote row says what the
best bid or offer of its side now is, nationally: bid and offer rows come in pairs of one time and
are applied together. A crossed pair is counted and kept off the tape. Quotes go before trades of
the same time. The caller owns all state. Text must end with a line feed: no reader here steps
over one.
"""

from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag, Side
from hft.core.jit import kernel
from hft.feeds.digits import nearest_step, read_decimal
from hft.tape.schema import Columns

# Columns of the int64 table a file is read into.
LINE = 0  # 1-based, within its file
TIME = 1  # ns since local midnight
BID, BID_QTY, ASK, ASK_QTY = 2, 3, 4, 5  # ticks and lots; a price of 0: this side is not in the row
PRICE, QTY = BID, BID_QTY  # of a trade
CONDITION = 6  # bits, of a trade
ROW_WIDTH = 7

# Columns of a plan, which has a row for each number at the head of a line.
TARGET, DECIMALS, UNITS, POWER, DIGITS = range(5)  # column; its grid; 10^decimals; digits at most

STATE = np.dtype(
    [
        ("rows", np.int64),
        ("line", np.int64),
        ("error", np.int64),
        ("error_at", np.int64),
        ("off_grid", np.int64),
        ("off_grid_line", np.int64),
        ("suspicious", np.int64),
        ("suspicious_line", np.int64),
        ("empty", np.int64),  # quotes of neither side, trades of quantity zero
        ("empty_line", np.int64),
        ("left_out", np.int64),  # 1 while the line being read is not to be kept
    ]
)

MERGE = np.dtype(
    [
        ("rows", np.int64),
        ("bid", np.int64),  # the best quote as the file says it
        ("bid_qty", np.int64),
        ("ask", np.int64),
        ("ask_qty", np.int64),
        ("tape_bid", np.int64),  # the best quote on the tape
        ("tape_bid_qty", np.int64),
        ("tape_ask", np.int64),
        ("tape_ask_qty", np.int64),
        ("crossed", np.int64),
        ("crossed_line", np.int64),
        ("locked", np.int64),
        ("locked_line", np.int64),
        ("unknown_side", np.int64),
        ("unknown_side_line", np.int64),
        ("by_tick_rule", np.int64),
        ("outside", np.int64),  # prints that are no trade of the continuous market at their time
        ("last_price", np.int64),
        ("last_side", np.int64),
    ]
)

BAD_NUMBER, NO_COMMA, BAD_CONDITION, BAD_FLAG, NO_END, NO_DAY = range(1, 7)
EXPECTED = {
    BAD_NUMBER: "a number of at most 18 digits",
    NO_COMMA: "a comma and another column",
    BAD_CONDITION: "a condition of at most 15 hexadecimal digits",
    BAD_FLAG: "0 or 1 (suspicious)",
    NO_END: "the end of the line",
    NO_DAY: "milliseconds since midnight, within one day",
}

DAY_NS = 25 * 3_600_000_000_000  # a day may have one hour more
QUOTE_COLUMNS, TRADE_COLUMNS, FX_COLUMNS = 8, 6, 3

# Sale conditions whose price was not made by the continuous market at the time of the print:
# settlement of another kind, openings, closings, crosses, late, derived and averaged prices.
# Bits as the vendor numbers them.
OUTSIDE = 0
for _bit in (1, 2, 3, 6, 7, 8, 9, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26):
    OUTSIDE |= 1 << _bit

BBO, TRADE, CLEAR = EventKind.BBO.value, EventKind.TRADE.value, EventKind.CLEAR.value
LAST, AUCTION = Flag.LAST.value, Flag.AUCTION.value
BUY, SELL, NO_SIDE = Side.BUY.value, Side.SELL.value, 2


@kernel
def _fail(state: Any, code: int, at: int) -> Any:
    state["error"] = code
    state["error_at"] = at
    return -1


@kernel(inline=True)
def _read_tail(text: np.ndarray, at: int, table: np.ndarray, state: Any) -> Any:
    """Exchange, condition and suspicious flag. Returns: position after, or -1."""
    if (
        text[at] == 44
        and text[at + 1] >= 65
        and text[at + 2] == 44
        and text[at + 3] == 49
        and text[at + 4] == 44
        and text[at + 5] == 48
    ):  # by far the most: regular and not suspicious
        table[state["rows"], CONDITION] = 1
        return at + 6
    if text[at] != 44:
        return _fail(state, NO_COMMA, at)
    at += 1
    while text[at] != 44:
        if text[at] == 10:
            return _fail(state, NO_COMMA, at)
        at += 1
    at += 1
    start = at
    condition = np.int64(0)
    while text[at] != 44:
        char = np.int64(text[at])
        if 48 <= char <= 57:
            condition = condition * 16 + (char - 48)
        elif 65 <= char <= 70:
            condition = condition * 16 + (char - 55)
        elif 97 <= char <= 102:
            condition = condition * 16 + (char - 87)
        else:
            return _fail(state, BAD_CONDITION, at)
        at += 1
        if at - start > 15:
            return _fail(state, BAD_CONDITION, start)
    table[state["rows"], CONDITION] = condition
    flag = text[at + 1]
    if flag != 48 and flag != 49:
        return _fail(state, BAD_FLAG, at + 1)
    if flag == 49:
        if state["suspicious"] == 0:
            state["suspicious_line"] = state["line"]
        state["suspicious"] += 1
        state["left_out"] = 1
    return at + 2


@kernel(inline=True)
def _read_numbers(
    text: np.ndarray, at: int, plan: np.ndarray, table: np.ndarray, state: Any
) -> Any:
    """The numbers at the head of a line, where `plan` says. Returns: position after, or -1."""
    row = state["rows"]
    for i in range(plan.shape[0]):
        if i > 0:
            if text[at] != 44:
                return _fail(state, NO_COMMA, at)
            at += 1
        start = at
        value = np.int64(0)
        lost = 0
        digit = np.int64(text[at]) - 48
        while 0 <= digit <= 9 and at - start < plan[i, DIGITS]:
            value = value * 10 + digit
            at += 1
            digit = np.int64(text[at]) - 48
        if text[at] == 44 and at > start:  # by far the most: a whole number before a comma
            value *= plan[i, POWER]
        else:
            value, at, lost = read_decimal(text, start, plan[i, DECIMALS])
            if at < 0:
                return _fail(state, BAD_NUMBER, start)
        if plan[i, UNITS] != 1 or lost != 0:
            value, between = nearest_step(value, lost, plan[i, UNITS])
            if between and i > 0:
                if state["off_grid"] == 0:
                    state["off_grid_line"] = state["line"]
                state["off_grid"] += 1
        table[row, plan[i, TARGET]] = value
    return at


@kernel(inline=True)
def _check_row(columns: int, table: np.ndarray, state: Any) -> None:
    """Mark a row without a price, or a trade of quantity zero, to be left out."""
    row = state["rows"]
    if columns == TRADE_COLUMNS:
        empty = table[row, PRICE] == 0 or table[row, QTY] == 0
    else:
        empty = table[row, BID] == 0 and table[row, ASK] == 0
    if empty and state["left_out"] == 0:
        if state["empty"] == 0:
            state["empty_line"] = state["line"]
        state["empty"] += 1
        state["left_out"] = 1


@kernel
def read_rows(
    text: np.ndarray, columns: int, plan: np.ndarray, table: np.ndarray, state: Any
) -> Any:
    """Read all lines of a file of 8 (quotes), 6 (trades) or 3 (FX) columns.

    `table` holds zeros and has room for every line.
    Mutates: table, state ("error" is 0 or a key of EXPECTED).
    Returns: the position of the line that cannot be read, or the size of the text.
    """
    at = 0
    while at < text.size:
        start = at
        state["line"] += 1
        state["left_out"] = 0
        at = _read_numbers(text, at, plan, table, state)
        if at >= 0 and columns != FX_COLUMNS:
            at = _read_tail(text, at, table, state)
        if at < 0:
            return start
        if text[at] == 13:
            at += 1
        if text[at] != 10:
            _fail(state, NO_END, at)
            return start
        row = state["rows"]
        if table[row, TIME] >= DAY_NS:
            _fail(state, NO_DAY, start)
            return start
        _check_row(columns, table, state)
        table[row, LINE] = state["line"]
        if state["left_out"] == 0:
            state["rows"] = row + 1
        at += 1
    return at


@kernel
def _write(
    out: Columns, row: int, time_ns: int, kind: int, side: int, price: int, qty: int, flags: int
) -> None:
    out.exch_ts[row] = time_ns
    out.local_ts[row] = time_ns
    out.kind[row] = kind
    out.side[row] = side
    out.price[row] = price
    out.qty[row] = qty
    out.flags[row] = flags


@kernel
def _write_quote(out: Columns, time_ns: int, line: int, merge: Any) -> None:
    """Bring the tape to the best quote: rows for the sides that changed, the last one LAST."""
    bid, ask = merge["bid"], merge["ask"]
    both = bid > 0 and ask > 0
    if both and bid > ask:
        if merge["crossed"] == 0:
            merge["crossed_line"] = line
        merge["crossed"] += 1
        return
    if both and bid == ask:
        if merge["locked"] == 0:
            merge["locked_line"] = line
        merge["locked"] += 1
    last = LAST if both else 0
    bid_qty, ask_qty = merge["bid_qty"], merge["ask_qty"]
    ask_changed = ask != merge["tape_ask"] or ask_qty != merge["tape_ask_qty"]
    if bid != merge["tape_bid"] or bid_qty != merge["tape_bid_qty"]:
        flags = 0 if ask_changed else last
        _write(out, merge["rows"], time_ns, BBO, BUY, bid, bid_qty, flags)
        merge["rows"] += 1
        merge["tape_bid"] = bid
        merge["tape_bid_qty"] = bid_qty
    if ask_changed:
        _write(out, merge["rows"], time_ns, BBO, SELL, ask, ask_qty, last)
        merge["rows"] += 1
        merge["tape_ask"] = ask
        merge["tape_ask_qty"] = ask_qty


@kernel
def _take_quote(quotes: np.ndarray, q: int, merge: Any) -> None:
    if quotes[q, BID] > 0:
        merge["bid"] = quotes[q, BID]
        merge["bid_qty"] = quotes[q, BID_QTY]
    if quotes[q, ASK] > 0:
        merge["ask"] = quotes[q, ASK]
        merge["ask_qty"] = quotes[q, ASK_QTY]


@kernel
def _aggressor(price: int, line: int, merge: Any) -> Any:
    """Above the middle of the best quote a buyer, below it a seller; at it, the tick rule."""
    bid, ask = merge["tape_bid"], merge["tape_ask"]
    if bid > 0 and ask > 0 and 2 * price != bid + ask:
        return BUY if 2 * price > bid + ask else SELL
    side = merge["last_side"]
    if merge["last_price"] > 0 and price != merge["last_price"]:
        side = BUY if price > merge["last_price"] else SELL
    if side == NO_SIDE:
        if merge["unknown_side"] == 0:
            merge["unknown_side_line"] = line
        merge["unknown_side"] += 1
    else:
        merge["by_tick_rule"] += 1
    return side


@kernel
def _write_trade(out: Columns, midnight_ns: int, trade: np.ndarray, merge: Any) -> None:
    price = trade[PRICE]
    time_ns = midnight_ns + trade[TIME]
    side = _aggressor(price, trade[LINE], merge)
    flags = 0
    if trade[CONDITION] & OUTSIDE != 0:
        flags = AUCTION
        merge["outside"] += 1
    else:
        merge["last_side"] = side
        merge["last_price"] = price
    _write(out, merge["rows"], time_ns, TRADE, side, price, trade[QTY], flags)
    merge["rows"] += 1


@kernel
def merge_day(
    out: Columns, quotes: np.ndarray, trades: np.ndarray, midnight_ns: int, merge: Any
) -> None:
    """One day's quotes and trades in time order, behind a CLEAR that drops the day before.

    `out` holds zeros and has room for two rows a quote, one a trade and one.
    Mutates: out, merge.
    """
    quote_count, trade_count = quotes.shape[0], trades.shape[0]
    first = DAY_NS
    if quote_count > 0:
        first = quotes[0, TIME]
    if trade_count > 0:
        first = min(first, trades[0, TIME])
    _write(out, 0, midnight_ns + first, CLEAR, NO_SIDE, 0, 0, 0)
    merge["rows"] = 1
    q, t = 0, 0
    while q < quote_count or t < trade_count:
        if q == quote_count or (t < trade_count and trades[t, TIME] < quotes[q, TIME]):
            _write_trade(out, midnight_ns, trades[t], merge)
            t += 1
            continue
        time_ns, line = quotes[q, TIME], quotes[q, LINE]
        bid_only = quotes[q, ASK] == 0
        _take_quote(quotes, q, merge)
        q += 1
        if bid_only and q < quote_count and quotes[q, TIME] == time_ns and quotes[q, BID] == 0:
            _take_quote(quotes, q, merge)
            q += 1
        _write_quote(out, midnight_ns + time_ns, line, merge)
