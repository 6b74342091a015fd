"""Mid, microprice, imbalance and order flow against fractions, and what must hold for each."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import features as naive

from hft.core.jit import kernel
from hft.market import features
from hft.market.book import Books, new_books, set_level
from hft.market.features import (
    TOUCH_SEEN,
    flow_since,
    imbalance,
    micro_tick,
    mid2,
    mid_tick,
    order_flow,
    spread_ticks,
)

pytestmark = pytest.mark.nojit

LOTS = st.integers(1, 10**9)
PRICE = st.integers(1, 10**7)


@st.composite
def touches(draw: st.DrawFn) -> naive.Touch:
    """A valid touch: both sides quoted, not crossed."""
    bid = draw(PRICE)
    return bid, draw(LOTS), bid + draw(st.integers(1, 1000)), draw(LOTS)


def near(draw: st.DrawFn, touch: naive.Touch) -> naive.Touch:
    """A touch a few ticks away, so that equal, better and worse prices are all common."""
    bid = max(1, touch[0] + draw(st.integers(-2, 2)))
    ask = max(bid + 1, touch[2] + draw(st.integers(-2, 2)))
    return bid, draw(LOTS), ask, draw(LOTS)


@st.composite
def paths(draw: st.DrawFn) -> list[naive.Touch]:
    path = [draw(touches())]
    for _ in range(draw(st.integers(1, 12))):
        path.append(near(draw, path[-1]))
    return path


def mirrored(touch: naive.Touch) -> naive.Touch:
    """The same market with buyers and sellers exchanged."""
    bid, bid_lots, ask, ask_lots = touch
    return -ask, ask_lots, -bid, bid_lots


@given(touches())
def test_mid_microprice_spread_and_imbalance_are_the_twins(touch: naive.Touch) -> None:
    bid, bid_lots, ask, ask_lots = touch
    assert mid2(bid, ask) == 2 * naive.mid(touch)
    assert mid_tick(bid, ask) == naive.mid(touch)
    assert spread_ticks(bid, ask) == ask - bid
    assert micro_tick(*touch) == pytest.approx(float(naive.micro(touch)), rel=1e-14)
    wanted = float(naive.imbalance([bid_lots], [ask_lots]))
    assert imbalance(bid_lots, ask_lots) == pytest.approx(wanted, abs=1e-15)


@given(touches())
def test_the_microprice_stands_between_the_quotes_where_the_imbalance_says(
    touch: naive.Touch,
) -> None:
    bid, bid_lots, ask, ask_lots = touch
    leaning = imbalance(bid_lots, ask_lots)
    assert -1 <= leaning <= 1
    assert bid <= micro_tick(*touch) <= ask
    half = spread_ticks(bid, ask) / 2
    assert micro_tick(*touch) == pytest.approx(mid_tick(bid, ask) + leaning * half, rel=1e-12)


def test_a_book_without_lots_has_no_imbalance_and_its_mid_as_microprice() -> None:
    assert imbalance(0, 0) == 0.0
    assert micro_tick(100, 0, 103, 0) == 101.5


@given(paths())
def test_order_flow_is_the_twins_and_changes_its_sign_in_the_mirror(
    path: list[naive.Touch],
) -> None:
    for before, after in pairwise(path):
        flow = order_flow(*before, *after)
        assert flow == naive.order_flow(before, after)
        assert order_flow(*mirrored(before), *mirrored(after)) == -flow


@given(touches(), st.lists(st.tuples(LOTS, LOTS), min_size=1))
def test_flow_at_standing_prices_adds_up_to_the_change_of_the_queues(
    first: naive.Touch, lots: list[tuple[int, int]]
) -> None:
    bid, bid_lots, ask, ask_lots = first
    seen, total = np.zeros(TOUCH_SEEN, np.int64), 0
    for one, other in [(bid_lots, ask_lots), *lots]:
        total += flow_since(seen, True, bid, one, ask, other)
    assert total == (lots[-1][0] - bid_lots) - (lots[-1][1] - ask_lots)


# before -> after (bid, lots, ask, lots) and the flow, by hand from the paper's formula.
FLOWS = [
    ((100, 5, 102, 7), (100, 9, 102, 7), 4),
    ((100, 5, 102, 7), (100, 5, 102, 9), -2),
    ((100, 5, 102, 7), (101, 3, 102, 7), 3),  # a better bid: all that stands there came
    ((100, 5, 102, 7), (99, 8, 102, 7), -5),  # the bid is gone: all that stood left
    ((100, 5, 102, 7), (100, 5, 101, 2), -2),
    ((100, 5, 102, 7), (100, 5, 103, 1), 7),
    ((100, 5, 102, 7), (101, 4, 103, 6), 4 + 7),
    ((100, 5, 102, 7), (100, 5, 102, 7), 0),
]


@pytest.mark.parametrize(("before", "after", "flow"), FLOWS)
def test_order_flow_between_two_touches(before: naive.Touch, after: naive.Touch, flow: int) -> None:
    assert order_flow(*before, *after) == flow


def test_flow_begins_anew_after_a_book_that_was_not_valid() -> None:
    seen = np.zeros(TOUCH_SEEN, np.int64)
    assert flow_since(seen, True, 100, 5, 102, 7) == 0, "the first touch came from nowhere"
    assert flow_since(seen, True, 100, 8, 102, 7) == 3
    assert flow_since(seen, False, 100, 8, 102, 0) == 0
    assert flow_since(seen, True, 90, 1, 91, 1) == 0
    assert flow_since(seen, True, 90, 4, 91, 1) == 3


@kernel
def _fill(books: Books, levels: np.ndarray) -> None:
    for k in range(len(levels)):
        set_level(books, books.heads[0], levels[k, 0], levels[k, 1], levels[k, 2])


@kernel
def _lots(books: Books, side: int, levels: int) -> int:
    return features.side_lots(books, books.heads[0], side, levels)


@given(
    st.dictionaries(st.integers(1, 99), st.integers(1, 50), max_size=12),
    st.dictionaries(st.integers(101, 199), st.integers(1, 50), max_size=12),
    st.integers(0, 12),
)
def test_lots_of_the_best_levels_are_the_twins(
    bids: dict[int, int], asks: dict[int, int], levels: int
) -> None:
    books = new_books([(1, 200)])
    rows = [(0, tick, lots) for tick, lots in bids.items()]
    rows += [(1, tick, lots) for tick, lots in asks.items()]
    _fill(books, np.array(rows, np.int64).reshape(-1, 3))
    best_bids = [bids[tick] for tick in sorted(bids, reverse=True)][:levels]
    best_asks = [asks[tick] for tick in sorted(asks)][:levels]
    found = _lots(books, 0, levels), _lots(books, 1, levels)
    assert found == (sum(best_bids), sum(best_asks))
    assert imbalance(*found) == pytest.approx(float(naive.imbalance(best_bids, best_asks)))
