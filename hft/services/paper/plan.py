"""What a session on paper is of: its job, its speed and when it began. Written once, and kept."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hft.core.errors import ConfigError, JournalError
from hft.core.json_text import page
from hft.runs.execute import job_of
from hft.runs.job import Job
from hft.runs.tapes import Folders
from hft.services.paper.clock import TapeClock
from hft.storage.atomic import write_atomic

FILE = "session.json"
VERSION, WATCHED = 2, 3  # a session with a dead-man timer is not for an hft that knows none
_FIELDS = ("session", "manifest", "record", "out", "root", "promotions")


@dataclass(frozen=True)
class Plan:
    """A session's name, its job as a manifest, how its time passes, and where its run goes.

    `root` is the workspace of its keys and its audit, `promotions` the folder that is watched; ""
    where there is none. `dead_man_ns`, of the machine: a silence that long kills it; 0 none.
    """

    session: str
    manifest: dict[str, Any]
    clock: TapeClock
    record: str
    out: str
    root: str = ""
    promotions: str = ""
    dead_man_ns: int = 0

    def job(self, tapes: Folders = None) -> Job:
        """The job again. Raises: DataError when a tape is gone or changed, JournalError."""
        return job_of(self.manifest, tapes)

    def save(self, home: Path) -> None:
        """Before anything is journaled."""
        rest = {name: getattr(self, name) for name in _FIELDS}
        rest |= {"version": VERSION, "clock": asdict(self.clock)}
        if self.dead_man_ns:
            rest |= {"version": WATCHED, "dead_man_ns": self.dead_man_ns}
        write_atomic(home / FILE, page(rest))

    @classmethod
    def load(cls, home: Path) -> "Plan | None":
        """The plan of a home; None where no session is. Raises: JournalError naming the file."""
        path = home / FILE
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["version"] not in (VERSION, WATCHED):
                raise JournalError(
                    f"{path}: is of version {found['version']!r}, this hft reads {WATCHED}"
                )
            given = {name: found[name] for name in _FIELDS}
            if found["version"] == WATCHED:
                given["dead_man_ns"] = found["dead_man_ns"]
            return cls(**given, clock=TapeClock(**found["clock"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{path}: cannot be read: {error!r}") from None


def refuse_other(plan: Plan, key: str, speed_e3: int, dead_man_ns: int, home: Path) -> None:
    """A session that has not ended is continued as it began. Raises: ConfigError."""
    there = (plan.manifest["key"], plan.clock.speed_e3, plan.dead_man_ns)
    if there != (key, speed_e3, dead_man_ns):
        raise ConfigError(
            f"{home}: a session of other tapes, strategy, settings or speed, or with another "
            "dead-man timer, has not ended there; "
            "`hft gateway run` without arguments continues it, --home FOLDER begins another one"
        )
