"""The sequential rules: what may be looked at every day without fooling oneself.

Each rule answers with a state that is at most as bold as it allows; `decide` takes the most careful
one. Spread and mean are the frozen ones of the claim; the level is split over a year's attempts.
Source: governance, sections 11 and 14.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from functools import lru_cache
from typing import Any

import numpy as np

from hft.governance.canary.completeness import whole
from hft.governance.canary.finding import HOLD, ROLL_BACK, Finding, bounded, fact, rounded
from hft.governance.canary.history import History
from hft.governance.canary.metrics import scaled
from hft.governance.profile import Profile
from hft.governance.promotion.claim import Claim
from hft.governance.promotion.document import Promotion
from hft.governance.sessions import Evidence, Session
from hft.reports.figures import counted
from hft.statistics.betting import bernoulli_interval, empirical_bernstein
from hft.statistics.cusum import cusum
from hft.statistics.sequential import Interval, adverse, mean_confidence

# Every look goes over the same days again, and over one more.
_interval = lru_cache(maxsize=4096)(bernoulli_interval)
LEVEL = 0.05  # of the intervals that must contain the claim
SLIPPAGE_LOW, SLIPPAGE_HIGH = -4.0, 8.0  # where a session's slippage is clipped, in models


@dataclass(frozen=True)
class Facts:
    """Everything the rules look at, in one place."""

    promotion: Promotion
    claim: Claim
    past: History
    profile: Profile
    today: Date
    rows: tuple[Session, ...]  # verified rows of this attempt
    rung: tuple[Session, ...]  # those on the present rung
    evidence: Evidence

    @property
    def sigma0(self) -> float:
        """The frozen daily spread, inflated."""
        return self.claim.sd0 * self.profile.number("canary.sigma_factor")

    @property
    def alpha(self) -> float:
        """The level of each process in this attempt."""
        return level(self.profile)

    def returns(self, rows: Sequence[Session]) -> np.ndarray:
        """Daily returns as if the whole allocation had traded."""
        return scaled(rows, self.claim.capital, lambda row: self.past.weight_on(row.date))


def judge(
    promotion: Promotion,
    evidence: Evidence,
    claim: Claim | None,
    past: History,
    profile: Profile,
    today: Date,
) -> tuple[Finding, ...]:
    """Every rule's finding, in a fixed order."""
    found = [*_at_once(past), *whole(evidence, past, profile, today)]
    if claim is None:
        if profile.get("canary.session_rows"):
            words = "the frozen claim is not at hand: its bundle is missing"
            found.append(Finding(None, HOLD, words, ("the bundle of the promotion",)))
        return tuple(found)
    rows = tuple(row for row in evidence.counted if past.in_attempt(row.date))
    rung = tuple(row for row in rows if past.on_rung(row.date))
    facts = Facts(promotion, claim, past, profile, today, rows, rung, evidence)
    rules = (_day_loss, _drawdown, _adverse, _slippage, _rejects, _cusum, _minimum, _consistent)
    found += [rule(facts) for rule in rules]
    if promotion.next_step() is None:
        found.append(_graduation(facts, e_adverse=float(found_figure(found, "e_adverse") or 1.0)))
    return tuple(found)


def found_figure(found: Sequence[Finding], name: str) -> Any:
    """A figure that some rule has measured."""
    return next((item.figures[name] for item in found if name in item.figures), None)


def _at_once(past: History) -> list[Finding]:
    found = [Finding(fact(w, False), ROLL_BACK, w, human=True) for w in past.mismatches]
    if past.outside_regime:
        found.append(Finding(None, HOLD, past.outside_regime))
    if past.fleet_flagged:
        words = "e-BH over the running canaries names this one"
        found.append(Finding(None, HOLD, words, human=True))
    return found


def _day_loss(facts: Facts) -> Finding:
    most = facts.profile.number("canary.day_loss_sigmas_max")
    losses = -facts.returns(facts.rows) / facts.sigma0
    worst = float(losses.max(initial=0.0))
    bad = worst > most
    words = f"a day lost {worst:.1f} sigma0 of the rung, more than {most:g}" if bad else ""
    check = bounded("day_loss_sigmas", worst, most, bad, words)
    return Finding(check, ROLL_BACK if bad else "", words)


def _drawdown(facts: Facts) -> Finding:
    limit = facts.claim.drawdown_for(len(facts.rung))
    path = np.cumsum(facts.returns(facts.rung))
    peak = np.maximum.accumulate(np.maximum(path, 0.0))
    deepest = float((peak - path).max(initial=0.0))
    if limit is None:
        return Finding(None, HOLD, "no drawdown quantile was frozen", ("a frozen claim",))
    bad = deepest > limit
    words = f"drawdown {deepest:.4g} of the rung is beyond the claim's {limit:.4g}" if bad else ""
    return Finding(
        bounded("rung_drawdown", deepest, limit, bad, words), ROLL_BACK if bad else "", words
    )


