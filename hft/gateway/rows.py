"""Record types of the gateway's state; every field is int64.

One row per key for tables that are looked up (dedup, leaves), scalars in one-row tables. A limit of
`INSTRUMENT_LIMIT` or `CONFIG` is off at -1, unless a comment says that 0 is.
Units: `_money` units of the settlement currency, `_ns` nanoseconds, `_qty` lots, prices ticks.
"""

from enum import IntEnum
from typing import Any

import numpy as np

from hft.core.jit import kernel, seldom

# One row of a table below, inside a kernel: a numba record, or numpy's with JIT off.
Row = Any

MODE_OWNER_OPERATOR = 0
MODE_OWNER_DEGRADED = 1
MODE_OWNER_STRATEGY = 16  # plus the strategy's index


class Guard(IntEnum):
    """Who watches: what trips, storms, or holds a strategy back."""

    BREAKER = 0
    STORM_GUARD = 1
    REPEATED_EXECUTION = 2


class GuardCause(IntEnum):
    """Why a guard acts; the first five are those of a breaker, the gravest last."""

    NONE = 0
    POSITION = 1
    MARKET_MOVE = 2
    LOSS = 3
    MANUAL = 4
    DRAWDOWN = 5
    FEED_GAP = 6
    LATENCY = 7
    REPEATED_EXECUTION = 8


class KillScope(IntEnum):
    """Code of a KILL control: scope + 16 x index; BYTE is the kill byte of shared memory."""

    GLOBAL = 0
    ACCOUNT = 1
    STRATEGY = 2
    SYMBOL = 3
    BYTE = 9


@kernel
def because(d: Row, measured: int, limit: int) -> bool:
    """Say in the decision what a check measured and against what; written only by one that fails.

    Returns: true, so that a check reads `fails and because(...)`. Mutates: d.
    """
    seldom()
    d["measured"] = measured
    d["limit"] = limit
    return True


def _row(*names: str) -> np.dtype:
    return np.dtype([(name, np.int64) for name in names], align=True)


# What moves: totals, cursors, counters and the inputs of policy.
HEAD = _row(
    "cmd_id",
    "reserved_money",
    "settled_money",
    "live_orders",
    "order_count",  # slots ever used
    "order_free",  # chain of freed slots by `next_slot`, 0 none, else slot + 1
    "dedup_row",  # of the intent being decided, -1 none
    "dedup_count",
    "lru_recent",  # decided dedup rows, most recent first; -1 none
    "lru_oldest",
    "leaf_count",  # rows ever used
    "leaf_free",  # chain of freed leaf rows, 0 none, else row + 1
    "gates",  # restrictive inputs of policy; 0 lets `policy.gate` return, -1: not counted yet
    "holdoff_until_ns",
    "recovering",
    "operator_mode",
    "degraded",
    "kill_byte",
    "storms",  # storm rows that are not NORMAL
    "trips",  # breaker rows that are tripped
    "leader",
    "fence",
    "venue_up",
    "pnl_money",  # all strategies, today
    "loss_breached",  # 1 while today's P&L is at or below the daily loss
    "cancel_count",  # entries of `cancels` that the engine must dispatch
    "exempt",  # 1: the intent just decided reduces risk (or is a CANCEL)
    "actions",  # trips whose cancels and closes are not taken yet
    "now_ns",
    "orders_checked",
    "orders_rejected",
    "dedup_hits",
    "position_breaches",
    "rate_breaches",
    "invariant_failures",
    "fills",
    "latency_ns",  # of a decision, before its command leaves
    "unknown_orders",
    "alerts",  # ALERT rows ever written
    "alerts_taken",
)

# What stays between two changes of the limits.
CONFIG = _row(
    "n_accounts",
    "n_strategies",
    "n_instruments",
    "order_max",
    "dedup_capacity",
    "dedup_ttl_ns",  # 0 off
    "leaf_capacity",
    "leaf_mask",
    "global_notional_max",  # 0 off
    "fast_gate",
    "cap_only",
    "self_trade_mode",
    "degrade_on_storm",
    "require_promotion",
    "daily_loss_max",
    "capital_money",
    "repeated_count",  # 0 off
    "repeated_window_ns",
    "storm_warm_money",  # thresholds are losses, so positive; -1 off
    "storm_storm_money",
    "storm_halt_money",
    "drawdown_warm_ppm",
    "drawdown_storm_ppm",
    "drawdown_halt_ppm",
    "latency_warm_ns",
    "latency_storm_ns",
    "storm_cooldown_ns",
    "storm_clear_count",
    "breaker_move_bps",
    "breaker_window_ns",
    "breaker_reset_ns",
    "close_on_trip",
    "limit_factor_e4",
    "command_deadline_ns",
    "limits_hash",
    "seed",
)

