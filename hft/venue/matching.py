"""What happens to our resting orders when the market moves, and to our commands when they arrive.

Price-time matching against the recorded market: we take what is displayed and not yet taken, we are
filled when trading passes our place in the queue or the other side crosses our price. In `capped`
mode no fill exceeds what the tape shows; in whole mode (for comparison with other simulators) an
order fills at once. Every outcome is a response message; the replay journals and delivers it.
"""

import numpy as np

from hft.core.codes import (
    EventKind,
    Flag,
    IntentType,
    LatencyLeg,
    Liquidity,
    OrderType,
    Reason,
    ResponseKind,
    StatusCode,
    Tif,
)
from hft.core.dtypes import Row
from hft.core.jit import kernel, out_of_line
from hft.market.book import NO_ASK, NO_BID, Books, level_lots, next_ask, next_bid
from hft.venue import fifo, queue
from hft.venue.state import (
    QUEUE_FIFO,
    QUEUE_USER,
    VenueState,
    leg_ns,
    link,
    push,
    take,
    taken_at,
    unlink,
)

_RESPONSE = LatencyLeg.RESPONSE.value
_MAKER = Liquidity.MAKER.value
_TAKER = Liquidity.TAKER.value
_ACK = ResponseKind.ACK.value
_FILL = ResponseKind.FILL.value
_CANCELLED = ResponseKind.CANCELLED.value
_EXPIRED = ResponseKind.EXPIRED.value
_REJECTED = ResponseKind.REJECTED.value
_CANCEL_REJECTED = ResponseKind.CANCEL_REJECTED.value
_AMENDED = ResponseKind.AMENDED.value
_AMEND_REJECTED = ResponseKind.AMEND_REJECTED.value
_NEW = IntentType.NEW.value
_AMEND = IntentType.AMEND.value
_CANCEL = IntentType.CANCEL.value
_GTX = Tif.GTX.value
_IOC = Tif.IOC.value
_FOK = Tif.FOK.value
_GTD = Tif.GTD.value
_DAY = Tif.DAY.value
_OPEN = StatusCode.OPEN.value
_MARKET = OrderType.MARKET.value
_EXECUTE = EventKind.EXECUTE.value
_NO_BOOK = Flag.NO_BOOK.value
_VENUE_REJECT = Reason.VENUE_REJECT.value
UNKNOWN_AHEAD = 1 << 60


@kernel(inline=True)
def respond(
    venue: VenueState, kind: int, slot: int, order_id: int, price: int, qty: int, ts: int
) -> np.ndarray:
    """Queue an answer of the venue; the caller fills in what the kind adds. Mutates: venue."""
    arrives_ns = ts + leg_ns(venue, _RESPONSE, ts)
    at = max(0, push(venue.responses, venue.queues[1], venue.head[0], arrives_ns))
    message = venue.responses[at]
    message["kind"] = kind
    message["slot"] = slot
    message["order_id"] = order_id
    message["price"] = price
    message["qty"] = qty
    message["reason"] = 0
    message["acted_ns"] = ts
    message["due_ns"] = arrives_ns
    message["liquidity"] = 0
    message["fill_id"] = 0
    message["mid2"] = 0
    message["copy"] = 0
    return message


@kernel(inline=True)
def fill(
    venue: VenueState, slot: int, order_id: int, price: int, qty: int, liquidity: int, ts: int
) -> None:
    """Queue one fill. Mutates: venue."""
    head = venue.head[0]
    head["fill_id"] += 1
    message = respond(venue, _FILL, slot, order_id, price, qty, ts)
    message["liquidity"] = liquidity
    message["fill_id"] = head["fill_id"]


@kernel
def fill_resting(venue: VenueState, slot: int, qty: int, ts: int) -> None:
    """A resting order trades at its own price; a complete one leaves the book. Mutates: venue."""
    row = venue.resting[slot]
    fill(venue, slot, row["order_id"], row["price"], qty, _MAKER, ts)
    row["open_qty"] -= qty
    if row["open_qty"] == 0:
        unlink(venue, slot)


