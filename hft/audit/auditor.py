"""The one door for whoever decides: record a row, and deliver when the database allows.

`record` never depends on the database; a full local disk is an error before anything is claimed.
`deliver` never raises because the database is away: it says what waits and why.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hft.audit.delivery import Delivery, deliver
from hft.audit.journal import Journal, Row, Written
from hft.audit.remote import Remote
from hft.core.errors import GovernanceError, JournalError, Unavailable
from hft.storage.chain import Head
from hft.storage.database import Source

ANCHORED = ("promotion", "keys")  # kinds of rows whose newest state has to stand elsewhere
PENDING = "anchor"

__all__ = ["Auditor", "Delivery", "Written"]


class Auditor:
    """The audit of one workspace, for one person's call."""

    def __init__(
        self,
        journal_folder: Path,
        dsn: str | Source,
        *,
        enabled: bool = True,
        actor: str = "",
        keys_hash: str = "",
        hmac_key: bytes | None = None,
        remote: Remote | None = None,
    ) -> None:
        self.remote = remote
        self.journal = Journal(journal_folder, hmac_key)
        self.source = dsn if isinstance(dsn, Source) else Source(dsn)
        self.enabled, self.actor, self.keys_hash = enabled, actor, keys_hash

    def record(
        self,
        table: str,
        row: Mapping[str, Any],
        *,
        now_ns: int,
        event_ts: int = 0,
        key_fp: str = "",
        limits_hash: str = "",
        ledger_heads: Mapping[str, Any] | None = None,
    ) -> Written:
        """One decision as a durable row of the journal.

        `ledger_heads` is {writer: {seq, hash}} as the decision saw them.
        Raises: DataError naming table and column; JournalError when it cannot be written.
        """
        return self.journal.append(
            table,
            row,
            now_ns=now_ns,
            event_ts=event_ts,
            actor=self.actor,
            key_fp=key_fp,
            keys_hash=self.keys_hash,
            limits_hash=limits_hash,
            ledger_heads=ledger_heads,
        )

    def deliver(self) -> Delivery:
        """Bring what waits to the database and to the anchor remote; a notice says what could not
        be brought and why.
        """
        found = deliver(self.journal, self.source, enabled=self.enabled)
        unanchored = self.anchor()
        if not unanchored:
            return found
        words = "; ".join(text for text in (found.notice, unanchored) if text)
        return replace(found, notice=words)

    def anchor(self) -> str:
        """Bring what waits to the remote; why not, in words, and then an audit row for a change."""
        if self.remote is None or not self.journal.id:
            return ""
        try:
            self.remote.push(self.journal)
        except (Unavailable, JournalError, GovernanceError) as error:
            with contextlib.suppress(JournalError):  # a full disk: `verify` says what waits
                self._pending(str(error))
            return f"not anchored: {error}; `hft audit anchor` tries again"
        return ""

    def _pending(self, why: str) -> None:
        """One row for each change of a promotion or of the keys that has to wait."""
        waits = None
        for row in self.journal.rows():
            if row["table"] == "control_log" and row["row"].get("kind") in (*ANCHORED, PENDING):
                waits = row
        if waits is not None and waits["row"]["kind"] != PENDING:
            values = {
                "scope": waits["row"]["scope"],
                "kind": PENDING,
                "old_state": "",
                "new_state": "pending",
                "cause": why,
                "evidence": {"seq": waits["seq"]},
            }
            self.record("control_log", values, now_ns=waits["ts"])

    def head(self) -> Head:
        """Number and hash of the newest row, for promotion files; (0, zeros) when there is none."""
        return self.journal.head()

    def rows(self) -> list[Row]:
        """Every row of the journal, oldest first; hashes are not checked."""
        return list(self.journal.rows())
