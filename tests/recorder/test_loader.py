"""Each row is in the database once, whoever loads, whatever fails, whoever is killed."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from hft.core.errors import ConfigError, HftError, JournalError, Unavailable
from hft.recorder.backlog import backlog
from hft.recorder.inserts import Rows
from hft.recorder.loader import ARCHIVE, QUARANTINE, Loader, load_all
from hft.recorder.manifest import Manifest
from hft.recorder.schema import schema_of
from hft.recorder.segments import sealed_paths
from hft.recorder.verify import verify
from hft.recorder.wal_first import WALFirstWriter
from hft.storage import frame
from hft.storage.database import Database, Source, opened
from hft.storage.disk import REAL, Held, RealDisk
from hft.storage.log import segment_paths
from tests.audit.conftest import FAULTS, Server
from tests.recorder.loading_world import COUNTS, STEPS, expected, load, record, target_of, there
from tests.recorder.recorder_world import Told, rows_of
from tests.simulation.disk import Crashed, Life, ModelDisk
from tests.simulation.fibers import AtOnce

pytestmark = pytest.mark.nojit
_NUMBER = count()
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def name() -> Iterator[str]:
    """A database of the test's own in an engine that all share."""
    yield f"hft_{next(_NUMBER)}"


def complete(source: Source, name: str, segments: int = 3) -> None:
    for table in COUNTS:
        assert there(source, name, table) == expected(table, segments)


def rewrite(source: Source, name: str, select: str) -> None:
    """The orders become those of this query."""
    table, other = f"{name}.orders", f"{name}.other"
    with opened(source) as database:
        database.command(f"CREATE TABLE {other} AS {table}")
        database.command(f"INSERT INTO {other} SELECT {select.format(table=table)}")
        database.command(f"DROP TABLE {table}")
        database.command(f"RENAME TABLE {other} TO {table}")


def test_rows_are_loaded_in_order_and_the_segments_archived(
    tmp_path: Path, source: Source, name: str
) -> None:
    record(tmp_path)
    target = target_of(source, name)
    done = load(tmp_path, target)
    assert (done.segments, done.rows) == (3, 3 * sum(COUNTS.values()))
    complete(source, name)
    assert sealed_paths(tmp_path, REAL) == []
    assert len(segment_paths(tmp_path / ARCHIVE)) == 3
    found = verify(tmp_path, target)
    assert found.ok and sum(found.compared.values()) == done.rows
    assert load(tmp_path, target).segments == 0


def test_loading_again_adds_nothing_without_manifest_archive_and_window(
    tmp_path: Path, source: Source, name: str
) -> None:
    record(tmp_path)
    target = target_of(source, name)
    load(tmp_path, target)
    for path in segment_paths(tmp_path / ARCHIVE):
        path.rename(tmp_path / path.name)
    for path in (tmp_path / "manifest").iterdir():
        path.unlink()
    with opened(source) as database:
        for table in COUNTS:
            database.command(
                f"ALTER TABLE {name}.{table} MODIFY SETTING non_replicated_deduplication_window = 0"
            )
    done = load(tmp_path, target)
    assert (done.segments, done.rows) == (3, 0)
    complete(source, name)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_database_that_fails_loses_and_doubles_nothing(
    tmp_path: Path, server: Server, name: str, fault: str
) -> None:
    record(tmp_path)
    target = target_of(server.source, name)
    server.fault(**{fault: 2})
    failed = 0
    while sealed_paths(tmp_path, REAL):
        try:
            load(tmp_path, target)
        except HftError as error:
            failed += 1
            assert error.exit_code in (65, 69) and failed < 20
    server.fault(replay=1)
    complete(server.source, name)
    assert verify(tmp_path, target).ok


@pytest.mark.parametrize("step", STEPS)
def test_a_loader_that_is_killed_is_followed_by_another(
    tmp_path: Path, server: Server, name: str, step: str
) -> None:
    record(tmp_path)
    target = target_of(server.source, name)
    program = [sys.executable, "-m", "tests.recorder.loading_world"]
    for at in ("1", "2"):
        arguments = [str(tmp_path), server.source.dsn, name, step, at]
        killed = subprocess.run([*program, *arguments], capture_output=True, cwd=ROOT)
        assert killed.returncode == -9, killed.stderr
    load(tmp_path, target)
    complete(server.source, name)
    assert backlog(tmp_path).files == 0
    assert verify(tmp_path, target).ok


