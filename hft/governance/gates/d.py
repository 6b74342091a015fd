"""Gate D: does the portfolio want it, and can it carry the capital?

Pure: scorecard, portfolio evidence and thresholds in, checks out. Evidence that nobody measured is
absent and therefore INSUFFICIENT; with no live alpha the comparisons with the pool do not apply.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hft.governance.gates.thresholds import asked, unasked
from hft.governance.profile import Profile
from hft.governance.verdict import (
    Check,
    GateResult,
    Verdict,
    at_most,
    holds,
    insufficient,
    not_applicable,
)

NO_POOL = "no other alpha is live: the pool is empty"
STRESSES = ("volatility", "spread", "gap", "latency")


@dataclass(frozen=True)
class Portfolio:
    """What was measured against the live alphas and the market; None = not measured.

    Units: correlations and shares as fractions; capacity in multiples of the launch capital; stress
    as the worst loss, a fraction of capital; t and IC t as HAC t-statistics.
    """

    live: tuple[str, ...] | None = None
    pnl_correlation_max: float | None = None
    pnl_correlation_with: str = ""
    tail_correlation_max: float | None = None
    vif: float | None = None
    spanning_t: float | None = None
    orthogonal_ic_t: float | None = None
    marginal_probability: float | None = None
    capacity_multiple: float | None = None
    participation_share: float | None = None
    cost_retention: float | None = None
    drawdown_probability: float | None = None
    stress_loss: Mapping[str, float | None] = field(default_factory=dict)
    unbounded: tuple[str, ...] = ()
    turnover: float | None = None  # of a replay; the scorecard has the vector engine's
    capacity_by: Mapping[str, float | None] = field(default_factory=dict)
    capacity_curve: tuple[Mapping[str, Any], ...] = ()
    replay_digest: str = ""
    feature_set_version: str | None = None  # of the features the data was made with
    notes: Mapping[str, str] = field(default_factory=dict)  # why a figure is absent

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        plain = {name: value for name, value in self.__dict__.items()}
        plain["live"] = None if self.live is None else list(self.live)
        for name in ("unbounded", "capacity_curve"):
            plain[name] = list(plain[name])
        for name in ("stress_loss", "notes", "capacity_by"):
            plain[name] = dict(plain[name])
        return plain


def evaluate(scorecard: Mapping[str, Any], portfolio: Portfolio, profile: Profile) -> GateResult:
    """Gate D on a scorecard."""
    checks = [
        _asked(profile, "sharpe_oos_min", "sharpe_oos", scorecard.get("sharpe_oos")),
        _asked(profile, "drawdown_min", "max_drawdown", scorecard.get("max_drawdown")),
        _asked(profile, "turnover_max", "turnover", _turnover(scorecard, portfolio)),
        _pool_correlation(scorecard, profile),
        _latency(scorecard),
        _feature_set(scorecard, portfolio),
        *_against_the_live(portfolio, profile),
        *_alone(portfolio, profile),
        *_stress(portfolio, profile),
    ]
    context = {
        "profile": profile.name,
        "thresholds": profile.hash,
        "live": len(portfolio.live or ()),
    }
    return GateResult("D", tuple(checks), context)


def _turnover(scorecard: Mapping[str, Any], portfolio: Portfolio) -> float | None:
    """The larger of the vector engine's and the replay's: limits that refuse do not excuse."""
    known = [one for one in (scorecard.get("turnover"), portfolio.turnover) if one is not None]
    return max(known, default=None)


def _asked(profile: Profile, key: str, id: str, value: Any, why: str = "") -> Check:
    """A figure against `gate_d.<key>`; an absent one says why, and what would bring it."""
    missing = (f"a measured {id}",)
    return asked(profile, f"gate_d.{key}", id, value, undefined=why, missing=missing)


def _pool_correlation(scorecard: Mapping[str, Any], profile: Profile) -> Check:
    id, value = "correlation_pool_max", scorecard.get("correlation_pool_max")
    threshold = profile.number("gate_d.correlation_pool_max")
    if scorecard.get("pool_empty"):
        return Check(id, 0.0, threshold, Verdict.PASS, reason="the pool is empty", margin=threshold)
    if value is None:
        reason = "the correlation with the pool was not measured"
        return Check(id, None, threshold, Verdict.FAIL, reason=reason)
    return at_most(id, abs(float(value)), threshold)


def _latency(scorecard: Mapping[str, Any]) -> Check:
    if scorecard.get("latency_profile"):
        return holds("latency_profile", True)
    words = "the scorecard names no latency profile"
    return insufficient("latency_profile", words, ("validate with a latency profile",))


def _feature_set(scorecard: Mapping[str, Any], portfolio: Portfolio) -> Check:
    id, wanted = "feature_set_version", scorecard.get("feature_set_version")
    if wanted is None:
        return not_applicable(id, "the manifest names no feature set version")
    found = portfolio.feature_set_version
    if found is None:
        return insufficient(id, "the data names no feature set version", ("data of that version",))
    same = str(wanted) == str(found)
    reason = "" if same else f"the alpha was written for features {wanted}, the data has {found}"
    return Check(id, str(found), str(wanted), Verdict.PASS if same else Verdict.FAIL, reason=reason)


def _against_the_live(portfolio: Portfolio, profile: Profile) -> list[Check]:
    """Correlation, redundancy and marginal value against what is live."""
    ids = ("tail_correlation", "vif", "spanning_t", "orthogonal_ic_t", "marginal_probability")
    if portfolio.live is not None and not portfolio.live:
        return [not_applicable(id, NO_POOL) for id in ("pnl_correlation", *ids)]
    rows = (
        ("tail_correlation_max", portfolio.tail_correlation_max),
        ("vif_max", portfolio.vif),
        ("spanning_t_min", portfolio.spanning_t),
        ("orthogonal_ic_t_min", portfolio.orthogonal_ic_t),
        ("marginal_probability_min", portfolio.marginal_probability),
    )
    return [_pnl_correlation(portfolio, profile), *_rows(rows, portfolio, profile)]


def _rows(
    rows: Iterable[tuple[str, float | None]], portfolio: Portfolio, profile: Profile
) -> list[Check]:
    """A check a threshold, named by it; the portfolio's notes say why a figure is absent."""
    checks = []
    for key, value in rows:
        id = key.removesuffix("_min").removesuffix("_max")
        checks.append(_asked(profile, key, id, value, portfolio.notes.get(id, "")))
    return checks


