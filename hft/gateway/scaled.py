"""Limits that look like the x 10 000 integers of another configuration; a warning, never a refusal.

A number written so without its `_x` is 10 000 times looser than meant, and nothing else would show
it. What a number should be near is what the research set would say of the same market.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hft.gateway.limits import MONEY_X, Limits, key_of

# How often the suggestion a plain number may be before it is asked about: sane sizes are 1 to 100
# of them, a daily loss is a part of one.
SUSPICIOUS = {"lots": 100, "price": 500, "money": 5000, "max_daily_loss": 500}
POSITION_LOTS = (100, 50)  # max(100 lots, 50 x touch), the position of the research set


def scaled_looking(limits: Limits, scopes: Sequence[Any]) -> tuple[str, ...]:
    """One sentence a number that looks scaled. `scopes` are the instruments of the resolution."""
    found = []
    for name, value in limits.values.items():
        key = key_of(name)
        if key is None or key.kind not in ("lots", "money", "price") or not isinstance(value, int):
            continue
        usual = _usual(key.kind, [scope for scope in scopes if _is_about(name, scope)])
        most = SUSPICIOUS.get(name, SUSPICIOUS[key.kind])
        if usual is None or value < MONEY_X or value % MONEY_X or value <= most * usual:
            continue
        plain = Decimal(value) / MONEY_X
        times = int(value / usual)
        found.append(
            f"limits {limits.name}: {name}: {value} is {times:,} times what this market suggests; "
            f"if it is {plain:f} x {MONEY_X}, write {name}_x: {value}"
        )
    return tuple(found)


def _is_about(name: str, scope: Any) -> bool:
    """Whether a key concerns an instrument: one that names a symbol is about that one only."""
    section, _, rest = name.partition(".")
    if section not in ("symbols", "instruments"):
        return True
    return rest.rsplit(".", 1)[0] in ("*", scope.symbol, scope.full_name)


def _usual(kind: str, scopes: Sequence[Any]) -> Fraction | None:
    """The largest suggestion of the instruments: a position, its worth, a price; None: unknown."""
    sizes = [_position(scope) for scope in scopes]
    if kind == "lots":
        amounts: list[Fraction | None] = [*sizes]
    elif kind == "price":
        amounts = [scope.reference for scope in scopes]
    else:
        worths = [scope.worth(size) for scope, size in zip(scopes, sizes, strict=True)]
        known = [worth for worth in worths if worth is not None]
        amounts = [sum(known, Fraction(0))] if known else []
    return max((amount for amount in amounts if amount), default=None)


def _position(scope: Any) -> Fraction:
    least, touches = POSITION_LOTS
    return max(Fraction(least), touches * (scope.figures.touch_lots or Fraction(0)))
