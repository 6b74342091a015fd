"""The matching engine behind the synthetic market: price-time priority over a tick-indexed book.

The caller owns every array (`Engine`) and draws the random words; this module turns words into
orders, matches them and writes tape rows. One call takes messages until they, or the room for rows,
run out. It never draws randomness, allocates or reads a clock, so a book that is left between two
calls goes on the same way. Orders arrive uniformly near the opposite best price, every resting
order is equally likely to be cancelled, market orders arrive at a constant rate, and a slow fair
value tilts buying against selling. The leaves are inlined: a call with eight arrays costs more than
what it does.
Source: Smith, Farmer, Gillemot, Krishnamurthy 2003 (zero-intelligence order flow).
"""

from typing import NamedTuple

import numpy as np

from hft.core.codes import EventKind, Flag, Side
from hft.core.jit import kernel
from hft.tape.schema import Columns

ORDER = np.dtype(
    [
        ("id", np.int64),
        ("qty", np.int64),  # lots still resting
        ("price", np.int64),  # ticks
        ("side", np.int64),
        ("next", np.int64),  # slot behind in the queue, -1 at the end
        ("prev", np.int64),  # slot ahead in the queue, -1 at the head
        ("live_idx", np.int64),  # place in Engine.live
        ("pad", np.int64),
    ]
)

# Places in Engine.counters.
BEST_BID, BEST_ASK, BIDS, ASKS, NEXT_ID, EXCH_TS, LOCAL_TS, FAIR, START_FAIR = range(9)
DT_MEAN_NS, LATENCY_NS, JITTER_MEAN_NS, EVENTS_DONE, ROWS = range(9, 14)
COUNTERS = 14

# Rates per unit of time; a resting order leaves at CANCEL_RATE, so about 400 orders rest.
LIMIT_RATE = 1100
MARKET_RATE = 300
CANCEL_RATE = 2
REACH_TICKS = 24  # a limit order rests at most this far from the opposite best
QTY_MAX = 32  # lots of the largest order
ROWS_PER_MESSAGE = 2 * QTY_MAX + 4
FAIR_PULL = 250  # of 65536 per tick: how much the fair value tilts buys against sells
TILT_MAX = 6000  # of 65536
FAIR_HOME = 16  # of 65536 per tick: how much the fair value is drawn home
EXPONENTIAL_BITS = 12
MEAN_BITS = 12

ADD, CANCEL, EXECUTE = EventKind.ADD.value, EventKind.CANCEL.value, EventKind.EXECUTE.value
LEVEL, TRADE = EventKind.LEVEL.value, EventKind.TRADE.value
LAST = Flag.LAST.value
BUY, SELL = Side.BUY.value, Side.SELL.value


class Engine(NamedTuple):
    """The book, its queues and the clock of the synthetic market."""

    counters: np.ndarray  # int64[COUNTERS]
    orders: np.ndarray  # ORDER[slot]
    live: np.ndarray  # int64[slot]: slots in use, the first BIDS + ASKS of them
    free: np.ndarray  # int64[slot]: stack of free slots
    level_head: np.ndarray  # int64[tick]: first slot of the queue, -1 when empty
    level_tail: np.ndarray  # int64[tick]
    level_qty: np.ndarray  # int64[tick]: lots resting
    exponential: np.ndarray  # int64[2^EXPONENTIAL_BITS]: quantiles, mean 2^MEAN_BITS


@kernel(inline=True)
def _emit(
    engine: Engine, rows: Columns, kind: int, side: int, price: int, qty: int, order_id: int
) -> None:
    """Append one row at the engine's clock."""
    counters = engine.counters
    row = counters[ROWS]
    rows.exch_ts[row] = counters[EXCH_TS]
    rows.local_ts[row] = counters[LOCAL_TS]
    rows.kind[row] = kind
    rows.side[row] = side
    rows.price[row] = price
    rows.qty[row] = qty
    rows.order_id[row] = order_id
    rows.flags[row] = 0
    counters[ROWS] = row + 1


