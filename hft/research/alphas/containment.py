"""Running an alpha's own code: whatever it raises is the alpha's answer, never the end of hft.

`sys.exit`, `os._exit` and a KeyboardInterrupt that the code raises itself are errors of the alpha.
Ctrl-C of the person who waits is not, and goes through. Of a process that is killed nothing can be
said here: see `unfinished`.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from hft.core.errors import HftError


class ProcessEnded(BaseException):
    """The code asked for the end of the process at once."""


@contextmanager
def own_code(refused: Callable[[BaseException], HftError]) -> Iterator[None]:
    """Raises what `refused` makes of anything the block raises but an HftError and Ctrl-C.

    What SIGINT does in this process stays as it is: a handler is asked as before, and only noted.
    """
    asked: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def noted(number: int, frame: Any) -> None:
        asked.append(number)
        before(number, frame)  # type: ignore[operator, misc]

    on_main = threading.current_thread() is threading.main_thread()
    ours = on_main and callable(before)
    if ours:
        signal.signal(signal.SIGINT, noted)
    at_once, process = os._exit, os.getpid()

    def ended(status: int) -> NoReturn:
        if os.getpid() != process:  # a child that the code forked
            at_once(status)
        raise ProcessEnded(f"os._exit({status})")

    os._exit = ended
    try:
        yield
    except HftError:
        raise
    except KeyboardInterrupt as error:
        if asked:
            raise
        raise refused(error) from error
    except BaseException as error:
        raise refused(error) from error
    finally:
        os._exit = at_once
        if ours:
            signal.signal(signal.SIGINT, before)
