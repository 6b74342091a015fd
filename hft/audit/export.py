"""The journal as one file for somebody else; writing it anchors the head.

The first line says which journal and which head, the others are the journal's own lines, byte for
byte, so that whoever gets the file can check the chain without us.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hft.audit.anchors import note_export
from hft.audit.journal import FIRST_TABLE, Journal
from hft.core.errors import DataError, GovernanceError
from hft.storage.atomic import write_atomic
from hft.storage.chain import canonical
from hft.storage.chain_row import parse

FORMAT = 1


@dataclass(frozen=True)
class Export:
    """What was written where."""

    path: str
    rows: int
    seq: int
    hash: str
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def export(journal: Journal, out: Path, anchors: Path, since_ns: int = 0) -> Export:
    """Write the rows from a time on to `out`, and note the head under `anchors`.

    Raises: DataError for an empty journal, GovernanceError for a damaged one, JournalError where a
    file cannot be written.
    """
    checked = _whole_lines(journal)
    head = journal.head()
    if not head.seq:
        raise DataError(f"{journal.path}: has no rows yet; there is nothing to export")
    kept = [line for row, line in checked if row["ts"] >= since_ns or row["table"] == FIRST_TABLE]
    first = {
        "format": FORMAT,
        "head": {"hash": head.hash, "seq": head.seq},
        "journal_id": journal.id,
        "since_ns": since_ns,
    }
    content = b"".join(line + b"\n" for line in (canonical(first), *kept))
    write_atomic(out, content)
    digest = hashlib.sha256(content).hexdigest()
    note_export(anchors, journal.id, head, out.name, digest)
    return Export(str(out), len(kept) - 1, head.seq, head.hash, digest)


def _whole_lines(journal: Journal) -> list[tuple[dict[str, Any], bytes]]:
    from hft.audit.walk import walk

    lines = journal.raw_lines()
    found = walk(lines, journal.path.name, journal.key)
    if found.findings:
        raise GovernanceError(
            f"{found.findings[0].sentence}; a damaged journal is not anchored, restore it first"
        )
    return [(parse(line[:-1]), line[:-1]) for line in lines if line.endswith(b"\n")]
