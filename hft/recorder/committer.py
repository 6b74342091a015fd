"""The thread that writes what waits, so that nobody who writes rows waits for the disk."""

import logging
import threading

from hft.core.errors import JournalError
from hft.recorder.wal_first import WALFirstWriter

_LOG = logging.getLogger(__name__)
LOOK_S = 0.05


class Committer:
    """Ticks a writer until it is stopped. A failure is said once; the writer keeps it."""

    def __init__(self, writer: WALFirstWriter, look_s: float = LOOK_S) -> None:
        self._writer, self._look_s = writer, look_s
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="wal-commit", daemon=True)
        self._said = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wait until the thread is through; what waits is written by the writer's `close`."""
        self._ends.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._ends.wait(self._look_s):
            try:
                self._writer.tick()
                self._said = ""
            except JournalError as error:
                if str(error) != self._said:
                    _LOG.error("%s", error)
                self._said = str(error)
