"""One life of a session on paper in its home: it is run, and laid aside when it is over."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hft.api.acknowledged import LOCK
from hft.api.one_replay import GB
from hft.runs.execute import execute
from hft.runs.folder.layout import MANIFEST, PARTIAL
from hft.runs.job import Job
from hft.runs.result import Run, as_run
from hft.services.paper.board import Board
from hft.services.paper.journal import PaperJournal
from hft.services.paper.mailbox import MAILBOX
from hft.services.paper.plan import FILE, Plan
from hft.services.paper.session import PaperSession, World

JOURNAL, OVER = "journal", "ended"


@dataclass(frozen=True)
class Paper:
    """What a session left: its run, and how it ended."""

    run: Run
    session: str
    ended: str
    lives: int
    home: Path

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "session": self.session,
            "ended": self.ended,
            "lives": self.lives,
            "home": str(self.home),
            "run": self.run.to_json(),
        }


def live(plan: Plan, job: Job, folder: Path, settings: Any, world: World) -> Paper:
    """Run it to its end. Raises: HftError."""
    journal = PaperJournal(folder / JOURNAL, plan.session, world.wall_ns())
    try:
        os.utime(folder / LOCK)  # what the board shows from before is of another process
        (folder / MAILBOX).mkdir(exist_ok=True)
        _remove_unsealed(plan)
        session = PaperSession(plan, job, journal, folder, board=Board(folder), world=world)
        done = as_run(
            execute,
            job,
            advised=False,
            record=plan.record,
            out=plan.out,
            fresh=True,
            max_journal_bytes=int(settings.runs_max_journal_gb * GB),
            pace=session,
        )
    finally:
        journal.close()
    keep_aside(folder, plan.session)
    lives = journal.history.lives + 1
    return Paper(done, plan.session, str(done.manifest["paper"]["ended"]), lives, folder)


def keep_aside(folder: Path, session: str) -> None:
    """Lay a session that is over aside; its home is free for another."""
    aside = folder / OVER / session
    aside.mkdir(parents=True, exist_ok=True)
    for name in (JOURNAL, FILE):
        if (folder / name).exists():
            os.replace(folder / name, aside / name)


def _remove_unsealed(plan: Plan) -> None:
    """What a killed life left of its run: it is made again from the journal."""
    for folder in Path(plan.out).glob(f"*{PARTIAL}"):
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if manifest.get("paper", {}).get("session") == plan.session:
            shutil.rmtree(folder, ignore_errors=True)
