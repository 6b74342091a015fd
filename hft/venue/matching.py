"""What happens to our resting orders when the market moves.

Price-time matching against the recorded market: an order is filled when trading passes its place in
the queue, or when the other side reaches its price. In `capped` mode no fill exceeds what the tape
shows; in whole mode (for comparison with other simulators) an order fills at once. Every outcome is
an answer; the replay journals and delivers it. Every rule: docs/reference/venue.md.
"""

import numpy as np

from hft.core.codes import StatusCode
from hft.core.dtypes import Row
from hft.core.jit import kernel, out_of_line, seldom
from hft.market.book import Books, level_lots
from hft.venue import fifo, queue
from hft.venue.answers import fill_resting
from hft.venue.liquidity import best_of, sweep
from hft.venue.state import QUEUE_FIFO, QUEUE_USER, VenueState

_OPEN = StatusCode.OPEN.value


@kernel
def level_changed(
    venue: VenueState, instrument_idx: int, side: int, tick: int, before: int, after: int
) -> None:
    """The tape restated a level where we may rest: queue positions move. Mutates: venue."""
    out_of_line()
    head = venue.head[0]
    model = venue.markets[instrument_idx]["queue"]
    slot = venue.lists[2 * instrument_idx + side]
    while slot >= 0:
        row = venue.resting[slot]
        if row["price"] == tick and model == QUEUE_USER:
            queue.asks(row, head, before, after)
        elif row["price"] == tick:
            queue.changes(row, model, head["queue_power_e6"], before, after)
        slot = row["next_slot"]


@kernel
def touch_crossed(
    venue: VenueState, books: Books, book: np.ndarray, instrument_idx: int, side: int, ts: int
) -> None:
    """The best of `side` improved: our orders of the other side that it reached are filled.

    Capped fills take the crossing quantity from the levels that crossed. Mutates: venue.
    """
    out_of_line()
    own = 1 - side
    best = best_of(book, side)
    capped = venue.head[0]["capped"] != 0
    slot = venue.lists[2 * instrument_idx + own]
    while slot >= 0:
        row = venue.resting[slot]
        after = row["next_slot"]
        price = row["price"]
        if (own == 1 and price <= best) or (own == 0 and price >= best):
            qty = row["open_qty"]
            if capped:
                qty = sweep(venue, books, book, instrument_idx, side, price, qty)
            if qty > 0:
                fill_resting(venue, slot, qty, ts)
        slot = after


@kernel
def traded(
    venue: VenueState, instrument_idx: int, aggressor: int, tick: int, lots: int, ts: int
) -> None:
    """A print: our orders it went through are filled, those at its price wait their turn.

    Mutates: venue. Units: aggressor is the taker's side, 2 when unknown: then our sells come first,
    and our buys have what is left of its lots.
    """
    out_of_line()
    left = lots
    if aggressor != 1:
        left = _traded_side(venue, instrument_idx, 1, tick, left, ts)
    if aggressor != 0 and left > 0:
        _traded_side(venue, instrument_idx, 0, tick, left, ts)


@kernel
def _traded_side(
    venue: VenueState, instrument_idx: int, own: int, tick: int, lots: int, ts: int
) -> int:
    """What a print does to our orders of one side; returns what is left of it. Mutates: venue."""
    capped = venue.head[0]["capped"] != 0
    left = lots
    got = 0
    slot = venue.lists[2 * instrument_idx + own]
    while slot >= 0:
        row = venue.resting[slot]
        after = row["next_slot"]
        price = row["price"]
        qty = 0
        if price != tick:
            if (own == 1) == (price < tick):
                qty = row["open_qty"]
        else:
            queue.trades(row, lots)
            if row["ahead_micro"] < 0:
                qty = row["open_qty"]
                if capped:
                    # Own orders that came before stand before this one, too.
                    qty = max(0, min(qty, queue.reached_lots(row) - got))
                    row["ahead_micro"] = 0
                    got += min(qty, left)
        if capped:
            qty = min(qty, left)
            left -= qty
        if qty > 0:
            fill_resting(venue, slot, qty, ts)
        slot = after
    return left


@kernel
def executed(
    venue: VenueState, i: int, side: int, tick: int, lots: int, order_id: int, ts: int
) -> None:
    """A market order on an L3 tape traded: who stands before it by price and time is filled first.

    Mutates: venue.
    """
    out_of_line()
    priority = fifo.priority_of(venue, i, order_id)
    left = lots
    slot = venue.lists[2 * i + side]
    while slot >= 0 and left > 0:
        row = venue.resting[slot]
        after = row["next_slot"]
        price = row["price"]
        through = price > tick if side == 0 else price < tick
        overtaken = price == tick and (priority == 0 or priority > row["priority"])
        if through or (overtaken and row["ahead_micro"] <= 0):
            qty = min(row["open_qty"], left)
            left -= qty
            fill_resting(venue, slot, qty, ts)
        slot = after


@kernel
def order_left(venue: VenueState, i: int, side: int, tick: int, lots: int, order_id: int) -> bool:
    """A market order on an L3 tape shrank: exact places behind it follow. Mutates: venue.

    Returns: whether the order was known.
    """
    out_of_line()
    priority = fifo.reduce(venue, i, order_id, lots)
    if venue.markets[i]["queue"] == QUEUE_FIFO:
        slot = venue.lists[2 * i + side]
        while slot >= 0:
            row = venue.resting[slot]
            if row["price"] == tick:
                fifo.advances(row, priority, lots)
            slot = row["next_slot"]
    return priority != 0


@kernel
def book_settled(
    venue: VenueState, books: Books, book: Row, instrument_idx: int, anew: bool, ts: int
) -> None:
    """The book is whole again (`anew`), or trading has opened: places and crossings are settled.

    An exact place stays exact while trading stops; orders from before a gap are unknown behind it.
    Mutates: venue.
    """
    seldom()
    exact = venue.markets[instrument_idx]["queue"] == QUEUE_FIFO
    for side in range(2):
        slot = venue.lists[2 * instrument_idx + side]
        while slot >= 0 and (anew or not exact):
            row = venue.resting[slot]
            queue.settles(row, level_lots(books, book, side, row["price"]))
            row["priority"] = venue.head[0]["priority"]
            slot = row["next_slot"]
    if venue.markets[instrument_idx]["phase"] == _OPEN and book["complete"] != 0:
        touch_crossed(venue, books, book, instrument_idx, 0, ts)
        touch_crossed(venue, books, book, instrument_idx, 1, ts)
