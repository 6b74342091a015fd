"""A run once more in memory, to see what another choice would have made of it."""

from collections.abc import Callable
from typing import TypeVar

from hft.replay.run import Sink, drive
from hft.runs.folder.names import RunNames
from hft.runs.job import Job
from hft.runs.prepare import prepare

ROWS = 30_000_000  # of tapes that are replayed for one question: a long run is tried fewer times
Kept = TypeVar("Kept", bound=Sink)


def can_repeat(job: Job) -> bool:
    """Compiled strategies alone, from the beginning: quick, and they do nothing but trade."""
    python = any(one.is_class or one.loop for one in job.strategies.values())
    return not python and not job.plain and job.fork is None


def repeat(job: Job, record: str, sink: Callable[[RunNames], Kept]) -> Kept:
    """Replay the job; `sink` is made with the names of what it takes, and returned."""
    session, _, digits = prepare(job, record)
    instruments = tuple(source.instrument for source in session.sources)
    kept = sink(RunNames(instruments, tuple(job.strategies), digits))
    drive(session, kept)
    return kept
