"""Whether the audit is what it was: chain, anchors, database, signatures, promotion files.

It decides one thing, `ok`, and lists everything that speaks against it with place, row and column.
What other packages know (promotions, ledger) comes as plain data. It never repairs.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hft.audit.anchors import Anchor
from hft.audit.compare import CUT, compare
from hft.audit.journal import Journal, Row
from hft.audit.keys import Keys
from hft.audit.sign import verify as verify_signature
from hft.audit.signed_rows import BAD_SIGNATURE, check_rows
from hft.audit.walk import NO_HEAD, ROW_CHANGED, Finding, Walk, walk
from hft.core.errors import Busy, GovernanceError, HftError, Unavailable
from hft.storage.chain import Head
from hft.storage.database import Database, Source, opened

REWRITTEN = "JOURNAL_REWRITTEN"
ABSENT = "JOURNAL_ABSENT"
ANCHOR = "ANCHOR_DOUBTFUL"
UNAUDITED = "UNAUDITED_PROMOTION"
LEDGER = "LEDGER_WENT_BACK"

# Rows in, findings and notes out.
Beside = Callable[[Sequence[Row]], tuple[Sequence[Finding], Sequence[str]]]


@dataclass(frozen=True)
class Signed:
    """Bytes somebody signed: where that stands, and who it says it was."""

    place: str
    payload: bytes
    signature: str
    name: str
    at_ns: int
    seq: int = 0
    roles: tuple[str, ...] = ()  # one of these is needed; none asked for when empty


@dataclass(frozen=True)
class PromotionFile:
    """What a promotion file says that the audit must know of."""

    path: str
    alpha_id: str
    bundle_sha256: str
    yaml_sha256: str = ""
    audit_head: Head = NO_HEAD


@dataclass(frozen=True)
class Verified:
    """The answer; `unanchored` is the oldest row that no anchor outside of the workspace covers."""

    rows: int
    head: Head
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    anchors: int
    unanchored: dict[str, Any] | None
    database: str
    compared: bool
    journal_id: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing speaks against the audit."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "ok": self.ok,
            "journal_id": self.journal_id,
            "rows": self.rows,
            "head": {"seq": self.head.seq, "hash": self.head.hash},
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": list(self.notes),
            "anchors": self.anchors,
            "oldest_row_without_anchor": self.unanchored,
            "database": self.database,
            "compared": self.compared,
            **self.extra,
        }


def verify(
    journal: Journal,
    source: Source | None,
    *,
    keys: Keys | None = None,
    anchors: Sequence[Anchor] = (),
    promotions: Iterable[PromotionFile] = (),
    signed: Iterable[Signed] = (),
    others: Iterable[Finding] = (),
    beside: Beside | None = None,
    since_ns: int = 0,
) -> Verified:
    """Check everything. `source` None leaves the database out; one that is away is a note.

    `keys` None leaves the signatures of rows out. From `since_ns` on rows are compared with the
    database and their signatures checked; chain, anchors and ledger heads are always whole.
    `others` are findings of who called (unreadable promotion files); `beside` is handed the rows
    that can be believed and says what the world they tell of lacks (ledger, artifacts).
    Raises: JournalError when the journal cannot be read, ConfigError for a wrong DSN.
    """
    place = journal.path.name
    found = walk(journal.raw_lines(), place, journal.key)
    files = list(promotions)
    heads = [*anchors, *(_of_promotion(file) for file in files if file.audit_head.seq)]
    findings = [*found.findings, *against_anchors(found, heads, place), *ledger_order(found)]
    findings += [one for file in files if (one := unaudited(found, file)) is not None]
    findings += check_signed(signed, keys or Keys(()))
    first = _first(found, since_ns)
    if keys is not None:
        findings += check_rows((row for row in found.rows if row["seq"] >= first), keys)
    database, compared, differences = _database(found, source, place, journal.key, first)
    more, notes = beside(found.rows) if beside is not None else ([], [])
    findings += [*differences, *others, *more]
    return Verified(
        rows=len(found.rows),
        head=found.head if found.rows else NO_HEAD,
        findings=tuple(_once(findings)),
        notes=(*found.notes, *notes),
        anchors=len(heads),
        unanchored=_unanchored(found, heads),
        database=database,
        compared=compared,
        journal_id=found.id,
    )


def against_anchors(found: Walk, anchors: Sequence[Anchor], place: str) -> list[Finding]:
    """Where an anchor tells of another row than the journal has, or of one it has not."""
    hashes = {row["seq"]: row["row_hash"] for row in found.rows}
    hashes |= {seq: str(row.get("row_hash")) for seq, row in found.changed.items()}
    retired = found.retired
    if retired is not None:
        hashes[retired.last_seq] = retired.last_hash
    findings = []
    for anchor in anchors:
        if anchor.journal_id not in ("", found.id):
            words = f"{anchor.source}: is an anchor of journal {anchor.journal_id[:8]}, not of this"
            findings.append(Finding(ANCHOR, anchor.source, anchor.seq, "", words))
        elif anchor.doubt and anchor.doubt != "is not signed":
            words = f"{anchor.source}: {anchor.doubt}"
            findings.append(Finding(ANCHOR, anchor.source, anchor.seq, "", words))
        elif anchor.seq in hashes:
            if hashes[anchor.seq] != anchor.hash:
                words = f"{place}: row {anchor.seq} is not the one that {anchor.source} anchors"
                findings.append(Finding(REWRITTEN, place, anchor.seq, "", words))
        elif retired is None or anchor.seq > retired.last_seq:
            end = found.head.seq
            words = f"{place}: ends at row {end}, {anchor.source} anchors row {anchor.seq}"
            findings.append(Finding(CUT, place, anchor.seq, "", words))
    return findings


def ledger_order(found: Walk) -> list[Finding]:
    """Rows whose ledger heads stand before those of an older row: the ledger went back."""
    newest: dict[str, tuple[int, str, int]] = {}
    findings = []
    for row in found.rows:
        for writer, head in sorted(json.loads(row["ledger_heads"] or "{}").items()):
            seq, head_hash = int(head["seq"]), str(head["hash"])
            before = newest.get(writer, (0, "", 0))
            if seq < before[0] or (seq == before[0] and head_hash != before[1]):
                words = (
                    f"row {row['seq']}: saw ledger {writer} at row {seq}, "
                    f"row {before[2]} had seen it at row {before[0]}"
                )
                place = f"audit.{row['table']}"
                findings.append(Finding(LEDGER, place, row["seq"], "ledger_heads", words))
            else:
                newest[writer] = (seq, head_hash, row["seq"])
    return findings


def unaudited(found: Walk, file: PromotionFile) -> Finding | None:
    """A promotion file that no approval in the journal stands for."""
    retired = found.retired
    if retired is not None and file.audit_head.seq <= retired.last_seq:
        return None
    for row in found.rows:
        own = row["row"]
        if (
            row["table"] == "alpha_promotion_log"
            and own["alpha_id"] == file.alpha_id
            and own["approved"]
            and own["stage"] != "propose"
            and own["bundle_sha256"] == file.bundle_sha256
        ):
            return None
    words = f"{file.path}: no audit row approves bundle {file.bundle_sha256[:12]}"
    return Finding(UNAUDITED, file.path, 0, "", f"{words}; it counts as weight 0")


def check_signed(signed: Iterable[Signed], keys: Keys) -> list[Finding]:
    """Signatures that do not fit, or whose signer was not allowed to sign."""
    findings = []
    for one in signed:
        wrong = ""
        try:
            signer = verify_signature(one.payload, one.signature, one.name, keys, one.at_ns)
            if one.roles and not set(one.roles) & set(signer.roles):
                wrong = f"{signer.name} has none of the roles {', '.join(one.roles)}"
        except (GovernanceError, Unavailable) as error:
            wrong = str(error)
        if wrong:
            words = f"{one.place}: {wrong}"
            findings.append(Finding(BAD_SIGNATURE, one.place, one.seq, "signature", words))
    return findings


def _of_promotion(file: PromotionFile) -> Anchor:
    return Anchor(file.audit_head.seq, file.audit_head.hash, file.path)


def _database(
    found: Walk, source: Source | None, place: str, key: bytes | None, first: int
) -> tuple[str, bool, list[Finding]]:
    if source is None:
        return "not asked", False, []
    if source.is_absent:
        return f"{source.shown}: has no audit tables yet", False, []
    try:
        with opened(source) as database:
            return _compared(found, source, database, place, key, first)
    except (Busy, Unavailable) as error:
        return f"not compared: {error}", False, []
    except HftError as error:
        if type(error).__name__ != "DatabaseRefused":
            raise
        return f"not compared: {error}", False, []


def _compared(
    found: Walk, source: Source, database: Database, place: str, key: bytes | None, first: int
) -> tuple[str, bool, list[Finding]]:
    from hft.audit import schema

    if not schema.applied(database):
        return f"{source.shown}: has no audit tables yet", False, []
    if found.id:
        findings = compare(found, database, place, key, first)
        words = f"compared from row {first} on" if first else "compared"
        return f"{source.shown}: {words}", True, findings
    owners = _owners(database) if source.is_embedded else []
    words = f"{place}: is gone or has no first line, {source.shown} has rows of journal "
    absent = [Finding(ABSENT, place, 0, "", f"{words}{owner[:8]}") for owner in owners]
    return f"{source.shown}: compared", True, absent


def _owners(database: Database) -> list[str]:
    from hft.audit.records import TABLES

    union = " UNION DISTINCT ".join(
        f"SELECT DISTINCT journal_id FROM {table.full_name}" for table in TABLES.values()
    )
    return sorted(str(row[0]) for row in database.rows(union))


def _first(found: Walk, since_ns: int) -> int:
    """The row from which on details are looked at: the first of that time; 0 for all."""
    if not since_ns:
        return 0
    late = (row["seq"] for row in found.rows if row["ts"] >= since_ns)
    return int(min(late, default=found.head.seq + 1))


def _unanchored(found: Walk, anchors: Sequence[Anchor]) -> dict[str, Any] | None:
    good = [one.seq for one in anchors if one.outside and one.journal_id in ("", found.id)]
    newest = max(good, default=0)
    for row in found.rows:
        if row["seq"] > newest:
            return {"seq": row["seq"], "ts": row["ts"], "table": row["table"]}
    return None


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """A changed row stands once: told by the database where it can, with the column if known."""
    kept: dict[tuple[object, ...], Finding] = {}
    for one in findings:
        place = (one.code, one.place, one.seq, one.column)
        kept[place if one.code == ROW_CHANGED else (*place, one.sentence)] = one
    located = {key[:3] for key, one in kept.items() if one.column}
    return [one for key, one in kept.items() if one.column or key[:3] not in located]