@kernel(inline=True)
def _rest(engine: Engine, side: int, price: int, qty: int) -> int:
    """Join the end of the queue at `price`. Returns: the new order's id."""
    counters, orders = engine.counters, engine.orders
    live_count = counters[BIDS] + counters[ASKS]
    slot = engine.free[orders.size - 1 - live_count]
    order_id: int = counters[NEXT_ID]
    counters[NEXT_ID] = order_id + 1
    orders[slot]["id"] = order_id
    orders[slot]["qty"] = qty
    orders[slot]["price"] = price
    orders[slot]["side"] = side
    orders[slot]["next"] = -1
    orders[slot]["live_idx"] = live_count
    engine.live[live_count] = slot
    tail = engine.level_tail[price] if engine.level_qty[price] > 0 else -1
    orders[slot]["prev"] = tail
    if tail >= 0:
        orders[tail]["next"] = slot
    else:
        engine.level_head[price] = slot
    engine.level_tail[price] = slot
    engine.level_qty[price] += qty
    if side == BUY:
        counters[BIDS] += 1
        counters[BEST_BID] = max(counters[BEST_BID], price)
    else:
        counters[ASKS] += 1
        counters[BEST_ASK] = min(counters[BEST_ASK], price)
    return order_id


@kernel(inline=True)
def _reduce(engine: Engine, slot: int, qty: int) -> None:
    """Take `qty` lots off a resting order; at zero it leaves its queue and the best price moves."""
    counters, orders = engine.counters, engine.orders
    price = orders[slot]["price"]
    engine.level_qty[price] -= qty
    orders[slot]["qty"] -= qty
    if orders[slot]["qty"] > 0:
        return
    ahead, behind = orders[slot]["prev"], orders[slot]["next"]
    if ahead >= 0:
        orders[ahead]["next"] = behind
    else:
        engine.level_head[price] = behind
    if behind >= 0:
        orders[behind]["prev"] = ahead
    else:
        engine.level_tail[price] = ahead
    live_count = counters[BIDS] + counters[ASKS]
    moved = engine.live[live_count - 1]
    hole = orders[slot]["live_idx"]
    engine.live[hole] = moved
    orders[moved]["live_idx"] = hole
    engine.free[orders.size - live_count] = slot
    if orders[slot]["side"] == BUY:
        counters[BIDS] -= 1
        best = counters[BEST_BID]
        while best >= 0 and (counters[BIDS] == 0 or engine.level_qty[best] == 0):
            best -= 1
        counters[BEST_BID] = best
    else:
        counters[ASKS] -= 1
        best = counters[BEST_ASK]
        while best < engine.level_qty.size and (counters[ASKS] == 0 or engine.level_qty[best] == 0):
            best += 1
        counters[BEST_ASK] = best


@kernel(inline=True)
def _match(engine: Engine, rows: Columns, l3: bool, side: int, limit: int, qty: int) -> int:
    """Trade against the other side up to `limit`, best price first, head of the queue first.

    Returns: lots left over.
    """
    counters, orders = engine.counters, engine.orders
    while qty > 0:
        if side == BUY:
            price = counters[BEST_ASK]
            if price > limit or counters[ASKS] == 0:
                break
        else:
            price = counters[BEST_BID]
            if price < limit or counters[BIDS] == 0:
                break
        traded = 0
        while qty > 0 and engine.level_qty[price] > 0:
            slot = engine.level_head[price]
            part = min(qty, orders[slot]["qty"])
            if l3:
                _emit(engine, rows, EXECUTE, 1 - side, price, part, orders[slot]["id"])
            _reduce(engine, slot, part)
            qty -= part
            traded += part
        if not l3:
            _emit(engine, rows, TRADE, side, price, traded, 0)
            _emit(engine, rows, LEVEL, 1 - side, price, engine.level_qty[price], 0)
    return qty


@kernel(inline=True)
def _enter(engine: Engine, rows: Columns, l3: bool, side: int, price: int, qty: int) -> None:
    """A new order: what crosses trades at once, the rest of it joins the book."""
    qty = _match(engine, rows, l3, side, price, qty)
    if qty == 0:
        return
    order_id = _rest(engine, side, price, qty)
    if l3:
        _emit(engine, rows, ADD, side, price, qty, order_id)
    else:
        _emit(engine, rows, LEVEL, side, price, engine.level_qty[price], 0)


