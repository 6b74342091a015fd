"""The simulated venue's tables: resting orders, the two message queues, latency, taken liquidity.

Everything a venue knows lives in these arrays, so a snapshot is a copy of them. A slot number is
shared with the gateway's order table; the venue never reads that table.
"""

from typing import NamedTuple

import numpy as np

from hft.core.codes import LatencyLeg
from hft.core.dtypes import ANSWER, COMMAND, RESTING, Row
from hft.core.jit import kernel, out_of_line
from hft.core.seeds import PURPOSE_LATENCY, draw

FOREVER = 1 << 62
TAKEN_MAX = 256
KEPT_PART = 16

QUEUE_RISK_AVERSE = 0
QUEUE_PROB_LOG = 1
QUEUE_PROB_SQRT = 2
QUEUE_PROB_POWER = 3
QUEUE_FIFO = 4
QUEUE_USER = 5

LATENCY_CONSTANT = 0
LATENCY_UNIFORM = 1
LATENCY_SAMPLED = 2
LATENCY_INTERPOLATED = 3


def _row(*names: str) -> np.dtype:
    return np.dtype([(name, np.int64) for name in names], align=True)


HEAD = _row(
    "fill_id",
    "queue_model",
    "queue_power_e6",  # exponent of the power model in 1e-6
    "capped",  # 1: fills never exceed what the tape shows; 0: whole fills
    "taken_count",
    "next_expiry_ns",
    "draws",  # random draws made so far
    "seed",
    "overflow",  # messages that found a queue full: a defect
    "priority",  # L3 rows seen
    "amend_keeps_priority",  # 1: a lower quantity at the same price keeps its place
    "queue_at",  # address of a user's queue model; belongs to the process
    "asking",  # 1 while that model runs: who raised what it raises
)
# Positions begin at 0 again whenever a queue runs empty, so that few messages use few cache lines.
QUEUE = _row(
    "first",
    "last",
    "mask",  # slot = position & mask
    "last_ns",  # arrival of the newest message ever: none arrives before it
    "next_ns",  # arrival of the oldest message, FOREVER when there is none
    "told",  # messages before this position are journaled
    "room",  # so many may wait before only what is kept for getting out is left
)
LATENCY = _row("kind", "base_ns", "spread_ns", "table_at", "table_len")
TAKEN = _row("instrument_idx", "side", "tick", "lots")
L3 = _row("order_id", "priority", "qty")
L3_HEAD = _row("at", "mask", "count")


class VenueState(NamedTuple):
    head: np.ndarray
    resting: np.ndarray
    lists: np.ndarray  # first slot of (instrument, side), -1 when empty
    commands: np.ndarray
    responses: np.ndarray
    queues: np.ndarray  # QUEUE rows: 0 commands, 1 responses
    latency: np.ndarray  # LATENCY rows by LatencyLeg
    latency_table: np.ndarray
    taken: np.ndarray
    l3: np.ndarray  # open-addressed order_id -> priority, one table an instrument
    l3_heads: np.ndarray  # L3_HEAD rows by instrument
    phases: np.ndarray  # StatusCode by instrument


