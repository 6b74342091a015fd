"""`view` and `order`: what a strategy reads and how it speaks, compiled and plain alike.

Both are a pair (address of the CONTEXT, instrument index). Every member stands once in a table
below as a function over that pair; the numba overloads and the plain Python properties are made
from the same table, so the three ways to run a strategy cannot drift apart.
"""

import math
import operator
from collections.abc import Callable
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

from hft.core.jit import JIT_DISABLED, kernel
from hft.market.book import NO_ASK, NO_BID
from hft.strategies import context as ctx


@kernel
def _now(at: int, idx: int) -> int:
    return ctx.context_at(at)["now_ns"]


@kernel
def _wake(at: int, idx: int) -> int:
    return ctx.context_at(at)["wake"]


@kernel
def _book_valid(at: int, idx: int) -> bool:
    return ctx.touch_of(at, idx)["valid"] != 0


@kernel
def _bid_tick(at: int, idx: int) -> int:
    return ctx.touch_of(at, idx)["bid_tick"]


@kernel
def _ask_tick(at: int, idx: int) -> int:
    return ctx.touch_of(at, idx)["ask_tick"]


@kernel
def _bid_lots(at: int, idx: int) -> int:
    return ctx.touch_of(at, idx)["bid_lots"]


@kernel
def _ask_lots(at: int, idx: int) -> int:
    return ctx.touch_of(at, idx)["ask_lots"]


@kernel
def _spread_ticks(at: int, idx: int) -> int:
    touch = ctx.touch_of(at, idx)
    return touch["ask_tick"] - touch["bid_tick"]


@kernel
def _mid_tick(at: int, idx: int) -> float:
    touch = ctx.touch_of(at, idx)
    return (touch["bid_tick"] + touch["ask_tick"]) * 0.5


@kernel
def _micro_tick(at: int, idx: int) -> float:
    touch = ctx.touch_of(at, idx)
    bid_lots = touch["bid_lots"]
    ask_lots = touch["ask_lots"]
    if bid_lots + ask_lots <= 0:
        return (touch["bid_tick"] + touch["ask_tick"]) * 0.5
    weighted = touch["bid_tick"] * float(ask_lots) + touch["ask_tick"] * float(bid_lots)
    return weighted / (bid_lots + ask_lots)


@kernel
def _last_trade_tick(at: int, idx: int) -> int:
    return ctx.touch_of(at, idx)["last_trade_tick"]


@kernel
def _last_trade_lots(at: int, idx: int) -> int:
    return ctx.touch_of(at, idx)["last_trade_lots"]


@kernel
def _last_trade_side(at: int, idx: int) -> int:
    return ctx.touch_of(at, idx)["last_trade_side"]


@kernel
def _position(at: int, idx: int) -> int:
    return ctx.position_of(at, idx)["qty"]


@kernel
def _pnl(at: int, idx: int) -> int:
    row = ctx.position_of(at, idx)
    return row["realized_money"] + row["marked_money"] - row["fees_money"]


@kernel
def _open_buy(at: int, idx: int) -> int:
    return ctx.open_lots(at, idx, 0)


@kernel
def _open_sell(at: int, idx: int) -> int:
    return ctx.open_lots(at, idx, 1)


@kernel
def _working_tick(at: int, idx: int, side: int) -> int:
    best = NO_BID if side == 0 else NO_ASK
    slot = ctx.first_working(at, idx, side)
    while slot >= 0:
        row = ctx.order_in(at, slot)
        if ctx.is_own(at, slot):
            best = max(best, row["price"]) if side == 0 else min(best, row["price"])
        slot = row["next_slot"]
    return best


@kernel
def _working_buy_tick(at: int, idx: int) -> int:
    return _working_tick(at, idx, 0)


@kernel
def _working_sell_tick(at: int, idx: int) -> int:
    return _working_tick(at, idx, 1)


@kernel
def _session_phase(at: int, idx: int) -> int:
    return ctx.touch_of(at, idx)["phase"]


@kernel
def _first_order(at: int, idx: int, side: int) -> int:
    slot = ctx.first_working(at, idx, side)
    while slot >= 0 and not ctx.is_own(at, slot):
        slot = ctx.next_working(at, slot)
    return slot


@kernel
def _next_order(at: int, idx: int, slot: int) -> int:
    slot = ctx.next_working(at, slot)
    while slot >= 0 and not ctx.is_own(at, slot):
        slot = ctx.next_working(at, slot)
    return slot


