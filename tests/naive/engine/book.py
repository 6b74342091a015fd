"""The recorded book of one instrument, from docs/reference/venue.md: dicts of lots, no tricks.

Two of these live in the twin for each instrument: the venue's and the view's. The prices that have
lots are kept in order, too, so that recorded books of a thousand levels can be followed.
"""

from bisect import bisect_left, bisect_right, insort

from hft.core.codes import EventKind, Flag, StatusCode
from tests.naive.engine.markets import Row

BID, ASK = 0, 1
SETS = (EventKind.LEVEL, EventKind.SNAPSHOT)
TAKES = (EventKind.CANCEL, EventKind.EXECUTE)
OF_LEVELS = (*SETS, EventKind.ADD, *TAKES)
OF_THE_BOOK = (*OF_LEVELS, EventKind.BBO, EventKind.CLEAR)


class Change:
    """What one row did to one level: `side`, `price`, lots before and after; None: to no level."""

    def __init__(self, side: int, price: int, before: int, after: int) -> None:
        self.side, self.price, self.before, self.after = side, price, before, after


class Book:
    """Lots by side and tick, a best of each side, whether it is complete, the phase."""

    def __init__(self, crossed: str, window: tuple[int, int] | None = None) -> None:
        self.crossed, self.window = crossed, window
        self.lots: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.prices: tuple[list[int], list[int]] = ([], [])  # that have lots, ascending
        self.best: list[int | None] = [None, None]
        self.complete = True
        self.phase = int(StatusCode.OPEN)

    @property
    def open(self) -> bool:
        return self.complete and self.phase == StatusCode.OPEN

    @property
    def valid(self) -> bool:
        bid, ask = self.best
        return self.complete and bid is not None and ask is not None and bid < ask

    @property
    def mid2(self) -> int:
        bid, ask = self.best
        assert bid is not None and ask is not None
        return bid + ask

    def at(self, side: int, price: int) -> int:
        return self.lots[side].get(price, 0)

    def visible(self, side: int) -> list[int]:
        """Prices of a side from its best away from the market."""
        best = self.best[side]
        if best is None:
            return []
        prices = self.prices[side]
        if side == BID:
            return prices[: bisect_right(prices, best)][::-1]
        return prices[bisect_left(prices, best) :]

    def apply(self, row: Row) -> Change | None:
        """Take a row in. Returns: the level it was about."""
        change: Change | None = None
        if row.kind in OF_LEVELS:
            change = self._level_row(row)
        elif row.kind == EventKind.BBO:
            change = self._quote(row)
        elif row.kind == EventKind.CLEAR:
            self._clear(row.side)
        elif row.kind == EventKind.STATUS:
            self.phase = row.qty
        if row.flags & Flag.LAST and row.kind in OF_THE_BOOK and row.kind != EventKind.LEVEL:
            self.complete = True
        return change

    def _holds(self, price: int) -> bool:
        return self.window is None or self.window[0] <= price <= self.window[1]

    def _level_row(self, row: Row) -> Change | None:
        if not self._holds(row.price):
            return None
        before = self.at(row.side, row.price)
        if row.kind in TAKES:
            if row.flags & Flag.NO_BOOK:
                return None
            after = max(0, before - row.qty)
        else:
            after = before + row.qty if row.kind == EventKind.ADD else row.qty
        self._set(row.side, row.price, after)
        return Change(row.side, row.price, before, after)

    def _set(self, side: int, price: int, after: int) -> None:
        before, best = self.at(side, price), self.best[side]
        if after:
            self._put(side, price, after)
            if best is None or _nearer(side, price, best):
                self.best[side] = price
                other = self.best[1 - side]
                if other is not None and not _behind(1 - side, other, price):
                    self.best[1 - side] = self._nearest(1 - side, price)
        elif before:
            self._drop(side, price)
            if price == best:
                self.best[side] = self._nearest(side, price)  # the next one away
                if self.crossed == "restated":
                    return
                self.best[1 - side] = self._nearest(1 - side, self.best[side])
                # Levels of this side that only what is hidden now had crossed come back, too.
                self.best[side] = self._nearest(side, self.best[1 - side])

    def _put(self, side: int, price: int, lots: int) -> None:
        if price not in self.lots[side]:
            insort(self.prices[side], price)
        self.lots[side][price] = lots

    def _drop(self, side: int, price: int) -> None:
        if self.lots[side].pop(price, None) is not None:
            self.prices[side].remove(price)

    def _nearest(self, side: int, wall: int | None) -> int | None:
        """The level of a side nearest to the market that is strictly behind `wall`."""
        prices = self.prices[side]
        if side == BID:
            at = len(prices) if wall is None else bisect_left(prices, wall)
            return prices[at - 1] if at > 0 else None
        at = 0 if wall is None else bisect_right(prices, wall)
        return prices[at] if at < len(prices) else None

    def _quote(self, row: Row) -> Change:
        side, old = row.side, self.best[row.side]
        before = self.at(side, row.price) if old == row.price else 0
        if old is not None and (old != row.price or row.qty == 0):
            self._drop(side, old)
        self.best[side] = None
        if row.qty > 0 and self._holds(row.price):
            self._put(side, row.price, row.qty)
            self.best[side] = row.price
        return Change(side, row.price, before, row.qty)

    def _clear(self, side: int) -> None:
        self.complete = False
        for one in (BID, ASK):
            if side in (one, 2):
                self.lots[one].clear()
                self.prices[one].clear()
                self.best[one] = None
        if side in (BID, ASK) and self.crossed == "returns":
            self.best[1 - side] = self._nearest(1 - side, None)


def _nearer(side: int, price: int, best: int) -> bool:
    return price > best if side == BID else price < best


def _behind(side: int, price: int, wall: int) -> bool:
    """Whether a price of `side` is strictly on its own side of the other's `wall`."""
    return price < wall if side == BID else price > wall
