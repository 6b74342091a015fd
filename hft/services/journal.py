"""The gateway's journal on disk: one log for each life that led, named by its fence.

A leader that was stopped keeps its file and its lock, and may still write when it wakes. So nobody
waits for it: the next one reads what is there, begins a log of its own with a copy of the last
group, and from then on that copy counts. What the stopped one adds behind it is in no life's past:
its answers to it are refused by the lease, its commands by the fence.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hft.core.errors import ConfigError, JournalError
from hft.storage.commit import GROUP_KIND
from hft.storage.disk import REAL, Disk, Held
from hft.storage.groups import Group, read_groups
from hft.storage.log import OWNER, SEGMENT_BYTES, LogWriter, read_segments
from hft.trading.inputs import INPUT

TOPIC, SCHEMA = "gateway", b"input-1"
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
        self.folder, self.account, self._disk = folder, account, disk
        self._segment_bytes = segment_bytes
        self._last: Group | None = None
        self._held: Held | None = None
        try:
            made = disk.make(folder)
            if not shared:
                self._held = disk.lock(folder, DOING)
            for above in dict.fromkeys(path.parent for path in (*made, folder)):
                disk.sync_folder(above)
        except OSError as error:
            raise JournalError(f"{folder}: cannot keep a journal: {_said(error)}") from None

    @property
    def fence(self) -> int:
        """The highest fence that ever began a life here; 0 before the first."""
        return max(self._fences(), default=0)

    @property
    def last(self) -> int:
        """The number of the last record read."""
        return self._last.last if self._last is not None else 0

    def read(self, below: int) -> Iterator[np.ndarray]:
        """INPUT rows of all lives with a fence under `below`, in order, a group at a time.

        Raises: JournalError naming file and record.
        """
        try:
            yield from self._read([fence for fence in self._fences() if fence < below])
        except OSError as error:
            raise JournalError(f"{self.folder}: cannot be read: {_said(error)}") from None

    def begin(self, fence: int, created_ns: int) -> LogWriter:
        """The log of the life under `fence`, durable up to the last record that was read.

        Raises: JournalError when the disk cannot take it, or another life was begun meanwhile.
        """
        if self.fence >= fence:
            raise JournalError(f"{self.folder}: a life under fence {self.fence} has begun already")
        log = LogWriter(
            self._place(fence),
            TOPIC,
            schema=SCHEMA,
            owner=self.account,
            created_ns=created_ns,
            segment_bytes=self._segment_bytes,
            fsync="always",
            disk=self._disk,
        )
        if self._last is not None:
            log.append(self._last.ts_ns, GROUP_KIND, self._last.payload())
        return log

    def close(self) -> None:
        """Let another process write."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _read(self, fences: list[int]) -> Iterator[np.ndarray]:
        due = 1
        lives = self._lives(fences)
        life = next(lives, None)
        while life is not None:
            following = next(lives, None)
            until = following[1].first if following else 0
            fence, first, rest = life
            for group in itertools.chain([first], rest):
                if until and group.first >= until:
                    break  # the copy counts; what a stopped leader wrote behind it does not
                if group.first > due:
                    raise JournalError(
                        f"{self._place(fence)}: goes on with record {group.first} where {due} is "
                        "due; the folder of a life before it is missing or damaged"
                    )
                rows = np.frombuffer(group.rows, INPUT)[due - group.first :]
                if len(rows):
                    self._last = group
                    due += len(rows)
                    yield rows
            life = following

    def _lives(self, fences: list[int]) -> Iterator[tuple[int, Group, Iterator[Group]]]:
        """The lives that have records: fence, first group, the others."""
        for fence in fences:
            groups = self._groups(fence)
            first = next(groups, None)
            if first is not None:
                yield fence, first, groups

    def _groups(self, fence: int) -> Iterator[Group]:
        place = self._place(fence)
        self._check_owner(place)
        for segment in read_segments(place, disk=self._disk):
            header = segment.header
            if header.topic != TOPIC or header.schema != SCHEMA:
                raise JournalError(
                    f"{segment.path}: holds {header.topic!r} records of version "
                    f"{header.schema.decode(errors='replace')!r}, not {TOPIC!r} of "
                    f"{SCHEMA.decode()!r}; go on with the hft that began it, or in another folder"
                )
            for found in read_groups([segment], INPUT.itemsize):
                yield found.group

    def _check_owner(self, place: Path) -> None:
        named = OWNER in self._disk.names(place)
        found = self._disk.read(place / OWNER).decode(errors="replace").strip() if named else ""
        if named and found != self.account:
            raise JournalError(f"{place}: the journal of {found!r}, not of {self.account!r}")

    def _fences(self) -> list[int]:
        names = self._disk.names(self.folder)
        return sorted(int(name) for name in names if len(name) == 20 and name.isdigit())

    def _place(self, fence: int) -> Path:
        return self.folder / f"{fence:020d}"


def _said(error: OSError) -> str:
    return error.strerror or str(error)
