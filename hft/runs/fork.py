"""Fork a run: the same until a step, then another parameter; what would have come of it?

A fork is a run of its own, with journal, report and digest. It is part of its configuration, so
that it can be verified; `diff` with the first run names where they part.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError
from hft.runs.durations import when
from hft.runs.execute import execute, job_of
from hft.runs.folder.reader import RunReader
from hft.runs.job import Fork
from hft.runs.tapes import Folders


def fork(
    run: RunReader,
    at: Any,
    params: Mapping[str, Any],
    *,
    out: str | Path | None = None,
    record: str | None = None,
    tapes: Folders = None,
    progress: Callable[[int, int], None] | None = None,
) -> RunReader:
    """Replay `run` to step `at` (or the last step before a time) and go on with other parameters.

    Raises: ConfigError for what cannot be forked; DataError when a tape is gone.
    """
    if not params:
        raise ConfigError("a fork changes a parameter; give one, such as half_ticks=2")
    job = job_of(run.manifest, tapes)
    if job.fork is not None:
        raise ConfigError(f"{run.path}: is a fork itself; fork the run that it came from")
    if len(job.strategies) != 1:
        raise ConfigError(f"{run.path}: a fork changes one strategy, this run has several")
    ((name, strategy),) = job.strategies.items()
    if strategy.loop or strategy.is_class:
        raise ConfigError(f"strategy {name!r}: only compiled strategies can be forked")
    changed = strategy.with_params(params)
    values = {key: changed.params[key] for key in params}
    step = _step(run, at)
    forked = job.forked(Fork(step, {name: values}))
    folder = run.path.parent if out is None else out
    return execute(forked, record=record or run.record, out=folder, progress=progress)


def _step(run: RunReader, at: Any) -> int:
    """The number of a step inside the run. Raises: ConfigError."""
    steps = int(run.totals.get("steps", 0))
    if isinstance(at, str) and at.isdecimal():
        at = int(at)
    if isinstance(at, bool) or not isinstance(at, int):
        at = _step_before(run, when(at, "at"))
    if not 0 < at < steps:
        raise ConfigError(f"at: {at} is not a step inside the run, 1 to {steps - 1}")
    return int(at)


def _step_before(run: RunReader, ts_ns: int | None) -> int:
    """The last step before a time, from the journal."""
    assert ts_ns is not None
    last = 0
    for steps in run.steps():
        before = steps["ts_ns"] < ts_ns
        if before.any():
            last = int(steps["seq"][before][-1])
        if not before.all():
            break
    return last
