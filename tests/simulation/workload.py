"""Submitters who quote, take, change their mind and ask again, and remember what they were told.

They outlive the gateway, as clients do: after a crash they send the same keys again. What they ask
for is drawn from a seed and from the orders that the gateway shows them.
"""

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from hft.core.codes import ControlKind, IntentType, OrderType, PolicyMode, Tif
from hft.core.dtypes import INTENT
from hft.gateway.rows import MODE_OWNER_DEGRADED, MODE_OWNER_OPERATOR, KillScope
from hft.trading.inputs import INPUT, InputKind

NEW, AMEND, CANCEL = (int(kind) for kind in (IntentType.NEW, IntentType.AMEND, IntentType.CANCEL))
PAYLOAD = ("strategy_idx", "instrument_idx", "intent_type", "side", "price", "qty", "tif")
MODE, KILL = ControlKind.MODE, ControlKind.KILL
ORDERS = (
    (MODE, MODE_OWNER_OPERATOR, PolicyMode.DEGRADE.value),
    (MODE, MODE_OWNER_OPERATOR, PolicyMode.HALT.value),
    (MODE, MODE_OWNER_DEGRADED, 1),
    (KILL, KillScope.GLOBAL.value, 1),
    (KILL, KillScope.STRATEGY.value, 1),
    (KILL, KillScope.BYTE.value, 1),
)
OPERATES = 0.02
KEYS_REMEMBERED, KEY_AGE_NS = 40, 200_000_000_000


@dataclass
class Asked:
    """An intent that was submitted, to be sent again as it was."""

    key: tuple[int, int]
    fields: dict[str, int]
    first_ns: int
    is_told: bool = False


