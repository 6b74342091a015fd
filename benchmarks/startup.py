"""Wall time of whole commands, as a person at a terminal meets it: a fresh process each time."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.environments import ROOT, NotMeasured
from benchmarks.measure import Series


def hft_command() -> list[str]:
    """The `hft` script of the Python that runs this.

    Raises: NotMeasured, where hft is not installed in it.
    """
    script = Path(sys.executable).with_name("hft.exe" if sys.platform == "win32" else "hft")
    if not script.exists():
        raise NotMeasured("hft is not installed beside this Python, so there is no `hft` command")
    return [str(script)]


def wall_times(
    command: Sequence[str], runs: int, before: Callable[[int], None] | None = None
) -> Series:
    """Seconds of `runs` processes after one that warms the caches; `before(i)` is not counted."""
    seconds = []
    for run in range(runs + 1):
        if before:
            before(run)
        start = time.perf_counter()
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ.copy(), capture_output=True, text=True, timeout=300
        )
        seconds.append(time.perf_counter() - start)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise NotMeasured(f"the command ended with code {done.returncode}: {said[-1][:200]}")
    return Series(tuple(seconds[1:]))
