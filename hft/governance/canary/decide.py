"""The decision about a canary: hold, escalate, roll back or graduate. Pure: same in, same out.

First the rules of the contract, first match; then the sequential rules, which can only make the
answer more careful. Precedence: rollback, hold, escalate, graduate. Nothing is written here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hft.governance.canary.completeness import counted
from hft.governance.canary.finding import Finding
from hft.governance.canary.history import History
from hft.governance.canary.metrics import LIMITED, Metrics, of_rows
from hft.governance.canary.sequential import judge, level, reject_floor
from hft.governance.profile import Profile
from hft.governance.promotion.claim import Claim
from hft.governance.promotion.document import Promotion, utc_date
from hft.governance.sessions import Evidence
from hft.governance.verdict import Check, Verdict, at_most
from hft.reports.figures import counted as many
from hft.storage.chain import canonical

INSUFFICIENT, LADDER_CAPPED = "INSUFFICIENT", "LADDER_CAPPED"
ACTIONS = {
    "rolled_back": "rollback",
    "canary": "hold",
    "escalated": "escalate",
    "graduated": "graduate",
}
CAREFUL = ("graduated", "escalated", "canary", "rolled_back")  # from bold to careful
REJECTS = "execution_error_rate"
TRIGGERS = {
    "slippage_bps": "live_slippage_bps_gt",
    "drawdown_contribution": "live_drawdown_contribution_gt",
    REJECTS: "execution_error_rate_gt",
}


@dataclass(frozen=True)
class CanaryDecision:
    """What is to be done with a promotion, and on what grounds."""

    alpha_id: str
    state: str
    reason: str
    old_weight: float
    new_weight: float
    kind: str = ""  # where the evidence came from: runs, csv, asserted
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)
    figures: Mapping[str, Any] = field(default_factory=dict)
    human: bool = False  # somebody should look; says nothing about the weight
    arm: str = ""  # by which arm it graduates: looks, non_contradiction
    deadline: str = ""
    counted: Mapping[str, Sequence[str]] = field(default_factory=dict)  # day: digests of its runs
    files: Mapping[str, str] = field(default_factory=dict)  # its page: hash by path

    @property
    def action(self) -> str:
        """As the audit names it."""
        return ACTIONS.get(self.state, "hold")

    @property
    def evidence_digest(self) -> str:
        """The same evidence gives the same digest."""
        return hashlib.sha256(canonical(self._essence())).hexdigest()

    def _essence(self) -> dict[str, Any]:
        return {
            "alpha_id": self.alpha_id,
            "state": self.state,
            "reason": self.reason,
            "reasons": list(self.reasons),
            "old_weight": self.old_weight,
            "new_weight": self.new_weight,
            "evidence": self.kind,
            "missing": list(self.missing),
            "checks": [check.to_dict() for check in self.checks],
            "metrics": self.metrics.to_dict(),
            "figures": dict(self.figures),
            "human": self.human,
            "arm": self.arm,
            "deadline": self.deadline,
            "counted": {day: list(digests) for day, digests in self.counted.items()},
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return self._essence() | {"action": self.action, "evidence_digest": self.evidence_digest}


def careful(profile: Profile, sessions_min: float, sharpe_ratio_min: float) -> Profile:
    """A profile under a desk's own settings, which may only make it more careful."""
    values = dict(profile.values)
    own = {"canary.sessions_min": int(sessions_min), "canary.sharpe_ratio_min": sharpe_ratio_min}
    for key, given in own.items():
        values[key] = max(values[key], given)
    return Profile(profile.name, values)


def not_found(alpha_id: str) -> CanaryDecision:
    """The answer for an id without an enabled promotion."""
    return CanaryDecision(alpha_id, "not_found", "no enabled promotion", 0.0, 0.0)


