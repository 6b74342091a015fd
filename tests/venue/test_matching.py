"""What the venue promises, one small market each; what it does not keep yet is marked, strictly."""

from collections.abc import Callable
from typing import Any

import pytest
from small_world import (
    ADD,
    CANCEL,
    CLEAR,
    EXECUTE,
    LAST,
    LEVEL,
    SNAPSHOT,
    STATUS,
    TRADE,
    Row,
    X,
    columns,
    finish,
    opening,
    play,
    session_of,
)

from hft.core.codes import Flag, OrderType, StatusCode, StepKind, Tif
from hft.core.errors import StrategyError
from hft.core.instruments import Instrument
from hft.core.jit import kernel
from hft.strategies.base import Strategy
from hft.venue.matching import traded
from hft.venue.model import Latency, VenueModel
from hft.venue.state import VenueState, link, new_state

pytestmark = pytest.mark.nojit

BUY, SELL, MAKER, TAKER = 0, 1, 0, 1
WHOLE = VenueModel(capped=False)
BOOK = opening(10, {100: 5, 99: 5, 98: 7}, {102: 5, 103: 4, 105: 9})
END: list[Row] = [(90, LEVEL, 0, 50, 1)]  # keeps the run alive until then

Act = Callable[[Any, Any], None]


def new(side: int, tick: int, lots: int, tif: int = Tif.GTC, kind: int = OrderType.LIMIT) -> Act:
    return lambda view, order: order.new(side, tick, lots, tif, kind)


def amend(order_id: int, tick: int, lots: int) -> Act:
    return lambda view, order: order.amend(order_id, tick, lots)


def cancel(order_id: int) -> Act:
    return lambda view, order: order.cancel(order_id)


def all_of(*acts: Act) -> Act:
    def act(view: Any, order: Any) -> None:
        for one in acts:
            one(view, order)

    return act


def slow(**legs: int) -> VenueModel:
    return VenueModel({name: Latency(base_ns=ns) for name, ns in legs.items()})


# --- time in force ------------------------------------------------------------------------------

# tif, price, lots -> (price, lots) of each fill, answers without fills; the asks are BOOK's.
TIFS = [
    (Tif.GTC, 103, 7, [(102, 5), (103, 2)], ["ACK"]),
    (Tif.GTC, 103, 12, [(102, 5), (103, 4)], ["ACK"]),  # 3 lots rest at 103
    (Tif.GTC, 101, 3, [], ["ACK"]),
    (Tif.IOC, 103, 12, [(102, 5), (103, 4)], ["ACK", "EXPIRED"]),
    (Tif.IOC, 101, 3, [], ["EXPIRED"]),
    (Tif.FOK, 103, 9, [(102, 5), (103, 4)], ["ACK"]),
    (Tif.FOK, 103, 10, [], ["EXPIRED"]),
    (Tif.FOK, 101, 1, [], ["EXPIRED"]),
    (Tif.GTX, 102, 1, [], ["EXPIRED"]),
    (Tif.GTX, 101, 1, [], ["ACK"]),
    (Tif.DAY, 102, 5, [(102, 5)], ["ACK"]),
]


@pytest.mark.parametrize(("tif", "price", "lots", "fills", "answers"), TIFS)
def test_an_arriving_order_does_what_its_time_in_force_says(
    tif: Tif, price: int, lots: int, fills: list[tuple[int, int]], answers: list[str]
) -> None:
    played = play(BOOK + END, {20: new(BUY, price, lots, tif)})
    assert [(row[2], row[3]) for row in played.venue_fills()] == fills
    assert all(row[4] == TAKER for row in played.venue_fills())
    assert [name for _, name in played.answers() if name != "FILL"] == answers


def test_a_market_order_takes_every_level_and_what_is_left_expires() -> None:
    played = play(BOOK + END, {20: new(BUY, 0, 20, Tif.IOC, OrderType.MARKET)})
    assert [(row[2], row[3]) for row in played.venue_fills()] == [(102, 5), (103, 4), (105, 9)]
    assert played.answers()[-1] == (1, "EXPIRED")


def test_an_order_larger_than_the_market_does_not_fill_whole_unless_asked_to() -> None:
    capped = play(BOOK + END, {20: new(BUY, 105, 500)})
    assert sum(row[3] for row in capped.venue_fills()) == 5 + 4 + 9
    whole = play(BOOK + END, {20: new(BUY, 105, 500)}, venue=WHOLE)
    assert whole.venue_fills() == [(20, 1, 102, 500, TAKER)]