def _adverse(facts: Facts) -> Finding:
    """The adverse e-process on P&L, over the whole attempt."""
    share, tau2 = facts.profile.number("canary.claim_share"), facts.profile.number("canary.tau2")
    process = adverse(facts.returns(facts.rows), share * facts.claim.mu0, facts.sigma0, tau2)
    bound = 1.0 / facts.alpha
    figures = {
        "e_adverse": rounded(process.e),
        "e_adverse_max": rounded(process.e_max),
        "e_rollback": rounded(bound),
    }
    if process.e_max >= bound:
        words = f"adverse e-process {process.e_max:.4g} reached {bound:.4g}"
        check = bounded("e_adverse", process.e_max, bound, True, words)
        return Finding(check, ROLL_BACK, words, figures=figures)
    bound = facts.profile.number("canary.hold_e")
    held = process.e >= bound
    words = f"adverse e-process {process.e:.3g} is at or above {bound:g}" if held else ""
    check = bounded("e_adverse", process.e, bound, held, words)
    return Finding(check, HOLD if held else "", words, figures=figures, human=held)


def _slippage(facts: Facts) -> Finding:
    """Slippage against the model: far above rolls back, not yet shown to be near holds."""
    model = facts.claim.slippage_bps
    values = [row.slippage_bps for row in facts.rows if row.slippage_bps is not None]
    if model is None or not values:
        wanted = "a modelled slippage" if model is None else "sessions with fills"
        return Finding(None, HOLD, f"slippage cannot be judged: {wanted} is missing", (wanted,))
    unit = max(abs(model), 0.05)
    far = facts.profile.number("canary.slippage_rollback_ratio_max") * unit
    near = facts.profile.number("canary.slippage_ratio_max") * unit
    low = slippage_interval(values, facts, unit, facts.alpha).low
    high = slippage_interval(values, facts, unit, LEVEL).high
    figures = {
        "slippage_low": rounded(low),
        "slippage_high": rounded(high),
        "slippage_model": model,
    }
    if low > far:
        words = f"slippage is above {far:.3g} bps: lower bound {low:.3g}"
        return Finding(
            bounded("slippage_low", low, far, True, words), ROLL_BACK, words, figures=figures
        )
    held = high > near
    words = f"slippage may be above {near:.3g} bps: upper bound {high:.3g}" if held else ""
    missing = ("more sessions with fills, or a lower slippage",) if held else ()
    check = bounded("slippage_high", high, near, held, words, unknown=held)
    return Finding(check, HOLD if held else "", words, missing, figures)


def slippage_interval(values: list[float], facts: Facts, unit: float, alpha: float) -> Interval:
    """With the frozen spread of shadow sessions where there is one, else from bounds alone."""
    spread = facts.claim.slippage_sd
    if spread is not None and spread > 0:
        sigma = spread * facts.profile.number("canary.sigma_factor")
        found = mean_confidence(values, sigma, alpha, facts.profile.number("canary.tau2"))
        assert found is not None
        return found
    low, high = SLIPPAGE_LOW * unit, SLIPPAGE_HIGH * unit
    return empirical_bernstein(np.clip(values, low, high), low, high, alpha)


def level(profile: Profile) -> float:
    """The level of each process in one attempt: the year's level, split evenly."""
    return profile.number("canary.alpha") / profile.number("canary.attempts_max")


def reject_floor(rows: Sequence[Session], alpha: float) -> float:
    """What the reject rate is shown to be above, looked at after every session; 0 at first.

    With a true rate of r it ever exceeds r with probability `alpha` at most.
    """
    low, rejects, decisions = 0.0, 0, 0
    for row in rows:
        rejects, decisions = rejects + row.rejects, decisions + row.decisions
        low = max(low, _interval(rejects, decisions, alpha).low)
    return low


def _rejects(facts: Facts) -> Finding:
    limit = facts.profile.get("canary.reject_rollback_max")
    if limit is None:
        return Finding()
    low = reject_floor(facts.rows, facts.alpha)
    bad = low > float(limit)
    words = f"reject rate is above {float(limit):g}: lower bound {low:.4f}" if bad else ""
    check = bounded("reject_rate_low", low, float(limit), bad, words)
    return Finding(
        check, ROLL_BACK if bad else "", words, figures={"reject_rate_low": rounded(low)}
    )


