"""What we see, taken from the venue's book as its rows pass, so that one book serves both.

Rows reach us later than the venue and, on most tapes, in the same order: what the touch shows at
our next look is what the venue's book shows when it comes to the first row that arrives after that
look. It is noted there (a glance) and put into the touch when we look; the view's own book stays
behind until somebody asks for its depth, and is then brought up and kept. So it is from the start
where looks are not known beforehand (wake-ups by answers or rows, Python, faults) and from the
first row that only one side sees, or that arrives before it happened.
"""

from hft.core.codes import EventKind, WakeCause
from hft.core.dtypes import Row
from hft.core.jit import kernel, out_of_line, seldom
from hft.market.book import NO_ASK, NO_BID, Books, apply_row, is_valid
from hft.replay.batch import flags_at, kind_at, local_ns_at, price_at, qty_at, side_at
from hft.replay.state import GLANCES_MAX, Engine
from hft.venue.state import FOREVER

_TRADE = EventKind.TRADE.value
_STATUS = EventKind.STATUS.value
_PLACES = GLANCES_MAX - 1
# A glance costs as much as some rows of a second book: where it spares fewer, it is given up.
_WORTH = 4
_TRIED = 1024


@kernel(inline=True)
def look(books: Books, head: Row, seen: Row) -> None:
    """Write what a book shows now. Mutates: seen (a TOUCH or a GLANCE)."""
    seen["bid_tick"] = head["bid"]
    seen["ask_tick"] = head["ask"]
    lots = books.qty
    low = head["qty_at"] - head["low"]
    seen["bid_lots"] = lots[low + head["bid"]] if head["bid"] != NO_BID else 0
    low += head["size"]
    seen["ask_lots"] = lots[low + head["ask"]] if head["ask"] != NO_ASK else 0
    seen["valid"] = 1 if is_valid(head) else 0


@kernel
def take_glance(engine: Engine, i: int, row: int, rows: int) -> int:
    """The venue comes to a row that we receive after our next look: note what that look shows.

    Mutates: glances, feeds[i]. Returns: the mark from here on. `rows` are those before it.
    """
    out_of_line()
    feed = engine.feeds[i]
    if feed["lags"] == 0:
        return FOREVER
    last = feed["glances_last"]
    feed["glances"] += 1
    dear = rows < _WORTH * feed["glances"] and feed["glances"] >= _TRIED
    if dear or last - feed["glances_first"] >= GLANCES_MAX:
        keep_up(engine, i)
        return FOREVER
    batch = engine.batches[feed["first_batch"] + feed["venue_batch"]]
    ts = local_ns_at(batch, row)
    glance = engine.glances[i * GLANCES_MAX + (last & _PLACES)]
    feed["glances_last"] = last + 1
    glance["until_ns"] = ts
    glance["batch"] = feed["venue_batch"]
    glance["row"] = row
    _show(engine, i, glance, _heard_ns(engine, feed, row) if rows > 0 else 0, rows)
    glance["phase"] = feed["status"]
    mark_ns = _next_look_ns(engine, ts)
    feed["mark_ns"] = mark_ns
    return mark_ns


@kernel(inline=True)
def _show(engine: Engine, i: int, seen: Row, heard_ns: int, rows: int) -> None:
    """What we know once we have seen what the venue has. Mutates: seen (a TOUCH or a GLANCE)."""
    feed = engine.feeds[i]
    look(engine.books, engine.books.heads[2 * i], seen)
    seen["ts_ns"] = heard_ns
    seen["rows"] = rows
    seen["last_trade_tick"] = feed["trade_tick"]
    seen["last_trade_lots"] = feed["trade_lots"]
    seen["last_trade_side"] = feed["trade_side"]
    seen["traded_lots"] = engine.venue.markets[i]["printed_lots"]


@kernel
def look_back(engine: Engine, i: int, until_ns: int) -> bool:
    """The touch as it is at `until_ns`, when there is at least one row to see.

    Mutates: touch[i], feeds[i]. Returns: False when the view's own book has to be asked.
    """
    out_of_line()
    feed = engine.feeds[i]
    touch = engine.trading.touch[i]
    first = feed["glances_first"]
    last = feed["glances_last"]
    while first < last:
        glance = engine.glances[i * GLANCES_MAX + (first & _PLACES)]
        first += 1
        if glance["until_ns"] > until_ns:
            feed["glances_first"] = first
            _seen_to(engine, feed, glance["batch"], glance["row"], glance["until_ns"])
            _copy(glance, touch, feed["statuses"] != 0)
            return True
    feed["glances_first"] = feed["glances_last"] = 0
    # We have received all that the venue has seen.
    batch = engine.batches[feed["first_batch"] + feed["venue_batch"]]
    row = feed["venue_row"]
    ts = local_ns_at(batch, row) if row < batch["rows"] else FOREVER
    if ts <= until_ns:
        keep_up(engine, i)
        return False
    _seen_to(engine, feed, feed["venue_batch"], row, ts)
    _show(engine, i, touch, _heard_ns(engine, feed, row), feed["seen"])
    if feed["statuses"] != 0:
        touch["phase"] = feed["status"]
    feed["mark_ns"] = _next_look_ns(engine, until_ns + 1)
    return True