def test_a_gtd_order_ends_at_its_time_and_not_before() -> None:
    def send(expire: int) -> tuple[list[Any], list[Any]]:
        rows = [*BOOK, (40, TRADE, SELL, 99, 3), *END]
        until: Act = lambda view, order: order.new(BUY, 100, 3, Tif.GTD, expires_ns=expire)  # noqa: E731
        played = play(rows, {20: until})
        return played.venue_fills(), played.answers()

    assert send(39) == ([], [(1, "ACK"), (1, "EXPIRED")])
    # At the same instant the row comes first: what has traded has traded.
    assert send(40) == ([(40, 1, 100, 3, MAKER)], [(1, "ACK"), (1, "FILL")])


def test_a_day_order_ends_when_the_session_closes() -> None:
    rows = [*BOOK, (40, STATUS, 2, 0, StatusCode.CLOSE), *END]
    played = play(rows, {20: new(BUY, 100, 3, Tif.DAY)})
    assert played.answers() == [(1, "ACK"), (1, "EXPIRED")]


def test_only_a_close_ends_a_day_order() -> None:
    rows = [*BOOK, (40, STATUS, 2, 0, StatusCode.HALT), (50, STATUS, 2, 0, StatusCode.OPEN), *END]
    played = play(rows, {20: new(BUY, 100, 3, Tif.DAY)})
    assert played.answers() == [(1, "ACK")]


def test_an_order_that_has_ended_holds_nothing_in_the_gateway() -> None:
    held: list[tuple[int, int, int]] = []

    def send(view: Any, order: Any) -> None:
        order.new(BUY, 99, 4, Tif.GTD, expires_ns=30)
        order.new(BUY, 98, 3, Tif.DAY)
        order.new(SELL, 105, 2, Tif.GTD, expires_ns=70)

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now == 20:
            send(view, order)
        if view.now in (25, 35, 45, 75):
            reserved = int(kept[0].engine.trading.gw.orders["held_qty"].sum())
            held.append((int(view.open_buy), int(view.open_sell), reserved))

    rows = [*BOOK, (40, STATUS, 2, 0, StatusCode.CLOSE), *END]
    kept = [session_of([rows], [Strategy(body, "ends", 1, 1, {}, {})])]
    finish(kept[0])
    assert held == [(7, 2, 9), (3, 2, 5), (0, 2, 2), (0, 0, 0)]


def test_an_order_that_comes_after_its_own_end_is_acknowledged_and_gone() -> None:
    late: Act = lambda view, order: order.new(BUY, 100, 3, Tif.GTD, expires_ns=25)  # noqa: E731
    played = play(BOOK + END, {20: late}, venue=slow(entry=10))
    assert played.answers() == [(1, "ACK"), (1, "EXPIRED")] and played.venue_fills() == []


@pytest.mark.parametrize(("tif", "expires_ns"), [(Tif.GTD, 0), (Tif.GTC, 50), (Tif.GTX, 50)])
def test_an_end_belongs_to_gtd_orders_and_they_need_one(tif: Tif, expires_ns: int) -> None:
    act: Act = lambda view, order: order.new(BUY, 99, 1, tif, expires_ns=expires_ns)  # noqa: E731
    with pytest.raises(StrategyError, match="expires_ns belongs to tif=GTD, and GTD needs it"):
        play(BOOK + END, {20: act})


# --- liquidity ----------------------------------------------------------------------------------


def test_two_takers_in_one_gap_share_what_is_displayed() -> None:
    played = play(BOOK + END, {20: new(BUY, 102, 3), 30: new(BUY, 102, 9, Tif.IOC)})
    assert [(row[0], row[3]) for row in played.venue_fills()] == [(20, 3), (30, 2)]


def test_two_takers_in_one_wake_up_share_what_is_displayed() -> None:
    both = all_of(new(BUY, 103, 4, Tif.IOC), new(BUY, 103, 9, Tif.IOC))
    played = play(BOOK + END, {20: both})
    assert [row[1:4] for row in played.venue_fills()] == [
        (1, 102, 4),
        (2, 102, 1),
        (2, 103, 4),
    ]


