"""asof, why and inventory of `hft.alpha`: questions about the past, answered from the journal."""

from pathlib import Path
from typing import Any

from hft.api.desk import moment_ns, open_desk
from hft.api.promotion import office_of
from hft.core.errors import ConfigError, ValidationError
from hft.research.alphas.ids import alpha_id as proper
from hft.runs.nearest import nearest


def asof(time: Any, root: str | Path | None = None, *, now: Any = None) -> dict[str, Any]:
    """What was live at a time, with weight, limits hash and signers; the time needs a zone.

    Raises: ConfigError for a time without a zone.
    """
    from hft.governance.trace.asof import asof as standing

    at_ns = moment_ns(time, "TIME")
    if not isinstance(time, int) and len(str(time)) <= 10:
        raise ConfigError(f"TIME: {time!r} is a day; write a time with zone, like {time}T16:00Z")
    desk = open_desk(root, now=now)
    found = standing(office_of(desk).changes(), at_ns)
    return {"at_ns": at_ns, "alphas": [one.to_dict() for one in found]}


def why(alpha_id: str, root: str | Path | None = None, *, now: Any = None) -> dict[str, Any]:
    """The chain from the first trial to the last canary row, each with hash and page.

    Raises: ValidationError for an id that nothing is known of.
    """
    from hft.governance.trace.why import pages_of
    from hft.governance.trace.why import why as chain

    desk = open_desk(root, now=now)
    name = proper(alpha_id)
    trials = desk.ledger.trials()
    own = trials.filter(trials["alpha_id"] == name).to_dicts()
    pages = pages_of(desk.workspace.experiments, name)
    links = chain(name, desk.auditor.rows(), own, pages)
    if not links:
        known = sorted(path.name for path in desk.workspace.alphas.glob("[!_.]*") if path.is_dir())
        raise ValidationError(
            f"{name}: nothing was ever decided about it{nearest(name, known) or ';'} alphas here: "
            f"{', '.join(known) or 'none'}"
        )
    return {"alpha_id": name, "links": [link.to_dict() for link in links]}


def inventory(root: str | Path | None = None, *, now: Any = None) -> dict[str, Any]:
    """Every model with tier, people, last validation, expiry and open findings."""
    from hft.governance.promotion.promotions import read
    from hft.governance.promotion.signatures import effective
    from hft.governance.trace.inventory import inventory as all_models
    from hft.research.worker.roster import roster

    desk = open_desk(root, now=now)
    office = office_of(desk)
    recorded = office.recorded()
    files = {
        file.alpha_id: (file, effective(file, desk.keys, desk.now_ns, recorded))
        for file in read(office.promotions).speaking()
    }
    alphas = roster(desk.workspace)
    models = all_models(alphas, files, desk.auditor.rows())
    return {
        "models": [model.to_dict() for model in models],
        "errors": list(alphas.errors),
    }
