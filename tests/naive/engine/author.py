"""Writes the rows of one random instrument: crossings, clears, halts, prints through everything.

It keeps its own rough idea of the book, only to stay near it.
"""

from random import Random

from hft.core.codes import EventKind, Flag, StatusCode

BUY, SELL, NEITHER = 0, 1, 2
LEVELS, ORDERS, QUOTES = "levels", "orders", "quotes"
LOW, HIGH = 1, 1_400


class Author:
    """Writes the rows of one instrument, keeping its own idea of the book to stay near it."""

    def __init__(self, rng: Random, form: str, deep: bool) -> None:
        self.rng, self.form, self.deep = rng, form, deep
        self.rows: list[tuple[int, int, int, int, int, int, int]] = []
        self.now = 100
        self.center = 700 if deep else rng.randrange(60, 140)
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.orders: dict[int, tuple[int, int, int]] = {}
        self.ids = 0
        self.id_step = rng.choice((1, 1, 64, 4096, 1 << 20))  # ids that share a place in a table
        self.gone: list[tuple[int, int, int]] = []  # orders of before a CLEAR
        self.pace = rng.choice((1, 3, 10, 10))

    def tick(self) -> None:
        if self.rng.random() > 0.3:
            self.now += self.rng.randrange(1, 2 * self.pace + 1)

    def put(self, kind: int, side: int, price: int, qty: int, oid: int = 0, flags: int = 0) -> None:
        self.rows.append((self.now, kind, side, price, qty, oid, flags))

    def lots(self) -> int:
        draw = self.rng.random()
        if draw < 0.7:
            return self.rng.randrange(1, 8)
        return self.rng.randrange(8, 60) if draw < 0.97 else 10 ** self.rng.randrange(3, 10)

    def best(self, side: int) -> int:
        book = self.sides[side]
        if not book:
            return self.center - 1 if side == BUY else self.center + 1
        return max(book) if side == BUY else min(book)

    def away(self, side: int, ticks: int) -> int:
        price = self.best(side) + (-ticks if side == BUY else ticks)
        return min(max(price, LOW), HIGH)

    # -- opening and snapshots

    def open(self) -> None:
        if self.form == LEVELS:
            self.snapshot()
        elif self.form == QUOTES:
            for side in (BUY, SELL):
                self.quote(side)
        else:
            depth = 330 if self.deep else self.rng.randrange(1, 6)
            self.put(EventKind.CLEAR, NEITHER, 0, 0)
            for k in range(depth):
                for side in (BUY, SELL):
                    price = self.center + (-1 - k if side == BUY else 1 + k)
                    for _ in range(1 if self.deep else self.rng.randrange(1, 4)):
                        self.add(side, price, 1 if self.deep else self.lots())
            self._last()

    def _last(self) -> None:
        now, kind, side, price, qty, oid, flags = self.rows[-1]
        self.rows[-1] = (now, kind, side, price, qty, oid, flags | Flag.LAST)

    def snapshot(self) -> None:
        self.put(EventKind.CLEAR, NEITHER, 0, 0)
        for side in (BUY, SELL):
            self.sides[side].clear()
            depth = 340 if self.deep else self.rng.randrange(1, 6)
            price = self.center
            for _ in range(depth):
                step = 1 if self.deep else self.rng.choice((1, 1, 1, 2, 4))
                price += -step if side == BUY else step
                if LOW <= price <= HIGH:
                    lots = 1 if self.deep else self.lots()
                    self.sides[side][price] = lots
                    self.put(EventKind.SNAPSHOT, side, price, lots)
                if not self.deep and self.rng.random() < 0.03:
                    self.tick()
        self._last()

    # -- what may happen

    def event(self) -> None:
        self.tick()
        draw = self.rng.random()
        if draw < 0.03:
            self.status()
        elif draw < 0.28:
            self.trade()
        elif self.form == LEVELS:
            self.level_event()
        elif self.form == QUOTES:
            self.quote(self.rng.randrange(2))
        else:
            self.order_event()

    def status(self) -> None:
        codes = [int(code) for code in StatusCode]
        self.put(EventKind.STATUS, NEITHER, 0, self.rng.choice(codes))
        if self.rng.random() < 0.8:
            self.event()
            self.put(EventKind.STATUS, NEITHER, 0, int(StatusCode.OPEN))

    def trade(self) -> None:
        side = self.rng.choice((BUY, BUY, BUY, SELL, SELL, SELL, NEITHER))
        touched = self.rng.randrange(2) if side == NEITHER else 1 - side
        offset = self.rng.choice((0, 0, 0, 0, -1, 1, 1, 2, 5))
        flags = self.rng.choice((0,) * 12 + (Flag.HIDDEN, Flag.AUCTION))
        price = self.away(touched, offset)
        lots = self.lots()
        self.put(EventKind.TRADE, side, price, lots, 0, int(flags))
        if self.form == LEVELS and self.rng.random() < 0.6 and price in self.sides[touched]:
            left = max(0, self.sides[touched][price] - lots)
            if self.rng.random() < 0.3:
                self.tick()
            self.set_level(touched, price, left)

    def set_level(self, side: int, price: int, lots: int, kind: int = EventKind.LEVEL) -> None:
        if lots:
            self.sides[side][price] = lots
        else:
            self.sides[side].pop(price, None)
        flags = Flag.LAST if self.rng.random() < 0.3 else 0
        self.put(kind, side, price, lots, 0, int(flags))

    def level_event(self) -> None:
        rng, side = self.rng, self.rng.randrange(2)
        book, draw = self.sides[side], self.rng.random()
        if draw < 0.04:
            self.center = min(max(self.center + rng.randrange(-4, 5), 20), HIGH - 20)
            if not self.deep:
                self.snapshot()
        elif draw < 0.06:
            self.put(EventKind.CLEAR, side, 0, 0)
            book.clear()
            for _ in range(rng.randrange(3)):
                self.event()
            if rng.random() < 0.9:
                price = self.away(side, rng.randrange(3))
                self.set_level(side, price, self.lots(), EventKind.SNAPSHOT)
                self._last()
        elif draw < 0.14:  # a quote that crosses the other side, taken back soon or late
            price = self.away(1 - side, rng.randrange(0, 4))
            self.set_level(side, price, self.lots())
            for _ in range(rng.randrange(3)):
                self.event()
            self.set_level(side, price, 0)
        elif draw < 0.22:
            self.set_level(side, self.away(side, -1), self.lots())
        elif draw < 0.85 and book:
            price = rng.choice((self.best(side), rng.choice(list(book))))
            change = rng.choice((-1, 1)) * rng.randrange(1, 6)
            lots = max(0, book[price] + change) if rng.random() < 0.7 else self.lots()
            self.set_level(side, price, lots)
        elif draw < 0.93:
            self.set_level(side, self.best(side), 0)
        else:
            self.set_level(side, self.away(side, rng.randrange(0, 8)), self.lots())

    def quote(self, side: int) -> None:
        rng = self.rng
        if rng.random() < 0.04:
            self.put(EventKind.BBO, side, 0, 0)
            self.sides[side].clear()
            return
        price = self.away(side, rng.choice((0, 0, 0, 1, -1, 2, -3)))
        self.sides[side].clear()
        lots = self.lots()
        self.sides[side][price] = lots
        self.put(EventKind.BBO, side, price, lots, 0, int(rng.choice((0, 0, Flag.LAST))))

    # -- order by order

    def add(self, side: int, price: int, lots: int) -> None:
        self.ids += 1
        oid = self.ids * self.id_step
        self.orders[oid] = (side, price, lots)
        self.sides[side][price] = self.sides[side].get(price, 0) + lots
        self.put(EventKind.ADD, side, price, lots, oid)

    def less(self, oid: int, lots: int) -> None:
        side, price, left = self.orders[oid]
        self.sides[side][price] -= lots
        if self.sides[side][price] == 0:
            del self.sides[side][price]
        if left == lots:
            del self.orders[oid]
        else:
            self.orders[oid] = (side, price, left - lots)

    def order_event(self) -> None:
        rng, draw = self.rng, self.rng.random()
        if draw < 0.03 and not self.deep:
            self.gone = [(oid, side, price) for oid, (side, price, _) in self.orders.items()]
            self.orders.clear()
            self.sides[0].clear()
            self.sides[1].clear()
            self.open()
        elif draw < 0.06:
            self.strange_order()
        elif draw < 0.5 or not self.orders:
            side = rng.randrange(2)
            offset = rng.choice((0, 0, 0, 1, 2, 3, -1, -1, -4))
            self.add(side, self.away(side, offset), self.lots())
        else:
            oid = self._some_order()
            side, price, left = self.orders[oid]
            lots = left if rng.random() < 0.5 else rng.randrange(1, left + 1)
            if draw < 0.72:
                self.put(EventKind.CANCEL, side, price, lots, oid)
                self.less(oid, lots)
            else:
                self.execute(oid, side, price, lots)

    def strange_order(self) -> None:
        """Rows that recordings have, too: of unknown orders, far away, of an id that was given."""
        rng, side = self.rng, self.rng.randrange(2)
        draw, lots = rng.random(), self.rng.randrange(1, 6)
        if draw < 0.5:
            kind = rng.choice((EventKind.CANCEL, EventKind.EXECUTE))
            known = rng.choice(self.gone) if self.gone and rng.random() < 0.7 else None
            oid, side, price = known or (self.ids + 7 * self.id_step, side, self.best(side))
            self.put(kind, side, price, lots, oid)
        elif draw < 0.75:
            self.ids += 1
            oid, price = self.ids * self.id_step, HIGH + 5000
            self.put(EventKind.ADD, side, price, lots + 5, oid)
            self.put(rng.choice((EventKind.CANCEL, EventKind.EXECUTE)), side, price, lots, oid)
        elif draw < 0.88 and self.orders:  # a row of a known order at another's price
            oid = self._some_order()
            side, _, left = self.orders[oid]
            price = rng.choice((self.best(side), self.away(side, rng.randrange(3))))
            shown = self.sides[side].get(price, 1)
            lots = rng.choice((lots, left, shown, shown))
            self.put(rng.choice((EventKind.CANCEL, EventKind.EXECUTE)), side, price, lots, oid)
        elif self.orders:
            oid = self._some_order()
            price = self.away(side, rng.randrange(4))
            self.orders[oid] = (side, price, lots)  # later rows are about this one
            self.sides[side][price] = self.sides[side].get(price, 0) + lots
            self.put(EventKind.ADD, side, price, lots, oid)

    def execute(self, oid: int, side: int, price: int, lots: int) -> None:
        rng = self.rng
        hidden = rng.random() < 0.15
        self.put(EventKind.EXECUTE, side, price, lots, oid, int(Flag.NO_BOOK if hidden else 0))
        if hidden:
            self.put(EventKind.CANCEL, side, price, lots, oid)
        self.less(oid, lots)

    def _some_order(self) -> int:
        """Mostly the first order at the best price of a side, as markets execute."""
        if self.rng.random() < 0.4:
            return self.rng.choice(list(self.orders))
        side = self.rng.randrange(2)
        best = [oid for oid, o in self.orders.items() if o[0] == side and o[1] == self.best(side)]
        return best[0] if best else self.rng.choice(list(self.orders))