def test_only_what_a_level_gains_is_new_after_we_took_it() -> None:
    rows = [*BOOK, (30, LEVEL, 1, 102, 6), *END]
    script = {20: new(BUY, 103, 9, Tif.IOC), 40: new(BUY, 103, 9, Tif.IOC)}
    played = play(rows, script)
    assert [row[2:4] for row in played.venue_fills()] == [(102, 5), (103, 4), (102, 1)]


def test_each_lot_that_leaves_a_level_may_have_been_one_we_took() -> None:
    # 5 shown, 4 taken; down to 3: two of ours may have left, so 2 still count, and 1 is free.
    rows = [*BOOK, (30, LEVEL, 1, 102, 3), (50, LEVEL, 1, 102, 0), (60, LEVEL, 1, 102, 5), *END]
    script = {t: new(BUY, 102, 9, Tif.IOC) for t in (40, 70)} | {20: new(BUY, 102, 4, Tif.IOC)}
    played = play(rows, script)
    assert [row[0:4:3] for row in played.venue_fills()] == [(20, 4), (40, 1), (70, 5)]


def test_by_the_former_rule_any_statement_of_a_level_gives_all_back() -> None:
    rows = [*BOOK, (30, LEVEL, 1, 102, 6), *END]
    script = {20: new(BUY, 103, 9, Tif.IOC), 40: new(BUY, 103, 9, Tif.IOC)}
    played = play(rows, script, venue=VenueModel(taken="restated"))
    assert [row[2:4] for row in played.venue_fills()] == [(102, 5), (103, 4), (102, 6)]


def test_what_was_taken_is_remembered_at_any_number_of_levels() -> None:
    asks = {102 + k: 2 for k in range(400)}
    first, again = new(BUY, 600, 800, Tif.IOC), new(BUY, 600, 800, Tif.IOC)
    played = play([*opening(10, {100: 5}, asks), *END], {20: first, 30: again})
    assert sum(row[3] for row in played.venue_fills()) == 800
    assert {row[0] for row in played.venue_fills()} == {20}


def test_a_fok_order_counts_what_was_taken_as_gone() -> None:
    script = {20: new(BUY, 102, 1, Tif.IOC), 30: new(BUY, 102, 5, Tif.FOK)}
    played = play(BOOK + END, script)
    assert played.answers()[-1] == (2, "EXPIRED") and len(played.venue_fills()) == 1


def test_what_a_resting_order_takes_from_an_improving_level_is_taken() -> None:
    rows = [*BOOK, (20, LEVEL, 0, 101, 5), *END]
    played = play(rows, {15: new(SELL, 101, 4), 30: new(SELL, 101, 9, Tif.IOC)})
    assert sum(row[3] for row in played.venue_fills()) == 5


def test_the_same_promise_holds_through_a_snapshot_row() -> None:
    rows = [*BOOK, (20, SNAPSHOT, 0, 101, 5), *END]
    played = play(rows, {15: new(SELL, 101, 4), 30: new(SELL, 101, 9, Tif.IOC)})
    assert sum(row[3] for row in played.venue_fills()) == 5


# --- resting orders -----------------------------------------------------------------------------


def test_a_resting_order_waits_for_all_that_stood_there_before_it() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 100, 4), (40, TRADE, SELL, 100, 3), *END]
    played = play(rows, {20: new(BUY, 100, 3)})
    assert played.venue_fills() == [(40, 1, 100, 2, MAKER)]


def test_partial_fills_add_up_to_the_order_and_then_it_is_gone() -> None:
    rows = [*BOOK, *[(30 + k, TRADE, SELL, 100, 4) for k in range(8)], *END]
    played = play(rows, {20: new(BUY, 100, 6)})
    assert [row[3] for row in played.venue_fills()] == [3, 3]
    assert played.engine.trading.positions[0]["qty"] == 6
    assert played.engine.venue.lists.tolist() == [-1, -1]


def test_trading_through_our_price_fills_us_and_never_more_than_was_traded() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 99, 4), *END]
    assert play(rows, {20: new(BUY, 100, 9)}).venue_fills() == [(30, 1, 100, 4, MAKER)]
    assert play(rows, {20: new(BUY, 100, 9)}, venue=WHOLE).venue_fills() == [(30, 1, 100, 9, MAKER)]


def test_a_print_on_the_other_side_does_not_touch_us() -> None:
    rows = [*BOOK, (30, TRADE, BUY, 99, 4), *END]
    assert play(rows, {20: new(BUY, 100, 9)}).venue_fills() == []


