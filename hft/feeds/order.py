"""Tape order: what settling has to know about two clocks, and the rows put where they belong.

Rows stand in receive order. A row whose exchange time goes back among the rows a venue sees is
split in two: the strategy still sees it in its place, the venue sees a copy where its time belongs.
"""

from typing import Any

import numpy as np

from hft.core.codes import EventKind, Flag
from hft.core.jit import kernel
from hft.feeds.borrowed import columns_view
from hft.feeds.findings import Findings
from hft.tape.schema import DTYPES, Columns
from hft.tape.summary import frozen

VIEW_ONLY, VENUE_ONLY = Flag.VIEW_ONLY.value, Flag.VENUE_ONLY.value
FAR = (1 << 63) - 1

# Counts and the first row of each, from 0.
CLOCKS = np.dtype(
    [
        ("lowest_ns", np.int64),  # smallest receive time minus exchange time
        ("early", np.int64),  # received before they happened
        ("first_early", np.int64),
        ("back", np.int64),  # receive time goes back, among the rows a strategy sees
        ("first_back", np.int64),
        ("late", np.int64),  # exchange time goes back, among the rows a venue sees
        ("first_late", np.int64),
    ]
)


def clocks_of(columns: Columns) -> Any:
    """The CLOCKS record of rows."""
    found = np.zeros(1, CLOCKS)
    _read_clocks(frozen(columns), found[0])
    return found[0]


@kernel
def _read_clocks(columns: Columns, found: Any) -> None:
    rows = columns_view(columns)
    received = happened = -FAR
    lowest = FAR
    for row in range(len(rows.kind)):
        exch_ts, local_ts, flags = rows.exch_ts[row], rows.local_ts[row], rows.flags[row]
        lowest = min(lowest, local_ts - exch_ts)
        if local_ts < exch_ts:
            if found["early"] == 0:
                found["first_early"] = row
            found["early"] += 1
        if flags & VENUE_ONLY == 0:
            if local_ts < received:
                if found["back"] == 0:
                    found["first_back"] = row
                found["back"] += 1
            received = local_ts
        if flags & VIEW_ONLY == 0:
            if exch_ts < happened:
                if found["late"] == 0:
                    found["first_late"] = row
                found["late"] += 1
            happened = max(happened, exch_ts)
    found["lowest_ns"] = lowest if len(rows.kind) > 0 else 0


def order_rows(columns: Columns, findings: Findings | None = None) -> Columns:
    """The rows in tape order: receive order, disordered exchange times split in two rows.

    A row whose exch_ts is below the running maximum stays in its place as VIEW_ONLY, and a
    VENUE_ONLY copy goes where its exch_ts belongs, behind rows of the same time. Rows of one
    message share both times, so groups stay whole. Returns the same object when nothing moved.
    """
    findings = findings if findings is not None else Findings()
    clocks = clocks_of(columns)
    if clocks["back"]:
        columns = _by_receipt(columns, clocks, findings)
        clocks = clocks_of(columns)
    if not clocks["late"]:
        return columns
    findings.add(
        "disorder",
        int(clocks["late"]),
        int(clocks["first_late"]) + 1,
        "exchange time goes back; split into venue and view rows",
        of="decoded",
    )
    return _split_late(columns, int(clocks["late"]))


def row_words(columns: Columns, row: int) -> str:
    """A row in the words of a tape: receive time, kind, side, price and quantity."""
    kind, side = EventKind(int(columns.kind[row])).name, int(columns.side[row])
    moment = np.datetime64(int(columns.local_ts[row]), "ns")
    price, lots = int(columns.price[row]), int(columns.qty[row])
    return f"{moment}Z {kind} {('buy ', 'sell ', '')[side]}{lots} lots at tick {price}"


def goes_back(times: np.ndarray) -> np.ndarray:
    """Where a time is earlier than the row before (length n - 1)."""
    return times[1:] < times[:-1]


def take(columns: Columns, index: np.ndarray) -> Columns:
    """The rows at `index` (positions or a mask), copied."""
    return Columns(*(column[index] for column in columns))


def _by_receipt(columns: Columns, clocks: Any, findings: Findings) -> Columns:
    """Sort by receive time, stable, among the rows a strategy sees."""
    first = int(clocks["first_back"])
    note = f"receive time goes back: {row_words(columns, first)}"
    findings.add("receive_disorder", int(clocks["back"]), first + 1, note, of="decoded")
    seen_idx = np.flatnonzero((columns.flags & VENUE_ONLY) == 0)
    order = np.arange(len(columns.local_ts))
    order[seen_idx] = seen_idx[np.argsort(columns.local_ts[seen_idx], kind="stable")]
    return take(columns, order)


def _split_late(columns: Columns, late: int) -> Columns:
    columns = frozen(columns)
    late_idx = np.empty(late, np.int64)
    venue_time = np.empty(len(columns.exch_ts), np.int64)
    _find_late(columns, late_idx, venue_time)
    late_time = columns.exch_ts[late_idx]
    by_time = np.argsort(late_time, kind="stable")
    late_idx, late_time = late_idx[by_time], late_time[by_time]
    # venue_time is the running maximum: its right edge is behind every in-order row of that time.
    places = np.searchsorted(venue_time, late_time, side="right")
    del venue_time
    flags = columns.flags.copy()
    flags[late_idx] |= VIEW_ONLY
    out = Columns(*(np.empty(len(flags) + late, dtype) for dtype in DTYPES.values()))
    for column, merged in zip(frozen(columns._replace(flags=flags)), out, strict=True):
        _insert(column, late_idx, places, merged)
    copies = places + np.arange(late)
    out.flags[copies] = (out.flags[copies] & ~np.int16(VIEW_ONLY)) | VENUE_ONLY
    return out


@kernel
def _find_late(columns: Columns, late_idx: np.ndarray, venue_time: np.ndarray) -> None:
    """Which rows are late, and the latest time the venue has seen up to each row."""
    happened, count = -FAR, 0
    for row in range(venue_time.size):
        exch_ts = columns.exch_ts[row]
        if columns.flags[row] & VIEW_ONLY == 0:
            if exch_ts < happened:
                late_idx[count] = row
                count += 1
            else:
                happened = exch_ts
        venue_time[row] = happened


@kernel
def _insert(column: np.ndarray, index: np.ndarray, places: np.ndarray, out: np.ndarray) -> None:
    """`column` with a copy of each item of `index` in front of the item at its place."""
    start = 0
    for i in range(index.size):
        place = places[i]
        for at in range(start, place):
            out[at + i] = column[at]
        out[place + i] = column[index[i]]
        start = place
    for at in range(start, column.size):
        out[at + index.size] = column[at]
