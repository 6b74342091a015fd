"""What limits may read of an instrument and its first tape, in one place that knows the names."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.gateway.limits import Limits
from hft.gateway.relative import evaluate

DERIVED_MAX_PRICE = 10
NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class TapeFigures:
    """What limits may read of an instrument's first tape; None where the tape cannot say."""

    touch_lots: Fraction | None = None
    spread_ticks: Fraction | None = None
    p999_gap_s: Fraction | None = None
    reference_ticks: Fraction | None = None

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any] | None) -> "TapeFigures":
        """From a tape's summary; several spellings are accepted, the first present counts."""
        summary = summary or {}

        def first(*names: str) -> Fraction | None:
            for name in names:
                if summary.get(name) is not None:
                    return Fraction(str(summary[name]))
            return None

        gap_ns = first("gap_ns_p999", "p999_gap_ns", "gap_p999_ns")
        return cls(
            first("touch_lots_median", "median_touch_lots"),
            first("spread_ticks_median", "median_spread_ticks"),
            None if gap_ns is None else gap_ns / NS_PER_S,
            first("first_mid", "first_mid_ticks", "first_trade_price", "reference_ticks"),
        )


def max_price_ticks(
    limits: Limits, instrument: Instrument, summary: Mapping[str, Any] | None
) -> int:
    """The highest legal price: given, else 10 x the tape's reference, on tick.

    Raises: ConfigError when neither is there.
    """
    figures = TapeFigures.from_summary(summary)
    words = {"reference": reference_price(instrument, figures)}
    key = f"instruments.{instrument.symbol}.max_price"
    given = limits.values.get(key, instrument.max_price)
    value = limits.values.get(
        f"instruments.{instrument.venue}:{instrument.symbol}.max_price", given
    )
    if value is None:
        value = limits.values.get("instruments.*.max_price")
    price = evaluate(value, words, f"limits {limits.name}: {key}") if value is not None else None
    if price is None and words["reference"] is not None:
        price = DERIVED_MAX_PRICE * words["reference"]
    if price is None:
        raise ConfigError(
            f"{instrument.symbol}: no max_price and no tape to derive it from; "
            f"write instruments.{instrument.symbol}.max_price"
        )
    ticks = int(price / Fraction(instrument.tick))
    if ticks < 1:
        raise ConfigError(
            f"limits {limits.name}: {key}: {float(price):g} is below one tick of "
            f"{instrument.tick}, so no order could pass; write a higher price"
        )
    return ticks


def reference_price(instrument: Instrument, figures: TapeFigures) -> Fraction | None:
    if figures.reference_ticks is None:
        return None
    return figures.reference_ticks * Fraction(instrument.tick)
