"""Rows that cross a boundary of the kernel, as numpy record types; fields are int64 but in STEP.

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
    "open_ns",  # by the calendar: when the hours we are in, or were in last, began
    "end_ns",  # when the session ends; 0 between two, FOREVER without a calendar
    "turn_ns",  # when phase and end have to be looked up again
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
    "reserved_money",  # notional still held for the unfilled part
    "held_qty",  # lots still held on the leaf's side
    "cmd_id",
    "sent_ns",
    "expire_ts_ns",
    "refused_ns",  # when the venue last refused to cancel it; 0 never
    "next_slot",  # intrusive list of one account, instrument and side; of a free slot the next one
    "prev_slot",
)

# Where the order rests as the venue knows it; same slot as ORDER.
RESTING = _row(
    "order_id",  # 0: nothing rests here
    "instrument_idx",
    "account_idx",
    "side",
    "price",
    "open_qty",
    "ahead_micro",  # what stands before it, in 1e-6 lots
    "traded_qty",  # traded at the level since the last depth change (probability models)
    "priority",  # L3: sequence number at arrival
    "tif",
    "expire_ts_ns",
    "total_qty",  # open and filled together, as the venue was last told
    "next_slot",
    "prev_slot",
)

# An approved command on its way to the venue.
COMMAND = _row(
    "ts_ns",  # when it arrives
    "kind",  # IntentType
    "slot",
    "order_id",
    "strategy_idx",  # of the order it is about, as the next two
    "instrument_idx",
    "side",
    "price",
    "qty",
    "cmd_id",
    "sent_ns",
    "deadline_ns",  # 0: none
)

# What the venue says of an order, on its way to us.
ANSWER = _row(
    "ts_ns",  # when it arrives
    "kind",  # ResponseKind
    "slot",
    "order_id",
    "price",
    "qty",
    "reason",  # Reason of a refusal
    "acted_ns",  # when the venue did what it tells
    "due_ns",  # when it would arrive by itself; it may have to wait for one ahead of it
    "liquidity",  # of a fill, as the next two
    "fill_id",
    "mid2",  # bid + ask ticks at the venue when it filled, for markouts; 0: a side was empty
    "copy",  # 1: said once before; journaled, never applied
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

_STEP_FIELDS: dict[str, Any] = {
    "seq": np.int64,
    "ts_ns": np.int64,
    "kind": np.int64,  # StepKind
    "order_id": np.int64,  # the order, or the intent that would make it; 0: about none
    "target_id": np.int64,  # DECISION: the order that an amend or a cancel is about
    "wake": np.int64,  # WAKE: the strategy's wake-ups so far
    "price": np.int64,
    "qty": np.int64,
    "cmd_id": np.int64,
    "fill_id": np.int64,
    "fee_money": np.int64,  # RESPONSE: of a fill
    "measured": np.int64,  # what a refusing check or a guard measured
    "limit": np.int64,  # against what
    "value": np.int64,  # CONTROL: the input's value
    "rows": np.int64,  # tape rows of the listened instruments seen by the venue so far
    "mix_lo": np.int64,  # running digest after the step
    "mix_hi": np.int64,
    "strategy_idx": np.int32,  # -1: about none, as the next
    "instrument_idx": np.int32,
    "target": np.int32,  # CONTROL: see `gateway.control.control`; GUARD: the strategy or account
    "intents": np.int32,  # WAKE: intents written
    "lost": np.int32,  # WAKE: intents beyond the buffer
    "code": np.int16,  # what happened, as the kind's own enum; see `StepKind`
    "side": np.int16,  # -1: none, as the next four
    "intent_type": np.int16,
    "order_type": np.int16,
    "tif": np.int16,
    "liquidity": np.int16,
    "ignored": np.int16,  # RESPONSE 1: said before, or of an order that has ended; not applied
    "guard": np.int16,  # GUARD: gateway.rows.Guard
    "scope": np.int16,  # GUARD: gateway.rows.KillScope
    "state": np.int16,  # GUARD: the state it is in now, 0 normal
}
# One record per step of the journal (contract 2.4); a field that its kind does not name is blank.
STEP = np.dtype(list(_STEP_FIELDS.items()), align=True)

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
