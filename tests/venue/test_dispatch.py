"""The queue to the venue: full is a counted refusal, and getting out still finds a place."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive.dispatch import NaiveDispatch
from small_world import LEVEL, Played, Row, finish, opening, session_of

import hft
from hft.core.codes import IntentType, Reason, StepKind, Tif
from hft.core.jit import JIT_DISABLED
from hft.gateway.invariants import check
from hft.strategies.base import Strategy
from hft.venue.model import Latency, VenueModel

pytestmark = pytest.mark.nojit

LAST_NS = 600
SLOTS = 32  # 30 places for any command, two more for those that get out
FULL = Reason.ORDER_QUEUE_FULL
LEGS = ("entry", "amend", "cancel")


def played(body: Any, latency_ns: int, rows: int = 60, slots: int = SLOTS) -> Played:
    live: list[Row] = [(20 + 10 * k, LEVEL, 0, 90, 1 + k % 3) for k in range(rows)]
    first = opening(10, {90: 5, 99: 50}, {101: 50})
    model = VenueModel({leg: Latency(base_ns=latency_ns) for leg in LEGS})
    strategy = Strategy(body, "script", 10, 1, {}, {})
    return finish(session_of([[*first, *live]], [strategy], venue=model, slots=slots))


def decisions(run: Played) -> list[tuple[int, int, int]]:
    rows = run.steps[run.steps["kind"] == StepKind.DECISION]
    return [(int(row["ts_ns"]), int(row["intent_type"]), int(row["code"])) for row in rows]


def test_the_last_places_are_kept_for_cancels_and_what_reduces() -> None:
    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        if view.now == 20:
            order.new(hft.BUY, 101, 3, Tif.IOC)  # a position to reduce later
        if view.now == 200:
            ids = [order.new(hft.BUY, 95, 1) for _ in range(31)]
            order.cancel(ids[0])
            order.new(hft.SELL, 99, 2, Tif.IOC)
            order.cancel(ids[1])

    run = played(body, latency_ns=100)
    told = [(kind, code) for ts, kind, code in decisions(run) if ts == 200]
    new, cancel = IntentType.NEW, IntentType.CANCEL
    assert told[:30] == [(new, 0)] * 30
    assert told[30:] == [(new, FULL), (cancel, 0), (new, 0), (cancel, FULL)]
    refused = run.steps[(run.steps["kind"] == StepKind.DECISION) & (run.steps["code"] == FULL)]
    assert [(int(row["measured"]), int(row["limit"])) for row in refused] == [(31, 30), (33, 32)]
    head, gw = run.engine.trading.head[0], run.engine.trading.gw
    assert (head["orders"], head["refused"], head["decisions"]) == (32, 2, 35)
    assert gw.counts[FULL] == 2 and gw.head[0]["orders_rejected"] == 2
    assert check(gw) == [] and run.engine.venue.head[0]["overflow"] == 0


def test_a_full_table_of_orders_says_so_and_how_many_there_are() -> None:
    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        order.new(hft.BUY, 95, 1)

    run = played(body, latency_ns=0)
    told = [code for _, _, code in decisions(run)]
    assert told[:SLOTS] == [0] * SLOTS and set(told[SLOTS:]) == {FULL}
    row = run.steps[(run.steps["kind"] == StepKind.DECISION) & (run.steps["code"] == FULL)][0]
    assert (row["measured"], row["limit"]) == (SLOTS + 1, SLOTS)
    assert check(run.engine.trading.gw) == []


@settings(max_examples=8 if JIT_DISABLED else 25, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(5, 90))
def test_the_queue_is_its_twin(seed: int, latency_ns: int) -> None:
    chance, twin = random.Random(seed), NaiveDispatch(SLOTS, latency_ns)
    expected: list[int] = []
    gone_ns: dict[int, int] = {}  # when the first cancel of an order arrives

    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        now = int(view.now)
        working = [one for one, ts in gone_ns.items() if ts > now]
        if now > LAST_NS:
            return  # commands on their way keep a run alive
        for _ in range(chance.randint(0, 12)):
            if working and chance.random() < 0.6:
                one = chance.choice(working)
                order.cancel(one)
                sent = twin.send(now, True)
                if sent:
                    gone_ns[one] = min(gone_ns[one], now + latency_ns)
            elif len(working) < 8:
                one = order.new(hft.BUY, chance.randint(91, 96), 1)
                sent = twin.send(now, False)
                if sent:
                    gone_ns[one] = 1 << 62
            else:
                continue
            expected.append(0 if sent else FULL)

    run = played(body, latency_ns)
    assert [code for _, _, code in decisions(run)] == expected
    assert check(run.engine.trading.gw) == []


def test_the_duel_fills_the_queue() -> None:
    def body(view: Any, order: Any, p: Any, s: Any) -> None:
        for _ in range(8 if view.now <= LAST_NS else 0):
            order.new(hft.BUY, 95, 1, Tif.IOC)

    codes = [code for _, _, code in decisions(played(body, latency_ns=85))]
    assert 0 < codes.count(FULL) < len(codes)
