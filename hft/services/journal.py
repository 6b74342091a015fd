"""The gateway's journal on disk: one log for each life that led, named by its fence.

A leader that was stopped keeps its file and its lock, and may still write when it wakes. So nobody
waits for it: the next one reads what is there, begins a log of its own with a copy of the last
group, and from then on that copy counts. What the stopped one adds behind it is in no life's past:
its answers to it are refused by the lease, its commands by the fence.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hft.core.errors import ConfigError, JournalError
from hft.services.checkpoint import FOLDER as CHECKPOINTS
from hft.services.checkpoint import Checkpoints
from hft.services.history import TOPIC, History
from hft.storage.commit import GROUP_KIND
from hft.storage.disk import REAL, Disk, Held, sync_above
from hft.storage.log import SEGMENT_BYTES, LogWriter, segment_paths
from hft.trading.inputs import SCHEMA

DOING = "writes this journal"


class Journal:
    """The lives of one account's gateway in `folder`, and the log of this one once it has begun.

    `shared`: a lease says who writes; without one the folder is locked for as long as this lives.
    Raises: Busy naming the other writer, JournalError in one sentence; nothing is touched then.
    """

    def __init__(
        self,
        folder: Path,
        account: str,
        *,
        shared: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
        disk: Disk = REAL,
    ) -> None:
        if not account:
            raise ConfigError("a journal is an account's; name it")
        self.folder, self.account, self.disk = folder, account, disk
        self.history = History(folder, account, disk=disk)
        self.checkpoints = Checkpoints(folder / CHECKPOINTS, account, disk=disk)
        self._segment_bytes = segment_bytes
        self._held: Held | None = None
        try:
            made = disk.make(folder)
            if not shared:
                self._held = disk.lock(folder, DOING)
            sync_above(folder, made, disk)
        except OSError as error:
            raise JournalError(f"{folder}: cannot keep a journal: {_said(error)}") from None

    @property
    def fence(self) -> int:
        """The highest fence that ever began a life here; 0 before the first."""
        try:
            return max(self.history.fences(), default=0)
        except OSError as error:
            raise JournalError(f"{self.folder}: cannot be read: {_said(error)}") from None

    @property
    def last(self) -> int:
        """The number of the last record read."""
        return self.history.last.last if self.history.last is not None else 0

    def read(self, below: int, first: int = 1) -> Iterator[np.ndarray]:
        """INPUT rows of all lives with a fence under `below`, in order, a group at a time.

        Raises: JournalError naming file and record.
        """
        yield from self.history.read(first, below)

    def begin(self, fence: int, created_ns: int) -> LogWriter:
        """The log of the life under `fence`, durable up to the last record that was read.

        Raises: JournalError when the disk cannot take it, or another life was begun meanwhile.
        """
        self._refuse_late(fence - 1)
        log = LogWriter(
            self.history.place(fence),
            TOPIC,
            schema=SCHEMA,
            owner=self.account,
            created_ns=created_ns,
            segment_bytes=self._segment_bytes,
            fsync="always",
            disk=self.disk,
        )
        last = self.history.last
        try:
            if last is not None:
                log.append(last.ts_ns, GROUP_KIND, last.payload())
            self._refuse_late(fence)
        except JournalError:
            log.close()
            self._take_back(fence)
            raise
        return log

    def _refuse_late(self, fence: int) -> None:
        """Who was stopped on the way here has been followed by another, whose life counts."""
        if self.fence > fence:
            raise JournalError(f"{self.folder}: a life under fence {self.fence} has begun already")

    def _take_back(self, fence: int) -> None:
        """A log that nothing was decided in: readers would take it for a life of its own."""
        place = self.history.place(fence)
        with contextlib.suppress(OSError):
            for path in segment_paths(place, self.disk):
                self.disk.unlink(path)
            self.disk.sync_folder(place)

    def close(self) -> None:
        """Let another process write."""
        held, self._held = self._held, None
        if held is not None:
            held.close()


def _said(error: OSError) -> str:
    return error.strerror or str(error)
