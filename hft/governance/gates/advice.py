"""Advice of the profile `base`: lines of Gates A and C that warn and never decide.

People and papers behind an alpha, how much is said about its data, and the tests of its one series
of returns. Nothing here is asked under a profile that promotes to full weight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hft.governance.gates.thresholds import asked
from hft.governance.profile import Profile
from hft.governance.verdict import Check, Verdict, holds, not_applicable
from hft.research.alphas.manifest import AlphaManifest
from hft.statistics.one_series import LEAST, Battery

SHOWN = 40  # characters of a reference
NO_SERIES = f"fewer than {LEAST} days out of sample that vary"


@dataclass(frozen=True)
class Background:
    """What is said about an alpha and its data outside of the figures.

    `tiers` are the metadata tiers 1 to 6 by file, None where nothing is said about it; `papers`
    the entries of the paper index, None where there is none, and `papers_at` where it lies, or what
    is wrong with it.
    """

    manifest: AlphaManifest
    tiers: Mapping[str, int | None]
    papers: Sequence[str] | None
    papers_at: str

    @property
    def data_ul(self) -> int | None:
        """The lowest tier of all files; None where a file has none."""
        known = [tier for tier in self.tiers.values() if tier is not None]
        return min(known) if known and len(known) == len(self.tiers) else None


def background(found: Background, profile: Profile) -> list[Check]:
    """Advice beside Gate A: roles, skills, papers, metadata."""
    manifest = found.manifest
    return [
        _named("roles", manifest.roles_used, "roles_used"),
        _named("skills", manifest.skills_used, "skills_used"),
        _papers(found),
        _metadata(found, profile),
    ]


def _named(id: str, names: Sequence[str], field: str) -> Check:
    given = bool(names) and all(name.strip() for name in names)
    return holds(id, given, f"the manifest names none ({field})", blocking=False)


def _papers(found: Background) -> Check:
    refs = found.manifest.paper_refs
    if not refs:
        return not_applicable("paper_index", "the manifest names no paper (paper_refs)")
    absent = [ref for ref in refs if ref not in (found.papers or ())]
    reason = ""
    if absent:
        there = "has no entry" if found.papers is not None else "is not there to have an entry"
        reason = f"{found.papers_at}: {there} for {_short(absent[0])}"
    verdict = Verdict.FAIL if absent else Verdict.PASS
    return Check("paper_index", len(absent), 0, verdict, blocking=False, reason=reason)


def _short(ref: str) -> str:
    return repr(ref if len(ref) <= SHOWN else f"{ref[: SHOWN - 3]}...")


def _metadata(found: Background, profile: Profile) -> Check:
    silent = [name for name, tier in found.tiers.items() if tier is None]
    words = f"{silent[0] if silent else 'the data'} has no metadata beside it (<file>.meta.json)"
    key, value = "gate_a.metadata_tier_min", found.data_ul
    return asked(profile, key, "metadata_tier", value, undefined=words, blocking=False)


def series(found: Battery | None, profile: Profile) -> list[Check]:
    """Advice beside Gate C: tests of the returns out of sample."""
    if found is None:
        return [not_applicable("series_survivors", NO_SERIES)]
    checks = [_one(found, k) for k in range(len(found.tests))]
    key = "gate_c.series_survivors_min"
    if found.method == "none":
        key = "gate_c.series_survivors_uncorrected_min"
    told = f"{found.survivors} of {len(found.tests)} tests of one series ({found.method})"
    survivors = float(found.survivors)
    checks.append(asked(profile, key, "series_survivors", survivors, reason=told, blocking=False))
    if found.independence is None:
        return [*checks, not_applicable("bds_p", "too few values lie close to each other")]
    key, p = "gate_c.bds_p_min", found.independence.p
    told = f"the returns depend on each other (BDS, p {p:.3g}): the tests above are too sure"
    return [*checks, asked(profile, key, "bds_p", p, reason=told, blocking=False)]


def _one(found: Battery, k: int) -> Check:
    test = found.tests[k]
    id = f"series_{test.name}"
    if test.p is None or test.adjusted is None:
        return not_applicable(id, test.reason)
    verdict = Verdict.PASS if test.survives else Verdict.FAIL
    reason = test.reason or f"p {test.p:.3g}, {test.adjusted:.3g} after {found.method}"
    return Check(
        id,
        test.adjusted,
        found.level,
        verdict,
        blocking=False,
        reason="" if test.survives else reason,
        margin=None if test.reason else found.level - test.adjusted,
    )
