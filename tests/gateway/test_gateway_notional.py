"""A limit per symbol counts all there is of the symbol, a limit per order counts the order."""

import pytest
from gateway_world import Pair

from hft.core.codes import IntentType, OrderStatus, Reason, Side
from tests.naive.gateway import Rules

# Nine lots at 1000 ticks are 90 000 units of money.
NINE = {"side": Side.BUY, "price": 1000, "qty": 9}
pytestmark = pytest.mark.nojit


def test_five_orders_below_a_limit_per_symbol_do_not_pass_it_together() -> None:
    pair = Pair(Rules(notional_max=100_000))
    given = [pair.decide(**NINE | {"strategy_idx": k % 2})[0] for k in range(5)]
    assert given == [Reason.OK] + [Reason.NOTIONAL_LIMIT] * 4
    assert pair.decide(**NINE | {"qty": 1})[0] == Reason.OK, "equal to the limit is allowed"
    assert pair.decide(**NINE | {"instrument_idx": 1})[0] == Reason.OK


def test_five_orders_below_a_limit_per_order_all_pass() -> None:
    pair = Pair(Rules(order_notional_max=100_000))
    assert {pair.decide(**NINE)[0] for _ in range(5)} == {Reason.OK}
    assert pair.decide(**NINE | {"qty": 11})[0] == Reason.MAX_NOTIONAL_EXCEEDED


def test_what_is_held_counts_at_its_cost_and_what_ended_no_longer() -> None:
    pair = Pair(Rules(notional_max=100_000))
    _, order = pair.decide(**NINE)
    pair.both("fill", order, 1000, 4)
    assert pair.decide(**NINE | {"qty": 2})[0] == Reason.NOTIONAL_LIMIT
    pair.both("done", order, OrderStatus.CANCELLED)
    assert pair.decide(**NINE | {"qty": 6})[0] == Reason.OK
    assert pair.decide(**NINE | {"qty": 1})[0] == Reason.NOTIONAL_LIMIT


def test_an_amend_counts_what_it_adds_and_a_reduction_passes() -> None:
    pair = Pair(Rules(notional_max=100_000))
    _, held = pair.decide(**NINE)
    pair.both("fill", held, 1000, 9)
    _, order = pair.decide(**NINE | {"qty": 1})
    pair.both("ack", order)
    amend = {"intent_type": IntentType.AMEND, "target_id": order}
    assert pair.decide(**NINE | amend | {"qty": 2})[0] == Reason.NOTIONAL_LIMIT
    assert pair.decide(**NINE | amend | {"qty": 1, "price": 999})[0] == Reason.OK
    assert pair.decide(side=Side.SELL, price=1001, qty=9)[0] == Reason.OK
