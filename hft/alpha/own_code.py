"""Running an alpha's own code: whatever it raises is the alpha's answer, never the end of hft.

`sys.exit` and a KeyboardInterrupt that the code raises itself are errors of the alpha. Ctrl-C of
the person who waits is not, and goes through. Of a process that ends at once nothing can be said
here: see `unfinished`.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hft.core.errors import HftError


@contextmanager
def own_code(refused: Callable[[BaseException], HftError]) -> Iterator[None]:
    """Raises what `refused` makes of anything the block raises but an HftError and Ctrl-C.

    Where the process has a handler of SIGINT of its own, every KeyboardInterrupt is Ctrl-C.
    """
    asked: list[int] = []

    def ctrl_c(number: int, frame: Any) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    on_main = threading.current_thread() is threading.main_thread()
    own = on_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if own:
        signal.signal(signal.SIGINT, ctrl_c)
    try:
        yield
    except HftError:
        raise
    except KeyboardInterrupt as error:
        if asked or (on_main and not own):
            raise
        raise refused(error) from error
    except BaseException as error:
        raise refused(error) from error
    finally:
        if own:
            signal.signal(signal.SIGINT, signal.default_int_handler)
