"""The states that a gateway is in, as words to be counted: orders, breakers, guards and modes."""

from collections.abc import Iterator
from typing import Any

from hft.core.codes import OrderStatus, PolicyMode, StormGuardState
from hft.gateway.rows import GuardCause

_STATUS = {status.value: f"order {status.name}" for status in OrderStatus}
_MODE = {mode.value: f"mode {mode.name}" for mode in PolicyMode}
_STORM = {state.value: f"storm {state.name}" for state in StormGuardState}
_CAUSE = {cause.value: f"breaker {cause.name}" for cause in GuardCause}


def states_of(desk: Any) -> Iterator[str]:
    """What it is in now; a word as often as there are of it."""
    gw = desk.trading.gw
    head = gw.head[0]
    orders = gw.orders[: int(head["order_count"])]
    yield from (_STATUS[one] for one in orders["status"][orders["order_id"] > 0].tolist())
    yield _MODE[int(head["operator_mode"])]
    if head["degraded"]:
        yield "mode degraded"
    if head["kill_byte"]:
        yield "kill byte"
    if head["trips"]:
        rows = gw.breakers
        yield from (_CAUSE[one] for one in rows["cause"][rows["tripped"] != 0].tolist())
    if head["storms"]:
        yield from (_STORM[one] for one in gw.storms["state"].tolist() if one)
