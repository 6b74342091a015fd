"""Is a strategy called as it is written, and can its state be kept? Asked before it is compiled.

What does not fit is said with the line of the user's file: the compiler and Python alike would
speak of an argument that is missing, wherever it is first used.
"""

import inspect
from typing import Any

from hft.core.errors import ConfigError, StrategyError
from hft.core.source import at_line
from hft.runs.code.location import file_of
from hft.strategies.base import Strategy, record_of

FUNCTION, LOOP, METHOD = "(view, order, p, s)", "(sim, p, s)", "(self, view, order)"


def refuse_shape(strategy: Strategy) -> None:
    """Raises: StrategyError for other arguments than a strategy of its form is called with;
    ConfigError for a parameter or a state field that is neither a number nor an array.
    """
    _arguments(strategy)
    _fields(strategy, "state", strategy.state)
    params = strategy.params.items()
    kept = {key: one for key, one in params if not (strategy.is_class and isinstance(one, str))}
    _fields(strategy, "parameter", kept)


def _arguments(strategy: Strategy) -> None:
    body = getattr(strategy.body, "py_func", strategy.body)
    what, form = "a strategy", FUNCTION
    if strategy.is_class:
        what, form = "its on_wake", METHOD
        body = getattr(body, "on_wake", None)
        if body is None:
            place = _place(strategy, strategy.body, "class ")
            raise StrategyError(
                f"{place}strategy {strategy.name!r} has no on_wake; a class is woken by "
                f"def on_wake{METHOD}"
            )
    elif strategy.loop:
        what, form = "a pull loop", LOOP
    try:
        shape = inspect.signature(body)
    except (TypeError, ValueError):
        return
    try:
        shape.bind(*form.split(","))
    except TypeError:
        found = ", ".join(map(str, shape.parameters.values()))
        raise StrategyError(
            f"{_place(strategy, body, 'def ')}strategy {strategy.name!r}: {what} takes {form}, "
            f"found ({found})"
        ) from None


def _fields(strategy: Strategy, what: str, values: dict[str, Any]) -> None:
    for name, value in values.items():
        try:
            record_of({name: value})
        except (ConfigError, OverflowError, ValueError) as error:
            said = f"{what} {str(error).removeprefix('field ')}{_cure(value)}"
            if not isinstance(error, ConfigError):
                said = f"a {what} does not fit: {error}"
            place = _place(strategy, strategy.body, repr(name), f'"{name}"')
            raise ConfigError(f"{place}strategy {strategy.name!r}: {said}") from None


def _cure(value: Any) -> str:
    if value is None:
        return "; write 0.0 (or float('nan')) for a number that is not known yet"
    if isinstance(value, dict | list | tuple | set) and not value:
        return "; it does not grow: write [0.0] * n with the n that are kept, and an index of yours"
    return ""


def _place(strategy: Strategy, body: Any, *holding: str) -> str:
    """`file, line N: its text: ` of the first line of a body that holds one of the texts."""
    try:
        rows, first = inspect.getsourcelines(body)
    except (OSError, TypeError):
        return ""
    at = next((k for k, row in enumerate(rows) if any(one in row for one in holding)), 0)
    return at_line(file_of(strategy), max(first, 1) + at)
