"""`hft.alpha.shadow`: sealed runs of an alpha over tapes, before promotion or on its rung."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hft.api.desk import Desk, open_desk
from hft.core.errors import ConfigError, GovernanceError, PromotionError
from hft.research.alphas.ids import alpha_id as proper
from hft.research.backtest import Rules
from hft.research.data import vault_days

if TYPE_CHECKING:
    from hft.research.data.dataset import ResearchData
    from hft.research.execution.job import How


def shadow(
    alpha_id: str,
    tapes: Any,
    *,
    out: str | Path | None = None,
    rules: Rules | None = None,
    clock: str = "1s",
    canary: bool = False,
    root: str | Path | None = None,
    now: Any = None,
) -> list[Path]:
    """Follow an alpha over tapes, a sealed run a day; `promote` and `canary` read them.

    The alpha is streamed row by row and its signal followed through the gateway by the rules of its
    newest validation; no order leaves the process and no trial is counted, since nothing of it is
    chosen by. With `canary` it trades the lots of its promotion's weight. `out` is `shadow`, or the
    folder of its canary. Days of a vault that the alpha paid no look for are refused.
    Raises: PromotionError, ConfigError, DataError, GovernanceError.

    >>> import hft
    >>> runs = hft.alpha.shadow("demo", "tapes", out="shadow", clock="60s")
    >>> len(runs)
    1
    """
    from hft.api.limits import Limits
    from hft.governance.promotion.parity import stream
    from hft.research.execution.job import How
    from hft.research.worker.roster import find
    from hft.runs.ingest import open_tapes
    from hft.tape.dataset import Tapes

    desk, name = open_desk(root, now=now), proper(alpha_id)
    alpha = find(desk.workspace, name)
    opened = tapes if isinstance(tapes, Tapes) else open_tapes(tapes)
    how = _rung(desk, name) if canary else How()
    folder = Path(out) if out is not None else _folder(desk, name, canary)
    limits = Limits.load(desk.settings.limits)
    rules = rules or _rules(desk, name)

    def may(data: "ResearchData") -> None:
        if days := vault_days.held(desk.workspace, data, name):
            cure = (
                f"pay a look first (`hft alpha vault {name} --reason TEXT`), or follow other days"
            )
            raise GovernanceError(vault_days.sentence(data.source, days, cure))

    made = stream(alpha, opened, rules, limits=limits, folder=folder, how=how, clock=clock, may=may)
    return [Path(path) for path in made]


def live_runs(desk: Desk, name: str) -> Path:
    """Where the runs of a canary stand."""
    return desk.workspace.experiments / "canary" / name / "sessions"


def evidence(runs: Sequence[str | Path], out: str | Path) -> int:
    """Write the sessions of run folders as the CSV that `canary --evidence` reads; how many.

    Digests are written as they stand and verified where the CSV is read. Raises: DataError.
    """
    from hft.governance.sessions import by_date, csv_of, of_run, run_folders
    from hft.runs.result import Run
    from hft.storage.atomic import write_atomic

    folders = run_folders([Path(path) for path in runs])
    rows = by_date(row for path in folders for row in of_run(Run.open(path)))
    write_atomic(Path(out), csv_of(rows))
    return len(rows)


def _folder(desk: Desk, name: str, canary: bool) -> Path:
    return live_runs(desk, name) if canary else Path("shadow")


def _rules(desk: Desk, name: str) -> Rules:
    """The threshold and size that were validated; the fee is the venue's, not the model's."""
    from hft.governance.promotion.verdicts import find

    try:
        given = find(desk.workspace.experiments / "validations", name).options.rules
    except PromotionError:
        return Rules()
    return Rules(threshold=given.threshold, unit=given.unit, max_position=given.max_position)


def _rung(desk: Desk, name: str) -> "How":
    """The lots of the promotion's weight.

    Raises: PromotionError without one that counts, ConfigError where they are no whole number.
    """
    from hft.api.promotion import office_of
    from hft.governance.promotion.bundle import find
    from hft.governance.promotion.promotions import read
    from hft.governance.promotion.signatures import effective
    from hft.research.execution.job import How

    office = office_of(desk)
    file = read(office.promotions).file(name)
    if file is None or file.promotion is None:
        raise PromotionError(f"{name}: has no promotion whose weight could be followed")
    counts = effective(file, office.keys, office.now_ns, office.recorded())
    if counts.weight <= 0:
        raise PromotionError(f"{name}: counts as weight 0: {counts.reason or counts.code}")
    _, bundle = find(office.reports, name, file.promotion.data["hashes"]["bundle"])
    target = bundle.data["plan"].get("target_lots")
    if target is None:
        raise PromotionError(f"{name}: its bundle names no target lots; promote again")
    lots = round(counts.weight * target)
    if lots < 1 or abs(lots - counts.weight * target) > 1e-9 * target:
        raise ConfigError(
            f"{name}: weight {counts.weight:g} of {target} lots is {counts.weight * target:g}, no "
            "whole number of lots; promote with --target-lots 100 or a multiple"
        )
    return How(unit_lots=lots)
