"""Is what a user's file says now still the code that this process has loaded from it?

A manifest holds the text of what ran, but Python gives the text that a file has now. A helper that
was edited after it was imported would run as it was and be recorded as it is, and the next process
would open that run as one of the new text. So the text is compiled and compared.
"""

import linecache
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from inspect import unwrap
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from hft.core.errors import ConfigError


def refuse_edited(value: Any) -> None:
    """Raises: ConfigError for a function or class whose file has been edited since it was loaded.

    What has no file of its own (a cell, a text) or came from a loader that rewrites code is not
    looked at; of a class its methods are.
    """
    for function in _functions(unwrap(value)):
        code = function.__code__
        path = Path(code.co_filename)
        if not _from_its_text(function) or not path.is_file():
            continue
        linecache.cache.pop(code.co_filename, None)  # Python's copy is dated, ours is compared
        if _key(code) not in _keys(path.read_bytes(), code.co_filename):
            raise ConfigError(
                f"{path}: was edited after this process had loaded {function.__qualname__!r} from "
                "it, so the text is not what would run; reload it, or start a new process"
            )


def _functions(value: Any) -> Iterator[FunctionType]:
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, type):
        for member in vars(value).values():
            inner = unwrap(getattr(member, "py_func", member))
            if isinstance(inner, FunctionType) and inner.__module__ == value.__module__:
                yield inner


def _from_its_text(function: FunctionType) -> bool:
    """Does its module come from a file that Python has compiled as it stands?

    Loaders that add type checks or rewrite assertions have a way of their own to compile.
    """
    loader = getattr(sys.modules.get(function.__module__), "__loader__", None)
    usual = SourceFileLoader.source_to_code
    return loader is None or getattr(type(loader), "source_to_code", None) is usual


@lru_cache(maxsize=32)
def _keys(text: bytes, name: str) -> frozenset[Any]:
    """The keys of every function in a file's text; none of one that is no Python now."""
    try:
        return frozenset(_inside(compile(text, name, "exec", dont_inherit=True)))
    except (SyntaxError, ValueError):
        return frozenset()


def _inside(code: CodeType) -> Iterator[Any]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield _key(constant)
            yield from _inside(constant)


def _key(code: CodeType) -> tuple[Any, ...]:
    """What a function does and the line where it stands; equal only for the same code."""
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    constants = tuple(_constant(one) for one in code.co_consts)
    return (code.co_name, code.co_firstlineno, code.co_code, shape, names, constants)


def _constant(value: Any) -> Any:
    """1, 1.0, True and -0.0 are told apart, as the compiler does."""
    if isinstance(value, CodeType):
        return _key(value)
    if isinstance(value, frozenset):
        return frozenset(_constant(one) for one in value)
    return (type(value).__name__, repr(value))