def test_a_touch_that_reaches_us_fills_us_with_what_it_shows() -> None:
    rows = [*BOOK, (30, LEVEL, 1, 101, 2), *END]
    assert play(rows, {20: new(BUY, 101, 9)}).venue_fills() == [(30, 1, 101, 2, MAKER)]


def test_a_touch_that_improves_twice_gives_each_level_once() -> None:
    rows = [*BOOK, (30, LEVEL, 1, 101, 2), (40, LEVEL, 1, 100, 3), *END]
    played = play(rows, {20: new(BUY, 101, 9)})
    assert [row[0:4] for row in played.venue_fills()] == [(30, 1, 101, 2), (40, 1, 101, 3)]


def test_own_orders_at_one_price_are_filled_first_come_first_served() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 100, 8), *END]
    played = play(rows, {20: new(BUY, 100, 2), 25: new(BUY, 100, 9)})
    assert [row[1:4] for row in played.venue_fills()] == [(1, 100, 2), (2, 100, 1)]


def test_own_orders_at_two_prices_are_filled_best_price_first() -> None:
    rows = [*BOOK, (30, TRADE, BUY, 106, 1), *END]
    played = play(rows, {20: new(SELL, 104, 1), 25: new(SELL, 103, 1)})
    assert [row[1:3] for row in played.venue_fills()] == [(2, 103)]


def test_a_strangers_cancel_moves_a_risk_averse_order_only_when_the_level_proves_it() -> None:
    rows = [*BOOK, (30, LEVEL, 0, 100, 20), (35, LEVEL, 0, 100, 12), (40, TRADE, SELL, 100, 5)]
    stays = play([*rows, *END], {20: new(BUY, 100, 3)})
    assert stays.venue_fills() == [], "5 stood before us, 5 traded: the next one is ours"
    proved = play(
        [*BOOK, (35, LEVEL, 0, 100, 2), (40, TRADE, SELL, 100, 5), *END], {20: new(BUY, 100, 3)}
    )
    assert proved.venue_fills() == [(40, 1, 100, 3, MAKER)]


@kernel
def _print_between(venue: VenueState, lots: int) -> None:
    """Own orders of 4 lots, a sell at 100 and a buy at 102, and a print of unknown side at 101."""
    for slot in range(2):
        row = venue.resting[slot]
        row["order_id"] = 7 + slot
        row["side"] = 1 - slot
        row["price"] = 100 + 2 * slot
        row["open_qty"] = 4
        link(venue, slot)
    traded(venue, 0, 2, 101, lots, 30)


@pytest.mark.parametrize(("lots", "filled"), [(3, [3]), (4, [4]), (6, [4, 2]), (9, [4, 4])])
def test_a_print_of_unknown_side_is_shared_by_both_of_ours(lots: int, filled: list[int]) -> None:
    venue = new_state(1, 16)
    _print_between(venue, lots)
    assert venue.responses["qty"][: venue.queues[1]["last"]].tolist() == filled


def test_a_print_outside_continuous_trading_reaches_nobody() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 90, 4, 0, int(Flag.AUCTION)), *END]
    assert play(rows, {20: new(BUY, 100, 9)}).venue_fills() == []


def test_a_level_of_more_lots_than_can_be_counted_before_us_is_only_a_long_queue() -> None:
    rows = [*opening(10, {100: 9_300_000_000_000}, {102: 5}), (30, TRADE, SELL, 100, 7), *END]
    assert play(rows, {20: new(BUY, 100, 9)}).venue_fills() == []


# --- post-only against our own ------------------------------------------------------------------


def test_a_post_only_order_that_would_lock_an_own_one_ends() -> None:
    both = {20: new(SELL, 101, 3, Tif.GTX), 30: new(BUY, 101, 3, Tif.GTX)}
    played = play(BOOK + END, both)
    assert played.answers() == [(1, "ACK"), (2, "EXPIRED")]


def test_a_post_only_amend_that_would_cross_an_own_order_ends_its_order() -> None:
    script = {20: new(SELL, 101, 3, Tif.GTX), 25: new(BUY, 100, 3, Tif.GTX), 30: amend(2, 102, 3)}
    rows = [*opening(10, {100: 5}, {103: 5}), *END]
    assert play(rows, script).answers() == [(1, "ACK"), (2, "ACK"), (2, "EXPIRED")]