def decide(
    promotion: Promotion,
    evidence: Evidence | Metrics | None,
    profile: Profile,
    *,
    now_ns: int,
    claim: Claim | None = None,
    history: History | None = None,
) -> CanaryDecision:
    """Decide about one promotion.

    `evidence`: session rows, typed figures (profile `base` only), or None. `history`: the rungs and
    attempts so far, from the audit journal.
    """
    if not promotion.enabled:
        return not_found(promotion.alpha_id)
    past = history or History()
    today = utc_date(now_ns)
    deadline = promotion.expiry.isoformat()
    base = CanaryDecision(
        promotion.alpha_id, "canary", "", promotion.weight, promotion.weight, deadline=deadline
    )
    rows = evidence if isinstance(evidence, Evidence) else None
    metrics = _metrics(evidence, claim, past)
    base = replace(
        base,
        metrics=metrics,
        kind=rows.kind if rows else "asserted" if evidence else "",
        counted=counted(rows, past) if rows else {},
    )
    if rows is None and evidence is not None and profile.get("canary.session_rows"):
        words = f"profile {profile.name} needs one row a session: --runs or --evidence"
        base = replace(base, metrics=Metrics())
        return replace(
            base, reason=INSUFFICIENT, missing=(words,), checks=_checks(promotion, base.metrics)
        )
    floor = None if rows is None else _reject_floor(promotion, rows, past, profile)
    first = _first_match(promotion, base, profile, floor)
    findings = judge(promotion, rows, claim, past, profile, today) if rows is not None else ()
    found = _careful(first, findings)
    if promotion.expired(now_ns) and found.state != "rolled_back":
        words = f"the review date {deadline} is over: the weight counts as 0; renew or roll back"
        found = replace(found, state="canary", reason="EXPIRED", reasons=(words,), human=True)
    return _settle(promotion, found)


def _metrics(evidence: Evidence | Metrics | None, claim: Claim | None, past: History) -> Metrics:
    if isinstance(evidence, Evidence):
        capital = claim.capital if claim else None
        rows = [row for row in evidence.counted if past.on_rung(row.date)]
        return of_rows(rows, capital, lambda row: past.weight_on(row.date))
    return evidence or Metrics()


def _reject_floor(
    promotion: Promotion, evidence: Evidence, past: History, profile: Profile
) -> float:
    """What the rows show the reject rate of the rung to be above; the rungs share the level."""
    rows = [row for row in evidence.counted if past.on_rung(row.date)]
    return reject_floor(rows, level(profile) / len(promotion.ladder))


def _first_match(
    promotion: Promotion, base: CanaryDecision, profile: Profile, floor: float | None
) -> CanaryDecision:
    """The four rules of the contract, in their order.

    `floor`: of the reject rate, from session rows. A share of the first few decisions is above any
    limit now and then, so that with rows it must be shown to be; until then it holds.
    """
    metrics = base.metrics
    base = replace(base, checks=_checks(promotion, metrics, floor))
    broken = _limits(promotion, metrics, floor)
    if broken:
        return replace(base, state="rolled_back", reason="; ".join(broken), reasons=tuple(broken))
    absent = metrics.absent()
    sessions_min = int(profile.number("canary.sessions_min"))
    if absent:
        missing = tuple(_shopping(name, metrics, sessions_min) for name in absent)
        return replace(base, reason=INSUFFICIENT, missing=missing)
    unshown = [check for check in base.checks if check.verdict is Verdict.INSUFFICIENT]
    if unshown:
        return replace(base, reason=unshown[0].reason, missing=unshown[0].missing)
    return _earned(promotion, base, profile, sessions_min)


def _earned(
    promotion: Promotion, base: CanaryDecision, profile: Profile, sessions_min: int
) -> CanaryDecision:
    """Rule 3: enough sessions, and a live Sharpe near the claimed one; else rule 4."""
    sessions, live = base.metrics.sessions_live or 0, base.metrics.sharpe_live or 0.0
    claimed = promotion.data["scorecard_snapshot"]["sharpe_oos"]
    ratio = profile.number("canary.sharpe_ratio_min")
    if sessions < sessions_min:
        missing = (f"{sessions_min - sessions} more sessions on this rung",)
        return replace(
            base, reason=f"{many(sessions, 'session')} of {sessions_min}", missing=missing
        )
    if claimed is None or claimed <= 0:
        return replace(base, reason="the claimed Sharpe ratio is not above 0")
    if live < ratio * claimed:
        words = f"live Sharpe {live:.2f} is below {ratio:g} x {claimed:.2f}"
        return replace(base, reason=words)
    step = promotion.next_step()
    if step is None:
        return replace(base, state="graduated", reason="the top of the ladder is held")
    if step > promotion.max_weight:
        words = f"the next step {step:g} is above max_weight {promotion.max_weight:g}"
        return replace(base, reason=LADDER_CAPPED, reasons=(words,))
    words = f"live Sharpe {live:.2f} of {ratio:g} x {claimed:.2f} in {many(sessions, 'session')}"
    return replace(base, state="escalated", reason=words)


