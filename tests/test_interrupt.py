"""Ctrl-C at the worst moments, by a real signal in a real process: a whole thing or none of it.

A case patches one function so that the process sends itself SIGINT exactly there, once or twice,
and then runs the command line as a user would.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import Forks

import hft
from hft.runs.folder.writer import RunWriter
from hft.runs.ingest import synthetic
from hft.runs.result import Run

# The strategy is compiled before the forks, by which no thread starts.
IMPORTED = """
import hft.api.replays, hft.cli.app, hft.cli.data, hft.cli.replay
import hft.reports.html, hft.runs.folder.table_file, pydantic
from hft.replay.compiled import loop
from hft.runs.code.sources import find_again
from hft.runs.code.staleness import renew
from hft.strategies.base import pointer
loop()
strategy = find_again("mine.py:restless")
renew(strategy)
pointer([strategy])
"""
PRELUDE = """
import os, signal, sys
from importlib import import_module
from hft.cli import app

folder, ingest = (import_module(f"hft.runs.{name}") for name in ("folder.writer", "ingest"))
table_file = import_module("hft.runs.folder.table_file")
html, atomic = import_module("hft.reports.html"), import_module("hft.storage.atomic")
replaying = import_module("hft.replay.run")

def ctrl_c(times=1):
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)

def at(owner, name, call, times=1, after=False):
    real, count = getattr(owner, name), [0]
    def patched(*args, **named):
        count[0] += 1
        if count[0] != call:
            return real(*args, **named)
        if after:
            found = real(*args, **named)
            ctrl_c(times)
            return found
        ctrl_c(times)
        return real(*args, **named)
    setattr(owner, name, patched)

def while_ending(owner, name, times):
    # Further presses while a first one is on its way up.
    real = getattr(owner, name)
    def patched(*args, **named):
        if sys.exc_info()[0] is KeyboardInterrupt:
            ctrl_c(times)
        return real(*args, **named)
    setattr(owner, name, patched)

def killed_at(owner, name, call):
    # The process is gone at that call; nobody can tidy up.
    real, count = getattr(owner, name), [0]
    def patched(*args, **named):
        count[0] += 1
        if count[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **named)
    setattr(owner, name, patched)
"""
STRATEGY = """
import hft

@hft.strategy(every="1s", state={"n": 0}, track=("n",))
def restless(view, order, p, s):
    s["n"] += 1
    order.quote(0, view.bid_tick - s["n"] % 5, 1)
"""
Process = Callable[[Path, str, list[str]], "subprocess.CompletedProcess[str]"]
FORKS: dict[Path, Forks] = {}  # home -> the process whose forks run in it
REPLAY = ["replay", "run", "tapes", "-s", "mine.py:restless"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with tapes, a strategy and one whole run of it in `whole`."""
    path = tmp_path_factory.mktemp("home")
    synthetic(seed=6, out=path / "tapes", events=20_000)
    (path / "mine.py").write_text(STRATEGY)
    done = from_nothing(path, "", [*REPLAY, "--out", "whole"])
    assert done.returncode == 0, done.stderr
    FORKS[path] = Forks(path, IMPORTED)
    yield path
    FORKS.pop(path).close()


