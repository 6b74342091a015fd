"""Trades as arrays: time, price, quantity and the side that crossed the spread.

The side is the venue's flag where there is one, else that of the quote rule (above the mid before
the trade: a buy), else that of the tick rule (above the last other price: a buy). Which rule
decided is kept beside it. Source: Lee and Ready (1991), without their five-second delay.
"""

from dataclasses import dataclass

import numpy as np

FLAG, QUOTE, TICK, UNKNOWN = range(4)
RULES = ("flag", "quote", "tick", "unknown")


@dataclass(frozen=True, eq=False)
class Trades:
    """Prints of one instrument in receive order; `side` 1 bought, -1 sold, 0 unknown."""

    ts_ns: np.ndarray
    price: np.ndarray
    qty: np.ndarray
    side: np.ndarray
    rule: np.ndarray
    session: np.ndarray

    def __len__(self) -> int:
        return len(self.ts_ns)

    @property
    def bought(self) -> np.ndarray:
        """Quantity bought by the aggressor; half of it where the side is unknown."""
        return self.qty * (1.0 + self.side) / 2.0

    @property
    def signed(self) -> np.ndarray:
        """Quantity bought less quantity sold."""
        return self.qty * self.side

    @property
    def rules(self) -> dict[str, int]:
        """How many sides each rule decided."""
        counts = np.bincount(self.rule, minlength=len(RULES))
        return {name: int(count) for name, count in zip(RULES, counts, strict=True)}


def sides(
    price: np.ndarray, mid_before: np.ndarray, flag: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Side and rule of each trade. `flag` is 1, -1 or 0; `mid_before` NaN where there is none."""
    with np.errstate(invalid="ignore"):
        quoted = np.where(np.isnan(mid_before), 0, np.sign(price - mid_before)).astype(np.int64)
    ticked = _tick_rule(price)
    side = np.where(flag != 0, flag, np.where(quoted != 0, quoted, ticked)).astype(np.int64)
    rule = np.where(flag != 0, FLAG, np.where(quoted != 0, QUOTE, TICK))
    return side, np.where(side == 0, UNKNOWN, rule).astype(np.int64)


def _tick_rule(price: np.ndarray) -> np.ndarray:
    """The sign of the last change of price; 0 before the first."""
    if not len(price):
        return np.zeros(0, np.int64)
    change = np.sign(np.diff(price, prepend=price[0])).astype(np.int64)
    last = np.maximum.accumulate(np.where(change != 0, np.arange(len(price)), 0))
    return change[last]


def as_of(
    times: np.ndarray, values: np.ndarray, at: np.ndarray, before: bool = False
) -> np.ndarray:
    """The last value known at (or strictly before) each time; NaN before the first."""
    if not len(times):
        return np.full(len(at), np.nan)
    index = np.searchsorted(times, at, side="left" if before else "right") - 1
    return np.where(index >= 0, values[np.maximum(index, 0)], np.nan)


@dataclass(frozen=True, eq=False)
class Mids:
    """The mid at each change of the touch."""

    ts_ns: np.ndarray
    mid: np.ndarray
    session: np.ndarray

    def of(self, session: int) -> "Mids":
        """Those of one session."""
        mine = self.session == session
        return Mids(self.ts_ns[mine], self.mid[mine], self.session[mine])

    def at(self, times: np.ndarray, before: bool = False) -> np.ndarray:
        """The mid known at (or strictly before) each time; NaN before the first."""
        return as_of(self.ts_ns, self.mid, times, before)
