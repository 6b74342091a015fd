"""What a live gateway needs of the world, as protocols: time, the venue, whoever is told.

`GatewayService` gets all of it from whoever makes it and touches nothing else, so a simulation puts
models in place of the clock, the wire and the disk and runs the same code.
"""

import time
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from hft.core.codes import Reason
from hft.services.callbacks import Callbacks


class OrderAdapter(Protocol):
    """One venue session of one gateway, under one fence at a time.

    What the venue answers goes to the `Callbacks` of `begin`, in the venue's order; copies are
    fine, since the gateway knows them again. Answers that are numbered (`seq`) count up by one for
    each account within a `session` of the venue's; a hole ends ours, and behind the question that
    follows they go on from any number.
    Nothing here waits, and nothing is tried again: whether a command left twice must never be a
    question.
    """

    def begin(self, fence: int, heard: Callbacks) -> None:
        """Connect. From `heard.up()` on, nothing that was sent before, by this session's
        predecessors or below this fence, can reach the venue any more. Called again after
        `heard.down()`, it connects again."""

    def submit(self, commands: np.ndarray) -> Sequence[Reason]:
        """Hand OUTBOUND rows to the wire, in order. Returns: for each OK when it left or may have
        left, another reason when it certainly did not (STALE_FENCE, VENUE_DOWN,
        ORDER_QUEUE_FULL). An exception means that nobody knows of any of them."""

    def ask(self, token: int, orders: np.ndarray) -> None:
        """Ask what became of ORDER rows. The venue answers through `heard`: for each of them its
        fills beyond `filled_qty` (`total_qty` told), then `told(token, ...)`; `told` for whatever
        else rests under our name; `end(token)` last."""

    def close(self) -> None:
        """End the session; nothing is called after it."""


class AlertKind(StrEnum):
    """What an operator is woken for; the names appear in logs and audit rows."""

    JOURNAL_FAILED = "journal_failed"
    CHECKPOINT = "checkpoint"  # one was passed over
    LEASE_LOST = "lease_lost"
    STALE_FENCE = "stale_fence"
    VENUE_DOWN = "venue_down"
    CALLBACKS_LOST = "callbacks_lost"
    DISPUTED = "disputed"
    STRAY_ORDER = "stray_order"
    UNBOOKED_FILL = "unbooked_fill"
    BAD_ANSWER = "bad_answer"
    QUOTE_SCHEMA = "quote_schema"
    PROMOTION = "promotion"
    LIMITS = "limits"
    CLOCK = "clock"
    SHUTDOWN = "shutdown"
    DEFECT = "defect"


@dataclass(frozen=True)
class Alert:
    """One sentence for a person."""

    kind: AlertKind
    ts_ns: int
    said: str


Alerts = Callable[[Alert], None]
Now = Callable[[], int]  # nanoseconds since the epoch; whoever asks takes care that it goes forward
Audit = Callable[[str, Mapping[str, Any]], None]  # table and own columns of one audit row


class Beside(Protocol):
    """Runs a call that may block beside the loop: a thread, or in a simulation a turn of it."""

    def __call__(self, call: Callable[[], Any], /) -> Awaitable[Any]: ...


@dataclass(frozen=True)
class World:
    """What one process has of the outside. `executor` runs the journal's writes, one at a time;
    `clock_ns` is for durations that are shown and decide nothing."""

    now_ns: Now
    alerts: Alerts
    beside: Beside
    audit: Audit
    loop: AbstractEventLoop | None = None
    executor: Executor | None = None
    clock_ns: Now = time.perf_counter_ns
