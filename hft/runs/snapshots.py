"""When a replay keeps a snapshot, so that one that is killed outright can go on from there."""

import time
from collections.abc import Callable

SNAPSHOT_S = 60.0
SHARE = 0.01  # of the wall time that snapshots may take


class SnapshotClock:
    """Says when the next snapshot is due: every so many seconds, and later where they are dear.

    `every_s` 0 is never.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due_s = time.monotonic() + every_s

    def is_due(self) -> bool:
        return self._every_s > 0 and time.monotonic() >= self._due_s

    def time(self, keep: Callable[[], None]) -> None:
        """Keep one, and set the time of the next by what it took."""
        began = time.monotonic()
        keep()
        ended = time.monotonic()
        self._due_s = ended + max(self._every_s, (ended - began) / SHARE)
