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

CAPACITY, DEAD_LETTERS, TTL_NS = 4096, 1000, 500_000_000


class QueueFull(Busy):
    """No place in the channel; the submitter owns the back-pressure. `reason` is CHANNEL_FULL."""

    reason = Reason.CHANNEL_FULL


@dataclass(slots=True)
class Envelope:
    """An intent on its way to its decision.

    `payload` is what was submitted; `ages` is false for what must get through however late;
    `answered` is called once with the `Reason` and what belongs to it.
    """

    payload: Any
    enqueued_ns: int
    ages: bool
    answered: Callable[[Reason, Any], None] | None = None


class LocalIntentChannel:
    """Envelopes in the order of their submission; `ttl_ns` 0 lets none grow old.

    Each envelope that was accepted is either handed to the receiver or answered CHANNEL_EXPIRED.
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
        self.dead: deque[Envelope] = deque(maxlen=dead_letters)
        self.expired = self.refused = self.accepted = 0
        self._waiting: deque[Envelope] = deque()
        self._arrived = asyncio.Event()
        self.woken: Callable[[], None] | None = None  # called when an envelope was put in
        self._unfinished = 0
        self._finished = asyncio.Event()
        self._finished.set()

    def __len__(self) -> int:
        return len(self._waiting)

    def submit_nowait(
        self,
        payload: Any,
        *,
        ages: bool = True,
        answered: Callable[[Reason, Any], None] | None = None,
    ) -> Envelope:
        """Put one intent behind those that wait. Raises: QueueFull."""
        if len(self._waiting) >= self.capacity:
            self.refused += 1
            raise QueueFull(f"the intent channel holds {self.capacity} already; try again later")
        envelope = Envelope(payload, self._now_ns(), ages, answered)
        self._waiting.append(envelope)
        self.accepted += 1
        self._unfinished += 1
        self._finished.clear()
        self._arrived.set()
        if self.woken is not None:
            self.woken()
        return envelope

    def submit_many(
        self,
        payloads: Sequence[Any],
        ages: Callable[[Any], bool],
        answered: Callable[[Reason, Any], None] | None = None,
    ) -> int:
        """Put as many of these behind those that wait as there is room; returns how many."""
        payloads = payloads[: self.capacity - len(self._waiting)]
        if not payloads:
            self.refused += 1
            return 0
        now_ns = self._now_ns()
        self._waiting.extend([Envelope(one, now_ns, ages(one), answered) for one in payloads])
        self.accepted += len(payloads)
        self._unfinished += len(payloads)
        self._finished.clear()
        self._arrived.set()
        if self.woken is not None:
            self.woken()
        return len(payloads)

    def take(self, most: int) -> list[Envelope]:
        """The oldest envelopes, `most` at the most; who is too old is answered and left out."""
        found: list[Envelope] = []
        waiting = self._waiting
        oldest_ns = self._now_ns() - self.ttl_ns if self.ttl_ns > 0 else None
        while waiting and len(found) < most:
            envelope = waiting.popleft()
            if oldest_ns is not None and envelope.ages and envelope.enqueued_ns < oldest_ns:
                self._expire(envelope)
            else:
                found.append(envelope)
        if not waiting:
            self._arrived.clear()
        return found

    async def receive(self, most: int) -> list[Envelope]:
        """Wait for the next envelopes; at least one, `most` at the most."""
        while True:
            found = self.take(most)
            if found:
                return found
            await self._arrived.wait()

    def done(self, count: int = 1) -> None:
        """So many envelopes that were handed out are decided, whatever became of them."""
        if count > self._unfinished:
            raise ValueError(f"{count} envelopes are said to be done, {self._unfinished} are not")
        self._unfinished -= count
        if self._unfinished == 0:
            self._finished.set()

    def done_with(self, envelopes: Sequence[Envelope | None]) -> None:
        """As `done`, of those among these that came through a channel."""
        count = len(envelopes) - envelopes.count(None)
        if count:
            self.done(count)

    async def join(self) -> None:
        """Wait until every accepted envelope is decided or expired."""
        await self._finished.wait()

    def _expire(self, envelope: Envelope) -> None:
        self.expired += 1
        self.dead.append(envelope)
        if envelope.answered is not None:
            envelope.answered(Reason.CHANNEL_EXPIRED, None)
        self.done()
