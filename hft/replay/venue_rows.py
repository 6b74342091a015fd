"""Tape rows at the venue, in its time: its book, prints, orders of an L3 tape, sessions, our fills.

The cursor walks by `exch_ts`, tight over the memory-mapped columns of one batch, and steps to the
next by the table of addresses; it never passes `end_ns`. What each row does, and in which order:
docs/reference/venue.md.
"""

import numpy as np

from hft.core import digest
from hft.core.codes import EventKind, Flag, StatusCode
from hft.core.jit import kernel, out_of_line, seldom
from hft.market.book import apply_row, level_at, level_lots, put_level, window_of
from hft.replay.batch import (
    ONE_SIDED,
    VENUE_ONLY,
    VIEW_ONLY,
    columns_of,
    exch_ns_at,
    flags_at,
    kind_at,
    next_row,
    order_id_at,
    price_at,
    qty_at,
    side_at,
)
from hft.replay.glances import keep_up, take_glance
from hft.replay.state import Engine
from hft.venue import fifo
from hft.venue.expiry import session_closed
from hft.venue.liquidity import best_of, level_fell, level_stated, side_cleared
from hft.venue.matching import (
    book_settled,
    executed,
    level_changed,
    order_left,
    touch_crossed,
    traded,
)
from hft.venue.state import FOREVER, QUEUE_FIFO

_LEVEL = EventKind.LEVEL.value
_CLEAR = EventKind.CLEAR.value
_ADD = EventKind.ADD.value
_CANCEL = EventKind.CANCEL.value
_EXECUTE = EventKind.EXECUTE.value
_TRADE = EventKind.TRADE.value
_BBO = EventKind.BBO.value
_STATUS = EventKind.STATUS.value
_SIGNAL = EventKind.SIGNAL.value
_NO_BOOK = Flag.NO_BOOK.value
_AUCTION = Flag.AUCTION.value
_OPEN = StatusCode.OPEN.value
_CLOSE = StatusCode.CLOSE.value


@kernel
def venue_span(engine: Engine, i: int, until_ns: int) -> None:
    """The venue sees rows of instrument `i` up to `until_ns` inclusive, as far as the batch goes.

    Stops early when a fill has been queued that reaches us before `until_ns`.
    Mutates: books, venue, feeds[i], mixes[i].
    """
    out_of_line()
    feed = engine.feeds[i]
    batch = engine.batches[feed["first_batch"] + feed["venue_batch"]]
    clock = engine.clock[0]
    books = engine.books
    head = books.heads[2 * i]
    venue = engine.venue
    queue = venue.queues[1]
    row = feed["venue_row"]
    seen = feed["seen"]
    seen0 = seen
    listened = i < engine.trading.head[0]["listened"]
    mix = engine.mixes[i]
    answered = queue["last"]
    plain = feed["l3"] == 0
    taken = venue.head[0]
    ts = feed["venue_ns"]
    end_ns = min(clock["end_ns"], FOREVER - 1)
    until_ns = min(until_ns, end_ns)
    mark_ns = feed["mark_ns"]
    # What a call in the loop may change is read anew: the touch here, the rest where it is used.
    kinds, sides, ticks, quantities, exch_ts, local_ts, flags = columns_of(batch)
    window = window_of(head)
    bid, ask = head["bid"], head["ask"]
    while ts <= until_ns:
        if local_ts[row] > mark_ns:
            mark_ns = take_glance(engine, i, row, seen)
        kind, side = np.int64(kinds[row]), np.int64(sides[row])
        tick, lots = ticks[row], quantities[row]
        seen += 1
        if listened:
            mix = digest.row_add(mix, digest.row_word(seen, ts, kind, side, tick, lots))
        if kind == _LEVEL and plain:
            before = put_level(books, head, window, bid, ask, side, tick, lots)
            # Most rows stop here: only a level where we rest, or a better touch, concerns us.
            ours = venue.spans[2 * i + side]
            if ours["low"] <= tick <= ours["high"] and head["complete"] != 0:
                level_changed(venue, i, side, tick, before, lots)
            if taken["taken_levels"] > 0:
                level_stated(venue, books, head, side, tick, before)
            if head["bid"] > bid:
                _touch_improved(engine, i, 0, bid + ask, ts)
            if head["ask"] < ask:
                _touch_improved(engine, i, 1, bid + ask, ts)
        else:
            _venue_row(engine, i, row, ts)
        bid, ask = head["bid"], head["ask"]
        row += 1
        if row >= batch["rows"]:
            ts = FOREVER
            break
        if flags[row] & ONE_SIDED != 0:
            mark_ns = FOREVER
            row = _skip_unseen(engine, i, row)
            if row >= batch["rows"]:
                ts = FOREVER
                break
        ts = exch_ts[row]
        if queue["last"] != answered:
            break
    engine.mixes[i] = mix
    feed["seen"] = seen
    feed["venue_row"] = row
    feed["venue_ns"] = ts
    clock["rows"] += seen - seen0
    if ts == FOREVER:
        next_venue_batch(engine, i)
    elif ts > end_ns:
        feed["venue_ns"] = FOREVER


