"""What a book says beyond its prices: mid, microprice, spread, imbalance, order flow.

The one definition of each, for strategies (through `view`) and for research over whole tapes
(`hft.features`). Pure functions of ticks and lots; floats are allowed here and never flow back
into prices or money. Order-flow imbalance: Cont, Kukanov and Stoikov, "The price impact of order
book events", Journal of Financial Econometrics 12 (2014).
"""

import numpy as np

from hft.core.dtypes import Row
from hft.core.jit import kernel
from hft.market.book import NO_ASK, NO_BID, Books, level_lots, next_ask, next_bid

# What `flow_since` remembers of a touch, in this order; lots of 0 mean: nothing seen yet.
TOUCH_SEEN = 4


@kernel
def mid2(bid_tick: int, ask_tick: int) -> int:
    """The middle of the touch in half ticks, so that it stays an integer."""
    return bid_tick + ask_tick


@kernel
def mid_tick(bid_tick: int, ask_tick: int) -> float:
    """The middle of the touch in ticks."""
    return mid2(bid_tick, ask_tick) * 0.5


@kernel
def spread_ticks(bid_tick: int, ask_tick: int) -> int:
    """Best ask less best bid."""
    return ask_tick - bid_tick


@kernel
def micro_tick(bid_tick: int, bid_lots: int, ask_tick: int, ask_lots: int) -> float:
    """The touch weighted by the other side's lots: nearer to the side with less behind it."""
    if bid_lots + ask_lots <= 0:
        return mid_tick(bid_tick, ask_tick)
    weighted = bid_tick * float(ask_lots) + ask_tick * float(bid_lots)
    return weighted / (bid_lots + ask_lots)


@kernel
def imbalance(bid_lots: int, ask_lots: int) -> float:
    """From -1 (all lots are offered) to 1 (all are bid); 0 when there are none."""
    if bid_lots + ask_lots <= 0:
        return 0.0
    return (float(bid_lots) - float(ask_lots)) / (float(bid_lots) + float(ask_lots))


@kernel
def side_lots(books: Books, head: Row, side: int, levels: int) -> int:
    """Lots of the best `levels` non-empty levels of a side together."""
    total = 0
    tick = head["bid"] if side == 0 else head["ask"]
    for _ in range(levels):
        if tick == NO_BID or tick == NO_ASK:
            break
        total += level_lots(books, head, side, tick)
        tick = next_bid(books, head, tick) if side == 0 else next_ask(books, head, tick)
    return total


@kernel
def order_flow(
    bid_before: int,
    bid_lots_before: int,
    ask_before: int,
    ask_lots_before: int,
    bid: int,
    bid_lots: int,
    ask: int,
    ask_lots: int,
) -> int:
    """Order-flow imbalance between two touches, in lots: what came to bid less what came to offer.

    A better price counts with all that stands there, a worse one with all that stood before, the
    same price with the difference.
    """
    flow = 0
    if bid >= bid_before:
        flow += bid_lots
    if bid <= bid_before:
        flow -= bid_lots_before
    if ask <= ask_before:
        flow -= ask_lots
    if ask >= ask_before:
        flow += ask_lots_before
    return flow


@kernel
def flow_since(
    seen: np.ndarray, valid: bool, bid: int, bid_lots: int, ask: int, ask_lots: int
) -> int:
    """`order_flow` since the touch in `seen`, which becomes this one; 0 at the first.

    A book that is not valid says nothing about flow: it is forgotten, and the next one is a first.
    Mutates: seen (TOUCH_SEEN integers, zero at the start).
    """
    flow = 0
    if valid and seen[1] > 0:
        flow = order_flow(
            seen[0], seen[1], seen[2], seen[3], bid, bid_lots, ask, ask_lots
        )  # fmt: skip
    seen[0] = bid
    seen[1] = bid_lots if valid else 0
    seen[2] = ask
    seen[3] = ask_lots
    return flow
