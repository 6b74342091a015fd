"""Step 3: room for an order before it is sent, and its way back.

`rehold` is the only writer of what is held: it sets an order's hold to its worst case (the
acknowledged order or any amend in flight) and moves the difference through leaf, symbol, strategy
and total, so that held equals the sum over working orders by construction. `settle` moves position.
Buys and sells are held apart: a working sell must not make room for a buy.
"""

from typing import Any

from hft.core.codes import Reason, Side
from hft.core.jit import kernel, seldom
from hft.core.numbers import notional_money
from hft.gateway import tables
from hft.gateway.rows import ONE_AMEND, Row, because

TOTAL_MAX = 1 << 61
BUY = Side.BUY.value


@kernel
def leaf_key(config: Row, account_idx: int, strategy_idx: int, instrument_idx: int) -> int:
    pair = account_idx * config["n_strategies"] + strategy_idx
    return pair * config["n_instruments"] + instrument_idx + 1


@kernel
def home(key: int, mask: int) -> int:
    """Where a leaf's probe chain begins; keys are below 2^31, so the product stays in range."""
    return ((key * 2_654_435_761) >> 12) & mask


@kernel(inline=True)
def find_leaf(gw: Any, key: int) -> int:
    """The row of a leaf, or -1."""
    leaves, index = tables.leaves(gw), tables.leaf_index(gw)
    mask = len(index) - 1
    at = home(key, mask)
    leaf = index[at] - 1
    while leaf >= 0:
        if leaves[leaf]["key"] == key:
            return leaf
        at = (at + 1) & mask
        leaf = index[at] - 1
    return -1


@kernel
def leaf_at(gw: Any, leaf: int) -> Row:
    """The row of a leaf; of one that is not there yet (-1) the last row, which stays zero."""
    leaves = tables.leaves(gw)
    return leaves[leaf if leaf >= 0 else len(leaves) - 1]


@kernel
def hang(gw: Any, key: int, leaf: int) -> None:
    """Enter a leaf into the index."""
    index = tables.leaf_index(gw)
    mask = len(index) - 1
    at = home(key, mask)
    while index[at] != 0:
        at = (at + 1) & mask
    index[at] = leaf + 1


@kernel
def is_zero(leaf: Row) -> bool:
    """Nothing held, nothing open, no position: the leaf may be evicted."""
    return (
        leaf["net_qty"] == 0
        and leaf["open_buy_qty"] == 0
        and leaf["open_sell_qty"] == 0
        and leaf["reserved_money"] == 0
        and leaf["settled_money"] == 0
    )


@kernel
def evict_zero_leaves(gw: Any) -> None:
    """Free every zero leaf and build the index anew; rare, only at capacity."""
    head, index = tables.head(gw)[0], tables.leaf_index(gw)
    for at in range(len(index)):
        index[at] = 0
    for leaf in range(head["leaf_count"]):
        row = tables.leaves(gw)[leaf]
        if row["key"] == 0:
            continue
        if is_zero(row):
            row["key"] = 0
            row["free_next"] = head["leaf_free"]
            head["leaf_free"] = leaf + 1
        else:
            hang(gw, row["key"], leaf)


@kernel
def add_leaf(gw: Any, key: int) -> int:
    """A row for a new leaf. Returns: -1 at capacity when none is zero."""
    seldom()
    head, config, leaves = tables.head(gw)[0], tables.config(gw)[0], tables.leaves(gw)
    if head["leaf_free"] == 0 and head["leaf_count"] >= config["leaf_capacity"]:
        evict_zero_leaves(gw)
        if head["leaf_free"] == 0:
            return -1
    if head["leaf_free"] != 0:
        leaf = head["leaf_free"] - 1
        head["leaf_free"] = leaves[leaf]["free_next"]
    else:
        leaf = head["leaf_count"]
        head["leaf_count"] = leaf + 1
    leaves[leaf]["key"] = key
    leaves[leaf]["instrument_idx"] = (key - 1) % config["n_instruments"]
    leaves[leaf]["refused_ns"] = leaves[leaf]["closing_id"] = 0
    hang(gw, key, leaf)
    return leaf


@kernel
def exceeds_total(head: Row, config: Row, request: Row, d: Row) -> bool:
    total = head["reserved_money"] + head["settled_money"] + request["add_money"]
    limit = config["global_notional_max"]
    return limit > 0 and total > limit and because(d, total, limit)


@kernel
def exceeds_strategy(strategy: Row, request: Row, d: Row) -> bool:
    total = strategy["reserved_money"] + strategy["settled_money"] + request["add_money"]
    limit = strategy["notional_max"]
    return limit > 0 and total > limit and because(d, total, limit)


@kernel
def exceeds_leaf(strategy: Row, leaf: Row, request: Row, d: Row) -> bool:
    total = leaf["reserved_money"] + leaf["settled_money"] + request["add_money"]
    limit = strategy["leaf_notional_max"]
    return limit > 0 and total > limit and because(d, total, limit)


@kernel
def worst_qty(leaf: Row, request: Row) -> int:
    """The position if everything open on the request's side, and the request, filled."""
    net, bought, sold = leaf["net_qty"], leaf["open_buy_qty"], leaf["open_sell_qty"]
    toward = net + bought if request["side"] == BUY else sold - net
    return toward + request["add_qty"]


