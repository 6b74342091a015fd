"""The database's rows against the journal's, one by one, column by column.

It decides what of the database is not what the journal says: a changed column, a row that is
missing, there twice, or there without a row in the journal. Where the journal's own row was
changed, the database's copy tells which column it was. Rows that are not delivered yet are no
finding. Nothing is written on either side.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hft.audit.journal import Row, values
from hft.audit.records import COMMON, TABLES, Table
from hft.audit.walk import ROW_CHANGED, Finding, Walk
from hft.core.errors import DataError
from hft.storage.chain import row_hash
from hft.storage.database import Database

CHANGED = "DATABASE_ROW_CHANGED"
MISSING = "DATABASE_ROW_MISSING"
TWICE = "DATABASE_ROW_TWICE"
UNKNOWN = "DATABASE_ROW_UNKNOWN"
CUT = "JOURNAL_CUT"
PAGE = 5000


def compare(
    walk: Walk, database: Database, place: str, key: bytes | None = None, first: int = 0
) -> list[Finding]:
    """Every difference from row `first` on, in order of table and row.

    Raises: DatabaseRefused, Unavailable.
    """
    found: list[Finding] = []
    by_table: dict[str, dict[int, Row]] = {name: {} for name in TABLES}
    for row in walk.rows:
        if row["seq"] >= first:
            by_table.setdefault(str(row.get("table")), {})[row["seq"]] = row
    sent = _continuing(database, walk, key)
    for name, table in TABLES.items():
        found += _table(table, by_table[name], walk, database, place, key, first, sent)
    return sorted(found, key=lambda one: (one.seq, one.place, one.column))


def _table(
    table: Table,
    rows: Mapping[int, Row],
    walk: Walk,
    database: Database,
    place: str,
    key: bytes | None,
    first: int,
    sent: Collection[int],
) -> Iterator[Finding]:
    seen: set[int] = set()
    for there in stored_rows(database, table, walk.id, first):
        seq = int(there["seq"])
        if seq in seen:
            yield _finding(TWICE, table, seq, "", f"row {seq} is there twice")
        elif seq in rows:
            yield from _columns(table, seq, values(rows[seq], walk.id), there)
        elif seq in walk.changed and walk.changed[seq].get("table") == table.name:
            yield from _judge(table, seq, walk.changed[seq], walk.id, there, place, key)
        else:
            yield _stranger(table, seq, walk, place, seq in sent)
        seen.add(seq)
    newest = max(seen, default=0)
    for seq in sorted(set(rows) - seen):
        if seq < newest:
            yield _finding(MISSING, table, seq, "", f"row {seq} is missing")


def stored_rows(
    database: Database, table: Table, journal_id: str, first: int = 0
) -> Iterator[dict[str, Any]]:
    """The rows of a journal in one table from a seq on, in order, as dictionaries."""
    names = ", ".join(f"`{name}`" for name in table.column_names)
    after, skip = first, 0
    while True:
        # Rows with one seq may be cut by a page: the next one begins with them again.
        page = database.rows(
            f"SELECT {names} FROM {table.full_name} WHERE journal_id = {{id:String}} "
            "AND seq >= {after:UInt64} ORDER BY seq, row_hash LIMIT {size:UInt32}",
            {"id": journal_id, "after": after, "size": PAGE + skip},
        )
        for row in page[skip:]:
            yield dict(zip(table.column_names, row, strict=True))
        if len(page) < PAGE + skip:
            return
        last = int(page[-1][0])
        skip = sum(1 for row in page if int(row[0]) == last)
        after = last


def delivered(database: Database, journal_id: str) -> list[Row]:
    """The rows that the database has of a journal, as the journal would have them, by seq."""
    found = [
        journal_row(table, there)
        for table in TABLES.values()
        for there in stored_rows(database, table, journal_id)
    ]
    return sorted(found, key=lambda row: (row["seq"], row["table"]))


def _columns(
    table: Table, seq: int, ours: Mapping[str, Any], there: Mapping[str, Any]
) -> Iterator[Finding]:
    for name in table.column_names:
        mine, theirs = ours[name], _plain(there[name])
        if repr(mine) != repr(theirs):
            words = f"row {seq}: {name} is {_short(theirs)}, the journal has {_short(mine)}"
            yield _finding(CHANGED, table, seq, name, words)


def _judge(
    table: Table,
    seq: int,
    changed: Row,
    journal_id: str,
    there: Mapping[str, Any],
    place: str,
    key: bytes | None,
) -> Iterator[Finding]:
    """The journal's row is not what it was: the database's copy says where, if it is whole."""
    if not is_whole(table, there, key):
        yield _finding(CHANGED, table, seq, "", f"row {seq}: its content does not give its hash")
        return
    ours = values(changed, journal_id)
    for name in table.column_names:
        mine, theirs = ours.get(name), _plain(there[name])
        if repr(mine) != repr(theirs):
            words = (
                f"{place}: row {seq}: {name} is {_short(mine)}, and was {_short(theirs)} when it "
                f"was delivered to {table.full_name}"
            )
            yield Finding(ROW_CHANGED, place, seq, name, words)


def is_whole(table: Table, there: Mapping[str, Any], key: bytes | None = None) -> bool:
    """Whether a row of the database gives its own hash."""
    try:
        return row_hash(journal_row(table, there), key) == there["row_hash"]
    except DataError:
        return False


def journal_row(table: Table, there: Mapping[str, Any]) -> Row:
    """The journal's row from the database's columns."""
    common = {name: there[name] for name, _ in COMMON}
    own = {column.name: _plain(there[column.name]) for column in table.columns}
    return {"table": table.name, **common, "row": own}


def _continuing(database: Database, walk: Walk, key: bytes | None) -> set[int]:
    """The rows of the database that go on where the journal ends, each from the one before.

    A row that does not was never the journal's: somebody put it into the database.
    """
    end = walk.head.seq + walk.lost
    late: dict[int, dict[str, Any]] = {}
    for table in TABLES.values():
        for there in stored_rows(database, table, walk.id, end + 1):
            if is_whole(table, there, key):
                late.setdefault(int(there["seq"]), there)
    found: set[int] = set()
    before = "" if walk.lost else walk.head.hash
    while (row := late.get(end + 1)) is not None and before in ("", row["prev_hash"]):
        end, before = end + 1, str(row["row_hash"])
        found.add(end)
    return found


def _stranger(table: Table, seq: int, walk: Walk, place: str, sent: bool) -> Finding:
    if walk.retired is not None and seq <= walk.retired.last_seq:
        words = f"row {seq} was retired and is still there; run `hft audit retire` again"
        return _finding(UNKNOWN, table, seq, "", words)
    if sent:
        words = f"{place}: ends before row {seq}, which {table.full_name} has: its tail was cut"
        return Finding(CUT, place, seq, "", words)
    return _finding(UNKNOWN, table, seq, "", f"row {seq} was never in the journal")


def _finding(code: str, table: Table, seq: int, column: str, words: str) -> Finding:
    return Finding(code, table.full_name, seq, column, f"{table.full_name}: {words}")


def _plain(value: Any) -> Any:
    """A database value as the journal has it: NaN is null."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
