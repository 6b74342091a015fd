"""MODIFY rows become what they do to the queue, because the engine reads no MODIFY (docs/adr/0006).

Less at the same price is a CANCEL of the difference; anything else is a CANCEL of the old order and
an ADD behind the others; one that changes nothing is left out; one of an order nobody added is an
ADD. Venue and strategies may see a row at different moments, so each side's orders are followed
apart; where they differ, each side gets rows of its own.
"""

from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag, Side
from hft.core.errors import DataError
from hft.core.jit import kernel, table_view
from hft.feeds.borrowed import columns_view, int64_view
from hft.feeds.findings import Findings
from hft.tape.schema import DTYPES, Columns
from hft.tape.summary import frozen

ADD, CANCEL = EventKind.ADD.value, EventKind.CANCEL.value
MODIFY, EXECUTE, CLEAR = EventKind.MODIFY.value, EventKind.EXECUTE.value, EventKind.CLEAR.value
VENUE_ONLY, VIEW_ONLY, LAST = Flag.VENUE_ONLY.value, Flag.VIEW_ONLY.value, Flag.LAST.value
NO_BOOK, KEEPS_PRIORITY = Flag.NO_BOOK.value, Flag.KEEPS_PRIORITY.value
BUY, SELL = Side.BUY.value, Side.SELL.value

NOTHING, LESS, MOVED, NEW, UNKNOWN = range(5)
LIVE_ORDER = np.dtype(
    [
        ("side", np.int64),
        ("price", np.int64),
        ("qty", np.int64),  # lots left; 0: not live
        ("since", np.int64),  # row of its ADD, from 1: a CLEAR after it ends it
    ]
)
PASS = np.dtype(
    [
        ("rows", np.int64),
        ("unknown", np.int64),
        ("first_unknown", np.int64),  # row, from 1, as below
        ("kept_row", np.int64),  # a larger order that is said to keep its place
        ("cleared", np.int64, (4,)),  # row of the last CLEAR, by 2 x viewer + side
    ]
)
_live_view = table_view(LIVE_ORDER)


def replace_modifies(columns: Columns, findings: Findings, origin: str) -> Columns:
    """The rows without MODIFY; the same object when there is none.

    Raises: DataError for a MODIFY that keeps its place with more lots, which no row can say.
    """
    count = int(np.count_nonzero(columns.kind == MODIFY))
    if count == 0:
        return columns
    ids, order_idx = np.unique(columns.order_id, return_inverse=True)
    rows = len(columns.kind) + 3 * count
    out = Columns(*(np.empty(rows, dtype) for dtype in DTYPES.values()))
    done = np.zeros(1, PASS)[0]
    live = np.zeros(2 * len(ids), LIVE_ORDER)
    which = order_idx.astype(np.int64)  # a name, or it is gone while the kernel looks at it
    _replace(frozen(columns), which, live, out, done)
    if done["kept_row"]:
        raise DataError(
            f"{origin}, decoded row {done['kept_row']}: a modify that keeps its place with more "
            "lots cannot be put on a tape: write it as a cancel and an add"
        )
    note = "a modify of an order that was never added"
    findings.add(
        "unknown_order_id", int(done["unknown"]), int(done["first_unknown"]), note, of="decoded"
    )
    return Columns(*(column[: int(done["rows"])] for column in out))


@kernel
def _replace(
    columns: Columns, order_idx: np.ndarray, live: np.ndarray, out: Columns, done: Any
) -> None:
    rows, out = columns_view(columns), columns_view(out)
    order_idx = int64_view(order_idx.ctypes.data, order_idx.size)
    live = _live_view(live.ctypes.data, live.size)
    for row in range(len(rows.kind)):
        sees = (rows.flags[row] & VIEW_ONLY == 0, rows.flags[row] & VENUE_ONLY == 0)
        first = order_idx[row]
        second = first + len(live) // 2
        if rows.kind[row] != MODIFY:
            if sees[0]:
                _follow(rows, row, live[first], 0, done)
            if sees[1]:
                _follow(rows, row, live[second], 1, done)
            _copy(rows, row, out, done["rows"])
            done["rows"] += 1
            continue
        before = done["rows"]
        does = _meaning(rows, row, live[first], 0, done) if sees[0] else NOTHING
        sees_does = _meaning(rows, row, live[second], 1, done) if sees[1] else NOTHING
        if max(does, sees_does) >= NEW:
            if done["unknown"] == 0:
                done["first_unknown"] = row + 1
            done["unknown"] += 1
        if sees[0] and sees[1] and does == sees_does and _alike(live[first], live[second]):
            _write(rows, row, live[first], does, 0, out, done)
        else:
            _write(rows, row, live[first], does, VENUE_ONLY, out, done)
            _write(rows, row, live[second], sees_does, VIEW_ONLY, out, done)
        if done["rows"] == before and before > 0:
            out.flags[before - 1] |= rows.flags[row] & LAST
        if sees[0]:
            _settle(rows, row, live[first], does)
        if sees[1]:
            _settle(rows, row, live[second], sees_does)


