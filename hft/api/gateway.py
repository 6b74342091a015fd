"""The gateway as a process that lives: run it on paper, ask it, and prove what it did.

A session has a folder, its home: what it is of, its journal, and where it is asked.
"""

import getpass
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hft.api.acknowledged import LOCK, is_running
from hft.api.attest_pack import CONTROLS as OF_SESSIONS
from hft.api.attest_session import House
from hft.api.one_replay import job_asked
from hft.api.paper_files import outside, places
from hft.api.paper_life import JOURNAL, OVER, Paper, keep_aside, live
from hft.core.errors import ConfigError, DataError, HftError, JournalError, Unavailable
from hft.replay.paced import refuse_loops
from hft.runs.controls import parse, rows
from hft.runs.durations import bounded_ns
from hft.runs.job import Job
from hft.runs.result import Run
from hft.runs.verify import Verdict, verify
from hft.services.attest.bench import Bench
from hft.services.attest.pack import ABSENT, CONTROLS
from hft.services.attest.report import Attested
from hft.services.attest.report import attest as attest_all
from hft.services.paper.board import FILE as BOARD
from hft.services.paper.board import read_board
from hft.services.paper.checked import CHECK
from hft.services.paper.clock import TapeClock, speed_e3
from hft.services.paper.journal import read
from hft.services.paper.mailbox import MAILBOX, ask, keep
from hft.services.paper.plan import FILE, Plan, refuse_other
from hft.services.paper.session import World, refuse_instant
from hft.settings import load_settings
from hft.storage.lock import locked

HOME = "gateway"
DEMO_SPEED = 20.0
OURS = (LOCK, BOARD, FILE, JOURNAL, OVER)  # one of these lies in every home
FRESH_NS = 5_000_000_000  # a session shows itself several times a second
LOOK_S = 0.3  # longer than somebody looks whether the home is in use
DEAD_MAN_NS = 100_000_000  # the least: the session looks every few ms, other processes may not
LATENCY = "5ms"  # each way, where no venue is given


def run(
    tapes: Any = None,
    strategy: Any = None,
    *,
    speed: float | None = None,
    home: str | Path = HOME,
    record: str | None = None,
    out: str | Path | None = None,
    dead_man: str | int = 0,
    world: World | None = None,
    tell: Callable[[str], None] | None = None,
    **asked: Any,
) -> Paper:
    """Trade on paper while the tapes go by, until they end or somebody stops it.

    Without `tapes` and `strategy` the session that has not ended in `home` goes on, at the tape's
    time; where there is none, a synthetic market is quoted. `speed` is times real time. Without a
    `venue` each way takes 5 ms. With `dead_man` (such as "5s", of the machine's clock) a session
    that is not asked `beat` for that long is killed. The rest is as in `hft.replay`. Raises: Busy
    where another process runs it, ConfigError, DataError.
    """
    folder = Path(home)
    settings = load_settings()
    job, given = None, 0
    watch_ns = bounded_ns(dead_man, "dead_man", DEAD_MAN_NS) if dead_man else 0
    if not (tapes is None and strategy is None and not asked and not watch_ns):
        job, given = _job(
            tapes, strategy, speed, settings, asked
        )  # refused before anything is made
    _refuse_foreign(folder)
    made = not folder.exists()
    with locked(folder / LOCK, wait_s=LOOK_S, doing="runs this gateway"):
        plan = _open_plan(folder)
        is_new = plan is None
        if job is None and plan is not None:
            job = plan.job()
        else:
            if job is None:
                job, given = _job(None, None, speed, settings, asked)
            if plan is not None:
                refuse_other(plan, job.manifest()["key"], given, watch_ns, folder)
            else:
                plan = _new_plan(
                    job, given, record, out, settings, asked.get("promotions"), watch_ns
                )
                plan.save(folder)
        try:
            there = outside(plan, job, world or World(), tell or (lambda said: None))
            return live(plan, job, folder, settings, there)
        except HftError:
            if is_new:
                _forget(folder, made)
            raise


def _job(
    tapes: Any, strategy: Any, speed: float | None, settings: Any, asked: dict[str, Any]
) -> tuple[Job, int]:
    """The job of a call and its speed, in thousandths. Raises: HftError."""
    if asked.get("venue") is None:
        asked["venue"] = {"latency": LATENCY}
    given = speed_e3((DEMO_SPEED if tapes is None else 1.0) if speed is None else speed)
    job = job_asked(
        "synthetic" if tapes is None else tapes,
        "market_making" if strategy is None else strategy,
        settings,
        dated=False,
        **asked,
    )
    refuse_instant(job.venue)
    refuse_loops(list(job.strategies.values()))
    return job, given


