"""What asof, why and inventory show: the found facts as documents; nothing is decided here."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hft.reports.governance.document import Document, Fact, Table

NONE = "–"


def asof_document(found: Mapping[str, Any]) -> Document:
    """What was live at a moment."""
    head = ("alpha", "state", "why", "profile", "owner", "validator", "limits", "weight")
    rows = [
        [
            row["alpha_id"],
            row["state"],
            row["reason"] or f"until {row['expiry']}",
            *(row["profile"], row["owner"], row["validator"], row["limits"][:16] or NONE),
            row["weight"],
        ]
        for row in found["alphas"]
    ]
    live = [row for row in found["alphas"] if row["weight"] > 0]
    return Document(
        title=f"Live at {moment(found['at_ns'])}",
        kind="asof",
        words="" if rows else "Nothing had been promoted.",
        facts=(
            Fact("live", str(len(live)), f"of {len(rows)} ever promoted"),
            Fact("weight", f"{sum(row['weight'] for row in live):g}", "of the target, together"),
        ),
        tables=(Table("Promotions", head, rows, left=7),) if rows else (),
    )


def why_document(found: Mapping[str, Any]) -> Document:
    """The chain of one alpha, oldest link first."""
    links = found["links"]
    rows = [
        [
            *(moment(link["ts_ns"]), link["kind"]),
            "; ".join([link["words"], *link["reasons"]]),
            *(link["hash"][:12], link["page"]),
        ]
        for link in links
    ]
    return Document(
        title=found["alpha_id"],
        kind="why",
        subtitle="from the first trial to the last decision",
        facts=(
            Fact("links", str(len(links)), f"last {moment(links[-1]['ts_ns'])}" if links else ""),
        ),
        tables=(Table("Chain", ("time", "what", "in words", "hash", "page"), rows, left=5),),
    )


def inventory_document(found: Mapping[str, Any]) -> Document:
    """Every model with people, dates and open findings."""
    models, errors = found["models"], found["errors"]
    head = ("model", "tier", "stage", "owner", "validator", "validated", "gates", "until", "weight")
    rows = [
        [
            row["alpha_id"],
            *(row[name] or NONE for name in ("tier", "stage", "owner", "validator")),
            moment(row["validated_ns"]) if row["validated_ns"] else "never",
            " ".join(f"{gate}:{verdict}" for gate, verdict in row["verdicts"].items()) or NONE,
            row["expiry"] or NONE,
            row["weight"],
        ]
        for row in models
    ]
    findings = [[row["alpha_id"], text] for row in models for text in row["findings"]]
    findings += [["", text] for text in errors]
    live = sum(row["weight"] > 0 for row in models)
    return Document(
        title="Inventory of models",
        kind="inventory",
        words="" if models else "No models yet; `hft alpha scaffold ID` makes one.",
        facts=(
            Fact("models", str(len(models))),
            Fact("live", str(live), "with a weight above 0"),
            Fact("open findings", str(len(findings)), tone="bad" if findings else "good"),
        ),
        tables=(
            Table("Models", head, rows, left=8),
            Table("Open findings", ("model", "finding"), findings, left=2),
        ),
    )


def moment(ts_ns: int) -> str:
    """UTC, to the second."""
    return f"{datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}Z"
