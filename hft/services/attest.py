"""The control pack: what each control of the gateway lets through and what it stops, shown.

Every control is driven through the decision kernel that trades, on both sides of its limit: what is
just allowed must pass, what is just not allowed must be refused with its own reason. A line of the
report is a control with the paragraph it answers (SEC 15c3-5, FIA guide, CME) and what was seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.core.numbers import resolve as instrument_row
from hft.gateway.gateway import Gateway
from hft.gateway.limits import Limits
from hft.gateway.resolve import ResolvedLimits, resolve
from hft.gateway.state import apply_limits

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


@dataclass(frozen=True)
class Seen:
    """One decision: what was asked, what had to come of it, and what came."""

    asked: str
    wanted: Reason
    found: Reason

    @property
    def ok(self) -> bool:
        return self.wanted == self.found


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
        } | more
        self._next += 1
        return Reason(
            int(self.gateway.decide(self.now, **{k: int(v) for k, v in fields.items()})["reason"])
        )

    def cancel(self, order_id: int) -> Reason:
        """A cancel of an order of strategy a, decided."""
        return self.order(
            BUY, 0, 0, intent_type=IntentType.CANCEL, target_id=order_id, order_type=0, tif=0
        )

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


Pack = Callable[[Callable[[dict[str, Any]], Bench]], Iterator[Seen]]


@dataclass(frozen=True)
class Control:
    """A control of the catalogue; `show` drives it on benches made under its limits."""

    name: str
    answers: str
    show: Pack


@dataclass(frozen=True)
class Attested:
    """A control with what was seen of it."""

    control: Control
    seen: Sequence[Seen]
    defect: str = ""

    @property
    def ok(self) -> bool:
        """Was anything seen, on both sides, and was all of it as it had to be?"""
        sides = {one.wanted == Reason.OK for one in self.seen}
        return not self.defect and sides == {True, False} and all(one.ok for one in self.seen)

    @property
    def evidence(self) -> str:
        """What was asked and what came, in one line; of a failure what differs comes first."""
        wrong = [
            f"{one.asked}: {one.found.name}, not {one.wanted.name}"
            for one in self.seen
            if not one.ok
        ]
        right = [f"{one.asked}: {one.found.name}" for one in self.seen if one.ok]
        return "; ".join([*([self.defect] if self.defect else []), *wrong, *right])

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "control": self.control.name,
            "answers": self.control.answers,
            "verdict": "PASS" if self.ok else "FAIL",
            "seen": [
                {"asked": one.asked, "wanted": one.wanted.name, "found": one.found.name}
                for one in self.seen
            ],
            "defect": self.defect,
        }


def attest(
    controls: Sequence[Control], bench: Callable[[dict[str, Any]], Bench] = Bench
) -> list[Attested]:
    """Drive every control. A control that raises has failed, and says how."""
    found = []
    for control in controls:
        seen: list[Seen] = []
        defect = ""
        try:
            seen.extend(control.show(bench))
        except Exception as error:
            defect = f"{type(error).__name__}: {error}"
        found.append(Attested(control, seen, defect))
    return found
