"""Messages of a Binance recording in the order a book may apply them: bootstrap, gaps, rows.

Decides which depth updates count. Updates before a snapshot wait for it; those newer than it are
applied after it, at the snapshot's receive time, the rest are dropped. An update that does not
follow its predecessor (futures: pu, spot: U) is a gap: the book is cleared and stays invalid
until the next snapshot. A snapshot is used only while the book is out of step. Where a recording
holds no snapshot at all the book is built from its updates. Trades of the insurance fund and the
like are left out.
"""

from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag, Side
from hft.core.jit import kernel, table_view
from hft.feeds.binance_text import DIFF, LEVEL_ROW, MESSAGE, SNAPSHOT, TRADE
from hft.feeds.borrowed import columns_view
from hft.tape.schema import Columns

LEVEL, CLEAR, SNAPSHOT_ROW = (
    EventKind.LEVEL.value,
    EventKind.CLEAR.value,
    EventKind.SNAPSHOT.value,
)
TRADE_ROW, LAST = EventKind.TRADE.value, Flag.LAST.value
BUY, SELL, BOTH = Side.BUY.value, Side.SELL.value, 2

# Counts, each with the message that showed it first.
SEQUENCE = np.dtype(
    [
        ("rows", np.int64),
        ("in_step", np.int64),  # 1 while the book follows the updates
        ("fresh", np.int64),  # 1 until the first update after a snapshot
        ("last_id", np.int64),
        ("waiting", np.int64),  # first message that may have to be replayed after a snapshot
        ("gaps", np.int64),
        ("gap_message", np.int64),
        ("duplicates", np.int64),
        ("duplicate_message", np.int64),
        ("replayed", np.int64),
        ("replayed_message", np.int64),
        ("unused", np.int64),  # updates that no snapshot covers
        ("off_market", np.int64),
        ("off_market_message", np.int64),
        ("spare_snapshots", np.int64),
    ]
)

_messages_view = table_view(MESSAGE)
_levels_view = table_view(LEVEL_ROW)


@kernel
def _time(message: Any) -> Any:
    return message["match_ns"] if message["match_ns"] >= 0 else message["event_ns"]


@kernel
def _clear(out: Columns, row: int, exch_ns: int, local_ns: int) -> None:
    out.exch_ts[row] = exch_ns
    out.local_ts[row] = local_ns
    out.kind[row] = CLEAR
    out.side[row] = BOTH


@kernel
def _write_levels(
    out: Columns,
    row: int,
    levels: np.ndarray,
    message: Any,
    kind: int,
    exch_ns: int,
    local_ns: int,
) -> Any:
    """The levels of one message, bids first, the last row flagged LAST. Returns: the next row."""
    first = row
    for side in range(2):
        start, count = message["bid_start"], message["bid_count"]
        if side == SELL:
            start, count = message["ask_start"], message["ask_count"]
        for at in range(start, start + count):
            out.exch_ts[row] = exch_ns
            out.local_ts[row] = local_ns
            out.kind[row] = kind
            out.side[row] = side
            out.price[row] = levels[at]["price"]
            out.qty[row] = levels[at]["qty"]
            row += 1
    if row > first:
        out.flags[row - 1] = LAST
    return row


@kernel
def _follows(message: Any, state: Any) -> Any:
    """Whether an update is the next one; the first after a snapshot may overlap it."""
    if message["prev_id"] >= 0:
        if state["fresh"] == 1:
            return message["prev_id"] <= state["last_id"]
        return message["prev_id"] == state["last_id"]
    if state["fresh"] == 1:
        return message["first_id"] <= state["last_id"] + 1
    return message["first_id"] == state["last_id"] + 1


@kernel
def _apply_diff(
    out: Columns, levels: np.ndarray, messages: np.ndarray, m: int, state: Any, local_ns: int
) -> None:
    """Write an update if it is the next one; drop an old one; clear the book on a gap."""
    message = messages[m]
    if message["last_id"] <= state["last_id"]:
        if state["fresh"] == 0:
            if state["duplicates"] == 0:
                state["duplicate_message"] = m
            state["duplicates"] += 1
        return
    row = state["rows"]
    if not _follows(message, state):
        if state["gaps"] == 0:
            state["gap_message"] = m
        state["gaps"] += 1
        state["in_step"] = 0
        state["waiting"] = m
        _clear(out, row, _time(message), local_ns)
        state["rows"] = row + 1
        return
    state["fresh"] = 0
    state["last_id"] = message["last_id"]
    state["rows"] = _write_levels(out, row, levels, message, LEVEL, _time(message), local_ns)


