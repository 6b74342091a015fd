"""A queue model that a user adds: one small function, called where one of our orders stands.

`@hft.queue_model` takes `def model(ahead_micro, before, after, traded)`; what it returns is what
stands ahead of our order from now on. It is compiled by itself and reached by its address, so the
engine stays as it is. Its text and constants are part of what a run is a function of.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import NumbaError

from hft.core.errors import ConfigError
from hft.core.jit import JIT_DISABLED, kernel
from hft.core.pointer import pointer_to
from hft.core.source import constants_of, text_of
from hft.venue.queue import QUEUE_CALL

ARGUMENTS = ("ahead_micro", "before", "after", "traded")
_MODULES = ("math", "numpy", "hft")
_SHAPE = f"def model({', '.join(ARGUMENTS)})"


@dataclass(frozen=True)
class QueueModel:
    """A queue model as declared; nothing is compiled until a run asks for its address."""

    body: Callable[..., int]
    name: str

    @property
    def source(self) -> str:
        """The source text; it is part of what a run is a function of."""
        return text_of(self.body, f"queue model {self.name!r}")

    @property
    def closure(self) -> dict[str, str]:
        """Constants the body captures, as text, for the run's manifest."""
        return constants_of(self.body)

    def address(self) -> int:
        """Where the compiled model begins. Raises: ConfigError when it cannot be compiled."""
        try:
            return _address(self.body, repr(self.closure))
        except NumbaError as error:
            lines = [line.strip() for line in str(error).splitlines()]
            told = [line for line in lines if line and not line.startswith(("Failed", "During"))]
            cause = told[0] if told else "unknown cause"
            raise ConfigError(f"queue model {self.name!r} cannot be compiled: {cause}") from None
        except TypeError as error:
            raise ConfigError(f"queue model {self.name!r}: {error}") from None


def queue_model(body: Callable[..., int]) -> QueueModel:
    """Declare a queue model: (ahead_micro, before, after, traded) -> ahead_micro.

    Called when the level where our order stands is restated. Units: `ahead_micro` in 1e-6 lots, the
    others in lots; `traded` is what printed at our price since the level was last restated, already
    taken from `ahead_micro`. The answer is an integer of 1e-6 lots; more than `after` cannot stand
    ahead. Raises: ConfigError when the function has another shape or calls another one.

    >>> import hft
    >>> @hft.queue_model
    ... def optimist(ahead_micro, before, after, traded):
    ...     return ahead_micro - max(0, before - after - traded) * 1_000_000
    >>> hft.Venue(queue=optimist).queue.name
    'optimist'
    """
    name = getattr(body, "__name__", repr(body))
    if not inspect.isfunction(body) or len(inspect.signature(body).parameters) != len(ARGUMENTS):
        raise ConfigError(f"queue model {name!r}: write it as `{_SHAPE}`")
    found = inspect.getclosurevars(body)
    for other, value in {**found.globals, **found.nonlocals}.items():
        if not isinstance(value, int | float | str) and not _known(value, body):
            raise ConfigError(
                f"queue model {name!r} uses {other!r}, which its source does not show or which is "
                "not the same in two runs; it may use numbers, builtins, math and numpy"
            )
    return QueueModel(body, name)


def _known(value: Any, body: Callable[..., int]) -> bool:
    """Is it math or numpy, or a function of them? Their chance has no seed of the run's."""
    if isinstance(value, ModuleType):
        return value.__name__ in _MODULES and "random" not in body.__code__.co_names
    return isinstance(value, np.ufunc) or getattr(value, "__module__", None) in ("math", "numpy")


@cache  # an address lives as long as the process, and so must the code there
def _address(body: Callable[..., int], closure: str) -> int:
    """By its constants too, which the compiler freezes."""
    if JIT_DISABLED:
        return pointer_to(lambda *values: _whole(body(*(int(v) for v in values))), QUEUE_CALL)
    inner = kernel(cache=False)(body)
    inner.compile(QUEUE_CALL.args)
    given = inner.overloads[QUEUE_CALL.args].signature.return_type
    if not isinstance(given, types.Integer | types.Boolean):
        raise TypeError(f"returns {given}, not whole millionths of a lot; write int(math.floor(x))")

    def model(ahead_micro, before, after, traded):  # type: ignore[no-untyped-def]
        return inner(ahead_micro, before, after, traded)

    return pointer_to(kernel(QUEUE_CALL, cache=False)(model), QUEUE_CALL)


def _whole(value: Any) -> int:
    if not isinstance(value, int | np.integer):
        raise TypeError(f"returns {value!r}, not whole millionths of a lot")
    return int(value)
