"""The views of the contract read the same state, and the rest of the rim of the kernel."""

from typing import Any

import numpy as np
import pytest
from gateway_world import Pair, S, gateway, resolved

from hft.core.codes import ControlKind, DedupState, IntentType, OrderStatus, PolicyMode, Reason
from hft.core.dtypes import INTENT
from hft.core.errors import ConfigError, ExposureLimitError
from hft.gateway import tables
from hft.gateway.rows import KillScope
from hft.gateway.state import apply_limits
from hft.gateway.stores import (
    ExposureStore,
    GatewayPolicy,
    IdempotencyStore,
    RiskEngine,
    key_of_text,
)
from hft.gateway.trips import trip_intents
from tests.naive.gateway import Rules

BUY = {"side": 0, "price": 999, "qty": 1, "order_type": 1}
pytestmark = pytest.mark.nojit


def test_a_key_is_reserved_then_in_flight_then_answered() -> None:
    store = IdempotencyStore(gateway(Rules(dedup_window=4)))
    assert store.check_or_reserve("", 1, 0) is None and len(store) == 0
    assert store.check_or_reserve("a", 1, 0) is None
    assert store.check_or_reserve("a", 1, 0) == Reason.DEDUP_IN_FLIGHT
    assert store.check_or_reserve("a", 2, 0) == Reason.DEDUP_KEY_REUSED
    store.commit("a", True, Reason.OK, 7, 5)
    record = store.check_or_reserve("a", 1, 6)
    assert record == (DedupState.APPROVED, True, Reason.OK, 7, 5, 1)
    store.commit("b", False, Reason.ORDER_SIZE, 0, 5)  # without a reservation: inserted
    found = store.get("b")
    assert found is not None and found.approved is False
    store.commit("", True, Reason.OK, 1, 1)
    assert len(store) == 2


def test_text_keys_are_128_bits_and_empty_is_none() -> None:
    assert key_of_text("") == (0, 0)
    assert key_of_text("a") != key_of_text("b")
    assert all(-(1 << 63) <= half < 1 << 63 for half in key_of_text("order-1"))


def test_exposure_reads_leaves_and_raises_at_capacity_for_direct_callers() -> None:
    made = gateway(Rules(leaves=1))
    store = ExposureStore(made)
    made.decide(5, intent_id=1, **BUY)
    assert store.leaf(0, 0, 0) == (0, 1, 0, 9_990, 0)
    assert store.reserved_money == 9_990 and store.settled_money == 0
    assert store.leaf(0, 1, 0) == (0, 0, 0, 0, 0)
    with pytest.raises(ExposureLimitError, match="HFT_EXPOSURE_MAX_SYMBOLS"):
        store.ensure(0, 1, 0)
    assert store.stale(5 + 3601 * S, 3600 * S) == [1]
    made.prove()


def test_clearing_the_operator_clears_no_other_input() -> None:
    pair = Pair(Rules(daily_loss=10))
    policy = GatewayPolicy(pair.kernel)
    policy.set_halt(pair.now)
    assert policy.gate(pair.now, **BUY) == Reason.POLICY_HALT
    pair.pnl(0, -10)
    policy.set_normal(pair.now)
    assert policy.gate(pair.now, **BUY) == Reason.BREAKER_TRIPPED
    policy.set_degrade(pair.now)
    assert policy.gate(pair.now, intent_type=IntentType.CANCEL) == Reason.OK


def test_risk_counts_and_lists() -> None:
    made = gateway(Rules(order_size=5))
    risk = RiskEngine(made)
    made.decide(int(made.touches[0]["ts_ns"]), intent_id=1, **BUY)
    made.decide(int(made.touches[0]["ts_ns"]), intent_id=2, **BUY | {"qty": 6})
    assert risk.counters["orders_checked"] == 2
    assert risk.counters["rejection_rate_pct"] == 50
    assert risk.evaluate(0, intent_id=3, **BUY | {"qty": 6}) == [Reason.ORDER_SIZE]
    assert risk.counters["orders_checked"] == 2


def take(pair: Pair, next_id: int) -> list[dict[str, int]]:
    out = np.zeros(8, INTENT)
    state = pair.kernel.state
    gw = tables.handle(state)
    count = trip_intents(gw, pair.kernel.touches, out, next_id, pair.now)
    names: tuple[str, ...] = INTENT.names or ()
    return [{name: int(row[name]) for name in names} for row in out[:count]]


