"""Processes append to one ledger and are killed at random; nothing acknowledged is lost.

`python -m benchmarks.ledger_soak` makes 100 000 appends with 4 processes. A worker notes every
append after it was acknowledged; at the end each note must be a row of a whole chain, with its
returns. It ends with 1 where anything is missing.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hft.governance.ledger.check import Problem
from hft.governance.ledger.ledger import Ledger
from hft.research.trial import Trial

DAY_NS = 86_400 * 10**9
START_NS = 1_700_000_000 * 10**9
NOTES = "notes"


@dataclass(frozen=True)
class Soaked:
    """What a soak did and what it found."""

    appends: int
    acknowledged: int  # trials
    recorded: int  # rows
    kills: int
    lost: int
    torn_bytes: int
    problems: list[Problem]
    seconds: float
    check_seconds: float

    @property
    def good(self) -> bool:
        """No acknowledged trial is lost, no row is torn, every chain and vector is whole."""
        return not (self.lost or self.problems or self.torn_bytes)


def trial(seed: int, number: int) -> Trial:
    """A trial that no other process makes."""
    rng = np.random.Generator(np.random.Philox(key=[seed, number]))
    return Trial(
        alpha_id=f"alpha_{seed % 7}",
        family="soak",
        label_family="fwd_5s",
        canonical=f"ts_mean(x, {number}) + {seed}",
        interval=(START_NS, START_NS + 90 * DAY_NS),
        config_hash="c0",
        data_hash="d0",
        code_hash="e0",
        returns=rng.normal(0.0, 0.01, 90),
        periods_per_year=252.0,
        source="search",
        seed=seed,
    )


def work(folder: Path, writer: str, seed: int) -> None:
    """Append until killed, noting what was acknowledged."""
    ledger = Ledger.open(folder / "ledger", writer=writer)
    rng = random.Random(seed)
    note = os.open(folder / NOTES / f"{writer}-{seed}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    number, parent = 0, os.getppid()
    while os.getppid() == parent:  # never outlives the soak
        count = 1 if rng.random() < 0.9 else rng.randint(2, 30)
        recorded = ledger.append([trial(seed, number + i) for i in range(count)], START_NS)
        number += count
        line = " ".join(f"{one.trial_id}:{one.seq}:{one.hash}" for one in recorded)
        os.write(note, f"{line}\n".encode())


def start(folder: Path, writer: str, seed: int) -> subprocess.Popen:
    """One worker."""
    words = ["--work", str(folder), "--writer", writer, "--seed", str(seed)]
    return subprocess.Popen([sys.executable, "-m", "benchmarks.ledger_soak", *words])


def soak(
    folder: Path,
    appends: int,
    *,
    processes: int = 4,
    writers: int = 2,
    kill_s: float = 1.0,
    seed: int = 0,
) -> Soaked:
    """Run workers until `appends` are acknowledged, killing one at random every `kill_s` or so."""
    (folder / NOTES).mkdir(parents=True)
    rng = random.Random(seed)
    began = time.monotonic()
    names = [f"writer{at % writers}" for at in range(processes)]
    running = [start(folder, name, seed * 1000 + at) for at, name in enumerate(names)]
    started, kills = processes, 0
    try:
        while _noted(folder) < appends:
            time.sleep(rng.uniform(0.2, 1.8) * kill_s)
            at = rng.randrange(processes)
            if running[at].poll() not in (None, -signal.SIGKILL):
                raise SystemExit(f"a worker ended with {running[at].returncode}")
            running[at].kill()
            running[at].wait()
            kills += 1
            running[at] = start(folder, names[at], seed * 1000 + started)
            started += 1
    finally:
        for process in running:
            process.kill()
            process.wait()
    return _checked(folder, kills + processes, time.monotonic() - began)


def _noted(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in (folder / NOTES).iterdir())


def _checked(folder: Path, kills: int, seconds: float) -> Soaked:
    began = time.monotonic()
    ledger = Ledger.open(folder / "ledger", writer="reader")
    torn = _end_torn_lines(folder)
    notes = {}
    appends = 0
    for path in sorted((folder / NOTES).iterdir()):
        lines = path.read_text().split("\n")[:-1]  # a note that was cut short was not made
        appends += len(lines)
        for word in (word for line in lines for word in line.split()):
            trial_id, seq, row_hash = word.split(":")
            notes[trial_id] = (path.name.split("-")[0], int(seq), row_hash)
    frame = ledger.trials()
    columns = ("trial_id", "writer_id", "seq", "row_hash")
    there = {row[0]: row[1:] for row in frame.select(columns).iter_rows()}
    lost = sum(there.get(trial_id) != note for trial_id, note in notes.items())
    anchors = [{writer: {"seq": seq, "hash": found}} for writer, seq, found in notes.values()]
    problems = ledger.verify(anchors)
    checked = time.monotonic() - began
    rows = frame.height + int(frame["repeats"].sum())
    return Soaked(appends, len(notes), rows, kills, lost, torn, problems, seconds, checked)


def _end_torn_lines(folder: Path) -> int:
    """One more append by each writer cuts what a kill left; returns what is still torn then."""
    torn = 0
    for at, path in enumerate(sorted((folder / "ledger").glob("*.jsonl"))):
        ledger = Ledger.open(folder / "ledger", writer=path.stem)
        ledger.append([trial(2**40, at)], START_NS)
        torn += ledger.chain.verify().torn_bytes
    return torn


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appends", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--kill-s", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--writer", default="")
    parser.add_argument("--work", type=Path)
    given = parser.parse_args()
    if given.work:
        work(given.work, given.writer, given.seed)
        return 0
    with tempfile.TemporaryDirectory() as name:
        found = soak(
            Path(name) / "soak",
            given.appends,
            processes=given.processes,
            writers=given.writers,
            kill_s=given.kill_s,
            seed=given.seed,
        )
    print(
        f"{found.appends} appends ({found.acknowledged} trials) acknowledged by "
        f"{given.processes} processes in {found.seconds:.0f} s, {found.kills} of them killed; "
        f"{found.recorded} rows; lost {found.lost}, torn {found.torn_bytes} bytes, "
        f"{len(found.problems)} problems; checked in {found.check_seconds:.1f} s"
    )
    for problem in found.problems[:10]:
        print(problem.sentence)
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
