import contextlib
import errno
import os
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from hft.core.errors import JournalError
from hft.storage import frame
from hft.storage.disk import RealDisk, RealFile
from hft.storage.log import LogWriter, read_segments, segment_paths
from tests.simulation.disk import Crashed, Life, ModelDisk

PARTS = [b"first", b"", b"a longer third payload", b"4th", b"the last"]


def write(folder: Path, parts: list[bytes], **options: Any) -> LogWriter:
    log = write_open(folder, parts, **options)
    log.close()
    return log


def read(folder: Path) -> list[bytes]:
    return [part for segment in read_segments(folder) for part in segment.payloads()]


def ends(parts: list[bytes]) -> list[int]:
    """Where each frame of a segment of these parts ends."""
    sizes = [frame.HEAD_BYTES + len(part) for part in parts]
    return (frame.HEADER_BYTES + np.cumsum(sizes)).tolist()


@pytest.mark.nojit
def test_a_tail_torn_at_any_byte_keeps_every_whole_record_and_can_be_continued(
    tmp_path: Path,
) -> None:
    write(tmp_path / "whole", PARTS)
    data = segment_paths(tmp_path / "whole")[0].read_bytes()
    name = segment_paths(tmp_path / "whole")[0].name
    for cut in range(len(data)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / name).write_bytes(data[:cut])
        kept = sum(end <= cut for end in ends(PARTS))
        assert read(folder) == PARTS[:kept], cut
        log = LogWriter(folder, "test")
        assert log.torn_bytes == (cut - ([64, *ends(PARTS)][kept]) if cut >= 64 else 0)
        log.append(5, 1, b"after the crash")
        log.close()
        assert read(folder) == [*PARTS[:kept], b"after the crash"]


@pytest.mark.nojit
@pytest.mark.parametrize("parts", [PARTS, [b"0123456789abcdef"] * 70], ids=["mixed", "alike"])
def test_a_flipped_byte_anywhere_is_detected(tmp_path: Path, parts: list[bytes]) -> None:
    write(tmp_path, parts)
    path = segment_paths(tmp_path)[0]
    data = path.read_bytes()
    last_frame = [frame.HEADER_BYTES, *ends(parts)][-2]
    for at in range(0, len(data), 1 if len(parts) < 10 else 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        if at < last_frame:
            with pytest.raises(JournalError, match=f"{path.name}: offset "):
                read(tmp_path)
        else:
            # A bad frame at the very end is what a crash leaves: cut and counted.
            found = list(read_segments(tmp_path))[-1]
            assert len(found.frames) == len(parts) - 1
            assert found.torn_bytes == len(data) - last_frame


def test_segments_rotate_by_size_and_are_read_as_one_log(tmp_path: Path) -> None:
    parts = [bytes([k]) * 100 for k in range(50)]
    write(tmp_path, parts, segment_bytes=1000)
    assert len(segment_paths(tmp_path)) > 5
    assert all(path.stat().st_size <= 1000 for path in segment_paths(tmp_path))
    assert read(tmp_path) == parts


def test_a_missing_segment_is_named(tmp_path: Path) -> None:
    write(tmp_path, [b"x" * 100] * 50, segment_bytes=1000)
    segment_paths(tmp_path)[2].unlink()
    with pytest.raises(JournalError, match="a segment is missing"):
        read(tmp_path)


def test_a_torn_segment_that_is_not_the_last_is_damage(tmp_path: Path) -> None:
    write(tmp_path, [b"x" * 100] * 50, segment_bytes=1000)
    path = segment_paths(tmp_path)[1]
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(JournalError, match=f"{path.name}: offset .* is damaged"):
        read(tmp_path)


def test_a_log_is_numbered_on_from_its_first_record_and_knows_its_size(tmp_path: Path) -> None:
    log = LogWriter(tmp_path, "test", first_seq=41, segment_bytes=200)
    assert [log.append(7, 2, bytes(50)) for _ in range(9)] == list(range(41, 50))
    assert log.size == sum(path.stat().st_size for path in segment_paths(tmp_path))
    log.close()
    segments = list(read_segments(tmp_path))
    assert len(segments) > 3 and segments[0].header.first_seq == 41
    assert [int(seq) for segment in segments for seq in segment.frames.seq] == list(range(41, 50))


def test_a_full_disk_is_one_sentence_and_keeps_what_was_written(tmp_path: Path) -> None:
    class Full(RealFile):
        """A file that takes a part and then has no room."""

        def write(self, at: int, data: bytes | memoryview) -> int:
            if full[0] == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            taken = super().write(at, data[: full[0]])
            full[0] -= taken
            return taken

    class Small(RealDisk):
        def create(self, path: Path) -> Full:
            return Full(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))

    full = [1 << 20]
    log = write_open(tmp_path, PARTS, disk=Small())
    full[0] = 10
    with pytest.raises(JournalError, match=r"\.wal: cannot write record 6 .*the disk is full"):
        log.append(1, 1, b"does not fit")
    assert read(tmp_path) == PARTS
    assert next(read_segments(tmp_path)).torn_bytes == 0


def write_open(folder: Path, parts: list[bytes], **options: Any) -> LogWriter:
    log = LogWriter(folder, "test", **options)
    for k, part in enumerate(parts):
        log.append(1000 + k, k, part)
    return log


def test_a_closed_log_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="closed"):
        write(tmp_path, PARTS).append(1, 1, b"late")


@pytest.mark.nojit
@pytest.mark.parametrize("steps", range(2, 20))
def test_a_folder_that_a_killed_writer_left_half_made_is_there_for_good(steps: int) -> None:
    folder = Path("/a/b/log")
    for seed in range(4):
        disk = ModelDisk(Random(seed))
        first = Life(disk, "first")
        first.crash_in(steps)
        with contextlib.suppress(Crashed):
            LogWriter(folder, "test", fsync="always", disk=first)
        first.end()
        LogWriter(folder, "test", fsync="always", disk=Life(disk, "second")).append(1, 1, b"kept")
        disk.power_cut()
        found = read_segments(folder, disk=Life(disk, "reader"))
        assert [part for segment in found for part in segment.payloads()] == [b"kept"]
