"""The recorder's tables in the database, ordered by writer and number: a row is found by its name.

Rows of one writer come in the order of time, so that an index of least and greatest times serves
questions by time.
"""

from hft.recorder.tables import TABLES, Table
from hft.storage.migrations import HERE, Placement, Schema, create_table

ORDER = ("writer_id", "wal_seq")
DATABASE = "hft"


def schema_of(database: str = DATABASE, placement: Placement = HERE) -> Schema:
    """The schema under a name of the user's choice; a released version never changes."""
    statements = tuple(_create(one, database, placement) for one in TABLES.values())
    columns = {name: table.column_types for name, table in TABLES.items()}
    return Schema(database, {1: statements}, columns, placement)


def _create(table: Table, database: str, placement: Placement) -> str:
    ts = next((name for name in ("ts", "local_ts") if name in table.schema.names), "")
    return create_table(
        f"{database}.{table.name}",
        table.column_types,
        ORDER,
        also=f", INDEX by_time {ts} TYPE minmax GRANULARITY 1",
        placement=placement,
    )
