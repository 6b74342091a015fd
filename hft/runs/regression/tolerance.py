"""How far a figure may lie from the blessed one: an amount, a share of it, or not at all."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hft.core.errors import ConfigError

EXACT = "exact"
DIGITS = 1e-12  # sums of floats may differ in their last digits from one processor to another


@dataclass(frozen=True)
class Tolerance:
    """At most `amount` away, in the figure's unit or, where `relative`, as a share of it."""

    amount: float = 0.0
    relative: bool = False

    def allows(self, was: float, now: float) -> bool:
        """Is `now` near enough to `was`?"""
        if math.isclose(was, now, rel_tol=DIGITS, abs_tol=0.0):
            return True
        room = self.amount * abs(was) if self.relative else self.amount
        return abs(now - was) <= room * (1 + DIGITS)

    def __str__(self) -> str:
        if not self.amount:
            return EXACT
        return f"{self.amount * 100:g}%" if self.relative else f"{self.amount:g}"


def tolerances(given: Any) -> dict[str, Tolerance]:
    """Figure -> tolerance; a list of names means exact ones. Raises: ConfigError."""
    if isinstance(given, Mapping):
        return {str(name): _tolerance(str(name), value) for name, value in given.items()}
    for name in given:
        if not isinstance(name, str):
            raise ConfigError(f"{name!r} is no name of a figure")
    return {name: Tolerance() for name in given}


def _tolerance(name: str, value: Any) -> Tolerance:
    refusal = ConfigError(f"{name}: {value!r} is none of {EXACT}, 0.5 (its unit), 2% (a share)")
    if value == EXACT:
        return Tolerance()
    text = str(value).strip()
    relative = isinstance(value, str) and text.endswith("%")
    if isinstance(value, bool) or not (relative or isinstance(value, int | float)):
        raise refusal
    try:
        amount = float(text.removesuffix("%"))
    except ValueError:
        raise refusal from None
    if not math.isfinite(amount) or amount < 0:
        raise refusal
    return Tolerance(amount / 100 if relative else amount, relative)