@kernel
def _skip_unseen(engine: Engine, i: int, row: int) -> int:
    """The first row from `row` on that the venue sees; the two sides see other rows from here on.

    Mutates: as `keep_up`.
    """
    out_of_line()
    keep_up(engine, i)
    feed = engine.feeds[i]
    return next_row(engine.batches[feed["first_batch"] + feed["venue_batch"]], row, VIEW_ONLY)


@kernel(inline=True)
def _touch_improved(engine: Engine, i: int, side: int, mid2: int, ts: int) -> None:
    """The best of a side came closer: who rests where it now stands is filled. Mutates: venue.

    `mid2` is the mid before the row: markouts start where the market stood when it reached us.
    """
    if engine.venue.lists[2 * i + 1 - side] < 0:
        return
    head = engine.books.heads[2 * i]
    if head["complete"] != 0 and engine.venue.markets[i]["phase"] == _OPEN:
        engine.feeds[i]["mid2"] = mid2
        touch_crossed(engine.venue, engine.books, head, i, side, ts)


@kernel
def _venue_row(engine: Engine, i: int, row: int, ts: int) -> None:
    """A row that is no plain level: trades, quotes, snapshots, sessions, orders of an L3 tape."""
    out_of_line()
    feed = engine.feeds[i]
    batch = engine.batches[feed["first_batch"] + feed["venue_batch"]]
    kind = kind_at(batch, row)
    side = side_at(batch, row)
    price = price_at(batch, row)
    qty = qty_at(batch, row)
    flag = flags_at(batch, row)
    # Of a trade nobody reads the number, and its column would be fetched for that alone.
    order_id = order_id_at(batch, row) if kind != _TRADE else 0
    books = engine.books
    head = books.heads[2 * i]
    venue = engine.venue
    if kind == _TRADE or kind == _EXECUTE:
        _printed(engine, i, kind, side, price, qty, flag, order_id, ts)
    if kind == _STATUS:
        _phase_changed(engine, i, qty, ts)
    if kind == _SIGNAL:
        keep_up(engine, i)
    if kind == _TRADE or kind >= _STATUS:
        return  # funding and signals say nothing about the book, either
    known = venue.markets[i]["followed"] != 0
    known = known and _follow(engine, i, kind, side, price, qty, flag, order_id)
    bid = head["bid"]
    ask = head["ask"]
    whole = head["complete"]
    if venue.head[0]["taken_levels"] > 0:
        before = _apply_taken(engine, i, kind, side, price, qty, flag, known)
    else:
        before = apply_row(books, head, kind, side, price, qty, flag)
    if whole == 0 and head["complete"] != 0:
        book_settled(venue, books, head, i, True, ts)
        return
    if side > 1 or head["complete"] == 0:
        return
    # An execution whose change of the book comes later says nothing of its level yet.
    states = flag & _NO_BOOK == 0 or (kind != _EXECUTE and kind != _CANCEL)
    if states and venue.markets[i]["queue"] != QUEUE_FIFO:
        level_changed(venue, i, side, price, before, level_lots(books, head, side, price))
    if head["bid"] > bid:
        _touch_improved(engine, i, 0, bid + ask, ts)
    if head["ask"] < ask:
        _touch_improved(engine, i, 1, bid + ask, ts)


