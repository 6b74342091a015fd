"""What a strategy can reach, as one record of addresses: the ground that view and order stand on.

The engine fills one CONTEXT per strategy; the functions here read and write through it. They are
the same functions whether a strategy is compiled, plain Python or a callback class, so all three
see and do the same. An address is an int64; the engine keeps the arrays alive.
"""

from typing import Any

import numpy as np
from numba import types

from hft.core.codes import IntentType, OrderType, Tif
from hft.core.dtypes import INTENT, ORDER, TOUCH
from hft.core.jit import kernel, record_at, table_view
from hft.core.pointer import caller_of
from hft.market import features
from hft.market.book import HEAD, NO_ASK, NO_BID, Books, level_lots, next_ask, next_bid
from hft.portfolio.positions import POSITION

INTENTS_MAX = 64
LOGS_MAX = 4096
SIGNALS_MAX = 8  # columns of joined signals an instrument may have

CONTEXT = np.dtype(
    [
        (name, np.int64)
        for name in (
            "now_ns",
            "wake",  # WakeCause
            "strategy_idx",
            "account_idx",
            "instruments",  # how many this strategy listens to
            "first_instrument",  # the run's index of view[0]
            "touch_at",
            "heads_at",
            "qty_at",
            "qty_len",
            "bits_at",
            "bits_len",
            "orders_at",
            "orders_len",
            "working_at",  # heads of the gateway's (account, instrument, side) lists
            "working_len",
            "total_instruments",
            "positions_at",  # this strategy's POSITION rows, by instrument
            "intents_at",
            "intents",  # written in this wake-up
            "intents_lost",  # beyond the buffer, this wake-up
            "next_id",  # address of the run's next intent id
            "logs_at",
            "logs",  # written in the run
            "ttl_ns",
            "traded_at",  # address of traded lots per instrument at the last wake-up
            "params_at",
            "state_at",
            "tick_sizes_at",  # float64 per instrument
            "signals_at",  # SIGNAL rows, SIGNALS_MAX per instrument
            "engine_at",  # where the view's books may be behind, 0: they are not
            "catch_up_at",  # what brings them up to what has reached us
        )
    ],
    align=True,
)
LOG = np.dtype([("ts_ns", np.int64), ("code", np.int64), ("value", np.float64)], align=True)

# The newest value of one column of signals that has reached us, and its own time; 0: none has.
SIGNAL = np.dtype([("ts_ns", np.int64), ("value_e9", np.int64)], align=True)

TOUCH_BYTES = TOUCH.itemsize
HEAD_BYTES = HEAD.itemsize
ORDER_BYTES = ORDER.itemsize
POSITION_BYTES = POSITION.itemsize
INTENT_BYTES = INTENT.itemsize
LOG_BYTES = LOG.itemsize
SIGNAL_BYTES = SIGNAL.itemsize

# What brings the books of a view up: the address of its engine -> 0.
CATCH_UP = types.int64(types.int64)
_catch_up = caller_of(CATCH_UP)

context_at = record_at(CONTEXT)
_touch_at = record_at(TOUCH)
_head_at = record_at(HEAD)
_order_at = record_at(ORDER)
_position_at = record_at(POSITION)
_intent_at = record_at(INTENT)
_log_at = record_at(LOG)
_signal_at = record_at(SIGNAL)
_ints = table_view(np.dtype(np.int64))
_heads = table_view(HEAD)
_floats = table_view(np.dtype(np.float64))

_NEW = IntentType.NEW.value
_AMEND = IntentType.AMEND.value
_CANCEL = IntentType.CANCEL.value
_MARKET = OrderType.MARKET.value
_LIMIT = OrderType.LIMIT.value
_GTC = Tif.GTC.value
_GTX = Tif.GTX.value
_IOC = Tif.IOC.value


@kernel
def touch_of(address: int, idx: int) -> Any:
    """The TOUCH row of the strategy's instrument `idx`."""
    context = context_at(address)
    return _touch_at(context["touch_at"] + (context["first_instrument"] + idx) * TOUCH_BYTES)


@kernel
def position_of(address: int, idx: int) -> Any:
    """The POSITION row of the strategy's instrument `idx`."""
    context = context_at(address)
    row = context["first_instrument"] + idx
    return _position_at(context["positions_at"] + row * POSITION_BYTES)


@kernel
def tick_size(address: int, idx: int) -> float:
    """The instrument's tick in real units, to look at."""
    context = context_at(address)
    row = context["first_instrument"] + idx
    return _floats(context["tick_sizes_at"], context["total_instruments"])[row]


