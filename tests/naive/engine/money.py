"""Money of one strategy in one instrument: contract 6.3 and 1.1, in Python integers of any size."""

from fractions import Fraction
from functools import cache

from hft.core.instruments import Instrument
from hft.core.numbers import money_digits

E8 = 10**8


def half_even(numerator: int, denominator: int) -> int:
    """The nearest integer to a quotient, the even one of two as near; the denominator is > 0."""
    whole, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
    return whole + 1 if up else whole


class Grid:
    """An instrument in units of money of 10^-digits."""

    def __init__(self, instrument: Instrument, digits: int) -> None:
        step = Fraction(instrument.lot) * Fraction(instrument.multiplier) * 10**digits
        self.inverse = instrument.kind == "inverse"
        self.per_tick_lot = step * Fraction(instrument.tick)
        self.numerator = step / Fraction(instrument.tick)
        self.maker = Fraction(instrument.maker_bps) / 10_000
        self.taker = Fraction(instrument.taker_bps) / 10_000

    def value(self, price: Fraction | int, lots: int) -> int:
        """What lots are worth at a price in ticks, in the settlement currency."""
        over, under = price.numerator, price.denominator
        if self.inverse:
            step = self.numerator
            return half_even(lots * step.numerator * under, step.denominator * over)
        step = self.per_tick_lot
        return half_even(over * lots * step.numerator, under * step.denominator)

    def fee(self, price: int, lots: int, taker: bool) -> int:
        rate = self.taker if taker else self.maker
        return half_even(self.value(price, lots) * rate.numerator, rate.denominator)


@cache
def digits_of(instruments: tuple[Instrument, ...]) -> int:
    return money_digits(list(instruments))


@cache
def grids_of(instruments: tuple[Instrument, ...]) -> list[Grid]:
    """The grids of a run's instruments, made once: they never change."""
    return [Grid(instrument, digits_of(instruments)) for instrument in instruments]


class Position:
    """Signed lots at average cost; realised, fees, and the mark it was last seen at."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.lots = self.cost = self.realized = self.fees = 0
        self.mark2: int | None = None
        self._asked, self._worth = (0, 0, 0), 0  # the last answer of worth_at, asked often

    def fill(self, side: int, price: int, lots: int, taker: bool) -> tuple[int, int]:
        """Book a fill. Returns: its fee and what it realised."""
        fee = self.grid.fee(price, lots, taker)
        self.fees += fee
        signed = lots if side == 0 else -lots
        realized, opened, worth = 0, lots, self.grid.value(price, lots)
        if self.lots * signed < 0:
            closed = min(lots, abs(self.lots))
            # One value a fill, split between what it closes and what it opens: fills telescope.
            part = self.grid.value(price, closed)
            realized = self._close(part, closed)
            worth, opened = worth - part, lots - closed
            self.lots += closed if signed > 0 else -closed
        if opened:
            self.cost += worth
            self.lots += opened if signed > 0 else -opened
        return fee, realized

    def _close(self, worth: int, closed: int) -> int:
        held = abs(self.lots)
        share = self.cost if closed == held else half_even(self.cost * closed, held)
        self.cost -= share
        gained = worth - share
        if (self.lots < 0) != self.grid.inverse:  # an inverse long gains as its value falls
            gained = -gained
        self.realized += gained
        return gained

    @property
    def unrealized(self) -> int:
        return self.worth_at(self.mark2)

    def worth_at(self, mid2: int | None) -> int:
        """Profit of the open lots at a mid in half ticks."""
        if self.lots == 0 or mid2 is None:
            return 0
        asked = (mid2, self.lots, self.cost)
        if asked != self._asked:
            worth = self.grid.value(Fraction(mid2, 2), abs(self.lots)) - self.cost
            self._worth = worth if (self.lots > 0) != self.grid.inverse else -worth
            self._asked = asked
        return self._worth
