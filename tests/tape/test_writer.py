"""The seal: whole tapes read back as written, and no byte changes unnoticed."""

import os
import signal
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tape_samples import DAY, TEST, level_feed

from hft.core.codes import Flag
from hft.core.errors import DataError
from hft.tape import writer
from hft.tape.reader import Tape
from hft.tape.schema import Columns, Feed
from hft.tape.seal import FRAME_HOLE
from hft.tape.writer import tape_name, write_tape


def test_a_tape_reads_back_as_written(tape_path: Path):
    feed = level_feed(500)
    tape = Tape(tape_path)
    for written, read in zip(feed.columns, tape.columns(), strict=True):
        assert written.dtype == read.dtype
        assert (written == read).all()
    assert tape.instrument == TEST
    assert tape.instrument.tick == Decimal("0.25")
    assert tape.findings == feed.findings
    assert tape.day == "2024-01-02"
    tape.verify()


def test_columns_are_read_only_and_lie_on_64_byte_boundaries(tape_path: Path):
    for batch in Tape(tape_path).batches():
        assert batch.exch_ts.ctypes.data % 64 == 0
        assert not any(column.flags.writeable for column in batch)


def test_the_hash_does_not_depend_on_the_batch_size(tmp_path: Path, monkeypatch):
    feed = level_feed(1000)
    whole = write_tape(tmp_path / "a.tape.arrow", feed)["sha256"]
    monkeypatch.setattr(writer, "BATCH_ROWS", 64)
    assert write_tape(tmp_path / "b.tape.arrow", feed)["sha256"] == whole
    feed.columns.qty[17] += 1
    assert write_tape(tmp_path / "c.tape.arrow", feed)["sha256"] != whole


def test_the_same_feed_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        write_tape(tmp_path / f"{name}.tape.arrow", level_feed(300))
    first, second = (tmp_path / f"{name}.tape.arrow" for name in "ab")
    assert first.read_bytes() == second.read_bytes()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(tape_path: Path, position: float, bit: int):
    content = bytearray(tape_path.read_bytes())
    content[int(position * len(content))] ^= 1 << bit
    damaged = tape_path.with_name("damaged.tape.arrow")
    damaged.write_bytes(content)
    with pytest.raises(DataError, match=r"damaged.tape.arrow"):
        Tape(damaged).verify()


def test_a_column_whose_name_is_no_text_is_no_column_of_a_tape(tmp_path: Path):
    path = tmp_path / "one.tape.arrow"
    write_tape(path, level_feed(1))
    content = path.read_bytes()
    assert b"order_id" in content
    path.write_bytes(content.replace(b"order_id", b"order_i\x9c"))
    with pytest.raises(DataError, match="columns are not those of a tape"):
        Tape(path)


def test_every_byte_of_the_frame_is_covered(tmp_path: Path):
    """Byte by byte over headers, padding and footer of a tape of one row."""
    path = tmp_path / "one.tape.arrow"
    write_tape(path, level_feed(1))
    whole = path.read_bytes()
    damaged = tmp_path / "damaged.tape.arrow"
    for position in range(0, len(whole), 3):
        content = bytearray(whole)
        content[position] ^= 0x10
        damaged.write_bytes(content)
        with pytest.raises(DataError):
            Tape(damaged).verify()


def test_a_tape_cut_short_anywhere_is_unsealed(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(writer, "BATCH_ROWS", 64)
    path = tmp_path / "cut.tape.arrow"
    write_tape(path, level_feed(300))
    whole = path.read_bytes()
    for size in [0, 8, 500, *range(600, len(whole), 997), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="unsealed"):
            Tape(path)


def test_a_tape_whose_seal_was_never_finished_is_unsealed(tape_path: Path):
    frame = Tape(tape_path).seal["frame_sha256"].encode()
    tape_path.write_bytes(tape_path.read_bytes().replace(frame, FRAME_HOLE))
    with pytest.raises(DataError, match="unsealed"):
        Tape(tape_path)


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("exch_ts", 5, DAY - 1, "row 6: exch_ts goes back"),
        ("local_ts", 5, DAY - 1, "row 6: local_ts goes back"),
        ("kind", 3, 99, "row 4: kind, side or qty"),
        ("qty", 2, -1, "row 3: kind, side or qty"),
    ],
)
def test_rows_that_are_no_tape_are_refused(tmp_path, column, row, value, message):
    feed = level_feed(20)
    getattr(feed.columns, column)[row] = value
    with pytest.raises(DataError, match=message):
        write_tape(tmp_path / "bad.tape.arrow", feed)


def test_a_row_the_venue_never_sees_may_be_late(tmp_path: Path):
    feed = level_feed(20)
    feed.columns.exch_ts[5] = DAY - 1
    feed.columns.flags[5] |= Flag.VIEW_ONLY.value
    write_tape(tmp_path / "ok.tape.arrow", feed)


def test_many_batches_are_mapped_without_a_copy(tmp_path: Path, monkeypatch):
    from hft.tape import reader

    monkeypatch.setattr(writer, "BATCH_ROWS", 128)
    monkeypatch.setattr(reader, "BATCH_ROWS", 128)
    path = tmp_path / "many.tape.arrow"
    feed = level_feed(1000)
    write_tape(path, feed)
    tape = Tape(path)
    assert [len(batch.kind) for batch in tape.batches()] == [128] * 7 + [104]
    assert (tape.columns().price == feed.columns.price).all()
    low, high = (int(feed.columns.local_ts[at]) for at in (200, 700))
    cut = np.concatenate([part.local_ts for part in tape.between(low, high)])
    inside = (feed.columns.local_ts >= low) & (feed.columns.local_ts < high)
    assert (cut == feed.columns.local_ts[inside]).all()


def test_names_carry_venue_symbol_and_day():
    feed = Feed(TEST, Columns.empty(1), source={})
    assert tape_name(feed, DAY) == "own_test_20240102.tape.arrow"
    feed.source["day"] = "20231225"
    assert tape_name(feed, DAY) == "own_test_20231225.tape.arrow"


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_writer_killed_in_the_middle_leaves_the_old_tape(tmp_path: Path):
    """The process dies between writing the file aside and renaming it."""
    out = tmp_path / "out"
    script = textwrap.dedent(
        f"""
        import os, signal, sys
        import polars as pl
        from hft.runs import ingest as module
        frame = pl.DataFrame({{"ts": [1704196800, 1704196801], "price": [1.0, 2.0], "qty": [1, 1]}})
        module.ingest(frame, {str(out)!r}, symbol="X", tick="1", lot="1")
        module.manifest_text = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
        module.ingest(frame.with_columns(price=3.0), {str(out)!r}, symbol="X", tick="1", lot="1")
        """
    )
    done = subprocess.run([sys.executable, "-c", script], env=dict(os.environ), timeout=120)
    assert done.returncode == -signal.SIGKILL
    from hft.tape.dataset import open_dataset

    (tape,) = open_dataset(out)
    tape.verify()
    assert tape.columns().price.tolist() == [1, 2]