def hft_process(home: Path, patch: str, words: list[str]) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, forked from one that has imported hft."""
    return FORKS[home].run(_script(patch, words), home)


def _script(patch: str, words: list[str]) -> str:
    return f"{PRELUDE}\n{patch}\nsys.exit(app.run({words!r}))\n"


def from_nothing(home: Path, patch: str, words: list[str]) -> "subprocess.CompletedProcess[str]":
    """The same in a process that imports hft itself."""
    command = [sys.executable, "-c", _script(patch, words)]
    return subprocess.run(command, cwd=home, text=True, capture_output=True, timeout=200)


def interrupted(home: Path, patch: str, words: list[str], process: Process = hft_process) -> str:
    """The words of a command that Ctrl-C ended; never a traceback."""
    done = process(home, patch, words)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    assert "interrupted" in done.stderr
    return done.stderr


def whole_of(home: Path) -> Run:
    return hft.load("last", home / "whole")


@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("a table", 'at(table_file.TableFile, "add", 40)'),
        ("the journal", 'at(folder.StepJournal, "take", 2)'),
        ("the end of a write", 'at(folder.RunWriter, "take", 2, after=True)'),
        ("two in a write", 'at(folder.StepJournal, "take", 2, times=2)'),
        ("three in a write", 'at(folder.StepJournal, "take", 2, times=3)'),
        ("four between the halves", 'at(folder.RunWriter, "take", 2, times=4, after=True)'),
        (
            "two and a hasty third",
            'at(table_file.TableFile, "add", 40); while_ending(replaying, "deliver", 2)',
        ),
    ],
)
def test_ctrl_c_in_a_write_keeps_every_record_once_and_the_run_can_go_on(
    home: Path, name: str, patch: str
) -> None:
    out = name.replace(" ", "_")
    said = interrupted(home, patch, [*REPLAY, "--out", out])
    assert "kept in" in said and "--resume" in said
    (run,) = [Run.open(path) for path in (home / out).iterdir()]
    assert run.partial and run.digest
    seqs = [seq for steps in run.steps() for seq in steps["seq"].tolist()]
    assert seqs == list(range(1, run.totals["steps"] + 1)), "each step once, up to where it stopped"
    whole = whole_of(home)
    assert 0 < run.decisions.height < whole.decisions.height
    assert run.decisions.equals(whole.decisions.head(run.decisions.height))
    assert run.totals["decisions"] == run.decisions.height
    assert_resumed_is_whole(home, out, run)


def assert_resumed_is_whole(home: Path, out: str, run: Run) -> None:
    """Resumed, the run has every record of the one that nobody stopped, once."""
    done = hft_process(home, "", [*REPLAY, "--out", out, "--resume", run.id])
    assert done.returncode == 0, done.stderr
    resumed = next(
        Run.open(path) for path in (home / out).iterdir() if not path.name.endswith(".partial")
    )
    whole = whole_of(home)
    assert resumed.digest == whole.digest
    for table in ("decisions", "events", "fills", "equity", "series"):
        assert getattr(resumed, table).equals(getattr(whole, table)), table
    assert not list(resumed.path.glob(".*.rows")), "what a resumed run would need is gone"


@pytest.mark.parametrize("record", ["full", "summary"])
def test_a_run_that_is_killed_outright_goes_on_from_its_last_snapshot(
    home: Path, monkeypatch: pytest.MonkeyPatch, record: str
) -> None:
    monkeypatch.setenv("HFT_RUNS_SNAPSHOT_S", "0.000001")
    words = [*REPLAY, "--record", record, "--out", f"killed_{record}"]
    done = hft_process(home, 'killed_at(folder.RunWriter, "take", 3)', words)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (run,) = [Run.open(path) for path in (home / f"killed_{record}").iterdir()]
    assert run.partial and run.resumable and not run.digest
    if record == "full":
        assert_resumed_is_whole(home, f"killed_{record}", run)
        return
    again = hft_process(home, "", ["--json", *words, "--resume", run.id])
    assert again.returncode == 0, again.stderr
    resumed = Run.open(home / json.loads(again.stdout)["path"])
    whole = whole_of(home)
    assert resumed.digest == whole.digest
    assert resumed.fills.equals(whole.fills) and resumed.equity.equals(whole.equity)


def test_without_a_snapshot_a_killed_run_says_that_it_begins_again(home: Path) -> None:
    done = hft_process(home, 'killed_at(folder.RunWriter, "take", 2)', [*REPLAY, "--out", "lost"])
    assert done.returncode == -signal.SIGKILL
    (run,) = (home / "lost").iterdir()
    name = run.name.removesuffix(".partial")
    said = hft_process(home, "", [*REPLAY, "--out", "lost", "--resume", name])
    assert said.returncode == 78 and "has no snapshot to resume from" in said.stderr


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_a_whole_run_is_sealed_leaves_it_sealed(home: Path, times: int) -> None:
    out = f"sealing{times}"
    patch = f'at(folder, "summarize", 1, times={times})'
    said = interrupted(home, patch, [*REPLAY, "--out", out])
    (run,) = [Run.open(path) for path in (home / out).iterdir()]
    assert not run.partial and run.digest == whole_of(home).digest
    assert str(run.path.name) in said
    again = hft_process(home, "", ["--json", *REPLAY, "--out", out])
    assert Path(json.loads(again.stdout)["path"]).name == run.path.name, "it is found again"


def test_a_third_ctrl_c_gives_up_the_seal_but_never_seals_a_torn_run(home: Path) -> None:
    patch = 'at(folder, "summarize", 1, times=3)'
    interrupted(home, patch, [*REPLAY, "--out", "torn"])
    (left,) = (home / "torn").iterdir()
    assert left.name.endswith(".partial")
    done = hft_process(home, "", ["--json", *REPLAY, "--out", "torn"])
    assert json.loads(done.stdout)["digest"] == whole_of(home).digest


@pytest.mark.parametrize("before", ["", "the report of yesterday"])
def test_ctrl_c_while_a_report_is_written_leaves_the_old_one_or_none(
    home: Path, before: str
) -> None:
    report = home / "report.html"
    report.unlink(missing_ok=True)
    if before:
        report.write_text(before)
    words = ["replay", "show", "last", "--out", "whole", "--report", "report.html"]
    for patch in (
        'at(html, "_money", 1)',
        'at(atomic, "sync_file", 1)',
    ):
        interrupted(home, patch, words)
        assert (report.read_text() if report.exists() else "") == before
        assert not list(home.glob(".report*"))


def test_ctrl_c_while_tapes_are_written_leaves_all_of_them_or_none(home: Path) -> None:
    rows: list[str] = ["ts,bid,ask,bid_qty,ask_qty"]
    day = 86_400_000_000_000
    rows += [f"{1_700_000_000_000_000_000 + k * day // 10},9.5,10.5,5,5" for k in range(40)]
    (home / "days.csv").write_text("\n".join(rows) + "\n")
    words = ["data", "ingest", "days.csv", "--symbol", "X", "--tick", "0.5", "--lot", "1"]
    patches = {
        "first": 'at(ingest, "write_tape", 2)',
        "synced": 'at(atomic, "sync_file", 3)',
    }
    for name, patch in patches.items():
        interrupted(home, patch, [*words, "--out", name])
        assert not (home / name).exists()
    # While they get their names, all of them do.
    interrupted(home, 'at(os, "replace", 2)', [*words, "--out", "named"])
    done = hft_process(home, "", ["--json", "data", "verify", "named"])
    assert done.returncode == 0 and len(json.loads(done.stdout)) == 5
    assert not list((home / "named").glob(".*"))


def test_ctrl_c_while_the_kernels_are_first_compiled_leaves_nothing(home: Path) -> None:
    environment = os.environ | {"HFT_CACHE_DIR": str(home / "empty_cache")}
    words = [sys.executable, "-m", "hft.cli.app", *REPLAY, "--out", "early"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(words, cwd=home, text=True, env=environment, **pipes)
    begun = time.monotonic()
    while not any((home / "empty_cache").rglob("*.nbc")):
        assert process.poll() is None and time.monotonic() < begun + 100
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err and "interrupted" in err
    assert not (home / "early").exists()


def test_ctrl_c_in_a_callback_of_the_compiler_is_heard_after_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HFT_CACHE_DIR", str(home / "callback_cache"))
    patch = """
