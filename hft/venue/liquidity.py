"""What we took of the recorded book, and what is therefore free to be taken.

Lots that we took stay taken until the level falls: each lot that leaves may have been one of them.
On tapes with every order they are the lots of the level's first orders, until those leave. By the
former rule (`restated`) any statement of the level gives all of them back. One number a level, for
every level there is; nothing is forgotten but with its level.
"""

import numpy as np

from hft.core.dtypes import Row
from hft.core.jit import kernel, out_of_line, seldom
from hft.market.book import NO_ASK, NO_BID, Books, level_at, next_ask, next_bid
from hft.venue.fifo import take_orders, taken_of_orders
from hft.venue.state import VenueState, hold


@kernel
def free_lots(venue: VenueState, books: Books, book: np.ndarray, side: int, tick: int) -> int:
    """Lots of a level that nobody has taken."""
    level = level_at(book, side, tick)
    return 0 if level < 0 else books.qty[level] - venue.taken[level]


@kernel
def take(venue: VenueState, book: np.ndarray, i: int, side: int, tick: int, lots: int) -> None:
    """Remember lots of a level that our own order took. Mutates: venue."""
    level = level_at(book, side, tick)
    hold(venue, level, venue.taken[level] + lots)
    if venue.markets[i]["followed"] != 0 and venue.head[0]["restated"] == 0:
        take_orders(venue, level, lots)


@kernel
def sweep(
    venue: VenueState, books: Books, book: np.ndarray, i: int, side: int, limit: int, lots: int
) -> int:
    """Take up to `lots` of what is free on `side` at `limit` or better; returns what there was.

    Mutates: venue.
    """
    got = 0
    tick = best_of(book, side)
    while got < lots and is_within(side, tick, limit):
        part = min(free_lots(venue, books, book, side, tick), lots - got)
        if part > 0:
            take(venue, book, i, side, tick, part)
            got += part
        tick = next_level(books, book, side, tick)
    return got


@kernel
def is_enough(
    venue: VenueState, books: Books, book: np.ndarray, side: int, limit: int, lots: int
) -> bool:
    """Are so many lots free on `side` at `limit` or better?"""
    tick = best_of(book, side)
    while lots > 0 and is_within(side, tick, limit):
        lots -= max(0, free_lots(venue, books, book, side, tick))
        tick = next_level(books, book, side, tick)
    return lots <= 0


@kernel
def is_deeper(books: Books, book: np.ndarray, side: int, limit: int, levels: int) -> bool:
    """Has `side` more than so many levels at `limit` or better?"""
    tick = best_of(book, side)
    while levels >= 0 and is_within(side, tick, limit):
        levels -= 1
        tick = next_level(books, book, side, tick)
    return levels < 0


@kernel(inline=True)
def best_of(book: Row, side: int) -> int:
    """The best tick of a side."""
    return book["bid"] if side == 0 else book["ask"]


@kernel
def next_level(books: Books, book: np.ndarray, side: int, tick: int) -> int:
    """The next level of a side, away from the market."""
    return next_bid(books, book, tick) if side == 0 else next_ask(books, book, tick)


@kernel
def is_within(side: int, tick: int, limit: int) -> bool:
    """Is a level of `side` at `tick` good enough for a taker whose limit is `limit`?"""
    if side == 0:
        return tick != NO_BID and tick >= limit
    return tick != NO_ASK and tick <= limit


@kernel
def level_stated(
    venue: VenueState, books: Books, book: Row, side: int, tick: int, before: int
) -> None:
    """A row stated a level that showed `before`; the book has it. Mutates: venue."""
    seldom()
    level = level_at(book, side, tick)
    if level < 0 or venue.taken[level] == 0:
        return
    lots = 0
    if venue.head[0]["restated"] == 0:
        lots = _left(venue, level, before, books.qty[level])
    hold(venue, level, lots)


@kernel
def level_fell(
    venue: VenueState, books: Books, book: Row, side: int, tick: int, before: int, known: bool
) -> None:
    """Lots of a level left; those of an order we know only count once nothing is there.

    Mutates: venue.
    """
    out_of_line()
    level = level_at(book, side, tick)
    if level >= 0 and venue.taken[level] > 0 and not (known and books.qty[level] > 0):
        hold(venue, level, _left(venue, level, before, books.qty[level]))


@kernel
def _left(venue: VenueState, level: int, before: int, after: int) -> int:
    """What still counts as taken of a level that went from `before` to `after`.

    Lots of orders that are known stay taken until those leave, whatever else leaves their level.
    """
    known = taken_of_orders(venue, level)
    if after == 0:
        return known
    return known + max(0, venue.taken[level] - known - max(0, before - after))


@kernel
def side_cleared(venue: VenueState, books: Books, book: Row, side: int) -> None:
    """All levels of a side are about to go, hidden ones too. Mutates: venue."""
    seldom()
    tick = next_level(books, book, side, NO_ASK if side == 0 else NO_BID)
    while tick != NO_BID and tick != NO_ASK:
        hold(venue, level_at(book, side, tick), 0)
        tick = next_level(books, book, side, tick)
