"""The ledger as a person wants to see it: families, counts, hurdles, writers, what is wrong.

It computes no statistic of its own and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from hft.governance.ledger.check import Heads, Problem
from hft.governance.ledger.ledger import Ledger
from hft.reports.figures import counted
from hft.runs.nearest import nearest

NANOS = 1_000_000_000


@dataclass(frozen=True)
class FamilyRow:
    """One family and label: its own trials, and N, effective N and hurdle of all it competes with.

    N counts every trial on overlapping data with the same label, of whatever family.
    """

    family: str
    label_family: str
    trials: int
    repeats: int
    n: int
    effective: float
    hurdle: float | None
    last_ts_ns: int


@dataclass(frozen=True)
class WriterRow:
    """One writer's chain and its head."""

    writer: str
    seq: int
    hash: str
    own: bool


@dataclass(frozen=True)
class Overview:
    """Everything `hft alpha ledger` shows."""

    trials: int
    repeats: int
    families: tuple[FamilyRow, ...]
    writers: tuple[WriterRow, ...]
    problems: tuple[Problem, ...]
    counted: bool = True
    sought: str = ""  # a sentence where nothing is listed

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "counted": self.counted,
            "trials": self.trials,
            "repeats": self.repeats,
            "families": [asdict(row) for row in self.families],
            "heads": {row.writer: {"seq": row.seq, "hash": row.hash} for row in self.writers},
            "problems": [problem.to_dict() for problem in self.problems],
        }

    def text(self) -> str:
        """As tables, the problems last."""
        if not self.writers and not self.problems:
            return "no trial was recorded yet; `hft alpha validate` and `hft alpha search` do"
        parts = [f"{counted(self.trials, 'trial')}, {counted(self.repeats, 'repeat')}"]
        if not self.counted:
            parts = ["not counted: a chain does not fit, and a count over a part is no count"]
        if self.sought and not self.families:
            parts = [self.sought]
        if self.families:
            parts.append(_table(FAMILY_NAMES, [_family_cells(row) for row in self.families]))
        if self.writers:
            parts.append(_table(WRITER_NAMES, [_writer_cells(row) for row in self.writers]))
        parts += [f"{problem.code}: {problem.sentence}" for problem in self.problems]
        return "\n\n".join(parts)


FAMILY_NAMES = (
    "family",
    "label",
    "trials",
    "repeats",
    "N",
    "effective N",
    "hurdle SR",
    "last (UTC)",
)
WRITER_NAMES = ("writer", "rows", "head", "")


def overview(
    ledger: Ledger,
    *,
    family: str | None = None,
    since_ns: int | None = None,
    anchors: Heads | Iterable[Heads] = (),
) -> Overview:
    """What the ledger holds; `family` and `since_ns` narrow what is listed, never what counts.

    Where a chain is broken nothing is counted: the problems say where.
    """
    problems = tuple(ledger.verify(anchors))
    heads = _writers(ledger)
    if not ledger.is_readable:
        return Overview(0, 0, (), heads, problems, counted=False)
    listed = ledger.trials(family=family, since_ns=since_ns)
    groups = listed.group_by("family", "label_family").agg(
        pl.len().alias("trials"),
        pl.col("repeats").sum(),
        pl.col("data_start_ns").min().alias("start"),
        pl.col("data_end_ns").max().alias("end"),
        pl.col("ts_ns").max().alias("last"),
    )
    rows = [
        _family_row(ledger, group)
        for group in groups.sort("family", "label_family").iter_rows(named=True)
    ]
    repeats = int(listed["repeats"].sum()) if listed.height else 0
    sought = "" if rows else _sought(ledger, family, since_ns)
    return Overview(listed.height, repeats, tuple(rows), heads, problems, sought=sought)


def _sought(ledger: Ledger, family: str | None, since_ns: int | None) -> str:
    """Why nothing is listed."""
    known = sorted(set(ledger.trials()["family"]))
    if family is not None and family not in known:
        near = nearest(family, known) or ";"
        return f"no trial is of family {family!r}{near} there are {', '.join(known) or 'none'}"
    return "" if since_ns is None else "no trial was recorded since then"


def _family_row(ledger: Ledger, group: dict[str, Any]) -> FamilyRow:
    span = (group["start"], group["end"])
    seen = ledger.family(label_family=group["label_family"], interval=span)
    return FamilyRow(
        family=group["family"],
        label_family=group["label_family"],
        trials=group["trials"],
        repeats=group["repeats"],
        n=seen.n,
        effective=seen.effective,
        hurdle=seen.hurdle,
        last_ts_ns=group["last"],
    )


def _writers(ledger: Ledger) -> tuple[WriterRow, ...]:
    return tuple(
        WriterRow(writer, int(head["seq"]), str(head["hash"]), writer == ledger.writer)
        for writer, head in ledger.heads().items()
    )


def _family_cells(row: FamilyRow) -> tuple[str, ...]:
    moment = datetime.fromtimestamp(row.last_ts_ns // NANOS, UTC)
    return (
        row.family,
        row.label_family,
        str(row.trials),
        str(row.repeats),
        str(row.n),
        f"{row.effective:.1f}",
        "-" if row.hurdle is None else f"{row.hurdle:.2f}",
        f"{moment:%Y-%m-%d %H:%M}",
    )


def _writer_cells(row: WriterRow) -> tuple[str, ...]:
    return row.writer, str(row.seq), row.hash[:16], "this checkout" if row.own else ""


def _table(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[at]) for row in [names, *rows]) for at in range(len(names))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [names, *rows]
    )
    return "\n".join(lines)
