"""A position with Fractions, written from the contract's rules and rounded where it says so."""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class NaiveInstrument:
    """Units: money is 10^-digits of the currency, prices are ticks."""

    tick: Fraction
    lot: Fraction
    multiplier: Fraction
    digits: int
    inverse: bool = False
    maker_bps: Fraction = Fraction(0)
    taker_bps: Fraction = Fraction(0)
    per_lot: int = 0
    per_order: int = 0

    def exact(self, price: Fraction, qty: int) -> Fraction:
        """What `qty` lots are worth at a price in ticks, unrounded."""
        amount = qty * self.lot * self.multiplier * 10**self.digits
        return amount / (price * self.tick) if self.inverse else amount * price * self.tick

    def value(self, price: int, qty: int) -> int:
        return round(self.exact(Fraction(price), qty))

    def fee(self, price: int, qty: int, taker: bool, first: bool) -> int:
        rate = (self.taker_bps if taker else self.maker_bps) / 10_000
        fee = round(self.value(price, qty) * rate) + self.per_lot * qty
        return fee + self.per_order if first else fee


@dataclass
class NaivePosition:
    instrument: NaiveInstrument
    qty: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    cash: int = 0  # what selling brought and buying took; for an inverse contract the reverse
    fills: list[tuple[int, int, int]] = field(default_factory=list)

    def fill(self, side: int, price: int, qty: int, fee: int) -> int:
        """Book one fill; returns the profit it realised, before fees."""
        value = self.instrument.value(price, qty)
        long, buys = self.qty > 0, side == 0
        gains_by_selling = not self.instrument.inverse
        self.cash += value if buys != gains_by_selling else -value
        self.fees += fee
        self.fills.append((side, price, qty))
        profit = 0
        if self.qty == 0 or long == buys:
            self.cost += value
        else:
            closed = min(qty, abs(self.qty))
            share = round(Fraction(self.cost * closed, abs(self.qty)))
            proceeds = value if closed == qty else self.instrument.value(price, closed)
            profit = proceeds - share if long == gains_by_selling else share - proceeds
            # What is left of the fill opens the other side with the rest of its value.
            self.cost = self.cost - share if closed == qty else value - proceeds
        self.qty += qty if buys else -qty
        self.realized += profit
        return profit

    def mark(self, mid2: int) -> int:
        """Unrealised profit at the mid `mid2` / 2."""
        if self.qty == 0:
            return 0
        value = round(self.instrument.exact(Fraction(mid2, 2), abs(self.qty)))
        gain = value - self.cost
        return gain if (self.qty > 0) != self.instrument.inverse else -gain
