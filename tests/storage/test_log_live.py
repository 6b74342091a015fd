"""The log as a live journal: one writer, a latch, a checked beginning, and clear refusals."""

import contextlib
import errno
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hft.core.errors import Busy, JournalError
from hft.storage import frame
from hft.storage.disk import RealDisk
from hft.storage.log import OWNER, LogWriter, drop_segments, read_segments, segment_paths
from tests.simulation.disk import Crashed, Life, ModelDisk

pytestmark = pytest.mark.nojit

LIVE: dict[str, Any] = {"schema": b"rows", "owner": "account 1", "fsync": "always"}


def begin(folder: Path, **options: Any) -> LogWriter:
    return LogWriter(folder, "test", **(LIVE | options))


def write(folder: Path, parts: list[bytes], **options: Any) -> None:
    log = begin(folder, **options)
    for part in parts:
        log.append(1, 1, part)
    log.close()


def read(folder: Path, first: int | None = None) -> list[bytes]:
    return [part for segment in read_segments(folder, first=first) for part in segment.payloads()]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class Counting(RealDisk):
    """Counts whole reads."""

    def __init__(self) -> None:
        self.reads: list[str] = []

    def read(self, path: Path, count: int = -1) -> bytes:
        self.reads.append(path.name)
        return super().read(path, count)


def test_a_second_writer_is_told_which_process_writes(tmp_path: Path) -> None:
    log = begin(tmp_path)
    with pytest.raises(Busy, match=r"this process \(\d+\) writes this journal; try again"):
        begin(tmp_path)
    code = (
        "import sys; from pathlib import Path; from hft.storage.log import LogWriter\n"
        "LogWriter(Path(sys.argv[1]), 'test', schema=b'rows', owner='account 1')"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )
    assert f"Busy: {tmp_path}: process {os.getpid()} (" in other.stderr
    log.append(1, 1, b"still mine")
    log.close()
    begin(tmp_path).close()


def test_a_refused_opening_lets_go_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path, [b"a"])
    for _ in range(2):
        with pytest.raises(JournalError, match="not of 'account 2'"):
            begin(tmp_path, owner="account 2")


@pytest.mark.parametrize("verb", ["sync", "write"])
def test_what_failed_once_is_never_tried_again(verb: str) -> None:
    model = ModelDisk(Random(1))
    folder = Path("/journal")
    log = begin(folder, disk=Life(model))
    log.append(1, 1, b"kept")
    model.fails[verb] = errno.EIO
    with pytest.raises(JournalError, match="cannot write record 2 at offset 96: Input/output"):
        log.append(1, 1, b"lost")
    for _ in range(2):
        with pytest.raises(JournalError, match=r"takes nothing more.* cannot write record 2"):
            log.append(1, 1, b"refused")
    with pytest.raises(JournalError, match=r"takes nothing more.* cannot write record 2"):
        log.sync()
    log.close()
    model.power_cut()
    found = [part for s in read_segments(folder, disk=Life(model)) for part in s.payloads()]
    assert found == [b"kept"]


def test_a_failed_sync_asked_for_by_name_latches_too(tmp_path: Path) -> None:
    model = ModelDisk(Random(1))
    log = begin(Path("/journal"), fsync="close", disk=Life(model))
    log.append(1, 1, b"written")
    model.fails["sync"] = errno.EIO
    with pytest.raises(JournalError, match="cannot sync record 2"):
        log.sync()
    with pytest.raises(JournalError, match="takes nothing more"):
        log.append(1, 1, b"refused")


def test_a_record_that_failed_is_not_found_by_a_reader_in_memory(tmp_path: Path) -> None:
    model = ModelDisk(Random(1))
    log, reader = begin(Path("/journal"), disk=Life(model)), Life(model)
    log.append(1, 1, b"kept")
    model.fails["sync"] = errno.EIO
    with pytest.raises(JournalError):
        log.append(1, 1, b"lost")
    (segment,) = read_segments(Path("/journal"), disk=reader)
    assert list(segment.payloads()) == [b"kept"] and segment.torn_bytes == 0


def test_a_writer_that_latched_lets_another_one_begin() -> None:
    model = ModelDisk(Random(1))
    log = begin(Path("/journal"), disk=Life(model))
    model.fails["write"] = errno.ENOSPC
    with pytest.raises(JournalError, match="the disk is full"):
        log.append(1, 1, b"lost")
    other = begin(Path("/journal"), disk=Life(model))
    assert other.append(1, 1, b"in its place") == 1
    log.close()
    with pytest.raises(Busy):
        begin(Path("/journal"), disk=Life(model))


def test_a_crash_while_segments_are_dropped_leaves_no_gap() -> None:
    folder, left = Path("/journal"), set()
    for seed in range(60):
        model = ModelDisk(Random(seed))
        life = Life(model)
        write(folder, [bytes(100)] * 50, segment_bytes=1000, disk=life)
        life.crash_in(seed % 16)
        with contextlib.suppress(Crashed):
            drop_segments(folder, 40, life)
        model.power_cut()
        segments = list(read_segments(folder, disk=Life(model)))
        assert segments[-1].next_seq == 51
        left.add(len(segments))
    assert len(left) > 4


