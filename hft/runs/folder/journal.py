"""STEP rows to journal frames and back: one record per step, the same number as the step.

The frame carries seq, ts_ns and kind; the payload is the rest of the row as little-endian int64.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hft.core.dtypes import STEP
from hft.core.errors import JournalError
from hft.storage.frame import HEAD_BYTES
from hft.storage.log import SEGMENT_BYTES, LogWriter, read_segments, segment_paths

TOPIC = "run"
LEAD_FIELDS = ("seq", "ts_ns", "kind")
LEAD_BYTES = 8 * len(LEAD_FIELDS)
PAYLOAD_BYTES = STEP.itemsize - LEAD_BYTES
SCHEMA = hashlib.blake2b(",".join(STEP.names or ()).encode(), digest_size=16).digest()


class StepJournal:
    """Appends steps; the log is made at the first one, whose number begins it."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._log: LogWriter | None = None
        self.steps = 0

    def take(self, steps: np.ndarray) -> None:
        """Raises: JournalError when the disk is full; earlier records are kept."""
        if len(steps) == 0:
            return
        if self._log is None:
            first = steps[0]
            self._log = LogWriter(
                self.folder,
                TOPIC,
                schema=SCHEMA,
                first_seq=int(first["seq"]),
                created_ns=int(first["ts_ns"]),
                segment_bytes=self._segment_bytes,
            )
        raw = np.ascontiguousarray(steps).view(np.uint8).reshape(len(steps), STEP.itemsize)
        self._log.append_batch(steps["ts_ns"], steps["kind"], raw[:, LEAD_BYTES:])
        self.steps += len(steps)

    @property
    def size(self) -> int:
        """Bytes of the records so far, the few of segment headers aside."""
        return self.steps * (HEAD_BYTES + PAYLOAD_BYTES)

    def sync(self) -> None:
        """Make everything taken so far durable."""
        if self._log is not None:
            self._log.sync()

    def close(self) -> None:
        if self._log is not None:
            self._log.close()


def has_journal(folder: Path) -> bool:
    """Was this run recorded in full?"""
    return bool(segment_paths(folder))


def read_steps(folder: Path) -> Iterator[np.ndarray]:
    """The steps of a run, a segment at a time; a torn tail is left out.

    Raises: JournalError naming segment and offset.
    """
    for segment in read_segments(folder):
        if segment.header.schema != SCHEMA.rstrip(b"\0"):
            raise JournalError(
                f"{segment.path}: written with other step fields than this hft reads"
            )
        rows = np.zeros(len(segment.frames), STEP)
        raw = rows.view(np.uint8).reshape(len(rows), STEP.itemsize)
        for name in LEAD_FIELDS:
            rows[name] = getattr(segment.frames, name)
        raw[:, LEAD_BYTES:] = segment.table(PAYLOAD_BYTES)
        yield rows


def torn_bytes(folder: Path) -> int:
    """How many bytes a crash left at the end of the journal."""
    return sum(segment.torn_bytes for segment in read_segments(folder))
