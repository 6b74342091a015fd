"""What a strategy must not do, since two runs of one key would differ; refused before it runs."""

import ast
import inspect
import textwrap
from types import ModuleType
from typing import Any

from hft.core.errors import ConfigError
from hft.core.source import at_line
from hft.runs.code.captures import named
from hft.runs.code.location import file_of
from hft.strategies.base import Strategy, compiled_body
from hft.strategies.kept import WHOLE, cut_writes

_CHANCE = ("random", "secrets", "uuid", "numpy.random", "numpy.random.mtrand")
_CLOCKS = ("time", "datetime")


def refuse_chance(name: str, body: Any) -> None:
    """Raises: ConfigError for a compiled body that asks an unseeded generator or a clock.

    Two runs of one key would differ; a class may hold a generator of its own with a seed.
    """
    function = getattr(body, "py_func", body)
    for used, value in named(function):
        module = value.__name__ if isinstance(value, ModuleType) else _module_of(value)
        of_numpy = module == "numpy" and "random" in function.__code__.co_names
        if module in _CHANCE or module in _CLOCKS or of_numpy:
            word = f"{used}.random" if of_numpy else used
            raise ConfigError(
                f"strategy {name!r}: uses {word}, which is not the same in two runs; take time "
                "from view.now, and chance from a seeded number that is kept as state"
            )


def refuse_written_params(name: str, body: Any) -> None:
    """Raises: ConfigError for a function that writes a parameter.

    What a strategy remembers is state, which a snapshot keeps; a parameter is part of the key.
    """
    arguments = inspect.getfullargspec(body).args
    if len(arguments) < 2:
        return  # a wrong shape, of which the compiler says more
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(body)))):
        written = isinstance(node, ast.Subscript | ast.Attribute)
        if written and isinstance(node.ctx, ast.Store):  # type: ignore[attr-defined]
            inner = node.value  # type: ignore[attr-defined]
            while isinstance(inner, ast.Subscript | ast.Attribute):
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id == arguments[-2]:
                raise ConfigError(
                    f"strategy {name!r}: writes to its parameters ({ast.unparse(node)}), which do "
                    "not change during a run; declare what changes as state"
                )


def refuse_cut_state(strategy: Strategy) -> None:
    """Raises: ConfigError for a compiled body that writes a float into state of whole numbers."""
    for line, field in cut_writes(compiled_body(strategy)):
        place = at_line(file_of(strategy), line)
        raise ConfigError(f"{place}strategy {strategy.name!r}: state {field} {WHOLE}")


def _module_of(value: Any) -> str:
    owner = getattr(value, "__self__", None)
    found = getattr(value, "__module__", None) or getattr(type(owner), "__module__", "")
    return str(found)
