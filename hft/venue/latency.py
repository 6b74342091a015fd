"""How long a message of one leg is under way: constant, by chance, or from samples by time."""

import numpy as np

from hft.core.jit import kernel, out_of_line
from hft.core.seeds import PURPOSE_LATENCY, draw
from hft.venue.state import (
    LATENCY_CONSTANT,
    LATENCY_INTERPOLATED,
    LATENCY_UNIFORM,
    VenueState,
)


@kernel(inline=True)
def leg_ns(venue: VenueState, leg: int, ts: int) -> int:
    """The latency of one leg for a message sent at `ts`. Mutates: head["draws"]."""
    row = venue.latency[leg]
    return row["base_ns"] if row["kind"] == LATENCY_CONSTANT else _drawn_ns(venue, leg, ts)


@kernel
def _drawn_ns(venue: VenueState, leg: int, ts: int) -> int:
    """A latency that is no constant: from samples by time, or by chance."""
    out_of_line()
    row = venue.latency[leg]
    kind = row["kind"]
    if kind == LATENCY_INTERPOLATED:
        return _interpolate(venue.latency_table, row["table_at"], row["table_len"], ts)
    head = venue.head[0]
    value = draw(head["seed"], PURPOSE_LATENCY, leg, head["draws"])
    head["draws"] += 1
    if kind == LATENCY_UNIFORM:
        return row["base_ns"] + value % (row["spread_ns"] + 1)
    return row["base_ns"] + venue.latency_table[row["table_at"] + value % row["table_len"]]


@kernel
def _interpolate(table: np.ndarray, at: int, count: int, ts: int) -> int:
    """Linear between samples (ts_0, ns_0, ts_1, ns_1, ...), constant outside them."""
    low = 0
    high = count - 1
    if ts <= table[at]:
        return table[at + 1]
    if ts >= table[at + 2 * high]:
        return table[at + 2 * high + 1]
    while high - low > 1:
        middle = (low + high) >> 1
        if table[at + 2 * middle] <= ts:
            low = middle
        else:
            high = middle
    t0 = table[at + 2 * low]
    t1 = table[at + 2 * high]
    v0 = table[at + 2 * low + 1]
    v1 = table[at + 2 * high + 1]
    return v0 + (v1 - v0) * (ts - t0) // (t1 - t0)
