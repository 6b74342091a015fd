"""Does a session's digest verify: is it that of a sealed run of this alpha?

A run is replayed and must follow the alpha's own signal; a row of a CSV must say what its run says.
Every run is verified once a call.
"""

import math
from collections.abc import Callable, Collection, Sequence
from datetime import date as Date
from pathlib import Path

from hft.core.errors import HftError
from hft.governance.canary.history import History
from hft.governance.promotion.claim import Claim
from hft.governance.sessions import Evidence, Session, Verify, of_run, replayed
from hft.reports.figures import counted as many
from hft.research.worker import roster
from hft.research.workspace import Workspace
from hft.runs.folder.layout import DIGEST
from hft.runs.result import Run

# Lots of the position a session of that day should have; None where nobody said.
LotsOn = Callable[[Date], int | None]


def of_alpha(
    workspace: Workspace,
    alpha_id: str,
    lots_on: LotsOn = lambda day: None,
    counted: Collection[str] = (),
) -> Verify:
    """Verifies the digest of a run, that it followed this alpha's signal, and with which lots.

    A run of `counted` digests did so when it was counted: a renewal with other code or another
    target does not take it back.
    """
    from hft.governance.promotion.parity import comparer

    made: list[Callable[[Run], object]] = []  # the alpha is loaded when a run is to be compared

    def verify(run: Run) -> str:
        wrong = replayed(run)
        if wrong or run.digest in counted:
            return wrong
        try:
            if not made:
                made.append(comparer(roster.find(workspace, alpha_id)))
            made[0](run)
            return _size(run, lots_on)
        except HftError as error:
            return str(error)

    return verify


def lots_on(claim: Claim | None, past: History) -> LotsOn:
    """The lots of each day's rung, where the bundle names the target's."""

    def sized(day: Date) -> int | None:
        weight = past.weight_on(day)
        if claim is None or claim.lots is None or weight <= 0:
            return None
        return round(weight * claim.lots)

    return sized


def _size(run: Run, lots_on: LotsOn) -> str:
    """A session of another size than its rung's says nothing about the rung's P&L."""
    traded = [int(one["params"]["unit_lots"]) for one in run.config["strategies"].values()]
    for row in of_run(run):
        wanted = lots_on(row.date)
        if wanted is not None and traded != [wanted]:
            return (
                f"it traded {many(traded[0], 'lot')} on {row.date}, the weight of that day is "
                f"{wanted}; "
                "`hft alpha shadow ID TAPES --canary` follows with those"
            )
    return ""


def at_hand(folder: Path, evidence: Evidence) -> tuple[tuple[Date, str], ...]:
    """Days of sealed runs in a folder that the evidence shows no run of, and where they lie.

    A run that did not end, or cannot be read, is no session.
    """
    shown = {digest for row in evidence.rows for digest in row.digests}
    found: dict[Date, str] = {}
    for path in sorted(folder.glob(f"*/{DIGEST}")):
        try:
            run = Run.open(path.parent)
            if run.partial or run.digest in shown:
                continue
            for row in of_run(run):
                found.setdefault(row.date, path.parent.name)
        except HftError:
            continue
    return tuple(sorted(found.items()))


class Known:
    """Says what is wrong with a CSV row's digest; runs are looked up by it."""

    def __init__(self, folders: Sequence[Path], verify: Verify) -> None:
        self.folders, self.verify = folders, verify
        self._runs: dict[str, Path] | None = None
        self._wrong: dict[str, str] = {}

    def __call__(self, row: Session) -> str:
        path = self._index().get(row.run_digest)
        if path is None:
            return f"no sealed run has the digest {row.run_digest[:12]}"
        if row.run_digest not in self._wrong:
            self._wrong[row.run_digest] = self._verified(path)
        return self._wrong[row.run_digest] or self._differs(row, path)

    def _index(self) -> dict[str, Path]:
        if self._runs is None:
            found = [path for folder in self.folders for path in sorted(folder.glob(f"*/{DIGEST}"))]
            self._runs = {path.read_text().strip(): path.parent for path in found}
        return self._runs

    def _verified(self, path: Path) -> str:
        try:
            return self.verify(Run.open(path))
        except HftError as error:
            return str(error)

    def _differs(self, row: Session, path: Path) -> str:
        """The run must say of that day what the row says."""
        theirs = next((one for one in of_run(Run.open(path)) if one.date == row.date), None)
        if theirs is None:
            return f"its run has no session of {row.date}"
        for name in ("n_fills", "rejects", "decisions", "pnl", "slippage_bps"):
            said, has = getattr(row, name), getattr(theirs, name)
            if said != has and not _close(said, has):
                return f"{name} is {said}, its run has {has}"
        return ""


def _close(said: float | None, has: float | None) -> bool:
    """Equal as far as a CSV is written."""
    return said is not None and has is not None and math.isclose(said, has, rel_tol=1e-6)