def _careful(first: CanaryDecision, findings: tuple[Finding, ...]) -> CanaryDecision:
    """The more careful of the first match and of every finding; never a bolder one."""
    if not findings:
        return first
    figures = {name: value for found in findings for name, value in found.figures.items()}
    missing = tuple(dict.fromkeys([*first.missing, *(t for f in findings for t in f.missing)]))
    checks = (*first.checks, *(found.check for found in findings if found.check is not None))
    human = first.human or any(found.human for found in findings)
    first = replace(first, figures=figures, missing=missing, checks=checks, human=human)
    worst = max((CAREFUL.index(found.state) for found in findings if found.state), default=0)
    arm = next((found.arm for found in findings if found.arm), "")
    if worst < CAREFUL.index(first.state):
        return replace(first, arm=arm if first.state == "graduated" else "")
    speaking = tuple(f.words for f in findings if f.state == CAREFUL[worst] and f.words)
    if worst == CAREFUL.index(first.state):
        reasons = tuple(dict.fromkeys([*first.reasons, *speaking]))
        same = replace(first, reasons=reasons)
        return replace(same, arm=arm) if first.state == "graduated" else same
    return replace(
        first, state=CAREFUL[worst], reason="; ".join(speaking) or first.reason, reasons=speaking
    )


def _settle(promotion: Promotion, decided: CanaryDecision) -> CanaryDecision:
    """The weight that follows from the state."""
    weight = promotion.weight
    if decided.state == "rolled_back":
        weight = 0.0
    elif decided.state == "escalated":
        weight = promotion.next_step() or weight
    elif decided.state == "graduated":
        weight = min(max(weight, promotion.ladder[-1]), promotion.max_weight)
    return replace(decided, new_weight=weight)


def _limits(promotion: Promotion, metrics: Metrics, floor: float | None) -> list[str]:
    """Every figure strictly above its limit, in words."""
    trigger, given = promotion.trigger, metrics.to_dict()
    found = []
    for name in LIMITED:
        value, limit = given[name], trigger[TRIGGERS[name]]
        if value is None or value <= limit:
            continue
        if name != REJECTS or floor is None:
            found.append(f"{name} {value:.6g} is above {limit:g}")
        elif floor > limit:
            found.append(f"{name} {value:.6g} is above {limit:g}: lower bound {floor:.4g}")
    return found


def _checks(
    promotion: Promotion, metrics: Metrics, floor: float | None = None
) -> tuple[Check, ...]:
    trigger, given = promotion.trigger, metrics.to_dict()
    found = []
    for name in LIMITED:
        value, limit = given[name], trigger[TRIGGERS[name]]
        check = at_most(name, value, limit, missing=(f"a measured {name}",))
        if name == REJECTS and value is not None and floor is not None and floor <= limit < value:
            words = f"{name} {value:.4g} may be above {limit:g}: lower bound {floor:.4g}"
            shop = ("more decisions, or fewer rejects",)
            check = replace(check, verdict=Verdict.INSUFFICIENT, reason=words, missing=shop)
        found.append(check)
    return tuple(found)


def _shopping(name: str, metrics: Metrics, sessions_min: int) -> str:
    """What would bring an absent figure."""
    have = metrics.sessions_live or 0
    if name == "slippage_bps":
        return "slippage: sessions with fills"
    if name == "sharpe_live" and have < sessions_min:
        return f"sharpe_live: {sessions_min - have} more sessions"
    if name == "sharpe_live":
        return "sharpe_live: a claim with its capital, and sessions whose P&L varies"
    return f"{name}: it was not given"
