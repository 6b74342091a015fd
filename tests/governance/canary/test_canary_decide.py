"""What is decided about a canary: first match, then only ever more careful."""

from datetime import date, timedelta

import numpy as np
import pytest
from promotion_world import World, evidence, profile, returns, sessions

from hft.governance.canary.decide import CAREFUL, CanaryDecision, decide
from hft.governance.canary.history import History
from hft.governance.canary.metrics import Metrics
from hft.governance.promotion.claim import Claim, claim_of
from hft.governance.promotion.document import Promotion
from hft.governance.sessions import Evidence

FIRST = date(2026, 11, 3)


@pytest.fixture
def canary(world: World) -> Promotion:
    """A promotion under standard on its first rung, at 0.01."""
    world.promoted()
    found = world.file().promotion
    assert found is not None
    return found


@pytest.fixture
def lenient(world: World) -> Promotion:
    """A promotion under base."""
    world.propose("base")
    world.approve()
    found = world.file().promotion
    assert found is not None
    return found


def claim(sharpe: float = 3.0) -> Claim:
    found = claim_of(returns(1, sharpe), 1e6, quantile=0.99, slippage=(1.0, 1.1, 0.9, 1.05))
    assert found is not None
    return found


def at(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000_000_000 + 20 * 3_600_000_000_000


def past(*weights: tuple[date, float], **facts: object) -> History:
    return History(weights=weights or ((date(2026, 11, 2), 0.01),), **facts)  # type: ignore[arg-type]


def judged(
    promotion: Promotion, rows: list, history: History | None = None, claimed: Claim | None = None
) -> CanaryDecision:
    """A decision on the evening of the last row."""
    last = max((row.date for row in rows), default=FIRST)
    return decide(
        promotion,
        evidence(rows),
        profile("standard"),
        now_ns=at(last),
        claim=claimed or claim(),
        history=history or past(),
    )


GOOD = Metrics(1.0, 0.001, 0.0, 12, 3.9)


@pytest.mark.parametrize(
    ("figures", "state", "reason"),
    [
        ({"slippage_bps": 3.01}, "rolled_back", "slippage_bps 3.01 is above 3"),
        ({"slippage_bps": 3.0}, "canary", "LADDER_CAPPED"),  # strictly above only
        ({"drawdown_contribution": 0.021}, "rolled_back", "drawdown_contribution"),
        ({"execution_error_rate": 0.011}, "rolled_back", "execution_error_rate"),
        ({"slippage_bps": 9.0, "sharpe_live": None}, "rolled_back", "slippage_bps"),
        ({"sharpe_live": None}, "canary", "INSUFFICIENT"),
        ({"slippage_bps": float("nan")}, "canary", "INSUFFICIENT"),
        ({"drawdown_contribution": None}, "canary", "INSUFFICIENT"),
        ({"sessions_live": 9}, "canary", "9 sessions of 10"),
        ({"sharpe_live": 0.5}, "canary", "live Sharpe 0.50 is below"),
        ({}, "canary", "LADDER_CAPPED"),  # base may not leave its lowest rung
    ],
)
def test_typed_figures_under_base_match_the_first_rule(
    lenient: Promotion, figures: dict[str, object], state: str, reason: str
) -> None:
    given = Metrics(**{**GOOD.__dict__, **figures})  # type: ignore[arg-type]
    found = decide(lenient, given, profile("base"), now_ns=at(FIRST))
    assert (found.state, found.kind) == (state, "asserted")
    assert found.reason.startswith(reason)
    assert found.new_weight == (0.0 if state == "rolled_back" else lenient.weight)


def test_both_breaches_are_named(lenient: Promotion) -> None:
    given = Metrics(5.0, 0.5, 0.0, 12, 2.0)
    found = decide(lenient, given, profile("base"), now_ns=at(FIRST))
    assert len(found.reasons) == 2 and "; " in found.reason


def test_typed_figures_never_count_under_standard(canary: Promotion) -> None:
    found = decide(canary, GOOD, profile("standard"), now_ns=at(FIRST), claim=claim())
    assert found.state == "canary" and found.reason == "INSUFFICIENT"
    assert "one row a session" in found.missing[0]


def test_no_evidence_holds_and_says_what_is_missing(canary: Promotion) -> None:
    found = decide(canary, None, profile("standard"), now_ns=at(FIRST))
    assert found.action == "hold" and found.reason == "INSUFFICIENT" and len(found.missing) == 5


def test_a_canary_like_its_claim_escalates_after_ten_days_and_three_hundred_fills(
    canary: Promotion,
) -> None:
    rows = sessions(FIRST, 20, weight=0.01, seed=3, sharpe=4.5)
    found = judged(canary, rows)
    assert (found.action, found.new_weight) == ("escalate", 0.05)
    few_days = judged(canary, rows[:9])
    assert few_days.action == "hold" and "1 more sessions" in few_days.missing[0]
    few_fills = judged(canary, [_with(row, n_fills=10) for row in rows])
    assert few_fills.action == "hold" and "100 more fills on this rung" in few_fills.missing


def test_sessions_of_an_earlier_rung_do_not_count_for_this_one(canary: Promotion) -> None:
    higher = canary.replace(weight=0.05, canary={"state": "escalated", "last_action": "escalate"})
    low = sessions(FIRST, 20, weight=0.01, seed=3)
    since = low[-1].date
    high = sessions(since + timedelta(days=1), 5, weight=0.05, seed=4)
    found = judged(higher, low + high, past((date(2026, 11, 2), 0.01), (since, 0.05)))
    assert found.action == "hold" and "5 more sessions on this rung" in found.missing


def _with(row: object, **changes: object) -> object:
    from dataclasses import replace

    return replace(row, **changes)  # type: ignore[type-var]


def test_a_canary_whose_edge_is_gone_is_rolled_back_by_the_e_process(canary: Promotion) -> None:
    rows = sessions(FIRST, 250, weight=0.01, seed=5, sharpe=-6.0)
    held = [judged(canary, rows[:n]).action for n in (20, 60)]
    assert held[0] in ("hold", "rollback")
    found = judged(canary, rows)
    assert found.action == "rollback" and found.new_weight == 0.0
    assert "e-process" in found.reason or "drawdown" in found.reason


def test_a_catastrophic_day_needs_no_statistics(canary: Promotion) -> None:
    rows = sessions(FIRST, 12, weight=0.01, seed=3)
    worst = -6 * 1.25 * claim().sd0 * 0.01 * 1e6
    found = judged(canary, [*rows[:-1], _with(rows[-1], pnl=worst)])
    assert found.action == "rollback" and "sigma0" in found.reason


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"slippage_bps": 2.9}, "slippage"), ({"rejects": 14, "decisions": 200}, "execution_error")],
)
def test_costs_and_refusals_far_above_the_model_roll_back(
    canary: Promotion, changed: dict[str, object], said: str
) -> None:
    rows = [_with(row, **changed) for row in sessions(FIRST, 40, weight=0.01, seed=3)]
    found = judged(canary, rows)
    assert found.action == "rollback" and said in found.reason


