"""Research before anything counts: `hft init`, and list, scaffold and try of `hft.alpha`."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hft.api.desk import Desk, find_root, open_desk
from hft.core.errors import ValidationError
from hft.research import exploration
from hft.research.alphas import examples
from hft.research.data import usage
from hft.research.data.calendar import Calendar, of_data, of_tapes
from hft.research.data.features import FeatureSet, write
from hft.research.data.load import load
from hft.research.data.sources import TAPE, expand, is_frame
from hft.research.data.splits import shares_of
from hft.research.durations import duration_text
from hft.research.worker.roster import find, roster
from hft.research.workspace import Workspace
from hft.runs.ingest import open_tapes
from hft.settings.folder import config_file
from hft.tape.dataset import Tapes


def init(
    folder: str | Path,
    *,
    key: str | Path | None = None,
    force: bool = False,
    rehearsal: bool = False,
) -> dict[str, Any]:
    """Make a workspace: folders, configuration, templates, and the first key.

    In a rehearsal the clock is set by `now=`, and everything recorded says so.

    >>> import hft
    >>> made = hft.alpha.init("desk", rehearsal=True)
    >>> "config/keys.yaml" in made["files"]
    True
    """
    import getpass

    from hft.governance.init import init as make

    shipped_config = config_file("default.yaml", Path(__file__).resolve().parent)
    assert shipped_config is not None
    made = make(
        Path(folder),
        shipped_config.parent,
        user=getpass.getuser(),
        now_ns=time.time_ns(),
        public_key=None if key is None else Path(key),
        force=force,
        rehearsal=rehearsal,
    )
    return made.to_dict()


def list_(root: str | Path | None = None, *, now: Any = None) -> dict[str, Any]:
    """The alphas of the workspace, what cannot be loaded, and the examples to copy.

    >>> import hft
    >>> "order_flow_imbalance" in hft.alpha.list_()["examples"]
    True
    """
    found = roster(open_desk(root, now=now).workspace)
    alphas = []
    for name, one in sorted(found.alphas.items()):
        manifest = one.manifest
        alphas.append(
            manifest.to_dict()
            | {
                "alpha_id": name,
                "folder": str(one.folder),
                "code_hash": one.code_hash,
                "horizon": duration_text(manifest.horizon_ns),
                "problems": manifest.problems(),
            }
        )
    return {"alphas": alphas, "errors": list(found.errors), "examples": list(examples.examples())}


def scaffold(
    alpha_id: str,
    *,
    source: str | None = None,
    hypothesis: str | None = None,
    horizon: str | None = None,
    papers: Sequence[str] = (),
    complexity: str | None = None,
    force: bool = False,
    root: str | Path | None = None,
    now: Any = None,
) -> dict[str, Any]:
    """Write a new alpha's folder; `source` is the example to copy (`--from`).

    >>> import hft
    >>> made = hft.alpha.scaffold("mine", source="microprice_reversion", force=True)
    >>> made["alpha_id"]
    'mine'
    """
    from hft.research.alphas.scaffold import scaffold as write

    desk = open_desk(root, now=now)
    made = write(
        desk.workspace,
        alpha_id,
        date=datetime.fromtimestamp(desk.now_ns / 1e9, UTC).date().isoformat(),
        owner=_owner(desk),
        source=source,
        hypothesis=hypothesis,
        horizon=horizon,
        papers=papers,
        complexity=complexity,
        force=force,
    )
    return made.to_dict()


def try_(
    alpha_id: str,
    data: Any,
    *,
    root: str | Path | None = None,
    now: Any = None,
) -> exploration.Explored:
    """IC by horizon, decay and turnover on the explore split; not a trial, an audit row.

    What was looked at can prove nothing any more, in whatever split. Raises: ValidationError for
    sessions that another split of the same market keeps in its vault.

    >>> import hft
    >>> from hft.research.data.planted import planted
    >>> look = hft.alpha.try_("demo", planted(0.2, days=10))
    >>> look.decay[0].spearman > 0.1
    True
    """
    desk = open_desk(root, now=now)
    with find(desk.workspace, alpha_id) as alpha:
        if isinstance(data, list | tuple) and not data:
            raise ValidationError(f"alpha {alpha_id!r}: name what to look at with --data")
        rows = load(data, fields=alpha.manifest.data_fields, horizon_ns=alpha.manifest.horizon_ns)
        shares = shares_of(desk.settings.alpha_split)
        part, _ = exploration.explore_part(rows, alpha.manifest.horizon_ns, shares)
        if kept := usage.kept_back(usage.uses(desk.workspace, rows), rows, part):
            raise ValidationError(kept[0])
        found = exploration.explore(alpha, rows, shares)
    exploration.record(desk.workspace, found, rows, desk.now_ns, desk.looked)
    return found


def make_features(
    source: Any,
    out: str | Path,
    *,
    clock: str = "1s",
    horizons: Any = "1s,5s,30s",
    split: Any = (40, 40, 20),
    columns: Any = "all",
) -> FeatureSet:
    """A feature dataset of tapes, of bars or of the user's own frames, with labels and splits.

    Raises: ValidationError where the split gives away sessions that another one of this workspace
    keeps in its vault.
    """
    tapes = _tapes(source)
    made = write(
        source if tapes is None else tapes,
        Path(out),
        clock=clock,
        horizons=horizons,
        split=split,
        columns=columns,
    )
    _not_given_away(made)
    return made


def _not_given_away(made: FeatureSet) -> None:
    """Raises: ValidationError; what was written stays, and says what it is."""
    workspace = Workspace(find_root())
    if not usage.kept(workspace):
        return
    rows = load(str(made.folder))
    known = usage.uses(workspace, rows)
    for part in ("explore", "validate") if rows.splits is not None else ():
        if kept := usage.kept_back(known, rows, rows.select(part)):
            raise ValidationError(kept[0])


def calendar(source: Any) -> Calendar:
    """Rows, gaps, crossed quotes and spread of each day."""
    tapes = _tapes(source)
    return of_data(load(source)) if tapes is None else of_tapes(tapes)


def _tapes(source: Any) -> Tapes | None:
    """The tapes that are meant; None for anything else that can be read."""
    if isinstance(source, Tapes):
        return source
    if is_frame(source):
        return None
    names = [str(source)] if isinstance(source, str | Path) else [str(one) for one in source]
    if names == ["synthetic"]:
        return open_tapes("synthetic")
    found = expand(names)
    if not any(path.name.endswith(TAPE) for path in found):
        return None
    return open_tapes([str(path) for path in found])


def _owner(desk: Desk) -> str:
    """The one person of the keys, else the user."""
    names = {key.name for key in desk.keys}
    return names.pop() if len(names) == 1 else desk.user
