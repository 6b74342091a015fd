"""The frame of every binary journal (contract 4.1): bytes to records and back, no file, no clock.

`len u32, crc u32, seq u64, ts_ns i64, kind u16, flags u16, payload`, little endian; `len` counts
what follows the crc, the crc covers it. A segment begins with a 64-byte header. A bad frame with
nothing good behind it is a torn tail, which a crash leaves and a reader cuts; elsewhere it
is damage.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from isal.isal_zlib import crc32  # the same sum as zlib's, at ten times its speed

from hft.core.errors import JournalError

MAGIC = b"HFTWAL01"
VERSION = 1
HEADER = struct.Struct(
    "<8sHHI16sQq16s"
)  # magic, version, 0, crc of the rest, topic, seq, ns, schema
HEADER_BYTES = 64
HEAD = struct.Struct("<IIQqHH")
HEAD_BYTES = HEAD.size
COVERED = 8  # the crc covers what is behind it
FRAME_MAX = 1 << 24
RESYNC_FRAMES = 64  # how many frames in a row may be bad before a good one is no longer looked for


class Header(NamedTuple):
    topic: str
    first_seq: int
    created_ns: int
    schema: bytes


@dataclass(frozen=True)
class Frames:
    """Frames of one segment in order; `offsets` are where they begin in the segment."""

    seq: np.ndarray
    ts_ns: np.ndarray
    kind: np.ndarray
    flags: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray  # of the payloads

    def __len__(self) -> int:
        return len(self.seq)


class Scan(NamedTuple):
    """What a walk over a segment found: the good frames, where they end, and what is behind."""

    frames: Frames
    end: int
    torn_bytes: int
    damaged_at: int  # -1, or the offset of a bad frame that has good ones behind it


def encode_header(header: Header) -> bytes:
    """The 64 bytes at the start of a segment."""
    topic = header.topic.encode()
    if len(topic) > 16 or len(header.schema) > 16:
        raise JournalError(
            f"journal topic {header.topic!r}: topic and schema have at most 16 bytes"
        )
    rest = (topic, header.first_seq, header.created_ns, header.schema)
    blank = HEADER.pack(MAGIC, VERSION, 0, 0, *rest)
    return HEADER.pack(MAGIC, VERSION, 0, crc32(blank), *rest)


def decode_header(data: bytes | memoryview, where: str) -> Header:
    """Raises: JournalError naming `where` for a wrong magic, version or checksum."""
    if len(data) < HEADER_BYTES:
        raise JournalError(f"{where}: the segment header is cut at byte {len(data)}")
    unpacked = HEADER.unpack_from(data)
    magic, version, reserved, crc, topic, first_seq, created_ns, schema = unpacked
    if magic != MAGIC:
        raise JournalError(f"{where}: offset 0: not a journal segment")
    blank = HEADER.pack(magic, version, reserved, 0, topic, first_seq, created_ns, schema)
    if crc32(blank) != crc:
        raise JournalError(f"{where}: offset 0: the segment header is damaged")
    if version != VERSION:
        raise JournalError(f"{where}: journal version {version}; this hft reads {VERSION}")
    return Header(topic.rstrip(b"\0").decode(), first_seq, created_ns, schema.rstrip(b"\0"))


def is_torn_header(data: bytes) -> bool:
    """Is a whole segment no more than the beginning of a header, as a crash leaves it?

    One of another version is none: it has its own version in it, and a checksum that we cannot ask.
    """
    if len(data) < HEADER_BYTES:
        return True
    magic, version, reserved, crc, *rest = HEADER.unpack_from(data)
    ours = MAGIC.startswith(magic.rstrip(b"\0")) and version in (0, VERSION)
    blank = HEADER.pack(magic, version, reserved, 0, *rest)
    return len(data) == HEADER_BYTES and ours and crc32(blank) != crc


def encode(seq: int, ts_ns: int, kind: int, payload: bytes, flags: int = 0) -> bytes:
    """One frame. Raises: JournalError for a payload that a reader would take for damage."""
    if HEAD_BYTES - COVERED + len(payload) > FRAME_MAX:
        most = FRAME_MAX - HEAD_BYTES + COVERED
        raise JournalError(f"record {seq} has {len(payload)} bytes; a frame holds {most}")
    head = HEAD.pack(HEAD_BYTES - COVERED + len(payload), 0, seq, ts_ns, kind, flags)
    crc = crc32(payload, crc32(head[COVERED:]))
    return b"".join((head[:4], crc.to_bytes(4, "little"), head[COVERED:], payload))


def scan(data: bytes, first_seq: int, start: int = HEADER_BYTES) -> Scan:
    """Every good frame from `start`, numbered from `first_seq` without a gap."""
    found: list[tuple[int, ...]] = []
    at, seq = start, first_seq
    while _is_good(data, at, seq):
        size, _, _, ts_ns, kind, flags = HEAD.unpack_from(data, at)
        found.append((seq, ts_ns, kind, flags, at, size + COVERED - HEAD_BYTES))
        at += COVERED + size
        seq += 1
    damaged_at = at if at < len(data) and _is_followed(data, at, seq) else -1
    return Scan(_frames(found), at, len(data) - at if damaged_at < 0 else 0, damaged_at)


def _frames(found: list[tuple[int, ...]]) -> Frames:
    columns = np.array(found, object).reshape(-1, 6).T
    types = (np.uint64, np.int64, np.uint16, np.uint16, np.int64, np.int64)
    return Frames(*(column.astype(dtype) for column, dtype in zip(columns, types, strict=True)))


def _length_at(data: bytes, at: int) -> int:
    """The `len` of a frame that can begin at `at`, else -1."""
    if len(data) - at < HEAD_BYTES:
        return -1
    size = int.from_bytes(data[at : at + 4], "little")
    fits = HEAD_BYTES - COVERED <= size <= FRAME_MAX and at + COVERED + size <= len(data)
    return size if fits else -1


def _is_good(data: bytes, at: int, seq: int) -> bool:
    size = _length_at(data, at)
    if size < 0:
        return False
    _, crc, found, *_ = HEAD.unpack_from(data, at)
    body = memoryview(data)[at + COVERED : at + COVERED + size]
    return bool(found == seq and crc32(body) == crc)


def _is_followed(data: bytes, at: int, seq: int) -> bool:
    """Is there a good frame behind the bad one at `at`? Found by its sequence number."""
    for later in range(seq, seq + RESYNC_FRAMES):
        wanted = later.to_bytes(8, "little")
        found = data.find(wanted, at + 1)
        while found >= 0:
            if found - 8 > at and _is_good(data, found - 8, later):
                return True
            found = data.find(wanted, found + 1)
    return False
