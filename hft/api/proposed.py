"""The evidence of a proposal, gathered at the desk: shadow runs, origins, a rollback drill."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hft.api.desk import Desk
from hft.audit.keys import Keys
from hft.governance.gates.e import Shadow
from hft.governance.profile import Profile
from hft.governance.promotion.office import Office
from hft.governance.promotion.wishes import TYPED
from hft.governance.simulator.report import Found


def of_runs(
    validated: Any,
    made: Any,
    profile: Profile,
    folders: Sequence[Path],
    typed: Mapping[str, Any],
    paper_dir: str | Path | None,
    keys: Keys,
) -> Shadow:
    """Of sealed run folders, else typed counts; with the sessions of paper trading."""
    from hft.governance.promotion import evidence
    from hft.governance.promotion import shadow as reading
    from hft.governance.promotion.parity import comparer

    if folders:
        model = evidence.expected_of(validated, made)
        found = reading.from_runs(folders, profile, compare=comparer(made.alpha), model=model)
    else:
        found = reading.asserted(*(typed.get(name) for name in TYPED))
    folder = None if paper_dir is None else Path(paper_dir)
    return reading.with_paper(found, folder, validated.alpha_id, keys)


def with_origins(
    desk: Desk,
    office: Office,
    made: Any,
    folders: Sequence[Path],
    owner: Any,
    shadow: Shadow,
) -> Shadow:
    """With where the runs come from, each run with its tapes."""
    from hft.governance.promotion import origins

    found, by_run = origins.collect(
        office,
        made.alpha.alpha_id,
        made.data,
        folders,
        owner=owner.name,
        paper=shadow.paper,
        rehearsal=desk.rehearsal,
    )
    return replace(shadow, origins=found, runs=origins.with_tapes(shadow.runs, by_run))


def on_file(desk: Desk, profile: Profile) -> Found:
    """The simulator's reports; made again where the profile asks for them."""
    from hft.governance.simulator import report

    if not profile.get("gate_e.simulator_report"):
        return Found(report.sha256_of(desk.root))
    return report.on_file(desk.root, desk.keys, rehearsal=desk.rehearsal)


def with_drill(office: Office, name: str, owner: Any, key: Path, shadow: Shadow) -> Shadow:
    """With a rollback drill on this workspace."""
    from hft.governance.promotion.drill import drill

    done = drill(office, name, owner, key)
    return replace(shadow, drill_seconds=done.seconds, drill_words=done.words)
