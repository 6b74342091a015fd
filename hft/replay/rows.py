"""Tape rows: what the venue does with them in its time, and how the delayed view follows in ours.

The venue's cursor walks by `exch_ts` and can fill our orders; the view's cursor walks the same rows
by `local_ts` and is moved lazily, when somebody looks. Both run tight over the memory-mapped
columns of one batch and step to the next by the table of addresses; neither passes `end_ns`.
"""

from hft.core import digest
from hft.core.codes import EventKind, Flag, StatusCode
from hft.core.jit import kernel, out_of_line
from hft.market.book import NO_ASK, NO_BID, apply_row, is_valid, level_lots, set_level
from hft.replay.batch import (
    VENUE_ONLY,
    VIEW_ONLY,
    exch_ns_at,
    flags_at,
    kind_at,
    local_ns_at,
    next_row,
    order_id_at,
    price_at,
    qty_at,
    side_at,
)
from hft.replay.state import Engine
from hft.strategies.context import SIGNALS_MAX
from hft.venue import fifo
from hft.venue.matching import (
    book_settled,
    level_changed,
    order_left,
    session_closed,
    touch_crossed,
    traded,
)
from hft.venue.state import FOREVER, forget_taken, give_back

_LEVEL = EventKind.LEVEL.value
_SNAPSHOT = EventKind.SNAPSHOT.value
_CLEAR = EventKind.CLEAR.value
_ADD = EventKind.ADD.value
_CANCEL = EventKind.CANCEL.value
_EXECUTE = EventKind.EXECUTE.value
_TRADE = EventKind.TRADE.value
_BBO = EventKind.BBO.value
_STATUS = EventKind.STATUS.value
_SIGNAL = EventKind.SIGNAL.value
_NO_BOOK = Flag.NO_BOOK.value
_OPEN = StatusCode.OPEN.value
_CLOSE = StatusCode.CLOSE.value
_BOOK_SEEN = 1
_TRADE_SEEN = 2
_STATUS_SEEN = 4


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
    while ts <= until_ns:
        kind = kind_at(batch, row)
        side = side_at(batch, row)
        price = price_at(batch, row)
        qty = qty_at(batch, row)
        seen += 1
        if listened:
            mix = digest.row_add(mix, digest.row_word(seen, ts, kind, side, price, qty))
        if kind == _LEVEL and plain:
            bid = head["bid"]
            ask = head["ask"]
            before = set_level(books, head, side, price, qty)
            # Most rows stop here: only a level where we rest, or a better touch, concerns us.
            slot = venue.lists[2 * i + side]
            while slot >= 0 and venue.resting[slot]["price"] != price:
                slot = venue.resting[slot]["next_slot"]
            if slot >= 0:
                level_changed(venue, i, side, price, before, qty)
            if taken["taken_count"] > 0:
                give_back(venue, i, side, price)
            if head["bid"] > bid:
                _touch_improved(engine, i, 0, bid + ask, ts)
            if head["ask"] < ask:
                _touch_improved(engine, i, 1, bid + ask, ts)
        else:
            _venue_row(engine, i, row, ts)
        row = next_row(batch, row + 1, VIEW_ONLY)
        if row >= batch["rows"]:
            ts = FOREVER
            break
        ts = exch_ns_at(batch, row)
        if queue["last"] != answered:
            break
    engine.mixes[i] = mix
    feed["seen"] = seen
    feed["venue_row"] = row
    feed["venue_ns"] = ts
    clock["rows"] += seen - seen0
    if ts > end_ns:
        _next_venue_batch(engine, i)


