"""What a gateway's journal has, read from any record on: the lives in order, each where it counts.

A journal is a folder with one log for each life that led, named by its fence, which begins with a
copy of the last group before it; from there on that log counts and what a stopped leader still
wrote elsewhere does not. Lives and segments before the record asked for are not read. Rows of an
older version are brought to this one. Nothing here writes.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from hft.core.errors import JournalError
from hft.storage import frame
from hft.storage.disk import REAL, Disk
from hft.storage.groups import FIRST, Group, read_groups
from hft.storage.log import OWNER, Segment, read_segments, segment_paths
from hft.trading.inputs import INPUT, SCHEMA

TOPIC = "gateway"
_BEGINNING = frame.HEADER_BYTES + frame.HEAD_BYTES + FIRST.size


class OlderRows(NamedTuple):
    """Rows of an older version: their size, and what makes INPUT rows of the bytes of some."""

    record_bytes: int
    upgrade: Callable[[bytes], np.ndarray]


Older = Mapping[bytes, OlderRows]
OLDER: Older = MappingProxyType({})


class Life(NamedTuple):
    fence: int
    begins: int  # the number of its first record


class Mark(NamedTuple):
    """A place in a journal: its record, as it stands there, and the life that it was read in."""

    fence: int
    row: np.ndarray  # INPUT[1]


class History:
    """The journal of `account` in `folder`, whoever writes it."""

    def __init__(
        self, folder: Path, account: str, *, disk: Disk = REAL, older: Older = OLDER
    ) -> None:
        self.folder, self.account = folder, account
        self.last: Group | None = None  # the last one read, as this version keeps it
        self._disk, self._older = disk, older
        self._fence = 0  # of the life that it was read in

    def fences(self) -> list[int]:
        """The fences of all lives, also of those without a record."""
        names = self._disk.names(self.folder)
        return sorted(int(name) for name in names if len(name) == 20 and name.isdigit())

    def mark(self) -> Mark:
        """The last record read. It is an error to ask before one was."""
        if self.last is None:
            raise ValueError("nothing was read")
        return Mark(self._fence, np.frombuffer(self.last.rows, INPUT)[-1:])

    def place(self, fence: int) -> Path:
        """The folder of a life."""
        return self.folder / f"{fence:020d}"

    def lives(self, below: int | None = None) -> list[Life]:
        """The lives under a fence that have records, in order."""
        found = []
        for fence in self.fences():
            paths = segment_paths(self.place(fence), self._disk)
            begins = self.begins(paths[0]) if paths else None
            if begins is not None and (below is None or fence < below):
                found.append(Life(fence, begins))
        return found

    def begins(self, segment: Path) -> int | None:
        """The number of the first record of a segment; None where it has none, or a torn one.

        Raises: JournalError where its first frame is damaged and others follow.
        """
        data = self._disk.read(segment, _BEGINNING)
        if len(data) < _BEGINNING:
            return None
        size = frame.HEAD.unpack_from(data, frame.HEADER_BYTES)[0]
        data = self._disk.read(segment, frame.HEADER_BYTES + frame.COVERED + size)
        header = frame.decode_header(data, str(segment))
        if len(frame.scan(data, header.first_seq).frames):
            return int(FIRST.unpack_from(data, _BEGINNING - FIRST.size)[0])
        damaged_at = frame.scan(self._disk.read(segment), header.first_seq).damaged_at
        if damaged_at >= 0:
            raise JournalError(
                f"{segment}: offset {damaged_at}: record {header.first_seq} is damaged"
            )
        return None

    def read(
        self, first: int = 1, below: int | None = None, *, settled: bool = False
    ) -> Iterator[np.ndarray]:
        """INPUT rows from record `first` on, a group at a time.

        `below` leaves out lives from this fence on; `settled` the last group, which a writer that
        is at work may not have made durable yet. Raises: JournalError naming file and record.
        """
        try:
            held: tuple[int, Group, np.ndarray] | None = None
            for one in self._read(first, below):
                ready, held = (held, one) if settled else (one, None)
                if ready is not None:
                    self._fence, self.last, rows = ready
                    yield rows
        except OSError as error:
            said = error.strerror or str(error)
            raise JournalError(f"{self.folder}: cannot be read: {said}") from None

    def _read(self, first: int, below: int | None) -> Iterator[tuple[int, Group, np.ndarray]]:
        lives = self.lives(below)
        begun = [k for k, life in enumerate(lives) if life.begins <= first]
        if lives and not begun:
            raise JournalError(
                f"{self.folder}: begins with record {lives[0].begins}, and record {first} is "
                "needed; the folder of a life or a checkpoint is missing"
            )
        due = first
        for k in range(begun[-1] if begun else 0, len(lives)):
            until = lives[k + 1].begins if k + 1 < len(lives) else None
            for group in self._groups(lives[k].fence, due):
                if until is not None and group.first >= until:
                    break  # the copy counts; what a stopped leader wrote behind it does not
                if group.first > due:
                    raise JournalError(
                        f"{self.place(lives[k].fence)}: goes on with record {group.first} where "
                        f"{due} is due; a segment, or the folder of a life before it, is missing"
                    )
                rows = np.frombuffer(group.rows, INPUT)[due - group.first :]
                if len(rows):
                    due += len(rows)
                    yield lives[k].fence, group, rows

    def _groups(self, fence: int, first: int) -> Iterator[Group]:
        """The groups of a life from the segment that has record `first`, as INPUT rows."""
        place = self.place(fence)
        self._check_owner(place)
        paths = segment_paths(place, self._disk)
        begun = [path for path in paths if (self.begins(path) or first + 1) <= first]
        start = int(begun[-1].name.partition(".")[0]) if begun else None
        for segment in read_segments(place, first=start, disk=self._disk):
            older = self._older_of(segment)
            size = INPUT.itemsize if older is None else older.record_bytes
            for _, group in read_groups([segment], size):
                if older is not None:
                    rows = older.upgrade(group.rows)
                    group = group._replace(rows=rows.tobytes())
                yield group

    def _older_of(self, segment: Segment) -> OlderRows | None:
        header = segment.header
        if header.topic != TOPIC:
            raise JournalError(f"{segment.path}: a journal of {header.topic!r}, not of {TOPIC!r}")
        if header.schema == SCHEMA:
            return None
        if header.schema not in self._older:
            said = header.schema.decode(errors="replace")
            raise JournalError(
                f"{segment.path}: holds records of version {said!r}, this hft reads "
                f"{SCHEMA.decode()!r}; go on with the hft that began it, or in another folder"
            )
        return self._older[header.schema]

    def _check_owner(self, place: Path) -> None:
        named = OWNER in self._disk.names(place)
        found = self._disk.read(place / OWNER).decode(errors="replace").strip() if named else ""
        if named and found != self.account:
            raise JournalError(f"{place}: the journal of {found!r}, not of {self.account!r}")