def new_state(
    instruments: int, slots: int, *, l3_orders: int = 0, samples: int = 0, seed: int = 0
) -> VenueState:
    """An empty venue for `instruments` and an order table of `slots` (a power of two).

    So many commands may be on their way to it at once; the last sixteenth of them is kept for
    cancels and what reduces a position: getting out goes first.
    `l3_orders` is the most market orders that any one instrument has alive at once.
    """
    l3_size = _power_of_two(2 * l3_orders + 16)
    state = VenueState(
        np.zeros(1, HEAD),
        np.zeros(slots, RESTING),
        np.full(2 * instruments, -1, np.int64),
        np.zeros(slots, COMMAND),
        np.zeros(4 * slots, ANSWER),
        np.zeros(2, QUEUE),
        np.zeros(len(LatencyLeg), LATENCY),
        np.zeros(samples + 2, np.int64),
        np.zeros(TAKEN_MAX, TAKEN),
        np.zeros(instruments * l3_size, L3),
        np.zeros(instruments, L3_HEAD),
        np.zeros(instruments, np.int64),
    )
    state.queues["mask"] = slots - 1, 4 * slots - 1
    state.queues["room"] = slots - max(1, slots // KEPT_PART), 4 * slots
    state.queues["last_ns"] = -FOREVER
    state.queues["next_ns"] = FOREVER
    state.l3_heads["at"] = np.arange(instruments) * l3_size
    state.l3_heads["mask"] = l3_size - 1
    head = state.head[0]
    head["next_expiry_ns"] = FOREVER
    head["seed"] = seed
    head["capped"] = 1
    head["amend_keeps_priority"] = 1
    return state


def _power_of_two(n: int) -> int:
    return 1 << (int(n) - 1).bit_length()


@kernel
def push(ring: np.ndarray, queue: Row, head: Row, ts: int) -> int:
    """The ring position of a new message that arrives at `ts`, never before the one ahead of it.

    Mutates: queue, ring[...]["ts_ns"]. Returns: -1 when the queue is full, which is a defect.
    """
    position = queue["last"]
    if position - queue["first"] > queue["mask"]:
        head["overflow"] += 1
        return -1
    ts = max(ts, queue["last_ns"])
    if position == queue["first"]:
        queue["next_ns"] = ts
    queue["last_ns"] = ts
    queue["last"] = position + 1
    slot = position & queue["mask"]
    ring[slot]["ts_ns"] = ts
    return slot


@kernel
def pop(ring: np.ndarray, queue: Row) -> int:
    """The ring position of the oldest message, which is taken off; its row stays till a push.

    Mutates: queue. The queue must not be empty, and all that is in it journaled.
    """
    slot = queue["first"] & queue["mask"]
    after = queue["first"] + 1
    if after == queue["last"]:
        queue["first"] = 0
        queue["last"] = 0
        queue["told"] = 0
        queue["next_ns"] = FOREVER
    else:
        queue["first"] = after
        queue["next_ns"] = ring[after & queue["mask"]]["ts_ns"]
    return slot


@kernel(inline=True)
def leg_ns(venue: VenueState, leg: int, ts: int) -> int:
    """The latency of one leg for a message sent at `ts`. Mutates: head["draws"]."""
    row = venue.latency[leg]
    return row["base_ns"] if row["kind"] == LATENCY_CONSTANT else _drawn_ns(venue, leg, ts)


@kernel
def _drawn_ns(venue: VenueState, leg: int, ts: int) -> int:
    """A latency that is no constant: from samples by time, or by chance."""
    out_of_line()
    row = venue.latency[leg]
    kind = row["kind"]
    if kind == LATENCY_INTERPOLATED:
        return _interpolate(venue.latency_table, row["table_at"], row["table_len"], ts)
    head = venue.head[0]
    value = draw(head["seed"], PURPOSE_LATENCY, leg, head["draws"])
    head["draws"] += 1
    if kind == LATENCY_UNIFORM:
        return row["base_ns"] + value % (row["spread_ns"] + 1)
    return row["base_ns"] + venue.latency_table[row["table_at"] + value % row["table_len"]]


@kernel
def _interpolate(table: np.ndarray, at: int, count: int, ts: int) -> int:
    """Linear between samples (ts_0, ns_0, ts_1, ns_1, ...), constant outside them."""
    low = 0
    high = count - 1
    if ts <= table[at]:
        return table[at + 1]
    if ts >= table[at + 2 * high]:
        return table[at + 2 * high + 1]
    while high - low > 1:
        middle = (low + high) >> 1
        if table[at + 2 * middle] <= ts:
            low = middle
        else:
            high = middle
    t0 = table[at + 2 * low]
    t1 = table[at + 2 * high]
    v0 = table[at + 2 * low + 1]
    v1 = table[at + 2 * high + 1]
    return v0 + (v1 - v0) * (ts - t0) // (t1 - t0)


@kernel
def link(venue: VenueState, slot: int) -> None:
    """Put a resting order into its (instrument, side) list: best price first, then by time."""
    row = venue.resting[slot]
    side = row["side"]
    at = row["instrument_idx"] * 2 + side
    before = -1
    after = venue.lists[at]
    while after >= 0:
        nearer = row["price"] - venue.resting[after]["price"]
        if (nearer if side == 0 else -nearer) > 0:
            break
        before = after
        after = venue.resting[after]["next_slot"]
    row["prev_slot"] = before
    row["next_slot"] = after
    if before >= 0:
        venue.resting[before]["next_slot"] = slot
    else:
        venue.lists[at] = slot
    if after >= 0:
        venue.resting[after]["prev_slot"] = slot


@kernel
def unlink(venue: VenueState, slot: int) -> None:
    """Take an order out of its list; its row no longer rests. Mutates: venue."""
    row = venue.resting[slot]
    before = row["prev_slot"]
    after = row["next_slot"]
    if before >= 0:
        venue.resting[before]["next_slot"] = after
    else:
        venue.lists[row["instrument_idx"] * 2 + row["side"]] = after
    if after >= 0:
        venue.resting[after]["prev_slot"] = before
    row["order_id"] = 0


@kernel
def taken_at(venue: VenueState, instrument_idx: int, side: int, tick: int) -> int:
    """Lots of a displayed level that our own orders took and the tape has not yet shown again."""
    for i in range(venue.head[0]["taken_count"]):
        row = venue.taken[i]
        if row["tick"] == tick and row["side"] == side and row["instrument_idx"] == instrument_idx:
            return row["lots"]
    return 0


@kernel
def take(venue: VenueState, instrument_idx: int, side: int, tick: int, lots: int) -> None:
    """Remember liquidity that our own order took. Mutates: venue."""
    head = venue.head[0]
    for i in range(head["taken_count"]):
        row = venue.taken[i]
        if row["tick"] == tick and row["side"] == side and row["instrument_idx"] == instrument_idx:
            row["lots"] += lots
            return
    if head["taken_count"] == TAKEN_MAX:
        # The oldest memory goes first; a level that long unstated is far from the touch.
        for i in range(TAKEN_MAX - 1):
            venue.taken[i] = venue.taken[i + 1]
        head["taken_count"] -= 1
    row = venue.taken[head["taken_count"]]
    row["instrument_idx"] = instrument_idx
    row["side"] = side
    row["tick"] = tick
    row["lots"] = lots
    head["taken_count"] += 1


@kernel
def forget_taken(venue: VenueState, instrument_idx: int, side: int, tick: int, lots: int) -> None:
    """Market orders of an L3 level left: so much of what we took there left with them."""
    head = venue.head[0]
    for i in range(head["taken_count"]):
        row = venue.taken[i]
        if row["tick"] == tick and row["side"] == side and row["instrument_idx"] == instrument_idx:
            row["lots"] = max(0, row["lots"] - lots)
            return


@kernel
def give_back(venue: VenueState, instrument_idx: int, side: int, tick: int) -> None:
    """The tape states the level anew: what we took there is forgotten. Mutates: venue."""
    out_of_line()
    head = venue.head[0]
    for i in range(head["taken_count"]):
        row = venue.taken[i]
        if row["tick"] == tick and row["side"] == side and row["instrument_idx"] == instrument_idx:
            last = head["taken_count"] - 1
            for j in range(i, last):
                venue.taken[j] = venue.taken[j + 1]
            head["taken_count"] = last
            return
