"""Moments and durations that a user gives: checked and bounded, so that no time can overflow."""

import re
from typing import Any

from hft.core.errors import ConfigError
from hft.strategies.base import duration_ns
from hft.tape.dataset import to_ns

BARE = re.compile(r"\d+(\.\d*)?|\.\d+")
DAY_NS = 86_400_000_000_000


def united(value: Any, what: str) -> Any:
    """The value as it is. Raises: ConfigError for a text that is a number without a unit."""
    bare = isinstance(value, str) and BARE.fullmatch(value.strip())
    if bare and float(bare[0]):
        text = value.strip()
        raise ConfigError(f"{what}: {text!r} has no unit; did you mean {text}ms? (ns, us, ms, s)")
    return value


def bounded_ns(value: Any, what: str, low: int = 0) -> int:
    """A duration such as "5ms", or a number of ns, of at most a day. Raises: ConfigError."""
    refusal = ConfigError(f"{what}: {value!r} is not a duration such as 250us, 5ms, 1s")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise refusal
    if value in ("0", "0ns", "0us", "0ms", "0s"):
        value = 0
    try:
        ns = duration_ns(united(value, what), what)
    except (OverflowError, ValueError):
        raise refusal from None
    if not low <= ns <= DAY_NS:
        raise ConfigError(f"{what}: {value!r} is not from {low} ns to a day")
    return ns


def when(value: Any, what: str) -> int | None:
    """A moment (ISO text with zone, datetime, ns) in ns; None stays None. Raises: ConfigError."""
    if value is None:
        return None
    try:
        moment = int(to_ns(value))
    except ConfigError as error:
        raise ConfigError(f"{what}: {str(error).removeprefix('time: ')}") from None
    if not 0 <= moment < 1 << 62:
        raise ConfigError(f"{what}: {value!r} is no time after 1970 in ns")
    return moment