def test_a_trip_cancels_what_is_open_and_then_closes_what_is_held() -> None:
    pair = Pair(Rules())
    _, held = pair.decide(**BUY | {"qty": 3})
    pair.both("fill", held, 999, 3)
    _, working = pair.decide(**BUY)
    _, other = pair.decide(**BUY | {"strategy_idx": 1, "price": 990})
    pair.kill(KillScope.STRATEGY, 0, True)
    (cancel,) = take(pair, 100)
    assert (cancel["intent_type"], cancel["target_id"]) == (IntentType.CANCEL, working)
    assert pair.decide(**cancel)[0] == Reason.OK
    assert take(pair, 200) == []  # on its way
    pair.both("done", working, OrderStatus.CANCELLED)
    (close,) = take(pair, 300)
    assert close["intent_type"] == IntentType.FORCE_FLAT
    assert pair.decide(**close)[0] == Reason.OK
    assert take(pair, 400) == []
    assert pair.kernel.state.head[0]["actions"] == 1
    pair.both("fill", 300, 999, 3)
    assert take(pair, 500) == []
    assert pair.kernel.state.head[0]["actions"] == 0
    assert pair.kernel.position(0, 0, 0) == 0
    assert other in pair.twin.orders


def test_limits_change_between_intents_and_holds_stay() -> None:
    made = gateway(Rules(order_size=5, per_s=10))
    now = int(made.touches[0]["ts_ns"])
    assert made.decide(now, intent_id=1, **BUY | {"qty": 5})["reason"] == 0
    apply_limits(made.state, resolved(Rules(order_size=4, per_s=9)))
    assert made.decide(now, intent_id=2, **BUY | {"qty": 5})["reason"] == Reason.ORDER_SIZE
    made.prove()
    assert made.state.head[0]["live_orders"] == 1
    with pytest.raises(ConfigError, match="lowered within a run, not raised"):
        apply_limits(made.state, resolved(Rules(per_s=11)))


def test_the_window_of_the_market_move_is_shortened_within_a_run_and_never_lengthened() -> None:
    made = gateway(Rules())
    window = int(made.state.config[0]["breaker_window_ns"])
    other = resolved(Rules())
    other.config[0]["breaker_window_ns"] = window // 2
    apply_limits(made.state, other)
    assert made.state.config[0]["breaker_window_ns"] == window // 2
    with pytest.raises(ConfigError, match="shortened within a run, not lengthened"):
        apply_limits(made.state, resolved(Rules()))
    assert made.state.config[0]["breaker_window_ns"] == window // 2


def test_a_batch_decides_as_one_by_one() -> None:
    def day(made: Any) -> tuple[np.ndarray, np.ndarray]:
        intents = np.zeros(50, INTENT)
        rng = np.random.default_rng(3)
        intents["intent_id"] = np.arange(1, 51)
        intents["side"] = rng.integers(0, 2, 50)
        intents["price"] = 1000 + rng.integers(-9, 9, 50)
        intents["qty"] = rng.integers(0, 7, 50)
        intents["order_type"] = 1
        intents["key_hi"] = intents["key_lo"] = rng.integers(0, 20, 50)
        return intents, int(made.touches[0]["ts_ns"]) + np.arange(50)

    one, batch = gateway(Rules(long_max=20)), gateway(Rules(long_max=20))
    intents, times = day(one)
    names: tuple[str, ...] = INTENT.names or ()
    rows = [
        one.decide(int(now), **{name: int(intent[name]) for name in names})
        for intent, now in zip(intents, times, strict=True)
    ]
    together = batch.decide_batch(intents, times)
    assert [row.tolist() for row in rows] == together.tolist()
    assert {int(row["reason"]) for row in rows} > {0}


def test_degraded_mode_stops_a_strategy_that_is_not_critical() -> None:
    pair = Pair(Rules())
    pair.kernel.state.strategies[1]["critical"] = 0
    pair.control(ControlKind.MODE, 1, 1)
    assert pair.kernel.decide(pair.now, intent_id=1, **BUY)["reason"] == Reason.OK
    row = pair.kernel.decide(pair.now, intent_id=2, strategy_idx=1, **BUY)
    assert (row["reason"], row["policy_mode"]) == (Reason.POLICY_DEGRADE, PolicyMode.DEGRADE)