@kernel
def _order_id(at: int, idx: int, slot: int) -> int:
    return ctx.order_in(at, slot)["order_id"]


@kernel
def _order_tick(at: int, idx: int, slot: int) -> int:
    return ctx.order_in(at, slot)["price"]


@kernel
def _order_live(at: int, idx: int, slot: int) -> bool:
    row = ctx.order_in(at, slot)
    return row["request"] < 0


@kernel
def _order_open(at: int, idx: int, slot: int) -> int:
    row = ctx.order_in(at, slot)
    return row["qty"] - row["filled_qty"]


@kernel
def _to_price(at: int, idx: int, tick: float) -> float:
    return tick * ctx.tick_size(at, idx)


@kernel
def _to_ticks(at: int, idx: int, price: float) -> int:
    ratio = price / ctx.tick_size(at, idx)
    tick = math.floor(ratio + 0.5)
    if abs(ratio - tick) > 1e-6:
        raise ValueError("to_ticks: the price is between two ticks")
    return int(tick)


@kernel
def passive_tick(side: int, price: float) -> int:
    """A price on the grid, rounded away from the market: a buy down, a sell up."""
    if side == 0:
        return int(math.floor(price))
    return int(math.ceil(price))


@kernel
def _quote(at: int, idx: int, side: int, price: float, lots: int) -> None:
    ctx.quote(at, idx, side, passive_tick(side, price), lots)


@kernel
def _target_at(at: int, idx: int, lots: int, price: float) -> None:
    gap = lots - ctx.position_of(at, idx)["qty"]
    ctx.target(at, idx, lots, passive_tick(0 if gap > 0 else 1, price), False)


@kernel
def _target_market(at: int, idx: int, lots: int) -> None:
    ctx.target(at, idx, lots, 0, True)


@kernel
def _new(at: int, idx: int, side: int, tick: int, lots: int, tif: int, order_type: int) -> int:
    return ctx.new_order(at, idx, side, tick, lots, tif, order_type)


@kernel
def _cancel_all(at: int, idx: int) -> int:
    return ctx.cancel_side(at, idx, 0) + ctx.cancel_side(at, idx, 1)


@kernel
def _log(at: int, idx: int, code: int, value: float) -> None:
    ctx.log_value(at, code, value)


VIEW_ATTRIBUTES: dict[str, Callable[..., Any]] = {
    "now": _now,
    "wake": _wake,
    "book_valid": _book_valid,
    "bid_tick": _bid_tick,
    "ask_tick": _ask_tick,
    "bid_lots": _bid_lots,
    "ask_lots": _ask_lots,
    "spread_ticks": _spread_ticks,
    "mid_tick": _mid_tick,
    "micro_tick": _micro_tick,
    "last_trade_tick": _last_trade_tick,
    "last_trade_lots": _last_trade_lots,
    "last_trade_side": _last_trade_side,
    "traded_since_wake": ctx.traded_since_wake,
    "position": _position,
    "pnl": _pnl,
    "open_buy": _open_buy,
    "open_sell": _open_sell,
    "working_buy_tick": _working_buy_tick,
    "working_sell_tick": _working_sell_tick,
    "session_phase": _session_phase,
    "tick_size": ctx.tick_size,
}
VIEW_METHODS: dict[str, Callable[..., Any]] = {
    "first_order": _first_order,
    "next_order": _next_order,
    "order_id": _order_id,
    "order_tick": _order_tick,
    "order_live": _order_live,
    "order_open": _order_open,
    "to_price": _to_price,
    "to_ticks": _to_ticks,
}
LADDERS: dict[str, int] = {"bid_ticks": 0, "ask_ticks": 1, "bid_depth": 2, "ask_depth": 3}
ORDER_METHODS: dict[str, Callable[..., Any]] = {
    "quote": _quote,
    "amend": ctx.amend_order,
    "cancel": ctx.cancel_order,
    "cancel_all": _cancel_all,
    "log": _log,
}


@kernel
def ladder_item(at: int, idx: int, which: int, k: int) -> int:
    """Item k of a ladder: ticks or lots of the k-th best level of a side."""
    if which < 2:
        return ctx.depth_tick(at, idx, which, k)
    return ctx.depth_lots(at, idx, which - 2, k)


@kernel
def listened(at: int, i: int) -> int:
    """`i` when the strategy listens to instrument i. Raises: IndexError."""
    if i < 0 or i >= ctx.context_at(at)["instruments"]:
        raise IndexError("the strategy does not listen to that many instruments")
    return i