@kernel
def traded_since_wake(address: int, idx: int) -> int:
    """Lots traded on the tape since this strategy's last wake-up."""
    context = context_at(address)
    before = _ints(context["traded_at"], context["total_instruments"])
    return touch_of(address, idx)["traded_lots"] - before[context["first_instrument"] + idx]


@kernel
def signal_of(address: int, idx: int, k: int) -> Any:
    """The SIGNAL row of column `k` of an instrument. Raises: IndexError."""
    if k < 0 or k >= SIGNALS_MAX:
        raise IndexError("there is no such column of signals")
    context = context_at(address)
    row = (context["first_instrument"] + idx) * SIGNALS_MAX + k
    return _signal_at(context["signals_at"] + row * SIGNAL_BYTES)


@kernel
def view_book(address: int, idx: int) -> Any:
    """The HEAD row of the view's book of an instrument, brought up to what has reached us."""
    context = context_at(address)
    if context["engine_at"] != 0:
        _catch_up(context["catch_up_at"], (context["engine_at"],))
    row = 2 * (context["first_instrument"] + idx) + 1
    return _head_at(context["heads_at"] + row * HEAD_BYTES)


@kernel
def view_books(address: int) -> Books:
    """The tables of levels that a book of the view leads into."""
    context = context_at(address)
    return Books(
        _heads(context["heads_at"], 1),
        _ints(context["qty_at"], context["qty_len"]),
        _ints(context["bits_at"], context["bits_len"]),
    )


@kernel
def depth_tick(address: int, idx: int, side: int, k: int) -> int:
    """The k-th best non-empty tick of one side of the view, NO_BID or NO_ASK beyond the last."""
    head = view_book(address, idx)
    books = view_books(address)
    tick = head["bid"] if side == 0 else head["ask"]
    for _ in range(k):
        if tick == NO_BID or tick == NO_ASK:
            return tick
        tick = next_bid(books, head, tick) if side == 0 else next_ask(books, head, tick)
    return tick


@kernel
def depth_lots(address: int, idx: int, side: int, k: int) -> int:
    """The quantity of the k-th best level of one side of the view, 0 beyond the last."""
    head = view_book(address, idx)
    books = view_books(address)
    tick = depth_tick(address, idx, side, k)
    if tick == NO_BID or tick == NO_ASK:
        return 0
    return level_lots(books, head, side, tick)


@kernel
def side_lots(address: int, idx: int, side: int, levels: int) -> int:
    """Lots of the best `levels` levels of one side of the view together."""
    head = view_book(address, idx)
    books = view_books(address)
    return features.side_lots(books, head, side, levels)


@kernel
def first_working(address: int, idx: int, side: int) -> int:
    """The slot of the first working order of the account on a side, -1 when there is none.

    A strategy may name a side that does not exist; it has no orders.
    """
    if side != 0 and side != 1:
        return -1
    context = context_at(address)
    row = context["account_idx"] * context["total_instruments"]
    row = (row + context["first_instrument"] + idx) * 2 + side
    return _ints(context["working_at"], context["working_len"])[row]


@kernel
def order_in(address: int, slot: int) -> Any:
    """The ORDER row in a slot."""
    return _order_at(context_at(address)["orders_at"] + slot * ORDER_BYTES)


@kernel
def next_working(address: int, slot: int) -> int:
    """The slot after this one in its side's list, -1 at the end."""
    return order_in(address, slot)["next_slot"]


@kernel
def is_own(address: int, slot: int) -> bool:
    """Does the order in this slot belong to this strategy?"""
    return order_in(address, slot)["strategy_idx"] == context_at(address)["strategy_idx"]


@kernel
def open_lots(address: int, idx: int, side: int) -> int:
    """Unfilled lots of this strategy's working orders on a side, requests in flight included."""
    total = 0
    slot = first_working(address, idx, side)
    while slot >= 0:
        row = order_in(address, slot)
        if is_own(address, slot):
            total += row["qty"] - row["filled_qty"]
        slot = row["next_slot"]
    return total


@kernel
def write_intent(
    address: int, idx: int, kind: int, side: int, price: int, lots: int, tif: int, order_type: int
) -> int:
    """Append one intent; returns its id, or -1 when the buffer is full (counted)."""
    context = context_at(address)
    if context["intents"] >= INTENTS_MAX:
        context["intents_lost"] += 1
        return -1
    row = _intent_at(context["intents_at"] + context["intents"] * INTENT_BYTES)
    ids = _ints(context["next_id"], 1)
    intent_id = ids[0]
    ids[0] = intent_id + 1
    context["intents"] += 1
    row["intent_id"] = intent_id
    row["strategy_idx"] = context["strategy_idx"]
    row["account_idx"] = context["account_idx"]
    row["instrument_idx"] = context["first_instrument"] + idx
    row["intent_type"] = kind
    row["side"] = side
    row["price"] = price
    row["qty"] = lots
    row["tif"] = tif
    row["order_type"] = order_type
    row["target_id"] = 0
    row["timestamp_ns"] = context["now_ns"]
    row["source_ts_ns"] = touch_of(address, idx)["ts_ns"]
    row["ttl_ns"] = context["ttl_ns"]
    row["expire_ts_ns"] = 0
    row["key_hi"] = context["strategy_idx"] + 1
    row["key_lo"] = intent_id
    row["parent_id"] = 0
    row["stop_price"] = 0
    row["display_qty"] = 0
    return intent_id


