"""Thin views of one gateway's state under the contract's names: keys, exposure, policy, risk.

They read and call the same kernels on the same arrays as `Gateway`; none keeps anything of its own.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from hft.core.codes import ControlKind, DedupState, PolicyMode, Reason
from hft.core.dtypes import INTENT
from hft.core.errors import ExposureLimitError
from hft.gateway import dedup, events, exposure, framing, policy, rows, tables
from hft.gateway.gateway import Gateway


def key_of_text(key: str) -> tuple[int, int]:
    """The 128-bit form of an idempotency key (BLAKE2b) as two int64; empty text is no key."""
    if not key:
        return 0, 0
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    high = int.from_bytes(digest[:8], "big", signed=True)
    return high, int.from_bytes(digest[8:], "big", signed=True)


class DedupRecord(NamedTuple):
    """What is known of one key; `approved` is None while the outcome is open."""

    state: DedupState
    approved: bool | None
    reason_code: Reason
    cmd_id: int
    ts_ns: int
    payload_hash: int


IdempotencyRecord = DedupRecord


class IdempotencyStore:
    """The dedup window of a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._state = gateway.state
        self._gw = tables.handle(gateway.state)

    def __len__(self) -> int:
        return int(self._state.head[0]["dedup_count"])

    def get(self, key: str) -> DedupRecord | None:
        """The record of a key, without touching it."""
        high, low = key_of_text(key)
        index = int(dedup.find(self._gw, high, low)) if key else -1
        if index < 0:
            return None
        row = self._state.dedup[index]
        outcome = int(row["outcome"])
        state = DedupState(dedup.state_of(outcome))
        approved = {DedupState.APPROVED: True, DedupState.REJECTED: False}.get(state)
        reason = Reason(dedup.reason_of(outcome))
        return DedupRecord(
            state, approved, reason, dedup.cmd_of(outcome), int(row["ts_ns"]), int(row["payload"])
        )

    def check_or_reserve(
        self, key: str, payload_hash: int, now_ns: int
    ) -> DedupRecord | Reason | None:
        """None after reserving (or without a key), the stored record, or a 1xx reason."""
        answer = int(dedup.check_or_reserve(self._gw, *key_of_text(key), payload_hash, now_ns))
        if answer == dedup.REPLAYED:
            return self.get(key)
        return Reason(answer) if answer else None

    def commit(self, key: str, approved: bool, reason: Reason, cmd_id: int, now_ns: int) -> None:
        """Decide a key, with or without a reservation; a no-op without a key."""
        hold = np.zeros(1, rows.HOLD)[0]
        hold["key_hi"], hold["key_lo"] = key_of_text(key)
        state = DedupState.APPROVED if approved else DedupState.REJECTED
        dedup.commit_key(self._gw, hold, int(state), int(reason), cmd_id, now_ns)


class Leaf(NamedTuple):
    """Position and open quantity of (account, strategy, instrument); money in units."""

    net_qty: int
    open_buy_qty: int
    open_sell_qty: int
    reserved_money: int
    settled_money: int


class ExposureStore:
    """What is held and what is settled."""

    def __init__(self, gateway: Gateway) -> None:
        self._state = gateway.state
        self._gw = tables.handle(gateway.state)

    def leaf(self, account_idx: int, strategy_idx: int, instrument_idx: int) -> Leaf:
        """A leaf's numbers; zeros where nothing was ever held."""
        index = int(events.leaf_of(self._gw, account_idx, strategy_idx, instrument_idx))
        row = self._state.leaves[index]
        return Leaf(*(int(row[name]) for name in Leaf._fields))

    def ensure(self, account_idx: int, strategy_idx: int, instrument_idx: int) -> int:
        """The leaf's row, made when absent. Raises: ExposureLimitError at capacity."""
        index = int(events.leaf_of(self._gw, account_idx, strategy_idx, instrument_idx))
        if index >= 0:
            return index
        config = self._state.config[0]
        key = exposure.leaf_key(config, account_idx, strategy_idx, instrument_idx)
        index = int(exposure.add_leaf(self._gw, int(key)))
        if index < 0:
            raise ExposureLimitError(
                f"{config['leaf_capacity']} leaves are in use; raise HFT_EXPOSURE_MAX_SYMBOLS"
            )
        return index

    @property
    def reserved_money(self) -> int:
        return int(self._state.head[0]["reserved_money"])

    @property
    def settled_money(self) -> int:
        return int(self._state.head[0]["settled_money"])

    def stale(self, now_ns: int, age_ns: int) -> list[int]:
        """Ids of orders whose hold is older than `age_ns`: to be reported, never freed silently."""
        orders = self._state.orders
        old = (orders["order_id"] > 0) & (now_ns - orders["sent_ns"] > age_ns)
        return sorted(int(order_id) for order_id in orders["order_id"][old])


class GatewayPolicy:
    """The operator's mode, and what the gate says of an intent."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._gw = tables.handle(gateway.state)

    def _set(self, mode: PolicyMode, now_ns: int) -> None:
        self._gateway.control(ControlKind.MODE, rows.MODE_OWNER_OPERATOR, int(mode), now_ns)

    def set_normal(self, now_ns: int) -> None:
        """Clear the operator's own input; storm guard and breaker stay as they are."""
        self._set(PolicyMode.NORMAL, now_ns)

    def set_degrade(self, now_ns: int) -> None:
        """Only cancels and orders that reduce a position."""
        self._set(PolicyMode.DEGRADE, now_ns)

    def set_halt(self, now_ns: int) -> None:
        """As degrade, and named a halt."""
        self._set(PolicyMode.HALT, now_ns)

    def gate(self, now_ns: int, **fields: int) -> Reason:
        """What this step answers to an intent."""
        state = self._gateway.state
        intent, request = np.zeros(1, INTENT)[0], np.zeros(1, rows.REQUEST)[0]
        for name, value in fields.items():
            intent[name] = value
        touch = self._gateway.touches[intent["instrument_idx"]]
        framing.frame(self._gw, state.config[0], intent, touch, request)
        strategy = state.strategies[intent["strategy_idx"]]
        return Reason(int(policy.gate(self._gw, state.head[0], strategy, request, now_ns)))


class RiskEngine:
    """The counters of contract 3.6, and every failing check of an intent."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def counters(self) -> dict[str, float]:
        """Integer counters, and the share refused in per cent."""
        head = self._gateway.state.head[0]
        names = ("orders_checked", "orders_rejected", "position_breaches", "rate_breaches")
        out: dict[str, float] = {name: int(head[name]) for name in names}
        checked = out["orders_checked"]
        out["rejection_rate_pct"] = 100 * out["orders_rejected"] / checked if checked else 0.0
        return out

    def evaluate(self, now_ns: int, **fields: int) -> list[Reason]:
        """Every reason that would refuse this intent now; empty means it would pass."""
        return [check.reason for check in self._gateway.explain(now_ns, **fields)]