@kernel
def level_changed(
    venue: VenueState, instrument_idx: int, side: int, tick: int, before: int, after: int
) -> None:
    """The tape restated a level where we may rest: queue positions move. Mutates: venue."""
    out_of_line()
    head = venue.head[0]
    slot = venue.lists[2 * instrument_idx + side]
    while slot >= 0:
        row = venue.resting[slot]
        if row["price"] == tick and head["queue_model"] == QUEUE_USER:
            queue.asks(row, head, before, after)
        elif row["price"] == tick:
            queue.changes(row, head["queue_model"], head["queue_power_e6"], before, after)
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
    best = book["bid"] if side == 0 else book["ask"]
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
def sweep(
    venue: VenueState,
    books: Books,
    book: np.ndarray,
    instrument_idx: int,
    side: int,
    limit: int,
    lots: int,
) -> int:
    """Take up to `lots` displayed on `side` at `limit` or better; returns what was there.

    Mutates: venue (taken liquidity).
    """
    got = 0
    tick = book["bid"] if side == 0 else book["ask"]
    while got < lots and _within(side, tick, limit):
        free = level_lots(books, book, side, tick) - taken_at(venue, instrument_idx, side, tick)
        part = min(free, lots - got)
        if part > 0:
            take(venue, instrument_idx, side, tick, part)
            got += part
        tick = next_bid(books, book, tick) if side == 0 else next_ask(books, book, tick)
    return got


@kernel
def _within(side: int, tick: int, limit: int) -> bool:
    """Is a level of `side` at `tick` good enough for a taker whose limit is `limit`?"""
    if side == 0:
        return tick != NO_BID and tick >= limit
    return tick != NO_ASK and tick <= limit


@kernel
def traded(
    venue: VenueState, instrument_idx: int, aggressor: int, tick: int, lots: int, ts: int
) -> None:
    """A print: our orders it went through are filled, those at its price wait their turn.

    Mutates: venue. Units: aggressor is the taker's side, 2 when unknown (both sides are tried).
    """
    out_of_line()
    if aggressor != 1:
        _traded_side(venue, instrument_idx, 1, tick, lots, ts)
    if aggressor != 0:
        _traded_side(venue, instrument_idx, 0, tick, lots, ts)


@kernel
def _traded_side(
    venue: VenueState, instrument_idx: int, own: int, tick: int, lots: int, ts: int
) -> None:
    head = venue.head[0]
    capped = head["capped"] != 0
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
        elif head["queue_model"] != QUEUE_FIFO:
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


@kernel
def order_left(
    venue: VenueState,
    instrument_idx: int,
    kind: int,
    side: int,
    tick: int,
    lots: int,
    order_id: int,
    flags: int,
    ts: int,
) -> None:
    """An L3 order shrank by a cancel or an execution: our exact place follows. Mutates: venue."""
    out_of_line()
    if flags & _NO_BOOK != 0:
        priority = fifo.priority_of(venue, instrument_idx, order_id)
    else:
        priority = fifo.reduce(venue, instrument_idx, order_id, lots)
    left = lots
    slot = venue.lists[2 * instrument_idx + side]
    while slot >= 0:
        row = venue.resting[slot]
        after = row["next_slot"]
        price = row["price"]
        qty = 0
        if kind == _EXECUTE:
            through = price > tick if side == 0 else price < tick
            overtaken = price == tick and (priority == 0 or priority > row["priority"])
            if through or (overtaken and row["ahead_micro"] <= 0):
                qty = min(row["open_qty"], left)
        if price == tick and flags & _NO_BOOK == 0:
            fifo.advances(row, priority, lots)
        if qty > 0:
            left -= qty
            fill_resting(venue, slot, qty, ts)
        slot = after


@kernel(inline=True)
def arrives(
    venue: VenueState,
    books: Books,
    book: np.ndarray,
    orders: np.ndarray,
    message: np.ndarray,
    up: bool,
) -> None:
    """A command reaches the venue at message["ts_ns"]. Mutates: venue.

    `orders` is the table of what was asked for; not `up`, the venue refuses the command.
    """
    kind = message["kind"]
    slot = message["slot"]
    ts = message["ts_ns"]
    if not up:
        answer = respond(venue, _refusal(kind), slot, message["order_id"], 0, 0, ts)
        answer["reason"] = _VENUE_REJECT
    elif kind == _CANCEL:
        _cancel(venue, slot, message["order_id"], ts)
    elif kind == _AMEND:
        _amend(venue, books, book, slot, message, ts)
    else:
        order = orders[slot]
        row = venue.resting[slot]
        row["order_id"] = message["order_id"]
        row["instrument_idx"] = order["instrument_idx"]
        row["side"] = order["side"]
        row["price"] = message["price"]
        row["open_qty"] = message["qty"]
        row["tif"] = order["tif"]
        row["expire_ts_ns"] = order["expire_ts_ns"]
        row["total_qty"] = message["qty"]
        row["arrived_ns"] = ts
        _enter(venue, books, book, slot, order["order_type"] == _MARKET, _ACK, ts)


