"""Exact queue position on L3 tapes: one own order in the true flow of a matching engine.

The exchange twin really holds our order; the simulated venue only watches the tape. Before our
first fill both see the same market, so time and size of it must be equal.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive.fifo import OWN, NaiveExchange
from small_world import Played, finish, session_of

from hft.core.codes import EventKind
from hft.core.jit import kernel
from hft.feeds.synthetic import synthesize
from hft.market.book import Books, new_books
from hft.strategies.base import Strategy
from hft.tape.schema import Columns
from hft.venue import fifo
from hft.venue.model import VenueModel
from hft.venue.state import VenueState, new_state

EVENTS, SPAN_NS, WAKE_NS = 4_000, 4_000_000_000_000, 20_000_000_000
FIFO = VenueModel(queue="fifo")


@lru_cache(maxsize=8)
def flow(seed: int) -> Columns:
    made = synthesize(seed, events=EVENTS, span_ns=SPAN_NS, kind="l3", latency_ns=0, jitter_ns=0)
    return made.columns


def simulate(seed: int, wake: int, side: int, behind: int, lots: int) -> tuple[Played, list[int]]:
    """The simulated venue with one order sent at a wake-up, `behind` ticks from the touch."""
    columns, sent = flow(seed), []

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if len(sent) == 0 and view.now >= columns.exch_ts[0] + wake * WAKE_NS:
            best = view.bid_tick if side == 0 else view.ask_tick
            tick = best - behind if side == 0 else best + behind
            order.new(side, tick, lots)
            sent.extend([int(view.now), int(tick)])

    session = session_of(
        [], [Strategy(body, "one", WAKE_NS, 1, {}, {})], venue=FIFO, low=9_000, high=11_000,
        live_orders=4_096, made=[columns],
    )  # fmt: skip
    return finish(session), sent


def truth(seed: int, sent_ns: int, side: int, tick: int, lots: int) -> NaiveExchange:
    """The exchange with our order really in it, until it is done."""
    exchange, entered = NaiveExchange(), False
    columns = flow(seed)
    rows = zip(
        columns.exch_ts.tolist(), columns.kind.tolist(), columns.side.tolist(),
        columns.price.tolist(), columns.qty.tolist(), columns.order_id.tolist(), strict=True,
    )  # fmt: skip
    for row in rows:
        if row[0] > sent_ns and not entered:
            exchange.enter(sent_ns, OWN, side, tick, lots)
            entered = True
        exchange.row(*row)
        if entered and exchange.own_open == 0:
            break
    return exchange


@settings(max_examples=40)
@given(
    seed=st.integers(0, 3),
    wake=st.integers(5, 60),
    side=st.integers(0, 1),
    behind=st.integers(0, 2),
    lots=st.integers(1, 12),
)
def test_the_first_fill_comes_when_the_true_queue_says_so(
    seed: int, wake: int, side: int, behind: int, lots: int
) -> None:
    played, (sent_ns, tick) = simulate(seed, wake, side, behind, lots)
    exchange = truth(seed, sent_ns, side, tick, lots)
    found = [(row[0], row[3]) for row in played.venue_fills()]
    assert merged(found)[:1] == merged(exchange.own_fills)[:1]


def merged(fills: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Fills of one instant as one: an aggressor may need several rows."""
    total: dict[int, int] = {}
    for ts, qty in fills:
        total[ts] = total.get(ts, 0) + qty
    return list(total.items())


def test_one_lot_orders_are_filled_as_in_the_true_engine_and_often_enough() -> None:
    compared = 0
    for seed in range(3):
        for wake in range(5, 65, 6):
            for side in (0, 1):
                played, (sent_ns, tick) = simulate(seed, wake, side, 0, 1)
                exchange = truth(seed, sent_ns, side, tick, 1)
                assert [(row[0], row[3]) for row in played.venue_fills()] == exchange.own_fills
                compared += len(exchange.own_fills)
    assert compared >= 30, "too few orders were filled to call this a comparison"


def test_the_queue_was_long_enough_to_matter() -> None:
    columns = flow(0)
    executed = columns.kind == EventKind.EXECUTE
    assert executed.sum() > 500 and (columns.kind == EventKind.CANCEL).sum() > 500


@kernel
def _table(venue: VenueState, books: Books, moves: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(moves)):
        op, order_id, lots = moves[i, 0], moves[i, 1], moves[i, 2]
        if op == 0:
            out[i] = 1 if fifo.add(venue, 0, order_id, lots, order_id & 7) else -1
        elif op == 1:
            out[i] = fifo.reduce(venue, 0, order_id, lots)
        elif op == 2:
            out[i] = fifo.priority_of(venue, 0, order_id)
        else:
            fifo.clear(venue, books, 0)


def _listed(venue: VenueState) -> dict[int, list[int]]:
    """Each level's orders from the front, and the same from the end backwards."""
    found: dict[int, list[int]] = {}
    for level in range(len(venue.firsts)):
        front, at = [], int(venue.firsts[level])
        while at > 0:
            front.append(int(venue.l3[at - 1]["order_id"]))
            at = int(venue.l3[at - 1]["next"])
        back, at = [], int(venue.lasts[level])
        while at > 0:
            back.append(int(venue.l3[at - 1]["order_id"]))
            at = int(venue.l3[at - 1]["prev"])
        assert front == back[::-1]
        if front:
            found[level] = front
    return found


def _by_level(table: dict[int, tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for order_id in sorted(table, key=lambda one: table[one][0]):
        found.setdefault(order_id & 7, []).append(order_id)
    return found


@pytest.mark.nojit
@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 0, 0, 1, 1, 2, 3]), st.integers(0, 9), st.integers(1, 5)),
        max_size=60,
    ),
    st.sampled_from([1, 16, 1 << 20, (1 << 40) + 1]),
)
def test_the_order_table_is_a_dictionary(moves: list[tuple[int, int, int]], stride: int) -> None:
    # Strides that share low bits make probe chains collide, which is where a delete may break one.
    moves = [(op, 1 + k * stride, lots) for op, k, lots in moves] + [
        (2, 1 + k * stride, 1) for k in range(10)
    ]
    out = np.zeros(len(moves), np.int64)
    venue = new_state(1, 16, levels=8, l3_orders=4)
    books = new_books([(1, 8)])
    _table(venue, books, np.array(moves, np.int64), out)
    table: dict[int, tuple[int, int]] = {}
    seen = 0
    for (op, order_id, lots), answer in zip(moves, out.tolist(), strict=True):
        priority, open_lots = table.get(order_id, (0, 0))
        if op == 0:
            if answer == -1:
                assert len(table) * 4 > (len(venue.l3) - 1) * 3, "refused with room left"
                continue
            seen += 1
            table[order_id] = (seen, lots)
        elif op == 1:
            assert answer == priority
            if priority and open_lots <= lots:
                del table[order_id]
            elif priority:
                table[order_id] = (priority, open_lots - lots)
        elif op == 2:
            assert answer == priority
        else:
            table.clear()
    assert venue.markets[0]["l3_count"] == len(table)
    assert _listed(venue) == _by_level(table)
