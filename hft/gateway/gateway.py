"""The gateway as one object: rows in, decisions out; the class callers above the kernel see.

Owns a `GatewayState` and calls its kernels with one argument for the state. Rows and arrays are
those of `hft.core.dtypes`; nothing here decides.
"""

from typing import Any

import numpy as np

from hft.core.codes import ControlKind, OrderStatus, Reason, Side
from hft.core.dtypes import DECISION, INTENT, TOUCH
from hft.core.errors import InvariantError
from hft.core.jit import JIT_DISABLED, kernel, record_at, table_view
from hft.gateway import control as control_kernels
from hft.gateway import dedup, events, pipeline, tables
from hft.gateway.explain import Check, explain
from hft.gateway.invariants import check
from hft.gateway.resolve import ResolvedLimits
from hft.gateway.state import GatewayState, new_state, restore, snapshot

# What one decision from Python needs, behind one integer: unboxing an array costs 0.3 us.
SEAM = np.dtype([(name, np.int64) for name in ("gw", "intents", "touches", "n_touches")])
AHEAD = 8  # intents of a batch whose dedup bucket is fetched before its turn
_seam_at = record_at(SEAM)
_handle_at = record_at(tables.HANDLE)
_intents_at = table_view(INTENT)
_touches_at = table_view(TOUCH)


@kernel
def _decide_one(gw: Any, intents: np.ndarray, touches: np.ndarray, now_ns: int) -> int:
    """The first intent, against the touch of its instrument."""
    intent = intents[0]
    row = intent["instrument_idx"]
    if row < 0 or row >= len(touches):
        row = 0
    return pipeline.decide(gw, intent, touches[row], now_ns)


@kernel
def _decide_at(address: int, now_ns: int) -> int:
    """`_decide_one` of the seam at an address."""
    seam = _seam_at(address)
    touches = _touches_at(seam["touches"], seam["n_touches"])
    return _decide_one(_handle_at(seam["gw"]), _intents_at(seam["intents"], 1), touches, now_ns)


@kernel
def _decide_batch(
    gw: Any, intents: np.ndarray, touches: np.ndarray, times: np.ndarray, out: np.ndarray
) -> None:
    """Every intent in order; `out` receives the decisions."""
    for i in range(len(intents)):
        if i + AHEAD < len(intents):
            dedup.warm(gw, intents[i + AHEAD]["key_lo"])
        intent = intents[i]
        row = intent["instrument_idx"]
        if row < 0 or row >= len(touches):
            row = 0
        pipeline.decide(gw, intent, touches[row], times[i])
        out[i] = tables.decision(gw)[0]


