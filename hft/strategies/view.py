"""`view` and `order` as a strategy holds them, compiled and plain, made from the table of members.

Both are a pair (address of the CONTEXT, instrument index). What a member does stands in
`hft.strategies.members`; here are the numba types with their overloads and the plain Python
classes, so that adding a member is one line there.
"""

import operator
from difflib import get_close_matches
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import (
    intrinsic,
    make_attribute_wrapper,
    models,
    overload,
    overload_attribute,
    overload_method,
    register_model,
)

from hft.core.jit import JIT_DISABLED
from hft.strategies import context as ctx
from hft.strategies.members import (
    LADDERS,
    ORDER_METHODS,
    VIEW_ATTRIBUTES,
    VIEW_METHODS,
    amend,
    cancel_all,
    listened,
    new_order,
    quote,
    target_at,
    target_market,
)


class _Pair(types.Type):  # type: ignore[misc]
    """An (address, instrument index) pair; its subclasses differ in their members only."""


class ViewType(_Pair):
    def __init__(self) -> None:
        super().__init__(name="hft.View")


class OrderType_(_Pair):
    def __init__(self) -> None:
        super().__init__(name="hft.Order")


class LadderType(_Pair):
    """A member with an index, such as `view.bid_ticks`; compiled code knows it by its name."""

    def __init__(self, member: str) -> None:
        self.item = LADDERS[member][0]
        super().__init__(name=f"hft.Ladder({member})")


VIEW_T = ViewType()
ORDER_T = OrderType_()


class _PairModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [("at", types.int64), ("idx", types.int64)])


for _type in (ViewType, OrderType_, LadderType):
    register_model(_type)(_PairModel)
    make_attribute_wrapper(_type, "at", "_at")
    make_attribute_wrapper(_type, "idx", "_idx")


def _maker(pair: Any) -> Any:
    @intrinsic
    def make(typingctx: Any, at: Any, idx: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = cgutils.create_struct_proxy(pair)(context, builder)
            value.at, value.idx = args
            return value._getvalue()

        return pair(types.int64, types.int64), codegen

    return make


make_view = _maker(VIEW_T)
make_order = _maker(ORDER_T)
_make_ladders = {name: _maker(LadderType(name)) for name in LADDERS}


def _overload_attribute(name: str, function: Any) -> None:
    @overload_attribute(ViewType, name)
    def attribute(view):  # type: ignore[no-untyped-def]
        return lambda view: function(view._at, view._idx)


def _overload_ladder(name: str, make: Any) -> None:
    @overload_attribute(ViewType, name)
    def attribute(view):  # type: ignore[no-untyped-def]
        return lambda view: make(view._at, view._idx)


def _overload_method(owner: Any, name: str, function: Any, arguments: int) -> None:
    """Register `owner.name(*args)` as `function(at, idx, *args)`, for 0 to 5 arguments."""
    bodies: dict[int, Any] = {
        0: lambda self: lambda self: function(self._at, self._idx),
        1: lambda self, a: lambda self, a: function(self._at, self._idx, a),
        2: lambda self, a, b: lambda self, a, b: function(self._at, self._idx, a, b),
        3: lambda self, a, b, c: lambda self, a, b, c: function(self._at, self._idx, a, b, c),
    }
    overload_method(owner, name)(bodies[arguments])


def _argument_count(function: Any) -> int:
    return int((function if JIT_DISABLED else function.py_func).__code__.co_argcount) - 2


if not JIT_DISABLED:
    for _name, _function in VIEW_ATTRIBUTES.items():
        _overload_attribute(_name, _function)
    for _name, _make in _make_ladders.items():
        _overload_ladder(_name, _make)
    for _name, _function in VIEW_METHODS.items():
        _overload_method(ViewType, _name, _function, _argument_count(_function))
    for _name in ("cancel", "cancel_all"):
        _overload_method(
            OrderType_, _name, ORDER_METHODS[_name], _argument_count(ORDER_METHODS[_name])
        )

    @overload(operator.getitem)
    def _view_item(pair, i):  # type: ignore[no-untyped-def]
        if isinstance(pair, ViewType):
            return lambda pair, i: make_view(pair._at, listened(pair._at, i))
        if isinstance(pair, OrderType_):
            return lambda pair, i: make_order(pair._at, listened(pair._at, i))
        if isinstance(pair, LadderType):
            item = pair.item
            return lambda pair, i: item(pair._at, pair._idx, i)
        return None

    @overload_method(OrderType_, "quote")
    def _order_quote(order, side, tick, lots):  # type: ignore[no-untyped-def]
        return lambda order, side, tick, lots: quote(order._at, order._idx, side, tick, lots)

    @overload_method(OrderType_, "amend")
    def _order_amend(order, order_id, tick, lots):  # type: ignore[no-untyped-def]
        return lambda order, order_id, tick, lots: amend(
            order._at, order._idx, order_id, tick, lots
        )

    @overload_method(OrderType_, "log")
    def _order_log(order, code, value):  # type: ignore[no-untyped-def]
        return lambda order, code, value: ctx.log_value(order._at, code, value)

    @overload_method(OrderType_, "new")
    def _order_new(order, side, tick, lots, tif=0, type=1, expires_ns=0):  # type: ignore[no-untyped-def]
        def implementation(order, side, tick, lots, tif=0, type=1, expires_ns=0):  # type: ignore[no-untyped-def]
            return new_order(order._at, order._idx, side, tick, lots, tif, type, expires_ns)

        return implementation

    @overload_method(OrderType_, "target")
    def _order_target(order, lots, tick=None):  # type: ignore[no-untyped-def]
        if tick is None or isinstance(tick, types.NoneType | types.Omitted):
            return lambda order, lots, tick=None: target_market(order._at, order._idx, lots)
        return lambda order, lots, tick=None: target_at(order._at, order._idx, lots, tick)


class Ladder:
    """A member with an index: item k is computed when it is asked for."""

    __slots__ = ("_at", "_idx", "_member")

    def __init__(self, at: int, idx: int, member: str) -> None:
        self._at, self._idx, self._member = at, idx, member

    def __getitem__(self, k: int) -> Any:
        item, length = LADDERS[self._member]
        if not 0 <= k < length:
            raise IndexError(f"view.{self._member} has items 0 to {length - 1}")
        return item(self._at, self._idx, k)


class View:
    """What a strategy may see now, delayed by feed latency; ticks and lots unless named."""

    __slots__ = ("_at", "_idx")

    def __init__(self, at: int, idx: int = 0) -> None:
        self._at, self._idx = at, idx

    def __getitem__(self, i: int) -> "View":
        return View(self._at, int(listened(self._at, i)))

    def __getattr__(self, name: str) -> Any:
        if name in VIEW_ATTRIBUTES:
            return VIEW_ATTRIBUTES[name](self._at, self._idx)
        if name in LADDERS:
            return Ladder(self._at, self._idx, name)
        if name in VIEW_METHODS:
            function, at, idx = VIEW_METHODS[name], self._at, self._idx
            return lambda *args: function(at, idx, *args)
        raise AttributeError(_no_member("view", name, [*VIEW_ATTRIBUTES, *LADDERS, *VIEW_METHODS]))


def _no_member(of: str, name: str, known: list[str]) -> str:
    """One sentence: what was asked for is not there, and what probably was meant."""
    near = get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(known))}"
    return f"{of} has no member {name!r}; {meant}"


