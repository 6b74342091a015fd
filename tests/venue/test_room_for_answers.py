"""The ring of answers never overflows: what one thing at the venue may answer is bounded.

Eight order slots, answers that take longer than the market lasts, and every answer said twice: the
ring is short of room all the time, in random markets and at each filling of it before one end.
"""

import importlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hft.core.codes import ResponseKind, Side, StatusCode, StepKind, Tif
from hft.strategies.base import Strategy
from hft.venue.answers import BESIDE_FILLS, COPIES, needs_room, room
from hft.venue.model import Latency, VenueModel
from tests import twin_world
from tests.naive.engine.house import House
from tests.naive.engine.markets import market
from tests.small_world import LEVEL, STATUS, TRADE, finish, opening, session_of

pytestmark = [
    pytest.mark.nojit,
    pytest.mark.skipif(
        os.environ.get("NUMBA_DISABLE_JIT") != "1", reason="watches kernels in plain Python"
    ),
]
engine_module = importlib.import_module("hft.replay.engine")
run_module = importlib.import_module("hft.replay.run")
SLOTS = 8
LATE_NS = 400
ALWAYS = 1_000_000
MARKETS = 15  # of each seed; an engine that does not look for room shows in the first ten


class Watch:
    """What each row of a tape, each expiry and each command was answered, and what room it had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.grown = 0
        self.answered: list[int] = []
        for name in ("venue_span", "expire_due", "arrive"):
            monkeypatch.setattr(engine_module, name, self.watched(getattr(engine_module, name)))
        monkeypatch.setattr(run_module, "grow", self.counted(run_module.grow))
        monkeypatch.setattr(twin_world, "NO_HOUSE", House({}, slots=SLOTS))

    def watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def act(state: Any, *given: Any) -> Any:
            venue = getattr(state, "venue", state)
            rests = int((venue.resting["order_id"] > 0).sum())
            had, before = int(room(venue)), int(venue.queues[1]["last"])
            assert real.__name__ == "arrive" or not needs_room(venue), "no row before there is room"
            answer = real(state, *given)
            made = int(venue.queues[1]["last"]) - before
            if real.__name__ == "arrive":  # it has said them twice already
                assert made <= had
            else:
                assert made <= rests + BESIDE_FILLS and COPIES * made <= had
            self.answered.append(made)
            return answer

        return act

    def counted(self, real: Callable[..., None]) -> Callable[..., None]:
        def act(session: Any) -> None:
            self.grown += 1
            real(session)

        return act


def doubled(made: Any, strategies: Any) -> Any:
    """A session that says every answer twice."""
    session = twin_world.session_of(made, strategies)
    session.engine.faults[0]["duplicate_ack_e6"] = ALWAYS
    session.engine.clock[0]["faulty"] = 1
    return session


def test_nothing_at_the_venue_answers_more_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, sim_seed: int
) -> None:
    watch = Watch(monkeypatch)
    for seed in range(sim_seed * MARKETS, (sim_seed + 1) * MARKETS):
        made = market(seed)
        made.venue.legs["response"] = ("constant", LATE_NS, 0, ())
        made.actors[:] = [replace(actor, bold=0.7) for actor in made.actors]
        # An overflow ends it with an InvariantError.
        twin_world.engine_records(made, session_for=doubled)
    assert watch.grown >= 5 and max(watch.answered) >= 5, "the ring was never short of room"


ENDS = {
    "the close": (STATUS, 2, 0, StatusCode.CLOSE.value),
    "a print": (TRADE, 1, 90, 1000),
    "a crossing": (LEVEL, 1, 90, 1000),
}


@pytest.mark.parametrize("end", ENDS)
def test_one_row_that_ends_every_order_finds_room_however_full_the_ring_was(end: str) -> None:
    """Eight orders rest; one was amended so often that few places are left of 32, or of 64."""
    for amends in (0, 1, 2, 3, 8, 17, 18, 19, 20, 21):
        sent: list[int] = []

        def act(
            view: Any, order: Any, p: Any, s: Any, sent: Any = sent, most: int = amends
        ) -> None:
            if len(sent) < SLOTS:
                sent.append(order.new(Side.BUY, 100, 5, Tif.DAY))
            elif len(sent) < SLOTS + most:
                sent.append(order.amend(sent[0], 100, 5 + view.now % 2))

        rows = [*opening(1, {99: 5}, {110: 5}), (200, *ENDS[end])]
        model = VenueModel(legs={"response": Latency("constant", LATE_NS, 0, ())})
        strategy = Strategy(act, "fills the ring", 1, 1, {}, {})
        session = session_of([rows], [strategy], venue=model, slots=SLOTS)
        session.engine.faults[0]["duplicate_ack_e6"] = ALWAYS
        session.engine.clock[0]["faulty"] = 1
        played = finish(session)
        answers = played.steps[played.steps["kind"] == StepKind.RESPONSE]
        ended = answers[answers["ignored"] == 0]["code"]
        kind = ResponseKind.EXPIRED if end == "the close" else ResponseKind.FILL
        assert (ended == kind).sum() == SLOTS


def test_one_order_that_takes_every_level_finds_room_for_each_fill_and_its_double() -> None:
    for levels in range(8, 24):  # about where the ring of the start is too small

        def act(view: Any, order: Any, p: Any, s: Any, lots: int = levels) -> None:
            if view.ask_tick == 110 and not view.position:
                order.new(Side.BUY, 110 + lots, lots, Tif.IOC)

        rows = [*opening(1, {99: 5}, {110 + k: 1 for k in range(levels)}), (200, LEVEL, 0, 99, 6)]
        model = VenueModel(legs={"response": Latency("constant", LATE_NS, 0, ())})
        session = session_of(
            [rows], [Strategy(act, "sweeps", 50, 0, {}, {})], venue=model, slots=SLOTS
        )
        session.engine.faults[0]["duplicate_ack_e6"] = ALWAYS
        session.engine.clock[0]["faulty"] = 1
        played = finish(session)  # an overflow ends it with an InvariantError
        assert len(played.fills) >= levels