class Gateway:
    """One gateway over a set of instruments, accounts and strategies.

    `intents` is a one-row INTENT buffer to fill for `decide_next`; `touches` is the market as the
    gateway sees it, one TOUCH row an instrument, kept up to date by the caller.
    """

    def __init__(
        self,
        instruments: np.ndarray,
        limits: ResolvedLimits,
        n_accounts: int = 1,
        n_strategies: int = 1,
        **sizes: int,
    ) -> None:
        self.state: GatewayState = new_state(instruments, limits, n_accounts, n_strategies, **sizes)
        self.limits = limits
        self.intents = np.zeros(1, INTENT)
        self.touches = np.zeros(len(instruments), TOUCH)
        self.decision = self.state.decision[0]
        self._handle = tables.handle(self.state)
        self._seam = np.zeros(1, SEAM)
        self._seam[0] = (
            self.state.table.ctypes.data,
            self.intents.ctypes.data,
            self.touches.ctypes.data,
            len(self.touches),
        )
        self._address = int(self._seam.ctypes.data)

    def decide_next(self, now_ns: int) -> int:
        """Decide the intent in `intents[0]`. Returns: the reason; `decision` has the rest."""
        if JIT_DISABLED:
            return int(_decide_one(self._handle, self.intents, self.touches, now_ns))
        return _decide_at(self._address, now_ns)

    def decide(self, now_ns: int, **fields: int) -> np.ndarray:
        """Decide an intent given by its fields; a copy of the DECISION row."""
        self.intents[0] = np.zeros(1, INTENT)[0]
        for name, value in fields.items():
            self.intents[0][name] = value
        self.decide_next(now_ns)
        return self.state.decision[0].copy()

    def decide_batch(self, intents: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Decide INTENT rows in order, each at its time. Returns: DECISION rows."""
        out = np.zeros(len(intents), DECISION)
        _decide_batch(self._handle, intents, self.touches, times, out)
        return out

    def explain(self, now_ns: int, **fields: int) -> list[Check]:
        """Every check that would refuse this intent, with margins; nothing changes."""
        intent = np.zeros(1, INTENT)
        for name, value in fields.items():
            intent[0][name] = value
        touch = self.touches[fields.get("instrument_idx", 0)]
        return explain(self.state, intent[0], touch, now_ns)

    def slot(self, order_id: int) -> int:
        """The slot of a working order, or -1."""
        return int(events.find_order(self._handle, order_id))

    def ack(self, order_id: int, now_ns: int) -> None:
        """The venue accepted the order."""
        events.on_ack(self._handle, self.slot(order_id), now_ns)

    def fill(self, order_id: int, price: int, qty: int, now_ns: int) -> int:
        """A fill. Returns: 1 when the order is complete, -1 when it cannot be."""
        return int(events.on_fill(self._handle, self.slot(order_id), price, qty, now_ns))

    def done(self, order_id: int, status: OrderStatus, now_ns: int) -> None:
        """The order ended: CANCELLED, EXPIRED or FAILED."""
        events.on_done(self._handle, self.slot(order_id), int(status), now_ns)

    def amended(self, order_id: int, price: int, qty: int, now_ns: int) -> None:
        """The venue amended the order to this price and total."""
        events.on_amended(self._handle, self.slot(order_id), price, qty, now_ns)

    def amend_rejected(self, order_id: int, now_ns: int) -> None:
        """The venue refused an amend."""
        events.on_amend_rejected(self._handle, self.slot(order_id), now_ns)

    def cancel_rejected(self, order_id: int, now_ns: int) -> None:
        """The venue refused a cancel."""
        events.on_cancel_rejected(self._handle, self.slot(order_id), now_ns)

    def unknown(self, order_id: int, now_ns: int) -> None:
        """Nobody knows what became of the order."""
        events.on_unknown(self._handle, self.slot(order_id), now_ns)

    def dispatch_failed(self, order_id: int, reason: Reason) -> None:
        """The command just approved never left."""
        events.on_dispatch_failed(self._handle, self.slot(order_id), int(reason))

    def pnl(self, strategy_idx: int, pnl_money: int, now_ns: int) -> None:
        """A strategy's P&L since the run began."""
        control_kernels.on_pnl(self._handle, strategy_idx, pnl_money, now_ns)

    def market(self, instrument_idx: int, now_ns: int) -> None:
        """Look at one instrument's touch: feed gap and market move."""
        touch = self.touches[instrument_idx]
        control_kernels.on_market(self._handle, instrument_idx, touch, now_ns)

    def control(self, kind: ControlKind, code: int, value: int, now_ns: int) -> None:
        """One journaled control input."""
        control_kernels.control(self._handle, int(kind), int(code), int(value), now_ns)

    def position(self, account_idx: int, strategy_idx: int, instrument_idx: int) -> int:
        """Filled lots, signed."""
        leaf = events.leaf_of(self._handle, account_idx, strategy_idx, instrument_idx)
        return 0 if leaf < 0 else int(self.state.leaves[leaf]["net_qty"])

    def working(self, account_idx: int, instrument_idx: int, side: Side) -> list[int]:
        """Ids of working orders of one side, newest first."""
        n_instruments = len(self.state.instruments)
        slot = int(self.state.heads[(account_idx * n_instruments + instrument_idx) * 2 + side])
        ids = []
        while slot >= 0:
            ids.append(int(self.state.orders[slot]["order_id"]))
            slot = int(self.state.orders[slot]["next_slot"])
        return ids

    def prove(self) -> None:
        """Raises: InvariantError naming every broken invariant."""
        found = check(self.state)
        if found:
            raise InvariantError("; ".join(found))

    def snapshot(self) -> dict[str, np.ndarray]:
        """A copy of the state."""
        return snapshot(self.state)

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Back to a snapshot."""
        restore(self.state, saved)