@kernel(inline=True)
def _touch_improved(engine: Engine, i: int, side: int, mid2: int, ts: int) -> None:
    """The best of a side came closer: who rests where it now stands is filled. Mutates: venue.

    `mid2` is the mid before the row: markouts start where the market stood when it reached us.
    """
    if engine.venue.lists[2 * i + 1 - side] < 0:
        return
    head = engine.books.heads[2 * i]
    if head["complete"] != 0 and engine.feeds[i]["phase"] == _OPEN:
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
    order_id = order_id_at(batch, row)
    books = engine.books
    head = books.heads[2 * i]
    venue = engine.venue
    if kind == _TRADE:
        if feed["l3"] == 0 and feed["phase"] == _OPEN and head["complete"] != 0:
            traded(venue, i, side, price, qty, ts)
        return
    if kind == _STATUS:
        _phase_changed(engine, i, qty, ts)
        return
    if kind > _STATUS:
        return  # funding and signals say nothing about the book
    if feed["l3"] != 0:
        if kind == _ADD:
            fifo.add(venue, i, order_id, qty)
        elif kind == _CLEAR:
            fifo.clear(venue, i)
        elif kind == _CANCEL or kind == _EXECUTE:
            order_left(venue, i, kind, side, price, qty, order_id, flag, ts)
    bid = head["bid"]
    ask = head["ask"]
    whole = head["complete"]
    before = apply_row(books, head, kind, side, price, qty, flag)
    if venue.head[0]["taken_count"] > 0 and (kind == _LEVEL or kind == _BBO or kind == _SNAPSHOT):
        give_back(venue, i, side, price)
    elif venue.head[0]["taken_count"] > 0 and kind != _ADD and flag & _NO_BOOK == 0:
        forget_taken(venue, i, side, price, qty)
    if whole == 0 and head["complete"] != 0:
        book_settled(venue, books, head, i, feed["l3"] != 0, ts)
        return
    if side > 1 or head["complete"] == 0:
        return
    if feed["l3"] == 0:
        level_changed(venue, i, side, price, before, level_lots(books, head, side, price))
    if head["bid"] > bid:
        _touch_improved(engine, i, 0, bid + ask, ts)
    if head["ask"] < ask:
        _touch_improved(engine, i, 1, bid + ask, ts)


@kernel
def _phase_changed(engine: Engine, i: int, phase: int, ts: int) -> None:
    """A session event at the venue: DAY orders end at the close, an opening settles the book."""
    out_of_line()
    engine.feeds[i]["phase"] = phase
    engine.venue.phases[i] = phase
    if phase == _OPEN:
        exact = engine.feeds[i]["l3"] != 0
        book_settled(engine.venue, engine.books, engine.books.heads[2 * i], i, exact, ts)
    elif phase == _CLOSE:
        session_closed(engine.venue, i, ts)


@kernel
def _next_venue_batch(engine: Engine, i: int) -> None:
    """Move the venue's cursor to the first row it sees in a later batch. Mutates: feeds[i]."""
    out_of_line()
    feed = engine.feeds[i]
    feed["venue_ns"] = FOREVER
    while feed["venue_batch"] + 1 < feed["batches"]:
        feed["venue_batch"] += 1
        batch = engine.batches[feed["first_batch"] + feed["venue_batch"]]
        row = next_row(batch, 0, VIEW_ONLY)
        feed["venue_row"] = row
        if row < batch["rows"]:
            ts = exch_ns_at(batch, row)
            feed["venue_ns"] = ts if ts <= engine.clock[0]["end_ns"] else FOREVER
            return


@kernel(inline=True)
def view_to(engine: Engine, i: int, now_ns: int) -> int:
    """Bring the delayed view of instrument `i` up to `now_ns`; returns what was seen, as bits.

    Mutates: books, touch[i], feeds[i].
    """
    return view_span(engine, i, now_ns) if engine.feeds[i]["view_ns"] <= now_ns else 0


@kernel(inline=True)
def view_span(engine: Engine, i: int, now_ns: int) -> int:
    """`view_to` when there is at least one row to see."""
    feed = engine.feeds[i]
    end_ns = min(engine.clock[0]["end_ns"], FOREVER - 1)
    until_ns = min(now_ns, end_ns)
    events = 0
    while feed["view_ns"] <= until_ns:
        events |= _view_batch(engine, i, until_ns)
        if feed["view_ns"] > end_ns:
            _next_view_batch(engine, i)
    _look(engine, i)
    return events


