"""What was decided and waits for the disk: commands that may leave then, submitters to be told.

Batches wait in the order of their records. Nothing here sends; `release` hands out what is durable.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hft.core.codes import Reason, StepKind
from hft.services.channel import Envelope
from hft.services.intake import Answer
from hft.trading.desk import Applied

_DECISION = StepKind.DECISION.value


class Decided(NamedTuple):
    """One batch: durable with record `number`."""

    number: int
    commands: np.ndarray  # OUTBOUND
    envelopes: Sequence[Envelope | None]  # who brought its intents, in order
    first_id: int  # of the first of them
    steps: np.ndarray  # STEP
    waiters: "Sequence[asyncio.Future[int]]" = ()  # of its control inputs


class Outbox:
    """Batches between decision and disk."""

    def __init__(self) -> None:
        self.queued = 0  # commands
        self._waiting: deque[Decided] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(
        self,
        number: int,
        applied: Applied,
        envelopes: Sequence[Envelope | None],
        first_id: int,
        waiters: "Sequence[asyncio.Future[int]]" = (),
    ) -> None:
        """Keep what rows up to record `number` led to."""
        if not len(applied.commands) and not envelopes and not waiters:
            return
        self.queued += len(applied.commands)
        one = Decided(number, applied.commands, envelopes, first_id, applied.steps, waiters)
        self._waiting.append(one)

    def release(self, durable: int) -> Iterator[Decided]:
        """What is on the disk up to this record, oldest first; it waits no more."""
        while self._waiting and self._waiting[0].number <= durable:
            one = self._waiting.popleft()
            self.queued -= len(one.commands)
            yield one

    def drop(self) -> Iterator[Decided]:
        """Everything that waits: it never leaves."""
        while self._waiting:
            yield self._waiting.popleft()
        self.queued = 0


def settle(decided: Decided) -> None:
    """Tell whoever waits for its control inputs that they are in force and durable."""
    for waiter in decided.waiters:
        if not waiter.done():
            waiter.set_result(decided.number)


def answer(decided: Decided, unsent: dict[int, Reason]) -> None:
    """Tell the submitters of a batch; `unsent` has the commands that did not leave."""
    envelopes = decided.envelopes
    if not any(one is not None and one.answered is not None for one in envelopes):
        return
    steps = decided.steps
    mine = steps["order_id"] - decided.first_id
    is_ours = (steps["kind"] == _DECISION) & (mine >= 0) & (mine < len(envelopes))
    places = mine[is_ours].tolist()
    found = steps[is_ours]
    codes, cmds = found["code"].tolist(), found["cmd_id"].tolist()
    new = set(decided.commands["cmd_id"].tolist())
    times, measured, limits = (found[n].tolist() for n in ("ts_ns", "measured", "limit"))
    told = [False] * len(envelopes)
    for k, place in enumerate(places):
        envelope = envelopes[place]
        told[place] = True
        if envelope is None or envelope.answered is None:
            continue
        reason = unsent.get(cmds[k]) if codes[k] == 0 and unsent else None
        order_id = decided.first_id + place if cmds[k] in new else 0
        said = Answer(order_id, cmds[k], times[k], measured[k], limits[k])
        envelope.answered(_REASONS[codes[k]] if reason is None else reason, said)
    for place, envelope in enumerate(envelopes):
        if not told[place] and envelope is not None and envelope.answered is not None:
            envelope.answered(Reason.INTERNAL_ERROR, None)


_REASONS = {reason.value: reason for reason in Reason}