@kernel(inline=True)
def _seen_to(engine: Engine, feed: Row, batch: int, row: int, ts: int) -> None:
    """We have seen all rows before this one, which arrives at `ts`. Mutates: feed."""
    feed["seen_batch"] = batch
    feed["seen_row"] = row
    feed["view_ns"] = ts if ts <= engine.clock[0]["end_ns"] else FOREVER


@kernel(inline=True)
def _copy(glance: Row, touch: Row, phase: bool) -> None:
    touch["bid_tick"] = glance["bid_tick"]
    touch["ask_tick"] = glance["ask_tick"]
    touch["bid_lots"] = glance["bid_lots"]
    touch["ask_lots"] = glance["ask_lots"]
    touch["valid"] = glance["valid"]
    touch["ts_ns"] = glance["ts_ns"]
    touch["rows"] = glance["rows"]
    touch["last_trade_tick"] = glance["last_trade_tick"]
    touch["last_trade_lots"] = glance["last_trade_lots"]
    touch["last_trade_side"] = glance["last_trade_side"]
    touch["traded_lots"] = glance["traded_lots"]
    if phase:
        touch["phase"] = glance["phase"]


@kernel(inline=True)
def _heard_ns(engine: Engine, feed: Row, row: int) -> int:
    """When the row before `row` of the venue's batch reached us; there is one."""
    if row > 0:
        return local_ns_at(engine.batches[feed["first_batch"] + feed["venue_batch"]], row - 1)
    return _heard_before_ns(engine, feed)


@kernel
def _heard_before_ns(engine: Engine, feed: Row) -> int:
    """When the last row before the venue's batch reached us."""
    seldom()
    at = feed["first_batch"] + feed["venue_batch"] - 1
    while engine.batches[at]["rows"] == 0:
        at -= 1
    return local_ns_at(engine.batches[at], engine.batches[at]["rows"] - 1)


@kernel
def _next_look_ns(engine: Engine, from_ns: int) -> int:
    """The first wake-up from `from_ns` on, or the end of the replay when that is before it."""
    best = FOREVER
    for s in range(len(engine.strategies)):
        every_ns = engine.strategies[s]["every_ns"]
        ts = engine.strategies[s]["next_ns"]
        if ts < from_ns:
            # A division only where more than one wake-up is skipped.
            ts += every_ns
            if ts < from_ns:
                ts += (from_ns - ts + every_ns - 1) // every_ns * every_ns
        best = min(best, ts)
    end_ns = min(engine.clock[0]["end_ns"], FOREVER - 1)
    if best > end_ns:
        best = end_ns if from_ns <= end_ns else FOREVER
    return best


@kernel
def keep_up(engine: Engine, i: int) -> None:
    """From now on the view has a book of its own, which is brought to what we have seen.

    Mutates: books, feeds[i].
    """
    seldom()
    feed = engine.feeds[i]
    if feed["lags"] == 0:
        return
    feed["lags"] = 0
    feed["mark_ns"] = FOREVER
    feed["glances_first"] = feed["glances_last"] = 0
    number, row = feed["view_batch"], feed["view_row"]
    while number <= feed["seen_batch"]:
        batch = engine.batches[feed["first_batch"] + number]
        stop = feed["seen_row"] if number == feed["seen_batch"] else batch["rows"]
        while row < stop:
            _apply(engine, 2 * i + 1, batch, row)
            row += 1
        number += 1
        row = 0
    feed["view_batch"], feed["view_row"] = feed["seen_batch"], feed["seen_row"]


@kernel(inline=True)
def _apply(engine: Engine, book: int, batch: Row, row: int) -> None:
    kind = kind_at(batch, row)
    if kind != _TRADE and kind < _STATUS:
        head = engine.books.heads[book]
        side, price, qty = side_at(batch, row), price_at(batch, row), qty_at(batch, row)
        apply_row(engine.books, head, kind, side, price, qty, flags_at(batch, row))


@kernel
def keep_all_up(engine: Engine) -> None:
    """`keep_up` for all that somebody listens to. Mutates: engine."""
    seldom()
    for i in range(engine.trading.head[0]["listened"]):
        keep_up(engine, i)
    for s in range(len(engine.contexts)):
        engine.contexts[s]["engine_at"] = 0


def lag(engine: Engine) -> None:
    """Before the first row: what we see is taken from the venue's book, where that is the same.

    Mutates: engine.feeds.
    """
    clock = engine.clock[0]
    others = ~(1 << WakeCause.TIMER.value)
    if clock["rows"] or clock["step"] or clock["faulty"] or clock["begin_ns"]:
        return
    if any(int(row["wakes_on"]) & others or not row["every_ns"] for row in engine.strategies):
        return
    for feed in engine.feeds[: engine.trading.head[0]["listened"]]:
        first = feed["view_batch"], feed["view_row"]
        if (feed["venue_batch"], feed["venue_row"]) == first and feed["venue_ns"] != FOREVER:
            feed["lags"] = 1
            feed["seen_batch"], feed["seen_row"] = first
            feed["mark_ns"] = min(engine.strategies["next_ns"].min(), clock["end_ns"])
