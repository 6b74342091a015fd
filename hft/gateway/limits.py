"""A named limit set: its keys, its text form and its hash; pure, files are read above the line.

Values stay as written (numbers or relative text such as `5 x touch`); `hft.gateway.resolve` turns
them into integers for the instruments of a run. A key that a set does not state has the value of
the table below, which is that of the replay default. Unknown keys are refused.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from hft.core.errors import ConfigError
from hft.core.json_text import spaced
from hft.gateway.ranges import in_range

Kind = Literal[
    "money", "lots", "price", "ticks", "bps", "count", "s", "ms", "ratio", "bool", "text"
]
MONEY_X = 10_000
SCALED = ("money", "price", "lots")  # kinds that a key with suffix `_x` may carry
OFF = "off"
GIVEN = "given"
LABELS = ("name", "version", "notes", "fitted_on")


@dataclass(frozen=True)
class LimitKey:
    """One key of a limit set; `length` > 0 means a list of that many values."""

    name: str
    kind: Kind
    default: Any
    unit: str
    length: int = 0


KEYS: tuple[LimitKey, ...] = (
    LimitKey("capital", "money", "1 x position_notional", "currency"),
    LimitKey("HFT_EXPOSURE_GLOBAL_MAX_NOTIONAL", "money", 0, "currency, 0 = off"),
    LimitKey("HFT_EXPOSURE_MAX_SYMBOLS", "count", 10_000, "leaves"),
    LimitKey("HFT_DEDUP_TTL_S", "s", 300, "s, 0 = off"),
    LimitKey("HFT_COMMAND_DEADLINE_MS", "ms", 500, "ms, 0 = off"),
    LimitKey("HFT_GATEWAY_DEGRADE_ON_STORM", "bool", True, "bool"),
    LimitKey("HFT_GATEWAY_REQUIRE_PROMOTION", "bool", False, "bool"),
    LimitKey("strategies.*.max_notional", "money", 0, "currency, 0 = off"),
    LimitKey("strategies.*.max_leaf_notional", "money", 0, "currency, 0 = off"),
    LimitKey("strategies.*.max_net_qty", "lots", 0, "lots, 0 = off"),
    LimitKey("strategies.*.critical", "bool", True, "bool"),
    LimitKey("strategies.*.alpha_id", "text", "", "id"),
    LimitKey("max_position_size", "lots", "max(100 lots, 50 x touch)", "lots"),
    LimitKey("max_daily_loss", "money", "20 % capital", "currency"),
    LimitKey("risk_limits.orders_per_second", "count", "1 x rate_per_s", "orders"),
    LimitKey("risk_limits.orders_per_minute", "count", "1 x rate_per_min", "orders"),
    LimitKey("risk_limits.max_notional", "money", "2 x capital", "currency per symbol"),
    LimitKey("risk.max_order_notional", "money", "2 x capital", "currency per order"),
    LimitKey("risk.strategy.*.max_order_notional", "money", None, "currency"),
    LimitKey("symbols.*.max_long", "lots", None, "lots"),
    LimitKey("symbols.*.max_short", "lots", None, "lots"),
    LimitKey("symbols.*.max_order_size", "lots", None, "lots"),
    LimitKey("symbols.*.max_notional", "money", None, "currency"),
    LimitKey("symbols.*.restricted", "bool", False, "bool"),
    LimitKey("instruments.*.max_price", "price", None, "price"),
    LimitKey("instruments.*.feed_gap_s", "s", None, "s, or relative"),
    LimitKey("risk.max_price_cap", "price", OFF, "price"),
    LimitKey("risk.price_band_ticks", "ticks", 20, "ticks"),
    LimitKey("risk.price_band_bps", "bps", 50, "bps of mid"),
    LimitKey("risk.price_band_spreads", "count", 20, "median spreads"),
    LimitKey("risk.tick_size", "price", None, "price"),
    LimitKey("risk.reference_max_age_ms", "ms", 0, "ms, 0 = feed gap"),
    LimitKey("risk.missing_reference", "text", "refuse", "refuse or cap_only"),
    LimitKey("risk.self_trade_mode", "text", "REJECT_NEW", "SelfTradeMode"),
    LimitKey("risk.repeated_execution_count", "count", OFF, "fills"),
    LimitKey("risk.repeated_execution_window_s", "s", 1, "s"),
    LimitKey("HFT_RISK_FAST_GATE", "bool", True, "bool"),
    LimitKey("HFT_RISK_FAST_GATE_PRICE_SCALE", "count", 10_000, "only 10000"),
    LimitKey("risk.fast_gate.max_price", "price", OFF, "price, off = overflow bound"),
    LimitKey("risk.fast_gate.max_qty", "lots", OFF, "lots, off = overflow bound"),
    LimitKey("storm_guard.warm_threshold", "money", OFF, "currency, a loss"),
    LimitKey("storm_guard.storm_threshold", "money", OFF, "currency, a loss"),
    LimitKey("storm_guard.halt_threshold", "money", OFF, "currency, a loss"),
    LimitKey("storm_guard.drawdown_pct", "ratio", [-5, -10, -20], "% of capital", length=3),
    LimitKey("storm_guard.latency_ms", "ms", OFF, "ms", length=2),
    LimitKey("storm_guard.feed_gap_s", "s", "max(1 s, 5 x p999_gap)", "s, or relative"),
    LimitKey("HFT_STORMGUARD_STORM_COOLDOWN_S", "s", 30, "s"),
    LimitKey("HFT_STORMGUARD_DE_ESCALATE_N", "count", 5, "evaluations"),
    LimitKey("circuit_breaker_threshold", "ratio", "0.05", "fraction"),
    LimitKey("breaker.window_s", "s", 60, "s"),
    LimitKey("breaker.reset_after_s", "s", 60, "s"),
    LimitKey("breaker.close_on_trip", "bool", True, "bool"),
    LimitKey("degraded.limit_factor", "ratio", "0.5", "factor"),
)
# What `Limits.off()` switches off: every check, so that accounting alone is left.
OFF_KEYS = tuple(
    key.name
    for key in KEYS
    if "*" not in key.name
    and key.kind in ("money", "lots", "price", "ticks", "bps", "count", "s", "ms", "ratio")
    and not key.name.startswith("HFT_")
    and key.name
    not in (
        "capital",
        "risk.tick_size",
        "risk.repeated_execution_window_s",
        "breaker.window_s",
        "breaker.reset_after_s",
        "degraded.limit_factor",
    )
)


def key_of(name: str) -> LimitKey | None:
    """The key that a dotted name writes, a `*` standing for an id or a symbol (dots and all)."""
    for key in KEYS:
        if "*" not in key.name:
            if key.name == name:
                return key
            continue
        before, after = key.name.split("*")
        inside = name[len(before) : len(name) - len(after)]
        if name.startswith(before) and name.endswith(after) and inside:
            return key
    return None


@dataclass(frozen=True)
class Limits:
    """A limit set as written: dotted keys to plain numbers, booleans or text."""

    name: str = "research"
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], name: str = "research") -> "Limits":
        """Nested or dotted keys; `_x` keys carry the x 10 000 integer.

        Raises: ConfigError naming the key and what to write.
        """
        flat = dict(_flatten(data))
        label = str(flat.pop("name", name))
        for extra in LABELS:
            flat.pop(extra, None)
        values: dict[str, Any] = {}
        for raw, value in flat.items():
            key_name, plain = _unscaled(raw, value)
            if key_name in values:
                raise ConfigError(f"limits {label}: {key_name} is written twice, once as {raw}")
            values[key_name] = _checked(label, key_name, plain)
        return cls(label, dict(sorted(values.items())))

    def to_dict(self) -> dict[str, Any]:
        """JSON- and YAML-ready, `name` first."""
        return {"name": self.name, **self.values}

    def get(self, key: str) -> Any:
        """The value in force: as written, else the table's."""
        if key in self.values:
            return self.values[key]
        found = key_of(key)
        if found is None:
            raise _unknown(self.name, key)
        return found.default

    def replace(self, **keys: Any) -> "Limits":
        """A set with some keys changed; `risk__price_band_ticks=5` writes a dotted key too."""
        changed: dict[str, Any] = {}
        for raw, value in keys.items():
            key, plain = _unscaled(_full_name(self.name, raw.replace("__", ".")), value)
            if key in changed:
                raise ConfigError(f"limits {self.name}: {key} is written twice, once as {raw}")
            changed[key] = plain
        name = self.name if self.name.endswith("*") else f"{self.name}*"
        return Limits.from_dict({**self.values, **changed}, name)

    def diff(self, other: "Limits") -> dict[str, tuple[Any, Any]]:
        """Keys in force that differ: key -> (mine, theirs)."""
        names = {key.name for key in KEYS if "*" not in key.name}
        names |= set(self.values) | set(other.values)
        pairs = {name: (self.get(name), other.get(name)) for name in sorted(names)}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    @property
    def hash(self) -> str:
        """16 hex digits of the keys and values as written; the name is not part of it."""
        return hashlib.blake2b(spaced(self.values).encode(), digest_size=8).hexdigest()

    @classmethod
    def off(cls) -> "Limits":
        """Accounting only: every check switched off, named `off` in every report of the run."""
        return cls.from_dict(dict.fromkeys(OFF_KEYS, OFF), "off")


