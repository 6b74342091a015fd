"""True sliding windows of order rates over one ring of the last times a row.

A window of N a second is full when the N-th last time is less than a second old: no buckets, no
drift. Cancels are counted and never refused.
"""

from typing import Any

from hft.core.jit import kernel
from hft.gateway import tables
from hft.gateway.rows import Row

SECOND_NS = 1_000_000_000
MINUTE_NS = 60_000_000_000


@kernel(inline=True)
def within(gw: Any, row: Row, limit: int, window_ns: int, now_ns: int) -> bool:
    """True when `limit` counted times lie inside the window that ends now; limit > 0."""
    if row["count"] < limit:
        return False
    at = row["cursor"] - limit
    if at < 0:
        at += row["size"]
    return tables.ring(gw)[row["start"] + at] > now_ns - window_ns


@kernel(inline=True)
def full(gw: Any, row: Row, now_ns: int) -> int:
    """The limit that one more intent would pass, or 0."""
    per_s, per_min = row["per_s"], row["per_min"]
    if per_s > 0 and within(gw, row, per_s, SECOND_NS, now_ns):
        return per_s
    if per_min > 0 and within(gw, row, per_min, MINUTE_NS, now_ns):
        return per_min
    return 0


@kernel(inline=True)
def push(gw: Any, row: Row, now_ns: int) -> None:
    """Count one intent."""
    size = row["size"]
    if size == 0:
        return
    cursor = row["cursor"]
    tables.ring(gw)[row["start"] + cursor] = now_ns
    cursor += 1
    row["cursor"] = 0 if cursor == size else cursor
    row["count"] += 1
