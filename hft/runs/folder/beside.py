"""Jobs done in order on a thread of their own, while whoever asks for them goes on.

The thread is there while there are jobs. The first error ends it: what waits behind is dropped, and
the error is raised where the next job is put, or where one waits for all of them.
"""

from collections import deque
from collections.abc import Callable
from errno import EAGAIN
from threading import Condition, Thread

Job = Callable[[], None]


class Beside:
    """`most` jobs may wait, the one that is being done among them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: deque[Job] = deque()
        self._changed = Condition()
        self._running = self._told = False
        self._error: BaseException | None = None

    def put(self, job: Job) -> None:
        """Have it done after those before it. Raises: what one of them raised."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._jobs) < self._most)
            if self._error is not None:
                self._told = True
                raise self._error
            if not self._running:
                self._start()
            self._jobs.append(job)

    def _start(self) -> None:
        """The thread waits for the lock, which whoever puts a job holds. Raises: OSError."""
        try:
            Thread(target=self._work, name="run-folder").start()
        except RuntimeError as error:  # a machine or container that has no more
            raise OSError(EAGAIN, str(error)) from None
        self._running = True

    def settle(self) -> None:
        """Wait until all are done. Raises: what one of them raised, unless it was raised before."""
        self.rest()
        if self._error is not None and not self._told:
            self._told = True
            raise self._error

    def heard(self) -> None:
        """What went wrong so far is known elsewhere: from now on a later job alone is told."""
        self._told |= self._error is not None

    def rest(self) -> None:
        """Wait until all are done, or dropped."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._jobs:
                    self._running = False
                    self._changed.notify_all()
                    return
                job = self._jobs[0]
            try:
                job()
            except BaseException as error:
                self._error = error
            with self._changed:
                if self._error is not None:
                    self._jobs.clear()
                else:
                    self._jobs.popleft()
                self._changed.notify_all()
