"""Taking old rows away on purpose, with a trace: their range, count and hash stay in the chain.

It decides which rows are older than a date, records that they go, and removes them from journal and
database, in that order, so that a crash in between is finished by the next call. Nothing else in
hft deletes an audit row. A damaged journal is left alone.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hft.audit import delivery, schema
from hft.audit.journal import FIRST_TABLE, Journal, Written
from hft.audit.keys import moment
from hft.audit.records import JOURNAL_ID, TABLES
from hft.audit.walk import Retired, Walk, walk
from hft.core.errors import ConfigError, GovernanceError, JournalError
from hft.storage.atomic import write_atomic
from hft.storage.chain_row import parse
from hft.storage.database import Database, Source, opened
from hft.storage.lock import lock

KEPT_DAYS = 400  # attempts, rollbacks and re-entries of a year are read from the journal
KEPT_NS = KEPT_DAYS * 86_400_000_000_000

Record = Callable[[str, Mapping[str, Any]], Written]


@dataclass(frozen=True)
class Retirement:
    """What was taken away; `count` 0 when nothing was old enough."""

    first_seq: int
    last_seq: int
    count: int
    sha256: str
    row_seq: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def retire(
    journal: Journal,
    source: Source | None,
    before_ns: int,
    reason: str,
    record: Record,
) -> Retirement:
    """Remove the rows before a time; `record` adds the row that says so.

    `source` None (delivery is off) removes them from the journal alone.
    Raises: ConfigError without a reason; GovernanceError with a damaged journal; Busy, Unavailable
    when the database cannot follow, and then nothing was removed.
    """
    if not reason.strip():
        raise ConfigError("--reason: is empty; say why these rows may go")
    found = walk(journal.raw_lines(), journal.path.name, journal.key)
    if found.findings:
        raise GovernanceError(
            f"{found.findings[0].sentence}; nothing is retired from a damaged journal"
        )
    if source is None:
        return _retire(journal, None, found, before_ns, reason, record)
    delivery.drain(journal, source)
    with opened(source) as database:
        schema.apply(database)
        done = _retire(journal, database, found, before_ns, reason, record)
    delivery.drain(journal, source)
    return done


def _retire(
    journal: Journal,
    database: Database | None,
    found: Walk,
    before_ns: int,
    reason: str,
    record: Record,
) -> Retirement:
    earlier = found.retired
    if earlier is not None:  # finish what a crash may have left
        _remove(journal, database, found.id, earlier.last_seq)
    old = []
    for row in found.rows:
        if row["ts"] >= before_ns:
            break
        if earlier is None or row["seq"] > earlier.last_seq:
            old.append(row)
    if not old:
        return Retirement(0, 0, 0, "", 0)
    last = old[-1]
    digest = _digest(journal, earlier, int(last["seq"]))
    count = len(old) + (earlier.count if earlier else 0)
    evidence = {
        "first_seq": old[0]["seq"],
        "last_seq": last["seq"],
        "last_row_hash": last["row_hash"],
        "count": count,
        "sha256": digest,
        "before": moment(before_ns),
    }
    row = {
        "scope": "audit",
        "kind": "retire",
        "old_state": f"rows {old[0]['seq']} to {last['seq']}",
        "new_state": "retired",
        "cause": reason,
        "evidence": evidence,
    }
    written = record("control_log", row)
    _remove(journal, database, found.id, int(last["seq"]))
    return Retirement(old[0]["seq"], last["seq"], len(old), digest, written.seq)


def _digest(journal: Journal, earlier: Retired | None, last_seq: int) -> str:
    """SHA-256 over the hash of what went before and the lines that go now."""
    digest = hashlib.sha256(earlier.sha256.encode() if earlier else b"")
    after = earlier.last_seq if earlier else 1
    for line in journal.raw_lines():
        if after < int(parse(line[:-1])["seq"]) <= last_seq:
            digest.update(line)
    return digest.hexdigest()


def _remove(journal: Journal, database: Database | None, journal_id: str, last_seq: int) -> None:
    _shorten(journal, last_seq)
    if database is None:
        return
    there = " UNION ALL ".join(
        f"SELECT '{name}', count() FROM {table.full_name} "
        f"WHERE {JOURNAL_ID} = {{id:String}} AND seq <= {{last:UInt64}}"
        for name, table in TABLES.items()
    )
    given = {"id": journal_id, "last": last_seq}
    for name, rows in database.rows(there, given):
        if rows:
            database.command(
                f"ALTER TABLE audit.{name} DELETE WHERE {JOURNAL_ID} = {{id:String}} "
                "AND seq <= {last:UInt64} SETTINGS mutations_sync = 1",
                given,
            )


def _shorten(journal: Journal, last_seq: int) -> None:
    """The same file without the rows up to `last_seq`; an append under way waits and follows."""
    try:
        file = os.open(journal.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            lock(file, journal.path)
            with os.fdopen(os.dup(file), "rb") as stream:
                lines = stream.readlines()
            kept = [line for line in lines if _stays(line, last_seq)]
            if len(kept) < len(lines):
                write_atomic(journal.path, b"".join(kept))
        finally:
            os.close(file)
    except OSError as error:
        raise JournalError(f"{journal.path}: {error.strerror or error}; nothing was lost") from None


def _stays(line: bytes, last_seq: int) -> bool:
    if not line.endswith(b"\n"):
        return False  # torn by a crash, never acknowledged
    row = parse(line[:-1])
    return row["table"] == FIRST_TABLE or row["seq"] > last_seq
