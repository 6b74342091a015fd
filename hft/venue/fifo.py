"""Exact queue position on L3 tapes: who arrived before us, by order id.

The priority of a market order is the count of L3 rows when it joined; ours is the same count when
we arrived. A cancel or execution of an earlier order moves us forward, a later one's does not.
"""

import numpy as np

from hft.core.jit import kernel
from hft.venue.queue import MICRO
from hft.venue.state import VenueState


@kernel
def _home(order_id: int, mask: int) -> int:
    return (order_id ^ (order_id >> 20) ^ (order_id >> 40)) & mask


@kernel
def find(venue: VenueState, i: int, order_id: int) -> int:
    """The table row of a market order of instrument `i`, -1 when it is not known."""
    base = venue.l3_heads[i]["at"]
    size_mask = venue.l3_heads[i]["mask"]
    at = _home(order_id, size_mask)
    while venue.l3[base + at]["priority"] != 0:
        if venue.l3[base + at]["order_id"] == order_id:
            return at
        at = (at + 1) & size_mask
    return -1


@kernel
def add(venue: VenueState, i: int, order_id: int, lots: int) -> bool:
    """A market order joins; False when the table is full. Mutates: venue.l3, priority."""
    table = venue.l3_heads[i]
    base = table["at"]
    size_mask = table["mask"]
    if table["count"] * 4 > size_mask * 3:
        venue.head[0]["overflow"] += 1
        return False
    venue.head[0]["priority"] += 1
    at = _home(order_id, size_mask)
    while venue.l3[base + at]["priority"] != 0 and venue.l3[base + at]["order_id"] != order_id:
        at = (at + 1) & size_mask
    row = venue.l3[base + at]
    if row["priority"] == 0:
        table["count"] += 1
    row["order_id"] = order_id
    row["priority"] = venue.head[0]["priority"]
    row["qty"] = lots
    return True


@kernel
def reduce(venue: VenueState, i: int, order_id: int, lots: int) -> int:
    """A market order shrinks or ends; returns its priority, 0 when unknown. Mutates: venue.l3."""
    at = find(venue, i, order_id)
    if at < 0:
        return 0
    row = venue.l3[venue.l3_heads[i]["at"] + at]
    priority = row["priority"]
    row["qty"] -= lots
    if row["qty"] <= 0:
        _remove(venue, i, at)
    return priority


@kernel
def priority_of(venue: VenueState, i: int, order_id: int) -> int:
    """The priority of a market order, 0 when unknown."""
    at = find(venue, i, order_id)
    return 0 if at < 0 else venue.l3[venue.l3_heads[i]["at"] + at]["priority"]


@kernel
def clear(venue: VenueState, i: int) -> None:
    """A CLEAR row: every market order of instrument `i` is forgotten. Mutates: venue.l3."""
    table = venue.l3_heads[i]
    if table["count"] > 0:
        for at in range(table["mask"] + 1):
            venue.l3[table["at"] + at]["priority"] = 0
        table["count"] = 0


@kernel
def _remove(venue: VenueState, i: int, at: int) -> None:
    """Delete with backward shift, so that no probe chain breaks."""
    table = venue.l3_heads[i]
    base = table["at"]
    size_mask = table["mask"]
    table["count"] -= 1
    hole = at
    at = (at + 1) & size_mask
    while venue.l3[base + at]["priority"] != 0:
        home = _home(venue.l3[base + at]["order_id"], size_mask)
        if ((at - home) & size_mask) >= ((at - hole) & size_mask):
            venue.l3[base + hole] = venue.l3[base + at]
            hole = at
        at = (at + 1) & size_mask
    venue.l3[base + hole]["priority"] = 0


@kernel
def advances(row: np.ndarray, priority: int, lots: int) -> None:
    """An order with `priority` lost `lots` at our level. Mutates: row (RESTING)."""
    if 0 < priority <= row["priority"]:
        row["ahead_micro"] = max(0, row["ahead_micro"] - lots * MICRO)
