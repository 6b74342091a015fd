"""The steps of a journal as measures: a run's, and of a session on paper as it goes on."""

import numpy as np

from hft.core.codes import ControlKind, IntentType, Reason, ResponseKind, StepKind
from hft.metrics.histogram import Histogram
from hft.metrics.orders import Orders, Remembered

_MAKES = (IntentType.NEW.value, IntentType.FORCE_FLAT.value)


class StepMeasures:
    """Takes steps in order. Times are those of the tape."""

    def __init__(self, strategies: int) -> None:
        self.orders = Orders(strategies)
        self.dispatch = Histogram("gateway_dispatch_latency_ns")
        self.resets = np.zeros(1, np.int64)
        self._commands = Remembered()
        self._newest = 0  # command

    def take(self, steps: np.ndarray) -> None:
        """The next steps."""
        kind, code = steps["kind"], steps["code"]
        decided = np.flatnonzero((kind == StepKind.DECISION) & (code == Reason.OK.value))
        if len(decided):
            self._decided(steps["cmd_id"][decided], steps, decided)
        arrived = steps[kind == StepKind.ARRIVAL]
        if len(arrived):
            known, since_ns, _ = self._commands.take(arrived["cmd_id"])
            self.dispatch.observe_all(arrived["ts_ns"][known] - since_ns)
        is_fill = (kind == StepKind.RESPONSE) & (code == ResponseKind.FILL.value)
        fills = steps[is_fill & (steps["ignored"] == 0)]
        if len(fills):
            self.orders.heard(fills["order_id"], fills["ts_ns"])
        cleared = (kind == StepKind.CONTROL) & (code == ControlKind.KILL.value)
        self.resets += np.count_nonzero(cleared & (steps["value"] == 0))

    def columns(self) -> dict[str, np.ndarray]:
        """As those of a scoreboard."""
        own = {"dispatch_latency": self.dispatch.cells, "resets": self.resets}
        return own | self.orders.columns()

    def _decided(self, commands: np.ndarray, steps: np.ndarray, at: np.ndarray) -> None:
        """An intent whose key is known is answered with the command of the one before."""
        before = np.maximum.accumulate(np.concatenate([[self._newest], commands]))
        is_new = commands > before[:-1]
        self._newest = int(before[-1])
        at, commands = at[is_new], commands[is_new]
        who = np.maximum(steps["strategy_idx"][at], 0).astype(np.int64)
        ts_ns = steps["ts_ns"][at]
        self._commands.put(commands, ts_ns, who)
        makes = np.isin(steps["intent_type"][at], _MAKES)
        self.orders.sent(steps["order_id"][at][makes], ts_ns[makes], who[makes])
