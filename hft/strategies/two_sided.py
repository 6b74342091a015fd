"""Two-sided quoting at the touch: the work that simulators are compared on.

Every wake-up: cancel a resting order that is no longer at the best price of its side or whose side
is over the position limit; where a side has no acknowledged order and the position allows it,
place one post-only lot at the best price. An order still in flight does not count as one, as in
the peer's rules, so at short intervals several orders of a side can be on their way.
"""

from hft.core.codes import Tif
from hft.strategies.base import strategy

GTX = Tif.GTX.value


@strategy(every="100ms", params={"limit": 10, "lots": 1})
def two_sided(view, order, p, s):  # type: ignore[no-untyped-def]
    """Quote both touches, at most `limit` lots away from flat."""
    if not view.book_valid:
        return
    position = view.position
    for side in range(2):
        best = view.bid_tick if side == 0 else view.ask_tick
        signed = position if side == 0 else -position
        has = False
        slot = view.first_order(side)
        while slot >= 0:
            if view.order_live(slot):
                if view.order_tick(slot) != best or signed > p["limit"]:
                    order.cancel(view.order_id(slot))
                else:
                    has = True
            slot = view.next_order(slot)
        if not has and signed <= p["limit"]:
            order.new(side, best, p["lots"], GTX)