class Order:
    """How a strategy speaks: each call writes plain intents that go through the gateway."""

    __slots__ = ("_at", "_idx")

    def __init__(self, at: int, idx: int = 0) -> None:
        self._at, self._idx = at, idx

    def __getitem__(self, i: int) -> "Order":
        return Order(self._at, int(listened(self._at, i)))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_no_member("order", name, [*ORDER_METHODS, "new", "target"]))

    def quote(self, side: int, tick: float, lots: int) -> None:
        """Keep exactly this one order on a side; lots 0 withdraws."""
        quote(self._at, self._idx, int(side), tick, lots)

    def target(self, lots: int, tick: float | None = None) -> None:
        """One order for the difference to position and working orders; no tick: MARKET IOC."""
        if tick is None:
            target_market(self._at, self._idx, lots)
        else:
            target_at(self._at, self._idx, lots, tick)

    def new(
        self, side: int, tick: int, lots: int, tif: int = 0, type: int = 1, expires_ns: int = 0
    ) -> int:
        """A new order; returns its id, -1 when this wake-up has written too many intents."""
        at, idx = self._at, self._idx
        return int(new_order(at, idx, int(side), tick, lots, int(tif), int(type), expires_ns))

    def amend(self, order_id: int, tick: int, lots: int) -> int:
        """A new price and total quantity for an order."""
        return int(amend(self._at, self._idx, order_id, tick, lots))

    def cancel(self, order_id: int) -> int:
        """Cancel one order."""
        return int(ctx.cancel_order(self._at, self._idx, order_id))

    def cancel_all(self) -> int:
        """Cancel every own order of the instrument; returns how many still work."""
        return int(cancel_all(self._at, self._idx))

    def log(self, code: int, value: float) -> None:
        """Log (now, code, value)."""
        ctx.log_value(self._at, code, float(value))
