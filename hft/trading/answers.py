"""What a venue answers is booked: order, position, fee and exposure of one answer in one step."""

from typing import Any

import numpy as np

from hft.core.codes import Liquidity, OrderStatus, ResponseKind, StepKind
from hft.core.jit import kernel
from hft.gateway.events import (
    on_ack,
    on_amend_rejected,
    on_amended,
    on_cancel_rejected,
    on_done,
    on_fill,
    on_unknown,
)
from hft.gateway.tables import enter
from hft.portfolio.positions import apply_fill, fee_money, mark
from hft.trading.profit import feed_pnl
from hft.trading.steps import new_step, note_guards, step_row

_RESPONSE = StepKind.RESPONSE.value
_ACK = ResponseKind.ACK.value
_FILL = ResponseKind.FILL.value
_CANCELLED = ResponseKind.CANCELLED.value
_EXPIRED = ResponseKind.EXPIRED.value
_REJECTED = ResponseKind.REJECTED.value
_CANCEL_REJECTED = ResponseKind.CANCEL_REJECTED.value
_AMENDED = ResponseKind.AMENDED.value
_AMEND_REJECTED = ResponseKind.AMEND_REJECTED.value
_LOST = ResponseKind.UNKNOWN.value
_TAKER = Liquidity.TAKER.value
_S_CANCELLED = OrderStatus.CANCELLED.value
_S_EXPIRED = OrderStatus.EXPIRED.value
_S_FAILED = OrderStatus.FAILED.value


@kernel(inline=True)
def receive(trading: Any, wiring: Any, answer: np.ndarray) -> int:
    """Book one answer (an ANSWER row); returns the strategy it concerns, -1 for none.

    Mutates: trading.
    """
    slot = answer["slot"]
    order = trading.gw.orders[slot]
    kind = answer["kind"]
    ts = answer["ts_ns"]
    step = new_step(step_row(), _RESPONSE, ts)
    step["order_id"] = answer["order_id"]
    step["code"] = kind
    if order["order_id"] != answer["order_id"] or answer["copy"] != 0:
        # A second answer, or one about an order that has ended: journaled, never applied.
        step["ignored"] = 1
        wiring.note(wiring.outside, step)
        return -1
    strategy = order["strategy_idx"]
    step["strategy_idx"] = strategy
    step["instrument_idx"] = order["instrument_idx"]
    step["side"] = order["side"]
    step["price"] = answer["price"]
    step["qty"] = answer["qty"]
    if kind == _FILL:
        step["liquidity"] = answer["liquidity"]
        step["fill_id"] = answer["fill_id"]
        step["fee_money"] = _book_fill(trading, order, answer)
    else:
        _book_answer(trading, slot, kind, answer)
    wiring.note(wiring.outside, step)
    note_guards(trading, wiring)
    return strategy


@kernel(inline=True)
def _book_answer(trading: Any, slot: int, kind: int, answer: np.ndarray) -> None:
    gw = trading.gw
    ts = answer["ts_ns"]
    if kind == _ACK:
        on_ack(enter(gw), slot, ts)
    elif kind == _CANCELLED:
        on_done(enter(gw), slot, _S_CANCELLED, ts)
    elif kind == _EXPIRED:
        on_done(enter(gw), slot, _S_EXPIRED, ts)
    elif kind == _REJECTED:
        on_done(enter(gw), slot, _S_FAILED, ts)
    elif kind == _CANCEL_REJECTED:
        on_cancel_rejected(enter(gw), slot, ts)
    elif kind == _AMENDED:
        # The venue says what is open; every fill before this answer has been booked.
        total = gw.orders[slot]["filled_qty"] + answer["qty"]
        on_amended(enter(gw), slot, answer["price"], total, ts)
    elif kind == _AMEND_REJECTED:
        on_amend_rejected(enter(gw), slot, ts)
    elif kind == _LOST:
        on_unknown(enter(gw), slot, ts)


@kernel(inline=True)
def _book_fill(trading: Any, order: np.ndarray, answer: np.ndarray) -> int:
    """Position, profit, fee and exposure of one fill, in the same step. Returns: the fee."""
    head = trading.head[0]
    s = order["strategy_idx"]
    i = order["instrument_idx"]
    side = order["side"]
    price = answer["price"]
    qty = answer["qty"]
    ts = answer["ts_ns"]
    instrument = trading.instruments[i]
    position = trading.positions[s * len(trading.touch) + i]
    taker = answer["liquidity"] == _TAKER
    fee = fee_money(instrument, price, qty, taker, order["filled_qty"] == 0)
    realized = apply_fill(position, instrument, side, price, qty, fee)
    if head["keeps_fills"] != 0:
        row = trading.fills[head["fills_len"]]
        head["fills_len"] += 1
        row["fill_id"] = answer["fill_id"]
        row["order_id"] = answer["order_id"]
        row["cmd_id"] = order["cmd_id"]
        row["account_idx"] = order["account_idx"]
        row["strategy_idx"] = s
        row["instrument_idx"] = i
        row["side"] = side
        row["price"] = price
        row["qty"] = qty
        row["fee_money"] = fee
        row["realized_money"] = realized
        row["liquidity"] = answer["liquidity"]
        row["exch_ts_ns"] = answer["acted_ns"]
        row["local_ts_ns"] = ts
        row["mid2"] = answer["mid2"]
        row["position_qty"] = position["qty"]
    on_fill(enter(trading.gw), answer["slot"], price, qty, ts)
    touch = trading.touch[i]
    # Without a mid the fill's own price is the newest there is; what was marked before was another
    # position.
    mid2 = touch["bid_tick"] + touch["ask_tick"] if touch["valid"] != 0 else 2 * price
    mark(position, instrument, mid2)
    feed_pnl(trading, s, ts)
    return fee
