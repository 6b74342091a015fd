"""The door of the gateway for compiled callers: every kernel, taking the state itself.

Each is merged into its caller and enters with one pointer (`tables.enter`), so a call costs nothing
beyond its work. The steps are in `steps`, venue answers in `events`, other inputs in `control`.
"""

import numpy as np

from hft.core.jit import kernel
from hft.gateway import alerts as _alerts
from hft.gateway import control as _control
from hft.gateway import events as _events
from hft.gateway import steps as _steps
from hft.gateway import trips as _trips
from hft.gateway.rows import Row
from hft.gateway.state import GatewayState
from hft.gateway.tables import enter


@kernel(inline=True)
def decide(gw: GatewayState, intent: np.ndarray, touch: np.ndarray, now_ns: int) -> int:
    """All seven steps for one intent; see `steps.decide`. Returns: a `Reason` value, 0 approved.

    Dispatch only with gw.decision[0]["slot"] >= 0: a replayed approval must not be sent again.
    """
    return _steps.decide(enter(gw), intent, touch, now_ns)


@kernel(inline=True)
def evaluate(gw: GatewayState, intent: np.ndarray, touch: np.ndarray, now_ns: int) -> int:
    """Steps 1 to 6: for a caller that commits only once its enqueue succeeded."""
    return _steps.evaluate(enter(gw), intent, touch, now_ns)


@kernel(inline=True)
def commit_approved(gw: GatewayState, now_ns: int) -> None:
    """Step 7 after `evaluate`."""
    _steps.commit_approved(enter(gw), now_ns)


@kernel(inline=True)
def find_order(gw: GatewayState, order_id: int) -> int:
    """The slot of a working order, or -1."""
    return _events.find_order(enter(gw), order_id)


@kernel(inline=True)
def leaf_of(gw: GatewayState, account_idx: int, strategy_idx: int, instrument_idx: int) -> int:
    """The row of a leaf, or -1."""
    return _events.leaf_of(enter(gw), account_idx, strategy_idx, instrument_idx)


@kernel(inline=True)
def on_ack(gw: GatewayState, slot: int, now_ns: int) -> int:
    """The venue accepted a NEW."""
    return _events.on_ack(enter(gw), slot, now_ns)


@kernel(inline=True)
def on_amended(gw: GatewayState, slot: int, price: int, qty: int, now_ns: int) -> int:
    """The venue amended an order to `price` and total `qty`."""
    return _events.on_amended(enter(gw), slot, price, qty, now_ns)


@kernel(inline=True)
def on_amend_rejected(gw: GatewayState, slot: int, now_ns: int) -> int:
    """The venue refused an AMEND."""
    return _events.on_amend_rejected(enter(gw), slot, now_ns)


@kernel(inline=True)
def on_cancel_rejected(gw: GatewayState, slot: int, now_ns: int) -> int:
    """The venue refused a CANCEL."""
    return _events.on_cancel_rejected(enter(gw), slot, now_ns)


@kernel(inline=True)
def on_fill(gw: GatewayState, slot: int, price: int, qty: int, now_ns: int) -> int:
    """A fill. Returns: 1 complete (slot freed), 0 still working, -1 impossible and counted."""
    return _events.on_fill(enter(gw), slot, price, qty, now_ns)


@kernel(inline=True)
def on_done(gw: GatewayState, slot: int, status: int, now_ns: int) -> int:
    """The order ended: CANCELLED, EXPIRED or FAILED."""
    return _events.on_done(enter(gw), slot, status, now_ns)


@kernel(inline=True)
def on_unknown(gw: GatewayState, slot: int, now_ns: int) -> int:
    """The outcome of an order is unknown."""
    return _events.on_unknown(enter(gw), slot, now_ns)


@kernel(inline=True)
def on_dispatch_failed(gw: GatewayState, slot: int, reason: int) -> int:
    """The command just approved never left."""
    return _events.on_dispatch_failed(enter(gw), slot, reason)


@kernel(inline=True)
def on_pnl(gw: GatewayState, strategy_idx: int, pnl_money: int, now_ns: int) -> int:
    """A strategy's P&L since the run began. Returns: 1 when policy changed."""
    return _control.on_pnl(enter(gw), strategy_idx, pnl_money, now_ns)


@kernel(inline=True)
def on_market(gw: GatewayState, instrument_idx: int, touch: np.ndarray, now_ns: int) -> int:
    """Watch one instrument for feed gap and market move. Returns: 1 when policy changed."""
    return _control.on_market(enter(gw), instrument_idx, touch, now_ns)


@kernel(inline=True)
def set_mode(gw: GatewayState, owner: int, mode: int, now_ns: int) -> None:
    """Set one owner's mode."""
    _control.set_mode(enter(gw), owner, mode, now_ns)


@kernel(inline=True)
def kill(gw: GatewayState, scope: int, index: int, on: int, now_ns: int) -> None:
    """Trip or reset the kill latch of a scope, or the kill byte."""
    _control.kill(enter(gw), scope, index, on, now_ns)


@kernel(inline=True)
def control(gw: GatewayState, kind: int, code: int, value: int, now_ns: int) -> int:
    """One journaled control input."""
    return _control.control(enter(gw), kind, code, value, now_ns)


@kernel(inline=True)
def trip_intents(
    gw: GatewayState, touches: np.ndarray, out: np.ndarray, next_id: int, now_ns: int
) -> int:
    """The CANCELs and FORCE_FLATs that tripped breakers still ask for. Returns: how many."""
    return _trips.trip_intents(enter(gw), touches, out, next_id, now_ns)


@kernel(inline=True)
def take_alert(gw: GatewayState) -> Row:
    """The oldest row that says what a guard did and that nobody has taken."""
    return _alerts.take(enter(gw))
