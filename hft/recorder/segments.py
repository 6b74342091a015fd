"""The recorder's log as a folder: which segments are whole, what the last block says, whose it is.

A folder is one writer's, known by the id in its `owner` file. Segments but the last are sealed:
they never change again and may be loaded and taken away in any order.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from hft.core.errors import JournalError
from hft.recorder.blocks import Head, Place, head_of, rows_at
from hft.recorder.tables import SCHEMA
from hft.storage import frame
from hft.storage.disk import Disk
from hft.storage.log import OWNER, Segment, first_of, read_segments, segment_paths

TOPIC = "recorder"
_LEAD = frame.HEADER_BYTES + frame.HEAD_BYTES


class Foreign(JournalError):
    """A segment that is no segment of ours, or of another version: it is left as it is."""


class Last(NamedTuple):
    """Where a writer goes on: the newest block, and what its last segment has so far."""

    head: Head | None  # None in a folder without a block
    has_block: bool
    has_rows: bool


def writer_of(folder: Path, disk: Disk) -> str:
    """The id of the folder's writer; "" where nobody ever wrote. Raises: JournalError."""
    try:
        if OWNER not in disk.names(folder):
            return ""
        return disk.read(folder / OWNER).decode(errors="replace").strip()
    except OSError as error:
        raise JournalError(f"{folder}: cannot be read: {error.strerror or error}") from None


def sealed_paths(folder: Path, disk: Disk) -> list[Path]:
    """Segments that never change again, oldest first.

    The last one is its writer's. While that has no block yet, the one before it says which row is
    next, and stays too.
    """
    paths = segment_paths(folder, disk)
    if len(paths) > 1 and not _has_block(paths[-1], disk):
        paths = paths[:-1]
    return paths[:-1]


def _has_block(path: Path, disk: Disk) -> bool:
    lead = disk.read(path, _LEAD)
    if len(lead) < _LEAD:
        return False
    size = frame.HEAD.unpack_from(lead, frame.HEADER_BYTES)[0]
    data = disk.read(path, frame.HEADER_BYTES + frame.COVERED + size)
    header = frame.decode_header(data, str(path))
    return len(frame.scan(data, header.first_seq).frames) > 0


def last(folder: Path, disk: Disk) -> Last:
    """Raises: JournalError for damage, or where segments are gone that said which row is next."""
    paths = segment_paths(folder, disk)
    for path in reversed(paths[-2:]):
        for segment in read_segments(folder, first=first_of(path), disk=disk):
            if segment.path == path and len(segment.frames):
                heads = [head_of(one, str(path)) for one in segment.payloads()]
                is_last = path == paths[-1]
                return Last(heads[-1], is_last, is_last and any(one.places for one in heads))
    if paths and first_of(paths[-1]) > 1:
        raise JournalError(
            f"{folder}: begins with an empty segment {paths[-1].name}, and what came before it is "
            "gone; bring it back from the archive, or record into another folder"
        )
    return Last(None, False, False)


def read_sealed(path: Path, disk: Disk) -> Segment:
    """A sealed segment: it has to be whole.

    Raises: Foreign for one of another version; JournalError naming offset and record; OSError.
    """
    segment = read_whole(path, disk)
    if segment.torn_bytes:
        raise _damaged(
            path,
            segment.header.first_seq + len(segment.frames),
            len(segment.data) - segment.torn_bytes,
        )
    return segment


def read_whole(path: Path, disk: Disk) -> Segment:
    """A segment that may be open for writing: its end may be torn. Raises: as `read_sealed`."""
    data = disk.read(path)
    if data[: len(frame.MAGIC)] == frame.MAGIC and _version(data) != frame.VERSION:
        raise Foreign(
            f"{path}: journal version {_version(data)}; this hft reads {frame.VERSION}; load it "
            "with the hft that wrote it"
        )
    header = frame.decode_header(data, str(path))
    refuse_other(header, path)
    scan = frame.scan(data, header.first_seq)
    if header.first_seq != first_of(path):
        raise JournalError(f"{path}: offset 0: begins with record {header.first_seq}")
    if scan.damaged_at >= 0:
        raise _damaged(path, header.first_seq + len(scan.frames), scan.damaged_at)
    return Segment(path, header, data, scan.frames, scan.torn_bytes)


def _damaged(path: Path, number: int, at: int) -> JournalError:
    return JournalError(f"{path}: offset {at}: record {number} is damaged")


def _version(data: bytes) -> int:
    at = len(frame.MAGIC)
    return int.from_bytes(data[at : at + 2], "little")


def batches_of(segment: Segment) -> Iterator[tuple[Place, pa.RecordBatch]]:
    """The rows of a segment, in order. Raises: JournalError naming offset and record."""
    for seq, offset, payload in zip(
        segment.frames.seq, segment.frames.offsets, segment.payloads(), strict=True
    ):
        where = f"{segment.path}: offset {int(offset)}: record {int(seq)}"
        for place in head_of(payload, where).places:
            yield place, rows_at(payload, place, where)


def refuse_other(header: frame.Header, path: Path) -> None:
    """Raises: JournalError for a segment of another kind, or with other columns."""
    if header.topic != TOPIC:
        raise Foreign(f"{path}: a journal of {header.topic!r}, not of {TOPIC!r}")
    if header.schema != SCHEMA:
        said = header.schema.decode(errors="replace")
        raise Foreign(
            f"{path}: holds rows of version {said!r}, this hft knows {SCHEMA.decode()!r}; load it "
            "with the hft that wrote it"
        )