@dataclass
class Workload:
    """All submitters of one world."""

    world: Any
    random: Random
    keys: int = 0
    recent: deque[Asked] = field(default_factory=lambda: deque(maxlen=KEYS_REMEMBERED))
    retries: int = 0
    undo: tuple[ControlKind, int, int] | None = None

    def begin(self, gateway: Any) -> None:
        """Turn as long as this gateway lives; called in its life."""
        self.turn(gateway)
        self.operate(gateway)
        self.world.loop.call_later(self.random.random() * 0.02, self.begin, gateway)

    def turn(self, gateway: Any) -> None:
        """Some intents of one strategy."""
        if gateway.state != "ready" and self.random.random() < 0.8:
            return
        if gateway.desk is None or self.world.is_quiet:
            return
        strategy = self.random.randrange(self.world.strategies)
        orders = gateway.desk.working()
        wanted = self._wanted(strategy, orders)
        now_ns = gateway.now()
        asked = [self._asked(fields, now_ns) for fields in wanted]
        if self.random.random() < 0.15 and self.recent:
            again = self.random.choice(self.recent)
            if again.fields["strategy_idx"] == strategy and now_ns - again.first_ns < KEY_AGE_NS:
                asked.append(self._again(again))
        if asked:
            rows = self._rows(strategy, asked, now_ns)
            gateway.submit(rows, [self._hears(one) for one in asked])

    def operate(self, gateway: Any) -> None:
        """Now and then an operator restricts something, and undoes it later."""
        is_ours = gateway.state == "ready" and gateway.desk is not None
        if not is_ours or self.world.is_quiet or self.random.random() > OPERATES:
            return
        kind, code, value = self.undo or self.random.choice(ORDERS)
        self.undo = None if self.undo else (kind, code, 0)
        self.world.seen[f"operator {kind.name}"] += 1
        gateway.control(kind, code, value)

    def _again(self, one: Asked) -> Asked:
        """The same once more; now and then the key comes with something else."""
        self.retries += 1
        if self.random.random() < 0.1:
            return Asked(one.key, one.fields | {"qty": one.fields["qty"] + 1}, one.first_ns)
        return one

    def _hears(self, one: Asked) -> Any:
        def told(reason: int, cmd_id: int) -> None:
            one.is_told = True
            self.world.auditor.told(self.world.key(one.key), reason, cmd_id)

        return told

    def _asked(self, fields: dict[str, int], now_ns: int) -> Asked:
        self.keys += 1
        one = Asked((7, self.keys), fields, now_ns)
        self.recent.append(one)
        return one

    def _wanted(self, strategy: int, orders: np.ndarray) -> list[dict[str, int]]:
        draw = self.random.random()
        own = orders[orders["strategy_idx"] == strategy]
        if len(own) > 6 or (len(own) and draw < 0.35):
            order = own[self.random.randrange(len(own))]
            return [self._change(order) for _ in range(self.random.choice((1, 1, 1, 2)))]
        at = self.random.randrange(len(self.world.venue.touches))
        if draw < 0.85:
            return [self._quote(strategy, at, side) for side in (0, 1)]
        return [self._take(strategy, at, self.random.randrange(2))]

    def _quote(self, strategy: int, at: int, side: int) -> dict[str, int]:
        bid, ask = self.world.venue.touches[at]
        away = self.random.choice((0, 0, 1, 2))
        price = bid - away if side == 0 else ask + away
        tif = self.random.choice((Tif.GTC, Tif.GTC, Tif.GTX))
        return self._intent(NEW, strategy, at, side, price, self.random.randint(1, 9), tif)

    def _take(self, strategy: int, at: int, side: int) -> dict[str, int]:
        bid, ask = self.world.venue.touches[at]
        price = ask if side == 0 else bid
        tif = self.random.choice((Tif.IOC, Tif.IOC, Tif.FOK))
        return self._intent(NEW, strategy, at, side, price, self.random.randint(1, 12), tif)

    def _change(self, order: np.ndarray) -> dict[str, int]:
        names = ("strategy_idx", "instrument_idx", "side", "price", "qty", "order_id")
        strategy, at, side, price, qty, order_id = (int(order[name]) for name in names)
        if self.random.random() < 0.55:
            fields = self._intent(CANCEL, strategy, at, side, price, qty, Tif.GTC)
        else:
            price += self.random.choice((-1, 0, 0, 1))
            qty = max(1, qty + self.random.choice((-3, -1, 1, 2)))
            fields = self._intent(AMEND, strategy, at, side, price, qty, Tif.GTC)
        return fields | {"target_id": order_id}

    def _intent(self, *values: int) -> dict[str, int]:
        kind, strategy, at, side, price, qty, tif = (int(value) for value in values)
        return dict(zip(PAYLOAD, (strategy, at, kind, side, price, qty, tif), strict=True))

    def _rows(self, strategy: int, asked: list[Asked], now_ns: int) -> np.ndarray:
        touches = self.world.venue.touches
        rows = np.zeros(len(touches) + 1 + len(asked), INPUT)
        for at in range(len(touches)):
            rows[at]["kind"] = InputKind.TOUCH
            rows[at]["instrument_idx"] = at
            self._touch(rows[at], at, now_ns)
        rows[len(touches)]["kind"] = InputKind.WAKE
        rows[len(touches)]["strategy_idx"] = strategy
        for row, one in zip(rows[len(touches) + 1 :], asked, strict=True):
            row["kind"] = InputKind.INTENT
            for name, value in one.fields.items():
                row[name] = value
            row["order_type"] = OrderType.LIMIT
            row["timestamp_ns"] = now_ns
            row["key_hi"], row["key_lo"] = one.key
            self._touch(row, one.fields["instrument_idx"], now_ns)
        return rows

    def _touch(self, row: np.ndarray, at: int, now_ns: int) -> None:
        row["bid_tick"], row["ask_tick"] = self.world.venue.touches[at]
        row["valid"], row["touch_ns"] = 1, now_ns


assert {*PAYLOAD, "target_id"} <= set(INTENT.names or ())
