"""`view` and `order` of the twin: what a strategy sees and says, from docs/reference/members.md."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from hft.core.codes import EventKind, IntentType, OrderType, Tif, WakeCause
from tests.naive.engine.book import Book
from tests.naive.engine.gateway import NOTHING, Intent, Order
from tests.naive.engine.markets import Row
from tests.naive.engine.venue import _is_print

if TYPE_CHECKING:
    from tests.naive.engine.replay import Replay

INTENTS_MOST = 64
NO_BID, NO_ASK = -(1 << 60), 1 << 60


class Feed:
    """The delayed market of one instrument: its book and its last trade."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows, self.at = rows, 0
        self.book = Book()
        self.last = (0, 0, 0)
        self.traded = 0

    def next_ns(self) -> int | None:
        return self.rows[self.at].local_ts if self.at < len(self.rows) else None

    def until(self, now: int) -> set[int]:
        """Apply the rows received until `now`. Returns: the causes of a wake-up among them."""
        causes = set()
        while self.at < len(self.rows) and self.rows[self.at].local_ts <= now:
            row = self.rows[self.at]
            self.at += 1
            self._take(row)
            causes |= _causes(row)
        return causes

    def _take(self, row: Row) -> None:
        self.book.apply(row)
        if row.kind == EventKind.TRADE or _is_print(row):
            side = row.side if row.kind == EventKind.TRADE else 1 - row.side
            self.last = (row.price, row.qty, side)
            self.traded += row.qty


def _causes(row: Row) -> set[int]:
    """What a row may wake for; an EXECUTE is a print and a change of the book."""
    if row.kind == EventKind.STATUS:
        return {int(WakeCause.STATUS)}
    if row.kind == EventKind.TRADE:
        return {int(WakeCause.TRADE)}
    book = {int(WakeCause.BOOK)}
    return book | {int(WakeCause.TRADE)} if _is_print(row) else book


class View:
    """What strategy s may read of one instrument, at one wake-up."""

    def __init__(self, replay: Replay, s: int, instrument: int, wake: int) -> None:
        self._replay, self._s, self._i = replay, s, instrument
        self._feed = replay.feeds[instrument]
        self.wake, self.now = wake, replay.now

    def __getitem__(self, k: int) -> View:
        return View(self._replay, self._s, k, self.wake)

    @property
    def book_valid(self) -> bool:
        return self._feed.book.valid

    @property
    def bid_tick(self) -> int:
        best = self._feed.book.best[0]
        return NO_BID if best is None else best

    @property
    def ask_tick(self) -> int:
        best = self._feed.book.best[1]
        return NO_ASK if best is None else best

    @property
    def bid_lots(self) -> int:
        return self._feed.book.at(0, self.bid_tick)

    @property
    def ask_lots(self) -> int:
        return self._feed.book.at(1, self.ask_tick)

    @property
    def mid2(self) -> int:
        return int(self.bid_tick + self.ask_tick)

    @property
    def last_trade_tick(self) -> int:
        return self._feed.last[0]

    @property
    def last_trade_lots(self) -> int:
        return self._feed.last[1]

    @property
    def last_trade_side(self) -> int:
        return self._feed.last[2]

    @property
    def traded_since_wake(self) -> int:
        return self._feed.traded - self._replay.seen_traded[self._s][self._i]

    @property
    def session_phase(self) -> int:
        return self._feed.book.phase

    @property
    def position(self) -> int:
        return self._replay.positions[self._s][self._i].lots

    @property
    def pnl(self) -> int:
        held = self._replay.positions[self._s][self._i]
        return held.realized + held.unrealized - held.fees

    @property
    def open_buy(self) -> int:
        return sum(o.open for o in self._replay.gateway.of(self._s, self._i, 0))

    @property
    def open_sell(self) -> int:
        return sum(o.open for o in self._replay.gateway.of(self._s, self._i, 1))

    @property
    def working_buy_tick(self) -> int:
        return max((o.price for o in self._replay.gateway.of(self._s, self._i, 0)), default=NO_BID)

    @property
    def working_sell_tick(self) -> int:
        return min((o.price for o in self._replay.gateway.of(self._s, self._i, 1)), default=NO_ASK)

    def _ladder(self, side: int, of_price: bool) -> list[int]:
        book = self._feed.book
        prices = book.visible(side)[:10]
        shown = prices if of_price else [book.at(side, p) for p in prices]
        return shown + [0] * (10 - len(shown))

    @cached_property
    def bid_ticks(self) -> list[int]:
        return self._ladder(0, True)

    @cached_property
    def ask_ticks(self) -> list[int]:
        return self._ladder(1, True)

    @cached_property
    def bid_depth(self) -> list[int]:
        return self._ladder(0, False)

    @cached_property
    def ask_depth(self) -> list[int]:
        return self._ladder(1, False)

    # Handles of own orders are their ids here.

    def first_order(self, side: int) -> int:
        own = self._replay.gateway.of(self._s, self._i, side)
        return own[0].oid if own else -1

    def next_order(self, handle: int) -> int:
        orders = self._replay.gateway.orders
        own = [o.oid for o in self._replay.gateway.of(self._s, self._i, orders[handle].side)]
        k = own.index(handle) + 1
        return own[k] if k < len(own) else -1

    def order_id(self, handle: int) -> int:
        return handle

    def order_tick(self, handle: int) -> int:
        return self._replay.gateway.orders[handle].price

    def order_open(self, handle: int) -> int:
        return self._replay.gateway.orders[handle].open

    def order_live(self, handle: int) -> bool:
        return self._replay.gateway.orders[handle].request == NOTHING


