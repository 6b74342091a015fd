"""Positions per (strategy, instrument): quantity, cost, realised profit, fees; all integers.

Cost is kept as the sum of integer entry values, so that a position that is closed in any number of
parts realises exactly what it cost (contract 6.3); an average price exists for display only.
"""

import numpy as np

from hft.core.dtypes import Row
from hft.core.jit import kernel
from hft.core.numbers import FEE_SCALE, div_half_even, mul_div_half_even, value_money

POSITION = np.dtype(
    [
        (name, np.int64)
        for name in (
            "qty",  # signed lots
            "cost_money",  # entry value of the open lots, >= 0 for price > 0
            "realized_money",
            "fees_money",  # positive is paid
            "bought_qty",
            "sold_qty",
            "fills",
            "mark2",  # bid + ask ticks of the last mark, 0 before the first
            "marked_money",  # unrealised profit at the last mark
        )
    ],
    align=True,
)


@kernel(inline=True)
def apply_fill(
    position: Row, instrument: Row, side: int, price: int, qty: int, fee_money: int
) -> int:
    """Book one fill; returns the profit it realised (before fees). Mutates: position.

    Inverse contracts earn in the base currency: a long gains entry value minus exit value.
    """
    signed = qty if side == 0 else -qty
    held = position["qty"]
    bought = qty if side == 0 else 0
    position["bought_qty"] += bought
    position["sold_qty"] += qty - bought
    position["fees_money"] += fee_money
    position["fills"] += 1
    value = value_money(instrument, price, qty)
    realized = 0
    if held == 0 or (held > 0) == (signed > 0):
        position["cost_money"] += value
    else:
        closed = min(qty, abs(held))
        share = position["cost_money"]
        if closed < abs(held):
            share = mul_div_half_even(position["cost_money"], closed, abs(held))
        proceeds = value if closed == qty else value_money(instrument, price, closed)
        realized = proceeds - share if held > 0 else share - proceeds
        if instrument["inverse"] != 0:
            realized = -realized
        position["cost_money"] -= share
        if closed < qty:
            position["cost_money"] = value - proceeds
    position["qty"] = held + signed
    position["realized_money"] += realized
    return realized


@kernel(inline=True)
def fee_money(instrument: Row, price: int, qty: int, taker: int, first: bool) -> int:
    """The fee of one fill; negative is a rebate. `first` charges the per-order part."""
    rate = instrument["taker_fee_e8"] if taker != 0 else instrument["maker_fee_e8"]
    fee = mul_div_half_even(value_money(instrument, price, qty), rate, FEE_SCALE)
    fee += instrument["fee_per_lot_money"] * qty
    return fee + instrument["fee_per_order_money"] if first else fee


@kernel(inline=True)
def mark(position: Row, instrument: Row, mid2: int) -> int:
    """Unrealised profit at a mid given as bid + ask ticks; remembered. Mutates: position."""
    gain = unrealized(position, instrument, mid2)
    position["mark2"] = mid2
    position["marked_money"] = gain
    return gain


@kernel(inline=True)
def unrealized(position: Row, instrument: Row, mid2: int) -> int:
    """Unrealised profit at a mid given as bid + ask ticks."""
    qty = position["qty"]
    if qty == 0:
        return 0
    if instrument["inverse"] != 0:
        value = div_half_even(2 * abs(qty) * instrument["value_numerator"], mid2)
        gain = position["cost_money"] - value
    else:
        gain = abs(qty) * mid2 * (instrument["money_per_tick_lot"] // 2) - position["cost_money"]
    return gain if qty > 0 else -gain
