"""What an instrument is: its grid of prices and quantities and the money one step is worth."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from hft.core.errors import ConfigError

Kind = Literal["linear", "inverse"]


def venue_and_symbol(name: str) -> tuple[str, str]:
    """The two parts of `venue:symbol`; a pair like BTC/USDT:USDT (ccxt) has no venue before it."""
    venue, colon, symbol = name.partition(":")
    return (venue, symbol) if colon and "/" not in venue else ("", name)


def _number(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ConfigError(f"{name}: {value!r} is not a decimal number") from None
    if not number.is_finite():
        raise ConfigError(f"{name}: {value} must be finite")
    return number


def _decimal(name: str, value: Any) -> Decimal:
    number = _number(name, value)
    if number <= 0:
        raise ConfigError(f"{name}: {value} must be positive")
    return number


@dataclass(frozen=True)
class Instrument:
    """A symbol with its grid; all sizes are exact decimals in real units.

    `tick` is the smallest price step, `lot` the smallest quantity step, `multiplier` the contract's
    units of underlying (linear) or of quote currency (inverse) per unit of quantity.
    Raises: ConfigError naming the field.
    """

    symbol: str
    tick: Decimal
    lot: Decimal
    multiplier: Decimal = Decimal(1)
    currency: str = "USD"
    kind: Kind = "linear"
    venue: str = ""
    max_price: Decimal | None = None
    session: str | None = None
    calendar: str | None = None
    time_zone: str = "UTC"
    heartbeat_s: float | None = None
    rate_per_s: int | None = None
    rate_per_min: int | None = None
    maker_bps: Decimal = Decimal(0)
    taker_bps: Decimal = Decimal(0)
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.symbol:
            raise ConfigError("instrument: symbol is empty")
        if self.kind not in ("linear", "inverse"):
            raise ConfigError(f"{self.symbol}.kind: {self.kind!r} is neither linear nor inverse")
        for name in ("tick", "lot", "multiplier"):
            object.__setattr__(self, name, _decimal(f"{self.symbol}.{name}", getattr(self, name)))
        if self.max_price is not None:
            object.__setattr__(
                self, "max_price", _decimal(f"{self.symbol}.max_price", self.max_price)
            )
        for name in ("maker_bps", "taker_bps"):
            object.__setattr__(self, name, _number(f"{self.symbol}.{name}", getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields; decimals as text, unset fields left out."""
        out: dict[str, Any] = {}
        for name, value in self.__dict__.items():
            if value is None or value == ():
                continue
            out[name] = str(value) if isinstance(value, Decimal) else value
        out["notes"] = list(self.notes)
        return out

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Instrument":
        """The inverse of `to_dict`; an unknown key is refused."""
        unknown = sorted(set(data) - set(cls.__dataclass_fields__))
        if unknown:
            raise ConfigError(f"instrument {data.get('symbol', '?')}: unknown key {unknown[0]!r}")
        values = dict(data)
        values["notes"] = tuple(values.get("notes", ()))
        return cls(**values)