def test_a_cancel_that_arrives_first_leaves_the_way_free() -> None:
    moved = all_of(cancel(1), new(BUY, 101, 3, Tif.GTX))
    played = play(BOOK + END, {20: new(SELL, 101, 3, Tif.GTX), 30: moved})
    assert played.answers() == [(1, "ACK"), (1, "CANCELLED"), (3, "ACK")]


def test_in_whole_mode_own_orders_do_not_see_each_other() -> None:
    both = {20: new(SELL, 101, 3, Tif.GTX), 30: new(BUY, 101, 3, Tif.GTX)}
    assert play(BOOK + END, both, venue=WHOLE).answers() == [(1, "ACK"), (2, "ACK")]


# --- answers ------------------------------------------------------------------------------------


def test_an_order_may_be_filled_at_more_levels_than_there_are_places_for_answers() -> None:
    asks = {102 + k: 1 for k in range(900)}
    rows = [*opening(10, {100: 5}, asks), *END]
    few, many = (play(rows, {20: new(BUY, 1_010, 900)}, slots=n) for n in (16, 1_024))
    assert len(few.venue_fills()) == 900 and few.venue_fills() == many.venue_fills()
    assert few.engine.trading.positions[0]["qty"] == 900
    assert few.digest == many.digest


def test_answers_that_take_long_pile_up_without_an_end() -> None:
    rows = [
        *BOOK,
        *[(20 + k, LEVEL, 0, 99, 5 + k % 2) for k in range(3_000)],
        (9_000, LEVEL, 0, 99, 1),
    ]

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if 20 <= view.now < 2_000:
            order.new(BUY, 100, 1, Tif.IOC)

    played = play(rows, body, venue=slow(response=5_000), slots=4_096, every_ns=1)
    assert len(played.answers()) == 1_980


# --- amend, cancel, races -----------------------------------------------------------------------

AMENDS = [  # price, total -> lots filled by a print of 7 at 100; 5 stood before us at first
    (100, 4, 2),  # less at the same price keeps its place
    (100, 6, 2),  # the same again changes nothing
    (100, 9, 0),  # more goes to the end: now 20 stand before us
]


@pytest.mark.parametrize(("price", "total", "filled"), AMENDS)
def test_an_amend_keeps_its_place_only_for_less_at_the_same_price(
    price: int, total: int, filled: int
) -> None:
    rows = [*BOOK, (25, LEVEL, 0, 100, 20), (40, TRADE, SELL, 100, 7), *END]
    played = play(rows, {20: new(BUY, 100, 6), 30: amend(1, price, total)})
    assert sum(row[3] for row in played.venue_fills()) == filled
    assert played.answers()[:2] == [(1, "ACK"), (1, "AMENDED")]


def test_a_venue_may_be_told_that_every_amend_loses_its_place() -> None:
    rows = [*BOOK, (25, LEVEL, 0, 100, 20), (40, TRADE, SELL, 100, 7), *END]
    harsh = VenueModel(amend_keeps_priority=False)
    assert play(rows, {20: new(BUY, 100, 6), 30: amend(1, 100, 4)}, venue=harsh).venue_fills() == []


def test_an_amend_after_a_partial_fill_says_the_new_total_and_nothing_is_lost() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 100, 7), (50, TRADE, SELL, 100, 9), *END]
    played = play(rows, {20: new(BUY, 100, 5), 40: amend(1, 100, 4)})
    assert [row[3] for row in played.venue_fills()] == [2, 2]
    assert played.engine.trading.positions[0]["qty"] == 4


def test_an_amend_that_crosses_takes_and_the_rest_stays_at_its_new_price() -> None:
    played = play(BOOK + END, {20: new(BUY, 100, 7), 30: amend(1, 102, 7)})
    assert played.venue_fills() == [(30, 1, 102, 5, TAKER)]
    assert played.answers() == [(1, "ACK"), (1, "AMENDED"), (1, "FILL")]


def test_in_whole_mode_an_amend_that_crosses_leaves_no_ghost() -> None:
    def look(view: Any, order: Any) -> None:
        seen.append((view.open_buy, view.position))

    seen: list[tuple[int, int]] = []
    play(BOOK + END, {20: new(BUY, 100, 7), 30: amend(1, 102, 3), 40: look}, venue=WHOLE)
    assert seen == [(0, 3)]