@kernel
def _snapshot_time(messages: np.ndarray, m: int, waiting: int) -> Any:
    """When a snapshot was true; spot ones do not say, so the first update after it stands in."""
    message = messages[m]
    if _time(message) >= 0:
        return _time(message)
    for later in range(waiting, len(messages)):
        if messages[later]["type"] == DIFF and messages[later]["last_id"] > message["last_id"]:
            return _time(messages[later])
    return message["local_ns"]


@kernel
def _apply_snapshot(
    out: Columns, levels: np.ndarray, messages: np.ndarray, m: int, state: Any
) -> None:
    """Write a snapshot and, after it, the waiting updates that are newer."""
    message = messages[m]
    local_ns = message["local_ns"]
    exch_ns = _snapshot_time(messages, m, state["waiting"])
    row = state["rows"]
    _clear(out, row, exch_ns, local_ns)
    after = _write_levels(out, row + 1, levels, message, SNAPSHOT_ROW, exch_ns, local_ns)
    if after == row + 1:
        out.flags[row] = LAST
    state["rows"] = after
    state["in_step"] = 1
    state["fresh"] = 1
    state["last_id"] = message["last_id"]
    waiting = state["waiting"]
    for earlier in range(waiting, m):
        if messages[earlier]["type"] != DIFF:
            continue
        if state["in_step"] == 1 and messages[earlier]["last_id"] > message["last_id"]:
            if state["replayed"] == 0:
                state["replayed_message"] = earlier
            state["replayed"] += 1
            state["unused"] -= 1
            _apply_diff(out, levels, messages, earlier, state, local_ns)


@kernel
def _write_trade(out: Columns, message: Any, m: int, state: Any) -> None:
    if message["off_market"] == 1:
        if state["off_market"] == 0:
            state["off_market_message"] = m
        state["off_market"] += 1
        return
    row = state["rows"]
    out.exch_ts[row] = _time(message)
    out.local_ts[row] = message["local_ns"]
    out.kind[row] = TRADE_ROW
    out.side[row] = SELL if message["maker_is_buyer"] == 1 else BUY
    out.price[row] = message["price"]
    out.qty[row] = message["qty"]
    state["rows"] = row + 1


@kernel
def write_rows(out: Columns, levels: np.ndarray, messages: np.ndarray, state: Any) -> None:
    """All messages of one instrument, in receive order, as rows of a tape.

    `out` holds zeros and has room for every level and two rows for every message.
    Mutates: out, state.
    """
    _write_rows(
        columns_view(out),
        _levels_view(levels.ctypes.data, levels.size),
        _messages_view(messages.ctypes.data, messages.size),
        state,
    )


@kernel
def _write_rows(out: Columns, levels: np.ndarray, messages: np.ndarray, state: Any) -> None:
    snapshots = 0
    for m in range(len(messages)):
        if messages[m]["type"] == SNAPSHOT:
            snapshots += 1
    for m in range(len(messages)):
        message = messages[m]
        kind = message["type"]
        if kind == TRADE:
            _write_trade(out, message, m, state)
        elif kind == DIFF:
            if snapshots == 0 and state["last_id"] < 0:
                _clear(out, state["rows"], _time(message), message["local_ns"])
                state["rows"] += 1
                state["in_step"] = 1
                state["fresh"] = 1
                state["last_id"] = message["first_id"] - 1
                if message["prev_id"] >= 0:
                    state["last_id"] = message["prev_id"]
            if state["in_step"] == 1:
                _apply_diff(out, levels, messages, m, state, message["local_ns"])
            if state["in_step"] == 0:
                state["unused"] += 1
        elif kind == SNAPSHOT:
            if state["in_step"] == 1:
                state["spare_snapshots"] += 1
            else:
                _apply_snapshot(out, levels, messages, m, state)
