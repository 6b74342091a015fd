"""A whole ladder of the canary, walked on a calendar by the product's own decisions.

The promotion, the claim and the profile are what approval would freeze; each evening of a business
day the session's row joins the evidence and `decide` speaks, and what it says is done. Where
graduation waits for two signatures they are given the same evening.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

import numpy as np
from scipy.special import ndtri

from hft.governance.canary.decide import CanaryDecision, decide
from hft.governance.canary.history import History
from hft.governance.profile import Profile
from hft.governance.promotion.claim import Claim, claim_of
from hft.governance.promotion.document import Promotion, rollback_block
from hft.governance.promotion.ladder import start
from hft.governance.promotion.proposal import GUARDRAILS
from hft.governance.sessions import Evidence, Session
from hft.settings import read_profile
from hft.statistics.series import generator
from hft.statistics.study import Share, Study

DAY_NS = 86_400_000_000_000
APPROVED = date(2026, 11, 2)  # a Monday
CAPITAL, SD, SLIPPAGE = 1e6, 0.002, 1.0
CLAIMED_DAYS = 1008
HASH = "0" * 64
THRESHOLDS = {
    "min_sharpe_oos": 1.0,
    "max_abs_drawdown": 0.2,
    "max_turnover": 2.0,
    "max_correlation": 0.7,
}
READINESS = {
    **dict.fromkeys(("gate_c", "gate_d", "gate_e"), "PASS"),
    "evidence": "runs",
    "shadow_sessions": 22,
    "drift_alerts": 0,
    "execution_reject_rate": 0.0,
}
Draw = Callable[[int], float]
# What a rollback's words begin with, and what it is put down to; anything else is a guardrail,
# which compares a plain figure of the rung with its limit.
CAUSES = {
    "adverse e-process": "process",
    "slippage is above": "process",
    "reject rate is above": "process",
    "drawdown ": "drawdown",
    "a day lost": "day",
}


@dataclass
class Life:
    """How one canary ended: graduated, rollback, or still held when it expired, and after what."""

    end: str
    days: int  # of the calendar, from approval
    sessions: int
    rungs: list[float]
    arm: str = ""
    cause: str = ""


def claimed(sharpe: float, seed: int) -> Claim:
    """The claim of four validated years whose Sharpe ratio is exactly this."""
    daily = generator(seed, 0).standard_normal(CLAIMED_DAYS)
    daily = (daily - daily.mean()) / daily.std(ddof=1)
    shadow = tuple(SLIPPAGE + 0.05 * generator(seed, 1).standard_normal(22))
    found = claim_of(
        SD * (daily + sharpe / sqrt(252)),
        CAPITAL,
        quantile=0.99,
        rungs=4,
        slippage=shadow,
        seed=seed,
    )
    assert found is not None
    return found


def promotion(profile: Profile, sharpe: float) -> Promotion:
    """The file as approval writes it: first rung, ladder and expiry of the profile."""
    first = start(profile, sharpe)
    head = {"seq": 1, "hash": HASH}
    signature = {"name": "somebody", "sig": "none"}
    kept = ("config", "data", "code", "thresholds", "scorecard", "limits", "bundle", "memo")
    return Promotion.from_data(
        {
            "config_version": "v1",
            "parent_config_version": None,
            "alpha_id": "studied",
            "enabled": True,
            "weight": first.weight,
            "profile": profile.name,
            "owner": "owner",
            "validator": "validator",
            "self_approved": False,
            "expiry_review_date": (APPROVED + timedelta(days=first.expiry_days)).isoformat(),
            "forced": False,
            "source_commit": "none",
            "run_id": "none",
            "hashes": dict.fromkeys(kept, HASH),
            "heads": {"audit": head, "ledger": {}},
            "scorecard_snapshot": {
                "sharpe_oos": sharpe,
                "max_drawdown": -0.02,
                "turnover": 0.4,
                "correlation_pool_max": 0.0,
                "pool_empty": True,
                "n_trials": 1,
                "n_effective": 1.0,
            },
            "thresholds": THRESHOLDS,
            "readiness": READINESS,
            "guardrails": dict(GUARDRAILS),
            "canary": {
                "ladder": list(first.ladder),
                "max_weight": first.max_weight,
                "state": "canary",
                "last_action": None,
                "last_ts_ns": None,
            },
            "rollback": rollback_block(GUARDRAILS),
            "signatures": dict.fromkeys(("owner", "validator", "state"), signature),
        }
    )


def walk(
    profile: Profile, claim: Claim, sharpe: float, daily: Draw, life: int, rejects: float = 0.001
) -> Life:
    """One canary from approval to its end or to the last day of its promotion.

    `daily(k)` is the return of session k had the whole allocation traded.
    """
    current = promotion(profile, sharpe)
    noise = generator(life, 2)
    weights, rows = [(APPROVED, current.weight)], []
    day, last = APPROVED + timedelta(days=1), current.expiry
    while day <= last:
        if day.weekday() < 5:
            rows.append(_session(day, daily(len(rows)) * current.weight, rejects, noise))
            found = decide(
                current,
                Evidence("runs", tuple(rows)),
                profile,
                now_ns=(day - date(1970, 1, 1)).days * DAY_NS + 20 * DAY_NS // 24,
                claim=claim,
                history=History(weights=tuple(weights)),
            )
            if found.action in ("rollback", "graduate"):
                return _ended(found, day, len(rows), weights)
            if found.action == "escalate":
                weights.append((day, found.new_weight))
                current = current.replace(weight=found.new_weight, canary={"state": "escalated"})
        day += timedelta(days=1)
    days, rungs = (last - APPROVED).days, [weight for _, weight in weights]
    return Life("held", days, len(rows), rungs)


def _session(day: date, earned: float, rejects: float, noise: np.random.Generator) -> Session:
    """Sixty fills near the modelled slippage, two hundred decisions, some of them rejected."""
    slippage = SLIPPAGE + 0.05 * float(noise.standard_normal())
    count = int(noise.binomial(200, rejects))
    return Session(day, 60, earned * CAPITAL, slippage, count, 200, "f" * 64)


def _ended(
    found: CanaryDecision, day: date, sessions: int, weights: Sequence[tuple[date, float]]
) -> Life:
    days, rungs = (day - APPROVED).days, [weight for _, weight in weights]
    if found.action == "graduate":
        return Life("graduated", days, sessions, rungs, found.arm)
    words = [cause for start_, cause in CAUSES.items() if found.reason.startswith(start_)]
    return Life("rollback", days, sessions, rungs, cause=words[0] if words else "guardrail")


def like_the_claim(claim: Claim, block: int = 10) -> Draw:
    """Each ten sessions have the claim's very mean and spread: evidence neither lucky nor not."""
    scores = ndtri((np.arange(block) + 0.5) / block)
    scores = scores / scores.std(ddof=1)
    order = generator(6, 9).permutation(block)
    return lambda k: float(claim.mu0 + claim.sd0 * scores[order[k % block]])