def test_an_amend_below_what_is_filled_ends_the_order() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 100, 8), *END]
    played = play(rows, {20: new(BUY, 100, 5), 25: amend(1, 100, 2)}, venue=slow(amend=10))
    assert played.answers() == [(1, "ACK"), (1, "FILL"), (1, "CANCELLED")]
    assert played.engine.trading.positions[0]["qty"] == 3


def test_a_cancel_that_comes_too_late_is_rejected_and_the_fill_counts() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 99, 5), *END]
    # The fill happens at 30, the cancel sent at 25 arrives at 35; we hear of the fill at 40.
    played = play(rows, {20: new(BUY, 100, 5), 25: cancel(1)}, venue=slow(cancel=10, response=10))
    assert played.venue_fills() == [(30, 1, 100, 5, MAKER)]
    assert played.engine.trading.positions[0]["qty"] == 5


def test_a_cancel_that_comes_in_time_ends_the_order() -> None:
    rows = [*BOOK, (36, TRADE, SELL, 99, 5), *END]
    played = play(rows, {20: new(BUY, 100, 5), 25: cancel(1)}, venue=slow(cancel=10, response=10))
    assert played.venue_fills() == [] and played.answers()[-1] == (1, "CANCELLED")


def test_an_amend_and_a_fill_in_flight_agree_on_what_is_left() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 99, 2), (60, TRADE, SELL, 99, 9), *END]
    legs = slow(amend=10, response=10)
    played = play(rows, {20: new(BUY, 100, 5), 35: amend(1, 99, 4)}, venue=legs)
    # Sent before we heard of the fill at 30; 4 in all are wanted, so 2 more at 99.
    assert [row[2:4] for row in played.venue_fills()] == [(100, 2), (99, 2)]
    assert played.engine.trading.positions[0]["qty"] == 4


def test_messages_of_a_leg_with_random_latency_never_overtake_each_other() -> None:
    model = VenueModel(
        {
            "entry": Latency("uniform", 2, 30),
            "cancel": Latency("uniform", 0, 5),
            "response": Latency("uniform", 1, 30),
        }
    )
    acts: dict[int, Act] = {20 + k: new(BUY, 90 + k % 8, 1) for k in range(30)}
    acts |= {51 + k: cancel(k + 1) for k in range(30)}
    rows = [*BOOK, (400, LEVEL, 0, 50, 1)]
    played = play(rows, acts, venue=model)
    arrivals = played.steps[played.steps["kind"] == StepKind.ARRIVAL]
    assert arrivals["cmd_id"].tolist() == sorted(arrivals["cmd_id"].tolist()), "commands by number"
    assert (arrivals["ts_ns"][1:] >= arrivals["ts_ns"][:-1]).all()
    answers = played.steps[played.steps["kind"] == StepKind.RESPONSE]
    assert len(answers) >= 50 and (answers["ts_ns"][1:] >= answers["ts_ns"][:-1]).all()
    assert len(set((arrivals["ts_ns"] % 7).tolist())) > 3, "the latency was not random"


# --- invalid books and halts --------------------------------------------------------------------


def test_nothing_fills_while_a_snapshot_is_open() -> None:
    rows = [*BOOK, (30, CLEAR, 2, 0, 0), (40, TRADE, SELL, 90, 9), (50, SNAPSHOT, 1, 90, 9), *END]
    played = play(rows, {20: new(BUY, 100, 5)})
    assert played.venue_fills() == []


def test_an_order_that_arrives_while_a_snapshot_is_open_takes_nothing() -> None:
    rows = [*BOOK, (30, CLEAR, 2, 0, 0), (31, SNAPSHOT, 1, 102, 9), *END]
    played = play(rows, {25: new(BUY, 102, 5)}, venue=slow(entry=10))
    assert played.venue_fills() == []


def test_nothing_resting_fills_while_trading_is_halted() -> None:
    halt = [(30, STATUS, 2, 0, StatusCode.HALT), (40, TRADE, SELL, 90, 9), (50, LEVEL, 1, 95, 9)]
    played = play([*BOOK, *halt, *END], {20: new(BUY, 100, 5)})
    assert played.venue_fills() == []


def test_an_order_that_arrives_during_a_halt_takes_nothing() -> None:
    rows = [*BOOK, (30, STATUS, 2, 0, StatusCode.HALT), *END]
    assert play(rows, {40: new(BUY, 102, 5)}).venue_fills() == []


