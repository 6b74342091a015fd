import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from made_runs import MANIFEST, NAMES, Records, records, take_all, write_run

from hft.core.dtypes import STEP
from hft.core.errors import ConfigError, JournalError
from hft.runs.folder import journal
from hft.runs.folder.layout import find_sealed, folders, run_id
from hft.runs.folder.tables import words
from hft.runs.folder.writer import RunWriter
from hft.runs.result import Run
from hft.storage.log import read_segments, segment_paths

KEY = "5e" * 32


@pytest.fixture(scope="module")
def made() -> Records:
    return records(wakes=300)


def steps_of(run: Run) -> np.ndarray:
    return np.concatenate(list(run.steps()))


@pytest.mark.parametrize("blocks", [1, 7, 40])
def test_the_journal_gives_back_every_step_however_it_was_handed_over(
    tmp_path: Path, made: Records, blocks: int
) -> None:
    run = write_run(tmp_path, made, blocks=blocks)
    assert steps_of(run).tobytes() == made.steps.tobytes()


def test_the_tables_do_not_depend_on_the_block_size(tmp_path: Path, made: Records) -> None:
    one = write_run(tmp_path / "a", made, blocks=1)
    many = write_run(tmp_path / "b", made, blocks=13)
    for name in ("fills", "equity", "decisions", "events", "series"):
        assert getattr(one, name).equals(getattr(many, name)), name


@pytest.mark.parametrize(
    ("record", "tables"),
    [
        ("digest", set()),
        ("summary", {"fills", "equity", "trips", "controls"}),
        ("full", {"fills", "equity", "trips", "controls", "decisions", "events", "series"}),
    ],
)
def test_a_record_level_keeps_its_files_and_no_more(
    tmp_path: Path, made: Records, record: str, tables: set[str]
) -> None:
    run = write_run(tmp_path, made, record=record)
    found = {path.stem for path in run.path.glob("*.parquet")}
    assert found == tables
    assert bool(segment_paths(run.path / "journal")) == (record == "full")
    rest = {"manifest.json", "metrics.json", "digest", "instruments.json", "limits.yaml"}
    assert rest <= {path.name for path in run.path.iterdir()}
    assert not (run.path / ".reserve").exists()


def test_an_unknown_record_level_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="digest, summary, full"):
        RunWriter(tmp_path, "x_1", "all", names=NAMES)


def test_an_interrupted_run_stays_partial_and_readable(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made, partial=True)
    assert run.path.name.endswith(".partial") and run.partial
    assert run.fills.height == len(made.fills)
    assert find_sealed(tmp_path, KEY) is None
    assert [path.name for path in folders(tmp_path)] == [run.path.name]


def test_a_killed_run_is_read_from_its_journal(tmp_path: Path, made: Records) -> None:
    writer = RunWriter(tmp_path, "x_1", names=NAMES, manifest=MANIFEST)
    take_all(writer, made)
    writer.settle()
    # A kill closes nothing: the tables have no end, the journal has all it was given.
    run = Run.open(writer.path)
    assert run.partial and run.digest == ""
    sealed = write_run(tmp_path, made)
    assert run.decisions.equals(sealed.decisions)
    assert run.orders.equals(sealed.orders)
    columns = ["ts", "side", "price", "price_tick", "lots", "fee", "liquidity", "order_id"]
    assert run.fills.select(columns).equals(sealed.fills.select(columns))
    with pytest.raises(JournalError, match=r"equity\.parquet: has no end"):
        _ = run.equity
    writer.close()


def test_a_torn_last_block_is_left_out_and_said(tmp_path: Path, made: Records) -> None:
    writer = RunWriter(tmp_path, "x_1", names=NAMES, manifest=MANIFEST)
    take_all(writer, made)
    writer.settle()
    (segment,) = read_segments(writer.path / "journal")
    ends = segment.frames.offsets
    segment.path.write_bytes(segment.data[:-5])
    run = Run.open(writer.path)
    torn = len(segment.data) - 5 - int(ends[-1])
    assert run.stopped == f"killed while writing; the last {torn:,} bytes of its journal are torn"
    assert run.stopped in repr(run)
    kept = steps_of(run)
    assert kept.tobytes() == made.steps[: len(kept)].tobytes()
    assert len(made.steps) * 6 // 7 == len(kept)
    writer.close()