def drawn(claim: Claim, life: int, mean_share: float = 1.0) -> Draw:
    """Independent normal days of the claim's spread, and its mean or a share of it."""
    values = generator(life, 3).standard_normal(400)
    return lambda k: float(mean_share * claim.mu0 + claim.sd0 * values[k])


NOTES = (
    "A life draws independent days with the claim's mean and spread, sixty fills and two hundred "
    "decisions a day. A rung asks for a live Sharpe of 0.8 of the claim, which luck delays; a held "
    "canary may be renewed and keeps its rung and its evidence.",
    "Drawdown: the fall of each rung against limits that a canary like its claim, looked at every "
    "day, meets with 1 % on the whole ladder. Guardrail: rejects roll back once their rate is "
    "shown to be above 1 %, however often one looks; until then they hold. Drawdown contribution "
    "and mean slippage are compared as they are.",
)


def ladders(
    cases: Sequence[tuple[float, float]] = ((2.0, 0.001), (3.0, 0.001), (5.0, 0.001), (3.0, 0.004)),
    lives: int = 100,
    seed: int = 600,
) -> Study:
    """How long a whole ladder takes, and how harmless canaries end within one promotion.

    `cases`: claimed annual Sharpe ratio, and the share of decisions that is rejected.
    """
    profile = Profile.from_dict(read_profile("standard"), "standard")
    rows, held = [], True
    for sharpe, rejects in cases:
        claim = claimed(sharpe, seed)
        plain = walk(profile, claim, sharpe, like_the_claim(claim), seed)
        many = [
            walk(profile, claim, sharpe, drawn(claim, seed + k), seed + k, rejects)
            for k in range(lives)
        ]
        ends, causes = Counter(life.end for life in many), Counter(life.cause for life in many)
        days = sorted(life.days for life in many if life.end == "graduated")
        rows.append(
            (
                f"{sharpe:g}",
                f"{rejects:.1%}",
                f"{plain.end}, {plain.days} days ({plain.sessions} sessions)",
                str(Share(ends["graduated"], lives)),
                f"{days[len(days) // 2]}" if days else "none",
                str(Share(causes["process"], lives)),
                " / ".join(str(causes[name]) for name in ("drawdown", "day", "guardrail")),
                str(ends["held"]),
            )
        )
        held = held and plain.end == "graduated" and causes["process"] <= 0.03 * lives
        held = held and all(
            Share(causes[name], lives).interval[0] <= 0.01 for name in ("drawdown", "guardrail")
        )
    return Study(
        title=f"A whole `standard` ladder within one promotion, {lives} harmless lives each",
        claim="evidence that is the claim itself graduates before the promotion expires (180 "
        "days); the three sequential processes roll back at most 3 % of harmless lives, drawdown "
        "and guardrails 1 % each, as far as so many lives can tell",
        columns=(
            "claimed Sharpe",
            "rejected",
            "sessions exactly as claimed",
            "lives that graduate in time",
            "median days",
            "rolled back by a process",
            "by drawdown / day / guardrail",
            "held until it expires",
        ),
        rows=tuple(rows),
        held=held,
        seed=seed,
        notes=NOTES,
    )
