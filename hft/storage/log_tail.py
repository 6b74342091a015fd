"""Reads on in a log that another process writes: each look reads what came since the last one.

A frame that is not whole yet ends a look and is read by a later one; so does damage, which
`log.read_segments` names.
"""

from collections.abc import Iterator
from pathlib import Path

from hft.core.errors import JournalError
from hft.storage import frame
from hft.storage.log import first_of, segment_paths

LOOK_BYTES = 64 << 20  # read at once


class LogTail:
    """From the first record of a folder on, which may not be there yet."""

    def __init__(self, folder: Path, schema: bytes) -> None:
        self.folder, self._schema = folder, schema
        self._path: Path | None = None
        self._at, self._next = frame.HEADER_BYTES, 0

    def read(self) -> Iterator[bytes]:
        """The payloads that are new, in order. Raises: JournalError for a log of another kind."""
        try:
            while self._is_in_a_segment():
                payloads = self._payloads()
                if payloads:
                    yield from payloads
                elif not self._goes_on():
                    return
        except OSError as error:
            raise JournalError(
                f"{self.folder}: cannot be read: {error.strerror or error}"
            ) from None

    def _is_in_a_segment(self) -> bool:
        if self._path is None:
            paths = segment_paths(self.folder)
            if not paths:
                return False
            self._begin(paths[0])
        return self._path is not None

    def _begin(self, path: Path) -> None:
        """A segment whose header is not whole yet is begun by a later look."""
        with open(path, "rb") as file:
            data = file.read(frame.HEADER_BYTES)
        if frame.is_torn_header(data):
            self._path = None
            return
        header = frame.decode_header(data, str(path))
        if header.schema != self._schema.rstrip(b"\0"):
            raise JournalError(f"{path}: written by another hft, with other fields or another form")
        self._path, self._at, self._next = path, frame.HEADER_BYTES, header.first_seq

    def _payloads(self) -> list[bytes]:
        assert self._path is not None
        with open(self._path, "rb") as file:
            file.seek(self._at)
            data = file.read(LOOK_BYTES)
        found = frame.scan(data, self._next, 0)
        self._at += found.end
        self._next += len(found.frames)
        places = zip(found.frames.offsets, found.frames.lengths, strict=True)
        return [
            data[int(at) + frame.HEAD_BYTES : int(at) + frame.HEAD_BYTES + int(length)]
            for at, length in places
        ]

    def _goes_on(self) -> bool:
        """Is there a segment that begins with the next record?"""
        following = [path for path in segment_paths(self.folder) if first_of(path) == self._next]
        if not following or following[-1] == self._path:
            return False
        before = self._path
        self._begin(following[-1])
        if self._path is None:
            self._path = before
            return False
        return True
