"""Copies of tapes under a replay folder: what stays can be verified, what nobody needs goes."""

import json
import os
from pathlib import Path

import numpy as np

import hft
from hft.feeds.base import DecodeOptions
from hft.feeds.synthetic import synthesize
from hft.research.backtest import Rules
from hft.research.data.tapes import from_tapes
from hft.research.execution.retention import prune
from hft.research.execution.simulation import replay_alpha
from hft.runs.ingest import write_feeds
from hft.runs.result import Run


def copy_of(folder: Path, name: str, age: int) -> Path:
    path = folder / "tapes" / name
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")
    os.utime(path, (1_000_000_000 - age, 1_000_000_000 - age))
    return path


def run_on(folder: Path, copy: Path, name: str = "one") -> Path:
    path = folder / "runs" / name
    path.mkdir(parents=True)
    tapes = {"tapes": [{"path": str(copy / "day.tape.arrow")}]}
    (path / "manifest.json").write_text(json.dumps(tapes))
    return path


def test_the_newest_stay_and_so_does_every_copy_that_a_run_names(tmp_path: Path) -> None:
    copies = [copy_of(tmp_path, f"{k:016x}", age=k) for k in range(6)]
    run_on(tmp_path, copies[5])
    assert prune(tmp_path, kept=2) == [copies[2], copies[3], copies[4]]
    assert [path.is_dir() for path in copies] == [True, True, False, False, False, True]
    assert prune(tmp_path, kept=2) == []


def test_folders_that_are_no_copies_are_left_alone(tmp_path: Path) -> None:
    own = copy_of(tmp_path, "my-tapes", age=9)
    link = tmp_path / "tapes" / ("a" * 16)
    link.symlink_to(own)
    assert prune(tmp_path, kept=0) == [] and own.is_dir() and link.is_symlink()
    assert prune(tmp_path / "nothing", kept=0) == []


def test_a_damaged_run_keeps_every_copy(tmp_path: Path) -> None:
    copies = [copy_of(tmp_path, f"{k:016x}", age=k) for k in range(3)]
    run = run_on(tmp_path, copies[0])
    (run / "manifest.json").write_text("{")
    assert prune(tmp_path, kept=0) == [] and all(path.is_dir() for path in copies)


def test_runs_that_stay_still_verify(tmp_path: Path) -> None:
    feed = synthesize(3, events=6_000, span_ns=300_000_000_000)
    tapes = write_feeds([feed], tmp_path / "tape", DecodeOptions(format="synthetic"))
    data, folder = from_tapes(tapes, "1s"), tmp_path / "replays"
    for seed in range(3):
        signal = np.random.Generator(np.random.Philox(seed)).standard_normal(len(data))
        replay_alpha(data, signal, Rules(), limits=hft.Limits.research(), folder=folder)
    runs = sorted((folder / "runs").iterdir())
    copies = set((folder / "tapes").iterdir())
    assert prune(folder, kept=0) == [] and len(copies) == len(runs) == 3
    for part in sorted(runs[0].iterdir()):
        part.unlink()
    runs[0].rmdir()
    gone = prune(folder, kept=0)
    assert len(gone) == 1 and not gone[0].exists()
    assert all(Run.open(path).verify().same for path in runs[1:])
