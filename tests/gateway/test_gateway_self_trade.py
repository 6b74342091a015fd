"""Own orders never meet, and what closes a position gets out all the same."""

import numpy as np
import pytest
from gateway_world import Pair, S

from hft.core.codes import (
    ControlKind,
    IntentType,
    OrderStatus,
    OrderType,
    PolicyMode,
    Reason,
    SelfTradeMode,
    Side,
    Tif,
)
from hft.core.dtypes import INTENT
from hft.gateway import tables
from hft.gateway.rows import KillScope
from hft.gateway.trips import ASK_AGAIN_NS, trip_intents
from tests.naive.gateway import Rules

BUY = {"side": Side.BUY, "price": 999, "qty": 1}
SELL = {"side": Side.SELL, "price": 1001, "qty": 1}
MARKET = {"order_type": OrderType.MARKET, "tif": Tif.IOC, "price": 0}
MODES = list(SelfTradeMode)
pytestmark = pytest.mark.nojit


def asked(pair: Pair, next_id: int = 100) -> list[dict[str, int]]:
    """What trips ask for now."""
    out = np.zeros(8, INTENT)
    gw = tables.handle(pair.kernel.state)
    count = trip_intents(gw, pair.kernel.touches, out, next_id, pair.now)
    names: tuple[str, ...] = INTENT.names or ()
    return [{name: int(row[name]) for name in names} for row in out[:count]]


def listed(pair: Pair) -> list[int]:
    state = pair.kernel.state
    slots = state.cancels[: int(state.head[0]["cancel_count"])]
    return [int(state.orders[slot]["order_id"]) for slot in slots]


@pytest.mark.parametrize("resting", [1001, 1002, 1020])
def test_a_market_order_is_held_to_be_able_to_meet_every_own_order_of_the_other_side(
    resting: int,
) -> None:
    """It takes level after level: the same as a limit IOC that goes so far."""
    pair = Pair(Rules())
    pair.decide(**SELL | {"price": resting, "qty": 5, "strategy_idx": 1})
    assert pair.decide(**BUY | {"price": resting, "qty": 9, "tif": Tif.IOC})[0] == Reason.SELF_TRADE
    assert pair.decide(**BUY | MARKET | {"qty": 9})[0] == Reason.SELF_TRADE
    bounded = BUY | {"price": resting - 1, "qty": 9, "tif": Tif.IOC}
    assert pair.decide(**bounded)[0] == Reason.OK, "a limit says how far it goes"


def test_a_market_order_meets_nothing_on_its_own_side_or_in_another_symbol() -> None:
    pair = Pair(Rules())
    pair.decide(**BUY)
    pair.decide(**SELL | {"instrument_idx": 1})
    assert pair.decide(**BUY | MARKET)[0] == Reason.OK


def long_against_a_bid(mode: SelfTradeMode, bid: int = 1000) -> tuple[Pair, int]:
    """Strategy 0 holds 3 lots, strategy 1 of the same account bids; 0 is killed."""
    pair = Pair(Rules(self_trade=mode))
    _, held = pair.decide(**BUY | {"qty": 3})
    pair.both("fill", held, 999, 3)
    _, rests = pair.decide(**BUY | {"price": bid, "qty": 8, "strategy_idx": 1})
    pair.both("ack", rests)
    pair.kill(KillScope.STRATEGY, 0, True)
    return pair, rests


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
@pytest.mark.parametrize("bid", [980, 999, 1000])
def test_a_flat_cancels_the_own_order_it_could_meet_and_goes_in_every_mode(
    mode: SelfTradeMode, bid: int
) -> None:
    pair, rests = long_against_a_bid(mode, bid)
    (close,) = asked(pair)
    given, order = pair.decide(**close)
    assert given == Reason.OK
    assert listed(pair) == [rests]
    assert pair.kernel.state.cancel_qty[0] == 0
    assert pair.twin.orders[order].qty == 3


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_a_bid_that_arrives_while_a_flat_works_does_not_meet_it(mode: SelfTradeMode) -> None:
    pair, rests = long_against_a_bid(mode)
    (close,) = asked(pair)
    _, order = pair.decide(**close)
    pair.decide(intent_type=IntentType.CANCEL, target_id=rests, strategy_idx=1)
    pair.both("done", rests, OrderStatus.CANCELLED)
    given, _ = pair.decide(**BUY | {"price": 1000, "strategy_idx": 1, "qty": 1})
    assert given == Reason.SELF_TRADE or listed(pair) == [order]