from numba.core.registry import cpu_target
from hft.storage.interrupts import hear
hear()
engine, sent = cpu_target.target_context._internal_codegen._engine._ee, []
real = engine._object_cache_notify
def noticed(module, buffer):
    if not sent:
        sent.append(ctrl_c())
    return real(module, buffer)
engine._object_cache_notify = noticed
"""
    interrupted(home, patch, [*REPLAY, "--out", "callback"], from_nothing)
    assert not (home / "callback").exists()


def test_ctrl_c_in_a_finalizer_is_heard_after_it() -> None:
    script = """
import os, signal, time
from hft.storage.interrupts import hear
class Late:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
hear()
try:
    Late()
    time.sleep(600)
except KeyboardInterrupt:
    print("heard")
"""
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "heard\n", "")


def test_a_handler_of_the_caller_stays_in_charge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = RunWriter.take

    def noisy(self: RunWriter, *arrays: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        real(self, *arrays)  # type: ignore[arg-type]

    monkeypatch.setattr(RunWriter, "take", noisy)
    tapes = synthetic(seed=6, out=tmp_path / "t", events=3_000)
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        run = hft.replay(tapes, "two_sided", out=tmp_path / "runs")
        assert not run.partial and seen
    finally:
        signal.signal(signal.SIGINT, before)