@kernel
def _printed(
    engine: Engine,
    i: int,
    kind: int,
    side: int,
    price: int,
    qty: int,
    flag: int,
    order_id: int,
    ts: int,
) -> None:
    """A trade or an execution: counted, and our orders that it reaches are filled. Mutates: venue.

    An execution with NO_BOOK has its print in a row of its own; exact places follow executions.
    """
    venue = engine.venue
    market = venue.markets[i]
    is_print = kind == _TRADE or flag & _NO_BOOK == 0
    if is_print:
        market["printed_lots"] += qty
        feed = engine.feeds[i]
        feed["trade_tick"] = price
        feed["trade_lots"] = qty
        feed["trade_side"] = side if kind == _TRADE else 1 - side
    complete = engine.books.heads[2 * i]["complete"]
    if complete == 0 or market["phase"] != _OPEN or flag & _AUCTION != 0:
        return
    if market["queue"] != QUEUE_FIFO:
        if is_print:
            traded(venue, i, side if kind == _TRADE else 1 - side, price, qty, ts)
    elif kind == _EXECUTE:
        executed(venue, i, side, price, qty, order_id, ts)


@kernel
def _apply_taken(
    engine: Engine, i: int, kind: int, side: int, price: int, qty: int, flag: int, known: bool
) -> int:
    """Apply a row to a book of which we took something; returns what stood at its level.

    Mutates: books, venue. `known`: the row is about a market order that the venue follows.
    """
    seldom()
    venue = engine.venue
    books = engine.books
    head = books.heads[2 * i]
    if kind == _CLEAR:
        if side != 1:
            side_cleared(venue, books, head, 0)
        if side != 0:
            side_cleared(venue, books, head, 1)
    old = price
    if kind == _BBO:
        old = best_of(head, side)
    old_lots = level_lots(books, head, side, old)
    before = apply_row(books, head, kind, side, price, qty, flag)
    if kind == _CANCEL or kind == _EXECUTE:
        level_fell(venue, books, head, side, price, before, known)
    elif kind != _ADD and kind != _CLEAR:
        level_stated(venue, books, head, side, price, before)
        if old != price:
            level_stated(venue, books, head, side, old, old_lots)
    return before


@kernel
def _follow(
    engine: Engine, i: int, kind: int, side: int, price: int, qty: int, flag: int, order_id: int
) -> bool:
    """Keep the table of the market's orders on an L3 tape; returns whether the order was known.

    Mutates: engine.venue.
    """
    venue = engine.venue
    if kind == _ADD:
        level = level_at(engine.books.heads[2 * i], side, price)
        return fifo.add(venue, i, order_id, qty, level)
    if kind == _CLEAR:
        fifo.clear(venue, engine.books, i)
    elif (kind == _CANCEL or kind == _EXECUTE) and flag & _NO_BOOK == 0:
        known = order_left(venue, i, side, price, qty, order_id)
        return known and venue.head[0]["restated"] == 0
    return False


@kernel
def _phase_changed(engine: Engine, i: int, phase: int, ts: int) -> None:
    """A session event at the venue: DAY orders end at the close, an opening settles the book."""
    seldom()
    engine.venue.markets[i]["phase"] = phase
    engine.feeds[i]["status"] = phase
    if engine.feeds[i]["statuses"] == 0:
        keep_up(engine, i)  # nobody said that the tape has such rows
    if phase == _OPEN:
        book_settled(engine.venue, engine.books, engine.books.heads[2 * i], i, False, ts)
    elif phase == _CLOSE:
        session_closed(engine.venue, i, ts)


@kernel
def next_venue_batch(engine: Engine, i: int) -> None:
    """Move the venue's cursor to the first row it sees in a later batch. Mutates: feeds[i]."""
    seldom()
    feed = engine.feeds[i]
    feed["venue_ns"] = FOREVER
    while feed["venue_batch"] + 1 < feed["batches"]:
        feed["venue_batch"] += 1
        batch = engine.batches[feed["first_batch"] + feed["venue_batch"]]
        row = next_row(batch, 0, VIEW_ONLY)
        feed["venue_row"] = row
        if row > 0 or (batch["rows"] > 0 and flags_at(batch, 0) & VENUE_ONLY != 0):
            keep_up(engine, i)
        if row < batch["rows"]:
            ts = exch_ns_at(batch, row)
            feed["venue_ns"] = ts if ts <= engine.clock[0]["end_ns"] else FOREVER
            return
