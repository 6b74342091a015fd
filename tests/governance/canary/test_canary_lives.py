"""Harmless lives are left alone though they are looked at every day; bad ones are not."""

from datetime import date

import numpy as np
import pytest
from promotion_world import World, evidence, profile, returns, sessions

from hft.governance.canary.decide import CanaryDecision, decide
from hft.governance.canary.history import History
from hft.governance.canary.sequential import level, reject_floor
from hft.governance.promotion.claim import HORIZONS, claim_of
from hft.governance.sessions import Session

FIRST = date(2026, 11, 3)
RUNGS = 4
LIMIT = 0.01


def days(rejects: np.ndarray, decisions: int = 200) -> list[Session]:
    return [Session(FIRST, 60, 0.0, 1.0, int(count), decisions, "f" * 64) for count in rejects]


def shown_on(rate: float, life: int, count: int) -> int | None:
    """The session on which the guardrail is shown to be broken, looked at after each."""
    rng = np.random.Generator(np.random.Philox([7, life]))
    rows = days(rng.binomial(200, rate, count))
    alpha = level(profile("standard")) / RUNGS
    found = (n for n in range(1, count + 1) if reject_floor(rows[:n], alpha) > LIMIT)
    return next(found, None)


@pytest.mark.parametrize("rate", [0.004, LIMIT])
def test_a_reject_rate_up_to_the_guardrail_is_never_shown_to_be_above_it(rate: float) -> None:
    assert [shown_on(rate, life, 40) for life in range(60)] == [None] * 60


@pytest.mark.parametrize(("rate", "within"), [(0.02, 30), (0.03, 10), (0.10, 2)])
def test_a_reject_rate_above_it_is_shown_soon(rate: float, within: int) -> None:
    found = [shown_on(rate, life, within) for life in range(40)]
    assert sum(day is not None for day in found) >= 36


def test_the_plain_share_of_such_lives_is_above_the_guardrail_again_and_again() -> None:
    """What the floor is there for: without it one in five harmless lives is out."""
    rng = np.random.Generator(np.random.Philox(8))
    shares = np.cumsum(rng.binomial(200, 0.004, (500, 10)), axis=1) / (200 * np.arange(1, 11))
    assert (shares > LIMIT).any(axis=1).mean() > 0.03  # on one rung of four


def judged(world: World, rejects: list[int]) -> CanaryDecision:
    from dataclasses import replace

    world.promoted()
    promotion = world.file().promotion
    assert promotion is not None
    rows = sessions(FIRST, len(rejects), weight=0.01, seed=3, sharpe=4.5)
    rows = [replace(row, rejects=count) for row, count in zip(rows, rejects, strict=True)]
    found = claim_of(returns(1, 3.0), 1e6, quantile=0.99, slippage=(1.0, 1.1, 0.9, 1.05))
    last = (rows[-1].date - date(1970, 1, 1)).days * 86_400_000_000_000
    past = History(weights=((date(2026, 11, 2), 0.01),))
    given = {"now_ns": last + 1, "claim": found, "history": past}
    return decide(promotion, evidence(rows), profile("standard"), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rejects", "action"),
    [
        ([0] * 20, "escalate"),
        ([2] * 20, "escalate"),  # 1 % is not above 1 %
        ([3] * 20, "hold"),  # 1.5 % of 4000 is not shown to be above
        ([3] + [0] * 19, "escalate"),
        ([8] * 20, "rollback"),
    ],
)
def test_a_share_above_the_guardrail_holds_until_it_is_shown(
    world: World, rejects: list[int], action: str
) -> None:
    found = judged(world, rejects)
    assert found.action == action, found.reason
    if action == "hold":
        assert "may be above 0.01: lower bound" in found.reason and found.missing
    if action == "rollback":
        assert "is above 0.01: lower bound" in found.reason


def test_a_ladder_like_its_claim_meets_a_drawdown_limit_in_one_life_of_a_hundred() -> None:
    daily = returns(1, 3.0)
    found = claim_of(daily, 1e6, quantile=0.99, rungs=RUNGS)
    assert found is not None
    lives, count = 4000, 60
    rng = np.random.Generator(np.random.Philox(9))
    paths = np.cumsum(rng.choice(daily, (lives, RUNGS, count)), axis=2)
    falls = np.maximum.accumulate(np.maximum(paths, 0.0), axis=2) - paths

    def out(limits: list[float]) -> float:
        return float((falls > np.array(limits)).any(axis=(1, 2)).mean())

    limits = [found.drawdown_for(n) or 0.0 for n in range(1, count + 1)]
    assert limits == sorted(limits) and len(set(limits)) == 3
    assert 0.001 < out(limits) < 0.02
    worse = paths - 0.006 * np.arange(1, count + 1)  # a day loses three of its sigmas
    falls = np.maximum.accumulate(np.maximum(worse, 0.0), axis=2) - worse
    assert out(limits) == 1.0


def test_the_limits_of_a_ladder_are_wider_than_those_of_one_rung_and_grow_with_time() -> None:
    daily = returns(1, 3.0)
    one, four = (claim_of(daily, 1e6, quantile=0.99, rungs=rungs) for rungs in (1, RUNGS))
    assert one is not None and four is not None
    for days_ in HORIZONS:
        assert one.drawdown[days_] < four.drawdown[days_]
    assert list(four.drawdown.values()) == sorted(four.drawdown.values())
    assert claim_of(daily, 1e6, quantile=0.99, rungs=RUNGS) == four  # the same to the bit
