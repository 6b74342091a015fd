"""A second accountant in exact fractions, from a run's fills alone: what must the run have earned?

It knows nothing of average prices: cash in, cash out, the rest marked at the last mid.
"""

from fractions import Fraction

import polars as pl

from hft.core.instruments import Instrument


def half_even(value: Fraction) -> int:
    """To the nearest integer, ties to the even one (which is what `round` does to a Fraction)."""
    return round(value)


def worth(instrument: Instrument, digits: int, price: Fraction, lots: int) -> int:
    """The settlement-currency value of `lots` at `price`, in money units."""
    size = Fraction(instrument.lot) * Fraction(instrument.multiplier) * lots * 10**digits
    return half_even(size / price if instrument.kind == "inverse" else size * price)


def gross(instrument: Instrument, digits: int, fills: pl.DataFrame, mid: Fraction) -> int:
    """Money units earned before fees: cash of the fills, and what is left at `mid`."""
    cash, held = 0, 0
    tick = Fraction(instrument.tick)
    for side, price_tick, lots in fills.select("side", "price_tick", "lots").iter_rows():
        sign = 1 if side == "BUY" else -1
        cash -= sign * worth(instrument, digits, price_tick * tick, lots)
        held += sign * lots
    rest = worth(instrument, digits, mid, abs(held)) * (1 if held > 0 else -1)
    # An inverse contract is long the quote currency's reciprocal: more value is less profit.
    return -(cash + rest) if instrument.kind == "inverse" else cash + rest


def bps_fee(instrument: Instrument, digits: int, price: Fraction, lots: int, maker: bool) -> int:
    """The fee of one fill in money units, by its share of the value."""
    share = Fraction(instrument.maker_bps if maker else instrument.taker_bps) / 10_000
    return half_even(worth(instrument, digits, price, lots) * share)
