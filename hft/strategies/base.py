"""The `@strategy` decorator: a function or class, its named parameters, state and wake-ups.

A strategy is data plus a body; nothing is compiled until a replay asks for a pointer. Parameters
and state are one record each of the user's own fields, so that `p["half_ticks"]` means the same
compiled and plain, and the engine knows names and offsets for series, diffs and typed `--set`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numba import types

from hft.core.codes import WakeCause
from hft.core.errors import ConfigError
from hft.core.jit import JIT_DISABLED, kernel, record_at
from hft.core.source import constants_of, text_of
from hft.strategies import context as ctx
from hft.strategies.view import make_order, make_view

WAKES = ("timer", "fill", "order", "trade", "book", "status")
TRACKED_MAX = 8
DURATION_MAX_NS = 1 << 61  # a wake-up that far after any tape still is an int64
BARE_MIN_NS = 1_000  # nobody means 200 ns who writes 200
_UNITS_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


@dataclass(frozen=True)
class Strategy:
    """A strategy as declared; `with_params` gives a copy with other values.

    `body` is a function of (view, order, p, s), a pull loop of (sim, p, s) when `loop`, or a class
    with `on_wake(view, order)`.
    """

    body: Any
    name: str
    every_ns: int
    wakes_on: int
    params: dict[str, Any]
    state: dict[str, Any]
    track: tuple[str, ...] = ()
    logs: dict[int, str] = field(default_factory=dict)
    loop: bool = False
    instruments: int = 1

    # Given by hft.api.replays, since it takes higher layers: the first wake-ups in plain Python.
    check: ClassVar[Callable[..., Any]]

    @property
    def is_class(self) -> bool:
        """Runs in callback mode: the engine stops and calls the object."""
        return inspect.isclass(self.body)

    @property
    def source(self) -> str:
        """The source text; it is part of what a run is a function of."""
        return text_of(self.body, f"strategy {self.name!r}")

    @property
    def closure(self) -> dict[str, str]:
        """Constants the body captures, as text, for the run's manifest."""
        if self.is_class:
            return {}
        return constants_of(self.body)

    def with_params(self, params: Mapping[str, Any] | None) -> "Strategy":
        """A copy with some parameters changed. Raises: ConfigError on an unknown name or type."""
        if not params:
            return self
        values = dict(self.params)
        for name, value in params.items():
            if name not in values:
                known = ", ".join(sorted(values)) or "none"
                raise ConfigError(
                    f"strategy {self.name!r} has no parameter {name!r}; it has: {known}"
                )
            values[name] = _typed(self.name, name, values[name], value)
        return replace(self, params=values)

    def params_row(self) -> np.ndarray:
        """The parameters as a one-row record array; a class is made with its texts as they are."""
        if self.is_class:
            return record_of({k: v for k, v in self.params.items() if not isinstance(v, str)})
        return record_of(self.params)

    def state_row(self) -> np.ndarray:
        """The initial state as a one-row record array."""
        return record_of(self.state)


def _typed(strategy_name: str, name: str, current: Any, value: Any) -> Any:
    """A value of the declared kind; text from the command line is parsed by it."""
    kind = type(current)
    try:
        if kind is bool:
            known = {"1": True, "0": False, "true": True, "false": False}
            return known[str(value).lower()] if not isinstance(value, bool) else value
        if kind is int:
            if isinstance(value, float) and not value.is_integer():
                raise ValueError
            return int(value)
        if kind is float:
            return float(value)
        return type(current)(value)
    except (KeyError, ValueError, TypeError):
        raise ConfigError(
            f"strategy {strategy_name!r}: parameter {name}={value!r} is not a {kind.__name__}"
        ) from None


def record_of(values: Mapping[str, Any]) -> np.ndarray:
    """A one-row record array with the fields of a mapping; numbers and fixed-length arrays."""
    fields: list[Any] = []
    for name, value in values.items():
        if isinstance(value, bool | int | np.integer):
            fields.append((name, np.int64))
        elif isinstance(value, float | np.floating):
            fields.append((name, np.float64))
        else:
            array = np.asarray(value)
            if array.dtype.kind not in "if" or array.size == 0:
                raise ConfigError(
                    f"field {name!r}: {value!r} is neither a number nor an array"
                    + ("; a class strategy may take text" if isinstance(value, str) else "")
                )
            kind = np.int64 if array.dtype.kind == "i" else np.float64
            fields.append((name, kind, array.shape))
    row = np.zeros(1, np.dtype(fields or [("_", np.int64)], align=True))
    for name, value in values.items():
        row[0][name] = value
    return row


def duration_ns(text: str | int | float | None, what: str = "every") -> int:
    """A duration such as "100ms" in ns; a number is ns, None is 0, and a text has its unit."""
    if text is None:
        return 0
    if isinstance(text, int | float):
        if not 0 <= text <= DURATION_MAX_NS:
            raise ConfigError(f"{what}={text!r} is not a number of ns from 0 to 73 years")
        return int(text)
    digits = text.strip().rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text.strip()[len(digits) :]
    try:
        value = float(digits) * _UNITS_NS[unit or "ns"]
    except (ValueError, KeyError):
        raise ConfigError(f"{what}={text!r} is not a duration such as 250us, 100ms, 1s") from None
    if not unit:
        meant = f"did you mean {digits}ms? (ns, us, ms, s)"
        raise ConfigError(f"{what}={text!r} has no unit; {meant}")
    if not value >= 1:
        raise ConfigError(f"{what}={text!r} is shorter than 1 ns")
    if value > DURATION_MAX_NS:
        raise ConfigError(f"{what}={text!r} is longer than 73 years; write a shorter one")
    return int(value)


