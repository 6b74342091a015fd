"""The data and the manifest before any statistic: are the inputs what they claim to be?

Pure: rows, manifest, time and pinned hash in, checks out. A check that advises does not block.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from hft.core.errors import ValidationError
from hft.governance.gates.timestamps import AT_ROW, declared, future_rows
from hft.governance.verdict import Check, Verdict, at_least, at_most, holds
from hft.reports.figures import counted
from hft.research.alphas.manifest import COMPLEXITIES, AlphaManifest
from hft.research.data import aliases, sidecars
from hft.research.data.dataset import ResearchData
from hft.research.data.faults import priceless, repeats
from hft.research.data.gaps import gaps
from hft.research.leakage.report import moment

COVERAGE_MIN = 0.99
RAW_PRICES = ("price", "px", "close", "last")


def manifest_checks(manifest: AlphaManifest, data: ResearchData) -> list[Check]:
    """Is the manifest complete, is the alpha cheap enough, does every file have its fields?"""
    problems = manifest.problems()
    complexity = manifest.normal_complexity
    try:
        data.require(manifest.data_fields)
        missing = ""
    except ValidationError as error:
        missing = str(error)
    raw = [name for name in manifest.data_fields if name.lower() in RAW_PRICES]
    return [
        holds("manifest_complete", not problems, f"manifest: {'; '.join(problems)}"),
        holds(
            "complexity",
            complexity in COMPLEXITIES,
            f"complexity {manifest.complexity!r} is none of {', '.join(COMPLEXITIES)}",
        ),
        holds("data_fields", not missing, missing),
        Check(
            "raw_price",
            ", ".join(raw),
            "",
            Verdict.FAIL if raw else Verdict.PASS,
            blocking=False,
            reason=f"reads the raw price {raw[0]!r}; a level does not carry over" if raw else "",
        ),
    ]


def audit(
    data: ResearchData,
    manifest: AlphaManifest | None = None,
    *,
    now_ns: int,
    pinned: str | None = None,
    explained: Sequence[tuple[int, int]] = (),
    coverage_min: float = COVERAGE_MIN,
) -> list[Check]:
    """The data-level checks of Gate A; `pinned` is the hash the data must still have.

    `explained` are gaps with a reason outside the data, as (session before, session after).
    """
    names = manifest.data_fields if manifest is not None else data.columns
    told = declared(manifest, data)
    return [
        _pinned(data, pinned),
        _covered(data, names, coverage_min),
        future_rows(data, now_ns, [n for n, when in told.items() if when == AT_ROW]),
        _gaps(data, explained),
        _repeated(data, coverage_min),
        _prices(data),
    ]


def _pinned(data: ResearchData, pinned: str | None) -> Check:
    same = pinned is None or pinned == data.fingerprint
    return Check(
        "data_pinned",
        data.fingerprint,
        pinned or data.fingerprint,
        Verdict.PASS if same else Verdict.FAIL,
        reason=""
        if same
        else f"{data.source}: the data is not what it was: {data.fingerprint[:16]} where "
        f"{(pinned or '')[:16]} is pinned",
    )


def _numeric(data: ResearchData, names: Sequence[str]) -> Mapping[str, np.ndarray]:
    found = {}
    for name in names:
        if name in aliases.CLOCK_FIELDS or not aliases.provides(name, data.columns):
            continue
        column = aliases.column_of(name, data.columns)
        if column is None or data.frame[column].dtype.is_numeric():
            found[name] = data.field(name)
    return found


def _covered(data: ResearchData, names: Sequence[str], least: float) -> Check:
    """Holes are shown and judged by what they say; only fields that are never there stop."""
    share = _coverage(data, names)
    reason = _holes(data, names)
    return at_least("data_coverage", share, least, reason=reason, blocking=not share)


def _coverage(data: ResearchData, names: Sequence[str]) -> float | None:
    """Share of rows with all fields, after each field's own warm-up at the start."""
    filled = _filled(data, names)
    return float(filled.mean()) if len(filled) else None


def _filled(data: ResearchData, names: Sequence[str]) -> np.ndarray:
    fine = np.ones(len(data), bool)
    begun = np.ones(len(data), bool)
    for values in _numeric(data, names).values():
        there = np.isfinite(values)
        fine &= there
        for _, rows in data.groups():
            first = int(np.argmax(there[rows])) if there[rows].any() else len(rows)
            begun[rows[:first]] = False
    return fine[begun]


def _holes(data: ResearchData, names: Sequence[str]) -> str:
    """Which field is missing most often."""
    shares = {n: float(np.isfinite(v).mean()) for n, v in _numeric(data, names).items()}
    if not shares:
        return f"{data.source}: none of the fields is there"
    worst = min(shares, key=lambda name: (shares[name], name))
    return f"{data.source}: {worst} is missing in {1 - shares[worst]:.1%} of the rows"


def _gaps(data: ResearchData, explained: Sequence[tuple[int, int]]) -> Check:
    known = (*explained, *data.explained)
    found = []
    for _, rows in data.groups():
        found += gaps(np.unique(data.session[rows]).tolist(), known, data.calendar)
    found = list(dict.fromkeys(found))
    wrong = [gap for gap in found if not gap.reason]
    fine = [gap for gap in found if gap.reason]
    if wrong:
        more = f", and {counted(len(wrong) - 1, 'more gap')}" if len(wrong) > 1 else ""
        cure = sidecars.cure(list(data.files), data.metadata, wrong[0].after, wrong[0].before)
        said = f"{data.source}: {wrong[0].sentence}{more}; {cure}"
        return at_most("data_gaps", float(len(wrong)), 0.0, reason=said)
    reason = f"{counted(len(fine), 'gap')} explained; the first: {fine[0].sentence}" if fine else ""
    return Check("data_gaps", 0.0, 0.0, Verdict.PASS, reason=reason, margin=0.0)


def _repeated(data: ResearchData, coverage_min: float) -> Check:
    """Two rows of one name and time: shown, since two events may share one.

    Whole rows that stand twice are a fault of the file where bars are meant: they count one
    observation as two.
    """
    again = repeats(data)
    count = int(again.sum())
    said = ""
    if not count:
        return at_most("data_repeated", 0.0, 0.0)
    twice = int((~data.frame.select(pl.struct(pl.all()).is_first_distinct()).to_series()).sum())
    row = int(again.arg_true()[0])
    said = (
        f"{data.source}: row {row + 1} has the time of an earlier row "
        f"({moment(data.ts_ns[row])}); {count} rows repeat a time, {twice} of them a whole row"
    )
    many = twice > (1.0 - coverage_min) * len(data)
    return at_most("data_repeated", float(count), 0.0, reason=said, blocking=many and _even(data))


def _prices(data: ResearchData) -> Check:
    """A price at or below 0 is advice: a spread has such prices, and a share has them by mistake.

    Returns are made of ratios of prices, and profit of their differences, so that one wrong price
    among good ones may be all there is to an edge.
    """
    said = priceless(data)
    reason = f"{data.source}: {said}" if said else ""
    count = float((data.price <= 0.0).sum())
    return at_most("data_prices", count, 0.0, reason=reason, blocking=False)


def _even(data: ResearchData) -> bool:
    """Are these bars: is one distance of a millisecond or more that of most rows?"""
    steps = np.diff(data.ts_ns[:200_000])
    steps = steps[steps > 0]
    if not len(steps):
        return True
    values, counts = np.unique(steps, return_counts=True)
    top = int(np.argmax(counts))
    return bool(counts[top] > 0.5 * len(steps) and values[top] >= 1_000_000)