@kernel
def _refusal(kind: int) -> int:
    """How a venue refuses a command; an order that an amend or cancel was about stays."""
    if kind == _CANCEL:
        return _CANCEL_REJECTED
    return _AMEND_REJECTED if kind == _AMEND else _REJECTED


@kernel
def _enter(
    venue: VenueState,
    books: Books,
    book: np.ndarray,
    slot: int,
    market: bool,
    answer: int,
    ts: int,
) -> None:
    """Match what can be matched, then rest or expire. Mutates: venue."""
    row = venue.resting[slot]
    order_id = row["order_id"]
    side = row["side"]
    tif = row["tif"]
    best = book["ask"] if side == 0 else book["bid"]
    quoted = best != NO_ASK and best != NO_BID and book["complete"] != 0
    quoted = quoted and venue.phases[row["instrument_idx"]] == _OPEN
    limit = row["price"]
    if market:
        limit = NO_ASK if side == 0 else NO_BID
    above, below = limit - best, best - limit
    crosses = quoted and (above if side == 0 else below) >= 0
    if crosses and tif == _GTX:
        _expire(venue, slot, order_id, ts)
        return
    if crosses and not (tif == _FOK and not _whole_available(venue, books, book, slot, limit)):
        _take(venue, books, book, slot, limit, answer, ts)
        if row["open_qty"] == 0:
            row["order_id"] = 0
            return
        answer = -1
    if market or tif == _IOC or tif == _FOK:
        _expire(venue, slot, order_id, ts)
        return
    queue.joins(row, level_lots(books, book, side, row["price"]))
    if book["complete"] == 0:
        # Nobody knows who stands there; `book_settled` will, when the book is whole again.
        row["ahead_micro"] = UNKNOWN_AHEAD
    row["priority"] = venue.head[0]["priority"]
    link(venue, slot)
    if tif == _GTD:
        venue.head[0]["next_expiry_ns"] = min(
            venue.head[0]["next_expiry_ns"], max(row["expire_ts_ns"], ts)
        )
    if answer >= 0:
        respond(venue, answer, slot, order_id, row["price"], row["open_qty"], ts)


@kernel
def _expire(venue: VenueState, slot: int, order_id: int, ts: int) -> None:
    """An order that never rested ends. Mutates: venue."""
    row = venue.resting[slot]
    row["order_id"] = 0
    respond(venue, _EXPIRED, slot, order_id, row["price"], row["open_qty"], ts)


@kernel
def _whole_available(
    venue: VenueState, books: Books, book: np.ndarray, slot: int, limit: int
) -> bool:
    """Can a FOK order fill whole from what is displayed and not taken?"""
    row = venue.resting[slot]
    if venue.head[0]["capped"] == 0:
        return True
    other = 1 - row["side"]
    need = row["open_qty"]
    tick = book["bid"] if other == 0 else book["ask"]
    while need > 0 and _within(other, tick, limit):
        need -= level_lots(books, book, other, tick) - taken_at(
            venue, row["instrument_idx"], other, tick
        )
        tick = next_bid(books, book, tick) if other == 0 else next_ask(books, book, tick)
    return need <= 0


@kernel
def _take(
    venue: VenueState,
    books: Books,
    book: np.ndarray,
    slot: int,
    limit: int,
    answer: int,
    ts: int,
) -> None:
    """Take liquidity level by level; each level is one fill at its price. Mutates: venue."""
    row = venue.resting[slot]
    order_id = row["order_id"]
    other = 1 - row["side"]
    tick = book["bid"] if other == 0 else book["ask"]
    if venue.head[0]["capped"] == 0:
        qty = row["open_qty"]
        respond(venue, answer, slot, order_id, row["price"], qty, ts)
        row["open_qty"] = 0
        fill(venue, slot, order_id, tick, qty, _TAKER, ts)
        return
    # A remainder will rest or expire; its acknowledgement comes first, as on a real venue.
    respond(venue, answer, slot, order_id, row["price"], row["open_qty"], ts)
    while row["open_qty"] > 0 and _within(other, tick, limit):
        free = level_lots(books, book, other, tick)
        free -= taken_at(venue, row["instrument_idx"], other, tick)
        part = min(free, row["open_qty"])
        if part > 0:
            take(venue, row["instrument_idx"], other, tick, part)
            row["open_qty"] -= part
            fill(venue, slot, order_id, tick, part, _TAKER, ts)
        tick = next_bid(books, book, tick) if other == 0 else next_ask(books, book, tick)


