"""Every change of what an alpha may trade, from the audit journal: the one history there is.

A change is a `control_log` row of kind promotion; its evidence holds weight, state, expiry, limits
and people as they were put in place. Rows that cannot be read are skipped: `hft audit verify` finds
them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date as Date
from typing import Any

from hft.governance.promotion.document import utc_date

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One moment at which a promotion file was put in place."""

    ts_ns: int
    seq: int
    row_hash: str
    alpha_id: str
    cause: str
    weight: float
    enabled: bool
    state: str
    evidence: Mapping[str, Any]

    @property
    def day(self) -> Date:
        """The UTC day."""
        return utc_date(self.ts_ns)

    @property
    def expiry(self) -> Date:
        """The last day on which the weight counts."""
        return Date.fromisoformat(self.evidence["expiry_review_date"])

    @property
    def yaml_sha256(self) -> str:
        """The file that was put in place."""
        return str(self.evidence["yaml_sha256"])


def changes(rows: Iterable[Row], alpha_id: str | None = None) -> list[Change]:
    """Changes in the order of the journal, of one alpha or of all."""
    found = []
    for row in rows:
        if row.get("table") != "control_log" or row["row"].get("kind") != "promotion":
            continue
        change = _change(row)
        if change is not None and alpha_id in (None, change.alpha_id):
            found.append(change)
    return found


def newest_files(rows: Iterable[Row]) -> dict[str, str]:
    """The sha256 of the file last put in place for each alpha."""
    return {change.alpha_id: change.yaml_sha256 for change in changes(rows)}


def _change(row: Row) -> Change | None:
    try:
        given = row["row"]["evidence"]
        evidence = json.loads(given) if isinstance(given, str) else dict(given)
        change = Change(
            int(row["ts"]),
            int(row["seq"]),
            str(row["row_hash"]),
            str(row["row"]["scope"]),
            str(row["row"]["cause"]).split(":", 1)[0],
            float(evidence["weight"]),
            bool(evidence["enabled"]),
            str(evidence["state"]),
            evidence,
        )
        _ = change.expiry, change.yaml_sha256
    except (KeyError, TypeError, ValueError):
        return None
    return change
