"""From live to tape: what a session saw is recorded, sealed as a tape, and replays to its fills.

Each tape that went by has a folder of segments of its own, whose mark is the rows recorded so far.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hft.api.recorder import Place
from hft.api.recorder_sessions import Session, open_writer
from hft.core.errors import DataError
from hft.recorder import segments
from hft.recorder.loader import ARCHIVE
from hft.recorder.tally import WriterTally
from hft.runs.execute import execute, job_of
from hft.runs.folder.layout import NAMES, read_json
from hft.runs.folder.names import RunNames
from hft.runs.folder.reader import RunReader
from hft.runs.ingest import write_settled
from hft.runs.job import Job
from hft.storage.disk import REAL
from hft.storage.log import segment_paths
from hft.tape.dataset import Tapes
from hft.tape.reader import Tape
from hft.tape.schema import DTYPES, Columns, Feed

TABLE = "market_data"
ROWS = 50_000  # of one block


@dataclass(frozen=True)
class Made:
    """The tapes of a session, and its fills replayed on them."""

    tapes: Tapes
    rows: int
    fills: int  # of the session
    equal: bool


def record_market(place: Place, session: Session) -> int:
    """Put the rows that the session has seen on disk; returns how many are new."""
    job, new = session.plan.job(), 0
    seen_ns = session.seen_ns
    for folder, tape in _folders(place, session, job):
        new += _record_tape(folder, session, tape, seen_ns)
    return new


def _record_tape(place: Place, session: Session, tape: Tape, seen_ns: int | None) -> int:
    columns = tape.columns()
    count = len(columns.kind)
    if seen_ns is not None:
        seen = np.flatnonzero(np.minimum(columns.exch_ts, columns.local_ts) <= seen_ns)
        count = int(seen[-1]) + 1 if len(seen) else 0
    writer = open_writer(place, f"{session.name}-market")
    try:
        began = writer.mark
        for at in range(began, count, ROWS):
            part = slice(at, min(at + ROWS, count))
            size = part.stop - at
            rows: dict[str, Any] = {name: getattr(columns, name)[part] for name in DTYPES}
            rows |= {"session": [session.name] * size, "symbol": [tape.symbol] * size}
            rows["seq"] = np.arange(at, part.stop)
            writer.write(TABLE, rows)
            writer.commit(mark=part.stop)
        return max(0, count - began)
    finally:
        WriterTally(writer).beat()
        writer.close()


def make_tape(place: Place, session: Session, out: str | Path, day: str | None = None) -> Made:
    """Seal what was recorded of a session as tapes in `out`, and replay the session on them.

    Raises: DataError where rows are missing, the day is none of the session's, or it runs still.
    """
    if not session.has_ended:
        raise DataError(f"session {session.name}: has not ended; its tape is made when it has")
    run = RunReader.open(session.run)
    job = job_of(run.manifest)
    days = sorted({tape.day for tape in job.tapes})
    if day is not None and days != [day]:
        raise DataError(f"session {session.name}: is of {', '.join(days)}, not of {day} alone")
    feeds = [_feed(folder, session, tape) for folder, tape in _folders(place, session, job)]
    made = write_settled(feeds, Path(out))
    with TemporaryDirectory(prefix=".tape-") as aside:
        again = execute(replace(job, tapes=made), record="full", out=aside, fresh=True)
        equal = bool(again.fills.equals(run.fills))
    return Made(made, sum(len(feed.columns.kind) for feed in feeds), len(run.fills), equal)


def _folders(place: Place, session: Session, job: Job) -> Iterator[tuple[Place, Tape]]:
    for number, tape in enumerate(job.tapes):
        yield place.of_session(f"{session.name}.market{number}"), tape


def _feed(place: Place, session: Session, tape: Tape) -> Feed:
    """The rows of one tape from its segments, loaded or not."""
    parts = list(_parts(place))
    seq = np.concatenate([part["seq"] for part in parts]) if parts else np.zeros(0, np.int64)
    wrong = np.flatnonzero(seq != np.arange(len(seq)))
    if not len(seq) or len(wrong):
        what = f"row {int(wrong[0])} is missing" if len(wrong) else "nothing was recorded"
        raise DataError(
            f"{place.wal}: {what}; `hft recorder load --home` records what a session saw, and "
            "rows that were dropped on a full disk cannot become a tape"
        )
    columns = Columns(
        *(
            np.concatenate([part[name] for part in parts]).astype(dtype)
            for name, dtype in DTYPES.items()
        )
    )
    names = RunNames.from_json(read_json(session.run / NAMES))
    (instrument,) = {
        one.symbol: one for one in names.instruments if one == tape.instrument
    }.values()
    return Feed(instrument, columns, source={**tape.source, "session": session.name})


def _parts(place: Place) -> Iterator[dict[str, np.ndarray]]:
    paths = [*segment_paths(place.wal / ARCHIVE), *segment_paths(place.wal)]
    for path in sorted(paths, key=lambda one: one.name):
        for where, batch in segments.batches_of(segments.read_whole(path, REAL)):
            if where.table == TABLE:
                names = ("seq", *DTYPES)
                yield {name: batch.column(name).to_numpy(zero_copy_only=False) for name in names}


__all__ = ["Made", "make_tape", "record_market"]
