"""The sanity checks of every tape, whoever decoded it: one walk over its rows with a book.

It sees the rows as a strategy does, in tape order, and counts what cannot be true of a market (a
crossed book, a price of nothing, an order that nobody added) beside what is only worth knowing (a
side without a quote, a long silence). What each name means, what it does to a replay and how many
are accepted stands in the table of `findings.py`; nothing here refuses. A decoder that counted the
same thing itself may have seen more (rows that it left out): the larger count stays.
"""

from collections.abc import Iterator

import numpy as np

from hft.core.codes import EventKind
from hft.core.errors import DataError
from hft.feeds import checks
from hft.feeds.checks import NAMES, PLACED
from hft.feeds.order import row_words
from hft.tape.schema import Columns, Finding
from hft.tape.sessions import sessions_of
from hft.tape.summary import check_rows, frozen, is_l1, survey, touch_window
from hft.tape.touch import VALID, Touch, make_touch, rehash


class Sanity:
    """The checks over the rows of one settled feed, part by part; the book carries over."""

    def __init__(
        self,
        columns: Columns,
        origin: str,
        continues: bool = False,
        calendar: str | None = None,
        trade_ids: bool = False,
    ) -> None:
        """`calendar` tells when there is continuous trading where no status rows do; with
        `trade_ids` equal prints are known to be several.

        Raises: DataError where a row's kind, side or quantity is no code of a tape, or a row
        that rests in the book is of no side.
        """
        self.columns = frozen(columns)
        found = survey(self.columns)
        check_rows(found, origin)
        _refuse_no_side(self.columns, origin)
        window = touch_window(found) or (0, 0)
        self.touch = make_touch(*window, l1=is_l1(found.kinds))
        self.state = np.zeros(checks.SLOTS, np.int64)
        self.state[[checks.PREV_ROW, checks.PREV_PRINT, checks.LOCKED_SINCE]] = -1
        self.state[checks.CLEARED] = continues
        told = found.kinds[EventKind.STATUS] > 0
        self.hours = _hours(self.columns, None if told else calendar)
        orders = found.kinds[EventKind.CANCEL] + found.kinds[EventKind.EXECUTE]
        self.untold = {"repeated_row"} if trade_ids and not orders else set[str]()
        self.quoted = bool(found.kinds[: EventKind.TRADE].sum() + found.kinds[EventKind.BBO])

    def part(self, low: int, high: int) -> list[Finding]:
        """What the rows from `low` to `high` show; rows count from the first of the part."""
        seen = np.zeros((len(NAMES), 2), np.int64)
        at = low
        while at < high:
            touch = self.touch
            given = (self.columns, self.hours, at, high, seen, self.state)
            at = int(checks.look(touch.arena, touch.orders, *given))
            if at < high:
                _grow(self.touch)
        return list(self._findings(seen, low))

    def _findings(self, seen: np.ndarray, low: int) -> Iterator[Finding]:
        for slot, name in enumerate(NAMES):
            count, first = (int(value) for value in seen[slot])
            if count and name not in self.untold:
                yield Finding(
                    name, count, first - low + 1, row_words(self.columns, first), of="tape"
                )
        if self.quoted and not self.state[checks.TWO_SIDED]:
            yield Finding("book_never_valid", 1, 1, self._why(), of="tape")

    def _why(self) -> str:
        if self.state[checks.CLEARED] and not self.touch.arena[VALID]:
            return (
                "no snapshot after the book was cleared; record one, or --book-from-deltas N "
                "(book_from_deltas=N)"
            )
        return "a bid below an ask never stood at the end of a receive time"


def _refuse_no_side(columns: Columns, origin: str) -> None:
    """A level, quote or order is of a buyer or a seller; only prints and clears may name neither.

    Raises: DataError with the 1-based row.
    """
    without = np.flatnonzero((columns.side > 1) & np.isin(columns.kind, PLACED))
    if len(without):
        row = int(without[0])
        kind = EventKind(int(columns.kind[row])).name
        raise DataError(
            f"{origin}, tape row {row + 1}: {kind} has no side; write 0 (buy) or 1 (sell)"
        )


def _hours(columns: Columns, calendar: str | None) -> np.ndarray:
    """Opens and closes of the calendar around the rows, [n, 2]; none where nobody knows them."""
    sessions = sessions_of(calendar)
    if sessions is None or not len(columns.local_ts):
        return np.zeros((0, 2), np.int64)
    first, last = int(columns.local_ts.min()), int(columns.local_ts.max())
    if not sessions.covers(first, last):
        return np.zeros((0, 2), np.int64)
    around = sessions.between(first, last)
    if not len(around):  # closed all the time: a span that never begins
        return np.full((1, 2), np.iinfo(np.int64).max)
    return np.stack([around.open_ns, around.close_ns], axis=1).astype(np.int64)


def _grow(touch: Touch) -> None:
    grown = np.zeros((touch.orders.shape[0] * 2, 4), np.int64)
    rehash(touch.orders, grown)
    touch.orders = grown
