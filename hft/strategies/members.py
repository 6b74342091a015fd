"""The members of `view` and `order`: each one function over (address of the CONTEXT, instrument).

The tables at the end are all there is: `hft.strategies.view` makes the compiled and the plain form
from them, so that compiled strategies, plain Python and callback classes cannot drift apart.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hft.core.codes import Tif
from hft.core.jit import kernel
from hft.market import features
from hft.market.book import NO_ASK, NO_BID
from hft.strategies import context as ctx
from hft.strategies.whole import whole_lots, whole_tick

LEVELS_MAX = 10
NO_TICK, TICK_MAX = -(1 << 63), 2.0**63  # compiled, nan becomes any number: it is NO_TICK
FAR_NS = 1 << 62  # the end of a session where no calendar is known

_GTD = Tif.GTD.value


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
    return features.spread_ticks(touch["bid_tick"], touch["ask_tick"])


@kernel
def _mid2(at: int, idx: int) -> int:
    touch = ctx.touch_of(at, idx)
    return features.mid2(touch["bid_tick"], touch["ask_tick"])


@kernel
def _mid_tick(at: int, idx: int) -> float:
    touch = ctx.touch_of(at, idx)
    return features.mid_tick(touch["bid_tick"], touch["ask_tick"])


@kernel
def _micro_tick(at: int, idx: int) -> float:
    touch = ctx.touch_of(at, idx)
    return features.micro_tick(
        touch["bid_tick"], touch["bid_lots"], touch["ask_tick"], touch["ask_lots"]
    )


@kernel
def _imbalance(at: int, idx: int, levels: int) -> float:
    if levels == 1:
        touch = ctx.touch_of(at, idx)
        return features.imbalance(touch["bid_lots"], touch["ask_lots"])
    return features.imbalance(ctx.side_lots(at, idx, 0, levels), ctx.side_lots(at, idx, 1, levels))


@kernel
def _order_flow(at: int, idx: int, seen: np.ndarray) -> int:
    if len(seen) != features.TOUCH_SEEN:
        raise ValueError("order_flow: its argument is a state of four integers, [0] * 4")
    touch = ctx.touch_of(at, idx)
    return features.flow_since(
        seen,
        touch["valid"] != 0,
        touch["bid_tick"],
        touch["bid_lots"],
        touch["ask_tick"],
        touch["ask_lots"],
    )


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
def _ns_to_close(at: int, idx: int) -> int:
    end_ns = ctx.touch_of(at, idx)["end_ns"]
    return end_ns if end_ns == FAR_NS else max(0, end_ns - ctx.context_at(at)["now_ns"])


@kernel
def _first_order(at: int, idx: int, side: int) -> int:
    slot = ctx.first_working(at, idx, side)
    while slot >= 0 and not ctx.is_own(at, slot):
        slot = ctx.next_working(at, slot)
    return slot


@kernel
def _order_of(at: int, slot: int) -> Any:
    """The order behind a handle. Raises: IndexError for a number that is none."""
    if slot < 0 or slot >= ctx.context_at(at)["orders_len"]:
        raise IndexError("no such order; a handle comes from first_order or next_order")
    return ctx.order_in(at, slot)


@kernel
def _next_order(at: int, idx: int, slot: int) -> int:
    slot = _order_of(at, slot)["next_slot"]
    while slot >= 0 and not ctx.is_own(at, slot):
        slot = ctx.next_working(at, slot)
    return slot


@kernel
def _order_id(at: int, idx: int, slot: int) -> int:
    return _order_of(at, slot)["order_id"]


@kernel
def _order_tick(at: int, idx: int, slot: int) -> int:
    return _order_of(at, slot)["price"]


@kernel
def _order_live(at: int, idx: int, slot: int) -> bool:
    row = _order_of(at, slot)
    return row["request"] < 0


@kernel
def _order_open(at: int, idx: int, slot: int) -> int:
    row = _order_of(at, slot)
    return row["qty"] - row["filled_qty"]


@kernel
def _to_price(at: int, idx: int, tick: float) -> float:
    return tick * ctx.tick_size(at, idx)


@kernel
def _to_ticks(at: int, idx: int, price: float) -> int:
    ratio = price / ctx.tick_size(at, idx)
    tick = math.floor(ratio + 0.5)
    if not abs(ratio - tick) <= 1e-6:
        raise ValueError("to_ticks: the price is between two ticks or no number")
    return int(tick)


@kernel
def passive_tick(side: int, price: float) -> int:
    """A price on the grid, rounded away from the market: a buy down, a sell up; else NO_TICK."""
    if not -TICK_MAX < price < TICK_MAX:
        return NO_TICK
    if side == 0:
        return int(math.floor(price))
    return int(math.ceil(price))


@kernel
def _level(k: int) -> int:
    """Raises: IndexError for a level beyond those that can be asked for."""
    if k < 0 or k >= LEVELS_MAX:
        raise IndexError("a ladder has levels 0 to 9")
    return k


@kernel
def _bid_ticks(at: int, idx: int, k: int) -> int:
    return ctx.depth_tick(at, idx, 0, _level(k))


@kernel
def _ask_ticks(at: int, idx: int, k: int) -> int:
    return ctx.depth_tick(at, idx, 1, _level(k))


@kernel
def _bid_depth(at: int, idx: int, k: int) -> int:
    return ctx.depth_lots(at, idx, 0, _level(k))


@kernel
def _ask_depth(at: int, idx: int, k: int) -> int:
    return ctx.depth_lots(at, idx, 1, _level(k))


@kernel
def _signal(at: int, idx: int, k: int) -> float:
    return ctx.signal_of(at, idx, k)["value_e9"] / 1e9


@kernel
def _signal_ns(at: int, idx: int, k: int) -> int:
    return ctx.signal_of(at, idx, k)["ts_ns"]


@kernel
def listened(at: int, i: int) -> int:
    """`i` when the strategy listens to instrument i. Raises: IndexError."""
    if i < 0 or i >= ctx.context_at(at)["instruments"]:
        raise IndexError("the strategy does not listen to that many instruments")
    return i


@kernel
def quote(at: int, idx: int, side: int, price: float, lots: int) -> None:
    """`order.quote`: a price between ticks is rounded away from the market."""
    ctx.quote(at, idx, side, passive_tick(side, price), whole_lots(lots))


@kernel
def target_at(at: int, idx: int, lots: int, price: float) -> None:
    """`order.target` with a price."""
    whole = whole_lots(lots)
    gap = whole - ctx.position_of(at, idx)["qty"]
    ctx.target(at, idx, whole, passive_tick(0 if gap > 0 else 1, price), False)


@kernel
def target_market(at: int, idx: int, lots: int) -> None:
    """`order.target` without a price: MARKET, IOC."""
    ctx.target(at, idx, whole_lots(lots), 0, True)


@kernel
def new_order(
    at: int, idx: int, side: int, tick: int, lots: int, tif: int, order_type: int, expires_ns: int
) -> int:
    """`order.new`. Raises: ValueError for half a tick or lot, and an end that is not GTD's."""
    if (tif == _GTD) != (expires_ns > 0):
        raise ValueError("order.new: expires_ns belongs to tif=GTD, and GTD needs it")
    price, qty = whole_tick(tick), whole_lots(lots)
    return ctx.new_order(at, idx, side, price, qty, tif, order_type, expires_ns)