def _cusum(facts: Facts) -> Finding:
    k, h = facts.profile.number("canary.cusum_k"), facts.profile.number("canary.cusum_h")
    value = cusum(facts.returns(facts.rows), facts.claim.mu0, facts.sigma0, k, h).value
    bad = value > h
    words = f"CUSUM {value:.2f} is above {h:g}" if bad else ""
    check = bounded("cusum", value, h, bad, words)
    return Finding(check, HOLD if bad else "", words, figures={"cusum": rounded(value)}, human=bad)


def _minimum(facts: Facts) -> Finding:
    days, fills = len(facts.rung), sum(row.n_fills for row in facts.rung)
    least_days = int(facts.profile.number("canary.sessions_min"))
    least_fills = int(facts.profile.number("canary.fills_min"))
    missing = []
    if days < least_days:
        missing.append(f"{least_days - days} more sessions on this rung")
    if fills < least_fills:
        missing.append(f"{least_fills - fills} more fills on this rung")
    words = (
        f"{counted(days, 'session')} and {counted(fills, 'fill')} on the rung" if missing else ""
    )
    check = bounded("rung_minimum", float(fills), float(least_fills), bool(missing), words, True)
    check = replace(check, margin=float(fills - least_fills))  # a minimum, not a bound above
    return Finding(check, HOLD if missing else "", words, tuple(missing))


def _consistent(facts: Facts) -> Finding:
    """The claim's mean is not excluded, and the spread is of its size."""
    low, high = (facts.profile.get(f"canary.volatility_ratio_{end}") for end in ("min", "max"))
    daily = facts.returns(facts.rung)
    if daily.size < 2 or low is None or high is None:
        return Finding()
    around = mean_confidence(daily, facts.sigma0, LEVEL, facts.profile.number("canary.tau2"))
    assert around is not None
    ratio = float(daily.std(ddof=1)) / facts.sigma0
    words = []
    if not around.contains(facts.claim.mu0):
        words.append(
            f"the claimed mean {facts.claim.mu0:.3g} is outside "
            f"[{around.low:.3g}, {around.high:.3g}]"
        )
    if not float(low) <= ratio <= float(high):
        words.append(f"realised volatility is {ratio:.2f} sigma0, not within [{low:g}, {high:g}]")
    figures = {
        "mean_low": around.low,
        "mean_high": around.high,
        "mu0": facts.claim.mu0,
        "volatility_ratio": rounded(ratio),
    }
    said = "; ".join(words)
    return Finding(
        fact("consistent_with_claim", not words, said),
        HOLD if words else "",
        said,
        figures=figures,
    )


def _graduation(facts: Facts, e_adverse: float) -> Finding:
    """Planned looks, or after the last one no contradiction and two signatures."""
    looks = [float(z) for z in facts.profile.get("canary.looks")]
    every = int(facts.profile.number("canary.look_days"))
    daily = facts.returns(facts.rung)
    taken = min(len(daily) // every, len(looks))
    scores = []
    for k in range(taken):
        part = daily[: (k + 1) * every]
        scores.append(float(part.sum() / (facts.sigma0 * math.sqrt(len(part)))))
    figures = {"looks_taken": taken, "look_z": [rounded(z) for z in scores], "look_bounds": looks}
    if any(z >= bound for z, bound in zip(scores, looks, strict=False)):
        return Finding(fact("looks", True), "", "", figures=figures, arm="looks")
    if taken < len(looks):
        left = every * (taken + 1) - len(daily)
        words = f"look {taken + 1} of {len(looks)} is {counted(left, 'session')} away"
        return Finding(None, HOLD, words, (f"{left} more sessions at the top rung",), figures)
    return _no_contradiction(facts, e_adverse, figures)


def _no_contradiction(facts: Facts, e_adverse: float, figures: Mapping[str, Any]) -> Finding:
    most_e = facts.profile.number("canary.graduation_e_max")
    most_cost = facts.profile.number("canary.graduation_cost_ratio_max")
    values = [(row.slippage_bps, row.n_fills) for row in facts.rung if row.slippage_bps is not None]
    fills = sum(n for _, n in values)
    model = facts.claim.slippage_bps
    ratio = None
    if fills and model is not None:
        ratio = sum(s * n for s, n in values) / fills / max(abs(model), 0.05)
    words = []
    if e_adverse >= most_e:
        words.append(f"adverse e-process {e_adverse:.3g} is not below {most_e:g}")
    if ratio is None or ratio > most_cost:
        shown = "unknown" if ratio is None else f"{ratio:.2f}"
        words.append(f"cost ratio {shown} is not within {most_cost:g}")
    said = "; ".join(words)
    if words:
        return Finding(fact("non_contradiction", False, said), HOLD, said, figures=figures)
    return Finding(
        fact("non_contradiction", True), "", "", figures=figures, arm="non_contradiction"
    )
