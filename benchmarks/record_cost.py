"""What it costs to keep everything: the demo's day in full beside the same at its digest."""

import shutil
from pathlib import Path
from typing import Any

from benchmarks.environments import BENCH
from benchmarks.worker import stopwatch, timed

RUNS = BENCH / "recorded"


def record_day(at_least_s: float = 2.0) -> dict[str, Any]:
    """Wall seconds from the call to the sealed folder at both levels, and what the folders hold."""
    import hft

    tapes = hft.tapes("synthetic", seed=0)
    levels: dict[str, Any] = {}
    for level in ("digest", "full"):

        def once(level: str = level) -> tuple[float, Any]:
            shutil.rmtree(RUNS, ignore_errors=True)
            seconds, run = stopwatch(
                lambda: hft.replay(
                    tapes, "market_making", seed=0, record=level, fresh=True, out=RUNS
                )
            )
            return seconds, (run, run.digest)  # read while the folder is there

        levels[level] = timed(once, at_least_s / 2)
    (digest_s, _, (_, brief)), (full_s, runs, (full, digest)) = levels["digest"], levels["full"]
    answer = {"digest_s": digest_s, "full_s": full_s, "runs": runs, "digest": digest}
    answer |= {"steps": full.totals["steps"], "same": digest == brief}
    answer |= {"megabytes": _bytes(full.path) / 1e6, "journal": _bytes(full.path / "journal") / 1e6}
    shutil.rmtree(RUNS, ignore_errors=True)
    return answer


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
