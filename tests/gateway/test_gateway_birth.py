"""Every gate is closed at birth: what restricts holds for the first intent."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from gateway_world import START, Pair, S, gateway

import hft
from hft.core.codes import PolicyMode, Reason, Side, StormGuardState
from hft.core.errors import InvariantError
from hft.core.instruments import Instrument
from hft.core.numbers import money_digits
from hft.core.numbers import resolve as instrument_row
from hft.gateway import policy
from hft.gateway.gateway import Gateway
from hft.gateway.resolve import resolve
from hft.gateway.rows import GuardCause
from hft.gateway.state import apply_limits
from tests.naive.gateway import Rules

BUY = {"side": Side.BUY, "price": 999, "qty": 1, "order_type": 1, "intent_id": 1}
X = Instrument("X", Decimal("0.5"), Decimal(1))
TAPE = {"first_mid": 1000, "spread_ticks_median": 1, "touch_lots_median": 10}


def storm(kernel: Gateway) -> None:
    kernel.state.storms[0]["state"] = StormGuardState.STORM
    kernel.state.head[0]["storms"] = 1


def trip(cause: GuardCause) -> Callable[[Gateway], None]:
    def make(kernel: Gateway) -> None:
        kernel.state.breakers[0]["tripped"] = 1
        kernel.state.breakers[0]["cause"] = cause
        kernel.state.head[0]["trips"] = 1

    return make


def put(table: str, **fields: int) -> Callable[[Gateway], None]:
    def make(kernel: Gateway) -> None:
        for name, value in fields.items():
            getattr(kernel.state, table)[0][name] = value

    return make


# What a state may be born with (its limits, a hold-off, what was recovered), by its reason.
BORN: dict[Reason, Callable[[Gateway], None]] = {
    Reason.POLICY_HALT: put("head", operator_mode=PolicyMode.HALT),
    Reason.REPEATED_EXECUTION: put("strategies", repeated=1),
    Reason.POLICY_DEGRADE: storm,
    Reason.STARTUP_HOLDOFF: put("head", holdoff_until_ns=START + S),
    Reason.BREAKER_TRIPPED: trip(GuardCause.LOSS),
    Reason.KILL_SWITCH: trip(GuardCause.MANUAL),
    Reason.RECONCILING: put("head", recovering=1),
    Reason.ALPHA_NOT_LIVE: put("strategies", bound=1, weight_ppm=0),
}


@pytest.mark.nojit
@pytest.mark.parametrize("reason", BORN, ids=lambda reason: reason.name)
def test_the_first_intent_meets_every_gate(reason: Reason) -> None:
    kernel = gateway(Rules(require_promotion=True))
    BORN[reason](kernel)
    assert kernel.decide(START, **BUY)["reason"] == reason
    assert kernel.decide(START, **BUY | {"intent_id": 2})["reason"] == reason


def test_no_gate_is_left_out() -> None:
    assert set(BORN) == set(policy.CODES)


@pytest.mark.nojit
def test_a_gateway_that_nothing_restricts_is_open_at_birth() -> None:
    assert gateway(Rules(require_promotion=True)).decide(START, **BUY)["reason"] == Reason.OK


def born_under(**keys: Any) -> Gateway:
    limits = hft.Limits.research().replace(**keys)
    resolved = resolve(limits, [X], [TAPE], strategies=["mm"])
    row = instrument_row(X, money_digits([X]), resolved.max_price[0], 1)
    made = Gateway(row.reshape(1), resolved, 1, 1, order_capacity=16)
    made.touches[0]["bid_tick"], made.touches[0]["ask_tick"] = 999, 1001
    made.touches[0]["valid"], made.touches[0]["ts_ns"] = 1, START
    return made


BOUND = {"strategies.mm.alpha_id": "slope", "HFT_GATEWAY_REQUIRE_PROMOTION": True}


@pytest.mark.nojit
def test_a_bound_strategy_without_a_promotion_does_not_trade_from_the_start() -> None:
    assert born_under().decide(START, **BUY)["reason"] == Reason.OK
    assert born_under(**BOUND).decide(START, **BUY)["reason"] == Reason.ALPHA_NOT_LIVE


@pytest.mark.nojit
def test_limits_that_bind_a_strategy_close_the_gate_at_the_next_intent() -> None:
    made = born_under()
    assert made.decide(START, **BUY)["reason"] == Reason.OK
    bound = resolve(hft.Limits.research().replace(**BOUND), [X], [TAPE], strategies=["mm"])
    apply_limits(made.state, bound)
    assert made.decide(START, **BUY | {"intent_id": 2})["reason"] == Reason.ALPHA_NOT_LIVE


@pytest.mark.nojit
@pytest.mark.parametrize(
    ("keys", "intent", "reason"),
    [
        ({"symbols.X.restricted": True}, {}, Reason.SYMBOL_RESTRICTED),
        ({"symbols.X.max_order_size": 2}, {"qty": 3}, Reason.ORDER_SIZE),
        ({"max_position_size": 2}, {"qty": 3}, Reason.POSITION_LIMIT),
        ({"max_daily_loss": 0}, {}, Reason.DAILY_LOSS),
        ({"strategies.mm.max_net_qty": 2}, {"qty": 3}, Reason.NET_QTY_LIMIT),
    ],
)
def test_every_limit_holds_for_the_first_intent(
    keys: dict[str, Any], intent: dict[str, int], reason: Reason
) -> None:
    keys = {"symbols.X.max_order_size": 10} | keys
    assert born_under(**keys).decide(START, **BUY | intent)["reason"] == reason


@pytest.mark.nojit
def test_a_forgotten_count_of_gates_is_an_invariant_failure() -> None:
    pair = Pair(Rules())
    pair.decide(**BUY)
    pair.kernel.state.head[0]["operator_mode"] = PolicyMode.HALT
    with pytest.raises(InvariantError, match="gates"):
        pair.kernel.prove()
