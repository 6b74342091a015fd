"""Sessions on paper as sources of the recorder: their steps as far as they are durable, by name."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hft.api.recorder import Place
from hft.core.errors import DataError, HftError, JournalError
from hft.recorder.follow import Follower, verify_steps
from hft.recorder.pressure import DiskPressureMonitor, Level
from hft.recorder.segments import writer_of
from hft.recorder.steps import Names
from hft.recorder.tally import WriterTally
from hft.recorder.verify import Verified
from hft.recorder.wal_first import WALFirstWriter
from hft.runs.folder.journal import read_steps
from hft.runs.folder.layout import JOURNAL as STEPS
from hft.runs.folder.layout import MANIFEST, NAMES, read_json
from hft.runs.folder.names import RunNames
from hft.services.paper.journal import read
from hft.services.paper.plan import Plan
from hft.storage.disk import REAL

JOURNAL, OVER = "journal", "ended"
LOOK_S = 1.0


@dataclass(frozen=True)
class Session:
    """A session of a home. Its steps are read from the folder of its run."""

    plan: Plan
    home: Path

    @property
    def name(self) -> str:
        return self.plan.session

    @property
    def journal(self) -> Path:
        """One that is over is laid aside, also while somebody follows it."""
        aside = self.home / OVER / self.name / JOURNAL
        return aside if aside.is_dir() else self.home / JOURNAL

    @property
    def has_ended(self) -> bool:
        """Does nothing come any more?"""
        return bool(read(self.journal).ended)

    @property
    def run(self) -> Path:
        """The folder of its run. Raises: DataError where there is none."""
        for folder in sorted(Path(self.plan.out).glob("*/"), reverse=True):
            try:
                manifest = read_json(folder / MANIFEST)
            except (HftError, OSError, ValueError):
                continue
            if (manifest.get("paper") or {}).get("session") == self.name:
                return folder
        raise DataError(f"{self.plan.out}: no run of session {self.name} is there")

    @property
    def seen_ns(self) -> int | None:
        """How far its tapes had gone by; None where they went by to their end."""
        history = read(self.journal)
        if history.ended == "the tapes ended":
            return None
        return history.mark.at_ns if history.mark else 0

    def names(self) -> Names:
        """The words of its steps."""
        found = RunNames.from_json(read_json(self.run / NAMES))
        return Names(self.name, found.strategies, found.symbols)

    def steps(self) -> Iterator[np.ndarray]:
        """Its steps in order: those that no life after this one can decide otherwise."""
        history = read(self.journal)
        durable = None if history.ended else history.mark.step if history.mark else 0
        at = 0
        for block in read_steps(self.run / STEPS):
            part = block if durable is None else block[: max(0, durable - at)]
            at += len(block)
            if len(part):
                yield part


def session_of(home: str | Path, name: str | None = None) -> Session:
    """The session of a home that runs, or ran last; or the one of this name.

    Raises: DataError where there is none.
    """
    folder = Path(home)
    found = [folder, *sorted((folder / OVER).glob("*/"), reverse=True)]
    for place in found:
        plan = Plan.load(place)
        if plan is not None and name in (None, plan.session):
            return Session(plan, folder)
    what = f"session {name}" if name else "no session"
    raise DataError(f"{folder}: {what} is not there" if name else f"{folder}: {what} is there")


def record(
    place: Place,
    session: Session,
    *,
    follow: bool = False,
    degrade: Callable[[str], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Put a session's new steps on disk, in a folder of its own; returns how many.

    With `follow` until the session has ended. `degrade` is called, with why, when the disk is about
    to be too full. Raises: JournalError, Busy where another recorder follows it.
    """
    monitor = place.monitor()
    if degrade is not None:
        monitor.add_hook(_asks(monitor, degrade))
    writer = open_writer(place, session.name, monitor)
    monitor.start()
    tally, new = WriterTally(writer), 0
    try:
        while True:
            ended = session.has_ended
            new += _pass(writer, session)
            writer.tick()
            tally.beat()
            if ended or not follow:
                return new
            sleep(LOOK_S)
    finally:
        monitor.stop()
        tally.beat()
        writer.close()


def open_writer(
    place: Place, name: str, monitor: DiskPressureMonitor | None = None
) -> WALFirstWriter:
    """The one writer of a folder; an id that no other has is given to a new one. Raises: Busy."""
    return WALFirstWriter(
        place.wal,
        f"{name}-{secrets.token_hex(4)}",
        monitor or place.monitor(),
        sizes=place.options.sizes,
        reserve_bytes=place.options["reserve_mb"] << 20,
    )


def _pass(writer: WALFirstWriter, session: Session) -> int:
    """Everything that is new; a run that was made again meanwhile is read the next time."""
    try:
        follower = Follower(writer, session.names())
    except DataError:
        if session.has_ended:
            raise
        return 0
    return follower.follow(session.steps())


def _asks(
    monitor: DiskPressureMonitor, degrade: Callable[[str], None]
) -> Callable[[Level, Level], None]:
    def hook(old: Level, new: Level) -> None:
        if new == Level.HALT:
            free = monitor.reading.free >> 20
            degrade(f"the recorder's disk: {free} MB free")

    return hook


def verify_session(place: Place, session: Session) -> Verified:
    """Compare the tables with the session's journal, row by row."""
    writer_id = writer_of(place.wal, REAL)
    if not writer_id:
        raise JournalError(
            f"{place.wal}: session {session.name} was not recorded; `hft recorder load --home`"
        )
    with place.prepared():
        return verify_steps(session.steps(), session.names(), writer_id, place.target)


__all__ = ["Session", "open_writer", "record", "session_of", "verify_session"]
