"""Gate E: did it behave in shadow as it did in replay, and is everything on file?

Pure. Evidence comes from sealed run folders whose digests verify (`promotion.shadow`); typed counts
exist under `base` only and are marked `asserted`. What nobody measured is absent, never 0.
The validator's memo is checked at approval, where it is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hft.governance.gates.origins import Origins
from hft.governance.gates.origins import checks as origin_checks
from hft.governance.gates.thresholds import asked, unasked
from hft.governance.paper import PaperSummary
from hft.governance.profile import Profile
from hft.governance.verdict import (
    Check,
    GateResult,
    Verdict,
    holds,
    not_applicable,
)

SHADOW = "give sealed run folders with --shadow-runs"


@dataclass(frozen=True)
class Shadow:
    """What shadow trading showed; None = nobody measured it.

    `evidence`: runs, asserted, or empty when there is none. `reject_upper` and `cost_ratio_upper`
    are upper bounds of confidence sequences; `ic_e` is the e-value against half of the claimed IC.
    `identical`: share of live-shaped signal values that a replay on the same inputs repeats.
    """

    evidence: str = ""
    sessions: int | None = None
    decisions: int | None = None
    drift_alerts: int | None = None
    reject_rate: float | None = None
    reject_rate_p95: float | None = None
    reject_upper: float | None = None
    stale_share: float | None = None
    identical: float | None = None
    cost_ratio_upper: float | None = None
    ic_e: float | None = None
    paper: PaperSummary | None = None
    simulator_sha256: str | None = None
    simulator_words: str = ""
    drill_seconds: float | None = None
    drill_words: str = ""
    runs: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    origins: Origins | None = None

    @property
    def reject_deciding(self) -> float | None:
        """The 95 % quantile over sessions where it is known, else the mean."""
        return self.reject_rate if self.reject_rate_p95 is None else self.reject_rate_p95

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        plain = dict(self.__dict__)
        return plain | {
            "paper": None if self.paper is None else self.paper.to_dict(),
            "runs": [dict(run) for run in self.runs],
            "problems": list(self.problems),
            "notes": dict(self.notes),
            "origins": None if self.origins is None else self.origins.to_dict(),
        }


def evaluate(shadow: Shadow, profile: Profile) -> GateResult:
    """Gate E on shadow evidence."""
    checks = [
        _evidence(shadow, profile),
        *origin_checks(shadow.origins, profile),
        *_counts(shadow, profile),
        *_parity(shadow, profile),
        *_paper(shadow.paper, profile),
        *_on_file(shadow, profile),
    ]
    context = {
        "profile": profile.name,
        "thresholds": profile.hash,
        "evidence": shadow.evidence,
        "runs": sorted(str(run.get("digest", "")) for run in shadow.runs),
    }
    return GateResult("E", tuple(checks), context)


def _evidence(shadow: Shadow, profile: Profile) -> Check:
    """Typed counts count under base only; a folder that does not verify never counts."""
    if shadow.evidence == "asserted" and not profile.lenient:
        return holds("evidence", False, f"typed counts do not count under {profile.name}; {SHADOW}")
    if shadow.problems:
        return holds("evidence", False, "; ".join(shadow.problems))
    known = True if shadow.evidence else None
    return holds("evidence", known, "no shadow evidence", missing=() if known else (SHADOW,))


def _asked(profile: Profile, key: str, id: str, value: Any, why: str = "", **more: Any) -> Check:
    """A figure against `gate_e.<key>`: `why` it is absent or too bad, and what would bring it."""
    said = {"undefined": why or "no shadow run shows it", "reason": why, "missing": (SHADOW,)}
    return asked(profile, f"gate_e.{key}", id, value, **said, **more)


def _counts(shadow: Shadow, profile: Profile) -> list[Check]:
    return [
        _more(profile, "sessions_min", "shadow_sessions", shadow.sessions, "sessions"),
        _more(profile, "decisions_min", "shadow_decisions", shadow.decisions, "decisions"),
        _asked(profile, "drift_alerts_max", "drift_alerts", shadow.drift_alerts),
        _asked(profile, "reject_rate_max", "execution_reject_rate", shadow.reject_deciding),
        _asked(profile, "reject_upper_max", "reject_rate_upper", shadow.reject_upper),
        _asked(profile, "stale_share_max", "stale_share", shadow.stale_share),
    ]


def _more(profile: Profile, key: str, id: str, value: int | None, noun: str) -> Check:
    """Too few sessions or decisions is INSUFFICIENT: more of them would do."""
    check = _asked(profile, key, id, value)
    if value is None or check.verdict is not Verdict.FAIL:
        return check
    wanted = int(profile.number(f"gate_e.{key}"))
    return _few(id, value, wanted, noun)


def _few(id: str, value: int, wanted: int, noun: str) -> Check:
    return Check(
        id,
        value,
        wanted,
        Verdict.INSUFFICIENT,
        reason=f"{value} {noun} of {wanted}",
        margin=float(value - wanted),
        missing=(f"{wanted - value} more shadow {noun}",),
    )


def _parity(shadow: Shadow, profile: Profile) -> list[Check]:
    rows = (
        ("identical_min", "live_against_replay", shadow.identical, "identical"),
        ("cost_ratio_upper_max", "cost_ratio_upper", shadow.cost_ratio_upper, "cost"),
        ("ic_e_max", "shadow_ic_e", shadow.ic_e, "ic"),
    )
    return [
        _asked(profile, key, id, value, shadow.notes.get(note, "")) for key, id, value, note in rows
    ]


def _paper(paper: PaperSummary | None, profile: Profile) -> list[Check]:
    """Only where paper sessions were given; few regimes are a warning."""
    if paper is None:
        return [not_applicable("paper_trade", "no paper-trade sessions were given")]
    days, span = paper.distinct_trading_days, paper.calendar_span_days
    shortest, regimes = paper.shortest_minutes, len(paper.regimes_covered)
    return [
        _asked(profile, "paper_calendar_days_min", "paper_calendar_days", span),
        _asked(profile, "paper_trading_days_min", "paper_trading_days", days),
        _asked(profile, "paper_session_minutes_min", "paper_session_minutes", shortest),
        _asked(profile, "paper_regimes_min", "paper_regimes", regimes, blocking=False),
    ]


def _on_file(shadow: Shadow, profile: Profile) -> list[Check]:
    checks = [_simulator(shadow, profile)]
    most = profile.get("gate_e.drill_seconds_max")
    if most is None:
        checks.append(unasked(profile, "rollback_drill"))
    else:
        done = None if shadow.drill_seconds is None else shadow.drill_seconds <= float(most)
        words = shadow.drill_words or f"the rollback drill took longer than {most:g} s"
        missing = () if done is not None else ("a rollback drill",)
        checks.append(holds("rollback_drill", done, words, missing=missing))
    checks.append(not_applicable("memo", "the validator's memo is read and signed at approval"))
    return checks


def _simulator(shadow: Shadow, profile: Profile) -> Check:
    """A report that its runs give again; in a rehearsal what is wrong with it does not decide."""
    id = "simulator_validation"
    if not profile.get("gate_e.simulator_report"):
        return unasked(profile, id)
    words = shadow.simulator_words
    if words and shadow.origins is not None and shadow.origins.rehearsal:
        return not_applicable(id, f"a rehearsal; elsewhere: INSUFFICIENT {words}")
    filed = True if shadow.simulator_sha256 and not words else None
    words = words or "no simulator validation report of the venue is on file"
    missing = () if filed else ("a simulator validation report: hft alpha simulator",)
    return holds(id, filed, words, missing=missing)
