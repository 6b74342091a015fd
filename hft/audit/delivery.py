"""From the journal to the database, each row exactly once, whatever happens on the way.

It decides what the database is still owed. Every table is asked for the newest row it has of this
journal; the rows after that are sent as one block whose token is journal, table and range. The
range is noted before it is sent, so that a try that broke off is repeated with the same token: a
block that did arrive, or arrives late, is dropped by the database. The journal is never written.
"""

import contextlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.audit import schema
from hft.audit.journal import Journal, Row, values
from hft.audit.records import TABLES, Table
from hft.core.errors import Busy, ConfigError, DataError, HftError, JournalError, Unavailable
from hft.core.json_text import page
from hft.storage.atomic import write_atomic
from hft.storage.database import Database, Source, opened
from hft.storage.lock import locked

STATE_NAME = "delivery.json"
LOCK_NAME = "delivery.lock"
# One block each, which the database takes whole or not at all; the driver cuts blocks at 1 MB.
BATCH_ROWS, BATCH_BYTES = 2000, 1 << 19
# Failures that leave the decision standing: the rows wait.
WAITS = (Busy, Unavailable, DataError, ConfigError)


@dataclass(frozen=True)
class Delivery:
    """What one call brought, what still waits, and in words why (empty when nothing does)."""

    delivered: int
    waiting: int
    notice: str = ""
    code: int = 0  # the exit code of the reason; 0 when nothing waits or delivery is off


def deliver(journal: Journal, source: Source, *, enabled: bool = True) -> Delivery:
    """Bring what waits; never raises because of the database.

    Raises: JournalError when the journal itself cannot be read.
    """
    if not enabled:
        return Delivery(0, waiting(journal, source))
    if not waiting(journal, source):
        return Delivery(0, 0)
    try:
        return drain(journal, source)
    except WAITS as error:
        left = waiting(journal, source)
        return Delivery(0, left, _notice(left, error), error.exit_code)


def drain(journal: Journal, source: Source) -> Delivery:
    """Bring everything, asking the database itself what it has.

    Raises: Busy, Unavailable, DataError or ConfigError for a database that cannot take it.
    """
    journal_id = journal.id
    if not journal_id:
        return Delivery(0, 0)
    with _only_one(journal.folder), opened(source) as database:
        schema.apply(database)
        state = _State.read(journal.folder / STATE_NAME, journal_id, source)
        sent = _send_all(journal, journal_id, database, state)
    return Delivery(sent, 0)


def waiting(journal: Journal, source: Source) -> int:
    """How many rows the database has not acknowledged, as far as is known here."""
    journal_id = journal.id
    if not journal_id:
        return 0
    newest = _State.read(journal.folder / STATE_NAME, journal_id, source).newest
    if journal.head().seq <= min(newest.get(name, 0) for name in ("all",)):
        return 0
    return sum(1 for row in journal.rows() if row["seq"] > newest.get(row["table"], 0))


def newest_delivered(database: Database, journal_id: str) -> dict[str, int]:
    """The newest row of this journal that each table has; 0 for none."""
    parts = [
        f"SELECT '{name}', max(seq) FROM {table.full_name} WHERE journal_id = {{id:String}}"
        for name, table in TABLES.items()
    ]
    found = database.rows(" UNION ALL ".join(parts), {"id": journal_id})
    return {str(name): int(newest) for name, newest in found}


def database_row(table: Table, row: Row, journal_id: str) -> list[Any]:
    """A journal row as the database takes it: the columns in order, null as NaN."""
    found = values(row, journal_id)
    return [_stored(found[name]) for name in table.column_names]


def _stored(value: Any) -> Any:
    return math.nan if value is None else value


def _send_all(journal: Journal, journal_id: str, database: Database, state: "_State") -> int:
    """Every table's missing rows, in order of their numbers."""
    newest = newest_delivered(database, journal_id)
    by_table: dict[str, list[Row]] = {name: [] for name in TABLES}
    last = 0
    for row in journal.rows():
        last = row["seq"]
        if last > newest[row["table"]]:
            by_table[row["table"]].append(row)
    sent = 0
    for name, rows in by_table.items():
        if rows:
            sent += _send_table(TABLES[name], rows, journal_id, database, state)
    state.acknowledge(
        {name: max(newest[name], _last(rows)) for name, rows in by_table.items()}, last
    )
    return sent


def _last(rows: Sequence[Row]) -> int:
    return int(rows[-1]["seq"]) if rows else 0


def _send_table(
    table: Table, rows: list[Row], journal_id: str, database: Database, state: "_State"
) -> int:
    at = 0
    while at < len(rows):
        batch = _batch(rows, at)
        noted = state.noted(table.name)
        if noted and noted[0] == batch[0]["seq"]:  # the same range again, under the same token
            batch = [row for row in batch if row["seq"] <= noted[1]] or batch
        first, last = batch[0]["seq"], batch[-1]["seq"]
        state.note(table.name, first, last)
        database.insert(
            table.full_name,
            table.column_names,
            [database_row(table, row, journal_id) for row in batch],
            f"{journal_id}:{table.name}:{first}-{last}",
        )
        at += len(batch)
    return len(rows)


def _batch(rows: Sequence[Row], at: int) -> list[Row]:
    """The rows of the next block: at least one."""
    end, size = at, 0
    while end < len(rows) and end - at < BATCH_ROWS:
        size += 500 + sum(len(str(value)) for value in rows[end]["row"].values())
        if size > BATCH_BYTES and end > at:
            break
        end += 1
    return list(rows[at:end])


class _State:
    """What is known here of the database: newest rows it took, and ranges that were tried.

    A hint only: losing the file costs a question to the database, never a row.
    """

    def __init__(self, path: Path, journal_id: str, source: Source) -> None:
        self.path, self.journal_id, self.dsn = path, journal_id, source.shown
        self.newest: dict[str, int] = {}
        self.tried: dict[str, list[int]] = {}

    @classmethod
    def read(cls, path: Path, journal_id: str, source: Source) -> "_State":
        found = cls(path, journal_id, source)
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            data = json.loads(path.read_text(encoding="utf-8"))
            if (data["journal_id"], data["dsn"]) == (journal_id, found.dsn):
                found.newest = {str(k): int(v) for k, v in data["newest"].items()}
                found.tried = {str(k): [int(a), int(b)] for k, (a, b) in data["tried"].items()}
        return found

    def noted(self, table: str) -> list[int] | None:
        """The range of a table that was tried last."""
        return self.tried.get(table)

    def note(self, table: str, first: int, last: int) -> None:
        """Remember a range before it is sent."""
        if self.tried.get(table) != [first, last]:
            self.tried[table] = [first, last]
            self._write()

    def acknowledge(self, newest: dict[str, int], last: int) -> None:
        """Remember that the database has everything up to `last`."""
        self.newest = {**newest, "all": last}
        self._write()

    def _write(self) -> None:
        data = {
            "journal_id": self.journal_id,
            "dsn": self.dsn,
            "newest": self.newest,
            "tried": self.tried,
        }
        try:
            write_atomic(self.path, page(data))
        except OSError as error:
            raise Unavailable(f"{self.path}: {error.strerror or error}; rows wait") from None


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """One process delivers a journal at a time. Raises: Busy."""
    try:
        with locked(folder / LOCK_NAME, wait_s=0, doing="delivers this journal"):
            yield
    except JournalError as error:
        raise Unavailable(f"{error}; rows wait") from None


def _notice(left: int, error: HftError) -> str:
    rows = "1 audit row waits" if left == 1 else f"{left} audit rows wait"
    return f"{rows} in the journal: {error}; `hft audit drain` brings them later"