def test_a_run_killed_before_its_first_record_has_empty_frames(
    tmp_path: Path, made: Records
) -> None:
    writer = RunWriter(tmp_path, "x_1", names=NAMES, manifest=MANIFEST)
    run = Run.open(writer.path)
    for name in ("decisions", "events", "orders", "fills", "trips", "controls"):
        assert getattr(run, name).height == 0, name
    assert run.fills.columns == write_run(tmp_path / "whole", made).fills.columns
    assert "market_making on BTCUSDT" in repr(run)
    writer.close()


def test_runs_of_one_second_and_key_get_numbers(tmp_path: Path, made: Records) -> None:
    names = [write_run(tmp_path, made, record="digest").path.name for _ in range(3)]
    assert len(set(names)) == 3
    assert [path.name for path in folders(tmp_path)] == sorted(names)


def test_a_run_is_named_by_utc_time_and_key() -> None:
    assert run_id("abcdef0123456789", 1_723_075_200_000_000_000) == "20240808T000000Z_abcdef01"


def test_a_sealed_run_is_found_by_its_whole_key(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made, record="summary")
    assert find_sealed(tmp_path, KEY, "summary") == run.path
    assert find_sealed(tmp_path, KEY, "full") is None
    assert find_sealed(tmp_path, KEY[:8] + "0" * 56) is None
    assert find_sealed(tmp_path / "nowhere", KEY) is None


def test_the_folder_is_valid_for_other_tools(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made)
    frame = pl.read_parquet(run.path / "fills.parquet")
    assert frame.schema["ts"] == pl.Datetime("ns", "UTC")
    assert {"price", "price_tick", "lots", "fee"} <= set(frame.columns)


def test_a_full_disk_is_one_sentence_and_keeps_the_records_before(tmp_path: Path) -> None:
    """A real limit of the system: no file of the child may grow beyond 150 kB."""
    script = textwrap.dedent(
        f"""
        import resource, sys
        sys.path[:0] = {[str(path) for path in (Path(__file__).parents[1], *sys.path)]!r}
        from made_runs import MANIFEST, NAMES, records, take_all
        from hft.core.errors import JournalError
        from hft.runs.folder import writer
        writer.RESERVE_BYTES = 1000
        RunWriter = writer.RunWriter
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
        writer = RunWriter({str(tmp_path)!r}, "x_1", names=NAMES, manifest=MANIFEST)
        try:
            take_all(writer, records(wakes=2500), blocks=60)
        except JournalError as error:
            sys.exit(str(error))
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "cannot write record" in done.stderr and ".wal" in done.stderr
    assert "Traceback" not in done.stderr
    made = records(wakes=2500)
    (folder,) = folders(tmp_path)
    run = Run.open(folder)
    kept = steps_of(run)
    assert 0 < len(kept) < len(made.steps)
    assert kept.tobytes() == made.steps[: len(kept)].tobytes()
    assert run.decisions.height == int((kept["kind"] == 1).sum())
    assert run.equity.height > 0 and run.partial


def test_the_journal_refuses_steps_of_another_version(
    tmp_path: Path, made: Records, monkeypatch: Any
) -> None:
    run = write_run(tmp_path, made)
    monkeypatch.setattr(journal, "SCHEMA", b"others")
    with pytest.raises(JournalError, match=r"other step fields .*replay the run anew"):
        next(run.steps())


def test_damage_in_the_journal_is_named(tmp_path: Path, made: Records) -> None:
    run = write_run(tmp_path, made)
    (segment,) = read_segments(run.path / "journal")
    at = int(segment.frames.offsets[2])
    data = bytearray(segment.data)
    data[at + 50] ^= 1
    segment.path.write_bytes(bytes(data))
    with pytest.raises(JournalError, match=rf"{segment.path.name}: offset {at}: record 3 is dam"):
        list(run.steps())


def test_a_run_without_a_step_has_empty_tables(tmp_path: Path) -> None:
    empty = records(wakes=0)
    empty.steps = np.zeros(0, STEP)
    run = write_run(tmp_path, empty)
    assert run.fills.height == run.orders.height == 0
    assert "fills" in repr(run) and "nothing was traded" in repr(run)


def test_a_word_that_is_there_twice_is_one_code() -> None:
    """With two codes of one word the file's dictionary had bytes from anywhere at its end."""
    column = words(np.array([0, 1, 2, 3, 4, -1]), ["lots", "ticks", "ticks", ""])
    assert column.to_pylist() == ["lots", "ticks", "ticks", "", None, None]
    assert column.dictionary.to_pylist() == ["lots", "ticks", ""]
