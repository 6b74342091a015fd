"""What was decided and waits for the disk: commands that may leave then, submitters to be told.

Batches wait in the order of their records. Nothing here sends; `release` hands out what is durable.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hft.core.codes import Reason
from hft.services import answers
from hft.services.channel import Envelope
from hft.trading.desk import Applied


class Decided(NamedTuple):
    """One batch: durable with record `number`."""

    number: int
    commands: np.ndarray  # OUTBOUND
    envelopes: Sequence[Envelope]  # who brought its intents, in order
    said: np.ndarray | None  # what they hear, as words; None when nobody listens
    waiters: "Sequence[asyncio.Future[int]]" = ()  # of its control inputs
    since_ns: int = 0  # of the clock for durations, when it was decided


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
        envelopes: Sequence[Envelope],
        first_id: int,
        waiters: "Sequence[asyncio.Future[int]]" = (),
        since_ns: int = 0,
    ) -> None:
        """Keep what rows up to record `number` led to."""
        if not len(applied.commands) and not envelopes and not waiters:
            return
        self.queued += len(applied.commands)
        said = None
        if any([one.answered is not None for one in envelopes]):
            count = sum([len(one) for one in envelopes])
            said = answers.of_decisions(applied, first_id, count)
        self._waiting.append(Decided(number, applied.commands, envelopes, said, waiters, since_ns))

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
    words = decided.said
    if words is None:
        return
    if unsent:
        answers.amend(words, unsent)
    at = 0
    for one in decided.envelopes:
        if one.answered is not None:
            answers.tell(one.answered, words[at : at + len(one)], one.place)
        at += len(one)
