"""Group commit beside an event loop: one thread writes and syncs, the loop decides meanwhile.

Everything added while the previous group was written goes into the next one. Each group is one
frame and one sync, and wakes the loop once. Whoever awaits `durable` goes on when the disk has his
record; after a failure JournalError tells that nobody knows whether it has. `groups` has the rules,
this the thread.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from hft.core.errors import JournalError
from hft.storage.groups import GROUP_MAX, Counters, Group, Groups

GROUP_KIND = 2  # of a log's record that is a group of rows


class Log(Protocol):
    """What a group is written to: durable when `append` returns (fsync "always")."""

    def append(self, ts_ns: int, kind: int, payload: bytes) -> int: ...

    def close(self) -> None: ...


class CallQueue(Protocol):
    """Runs one call at a time beside the loop."""

    def submit(self, call: Callable[[Group], None], group: Group, /) -> object: ...

    def shutdown(self) -> None: ...


class WriterThread:
    """Calls one after the other in a thread of its own.

    A pool of one makes a future for each call, and nobody asks for what they return.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[Group], None], Group] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[Group], None], group: Group, /) -> None:
        self._calls.put((call, group))

    def shutdown(self) -> None:
        """Run what was submitted and end."""
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._calls.get()) is not None:
            call, group = job
            call(group)


class Commit:
    """Records of one size, durable in groups. It belongs to one loop and closes the log.

    `first` is the number of the next record, behind those read back. `executor` runs one call at
    a time beside the loop (a thread of its own by default). `woken` is called on the loop when a
    group is durable or has failed.
    """

    def __init__(
        self,
        log: Log,
        record_bytes: int,
        *,
        first: int = 1,
        most: int = GROUP_MAX,
        loop: asyncio.AbstractEventLoop | None = None,
        executor: CallQueue | None = None,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        woken: Callable[[], None] | None = None,
    ) -> None:
        self._groups = Groups(record_bytes, first, most)
        self._log = log
        self._loop = loop or asyncio.get_running_loop()
        self._executor = executor or WriterThread()
        self._clock_ns, self._woken = clock_ns, woken
        self._guard = threading.Lock()  # of the groups, for moments
        self._is_beginning = False
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def last(self) -> int:
        """The number of the last record added."""
        return self._groups.last

    @property
    def last_durable(self) -> int:
        """The number of the last record that the disk has."""
        return self._groups.durable

    @property
    def waiting(self) -> int:
        """How many records the disk does not have yet."""
        return self._groups.waiting

    @property
    def failure(self) -> JournalError | None:
        """Why nothing more is recorded, if so."""
        return self._groups.failure

    @property
    def counters(self) -> Counters:
        return self._groups.counters

    def add(self, rows: bytes, ts_ns: int) -> int:
        """Put one or more rows into the open group; returns the number of the last one.

        Raises: JournalError with the first cause, once a group has failed.
        """
        with self._guard:
            number = self._groups.add(rows, ts_ns)
            begin = self._groups.is_idle and not self._is_beginning
        if begin:  # at the end of this turn of the loop: all that is decided in it is one group
            self._is_beginning = True
            self._loop.call_soon(self._begin)
        return number

    def durable(self, number: int) -> "asyncio.Future[None]":
        """Await it: the disk has record `number` and all before it.

        Raises: JournalError, when awaited, if a group failed before that.
        """
        groups, waiter = self._groups, self._loop.create_future()
        if groups.durable < number <= groups.last and groups.failure is None:
            self._waiters.append((number, waiter))
        elif number <= groups.durable:
            waiter.set_result(None)
        elif number > groups.last:
            raise ValueError(f"record {number} was never added")
        else:
            waiter.set_exception(groups.refusal())
        return waiter

    async def close(self) -> None:
        """Write what waits and close the log. Raises: JournalError where that was not possible."""
        try:
            if self.waiting:
                await self.durable(self.last)
        finally:
            self._executor.shutdown()
            with self._guard:
                self._groups.failed(JournalError("the journal is closed"))
            self._log.close()

    def _begin(self) -> None:
        self._is_beginning = False
        with self._guard:
            group = self._groups.swap()
        if group is not None:
            self._executor.submit(self._write_groups, group)

    def _write_groups(self, begun: Group) -> None:
        """Until nothing waits. Runs beside the loop."""
        group: Group | None = begun
        while group is not None:
            began_ns = self._clock_ns()
            try:
                self._log.append(group.ts_ns, GROUP_KIND, group.payload())
            except Exception as error:  # a defect of ours must not leave anybody waiting either
                self._fail(error)
                group = None
            else:
                group = self._finish(self._clock_ns() - began_ns)
            with contextlib.suppress(RuntimeError):  # the loop was closed under us
                self._loop.call_soon_threadsafe(self._wake)

    def _finish(self, sync_ns: int) -> Group | None:
        with self._guard:
            self._groups.done(sync_ns)
            return self._groups.swap()

    def _fail(self, error: Exception) -> None:
        cause = error if isinstance(error, JournalError) else JournalError(repr(error))
        with self._guard:
            self._groups.failed(cause)

    def _wake(self) -> None:
        """Tell those whose record is durable; after a failure, the others that it may be lost."""
        durable, failure = self._groups.durable, self._groups.failure
        waiters, self._waiters = self._waiters, []
        for number, waiter in waiters:
            if waiter.done():  # who waited was cancelled
                continue
            if number <= durable:
                waiter.set_result(None)
            elif failure is not None:
                waiter.set_exception(self._groups.refusal())
            else:
                self._waiters.append((number, waiter))
        if self._woken is not None:
            self._woken()
