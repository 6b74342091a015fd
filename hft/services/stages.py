"""How long an intent's stages take and what became of orders, counted beside the decisions.

Integers only; whoever owns the counters shows them, and nothing reads them to decide.
"""

from collections.abc import Callable

import numpy as np

from hft.core.codes import IntentType, ResponseKind
from hft.metrics.histogram import Histogram
from hft.metrics.orders import Orders
from hft.trading.inputs import HEARD, InputKind

_NEW, _FLAT = IntentType.NEW.value, IntentType.FORCE_FLAT.value
_ANSWER, _FILL = InputKind.ANSWER.value, ResponseKind.FILL.value


class Latencies:
    """The stages that every gateway has. `failures`: what could not be counted, and was left out:
    no figure is worth a decision."""

    def __init__(self) -> None:
        self.dispatch = Histogram("gateway_dispatch_latency_ns")
        self.orderbook = Histogram("gateway_orderbook_latency_us")
        self.failures = 0

    def columns(self) -> dict[str, np.ndarray]:
        """For a scoreboard."""
        return {
            "dispatch_latency": self.dispatch.cells,
            "orderbook_latency": self.orderbook.cells,
        }

    def left(self, took_ns: int, commands: int) -> None:
        """Commands may leave, so long after they were decided."""
        if commands:
            self._count(lambda: self.dispatch.observe(took_ns, commands))

    def seen(self, late_ns: np.ndarray) -> None:
        """Rows of the market were applied, so late."""
        self._count(lambda: self.orderbook.observe_all(late_ns // 1000))

    def _count(self, count: Callable[[], None]) -> None:
        try:
            count()
        except Exception:
            self.failures += 1


class Stages(Latencies):
    """Of a live service with so many strategies. `clock_ns` is for durations."""

    def __init__(self, strategies: int, clock_ns: Callable[[], int]) -> None:
        super().__init__()
        self.clock_ns = clock_ns
        self.risk_check = Histogram("gateway_risk_check_latency_ns")
        self.orders = Orders(strategies)
        self.resets = 0  # of trips, by operators

    def columns(self) -> dict[str, np.ndarray]:
        own = {"risk_check_latency": self.risk_check.cells}
        return super().columns() | own | self.orders.columns()

    def applied(self, rows: np.ndarray, commands: np.ndarray, intents: int, took_ns: int) -> None:
        """INPUT rows were applied and led to these OUTBOUND rows; `intents` came with them."""
        if intents:
            self._count(lambda: self.risk_check.observe(took_ns // intents, intents))
        if len(commands):
            self._count(lambda: self._sent(commands))
        if len(rows) > intents:
            self._count(lambda: self._heard(rows))

    def sent(self, since_ns: int, commands: int) -> None:
        """Commands that were decided then are with the adapter."""
        self.left(self.clock_ns() - since_ns, commands)

    def _sent(self, commands: np.ndarray) -> None:
        kinds = commands["kind"]
        made = commands[(kinds == _NEW) | (kinds == _FLAT)]
        self.orders.sent(made["order_id"], made["decided_ns"], made["strategy_idx"])

    def _heard(self, rows: np.ndarray) -> None:
        is_fill = (rows["kind"] == _ANSWER) & (rows["code"] == _FILL)
        if is_fill.any():
            fills = rows[is_fill].view(HEARD)
            self.orders.heard(fills["order_id"], fills["ts_ns"])
