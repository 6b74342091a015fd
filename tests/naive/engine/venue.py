"""The simulated venue of one instrument, written from docs/reference/venue.md.

It answers through `say`, a function of the answer; it knows no clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hft.core.codes import (
    EventKind,
    Flag,
    IntentType,
    Liquidity,
    OrderType,
    ResponseKind,
    StatusCode,
    Tif,
)
from tests.naive.engine.book import ASK, BID, Book, Change
from tests.naive.engine.markets import Row, Venue
from tests.naive.engine.places import MICRO, UNKNOWN, micro, moved
from tests.naive.engine.taken import Taken

BUY, SELL, NEITHER = 0, 1, 2


@dataclass(slots=True)
class Resting:
    """An own order at the venue."""

    oid: int
    strategy: int
    side: int
    price: int
    open: int
    filled: int
    tif: int
    expires_ns: int
    ahead: int = 0
    traded: int = 0
    number: int = 0  # fifo: the newest order of the tape that is before us
    rank: int = 0  # when it came to rest


@dataclass(slots=True)
class Command:
    """A request of ours on its way."""

    kind: int
    oid: int
    strategy: int
    instrument: int
    side: int
    price: int
    lots: int
    tif: int = 0
    type: int = int(OrderType.LIMIT)
    expires_ns: int = 0
    intent: int = 0


@dataclass(slots=True)
class Answer:
    """What the venue says about one order."""

    kind: int
    oid: int
    strategy: int
    instrument: int
    side: int
    price: int
    lots: int
    liquidity: int = 0
    fill_id: int = 0
    exch_ns: int = 0
    intent: int = 0  # the request that it answers
    again: bool = False  # said once before
    heard_ns: int = 0


Say = Callable[..., None]


class Desk:
    """One instrument's market at the venue: book, own orders, memory of what we took."""

    def __init__(
        self, venue: Venue, by_order: bool, say: Say, window: tuple[int, int] | None
    ) -> None:
        self.venue, self.say = venue, say
        self.fifo = venue.queue == "fifo" and by_order
        if venue.queue == "fifo" and not by_order:
            self.venue = replace(venue, queue="risk_averse")
        self.book, self.taken = Book(venue.crossed, window), Taken(by_order, venue.rule)
        self.own: list[Resting] = []
        self.ranks = 0
        self.took_lots = self.printed_lots = 0

    # -- own orders

    def list_of(self, side: int) -> list[Resting]:
        """Own orders of a side, best price first, then by the time they came to rest."""
        found = [o for o in self.own if o.side == side]
        if len(found) < 2:
            return found
        return sorted(found, key=lambda o: (-o.price if side == BUY else o.price, o.rank))

    def find(self, oid: int) -> Resting | None:
        return next((o for o in self.own if o.oid == oid), None)

    def _fill(self, order: Resting, price: int, lots: int, liquidity: int) -> None:
        order.open -= lots
        order.filled += lots
        if order.open <= 0 and order in self.own:
            self.own.remove(order)
        self.say(ResponseKind.FILL, order, price, lots, liquidity)

    def _end(self, order: Resting, kind: int) -> None:
        if order in self.own:
            self.own.remove(order)
        self.say(kind, order, order.price, order.open)

    def _rest(self, order: Resting) -> None:
        lots = self.book.at(order.side, order.price)
        order.ahead = micro(lots) if self.book.complete else UNKNOWN
        order.traded, order.number = 0, self.taken.numbers
        self.ranks += 1
        order.rank = self.ranks
        self.own.append(order)

    # -- rows of the tape

    def row(self, row: Row) -> None:
        """One row: executions and prints, the book, what we took, places, the touch."""
        book, complete = self.book, self.book.complete
        old = list(book.best)
        self._count(row)
        number = self.taken.number_of(row)
        if row.kind == EventKind.EXECUTE and self.fifo:
            self._executed(row, number)
        elif row.kind == EventKind.TRADE or row.kind == EventKind.EXECUTE:
            self._printed(row)
        change = book.apply(row)
        self.taken.follow(row, change, self.book)
        if self.fifo:
            self._fifo_place(row, number)
        if not complete and book.complete:
            self._whole_again()
            return
        if change is not None and book.complete and not self.fifo:
            self._moved(change)
        if row.kind == EventKind.STATUS:
            self._status(row.qty)
        if book.open:
            self._touched(old)

    def _count(self, row: Row) -> None:
        if row.kind == EventKind.TRADE or _is_print(row):
            self.printed_lots += row.qty

    def _whole_again(self) -> None:
        for order in self.own:
            order.ahead = min(order.ahead, micro(self.book.at(order.side, order.price)))
            if self.fifo:
                order.number = self.taken.numbers
        self._settle_both()

    def _settle_both(self) -> None:
        if self.book.open:
            self._settle(BID)
            self._settle(ASK)

    def _moved(self, change: Change) -> None:
        for order in self.own:
            if (order.side, order.price) == (change.side, change.price):
                order.ahead = moved(
                    self.venue, order.ahead, change.before, change.after, order.traded
                )
                order.traded = 0

    def _status(self, code: int) -> None:
        if code == StatusCode.OPEN:
            if not self.fifo:
                for order in self.own:
                    level = micro(self.book.at(order.side, order.price))
                    order.ahead = min(order.ahead, level)
            self._settle_both()
        elif code == StatusCode.CLOSE:
            for side in (BUY, SELL):
                for order in self.list_of(side):
                    if order.tif == Tif.DAY:
                        self._end(order, ResponseKind.EXPIRED)

    # -- prints

    def _printed(self, row: Row) -> None:
        if self.fifo or not self.book.open or row.flags & Flag.AUCTION:
            return
        if row.kind == EventKind.EXECUTE:
            if not _is_print(row):
                return
            side = 1 - row.side
        else:
            side = row.side
        left = row.qty
        if side != SELL:
            left = self._print(SELL, row.price, left)
        if side != BUY and (left > 0 or not self.venue.capped):
            self._print(BUY, row.price, left if self.venue.capped else row.qty)

    def _print(self, side: int, price: int, lots: int) -> int:
        """A print of `lots` reaches own orders of `side`. Returns: what is left of it."""
        left, got = lots, 0
        for order in self.list_of(side):
            want = 0
            if order.price != price:
                better = order.price < price if side == SELL else order.price > price
                want = order.open if better else 0
            else:
                order.ahead -= micro(lots)
                order.traded += lots
                if order.ahead < 0:
                    want = order.open
                    if self.venue.capped:
                        past = -order.ahead // MICRO
                        want = max(0, min(order.open, past - got))
                        order.ahead = 0
                        got += min(want, left)
            if self.venue.capped:
                want = min(want, left)
                left -= want
            if want > 0:
                self._fill(order, order.price, want, Liquidity.MAKER)
        return left

    def _executed(self, row: Row, number: int | None) -> None:
        if not self.book.open or row.flags & Flag.AUCTION:
            return
        left = row.qty
        for order in self.list_of(row.side):
            better = order.price > row.price if row.side == BUY else order.price < row.price
            behind_us = number is None or number > order.number
            if better or (order.price == row.price and behind_us and order.ahead <= 0):
                want = min(order.open, left)
                left -= want
                if want > 0:
                    self._fill(order, order.price, want, Liquidity.MAKER)

    def _fifo_place(self, row: Row, number: int | None) -> None:
        if row.kind not in (EventKind.CANCEL, EventKind.EXECUTE) or row.flags & Flag.NO_BOOK:
            return
        for order in self.own:
            here = (order.side, order.price) == (row.side, row.price)
            if here and number is not None and number <= order.number:
                order.ahead = max(0, order.ahead - micro(row.qty))

    # -- the touch reaches us

    def _touched(self, old: list[int | None]) -> None:
        bid, ask = self.book.best
        if bid is not None and (old[BID] is None or bid > old[BID]):
            self._settle(BID)
        if ask is not None and (old[ASK] is None or ask < old[ASK]):
            self._settle(ASK)

    def _settle(self, side: int) -> None:
        """The best of `side` meets own orders of the other."""
        best = self.book.best[side]
        if best is None:
            return
        for order in self.list_of(1 - side):
            met = order.price <= best if side == BID else order.price >= best
            if not met:
                continue
            lots = order.open
            if self.venue.capped:
                lots = 0
                for price in self._within(side, order.price):
                    lots += self._use(side, price, order.open - lots)
            if lots > 0:
                self._fill(order, order.price, lots, Liquidity.MAKER)

    def _within(self, side: int, limit: int | None) -> list[int]:
        """Visible levels of a side from the best to a limit."""
        prices = self.book.visible(side)
        if limit is None:
            return prices
        return [p for p in prices if (p >= limit if side == BID else p <= limit)]

    def _use(self, side: int, price: int, most: int) -> int:
        lots = min(self.taken.free(self.book, side, price), most)
        if lots > 0:
            self.taken.take(side, price, lots)
        return max(0, lots)

    # -- commands

    def command(self, command: Command) -> None:
        if command.kind in (IntentType.NEW, IntentType.FORCE_FLAT):
            limit = None if command.type == OrderType.MARKET else command.price
            order = Resting(
                *(command.oid, command.strategy, command.side, command.price, command.lots, 0),
                *(command.tif, command.expires_ns),
            )
            self._enter(order, limit, ResponseKind.ACK)
            return
        found = self.find(command.oid)
        if command.kind == IntentType.AMEND:
            self._amend(command, found)
        elif found is None:
            self.say(ResponseKind.CANCEL_REJECTED, command, 0, 0)
        else:
            self._end(found, ResponseKind.CANCELLED)

    def refuse(self, command: Command) -> None:
        """The venue is down, or rejects a new order: an order that rests stays."""
        words = {IntentType.AMEND: ResponseKind.AMEND_REJECTED}
        words[IntentType.CANCEL] = ResponseKind.CANCEL_REJECTED
        self.say(words.get(IntentType(command.kind), ResponseKind.REJECTED), command, 0, 0)

    def _enter(self, order: Resting, limit: int | None, word: int) -> None:
        """Steps 1 to 4 of an arrival; `limit` None: a market order; `word`: ACK or AMENDED."""
        said = False
        if order.tif == Tif.GTX and self.venue.capped and self._meets_own(order):
            self._end(order, ResponseKind.EXPIRED)
            return
        levels = self._within(1 - order.side, limit) if self.book.open else []
        if levels:
            if order.tif == Tif.GTX:
                self._end(order, ResponseKind.EXPIRED)
                return
            if order.tif != Tif.FOK or not self.venue.capped or self._free(order, levels):
                self.say(word, order, order.price, order.open)
                said = True
                self._take(order, levels)
                if order.open <= 0:
                    return
        if limit is None or order.tif in (Tif.IOC, Tif.FOK):
            self._end(order, ResponseKind.EXPIRED)
            return
        self._rest(order)
        if not said:
            self.say(word, order, order.price, order.open)

    def _meets_own(self, order: Resting) -> bool:
        prices = [o.price for o in self.own if o.side != order.side]
        if order.side == BUY:
            return any(order.price >= p for p in prices)
        return any(order.price <= p for p in prices)

    def _free(self, order: Resting, levels: list[int]) -> bool:
        side = 1 - order.side
        return sum(self.taken.free(self.book, side, p) for p in levels) >= order.open

    def _take(self, order: Resting, levels: list[int]) -> None:
        side = 1 - order.side
        if not self.venue.capped:
            self.took_lots += order.open
            self._fill(order, levels[0], order.open, Liquidity.TAKER)
            return
        for price in levels:
            if order.open <= 0:
                break
            lots = self._use(side, price, order.open)
            if lots > 0:
                self.took_lots += lots
                self._fill(order, price, lots, Liquidity.TAKER)

    def _amend(self, command: Command, order: Resting | None) -> None:
        if order is None:
            self.say(ResponseKind.AMEND_REJECTED, command, command.price, command.lots)
            return
        left = command.lots - order.filled
        if left <= 0:
            self._end(order, ResponseKind.CANCELLED)
        elif command.price == order.price and left <= order.open and self.venue.keeps_place:
            order.open = left
            self.say(ResponseKind.AMENDED, order, order.price, left)
        else:
            self.own.remove(order)
            order.price, order.open = command.price, left
            self._enter(order, command.price, ResponseKind.AMENDED)

    # -- ends

    def next_end(self) -> int | None:
        return min([o.expires_ns for o in self.own if o.tif == Tif.GTD], default=None)

    def expire(self, now: int) -> None:
        for side in (BUY, SELL):
            for order in self.list_of(side):
                if order.tif == Tif.GTD and order.expires_ns <= now:
                    self._end(order, ResponseKind.EXPIRED)


def _is_print(row: Row) -> bool:
    return row.kind == EventKind.EXECUTE and not row.flags & Flag.NO_BOOK
