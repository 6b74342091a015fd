"""The table of working orders: found by id, listed by account, instrument and side.

An order's home slot is its id modulo the table; a freed slot inside a probe chain keeps a tombstone
until the chain behind it is gone. Owns ORDER, HOLD and `heads`; decides nothing.
"""

import numpy as np

from hft.core.jit import kernel

FREE = 0
TOMBSTONE = -1


@kernel
def find(orders: np.ndarray, mask: int, order_id: int) -> int:
    """The slot of a working order, or -1."""
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
def place(orders: np.ndarray, mask: int, order_id: int) -> int:
    """A slot for a new id: the first free one of its chain. Returns: -1 when the id is working."""
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
def free(orders: np.ndarray, mask: int, slot: int) -> None:
    """Give a slot back; tombstones that no chain needs any more are swept behind it."""
    if orders[(slot + 1) & mask]["order_id"] != FREE:
        orders[slot]["order_id"] = TOMBSTONE
        return
    orders[slot]["order_id"] = FREE
    slot = (slot - 1) & mask
    while orders[slot]["order_id"] == TOMBSTONE:
        orders[slot]["order_id"] = FREE
        slot = (slot - 1) & mask


@kernel
def link(orders: np.ndarray, heads: np.ndarray, index: int, slot: int) -> None:
    """Put an order first in the list of its account, instrument and side."""
    first = heads[index]
    orders[slot]["next_slot"] = first
    orders[slot]["prev_slot"] = -1
    if first >= 0:
        orders[first]["prev_slot"] = slot
    heads[index] = slot


@kernel
def unlink(orders: np.ndarray, heads: np.ndarray, index: int, slot: int) -> None:
    """Take an order out of its list."""
    after = orders[slot]["next_slot"]
    before = orders[slot]["prev_slot"]
    if before >= 0:
        orders[before]["next_slot"] = after
    else:
        heads[index] = after
    if after >= 0:
        orders[after]["prev_slot"] = before
