"""Names, units and number formats of a run's figures: one table for card, console and report."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

BLIND_SPOTS = (
    "our own impact on the market, liquidity that was never shown, "
    "and how others would have answered"
)


class Value(NamedTuple):
    """A figure with its unit; None means: not measured at this record level.

    It compares, formats (`f"{one:.2f}"`) and converts (`float(one)`) as its number.
    """

    value: Any
    unit: str

    def __str__(self) -> str:
        return f"{number(self.value)} {self.unit}".strip()

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)

    def __float__(self) -> float:
        return float(self.value)

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, tuple) else self.value == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < _bare(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.value <= _bare(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > _bare(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.value >= _bare(other))


def _bare(other: Any) -> Any:
    return other.value if isinstance(other, Value) else other


class Figures(dict[str, Any]):
    """Figures by name, printed as a table; asked for one by one they carry their units.

    What it holds are bare numbers, and those a frame library reads: a list of several runs'
    metrics becomes a frame of one plain column a figure, `dict(metrics)` has the numbers alone.
    """

    def __init__(self, figures: Mapping[str, Value] | None = None) -> None:
        given = figures or {}
        super().__init__({name: one.value for name, one in given.items()})
        self.units = {name: one.unit for name, one in given.items()}

    def __getitem__(self, name: str) -> Value:
        if name not in self.units:
            near = get_close_matches(str(name), self.units, 1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise KeyError(f"no figure {name!r}; {meant}it has {', '.join(self.units)}")
        return Value(super().__getitem__(name), self.units[name])

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def get(self, name: str, default: Any = None) -> Any:
        """The figure with its unit, or the default."""
        units = self.units
        return Value(super().__getitem__(name), units[name]) if name in units else default

    def __reduce__(self) -> Any:
        return Figures, (dict(self.items()),)

    def items(self) -> Any:
        """Names and figures with their units."""
        return {name: self[name] for name in self}.items()

    def values(self) -> Any:
        """Figures with their units."""
        return {name: self[name] for name in self}.values()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Figures):
            return super().__eq__(other) and self.units == other.units
        return super().__eq__(other)

    def __repr__(self) -> str:
        width = max((len(name) for name in self), default=0)
        return "\n".join(f"{name:<{width}}  {value}" for name, value in self.items())

    @classmethod
    def from_json(cls, data: Mapping[str, Mapping[str, Any]]) -> "Figures":
        """The inverse of `metrics.json`."""
        return cls({name: Value(one["value"], one["unit"]) for name, one in data.items()})

    def get_value(self, name: str) -> Any:
        """The bare number, None when it is absent."""
        return self[name].value if name in self else None


def number(value: Any) -> str:
    """A number for people: thousands apart, as many digits as mean something, a real minus sign."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    size = abs(value)
    if size >= 1000:
        text = f"{value:,.2f}".removesuffix(".00")
    elif size >= 1:
        text = f"{value:.4f}".rstrip("0").rstrip(".")
    elif size >= 1e-4:
        text = f"{value:.6f}".rstrip("0")
    else:
        text = f"{value:.4g}" if size else "0"
    return text.replace("-", "−")


def counted(count: int, thing: str) -> str:
    """How many of a thing: 1 buy, 2 buys."""
    return f"{number(count)} {thing}{'' if count == 1 else 's'}"


def waited(ms: float | None) -> str:
    """A time in the unit that keeps it short: 0.25 ms, 12.5 s, 3 min, 2.1 h, 4 days."""
    if ms is None:
        return "–"
    for size, unit in ((86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if ms >= 2 * size or (unit == "s" and ms >= size):
            return f"{ms / size:.3g} {unit}"
    return f"{ms:.3g} ms".replace("-", "−")


def amount(value: float, unit: str) -> str:
    """A number with its unit; a time in the unit that keeps it short."""
    if unit == "ms":
        return "−" * (value < 0) + waited(abs(value))
    return f"{number(value)} {unit}".strip()


def short(value: float | None) -> str:
    """A number to three digits, two decimals from 10 on."""
    if value is None:
        return "–"
    text = f"{value:,.2f}" if abs(value) >= 10 else f"{value:.3g}"
    return (text if float(text.replace(",", "")) else "0").replace("-", "−")


def money(value: float | None, currency: str) -> str:
    """An amount with its sign and its currency: two places, more where it is small."""
    if value is None:
        return "–"
    value += 0.0  # no negative zero
    text = f"{value:+,.2f}"
    if 0 < abs(value) < 1:
        places = 4 if abs(value) >= 1e-2 else 6 if abs(value) >= 1e-4 else 8
        text = f"{value:+.{places}f}" if abs(value) >= 1e-6 else f"{value:+.2e}"
    return f"{text} {currency}".replace("-", "−").replace("+0.00 ", "0.00 ")


def percent(share: float | None) -> str:
    """A share as percent."""
    return "–" if share is None else f"{share:.1%}"
