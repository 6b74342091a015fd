"""One value of the configuration, checked against its key.

Text from the environment and typed values from files come to the same typed value; what cannot be
is refused with the place it came from, the key and the fix.
"""

import base64
import binascii
import difflib
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from hft.core.errors import ConfigError
from hft.settings.keys import KEYS, OTHER_VARIABLES, Key, find_key, variables

MONEY_X_SCALE = 10_000
_BOOLEANS = {"1": True, "0": False, "true": True, "false": False, "on": True, "off": False}
# The relative values of a limit, such as `5 x touch` or `max(20 ticks, 50 bps of mid)`, are
# resolved by the limits against instrument and tape; here only their shape is checked.
_TERM = r"(?:off|fit|[0-9.]+(?: x [a-z_0-9]+| ?%(?: [a-z_]+)?| (?:ticks|lots|bps(?: of mid)?)"
_TERM += r"|(?: [a-z]+ spreads?)| ?m?s)?)"
_RELATIVE = re.compile(rf"(?:{_TERM}|(?:max|min)\({_TERM}(?:, {_TERM})+\))")


@dataclass(frozen=True)
class Secret:
    """A value that is used and never shown: in words, JSON and hashes it is `(set)`."""

    content: bytes = field(repr=False)

    def __str__(self) -> str:
        return "(set)"


def check(key: Key, name: str, value: Any, source: str) -> Any:
    """The typed value of `key`.

    Raises: ConfigError naming source, key and what to write instead.
    """
    if value is None and key.default is None:
        return None
    if key.kind == "bool":
        checked: Any = _boolean(name, value, source)
    elif key.kind in ("text", "path", "choice"):
        checked = _text(key, name, value, source)
    elif key.kind == "secret":
        checked = _secret(name, value, source)
    elif key.kind == "numbers":
        checked = _numbers(key, name, value, source)
    elif key.limit and isinstance(value, str) and _RELATIVE.fullmatch(value.strip()):
        # A plain number is text too, when it comes from the environment.
        stripped = value.strip()
        return stripped if not _is_number(stripped) else _number(key, name, stripped, source)
    else:
        checked = _number(key, name, value, source)
    if key.name == "HFT_GATEWAY_HALT_CANCEL" and not checked:
        raise ConfigError(f"{source}: {name}: a halt always lets cancels through; write 1")
    return checked


def from_scaled(key: Key, name: str, value: Any, source: str) -> Decimal:
    """The amount that an `_x` key carries as an integer of 1/10 000 units."""
    if isinstance(value, bool) or not re.fullmatch(r"[-+]?[0-9]+", str(value)):
        raise ConfigError(f"{source}: {name}: {value!r} is not an integer; write amount x 10000")
    return Decimal(int(value)) / MONEY_X_SCALE


def unknown_key(name: str, source: str) -> ConfigError:
    """The refusal of a key nobody knows, with the nearest known one."""
    known = [key.name for key in KEYS] + [variable for variable, _ in variables()]
    return _unknown("key", name, source, known)


def unknown_variable(name: str) -> ConfigError:
    """The refusal of an `HFT_` variable nobody knows."""
    known = [variable for variable, _ in variables()]
    return _unknown("variable", name, "environment", known)


def is_known_variable(name: str) -> bool:
    """True for a variable that is read here or listed as read elsewhere."""
    if name in OTHER_VARIABLES:
        return True
    base = name.removesuffix("_X")
    return any(
        name == variable or (base == variable and key.scaled) for variable, key in variables()
    )


def key_of(path: tuple[str, ...]) -> tuple[Key | None, bool]:
    """The key at `path`, and whether it was written with the suffix of a scaled integer."""
    key = find_key(path)
    if key is None and path and path[-1].endswith("_x"):
        key = find_key((*path[:-1], path[-1].removesuffix("_x")))
        return (key, True) if key is not None and key.scaled else (None, False)
    return key, False


def _unknown(what: str, name: str, source: str, known: list[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    fix = f"did you mean {near[0]!r}?" if near else "`hft config show` lists the known ones"
    return ConfigError(f"{source}: unknown {what} {name!r}; {fix}")


def _boolean(name: str, value: Any, source: str) -> bool:
    if isinstance(value, bool):
        return value
    found = _BOOLEANS.get(str(value).strip().lower())
    if found is None:
        raise ConfigError(f"{source}: {name}: {value!r} is not a boolean; write true or false")
    return found


def _text(key: Key, name: str, value: Any, source: str) -> str:
    if isinstance(value, bool | dict | list) or str(value).strip() == "":
        raise ConfigError(f"{source}: {name}: {value!r} is not text; write {_wanted(key)}")
    text = str(value).strip()
    if key.choices and text not in key.choices:
        raise ConfigError(f"{source}: {name}: {text!r} is not known; write {_wanted(key)}")
    return text


def _secret(name: str, value: Any, source: str) -> Secret:
    """The bytes of a key in base64. Raises: ConfigError, which does not repeat the value."""
    try:
        content = base64.b64decode(str(value).strip(), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not isinstance(value, str) or not content:
        raise ConfigError(
            f"{source}: {name}: is not base64; write what `head -c 32 /dev/urandom | base64` says"
        )
    return Secret(content)


def _numbers(key: Key, name: str, value: Any, source: str) -> list[Any] | str:
    if isinstance(value, str) and value.strip() == "off":
        return "off"
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or len(items) != key.length:
        raise ConfigError(f"{source}: {name}: {value!r} is not a list of {key.length} numbers")
    return [_number(key, name, item, source) for item in items]


def _number(key: Key, name: str, value: Any, source: str) -> int | Decimal:
    relative = ", off, or relative such as `5 x touch`" if key.limit and not key.length else ""
    refusal = f"{source}: {name}: {value!r} is not {_wanted(key)}{relative}"
    if isinstance(value, bool | dict | list):
        raise ConfigError(refusal)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ConfigError(refusal) from None
    if not number.is_finite() or (key.kind == "int" and number != number.to_integral_value()):
        raise ConfigError(refusal)
    if (key.low is not None and number < key.low) or (key.high is not None and number > key.high):
        raise ConfigError(f"{source}: {name}: {value} is out of range; write {_wanted(key)}")
    return int(number) if key.kind == "int" else number


def _is_number(text: str) -> bool:
    try:
        Decimal(text)
    except InvalidOperation:
        return False
    return True


def _wanted(key: Key) -> str:
    if key.choices:
        return "one of " + ", ".join(key.choices)
    if key.low == key.high and key.low is not None:
        return str(key.low)
    words = {"int": "a whole number", "text": "text", "path": "a path"}.get(key.kind, "a number")
    if key.low is not None and key.high is not None:
        words += f" from {key.low} to {key.high}"
    elif key.low is not None:
        words += f", {key.low} or more"
    elif key.high is not None:
        words += f", {key.high} or less"
    return f"{words} ({key.unit})" if key.unit else words
