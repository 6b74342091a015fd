"""Written beside the engine: the same bytes whatever the threads do, and no error is lost."""

import errno
import random
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import MANIFEST, NAMES, Records, records, take_all, write_run

import hft
from hft.core.errors import JournalError
from hft.runs.folder import table_file, writer
from hft.runs.folder.writer import JournalFull, RunWriter
from hft.runs.ingest import synthetic
from hft.runs.result import Run

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(scope="module")
def made() -> Records:
    return records(wakes=200)


def before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, do: Any) -> None:
    """`do(count)` before each call of a method, counted from 1."""
    real, count = getattr(owner, name), [0]

    def patched(*args: Any, **named: Any) -> Any:
        count[0] += 1
        do(count[0])
        return real(*args, **named)

    monkeypatch.setattr(owner, name, patched)


def failing(at: int, error: BaseException) -> Any:
    def fail(count: int) -> None:
        if count >= at:
            raise error

    return fail


def steps_of(run: Run) -> np.ndarray:
    return np.concatenate(list(run.steps()))


@pytest.mark.parametrize("seed", range(3))
def test_the_files_are_the_same_bytes_whatever_the_threads_do(
    tmp_path: Path, made: Records, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(table_file, "GROUP_ROWS", 50)
    calm = write_run(tmp_path / "calm", made, blocks=23).path
    rng = random.Random(seed)
    for owner, name in (
        (writer.StepJournal, "take"),
        (table_file.TableFile, "add"),
        (RunWriter, "take"),
    ):
        before(monkeypatch, owner, name, lambda _: time.sleep(rng.random() * 0.002))
    restless = write_run(tmp_path / "restless", made, blocks=23).path
    files = sorted(path.relative_to(calm) for path in calm.rglob("*") if path.is_file())
    assert len([path for path in files if path.suffix in (".wal", ".parquet")]) >= 8
    for path in files:
        assert (calm / path).read_bytes() == (restless / path).read_bytes(), path


@pytest.mark.parametrize("owner", ["journal", "table"])
def test_a_disk_that_is_full_beside_is_a_sentence_of_a_later_take_and_frames_are_not_ahead(
    tmp_path: Path, made: Records, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    broken = (writer.StepJournal, "take") if owner == "journal" else (table_file.TableFile, "add")
    before(monkeypatch, *broken, failing(12, FULL))
    one = RunWriter(tmp_path, "x_1", names=NAMES, manifest=MANIFEST)
    with pytest.raises(JournalError, match=r"the journal cannot be written: No space left .* kept"):
        take_all(one, made, blocks=40)
    with pytest.raises(JournalError):
        take_all(one, made, blocks=1)
    monkeypatch.undo()
    run = Run.open(one.seal({}, "d1" * 32, {}, partial=True))
    kept = steps_of(run)
    assert run.partial and 0 < len(kept) < len(made.steps)
    assert kept.tobytes() == made.steps[: len(kept)].tobytes()
    decided = int((kept["kind"] == 1).sum())
    assert 0 < run.decisions.height <= decided
    assert owner == "table" or run.decisions.height == decided


def test_where_journal_and_tables_both_fail_the_run_is_sealed_as_far_as_it_came(
    tmp_path: Path, made: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is full for both threads: the error that nobody was told yet is no second end."""
    journal_failed = threading.Event()

    def full(count: int) -> None:
        if count > 1:
            journal_failed.set()
            raise FULL

    def full_too(_: int) -> None:
        journal_failed.wait(10)
        raise FULL

    before(monkeypatch, writer.StepJournal, "take", full)
    before(monkeypatch, table_file.TableFile, "add", full_too)
    one = RunWriter(tmp_path, "x_1", names=NAMES, manifest=MANIFEST)
    with pytest.raises(JournalError, match="No space left"):
        take_all(one, made, blocks=40)
        one.settle()
    run = Run.open(one.seal({"stopped": "full"}, "d1" * 32, {}, partial=True))
    assert (run.partial, run.stopped, run.digest) == (True, "full", "d1" * 32)


def test_an_error_in_the_last_take_is_raised_where_the_run_is_settled(
    tmp_path: Path, made: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k, settle in enumerate(("settle", "marks", "close")):
        with monkeypatch.context() as patch:
            before(patch, writer.StepJournal, "take", failing(1, FULL))
            one = RunWriter(tmp_path, f"x_{k}", names=NAMES, manifest=MANIFEST)
            one.take(made.steps, made.fills, made.equity, made.series)
            with pytest.raises(JournalError, match="No space left"):
                getattr(one, settle)()
            one.close()


def test_what_is_no_trouble_of_the_disk_comes_through_as_it_is(
    tmp_path: Path, made: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, table_file.TableFile, "add", failing(3, ValueError("a defect")))
    one = RunWriter(tmp_path, "x_1", names=NAMES, manifest=MANIFEST)
    with pytest.raises(ValueError, match="a defect"):
        take_all(one, made, blocks=9)
        one.settle()
    one.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_journal_is_full_after_the_same_take_whatever_the_threads_do(
    tmp_path: Path, made: Records, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Small and large limits: those that a take may pass, and does not, are waited for."""
    rng = random.Random(seed)
    before(monkeypatch, writer.StepJournal, "take", lambda _: time.sleep(rng.random() * 0.002))
    parts = np.array_split(made.steps, 30)
    sizes = []
    one = RunWriter(tmp_path, "sizes", names=NAMES)
    for part in parts:
        one.take(part, made.fills[:0], made.equity[:0], made.series[:0])
        one.settle()
        sizes.append(sum(path.stat().st_size for path in (one.path / "journal").iterdir()))
    one.close()
    for most in (sizes[0], sizes[4] - 1, sizes[4], sizes[20], sizes[-1] - 1, sizes[-1]):
        one = RunWriter(tmp_path, "x", names=NAMES, max_journal_bytes=most)
        taken = 0
        try:
            for part in parts:
                taken += 1
                one.take(part, made.fills[:0], made.equity[:0], made.series[:0])
        except JournalFull as full:
            assert f"after {sum(map(len, parts[:taken])):,} steps" in str(full)
        one.close()
        first_beyond = next((k for k, size in enumerate(sizes) if size > most), len(parts) - 1)
        assert taken == first_beyond + 1


def test_a_disk_that_is_full_at_the_end_of_a_replay_leaves_a_partial_run_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tapes = synthetic(seed=5, out=tmp_path / "t", events=20_000)
    calls: list[int] = []
    with monkeypatch.context() as patch:
        before(patch, writer.StepJournal, "take", calls.append)
        whole = hft.replay(tapes, "two_sided", out=tmp_path / "whole")
    before(monkeypatch, writer.StepJournal, "take", failing(calls[-1], FULL))
    with pytest.raises(JournalError, match="No space left") as failed:
        hft.replay(tapes, "two_sided", out=tmp_path / "cut")
    run = failed.value.run  # type: ignore[attr-defined]
    assert run.partial and "No space left" in run.stopped and run.digest == whole.digest
