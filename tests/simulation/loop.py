"""An event loop of its own time and seed: the same seed runs the same callbacks in the same order.

Whatever is ready at one moment runs in an order that the seed draws, as threads and sockets would
have it; time passes only when nothing is ready, to the next timer at once. A *life* groups what one
process runs: when it is cut, nothing of it runs again, not even its `finally`.
"""

import asyncio
import contextlib
import contextvars
import heapq
import itertools
import random
from collections.abc import Callable, Coroutine
from typing import Any

LIFE: contextvars.ContextVar[int] = contextvars.ContextVar("life", default=0)


class Stuck(RuntimeError):
    """Nothing is ready, no timer runs, and what was waited for is not there."""


class SeededLoop(asyncio.AbstractEventLoop):
    """Runs callbacks by a seed, on virtual time. Units: seconds, from 0."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.steps = 0
        self.errors: list[BaseException] = []
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = itertools.count()
        self._cut: set[int] = set()
        self._held: dict[int, list[asyncio.Handle]] = {}
        self._tasks: dict[int, list[asyncio.Task[Any]]] = {}  # of each life, while it lasts
        self._running = False

    def cut(self, life: int) -> None:
        """Nothing of this life runs from now on."""
        self._cut.add(life)

    def bury(self, life: int) -> None:
        """Let go of what a cut life was in the middle of; nothing of that runs in the loop."""
        for task in self._tasks.pop(life, []):
            task._log_destroy_pending = False
            coroutine = task.get_coro()
            for _ in range(5):  # one that waits in its `finally` is closed again
                with contextlib.suppress(RuntimeError, asyncio.CancelledError):
                    coroutine.close()  # type: ignore[union-attr]
                    break

    def hold(self, life: int) -> None:
        """A life is stopped: what it would run waits until `resume`."""
        self._held.setdefault(life, [])

    def resume(self, life: int) -> None:
        """A stopped life goes on where it was."""
        self._ready += self._held.pop(life, [])

    def in_life(self, life: int, main: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start a coroutine, and all that it starts, as part of a life."""
        context = contextvars.copy_context()
        context.run(LIFE.set, life)
        return asyncio.Task(main, loop=self, context=context)

    def run_until(self, done: Callable[[], bool]) -> None:
        """Run callbacks until it is so. Raises: Stuck; whatever a callback let out."""
        asyncio._set_running_loop(self)
        self._running = True
        try:
            while not done():
                self._step()
        finally:
            self._running = False
            asyncio._set_running_loop(None)
        if self.errors:
            raise self.errors[0]

    def run_until_complete(self, future: Any) -> Any:
        """Run until a coroutine has ended; its result."""
        task = asyncio.ensure_future(future, loop=self)
        self.run_until(task.done)
        return task.result()

    def _step(self) -> None:
        self._wake_timers()
        if not self._ready:
            raise Stuck(f"nothing is left to run at {self.now:.6f} s")
        handle = self._ready.pop(self.random.randrange(len(self._ready)))
        context = getattr(handle, "_context", None)
        life = context.get(LIFE, 0) if context is not None else 0
        if handle.cancelled() or life in self._cut:
            return
        if life in self._held:
            self._held[life].append(handle)
            return
        self.steps += 1
        handle._run()

    def _wake_timers(self) -> None:
        if not self._ready and self._timers:
            self.now = max(self.now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self.now:
            self._ready.append(heapq.heappop(self._timers)[2])

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_at(
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def call_later(
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is passed over when its time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **given: Any) -> "asyncio.Task[Any]":
        task = asyncio.Task(coro, loop=self, **given)
        life = LIFE.get()
        if life:
            self._tasks.setdefault(life, []).append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        said = context["message"]
        if self._cut and ("never retrieved" in said or "destroyed" in said):
            return  # nobody of a cut life is left to look at it; when it is collected is chance
        self.errors.append(context.get("exception") or RuntimeError(context["message"]))

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return False