def test_older_segments_are_not_read_when_a_checkpoint_has_them(tmp_path: Path) -> None:
    parts = [bytes([k]) * 100 for k in range(50)]
    write(tmp_path, parts, segment_bytes=1000)
    names = [path.name for path in segment_paths(tmp_path)]
    damaged = segment_paths(tmp_path)[0]
    damaged.write_bytes(damaged.read_bytes()[:-3])
    disk = Counting()
    log = begin(tmp_path, first=40, disk=disk)
    assert log.append(1, 1, b"next") == 51
    log.close()
    needed = [name for name in names if int(name[:20]) > 31]
    assert [name for name in disk.reads if name != OWNER] == needed
    assert read(tmp_path, first=int(needed[0][:20]))[-1] == b"next"
    with pytest.raises(JournalError, match="is damaged"):
        begin(tmp_path)


def test_segments_before_a_checkpoint_are_dropped_and_the_last_one_stays(tmp_path: Path) -> None:
    write(tmp_path, [bytes(100)] * 50, segment_bytes=1000)
    firsts = [int(path.name[:20]) for path in segment_paths(tmp_path)]
    assert drop_segments(tmp_path, firsts[2] + 1) == 2
    assert drop_segments(tmp_path, firsts[2] + 1) == 0
    assert [int(path.name[:20]) for path in segment_paths(tmp_path)] == firsts[2:]
    assert drop_segments(tmp_path, 10**6) == len(firsts) - 3
    log = begin(tmp_path, first=51)
    assert log.append(1, 1, b"on") == 51
    log.close()


def refused(folder: Path, sentence: str, **options: Any) -> None:
    """One sentence, and nothing is touched."""
    before = content(folder)
    with pytest.raises(JournalError, match=sentence) as error:
        begin(folder, **options)
    assert "\n" not in str(error.value)
    assert content(folder) == before


def test_a_journal_that_is_not_ours_is_refused_untouched(tmp_path: Path) -> None:
    write(tmp_path, [b"a" * 100] * 30, segment_bytes=1000)
    path = segment_paths(tmp_path)[-1]
    path.write_bytes(path.read_bytes() + b"torn")
    refused(tmp_path, "the journal of 'account 1', not of 'account 2'", owner="account 2")
    refused(tmp_path, "of 'account 1', and it was opened without an owner", owner="")
    refused(tmp_path, "have other fields than this hft writes", schema=b"others")
    refused(tmp_path, "a checkpoint has those before 99; a segment is missing", first=99)
    (tmp_path / OWNER).unlink()
    refused(tmp_path, "a journal that names no owner, not of 'account 1'")


def test_a_journal_of_another_topic_or_version_is_refused_untouched(tmp_path: Path) -> None:
    write(tmp_path, [b"a"])
    with pytest.raises(JournalError, match="a journal of 'test', not of 'other'"):
        LogWriter(tmp_path, "other", **LIVE)
    path = segment_paths(tmp_path)[0]
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, 8, 2)
    struct.pack_into("<I", data, 12, 0)
    struct.pack_into("<I", data, 12, zlib.crc32(data[: frame.HEADER_BYTES]))
    for cut in (len(data), frame.HEADER_BYTES):
        path.write_bytes(data[:cut])
        refused(tmp_path, f"{path.name}: journal version 2; this hft reads 1")


@pytest.mark.parametrize("gone", [0, 2])
def test_a_missing_segment_is_refused_untouched(tmp_path: Path, gone: int) -> None:
    write(tmp_path, [b"a" * 100] * 30, segment_bytes=1000)
    segment_paths(tmp_path)[gone].unlink()
    refused(tmp_path, "a segment is missing", first=1)


def test_a_file_that_is_no_segment_is_named(tmp_path: Path) -> None:
    write(tmp_path, [b"a" * 100] * 30, segment_bytes=1000)
    (tmp_path / "notes.wal").write_bytes(b"")
    refused(tmp_path, r"notes\.wal: not the name of a journal segment", first=1)


def test_a_read_only_disk_is_one_sentence() -> None:
    model = ModelDisk(Random(0))
    write(Path("/journal"), [b"a"], disk=Life(model))
    model.power_cut()
    model.is_read_only = True
    with pytest.raises(JournalError, match=r"/journal: cannot be opened .*Read-only file system$"):
        begin(Path("/journal"), disk=Life(model))
    model.is_read_only = False
    begin(Path("/journal"), disk=Life(model)).close()


def test_a_later_segment_of_which_only_a_torn_header_is_left_is_begun_again(
    tmp_path: Path,
) -> None:
    parts = [b"a" * 100] * 7
    write(tmp_path, parts, segment_bytes=1000)
    torn = tmp_path / f"{8:020d}.wal"
    for header in (b"", b"HFTW", bytes(64), b"HFTWAL01" + bytes(56)):
        torn.write_bytes(header)
        assert read(tmp_path) == parts
        log = begin(tmp_path, segment_bytes=1000)
        for part in (b"short", b"b" * 500):
            log.append(1, 1, part)
        log.close()
        assert read(tmp_path) == [*parts, b"short", b"b" * 500]
        for path in segment_paths(tmp_path)[1:]:
            path.unlink()
        begin(tmp_path).close()
        path = segment_paths(tmp_path)[0]
        path.write_bytes(path.read_bytes()[: 64 + 7 * 128])
