"""Gate C, statistical evidence: net of costs, out of sample, after every try was counted.

What the data cannot carry is INSUFFICIENT and says how much more it takes; what the profile does
not ask for, or what cannot be applied, is listed with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from hft.governance.gates.confirmation import confirmed
from hft.governance.gates.thresholds import asked, unasked
from hft.governance.profile import Profile
from hft.governance.verdict import (
    Check,
    GateResult,
    Verdict,
    at_least,
    at_most,
    holds,
    insufficient,
    not_applicable,
)
from hft.research.measures.evidence import Evidence
from hft.research.measures.measurement import Measured
from hft.statistics.selection import NotInstalled

LIFETIME_DAYS = 40 * 252
HIGHER = "a higher SR"


@dataclass(frozen=True)
class ReplayFacts:
    """The alpha through the real gateway: figures net of fees, latency and queue."""

    sharpe: float | None
    net: float
    fills: int
    refused_share: float | None
    drawdown: float
    stressed_net: float | None
    digest: str


def gate_c(
    found: Measured,
    evidence: Evidence,
    profile: Profile,
    replayed: ReplayFacts | None = None,
    advice: Sequence[Check] = (),
) -> GateResult:
    """Every check of the evidence under the thresholds of a profile, and advice beside them."""
    judge = _Judge(found, evidence, profile)
    checks = [
        *judge.returns(),
        *judge.walking(),
        *judge.swept(),
        *judge.stressed(),
        *judge.counted(),
        *judge.paths(),
        *judge.informed(),
        *judge.lasting(),
        *_replayed(replayed, found, profile),
        confirmed(found, None if replayed is None else replayed.sharpe, profile),
        *advice,
    ]
    context = {
        "convention": "2012",
        "n_trials": evidence.tries.n,
        "n_effective": float(f"{evidence.tries.effective:.12g}"),
        "figures": found.figures,
    }
    return GateResult("C", tuple(checks), context)


class _Judge:
    """The three things every check reads, and how one is asked."""

    def __init__(self, found: Measured, evidence: Evidence, profile: Profile) -> None:
        self.found, self.evidence, self.profile = found, evidence, profile

    def ask(self, id: str, value: float | None, key: str, **more: Any) -> Check:
        """One figure against one threshold of Gate C."""
        return asked(self.profile, f"gate_c.{key}", id, value, **more)

    def returns(self) -> list[Check]:
        """What was earned out of sample, and whether there is enough of it."""
        found, needed = self.found, int(self.profile.number("gate_c.oos_points_min"))
        config = found.config
        points: Check = at_least("oos_points", found.oos_points, needed)
        if found.oos_points < needed:
            unit = "days" if found.basis == "daily" else "rows"
            more = ceil((needed - found.oos_points) / (1 - found.options.is_oos_split))
            text = f"{found.oos_points} periods out of sample, {needed} are asked for"
            points = insufficient("oos_points", text, (f"{more} more {unit}",), found.oos_points)
        traded = found.test.turnover
        silent = "no Sharpe ratio: nothing was traded or earned out of sample"
        return [
            points,
            self.ask("sharpe_oos", config.sharpe_oos, "sharpe_oos_min", undefined=silent),
            self.ask("max_drawdown", found.drawdown, "drawdown_min"),
            self.ask("turnover", traded, "turnover_min"),
        ]

    def walking(self) -> list[Check]:
        """Folds in time order, each chosen on its past."""
        walk = self.found.anchored
        if walk is None:
            return [self._short("walk_forward", 2 * (self.found.options.walk_forward_folds + 1))]
        missing = ("a threshold that gained in sample",)
        return [
            self.ask("walk_consistency", walk.consistency, "walk_forward_consistency_min"),
            self.ask("walk_worst", walk.worst_t, "walk_forward_worst_t_min"),
            self.ask("walk_ratio", walk.ratio, "walk_forward_ratio_min", missing=missing),
            self.ask("worst_year", self.found.worst_year, "year_sd_min"),
        ]

    def swept(self) -> list[Check]:
        """Did choosing find luck: in sample against out of it, and the thresholds beside."""
        told = "the Sharpe ratio out of sample is further below that in sample than luck takes it"
        gap = self.ask("is_oos_gap", self.found.gap, "is_oos_gap_se_max", reason=told)
        if self.found.gap is None and self.found.basis != "daily":
            gap = not_applicable("is_oos_gap", "no days: a gap has no standard error")
        return [gap, self._plateau()]

    def _plateau(self) -> Check:
        """The share of the thresholds beside that keeps most of the edge."""
        stress, keep = self.found.stress, float(self.profile.get("gate_c.plateau_keep_min") or 0.0)
        if self.found.options.execution == "quotes":
            return not_applicable("plateau", "a policy that quotes has no threshold")
        if self.profile.get("gate_c.plateau_share_min") is None:
            return unasked(self.profile, "plateau", stress.plateau(keep))
        if not stress.differing:
            return not_applicable("plateau", "the thresholds beside take the same positions")
        own = stress.at_cost(1.0)
        if own is None or own <= 0:
            text = "the Sharpe ratio is not above 0: there is no edge to keep"
            least = self.profile.number("gate_c.plateau_share_min")
            return Check("plateau", None, least, Verdict.FAIL, reason=text)
        lost = [one for one in stress.differing if (one.sharpe or 0.0) < keep * own]
        where = ", ".join(f"{one.factor:g}" for one in lost)
        told = f"less than {keep:.0%} of the edge is left at {where} times the threshold"
        return self.ask("plateau", stress.plateau(keep), "plateau_share_min", reason=told)

    def stressed(self) -> list[Check]:
        """Costs and latency beyond the plan, and a threshold a fifth off."""
        stress, profile = self.found.stress, self.profile
        checks = []
        base, worse = stress.base.sharpe, stress.stressed.sharpe
        if base is not None and base > 0 and worse is not None:
            floor = profile.number("gate_c.stress_sharpe_ratio_min")
            checks.append(at_least("stress_sharpe_ratio", worse / base, floor))
        else:
            reason = "the Sharpe ratio out of sample is not above 0"
            checks.append(not_applicable("stress_sharpe_ratio", reason))
        room = profile.number("gate_c.drawdown_min") * profile.number(
            "gate_c.stress_drawdown_factor"
        )
        checks.append(at_least("stress_drawdown", stress.stressed.at_capital, room))
        cost2 = stress.at_cost(2.0)
        twice = self.ask("sharpe_at_2x_cost", cost2, "cost2x_sharpe_min")
        return [*checks, *self._robust(), twice]

    def _robust(self) -> list[Check]:
        """The figures beside the alpha's own threshold."""
        if self.found.options.execution == "quotes":
            return [not_applicable("robust", "a policy that quotes has no threshold")]
        stress, base = self.found.stress, self.found.stress.base
        ways = (
            (
                base.turnover,
                stress.busiest,
                "robust_turnover_ratio_max",
                "robust_turnover_room_max",
            ),
            (
                *(abs(base.drawdown), abs(stress.deepest)),
                *("robust_drawdown_ratio_max", "robust_drawdown_room_max"),
            ),
        )
        return [self._no_worse(*way) for way in ways]

    def _no_worse(self, own: float, worst: float, ratio: str, room: str) -> Check:
        """Beside the threshold no more than a multiple, or than some room above the alpha's own."""
        id = ratio.removesuffix("_ratio_max")
        most, more = (self.profile.number(f"gate_c.{key}") for key in (ratio, room))
        told = f"{id.split('_')[1]} {worst:.3g} instead of {own:.3g} with a threshold a fifth off"
        return at_most(id, worst, max(most * own, own + more), reason=told)

    def counted(self) -> list[Check]:
        """What is left once every try is paid for."""
        if self.found.basis != "daily":
            return [self._short("evidence", 20)]
        e = self.evidence
        days = _more_days(e.dsr_days, e.n, e.dsr_days_likely)
        level = "" if e.dsr_sharpe is None else f"true SR >= {e.dsr_sharpe:.1f}"
        turn = (
            " or ".join(text for text in ("" if days == HIGHER else days, level) if text) or HIGHER
        )
        told = "" if e.dsr is None else f"DSR {e.dsr:.3f} after {e.tries.effective:.1f} trials"
        if e.dsr is not None and e.effective < 0.95 * e.n:
            told += f" in {e.effective:.0f} independent days of {e.n}"
        return [
            self.ask("dsr", e.dsr, "dsr_min", reason=f"{told}: it takes {turn}"),
            self._track(),
            *self._pbo(),
            self.ask("haircut_sharpe", e.haircut_sharpe, "haircut_sharpe_min"),
            self.ask("haircut_share", e.haircut_share, "haircut_share_max"),
            self.ask("hac_t", e.hac_t, "hac_t_min"),
            self._spa(),
        ]

    def _track(self) -> Check:
        """PSR against the benchmark; too short a record is undecided while it beats it."""
        e = self.evidence
        wanted = self.profile.get("gate_c.psr_min") is not None
        if wanted and e.track_days is not None and e.n < e.track_days:
            text = f"{e.n} days of the {ceil(e.track_days)} that this Sharpe ratio needs"
            asked = self.ask("psr", e.psr, "psr_min")  # its threshold and margin stand
            missing = (_more_days(e.track_days, e.n),)
            return replace(asked, verdict=Verdict.INSUFFICIENT, reason=text, missing=missing)
        return self.ask("psr", e.psr, "psr_min")

    def _pbo(self) -> list[Check]:
        e, out = self.evidence, self.evidence.tries.left_out
        told = f"{out} trials of this data are left out: they do not say these days" if out else ""
        if e.pbo is None:
            reason = "; ".join(text for text in (e.pbo_reason, told) if text)
            return [not_applicable("pbo", reason, e.pbo_configs)]
        asked = self.ask("pbo", e.pbo.pbo, "pbo_max")
        return [replace(asked, reason="; ".join(text for text in (asked.reason, told) if text))]

    def _spa(self) -> Check:
        found = self.evidence.spa
        if isinstance(found, NotInstalled):
            return self.ask(
                "spa_p", None, "spa_p_max", undefined=found.sentence, missing=(found.fix,)
            )
        return self.ask("spa_p", None if found is None else found.p_consistent, "spa_p_max")

    def paths(self) -> list[Check]:
        """Combinatorial purged folds."""
        paths = self.found.paths
        if paths is None:
            return [self._short("cpcv", 2 * self.found.options.cpcv_folds)]
        return [
            self.ask("cpcv_median", paths.median, "cpcv_median_min"),
            self.ask("cpcv_low", paths.low, "cpcv_low_min"),
        ]

    def informed(self) -> list[Check]:
        """Rank correlation with what follows."""
        days = self.found.information.days
        if days is None:
            return [self._short("ic", 20)]
        t = days.t
        same = None
        if days.mean is not None and days.pearson_mean is not None:
            same = days.mean * days.pearson_mean > 0
        wanted = self.profile.get("gate_c.ic_t_min") is not None
        told = "ranks and values disagree on the sign: outliers carry the signal"
        return [
            self.ask("ic_t", None if t is None else t.t, "ic_t_min"),
            self.ask("ic_hit_rate", days.hit_rate, "ic_hit_rate_min"),
            holds("ic_same_sign", same, told, blocking=wanted),
        ]

    def lasting(self) -> list[Check]:
        """Does the edge outlive the latency, and is the fall that happened a likely one?"""
        checks = [self._half_life()]
        test = self.found.drawdowns
        value = None if test is None else test.percentile
        return [
            *checks,
            self.ask("drawdown_not_too_small", value, "drawdown_quantile_min"),
            self.ask("drawdown_not_too_deep", value, "drawdown_quantile_max"),
        ]

    def _half_life(self) -> Check:
        info, latency = self.found.information, self.found.options.latency_ns
        key, life = "half_life_latency_min", self.found.information.half_life_ns
        if latency <= 0:
            return not_applicable("half_life", "no latency is declared", life)
        least = self.profile.get(f"gate_c.{key}")
        if least is None:
            return unasked(self.profile, "half_life", life)
        if life is None and info.lasting:
            # Longer than the longest horizon tried, which is therefore a lower bound.
            life = float(info.horizons_ns[-1])
        ratio = None if life is None else life / latency
        if info.half_life_ns is None and ratio is not None and ratio < least:
            text = f"the edge stands at {ratio:.3g} latencies, the longest horizon that was tried"
            return insufficient("half_life", text, ("a longer horizon, or longer sessions",), ratio)
        return self.ask("half_life", ratio, key, undefined="no half-life: the edge does not decay")

    def _short(self, id: str, days: int) -> Check:
        """A check that the number of sessions cannot carry."""
        there = len(self.found.data.sessions)
        if self.profile.lenient and id != "walk_forward":
            return not_applicable(id, f"{there} sessions; it takes {days}", there)
        return insufficient(
            id,
            f"{there} sessions, it takes {days}",
            (f"{max(days - there, 1)} more days",),
            there,
        )


