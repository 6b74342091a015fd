"""The journal of a run: its steps in blocks, a record of the log each, and back.

What one `take` brings is with the system when it returns, and ends a block: a crash tears the last
block at most, and a snapshot lies between two.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hft.core.dtypes import STEP
from hft.core.errors import JournalError
from hft.runs.folder import step_block
from hft.storage.frame import HEAD_BYTES, HEADER_BYTES
from hft.storage.log import SEGMENT_BYTES, LogWriter, Segment, read_segments, segment_paths
from hft.storage.log_tail import LogTail

TOPIC = "run"
BLOCK_KIND = 1  # of a log's record that is a block of steps
SCHEMA = hashlib.blake2b(("blocks:" + ",".join(STEP.names or ())).encode(), digest_size=16).digest()


class StepJournal:
    """Appends steps; the log is made at the first one."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._log: LogWriter | None = None
        self.steps = 0

    def take(self, steps: np.ndarray) -> None:
        """Raises: JournalError when the disk is full; earlier blocks are kept."""
        for block in step_block.blocks_of(steps):
            self._write(block)

    def _write(self, steps: np.ndarray) -> None:
        began_ns = int(steps["ts_ns"][0])
        if self._log is None:
            self._log = LogWriter(
                self.folder,
                TOPIC,
                schema=SCHEMA,
                created_ns=began_ns,
                segment_bytes=self._segment_bytes,
            )
        self._log.append(began_ns, BLOCK_KIND, step_block.encode(steps))
        self.steps += len(steps)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return 0 if self._log is None else self._log.size

    def sync(self) -> None:
        """Make everything taken so far durable."""
        if self._log is not None:
            self._log.sync()

    def close(self) -> None:
        if self._log is not None:
            self._log.close()


def most_bytes(steps: int) -> int:
    """What so many steps, taken at once, can add to a journal at most."""
    blocks = steps // step_block.BLOCK_ROWS + 1
    around = HEADER_BYTES + HEAD_BYTES + step_block.AROUND_BYTES
    return steps * step_block.ROW_BYTES + blocks * around


def has_journal(folder: Path) -> bool:
    """Was this run recorded in full?"""
    return bool(segment_paths(folder))


def read_steps(folder: Path) -> Iterator[np.ndarray]:
    """The steps of a run, a block at a time; a torn tail is left out.

    Raises: JournalError naming segment and offset.
    """
    for segment in read_segments(folder):
        if segment.header.schema != SCHEMA.rstrip(b"\0"):
            raise JournalError(
                f"{segment.path}: written by another hft, with other step fields or in another "
                "form than this one reads; replay the run anew"
            )
        yield from _blocks(segment)


def _blocks(segment: Segment) -> Iterator[np.ndarray]:
    places = zip(segment.frames.seq, segment.frames.offsets, segment.payloads(), strict=True)
    for number, offset, payload in places:
        try:
            yield step_block.decode(payload)
        except (ValueError, EOFError) as error:
            raise JournalError(
                f"{segment.path}: offset {int(offset)}: record {int(number)} is damaged: {error}"
            ) from None


class StepTail:
    """Reads on in the journal of a run that is written; each step once."""

    def __init__(self, folder: Path) -> None:
        self._tail = LogTail(folder, SCHEMA)

    def read(self) -> Iterator[np.ndarray]:
        """The blocks that are new. Raises: JournalError."""
        for payload in self._tail.read():
            try:
                yield step_block.decode(payload)
            except (ValueError, EOFError) as error:
                raise JournalError(f"{self._tail.folder}: a block is damaged: {error}") from None


def torn_bytes(folder: Path) -> int:
    """How many bytes a crash left at the end of the journal."""
    return sum(segment.torn_bytes for segment in read_segments(folder))
