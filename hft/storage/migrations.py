"""The tables of one database schema: their DDL, and versioned migrations that are applied once.

Whose tables they are decides what they hold; here is how they come to be. A database that is ahead
of this hft is left alone, and one that is up to date is not changed: who only inserts needs no
right to create. Where a database is a cluster, tables are made on all of it.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hft.core.errors import ConfigError
from hft.storage.database import Database

# How many inserts a table remembers by token, so that the same one twice adds nothing.
WINDOW = 10_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True)
class Placement:
    """Where the tables of a database stand: on a cluster, each with copies, or on one server."""

    cluster: str = ""
    replicated: bool = False

    @property
    def on_cluster(self) -> str:
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    @property
    def engine(self) -> str:
        return "ReplicatedMergeTree" if self.replicated else "MergeTree"

    @property
    def settings(self) -> str:
        kind = "replicated" if self.replicated else "non_replicated"
        return f"SETTINGS {kind}_deduplication_window = {WINDOW}"


HERE = Placement()


def create_table(
    name: str,
    columns: Mapping[str, str],
    order: Sequence[str],
    *,
    also: str = "",
    placement: Placement = HERE,
) -> str:
    """The statement that makes a table; `also` stands behind its columns."""
    listed = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
    return (
        f"CREATE TABLE IF NOT EXISTS {name}{placement.on_cluster} ({listed}{also}) "
        f"ENGINE = {placement.engine} ORDER BY ({', '.join(order)}) {placement.settings}"
    )


def database_name(name: str, where: str) -> str:
    """Raises: ConfigError for what is no name of a database."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: {name!r} is no name of a database; use letters, digits and _")
    return name


@dataclass(frozen=True)
class Schema:
    """What a database holds: version -> its statements; a version once released never changes.

    `tables` are column types by table, as the newest version has them.
    """

    database: str
    migrations: Mapping[int, tuple[str, ...]]
    tables: Mapping[str, Mapping[str, str]]
    placement: Placement = field(default_factory=Placement)

    @property
    def newest(self) -> int:
        return max(self.migrations)

    @property
    def version_table(self) -> str:
        return f"{self.database}.schema_version"

    def sha256(self, version: int) -> str:
        """The hash of a version's statements."""
        return hashlib.sha256("\n".join(self.migrations[version]).encode()).hexdigest()

    def applied(self, database: Database) -> int:
        """The version of the database; 0 for one without our tables."""
        there = database.rows(
            "SELECT count() FROM system.tables WHERE database = {name:String} "
            "AND name = 'schema_version'",
            {"name": self.database},
        )
        if not there[0][0]:
            return 0
        return int(database.rows(f"SELECT max(version) FROM {self.version_table}")[0][0])

    def apply(self, database: Database) -> int:
        """Bring the database to our version; returns the number of versions applied.

        Raises: ConfigError for a database that is ahead, or whose tables are others of the same
        name.
        """
        version = self.applied(database)
        if version > self.newest:
            raise ConfigError(
                f"{database.source.shown}: has {self.database} schema {version}, this hft knows "
                f"{self.newest}; use the newer hft"
            )
        if not version:
            for statement in self._first():
                database.command(statement)
        for number in range(version + 1, self.newest + 1):
            for statement in self.migrations[number]:
                database.command(statement)
            # Two processes may come here at once: the token lets one of them in.
            row = (number, self.sha256(number))
            columns = ("version", "sha256")
            database.insert(self.version_table, columns, [row], f"schema:{number}")
        if version < self.newest:
            self.check(database)
        return self.newest - version

    def check(self, database: Database) -> None:
        """Refuse tables that are not ours. Raises: ConfigError naming table and column."""
        found: dict[str, dict[str, str]] = {}
        for name, column, kind in database.rows(
            "SELECT table, name, type FROM system.columns WHERE database = {name:String}",
            {"name": self.database},
        ):
            found.setdefault(name, {})[column] = kind
        for table, columns in self.tables.items():
            for name, kind in columns.items():
                there = found.get(table, {}).get(name, "missing")
                if there != kind:
                    raise ConfigError(
                        f"{database.source.shown}: {self.database}.{table}: {name} is {there}, "
                        f"not {kind}; another program made this table, rename it"
                    )

    def _first(self) -> tuple[str, str]:
        place = self.placement
        return (
            f"CREATE DATABASE IF NOT EXISTS {self.database}{place.on_cluster}",
            f"CREATE TABLE IF NOT EXISTS {self.version_table}{place.on_cluster} "
            f"(`version` UInt16, `sha256` String) "
            f"ENGINE = {place.engine} ORDER BY version {place.settings}",
        )
