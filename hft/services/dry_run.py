"""Would this pass, and how much more would? Asked of the gateway's own checks; nothing changes."""

from dataclasses import dataclass
from typing import Any

from hft.core.codes import IntentType, OrderType, Side, Tif
from hft.gateway.explain import Check, explain
from hft.gateway.state import GatewayState

MOST = 1 << 40  # lots; whoever has room for more has no limit


@dataclass(frozen=True)
class Headroom:
    """Orders of up to `most` lots pass, one more fails these checks; None: nothing limits it."""

    most: int | None
    next_fails: tuple[Check, ...]


def verdict(state: GatewayState, intent: Any, touch: Any, now_ns: int) -> tuple[Check, ...]:
    """Every check that this INTENT row would fail now; none: it would pass."""
    return tuple(explain(state, intent, touch, now_ns))


def headroom(state: GatewayState, intent: Any, touch: Any, now_ns: int) -> Headroom:
    """The most lots of an INTENT row that would pass now, found by asking; the row is put back.

    More lots never pass where fewer fail.
    """
    asked = int(intent["qty"])

    def fails(qty: int) -> tuple[Check, ...]:
        intent["qty"] = qty
        return verdict(state, intent, touch, now_ns)

    try:
        if not fails(MOST):
            return Headroom(None, ())
        passes, beyond = 0, MOST
        while beyond - passes > 1:
            half = (passes + beyond) // 2
            if fails(half):
                beyond = half
            else:
                passes = half
        return Headroom(passes, fails(beyond))
    finally:
        intent["qty"] = asked


def write_order(
    intent: Any, *, strategy: int, instrument: int, side: Side, price: int, qty: int, now_ns: int
) -> None:
    """Fill an INTENT row with a new order; a price of 0 is a market order. Mutates: intent."""
    is_market = price == 0
    intent["intent_id"] = 1  # any: it is not kept
    intent["intent_type"] = IntentType.NEW
    intent["strategy_idx"], intent["instrument_idx"] = strategy, instrument
    intent["side"], intent["price"], intent["qty"] = side, price, qty
    intent["order_type"] = OrderType.MARKET if is_market else OrderType.LIMIT
    intent["tif"] = Tif.IOC if is_market else Tif.GTC
    intent["timestamp_ns"] = intent["source_ts_ns"] = now_ns