def _more_days(needed: float | None, there: int, likely: float | None = None) -> str:
    """How much longer, in days; beyond a working life only another Sharpe ratio helps.

    `likely` days do in four cases of five, if this is the true Sharpe ratio.
    """
    if needed is None:
        return ""
    more = max(ceil(needed) - there, 0)
    if more > LIFETIME_DAYS:
        return HIGHER
    most = 0 if likely is None else ceil(likely) - there
    sure = f" ({most} for 4 chances in 5: `hft alpha power`)" if most > more else ""
    return f"{more} more days at this SR{sure}"


def _replayed(found: ReplayFacts | None, measured: Measured, profile: Profile) -> list[Check]:
    if found is None:
        data = measured.data
        why = "--engine vector" if data.tapes is not None else "no tapes"
        if data.made_of_tapes and data.tapes is None:
            why = "; ".join(data.notes)
        return [not_applicable("replay", f"{why}: the vector engine charged fees only")]

    def ask(id: str, value: float | None, key: str, **more: Any) -> Check:
        return asked(profile, f"gate_c.{key}", id, value, **more)

    checks = [
        ask("replay_fills", found.fills, "replay_fills_min"),
        ask("replay_net", found.net, "replay_net_min"),
        ask(
            "replay_refused_share", found.refused_share, "replay_refused_share_max", blocking=False
        ),
    ]
    if found.sharpe is not None:
        checks.append(ask("replay_sharpe", found.sharpe, "replay_sharpe_min"))
    if found.stressed_net is not None:
        key = "replay_stressed_net_min"
        checks.append(ask("replay_stressed_net", found.stressed_net, key, blocking=False))
    return checks
