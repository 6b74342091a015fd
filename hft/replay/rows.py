"""Tape rows: what the venue does with them in its time, and how the delayed view follows in ours.

The venue's cursor walks by `exch_ts` and can fill our orders; the view's cursor walks the same rows
by `local_ts` and is moved lazily, when somebody looks. Both run tight over the memory-mapped columns
of one batch and step to the next by the table of addresses.
"""

import numpy as np

from hft.core import digest
from hft.core.codes import EventKind, Flag, StatusCode
from hft.core.jit import array_view, kernel
from hft.market.book import apply_row, is_valid, level_lots, set_level
from hft.replay.state import Engine
from hft.venue import fifo
from hft.venue.matching import level_changed, order_left, touch_crossed, traded
from hft.venue.state import FOREVER, give_back

_i64 = array_view(np.dtype(np.int64))
_i16 = array_view(np.dtype(np.int16))
_i8 = array_view(np.dtype(np.int8))

_LEVEL = EventKind.LEVEL.value
_SNAPSHOT = EventKind.SNAPSHOT.value
_CLEAR = EventKind.CLEAR.value
_ADD = EventKind.ADD.value
_CANCEL = EventKind.CANCEL.value
_EXECUTE = EventKind.EXECUTE.value
_TRADE = EventKind.TRADE.value
_BBO = EventKind.BBO.value
_STATUS = EventKind.STATUS.value
_VENUE_ONLY = Flag.VENUE_ONLY.value
_VIEW_ONLY = Flag.VIEW_ONLY.value
_LAST = Flag.LAST.value
_NO_BOOK = Flag.NO_BOOK.value
_OPEN = StatusCode.OPEN.value
_BOOK_SEEN = 1
_TRADE_SEEN = 2
_STATUS_SEEN = 4


@kernel
def venue_span(engine: Engine, i: int, until_ns: int) -> None:
    """The venue sees rows of instrument `i` up to and including `until_ns`, as far as the batch goes.

    Stops early when a fill has been queued that reaches us before `until_ns`.
    Mutates: books, venue, feeds[i], mixes[i].
    """
    feed = engine.feeds[i]
    batch = engine.batches[feed["first_batch"] + feed["venue_batch"]]
    count = batch["rows"]
    exch_ts = _i64(batch["exch_ts"], count)
    kinds = _i8(batch["kind"], count)
    sides = _i8(batch["side"], count)
    prices = _i64(batch["price"], count)
    qtys = _i64(batch["qty"], count)
    flags = _i16(batch["flags"], count)
    order_ids = _i64(batch["order_id"], count)
    books = engine.books
    head = books.heads[2 * i]
    venue = engine.venue
    queue = venue.queues[1]
    row = feed["venue_row"]
    seen = feed["seen"]
    seen0 = seen
    listened = i < engine.clock[0]["listened"]
    mix = engine.mixes[i]
    answered = queue["last"]
    plain = feed["l3"] == 0
    taken = venue.head[0]
    ts = feed["venue_ns"]
    while ts <= until_ns:
        kind = np.int64(kinds[row])
        side = np.int64(sides[row])
        price = prices[row]
        qty = qtys[row]
        flag = np.int64(flags[row])
        seen += 1
        if listened:
            mix = digest.row_add(mix, digest.row_word(seen, ts, kind, side, price, qty))
        if kind == _LEVEL and plain:
            bid = head["bid"]
            ask = head["ask"]
            before = set_level(books, head, side, price, qty)
            # Most rows stop here: only a level where we rest, or a better touch, concerns us.
            if venue.lists[2 * i + side] >= 0:
                level_changed(venue, i, side, price, before, qty)
            if (head["bid"] > bid and venue.lists[2 * i + 1] >= 0) or (
                head["ask"] < ask and venue.lists[2 * i] >= 0
            ):
                _touch_improved(engine, i, head["bid"] > bid, ts)
            if taken["taken_count"] > 0:
                give_back(venue, i, side, price)
        else:
            _venue_row(engine, i, kind, side, price, qty, order_ids[row], flag, ts)
        row += 1
        while row < count and np.int64(flags[row]) & _VIEW_ONLY != 0:
            row += 1
        if row >= count:
            ts = FOREVER
            break
        ts = exch_ts[row]
        if queue["last"] != answered:
            break
    engine.mixes[i] = mix
    feed["seen"] = seen
    feed["venue_row"] = row
    feed["venue_ns"] = ts
    engine.clock[0]["rows"] += seen - seen0
    if ts == FOREVER:
        _next_venue_batch(engine, i)


@kernel
def _touch_improved(engine: Engine, i: int, bid: bool, ts: int) -> None:
    """The best of a side came closer: who rests where it now stands is filled. Mutates: venue."""
    head = engine.books.heads[2 * i]
    if head["complete"] != 0 and engine.feeds[i]["phase"] == _OPEN:
        touch_crossed(engine.venue, engine.books, head, i, 0 if bid else 1, ts)