def _forget(folder: Path, made: bool) -> None:
    """A session that was refused before it began leaves nothing: its home is as it was."""
    try:
        if read(folder / JOURNAL).lives:
            return
    except HftError:
        return
    if made:
        shutil.rmtree(folder, ignore_errors=True)
        return
    (folder / FILE).unlink(missing_ok=True)
    shutil.rmtree(folder / JOURNAL, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    """Raises: ConfigError for a home that is a file, or a folder of other things."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: is a file; name a folder with --home, or a new one")
    if not folder.is_dir() or any((folder / name).exists() for name in OURS):
        return
    other = sorted(path.name for path in folder.iterdir())
    if other:
        raise ConfigError(
            f"{folder}: is a folder of other things ({other[0]}); a session has a folder of its "
            "own, so name an empty one with --home, or a new one"
        )


def status(home: str | Path = HOME) -> dict[str, Any]:
    """How the session of a home is: the newest page of its board, and does its process live?

    `alive`: it wrote the page lately; `begins`: a process is there which did not, since it begins
    or hangs. Raises: Unavailable where none ever ran.
    """
    folder = Path(home)
    page = read_board(folder)
    there = is_running(folder)
    is_ours = there and page["wall_ns"] >= (folder / LOCK).stat().st_mtime_ns
    alive = is_ours and time.time_ns() - page["wall_ns"] <= FRESH_NS
    more = {"alive": alive, "begins": there and not alive}
    return page | more | {name: page[name] and alive for name in ("running", "leader_active")}


def request(home: str | Path, entry: dict[str, Any]) -> int:
    """Ask a running session: an entry as in a file of control inputs, without `at`.

    Returns: the tape's time at which it was heard, ns; it is on the disk then. Raises: Unavailable
    where none runs, ConfigError for what it refuses. A kill for a session whose process is not
    there is kept, and holds before the next one decides anything.
    """
    return int(_ask(home, entry)["at_ns"])


def check(home: str | Path, **order: Any) -> dict[str, Any]:
    """Would an order pass in a running session now, and how much more would? Nothing changes.

    `order`: `side` buy or sell, `qty` in lots, `price` (a market order without one), `symbol` and
    `strategy` where there are several. Returns: `passes`, `fails` (each check with what it
    measured, its limit and margin), `most_lots` at this price, `one_more_fails`. Raises: as
    `request`.
    """
    return _ask(home, {"kind": CHECK} | {k: v for k, v in order.items() if v is not None})


def _ask(home: str | Path, entry: dict[str, Any]) -> dict[str, Any]:
    folder = Path(home)
    asked = entry | {"by": getpass.getuser()}
    if is_running(folder):
        return ask(folder / MAILBOX, asked)
    plan = Plan.load(folder)
    if plan is None:
        page = read_board(folder)
        raise Unavailable(
            f"{folder}: session {page['session']} is over ({page['ending']}); nothing trades there"
        )
    said = f"{folder}: the process of session {plan.session} is not there"
    if entry.get("kind") != "kill":
        raise Unavailable(f"{said}; `hft gateway run` goes on with it, and can be asked then")
    symbols = [tape["instrument"]["symbol"] for tape in plan.manifest["tapes"]]
    asks = parse([entry | {"at": 0}], "request")
    rows(asks, list(plan.manifest["config"]["strategies"]), symbols)  # of names that are there
    keep(folder / MAILBOX, asked)
    raise Unavailable(
        f"{said}, so nothing is cancelled now; the kill is kept, and the next `hft gateway run` "
        "hears it before it decides anything"
    )


def reconcile(run: Run, *, tapes: Any = None) -> Verdict:
    """Replay a session from its inputs: the same decisions, or the first that differs.

    Raises: DataError for a run that was no session; JournalError for one that did not end.
    """
    if run.manifest.get("mode") != "paper":
        raise DataError(f"{run.path}: is a replay, not a session; `hft replay verify` verifies it")
    return verify(run, tapes=tapes)


def attest() -> list[Attested]:
    """Drive every control of the catalogue on both sides of its limit (`hft.services.attest`).

    Those of the kernel first, then those that only a session shows, in a folder that is removed.
    """
    found = attest_all(CONTROLS, Bench)
    with tempfile.TemporaryDirectory(prefix="hft-attest-") as folder:
        house = House(Path(folder))
        return found + attest_all(OF_SESSIONS, lambda given: house)


def _open_plan(folder: Path) -> Plan | None:
    """The session that has not ended; one that has is laid aside."""
    plan = Plan.load(folder)
    if plan is None:
        return None
    history = read(folder / JOURNAL)
    if history.ended:
        keep_aside(folder, plan.session)
        return None
    if plan.clock.wall_ns and not history.lives:
        raise JournalError(
            f"{folder / JOURNAL}: session {plan.session} has begun and its journal is gone; "
            "bring it back, or begin another session in another --home"
        )
    return plan


def _new_plan(
    job: Job,
    speed: int,
    record: str | None,
    out: Any,
    settings: Any,
    promotions: Any,
    watch_ns: int,
) -> Plan:
    session = time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + f"-{os.getpid()}"
    where = str(Path(out or settings.replay_out).resolve())
    clock, kept = TapeClock(0, 0, speed), record or "full"
    there = places(job, promotions)
    return Plan(session, job.manifest(), clock, kept, where, **there, dead_man_ns=watch_ns)


__all__ = ["ABSENT", "Paper", "attest", "reconcile", "request", "run", "status"]
