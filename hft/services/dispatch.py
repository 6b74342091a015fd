"""Durable commands on their way to the adapter, and what comes back of those that did not leave.

The last look before a command leaves: is the link live, is it in time, did the command that makes
its order leave. What certainly stayed becomes an UNSENT row, so that what it held comes
back; what nobody knows of puts its order in doubt and breaks the session.
"""

from collections.abc import Callable, Sequence

import numpy as np

from hft.core.codes import IntentType, Reason, ResponseKind
from hft.core.errors import InvariantError
from hft.services.link import Link
from hft.services.ports import AlertKind, OrderAdapter
from hft.trading.inputs import InputKind, heard

_MAKES = (IntentType.NEW.value, IntentType.FORCE_FLAT.value)
_LOST = ResponseKind.UNKNOWN.value
Unsent = dict[int, Reason]  # by command id


class Dispatch:
    """Sends for one life; whoever calls has asked the lease."""

    def __init__(
        self,
        adapter: OrderAdapter,
        link: Link,
        alert: Callable[[AlertKind, str], None],
    ) -> None:
        self.sent = self.unsent = 0
        self._adapter, self._link, self._alert = adapter, link, alert
        self._returned: list[np.ndarray] = []
        self._void: set[int] = set()  # orders whose first command did not leave
        self._kept: Unsent = {}  # what did not leave; a retry may be answered with it
        self.is_broken = self.is_fenced = False

    @property
    def has_returned(self) -> bool:
        """Are there rows to be booked?"""
        return bool(self._returned)

    def take(self) -> list[np.ndarray]:
        """UNSENT rows, and UNKNOWN answers, since last time."""
        rows, self._returned = self._returned, []
        return rows

    def forget(self) -> None:
        """Nothing is on its way: no later batch can be about an order or command that never was."""
        self._void.clear()
        self._kept.clear()

    def send(self, commands: np.ndarray, now_ns: int) -> Unsent:
        """Hand OUTBOUND rows to the adapter.

        Returns: what did not leave and is not forgotten yet, and why.
        """
        if len(commands):
            self._kept |= self._send(commands, now_ns)
        return self._kept

    def _send(self, commands: np.ndarray, now_ns: int) -> Unsent:
        if not self._link.is_live or self.is_broken:
            return self._keep_back(commands, [Reason.VENUE_DOWN] * len(commands))
        deadlines = commands["deadline_ns"]
        late = (deadlines > 0) & (deadlines < now_ns)
        unsent: Unsent = {}
        if np.count_nonzero(late) or self._void:
            reasons = [Reason.COMMAND_DEADLINE if one else Reason.OK for one in late.tolist()]
            unsent = self._keep_back(commands, reasons)
            commands = commands[~np.isin(commands["cmd_id"], list(unsent))]
        if not len(commands):
            return unsent
        try:
            reasons = list(self._adapter.submit(commands))
            if len(reasons) != len(commands):
                raise InvariantError(f"{len(reasons)} reasons for {len(commands)} commands")
        except Exception as error:  # whatever it is, nobody knows what left
            self._in_doubt(commands, error)
            return unsent
        self.sent += len(commands)
        if any(reasons):
            back = self._keep_back(commands, reasons)
            self.sent -= len(back)
            unsent |= back
        return unsent

    def _keep_back(self, commands: np.ndarray, reasons: Sequence[Reason]) -> Unsent:
        unsent: Unsent = {}
        for row, reason in zip(commands, reasons, strict=True):
            order_id, cmd_id = int(row["order_id"]), int(row["cmd_id"])
            if order_id in self._void:  # what makes its order did not leave either
                unsent[cmd_id] = Reason.VENUE_DOWN
                continue
            if reason is Reason.OK:
                continue
            unsent[cmd_id] = reason
            if reason is Reason.STALE_FENCE:
                self.is_fenced = True
                self._alert(AlertKind.STALE_FENCE, f"command {cmd_id}: the venue obeys another")
            if int(row["kind"]) in _MAKES:
                self._void.add(order_id)
            fields = {"order_id": order_id, "cmd_id": cmd_id, "code": reason.value}
            fields["value"] = int(row["kind"])
            self._returned.append(heard(InputKind.UNSENT, 0, **fields))
        self.unsent += len(unsent)
        return unsent

    def _in_doubt(self, commands: np.ndarray, error: Exception) -> None:
        self._alert(
            AlertKind.DEFECT,
            f"the adapter raised {error!r}; nobody knows which of {len(commands)} commands left, "
            "and the venue is asked",
        )
        self.is_broken = True
        for row in commands:
            fields = {"order_id": int(row["order_id"]), "account_idx": int(row["account_idx"])}
            self._returned.append(heard(InputKind.ANSWER, 0, code=_LOST, **fields))