@kernel
def last_intent(address: int) -> Any:
    """The intent written last in this wake-up."""
    context = context_at(address)
    return _intent_at(context["intents_at"] + (context["intents"] - 1) * INTENT_BYTES)


@kernel
def new_order(
    address: int,
    idx: int,
    side: int,
    price: int,
    lots: int,
    tif: int,
    order_type: int,
    expires_ns: int,
) -> int:
    """A NEW intent; returns the order's id, -1 when the buffer is full."""
    intent_id = write_intent(address, idx, _NEW, side, price, lots, tif, order_type)
    if expires_ns > 0 and intent_id >= 0:
        last_intent(address)["expire_ts_ns"] = expires_ns
    return intent_id


@kernel
def cancel_order(address: int, idx: int, order_id: int) -> int:
    """A CANCEL intent for an order id."""
    intent_id = write_intent(address, idx, _CANCEL, 0, 0, 0, _GTC, _LIMIT)
    if intent_id >= 0:
        last_intent(address)["target_id"] = order_id
    return intent_id


@kernel
def amend_order(address: int, idx: int, order_id: int, price: int, lots: int) -> int:
    """An AMEND intent: new price and new total quantity of an order id."""
    intent_id = write_intent(address, idx, _AMEND, 0, price, lots, _GTC, _LIMIT)
    if intent_id >= 0:
        last_intent(address)["target_id"] = order_id
    return intent_id


@kernel
def cancel_side(address: int, idx: int, side: int) -> int:
    """Cancel own orders of a side that have no request in flight; returns how many still work."""
    still = 0
    slot = first_working(address, idx, side)
    while slot >= 0:
        row = order_in(address, slot)
        if is_own(address, slot):
            still += 1
            if row["request"] < 0:
                cancel_order(address, idx, row["order_id"])
        slot = row["next_slot"]
    return still


@kernel
def quote(address: int, idx: int, side: int, price: int, lots: int) -> None:
    """Keep exactly one order on a side at `price`; see `Order.quote`.

    Waits while a request of that side is in flight. A lower quantity at the same price is an
    AMEND, since that keeps priority; anything else is a CANCEL now and a NEW when it is gone.
    """
    keep = -1
    waiting = False
    slot = first_working(address, idx, side)
    while slot >= 0:
        row = order_in(address, slot)
        if is_own(address, slot):
            if row["request"] >= 0:
                waiting = True
            elif keep < 0 and lots > 0 and row["price"] == price:
                keep = slot
            else:
                cancel_order(address, idx, row["order_id"])
                waiting = True
        slot = row["next_slot"]
    if waiting or lots <= 0:
        return
    if keep < 0:
        new_order(address, idx, side, price, lots, _GTX, _LIMIT, 0)
        return
    row = order_in(address, keep)
    left = row["qty"] - row["filled_qty"]
    if lots < left:
        amend_order(address, idx, row["order_id"], price, row["filled_qty"] + lots)
    elif lots > left:
        cancel_order(address, idx, row["order_id"])


@kernel
def target(address: int, idx: int, lots: int, price: int, market: bool) -> None:
    """One order for the difference between `lots` and position plus working orders.

    Orders of the wrong side are cancelled first; nothing is sent while they are on their way out.
    """
    held = position_of(address, idx)["qty"]
    working = open_lots(address, idx, 0) - open_lots(address, idx, 1)
    gap = lots - held - working
    if gap == 0:
        return
    side = 0 if gap > 0 else 1
    if cancel_side(address, idx, 1 - side) > 0:
        return
    if market:
        new_order(address, idx, side, 0, abs(gap), _IOC, _MARKET, 0)
    else:
        new_order(address, idx, side, price, abs(gap), _GTC, _LIMIT, 0)


@kernel
def log_value(address: int, code: int, value: float) -> None:
    """Append (now, code, value) to the strategy's ring of logs; old entries are overwritten."""
    context = context_at(address)
    row = _log_at(context["logs_at"] + (context["logs"] % LOGS_MAX) * LOG_BYTES)
    row["ts_ns"] = context["now_ns"]
    row["code"] = code
    row["value"] = value
    context["logs"] += 1
