"""The one way to a ClickHouse database: embedded in this process, or a server by its address.

It decides which engine a DSN means, that a process holds one embedded engine at most, and which of
our errors a failure is: held by another process is Busy, away or not installed is Unavailable, and
a refused statement is a DatabaseRefused. It never retries: whoever delivers knows what is safe.
"""

import logging
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import polars as pl

from hft.core.errors import Busy, ConfigError, DataError, HftError, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa

EMBEDDED = "chdb"
SERVERS = {"clickhouse": "http", "clickhouses": "https", "http": "http", "https": "https"}
DEFAULT_PORT = {"http": 8123, "https": 8443}
MEMORY = ":memory:"
# Options of a DSN that say how to reach the server; every other is a setting of its session.
REACH = ("ca_cert", "client_cert", "client_cert_key", "http_proxy", "https_proxy", "access_token")
# What a server must not choose otherwise: an insert that is queued there forgets its token, and one
# that answers before its end may fail behind our back.
PINNED = {"async_insert": "0", "wait_end_of_query": "1"}
# ClickHouse error codes: authentication failed, required password, unknown user, wrong password.
AUTHENTICATION = (516, 194, 192, 193)


class DatabaseRefused(DataError):
    """The database answered, and refused the statement; the text is its first line."""


@dataclass(frozen=True)
class Source:
    """Which database, and how long to wait for it; relative embedded paths are the caller's.

    Units: timeouts in seconds. `host` and `port` fill in what the DSN leaves open.
    """

    dsn: str
    host: str = "localhost"
    port: int | None = None
    connect_s: float = 3.0
    answer_s: float = 30.0

    @property
    def is_embedded(self) -> bool:
        """Whether the engine runs in this process."""
        return self.dsn.partition(":")[0] == EMBEDDED

    @property
    def shown(self) -> str:
        """The DSN without user, password and options, for messages."""
        parts = urlsplit(self.dsn)
        netloc = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{netloc}{parts.path}" if "://" in self.dsn else self.dsn

    @property
    def path(self) -> str:
        """The folder of an embedded engine, or `:memory:`. Raises: ConfigError."""
        parts = urlsplit(self.dsn)
        place = unquote(parts.netloc + parts.path)
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ConfigError(f"{self.shown}: an embedded database takes a path and nothing else")
        return MEMORY if place in ("", "memory", MEMORY) else str(Path(place).absolute())

    @property
    def is_absent(self) -> bool:
        """Whether nothing was ever written to an embedded database."""
        return self.is_embedded and self.path != MEMORY and not Path(self.path).exists()

    def arguments(self) -> dict[str, Any]:
        """What clickhouse-connect is opened with. Raises: ConfigError naming what is wrong."""
        if self.is_embedded:
            return {"interface": EMBEDDED, "path": self.path}
        parts = urlsplit(self.dsn)
        interface = SERVERS.get(parts.scheme)
        if interface is None or "://" not in self.dsn:
            known = ", ".join(f"{name}://" for name in (EMBEDDED, *SERVERS))
            raise ConfigError(f"{self.shown}: is no DSN; begin it with one of {known}")
        try:
            port = parts.port
        except ValueError:
            raise ConfigError(f"{self.shown}: its port is no number from 1 to 65535") from None
        user = unquote(parts.username) if parts.username else None
        given = dict(parse_qsl(parts.query))
        reach = {name: given.pop(name) for name in REACH if name in given}
        self._refuse(given, reach, user)
        return {
            "interface": interface,
            "host": parts.hostname or self.host,
            "port": port or self.port or DEFAULT_PORT[interface],
            "username": user or ("default" if parts.password else None),
            "password": unquote(parts.password or ""),
            "connect_timeout": self.connect_s,
            "send_receive_timeout": self.answer_s,
            "query_retries": 0,
            "settings": given | PINNED,
            **reach,
            "autogenerate_session_id": False,
            "dedicated_pool": True,
        }

    def _refuse(
        self, settings: Mapping[str, str], reach: Mapping[str, str], user: str | None
    ) -> None:
        """Options that contradict us or each other. Raises: ConfigError."""
        for name, value in PINNED.items():
            if settings.get(name, value) != value:
                raise ConfigError(f"{self.shown}: {name}={settings[name]}: only {value}; remove it")
        if "access_token" in reach and user:
            raise ConfigError(f"{self.shown}: has a user and an access_token; keep one")
        for name in ("ca_cert", "client_cert", "client_cert_key"):
            if name in reach and not Path(reach[name]).is_file():
                raise ConfigError(f"{self.shown}: {name}: {reach[name]} is no file")