@kernel
def _venue_row(
    engine: Engine,
    i: int,
    kind: int,
    side: int,
    price: int,
    qty: int,
    order_id: int,
    flag: int,
    ts: int,
) -> None:
    """A row that is no plain level: trades, quotes, snapshots, sessions, orders of an L3 tape."""
    books = engine.books
    head = books.heads[2 * i]
    venue = engine.venue
    feed = engine.feeds[i]
    if kind == _TRADE:
        if feed["l3"] == 0 and feed["phase"] == _OPEN and head["complete"] != 0:
            traded(venue, i, side, price, qty, ts)
        return
    if kind == _STATUS:
        feed["phase"] = qty
        return
    if feed["l3"] != 0:
        if kind == _ADD:
            fifo.add(venue, order_id, qty)
        elif kind == _CLEAR:
            fifo.clear(venue)
        elif kind == _CANCEL or kind == _EXECUTE:
            order_left(venue, i, kind, side, price, qty, order_id, flag, ts)
    bid = head["bid"]
    ask = head["ask"]
    before = apply_row(books, head, kind, side, price, qty, flag)
    if venue.head[0]["taken_count"] > 0 and (kind == _LEVEL or kind == _BBO or kind == _SNAPSHOT):
        give_back(venue, i, side, price)
    if side > 1 or head["complete"] == 0:
        return
    if feed["l3"] == 0:
        level_changed(venue, i, side, price, before, level_lots(books, head, side, price))
    if head["bid"] > bid:
        _touch_improved(engine, i, True, ts)
    if head["ask"] < ask:
        _touch_improved(engine, i, False, ts)


@kernel
def _next_venue_batch(engine: Engine, i: int) -> None:
    """Move the venue's cursor to the first row it sees in a later batch. Mutates: feeds[i]."""
    feed = engine.feeds[i]
    feed["venue_ns"] = FOREVER
    while feed["venue_batch"] + 1 < feed["batches"]:
        feed["venue_batch"] += 1
        batch = engine.batches[feed["first_batch"] + feed["venue_batch"]]
        count = batch["rows"]
        flags = _i16(batch["flags"], count)
        row = 0
        while row < count and np.int64(flags[row]) & _VIEW_ONLY != 0:
            row += 1
        feed["venue_row"] = row
        if row < count:
            feed["venue_ns"] = _i64(batch["exch_ts"], count)[row]
            return


@kernel
def view_to(engine: Engine, i: int, now_ns: int) -> int:
    """Bring the delayed view of instrument `i` up to `now_ns`; returns what was seen, as bits.

    Mutates: books, touch[i], feeds[i].
    """
    feed = engine.feeds[i]
    if feed["view_ns"] > now_ns:
        return 0
    events = 0
    while feed["view_ns"] <= now_ns:
        events |= _view_batch(engine, i, now_ns)
        if feed["view_ns"] == FOREVER:
            _next_view_batch(engine, i)
            if feed["view_ns"] == FOREVER:
                break
    _look(engine, i)
    return events


@kernel
def _view_batch(engine: Engine, i: int, now_ns: int) -> int:
    feed = engine.feeds[i]
    batch = engine.batches[feed["first_batch"] + feed["view_batch"]]
    count = batch["rows"]
    local_ts = _i64(batch["local_ts"], count)
    kinds = _i8(batch["kind"], count)
    sides = _i8(batch["side"], count)
    prices = _i64(batch["price"], count)
    qtys = _i64(batch["qty"], count)
    flags = _i16(batch["flags"], count)
    books = engine.books
    head = books.heads[2 * i + 1]
    touch = engine.touch[i]
    events = 0
    row = feed["view_row"]
    ts = feed["view_ns"]
    last_ns = ts
    seen = 0
    while ts <= now_ns:
        kind = np.int64(kinds[row])
        last_ns = ts
        seen += 1
        if kind == _LEVEL:
            set_level(books, head, np.int64(sides[row]), prices[row], qtys[row])
            events |= _BOOK_SEEN
        elif kind == _TRADE:
            touch["last_trade_tick"] = prices[row]
            touch["last_trade_lots"] = qtys[row]
            touch["last_trade_side"] = np.int64(sides[row])
            touch["traded_lots"] += qtys[row]
            events |= _TRADE_SEEN
        elif kind == _STATUS:
            touch["phase"] = qtys[row]
            events |= _STATUS_SEEN
        else:
            flag = np.int64(flags[row])
            side = np.int64(sides[row])
            apply_row(books, head, kind, side, prices[row], qtys[row], flag)
            events |= _BOOK_SEEN
            if kind == _EXECUTE:
                touch["last_trade_tick"] = prices[row]
                touch["last_trade_lots"] = qtys[row]
                touch["last_trade_side"] = 1 - side
                touch["traded_lots"] += qtys[row]
                events |= _TRADE_SEEN
        row += 1
        while row < count and np.int64(flags[row]) & _VENUE_ONLY != 0:
            row += 1
        if row >= count:
            ts = FOREVER
            break
        ts = local_ts[row]
    touch["ts_ns"] = last_ns
    touch["rows"] += seen
    feed["view_row"] = row
    feed["view_ns"] = ts
    return events


@kernel
def _look(engine: Engine, i: int) -> None:
    """Write what the view's book shows now into the touch row. Mutates: touch[i]."""
    head = engine.books.heads[2 * i + 1]
    touch = engine.touch[i]
    touch["bid_tick"] = head["bid"]
    touch["ask_tick"] = head["ask"]
    touch["bid_lots"] = level_lots(engine.books, head, 0, head["bid"])
    touch["ask_lots"] = level_lots(engine.books, head, 1, head["ask"])
    touch["valid"] = 1 if is_valid(head) else 0


@kernel
def _next_view_batch(engine: Engine, i: int) -> None:
    """Move the view's cursor to the first row strategies see in a later batch. Mutates: feeds[i]."""
    feed = engine.feeds[i]
    while feed["view_batch"] + 1 < feed["batches"]:
        feed["view_batch"] += 1
        batch = engine.batches[feed["first_batch"] + feed["view_batch"]]
        count = batch["rows"]
        flags = _i16(batch["flags"], count)
        row = 0
        while row < count and np.int64(flags[row]) & _VENUE_ONLY != 0:
            row += 1
        feed["view_row"] = row
        if row < count:
            feed["view_ns"] = _i64(batch["local_ts"], count)[row]
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
