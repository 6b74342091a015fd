"""The tables of the audit in the database: their DDL, and its versioned migrations.

It decides what must be there before a row can be delivered and applies what is missing, each
version once. A database that is ahead of this hft is left alone. No table has a TTL: rows leave by
`hft audit retire` only.
"""

import hashlib
from collections.abc import Mapping

from hft.audit.records import TABLES, Table
from hft.core.errors import ConfigError
from hft.storage.database import Database

VERSION_TABLE = "audit.schema_version"
# How many inserts a table remembers by token, so that the same one twice adds nothing.
WINDOW = 10_000
SETTINGS = f"SETTINGS non_replicated_deduplication_window = {WINDOW}"


def create_table(table: Table) -> str:
    """The statement that makes a table."""
    pairs = zip(table.column_names, table.column_types, strict=True)
    columns = ", ".join(f"`{name}` {kind}" for name, kind in pairs)
    order = ", ".join(table.order)
    return (
        f"CREATE TABLE IF NOT EXISTS {table.full_name} ({columns}) "
        f"ENGINE = MergeTree ORDER BY ({order}) {SETTINGS}"
    )


# version -> its statements; a version once released never changes.
MIGRATIONS: Mapping[int, tuple[str, ...]] = {
    1: tuple(create_table(table) for table in TABLES.values()),
}
NEWEST = max(MIGRATIONS)
FIRST = (
    "CREATE DATABASE IF NOT EXISTS audit",
    f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE} (`version` UInt16, `sha256` String) "
    f"ENGINE = MergeTree ORDER BY version {SETTINGS}",
)


def sha256(version: int) -> str:
    """The hash of a version's statements."""
    return hashlib.sha256("\n".join(MIGRATIONS[version]).encode()).hexdigest()


def applied(database: Database) -> int:
    """The version of the database; 0 for one without our tables."""
    there = database.rows(
        "SELECT count() FROM system.tables WHERE database = 'audit' AND name = 'schema_version'"
    )
    if not there[0][0]:
        return 0
    return int(database.rows(f"SELECT max(version) FROM {VERSION_TABLE}")[0][0])


def apply(database: Database) -> int:
    """Bring the database to our version; returns the number of versions applied.

    Raises: ConfigError for a database that is ahead, or whose tables are others of the same name.
    """
    version = applied(database)
    if version > NEWEST:
        raise ConfigError(
            f"{database.source.shown}: has audit schema {version}, this hft knows {NEWEST}; "
            "use the newer hft"
        )
    if not version:
        for statement in FIRST:
            database.command(statement)
    for number in range(version + 1, NEWEST + 1):
        for statement in MIGRATIONS[number]:
            database.command(statement)
        # Two processes may come here at once: the token lets one of them in.
        row = (number, sha256(number))
        database.insert(VERSION_TABLE, ("version", "sha256"), [row], f"schema:{number}")
    if version < NEWEST:
        check(database)
    return NEWEST - version


def check(database: Database) -> None:
    """Refuse tables that are not ours. Raises: ConfigError naming table and column."""
    found: dict[str, dict[str, str]] = {}
    for name, column, kind in database.rows(
        "SELECT table, name, type FROM system.columns WHERE database = 'audit'"
    ):
        found.setdefault(name, {})[column] = kind
    for table in TABLES.values():
        for name, kind in zip(table.column_names, table.column_types, strict=True):
            there = found.get(table.name, {}).get(name, "missing")
            if there != kind:
                raise ConfigError(
                    f"{database.source.shown}: {table.full_name}: {name} is {there}, not {kind}; "
                    "another program made this table, rename it"
                )
