"""What the ledger and the vault's budgets show, as documents; nothing is counted here."""

from collections.abc import Mapping, Sequence
from typing import Any

from hft.governance.ledger.overview import Overview
from hft.reports.governance.document import Document, Fact, Table


def document(found: Overview) -> Document:
    """Families with their hurdle, writers with their head, problems first."""
    families = [
        [
            *(row.family, row.label_family),
            *(row.trials, row.repeats, row.n, round(row.effective, 1)),
            "–" if row.hurdle is None else round(row.hurdle, 2),
        ]
        for row in found.families
    ]
    writers = [[row.writer, row.hash[:16], row.seq] for row in found.writers]
    broken = [[problem.code, problem.sentence] for problem in found.problems]
    head = ("family", "label", "trials", "repeats", "N", "effective N", "hurdle SR")
    tables = [
        Table("What is wrong", ("code", "in words"), broken, left=2),
        Table("Families", head, families, left=2),
        Table("Writers", ("writer", "head", "rows"), writers, left=2),
    ]
    return Document(
        title="Trial ledger",
        kind="ledger",
        words="" if found.writers or broken else "No trial was recorded yet.",
        facts=(
            Fact("trials", str(found.trials), "each counted once"),
            Fact("repeats", str(found.repeats), "free"),
            Fact("problems", str(len(broken)), tone="bad" if broken else "good"),
        ),
        tables=tuple(table for table in tables if table.rows),
    )


def budgets_document(rows: Sequence[Mapping[str, Any]]) -> Document:
    """What is left of each vault, and which families looked."""
    lines = [
        [", ".join(row["families"]), row["dataset"][:16], row["used"], row["left"]] for row in rows
    ]
    return Document(
        title="Vault",
        kind="vault",
        words="" if lines else "Nobody has looked.",
        tables=(Table("Budgets", ("families", "dataset", "used", "left"), lines, left=2),)
        if lines
        else (),
    )