class _Pair(types.Type):  # type: ignore[misc]
    """An (address, instrument index) pair; its subclasses differ in their members only."""


class ViewType(_Pair):
    def __init__(self) -> None:
        super().__init__(name="hft.View")


class OrderType_(_Pair):
    def __init__(self) -> None:
        super().__init__(name="hft.Order")


class LadderType(_Pair):
    def __init__(self, which: int) -> None:
        self.which = which
        super().__init__(name=f"hft.Ladder({which})")


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
_make_ladders = {name: _maker(LadderType(which)) for name, which in LADDERS.items()}


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
    for _name, _function in ORDER_METHODS.items():
        _overload_method(OrderType_, _name, _function, _argument_count(_function))

    @overload(operator.getitem)
    def _view_item(pair, i):  # type: ignore[no-untyped-def]
        if isinstance(pair, ViewType):
            return lambda pair, i: make_view(pair._at, listened(pair._at, i))
        if isinstance(pair, OrderType_):
            return lambda pair, i: make_order(pair._at, listened(pair._at, i))
        if isinstance(pair, LadderType):
            which = pair.which
            return lambda pair, i: ladder_item(pair._at, pair._idx, which, i)
        return None

    @overload_method(OrderType_, "new")
    def _order_new(order, side, tick, lots, tif=0, type=1):  # type: ignore[no-untyped-def]
        def implementation(order, side, tick, lots, tif=0, type=1):  # type: ignore[no-untyped-def]
            return _new(order._at, order._idx, side, tick, lots, tif, type)

        return implementation

    @overload_method(OrderType_, "target")
    def _order_target(order, lots, tick=None):  # type: ignore[no-untyped-def]
        if tick is None or isinstance(tick, types.NoneType | types.Omitted):
            return lambda order, lots, tick=None: _target_market(order._at, order._idx, lots)
        return lambda order, lots, tick=None: _target_at(order._at, order._idx, lots, tick)


class Ladder:
    """`view.bid_ticks` and its kin: item k belongs to the k-th best level, computed when asked."""

    __slots__ = ("_at", "_idx", "_which")

    def __init__(self, at: int, idx: int, which: int) -> None:
        self._at, self._idx, self._which = at, idx, which

    def __getitem__(self, k: int) -> int:
        if not 0 <= k < 10:
            raise IndexError("the view has levels 0 to 9")
        return int(ladder_item(self._at, self._idx, self._which, k))


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
            return Ladder(self._at, self._idx, LADDERS[name])
        if name in VIEW_METHODS:
            function, at, idx = VIEW_METHODS[name], self._at, self._idx
            return lambda *args: function(at, idx, *args)
        known = sorted([*VIEW_ATTRIBUTES, *LADDERS, *VIEW_METHODS])
        raise AttributeError(f"view has no member {name!r}; it has {', '.join(known)}")


class Order:
    """How a strategy speaks: each call writes plain intents that go through the gateway."""

    __slots__ = ("_at", "_idx")

    def __init__(self, at: int, idx: int = 0) -> None:
        self._at, self._idx = at, idx

    def __getitem__(self, i: int) -> "Order":
        return Order(self._at, int(listened(self._at, i)))

    def quote(self, side: int, tick: float, lots: int) -> None:
        """Keep exactly this one order on a side; lots 0 withdraws."""
        _quote(self._at, self._idx, int(side), tick, lots)

    def target(self, lots: int, tick: float | None = None) -> None:
        """One order for the difference to position and working orders; no tick: MARKET IOC."""
        if tick is None:
            _target_market(self._at, self._idx, lots)
        else:
            _target_at(self._at, self._idx, lots, tick)

    def new(self, side: int, tick: int, lots: int, tif: int = 0, type: int = 1) -> int:
        """A new order; returns its id, -1 when this wake-up has written too many intents."""
        return int(_new(self._at, self._idx, int(side), tick, lots, int(tif), int(type)))

    def amend(self, order_id: int, tick: int, lots: int) -> int:
        """A new price and total quantity for an order."""
        return int(ctx.amend_order(self._at, self._idx, order_id, tick, lots))

    def cancel(self, order_id: int) -> int:
        """Cancel one order."""
        return int(ctx.cancel_order(self._at, self._idx, order_id))

    def cancel_all(self) -> int:
        """Cancel every own order of the instrument; returns how many still work."""
        return int(_cancel_all(self._at, self._idx))

    def log(self, code: int, value: float) -> None:
        """Log (now, code, value)."""
        ctx.log_value(self._at, code, float(value))
