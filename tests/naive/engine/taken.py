"""What we took of the recorded book and still counts: docs/reference/venue.md, "Taken liquidity".

Nothing is ever forgotten but by the rule: a dict by (side, price), and by order id on
order-by-order tapes.
"""

from hft.core.codes import EventKind, Flag
from tests.naive.engine.book import Book, Change
from tests.naive.engine.markets import Row


class Order:
    """A known order of the tape: its place, its number, what it shows and what we took of it."""

    def __init__(self, side: int, price: int, lots: int, number: int) -> None:
        self.side, self.price, self.lots, self.number = side, price, lots, number
        self.taken = 0


class Taken:
    """The memory of one instrument. `by_order` where the tape has ADD rows."""

    def __init__(self, by_order: bool, rule: str) -> None:
        self.by_order, self.rule = by_order, rule
        self.orders: dict[int, Order] = {}
        self.levels: dict[tuple[int, int], list[Order]] = {}  # in order of their numbers
        self.numbers = 0
        self.loose: dict[tuple[int, int], int] = {}

    def of(self, side: int, price: int) -> int:
        known = sum(o.taken for o in self._at(side, price))
        return known + self.loose.get((side, price), 0)

    def _at(self, side: int, price: int) -> list[Order]:
        return self.levels.get((side, price), [])

    def free(self, book: Book, side: int, price: int) -> int:
        return max(0, book.at(side, price) - self.of(side, price))

    def take(self, side: int, price: int, lots: int) -> None:
        """Remember `lots` more, from the first known orders, then from what no order explains."""
        if self.by_order and self.rule == "stays":
            for order in self._at(side, price):
                some = min(lots, order.lots - order.taken)
                order.taken, lots = order.taken + some, lots - some
        if lots:
            self.loose[side, price] = self.loose.get((side, price), 0) + lots

    def number_of(self, row: Row) -> int | None:
        """The number of the known order that a row is about."""
        order = self.orders.get(row.order_id)
        return order.number if order else None

    def follow(self, row: Row, change: Change | None, book: Book) -> None:
        """A row has changed the book."""
        if row.kind == EventKind.CLEAR:
            self._clear(row.side, book)
            return
        known = self._order_row(row)
        if self.rule == "restated":
            self._restated(row)
        elif change is not None and not known:
            self._lose(change)
        if row.kind == EventKind.BBO:
            for key in [key for key in self.loose if key[0] == row.side]:
                if key[1] != row.price or row.qty == 0:
                    del self.loose[key]
        if change is not None and change.after == 0:
            self.loose.pop((change.side, change.price), None)

    def _lose(self, change: Change) -> None:
        key, fell = (change.side, change.price), change.before - change.after
        if fell > 0 and key in self.loose:
            self.loose[key] = max(0, self.loose[key] - fell)

    def _restated(self, row: Row) -> None:
        key = (row.side, row.price)
        if row.kind in (EventKind.LEVEL, EventKind.SNAPSHOT, EventKind.BBO):
            self.loose.pop(key, None)
        elif row.kind in (EventKind.CANCEL, EventKind.EXECUTE) and not row.flags & Flag.NO_BOOK:
            self.loose[key] = max(0, self.loose.get(key, 0) - row.qty)

    def _order_row(self, row: Row) -> bool:
        """Follow the orders of the tape. Returns: whether the row was about a known one."""
        if not self.by_order:
            return False
        if row.kind == EventKind.ADD:
            self.numbers += 1
            before = self.orders.get(row.order_id)
            if before is not None:  # its lots belong to no known order now
                self._forget(row.order_id)
                key = (before.side, before.price)
                self.loose[key] = self.loose.get(key, 0) + before.taken
            made = Order(row.side, row.price, row.qty, self.numbers)
            self.orders[row.order_id] = made
            self.levels.setdefault((row.side, row.price), []).append(made)
            return True
        if row.kind not in (EventKind.CANCEL, EventKind.EXECUTE) or row.flags & Flag.NO_BOOK:
            return False
        order = self.orders.get(row.order_id)
        if order is None:
            return False
        order.lots -= row.qty
        order.taken = min(order.taken, max(0, order.lots))
        if order.lots <= 0:
            self._forget(row.order_id)
        return True

    def _forget(self, oid: int) -> None:
        order = self.orders.pop(oid, None)
        if order is not None:
            self.levels[order.side, order.price].remove(order)

    def _clear(self, side: int, book: Book) -> None:
        for order in self.orders.values():  # of the side that keeps its levels, on a CLEAR of one
            if order.taken and book.at(order.side, order.price) > 0:
                key = (order.side, order.price)
                self.loose[key] = self.loose.get(key, 0) + order.taken
        self.orders.clear()  # a CLEAR forgets all orders of the instrument
        self.levels.clear()
        for key in [key for key in self.loose if side in (key[0], 2)]:
            del self.loose[key]
