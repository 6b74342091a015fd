"""Degraded mode: which limits shrink, and that none is loosened by shrinking."""

from typing import Any

import pytest
from gateway_world import Pair, gateway

from hft.core.codes import ControlKind, Reason
from hft.gateway.rows import MODE_OWNER_DEGRADED
from tests.naive.gateway import Rules

pytestmark = pytest.mark.nojit
S = 1_000_000_000
BUY: dict[str, Any] = {"side": 0, "price": 999, "order_type": 1}
ONE = 999 * Rules().money_per_tick_lot


def degrade(made: Any, on: bool = True) -> None:
    made.control(ControlKind.MODE, MODE_OWNER_DEGRADED, int(on), Pair(Rules()).now)


def asked(made: Any, now_ns: int, qty: int, order_id: int) -> tuple[Reason, int]:
    row = made.decide(now_ns, **BUY, qty=qty, intent_id=order_id, timestamp_ns=now_ns)
    return Reason(int(row["reason"])), int(row["limit"])


def test_the_notional_of_one_order_shrinks_as_that_of_a_symbol_does() -> None:
    made = gateway(Rules(order_notional_max=8 * ONE))
    now = Pair(Rules()).now
    assert asked(made, now, 5, 1)[0] == Reason.OK
    degrade(made)
    assert asked(made, now, 5, 2) == (Reason.MAX_NOTIONAL_EXCEEDED, 4 * ONE)
    assert asked(made, now, 4, 3)[0] == Reason.OK
    degrade(made, False)
    assert asked(made, now, 8, 4)[0] == Reason.OK


def test_degraded_mode_turns_off_no_limit_that_is_on() -> None:
    """Half of one order a second is not none, which would be no limit at all."""
    made = gateway(Rules(per_s=1, per_min=1, band_ticks=None, band_bps=1))
    degrade(made)
    now = Pair(Rules()).now
    assert asked(made, now, 1, 1)[0] == Reason.PRICE_OUTSIDE_BAND
    assert asked(made, now, 1, 2) == (Reason.RATE_LIMIT, 1)


def test_a_limit_that_is_off_stays_off() -> None:
    made = gateway(Rules(order_notional_max=None, per_s=None, per_min=None))
    degrade(made)
    now = Pair(Rules()).now
    for order_id in range(1, 6):
        assert asked(made, now, 5, order_id)[0] == Reason.OK
