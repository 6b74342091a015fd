"""A venue frozen in the middle goes on as if nothing had been, with all that we took of it."""

from typing import Any

import pytest
from small_world import ADD, CANCEL, EXECUTE, LEVEL, Played, Row, finish, opening, session_of

from hft.core.codes import Tif
from hft.replay.build import Session
from hft.replay.run import drive
from hft.replay.snapshot import freeze, thaw
from hft.strategies.base import Strategy
from hft.venue.model import VenueModel

pytestmark = pytest.mark.nojit

LEVELS = {102 + k: 3 for k in range(300)}
L2: list[Row] = [
    *opening(10, {100: 5, 99: 5}, LEVELS),
    (60, LEVEL, 1, 102, 4),
    (99, LEVEL, 0, 50, 1),
]
L3: list[Row] = [
    (10, ADD, 0, 100, 5, 1),
    *[(11, ADD, 1, 102 + k % 5, 1 + k % 3, 2 + k) for k in range(40)],
    *[(50 + k, CANCEL if k % 2 else EXECUTE, 1, 102 + k % 5, 1, 2 + k) for k in range(40)],
    (99, ADD, 0, 50, 1, 99),
]


def fresh(rows: list[Row], live_orders: int, queue: str) -> Session:
    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now % 10 == 0:
            order.new(0, 103, 7, Tif.IOC)
            order.new(0, 800 if view.now == 20 else 104, 900 if view.now == 20 else 9, Tif.IOC)

    strategy = Strategy(body, "taker", 5, 1, {}, {})
    venue = VenueModel(queue=queue)
    return session_of([rows], [strategy], venue=venue, live_orders=live_orders, slots=16)


def whole(rows: list[Row], live_orders: int, queue: str) -> Played:
    return finish(fresh(rows, live_orders, queue))


@pytest.mark.parametrize(
    ("rows", "live_orders", "queue"),
    [(L2, 0, "risk_averse"), (L3, 64, "fifo"), (L3, 64, "prob_log")],
)
def test_a_run_thawed_after_it_took_liquidity_is_the_run_that_never_stopped(
    rows: list[Row], live_orders: int, queue: str
) -> None:
    straight = whole(rows, live_orders, queue)
    assert sum(row[3] for row in straight.venue_fills()) > 30
    stopped = fresh(rows, live_orders, queue)
    assert not drive(stopped, plain=True, stop_at_step=30)
    assert stopped.engine.venue.head[0]["taken_levels"] > 0
    saved = freeze(stopped)
    again = fresh(rows, live_orders, queue)
    thaw(again, saved)
    resumed = finish(again)
    assert resumed.digest == straight.digest
    assert (again.engine.venue.taken == straight.engine.venue.taken).all()


def test_a_snapshot_holds_what_was_taken_and_not_every_tick_there_is() -> None:
    stopped = fresh(L2, 0, "risk_averse")
    drive(stopped, plain=True, stop_at_step=30)
    saved = freeze(stopped)
    assert len(saved["venue.taken"]) == len(saved["books.levels"]) < len(stopped.engine.venue.taken)
