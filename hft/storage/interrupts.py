"""Ctrl-C: at once where nothing can be torn, else as soon as what is being written is whole.

What is shielded is not interrupted; Ctrl-C waits until it is done. Only the third one in a row goes
through a shield. Owns the process's handler of SIGINT while it is entered.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

IMPATIENT = 3


class Interrupts:
    """A context in which `shield` holds Ctrl-C back and `release` lets a held one through.

    Off the main thread, or where the process has a handler of its own, that stays in charge.
    """

    def __init__(self) -> None:
        self._shielded = False
        self._pending = 0
        self._before: Any = None

    def __enter__(self) -> "Interrupts":
        on_main = threading.current_thread() is threading.main_thread()
        if on_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def shield(self) -> None:
        """From here on Ctrl-C waits."""
        self._shielded = True

    def release(self) -> None:
        """Let Ctrl-C through again. Raises: KeyboardInterrupt when one has waited."""
        self._shielded = False
        if self._pending:
            self._pending = 0
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: Any) -> None:
        if self._shielded and self._pending < IMPATIENT - 1:
            self._pending += 1
        else:
            self._pending = 0
            raise KeyboardInterrupt


@contextmanager
def held_back() -> Iterator[None]:
    """Ctrl-C waits until the block is done, and is then raised."""
    with Interrupts() as interrupts:
        interrupts.shield()
        yield
        interrupts.release()
