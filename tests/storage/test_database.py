"""Reaching a database: which one a DSN means, and what each failure is called."""

import threading
from pathlib import Path

import pytest

from hft.core.errors import Busy, ConfigError, Unavailable
from hft.storage.database import DatabaseRefused, Source, opened


@pytest.mark.parametrize(
    ("dsn", "wanted"),
    [
        ("clickhouse://db:9000", ("http", "db", 9000)),
        ("clickhouse://db", ("http", "db", 8123)),
        ("clickhouse://", ("http", "fallback", 8123)),
        ("clickhouses://db", ("https", "db", 8443)),
        ("https://db:1/x", ("https", "db", 1)),
        ("http://[::1]:8124", ("http", "::1", 8124)),
    ],
)
def test_a_dsn_names_protocol_host_and_port(dsn: str, wanted: tuple[str, str, int]) -> None:
    given = Source(dsn, host="fallback").arguments()
    assert (given["interface"], given["host"], given["port"]) == wanted


def test_user_password_and_settings_are_taken_and_never_shown() -> None:
    source = Source("clickhouse://ada:p%40ss@db:9/?max_threads=2", port=1)
    given = source.arguments()
    assert (given["username"], given["password"], given["port"]) == ("ada", "p@ss", 9)
    assert given["settings"]["max_threads"] == "2"
    assert source.shown == "clickhouse://db:9/"


def test_an_insert_is_never_queued_in_the_server_and_a_query_is_waited_for() -> None:
    given = Source("clickhouse://db/?max_threads=2&async_insert=0").arguments()
    assert given["settings"] == {"max_threads": "2", "async_insert": "0", "wait_end_of_query": "1"}
    with pytest.raises(ConfigError, match="async_insert=1: only 0; remove it"):
        Source("clickhouse://db/?async_insert=1").arguments()


def test_certificates_proxy_and_token_are_options_of_the_dsn(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    asked = f"ca_cert={tmp_path}/ca.pem&https_proxy=http://p:1&access_token=t"
    source = Source(f"https://db/?{asked}")
    given = source.arguments()
    assert (given["ca_cert"], given["https_proxy"]) == (f"{tmp_path}/ca.pem", "http://p:1")
    assert given["access_token"] == "t" and "access_token" not in given["settings"]
    assert source.shown == "https://db/"
    with pytest.raises(ConfigError, match="client_cert: /absent is no file"):
        Source("https://db/?client_cert=/absent").arguments()
    with pytest.raises(ConfigError, match="has a user and an access_token; keep one"):
        Source("https://ada@db/?access_token=t").arguments()


@pytest.mark.parametrize("dsn", ["", "foo", "postgres://x", "clickhouse:/x", "http://x:99999"])
def test_what_is_no_dsn_is_refused(dsn: str) -> None:
    with pytest.raises(ConfigError):
        Source(dsn).arguments()


def test_an_embedded_database_has_a_path_and_nothing_else(tmp_path: Path) -> None:
    assert Source(f"chdb://{tmp_path}/a").path == f"{tmp_path}/a"
    assert Source("chdb://").path == Source("chdb://:memory:").path == ":memory:"
    with pytest.raises(ConfigError):
        Source("chdb://x?y=1").path  # noqa: B018


def test_callers_of_one_process_share_the_engine_and_another_path_is_busy(tmp_path: Path) -> None:
    one, other = Source(f"chdb://{tmp_path}/a"), Source(f"chdb://{tmp_path}/b")
    with opened(one) as first, opened(one) as second:
        first.command("CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x")
        second.insert("t", ["x"], [[1]], "token")
        assert first.rows("SELECT x FROM t") == [(1,)]
        with pytest.raises(Busy, match="one at a time"), opened(other):
            pass
    with opened(other) as third:
        assert third.rows("SELECT 1") == [(1,)]


def test_threads_take_turns(tmp_path: Path) -> None:
    source, found = Source(f"chdb://{tmp_path}/a"), []

    def ask() -> None:
        with opened(source) as database:
            found.append(database.rows("SELECT 7"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == [[(7,)]] * 4


def test_a_refused_statement_is_one_line_and_the_engine_stays_usable(tmp_path: Path) -> None:
    with opened(Source(f"chdb://{tmp_path}/a")) as database:
        with pytest.raises(DatabaseRefused) as raised:
            database.rows("SELECT nope")
        assert "nope" in str(raised.value) and "\n" not in str(raised.value)
        assert database.rows("SELECT 1") == [(1,)]


def test_a_look_can_change_nothing(tmp_path: Path) -> None:
    with opened(Source(f"chdb://{tmp_path}/a")) as database:
        database.command("CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x")
        for statement in ("DROP TABLE t", "INSERT INTO t SELECT 1", "SET readonly = 0"):
            with pytest.raises((DatabaseRefused, Unavailable)):
                database.look(statement)
        assert database.look("SELECT count() AS n FROM t;").to_dicts() == [{"n": 0}]
        database.insert("t", ["x"], [[1]], "token")  # and the engine is as before
        assert database.look("SELECT x FROM t")["x"].to_list() == [1]


def test_a_server_that_is_not_there_is_unavailable() -> None:
    source = Source("http://ada:secret@127.0.0.1:9", connect_s=1.0)
    with pytest.raises(Unavailable) as raised, opened(source):
        pass
    text = str(raised.value)
    assert text.startswith("http://127.0.0.1:9: does not answer") and "secret" not in text


def test_a_place_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((Unavailable, Busy)), opened(Source(f"chdb://{tmp_path}/file/a/b")):
        pass
