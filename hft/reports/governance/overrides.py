"""The page of every time somebody went round a rule: how often each way, and each line of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hft.reports.governance.document import Document, Fact, Table

HEAD = ("time", "kind", "alpha", "what", "why", "who", "signed")


def overrides_document(lines: Sequence[Mapping[str, Any]]) -> Document:
    """`lines`: ts in UTC nanoseconds, kind, alpha_id, subject, reason, actor, signed; in order."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line["kind"]] = totals.get(line["kind"], 0) + 1
    rows = [
        [
            f"{datetime.fromtimestamp(line['ts'] // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}Z",
            *(line[name] or "–" for name in ("kind", "alpha_id", "subject", "reason", "actor")),
            "yes" if line["signed"] else "no",
        ]
        for line in lines
    ]
    return Document(
        title="Overrides",
        kind="overrides",
        subtitle="forced, self-approved, asserted, waived, killed, reset, looked at the vault",
        words="" if lines else "Nobody went round a rule.",
        facts=tuple(Fact(kind, str(count)) for kind, count in sorted(totals.items())),
        tables=(Table("Each of them", HEAD, rows, left=7),) if rows else (),
    )
