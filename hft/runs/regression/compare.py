"""A run beside what its replay is blessed with: the outcome, and the entry that a bless writes."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from hft.core.codes import Reason
from hft.core.errors import ConfigError
from hft.core.version import VERSION
from hft.runs.folder.reader import RunReader
from hft.runs.nearest import nearest
from hft.runs.regression.file import Spec
from hft.runs.regression.inputs import inputs_of, moved
from hft.runs.regression.ladder import ladder
from hft.runs.regression.outcome import DIFFERS, NEW, SAME, Figure, Outcome, moved_words
from hft.runs.regression.where import first_step

REFUSED = "refused_"
FIRST = ("net", "fills", "orders", "refused", "max_drawdown", "sharpe")


def entry_of(run: RunReader) -> dict[str, Any]:
    """What a bless writes of a run (record full)."""
    steps = int(run.totals["steps"])
    return {
        "digest": run.digest,
        "key": run.manifest["key"],
        **inputs_of(run.manifest),
        "tapes": {tape["sha256"]: tape["rows"] for tape in run.manifest["tapes"]},
        "versions": versions(),
        "metrics": figures_of(run),
        "steps": steps,
        "ladder": ladder(run.steps(), steps),
    }


def versions() -> dict[str, str]:
    """Of what computes: no part of a digest, but the first to look at when one moves alone."""
    return {
        "hft": VERSION,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": version("numba"),
    }


def figures_of(run: RunReader) -> dict[str, float]:
    """Every figure of a run that is a number, and how many intents each reason refused."""
    found = {
        name: one.value
        for name, one in run.metrics.items()
        if isinstance(one.value, int | float) and not isinstance(one.value, bool)
    }
    reasons = run.totals.get("reasons", {})
    found |= {_refused(int(code)): count for code, count in reasons.items() if int(code)}
    return dict(sorted(found.items()))


def _refused(code: int) -> str:
    return f"{REFUSED}{Reason(code).name}"


def _value(figures: Mapping[str, float], name: str) -> float | None:
    """A figure; a reason that refused nothing has none written down, and is 0."""
    known = name.startswith(REFUSED) and name.removeprefix(REFUSED) in Reason.__members__
    return figures.get(name, 0 if known else None)


def compare(
    spec: Spec,
    entry: Mapping[str, Any] | None,
    run: RunReader,
    blessed: RunReader | None,
    how: str,
) -> Outcome:
    """The outcome of one replay; `blessed` is the run of the blessed digest, where it is kept.

    Raises: ConfigError for a figure that the run does not have.
    """
    figures = _figures(spec, entry, run)
    said: dict[str, Any] = {"name": spec.name, "how": how, "now": run.digest}
    said |= {"figures": figures, "run": str(run.path)}
    if entry is None:
        sentence = "is not blessed yet; look at the run, then `hft replay check --bless`"
        return Outcome(state=NEW, sentence=sentence, **said)
    said |= {"was": entry["digest"], "moved": moved(entry, inputs_of(run.manifest))}
    said["blessed_run"] = "" if blessed is None else str(blessed.path)
    said["versions"] = _other_versions(entry)
    far = [figure.name for figure in figures if figure.within is False]
    changed = run.digest != entry["digest"]
    if not far and not (changed and spec.exact):
        words = "the digest is as blessed" if not changed else "the figures are within tolerance"
        return Outcome(state=SAME, sentence=words, **said)
    reseeded = "seed" in said["moved"].get("config", ())
    first = first_step(entry, run, blessed, reseeded=reseeded) if changed else None
    return Outcome(
        state=DIFFERS, sentence=_sentence(said, changed and spec.exact, far), first=first, **said
    )


def _sentence(said: Mapping[str, Any], changed: bool, far: list[str]) -> str:
    what = ["the digest changed"] if changed else []
    if far:
        what.append(f"beyond tolerance: {', '.join(far)}")
    if said["moved"]:
        return f"{'; '.join(what)}; moved: {moved_words(said['moved'])}"
    if said["was"] == said["now"]:
        return f"{'; '.join(what)}, the digest is as blessed: how figures are computed has changed"
    other = ", ".join(f"{k} {a} -> {b}" for k, (a, b) in said["versions"].items())
    cause = f"other versions: {other}" if other else "a run that is not a function of its inputs"
    return f"{'; '.join(what)}, though kernel, code, config and tapes are the same: {cause}"


def _other_versions(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    now = versions()
    known = entry.get("versions", {})
    return {name: [known.get(name, "?"), now[name]] for name in now if known.get(name) != now[name]}


def _figures(spec: Spec, entry: Mapping[str, Any] | None, run: RunReader) -> list[Figure]:
    """The figures that the file names, then all others that there are."""
    now = figures_of(run)
    was = {} if entry is None else entry["metrics"]
    for name in spec.tolerances:
        if _value(now, name) is None and name not in was:
            near = nearest(name, (*now, *FIRST, *(_refused(one.value) for one in Reason)))
            it_has = near or f"; it has {', '.join(now)}"
            raise ConfigError(f"{spec.place}: metrics: the run has no figure {name!r}{it_has}")
    rest = [name for name in dict.fromkeys((*FIRST, *was, *now)) if name not in spec.tolerances]
    rest = [name for name in rest if name in was or name in now]
    found = []
    for name in (*spec.tolerances, *rest):
        unit = run.metrics[name].unit if name in run.metrics else ""
        unit = "intents" if name.startswith(REFUSED) and not unit else unit
        a, b = (_value(was, name) if entry is not None else None), _value(now, name)
        tolerance = spec.tolerances.get(name)
        within = None
        if tolerance is not None and entry is not None:
            within = a is not None and b is not None and tolerance.allows(a, b)
        found.append(Figure(name, unit, a, b, str(tolerance or ""), within))
    return found