def test_the_amend_of_decrement_passes_a_halt_while_another_amend_is_in_flight() -> None:
    pair = Pair(Rules(self_trade=SelfTradeMode.DECREMENT))
    _, rests = pair.decide(**SELL | {"qty": 10, "strategy_idx": 1})
    pair.both("ack", rests)
    amend = {"intent_type": IntentType.AMEND, "target_id": rests, "strategy_idx": 1}
    assert pair.decide(**SELL | amend | {"price": 1002, "qty": 20})[0] == Reason.OK
    assert pair.decide(**BUY | {"price": 1002, "qty": 4})[0] == Reason.SELF_TRADE
    assert listed(pair) == [rests]
    total = int(pair.kernel.state.cancel_qty[0])
    assert total == 6
    pair.set_operator(PolicyMode.HALT)
    assert pair.decide(**SELL | amend | {"qty": total})[0] == Reason.OK


def test_a_close_that_was_refused_is_asked_again_after_a_second_not_at_each_wake_up() -> None:
    pair, _ = long_against_a_bid(SelfTradeMode.REJECT_NEW)
    pair.rules.cap = 990
    pair.kernel.state.limits["price_cap"] = 990
    (close,) = asked(pair)
    assert pair.decide(**close)[0] == Reason.PRICE_EXCEEDS_CAP
    for _ in range(5):
        pair.now += S // 10
        assert asked(pair) == []
    pair.now += ASK_AGAIN_NS // 2
    assert len(asked(pair)) == 1
    pair.rules.cap = None
    pair.kernel.state.limits["price_cap"] = -1
    given, order = pair.decide(**close | {"intent_id": 300})
    assert given == Reason.OK
    pair.both("fill", order, 999, 1)
    pair.both("done", order, OrderStatus.EXPIRED)
    (rest,) = asked(pair, 400)
    assert pair.decide(**rest)[0] == Reason.OK, "what was not refused is asked again at once"


@pytest.mark.parametrize("kind", [ControlKind.LEASE, ControlKind.DISCONNECT])
def test_a_trip_asks_for_nothing_while_no_command_can_leave(kind: ControlKind) -> None:
    pair, rests = long_against_a_bid(SelfTradeMode.REJECT_NEW)
    pair.kill(KillScope.GLOBAL, 0, True)
    pair.control(kind, 0, 0)
    assert asked(pair) == []
    pair.control(ControlKind.LEASE, 1, 0)
    pair.control(ControlKind.RECONNECT, 0, 0)
    assert {intent["target_id"] for intent in asked(pair)} == {0, rests}


def test_a_manual_trip_closes_what_is_held_under_the_kill_byte_too() -> None:
    pair, rests = long_against_a_bid(SelfTradeMode.REJECT_NEW)
    pair.kill(KillScope.BYTE, 0, True)
    pair.kill(KillScope.GLOBAL, 0, True)
    for _ in range(4):
        for intent in asked(pair, pair.next_id):
            assert pair.decide(**intent)[0] == Reason.OK
            if intent["intent_type"] == IntentType.CANCEL:
                pair.both("done", intent["target_id"], OrderStatus.CANCELLED)
            else:
                pair.both("fill", intent["intent_id"], 999, intent["qty"] or 3)
    assert rests not in pair.twin.orders
    assert pair.kernel.position(0, 0, 0) == 0
    assert pair.kernel.state.head[0]["actions"] == 0
