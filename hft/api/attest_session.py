"""A session on paper that the evidence of controls is taken from: a market, people, a clock.

It lives in a folder of its own, and its clock passes while it sleeps, so that two minutes of a
synthetic market take a second. Nothing of it is a stand-in but the clock: keys sign, the journal
syncs, and the run is sealed and replayed as any other.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hft.api.acknowledged import LOCK
from hft.api.one_replay import job_asked
from hft.api.paper_files import outside
from hft.api.paper_life import live
from hft.audit.journal import Journal
from hft.audit.keys import dump, entry
from hft.audit.sign import generate, sign
from hft.core.json_text import line
from hft.gateway.limits import Limits
from hft.runs.ingest import synthetic
from hft.runs.result import Run
from hft.services.paper.clock import TapeClock
from hft.services.paper.mailbox import ANSWERED, ASKED, MAILBOX
from hft.services.paper.plan import Plan
from hft.services.paper.session import World
from hft.settings import load_settings
from hft.storage.atomic import write_atomic
from hft.storage.lock import locked
from hft.tape.dataset import Tapes

S = 1_000_000_000
BEGIN_NS = 1_800_000_000 * S  # of the machine
SPEED = 20.0
EVENTS, SPAN = 200_000, {"start": "2024-01-02T00:00:00Z", "end": "2024-01-02T00:01:40Z"}
LIMITS = {"name": "attest", "max_position_size": 1000}
RISK, OWNER = "rita", "otto"


@dataclass
class Clock:
    """A machine's clock that passes while one sleeps; what is due then is done."""

    now_ns: int = BEGIN_NS
    due: dict[int, Callable[[], None]] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        self.now_ns += max(1, round(seconds * S))
        for at_ns in sorted(at for at in self.due if at <= self.now_ns):
            self.due.pop(at_ns)()


@dataclass(frozen=True)
class Left:
    """What a session left. `answers`: to each question, in order; `rows`: of `control_log`."""

    run: Run
    answers: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    home: Path

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """The audit rows of a kind, their evidence read."""
        own = [row for row in self.rows if row["kind"] == kind]
        return [row | {"evidence": json.loads(row["evidence"])} for row in own]


class House:
    """Where sessions of one market are run, one after the other, below a folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "desk"
        self._runs = 0

    @cached_property
    def tapes(self) -> Tapes:
        """The market, made once."""
        return synthetic(seed=1, out=self.root.parent / "market", events=EVENTS)

    @cached_property
    def keys(self) -> Path:
        """Where the private keys of the two are; the keys file says what they may sign."""
        folder = self.root / ".state" / "keys"
        rows = []
        for name, roles in ((RISK, ("risk",)), (OWNER, ("owner",))):
            public = generate(folder / name, name)
            mails = [f"{name}@desk.example"]
            rows.append(entry(name, public, emails=mails, roles=roles, from_ns=0))
        (self.root / "config" / "strategy_promotions").mkdir(parents=True)
        write_atomic(self.root / "config" / "keys.yaml", dump(rows))
        return folder

    def signed(self, name: str, text: str, who: str = "") -> Path:
        """A file with this text, and a signature of somebody beside it, or none."""
        path = self.root / name
        write_atomic(path, text)
        beside = path.with_name(f"{name}.sig")
        beside.unlink(missing_ok=True)
        if who:
            write_atomic(beside, sign(text.encode(), self.keys / who))
        return path

    def session(self, asks: Mapping[float, Any], **given: Any) -> Left:
        """Run one. `asks`: second of the machine -> what is asked then, or what is done."""
        self._runs += 1
        home = self.root.parent / f"home-{self._runs}"
        (home / MAILBOX).mkdir(parents=True)
        clock, places = Clock(), []
        for k, (at_s, asked) in enumerate(sorted(asks.items())):
            path = home / MAILBOX / f"{k:03d}{ASKED}"
            places += [] if callable(asked) else [path.with_suffix(ANSWERED)]
            clock.due[BEGIN_NS + round(at_s * S)] = _doing(path, asked)
        plan, job, settings = self._plan(home, given)
        world = self.world(plan, job, World(wall_ns=lambda: clock.now_ns, sleep=clock.sleep))
        with locked(home / LOCK, doing="runs this gateway"):
            done = live(plan, job, home, settings, world)
        answers = [json.loads(place.read_text(encoding="utf-8")) for place in places]
        return Left(done.run, answers, self._rows(plan.session), home)

    def world(self, plan: Plan, job: Any, world: World) -> World:
        """All that a session reaches: as `hft gateway run` gives it."""
        return outside(plan, job, world, lambda said: None)

    def _plan(self, home: Path, given: dict[str, Any]) -> tuple[Plan, Any, Any]:
        assert self.keys.is_dir()
        settings = load_settings(workspace=self.root)
        asked: dict[str, Any] = {
            "limits": Limits.from_dict(LIMITS),
            "venue": {"latency": "5ms"},
            **SPAN,
        } | {name: value for name, value in given.items() if name != "dead_man_ns"}
        job = job_asked(self.tapes, "market_making", settings, dated=False, **asked)
        clock = TapeClock(0, 0, round(SPEED * 1000))
        watch_ns = int(given.get("dead_man_ns", 0))
        name, out = f"attest-{self._runs}", str(home / "runs")
        return (
            Plan(name, job.manifest(), clock, "full", out, str(self.root), dead_man_ns=watch_ns),
            job,
            settings,
        )

    def _rows(self, session: str) -> list[dict[str, Any]]:
        rows = Journal(self.root / ".state" / "audit").rows()
        own = [row["row"] for row in rows if row["table"] == "control_log"]
        return [row for row in own if session in row["evidence"]]


def _doing(path: Path, asked: Any) -> Callable[[], None]:
    if callable(asked):
        return lambda: asked()
    return lambda: write_atomic(path, line({"by": OWNER} | asked))
