"""The keys of a limit set for one instrument, as integers that no product can overflow."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.gateway.figures import NS_PER_S, TapeFigures, max_price_ticks, reference_price
from hft.gateway.limits import GIVEN, OFF
from hft.gateway.relative import evaluate, is_relative
from hft.gateway.run_limits import PROVEN_MAX, RunLimits

QTY_MAX = 1 << 52
PRICE_ROOM = 4  # prices up to this many times the highest keep every product in range
PRICE_BOUND_MAX = PROVEN_MAX // 20_000


class InstrumentLimits:
    """One instrument of a resolution, with the words its relative values may use."""

    def __init__(
        self, work: RunLimits, instrument: Instrument, summary: Mapping[str, Any] | None
    ) -> None:
        self.work = work
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.full_name = f"{instrument.venue}:{instrument.symbol}"
        self.figures = TapeFigures.from_summary(summary)
        self.max_price = max_price_ticks(work.limits, instrument, summary)
        self.reference = reference_price(instrument, self.figures)
        self.words = self._words()
        position = self.evaluate("max_position_size", work.limits.get("max_position_size"))
        self.words["position_notional"] = self.worth(position)

    def _words(self) -> dict[str, Fraction | None]:
        heartbeat = self.instrument.heartbeat_s
        per_s, per_min = self.instrument.rate_per_s, self.instrument.rate_per_min
        return {
            "touch": self.figures.touch_lots,
            "p999_gap": self.figures.p999_gap_s,
            "heartbeat": None if heartbeat is None else Fraction(str(heartbeat)),
            "reference": self.reference,
            "max_price": self.max_price * Fraction(self.instrument.tick),
            "rate_per_s": None if per_s is None else Fraction(per_s),
            "rate_per_min": None if per_min is None else Fraction(per_min),
            "position_notional": None,
            "capital": None,
        }

    @property
    def quote_per_settlement(self) -> Fraction:
        """Quote currency a unit of settlement currency is worth at the reference price."""
        inverse = self.instrument.kind == "inverse"
        return self.reference if inverse and self.reference else Fraction(1)

    def worth(self, lots: Fraction | None) -> Fraction | None:
        """`lots` at the reference in settlement currency (an inverse contract divides)."""
        if lots is None or self.reference is None or self.reference == 0:
            return None
        size = lots * Fraction(self.instrument.lot) * Fraction(self.instrument.multiplier)
        inverse = self.instrument.kind == "inverse"
        return size / self.reference if inverse else size * self.reference

    def evaluate(self, key: str, value: Any) -> Fraction | None:
        return evaluate(value, self.words, self.work.where(key, self.symbol))

    def own(self, section: str, field_name: str, fallback: str) -> tuple[str, Any]:
        """The key of `venue:symbol`, of the symbol, of `*`, or the fallback key."""
        for symbol in (self.full_name, self.symbol, "*"):
            key = f"{section}.{symbol}.{field_name}"
            if self.work.limits.values.get(key) is not None:
                return key, self.work.limits.values[key]
        return fallback, self.work.limits.get(fallback)

    def lots(self, field_name: str) -> int:
        key, value = self.own("symbols", field_name, "max_position_size")
        if value == GIVEN:
            raise ConfigError(f"{self.work.where(key, self.symbol)}: must be given, in lots")
        amount = self.evaluate(key, value)
        units = -1 if amount is None else int(amount)
        self.work.note(key, self.symbol, amount, units)
        if units > QTY_MAX:
            raise ConfigError(
                f"{self.work.where(key, self.symbol)}: {units} lots could overflow; "
                f"at most {QTY_MAX} lots"
            )
        return units

    def notional(self) -> int:
        """The notional limit of the symbol; of an inverse contract in quote currency."""
        key, value = self.own("symbols", "max_notional", "risk_limits.max_notional")
        capital = self.work.capital
        if capital is not None:
            capital = capital * self.quote_per_settlement
        amount = evaluate(value, {"capital": capital}, self.work.where(key, self.symbol))
        return self.work.to_money(key, amount, -1, self.symbol)

    def seconds_ns(self, key: str, value: Any) -> int:
        amount = self.evaluate(key, value)
        units = -1 if amount is None else int(amount * NS_PER_S)
        self.work.note(key, self.symbol, amount, units)
        return units

    def fill(self, row: np.ndarray) -> None:
        """Write this instrument's INSTRUMENT_LIMIT row."""
        limits = self.work.limits
        row["order_size_max"] = self.lots("max_order_size")
        row["long_max"] = self.lots("max_long")
        row["short_max"] = self.lots("max_short")
        self._bounds(row)
        row["notional_max"] = self.notional()
        restricted = self.own("symbols", "restricted", "symbols.*.restricted")[1]
        row["restricted"] = int(bool(restricted))
        cap = self.evaluate("risk.max_price_cap", limits.get("risk.max_price_cap"))
        tick = Fraction(self.instrument.tick)
        row["price_cap"] = self.max_price
        if limits.name == OFF:
            row["price_cap"] = -1
        elif cap is not None:
            row["price_cap"] = min(self.max_price, int(cap / tick))
        self.work.note(
            "price cap", self.symbol, int(row["price_cap"]) * tick, int(row["price_cap"])
        )
        self._band(row)
        key, value = self.own("instruments", "feed_gap_s", "storm_guard.feed_gap_s")
        row["feed_gap_ns"] = self.seconds_ns(key, value)
        age = self.evaluate("reference age", limits.get("risk.reference_max_age_ms"))
        row["reference_age_ns"] = -1 if age is None else int(age * 1_000_000)
        if age == 0:
            row["reference_age_ns"] = row["feed_gap_ns"]
        for unit, column in (("second", "rate_per_s"), ("minute", "rate_per_min")):
            name = f"risk_limits.orders_per_{unit}"
            if is_relative(limits.get(name)):
                row[column] = int(self.evaluate(name, limits.get(name)) or 0)

    def _band(self, row: np.ndarray) -> None:
        """The wider of ticks, median spreads and bps of mid; -1 ticks and 0 bps switch it off."""
        limits = self.work.limits
        ticks = self.evaluate("risk.price_band_ticks", limits.get("risk.price_band_ticks"))
        spreads = self.evaluate("risk.price_band_spreads", limits.get("risk.price_band_spreads"))
        bps = self.evaluate("risk.price_band_bps", limits.get("risk.price_band_bps"))
        width = -1 if ticks is None else int(ticks * self._band_tick())
        if spreads and self.figures.spread_ticks is not None:
            width = max(width, int(spreads * self.figures.spread_ticks))
        row["band_ticks"] = width
        row["band_bps"] = 0 if bps is None else int(bps)
        self.work.note("price band", self.symbol, Fraction(width), width)

    def _band_tick(self) -> Fraction:
        """One tick of the band in ticks of the instrument."""
        size = self.evaluate("risk.tick_size", self.work.limits.get("risk.tick_size"))
        if size is None:
            return Fraction(1)
        if size <= 0:
            raise ConfigError(
                f"{self.work.where('risk.tick_size')}: {float(size):g} is no size of a tick; write "
                "a price above 0, or leave the key out for the instrument's own"
            )
        return size / Fraction(self.instrument.tick)

    def _bounds(self, row: np.ndarray) -> None:
        """Prices and quantities below which no product passes 2^60; refuse limits beyond them."""
        limits = self.work.limits
        price_bound = max(PRICE_ROOM * self.max_price, 1)
        qty_bound = min(PROVEN_MAX // self._money_per_lot(price_bound), QTY_MAX)
        if price_bound > PRICE_BOUND_MAX:
            raise ConfigError(
                f"{self.symbol}: instruments.{self.symbol}.max_price of {self.max_price} ticks "
                "could overflow; give a smaller max_price or a coarser tick"
            )
        needed = max(int(row["order_size_max"]), int(row["long_max"]), int(row["short_max"]))
        if needed * 4 > qty_bound:
            raise ConfigError(
                f"{self.symbol}: max_position_size or max_order_size of {needed} lots at max_price "
                f"{self.max_price} ticks could overflow; at most {qty_bound // 4} lots are provable"
            )
        row["price_bound"], row["qty_bound"] = price_bound, qty_bound
        tick = Fraction(self.instrument.tick)
        fast_price = self.evaluate("fast gate", limits.get("risk.fast_gate.max_price"))
        fast_qty = self.evaluate("fast gate", limits.get("risk.fast_gate.max_qty"))
        row["fast_price_max"] = price_bound
        row["fast_qty_max"] = qty_bound
        if fast_price is not None:
            row["fast_price_max"] = min(price_bound, int(fast_price / tick))
        if fast_qty is not None:
            row["fast_qty_max"] = min(qty_bound, int(fast_qty))

    def _money_per_lot(self, price_bound: int) -> int:
        """The largest product of one lot: its value at the bound, or an inverse one's numerator."""
        unit = Fraction(self.instrument.lot) * Fraction(self.instrument.multiplier)
        tick = Fraction(self.instrument.tick)
        if self.instrument.kind == "inverse":
            return max(1, int(unit * self.work.scale / min(tick, Fraction(1))))
        return max(1, int(unit * tick * self.work.scale) * price_bound)
