"""Input files of the measurements."""

import numpy as np
import pytest

from benchmarks import sources
from benchmarks.environments import NotMeasured


def _raw(records: int) -> bytes:
    rows = np.zeros(records, sources.MBO)
    rows["ts_event"] = np.arange(records) + 100
    rows["ts_recv"] = np.arange(records) + 200
    rows["order_id"] = np.arange(records) + 1
    rows["action"] = b"A"
    rows["side"] = b"B"
    return b"DBN\x01" + (3).to_bytes(4, "little") + b"abc" + rows.tobytes()


def test_a_repeated_day_clears_the_book_first_and_moves_on_by_a_day():
    raw = _raw(2)
    repeated = sources.repeat_dbn(raw, 7)
    assert repeated[:11] == raw[:11]
    rows = np.frombuffer(repeated, sources.MBO, offset=11)
    assert rows["action"].tolist() == [b"R", b"A", b"A", b"R", b"A", b"A", b"R"]
    assert rows["order_id"].tolist() == [0, 1, 2, 0, 1, 2, 0]
    day = sources.DAY_NS
    assert (rows["ts_event"] - np.array([0, 0, 0, day, day, day, 2 * day])).tolist() == [
        *[100, 100, 101],
        *[100, 100, 101],
        100,
    ]
    assert (np.diff(rows["ts_recv"].astype(np.int64)) >= 0).all()


def test_the_official_decoder_reads_a_repeated_day(shared_data):
    dbn = pytest.importorskip("databento_dbn")
    zstandard = pytest.importorskip("zstandard")
    with (shared_data / sources.MBO_DAY).open("rb") as packed:
        raw = zstandard.ZstdDecompressor().stream_reader(packed).read()
    decoder = dbn.DBNDecoder()
    decoder.write(sources.repeat_dbn(raw, 70_000))
    records = decoder.decode()[1:]
    assert len(records) == 70_000
    first = records[0]
    second = next(r for r in records[1:] if str(r.action) == str(first.action))
    assert second.ts_recv - first.ts_recv == sources.DAY_NS
    assert first.order_id == second.order_id == 0


def test_a_half_made_file_is_never_taken_for_a_whole_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "DATA", tmp_path)

    def dies(path):
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        sources._made("file.npz", dies)
    assert not (tmp_path / "file.npz").exists()
    made = sources._made("file.npz", lambda path: path.write_text("whole"))
    assert made.read_text() == "whole"
    assert sources._made("file.npz", dies) == made


def test_recordings_that_are_absent_are_a_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("HFT_TEST_DATA", str(tmp_path))
    with pytest.raises(NotMeasured, match="HFT_TEST_DATA"):
        sources.recorded(sources.BINANCE_RAW)