def _flatten(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            out += _flatten(value, name + ".")
        else:
            out.append((name, value))
    return out


def _unscaled(raw: str, value: Any) -> tuple[str, Any]:
    """A key with suffix `_x` is the x 10 000 integer of the key without it."""
    if not raw.endswith("_x") or key_of(raw) is not None:
        return raw, value
    key = key_of(raw[:-2])
    if key is None or key.kind not in SCALED:
        return raw, value
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"limits: {raw} is the amount x 10000 as an integer, not {value!r}")
    if key.kind == "lots" and value % MONEY_X:
        raise ConfigError(f"limits: {raw}: {value} is no whole number of lots x 10000")
    return raw[:-2], str(Decimal(value) / MONEY_X)


def _full_name(label: str, name: str) -> str:
    """A key's full dotted name; the last part alone is enough where only one key ends so."""
    if key_of(name) is not None or key_of(name.removesuffix("_x")) is not None:
        return name
    endings = [key.name for key in KEYS if key.name.endswith("." + name) and "*" not in key.name]
    if len(endings) != 1:
        raise _unknown(label, name)
    return endings[0]


def _unknown(label: str, name: str) -> ConfigError:
    import difflib

    near = difflib.get_close_matches(name, [key.name for key in KEYS], n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "see config/limits/research.yaml for the keys"
    return ConfigError(f"limits {label}: unknown key {name!r}; {hint}")


def _checked(label: str, name: str, value: Any) -> Any:
    """A value of the right shape for its key; numbers become text so that files round-trip."""
    key = key_of(name)
    if key is None:
        raise _unknown(label, name)
    where = f"limits {label}: {name}"
    if value is None:
        return None
    if value is False and key.kind not in ("bool", "text"):
        return OFF  # YAML 1.1 reads a bare `off` as false
    if isinstance(value, list | tuple):
        if key.length != len(value):
            raise ConfigError(f"{where}: {list(value)} must be {key.length or 'one'} value(s)")
        return [in_range(key.name, key.kind, _scalar(where, key, v), where) for v in value]
    if key.length and value != OFF and value != GIVEN:
        raise ConfigError(f"{where}: write {key.length} values or off, not {value!r}")
    return in_range(key.name, key.kind, _scalar(where, key, value), where)


def _scalar(where: str, key: LimitKey, value: Any) -> Any:
    if key.kind == "bool":
        if isinstance(value, bool):
            return value
        if value in (0, 1):
            return bool(value)
        if value == OFF:
            return False
        raise ConfigError(f"{where}: write true or false, not {value!r}")
    if isinstance(value, bool):
        raise ConfigError(f"{where}: write a number in {key.unit}, not {value!r}")
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        return _plain(where, str(value))
    if not isinstance(value, str):
        raise ConfigError(f"{where}: {value!r} is neither a number nor text")
    return value.strip() if key.kind == "text" else _plain(where, value.strip())


def _plain(where: str, text: str) -> Any:
    """Decimal text in one form (an int where whole), relative text as it is."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        raise ConfigError(f"{where}: {text} is not a finite number")
    return int(number) if number == number.to_integral_value() else str(number.normalize())
