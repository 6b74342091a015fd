"""A schema is applied once, on one server or a cluster, and needs no right to create afterwards."""

from pathlib import Path

import pytest

from hft.core.errors import ConfigError
from hft.recorder.schema import schema_of
from hft.storage.database import Database, Source, opened
from hft.storage.migrations import Placement, database_name


def test_a_schema_that_is_there_is_not_touched(tmp_path: Path) -> None:
    said: list[str] = []

    class Listened(Database):
        def command(self, statement: str, parameters: object = None) -> None:
            said.append(statement)
            super().command(statement)

    with opened(Source(f"chdb://{tmp_path}/e")) as database:
        listened = Listened(database._client, database.source)
        assert schema_of("mine").apply(listened) == 1
        assert said[0] == "CREATE DATABASE IF NOT EXISTS mine"
        said.clear()
        assert schema_of("mine").apply(listened) == 0
        assert said == [], "who only inserts and reads is enough"


def test_tables_of_a_cluster_are_made_on_all_of_it_with_copies() -> None:
    schema = schema_of("mine", Placement("prod", replicated=True))
    for statement in (*schema._first(), *schema.migrations[1]):
        assert " ON CLUSTER 'prod'" in statement
    for statement in schema.migrations[1]:
        assert "ENGINE = ReplicatedMergeTree ORDER BY (writer_id, wal_seq)" in statement
        assert "SETTINGS replicated_deduplication_window = 10000" in statement


def test_tables_that_somebody_else_made_are_refused_by_column(tmp_path: Path) -> None:
    with opened(Source(f"chdb://{tmp_path}/e")) as database:
        database.command("CREATE DATABASE mine")
        database.command("CREATE TABLE mine.orders (ts String) ENGINE = MergeTree ORDER BY ts")
        with pytest.raises(ConfigError, match=r"mine\.orders: writer_id is missing, not"):
            schema_of("mine").apply(database)


@pytest.mark.parametrize("name", ["", "a-b", "1a", "a; DROP", "a" * 64])
def test_a_name_that_would_be_sql_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is no name of a database"):
        database_name(name, "database")
