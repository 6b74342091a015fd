"""A gateway of one instrument and two strategies, to drive its controls on.

It is the decision kernel that trades, under the limits of one control alone.
"""

from decimal import Decimal
from typing import Any

import numpy as np

from hft.core.codes import (
    ControlKind,
    IntentType,
    OrderType,
    Reason,
    Side,
    Tif,
)
from hft.core.dtypes import INTENT
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.core.numbers import resolve as instrument_row
from hft.gateway.explain import Check
from hft.gateway.gateway import Gateway
from hft.gateway.limits import Limits
from hft.gateway.resolve import ResolvedLimits, resolve
from hft.gateway.state import apply_limits
from hft.services.dry_run import Headroom, headroom

S = 1_000_000_000
START = 1_700_000_000 * S
BID, ASK, DIGITS = 999, 1001, 2
BUY, SELL = Side.BUY, Side.SELL
ONE = Instrument("X", Decimal(1), Decimal(1), max_price=Decimal(100_000))


def resolved(limits: dict[str, Any]) -> ResolvedLimits:
    """These limits alone, as a gateway of the bench takes them."""
    off = Limits.off().values
    return resolve(
        Limits.from_dict({**off, "capital": 1_000_000, "name": "attest", **limits}),
        [ONE],
        [{"first_mid": 1000}],
        strategies=("a", "b"),
        digits=DIGITS,
    )


class Bench:
    """A gateway over one instrument at 999 x 1001, two strategies, and these limits alone."""

    def __init__(self, limits: dict[str, Any]) -> None:
        row = instrument_row(ONE, DIGITS, 100_000, 1)
        made = resolved(limits)
        self.gateway = Gateway(np.array([row]), made, 1, 2, order_capacity=64, dedup_window=64)
        self.now = START
        self._next = 1
        self.quote(BID, ASK)

    def quote(self, bid: int, ask: int, *, valid: bool = True) -> None:
        """The market as the gateway sees it, now."""
        touch = self.gateway.touches[0]
        touch["bid_tick"], touch["ask_tick"], touch["valid"] = bid, ask, int(valid)
        touch["ts_ns"] = self.now

    def order(self, side: Side, price: int, qty: int, **more: int) -> Reason:
        """A new limit order of strategy a, decided."""
        fields = self._fields(side, price, qty, more)
        self._next += 1
        return Reason(int(self.gateway.decide(self.now, **fields)["reason"]))

    def explained(self, side: Side, price: int, qty: int, **more: int) -> list[Check]:
        """Every check that this order would fail; nothing is decided."""
        return self.gateway.explain(self.now, **self._fields(side, price, qty, more))

    def headroom(self, side: Side, price: int, **more: int) -> Headroom:
        """How many lots would pass at this price."""
        intent = np.zeros(1, INTENT)[0]
        for name, value in self._fields(side, price, 1, more).items():
            intent[name] = value
        return headroom(self.gateway.state, intent, self.gateway.touches[0], self.now)

    def _fields(self, side: Side, price: int, qty: int, more: dict[str, int]) -> dict[str, int]:
        fields = {
            "intent_id": self._next,
            "intent_type": IntentType.NEW,
            "order_type": OrderType.LIMIT,
            "tif": Tif.GTC,
            "side": side,
            "price": price,
            "qty": qty,
            "timestamp_ns": self.now,
            "source_ts_ns": self.now,
        }
        return {name: int(value) for name, value in (fields | more).items()}

    def cancel(self, order_id: int) -> Reason:
        """A cancel of an order of strategy a, decided."""
        return self.order(
            BUY, 0, 0, intent_type=IntentType.CANCEL, target_id=order_id, order_type=0, tif=0
        )

    def amend(self, order_id: int, price: int, qty: int) -> Reason:
        """An amend of an order of strategy a, decided, and the venue says yes to it."""
        found = self.order(BUY, price, qty, intent_type=IntentType.AMEND, target_id=order_id)
        if found == Reason.OK:
            self.gateway.amended(order_id, price, qty, self.now)
        return found

    def bought(self, qty: int, price: int = ASK) -> None:
        """Strategy a holds `qty` more lots."""
        number = self._next
        assert self.order(BUY, price, qty) == Reason.OK
        self.gateway.ack(number, self.now)
        self.gateway.fill(number, price, qty, self.now)

    def swap(self, limits: dict[str, Any]) -> bool:
        """Other limits between two intents; false for those that cannot be put in force."""
        try:
            apply_limits(self.gateway.state, resolved(limits))
        except ConfigError:
            return False
        return True

    def say(self, kind: ControlKind, code: int = 0, value: int = 0) -> None:
        """A control input, now."""
        self.gateway.control(kind, code, value, self.now)
