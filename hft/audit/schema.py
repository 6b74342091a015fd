"""The tables of the audit in the database; no table has a TTL: rows leave by `hft audit retire`."""

from collections.abc import Mapping

from hft.audit.records import TABLES, Table
from hft.storage.migrations import Schema
from hft.storage.migrations import create_table as statement


def create_table(table: Table) -> str:
    """The statement that makes a table."""
    return statement(table.full_name, columns_of(table), table.order)


def columns_of(table: Table) -> Mapping[str, str]:
    """Column types by name."""
    return dict(zip(table.column_names, table.column_types, strict=True))


# version -> its statements; a version once released never changes.
MIGRATIONS: Mapping[int, tuple[str, ...]] = {
    1: tuple(create_table(table) for table in TABLES.values()),
}
SCHEMA = Schema("audit", MIGRATIONS, {table.name: columns_of(table) for table in TABLES.values()})
NEWEST, VERSION_TABLE = SCHEMA.newest, SCHEMA.version_table
sha256, applied, apply, check = SCHEMA.sha256, SCHEMA.applied, SCHEMA.apply, SCHEMA.check