@kernel
def _copy(rows: Columns, row: int, out: Columns, at: int) -> None:
    out.exch_ts[at] = rows.exch_ts[row]
    out.local_ts[at] = rows.local_ts[row]
    out.kind[at] = rows.kind[row]
    out.side[at] = rows.side[row]
    out.price[at] = rows.price[row]
    out.qty[at] = rows.qty[row]
    out.order_id[at] = rows.order_id[row]
    out.flags[at] = rows.flags[row]


@kernel
def _follow(rows: Columns, row: int, order: Any, viewer: int, done: Any) -> None:
    """What a row that is no MODIFY does to its order, or to all of them."""
    kind = rows.kind[row]
    if kind == CLEAR:
        for side in range(2):
            if rows.side[row] == side or rows.side[row] > 1:
                done["cleared"][2 * viewer + side] = row + 1
    elif kind == ADD:
        order["side"] = rows.side[row]
        order["price"] = rows.price[row]
        order["qty"] = rows.qty[row]
        order["since"] = row + 1
    elif kind == CANCEL or (kind == EXECUTE and rows.flags[row] & NO_BOOK == 0):
        order["qty"] = max(order["qty"] - rows.qty[row], 0)


@kernel
def _meaning(rows: Columns, row: int, order: Any, viewer: int, done: Any) -> int:
    """What a MODIFY does to the queue; an order that is not live any more has no lots left."""
    if order["qty"] > 0 and order["since"] < done["cleared"][2 * viewer + order["side"]]:
        order["qty"] = 0
    left, qty = order["qty"], rows.qty[row]
    if left == 0:
        if order["since"] == 0 and (rows.side[row] > 1 or qty == 0):
            return UNKNOWN
        return NEW if qty > 0 else NOTHING
    same = rows.price[row] == order["price"] and _side(rows, row, order) == order["side"]
    if (same and qty <= left) or qty == 0:
        return LESS if qty < left else NOTHING
    if same and rows.flags[row] & KEEPS_PRIORITY and done["kept_row"] == 0:
        done["kept_row"] = row + 1
    return MOVED


@kernel
def _alike(one: Any, other: Any) -> bool:
    same = one["side"] == other["side"] and one["price"] == other["price"]
    return bool(same and one["qty"] == other["qty"])


@kernel
def _write(
    rows: Columns, row: int, order: Any, does: int, seen_by: int, out: Columns, done: Any
) -> None:
    """The rows of a MODIFY, for one side or for both."""
    at = done["rows"]
    flags = (rows.flags[row] | seen_by) & ~KEEPS_PRIORITY
    if does == LESS or does == MOVED:
        _copy(rows, row, out, at)
        out.kind[at] = CANCEL
        out.side[at] = order["side"]
        out.price[at] = order["price"]
        out.qty[at] = order["qty"] - (rows.qty[row] if does == LESS else 0)
        out.flags[at] = flags if does == LESS else flags & ~LAST
        at += 1
    if does == MOVED or does == NEW:
        _copy(rows, row, out, at)
        out.kind[at] = ADD
        out.side[at] = _side(rows, row, order)
        out.flags[at] = flags
        at += 1
    done["rows"] = at


@kernel
def _settle(rows: Columns, row: int, order: Any, does: int) -> None:
    """The order after its MODIFY."""
    if does == MOVED or does == NEW:
        order["side"] = _side(rows, row, order)
        order["price"] = rows.price[row]
        order["since"] = row + 1
    if does != NOTHING and does != UNKNOWN:
        order["qty"] = rows.qty[row]


@kernel
def _side(rows: Columns, row: int, order: Any) -> int:
    return rows.side[row] if rows.side[row] < 2 else order["side"]
