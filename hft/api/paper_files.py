"""The files that a session on paper lives by: promotions that bind it, limits, keys, audit rows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hft.api.controls import ALPHA_KEY, NEEDED
from hft.api.desk import Desk, open_desk
from hft.core.errors import ConfigError
from hft.gateway.limits import Limits
from hft.runs.controls import Control
from hft.runs.job import Job
from hft.services.limit_files import signed_content
from hft.services.paper.changes import Change, WatchedPromotions
from hft.services.paper.plan import Plan
from hft.services.paper.session import World
from hft.services.promotions import PromotionFolder
from hft.storage.strict_yaml import load_yaml


def bound_alphas(job: Job) -> dict[str, str]:
    """Alpha -> the strategy that trades it, where that needs a promotion.

    Raises: ConfigError for an alpha of two strategies.
    """
    values = job.limits.values
    found: dict[str, str] = {}
    if not values.get(NEEDED):
        return {}
    for name in job.strategies:
        alpha = str(values.get(ALPHA_KEY.format(name)) or "")
        if alpha in found:
            raise ConfigError(
                f"alphas: {alpha!r} is traded by {found[alpha]!r} and {name!r}; an alpha has one "
                "strategy"
            )
        if alpha:
            found[alpha] = name
    return found


def places(job: Job, promotions: str | Path | None) -> dict[str, str]:
    """`root` and `promotions` of a plan: the workspace of the folder, or the one we are in."""
    desk = open_desk(promotions)
    folder = Path(promotions) if promotions is not None else desk.workspace.promotions
    return {
        "root": str(desk.root) if desk.found else "",
        "promotions": str(folder.resolve()) if bound_alphas(job) else "",
    }


def outside(plan: Plan, job: Job, world: World, tell: Callable[[str], None]) -> World:
    """The world of a session with all that its plan says of files."""
    world = replace(world, tell=tell)
    if plan.root:
        desk = open_desk(plan.root)
        world = replace(world, limits=_Signed(desk, job, world), audit=_audit(desk, world))
    if plan.promotions:
        world = replace(world, changes=_watched(plan, job, world))
    return world


def _watched(plan: Plan, job: Job, world: World) -> WatchedPromotions:
    alphas = bound_alphas(job)
    positions = {alpha: list(job.strategies).index(name) for alpha, name in alphas.items()}
    place = open_desk(plan.root or plan.promotions).workspace
    folder = PromotionFolder(
        Path(plan.promotions), place.keys, place.audit_journal, positions, world.wall_ns
    )
    return WatchedPromotions(folder.look, alphas, clock_s=lambda: world.wall_ns() / 1e9)


def _audit(desk: Desk, world: World) -> Callable[[str, Mapping[str, Any]], None] | None:
    if not desk.settings.alpha_audit_enabled:
        return None
    journal = desk.auditor.journal

    def record(table: str, row: Mapping[str, Any]) -> None:
        journal.append(table, row, now_ns=world.wall_ns(), actor=desk.actor)

    return record


class _Signed:
    """Reads a limits file that somebody with the role `risk` signed."""

    def __init__(self, desk: Desk, job: Job, world: World) -> None:
        self._desk, self._world = desk, world
        names = [NEEDED, *(ALPHA_KEY.format(name) for name in job.strategies)]
        self._bound = {name: job.limits.values[name] for name in names if name in job.limits.values}

    def __call__(self, path: str) -> Change:
        """Raises: ConfigError."""
        file = Path(path)
        keys = open_desk(self._desk.root).keys  # as they are now
        content, signer = signed_content(file, keys, self._world.wall_ns())
        data = load_yaml(content.decode(), path)
        if not isinstance(data, Mapping):
            raise ConfigError(f"{path}: is no mapping of limits; write key: value lines")
        try:
            limits = Limits.from_dict(data, file.stem)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        return Change(
            Control(0, "limits", limits=limits.replace(**self._bound).to_dict()),
            "limits",
            cause=f"{file.name} signed by {signer}",
            since_ns=file.stat().st_mtime_ns,
            said=f"limits of {file}",
            evidence={"file": path, "signer": signer},
        )
