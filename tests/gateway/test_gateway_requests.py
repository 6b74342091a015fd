"""A request about an order is under way until the newest one has been answered."""

import pytest
from gateway_world import Pair

from hft.core.codes import IntentType, Reason
from tests.naive.gateway import Rules

CANCEL, AMEND = {"intent_type": int(IntentType.CANCEL)}, {"intent_type": int(IntentType.AMEND)}
NOTHING = -1


def _pair() -> tuple[Pair, int]:
    """Both gateways with one acknowledged order."""
    pair = Pair(Rules())
    reason, order = pair.decide(price=998, qty=10)
    assert reason == Reason.OK
    pair.both("ack", order)
    return pair, order


def _request(pair: Pair, order: int) -> int:
    return int(pair.kernel.state.orders[pair.kernel.slot(order)]["request"])


@pytest.mark.nojit
def test_after_one_of_two_cancels_is_refused_the_other_is_under_way() -> None:
    pair, order = _pair()
    for _ in range(2):
        assert pair.decide(target_id=order, **CANCEL)[0] == Reason.OK
    pair.both("cancel_rejected", order)
    assert _request(pair, order) == IntentType.CANCEL
    pair.both("cancel_rejected", order)
    assert _request(pair, order) == NOTHING


@pytest.mark.nojit
def test_a_cancel_behind_an_amend_is_under_way_when_the_one_before_it_is_refused() -> None:
    pair, order = _pair()
    pair.decide(target_id=order, **CANCEL)
    pair.decide(target_id=order, price=997, qty=9, **AMEND)
    pair.decide(target_id=order, **CANCEL)
    pair.both("cancel_rejected", order)
    pair.both("amended", order, 997, 9)
    assert _request(pair, order) == IntentType.CANCEL
    pair.both("cancel_rejected", order)
    assert _request(pair, order) == NOTHING


@pytest.mark.nojit
def test_when_the_answer_to_a_cancel_was_lost_the_order_has_no_request_once_it_is_known_again() -> (
    None
):
    pair, order = _pair()
    pair.decide(target_id=order, **CANCEL)
    pair.both("unknown", order)
    assert _request(pair, order) == IntentType.CANCEL
    pair.both("ack", order)  # the venue says that it rests
    assert _request(pair, order) == NOTHING


@pytest.mark.nojit
def test_a_fill_tells_that_the_cancel_whose_answer_was_lost_is_over() -> None:
    pair, order = _pair()
    pair.decide(target_id=order, **CANCEL)
    pair.both("unknown", order)
    pair.both("fill", order, 998, 3)
    assert _request(pair, order) == NOTHING
