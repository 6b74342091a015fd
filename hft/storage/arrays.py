"""Named arrays as bytes and back, as a snapshot is kept; no pickled objects inside."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from hft.core.errors import JournalError


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The arrays as one compressed block of bytes."""
    buffer = io.BytesIO()
    plain: dict[str, Any] = dict(arrays)
    np.savez_compressed(buffer, **plain)
    return buffer.getvalue()


def unpack(data: bytes, source: str) -> dict[str, np.ndarray]:
    """The inverse of `pack`; `source` names the file in messages. Raises: JournalError."""
    damage = (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (*damage, NotImplementedError) as error:
        raise JournalError(f"{source}: is damaged and cannot be read ({error})") from None
