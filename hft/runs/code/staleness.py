"""Compiled code is used only with the values it was compiled with.

The compiler freezes globals, and what a helper calls. It neither notices when one of them changes
nor, in a cache on disk, when the file of another one does: the run would be recorded with the new
value and computed with the old. So what a strategy reaches is compared with what it was compiled
with in this process, and code of a user's own never comes from a disk.
"""

from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from hft.core.jit import compile_anew
from hft.runs.code.captures import is_own, named, reached
from hft.strategies.base import Strategy, forget_compiled

# What each function reached, as text, when it was last compiled.
_WITH: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def renew(strategy: Strategy) -> None:
    """Drop compiled code of a strategy and its helpers that was made with other values.

    What a helper calls is compiled before it, since it takes in what it calls.
    """
    _renew_below(strategy.body, set())
    if _differs(strategy.body):
        forget_compiled()


def _renew_below(value: Any, seen: set[int]) -> None:
    for _, inner in named(value):
        body = getattr(inner, "py_func", inner)
        if id(inner) in seen or not isinstance(body, FunctionType | type):
            continue
        seen.add(id(inner))
        if is_own(body.__module__):
            _renew_below(inner, seen)
            if body is not inner and _differs(inner):
                compile_anew(inner)


def _differs(value: Any) -> bool:
    """Does it reach other things than when it was last asked? The first time it does."""
    said = repr(reached(value))
    if _WITH.get(value) == said:
        return False
    _WITH[value] = said
    return True
