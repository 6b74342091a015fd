"""What the leakage tests found as lines of Gate A."""

from hft.governance.verdict import Check, Verdict
from hft.research.leakage.report import KINDS, LeakReport

TIES = (
    "passes, with a warning: on ties its votes change with the last digits that rounding leaves: "
    "the same rows may give another answer elsewhere; round what is voted on"
)


def leak_checks(report: LeakReport, cuts_min: int = 12) -> tuple[Check, ...]:
    """How many cuts were tried, and each kind of violation."""
    tried = len(report.cuts)
    enough = tried >= cuts_min
    lines = [
        Check(
            "leak_cuts",
            tried,
            cuts_min,
            Verdict.PASS if enough else Verdict.INSUFFICIENT,
            reason="" if enough else f"only {tried} cuts of {report.rows} rows could be tried",
            missing=() if enough else (f"data of at least {2 * cuts_min + 2} rows",),
            margin=float(tried - cuts_min),
        )
    ]
    for kind in KINDS:
        found = [one for one in report.violations if one.kind == kind]
        name = {"prefix": "prefix_invariance"}.get(kind, f"leak_{kind}")
        verdict = Verdict.FAIL if found else Verdict.PASS
        reason = found[0].sentence if found else ""
        if not found and report.ties and kind == "prefix":
            reason = TIES
        lines.append(Check(name, len(found), 0, verdict, reason=reason))
    return tuple(lines)
