"""The order book as two dictionaries, written from what a tape row means.

A row states facts; the best of a side is the newest statement that stands, and a level that the
other side has traded through stays in its dictionary, out of sight, until the best of the other
side goes (`crossed="returns"`) or the tape restates it.
"""

from hft.core.codes import EventKind, Flag

NO_BID, NO_ASK = -(1 << 60), 1 << 60


class NaiveBook:
    """Quantities by tick for each side; ticks outside [low, high] are counted and dropped."""

    def __init__(self, low: int, high: int, crossed: str = "returns") -> None:
        self.low, self.high, self.crossed = low, high, crossed
        self.lots: list[dict[int, int]] = [{}, {}]
        self.best = [NO_BID, NO_ASK]
        self.complete = True
        self.outside = 0

    @property
    def valid(self) -> bool:
        """Both sides quoted, not crossed, no snapshot open."""
        bid, ask = self.best
        return self.complete and NO_BID < bid < ask < NO_ASK

    def at(self, side: int, tick: int) -> int:
        return self.lots[side].get(tick, 0)

    def worse(self, side: int, tick: int) -> int:
        """The next level of a side that is worse than `tick`."""
        if side == 0:
            return max((t for t in self.lots[0] if t < tick), default=NO_BID)
        return min((t for t in self.lots[1] if t > tick), default=NO_ASK)

    def ladder(self, side: int) -> list[tuple[int, int]]:
        """(tick, lots) from the best of a side outwards."""
        found, tick = [], self.best[side]
        while tick not in (NO_BID, NO_ASK):
            found.append((tick, self.at(side, tick)))
            tick = self.worse(side, tick)
        return found

    def apply(self, kind: int, side: int, tick: int, lots: int, flags: int) -> int:
        """One row; returns the lots that stood at its level before."""
        before = self.at(side, tick) if side < 2 else 0
        if kind in (EventKind.LEVEL, EventKind.SNAPSHOT):
            self._state(side, tick, lots)
        elif kind == EventKind.ADD:
            self._state(side, tick, before + lots)
        elif kind in (EventKind.CANCEL, EventKind.EXECUTE):
            if not flags & Flag.NO_BOOK:
                self._state(side, tick, max(0, before - lots))
        elif kind == EventKind.BBO:
            self._quote(side, tick, lots)
        elif kind == EventKind.CLEAR:
            for one in (0, 1) if side == 2 else (side,):
                self.lots[one] = {}
                self.best[one] = (NO_BID, NO_ASK)[one]
                self._unhide(one)
            self.complete = False
            before = 0
        if flags & Flag.LAST and kind != EventKind.LEVEL:
            self.complete = True
        return before

    def _state(self, side: int, tick: int, lots: int) -> None:
        if not self.low <= tick <= self.high:
            self.outside += 1
            return
        if lots == 0:
            if self.lots[side].pop(tick, 0) and tick == self.best[side]:
                self.best[side] = self.worse(side, tick)
                self._unhide(side)
            return
        self.lots[side][tick] = lots
        bid, ask = self.best
        if side == 0 and tick > bid:
            self.best = [tick, self.worse(1, tick) if tick >= ask else ask]
        elif side == 1 and tick < ask:
            self.best = [self.worse(0, tick) if tick <= bid else bid, tick]

    def _unhide(self, side: int) -> None:
        """The best of `side` went: what it had crossed comes back, then what that crosses not."""
        if self.crossed == "restated":
            return
        for one in (1 - side, side):
            nearest = self.worse(one, self.best[1 - one])
            self.best[one] = max(self.best[0], nearest) if one == 0 else min(self.best[1], nearest)

    def _quote(self, side: int, tick: int, lots: int) -> None:
        """An L1 feed: a side has one level, or none."""
        self.lots[side] = {}
        self.best[side] = (NO_BID, NO_ASK)[side]
        if lots and not self.low <= tick <= self.high:
            self.outside += 1
        elif lots:
            self.lots[side][tick] = lots
            self.best[side] = tick
