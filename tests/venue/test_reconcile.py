"""Asking the venue what became of an order never loses what it has already told us."""

from typing import Any

import pytest
from small_world import TRADE, finish, opening, session_of

import hft
from hft.core.codes import ResponseKind
from hft.gateway.invariants import check
from hft.runs.faults import FaultPlan
from hft.strategies.base import Strategy
from hft.venue.model import Latency, VenueModel

pytestmark = pytest.mark.nojit


def test_a_fill_on_its_way_is_booked_although_its_order_is_gone_at_the_venue() -> None:
    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now == 20:
            order.new(hft.BUY, 99, 5)

    rows = [*opening(10, {98: 5}, {101: 5}), (60, TRADE, 1, 99, 5), (200, TRADE, 1, 97, 1)]
    venue = VenueModel({"response": Latency(base_ns=50)})
    session = session_of([rows], [Strategy(body, "script", 10, 1, {}, {})], venue=venue)
    session.engine.clock["faulty"] = 1
    session.engine.faults[:] = FaultPlan(lost_ack=1.0, unknown_after_ns=1).rows(3)
    run = finish(session)
    assert (1, ResponseKind.UNKNOWN.name) in run.answers()
    assert len(run.venue_fills()) == 1
    assert run.engine.trading.positions[0]["qty"] == 5
    assert run.engine.trading.gw.leaves[0]["net_qty"] == 5
    assert run.engine.trading.gw.head[0]["live_orders"] == 0 and check(run.engine.trading.gw) == []
