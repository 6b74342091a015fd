"""A damaged run folder is a sentence, and is never resumed into a whole run."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import hft
from hft.core.errors import JournalError
from hft.runs.result import Run

SEEN = ("fills", "equity", "decisions", "events", "orders", "series", "refusals", "metrics")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that Ctrl-C ended half way."""

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    out = tmp_path_factory.mktemp("stopped")
    with pytest.raises(KeyboardInterrupt) as caught:
        hft.replay(hft.tapes("synthetic", seed=1), "two_sided", out=out, progress=stop)
    yield caught.value.run  # type: ignore[attr-defined]


def copy(run: Run, folder: Path) -> Run:
    return Run.open(shutil.copytree(run.path, folder / run.path.name))


def flipped(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def refused(run: Run, out: Path) -> str:
    with pytest.raises(JournalError) as caught:
        hft.replay(hft.tapes("synthetic", seed=1), "two_sided", out=out, resume=run)
    assert not list(out.glob("*")), "a refused run leaves nothing behind"
    return str(caught.value)


@pytest.mark.parametrize("table", ["fills", "equity"])
def test_a_run_whose_tables_have_changed_is_not_resumed(stopped: Run, tmp_path: Path, table: str):
    run = copy(stopped, tmp_path)
    rows = run.path / f".{table}.rows"
    flipped(rows, 40)
    assert f"{table}.rows: is not as the run left it" in refused(run, tmp_path / "out")
    rows.write_bytes(rows.read_bytes()[:-1])
    assert f"{table}.rows: is not as the run left it" in refused(run, tmp_path / "out")
    rows.unlink()
    assert f"{table}.rows: is not as the run left it" in refused(run, tmp_path / "out")


def test_a_run_without_its_whole_journal_is_not_resumed(stopped: Run, tmp_path: Path):
    steps = f"{stopped.totals['steps']:,} records"
    run = copy(stopped, tmp_path)
    last = max((run.path / "journal").iterdir())
    last.write_bytes(last.read_bytes()[:-1])
    assert steps in refused(run, tmp_path / "out")
    shutil.rmtree(run.path / "journal")
    assert f"has 0 of {steps}" in refused(run, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"junk", b"PAR1\xff\xfe\xfdPAR1"])
def test_tables_that_cannot_be_read_are_named(stopped: Run, tmp_path: Path, content: bytes):
    run = copy(stopped, tmp_path)
    for table in run.path.glob("*.parquet"):
        table.write_bytes(content)
    shutil.rmtree(run.path / "journal")
    for name in (*SEEN[:-1], "logs"):
        with pytest.raises(JournalError, match=name if name == "logs" else r"parquet|damaged"):
            getattr(run, name)


@pytest.mark.parametrize("file", ["manifest.json", "instruments.json", "metrics.json"])
def test_documents_without_what_they_must_have_are_named(stopped: Run, tmp_path: Path, file: str):
    run = copy(stopped, tmp_path)
    (run.path / file).write_text("{}")
    with pytest.raises(JournalError, match="damaged"):
        if file == "manifest.json":
            run.fork(5, half_ticks=3)
        else:
            _ = (run.names, run.metrics, run.totals)


def test_a_digest_that_is_no_text_is_no_digest(stopped: Run, tmp_path: Path):
    run = copy(stopped, tmp_path)
    (run.path / "digest").write_bytes(b"\xaf\xff\x00")
    assert run.digest != stopped.digest
    assert hft.runs(out=tmp_path).height == 1