def test_an_order_that_a_snapshot_has_crossed_is_filled_when_it_is_complete() -> None:
    fresh = opening(30, {104: 5}, {106: 5})
    played = play([*BOOK, *fresh, *END], {20: new(SELL, 102, 3)})
    assert played.venue_fills() == [(30, 1, 102, 3, MAKER)]


def test_an_order_that_the_market_crossed_during_a_halt_is_filled_at_the_opening() -> None:
    halt = [(30, STATUS, 2, 0, StatusCode.HALT), (35, LEVEL, 0, 104, 5)]
    played = play(
        [*BOOK, *halt, (40, STATUS, 2, 0, StatusCode.OPEN), *END], {20: new(SELL, 102, 3)}
    )
    assert played.venue_fills() == [(40, 1, 102, 3, MAKER)]


def test_an_order_that_arrives_in_a_gap_does_not_stand_before_everyone() -> None:
    gap = [(30, CLEAR, 2, 0, 0), (50, SNAPSHOT, 0, 100, 5), (50, SNAPSHOT, 1, 102, 5, 0, LAST)]
    rows = [*BOOK, *gap, (60, TRADE, SELL, 100, 2), *END]
    assert play(rows, {25: new(BUY, 100, 3)}, venue=slow(entry=10)).venue_fills() == []


# --- orders of an L3 tape -----------------------------------------------------------------------

FIFO = VenueModel(queue="fifo")
L3 = [
    (10, CLEAR, 2, 0, 0),
    (10, ADD, BUY, 100, 4, 1),
    (10, ADD, BUY, 100, 3, 2),
    (10, ADD, SELL, 102, 5, 3, LAST),
]


def test_an_exact_place_moves_with_those_who_were_there_before_and_not_with_later_ones() -> None:
    flow = [
        (30, ADD, BUY, 100, 9, 4),
        (31, CANCEL, BUY, 100, 9, 4),  # came after us
        (32, CANCEL, BUY, 100, 2, 1),  # stood before us
        (33, EXECUTE, BUY, 100, 2, 1),
        (34, EXECUTE, BUY, 100, 3, 2),  # the last one before us
        (35, ADD, BUY, 100, 6, 5),
        (36, EXECUTE, BUY, 100, 1, 5),  # would have been ours
        (37, EXECUTE, BUY, 100, 5, 5),
    ]
    played = play([*L3, *flow, *END], {20: new(BUY, 100, 4)}, venue=FIFO, live_orders=16)
    assert [row[0:4] for row in played.venue_fills()] == [(36, 1, 100, 1), (37, 1, 100, 3)]


def test_on_an_l3_tape_new_orders_bring_liquidity_back() -> None:
    flow = [(40, EXECUTE, SELL, 102, 5, 3), (50, ADD, SELL, 102, 6, 9)]
    script = {20: new(BUY, 102, 5, Tif.IOC), 60: new(BUY, 102, 6, Tif.IOC)}
    played = play([*L3, *flow, *END], script, venue=FIFO, live_orders=16)
    assert [row[3] for row in played.venue_fills()] == [5, 6]


def test_on_an_l3_tape_what_we_took_of_an_order_is_gone_until_the_order_is() -> None:
    flow = [
        (25, ADD, SELL, 102, 4, 8),  # behind the 5 lots of order 3
        (30, CANCEL, SELL, 102, 3, 8),  # its own lots: none of those we took
        (50, CANCEL, SELL, 102, 5, 3),  # all that we took leaves with the order
    ]
    script = {t: new(BUY, 102, 9, Tif.IOC) for t in (40, 60)} | {20: new(BUY, 102, 5, Tif.IOC)}
    for queue in ("fifo", "risk_averse"):
        venue = VenueModel(queue=queue)
        played = play([*L3, *flow, *END], script, venue=venue, live_orders=16)
        assert [row[0:4:3] for row in played.venue_fills()] == [(20, 5), (40, 1)], queue


def test_an_order_that_we_took_in_part_loses_its_other_lots_first() -> None:
    flow = [(30, CANCEL, SELL, 102, 2, 3), (50, CANCEL, SELL, 102, 1, 3)]
    script = {t: new(BUY, 102, 9, Tif.IOC) for t in (40, 60)} | {20: new(BUY, 102, 3, Tif.IOC)}
    played = play([*L3, *flow, *END], script, venue=FIFO, live_orders=16)
    assert [row[0:4:3] for row in played.venue_fills()] == [(20, 3)]