def refuse_bare(value: Any, what: str) -> None:
    """A number below a microsecond is one whose unit was left out. Raises: ConfigError."""
    if isinstance(value, int | float) and 0 < value < BARE_MIN_NS:
        meant = f"{what}='{value}ms', or '{value}ns' for so many ns"
        raise ConfigError(f"{what}={value!r} has no unit, and a number is ns; write {meant}")


def strategy(
    body: Any = None,
    *,
    every: str | int | None = None,
    on: str | Sequence[str] = ("timer",),
    params: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    track: Sequence[str] = (),
    logs: Mapping[int, str] | None = None,
    loop: bool = False,
    instruments: int = 1,
) -> Any:
    """Declare a strategy. With `every` it wakes by a timer, whatever else `on` names.

    >>> import hft
    >>> @hft.strategy(every="100ms", params={"half_ticks": 2.0})
    ... def quote(view, order, p, s):
    ...     order.quote(hft.BUY, view.mid_tick - p["half_ticks"], 1)
    >>> quote.with_params({"half_ticks": 3}).params
    {'half_ticks': 3.0}
    """

    def declare(target: Any) -> Strategy:
        causes = [on] if isinstance(on, str) else list(on)
        unknown = [cause for cause in causes if cause not in WAKES]
        if unknown:
            raise ConfigError(f"on={unknown[0]!r} is not one of {', '.join(WAKES)}")
        refuse_bare(every, "every")
        every_ns = duration_ns(every)
        if "timer" in causes and every_ns == 0 and not loop:
            if set(causes) == {"timer"}:
                raise ConfigError(f"strategy {target.__name__!r}: say every='100ms' or on='book'")
            causes = [cause for cause in causes if cause != "timer"]
        if every_ns > 0 and not loop:
            causes.append("timer")
        if isinstance(instruments, bool) or not isinstance(instruments, int) or instruments < 1:
            raise ConfigError(f"instruments={instruments!r} is not a whole number from 1 on")
        values = dict(state or {})
        missing = [name for name in track if name not in values]
        if missing:
            raise ConfigError(f"track={missing[0]!r} is not a state field; have {sorted(values)}")
        if len(track) > TRACKED_MAX:
            raise ConfigError(f"at most {TRACKED_MAX} state fields can be tracked")
        mask = sum(1 << WakeCause[cause.upper()].value for cause in set(causes))
        return Strategy(
            target,
            target.__name__,
            every_ns if "timer" in causes or loop else 0,
            mask,
            dict(params or {}),
            values,
            tuple(track),
            dict(logs or {}),
            loop,
            instruments,
        )

    return declare if body is None else declare(body)


def pointer(strategies: Sequence[Strategy]) -> Any:
    """One compiled `int64(k, context address)` that wakes strategy k, for the engine's pointer.

    With JIT off it is plain Python over the same bodies.
    """
    return _chain(tuple(_waker(strategy) for strategy in strategies))


@lru_cache(maxsize=64)
def _chain(wakers: tuple[Any, ...]) -> Any:
    """The wakers behind one function that chooses by k."""
    if len(wakers) == 1:
        only = wakers[0]

        def wake_only(k, at):  # type: ignore[no-untyped-def]
            only(at)
            return 0

        return _seal(wake_only)
    first = wakers[0]
    rest = _chain(wakers[1:])

    def wake_one(k, at):  # type: ignore[no-untyped-def]
        if k == 0:
            first(at)
            return 0
        return rest(k - 1, at)

    return _seal(wake_one)


def forget_compiled() -> None:
    """The next pointer is compiled anew: what a body has frozen is not what there is now."""
    _chain.cache_clear()
    _compiled_waker.cache_clear()
    _compiled_body.cache_clear()


def _seal(function: Callable[..., Any]) -> Any:
    if JIT_DISABLED:
        return function
    return kernel(types.int64(types.int64, types.int64), cache=False)(function)


def _waker(strategy: Strategy) -> Any:
    """The body of one strategy as a kernel of (context address)."""
    if JIT_DISABLED:
        from hft.strategies.callback import plain_waker

        return plain_waker(strategy)
    return _compiled_waker(strategy.body, strategy.params_row().dtype, strategy.state_row().dtype)


def compiled_body(strategy: Strategy) -> Any:
    """The body of a function strategy as its waker calls it; compiled once there is a pointer."""
    return _compiled_body(strategy.body, strategy.params_row().dtype, strategy.state_row().dtype)


@lru_cache(maxsize=64)
def _compiled_body(function: Any, params: np.dtype, state: np.dtype) -> Any:
    return kernel(cache=False, checked=True)(function)


@lru_cache(maxsize=64)
def _compiled_waker(function: Any, params: np.dtype, state: np.dtype) -> Any:
    """Compiled once per body and record types in a process; parameters are data, not code."""
    params_at = record_at(params)
    state_at = record_at(state)
    context_at = ctx.context_at
    body = _compiled_body(function, params, state)

    def waker(at):  # type: ignore[no-untyped-def]
        context = context_at(at)
        p = params_at(context["params_at"])
        s = state_at(context["state_at"])
        body(make_view(at, 0), make_order(at, 0), p, s)

    return kernel(cache=False)(waker)
