"""What must hold between any two steps, proven from the tables in plain Python.

`check` recomputes every total from the working orders; a non-empty answer is a defect of ours.
"""

import numpy as np

from hft.core.codes import DedupState, OrderStatus
from hft.core.numbers import notional_money
from hft.gateway.index import ROW, TAG
from hft.gateway.rows import ONE_AMEND
from hft.gateway.state import GatewayState

FINAL = (
    OrderStatus.FILLED,
    OrderStatus.CANCELLED,
    OrderStatus.FAILED,
    OrderStatus.EXPIRED,
)
_TOTALS = ("open_buy_qty", "open_sell_qty", "reserved_money")


def check(state: GatewayState) -> list[str]:
    """Every broken invariant as a sentence; an empty list is health."""
    live = np.flatnonzero(state.orders["order_id"] > 0)
    return [
        *_holds(state, live),
        *_leaves(state, live),
        *_totals(state),
        *_lists(state, live),
        *_reached(state.order_index, state.orders["order_id"], live, "order id"),
        *_dedup(state),
        *_gates(state),
    ]


def _gates(state: GatewayState) -> list[str]:
    """The count that lets an intent pass unasked is that of the inputs that restrict."""
    head, rows = state.head[0], state.strategies
    gates = int(head["storms"] + head["trips"] + head["recovering"] + head["degraded"])
    gates += int(head["operator_mode"] != 0)
    gates += int(((rows["mode"] != 0) | (rows["repeated"] != 0)).sum())
    if state.config[0]["require_promotion"] != 0:
        gates += int(((rows["bound"] != 0) & (rows["weight_ppm"] <= 0)).sum())
    counted = int(head["gates"])
    return [] if counted in (-1, gates) else [f"gates is {counted}, {gates} inputs restrict"]


def _holds(state: GatewayState, live: np.ndarray) -> list[str]:
    """Each order holds its worst case: as acknowledged, or as an amend in flight would make it."""
    found = []
    if int(state.head[0]["live_orders"]) != len(live):
        found.append(f"live_orders is {state.head[0]['live_orders']}, {len(live)} are in the table")
    for slot in live:
        order, hold = state.orders[slot], state.holds[slot]
        instrument = state.instruments[order["instrument_idx"]]
        shapes = [(order["price"], order["qty"])]
        if hold["in_flight"] >= ONE_AMEND:
            shapes.append((hold["price"], hold["qty"]))
        opens = [(price, max(0, qty - order["filled_qty"])) for price, qty in shapes]
        qty = max(open_qty for _, open_qty in opens)
        money = max(notional_money(instrument, price, open_qty) for price, open_qty in opens)
        if (order["held_qty"], order["reserved_money"]) != (qty, money):
            found.append(
                f"order {order['order_id']} holds {order['held_qty']} lots and "
                f"{order['reserved_money']} money, its worst case is {qty} and {money}"
            )
        if order["status"] in FINAL:
            found.append(f"order {order['order_id']} is final and still in the table")
    return found


def _leaves(state: GatewayState, live: np.ndarray) -> list[str]:
    """Open quantity and reservation of a leaf are the sums over its orders."""
    used = int(state.head[0]["leaf_count"])
    sums = np.zeros((len(state.leaves), 3), np.int64)
    for slot in live:
        order = state.orders[slot]
        sums[order["leaf_idx"], order["side"]] += order["held_qty"]
        sums[order["leaf_idx"], 2] += order["reserved_money"]
    found = []
    for index in range(used):
        leaf = state.leaves[index]
        if leaf["key"] == 0:
            continue
        for column, name in enumerate(_TOTALS):
            if leaf[name] != sums[index, column]:
                found.append(
                    f"leaf {index} {name} is {leaf[name]}, orders say {sums[index, column]}"
                )
            if leaf[name] < 0:
                found.append(f"leaf {index} {name} is below zero")
        if leaf["settled_money"] < 0 or (leaf["net_qty"] == 0 and leaf["settled_money"] != 0):
            found.append(f"leaf {index} is flat or short of settled money: {leaf['settled_money']}")
    if state.leaves[-1].tobytes().strip(b"\0"):
        found.append("the zero leaf was written")
    return found