def test_an_insert_from_a_file_that_broke_off_is_a_hole_that_is_filled(
    tmp_path: Path, embedded: Source, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path)
    target = target_of(embedded, name)
    monkeypatch.setattr("hft.recorder.inserts.FILE_ROWS", 500)
    whole = Database.insert_file

    def half(self: Database, table: str, rows: pa.Table) -> None:
        whole(self, table, rows.slice(0, rows.num_rows // 2))
        raise Unavailable("the process is gone")

    monkeypatch.setattr(Database, "insert_file", half)
    with pytest.raises(Unavailable):
        load(tmp_path, target)
    monkeypatch.setattr(Database, "insert_file", whole)
    load(tmp_path, target)
    complete(embedded, name)
    assert verify(tmp_path, target).ok


def test_several_loaders_share_the_work_and_none_does_it_twice(
    tmp_path: Path, server: Server, name: str
) -> None:
    record(tmp_path, segments=8)
    target = target_of(server.source, name)
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda: done.append(load(tmp_path, target, workers=2).segments))
        for _ in range(3)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sum(done) == 8 and len(done) == 3
    complete(server.source, name, segments=8)


def test_a_segment_that_somebody_holds_is_left_to_him(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path)
    target = target_of(embedded, name)
    held = REAL.claim(sealed_paths(tmp_path, REAL)[0])
    assert held is not None
    done = load(tmp_path, target)
    assert (done.segments, done.busy) == (2, 1)
    assert len(sealed_paths(tmp_path, REAL)) == 1
    held.close()
    load(tmp_path, target)
    complete(embedded, name)


def test_the_next_segment_is_read_while_the_database_takes_this_one(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path)
    target = target_of(embedded, name)
    second = sealed_paths(tmp_path, REAL)[1]
    seen = threading.Event()

    class Watched(RealDisk):
        def claim(self, path: Path) -> Held | None:
            if path == second:
                seen.set()
            return super().claim(path)

    waited: list[bool] = []

    @contextmanager
    def slow() -> Iterator[Rows]:
        waited.append(seen.wait(10.0))
        with target.open() as database:
            yield database

    load(tmp_path, target._replace(open=slow), disk=Watched())
    assert waited == [True] * 3
    complete(embedded, name)


def test_a_segment_that_was_read_ahead_is_let_go_of_when_the_one_before_fails(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path)
    target = target_of(embedded, name)

    def away() -> AbstractContextManager[Rows]:
        raise Unavailable("the database is away")

    with pytest.raises(Unavailable, match="is away"):
        load(tmp_path, target._replace(open=away))
    for path in sealed_paths(tmp_path, REAL):
        held = REAL.claim(path)
        assert held is not None, path
        held.close()
    assert load(tmp_path, target).segments == 3
    complete(embedded, name)


def test_a_power_cut_leaves_each_segment_that_is_gone_in_archive_and_manifest(
    embedded: Source, name: str
) -> None:
    target = target_of(embedded, name)
    for seed in range(12):
        folder, disk = Path("/disk/wal"), ModelDisk(Random(seed))
        one = WALFirstWriter(folder, f"w{seed}", Told().monitor, disk=Life(disk, "recorder"))
        one.write("orders", rows_of("orders", range(3)))
        one.close()
        first = Life(disk, "first")
        first.crash_in(8 + 2 * seed)  # at the earliest with the rows in the database
        for life in (first, Life(disk, "second")):
            with suppress(Crashed):
                load_all([Loader(folder, target, disk=life)], sealed_paths(folder, life), AtOnce)
            life.end()
        disk.power_cut()
        reader = Life(disk, "reader")
        gone = segment_paths(folder / ARCHIVE, reader)
        known = [entry.segment for entry in Manifest(folder, reader).entries()]
        assert len(known) == 1 and known == [path.name for path in gone], seed


def test_a_damaged_segment_is_put_aside_with_its_reason_and_the_others_are_loaded(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path)
    target = target_of(embedded, name)
    bad = sealed_paths(tmp_path, REAL)[1]
    data = bytearray(bad.read_bytes())
    data[len(data) // 2] ^= 1
    bad.write_bytes(data)
    done = load(tmp_path, target)
    assert (done.segments, done.quarantined) == (2, 1)
    (why,) = backlog(tmp_path).quarantined.values()
    assert str(bad) in why and "is damaged" in why
    assert (tmp_path / QUARANTINE / bad.name).read_bytes() == data
    found = verify(tmp_path, target)
    assert not found.ok
    assert any("a segment between is not loaded" in one for one in found.findings)


def test_a_cut_end_of_a_sealed_segment_is_damage_and_no_torn_tail(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path)
    bad = sealed_paths(tmp_path, REAL)[0]
    bad.write_bytes(bad.read_bytes()[:-3])
    assert load(tmp_path, target_of(embedded, name)).quarantined == 1


def test_a_segment_of_another_version_is_refused_and_left(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path, segments=1)
    (path,) = sealed_paths(tmp_path, REAL)
    whole = path.read_bytes()
    header = frame.decode_header(whole, "x")
    other = frame.encode_header(header._replace(schema=b"rec-0")) + whole[frame.HEADER_BYTES :]
    newer = whole[:8] + (2).to_bytes(2, "little") + whole[10:]
    for content, said in ((other, "holds rows of version 'rec-0'"), (newer, "journal version 2")):
        path.write_bytes(content)
        with pytest.raises(JournalError, match=said):
            load(tmp_path, target_of(embedded, name))
        assert path.read_bytes() == content


def test_rows_that_are_gone_from_the_database_are_named_and_come_back(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path)
    target = target_of(embedded, name)
    load(tmp_path, target)
    rewrite(embedded, name, "* FROM {table} WHERE wal_seq != 700")
    with opened(embedded) as database:
        database.command(f"TRUNCATE TABLE {name}.latency")
    found = verify(tmp_path, target)
    assert "orders: 1 rows are missing, the first is row 700" in found.findings
    assert sum("latency: 50 rows are missing" in one for one in found.findings) == 3
    for path in segment_paths(tmp_path / ARCHIVE):
        path.rename(tmp_path / path.name)
        (tmp_path / "manifest" / f"{path.name}.json").unlink()
    assert load(tmp_path, target).rows == 151
    complete(embedded, name)
    assert verify(tmp_path, target).ok


def test_a_row_that_differs_or_is_there_twice_is_named(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path, segments=1)
    target = target_of(embedded, name)
    load(tmp_path, target)
    rewrite(embedded, name, "* REPLACE (if(wal_seq = 3, 7, price) AS price) FROM {table}")
    with opened(embedded) as database:
        database.command(f"INSERT INTO {name}.latency SELECT * FROM {name}.latency LIMIT 1")
    findings = verify(tmp_path, target).findings
    assert "orders: row 3: price is 7 in the database and 2 as recorded" in findings
    assert "latency: 1 rows are there twice, the first is row 1" in findings


def test_rows_whose_segment_is_not_archived_any_more_are_counted(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    record(tmp_path, segments=1)
    target = target_of(embedded, name)
    load(tmp_path, target)
    for path in segment_paths(tmp_path / ARCHIVE):
        path.unlink()
    found = verify(tmp_path, target)
    assert found.ok and found.counted["orders"] == COUNTS["orders"]
    with opened(embedded) as database:
        database.command(f"TRUNCATE TABLE {name}.orders")
    assert "orders: rows 1 to 700: 0 of 700 are there" in verify(tmp_path, target).findings


def test_a_database_of_a_newer_schema_is_left_alone(embedded: Source, name: str) -> None:
    target_of(embedded, name)
    with opened(embedded) as database:
        database.insert(f"{name}.schema_version", ("version", "sha256"), [(9, "x")], "t")
        with pytest.raises(ConfigError, match=f"has {name} schema 9, this hft knows 1; use the"):
            schema_of(name).apply(database)


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest").mkdir()
    (tmp_path / "manifest" / "1.wal.json").write_text("{")
    with pytest.raises(JournalError, match=r"1\.wal\.json: cannot be read"):
        list(Manifest(tmp_path, REAL).entries())


def test_two_writers_share_tables_and_keep_their_rows_apart(
    tmp_path: Path, embedded: Source, name: str
) -> None:
    target = target_of(embedded, name)
    for writer_id in ("w1", "w2"):
        record(tmp_path / writer_id, segments=1, writer_id=writer_id)
        load(tmp_path / writer_id, target)
    assert there(embedded, name, "orders") == expected("orders", 1) + expected("orders", 1, "w2")
