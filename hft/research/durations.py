"""Durations as research writes them: 250ms, 5s, 1min, 2h, 1d."""

import re
from typing import Any

from hft.core.errors import ValidationError

SECOND_NS = 1_000_000_000
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "min": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|min|m|h|d)")


def duration_ns(text: Any, name: str = "--horizon") -> int:
    """Nanoseconds of "5s", "1min", "250ms", "1d". Raises: ValidationError."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    matched = _DURATION.fullmatch(str(text).strip())
    if not matched:
        raise ValidationError(f"{name}: {text!r} is not a duration; write 5s, 1min, 2h or 1d")
    found = round(float(matched[1]) * _UNIT_NS[matched[2]])
    if found < 1:
        raise ValidationError(f"{name}: {text!r} is no time at all; write 5s, 1min, 2h or 1d")
    return found


def duration_text(ns: int) -> str:
    """The shortest way to write a duration."""
    for unit in ("d", "h", "min", "s", "ms", "us"):
        if ns and ns % _UNIT_NS[unit] == 0:
            return f"{ns // _UNIT_NS[unit]}{unit}"
    return f"{ns}ns"
