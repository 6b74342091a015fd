"""The journal of a session on paper: each life of its process, each input, and how far it came.

The tape and the code say the rest, so a killed session is run again up to its last mark. A mark
stands in it before a command that was decided by then reaches the venue.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hft.core.errors import ConfigError, JournalError
from hft.core.json_text import line
from hft.runs.controls import Control
from hft.storage.log import LogWriter, read_segments

TOPIC, SCHEMA = "paper", b"hft-paper-1"
LIFE, INPUT, MARK, ENDED = 1, 2, 3, 4  # kinds of record


class Mark(NamedTuple):
    """All before `at_ns` of the tape is decided: `step` steps, and the run's digest so far."""

    at_ns: int
    step: int
    lanes: tuple[int, int]


@dataclass
class History:
    """What a journal says of its session. `wall_ns` is the newest time of the machine in it."""

    lives: int = 0
    inputs: list[Control] = field(default_factory=list)
    mark: Mark | None = None
    ended: str = ""
    wall_ns: int = 0
    records: int = 0


def read(folder: Path) -> History:
    """The session so far; empty where there is none. Raises: JournalError naming the record."""
    history = History()
    for segment in read_segments(folder) if folder.is_dir() else ():
        if segment.header.topic != TOPIC or segment.header.schema != SCHEMA:
            raise JournalError(
                f"{segment.path}: a journal of {segment.header.topic!r}, "
                f"{segment.header.schema.decode(errors='replace')!r}; this hft reads "
                f"{TOPIC!r}, {SCHEMA.decode()!r}; go on with the hft that began it, or begin "
                "another session with --home FOLDER"
            )
        for kind, payload in zip(segment.frames.kind, segment.payloads(), strict=True):
            history.records += 1
            try:
                _take(history, int(kind), json.loads(payload))
            except (KeyError, TypeError, ValueError) as error:
                raise JournalError(
                    f"{segment.path}: record {history.records} cannot be read: {error!r}"
                ) from None
    return history


def _take(history: History, kind: int, row: dict[str, Any]) -> None:
    history.wall_ns = max(history.wall_ns, row["wall_ns"])
    if kind == LIFE:
        history.lives += 1
    elif kind == INPUT:
        history.inputs.append(Control(**row["input"]))
    elif kind == MARK:
        history.mark = Mark(row["at_ns"], row["step"], (row["lanes"][0], row["lanes"][1]))
    else:
        history.ended = row["how"]


class PaperJournal:
    """The one writer of a session's journal; each record is on the disk when its call returns.

    Raises: Busy naming the other writer; JournalError for a journal that is damaged or of another
    session; ConfigError where the machine's clock is before the journal's last record.
    """

    def __init__(self, folder: Path, session: str, wall_ns: int) -> None:
        self.history = read(folder)
        behind_ns = self.history.wall_ns - wall_ns
        if behind_ns > 0:
            raise ConfigError(
                f"{folder}: its last record is {behind_ns / 1e9:.3f} s later than this machine's "
                "clock, which was set back; set it right, or where it is right and was ahead then, "
                "wait for so long, or begin another session with --home FOLDER"
            )
        self._log = LogWriter(
            folder, TOPIC, schema=SCHEMA, owner=session, created_ns=wall_ns, fsync="always"
        )

    def life(self, wall_ns: int, tape_ns: int, pid: int) -> None:
        """A process begins, at this time of the tape."""
        self._append(LIFE, wall_ns, {"tape_ns": tape_ns, "pid": pid})

    def input(self, wall_ns: int, control: Control, by: str = "") -> None:
        """An input, before it is heard, and who asked for it."""
        self._append(INPUT, wall_ns, {"input": control.to_dict(), "by": by})

    def mark(self, wall_ns: int, mark: Mark) -> None:
        """How far the session has come."""
        row = {"at_ns": mark.at_ns, "step": mark.step, "lanes": list(mark.lanes)}
        self._append(MARK, wall_ns, row)

    def ended(self, wall_ns: int, how: str) -> None:
        """Nothing comes after this: the session is over."""
        self._append(ENDED, wall_ns, {"how": how})

    def close(self) -> None:
        self._log.close()

    def _append(self, kind: int, wall_ns: int, row: dict[str, Any]) -> None:
        # A clock that steps back while we run moves nothing back.
        self.history.wall_ns = max(self.history.wall_ns, wall_ns)
        text = line(row | {"wall_ns": self.history.wall_ns})
        self._log.append(self.history.wall_ns, kind, text.encode())
