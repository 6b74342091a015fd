"""Tape rows as they reach us: the delayed view, moved lazily, when somebody looks.

The cursor walks the venue's rows by `local_ts`, tight over the memory-mapped columns of one batch,
and steps to the next by the table of addresses; it never passes `end_ns`.
"""

from hft.core.codes import EventKind, Flag
from hft.core.jit import kernel, out_of_line, seldom
from hft.market.book import apply_row, set_level
from hft.replay.batch import (
    VENUE_ONLY,
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
from hft.replay.glances import look, look_back
from hft.replay.state import Engine
from hft.replay.venue_rows import next_venue_batch
from hft.strategies.context import SIGNALS_MAX
from hft.venue.state import FOREVER

_LEVEL = EventKind.LEVEL.value
_EXECUTE = EventKind.EXECUTE.value
_TRADE = EventKind.TRADE.value
_STATUS = EventKind.STATUS.value
_SIGNAL = EventKind.SIGNAL.value
_NO_BOOK = Flag.NO_BOOK.value
_BOOK_SEEN = 1
_TRADE_SEEN = 2
_STATUS_SEEN = 4


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
    if feed["lags"] != 0 and look_back(engine, i, until_ns):
        return 0
    events = 0
    while feed["view_ns"] <= until_ns:
        events |= _view_batch(engine, i, until_ns)
        if feed["view_ns"] > end_ns:
            _next_view_batch(engine, i)
    look(engine.books, engine.books.heads[2 * i + 1], engine.trading.touch[i])
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


@kernel
def _next_view_batch(engine: Engine, i: int) -> None:
    """Move the view's cursor to the first row we see in a later batch. Mutates: feeds[i]."""
    seldom()
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
        next_venue_batch(engine, i)
        _next_view_batch(engine, i)