@kernel
def amend(at: int, idx: int, order_id: int, tick: int, lots: int) -> int:
    """`order.amend`. Raises: ValueError for half a tick or lot."""
    return ctx.amend_order(at, idx, order_id, whole_tick(tick), whole_lots(lots))


@kernel
def cancel_all(at: int, idx: int) -> int:
    """`order.cancel_all`: returns how many orders of the instrument still work."""
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
    "mid2": _mid2,
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
    "ns_to_close": _ns_to_close,
    "tick_size": ctx.tick_size,
}
VIEW_METHODS: dict[str, Callable[..., Any]] = {
    "imbalance": _imbalance,
    "order_flow": _order_flow,
    "first_order": _first_order,
    "next_order": _next_order,
    "order_id": _order_id,
    "order_tick": _order_tick,
    "order_live": _order_live,
    "order_open": _order_open,
    "to_price": _to_price,
    "to_ticks": _to_ticks,
}
# Members with an index: the function of (address, instrument, k) and how many k there are.
LADDERS: dict[str, tuple[Callable[..., Any], int]] = {
    "bid_ticks": (_bid_ticks, LEVELS_MAX),
    "ask_ticks": (_ask_ticks, LEVELS_MAX),
    "bid_depth": (_bid_depth, LEVELS_MAX),
    "ask_depth": (_ask_depth, LEVELS_MAX),
    "signal": (_signal, ctx.SIGNALS_MAX),
    "signal_ns": (_signal_ns, ctx.SIGNALS_MAX),
}
# `order.new` and `order.target` have optional arguments; their forms are written out in `view`.
ORDER_METHODS: dict[str, Callable[..., Any]] = {
    "quote": quote,
    "amend": amend,
    "cancel": ctx.cancel_order,
    "cancel_all": cancel_all,
    "log": _log,
}
