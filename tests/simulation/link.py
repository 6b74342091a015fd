"""The adapter of the model venue: a gateway's end of the wire, as `OrderAdapter` asks for.

It puts answers into the venue's order by their numbers, asks for those that are missing, and says
`up` only once the venue has told where its numbers stand. Copies go through: the desk knows them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hft.core.codes import Reason, ResponseKind
from hft.trading.inputs import Outcome
from tests.simulation.venue import Answer, Command, ModelVenue, Status
from tests.simulation.wire import Connection, Wire

RETRY_S, PATIENCE_S, BEAT_S = 0.02, 0.004, 0.05
BLANK: tuple[int, int, int, int | None] = (0, 0, 0, None)


def commands_of(rows: np.ndarray) -> list[Command]:
    """OUTBOUND rows as the venue takes them."""
    names = Command._fields
    return [Command(*(int(row[name]) for name in names)) for row in rows]


class ModelAdapter:
    """One session at a time; begin again after `down`."""

    def __init__(self, wire: Wire, who: str) -> None:
        self.wire, self.who = wire, who
        self._connection: Connection | None = None
        self._heard: Any = None
        self._fence = 0
        self.number: tuple[int, int] | None = None  # of the last answer passed on
        self._since = (0, 0)  # of the last one before the session's first question was answered
        self._early: dict[tuple[int, int], Answer] = {}
        self._asks = self._is_settled = False
        self._round = 0  # timers of an earlier session do nothing

    def begin(self, fence: int, heard: Any) -> None:
        self._heard, self._fence = heard, fence
        self.number, self._early, self._asks = None, {}, False
        self._is_settled = False  # answers wait until the fills before them were told
        self._round += 1
        self._connect(self._round)

    def submit(self, rows: np.ndarray) -> Sequence[Reason]:
        connection = self._connection
        if connection is None or not connection.is_up:
            return [Reason.VENUE_DOWN] * len(rows)
        for command in commands_of(rows):
            connection.send(command)
        return [Reason.OK] * len(rows)

    def ask(self, token: int, orders: np.ndarray) -> None:
        filled = {int(row["order_id"]): int(row["filled_qty"]) for row in orders}
        self._ask_until(
            self._round,
            lambda venue: (
                venue.status(list(filled)),
                fills_beyond(venue, filled),
                self._missed(venue),
            ),
            lambda reply: self._told(token, filled, *reply),
        )

    def close(self) -> None:
        self._round += 1
        if self._connection is not None:
            self._connection.end()
        self._connection = None

    def _connect(self, round_: int) -> None:
        if round_ != self._round:
            return
        self._connection = self.wire.connect(self.who, self._fence, self._hear)
        if self._connection is None:
            self.wire.loop.call_later(RETRY_S, self._connect, round_)
            return
        self._ask_until(round_, lambda venue: (venue.session, venue.seq), self._stands_at)
        self.wire.loop.call_later(BEAT_S, self._beat, round_)

    def _stands_at(self, number: tuple[int, int]) -> None:
        if self.number is None:
            self.number = number
            self._heard.up()

    def _beat(self, round_: int) -> None:
        """Is the connection there, and is nothing missing at the end?"""
        if round_ != self._round:
            return
        if self._connection is not None and not self._connection.is_up:
            self._round += 1
            self._connection = None
            self._heard.down("the connection broke")
            return
        self._ask_missed(round_)
        self.wire.loop.call_later(BEAT_S, self._beat, round_)

    def _ask_until(
        self, round_: int, question: Callable[[ModelVenue], Any], told: Callable[[Any], None]
    ) -> None:
        """Ask again until there is a reply, or the session is over; the first one counts."""
        pending = [True]

        def once(reply: Any) -> None:
            if pending and round_ == self._round:
                pending.clear()
                told(reply)

        def again() -> None:
            connection = self._connection
            if not pending or round_ != self._round or connection is None:
                return
            if connection.is_up:
                connection.ask(question, once)
            self.wire.loop.call_later(RETRY_S, again)

        again()

    def _hear(self, answer: Answer) -> None:
        number = (answer.session, answer.seq)
        if self.number is None or number > self.number:
            self._early[number] = answer
        elif self._is_settled and number > self._since and self.wire.random.random() < 0.5:
            self._answer(answer)  # a copy; of what came before the question there is none
        self._pass_on()

    def _pass_on(self) -> None:
        if self.number is None or not self._is_settled:
            return
        session, seq = self.number
        while (session, seq + 1) in self._early:
            seq += 1
            self.number = session, seq
            self._answer(self._early.pop((session, seq)))
        if self._early and not self._asks:
            self._asks = True
            self.wire.loop.call_later(PATIENCE_S, self._ask_missed, self._round)

    def _ask_missed(self, round_: int) -> None:
        if round_ != self._round:
            return
        self._asks = False
        if not self._is_settled or self._connection is None or not self._connection.is_up:
            return
        self._connection.ask(self._missed, self._catch_up)

    def _missed(self, venue: ModelVenue) -> list[Answer]:
        return venue.since(self.number) if self.number is not None else []

    def _catch_up(self, missed: list[Answer]) -> None:
        if self.number is None:
            return
        for answer in missed if self._is_settled else []:
            number = (answer.session, answer.seq)
            self._early.pop(number, None)
            if number > self.number:
                self.number = number
                self._answer(answer)
        self._pass_on()

    def _answer(self, answer: Answer) -> None:
        fields = answer._asdict()
        self._heard.answer(ResponseKind(fields.pop("code")), fields.pop("order_id"), **fields)

    def _told(
        self, token: int, filled: dict[int, int], status: Status, fills: list[Answer], missed: Any
    ) -> None:
        """What went before comes first: answers by number, then fills that nobody was there for.

        At the first question of a session what the fills and `told` say is all there was before.
        """
        self._catch_up(missed)
        for answer in fills:
            self._answer(answer._replace(session=0, seq=0))
        for order_id in sorted({*filled, *status.orders}):
            order = status.orders.get(order_id, BLANK)
            outcome, fields = outcome_of(order, order_id in status.orders)
            self._heard.told(token, outcome, order_id, **fields)
        self._heard.end(token)
        if not self._is_settled:
            self._is_settled, self.number = True, status.number
            self._since = status.number
            self._early = {n: one for n, one in self._early.items() if n > status.number}
            self._pass_on()


def outcome_of(
    order: tuple[int, int, int, int | None], is_known: bool
) -> tuple[Outcome, dict[str, int]]:
    """What became of an order (price, open, filled, ended), as `told` wants it."""
    price, open_qty, total, ended = order
    fields: dict[str, int] = {"total_qty": total}
    if not is_known:
        return Outcome.NEVER_SEEN, fields
    if ended is None:
        return Outcome.RESTS, fields | {"price": price, "qty": open_qty}
    return Outcome.ENDED, fields | {"value": ended}


def fills_beyond(venue: ModelVenue, filled: dict[int, int]) -> list[Answer]:
    """The fills of these orders beyond what is known of them."""
    return [
        answer
        for answer in venue.answers
        if answer.code == ResponseKind.FILL
        and answer.total_qty > filled.get(answer.order_id, 1 << 60)
    ]
