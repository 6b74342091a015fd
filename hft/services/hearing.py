"""What callbacks said, as rows in the order they came, and what they do to the venue link.

An answer to a question counts only while that question is the one under way; the link is live when
all that was asked was told, fitted what was booked, and leaves no order in doubt.
"""

from array import array
from collections import deque
from typing import Any

import numpy as np

from hft.core.codes import ResponseKind
from hft.services.callbacks import Call, Callbacks, CallKind
from hft.services.link import Link, Phase
from hft.services.ports import AlertKind
from hft.trading.desk import Desk
from hft.trading.inputs import HEARD, INPUT, InputKind, Outcome

_ANSWER, _RECONCILED = InputKind.ANSWER.value, InputKind.RECONCILED.value
_TOLD = Call._fields.index("token")  # the fields before it are those of HEARD
_PLACES = [(HEARD.names or ()).index(name) for name in Call._fields[:_TOLD]]
_FILL = ResponseKind.FILL.value
_ENDS = [
    kind.value for kind in (ResponseKind.CANCELLED, ResponseKind.EXPIRED, ResponseKind.REJECTED)
]
_KINDS = {CallKind.ANSWER: _ANSWER, CallKind.TOLD: _RECONCILED}
Said = list[tuple[AlertKind, str]]


class Hearing:
    """Drains the callbacks of one life into rows. Mutates: `link`."""

    def __init__(self, link: Link, callbacks: Callbacks, accounts: int) -> None:
        self.link, self._callbacks, self._accounts = link, callbacks, range(accounts)
        self.alerts: Said = []  # taken by whoever owns this
        self._left: deque[Call] = deque()
        self._ended: int | None = None  # a question whose rows are to be applied first
        self._asked: set[int] = set()
        self._untold: set[int] = set()
        self._disputed = self._gaps = 0
        self._desk: Desk | None = None
        self.unbooked = 0  # fills of this life that our books have no order for

    def begin(self, desk: Desk) -> None:
        """A life begins with this desk."""
        self._desk = desk
        self._gaps = int(desk.state.head[0]["gaps"])

    @property
    def has_more(self) -> bool:
        """Did something stay behind the end of a question?"""
        return bool(self._left)

    def ask(self, orders: np.ndarray, desk: Desk) -> None:
        """A question about these ORDER rows is under way."""
        self._asked = set(orders["order_id"].tolist())
        self._untold = set(self._asked)
        self._disputed = int(desk.state.head[0]["disputed"])

    def take(self, now_ns: int, most: int) -> np.ndarray | None:
        """HEARD rows of the next callbacks, as INPUT; None when there are none."""
        if self._ended is not None:
            return None
        self._left.extend(self._callbacks.take(most - len(self._left)))
        said: list[Call] = []
        while self._left and self._ended is None:
            call = self._left.popleft()
            if call.kind in _KINDS:
                if self._counts(call):
                    said.append(call)
            else:
                self._turn(call, now_ns)
        rows = self._rows(said, now_ns) if said else None
        if rows is not None and self._desk is not None:
            self._say_unbooked(rows.view(HEARD), self._desk)
        return rows

    def applied(self, desk: Desk, now_ns: int) -> None:
        """The rows taken last are booked: did they fit, and was that the end of a question?"""
        token, self._ended = self._ended, None
        gaps, self._gaps = self._gaps, int(desk.state.head[0]["gaps"])
        if self._gaps > gaps and self.link.phase is not Phase.DOWN:
            self._say(
                AlertKind.CALLBACKS_LOST,
                "an answer of the venue is missing, or cannot be; nothing leaves until the venue "
                "has said what became of every order",
            )
            self.link.down(now_ns)
            return
        if token is None or not self.link.is_asked(token):
            return
        disputed = int(desk.state.head[0]["disputed"]) - self._disputed
        doubts = len(desk.unknown())
        if disputed or self._untold or doubts:
            self._say(
                AlertKind.DISPUTED,
                f"{doubts} orders are in doubt, {len(self._untold)} were not told and {disputed} "
                "do not fit what was booked; the venue is asked again",
            )
        settled = not (disputed or self._untold or doubts)
        self.link.end(token, now_ns, is_settled=settled)

    def broken(self, now_ns: int, said: str) -> None:
        """The session cannot be trusted any more; another one begins at once."""
        self._say(AlertKind.VENUE_DOWN, said)
        self.link.down(now_ns, soon=True)

    def _counts(self, call: Call) -> bool:
        if call.account_idx not in self._accounts:
            self._say(AlertKind.BAD_ANSWER, f"order {call.order_id}: account {call.account_idx}")
            return False
        if call.kind is CallKind.ANSWER:  # of a session that was given up it is told when asked
            return self.link.phase not in (Phase.DOWN, Phase.CONNECTING)
        if not self.link.is_asked(call.token):
            return False
        if call.order_id not in self._asked and call.code == Outcome.RESTS:
            self._say(
                AlertKind.STRAY_ORDER,
                f"order {call.order_id} rests at the venue with {call.qty} lots and is not ours; "
                "cancel it there",
            )
        self._untold.discard(call.order_id)
        return True

    def _turn(self, call: Call, now_ns: int) -> None:
        if call.kind is CallKind.UP:
            self.link.up(now_ns)
        elif call.kind is CallKind.END:
            if self.link.is_asked(call.token):
                self._ended = call.token
        elif call.kind is CallKind.DOWN:
            self._say(AlertKind.VENUE_DOWN, call.said)
            self.link.down(now_ns)
        else:
            self._say(
                AlertKind.CALLBACKS_LOST,
                f"more than {self._callbacks.capacity} callbacks waited and the rest was dropped; "
                "nothing leaves until the venue has said what became of every order",
            )
            self._callbacks.reopen()
            self.link.down(now_ns, soon=True)

    def _rows(self, said: list[Call], now_ns: int) -> np.ndarray | None:
        """Rows of what was said, up to what cannot be read: that ends the session."""
        try:
            return _rows(said)
        except (ValueError, TypeError, OverflowError):
            pass
        for place, call in enumerate(said):
            try:
                _rows([call])
            except (ValueError, TypeError, OverflowError) as error:
                self._ended = None
                self._say(
                    AlertKind.BAD_ANSWER,
                    f"a callback about order {call.order_id!r} cannot be read: {error}; the venue "
                    "is asked what became of every order",
                )
                self.link.down(now_ns)
                return _rows(said[:place]) if place else None
        return None

    def _say_unbooked(self, rows: np.ndarray, desk: Desk) -> None:
        """A fill of an order that has ended here, or never was, moves the venue's position alone.

        A copy of one that was heard before is not meant.
        """
        fills = np.flatnonzero((rows["kind"] == _ANSWER) & (rows["code"] == _FILL))
        if not len(fills):
            return
        is_open = desk.are_working(rows["order_id"][fills])
        ends = (rows["kind"] == _ANSWER) & np.isin(rows["code"], _ENDS)
        heard: set[tuple[int, int, int]] = set()
        for at, was_open in zip(fills, is_open, strict=True):
            row = rows[at]
            number = (int(row["account_idx"]), int(row["session"]), int(row["seq"]))
            ended = ends[:at] & (rows["order_id"][:at] == row["order_id"])
            if (was_open and not ended.any()) or number in heard or not _is_new(row, desk):
                continue
            heard |= {number} if row["seq"] > 0 else set()
            self.unbooked += 1
            self._say(
                AlertKind.UNBOOKED_FILL,
                f"order {row['order_id']}: the venue filled {row['qty']} lots at {row['price']} "
                "ticks, and our books have no such order any more; it is not booked, so compare "
                "the position with the venue's",
            )

    def _say(self, kind: AlertKind, said: str) -> None:
        self.alerts.append((kind, said))


def _is_new(row: np.ndarray, desk: Desk) -> bool:
    """Was an answer of this number not heard yet? One without a number always counts."""
    if row["seq"] <= 0:
        return True
    last = desk.state.sessions[row["account_idx"]]
    known = last["seq"] if last["seq"] >= 0 else -1 - last["seq"]
    if row["session"] != last["session"]:
        return bool(row["session"] > last["session"])
    return bool(row["seq"] > known)


def _rows(said: list[Call]) -> np.ndarray:
    """Raises: TypeError, OverflowError where a field is no whole number of 64 bits."""
    words = np.zeros((len(said), len(HEARD.names or ())), np.int64)
    told: list[Any] = [one for call in said for one in (_KINDS[call.kind], *call[1:_TOLD])]
    words[:, _PLACES] = np.frombuffer(array("q", told), np.int64).reshape(len(said), -1)
    return words.reshape(-1).view(INPUT)
