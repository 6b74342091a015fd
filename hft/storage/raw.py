"""Named arrays in one file as they lie in memory, each with a checksum, behind a header of text.

Made to be read fast: what was read is the arrays, and nothing is copied. `magic, version, header
length, crc of the header; header; arrays at 64-byte steps`. The header says what the file is of
(`facts`, whatever its writer says) and where which array of which type is.
"""

import contextlib
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hft.core import json_text
from hft.core.errors import JournalError
from hft.storage.disk import REAL, Disk

MAGIC = b"HFTRAW01"
HEAD = struct.Struct("<8sIII12x")
STEP = 64
PART_BYTES = 1 << 24  # a write of a whole checkpoint at once would need it twice in memory


class Raw(NamedTuple):
    """A file as read: the version of its content, what it is of, and its arrays."""

    version: int
    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]


def write_raw(
    path: Path,
    version: int,
    facts: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    disk: Disk = REAL,
) -> None:
    """A new file, or one in place of another, whole or not at all. Raises: OSError."""
    aside = path.with_name(f".{path.name}.aside")
    if aside.name in disk.names(path.parent):
        disk.unlink(aside)
    file = disk.create(aside)
    try:
        at = 0
        for part in _parts(version, facts, arrays):
            for start in range(0, len(part), PART_BYTES):
                piece = part[start : start + PART_BYTES]
                taken = 0
                while taken < len(piece):
                    taken += file.write(at + taken, piece[taken:])
                at += len(piece)
        file.sync()
    except OSError:
        file.close()
        with contextlib.suppress(OSError):  # a part of it would keep a full disk full
            disk.unlink(aside)
        raise
    file.close()
    disk.rename(aside, path)
    disk.sync_folder(path.parent)


def _parts(
    version: int, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> Iterator[memoryview]:
    table = []
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).view(np.uint8).data
        table.append([name, _described(array.dtype), len(array), zlib.crc32(data)])
    text = json_text.line({"facts": dict(facts), "arrays": table}).encode()
    text += b" " * (-(HEAD.size + len(text)) % STEP)
    yield memoryview(HEAD.pack(MAGIC, version, len(text), zlib.crc32(text)) + text)
    for array in arrays.values():
        data = np.ascontiguousarray(array).view(np.uint8).data
        yield data
        yield memoryview(bytes(-len(data) % STEP))


def read_raw(path: Path, disk: Disk = REAL) -> Raw:
    """Raises: JournalError naming the file and what of it is damaged, OSError."""
    data = disk.read(path)
    version, header, at = _header(data, path)
    arrays = {}
    for name, described, count, crc in header["arrays"]:
        dtype = _dtype(described)
        end = at + count * dtype.itemsize
        if end > len(data) or zlib.crc32(memoryview(data)[at:end]) != crc:
            raise JournalError(f"{path}: {name} at offset {at} is damaged")
        arrays[name] = np.frombuffer(data, dtype, count, at)
        at = end + -(end - at) % STEP
    return Raw(version, header["facts"], arrays)


def facts_of(path: Path, disk: Disk = REAL) -> tuple[int, dict[str, Any]]:
    """Version and facts of a file, without its arrays. Raises: as `read_raw`."""
    size = HEAD.size
    if len(head := disk.read(path, size)) == size:
        size += HEAD.unpack(head)[2]
    version, header, _ = _header(disk.read(path, size), path)
    return version, header["facts"]


def _header(data: bytes, path: Path) -> tuple[int, dict[str, Any], int]:
    if len(data) < HEAD.size or data[:8] != MAGIC:
        raise JournalError(f"{path}: offset 0: not a file of arrays")
    _, version, length, crc = HEAD.unpack_from(data)
    text = data[HEAD.size : HEAD.size + length]
    if len(text) != length or zlib.crc32(text) != crc:
        raise JournalError(f"{path}: offset {HEAD.size}: the header is damaged")
    return version, json.loads(text), HEAD.size + length


def _described(dtype: np.dtype) -> Any:
    return dtype.str if dtype.names is None else [list(field) for field in dtype.descr]


def _dtype(described: Any) -> np.dtype:
    if isinstance(described, str):
        return np.dtype(described)
    return np.dtype([(name, kind) for name, kind in described])
