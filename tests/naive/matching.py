"""The simulated venue with lists and dictionaries, written from what the venue promises.

Rows and commands go in in time order; `fills` and `answers` come out. Own orders trade with the
recorded market only. `defects` names what the kernel does today against its promise, so that
everything else can be compared; a fix deletes the name here and in the test.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from naive.book import NO_ASK, NO_BID, NaiveBook
from naive.queue import NaiveQueue

from hft.core.codes import EventKind, OrderType, StatusCode, Tif

MAKER, TAKER = 0, 1

# Own orders on one side share a print in time order, whatever their prices are.
TIME_BEFORE_PRICE = "time_before_price"
# Two own orders at one price both count the whole rest of a print as theirs.
SAME_PLACE = "same_place"
# In whole mode an order that trades on arrival is not acknowledged, an amended one neither.
SILENT_WHOLE = "silent_whole"


@dataclass
class NaiveOrder:
    order_id: int
    side: int
    price: int
    total: int
    open: int
    tif: int
    expire_ns: int
    queue: NaiveQueue | None = None

    @property
    def filled(self) -> int:
        return self.total - self.open


@dataclass
class NaiveVenue:
    book: NaiveBook
    capped: bool = True
    amend_keeps_priority: bool = True
    defects: frozenset[str] = frozenset()
    stays: bool = True  # what we took; else any statement of a level gives it back
    phase: int = StatusCode.OPEN
    resting: list[NaiveOrder] = field(default_factory=list)  # in time order
    taken: dict[tuple[int, int], int] = field(default_factory=dict)
    fills: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)

    # --- the market moves -------------------------------------------------------------------

    def row(self, ts: int, kind: int, side: int, price: int, qty: int) -> None:
        """A LEVEL, TRADE or STATUS row."""
        if kind == EventKind.STATUS:
            self._session(ts, qty)
            return
        if kind == EventKind.TRADE:
            for own in (1, 0) if side == 2 else (1 - side,):
                if self.phase == StatusCode.OPEN and qty > 0:
                    qty = self._printed(ts, own, price, qty)
            return
        best = list(self.book.best)
        before = self.book.apply(kind, side, price, qty, 0)
        for order in self.resting:
            if (order.side, order.price) == (side, price) and order.queue is not None:
                order.queue.changes(before, self.book.at(side, price))
        self._restate(side, price, before)
        for one in (0, 1):
            if self._worse(one, best[one], self.book.best[one]):
                self._crossed(ts, one)

    def _restate(self, side: int, price: int, before: int) -> None:
        """Lots that left may have been those we took; a rise is new, and nothing else is."""
        taken = self.taken.pop((side, price), 0) if self.stays else 0
        left = taken - max(0, before - self.book.at(side, price))
        if left > 0:
            self.taken[side, price] = left
        elif not self.stays:
            self.taken.pop((side, price), None)

    def _session(self, ts: int, phase: int) -> None:
        """Trading opens, stops or closes: a close ends the DAY orders, an opening settles."""
        self.phase = phase
        if phase == StatusCode.CLOSE:
            self._end([order for order in self.resting if order.tif == Tif.DAY])
        elif phase == StatusCode.OPEN:
            for order in self.resting:
                assert order.queue is not None
                shown = Fraction(self.book.at(order.side, order.price))
                order.queue.ahead = min(order.queue.ahead, shown)
            self._crossed(ts, 0)
            self._crossed(ts, 1)

    def meets(self, side: int, price: int) -> bool:
        """Would an order find the other side within its price?"""
        best = self.book.best[1 - side]
        return best not in (NO_BID, NO_ASK) and not self._worse(1 - side, best, price)

    def _worse(self, side: int, tick: int, than: int) -> bool:
        return tick < than if side == 0 else tick > than

    def _by_priority(self, side: int) -> list[NaiveOrder]:
        """Own orders of a side: best price first, then first come."""
        own = [order for order in self.resting if order.side == side]
        if TIME_BEFORE_PRICE in self.defects:
            return own
        return sorted(own, key=lambda order: -order.price if side == 0 else order.price)

    def _printed(self, ts: int, own: int, price: int, lots: int) -> int:
        """What a print does to own orders of a side; returns what is left of it."""
        left, got = lots, 0
        for order in self._by_priority(own):
            if order.price == price:
                assert order.queue is not None
                order.queue.trades(lots)
                behind = order.queue.ahead < 0
                reached = order.queue.fills() if self.capped else order.open * behind
                if self.capped and SAME_PLACE not in self.defects:
                    reached -= got  # own orders that came before stand before us too
                got += min(order.open, reached, left)
            else:
                through = price < order.price if own == 0 else price > order.price
                reached = order.open if through else 0
            qty = min(order.open, reached, left) if self.capped else min(order.open, reached)
            left -= qty if self.capped else 0
            self._fill(ts, order, order.price, qty, MAKER)
        return left

    def _crossed(self, ts: int, side: int) -> None:
        """The best of `side` improved: own orders of the other side that it reaches trade."""
        if self.phase != StatusCode.OPEN:
            return
        for order in self._by_priority(1 - side):
            best = self.book.best[side]
            if best >= order.price if side == 0 else best <= order.price:
                qty = order.open
                if self.capped:
                    qty = sum(part for _, part in self._sweep(side, order.price, qty))
                self._fill(ts, order, order.price, qty, MAKER)

    def _free(self, side: int, limit: int) -> Iterator[tuple[int, int]]:
        """(tick, lots) displayed on `side` at `limit` or better and not yet taken, best first."""
        for tick, lots in self.book.ladder(side):
            if self._worse(side, tick, limit):
                return
            yield tick, lots - self.taken.get((side, tick), 0)

    def _sweep(self, side: int, limit: int, lots: int) -> list[tuple[int, int]]:
        """Take up to `lots`; what is taken stays taken as `_restate` says."""
        parts = []
        for tick, free in self._free(side, limit):
            part = min(free, lots)
            if part > 0:
                self.taken[side, tick] = self.taken.get((side, tick), 0) + part
                parts.append((tick, part))
                lots -= part
        return parts

    def _fill(self, ts: int, order: NaiveOrder, price: int, qty: int, liquidity: int) -> None:
        if qty <= 0:
            return
        order.open -= qty
        self.fills.append((ts, order.order_id, price, qty, liquidity))
        self.answers.append((order.order_id, "FILL"))
        if order.open == 0 and order in self.resting:
            self.resting.remove(order)

    # --- commands arrive --------------------------------------------------------------------

    def find(self, order_id: int) -> NaiveOrder | None:
        return next((order for order in self.resting if order.order_id == order_id), None)

    def new(
        self,
        ts: int,
        order_id: int,
        side: int,
        price: int,
        lots: int,
        tif: int,
        order_type: int = OrderType.LIMIT,
        expire_ns: int = 0,
    ) -> None:
        market = order_type == OrderType.MARKET
        order = NaiveOrder(order_id, side, price, lots, lots, tif, expire_ns)
        self._enter(ts, order, market, "ACK")
        self.expire(ts)

    def cancel(self, ts: int, order_id: int) -> None:
        order = self.find(order_id)
        if order is None:
            self.answers.append((order_id, "CANCEL_REJECTED"))
        else:
            self.resting.remove(order)
            self.answers.append((order_id, "CANCELLED"))

    def amend(self, ts: int, order_id: int, price: int, total: int) -> None:
        order = self.find(order_id)
        if order is None:
            self.answers.append((order_id, "AMEND_REJECTED"))
            return
        now_open = total - order.filled
        if now_open <= 0:
            self.cancel(ts, order_id)
            return
        stays = price == order.price and now_open <= order.open and self.amend_keeps_priority
        order.total, order.open = total, now_open
        if stays:
            self.answers.append((order_id, "AMENDED"))
            return
        self.resting.remove(order)
        order.price = price
        self._enter(ts, order, False, "AMENDED")

    def expire(self, ts: int) -> None:
        """End the GTD orders whose time has come, the earliest first."""
        due = [o for o in self.resting if o.tif == Tif.GTD and o.expire_ns <= ts]
        for moment in sorted({order.expire_ns for order in due}):
            self._end([order for order in due if order.expire_ns == moment])

    def _end(self, orders: list[NaiveOrder]) -> None:
        """Orders that have come to their end leave: buys first, in each side best price first."""
        for side in (0, 1):
            for order in self._by_priority(side):
                if order in orders:
                    self.resting.remove(order)
                    self.answers.append((order.order_id, "EXPIRED"))

    def _enter(self, ts: int, order: NaiveOrder, market: bool, answer: str) -> None:
        other = 1 - order.side
        if order.tif == Tif.GTX and self.capped and self._meets_own(order):
            self.answers.append((order.order_id, "EXPIRED"))
            return
        limit = (NO_ASK if order.side == 0 else NO_BID) if market else order.price
        crosses = self.phase == StatusCode.OPEN and self.meets(order.side, limit)
        if crosses and order.tif == Tif.GTX:
            self.answers.append((order.order_id, "EXPIRED"))
            return
        available = sum(max(0, lots) for _, lots in self._free(other, limit))
        enough = not self.capped or available >= order.open
        if crosses and (enough or order.tif != Tif.FOK):
            answer = self._take(ts, order, other, limit, answer)
        if order.open == 0:
            return
        if market or order.tif in (Tif.IOC, Tif.FOK):
            self.answers.append((order.order_id, "EXPIRED"))
            return
        order.queue = NaiveQueue(None, self.book.at(order.side, order.price))
        self.resting.append(order)
        if answer:
            self.answers.append((order.order_id, answer))

    def _meets_own(self, order: NaiveOrder) -> bool:
        """Would this order lock or cross a resting one of ours?"""
        others = [one.price for one in self.resting if one.side != order.side]
        if order.side == 0:
            return any(price <= order.price for price in others)
        return any(price >= order.price for price in others)

    def _take(self, ts: int, order: NaiveOrder, other: int, limit: int, answer: str) -> str:
        """Trade with what is displayed; the order is acknowledged before its first fill."""
        if self.capped or SILENT_WHOLE not in self.defects:
            self.answers.append((order.order_id, answer))
        if not self.capped:
            self._fill(ts, order, self.book.best[other], order.open, TAKER)
            return ""
        for tick, part in self._sweep(other, limit, order.open):
            self._fill(ts, order, tick, part, TAKER)
        return ""
