"""Everything Gate A tries with one alpha: cuts, perturbation, memory, files, labels, inputs.

The order matters. Prefixes are tried first in freshly imported copies, before the alpha has ever
been shown all rows: a cache that survives `reset` would make every later cut agree.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np

from hft.core.errors import ValidationError
from hft.research.alphas import signals
from hft.research.alphas.file_access import Watch, watching
from hft.research.alphas.loaded import LoadedAlpha
from hft.research.alphas.loader import load_folder
from hft.research.alphas.remote import RemoteAlpha
from hft.research.data.dataset import ResearchData
from hft.research.leakage.cuts import CUTS_LEAST, choose_cuts, secret
from hft.research.leakage.fields import end_violations, label_violations
from hft.research.leakage.insight import signal_violations
from hft.research.leakage.invariance import (
    TAIL_ROWS,
    Settings,
    check,
    perturbed,
    symbols_kept,
)
from hft.research.leakage.jitter import by_heart
from hft.research.leakage.likeness import correlation
from hft.research.leakage.report import LeakReport, Violation, moment
from hft.research.leakage.ties import Ties

FRESH_CUTS = 3
UNMOVED = 0.95  # likeness of a signal of noise and of the rows


def check_alpha(
    alpha: Any,
    data: ResearchData,
    *,
    cuts: int = CUTS_LEAST,
    seed: int | None = None,
    fresh: Callable[[], Any] | None = None,
) -> LeakReport:
    """The whole of Gate A's leakage tests on one alpha.

    `alpha` is a `RemoteAlpha`, a `LoadedAlpha`, a class or an instance; `fresh` makes another
    copy of it that shares nothing with it. Without `seed` the cuts are nobody's to know. Raises:
    ValidationError when the alpha cannot be evaluated.
    """
    rows = symbols_kept(data)
    made = signals.instance(alpha)
    again = fresh or _fresh(alpha)
    streamed = not signals.has_batch(made)
    drawn = secret() if seed is None else seed
    how = Settings(cuts, drawn, TAIL_ROWS if streamed else None)
    folder = alpha.folder if isinstance(alpha, LoadedAlpha) else None
    apart = isinstance(alpha, RemoteAlpha)  # what is opened in this process is the judge's affair
    with nullcontext(Watch(None)) if apart else watching(folder) as watch:
        early = _fresh_prefixes(again, rows, how)
        whole = signals.evaluate(made, rows)
        fields = tuple(made.manifest.data_fields)
        ties = Ties(lambda part: signals.evaluate(made, part), rows, fields)
        found = _fresh_found(early, whole, rows, ties, again)
        ahead = bool(found)
        found += (kept := _memory(made, again, rows, whole))
        report = check(
            lambda part: signals.evaluate(made, part), rows, fields=fields, settings=how, full=whole
        )
        if kept and not ahead:
            report = replace(report, violations=tuple(map(_by_state, report.violations)))
        found += _inputs(made, rows, whole, drawn)
        if not found and report.clean:
            found += by_heart(lambda part: signals.evaluate(made, part), rows, fields, whole)
    read = tuple(dict.fromkeys([*(getattr(alpha, "reads", ()) or ()), *watch.opened]))
    found += [_opened(signals.name_of(made), path) for path in read]
    if isinstance(alpha, RemoteAlpha) and alpha.tried:
        found.append(_tried(alpha))
    manifest = made.manifest
    found += label_violations(manifest, rows) or end_violations(manifest, data)
    if not found and report.clean:  # what is proved otherwise needs no likeness
        found += signal_violations(whole, rows, manifest.horizon_ns)
    ordered = (*report.violations, *found)
    return replace(report, violations=ordered)


def _fresh(alpha: Any) -> Callable[[], Any]:
    """Another copy: a new process, a new import of the folder, else a new instance of the class."""
    if isinstance(alpha, RemoteAlpha):
        return alpha.again
    if isinstance(alpha, LoadedAlpha) and (alpha.folder / "impl.py").is_file():
        return lambda: load_folder(alpha.folder)
    cls = alpha if isinstance(alpha, type) else type(signals.instance(alpha))
    if isinstance(alpha, type):
        return cls
    return lambda: signals.instance(alpha)


def _fresh_prefixes(
    again: Callable[[], Any], rows: ResearchData, how: Settings
) -> dict[int, np.ndarray]:
    """Some prefixes, each seen by a copy that has never seen more."""
    cuts = choose_cuts(np.zeros(len(rows)), rows, how.cuts, how.seed)
    chosen = [cuts[int(k * (len(cuts) - 1) / (FRESH_CUTS - 1))] for k in range(FRESH_CUTS)]
    found = {}
    # One copy for all, the shortest first: none of what it has seen is later than what it sees.
    copy = again()
    for cut in sorted(set(chosen if len(cuts) else ())):
        try:
            found[cut] = signals.evaluate(copy, rows.head(cut))
        except ValidationError:
            continue  # too short for this alpha: the longer ones say whether it works at all
    return found


def _fresh_found(
    early: dict[int, np.ndarray],
    whole: np.ndarray,
    rows: ResearchData,
    ties: Ties,
    again: Callable[[], Any],
) -> list[Violation]:
    for cut, first in sorted(early.items()):
        if _differing(first, whole[:cut]) is None or ties.only(first, whole[:cut]):
            continue
        # The copy has seen shorter prefixes: only one that has seen nothing shows a look ahead.
        seen = signals.evaluate(again(), rows.head(cut))
        row = _differing(seen, whole[:cut])
        if row is not None:
            ts = int(rows.ts_ns[row])
            said = (
                f"a fresh copy that was shown the first {cut} rows says {seen[row]:.9g} at row "
                f"{row + 1} ({moment(ts)}), one that was shown all says {whole[row]:.9g}"
            )
            return [
                Violation(
                    "prefix",
                    said,
                    *(row, ts, "", _number(seen[row]), _number(whole[row]), cut, len(whole)),
                )
            ]
    return []


def _memory(
    made: Any, again: Callable[[], Any], rows: ResearchData, whole: np.ndarray
) -> list[Violation]:
    """The same rows once more after `reset`, and to another copy: the same signal."""
    for who, alpha in (("after reset()", made), ("in another copy", again())):
        row = _differing(signals.evaluate(alpha, rows), whole)
        if row is not None:
            second = signals.evaluate(alpha, rows)
            ts = int(rows.ts_ns[row])
            why = (
                "state is kept across reset()"
                if who == "after reset()"
                else "it is made of more than the rows: of chance, of the time, or of earlier runs"
            )
            said = (
                f"the same rows again {who} give {second[row]:.9g} at row {row + 1} "
                f"({moment(ts)}), where they gave {whole[row]:.9g}: {why}"
            )
            pair = (_number(second[row]), _number(whole[row]))
            return [Violation("state", said, row, ts, "", *pair)]
    return []


def _by_state(found: Violation) -> Violation:
    """A difference between prefixes is no look ahead where the same rows differ as well."""
    if found.kind != "prefix":
        return found
    said, _, _ = found.sentence.partition(": it looks ")
    said += ": what was shown before moves it, since the same rows give other answers again"
    return replace(found, sentence=said, reach=-1)


def _inputs(made: Any, rows: ResearchData, whole: np.ndarray, seed: int) -> list[Violation]:
    """With every input replaced by noise the signal must move, else it is not made of them."""
    names = [name for name in made.manifest.data_fields if name not in ("ts_ns", "session")]
    live = whole[np.isfinite(whole)]
    if not names or len(names) < len(made.manifest.data_fields) or len(np.unique(live)) < 3:
        return []
    other = perturbed(rows, 0, "noise", seed, names)
    try:
        noisy = signals.evaluate(made, other)
    except ValidationError:
        return []
    if _differing(noisy, whole) is not None and abs(correlation(noisy, whole)) < UNMOVED:
        return []
    said = (
        f"the signal stays what it was when {', '.join(names)} are replaced by noise: it is made "
        "of something else than the rows it is handed"
    )
    return [Violation("inputs", said, 0, int(rows.ts_ns[0]), names[0])]


def _opened(name: str, path: str) -> Violation:
    return Violation(
        "reads",
        f"alpha {name!r} reads {path}: an alpha sees the rows it is handed, libraries, and files "
        "of its own folder that are neither hidden nor Markdown, since its code hash has no other",
        column=path,
    )


def _tried(alpha: RemoteAlpha) -> Violation:
    asked = ", ".join(alpha.tried)
    return Violation(
        "tried",
        f"alpha {alpha.alpha_id!r} asked for more than rows, which its walls refuse: {asked}",
        column=alpha.tried[0],
    )


def _differing(one: np.ndarray, other: np.ndarray) -> int | None:
    scale = np.abs(other[np.isfinite(other)])
    atol = 1e-9 * float(np.quantile(scale, 0.9)) if len(scale) else 0.0
    same = (np.isnan(one) & np.isnan(other)) | np.isclose(one, other, rtol=1e-9, atol=atol)
    wrong = np.flatnonzero(~same)
    return int(wrong[0]) if len(wrong) else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
