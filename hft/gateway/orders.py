"""The table of working orders: found by id, listed by account, instrument and side.

An order's home slot is its id modulo the table; a freed slot inside a probe chain keeps a tombstone
until the chain behind it is gone. Owns ORDER, HOLD and `heads`; decides nothing.
"""

from typing import Any

from hft.core.jit import kernel
from hft.gateway import tables

FREE = 0
TOMBSTONE = -1


@kernel
def find(gw: Any, order_id: int) -> int:
    """The slot of a working order, or -1."""
    orders = tables.orders(gw)
    mask = len(orders) - 1
    if order_id <= 0:
        return -1
    slot = order_id & mask
    for _ in range(mask + 1):
        at = orders[slot]["order_id"]
        if at == order_id:
            return slot
        if at == FREE:
            return -1
        slot = (slot + 1) & mask
    return -1


@kernel
def place(gw: Any, order_id: int) -> int:
    """A slot for a new id: the first free one of its chain. Returns: -1 when the id is working."""
    orders = tables.orders(gw)
    mask = len(orders) - 1
    slot = order_id & mask
    chosen = -1
    for _ in range(mask + 1):
        at = orders[slot]["order_id"]
        if at == order_id:
            return -1
        if at <= FREE and chosen < 0:
            chosen = slot
        if at == FREE:
            break
        slot = (slot + 1) & mask
    return chosen


@kernel
def free(gw: Any, slot: int) -> None:
    """Give a slot back; tombstones that no chain needs any more are swept behind it."""
    orders = tables.orders(gw)
    mask = len(orders) - 1
    if orders[(slot + 1) & mask]["order_id"] != FREE:
        orders[slot]["order_id"] = TOMBSTONE
        return
    orders[slot]["order_id"] = FREE
    slot = (slot - 1) & mask
    while orders[slot]["order_id"] == TOMBSTONE:
        orders[slot]["order_id"] = FREE
        slot = (slot - 1) & mask


@kernel
def list_of(gw: Any, account_idx: int, instrument_idx: int, side: int) -> int:
    """The index of a list of working orders in `heads`."""
    n_instruments = tables.config(gw)[0]["n_instruments"]
    return (account_idx * n_instruments + instrument_idx) * 2 + side


@kernel
def link(gw: Any, slot: int) -> None:
    """Put an order first in the list of its account, instrument and side."""
    orders, heads = tables.orders(gw), tables.heads(gw)
    order = orders[slot]
    index = list_of(gw, order["account_idx"], order["instrument_idx"], order["side"])
    first = heads[index]
    order["next_slot"] = first
    order["prev_slot"] = -1
    if first >= 0:
        orders[first]["prev_slot"] = slot
    heads[index] = slot


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
        index = list_of(gw, order["account_idx"], order["instrument_idx"], order["side"])
        tables.heads(gw)[index] = after
    if after >= 0:
        orders[after]["prev_slot"] = before
