"""The table of working orders: found by id, listed by account, instrument and side.

A slot freed last is used first, so that a few working orders live in a few cache lines; an index of
open addresses leads from an id to its slot. Owns ORDER, HOLD, `order_index` and `heads`; decides
nothing.
"""

from typing import Any

from hft.core.jit import kernel
from hft.gateway import index, tables

FREE = 0


@kernel
def find(gw: Any, order_id: int) -> int:
    """The slot of a working order, or -1."""
    orders, words = tables.orders(gw), tables.order_index(gw)
    if order_id <= 0:
        return -1
    at = index.seek(words, order_id, index.home(words, order_id))
    while at >= 0:
        slot = index.row_of(words[at])
        if orders[slot]["order_id"] == order_id:
            return slot
        at = index.seek(words, order_id, (at + 1) & (len(words) - 1))
    return -1


@kernel(inline=True)
def place(gw: Any, order_id: int) -> int:
    """A slot for a new id, entered in the index. Returns: -1 when the id is working, or no room.

    Mutates: head, order_index. The caller writes the row.
    """
    head, orders = tables.head(gw)[0], tables.orders(gw)
    if find(gw, order_id) >= 0:
        return -1
    slot = head["order_free"] - 1
    if slot >= 0:
        head["order_free"] = orders[slot]["next_slot"]
    else:
        slot = head["order_count"]
        if slot >= len(orders):
            return -1
        head["order_count"] = slot + 1
    index.add(tables.order_index(gw), order_id, slot)
    return slot


@kernel
def free(gw: Any, slot: int) -> None:
    """Give a slot back; all but its id and its place in a list stays readable."""
    head, order = tables.head(gw)[0], tables.orders(gw)[slot]
    index.remove(tables.order_index(gw), order["order_id"], slot)
    order["order_id"] = FREE
    order["next_slot"] = head["order_free"]
    head["order_free"] = slot + 1


@kernel
def list_of(gw: Any, account_idx: int, instrument_idx: int, side: int) -> int:
    """The index of a list of working orders in `heads`."""
    n_instruments = tables.config(gw)[0]["n_instruments"]
    return (account_idx * n_instruments + instrument_idx) * 2 + side


@kernel(inline=True)
def link(gw: Any, slot: int) -> None:
    """Put an order first in the list of its account, instrument and side."""
    orders, heads = tables.orders(gw), tables.heads(gw)
    order = orders[slot]
    list_idx = list_of(gw, order["account_idx"], order["instrument_idx"], order["side"])
    first = heads[list_idx]
    order["next_slot"] = first
    order["prev_slot"] = -1
    if first >= 0:
        orders[first]["prev_slot"] = slot
    heads[list_idx] = slot


@kernel
def unlink(gw: Any, slot: int) -> None:
    """Take an order out of its list."""
    orders = tables.orders(gw)
    order = orders[slot]
    after = order["next_slot"]
    before = order["prev_slot"]
    if before >= 0:
        orders[before]["next_slot"] = after
    else:
        list_idx = list_of(gw, order["account_idx"], order["instrument_idx"], order["side"])
        tables.heads(gw)[list_idx] = after
    if after >= 0:
        orders[after]["prev_slot"] = before