def _pnl_correlation(portfolio: Portfolio, profile: Profile) -> Check:
    """Free up to one level, up to a second with a significant spanning alpha, refused above."""
    id, value = "pnl_correlation", portfolio.pnl_correlation_max
    most = profile.get("gate_d.pnl_correlation_max")
    if most is None:
        return unasked(profile, id, value)
    free = profile.number("gate_d.pnl_correlation_free_max")
    if value is None or value <= free:
        return _asked(profile, "pnl_correlation_free_max", id, value, portfolio.notes.get(id, ""))
    if value > most:
        return _asked(profile, "pnl_correlation_max", id, value)
    t_min, t = profile.number("gate_d.correlated_spanning_t_min"), portfolio.spanning_t
    words = f"{value:.2f} with {portfolio.pnl_correlation_with or 'a live alpha'} is above {free:g}"
    if t is None:
        return insufficient(id, f"{words} and the spanning t is not measured", ("a spanning t",))
    if t >= t_min:
        return Check(id, value, float(most), Verdict.PASS, margin=float(most) - value)
    reason = f"{words}, which needs a spanning t of {t_min:g}; it is {t:.2f}"
    return Check(id, value, float(most), Verdict.FAIL, reason=reason, margin=float(most) - value)


def _alone(portfolio: Portfolio, profile: Profile) -> list[Check]:
    rows = (
        ("capacity_multiple_min", portfolio.capacity_multiple),
        ("participation_share_max", portfolio.participation_share),
        ("cost_retention_min", portfolio.cost_retention),
        ("drawdown_probability_max", portfolio.drawdown_probability),
    )
    return _rows(rows, portfolio, profile)


def _stress(portfolio: Portfolio, profile: Profile) -> list[Check]:
    """Each scenario's loss within the limit, and no position without a bound in any."""
    if profile.get("gate_d.stress_loss_max") is None:
        return [unasked(profile, "stress")]
    note = portfolio.notes.get
    ids = [(name, f"stress_{name}") for name in STRESSES]
    checks = [
        _asked(profile, "stress_loss_max", id, portfolio.stress_loss.get(name), note(id, ""))
        for name, id in ids
    ]
    if all(portfolio.stress_loss.get(name) is not None for name in STRESSES):
        words = f"the position has no bound under {', '.join(portfolio.unbounded)}"
        checks.append(holds("stress_positions_bounded", not portfolio.unbounded, words))
    return checks
