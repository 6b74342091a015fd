"""What a canary shows: its decision in words, its processes day by day, its life so far.

The series are the rules' own figures after every session, from the same rows; nothing is decided
here. The page shows digest inputs only.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from datetime import date as Date
from typing import Any

import numpy as np

from hft.governance.canary.decide import CanaryDecision
from hft.governance.canary.history import History
from hft.governance.canary.metrics import scaled
from hft.governance.canary.sequential import LEVEL, Facts, slippage_interval
from hft.governance.profile import Profile
from hft.governance.promotion.changes import Change
from hft.governance.promotion.claim import Claim
from hft.governance.promotion.document import Promotion
from hft.governance.sessions import Evidence, Session
from hft.governance.verdict import GateResult, Verdict
from hft.reports.governance.document import Document, Fact
from hft.reports.governance.evidence import CanaryProcess, ConditionTimeline, Picture
from hft.statistics.betting import bernoulli_interval
from hft.statistics.sequential import adverse, normal_mixture_bound

LIGHTS = {"rollback": Verdict.FAIL, "hold": Verdict.INSUFFICIENT}
WORDS = {
    "hold": "The weight stays at {old:g}",
    "escalate": "The weight may rise from {old:g} to {new:g}",
    "graduate": "It leaves the canary with weight {new:g}",
    "rollback": "The weight goes from {old:g} to 0",
}


def document(
    decision: CanaryDecision,
    promotion: Promotion | None = None,
    *,
    evidence: Evidence | None = None,
    claim: Claim | None = None,
    past: History | None = None,
    profile: Profile | None = None,
    changes: Sequence[Change] = (),
    decisions: Sequence[Mapping[str, Any]] = (),
) -> Document:
    """The page of one decision. `decisions`: earlier ones (ts_ns, action, reason)."""
    if promotion is None:
        return Document(decision.alpha_id, "canary", words=decision.reason, verdict=decision.state)
    pictures: list[Picture] = []
    absent = {}
    facts = _facts_of(promotion, evidence, claim, past, profile)
    if facts is None:
        absent["canary_process"] = "it needs session rows, and the claim that was frozen"
    else:
        pictures.append(_process(facts, decisions))
    if changes:
        pictures.append(timeline(promotion, changes))
    return Document(
        title=decision.alpha_id,
        kind="canary",
        subtitle=f"profile {promotion.profile}, weight {promotion.weight:g} of the target",
        verdict=decision.action.upper(),
        words=_words(decision),
        facts=_figures(decision, promotion, facts),
        gates=(_gate(decision),),
        pictures=tuple(pictures),
        absent=absent,
        inputs=_inputs(decision, promotion, profile, evidence),
        digest=decision.evidence_digest,
    )


def _words(decision: CanaryDecision) -> str:
    says = WORDS[decision.action].format(old=decision.old_weight, new=decision.new_weight)
    reason = (
        "there is not enough evidence" if decision.reason == "INSUFFICIENT" else decision.reason
    )
    human = " Somebody should look." if decision.human else ""
    return f"{says}: {reason}.{human}" if reason else f"{says}.{human}"


def _gate(decision: CanaryDecision) -> dict[str, Any]:
    """The checks under one light: the action's own, whatever the single checks say."""
    shown = GateResult("canary", decision.checks).to_dict()
    light = LIGHTS.get(decision.action, Verdict.PASS)
    more = {"missing": list(decision.missing), "evidence_digest": decision.evidence_digest}
    return shown | {"verdict": light.value, "reason": decision.reason} | more


def _figures(
    decision: CanaryDecision, promotion: Promotion, facts: Facts | None
) -> tuple[Fact, ...]:
    metrics, figures = decision.metrics, decision.figures
    claimed = promotion.data["scorecard_snapshot"]["sharpe_oos"]
    e_value = figures.get("e_adverse")
    sessions = metrics.sessions_live
    return (
        Fact("weight", f"{decision.new_weight:g}", f"was {decision.old_weight:g}"),
        Fact("sessions", _number(sessions), "on this rung"),
        Fact("live Sharpe", _number(metrics.sharpe_live), f"claimed {_number(claimed)}"),
        Fact("slippage", f"{_number(metrics.slippage_bps)} bps", "mean over fills"),
        Fact("rejects", _number(metrics.execution_error_rate), "share of decisions"),
        Fact("evidence against it", _number(e_value), f"rolled back from {_bound(facts)}"),
        Fact("evidence", decision.kind or "none", "where the rows came from"),
        Fact("review by", decision.deadline or "–", "then the weight counts as 0"),
    )


def _bound(facts: Facts | None) -> str:
    return "–" if facts is None else f"{1.0 / facts.alpha:g}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _facts_of(
    promotion: Promotion,
    evidence: Evidence | None,
    claim: Claim | None,
    past: History | None,
    profile: Profile | None,
) -> Facts | None:
    """What the rules look at; None where rows, claim or thresholds are missing."""
    if evidence is None or claim is None or profile is None:
        return None
    held = past or History()
    rows = tuple(
        row
        for row in evidence.counted
        if held.in_attempt(row.date) and held.weight_on(row.date) > 0
    )
    if not rows:
        return None
    rung = tuple(row for row in rows if held.on_rung(row.date))
    return Facts(promotion, claim, held, profile, rows[-1].date, rows, rung, evidence)


