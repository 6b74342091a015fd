"""Who reads on in a log gets each record once and in order, however it is written meanwhile."""

from pathlib import Path
from random import Random

import pytest

from hft.core.errors import JournalError
from hft.storage.log import LogWriter, segment_paths
from hft.storage.log_tail import LogTail

pytestmark = pytest.mark.nojit


@pytest.mark.parametrize("seed", range(20))
def test_each_record_is_read_once_whenever_somebody_looks(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    tail, read, written = LogTail(tmp_path, b"rows"), list[bytes](), list[bytes]()
    assert list(tail.read()) == []
    log = LogWriter(tmp_path, "test", schema=b"rows", segment_bytes=300)
    for k in range(100):
        written.append(random.randbytes(random.randrange(80)))
        log.append(k, 1, written[-1])
        if random.random() < 0.3:
            read += tail.read()
            assert read == written
    log.close()
    read += tail.read()
    assert read == written and len(segment_paths(tmp_path)) > 5


def test_a_record_or_a_segment_that_is_half_written_is_read_when_it_is_whole(
    tmp_path: Path,
) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    log = LogWriter(whole, "test", schema=b"rows", segment_bytes=150)
    for k in range(6):
        log.append(k, 1, bytes([k]) * 50)
    log.close()
    half.mkdir()
    tail, read = LogTail(half, b"rows"), list[bytes]()
    for path in segment_paths(whole):
        data = path.read_bytes()
        for size in range(1, len(data) + 1, 7):
            (half / path.name).write_bytes(data[:size])
            read += tail.read()
        (half / path.name).write_bytes(data)
    assert read + list(tail.read()) == [bytes([k]) * 50 for k in range(6)]


def test_a_log_of_another_kind_is_refused(tmp_path: Path) -> None:
    log = LogWriter(tmp_path, "test", schema=b"other")
    log.append(1, 1, b"x")
    log.close()
    with pytest.raises(JournalError, match="written by another hft"):
        list(LogTail(tmp_path, b"rows").read())
