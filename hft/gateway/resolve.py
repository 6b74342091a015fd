"""A limit set resolved to integers for the instruments of a run, before its first event.

Reads instrument and tape figures through `TapeFigures`, the one place that knows their names. Proves
that no product can pass 2^62; a set that cannot be proven is refused with instrument and key named.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from hft.core.codes import SelfTradeMode
from hft.core.errors import ConfigError
from hft.core.instruments import Instrument
from hft.core.numbers import money_digits
from hft.gateway import rows
from hft.gateway.limits import GIVEN, OFF, Limits
from hft.gateway.relative import evaluate, is_relative

PROVEN_MAX = 1 << 60
QTY_MAX = 1 << 52
PRICE_ROOM = 4  # prices up to this many times the cap keep every product in range
PRICE_BOUND_MAX = PROVEN_MAX // 20_000
RING_MAX = 1 << 27
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


@dataclass(frozen=True)
class ResolvedLimits:
    """Integer rows for `new_state`, with the text that explains them."""

    config: np.ndarray
    instruments: np.ndarray
    default_strategy: np.ndarray
    strategies: tuple[np.ndarray | None, ...]
    leaves_max: int
    rate_per_s: int
    rate_per_min: int
    max_price: tuple[int, ...]
    hash: str
    table: tuple[dict[str, Any], ...] = field(repr=False)

    def strategy_row(self, index: int) -> np.ndarray:
        """The STRATEGY row of a strategy, its own where the set names it."""
        if index < len(self.strategies) and self.strategies[index] is not None:
            return self.strategies[index]  # type: ignore[return-value]
        return self.default_strategy

    def to_dict(self) -> dict[str, Any]:
        """What was derived, for `limits.yaml` of the run folder."""
        return {"hash": self.hash, "values": [dict(row) for row in self.table]}


def max_price_ticks(
    limits: Limits, instrument: Instrument, summary: Mapping[str, Any] | None
) -> int:
    """The highest legal price: given, else 10 x the tape's reference, on tick.

    Raises: ConfigError when neither is there.
    """
    figures = TapeFigures.from_summary(summary)
    words = {"reference": _reference(instrument, figures)}
    key = f"instruments.{instrument.symbol}.max_price"
    value = limits.values.get(key, instrument.max_price)
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
    return int(price / Fraction(instrument.tick))


def _reference(instrument: Instrument, figures: TapeFigures) -> Fraction | None:
    if figures.reference_ticks is None:
        return None
    return figures.reference_ticks * Fraction(instrument.tick)


def resolve(
    limits: Limits,
    instruments: Sequence[Instrument],
    tape_stats: Sequence[Mapping[str, Any] | None],
    *,
    strategies: Sequence[str] = (),
    digits: int | None = None,
) -> ResolvedLimits:
    """Turn a limit set into rows. `tape_stats` are summaries, one an instrument, None where absent.

    Raises: ConfigError naming instrument and key.
    """
    if digits is None:
        digits = money_digits(list(instruments))
    work = _Work(limits, digits)
    pairs = list(zip(instruments, tape_stats, strict=True))
    scopes = [_Scope(work, instrument, summary) for instrument, summary in pairs]
    work.capital = work.total_capital(scopes)
    table = np.zeros(len(scopes), rows.INSTRUMENT_LIMIT)
    for row, scope in zip(table, scopes, strict=True):
        scope.fill(row)
    config = work.config()
    named = [work.strategy_row(name) for name in strategies]
    rates = [work.run_count(f"risk_limits.orders_per_{unit}") for unit in ("second", "minute")]
    digest = hashlib.blake2b(digest_size=8)
    for part in (config.tobytes(), table.tobytes(), *(row.tobytes() for row in named)):
        digest.update(part)
    digest.update(json.dumps([limits.name == OFF, rates]).encode())
    config[0]["limits_hash"] = int.from_bytes(digest.digest(), "big") >> 2
    return ResolvedLimits(
        config,
        table,
        work.strategy_row(None),
        tuple(named),
        int(limits.get("HFT_EXPOSURE_MAX_SYMBOLS")),
        rates[0],
        rates[1],
        tuple(scope.max_price for scope in scopes),
        digest.hexdigest(),
        tuple(work.table),
    )


class _Work:
    """One resolution: the set, the money scale, the capital, the rows for people."""

    def __init__(self, limits: Limits, digits: int) -> None:
        self.limits = limits
        self.scale = 10**digits
        self.capital: Fraction | None = None
        self.table: list[dict[str, Any]] = []

    def where(self, key: str, symbol: str = "") -> str:
        at = f" for {symbol}" if symbol else ""
        return f"limits {self.limits.name}: {key}{at}"

    def total_capital(self, scopes: "list[_Scope]") -> Fraction | None:
        """One number for the run; a relative value sums over the instruments."""
        value = self.limits.get("capital")
        if not is_relative(value):
            return evaluate(value, {}, self.where("capital"))
        shares = [scope.evaluate("capital", value) for scope in scopes]
        known = [share for share in shares if share is not None]
        return sum(known, Fraction(0)) if known else None

    def amount(self, key: str) -> Fraction | None:
        """A key of the whole run in currency, seconds or a plain count."""
        return evaluate(self.limits.get(key), {"capital": self.capital}, self.where(key))

    def money(self, key: str, off: int = -1) -> int:
        """A currency key in money units."""
        return self.to_money(key, self.amount(key), off)

    def to_money(self, key: str, amount: Fraction | None, off: int, symbol: str = "") -> int:
        money = off if amount is None else int(amount * self.scale)
        if abs(money) > PROVEN_MAX:
            raise ConfigError(
                f"{self.where(key, symbol)}: {float(amount or 0):g} could overflow the money of "
                f"this run (more than {PROVEN_MAX // self.scale}); write a smaller value or off"
            )
        self.note(key, symbol, None if amount is None else amount, money)
        return money

    def note(self, key: str, symbol: str, amount: Fraction | None, units: int) -> None:
        """A row for people: what the key said and what it became."""
        value = OFF if amount is None else str(Decimal(amount.numerator) / amount.denominator)
        self.table.append({"key": key, "symbol": symbol, "value": value, "units": int(units)})

    def whole(self, key: str, factor: int, off: int) -> int:
        """A key of the run as a whole number of `1 / factor` units."""
        amount = self.amount(key)
        units = off if amount is None else int(amount * factor)
        self.note(key, "", amount, units)
        return units

    def run_count(self, key: str) -> int:
        """A rate for strategies and all together; one taken from an instrument holds there only."""
        value = self.limits.get(key)
        if is_relative(value):
            return 0
        count = int(evaluate(value, {}, self.where(key)) or 0)
        if count > RING_MAX:
            raise ConfigError(f"{self.where(key)}: {count} is above {RING_MAX}; write off instead")
        return count

    def strategy_row(self, name: str | None) -> np.ndarray:
        """The STRATEGY row of a named strategy, or the default one."""
        row = np.zeros(1, rows.STRATEGY)[0]
        row["weight_ppm"] = 1_000_000
        row["critical"] = 1
        row["rate_per_s"] = self.run_count("risk_limits.orders_per_second")
        row["rate_per_min"] = self.run_count("risk_limits.orders_per_minute")
        row["order_notional_max"] = self.money("risk.max_order_notional")
        if name is None:
            return row
        values = self.limits.values
        for key, field_name in (
            (f"strategies.{name}.max_notional", "notional_max"),
            (f"strategies.{name}.max_leaf_notional", "leaf_notional_max"),
            (f"risk.strategy.{name}.max_order_notional", "order_notional_max"),
        ):
            if values.get(key) is not None:
                row[field_name] = self.money(key, 0)
        net = values.get(f"strategies.{name}.max_net_qty")
        row["net_qty_max"] = int(evaluate(net, {}, self.where("max_net_qty", name)) or 0)
        row["critical"] = int(values.get(f"strategies.{name}.critical", True))
        row["bound"] = int(bool(values.get(f"strategies.{name}.alpha_id", "")))
        if row["bound"] and self.limits.get("HFT_GATEWAY_REQUIRE_PROMOTION"):
            row["weight_ppm"] = 0
        return row

    def config(self) -> np.ndarray:
        """The CONFIG row; sizes are filled in by `new_state`."""
        table = np.zeros(1, rows.CONFIG)
        row = table[0]
        limits = self.limits
        row["dedup_ttl_ns"] = self.whole("HFT_DEDUP_TTL_S", NS_PER_S, 0)
        row["command_deadline_ns"] = self.whole("HFT_COMMAND_DEADLINE_MS", 1_000_000, 0)
        row["global_notional_max"] = self.money("HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL", 0)
        row["fast_gate"] = int(bool(limits.get("HFT_RISK_FAST_GATE")))
        row["cap_only"] = int(self._choice("risk.missing_reference", ("refuse", "cap_only")))
        modes = tuple(mode.name for mode in SelfTradeMode)
        row["self_trade_mode"] = self._choice("risk.self_trade_mode", modes)
        row["degrade_on_storm"] = int(bool(limits.get("HFT_GATEWAY_DEGRADE_ON_STORM")))
        row["require_promotion"] = int(bool(limits.get("HFT_GATEWAY_REQUIRE_PROMOTION")))
        row["daily_loss_max"] = self.money("max_daily_loss")
        row["capital_money"] = self.to_money("capital", self.capital, 0)
        count = self.whole("risk.repeated_execution_count", 1, 0)
        if count > RING_MAX:
            raise ConfigError(f"{self.where('risk.repeated_execution_count')}: above {RING_MAX}")
        row["repeated_count"] = count
        row["repeated_window_ns"] = self.whole("risk.repeated_execution_window_s", NS_PER_S, 0)
        for level in ("warm", "storm", "halt"):
            loss = self.amount(f"storm_guard.{level}_threshold")
            key = f"storm_guard.{level}_threshold"
            row[f"storm_{level}_money"] = self.to_money(key, None if loss is None else -loss, -1)
        self._lists(row)
        row["storm_cooldown_ns"] = self.whole("HFT_STORMGUARD_STORM_COOLDOWN_S", NS_PER_S, 0)
        row["storm_clear_count"] = self.whole("HFT_STORMGUARD_DE_ESCALATE_N", 1, 1)
        row["breaker_move_bps"] = self.whole("circuit_breaker_threshold", 10_000, 0)
        row["breaker_window_ns"] = self.whole("breaker.window_s", NS_PER_S, 60 * NS_PER_S)
        row["breaker_reset_ns"] = self.whole("breaker.reset_after_s", NS_PER_S, 60 * NS_PER_S)
        row["close_on_trip"] = int(bool(limits.get("breaker.close_on_trip")))
        row["limit_factor_e4"] = self.whole("degraded.limit_factor", 10_000, 10_000)
        return table

    def _lists(self, row: np.ndarray) -> None:
        drawdown = self.limits.get("storm_guard.drawdown_pct")
        percents = [OFF] * 3 if drawdown in (OFF, None) else drawdown
        for level, value in zip(("warm", "storm", "halt"), percents, strict=True):
            part = evaluate(value, {}, self.where("storm_guard.drawdown_pct"))
            row[f"drawdown_{level}_ppm"] = -1 if part is None else int(-part * 10_000)
        latency = self.limits.get("storm_guard.latency_ms")
        limits_ms = [OFF] * 2 if latency in (OFF, None) else latency
        for level, value in zip(("warm", "storm"), limits_ms, strict=True):
            part = evaluate(value, {}, self.where("storm_guard.latency_ms"))
            row[f"latency_{level}_ns"] = -1 if part is None else int(part * 1_000_000)

    def _choice(self, key: str, names: tuple[str, ...]) -> int:
        value = self.limits.get(key)
        if value not in names:
            raise ConfigError(f"{self.where(key)}: {value!r} is none of {', '.join(names)}")
        return names.index(value)


class _Scope:
    """One instrument of a resolution, with the words its relative values may use."""

    def __init__(
        self, work: _Work, instrument: Instrument, summary: Mapping[str, Any] | None
    ) -> None:
        self.work = work
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.figures = TapeFigures.from_summary(summary)
        self.max_price = max_price_ticks(work.limits, instrument, summary)
        self.reference = _reference(instrument, self.figures)
        self.words = self._words()
        position = self.evaluate("max_position_size", work.limits.get("max_position_size"))
        self.words["position_notional"] = self._worth(position)

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

    def _worth(self, lots: Fraction | None) -> Fraction | None:
        """`lots` at the reference in settlement currency (an inverse contract divides)."""
        if lots is None or self.reference is None or self.reference == 0:
            return None
        size = lots * Fraction(self.instrument.lot) * Fraction(self.instrument.multiplier)
        inverse = self.instrument.kind == "inverse"
        return size / self.reference if inverse else size * self.reference

    def evaluate(self, key: str, value: Any) -> Fraction | None:
        return evaluate(value, self.words, self.work.where(key, self.symbol))

    def own(self, section: str, field_name: str, fallback: str) -> tuple[str, Any]:
        """The symbol's own key, else that of symbol `*`, else the fallback key."""
        for symbol in (self.symbol, "*"):
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
        """The notional limit of one order; of an inverse contract in quote currency."""
        key, value = self.own("symbols", "max_notional", "risk_limits.max_notional")
        capital = self.work.capital
        if self.instrument.kind == "inverse" and capital is not None and self.reference:
            capital = capital * self.reference
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
        row["notional_max"] = self.notional()
        restricted = f"symbols.{self.symbol}.restricted"
        row["restricted"] = int(bool(limits.values.get(restricted, False)))
        cap = self.evaluate("risk.max_price_cap", limits.get("risk.max_price_cap"))
        tick = Fraction(self.instrument.tick)
        row["price_cap"] = self.max_price
        if limits.name == OFF:
            row["price_cap"] = -1
        elif cap is not None:
            row["price_cap"] = min(self.max_price, int(cap / tick))
        self.work.note("price cap", self.symbol, row["price_cap"] * tick, row["price_cap"])
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
        self._bounds(row)

    def _band(self, row: np.ndarray) -> None:
        """The wider of ticks, median spreads and bps of mid; -1 ticks and 0 bps switch it off."""
        limits = self.work.limits
        ticks = self.evaluate("risk.price_band_ticks", limits.get("risk.price_band_ticks"))
        spreads = self.evaluate("risk.price_band_spreads", limits.get("risk.price_band_spreads"))
        bps = self.evaluate("risk.price_band_bps", limits.get("risk.price_band_bps"))
        width = -1 if ticks is None else int(ticks)
        if spreads and self.figures.spread_ticks is not None:
            width = max(width, int(spreads * self.figures.spread_ticks))
        row["band_ticks"] = width
        row["band_bps"] = 0 if bps is None else int(bps)
        self.work.note("price band", self.symbol, Fraction(width), width)

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
