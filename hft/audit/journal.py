"""The local journal: every decision is a durable, chained row here before anything is claimed.

One file of hash-chained lines per workspace; the first line names the journal, and where rows were
retired the next one starts after them. Rows are only ever added; `retire` alone takes a range away,
and leaves its count and hash in the chain. The database never has a say here.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit import records
from hft.core.errors import DataError, JournalError
from hft.storage.chain import GENESIS, Chain, Head
from hft.storage.lock import lock, locked

FILE_NAME = "journal.jsonl"
LOCK_NAME = "journal.lock"
FIRST_TABLE = "journal"  # the table of the first row, which no database gets
PLAIN, KEYED = "sha256", "hmac-sha256"
Row = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """What a decision left in the journal."""

    seq: int
    row_hash: str
    evidence_digest: str


class Journal:
    """The journal in a folder; opened anew for each call, so that processes may share it."""

    def __init__(self, folder: Path, hmac_key: bytes | None = None) -> None:
        self.folder, self.key = folder, hmac_key
        self.chain = Chain(folder / FILE_NAME, key=hmac_key)

    @property
    def path(self) -> Path:
        """The file of rows."""
        return self.chain.path

    def append(
        self,
        table: str,
        row: Mapping[str, Any],
        *,
        now_ns: int,
        event_ts: int = 0,
        actor: str = "",
        key_fp: str = "",
        keys_hash: str = "",
        limits_hash: str = "",
        ledger_heads: Mapping[str, Any] | None = None,
    ) -> Written:
        """Add one row; it is durable when this returns.

        Raises: DataError naming table and column for a row that does not fit, JournalError when it
        cannot be written.
        """
        shape = records.table_of(table)
        own = records.own_values(shape, row)
        full: Row = {
            "table": shape.name,
            "ts": records.checked_int(now_ns, "ts"),
            "event_ts": records.checked_int(event_ts, "event_ts"),
            "schema_version": records.SCHEMA_VERSION,
            "actor": actor,
            "key_fp": key_fp,
            "keys_hash": keys_hash,
            "limits_hash": limits_hash,
            "ledger_heads": records.json_text(_heads(ledger_heads or {})),
        }
        digest = records.evidence_digest(
            shape, {**own, "event_ts": event_ts, "limits": limits_hash}
        )
        if own.get("evidence_digest") == "":
            own["evidence_digest"] = digest
        self._begin(now_ns)
        added = self.chain.append([{**full, "row": own}])
        return Written(added.first_seq, added.hashes[0], digest)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """The rows with a seq above `after`, without the first line; hashes are not checked.

        Raises: JournalError naming the line that is no row.
        """
        for row in self.chain.read(after):
            if row.get("table") != FIRST_TABLE:
                yield row

    def raw_lines(self) -> list[bytes]:
        """The file as it is, line by line with newlines; empty where there is none.

        Raises: JournalError when it cannot be read.
        """
        try:
            with open(self.path, "rb") as file:
                # An append under way is not a torn line.
                lock(file.fileno(), self.path, shared=True)
                return file.readlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror or error}") from None

    def head(self) -> Head:
        """Number and hash of the newest row; (0, zeros) when there is none."""
        found = self.chain.head()
        return Head(0, GENESIS) if found.seq <= 1 else found

    def first(self) -> Row | None:
        """The first line, which names the journal; None while there is no journal."""
        found = next(iter(self.chain.read()), None)
        if found is not None and found.get("table") != FIRST_TABLE:
            raise JournalError(f"{self.path}: line 1: does not name the journal; restore the file")
        return found

    @property
    def id(self) -> str:
        """The name of this journal in the database; empty while there is no journal."""
        found = self.first()
        return "" if found is None else str(found["row"][records.JOURNAL_ID])

    def _begin(self, now_ns: int) -> None:
        """Write the first line once, whoever comes first."""
        found = self.first()
        if found is None:
            with locked(self.folder / LOCK_NAME):
                if self.first() is None:
                    scheme = PLAIN if self.key is None else KEYED
                    own = {records.JOURNAL_ID: uuid.uuid4().hex, "hash": scheme}
                    self.chain.append([{"table": FIRST_TABLE, "ts": now_ns, "row": own}])
            return
        keyed = found["row"].get("hash") == KEYED
        if keyed and self.key is None:
            raise JournalError(
                f"{self.path}: its hashes are made with a key; set AUDIT_HMAC_KEY or "
                "HFT_AUDIT_HMAC_KEY_FILE"
            )
        if not keyed and self.key is not None:
            raise JournalError(
                f"{self.path}: was begun without a key; take AUDIT_HMAC_KEY and "
                "HFT_AUDIT_HMAC_KEY_FILE away, or name another journal folder"
            )


def read(folder: Path, after: int = 0) -> list[Row]:
    """Every row of the journal in a folder, oldest first; an absent one is empty."""
    return list(Journal(folder).rows(after))


def values(row: Row, journal_id: str) -> Row:
    """The columns of a journal row as the database has them, by name."""
    common = {name: row.get(name) for name, _ in records.COMMON}
    return {**common, **row["row"], records.JOURNAL_ID: journal_id}


def _heads(given: Mapping[str, Any]) -> dict[str, Any]:
    """Ledger heads as {writer: {seq, hash}}; a (seq, hash) pair is taken as well."""
    found: dict[str, Any] = {}
    for writer, head in given.items():
        if isinstance(head, Mapping):
            found[writer] = {"seq": head["seq"], "hash": head["hash"]}
        elif isinstance(head, tuple) and len(head) == 2:
            found[writer] = {"seq": head[0], "hash": head[1]}
        else:
            raise DataError(f"ledger_heads: {writer}: {head!r} is no head with seq and hash")
    return found
