"""A relative limit set turned into explicit numbers for the instruments of some tapes.

What a file must hold before a gate, paper or live accepts it; pure, saved above the line.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hft.core.instruments import Instrument
from hft.core.numbers import money_digits
from hft.gateway.figures import NS_PER_S
from hft.gateway.limits import OFF, Limits
from hft.gateway.resolve import resolve


def fitted(
    base: Limits,
    instruments: Sequence[Instrument],
    summaries: Sequence[Mapping[str, Any] | None],
    capital: Fraction | None = None,
) -> Limits:
    """`base` as numbers; with `capital`, sizes scale so that full positions are worth it."""
    digits = money_digits(list(instruments))
    found = resolve(base, instruments, summaries, digits=digits)
    config = found.config[0]
    own = Fraction(int(config["capital_money"]), 10**digits)
    factor = capital / own if capital is not None and own > 0 else Fraction(1)

    def money(units: int) -> str:
        return OFF if units < 0 else _text(Decimal(int(units * factor)).scaleb(-digits))

    values = dict(base.values)
    values["capital"] = money(int(config["capital_money"]))
    values["max_daily_loss"] = money(int(config["daily_loss_max"]))
    values["risk.max_order_notional"] = money(int(found.default_strategy["order_notional_max"]))
    values["risk.price_band_ticks"] = int(found.instruments["band_ticks"].max())
    values["risk.price_band_spreads"] = 0
    values["storm_guard.feed_gap_s"] = OFF
    values["risk_limits.max_notional"] = money(int(found.instruments["notional_max"].max()))
    values["max_position_size"] = _lots(int(found.instruments["long_max"].max()), factor)
    values.pop("symbols.*.max_order_size", None)
    plain = [instrument.symbol for instrument in instruments]
    for instrument, row in zip(instruments, found.instruments, strict=True):
        name = instrument.symbol
        if plain.count(name) > 1:
            name = f"{instrument.venue}:{name}"
        symbol = f"symbols.{name}"
        for key, column in (
            ("max_long", "long_max"),
            ("max_short", "short_max"),
            ("max_order_size", "order_size_max"),
        ):
            values[f"{symbol}.{key}"] = _lots(int(row[column]), factor)
        values[f"{symbol}.max_notional"] = money(int(row["notional_max"]))
        price = Decimal(int(row["price_cap"])) * instrument.tick
        if row["price_cap"] >= 0:
            values[f"instruments.{name}.max_price"] = _text(price)
        gap = int(row["feed_gap_ns"])
        seconds = OFF if gap < 0 else _text(Decimal(gap) / NS_PER_S)
        values[f"instruments.{name}.feed_gap_s"] = seconds
    return Limits.from_dict(values, "fit")


def _lots(limit: int, factor: Fraction) -> int | str:
    """A scaled size, at least one lot; off stays off."""
    return OFF if limit < 0 else max(1, int(limit * factor))


def _text(number: Decimal) -> str:
    return format(number.normalize(), "f")