@kernel(inline=True)
def _leave(engine: Engine, rows: Columns, l3: bool, word: int) -> None:
    """Cancel a resting order picked at random: one in eight gives up a half and keeps its place."""
    counters, orders = engine.counters, engine.orders
    live_count = counters[BIDS] + counters[ASKS]
    slot = engine.live[((word & 0xFFFFFFFF) * live_count) >> 32]
    price, side, order_id = orders[slot]["price"], orders[slot]["side"], orders[slot]["id"]
    qty = orders[slot]["qty"]
    if (word >> 60) & 7 == 0 and qty > 1:
        qty >>= 1
    _reduce(engine, slot, qty)
    if l3:
        _emit(engine, rows, CANCEL, side, price, qty, order_id)
    else:
        _emit(engine, rows, LEVEL, side, price, engine.level_qty[price], 0)


@kernel(inline=True)
def _tick_clock(engine: Engine, word: int) -> None:
    """Move the exchange clock, the delivery clock and, one time in 256, the fair value."""
    counters = engine.counters
    mask = (1 << EXPONENTIAL_BITS) - 1
    counters[EXCH_TS] += (engine.exponential[word & mask] * counters[DT_MEAN_NS]) >> MEAN_BITS
    jitter = (engine.exponential[(word >> 12) & mask] * counters[JITTER_MEAN_NS]) >> MEAN_BITS
    # One connection delivers in order: a late packet holds back those behind it.
    counters[LOCAL_TS] = max(counters[LOCAL_TS], counters[EXCH_TS] + counters[LATENCY_NS] + jitter)
    if (word >> 24) & 0xFF == 0:
        home = (counters[START_FAIR] - counters[FAIR]) * FAIR_HOME
        up = (word >> 32) & 0xFFFF < 32768 + home
        counters[FAIR] += 1 if up else -1


@kernel(inline=True)
def _message(engine: Engine, rows: Columns, l3: bool, flow: int, detail: int) -> None:
    """One message of the order flow: a cancel, a market order or a limit order."""
    counters = engine.counters
    live_count = counters[BIDS] + counters[ASKS]
    total = LIMIT_RATE + MARKET_RATE + CANCEL_RATE * live_count
    pick = ((flow & 0xFFFFFFFF) * total) >> 32
    full = live_count == engine.orders.size
    if (pick >= LIMIT_RATE + MARKET_RATE and live_count > 0) or full:
        _leave(engine, rows, l3, detail)
        return
    fair = counters[FAIR]
    bid = counters[BEST_BID] if counters[BIDS] > 0 else fair - 1
    ask = counters[BEST_ASK] if counters[ASKS] > 0 else fair + 1
    tilt = (2 * fair - bid - ask) * FAIR_PULL // 2
    tilt = min(max(tilt, -TILT_MAX), TILT_MAX)
    side = BUY if (flow >> 32) & 0xFFFF < 32768 + tilt else SELL
    qty = 1 + ((((detail >> 32) & 0xFF) * ((detail >> 40) & 0xFF)) >> 13)
    if pick >= LIMIT_RATE:
        if (flow >> 48) & 7 == 0:
            qty *= 4
        price = ask if side == BUY else bid
    else:
        reach = 1 + min(
            ((detail & 0xFFFF) * REACH_TICKS) >> 16, (((detail >> 16) & 0xFFFF) * REACH_TICKS) >> 16
        )
        price = ask - reach if side == BUY else bid + reach
    price = min(max(price, 1), engine.level_qty.size - 2)
    _enter(engine, rows, l3, side, price, qty)


@kernel
def run(engine: Engine, words: np.ndarray, rows: Columns, l3: bool) -> int:
    """Play messages from random words (three each) until they or the room for rows run out.

    Mutates: engine; rows from counters[ROWS] on.
    Returns: messages played.
    """
    counters = engine.counters
    for message in range(words.shape[0]):
        first = counters[ROWS]
        if first + ROWS_PER_MESSAGE > rows.kind.size:
            return message
        _tick_clock(engine, words[message, 0])
        _message(engine, rows, l3, words[message, 1], words[message, 2])
        rows.flags[counters[ROWS] - 1] = LAST
        counters[EVENTS_DONE] += 1
    return int(words.shape[0])
