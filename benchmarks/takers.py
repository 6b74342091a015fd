"""Strategies that take, as our side writes them: the twins of those in `peer_hftbacktest`.

Parity of quotes alone shows little of a taker's way. `taking` crosses at every wake-up; `mixed`
quotes behind both touches and takes at every tenth wake-up. Sizes and directions
are numbers of the wake-up, so that both sides of the comparison ask for the same.
"""

import numpy as np

from hft.core.codes import Tif
from hft.strategies.base import strategy

GTX = Tif.GTX.value
IOC = Tif.IOC.value
THROUGH_TICKS = 2  # how far past the touch the limit lies


@strategy(every="10ms", params={"limit": 10}, state={"n": 0})
def taking(view, order, p, s):  # type: ignore[no-untyped-def]
    """One crossing IOC order a wake-up: towards flat beyond the limit, else in turns of seven."""
    if not view.book_valid:
        return
    n = s["n"]
    s["n"] = n + 1
    buys = (n // 7) % 2 == 0
    if view.position > p["limit"]:
        buys = False
    elif view.position < -p["limit"]:
        buys = True
    lots = 1 + (3 * n) % 5
    if buys:
        order.new(0, view.ask_tick + THROUGH_TICKS, lots, IOC)
    else:
        order.new(1, view.bid_tick - THROUGH_TICKS, lots, IOC)


@strategy(every="10ms", params={"limit": 10}, state={"n": 0})
def mixed(view, order, p, s):  # type: ignore[no-untyped-def]
    """Quotes one tick behind the touch; at every tenth wake-up an IOC at the touch towards flat.

    It takes only where no own order stands in its way: the peer knows no self-trade.
    """
    if not view.book_valid:
        return
    n = s["n"]
    s["n"] = n + 1
    position = view.position
    free_to_buy = view.working_sell_tick > view.ask_tick
    free_to_sell = view.working_buy_tick < view.bid_tick
    needs = np.array([position <= p["limit"], position >= -p["limit"]])
    for side in range(2):
        best = view.bid_tick - 1 if side == 0 else view.ask_tick + 1
        allowed = needs[side]
        slot = view.first_order(side)
        while slot >= 0:
            if view.order_live(slot):
                if view.order_tick(slot) != best or not allowed:
                    order.cancel(view.order_id(slot))
                else:
                    needs[side] = False
            slot = view.next_order(slot)
    if n % 10 == 9:
        if position <= 0 and free_to_buy:
            order.new(0, view.ask_tick, 2, IOC)
        if position > 0 and free_to_sell:
            order.new(1, view.bid_tick, 2, IOC)
    if needs[0]:
        order.new(0, view.bid_tick - 1, 1, GTX)
    if needs[1]:
        order.new(1, view.ask_tick + 1, 1, GTX)
