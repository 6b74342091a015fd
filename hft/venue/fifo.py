"""The market's orders on L3 tapes, by id, and of each level in time order.

They tell who came before us, and of whom we took what. The priority of a market order is the count
of orders added when it joined, ours the same count when we arrived: a cancel or execution of an
earlier order moves us forward, a later one's does not.
"""

import numpy as np

from hft.core.jit import kernel, out_of_line
from hft.market.book import Books
from hft.venue.queue import LOTS_MAX, MICRO
from hft.venue.state import VenueState, hold


@kernel
def _home(order_id: int, mask: int) -> int:
    return (order_id ^ (order_id >> 20) ^ (order_id >> 40)) & mask


@kernel
def find(venue: VenueState, i: int, order_id: int) -> int:
    """The row in `venue.l3` of a market order of instrument `i`, -1 when it is not known."""
    base = venue.markets[i]["l3_at"]
    mask = venue.markets[i]["l3_mask"]
    at = _home(order_id, mask)
    while venue.l3[base + at]["priority"] != 0:
        if venue.l3[base + at]["order_id"] == order_id:
            return base + at
        at = (at + 1) & mask
    return -1


@kernel
def add(venue: VenueState, i: int, order_id: int, lots: int, level: int) -> bool:
    """A market order joins at the end of `level`; False when the table is full. Mutates: venue."""
    out_of_line()
    market = venue.markets[i]
    base = market["l3_at"]
    mask = market["l3_mask"]
    if market["l3_count"] * 4 > mask * 3:
        venue.head[0]["overflow"] += 1
        return False
    venue.head[0]["priority"] += 1
    at = _home(order_id, mask)
    while venue.l3[base + at]["priority"] != 0 and venue.l3[base + at]["order_id"] != order_id:
        at = (at + 1) & mask
    row = venue.l3[base + at]
    if row["priority"] == 0:
        market["l3_count"] += 1
    else:
        _unlink(venue, base + at)
    row["order_id"] = order_id
    row["priority"] = venue.head[0]["priority"]
    row["qty"] = lots
    row["taken"] = 0
    _link_last(venue, base + at, level)
    return True


@kernel
def reduce(venue: VenueState, i: int, order_id: int, lots: int) -> int:
    """A market order shrinks or ends; returns its priority, 0 when unknown. Mutates: venue.

    An order that we took in part loses its other lots first.
    """
    out_of_line()
    at = find(venue, i, order_id)
    if at < 0:
        return 0
    row = venue.l3[at]
    priority = row["priority"]
    row["qty"] -= lots
    gone = row["taken"] - max(0, row["qty"])
    if gone > 0:
        row["taken"] -= gone
        hold(venue, row["level"], max(0, venue.taken[row["level"]] - gone))
    if row["qty"] <= 0:
        _unlink(venue, at)
        _remove(venue, i, at)
    return priority


@kernel
def take_orders(venue: VenueState, level: int, lots: int) -> None:
    """Lots that we take of a level are those of its first orders. Mutates: venue.l3."""
    out_of_line()
    at = venue.firsts[level]
    while at > 0 and lots > 0:
        row = venue.l3[at - 1]
        part = min(row["qty"] - row["taken"], lots)
        row["taken"] += part
        lots -= part
        at = row["next"]


@kernel
def taken_of_orders(venue: VenueState, level: int) -> int:
    """Lots that we took of the known orders of a level; 0 where orders are not followed."""
    lots = 0
    at = venue.firsts[level] if level < len(venue.firsts) else 0
    while at > 0:
        lots += venue.l3[at - 1]["taken"]
        at = venue.l3[at - 1]["next"]
    return lots


@kernel
def priority_of(venue: VenueState, i: int, order_id: int) -> int:
    """The priority of a market order, 0 when unknown."""
    at = find(venue, i, order_id)
    return 0 if at < 0 else venue.l3[at]["priority"]


@kernel
def clear(venue: VenueState, books: Books, i: int) -> None:
    """A CLEAR row: every market order of instrument `i` is forgotten. Mutates: venue.

    What we took of one whose level shows nothing goes with it: no row will say that it left.
    """
    out_of_line()
    market = venue.markets[i]
    if market["l3_count"] > 0:
        for at in range(market["l3_at"], market["l3_at"] + market["l3_mask"] + 1):
            row = venue.l3[at]
            if row["priority"] != 0 and row["level"] >= 0:
                venue.firsts[row["level"]] = 0
                venue.lasts[row["level"]] = 0
                if row["taken"] > 0 and books.qty[row["level"]] == 0:
                    hold(venue, row["level"], 0)
            row["priority"] = 0
        market["l3_count"] = 0


@kernel
def _link_last(venue: VenueState, at: int, level: int) -> None:
    row = venue.l3[at]
    row["level"] = level
    row["next"] = 0
    row["prev"] = 0
    if level < 0:
        return
    last = venue.lasts[level]
    row["prev"] = last
    if last > 0:
        venue.l3[last - 1]["next"] = at + 1
    else:
        venue.firsts[level] = at + 1
    venue.lasts[level] = at + 1


@kernel
def _unlink(venue: VenueState, at: int) -> None:
    row = venue.l3[at]
    _join(venue, row["level"], row["prev"], row["next"], row["next"], row["prev"])


@kernel
def _join(venue: VenueState, level: int, prev: int, next: int, to_next: int, to_prev: int) -> None:
    """Make `prev` point on to `to_next` and `next` back to `to_prev`. Mutates: venue."""
    if level < 0:
        return
    if prev > 0:
        venue.l3[prev - 1]["next"] = to_next
    else:
        venue.firsts[level] = to_next
    if next > 0:
        venue.l3[next - 1]["prev"] = to_prev
    else:
        venue.lasts[level] = to_prev


@kernel
def _remove(venue: VenueState, i: int, at: int) -> None:
    """Free the unlinked row `at` with backward shift, so that no probe chain breaks."""
    market = venue.markets[i]
    base = market["l3_at"]
    mask = market["l3_mask"]
    market["l3_count"] -= 1
    hole = at - base
    probe = (hole + 1) & mask
    while venue.l3[base + probe]["priority"] != 0:
        home = _home(venue.l3[base + probe]["order_id"], mask)
        if ((probe - home) & mask) >= ((probe - hole) & mask):
            _move(venue, base + probe, base + hole)
            hole = probe
        probe = (probe + 1) & mask
    venue.l3[base + hole]["priority"] = 0


@kernel
def _move(venue: VenueState, at: int, to: int) -> None:
    """Copy a row to a free one; its neighbours in the level follow. Mutates: venue."""
    venue.l3[to] = venue.l3[at]
    row = venue.l3[to]
    _join(venue, row["level"], row["prev"], row["next"], to + 1, to + 1)


@kernel
def advances(row: np.ndarray, priority: int, lots: int) -> None:
    """An order with `priority` lost `lots` at our level. Mutates: row (RESTING)."""
    if 0 < priority <= row["priority"]:
        row["ahead_micro"] = max(0, row["ahead_micro"] - min(lots, LOTS_MAX) * MICRO)
