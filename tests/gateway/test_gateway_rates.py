"""Order rates are true sliding windows, exact to the nanosecond."""

import random

import pytest
from gateway_world import Pair, S

from hft.core.codes import IntentType, Reason
from tests.naive.gateway import Rules

BUY = {"side": 0, "price": 999, "qty": 1}
pytestmark = pytest.mark.nojit


def reasons(pair: Pair, gaps: list[int]) -> list[Reason]:
    given = []
    for gap in gaps:
        pair.now += gap
        given.append(pair.decide(**BUY)[0])
    return given


def test_a_time_exactly_one_window_old_is_outside_it() -> None:
    full, free = Reason.RATE_LIMIT, Reason.OK
    assert reasons(Pair(Rules(per_s=2)), [0, 0, S - 1, 1]) == [free, free, full, free]
    assert reasons(Pair(Rules(per_min=2)), [0, 0, 60 * S - 1, 1]) == [free, free, full, free]


def test_no_bucket_edge_lets_twice_the_rate_through() -> None:
    given = reasons(Pair(Rules(per_s=4)), [S - 4, 1, 1, 1, 2, 1, 1])
    assert given.count(Reason.OK) == 4


def test_an_intent_refused_later_counts_and_one_refused_by_the_rate_does_not() -> None:
    pair = Pair(Rules(per_s=2, long_max=1))
    assert pair.decide(**BUY | {"qty": 2})[0] == Reason.POSITION_LIMIT
    assert pair.decide(**BUY)[0] == Reason.OK
    assert pair.decide(**BUY)[0] == Reason.RATE_LIMIT
    pair.now += S
    assert pair.decide(**BUY)[0] == Reason.POSITION_LIMIT


def test_cancels_are_counted_and_never_refused() -> None:
    pair = Pair(Rules(per_s=2))
    _, order = pair.decide(**BUY)
    cancel = {"intent_type": IntentType.CANCEL, "target_id": order}
    assert [pair.decide(**cancel)[0] for _ in range(3)] == [Reason.OK] * 3
    assert pair.decide(**BUY)[0] == Reason.RATE_LIMIT


def test_the_total_holds_over_all_strategies() -> None:
    pair = Pair(Rules(strategies=3, per_s=3))
    pair.kernel.state.rates["per_s"][:3] = 2
    first = [
        pair.kernel.decide(pair.now, intent_id=n, order_type=1, **BUY)["reason"] for n in (1, 2)
    ]
    other = [
        pair.kernel.decide(pair.now, intent_id=n, order_type=1, strategy_idx=1, **BUY)["reason"]
        for n in (3, 4)
    ]
    assert first + other == [0, 0, 0, Reason.RATE_LIMIT]


@pytest.mark.parametrize("seed", range(5))
def test_windows_agree_with_the_list_of_all_times(seed: int) -> None:
    rng = random.Random(seed)
    pair = Pair(Rules(per_s=3, per_min=7), order_capacity=1024)
    given = reasons(pair, rng.choices([0, 1, S - 1, S, S // 2, 20 * S, 60 * S], k=150))
    assert {Reason.OK, Reason.RATE_LIMIT} <= set(given)
