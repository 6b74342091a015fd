"""A true price-time exchange: one list of orders, searched from the front for the best price.

Takes the rows of an L3 tape as the messages that caused them, so that one more order can be put
into the very same flow.
"""

from dataclasses import dataclass

from hft.core.codes import EventKind

OWN = -1


@dataclass
class Resting:
    order_id: int
    side: int
    price: int
    qty: int


class NaiveExchange:
    def __init__(self) -> None:
        self.orders: list[Resting] = []  # in time order
        self.own_fills: list[tuple[int, int]] = []  # (time, lots)

    def row(self, ts: int, kind: int, side: int, price: int, qty: int, order_id: int) -> None:
        if kind == EventKind.CLEAR:
            self.orders = []
        elif kind == EventKind.ADD:
            self.enter(ts, order_id, side, price, qty)
        elif kind == EventKind.CANCEL:
            for order in self.orders:
                if order.order_id == order_id:
                    order.qty -= min(order.qty, qty)
        elif kind == EventKind.EXECUTE:
            self._take(ts, 1 - side, price, qty)
        self.orders = [order for order in self.orders if order.qty > 0]

    def enter(self, ts: int, order_id: int, side: int, price: int, qty: int) -> None:
        """A limit order: trades first, then joins the end of its queue."""
        left = self._take(ts, side, price, qty)
        if order_id == OWN and left < qty:
            self.own_fills.append((ts, qty - left))
        if left > 0:
            self.orders.append(Resting(order_id, side, price, left))

    def _take(self, ts: int, side: int, limit: int, qty: int) -> int:
        """Trade up to `qty` with the best prices, oldest first; returns what is left."""
        sign = 1 if side == 0 else -1
        while qty > 0:
            others = [o for o in self.orders if o.side != side and o.qty > 0]
            best = min(others, key=lambda o: sign * o.price, default=None)
            if best is None or sign * best.price > sign * limit:
                return qty
            part = min(qty, best.qty)
            best.qty -= part
            qty -= part
            if best.order_id == OWN:
                self.own_fills.append((ts, part))
        return 0

    @property
    def own_open(self) -> int:
        return sum(order.qty for order in self.orders if order.order_id == OWN)
