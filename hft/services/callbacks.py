"""The bounded way from a broker's callbacks to the gateway: they put a record here and return.

Any thread may call. Nothing blocks and nothing is lost silently: when there is no room, the queue
takes nothing more until the gateway has drained it and asks the venue what it missed, since what
follows a gap cannot be trusted.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from hft.core.codes import ResponseKind
from hft.trading.inputs import Outcome

CAPACITY = 8192


class CallKind(IntEnum):
    """What a callback says."""

    ANSWER = 0  # of the venue about an order
    TOLD = 1  # what it says of an order when asked
    END = 2  # of what it says to one question
    UP = 3  # connected: nothing of before can reach the venue any more
    DOWN = 4
    LOST = 5  # callbacks from here on were dropped until the queue was opened again


class Call(NamedTuple):
    """One callback; the fields of HEARD under their names. Units: prices ticks, quantities lots."""

    kind: CallKind
    code: int = 0  # ResponseKind of an ANSWER, Outcome of a TOLD
    order_id: int = 0
    price: int = 0
    qty: int = 0
    total_qty: int = 0
    value: int = 0
    acted_ns: int = 0
    liquidity: int = 0
    fill_id: int = 0
    mid2: int = 0
    account_idx: int = 0
    session: int = 0
    seq: int = 0
    token: int = 0
    said: str = ""


class Callbacks:
    """Bounded, first in first out. `woken` is called on the loop when something arrived."""

    def __init__(
        self,
        woken: Callable[[], None],
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self.capacity, self.dropped = capacity, 0
        self._woken = woken
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[Call] = deque()
        self._guard = threading.Lock()  # for moments
        self._is_open, self._home = True, threading.get_ident()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on they are for this loop, in the thread that calls."""
        self._loop, self._home = loop, threading.get_ident()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_open(self) -> bool:
        """False from the first callback that found no room until `reopen`."""
        return self._is_open

    def answer(self, code: ResponseKind, order_id: int, **fields: int) -> bool:
        """The venue answered. Returns: false when there was no room."""
        return self.put(Call(CallKind.ANSWER, code, order_id, **fields))  # type: ignore[arg-type]

    def told(self, token: int, outcome: Outcome, order_id: int, **fields: int) -> bool:
        """What became of an order, all its fills told before."""
        call = Call(CallKind.TOLD, outcome, order_id, token=token, **fields)  # type: ignore[arg-type]
        return self.put(call)

    def end(self, token: int) -> bool:
        """All that was asked with this token has been told."""
        return self.put(Call(CallKind.END, token=token))

    def up(self) -> bool:
        """Connected, and nothing of an earlier session can reach the venue any more."""
        return self.put(Call(CallKind.UP))

    def down(self, said: str) -> bool:
        """Not connected any more."""
        return self.put(Call(CallKind.DOWN, said=said))

    def put(self, call: Call) -> bool:
        """Put one callback behind the others. Returns: false when it was dropped."""
        with self._guard:
            taken = self._is_open and len(self._waiting) < self.capacity
            if taken:
                self._waiting.append(call)
            else:
                self.dropped += 1
                if self._is_open:  # one place more, so that whoever reads meets the gap
                    self._is_open = False
                    self._waiting.append(Call(CallKind.LOST))
        self._wake()
        return taken

    def take(self, most: int) -> list[Call]:
        """The oldest callbacks, `most` at the most."""
        with self._guard:
            waiting = self._waiting
            return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    def reopen(self) -> None:
        """Take callbacks again: whoever reads has met the gap and asks the venue anew."""
        with self._guard:
            self._is_open = True

    def _wake(self) -> None:
        if self._loop is None or threading.get_ident() == self._home:
            self._woken()
        else:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody is to be woken
                self._loop.call_soon_threadsafe(self._woken)