@kernel
def exceeds_net_qty(strategy: Row, leaf: Row, request: Row, d: Row) -> bool:
    worst = worst_qty(leaf, request)
    limit = strategy["net_qty_max"]
    return limit > 0 and worst > limit and because(d, worst, limit)


@kernel(inline=True)
def overflows(head: Row, config: Row, request: Row, d: Row) -> bool:
    """Beyond what the limits prove safe; the fast gate, where on, names price or qty itself."""
    total = head["reserved_money"] + head["settled_money"] + request["add_money"]
    if request["saturated"] != 0:
        return config["fast_gate"] == 0 and because(d, total, TOTAL_MAX)
    return total > TOTAL_MAX and because(d, total, TOTAL_MAX)


@kernel(inline=True)
def check(
    head: Row,
    config: Row,
    strategy: Row,
    leaf: Row,
    request: Row,
    d: Row,
) -> int:
    """Limits on what would be held, in the order of contract 3.5; a proven order passes them.

    Mutates: d["measured"], d["limit"] of the check that refuses.
    """
    limited = request["proven"] == 0 and request["lowers"] == 0
    if limited and request["add_money"] > 0:
        if exceeds_total(head, config, request, d):
            return Reason.GLOBAL_EXPOSURE_LIMIT.value
        if exceeds_strategy(strategy, request, d):
            return Reason.STRATEGY_EXPOSURE_LIMIT.value
        if exceeds_leaf(strategy, leaf, request, d):
            return Reason.LEAF_NOTIONAL_LIMIT.value
    if limited and request["add_qty"] > 0 and exceeds_net_qty(strategy, leaf, request, d):
        return Reason.NET_QTY_LIMIT.value
    return Reason.OK.value


@kernel
def open_after(total: int, filled: int) -> int:
    """Lots still open of an order with this total."""
    return max(0, total - filled)


@kernel(inline=True)
def hold_qty(order: Row, hold: Row) -> int:
    """The most lots the order may still trade."""
    held = open_after(order["qty"], order["filled_qty"])
    if hold["in_flight"] >= ONE_AMEND:
        held = max(held, open_after(hold["qty"], order["filled_qty"]))
    return held


@kernel(inline=True)
def hold_money(instrument: Row, order: Row, hold: Row) -> int:
    """The largest notional the order may still become."""
    filled = order["filled_qty"]
    held = notional_money(instrument, order["price"], open_after(order["qty"], filled))
    if hold["in_flight"] >= ONE_AMEND:
        amended = notional_money(instrument, hold["price"], open_after(hold["qty"], filled))
        held = max(held, amended)
    return held


@kernel(inline=True)
def rehold(
    head: Row,
    strategy: Row,
    symbol: Row,
    leaf: Row,
    order: Row,
    held_qty: int,
    held_money: int,
) -> None:
    """Set what an order holds and carry the difference to leaf, symbol, strategy and total."""
    qty = held_qty - order["held_qty"]
    money = held_money - order["reserved_money"]
    order["held_qty"] = held_qty
    order["reserved_money"] = held_money
    # Sides alternate at random: a sum of nothing is cheaper than a branch nobody can guess.
    bought = qty if order["side"] == BUY else 0
    leaf["open_buy_qty"] += bought
    leaf["open_sell_qty"] += qty - bought
    leaf["reserved_money"] += money
    symbol["reserved_money"] += money
    strategy["reserved_money"] += money
    head["reserved_money"] += money


@kernel
def share(amount: int, part: int, whole: int) -> int:
    """amount x part / whole to the nearest integer, ties to even, exact for any int64 amount.

    Units: 0 <= part <= whole, whole > 0, amount >= 0.
    """
    quotient = amount // whole
    rest = amount - quotient * whole
    total = quotient * part
    if rest < (1 << 31) and part < (1 << 31):
        product = rest * part
        low = product // whole
        left = product - low * whole
    else:
        # rest x part may pass 2^63: multiply bit by bit, keeping quotient and remainder.
        low, left = 0, 0
        for bit in range(61, -1, -1):
            low, left = low * 2, left * 2
            if (part >> bit) & 1:
                left += rest
            while left >= whole:
                left -= whole
                low += 1
    total += low
    if left > whole - left or (left == whole - left and total % 2 != 0):
        total += 1
    return total


@kernel
def settle(
    head: Row,
    strategy: Row,
    symbol: Row,
    leaf: Row,
    instrument: Row,
    side: int,
    price: int,
    qty: int,
) -> None:
    """Move a fill into the position at cost; the part that closes gives its share back."""
    net = leaf["net_qty"]
    signed = qty if side == BUY else -qty
    closed = 0
    if (net > 0 and signed < 0) or (net < 0 and signed > 0):
        closed = min(abs(net), qty)
    money = notional_money(instrument, price, qty - closed)
    if closed > 0:
        money -= share(leaf["settled_money"], closed, abs(net))
    leaf["net_qty"] = net + signed
    leaf["settled_money"] += money
    symbol["settled_money"] += money
    strategy["settled_money"] += money
    head["settled_money"] += money
