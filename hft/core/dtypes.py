"""Rows that cross a boundary of the kernel, as numpy record types; every field is int64.

Units: `price` ticks, `qty` lots, `_ns` nanoseconds since the epoch, `_money` units of 10^-k of the
settlement currency, `_idx` a row of a table. One comment per field that its name does not explain.
"""

from typing import Any

import numpy as np

Row = Any  # one record of a structured array; numpy has no type for it


def _row(*names: str) -> np.dtype:
    return np.dtype([(name, np.int64) for name in names], align=True)


# What a strategy wants (contract 2.1). An order's id is the intent_id of the NEW that made it.
INTENT = _row(
    "intent_id",
    "strategy_idx",
    "account_idx",
    "instrument_idx",
    "intent_type",  # IntentType
    "side",
    "price",  # ticks; 0 with IOC or FOK means MARKET
    "qty",  # NEW: lots; AMEND: the new total
    "tif",
    "order_type",
    "target_id",  # AMEND, CANCEL: the order's id
    "timestamp_ns",  # when the strategy decided
    "source_ts_ns",  # the market event it reacted to
    "ttl_ns",  # 0: no expiry
    "expire_ts_ns",  # GTD
    "key_hi",  # 128-bit idempotency key, both halves 0: no dedup
    "key_lo",
    "parent_id",
    "stop_price",
    "display_qty",
)

# What the gateway answered (contract 2.3); `measured` and `limit` belong to the refusing check.
DECISION = _row(
    "intent_id",
    "reason",
    "cmd_id",
    "slot",  # row of the order table, -1 when refused
    "price",  # the price every check used (a market order: the opposite touch)
    "qty",
    "measured",
    "limit",
    "policy_mode",
    "decided_ns",
    "replayed",  # 1: the stored decision of an earlier intent with the same key
    "deadline_ns",
)

# The market as the gateway and strategies see it, one row an instrument, delayed by feed latency.
TOUCH = _row(
    "bid_tick",
    "ask_tick",
    "bid_lots",
    "ask_lots",
    "valid",  # 1: both sides quoted, not crossed, snapshot complete
    "ts_ns",  # receive time of the newest row
    "last_trade_tick",
    "last_trade_lots",
    "last_trade_side",
    "traded_lots",  # since the run began
    "rows",  # rows seen
    "phase",  # StatusCode of the session
)

# A working order as we know it: the gateway's reservation and the last acknowledged state.
ORDER = _row(
    "order_id",  # 0: the slot is free
    "strategy_idx",
    "account_idx",
    "instrument_idx",
    "leaf_idx",
    "side",
    "price",  # ticks, as last acknowledged (or sent, before the first acknowledgement)
    "qty",  # total lots
    "filled_qty",
    "tif",
    "order_type",
    "status",  # OrderStatus
    "request",  # what is in flight: -1 nothing, else IntentType
    "request_price",
    "request_qty",
    "reserved_money",  # notional still held for the unfilled part
    "held_qty",  # lots still held on the leaf's side
    "cmd_id",
    "sent_ns",
    "acked_ns",
    "expire_ts_ns",
    "parent_id",
    "next_slot",  # intrusive list of one account, instrument and side; of a free slot the next one
    "prev_slot",
)

# Where the order rests as the venue knows it; same slot as ORDER.
RESTING = _row(
    "order_id",  # 0: nothing rests here
    "instrument_idx",
    "side",
    "price",
    "open_qty",
    "ahead_qty",  # queue ahead, in lots (may be negative inside a model's step)
    "ahead_micro",  # fractional queue ahead, in 1e-6 lots, for the probability models
    "traded_qty",  # traded at the level since the last depth change (probability models)
    "priority",  # L3: sequence number at arrival
    "tif",
    "expire_ts_ns",
    "total_qty",  # open and filled together, as the venue was last told
    "next_slot",
    "prev_slot",
    "arrived_ns",
)

# A message between us and the venue, in one of two one-way queues.
MESSAGE = _row(
    "ts_ns",  # when it arrives
    "kind",  # commands: IntentType; responses: ResponseKind
    "slot",
    "order_id",
    "price",
    "qty",
    "cmd_id",
    "reason",
    "exch_ns",  # when the venue acted (responses) or we sent (commands)
    "liquidity",
    "deadline_ns",
    "fill_id",
    "strategy_idx",  # commands: of the order they are about
    "instrument_idx",
    "side",
)

FILL = _row(
    "fill_id",
    "order_id",
    "cmd_id",
    "account_idx",
    "strategy_idx",
    "instrument_idx",
    "side",
    "price",
    "qty",
    "fee_money",
    "realized_money",
    "liquidity",
    "exch_ts_ns",
    "local_ts_ns",
    "mid2",  # bid + ask ticks at the venue when it happened, for markouts
    "position_qty",  # after the fill
)

# One record per step of the journal (contract 2.4).
STEP = _row(
    "seq",
    "ts_ns",
    "kind",  # StepKind
    "strategy_idx",
    "instrument_idx",
    "order_id",
    "code",  # Reason, ResponseKind, WakeCause or ControlKind, by kind
    "side",
    "price",
    "qty",
    "aux0",  # DECISION: intent type; FILL and RESPONSE: liquidity; WAKE: intents written
    "aux1",  # DECISION: measured; FILL: fill id
    "aux2",  # DECISION: limit; FILL: fee
    "rows",  # tape rows of the listened instruments seen by the venue so far
    "mix_lo",  # running digest after the step
    "mix_hi",
)

# An instrument resolved to integers.
INSTRUMENT = _row(
    "inverse",  # 0 linear, 1 inverse
    "money_per_tick_lot",  # linear: money of one lot moving one tick; even: half ticks are whole
    "value_numerator",  # inverse: value money = round(qty * value_numerator / price)
    "notional_per_lot",  # inverse: quote notional of one lot in money-like units; linear: 0
    "max_price",  # ticks
    "maker_fee_e8",  # fraction of notional in 1e-8; negative is a rebate
    "taker_fee_e8",
    "fee_per_lot_money",
    "fee_per_order_money",
    "symbol_key",  # first 8 bytes of a hash of the symbol, for digests
)
