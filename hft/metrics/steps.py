"""The steps of a journal as measures: a run's, and of a session on paper as it goes on."""

import numpy as np

from hft.core.codes import ControlKind, IntentType, Reason, ResponseKind, StepKind
from hft.metrics.histogram import Histogram
from hft.metrics.orders import Orders, Remembered

IN_FLIGHT = 1 << 16  # commands that are on their way at once
_NEW, _FLAT = IntentType.NEW.value, IntentType.FORCE_FLAT.value


class StepMeasures:
    """Takes steps in order. Times are those of the tape.

    What cannot be measured ends the measures and nothing else: there are none then.
    """

    def __init__(self, strategies: int) -> None:
        self.orders = Orders(strategies)
        self.dispatch = Histogram("gateway_dispatch_latency_ns")
        self.resets = np.zeros(1, np.int64)
        self._commands = Remembered(IN_FLIGHT)
        self._newest = 0  # command
        self._has_failed = False

    def take(self, steps: np.ndarray) -> None:
        """The next steps."""
        kind = steps["kind"]
        is_event = (kind == StepKind.ARRIVAL) | (kind == StepKind.RESPONSE)
        apart = (kind == StepKind.DECISION, is_event, kind == StepKind.CONTROL)
        self.take_apart(*(steps.take(np.flatnonzero(one)) for one in apart))

    def take_apart(self, decisions: np.ndarray, events: np.ndarray, controls: np.ndarray) -> None:
        """The next steps by kind; `events` may have other kinds too."""
        try:
            self._decided(decisions, np.flatnonzero(decisions["code"] == Reason.OK.value))
            self._happened(events)
            is_kill = controls["code"] == ControlKind.KILL.value
            self.resets += np.count_nonzero(is_kill & (controls["value"] == 0))
        except Exception:
            self._has_failed = True

    def columns(self) -> dict[str, np.ndarray]:
        """As those of a scoreboard."""
        if self._has_failed:
            return {}
        own = {"dispatch_latency": self.dispatch.cells, "resets": self.resets}
        return own | self.orders.columns()

    def _decided(self, steps: np.ndarray, at: np.ndarray) -> None:
        """What was approved; an intent whose key is known is answered with the command of the one
        before."""
        if not len(at):
            return
        commands = steps["cmd_id"][at]
        before = np.maximum.accumulate(np.concatenate([[self._newest], commands]))
        self._newest = int(before[-1])
        is_new = commands > before[:-1]
        if not is_new.all():
            at, commands = at[is_new], commands[is_new]
        who, ts_ns = steps["strategy_idx"][at].astype(np.int64), steps["ts_ns"][at]
        self._commands.put(commands, ts_ns, who)
        kinds = steps["intent_type"][at]
        makes = (kinds == _NEW) | (kinds == _FLAT)
        self.orders.sent(steps["order_id"][at[makes]], ts_ns[makes], who[makes])

    def _happened(self, steps: np.ndarray) -> None:
        kind = steps["kind"]
        arrived = np.flatnonzero(kind == StepKind.ARRIVAL.value)
        if len(arrived):
            known, since_ns, _ = self._commands.take(steps["cmd_id"][arrived])
            self.dispatch.observe_all(steps["ts_ns"][arrived[known]] - since_ns)
        is_fill = (kind == StepKind.RESPONSE.value) & (steps["code"] == ResponseKind.FILL.value)
        fills = np.flatnonzero(is_fill & (steps["ignored"] == 0))
        if len(fills):
            self.orders.heard(steps["order_id"][fills], steps["ts_ns"][fills])
