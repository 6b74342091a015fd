"""Strategies as plain Python: the class form, and function bodies for debuggers and JIT off."""

from collections.abc import Callable
from typing import Any

from hft.core.errors import HftError, StrategyError
from hft.core.jit import array_at
from hft.core.source import place_of
from hft.strategies import context as ctx
from hft.strategies.kept import kept_at
from hft.strategies.view import Order, View


def plain_waker(strategy: Any) -> Callable[[int], None]:
    """A function body as a callable of the context's address, in plain Python."""
    params = strategy.params_row().dtype
    state = strategy.state_row().dtype

    def waker(at: int) -> None:
        row = array_at(at, 1, ctx.CONTEXT)[0]
        p = array_at(row["params_at"], 1, params)[0]
        s = kept_at(row["state_at"], state)
        strategy.body(View(at), Order(at), p, s)

    return waker


def object_waker(strategy: Any) -> tuple[Callable[[int], None], Any]:
    """A class strategy as a callable of the context's address, and its instance.

    The class is made with the parameters as keyword arguments; `state` fields are read back from
    attributes of the same names after each wake-up, so that they can be tracked.
    """
    instance = _made(strategy)
    state = strategy.state_row().dtype
    names = list(strategy.state)

    def waker(at: int) -> None:
        instance.on_wake(View(at), Order(at))
        if names:
            row = kept_at(array_at(at, 1, ctx.CONTEXT)[0]["state_at"], state)
            for name in names:
                row[name] = getattr(instance, name)

    return waker, instance


def _made(strategy: Any) -> Any:
    """The object of a class strategy. Raises: StrategyError when its __init__ raises."""
    try:
        return strategy.body(**strategy.params)
    except HftError:
        raise
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}"
        place = place_of(strategy.body, error)
        named = f"{place}strategy {strategy.name!r}"
        raise StrategyError(f"{named}: its __init__ raised {said}") from error