def _process(facts: Facts, decisions: Sequence[Mapping[str, Any]]) -> CanaryProcess:
    """Every rule's figure after every session."""
    profile, claim = facts.profile, facts.claim
    daily = scaled(facts.rows, claim.capital, lambda row: facts.past.weight_on(row.date))
    share, tau2 = profile.number("canary.claim_share"), profile.number("canary.tau2")
    process = adverse(daily, share * claim.mu0, facts.sigma0, tau2)
    series: dict[str, Any] = _mean(facts, daily, tau2) | _slippage(facts) | _rejects(facts)
    return CanaryProcess(
        ts_ns=[_ns(row.date) for row in facts.rows],
        e_value=np.exp(np.minimum(process.log_e, 40.0)),
        hold=profile.number("canary.hold_e"),
        rollback=1.0 / facts.alpha,
        mu0=claim.mu0,
        mu_unit="of the target, as if all of it had traded",
        weight=[facts.past.weight_on(row.date) for row in facts.rows],
        ladder=facts.promotion.ladder,
        decisions=[(one["ts_ns"], one["action"], one["reason"]) for one in decisions],
        slippage_escalate=profile.number("canary.slippage_ratio_max"),
        slippage_rollback=profile.number("canary.slippage_rollback_ratio_max"),
        rejects_rollback=profile.get("canary.reject_rollback_max"),
        **series,
    )


def _ns(day: Date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000_000


def _mean(facts: Facts, daily: np.ndarray, tau2: float) -> dict[str, list[float | None]]:
    """The mean since the present rung began, with its confidence sequence."""
    first = len(facts.rows) - len(facts.rung)
    days = np.arange(1, len(facts.rung) + 1, dtype=np.float64)
    mean = np.cumsum(daily[first:]) / days
    reach = facts.sigma0 * normal_mixture_bound(days, LEVEL, 1.0 / tau2) / days
    before: list[float | None] = [None] * first
    return {
        "mu": [*before, *mean.tolist()],
        "mu_low": [*before, *(mean - reach).tolist()],
        "mu_high": [*before, *(mean + reach).tolist()],
    }


def _slippage(facts: Facts) -> dict[str, list[float | None]]:
    """Mean slippage and its two bounds in units of the model; empty without a model."""
    model = facts.claim.slippage_bps
    if model is None:
        return {}
    unit = max(abs(model), 0.05)
    out: dict[str, list[float | None]] = {"": [], "_low": [], "_high": []}
    known: list[float] = []
    for row in facts.rows:
        known += [row.slippage_bps] if row.slippage_bps is not None else []
        if not known:
            for values in out.values():
                values.append(None)
            continue
        out[""].append(float(np.mean(known)) / unit)
        out["_low"].append(slippage_interval(known, facts, unit, facts.alpha).low / unit)
        out["_high"].append(slippage_interval(known, facts, unit, LEVEL).high / unit)
    return {f"slippage{end}": values for end, values in out.items()}


def _rejects(facts: Facts) -> dict[str, list[float | None]]:
    """The reject rate so far with its bounds."""
    out: dict[str, list[float | None]] = {"": [], "_low": [], "_high": []}
    rejects = decisions = 0
    for row in facts.rows:
        rejects, decisions = rejects + row.rejects, decisions + row.decisions
        around = bernoulli_interval(rejects, decisions, facts.alpha)
        out[""].append(rejects / decisions if decisions else None)
        out["_low"].append(around.low if decisions else None)
        out["_high"].append(around.high if decisions else None)
    return {f"rejects{end}": values for end, values in out.items()}


def timeline(promotion: Promotion, changes: Sequence[Change]) -> ConditionTimeline:
    """The life of a promotion from its recorded changes."""
    return ConditionTimeline(
        events=[(one.ts_ns, one.cause, f"weight {one.weight:g}, {one.state}") for one in changes],
        weight_ts_ns=[one.ts_ns for one in changes],
        weight=[float(one.weight) for one in changes],
        expiry_ns=_ns(promotion.expiry),
    )


def _inputs(
    decision: CanaryDecision,
    promotion: Promotion,
    profile: Profile | None,
    evidence: Evidence | None,
) -> dict[str, Any]:
    hashes = {f"{name} hash": value for name, value in promotion.data["hashes"].items() if value}
    runs = sorted({row.run_digest for row in _rows(evidence) if row.run_digest})
    return {
        "evidence digest": decision.evidence_digest,
        "thresholds in force": profile.hash if profile else "–",
        "sessions": len(_rows(evidence)),
        "run digests": len(runs),
        "last run digest": runs[-1] if runs else "–",
        **hashes,
    }


def _rows(evidence: Evidence | None) -> tuple[Session, ...]:
    return evidence.rows if evidence is not None else ()
