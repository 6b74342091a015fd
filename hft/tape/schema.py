"""The columns of a tape and what is known about it; owned here, read by feeds and replay.

A tape is one instrument's recorded events in order. `exch_ts` never goes back among the rows a
venue sees, `local_ts` never among the rows a strategy sees; rows that would break this are split in
two by `Flag.VENUE_ONLY` and `Flag.VIEW_ONLY`.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from hft.core.instruments import Instrument

BATCH_ROWS = 1 << 20
SCHEMA_VERSION = 1

DTYPES: dict[str, np.dtype] = {
    "exch_ts": np.dtype(np.int64),  # ns since the epoch, the exchange's clock
    "local_ts": np.dtype(np.int64),  # ns since the epoch, when it was received
    "kind": np.dtype(np.int8),  # EventKind
    "side": np.dtype(np.int8),  # Side; 2 where no side applies
    "price": np.dtype(np.int64),  # ticks
    "qty": np.dtype(np.int64),  # lots
    "order_id": np.dtype(np.int64),  # L3 order; 0 elsewhere
    "flags": np.dtype(np.int16),  # bits of Flag
}


class Columns(NamedTuple):
    """The rows of a tape, one array a column, all of one length."""

    exch_ts: np.ndarray
    local_ts: np.ndarray
    kind: np.ndarray
    side: np.ndarray
    price: np.ndarray
    qty: np.ndarray
    order_id: np.ndarray
    flags: np.ndarray

    @classmethod
    def empty(cls, rows: int) -> "Columns":
        """Zeroed columns of the tape's dtypes."""
        return cls(*(np.zeros(rows, dtype) for dtype in DTYPES.values()))


@dataclass(frozen=True)
class Finding:
    """One kind of defect seen at ingest: how often, and the first row that shows it.

    Rows count from 1, `of` the "source" (a file's rows, a frame's), of what was "decoded" from it,
    or of the "tape", on which rows may have been split or sorted.
    """

    name: str
    count: int
    first_row: int
    note: str = ""
    when: Any = field(default=None, compare=False, repr=False)  # receive times ns, where known
    of: str = "source"

    def to_dict(self) -> dict[str, Any]:
        """What a seal says of it."""
        names = ("name", "count", "first_row", "note", "of")
        return {name: getattr(self, name) for name in names}


@dataclass
class Feed:
    """What a decoder returns for one instrument: rows, findings and where they came from."""

    instrument: Instrument
    columns: Columns
    findings: list[Finding] = field(default_factory=list)
    source: dict[str, Any] = field(default_factory=dict)
