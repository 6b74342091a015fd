"""Which numbers a limit may be: one table for files, settings and sets made in Python.

A number outside is a slip of the pen (a sign, a unit), never a wish: `off` switches a check off.
"""

from decimal import Decimal
from typing import Any

from hft.core.codes import SelfTradeMode
from hft.core.errors import ConfigError

CHOICES = {
    "risk.missing_reference": ("refuse", "cap_only"),
    "risk.self_trade_mode": tuple(mode.name for mode in SelfTradeMode),
}
# Limits that count whole things.
WHOLE = (
    "HFT_EXPOSURE_MAX_SYMBOLS",
    "HFT_STORMGUARD_DE_ESCALATE_N",
    "risk_limits.orders_per_second",
    "risk_limits.orders_per_minute",
    "risk.repeated_execution_count",
)
# The most that a kind of limit can be; money and lots are bounded by overflow, instrument by
# instrument.
_MOST = {"s": 400_000_000, "ms": 400_000_000_000, "count": 1 << 31, "ticks": 1 << 31}
# Ranges of limits that are not "0 or more".
_RANGES: dict[str, tuple[int | None, int | None]] = {
    "capital": (1, None),
    "HFT_EXPOSURE_MAX_SYMBOLS": (1, 1 << 24),
    "HFT_RISK_FAST_GATE_PRICE_SCALE": (10_000, 10_000),
    "HFT_STORMGUARD_DE_ESCALATE_N": (1, None),
    "risk.price_band_bps": (0, 10_000),
    "storm_guard.warm_threshold": (None, 0),
    "storm_guard.storm_threshold": (None, 0),
    "storm_guard.halt_threshold": (None, 0),
    "storm_guard.drawdown_pct": (-100, 0),
    "circuit_breaker_threshold": (0, 1),
    "degraded.limit_factor": (0, 1),
}


def bounds(name: str, kind: str) -> tuple[int | None, int | None]:
    """The lowest and the highest number of a key, inclusive; None where there is none."""
    return _RANGES.get(name, (0, _MOST.get(kind)))


def in_range(name: str, kind: str, value: Any, where: str) -> Any:
    """`value`, when it is text or a number that the key may be. Raises: ConfigError."""
    if not isinstance(value, int | str) or isinstance(value, bool) or kind in ("bool", "text"):
        return value
    try:
        number = Decimal(value)
    except ArithmeticError:
        return value  # relative text, read when it is resolved
    low, high = bounds(name, kind)
    if (low is not None and number < low) or (high is not None and number > high):
        words = [f"{low} or more"] * (low is not None) + [f"{high} or less"] * (high is not None)
        raise ConfigError(f"{where}: {value} is out of range; write {' and '.join(words)}, or off")
    if (name in WHOLE or kind == "lots") and number != number.to_integral_value():
        raise ConfigError(f"{where}: {value} is not a whole number; write one, or off")
    return value
