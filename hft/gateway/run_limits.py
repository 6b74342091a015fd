"""The keys of a limit set that hold for the whole run, as integers, with a row for people each."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from hft.core.codes import SelfTradeMode
from hft.core.errors import ConfigError
from hft.gateway import rows
from hft.gateway.figures import NS_PER_S
from hft.gateway.limits import OFF, Limits
from hft.gateway.relative import evaluate, is_relative

PROVEN_MAX = 1 << 60
RING_MAX = 1 << 27
LEVELS = ("warm", "storm", "halt")


class RunLimits:
    """One resolution: the set, the money scale, the capital, the rows for people."""

    def __init__(self, limits: Limits, digits: int) -> None:
        self.limits = limits
        self.scale = 10**digits
        self.capital: Fraction | None = None
        self.notional_capital: Fraction | None = None
        self.table: list[dict[str, Any]] = []

    def where(self, key: str, symbol: str = "") -> str:
        at = f" for {symbol}" if symbol else ""
        return f"limits {self.limits.name}: {key}{at}"

    def total_capital(self, scopes: "Sequence[Any]") -> Fraction | None:
        """One number for the run; a relative value sums over the instruments."""
        value = self.limits.get("capital")
        if not is_relative(value):
            return evaluate(value, {}, self.where("capital"))
        shares = [scope.evaluate("capital", value) for scope in scopes]
        known = [share for share in shares if share is not None]
        return sum(known, Fraction(0)) if known else None

    def set_capital(self, scopes: "Sequence[Any]") -> None:
        """Fix what relative values are of.

        Profits of an inverse contract are paid in its underlying, its notionals are counted in
        quote currency: there a bound on notionals takes the capital at the reference price. With
        unlike instruments the highest reference counts; each symbol has its own bound besides.
        """
        self.capital = self.total_capital(scopes)
        factors = [scope.quote_per_settlement for scope in scopes]
        if self.capital is not None:
            self.notional_capital = self.capital * max(factors, default=Fraction(1))

    def notional(self, key: str, off: int = -1) -> int:
        """A bound on notionals in money units of the quote currency."""
        amount = evaluate(self.limits.get(key), {"capital": self.notional_capital}, self.where(key))
        return self.to_money(key, amount, off)

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
        row["order_notional_max"] = self.notional("risk.max_order_notional")
        for one in ("*", name):  # what holds for all, then its own
            if one is not None:
                self._fill(row, one)
        if name is None:
            return row
        row["bound"] = int(bool(self.limits.values.get(f"strategies.{name}.alpha_id", "")))
        if row["bound"] and self.limits.get("HFT_GATEWAY_REQUIRE_PROMOTION"):
            row["weight_ppm"] = 0
        return row

    def _fill(self, row: np.ndarray, name: str) -> None:
        """What the set states of a strategy of this name."""
        values = self.limits.values
        for key, field_name in (
            (f"strategies.{name}.max_notional", "notional_max"),
            (f"strategies.{name}.max_leaf_notional", "leaf_notional_max"),
            (f"risk.strategy.{name}.max_order_notional", "order_notional_max"),
        ):
            if values.get(key) is not None:
                row[field_name] = self.notional(key, 0)
        net = values.get(f"strategies.{name}.max_net_qty")
        if net is not None:
            row["net_qty_max"] = int(evaluate(net, {}, self.where("max_net_qty", name)) or 0)
        row["critical"] = int(values.get(f"strategies.{name}.critical", bool(row["critical"])))

    def config(self) -> np.ndarray:
        """The CONFIG row; sizes are filled in by `new_state`."""
        table = np.zeros(1, rows.CONFIG)
        row = table[0]
        limits = self.limits
        row["dedup_ttl_ns"] = self.whole("HFT_DEDUP_TTL_S", NS_PER_S, 0)
        row["command_deadline_ns"] = self.whole("HFT_COMMAND_DEADLINE_MS", 1_000_000, 0)
        row["global_notional_max"] = self.notional("HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL", 0)
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
        for level in LEVELS:
            loss = self.amount(f"storm_guard.{level}_threshold")
            key = f"storm_guard.{level}_threshold"
            row[f"storm_{level}_money"] = self.to_money(key, None if loss is None else -loss, -1)
        self._lists(row)
        self._rising(row, "storm_guard.*_threshold", "storm_{}_money")
        self._rising(row, "storm_guard.drawdown_pct", "drawdown_{}_ppm")
        self._rising(row, "storm_guard.latency_ms", "latency_{}_ns", ("warm", "storm"))
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
        for level, value in zip(LEVELS, percents, strict=True):
            part = evaluate(value, {}, self.where("storm_guard.drawdown_pct"))
            row[f"drawdown_{level}_ppm"] = -1 if part is None else int(-part * 10_000)
        latency = self.limits.get("storm_guard.latency_ms")
        limits_ms = [OFF] * 2 if latency in (OFF, None) else latency
        for level, value in zip(("warm", "storm"), limits_ms, strict=True):
            part = evaluate(value, {}, self.where("storm_guard.latency_ms"))
            row[f"latency_{level}_ns"] = -1 if part is None else int(part * 1_000_000)

    def _rising(
        self, row: np.ndarray, key: str, column: str, levels: tuple[str, ...] = LEVELS
    ) -> None:
        """Each level that is on begins at or above the one before it. Raises: ConfigError."""
        on = [(level, int(row[column.format(level)])) for level in levels]
        on = [(level, value) for level, value in on if value >= 0]
        for (before, low), (level, high) in pairwise(on):
            if high < low:
                raise ConfigError(
                    f"{self.where(key)}: {level} would begin before {before}; write them in the "
                    f"order {', '.join(levels)}, the mildest first"
                )

    def _choice(self, key: str, names: tuple[str, ...]) -> int:
        value = self.limits.get(key)
        if value not in names:
            raise ConfigError(f"{self.where(key)}: {value!r} is none of {', '.join(names)}")
        return names.index(value)
