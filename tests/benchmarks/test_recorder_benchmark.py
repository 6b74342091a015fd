"""The benchmark of the loader brings the same rows by each way."""

from pathlib import Path

import pytest

from benchmarks import loader, recorder


def test_each_way_brings_every_row_once(tmp_path: Path) -> None:
    loader.record(tmp_path, 3000)
    for way in (loader.OURS, loader.FILE, loader.LISTS):
        assert loader.apart(way, tmp_path, tmp_path)["rows"] == 3000


def test_the_append_path_writes_what_it_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "ASKED", 10)
    batch = recorder.rows(64)
    assert recorder.ours(tmp_path, batch, 3) > 0 and recorder.raw(tmp_path, batch, 3) > 0
    written = sum(path.stat().st_size for path in (tmp_path / "wal").glob("*.wal"))
    assert written >= (tmp_path / "raw").stat().st_size
