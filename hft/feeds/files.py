"""Reading inputs whole, whatever they are packed in; a torn one is refused with its name.

Packing is told from the first bytes, never from the file's name.
"""

import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Any

from isal import isal_zlib

from hft.core.errors import DataError
from hft.storage import zstd

# What the fast inflater raises; its stub says that it is an instance.
INFLATE_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]
GZIP, XZ, ZSTD, ZIP = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_BROKEN = (
    *(EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
    *(NotImplementedError, RuntimeError),  # of zipfile: a method or a password nobody asked for
)


def read_bytes(path: Path) -> bytes:
    """The decompressed content of a file (of its only member, for a zip archive).

    Raises: DataError when the file is absent, empty, cut short or corrupt.
    """
    packed = _raw(path)
    try:
        return _unpack(packed, path)
    except _BROKEN as error:
        raise _torn(path, error) from None


def peek(path: Path, size: int) -> bytes:
    """The first `size` decompressed bytes.

    Raises: DataError when the file is absent, empty or its beginning is corrupt.
    """
    try:
        with path.open("rb") as file:
            if not file.peek(1):
                raise DataError(f"{path}: the file is empty")
            with _stream(file) as stream:
                return bytes(stream.read(size))
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a folder, not a file") from None
    except Exception as error:
        raise _torn(path, error) from None


def _raw(path: Path) -> bytes:
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if not packed:
        raise DataError(f"{path}: the file is empty")
    return packed


def _unpack(packed: bytes, path: Path) -> bytes:
    if packed.startswith(GZIP):
        return gzip.decompress(packed)
    if packed.startswith(XZ):
        return lzma.decompress(packed)
    if packed.startswith(ZSTD):
        return bytes(zstd.unpack(packed))
    if packed.startswith(ZIP):
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            names = _members(archive)
            if len(names) != 1:
                listed = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
                several = f"holds {len(names)} files ({listed}); unpack the one that is meant"
                raise DataError(f"{path}: the archive {several if names else 'is empty'}")
            return archive.read(names[0])
    return packed


def _members(archive: zipfile.ZipFile) -> list[str]:
    """The files of an archive without folders and what a Mac puts beside them."""
    return [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith("__MACOSX/")
    ]


def _stream(file: Any) -> Any:
    head = file.peek(6)[:6]
    if head.startswith(GZIP):
        return gzip.open(file)
    if head.startswith(XZ):
        return lzma.open(file)
    if head.startswith(ZSTD):
        return zstd.stream(file)
    if head.startswith(ZIP):
        archive = zipfile.ZipFile(file)
        return archive.open((_members(archive) or archive.namelist())[0])
    return io.BufferedReader(file)


def _torn(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: the compressed file is cut short or corrupt ({error})")
