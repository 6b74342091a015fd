"""Whole commands as a person at a terminal meets them: a fresh process each time, and beside each
one of Python that does nothing, so that the ratio holds on other machines too."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.environments import ROOT, NotMeasured
from benchmarks.measure import Series


class Times(NamedTuple):
    """What one process took."""

    wall_s: float
    cpu_s: float


class Starts(NamedTuple):
    """Runs of a command and, one by one beside them, of a Python that does nothing."""

    ours: tuple[Times, ...]
    bare: tuple[Times, ...]

    @property
    def cpu_ratio(self) -> Series:
        """Processor time over that of bare Python."""
        pairs = zip(self.ours, self.bare, strict=True)
        return Series(tuple(mine.cpu_s / bare.cpu_s for mine, bare in pairs))


def hft_command() -> list[str]:
    """The `hft` script of the Python that runs this.

    Raises: NotMeasured, where hft is not installed in it.
    """
    script = Path(sys.executable).with_name("hft.exe" if sys.platform == "win32" else "hft")
    if not script.exists():
        raise NotMeasured("hft is not installed beside this Python, so there is no `hft` command")
    return [str(script)]


def starts(
    command: Sequence[str],
    runs: int,
    python: str,
    before: Callable[[int], object] | None = None,
    cwd: Path = ROOT,
    more: Mapping[str, str] | None = None,
) -> Starts:
    """`runs` processes after one that warms the caches; `before(i)` is not counted."""
    ours, bare = [], []
    for run in range(runs + 1):
        bare.append(once([python, "-c", "pass"], cwd, more))
        if before:
            before(run)
        ours.append(once(command, cwd, more))
    return Starts(tuple(ours[1:]), tuple(bare[1:]))


def once(command: Sequence[str], cwd: Path, more: Mapping[str, str] | None = None) -> Times:
    """One process, from its start to its end. Raises: NotMeasured, where it fails."""
    # What is not compiled to bytecode yet would be compiled by every process anew.
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env=variables | dict(more or {}), capture_output=True, timeout=600
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        last = (said or ["no message"])[-1][:200]
        raise NotMeasured(f"the command ended with code {done.returncode}: {last}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Times(wall, spent)
