"""The seal of a tape: what makes a file whole, true to its hash and safe to replay.

The seal is JSON in the footer of the Arrow file. `sha256` covers the column bytes (the sha256 of
the sha256 of each column in the order of the schema, so it does not depend on the batch size); it
is the tape's identity. `frame_sha256` covers every other byte of the file, except itself.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from hft.core.errors import DataError
from hft.core.json_text import spaced
from hft.tape.schema import SCHEMA_VERSION, Columns, Finding

SEAL_KEY = b"hft.seal"
INSTRUMENT_KEY, SOURCE_KEY, VERSION_KEY = b"hft.instrument", b"hft.source", b"hft.schema"
FRAME_HOLE = b"frame-sha256-is-written-here".ljust(64, b"-")
HASH_THREADS = 2
SEAL_FIELDS = {
    *("schema", "sha256", "frame_sha256", "rows"),
    *("summary", "findings", "waived", "continues"),
}


def columns_sha256(batches: Sequence[Columns]) -> str:
    """The identity of rows that lie in one or more batches."""
    with ThreadPoolExecutor(HASH_THREADS) as pool:
        digests = pool.map(_column_sha256, zip(*batches, strict=True)) if batches else iter(())
        return hashlib.sha256(b"".join(digests)).hexdigest()


def _column_sha256(parts: Iterable[np.ndarray]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.data)
    return digest.digest()


def encode_seal(
    sha256: str,
    summary: dict[str, Any],
    findings: Sequence[Finding],
    waived: Sequence[str],
    continues: str | None,
) -> bytes:
    """The seal's JSON, with a hole where the hash of the frame goes."""
    seal = {
        "schema": SCHEMA_VERSION,
        "sha256": sha256,
        "rows": summary["rows"],
        "summary": summary,
        "findings": [finding.to_dict() for finding in findings],
        "waived": list(waived),
        "continues": continues,
        "frame_sha256": FRAME_HOLE.decode(),
    }
    return spaced(seal).encode()


def decode_seal(text: bytes | None, path: Any) -> dict[str, Any]:
    """The seal as written. Raises: DataError when there is none or it was never finished."""
    if text is None:
        raise DataError(f"{path}: the tape is unsealed: it has no seal; ingest its source again")
    try:
        seal = dict(json.loads(text))
        version, frame = seal["schema"], seal["frame_sha256"]
        if set(seal) != SEAL_FIELDS:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise DataError(
            f"{path}: the tape's seal cannot be read; ingest its source again"
        ) from None
    if version != SCHEMA_VERSION:
        raise DataError(
            f"{path}: tape schema {version}, this hft reads {SCHEMA_VERSION}; ingest again"
        )
    if frame == FRAME_HOLE.decode():
        raise DataError(f"{path}: the tape is unsealed: writing it was not finished; ingest again")
    return seal


def frame_sha256(content: memoryview, bodies: Sequence[tuple[int, int]], hole_at: int) -> str:
    """The hash of all bytes outside `bodies` (start, end), with the hole as it was before."""
    digest = hashlib.sha256()
    at = 0
    cuts = sorted([*bodies, (hole_at, hole_at + len(FRAME_HOLE))])
    for start, end in cuts:
        digest.update(content[at:start])
        if start == hole_at:
            digest.update(FRAME_HOLE)
        at = max(at, end)
    digest.update(content[at:])
    return digest.hexdigest()