# One row an instrument, in force now (the base rows keep the file's values for degraded mode).
INSTRUMENT_LIMIT = _row(
    "price_bound",  # above it a product could overflow
    "qty_bound",
    "fast_price_max",
    "fast_qty_max",
    "price_cap",
    "band_ticks",
    "band_bps",  # 0 off; the wider of ticks and bps binds
    "reference_age_ns",
    "order_size_max",
    "long_max",
    "short_max",
    "notional_max",
    "restricted",
    "feed_gap_ns",
    "rate_per_s",  # 0 off
    "rate_per_min",
)

STRATEGY = _row(
    "reserved_money",
    "settled_money",
    "notional_max",  # 0 off, as the next two
    "leaf_notional_max",
    "net_qty_max",
    "order_notional_max",  # negative off; in force now, as the next without degraded mode
    "full_order_notional_max",
    "weight_ppm",  # promotion weight, 1 000 000 = 1
    "bound",  # 1: bound to an alpha that needs a promotion
    "critical",
    "mode",
    "repeated",  # 1: degraded by repeated execution
    "pnl_money",  # as fed, since the run began
    "day_base_money",
    "peak_money",
    "rate_per_s",
    "rate_per_min",
)

LEAF = _row(
    "key",  # (account x strategies + strategy) x instruments + instrument + 1; 0: free
    "net_qty",
    "open_buy_qty",
    "open_sell_qty",
    "reserved_money",
    "settled_money",
    "free_next",
    "instrument_idx",
    "refused_ns",  # when a FORCE_FLAT of it was refused, or ended with nothing filled
    "closing_id",  # the newest FORCE_FLAT
)

# What all accounts and strategies together hold of one instrument.
SYMBOL = _row("reserved_money", "settled_money")

DEDUP = _row(
    "key_hi",
    "key_lo",
    "payload",
    "outcome",  # DedupState + reason x 4 + cmd_id x 4096
    "ts_ns",  # last state change
    "older",  # neighbours among decided rows, -1 none
    "newer",
    "spare",  # 64 bytes: with rows on line boundaries a key is one line
)

# True sliding windows over one ring of the last times.
RATE = _row("per_s", "per_min", "size", "start", "cursor", "count", "full_per_s", "full_per_min")

# One machine a strategy, one an instrument (feed gap), one for the gateway (latency).
STORM = _row("state", "clear_count", "since_ns", "level")

BREAKER = _row(
    "tripped",
    "tripped_at_ns",
    "cause",
    "latched",
    "reset_after_ns",
    "detail_idx",
    "taken",
)

# What a guard did: see `hft.gateway.alerts`.
ALERT = _row(
    "ts_ns",
    "guard",  # Guard
    "scope",  # KillScope
    "index",  # of the account, strategy or instrument
    "state",  # breaker 1 tripped, 0 reset; storm guard: StormGuardState; repeated 1, 0
    "cause",  # GuardCause; of a reset what it had tripped for
    "measured",
    "limit",
)

# The mids of the last window, one a second at most, for the market-move breaker.
# Mids of the last window in a ring of samples; `low2` and `high2` are a window-old mid with the
# threshold on both sides, good until `turn_ns`.
MOVE = _row("start", "count", "moved", "turn_ns", "low2", "high2")

# An amend in `in_flight`; what is below counts cancels. One field, so that HOLD is a cache line.
ONE_AMEND = 1 << 32

# Beside ORDER, same slot: what an amend in flight may make of the order, and its latest key.
HOLD = _row(
    "in_flight",  # amends in flight times ONE_AMEND, and cancels
    "price",  # the largest price asked for by them
    "price_low",  # and the smallest
    "qty",  # the largest total
    "key_hi",
    "key_lo",
    "payload",
    "request_cmd_id",  # of the newest command about the order
)

# The question being decided, priced.
REQUEST = _row(
    "kind",
    "side",
    "price",
    "qty",  # lots of the order as asked
    "market",
    "slot",  # AMEND, CANCEL: the target, -1 unknown
    "instrument_idx",
    "strategy_idx",
    "account_idx",
    "leaf_idx",  # -1: not there yet
    "notional_money",  # of the whole order
    "add_qty",  # what would be held beyond what is held now
    "add_money",
    "saturated",  # 1: beyond the bounds, notional is a stand-in larger than any limit
    "proven",  # reduces the position by the proof of contract 3.4
    "lowers",  # an AMEND that only lowers quantity
    "reach",  # the farthest price it could trade at; a market order knows none
    "passive",  # a post-only order: it expires rather than trade, so it cannot trade with us
    "was_request",  # AMEND, CANCEL: what was in flight of the target, should this never leave
    "was_price",  # AMEND: and what its hold was
    "was_low",
    "was_qty",
)

CANCELS_MAX = 256  # crossed orders one intent may have cancelled
MOVE_SAMPLES = 64