@kernel
def _cancel(venue: VenueState, slot: int, order_id: int, ts: int) -> None:
    row = venue.resting[slot]
    if row["order_id"] != order_id:
        respond(venue, _CANCEL_REJECTED, slot, order_id, 0, 0, ts)
        return
    qty = row["open_qty"]
    price = row["price"]
    unlink(venue, slot)
    respond(venue, _CANCELLED, slot, order_id, price, qty, ts)


@kernel
def _amend(
    venue: VenueState,
    books: Books,
    book: np.ndarray,
    slot: int,
    message: np.ndarray,
    ts: int,
) -> None:
    """New price and new total quantity; what the venue has filled stays filled. Mutates: venue."""
    row = venue.resting[slot]
    order_id = message["order_id"]
    if row["order_id"] != order_id:
        respond(venue, _AMEND_REJECTED, slot, order_id, message["price"], message["qty"], ts)
        return
    open_qty = message["qty"] - (row["total_qty"] - row["open_qty"])
    keeps = (
        message["price"] == row["price"]
        and open_qty <= row["open_qty"]
        and venue.head[0]["amend_keeps_priority"] != 0
    )
    if open_qty <= 0:
        _cancel(venue, slot, order_id, ts)
        return
    row["total_qty"] = message["qty"]
    if keeps:
        row["open_qty"] = open_qty
        respond(venue, _AMENDED, slot, order_id, row["price"], row["open_qty"], ts)
    else:
        unlink(venue, slot)
        row["order_id"] = order_id
        row["price"] = message["price"]
        row["open_qty"] = open_qty
        _enter(venue, books, book, slot, False, _AMENDED, ts)


@kernel
def book_settled(
    venue: VenueState, books: Books, book: Row, instrument_idx: int, exact: bool, ts: int
) -> None:
    """The book is whole again, or trading has opened: places and crossed orders are settled.

    Mutates: venue.
    """
    out_of_line()
    for side in range(2):
        slot = venue.lists[2 * instrument_idx + side]
        while slot >= 0 and not exact:
            row = venue.resting[slot]
            shown = level_lots(books, book, side, row["price"]) * queue.MICRO
            row["ahead_micro"] = min(row["ahead_micro"], shown)
            slot = row["next_slot"]
    if venue.phases[instrument_idx] == _OPEN and book["complete"] != 0:
        touch_crossed(venue, books, book, instrument_idx, 0, ts)
        touch_crossed(venue, books, book, instrument_idx, 1, ts)


@kernel
def session_closed(venue: VenueState, instrument_idx: int, ts: int) -> None:
    """DAY orders end when the session closes. Mutates: venue."""
    out_of_line()
    for side in range(2):
        slot = venue.lists[2 * instrument_idx + side]
        while slot >= 0:
            row = venue.resting[slot]
            after = row["next_slot"]
            if row["tif"] == _DAY:
                order_id = row["order_id"]
                unlink(venue, slot)
                _expire(venue, slot, order_id, ts)
            slot = after


@kernel
def expire_due(venue: VenueState, ts: int) -> None:
    """End the GTD orders whose time has come and find the next. Mutates: venue."""
    out_of_line()
    soonest = 1 << 62
    for at in range(len(venue.lists)):
        slot = venue.lists[at]
        while slot >= 0:
            row = venue.resting[slot]
            after = row["next_slot"]
            if row["tif"] == _GTD:
                if row["expire_ts_ns"] <= ts:
                    order_id = row["order_id"]
                    unlink(venue, slot)
                    _expire(venue, slot, order_id, ts)
                else:
                    soonest = min(soonest, row["expire_ts_ns"])
            slot = after
    venue.head[0]["next_expiry_ns"] = soonest