def test_costs_somewhat_above_the_model_hold_the_weight(canary: Promotion) -> None:
    rows = sessions(FIRST, 40, weight=0.01, seed=3, slippage=1.4)
    found = judged(canary, rows)
    assert found.action == "hold" and "slippage may be above" in found.reason


def test_missing_late_and_future_rows_hold(canary: Promotion) -> None:
    rows = sessions(FIRST, 20, weight=0.01, seed=3)
    broken = judged(canary, [*rows[:-1], _with(rows[-1], wrong="the digest does not verify")])
    assert broken.action == "hold" and "does not verify" in broken.reason
    late = decide(canary, evidence(rows), profile("standard"), claim=claim(), history=past(),
                  now_ns=at(rows[-1].date + timedelta(days=9)))  # fmt: skip
    assert late.action == "hold" and "late" in "; ".join(late.reasons)
    early = decide(canary, evidence(rows), profile("standard"), claim=claim(), history=past(),
                   now_ns=at(rows[-5].date))  # fmt: skip
    assert early.action == "hold" and "future" in "; ".join(early.reasons)


def test_rows_that_do_not_verify_are_never_good_news(canary: Promotion) -> None:
    rows = sessions(FIRST, 20, weight=0.01, seed=3, wrong="unknown digest")
    found = judged(canary, rows)
    assert found.action == "hold" and found.metrics.sessions_live == 0


def test_code_that_moved_rolls_back_at_once_and_calls_a_person(canary: Promotion) -> None:
    rows = sessions(FIRST, 20, weight=0.01, seed=3)
    found = judged(canary, rows, past(mismatches=("the alpha's code is not the promoted one",)))
    assert found.action == "rollback" and found.human


