"""What a strategy sees in the engine, own orders included, in the words of the twin.

Compiled, one call reads all of it through the compiled `view`; without compilation the plain view
is read member by member.
"""

from operator import itemgetter
from typing import Any

import numpy as np

from hft.core.jit import JIT_DISABLED, kernel
from hft.strategies.view import make_view
from tests.naive.engine.chaos import LEVELS_SEEN, SEEN, put_together, sight

ORDERS_MOST = 256
LEVELS_AT = len(SEEN)
ORDERS_AT = LEVELS_AT + 4 * LEVELS_SEEN
PER_ORDER = 5
BY_ID = itemgetter(1)


def orders(view: Any) -> list[tuple[int, int, int, int, bool]]:
    """Own working orders: side, id, price, open lots, whether no request is in flight."""
    found = []
    for side in (0, 1):
        at = view.first_order(side)
        while at >= 0:
            shown = (int(view.order_id(at)), int(view.order_tick(at)), int(view.order_open(at)))
            found.append((side, *shown, bool(view.order_live(at))))
            at = view.next_order(at)
    return sorted(found, key=BY_ID)


def _look(at, idx, out, deep):  # type: ignore[no-untyped-def]
    """Write the members of SEEN, the levels and the own orders of a view; how much it was."""
    view = make_view(at, idx)
    out[0] = view.now
    out[1] = view.wake
    out[2] = view.book_valid
    out[3] = view.bid_tick
    out[4] = view.ask_tick
    out[5] = view.bid_lots
    out[6] = view.ask_lots
    out[7] = view.mid2
    out[8] = view.last_trade_tick
    out[9] = view.last_trade_lots
    out[10] = view.last_trade_side
    out[11] = view.traded_since_wake
    out[12] = view.position
    out[13] = view.pnl
    out[14] = view.open_buy
    out[15] = view.open_sell
    out[16] = view.working_buy_tick
    out[17] = view.working_sell_tick
    out[18] = view.session_phase
    to = LEVELS_AT
    for k in range(LEVELS_SEEN if deep else 0):
        out[to] = view.bid_depth[k]
        out[to + 1] = view.ask_depth[k]
        out[to + 2] = view.bid_ticks[k]
        out[to + 3] = view.ask_ticks[k]
        to += 4
    to = ORDERS_AT
    for side in range(2):
        own = view.first_order(side)
        while own >= 0:
            out[to] = side
            out[to + 1] = view.order_id(own)
            out[to + 2] = view.order_tick(own)
            out[to + 3] = view.order_open(own)
            out[to + 4] = view.order_live(own)
            to += PER_ORDER
            own = view.next_order(own)
    return to


if JIT_DISABLED:

    def engine_sight(view: Any, deep: bool) -> tuple[Any, ...]:
        """All that a strategy sees of one instrument of the engine."""
        return sight(view, orders(view), deep)
else:
    look = kernel(_look, checked=True)
    OUT = np.zeros(ORDERS_AT + PER_ORDER * ORDERS_MOST, np.int64)

    def engine_sight(view: Any, deep: bool) -> tuple[Any, ...]:
        """All that a strategy sees of one instrument of the engine."""
        seen = OUT[: look(view._at, view._idx, OUT, deep)].tolist()
        starts = range(ORDERS_AT, len(seen), PER_ORDER)
        own = [(*seen[k : k + 4], seen[k + 4] != 0) for k in starts]
        own.sort(key=BY_ID)
        levels = [seen[k : k + 4] for k in range(LEVELS_AT, ORDERS_AT, 4)] if deep else []
        return put_together(seen[:LEVELS_AT], levels, own)
