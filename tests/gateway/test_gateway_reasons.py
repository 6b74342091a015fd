"""Every reason the kernel can give fires at least once, and the twin gives the same one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gateway_world import START, Pair, S

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
from hft.gateway import pipeline, tables
from hft.gateway.rows import KillScope
from tests.naive.gateway import Rules

BUY = {"side": Side.BUY, "price": 999, "qty": 1}
SELL = {"side": Side.SELL, "price": 1001, "qty": 1}
KEY = {"key_hi": 1, "key_lo": 2}
Case = Callable[[], tuple[Pair, dict[str, Any]]]


def with_rules(intent: dict[str, Any], **rules: Any) -> Case:
    return lambda: (Pair(Rules(**rules)), intent)


def after(act: Callable[[Pair], None], intent: dict[str, Any], **rules: Any) -> Case:
    def make() -> tuple[Pair, dict[str, Any]]:
        pair = Pair(Rules(**rules))
        act(pair)
        return pair, intent

    return make


def hold_off(pair: Pair) -> None:
    pair.twin.holdoff_until = pair.now + S
    pair.control(ControlKind.START, 0, S)


def recover(pair: Pair) -> None:
    pair.twin.recovering = True
    pair.control(ControlKind.START, 1, 0)


def bind(pair: Pair) -> None:
    pair.twin.bound[0], pair.twin.weights[0] = True, 0
    pair.kernel.state.strategies[0]["bound"] = 1
    pair.control(ControlKind.PROMOTION, 0, 0)


def lose(money: int) -> Callable[[Pair], None]:
    return lambda pair: pair.pnl(0, -money)


def lose_and_reset(pair: Pair) -> None:
    pair.pnl(0, -500)
    pair.kill(KillScope.GLOBAL, 0, False)


def stand_by(pair: Pair) -> None:
    pair.twin.leader = False
    pair.control(ControlKind.LEASE, 0, 0)


def venue_down(pair: Pair) -> None:
    pair.twin.venue_up = False
    pair.control(ControlKind.DISCONNECT, 0, 0)


def latency(pair: Pair) -> None:
    pair.twin.latency(30_000_000, pair.now)
    pair.control(ControlKind.LATENCY, 0, 30_000_000)


def fill_often(pair: Pair) -> None:
    for _ in range(3):
        _, order = pair.decide(**BUY)
        pair.both("fill", order, 999, 1)


def send_two(pair: Pair) -> None:
    pair.decide(**BUY)
    pair.decide(**BUY)


def make_unknown(pair: Pair) -> None:
    _, order = pair.decide(**BUY, **KEY)
    pair.both("unknown", order)


def no_touch(pair: Pair) -> None:
    pair.set_touch(0, valid=0)


def wait(pair: Pair) -> None:
    pair.now += 2 * S


def halt(mode: PolicyMode) -> Callable[[Pair], None]:
    return lambda pair: pair.set_operator(mode)


def kill(scope: KillScope) -> Callable[[Pair], None]:
    return lambda pair: pair.kill(scope, 0, True)


CASES: dict[Reason, Case] = {
    Reason.DEDUP_OUTCOME_UNKNOWN: after(make_unknown, BUY | KEY),
    Reason.DEDUP_KEY_REUSED: after(lambda p: p.decide(**BUY, **KEY), SELL | KEY),
    Reason.DEDUP_WINDOW_FULL: after(make_unknown, BUY | {"key_hi": 1, "key_lo": 3}, dedup_window=1),
    Reason.TTL_EXPIRED: with_rules(BUY | {"ttl_ns": S, "timestamp_ns": START - 2 * S}),
    Reason.POLICY_HALT: after(halt(PolicyMode.HALT), BUY),
    Reason.POLICY_DEGRADE: after(halt(PolicyMode.DEGRADE), BUY),
    Reason.STARTUP_HOLDOFF: after(hold_off, BUY),
    Reason.BREAKER_TRIPPED: after(lose(500), BUY, daily_loss=500),
    Reason.KILL_SWITCH: after(kill(KillScope.SYMBOL), BUY),
    Reason.RECONCILING: after(recover, BUY),
    Reason.ALPHA_NOT_LIVE: after(bind, BUY, require_promotion=True),
    Reason.GLOBAL_EXPOSURE_LIMIT: with_rules(BUY, global_max=9_989),
    Reason.STRATEGY_EXPOSURE_LIMIT: with_rules(BUY, strategy_max=9_989),
    Reason.EXPOSURE_SYMBOL_LIMIT: after(
        lambda p: p.decide(**BUY), BUY | {"instrument_idx": 1}, leaves=1
    ),
    Reason.NET_QTY_LIMIT: with_rules(BUY | {"qty": 4}, net_qty_max=3),
    Reason.LEAF_NOTIONAL_LIMIT: with_rules(BUY, leaf_max=9_989),
    Reason.EXPOSURE_ORDER_UNKNOWN: with_rules(
        BUY | {"intent_type": IntentType.AMEND, "target_id": 77}
    ),
    Reason.EXPOSURE_OVERFLOW: with_rules(BUY | {"qty": 10**6}, qty_bound=1000, fast_gate=False),
    Reason.FASTGATE_KILL_SWITCH: after(kill(KillScope.BYTE), BUY),
    Reason.FASTGATE_BAD_PRICE_NEG: with_rules(BUY | {"price": -1}),
    Reason.FASTGATE_BAD_PRICE_MAX: with_rules(BUY | {"price": 5_000}, price_max=4_999),
    Reason.FASTGATE_BAD_QTY_NEG: with_rules(BUY | {"qty": 0}),
    Reason.FASTGATE_BAD_QTY_MAX: with_rules(BUY | {"qty": 10**15}, qty_bound=10**6, qty_max=10**6),
    Reason.STORMGUARD_STORM_NEW_BLOCKED: after(
        latency, BUY, latencies=(5_000_000, 20_000_000), degrade_on_storm=False
    ),
    Reason.RATE_LIMIT: after(send_two, BUY, per_s=2),
    Reason.ORDER_SIZE: with_rules(BUY | {"qty": 11}, order_size=10),
    Reason.PRICE_ZERO_OR_NEG: with_rules(BUY | {"price": 0}),
    Reason.PRICE_EXCEEDS_CAP: with_rules(BUY | {"price": 1_101}, cap=1_100),
    Reason.PRICE_OUTSIDE_BAND: with_rules(BUY | {"price": 979}, band_ticks=20),
    Reason.REFERENCE_STALE: after(wait, BUY, age_ns=S),
    Reason.MARKET_NO_TOUCH: after(no_touch, BUY | {"order_type": OrderType.MARKET}),
    Reason.BOOK_INVALID: after(no_touch, BUY, band_ticks=20),
    Reason.POSITION_LIMIT: with_rules(BUY | {"qty": 4}, long_max=3),
    Reason.NOTIONAL_LIMIT: with_rules(BUY, notional_max=9_989),
    Reason.MAX_NOTIONAL_EXCEEDED: with_rules(BUY, order_notional_max=9_989),
    Reason.DAILY_LOSS: after(lose_and_reset, BUY, daily_loss=500),
    Reason.SELF_TRADE: after(lambda p: p.decide(**SELL), BUY | {"price": 1001, "strategy_idx": 1}),
    Reason.SYMBOL_RESTRICTED: with_rules(BUY, restricted=(0,)),
    Reason.REPEATED_EXECUTION: after(fill_often, BUY, repeated=2),
    Reason.NOT_LEADER: after(stand_by, BUY),
    Reason.VENUE_DOWN: after(venue_down, BUY),
    Reason.OUTCOME_UNKNOWN: after(
        make_unknown, BUY | {"intent_type": IntentType.AMEND, "target_id": 1, "qty": 2}
    ),
    Reason.INTERNAL_ERROR: after(lambda p: p.decide(**BUY, intent_id=5), BUY | {"intent_id": 5}),
    Reason.BAD_MESSAGE: with_rules(BUY | {"strategy_idx": 9}),
    Reason.BAD_NUMBER: with_rules(BUY | {"qty": (1 << 62) + 1}),
    Reason.UNKNOWN_INSTRUMENT: with_rules(BUY | {"instrument_idx": 9}),
    Reason.INVALID_SIDE: with_rules(BUY | {"side": 2}),
    Reason.NOT_FOUND: with_rules({"intent_type": IntentType.CANCEL, "target_id": 7}),
}
# Given elsewhere: a reservation left open, a failed dispatch, the journal of a service.
ELSEWHERE = {
    Reason.DEDUP_IN_FLIGHT,
    Reason.DEDUP_JOURNAL_FAILED,
    Reason.STORMGUARD_HALT,
    Reason.ORDER_QUEUE_FULL,
    Reason.STALE_FENCE,
    Reason.COMMAND_DEADLINE,
    Reason.VENUE_REJECT,
}


@pytest.mark.nojit
@pytest.mark.parametrize("reason", CASES, ids=lambda reason: reason.name)
def test_each_reason_fires_and_leaves_every_total_as_it_was(reason: Reason) -> None:
    pair, intent = CASES[reason]()
    before = pair.kernel.snapshot()
    given, _ = pair.decide(**intent)
    assert given == reason
    after_it = pair.kernel.state
    for table in ("orders", "heads"):
        assert np.array_equal(before[table], getattr(after_it, table))
    for name in ("reserved_money", "settled_money", "live_orders", "cmd_id"):
        assert before["head"][0][name] == after_it.head[0][name]


def test_no_reason_of_the_kernel_is_left_out() -> None:
    kernel = {reason for reason in Reason if 100 <= reason < 600}
    assert kernel - set(CASES) == ELSEWHERE


@pytest.mark.nojit
def test_a_key_whose_intent_is_not_committed_is_in_flight() -> None:
    pair = Pair(Rules())
    intent = np.zeros(1, INTENT)[0]
    for name, value in (BUY | KEY | {"intent_id": 1, "order_type": 1}).items():
        intent[name] = value
    gw = tables.handle(pair.kernel.state)
    touch = pair.kernel.touches[0]
    assert pipeline.evaluate(gw, intent, touch, pair.now) == Reason.OK
    intent["intent_id"] = 2
    assert pipeline.evaluate(gw, intent, touch, pair.now) == Reason.DEDUP_IN_FLIGHT


@pytest.mark.nojit
@pytest.mark.parametrize(
    "reason",
    [
        Reason.ORDER_QUEUE_FULL,
        Reason.STALE_FENCE,
        Reason.COMMAND_DEADLINE,
        Reason.VENUE_REJECT,
        Reason.VENUE_DOWN,
    ],
)
def test_a_failed_dispatch_gives_everything_back_and_answers_the_retry(reason: Reason) -> None:
    pair = Pair(Rules())
    _, order = pair.decide(**BUY, **KEY)
    pair.dispatch_failed(order, reason)
    assert pair.twin.reserved() == 0
    assert pair.decide(**BUY, **KEY)[0] == reason
    assert pair.trace[-1][1] == 1


@pytest.mark.nojit
@pytest.mark.parametrize("pending", [True, False])
def test_an_amend_that_never_left_behind_own_cancels_is_refused_when_asked_again(
    pending: bool,
) -> None:
    """The keys of its own order and of the cancels that left keep their answers."""
    pair = Pair(Rules())
    first = BUY | {"key_hi": 1, "key_lo": 1}
    _, order = pair.decide(**first)
    _, other = pair.decide(**BUY)
    if not pending:
        pair.both("ack", order)
    amend = BUY | {"intent_type": IntentType.AMEND, "target_id": order, "qty": 3}
    cancel = {"intent_type": IntentType.CANCEL, "target_id": other, "key_hi": 1, "key_lo": 3}
    assert pair.decide(**amend, key_hi=1, key_lo=2)[0] == Reason.OK
    assert pair.decide(**cancel)[0] == Reason.OK
    pair.dispatch_failed(order, Reason.ORDER_QUEUE_FULL)
    again = {"intent_id": 99}
    assert pair.decide(**amend, key_hi=1, key_lo=2, **again)[0] == Reason.ORDER_QUEUE_FULL
    assert pair.decide(**first, **again)[0] == Reason.OK
    assert pair.decide(**cancel, **again)[0] == Reason.OK
    assert [replayed for _, replayed in pair.trace[-3:]] == [1, 1, 1]


@pytest.mark.nojit
def test_a_standby_answer_counts_as_a_miss_for_the_new_leader() -> None:
    pair = Pair(Rules())
    stand_by(pair)
    assert pair.decide(**BUY, **KEY)[0] == Reason.NOT_LEADER
    assert pair.decide(**BUY, **KEY)[0] == Reason.NOT_LEADER
    pair.twin.leader = True
    pair.control(ControlKind.LEASE, 1, 3)
    assert pair.decide(**BUY, **KEY)[0] == Reason.OK


@pytest.mark.nojit
@pytest.mark.parametrize(
    "act",
    [
        halt(PolicyMode.HALT),
        halt(PolicyMode.DEGRADE),
        hold_off,
        recover,
        kill(KillScope.GLOBAL),
        kill(KillScope.ACCOUNT),
        kill(KillScope.STRATEGY),
        lose(10**6),
    ],
)
def test_a_shrinking_order_passes_every_mode_and_one_lot_beyond_flat_does_not(
    act: Callable[[Pair], None],
) -> None:
    pair = Pair(Rules(order_size=2, daily_loss=10**5, storm_losses=(1, 2, 3)))
    for _ in range(2):
        _, order = pair.decide(**BUY | {"qty": 2})
        pair.both("fill", order, 999, 2)
    act(pair)
    assert pair.decide(**SELL | {"qty": 5})[0] != Reason.OK
    given, order = pair.decide(**SELL | {"qty": 3})
    assert given == Reason.OK
    assert pair.decide(**SELL | {"qty": 2})[0] != Reason.OK
    assert pair.decide(intent_type=IntentType.CANCEL, target_id=order)[0] == Reason.OK
    pair.both("done", order, OrderStatus.CANCELLED)
    assert pair.decide(intent_type=IntentType.FORCE_FLAT)[0] == Reason.OK


@pytest.mark.nojit
@pytest.mark.parametrize("mode", [mode for mode in SelfTradeMode if mode != 0])
def test_other_self_trade_modes_name_the_old_orders(mode: SelfTradeMode) -> None:
    pair = Pair(Rules(self_trade=mode))
    _, old = pair.decide(**SELL | {"qty": 2})
    given, _ = pair.decide(**BUY | {"price": 1001, "qty": 5, "tif": Tif.GTC})
    refused = mode == SelfTradeMode.CANCEL_BOTH
    assert given == (Reason.SELF_TRADE if refused else Reason.OK)
    state = pair.kernel.state
    assert state.head[0]["cancel_count"] == 1
    assert state.orders[state.cancels[0]]["order_id"] == old
    if mode == SelfTradeMode.DECREMENT:
        assert state.decision[0]["qty"] == 3
