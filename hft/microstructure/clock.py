"""When research looks: at a distance of time, of trades, of volume or of money.

A tick of an event clock is the receive time of the trade that reaches the next multiple; everything
of that receive time has been seen. A trade that reaches several multiples makes one tick.
"""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.microstructure.trades import Trades
from hft.strategies.base import duration_ns

Kind = Literal["time", "book", "trades", "volume", "money"]
_COUNTED = re.compile(r"\s*(\d+(?:\.\d+)?(?:e\d+)?)\s+([A-Za-z$]+)\s*")
_TRADES = ("trade", "trades", "events")
_UNITS = ("units", "unit", "shares", "share", "contracts", "contract", "volume")
_MONEY = ("$", "dollar", "dollars", "usd", "usdt", "usdc", "money")


@dataclass(frozen=True)
class Clock:
    """A kind and a distance: ns, trades, units, lots or money."""

    kind: Kind
    every: float = 0.0
    unit: str = ""

    def times(self, trades: Trades, instrument: Instrument) -> int | np.ndarray:
        """What the walk over a tape takes: ns between samples, 0 for the book, or the times.

        Raises: ConfigError for a unit that this instrument is not counted in.
        """
        if self.kind in ("time", "book"):
            return int(self.every)
        counted = self._counted(trades, instrument)
        total = np.cumsum(counted)
        ticks = np.flatnonzero(np.diff(np.floor(total / self.every + 1e-12), prepend=0.0) > 0)
        return np.unique(trades.ts_ns[ticks])

    def _counted(self, trades: Trades, instrument: Instrument) -> np.ndarray:
        if self.kind == "trades":
            return np.ones(len(trades))
        money = (*_MONEY, instrument.currency.lower())
        unit = self.unit.lower()
        if unit == "lots":
            return trades.qty / float(instrument.lot)
        if unit in _UNITS or instrument.symbol.lower().startswith(unit):
            return trades.qty
        if unit in money:
            return trades.qty * trades.price * float(instrument.multiplier)
        raise ConfigError(
            f"clock: {instrument.symbol} is not counted in {self.unit!r}; write lots, units, "
            f"{instrument.currency}, or the beginning of its symbol"
        )


def parse(text: str) -> Clock:
    """A clock as people write it: "1s", "book", "1000 trades", "5 BTC", "1e6 USD".

    Raises: ConfigError for anything else.
    """
    if text == "book":
        return Clock("book")
    counted = _COUNTED.fullmatch(text)
    if counted and float(counted[1]) > 0:
        unit = counted[2]
        if unit.lower() in _TRADES:
            return Clock("trades", max(1.0, float(counted[1])), "trades")
        kind: Kind = "money" if unit.lower() in _MONEY else "volume"
        return Clock(kind, float(counted[1]), unit)
    if text.strip().replace(".", "", 1).isdecimal():
        raise ConfigError(f"clock: {text!r} has no unit; did you mean {text}s or '{text} trades'?")
    return Clock("time", float(duration_ns(text, "clock")))
