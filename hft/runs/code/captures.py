"""What a strategy's body takes from outside itself: constants, code and arrays of the user's own.

A run is a function of these too, so they are part of its configuration. What comes with Python, an
installed package or hft itself is not: the run's code hash and versions stand for it.
"""

import ast
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Container, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from hft.runs.code.edits import refuse_edited
from hft.strategies.base import Strategy

_SCALARS = int | float | str
_TABLES = tuple | list | dict | bytes


def outside(strategy: Strategy) -> dict[str, str]:
    """What of the user's own a strategy reaches besides its `closure`: sources, values as text.

    Functions, classes and modules are followed into what they name themselves.
    """
    return reached(strategy.body, strategy.closure)


def reached(body: Any, besides: Container[str] = ()) -> dict[str, str]:
    """`outside` of any function or class; names in `besides` are left out.

    Raises: ConfigError when a file was edited after what it reaches there was loaded.
    """
    found: dict[str, str] = {}
    seen = {id(_plain(body))}
    waiting = [pair for pair in named(body) if pair[0] not in besides]
    while waiting:
        name, value = waiting.pop()
        value = _plain(value)
        if isinstance(value, FunctionType | type):
            if id(value) in seen or not is_own(value.__module__):
                continue
            seen.add(id(value))
            waiting += [(f"{name}.{k}", v) for k, v in named(value)]
        text = _text(value)
        if text is not None:
            found[name] = text
    return dict(sorted(found.items()))


def _scalar(value: Any) -> str:
    return repr(value.value if isinstance(value, Enum) else value)


def _text(value: Any) -> str | None:
    """What a value is, when it can change without the body's text changing; else None."""
    if isinstance(value, _SCALARS):
        return _scalar(value)
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype} {value.shape} {digest}"
    if isinstance(value, set | frozenset):
        return _literal(sorted(value, key=repr))
    if isinstance(value, _TABLES):
        return _literal(value)
    if isinstance(value, ModuleType):
        path = Path(getattr(value, "__file__", None) or "")
        if not is_own(value.__name__) or not path.is_file():
            return None
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if isinstance(value, FunctionType | type):
        refuse_edited(value)
        try:
            return textwrap.dedent(inspect.getsource(value))
        except (OSError, TypeError):
            return None
    return None


def _literal(value: Any) -> str | None:
    """The text of a table of plain values; others have no text that is the same tomorrow."""
    text = repr(value)
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return text


def _plain(value: Any) -> Any:
    """The Python function behind a compiled one."""
    return getattr(value, "py_func", value)


def named(body: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of every global and enclosing name that a function or class uses."""
    body = _plain(body)
    if isinstance(body, type):
        for base in body.__mro__[1:]:
            if base is not object:
                yield base.__name__, base
        for member in vars(body).values():
            if isinstance(inner := _plain(member), FunctionType):
                yield from named(inner)
        return
    if not isinstance(body, FunctionType):
        return
    for name, cell in zip(body.__code__.co_freevars, body.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue  # not bound yet
    yield from _of(body.__globals__, sorted(_names(body.__code__)), ())


def _of(
    space: Mapping[str, Any], names: Sequence[str], within: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """Those of the names that a space has; a module of the user's own is looked into."""
    for name in names:
        if name in space:
            value = space[name]
            yield ".".join((*within, name)), value
            if isinstance(value, ModuleType) and is_own(value.__name__) and name not in within:
                yield from _of(vars(value), names, (*within, name))


def _names(code: CodeType) -> set[str]:
    """The names of a body and of the functions inside it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


def is_own(module: str | None) -> bool:
    """Does a module belong to the user, not to Python, an installed package or hft?"""
    root = (module or "").partition(".")[0]
    if root in sys.stdlib_module_names and root != "__main__":
        return False
    path = getattr(sys.modules.get(module or ""), "__file__", None)
    return root != "hft" and not (path and "site-packages" in Path(path).parts)
