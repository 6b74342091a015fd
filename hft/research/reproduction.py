"""The figures once more, in fresh processes that differ in everything that must not matter.

Each has another hash seed, number of threads and order of files, and prints one digest. A process
that fails gives none, and its last words are kept.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import polars as pl

from hft.research.data.dataset import ResearchData
from hft.research.measures.measurement import Options

TIMEOUT_S = 600
THREADS = ("1", "2", "1")


def digests(
    root: Path,
    alpha_id: str,
    data: ResearchData,
    paths: Any,
    options: Options,
    runs: int,
    environment: Mapping[str, str],
) -> tuple[list[str], str]:
    """The digests of fresh processes, each in another environment, and a failing one's words.

    They run at the same time, since each does all the work again.
    """
    found, said = [], ""
    with _as_files(data, paths) as files, contextlib.ExitStack() as started:
        processes = []
        for run in range(runs):
            job = {
                "root": str(root),
                "alpha_id": alpha_id,
                "paths": list(reversed(files)) if run % 2 else list(files),
                "split": data.split,
                "options": options.to_dict(),
            }
            processes.append(started.enter_context(_begun(job, run, environment)))
        deadline = time.monotonic() + TIMEOUT_S * runs  # on one core they take turns
        for process in processes:
            answer = _ended(process, deadline)
            if answer.returncode == 0 and answer.stdout.strip():
                found.append(answer.stdout.split()[-1])
            else:
                said = _last_words(answer)
    return found, said


def _last_words(answer: "subprocess.CompletedProcess[str]") -> str:
    """Why a process gave no digest; one that ended without a word was ended by the alpha."""
    lines = answer.stderr.strip().splitlines()
    if lines and answer.returncode > 0:
        return lines[-1][-2000:]
    return f"the alpha ended the process (exit code {answer.returncode})"


@contextlib.contextmanager
def _begun(
    job: dict[str, Any], run: int, inherited: Mapping[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """A process at work on the job; one that still runs at the end is killed."""
    environment = {
        **inherited,
        "PYTHONHASHSEED": str(run * 7919 + 1),
        "POLARS_MAX_THREADS": THREADS[run % len(THREADS)],
        "OMP_NUM_THREADS": THREADS[(run + 1) % len(THREADS)],
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    with TemporaryFile("w+") as asked:
        json.dump(job, asked)
        asked.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",  # an alpha may say what is no text
            env=environment,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _ended(process: "subprocess.Popen[str]", deadline: float) -> "subprocess.CompletedProcess[str]":
    """What the process said, once it has ended or its time is up."""
    try:
        # A second at least: one that has ended long ago is still to be read.
        told = process.communicate(timeout=max(1.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        said = f"took longer than {TIMEOUT_S} s a process"
        return subprocess.CompletedProcess(process.args, 1, "", said)
    return subprocess.CompletedProcess(process.args, process.returncode, *told)


@contextlib.contextmanager
def _as_files(data: ResearchData, paths: Any) -> Iterator[Sequence[str]]:
    """The data as files that another process can read."""
    if isinstance(paths, str | Path):
        paths = [paths]
    if isinstance(paths, list | tuple) and all(isinstance(one, str | Path) for one in paths):
        yield [str(Path(one).resolve()) if Path(one).exists() else str(one) for one in paths]
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        frame: pl.DataFrame = data.frame
        frame.write_parquet(file)
        yield [str(file)]


def main() -> None:
    """Read a job from stdin, print the digest of its figures."""
    from hft.research.alphas import loader, signals
    from hft.research.backtest import Rules
    from hft.research.data.load import load
    from hft.research.measures.measurement import measure
    from hft.research.workspace import Workspace

    job = json.load(sys.stdin)
    alpha = loader.load(Workspace(Path(job["root"])), job["alpha_id"])
    given = dict(job["options"])
    options = Options(**(given | {"rules": Rules(**given["rules"])}))
    split = job["split"]
    data = load(
        job["paths"],
        fields=alpha.manifest.data_fields,
        horizon_ns=options.horizon_ns,
        split=None if split == "whole" else split,
    )
    print(measure(data, signals.evaluate(alpha, data), options).digest)


if __name__ == "__main__":
    main()