def test_the_fleet_and_an_unknown_regime_hold(canary: Promotion) -> None:
    rows = sessions(FIRST, 20, weight=0.01, seed=3)
    assert judged(canary, rows, past(fleet_flagged=True)).action == "hold"
    assert judged(canary, rows, past(outside_regime="volatility is new")).action == "hold"


def test_without_the_frozen_claim_nothing_rises(canary: Promotion) -> None:
    rows = sessions(FIRST, 20, weight=0.01, seed=3)
    found = decide(canary, evidence(rows), profile("standard"), now_ns=at(rows[-1].date),
                   history=past())  # fmt: skip
    assert found.action == "hold" and any("bundle" in text for text in found.missing)


def test_an_expired_promotion_holds_with_the_cure_and_never_rises(canary: Promotion) -> None:
    rows = sessions(date(2027, 4, 1), 30, weight=0.01, seed=3)
    found = decide(canary, evidence(rows), profile("standard"), claim=claim(), history=past(),
                   now_ns=at(canary.expiry + timedelta(days=1)))  # fmt: skip
    assert found.reason == "EXPIRED" and found.new_weight == canary.weight and found.human


def test_at_the_top_it_graduates_by_a_planned_look_or_by_no_contradiction(
    canary: Promotion,
) -> None:
    top = canary.replace(weight=0.5, canary={"state": "escalated", "last_action": "escalate"})
    begun = date(2026, 11, 2)
    history = past((begun, 0.5))
    strong = sessions(FIRST, 16, weight=0.5, seed=3, sharpe=30.0)
    soon = judged(top, strong, history, claim(30.0))
    assert soon.action == "graduate" and soon.arm == "looks" and soon.new_weight == 0.5
    rows = sessions(FIRST, 61, weight=0.5, seed=2, sharpe=4.5)
    for count in (20, 44, 59):
        part = judged(top, rows[:count], history)
        assert part.action == "hold" and any("sessions at the top" in m for m in part.missing)
    found = judged(top, rows, history)
    assert found.action == "graduate" and found.arm == "non_contradiction"


def test_the_same_evidence_gives_the_same_decision_and_digest(canary: Promotion) -> None:
    rows = sessions(FIRST, 20, weight=0.01, seed=3)
    first, second = judged(canary, rows), judged(canary, list(rows))
    assert first == second and first.evidence_digest == second.evidence_digest
    assert judged(canary, rows[:-1]).evidence_digest != first.evidence_digest


@pytest.mark.parametrize("seed", range(12))
def test_sequential_rules_never_make_an_answer_bolder(canary: Promotion, seed: int) -> None:
    rng = np.random.Generator(np.random.Philox(seed))
    rows = sessions(
        FIRST,
        int(rng.integers(1, 60)),
        weight=0.01,
        seed=seed,
        sharpe=float(rng.normal(2, 4)),
        slippage=float(rng.uniform(0.5, 3.5)),
        fills=int(rng.integers(0, 80)),
        rejects=int(rng.integers(0, 5)),
    )
    with_rules = judged(canary, rows)
    plain = decide(canary, evidence(rows), _without_rules(), now_ns=at(rows[-1].date),
                   history=past(), claim=claim())  # fmt: skip
    assert CAREFUL.index(with_rules.state) >= CAREFUL.index(plain.state)


def _without_rules():  # type: ignore[no-untyped-def]
    """The profile with every sequential rule made toothless."""
    from hft.governance.profile import Profile

    loose = {
        "canary.session_rows": False,
        "canary.fills_min": 0,
        "canary.day_loss_sigmas_max": 1e9,
        "canary.slippage_ratio_max": 1e9,
        "canary.slippage_rollback_ratio_max": 1e9,
        "canary.cusum_h": 1e9,
        "canary.reject_rollback_max": None,
        "canary.volatility_ratio_min": None,
    }
    found = profile("standard")
    return Profile("standard", {**found.values, **loose})


def test_an_empty_csv_is_no_session_and_holds(canary: Promotion) -> None:
    found = decide(canary, Evidence("csv", ()), profile("standard"), now_ns=at(FIRST),
                   claim=claim(), history=past())  # fmt: skip
    assert found.action == "hold" and "late" in "; ".join(found.reasons)
