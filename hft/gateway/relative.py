"""Relative limit values as text: `5 x touch`, `20 % capital`, `max(20 ticks, 50 bps)`, `off`.

A value is an exact Fraction in the unit of its key, or None for off. What a word is worth for an
instrument comes as a mapping of words; this module knows only the grammar.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from hft.core.errors import ConfigError
from hft.gateway.limits import GIVEN, OFF

_CALL = re.compile(r"(max|min)\((.*)\)")
_TIMES = re.compile(r"([0-9.]+) x ([a-z_0-9]+)")
_PERCENT = re.compile(r"([0-9.]+) ?% (?:of )?([a-z_0-9]+)")
_UNIT = re.compile(r"([0-9.]+) ?(lots|ticks|ms|s)")
_SECONDS = {"s": Fraction(1), "ms": Fraction(1, 1000)}


def is_relative(value: Any) -> bool:
    """Whether a value names something of the instrument or its tape."""
    return isinstance(value, str) and (" x " in value or "%" in value)


def evaluate(value: Any, words: Mapping[str, Fraction | None], where: str) -> Fraction | None:
    """The value in its key's unit; None is off. A missing word makes its term off.

    Raises: ConfigError naming the key (in `where`) and what cannot be read.
    """
    if value is None or value == OFF:
        return None
    if value == GIVEN:
        raise ConfigError(f"{where}: this limit must be given; write a number into the limits file")
    if isinstance(value, int | Decimal | Fraction):
        return Fraction(value)
    text = str(value).strip()
    number = _number(text)
    if number is not None:
        return number
    call = _CALL.fullmatch(text)
    if call:
        terms = [evaluate(term.strip(), words, where) for term in call[2].split(",")]
        known = [term for term in terms if term is not None]
        if not known:
            return None
        return max(known) if call[1] == "max" else min(known)
    return _term(text, words, where)


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(Decimal(text))
    except (InvalidOperation, ValueError):
        return None


def _term(text: str, words: Mapping[str, Fraction | None], where: str) -> Fraction | None:
    unit = _UNIT.fullmatch(text)
    if unit:
        amount = _number(unit[1]) or Fraction(0)
        seconds = _SECONDS.get(unit[2])
        return amount if seconds is None else amount * seconds
    for pattern, scale in ((_TIMES, Fraction(1)), (_PERCENT, Fraction(1, 100))):
        match = pattern.fullmatch(text)
        if match is None:
            continue
        if match[2] not in words:
            known = ", ".join(sorted(words))
            raise ConfigError(f"{where}: {text!r} names {match[2]!r}; known are {known}")
        word = words[match[2]]
        return None if word is None else (_number(match[1]) or Fraction(0)) * scale * word
    raise ConfigError(
        f"{where}: {text!r} is no limit; write a number, off, '5 x touch', '20 % capital' "
        "or 'max(A, B)'"
    )
