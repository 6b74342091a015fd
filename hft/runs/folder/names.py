"""What turns a run's integers into words and amounts: instruments, strategies, money digits.

Written to the run folder as `instruments.json`, so that a folder explains itself.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from hft.core.instruments import Instrument


@dataclass(frozen=True)
class RunNames:
    """Index -> instrument and strategy; `digits` is k of money units of 10^-k."""

    instruments: tuple[Instrument, ...]
    strategies: tuple[str, ...]
    digits: int
    tracks: tuple[tuple[str, ...], ...] = ()

    @property
    def currency(self) -> str:
        """The settlement currency of the run."""
        return self.instruments[0].currency if self.instruments else ""

    @property
    def symbols(self) -> list[str]:
        """What each instrument is called in frames; the venue is added where a symbol is twice."""
        plain = [one.symbol for one in self.instruments]
        return [
            f"{one.venue}:{one.symbol}" if plain.count(one.symbol) > 1 else one.symbol
            for one in self.instruments
        ]

    def track(self, strategy_idx: int) -> tuple[str, ...]:
        """The tracked fields of a strategy."""
        return self.tracks[strategy_idx] if strategy_idx < len(self.tracks) else ()

    def amount(self, money: np.ndarray) -> np.ndarray:
        """Money units as float64 of the currency; the nearest float of the exact decimal."""
        return np.asarray(money, np.int64) / float(10**self.digits)

    def price(self, ticks: np.ndarray, instrument_idx: np.ndarray) -> np.ndarray:
        """Ticks as float64 price, the nearest to the exact decimal; NaN without instrument."""
        ratios = [Fraction(one.tick) for one in self.instruments]
        numerators = np.array([float(ratio.numerator) for ratio in ratios] + [np.nan])
        denominators = np.array([float(ratio.denominator) for ratio in ratios] + [np.nan])
        # As doubles: what somebody asked for may be beyond any product of integers.
        amounts = np.asarray(ticks, np.float64) * numerators[instrument_idx]
        return amounts / denominators[instrument_idx]

    def to_json(self) -> dict[str, Any]:
        return {
            "currency": self.currency,
            "money_digits": self.digits,
            "instruments": [one.to_dict() for one in self.instruments],
            "strategies": [
                {"name": name, "track": list(self.track(k))}
                for k, name in enumerate(self.strategies)
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RunNames":
        """The inverse of `to_json`."""
        return cls(
            tuple(Instrument.from_dict(one) for one in data["instruments"]),
            tuple(one["name"] for one in data["strategies"]),
            int(data["money_digits"]),
            tuple(tuple(one["track"]) for one in data["strategies"]),
        )
