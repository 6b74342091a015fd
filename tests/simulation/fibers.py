"""Code that blocks, as callbacks of the loop: it runs to its next pause and there waits its turn.

A fiber is a thread of which one runs at a time, handed over by the loop, so that what happens is
the seed's alone. It ends like its process: at a pause, by `Crashed`, and whatever its `finally`
does then is of a life that is over.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from tests.simulation.disk import Crashed
from tests.simulation.loop import SeededLoop

_HERE = threading.local()


def current() -> "Fiber":
    """The fiber that runs."""
    fiber: Fiber = _HERE.fiber
    return fiber


class Fiber:
    """One call; `error` is what it let out."""

    def __init__(
        self, loop: SeededLoop, context: contextvars.Context, call: Callable[[], object]
    ) -> None:
        self._loop, self._context, self._call = loop, context, call
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._is_cut = self.is_over = False
        self._error: BaseException | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._soon()

    def pause(self) -> None:
        """Let others run."""
        self._soon()
        self._wait()

    def sleep(self, seconds: float) -> None:
        """Go on so much later."""
        self._timer = self._loop.call_later(seconds, self._turn, context=self._context)
        self._wait()
        self._timer = None

    def hurry(self) -> bool:
        """It sleeps no longer; False where it does not sleep."""
        timer, self._timer = self._timer, None
        if timer is None or self.is_over:
            return False
        timer.cancel()
        self._soon()
        return True

    def block(self) -> Callable[[], None]:
        """What wakes it; `wait` comes next."""
        return self._soon

    def wait(self) -> None:
        """Until somebody wakes it."""
        self._wait()

    def end(self) -> None:
        """Its process is over: unwind, and nothing of it runs again."""
        self._is_cut = True
        if not self.is_over:
            self._hand_over()

    # -- the loop's side

    def _soon(self) -> None:
        self._loop.call_soon(self._turn, context=self._context)

    def _turn(self) -> None:
        if self.is_over:
            return
        self._hand_over()
        if self._error is not None:
            raise self._error

    def _hand_over(self) -> None:
        self._go.release()
        self._back.acquire()

    # -- the thread's side

    def _wait(self) -> None:
        if self._is_cut:
            raise Crashed("its process is over")
        self._back.release()
        self._go.acquire()
        if self._is_cut:
            raise Crashed("its process is over")

    def _run(self) -> None:
        self._go.acquire()
        _HERE.fiber = self
        try:
            if not self._is_cut:
                self._call()
        except BaseException as error:
            self._error = error
        self.is_over = True
        self._back.release()


class FiberLock:
    """In place of `threading.Lock` where a holder pauses."""

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: list[Callable[[], None]] = []

    def __enter__(self) -> "FiberLock":
        while self._is_held:
            fiber = current()
            self._waiting.append(fiber.block())
            fiber.wait()
        self._is_held = True
        return self

    def __exit__(self, *given: Any) -> None:
        self._is_held = False
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()


class FiberEvent:
    """In place of `threading.Event` for a loop that looks now and then until it is told to end."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def wait(self, timeout: float) -> bool:
        if not self._is_set:
            current().sleep(timeout)
        return self._is_set


class AtOnce(Executor):
    """In place of a thread that reads ahead: what is submitted runs in the fiber that submits."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done
