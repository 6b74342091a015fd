"""Ctrl-C: at once where nothing can be torn, else as soon as what is being written is whole.

What is shielded is not interrupted; Ctrl-C waits until it is done. Only the third one in a row goes
through a shield, and none through a firm one. Once one got through, the shield is up: what ends a
replay is not torn by the next. Owns the process's handler of SIGINT while it is entered.

An exception that is raised in a callback from C (the compiler's object cache, a finalizer) is
printed and lost there, and the compiler then fails on its own half-done work. `hear` makes such a
Ctrl-C wait until the callback is over.
"""

import _thread
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

IMPATIENT = 3
RETRY_S = 0.01
# Functions that llvmlite calls from C, by the start of their name.
CALLBACK = "_raw_object_cache_"


def hear() -> None:
    """From here on no Ctrl-C of this process is lost; a handler of its own stays in charge."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
        sys.unraisablehook = _unraisable


def interrupt(number: int, frame: Any) -> None:
    """A handler of SIGINT: KeyboardInterrupt, now or as soon as it cannot be lost."""
    while frame is not None and not frame.f_code.co_name.startswith(CALLBACK):
        frame = frame.f_back
    if frame is None:
        raise KeyboardInterrupt
    _thread.start_new_thread(_once_more, ())


def _unraisable(lost: Any) -> None:
    if issubclass(lost.exc_type, KeyboardInterrupt):
        _thread.start_new_thread(_once_more, ())
    else:
        sys.__unraisablehook__(lost)


def _once_more() -> None:
    time.sleep(RETRY_S)
    # A signal, and not `interrupt_main`: only that ends a sleep or a read of the main thread.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


OURS = (signal.default_int_handler, interrupt)


class Interrupts:
    """A context in which `shield` holds Ctrl-C back and `release` lets a held one through.

    Off the main thread, or where the process has a handler of its own, that stays in charge.
    """

    def __init__(self) -> None:
        self._shielded = self._firm = False
        self._pending = 0
        self._before: Any = None

    def __enter__(self) -> "Interrupts":
        on_main = threading.current_thread() is threading.main_thread()
        if on_main and signal.getsignal(signal.SIGINT) in OURS:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def shield(self, *, firm: bool = False) -> None:
        """From here on Ctrl-C waits; behind a firm shield the third one, too."""
        self._shielded, self._firm = True, firm

    @property
    def waits(self) -> bool:
        """Does a Ctrl-C wait behind the shield?"""
        return self._pending > 0

    def forget(self) -> None:
        """What waits has been heard: it is not raised."""
        self._pending = 0

    def release(self) -> None:
        """Let Ctrl-C through again. Raises: KeyboardInterrupt when one has waited."""
        self._shielded = self._firm = False
        if self._pending:
            self._pending, self._shielded = 0, True
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: Any) -> None:
        if self._firm or (self._shielded and self._pending < IMPATIENT - 1):
            self._pending += 1
            return
        self._pending = 0
        try:
            interrupt(number, frame)
        except KeyboardInterrupt:
            self._shielded = True
            raise


@contextmanager
def held_back() -> Iterator[None]:
    """Ctrl-C waits until the block is done, and is then raised."""
    with Interrupts() as interrupts:
        interrupts.shield()
        yield
        interrupts.release()
