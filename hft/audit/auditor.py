"""The one door for whoever decides: record a row, and deliver when the database allows.

`record` never depends on the database; a full local disk is an error before anything is claimed.
`deliver` never raises because the database is away: it says what waits and why.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hft.audit.delivery import Delivery, deliver
from hft.audit.journal import Journal, Row, Written
from hft.storage.chain import Head
from hft.storage.database import Source

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
    ) -> None:
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
        """Bring what waits to the database; a notice says what could not be brought and why."""
        return deliver(self.journal, self.source, enabled=self.enabled)

    def head(self) -> Head:
        """Number and hash of the newest row, for promotion files; (0, zeros) when there is none."""
        return self.journal.head()

    def rows(self) -> list[Row]:
        """Every row of the journal, oldest first; hashes are not checked."""
        return list(self.journal.rows())