EXECUTED = [
    (30, ADD, BUY, 100, 9, 4),  # behind us
    (31, CANCEL, BUY, 100, 4, 1),  # one of two before us
    (32, EXECUTE, BUY, 100, 3, 2),  # the other one
    (33, EXECUTE, BUY, 100, 8, 4),
]


@pytest.mark.parametrize("queue", ["risk_averse", "prob_log", "prob_sqrt", "prob_power", "fifo"])
def test_every_queue_model_sees_the_executions_of_an_l3_tape(queue: str) -> None:
    venue = VenueModel(queue=queue)
    script = {20: new(BUY, 100, 2)}
    played = play([*L3, *EXECUTED, *END], script, venue=venue, live_orders=16)
    assert sum(row[3] for row in played.venue_fills()) == 2


def test_an_execution_whose_print_is_a_row_of_its_own_counts_once() -> None:
    no_book = int(Flag.NO_BOOK)
    flow = [
        (30, TRADE, SELL, 100, 5),
        (30, EXECUTE, BUY, 100, 4, 1, no_book),
        (30, EXECUTE, BUY, 100, 1, 2, no_book),
        (30, CANCEL, BUY, 100, 4, 1),
        (30, CANCEL, BUY, 100, 1, 2),
        (40, TRADE, SELL, 100, 3),
    ]
    played = play([*L3, *flow, *END], {20: new(BUY, 100, 9)}, live_orders=16)
    assert [row[0:4:3] for row in played.venue_fills()] == [(40, 1)], "7 stood before us"
    assert played.engine.venue.markets[0]["printed_lots"] == 8


@pytest.mark.parametrize("queue", ["risk_averse", "prob_log", "prob_sqrt", "prob_power"])
def test_lots_that_printed_are_no_cancellation_where_the_book_changes_in_a_row_of_its_own(
    queue: str,
) -> None:
    no_book = int(Flag.NO_BOOK)
    flow = [
        (30, TRADE, SELL, 100, 4),
        (30, EXECUTE, BUY, 100, 4, 1, no_book),
        (30, CANCEL, BUY, 100, 4, 1),
        (40, TRADE, SELL, 100, 4),
    ]
    venue, script = VenueModel(queue=queue), {20: new(BUY, 100, 9)}
    played = play([*L3, *flow, *END], script, venue=venue, live_orders=16)
    assert [row[0:4:3] for row in played.venue_fills()] == [(40, 1)], "3 of 7 stood before us still"


def test_without_order_ids_an_exact_queue_is_a_risk_averse_one() -> None:
    rows = [*BOOK, (30, TRADE, SELL, 100, 8), *END]
    for queue in ("fifo", "risk_averse"):
        played = play(rows, {20: new(BUY, 100, 9)}, venue=VenueModel(queue=queue))
        assert [row[3] for row in played.venue_fills()] == [3], queue


def test_an_idle_l3_instrument_with_the_same_order_ids_changes_nothing() -> None:
    other = Instrument("Y", X.tick, X.lot, max_price=X.max_price)
    rows = [*L3, (34, EXECUTE, BUY, 100, 4, 1), (35, EXECUTE, BUY, 100, 3, 2)]
    rows += [(36, ADD, BUY, 100, 6, 4), (37, EXECUTE, BUY, 100, 6, 4), *END]
    idle = [*L3, (30, CANCEL, BUY, 100, 4, 1), (31, CANCEL, BUY, 100, 3, 2), *END]

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now == 20:
            order.new(BUY, 100, 4)

    def run(*feeds: list[Row]) -> list[Any]:
        strategy = Strategy(body, "one", 1, 1, {}, {})
        session = session_of(
            feeds, [strategy], venue=FIFO, instruments=(X, other)[: len(feeds)], live_orders=16
        )
        return finish(session).venue_fills()

    assert run(rows, idle) == run(rows)


def test_columns_of_small_rows_are_what_they_say() -> None:
    made = columns([(10, TRADE, 1, 100, 3), (11, EXECUTE, 0, 99, 2, 7, LAST)], 5)
    assert made.local_ts.tolist() == [15, 16]
    assert made.order_id.tolist() == [0, 7] and made.flags.tolist() == [0, LAST]
