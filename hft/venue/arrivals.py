"""What happens to our commands when they reach the venue: matched, rested, amended, ended.

We take what is displayed and free, level by level; a post-only order ends rather than take, or lock
or cross an order of our own. Every rule: docs/reference/venue.md.
"""

import numpy as np

from hft.core.codes import IntentType, Liquidity, OrderType, Reason, ResponseKind, StatusCode, Tif
from hft.core.jit import kernel, seldom
from hft.market.book import NO_ASK, NO_BID, Books, level_lots
from hft.venue import queue
from hft.venue.answers import BESIDE_FILLS, COPIES, expire, fill, respond, room
from hft.venue.liquidity import (
    best_of,
    free_lots,
    is_deeper,
    is_enough,
    is_within,
    next_level,
    take,
)
from hft.venue.state import VenueState, link, unlink

_TAKER = Liquidity.TAKER.value
_ACK = ResponseKind.ACK.value
_CANCELLED = ResponseKind.CANCELLED.value
_REJECTED = ResponseKind.REJECTED.value
_CANCEL_REJECTED = ResponseKind.CANCEL_REJECTED.value
_AMENDED = ResponseKind.AMENDED.value
_AMEND_REJECTED = ResponseKind.AMEND_REJECTED.value
_AMEND = IntentType.AMEND.value
_CANCEL = IntentType.CANCEL.value
_GTX = Tif.GTX.value
_IOC = Tif.IOC.value
_FOK = Tif.FOK.value
_GTD = Tif.GTD.value
_OPEN = StatusCode.OPEN.value
_MARKET = OrderType.MARKET.value
_VENUE_REJECT = Reason.VENUE_REJECT.value
UNKNOWN_AHEAD = 1 << 60


@kernel(inline=True)
def has_room(
    venue: VenueState, books: Books, book: np.ndarray, orders: np.ndarray, message: np.ndarray
) -> bool:
    """Can the ring of answers take all that this command may be answered?"""
    answers = COPIES * (message["qty"] + BESIDE_FILLS)
    return answers <= room(venue) or _levels_fit(venue, books, book, orders, message)


@kernel
def _levels_fit(
    venue: VenueState, books: Books, book: np.ndarray, orders: np.ndarray, message: np.ndarray
) -> bool:
    """A fill takes at least one level: are there few enough within the command's limit?"""
    seldom()
    order = orders[message["slot"]]
    other = 1 - message["side"]
    end = NO_BID if other == 0 else NO_ASK
    limit = end if order["order_type"] == _MARKET else message["price"]
    levels = room(venue) // COPIES - BESIDE_FILLS
    return not is_deeper(books, book, other, limit, levels)


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
        row["account_idx"] = order["account_idx"]
        row["side"] = order["side"]
        row["price"] = message["price"]
        row["open_qty"] = message["qty"]
        row["tif"] = order["tif"]
        row["expire_ts_ns"] = order["expire_ts_ns"]
        row["total_qty"] = message["qty"]
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
    if tif == _GTX and venue.head[0]["capped"] != 0 and _meets_own(venue, slot):
        expire(venue, slot, order_id, ts)
        return
    best = best_of(book, 1 - side)
    market_row = venue.markets[row["instrument_idx"]]
    limit = row["price"]
    if market:
        limit = NO_ASK if side == 0 else NO_BID
    crosses = book["complete"] != 0 and market_row["phase"] == _OPEN
    crosses = crosses and is_within(1 - side, best, limit)
    if crosses and tif == _GTX:
        expire(venue, slot, order_id, ts)
        return
    if crosses and not (tif == _FOK and not _whole_available(venue, books, book, slot, limit)):
        _take(venue, books, book, slot, limit, answer, ts)
        if row["open_qty"] == 0:
            row["order_id"] = 0
            return
        answer = -1
    if market or tif == _IOC or tif == _FOK:
        expire(venue, slot, order_id, ts)
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
def _meets_own(venue: VenueState, slot: int) -> bool:
    """Would this order lock or cross a resting order of the same account?"""
    row = venue.resting[slot]
    side = row["side"]
    at = venue.lists[2 * row["instrument_idx"] + 1 - side]
    while at >= 0 and is_within(1 - side, venue.resting[at]["price"], row["price"]):
        if venue.resting[at]["account_idx"] == row["account_idx"]:
            return True
        at = venue.resting[at]["next_slot"]
    return False


@kernel
def _whole_available(
    venue: VenueState, books: Books, book: np.ndarray, slot: int, limit: int
) -> bool:
    """Can a FOK order fill whole from what is displayed and free?"""
    row = venue.resting[slot]
    if venue.head[0]["capped"] == 0:
        return True
    return is_enough(venue, books, book, 1 - row["side"], limit, row["open_qty"])


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
    i = row["instrument_idx"]
    other = 1 - row["side"]
    # A remainder will rest or expire; its acknowledgement comes first, as on a real venue.
    respond(venue, answer, slot, row["order_id"], row["price"], row["open_qty"], ts)
    tick = best_of(book, other)
    capped = venue.head[0]["capped"] != 0
    while row["open_qty"] > 0 and is_within(other, tick, limit):
        part = row["open_qty"]
        if capped:
            part = min(free_lots(venue, books, book, other, tick), part)
        if part > 0:
            if capped:
                take(venue, book, i, other, tick, part)
            row["open_qty"] -= part
            venue.markets[i]["took_lots"] += part
            fill(venue, slot, row["order_id"], tick, part, _TAKER, ts)
        tick = next_level(books, book, other, tick)


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
