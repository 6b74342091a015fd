"""Writing a feed as a sealed tape: Arrow IPC, uncompressed, batches of 2^20 rows.

The caller gives the path of an aside file and renames it when all is well (`storage.atomic`); the
seal's last hash is filled in at the end, so that a file cut off anywhere is unsealed. Nothing is
judged here except the order of rows; findings were enforced by `feeds.base.settle`.
"""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from hft.core.errors import JournalError
from hft.core.json_text import spaced
from hft.storage.arrow import arrow
from hft.storage.cures import cured
from hft.tape.reader import SUFFIX, body_spans, day_of
from hft.tape.schema import BATCH_ROWS, DTYPES, SCHEMA_VERSION, Columns, Feed
from hft.tape.seal import (
    FRAME_HOLE,
    INSTRUMENT_KEY,
    SEAL_KEY,
    SOURCE_KEY,
    VERSION_KEY,
    columns_sha256,
    encode_seal,
    frame_sha256,
)
from hft.tape.summary import frozen, summarise

ALIGNMENT = 64


def tape_name(feed: Feed, first_local_ts: int) -> str:
    """`<venue>_<symbol>_<YYYYMMDD>.tape.arrow`."""
    day = str(feed.source.get("day") or day_of(first_local_ts).replace("-", ""))
    venue = feed.instrument.venue or str(feed.source.get("format") or "own")
    parts = [venue, feed.instrument.symbol, day]
    safe = ["".join(c if c.isalnum() or c in "-." else "-" for c in part) for part in parts]
    return "_".join(safe).lower() + SUFFIX


def write_tape(path: Path, feed: Feed, continues: str | None = None) -> dict[str, Any]:
    """Write and seal one tape at `path`; returns the seal.

    Raises: DataError when the rows are not in tape order, JournalError when the disk refuses.
    """
    columns = frozen(feed.columns)
    batches = [
        Columns(*(column[at : at + BATCH_ROWS] for column in columns))
        for at in range(0, len(columns.kind), BATCH_ROWS)
    ]
    origin = str(feed.source.get("file") or path.name)
    summary = summarise(columns, origin)
    waived = feed.source.get("waived", ())
    seal = encode_seal(columns_sha256(batches), summary, feed.findings, waived, continues)
    source = {name: value for name, value in feed.source.items() if name != "waived"}
    if "file" in source:
        source["file"] = Path(str(source["file"])).name  # where it lay is no part of a tape
    metadata = {
        VERSION_KEY: str(SCHEMA_VERSION).encode(),
        INSTRUMENT_KEY: spaced(feed.instrument.to_dict()).encode(),
        SOURCE_KEY: spaced(source).encode(),
    }
    schema = pa.schema([(name, pa.from_numpy_dtype(dtype)) for name, dtype in DTYPES.items()])
    try:
        _write_file(path, schema.with_metadata(metadata), batches, seal)
        frame = _fill_hole(path)
    except OSError as error:
        raise JournalError(f"{path}: the tape cannot be written: {cured(error)}") from None
    return dict(json.loads(seal), frame_sha256=frame)


def _write_file(path: Path, schema: pa.Schema, batches: list[Columns], seal: bytes) -> None:
    first_at, header_sizes = _layout(schema)
    with (
        path.open("wb", buffering=0) as sink,
        pa.PythonFile(sink, "w") as file,
        pa.ipc.new_file(file, schema, metadata={SEAL_KEY: seal}) as writer,
    ):
        at = first_at
        for batch in batches:
            arrays = [arrow(column) for column in batch]
            # The header is padded so that the columns start on a 64-byte boundary.
            padding = _padding(at, header_sizes)
            writer.write_batch(
                pa.RecordBatch.from_arrays(arrays, schema=schema),
                custom_metadata={b"pad": b"-" * padding},
            )
            at = file.tell()


def _layout(schema: pa.Schema) -> tuple[int, dict[int, int]]:
    """Where the first batch begins, and the size of a batch's header by its padding."""
    one = [pa.array([0], type=field.type) for field in schema]
    batch = pa.RecordBatch.from_arrays(one, schema=schema)
    body = 8 * len(schema)
    sink = io.BytesIO()
    sizes = {}
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(batch, custom_metadata={b"pad": b""})
        first_end = sink.tell()
        for padding in range(0, ALIGNMENT + 8, 4):
            before = sink.tell()
            writer.write_batch(batch, custom_metadata={b"pad": b"-" * padding})
            sizes[padding] = sink.tell() - before - body
    return first_end - body - sizes[0], sizes


def _padding(at: int, header_sizes: dict[int, int]) -> int:
    for padding, size in header_sizes.items():
        if (at + size) % ALIGNMENT == 0:
            return padding
    return 0


def _fill_hole(path: Path) -> str:
    """Hash the frame of the written file and put the hash into the seal."""
    with pa.memory_map(str(path), "r") as mapped:
        whole = mapped.read_buffer()
        content = memoryview(whole)
        tail = min(len(content), 1 << 22)
        at = len(content) - tail + bytes(content[-tail:]).rfind(FRAME_HOLE)
        file = pa.ipc.open_file(whole)
        batches = [
            Columns(*(c.to_numpy(zero_copy_only=True) for c in file.get_batch(i).columns))
            for i in range(file.num_record_batches)
        ]
        frame = frame_sha256(content, body_spans(batches, whole.address), at)
        del content, batches, file, whole
    with path.open("r+b") as target:
        target.seek(at)
        target.write(frame.encode())
    return frame