class Database:
    """An open database; made by `opened` only."""

    def __init__(self, client: Any, source: Source) -> None:
        self._client, self.source = client, source

    def command(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing. Raises: DatabaseRefused, Unavailable."""
        with _translated(self.source):
            self._client.command(statement, parameters=dict(parameters or {}))

    def rows(
        self, query: str, parameters: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a query as tuples. Raises: DatabaseRefused, Unavailable."""
        with _translated(self.source):
            found = self._client.query(query, parameters=dict(parameters or {}))
            return [tuple(row) for row in found.result_rows]

    def frame(self, query: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The rows of a query as a frame. Raises: DatabaseRefused, Unavailable."""
        found = pl.from_arrow(self.arrow(query, parameters))
        return found if isinstance(found, pl.DataFrame) else found.to_frame()

    def look(self, query: str) -> pl.DataFrame:
        """The rows of somebody else's query, which can change nothing.

        Raises: DatabaseRefused, Unavailable.
        """
        client = _connect(self.source, self.source.arguments())  # it cannot leave read-only again
        try:
            with _translated(self.source):
                table = client.query_arrow(query.strip().rstrip(";"), settings={"readonly": 2})
        finally:
            client.close()
        found = pl.from_arrow(table)
        return found if isinstance(found, pl.DataFrame) else found.to_frame()

    def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], token: str
    ) -> None:
        """Add rows as one block; the same token again adds nothing while the table remembers it.

        Raises: DatabaseRefused, Unavailable; then the rows may or may not be there.
        """
        with _translated(self.source):
            self._client.insert(
                table,
                rows,
                column_names=list(columns),
                settings={"insert_deduplication_token": token, "insert_deduplicate": 1},
            )

    def insert_arrow(self, table: str, rows: "pa.Table", token: str) -> None:
        """As `insert`, of columns by name.

        Raises: DatabaseRefused, Unavailable; then the rows may or may not be there.
        """
        with _translated(self.source):
            settings = {"insert_deduplication_token": token, "insert_deduplicate": 1}
            self._client.insert_arrow(table, rows, settings=settings)

    def insert_file(self, table: str, rows: "pa.Table") -> None:
        """As `insert_arrow` without a token, by all cores: for an engine that sees our disk.

        It is not whole or nothing: who was killed has to look which rows are there.
        Raises: DatabaseRefused, Unavailable.
        """
        import pyarrow as pa

        with _translated(self.source), tempfile.TemporaryDirectory(prefix="hft-") as folder:
            path = Path(folder) / "rows.arrow"
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as file:
                file.write_table(rows)
            columns = ", ".join(f"`{name}`" for name in rows.schema.names)
            self._client.command(
                f"INSERT INTO {table} ({columns}) SELECT {columns} FROM file('{path}', Arrow)"
            )

    def arrow(self, query: str, parameters: Mapping[str, Any] | None = None) -> "pa.Table":
        """The rows of a query as Arrow columns. Raises: DatabaseRefused, Unavailable."""
        with _translated(self.source):
            return self._client.query_arrow(query, parameters=dict(parameters or {}))


@dataclass
class _Held:
    """The embedded engine of this process: one, shared by whoever opened it."""

    path: str = ""
    client: Any = None
    users: int = 0


_held = _Held()
_lock = threading.RLock()


@contextmanager
def opened(source: Source) -> Iterator[Database]:
    """The database, for as short as possible: nobody else may open an embedded one meanwhile.

    Raises: Busy when another process (or another path in this one) holds the embedded engine,
    Unavailable when it is not installed or the server does not answer, ConfigError for a wrong DSN.
    """
    arguments = source.arguments()
    if not source.is_embedded:
        client = _connect(source, arguments)
        try:
            yield Database(client, source)
        finally:
            client.close()
        return
    with _lock:
        _acquire(source, arguments)
        try:
            yield Database(_held.client, source)
        finally:
            _release()


def _acquire(source: Source, arguments: dict[str, Any]) -> None:
    path = arguments["path"]
    if _held.users and _held.path != path:
        raise Busy(f"{source.shown}: this process has {_held.path} open; it can have one at a time")
    if not _held.users:
        if path != MEMORY:
            _make_folder(Path(path).parent)
        _held.client = _connect(source, arguments)
        _held.path = path
    _held.users += 1


def _release() -> None:
    _held.users -= 1
    if not _held.users:
        client, _held.client = _held.client, None
        client.close()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unavailable(f"{folder}: {reason}; the database cannot be made here") from None


def _connect(source: Source, arguments: dict[str, Any]) -> Any:
    with _translated(source):
        from clickhouse_connect.driver import create_client

        # Its warnings repeat what our one sentence says.
        logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
        return create_client(**arguments)


@contextmanager
def _translated(source: Source) -> Iterator[None]:
    """Every failure of the driver as one of ours, in one sentence without the password."""
    try:
        yield
    except HftError:
        raise
    except ImportError as error:
        raise _not_installed(error, source) from None
    except OSError as error:
        raise Unavailable(f"{source.shown}: {error.strerror or error}") from None
    except Exception as error:
        raise _meant(error, source) from None


def _not_installed(error: ImportError, source: Source) -> Unavailable:
    if source.is_embedded and "clickhouse_connect" not in str(error.name or ""):
        return Unavailable(
            "the embedded database is not installed; `pip install 'hft[embedded]'`, or name a "
            "server in HFT_AUDIT_DSN"
        )
    return Unavailable("clickhouse-connect is not installed; `pip install clickhouse-connect`")


def _meant(error: Exception, source: Source) -> HftError:
    from clickhouse_connect.driver import exceptions as driver

    text = _first_line(str(error))
    if (
        source.is_embedded
        and isinstance(error, driver.ProgrammingError)
        and "open the chdb" in text
    ):
        return Busy(f"{source.shown}: another process holds the embedded database; try again later")
    if not isinstance(error, driver.ClickHouseError):
        return Unavailable(f"{source.shown}: does not answer: {text}")
    code = getattr(error, "code", None)
    if code in AUTHENTICATION:
        return ConfigError(f"{source.shown}: refuses the user or password of HFT_AUDIT_DSN")
    if code is None and isinstance(error, driver.OperationalError | driver.DatabaseError):
        return Unavailable(f"{source.shown}: does not answer: {text}")
    return DatabaseRefused(f"{source.shown}: {text}")


def _first_line(text: str) -> str:
    """One line of a driver's message, short enough to read."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return line if len(line) <= 300 else line[:297] + "..."
