"""Exact numbers: decimal text to integers, the one half-even rounding, the 2^62 proof.

Everything that divides money rounds here and nowhere else.
"""

from decimal import Decimal
from fractions import Fraction

import numpy as np

from hft.core.dtypes import INSTRUMENT, Row
from hft.core.errors import ConfigError, DataError
from hft.core.instruments import Instrument
from hft.core.jit import kernel

PRODUCT_MAX = 1 << 62
FEE_SCALE = 10**8
INVERSE_DIGITS = 8
FAR_NS = 1 << 62  # a span of time longer than any that matters
FEE_DIGITS = 3  # finer than prices need, so that a fee of a small fill is not rounded away


@kernel
def div_half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest integer, ties to even; denominator > 0."""
    quotient = numerator // denominator
    twice = 2 * (numerator - quotient * denominator)
    if twice > denominator or (twice == denominator and quotient % 2 != 0):
        quotient += 1
    return quotient


@kernel
def mul_div_half_even(value: int, factor: int, divisor: int) -> int:
    """value * factor / divisor, ties to even, without the full product.

    Exact while divisor * factor stays under 2^62; divisor > 0.
    """
    whole = value // divisor
    product = (value - whole * divisor) * factor
    quotient = product // divisor
    twice = 2 * (product - quotient * divisor)
    # The tie goes to the even neighbour of the whole result, not of its fractional part.
    quotient += whole * factor
    if twice > divisor or (twice == divisor and quotient % 2 != 0):
        quotient += 1
    return quotient


@kernel(inline=True)
def elapsed_ns(now_ns: int, then_ns: int) -> int:
    """now - then, at most FAR_NS; `then` may be any int64, `now` is not negative."""
    if then_ns < now_ns - FAR_NS:
        return FAR_NS
    return now_ns - then_ns


@kernel
def notional_money(instrument: Row, price: int, qty: int) -> int:
    """What `qty` lots are worth at `price`, for limits: linear value, or inverse quote notional."""
    if instrument["inverse"] != 0:
        return qty * instrument["notional_per_lot"]
    return price * qty * instrument["money_per_tick_lot"]


@kernel
def value_money(instrument: Row, price: int, qty: int) -> int:
    """The settlement-currency value of `qty` lots at `price` (contract 1.1), price > 0."""
    if instrument["inverse"] != 0:
        return div_half_even(qty * instrument["value_numerator"], price)
    return price * qty * instrument["money_per_tick_lot"]


def to_units(value: object, unit: Decimal, what: str) -> int:
    """A real amount as a whole number of `unit`s. Raises: DataError when it is between two."""
    ratio = Fraction(str(value)) / Fraction(unit)
    if ratio.denominator != 1:
        raise DataError(f"{what}: {value} is not a multiple of {unit}")
    return int(ratio)


def to_ticks(price: object, instrument: Instrument) -> int:
    """A real price in ticks; refused off tick."""
    return to_units(price, instrument.tick, f"{instrument.symbol} price")


def to_lots(qty: object, instrument: Instrument) -> int:
    """A real quantity in lots; refused between lots."""
    return to_units(qty, instrument.lot, f"{instrument.symbol} quantity")


def money_digits(instruments: list[Instrument]) -> int:
    """k: money is kept in units of 10^-k so that half a tick of one lot is a whole number of them.

    Inverse instruments use k = 8. Raises: ConfigError when a run mixes settlement currencies.
    """
    settlements = {settlement_currency(instrument) for instrument in instruments}
    if len(settlements) > 1:
        names = ", ".join(sorted(settlements))
        raise ConfigError(f"a run has one settlement currency, these tapes have {names}")
    if any(instrument.kind == "inverse" for instrument in instruments):
        return INVERSE_DIGITS
    for digits in range(19):
        steps = [
            Fraction(i.tick) * Fraction(i.lot) * Fraction(i.multiplier) * 10**digits / 2
            for i in instruments
        ]
        if all(step.denominator == 1 for step in steps):
            return max(digits, min(digits + FEE_DIGITS, INVERSE_DIGITS))
    raise ConfigError("tick x lot x multiplier has more than 18 decimal places")


def settlement_currency(instrument: Instrument) -> str:
    """The currency profits are paid in; an inverse contract settles in its `currency` field."""
    return instrument.currency


def resolve(instrument: Instrument, digits: int, max_price: int, symbol_key: int) -> np.ndarray:
    """One INSTRUMENT row. Units: max_price in ticks. Raises: ConfigError when it is not exact."""
    row = np.zeros(1, INSTRUMENT)[0]
    scale = 10**digits
    step = Fraction(instrument.lot) * Fraction(instrument.multiplier) * scale
    if instrument.kind == "inverse":
        numerator = step / Fraction(instrument.tick)
        if numerator.denominator != 1 or step.denominator != 1:
            raise ConfigError(f"{instrument.symbol}: lot x multiplier / tick is not whole at 1e-8")
        row["inverse"] = 1
        row["value_numerator"] = int(numerator)
        row["notional_per_lot"] = int(step)
    else:
        per_tick = step * Fraction(instrument.tick)
        if per_tick.denominator != 1:
            raise ConfigError(f"{instrument.symbol}: tick x lot x multiplier is not whole money")
        row["money_per_tick_lot"] = int(per_tick)
    row["max_price"] = max_price
    row["maker_fee_e8"] = _fee(instrument.symbol, instrument.maker_bps)
    row["taker_fee_e8"] = _fee(instrument.symbol, instrument.taker_bps)
    row["symbol_key"] = symbol_key
    return row


def _fee(symbol: str, bps: Decimal) -> int:
    fraction = Fraction(bps) * FEE_SCALE / 10_000
    if fraction.denominator != 1:
        raise ConfigError(f"{symbol}: a fee of {bps} bps is finer than 0.0001 bps")
    return int(fraction)