class Words:
    """What strategy s says about one instrument; intents wait in the replay's buffer."""

    def __init__(self, replay: Replay, s: int, instrument: int) -> None:
        self._replay, self._s, self._i = replay, s, instrument

    def __getitem__(self, k: int) -> Words:
        return Words(self._replay, self._s, k)

    def _write(self, kind: int, **fields: int) -> int:
        replay = self._replay
        if len(replay.buffer) >= INTENTS_MOST:
            replay.lost += 1
            return -1
        replay.numbers += 1
        replay.buffer.append(Intent(replay.numbers, kind, self._s, self._i, **fields))
        return replay.numbers

    def new(
        self,
        side: int,
        tick: int,
        lots: int,
        tif: int = 0,
        type: int = int(OrderType.LIMIT),
        expires_ns: int = 0,
    ) -> int:
        return self._write(
            int(IntentType.NEW),
            **{"side": side, "price": tick, "lots": lots, "tif": tif, "type": type},
            expires_ns=expires_ns,
        )

    def amend(self, oid: int, tick: int, lots: int) -> None:
        self._write(int(IntentType.AMEND), target=oid, price=tick, lots=lots)

    def cancel(self, oid: int) -> None:
        self._write(int(IntentType.CANCEL), target=oid)

    def cancel_all(self) -> None:
        for side in (0, 1):
            self._cancel_side(side)

    def _cancel_side(self, side: int) -> int:
        """Cancel what has no request under way. Returns: how many orders still work."""
        own = self._own(side)
        for order in own:
            if order.request == NOTHING:
                self.cancel(order.oid)
        return len(own)

    def _own(self, side: int) -> list[Order]:
        """Own working orders of a side, the newest first."""
        return self._replay.gateway.of(self._s, self._i, side)[::-1]

    def quote(self, side: int, tick: int, lots: int) -> None:
        keep, waiting = None, False
        for order in self._own(side):
            if order.request != NOTHING:
                waiting = True
            elif keep is None and lots > 0 and order.price == tick:
                keep = order
            else:
                self.cancel(order.oid)
                waiting = True
        if waiting or lots <= 0:
            return
        if keep is None:
            self.new(side, tick, lots, tif=int(Tif.GTX))
        elif lots < keep.open:
            self.amend(keep.oid, tick, keep.filled + lots)
        elif lots > keep.open:
            self.cancel(keep.oid)

    def target(self, lots: int, tick: int | None = None) -> None:
        held = self._replay.positions[self._s][self._i].lots
        working = sum(o.open for o in self._own(0)) - sum(o.open for o in self._own(1))
        gap = lots - held - working
        if gap == 0:
            return
        side = 0 if gap > 0 else 1
        if self._cancel_side(1 - side) > 0:
            return
        if tick is None:
            self.new(side, 0, abs(gap), int(Tif.IOC), int(OrderType.MARKET))
        else:
            self.new(side, tick, abs(gap))