def _totals(state: GatewayState) -> list[str]:
    """Totals of strategies, symbols and all together are the sums over leaves."""
    config, head = state.config[0], state.head[0]
    leaves = state.leaves[: int(head["leaf_count"])]
    leaves = leaves[leaves["key"] != 0]
    owner = (leaves["key"] - 1) // config["n_instruments"] % config["n_strategies"]
    found = []
    for name in ("reserved_money", "settled_money"):
        if int(head[name]) != int(leaves[name].sum()):
            found.append(f"total {name} is {head[name]}, leaves say {leaves[name].sum()}")
        for index, strategy in enumerate(state.strategies):
            total = int(leaves[name][owner == index].sum())
            if int(strategy[name]) != total:
                found.append(f"strategy {index} {name} is {strategy[name]}, leaves say {total}")
        for index, symbol in enumerate(state.symbols):
            total = int(leaves[name][leaves["instrument_idx"] == index].sum())
            if int(symbol[name]) != total:
                found.append(f"symbol {index} {name} is {symbol[name]}, leaves say {total}")
    return found


def _lists(state: GatewayState, live: np.ndarray) -> list[str]:
    """Each working order is in exactly the list of its account, instrument and side, both ways."""
    found: list[str] = []
    seen: list[int] = []
    n_instruments = int(state.config[0]["n_instruments"])
    for index, first in enumerate(state.heads):
        before, slot = -1, int(first)
        while slot >= 0 and len(seen) <= len(state.orders):
            order = state.orders[slot]
            pair = order["account_idx"] * n_instruments + order["instrument_idx"]
            if order["prev_slot"] != before or pair * 2 + order["side"] != index:
                found.append(f"list {index} is broken at slot {slot}")
            seen.append(slot)
            before, slot = slot, int(order["next_slot"])
    if sorted(seen) != live.tolist():
        found.append(f"{len(seen)} orders are listed, {len(live)} are in the table")
    return found


def _dedup(state: GatewayState) -> list[str]:
    """The recency list holds the decided entries, and every entry hangs in its bucket."""
    head = state.head[0]
    found: list[str] = []
    listed: list[int] = []
    newer, index = -1, int(head["lru_recent"])
    while index >= 0 and len(listed) <= len(state.dedup):
        if state.dedup[index]["newer"] != newer:
            found.append(f"the recency list is broken at {index}")
        listed.append(index)
        newer, index = index, int(state.dedup[index]["older"])
    rows = state.dedup[: int(head["dedup_count"])]
    states = rows["outcome"] & 3
    decided = (states == DedupState.APPROVED) | (states == DedupState.REJECTED)
    if sorted(listed) != np.flatnonzero(decided).tolist():
        found.append(f"{len(listed)} decided keys are listed, {int(decided.sum())} are stored")
    return found + _reached(state.dedup_index, state.dedup["key_lo"], np.arange(len(rows)), "key")


def _reached(words: np.ndarray, keys: np.ndarray, stored: np.ndarray, what: str) -> list[str]:
    """An index leads to every stored row, from its home on without a gap."""
    mask = len(words) - 1
    full = np.flatnonzero(words)
    led_to = sorted((words[full] & ROW) - 1)
    if led_to != sorted(stored):
        return [f"the index has {len(full)} entries, {len(stored)} rows have a {what}"]
    found = []
    for at in full:
        row = int(words[at] & ROW) - 1
        step = int(keys[row]) & TAG & mask
        while step != at and words[step] != 0:
            step = (step + 1) & mask
        if step != at:
            found.append(f"the {what} of row {row} cannot be reached")
    return found
