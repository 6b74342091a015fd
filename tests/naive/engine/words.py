"""`view` and `order` of the twin: what a strategy sees and says, from docs/reference/members.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hft.core.codes import EventKind, IntentType, OrderType, Tif, WakeCause
from tests.naive.engine.book import Book
from tests.naive.engine.gateway import NOTHING, Intent, Order
from tests.naive.engine.markets import Market, Row
from tests.naive.engine.venue import _is_print

if TYPE_CHECKING:
    from tests.naive.engine.replay import Replay

INTENTS_MOST = 64
LEVELS = 10
NO_BID, NO_ASK = -(1 << 60), 1 << 60


class Feed:
    """The delayed market of one instrument: its book and its last trade."""

    def __init__(self, rows: list[Row], market: Market) -> None:
        self.rows, self.at = rows, 0
        self.book = Book(market.venue.crossed, market.window)
        self.last = (0, 0, 0)
        self.traded = 0

    def next_ns(self) -> int | None:
        return self.rows[self.at].local_ts if self.at < len(self.rows) else None

    def until(self, now: int) -> set[int]:
        """Apply the rows received until `now`. Returns: the causes of a wake-up among them."""
        causes: set[int] = set()
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
        return A_STATUS
    if row.kind == EventKind.TRADE:
        return A_TRADE
    return A_PRINT if _is_print(row) else A_CHANGE


A_STATUS, A_TRADE, A_CHANGE = (
    {int(c)} for c in (WakeCause.STATUS, WakeCause.TRADE, WakeCause.BOOK)
)
A_PRINT = A_TRADE | A_CHANGE


class View:
    """What strategy s may read of one instrument, at one wake-up; nothing in it moves meanwhile."""

    def __init__(self, replay: Replay, s: int, instrument: int, wake: int) -> None:
        self._replay, self._s, self._i = replay, s, instrument
        self.wake, self.now = wake, replay.now
        feed = replay.feeds[instrument]
        self._book = book = feed.book
        bid, ask = book.best
        self.book_valid, self.session_phase = book.valid, replay.phase_of(instrument)
        self.bid_tick = NO_BID if bid is None else bid
        self.ask_tick = NO_ASK if ask is None else ask
        self.bid_lots, self.ask_lots = book.at(0, self.bid_tick), book.at(1, self.ask_tick)
        self.mid2 = self.bid_tick + self.ask_tick
        self.last_trade_tick, self.last_trade_lots, self.last_trade_side = feed.last
        self.traded_since_wake = feed.traded - replay.seen_traded[s][instrument]
        held = replay.positions[s][instrument]
        self.position, self.pnl = held.lots, held.realized + held.unrealized - held.fees
        buys, sells = (replay.gateway.of(s, instrument, 0), replay.gateway.of(s, instrument, 1))
        self.open_buy, self.open_sell = sum([o.open for o in buys]), sum([o.open for o in sells])
        self.working_buy_tick = max([o.price for o in buys], default=NO_BID)
        self.working_sell_tick = min([o.price for o in sells], default=NO_ASK)
        self._working = (buys, sells)
        self.bid_ticks, self.bid_depth = self._ladder(0)
        self.ask_ticks, self.ask_depth = self._ladder(1)

    def __getitem__(self, k: int) -> View:
        return View(self._replay, self._s, k, self.wake)

    def _ladder(self, side: int) -> tuple[list[int], list[int]]:
        """Ticks and lots of the visible levels of a side, then zeros."""
        ticks = self._book.visible(side)[:LEVELS]
        shown, blank = self._book.lots[side], [0] * (LEVELS - len(ticks))
        return ticks + blank, [shown[tick] for tick in ticks] + blank

    def own_orders(self) -> list[tuple[int, int, int, int, bool]]:
        """Own working orders: side, id, price, open lots, whether no request is in flight."""
        return [
            (o.side, o.oid, o.price, o.open, o.request == NOTHING)
            for orders in self._working
            for o in orders
        ]


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