@kernel(inline=True)
def _view_batch(engine: Engine, i: int, until_ns: int) -> int:
    feed = engine.feeds[i]
    batch = engine.batches[feed["first_batch"] + feed["view_batch"]]
    books = engine.books
    head = books.heads[2 * i + 1]
    touch = engine.trading.touch[i]
    events = 0
    row0 = feed["view_row"]
    row = row0
    skipped = 0
    ts = feed["view_ns"]
    last_ns = ts
    while ts <= until_ns:
        last_ns = ts
        if kind_at(batch, row) == _LEVEL:
            set_level(books, head, side_at(batch, row), price_at(batch, row), qty_at(batch, row))
            events |= _BOOK_SEEN
        else:
            events |= _view_row(engine, i, row)
        after = next_row(batch, row + 1, VENUE_ONLY)
        skipped += after - row - 1
        row = after
        if row >= batch["rows"]:
            ts = FOREVER
            break
        ts = local_ns_at(batch, row)
    touch["ts_ns"] = last_ns
    touch["rows"] += row - row0 - skipped
    feed["view_row"] = row
    feed["view_ns"] = ts
    return events


@kernel
def _view_row(engine: Engine, i: int, row: int) -> int:
    """A row that is no plain level, as strategies see it; returns what it is, as bits."""
    out_of_line()
    feed = engine.feeds[i]
    batch = engine.batches[feed["first_batch"] + feed["view_batch"]]
    kind = kind_at(batch, row)
    side = side_at(batch, row)
    price = price_at(batch, row)
    qty = qty_at(batch, row)
    touch = engine.trading.touch[i]
    if kind == _STATUS:
        touch["phase"] = qty
        return _STATUS_SEEN
    if kind > _STATUS:
        column = order_id_at(batch, row)
        if kind == _SIGNAL and 0 <= column < SIGNALS_MAX:
            signal = engine.signals[i * SIGNALS_MAX + column]
            signal["ts_ns"] = exch_ns_at(batch, row)
            signal["value_e9"] = price
        return 0
    events = 0
    flag = flags_at(batch, row)
    if kind != _TRADE:
        apply_row(engine.books, engine.books.heads[2 * i + 1], kind, side, price, qty, flag)
        events = _BOOK_SEEN
    # An execution that leaves the book to a later row has its print in a row of its own, too.
    if kind == _TRADE or (kind == _EXECUTE and flag & _NO_BOOK == 0):
        touch["last_trade_tick"] = price
        touch["last_trade_lots"] = qty
        touch["last_trade_side"] = side if kind == _TRADE else 1 - side
        touch["traded_lots"] += qty
        events |= _TRADE_SEEN
    return events


@kernel(inline=True)
def _look(engine: Engine, i: int) -> None:
    """Write what the view's book shows now into the touch row. Mutates: touch[i]."""
    head = engine.books.heads[2 * i + 1]
    touch = engine.trading.touch[i]
    touch["bid_tick"] = head["bid"]
    touch["ask_tick"] = head["ask"]
    lots = engine.books.qty
    low = head["qty_at"] - head["low"]
    touch["bid_lots"] = lots[low + head["bid"]] if head["bid"] != NO_BID else 0
    low += head["size"]
    touch["ask_lots"] = lots[low + head["ask"]] if head["ask"] != NO_ASK else 0
    touch["valid"] = 1 if is_valid(head) else 0


@kernel
def _next_view_batch(engine: Engine, i: int) -> None:
    """Move the view's cursor to the first row we see in a later batch. Mutates: feeds[i]."""
    out_of_line()
    feed = engine.feeds[i]
    feed["view_ns"] = FOREVER
    while feed["view_batch"] + 1 < feed["batches"]:
        feed["view_batch"] += 1
        batch = engine.batches[feed["first_batch"] + feed["view_batch"]]
        row = next_row(batch, 0, VENUE_ONLY)
        feed["view_row"] = row
        if row < batch["rows"]:
            ts = local_ns_at(batch, row)
            feed["view_ns"] = ts if ts <= engine.clock[0]["end_ns"] else FOREVER
            return


@kernel
def first_rows(engine: Engine) -> None:
    """Set every feed's cursors to its first rows. Mutates: feeds."""
    for i in range(len(engine.feeds)):
        feed = engine.feeds[i]
        feed["venue_batch"] = -1
        feed["view_batch"] = -1
        feed["view_ns"] = FOREVER
        _next_venue_batch(engine, i)
        _next_view_batch(engine, i)
