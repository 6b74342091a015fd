"""Every row reaches the database exactly once, on both engines, whatever happens on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hft.audit import delivery, schema
from hft.audit.auditor import Auditor
from hft.audit.delivery import drain, waiting
from hft.audit.journal import values
from hft.audit.records import TABLES
from hft.core.errors import Busy, ConfigError, Unavailable
from hft.storage.database import Source, opened
from tests.audit.conftest import Server
from tests.audit.some_rows import count, some_row, write


def test_every_row_arrives_once_with_every_column_as_it_was(auditor: Auditor) -> None:
    write(auditor, 24)
    assert auditor.deliver() == delivery.Delivery(24, 0)
    assert auditor.deliver() == delivery.Delivery(0, 0)
    journal_id = auditor.journal.id
    from hft.audit.compare import stored_rows

    ours = {row["seq"]: values(row, journal_id) for row in auditor.rows()}
    seen = 0
    with opened(auditor.source) as database:
        for table in TABLES.values():
            for row in stored_rows(database, table, journal_id):
                mine = ours[row["seq"]]
                for name in table.column_names:
                    theirs = None if row[name] != row[name] else row[name]
                    assert repr(theirs) == repr(mine[name]), (table.name, name)
                seen += 1
    assert seen == 24


def test_rows_that_come_later_are_added_and_the_earlier_ones_stay(auditor: Auditor) -> None:
    for first in range(0, 30, 7):
        write(auditor, 7, first)
        assert auditor.deliver().delivered == 7
    assert count(auditor.source, auditor.journal.id) == 35


def test_losing_what_is_known_here_sends_nothing_twice(auditor: Auditor) -> None:
    write(auditor, 9)
    auditor.deliver()
    (auditor.journal.folder / delivery.STATE_NAME).unlink()
    assert waiting(auditor.journal, auditor.source) == 9
    assert drain(auditor.journal, auditor.source).delivered == 0
    assert count(auditor.source, auditor.journal.id) == 9


@pytest.mark.parametrize("damage", [b"", b'{"newest": 4}', b"\xff"])
def test_a_damaged_note_of_what_was_sent_is_only_a_hint(auditor: Auditor, damage: bytes) -> None:
    write(auditor, 3)
    auditor.deliver()
    (auditor.journal.folder / delivery.STATE_NAME).write_bytes(damage)
    write(auditor, 2, 3)
    auditor.deliver()
    assert count(auditor.source, auditor.journal.id) == 5


def test_two_journals_share_a_database(tmp_path: Path, source: Source) -> None:
    both = [Auditor(tmp_path / name, source) for name in ("a", "b")]
    for n, audit in enumerate(both):
        write(audit, 5 + n)
        audit.deliver()
    assert [count(source, audit.journal.id) for audit in both] == [5, 6]


def test_a_block_cut_into_pieces_arrives_whole(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "BATCH_ROWS", 2)
    write(auditor, 40)
    assert auditor.deliver().delivered == 40
    monkeypatch.setattr(delivery, "BATCH_BYTES", 100)
    write(auditor, 20, 40)
    auditor.deliver()
    assert count(auditor.source, auditor.journal.id) == 60


def test_a_large_row_arrives(auditor: Auditor) -> None:
    table, row = some_row(0)
    for size in (10, 2_000_000, 10):
        auditor.record(table, {**row, "details": {"text": "x" * size}}, now_ns=1)
    assert auditor.deliver().delivered == 3
    with opened(auditor.source) as database:
        lengths = database.rows(
            "SELECT length(details) FROM audit.alpha_gate_log WHERE journal_id = {id:String} "
            "ORDER BY seq",
            {"id": auditor.journal.id},
        )
    assert [length for (length,) in lengths] == [21, 2_000_011, 21]


def test_delivery_that_is_off_leaves_the_rows_in_the_journal(
    tmp_path: Path, source: Source
) -> None:
    audit = Auditor(tmp_path, source, enabled=False)
    write(audit, 4)
    assert audit.deliver() == delivery.Delivery(0, 4)
    audit.enabled = True
    assert audit.deliver().delivered == 4


def test_the_tables_are_those_of_the_contract(auditor: Auditor) -> None:
    write(auditor, 1)
    auditor.deliver()
    with opened(auditor.source) as database:
        schema.check(database)
        assert schema.applied(database) == schema.NEWEST and schema.apply(database) == 0
        versions = database.rows("SELECT version, sha256 FROM audit.schema_version")
        assert versions == [(n, schema.sha256(n)) for n in schema.MIGRATIONS]
        for name, key, create in database.rows(
            "SELECT name, sorting_key, create_table_query FROM system.tables "
            "WHERE database = 'audit' AND name != 'schema_version'"
        ):
            assert key.strip("()") == ", ".join(TABLES[name].order)
            assert "non_replicated_deduplication_window = 10000" in create
            assert "TTL" not in create


# --- a server that misbehaves


@pytest.fixture
def far(tmp_path: Path, server: Server) -> Auditor:
    audit = Auditor(tmp_path / "audit", server.source)
    write(audit, 3)
    audit.deliver()
    return audit


@pytest.mark.parametrize("fault", ["cut", "mute", "down", "refuse"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_try_that_breaks_off_is_repeated_without_a_double(
    far: Auditor, server: Server, fault: str, times: int
) -> None:
    write(far, 12, 3)
    # `down` and `refuse` count requests; the others count inserts, which the driver tries twice.
    server.fault(**{fault: times * (9 if fault in ("down", "refuse") else 2)})
    for _ in range(times):
        broken = far.deliver()
        assert broken.waiting and "audit rows wait in the journal" in broken.notice
        assert "\n" not in broken.notice
        write(far, 1, 20)  # the next range is another one: the first must keep its own
    server.fault()
    assert far.deliver().waiting == 0
    assert count(far.source, far.journal.id) == 15 + times


def test_a_block_that_is_sent_twice_arrives_once(far: Auditor, server: Server) -> None:
    server.fault(twice=100)
    write(far, 16, 3)
    far.deliver()
    server.fault()
    assert count(far.source, far.journal.id) == 19


def test_a_block_that_arrives_late_a_second_time_is_dropped(far: Auditor, server: Server) -> None:
    server.fault(again=100)
    write(far, 8, 3)
    far.deliver()
    server.fault()
    write(far, 8, 11)
    far.deliver()
    server.fault(replay=1)
    assert count(far.source, far.journal.id) == 19


def test_an_insert_whose_answer_is_lost_is_not_sent_again(far: Auditor, server: Server) -> None:
    write(far, 8, 3)
    server.fault(mute=2)
    assert far.deliver().waiting > 0
    assert far.deliver().waiting == 0
    assert count(far.source, far.journal.id) == 11


def test_a_slow_server_is_given_up_in_time_and_served_later(
    tmp_path: Path, far: Auditor, server: Server
) -> None:
    write(far, 2, 3)
    hurried = Auditor(far.journal.folder, Source(server.source.dsn, connect_s=1.0, answer_s=0.4))
    server.fault(slow=1.2)
    began = time.monotonic()
    notice = hurried.deliver().notice
    assert time.monotonic() - began < 5 and "does not answer" in notice
    server.fault()
    far.deliver()
    assert count(far.source, far.journal.id) == 5


def test_a_server_that_is_not_there_costs_a_notice(tmp_path: Path) -> None:
    audit = Auditor(tmp_path, Source("http://127.0.0.1:9", connect_s=1.0))
    write(audit, 1)
    found = audit.deliver()
    assert (found.delivered, found.waiting, found.code) == (0, 1, 69)
    assert found.notice.startswith("1 audit row waits in the journal: http://127.0.0.1:9: ")
    assert found.notice.endswith("`hft audit drain` brings them later")
    with pytest.raises(Unavailable):
        drain(audit.journal, audit.source)


def test_a_wrong_dsn_never_stops_a_decision(tmp_path: Path) -> None:
    audit = Auditor(tmp_path, "postgres://x")
    write(audit, 1)
    assert "is no DSN" in audit.deliver().notice
    with pytest.raises(ConfigError):
        drain(audit.journal, audit.source)


# --- the embedded engine and other processes

HOLD = """
import sys
from hft.storage.database import Source, opened
with opened(Source(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_rows_wait_while_another_process_holds_the_engine(tmp_path: Path) -> None:
    source = Source(f"chdb://{tmp_path / 'engine'}")
    audit = Auditor(tmp_path / "audit", source)
    write(audit, 5)
    assert audit.deliver().delivered == 5
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, source.dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin and holder.stdout and holder.stdout.readline() == "held\n"
    write(audit, 4, 5)
    found = audit.deliver()
    assert (found.waiting, found.code) == (4, 75)
    assert "another process holds the embedded database" in found.notice
    with pytest.raises(Busy):
        drain(audit.journal, source)
    holder.stdin.close()
    assert holder.wait(timeout=30) == 0
    holder.stdout.close()
    assert audit.deliver().delivered == 4 and count(source, audit.journal.id) == 9


KILLED = """
import os, signal, sys
from pathlib import Path
from hft.audit.auditor import Auditor
from hft.audit import delivery
from hft.storage.database import Database
from tests.audit.some_rows import write
audit = Auditor(Path(sys.argv[1]), sys.argv[2])
write(audit, 16)
when, insert = int(sys.argv[3]), Database.insert
def killed(self, table, *more):
    global when
    if table.startswith("audit.schema"):
        return insert(self, table, *more)
    when -= 1
    if when == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    insert(self, table, *more)
    if when == -int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
Database.insert = killed
if when == 0:
    os.kill(os.getpid(), signal.SIGKILL)
audit.deliver()
"""


@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_process_killed_between_or_during_delivery_leaves_every_row_once(
    tmp_path: Path, source: Source, at: int
) -> None:
    words = [sys.executable, "-c", KILLED, str(tmp_path / "audit"), source.dsn, str(at)]
    done = subprocess.run(words, check=False, timeout=60, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    audit = Auditor(tmp_path / "audit", source)
    assert len(audit.rows()) == 16
    audit.deliver()
    assert count(source, audit.journal.id) == 16
    from hft.audit.verify import verify

    assert verify(audit.journal, source).ok


ABSENT = """
import sys
from pathlib import Path
class NoChdb:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "chdb":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, NoChdb())
from hft.audit.auditor import Auditor
from tests.audit.some_rows import write
audit = Auditor(Path(sys.argv[1]), f"chdb://{sys.argv[1]}/engine")
write(audit, 2)
print(audit.deliver())
"""


def test_without_chdb_the_rows_wait_and_the_notice_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ABSENT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "waiting=2" in done.stdout and "pip install 'hft[embedded]'" in done.stdout
    assert done.stderr == ""
    audit = Auditor(tmp_path, f"chdb://{tmp_path}/engine")
    assert audit.deliver().delivered == 2
