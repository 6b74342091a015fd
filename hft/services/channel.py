"""From many submitters to the one task that decides: a bounded queue whose envelopes grow old.

It owns what waits and the ring of what waited too long. No thread, no clock of its own: whoever
makes it says what time it is, so that a simulation runs the same code (contract 3.1).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hft.core.codes import Reason
from hft.core.errors import Busy
from hft.services import answers
from hft.services.answers import Told, ToldOne, one_by_one

CAPACITY, DEAD_LETTERS, TTL_NS = 4096, 1000, 500_000_000
Ages = Callable[[Any], bool]


class QueueFull(Busy):
    """No place in the channel; the submitter owns the back-pressure. `reason` is CHANNEL_FULL."""

    reason = Reason.CHANNEL_FULL

    def __init__(self, capacity: int) -> None:
        super().__init__(f"the intent channel holds {capacity} already; try again later")


@dataclass(slots=True)
class Envelope:
    """Intents that were brought together, on their way to their decision.

    `ages` is false of what must get through however late; `answered` hears of each intent once,
    in one call or several. `place` is that of the first one here in what was submitted. Intents
    that came through no channel are `own`.
    """

    payloads: Sequence[Any]
    enqueued_ns: int = 0
    ages: Ages = lambda _: True
    answered: Told | None = None
    place: int = 0
    own: bool = False

    def __len__(self) -> int:
        return len(self.payloads)

    def part(self, begin: int, end: int) -> "Envelope":
        """Some of it."""
        some, place = self.payloads[begin:end], self.place + begin
        return Envelope(some, self.enqueued_ns, self.ages, self.answered, place, self.own)

    def refuse(self, reason: Reason) -> None:
        """Tell whoever brought it the same of all."""
        if self.answered is not None:
            answers.tell(self.answered, answers.blank(len(self), reason), self.place)


class LocalIntentChannel:
    """Envelopes in the order of their submission; `ttl_ns` 0 lets none grow old.

    Each intent that was accepted is either handed to the receiver or answered CHANNEL_EXPIRED.
    All counts are of intents.
    """

    def __init__(
        self,
        now_ns: Callable[[], int],
        *,
        capacity: int = CAPACITY,
        ttl_ns: int = TTL_NS,
        dead_letters: int = DEAD_LETTERS,
    ) -> None:
        self._now_ns, self.capacity, self.ttl_ns = now_ns, capacity, ttl_ns
        self.dead: deque[Any] = deque(maxlen=dead_letters)  # what was submitted
        self.expired = self.refused = self.accepted = 0
        self._waiting: deque[Envelope] = deque()
        self._count = 0  # intents in them
        self._arrived, self._left = asyncio.Event(), asyncio.Event()
        self.woken: Callable[[], None] | None = None  # called when an envelope was put in
        self._unfinished = 0
        self._finished = asyncio.Event()
        self._finished.set()

    def __len__(self) -> int:
        return self._count

    def submit_nowait(
        self, payload: Any, *, ages: bool = True, answered: ToldOne | None = None
    ) -> None:
        """Put one intent behind those that wait. Raises: QueueFull."""
        told = one_by_one(answered) if answered is not None else None
        if not self.submit_many((payload,), lambda _: ages, told):
            raise QueueFull(self.capacity)

    def submit_many(self, payloads: Sequence[Any], ages: Ages, answered: Told | None = None) -> int:
        """Put as many of these behind those that wait as there is room; returns how many."""
        room, count = self.capacity - self._count, len(payloads)
        payloads, count = payloads[:room], min(count, room)  # a copy: it may be changed by others
        if not count:
            self.refused += room < 1
            return 0
        self._waiting.append(Envelope(payloads, self._now_ns(), ages, answered))
        self._count += count
        self.accepted += count
        self._unfinished += count
        self._finished.clear()
        self._arrived.set()
        if self.woken is not None:
            self.woken()
        return count

    async def room(self) -> None:
        """Wait until there is room for one more."""
        while self._count >= self.capacity:
            self._left.clear()
            await self._left.wait()

    def take(self, most: int) -> list[Envelope]:
        """The oldest intents, `most` at the most; who is too old is answered and left out."""
        found: list[Envelope] = []
        waiting, before = self._waiting, most
        oldest_ns = self._now_ns() - self.ttl_ns if self.ttl_ns > 0 else None
        while waiting and most > 0:
            envelope = waiting.popleft()
            count = len(envelope)
            if oldest_ns is not None and envelope.enqueued_ns < oldest_ns:
                if count > 1:  # each is looked at by itself
                    singly = [envelope.part(k, k + 1) for k in range(count)]
                    waiting.extendleft(reversed(singly))
                    continue
                if envelope.ages(envelope.payloads[0]):
                    self._expire(envelope)
                    continue
            if count > most:
                waiting.appendleft(envelope.part(most, count))
                envelope = envelope.part(0, most)
            found.append(envelope)
            most -= len(envelope)
        self._count -= before - most
        self._left.set()
        if not waiting:
            self._arrived.clear()
        return found

    async def receive(self, most: int) -> list[Envelope]:
        """Wait for the next intents; at least one, `most` at the most."""
        while True:
            found = self.take(most)
            if found:
                return found
            await self._arrived.wait()

    def done(self, count: int = 1) -> None:
        """So many intents that were handed out are decided, whatever became of them."""
        if count > self._unfinished:
            raise ValueError(f"{count} intents are said to be done, {self._unfinished} are not")
        self._unfinished -= count
        if self._unfinished == 0:
            self._finished.set()

    def done_with(self, envelopes: Sequence[Envelope]) -> None:
        """As `done`, of those among these that came through a channel."""
        self.done(sum([len(one) for one in envelopes if not one.own]))

    async def join(self) -> None:
        """Wait until every accepted intent is decided or expired."""
        await self._finished.wait()

    def _expire(self, envelope: Envelope) -> None:
        self.expired += 1
        self._count -= 1
        self.dead.append(envelope.payloads[0])
        envelope.refuse(Reason.CHANNEL_EXPIRED)
        self.done()
