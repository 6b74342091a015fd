"""What modifications do to a queue, with a dict of orders: for rows that both sides see at once."""

from typing import NamedTuple


class Event(NamedTuple):
    """A row of an order; for "clear" only the side counts (2: both)."""

    kind: str
    side: int = 2
    price: int = 0
    qty: int = 0
    order_id: int = 0


def naive_modifies(events: list[Event]) -> tuple[list[Event], int]:
    """The rows without "modify", and how many named an order that was not there."""
    orders: dict[int, Event] = {}
    rows: list[Event] = []
    unknown = 0
    for event in events:
        if event.kind != "modify":
            rows.append(event)
            _follow(orders, event)
            continue
        old = orders.pop(event.order_id, None)
        now = event._replace(kind="add")
        if old is None:
            unknown += 1
            rows.append(now)
        elif (old.side, old.price) == (now.side, now.price) and now.qty <= old.qty:
            if now.qty < old.qty:
                rows.append(old._replace(kind="cancel", qty=old.qty - now.qty))
        else:
            rows += [old._replace(kind="cancel"), now]
        orders[event.order_id] = now
    return rows, unknown


def _follow(orders: dict[int, Event], event: Event) -> None:
    if event.kind == "clear":
        for order_id, order in list(orders.items()):
            if event.side in (order.side, 2):
                del orders[order_id]
    elif event.kind == "add":
        orders[event.order_id] = event
    elif event.kind in ("cancel", "execute") and event.order_id in orders:
        old = orders.pop(event.order_id)
        if event.qty < old.qty:
            orders[event.order_id] = old._replace(qty=old.qty - event.qty)


def resting(rows: list[Event]) -> dict[int, tuple[int, int, int]]:
    """Order id -> (side, price, lots) at the end, in the order of priority."""
    orders: dict[int, Event] = {}
    for row in rows:
        _follow(orders, row)
    return {order_id: (row.side, row.price, row.qty) for order_id, row in orders.items()}
