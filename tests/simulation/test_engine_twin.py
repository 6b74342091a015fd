"""The engine and a twin of it, written from the documents alone, agree on random markets.

A market is drawn from its seed (tests/naive/engine/markets.py); the chaos strategy computes the
same decisions in both worlds from what it sees there, so that a difference of views shows, too.
"""

import os
from collections import Counter
from typing import Any

import pytest

from hft.core.codes import EventKind, Flag, Tif
from tests.naive.engine.markets import Actor, Row, Venue, market
from tests.naive.gateway_state import Rules
from tests.simulation.engine_faults import FAULTS, OF_A_HOUSE, Plant
from tests.simulation.fuzz_engine import differs, hits, missing, shrunk, told
from tests.twin_world import difference, engine_records, twin_records

MARKETS = 120  # of each seed of the run; `make fuzz-engine` compares 200 000
FOUND_WITHIN = 2000
SEARCHED = 3000
LEGS = ("entry", "amend", "cancel", "response")
plain_only = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") != "1", reason="faults are planted in plain Python"
)


@pytest.mark.nojit
@pytest.mark.parametrize("block", range(4))
def test_engine_and_twin_agree_step_by_step_fill_by_fill_and_row_by_row(block: int) -> None:
    sample = MARKETS if os.environ.get("NUMBA_DISABLE_JIT") != "1" else MARKETS // 6
    first = 1_000_000 * (block + 1)
    for seed in range(first, first + sample):
        made = market(seed)
        if difference(engine_records(made), twin_records(made)) is not None:
            pytest.fail(told(shrunk(made)))


@pytest.mark.nojit
@pytest.mark.parametrize("limited", [False, True])
def test_price_0_with_ioc_or_fok_is_a_market_order_at_the_venue_too(limited: bool) -> None:
    made = market(0, form="quotes")
    made.feeds = [[Row(t, t, EventKind.BBO, t % 2, 99 + 2 * (t % 2), 10) for t in range(100, 140)]]
    made.actors, made.instruments = [Actor(0, 10, 1, 0.0, 1)], made.instruments[:1]
    made.venue = Venue("risk_averse", legs={leg: ("constant", 3, 0, ()) for leg in LEGS})
    made.start_ns = made.end_ns = None
    made.rules = Rules(1, strategies=1, instruments=1) if limited else None

    def sell(*_: Any) -> Any:
        left = [int(Tif.FOK), int(Tif.IOC)]

        def wake(view: Any, order: Any, p: Any, s: Any) -> None:
            if left:
                order.new(1, 0, 2, left.pop())

        return wake

    found = engine_records(made, sell)
    assert difference(found, twin_records(made, sell)) is None
    assert [fill[5:7] for fill in found.fills[:2]] == [(99, 2), (99, 2)]


def _took(rows: list[Row]) -> int:
    """Lots that one IOC order of 100 takes at the end, after one of 5 at the start."""
    made = market(0, form="orders")
    made.feeds, made.actors = [rows], [Actor(0, 10, 1, 0.0, 1)]
    made.venue = Venue("fifo", legs={leg: ("constant", 0, 0, ()) for leg in LEGS})
    made.instruments, made.start_ns, made.end_ns = made.instruments[:1], None, None

    def take(*_: Any) -> Any:
        lots = iter((5, 100))

        def wake(view: Any, order: Any, p: Any, s: Any) -> None:
            order.new(0, 102, next(lots, 1), int(Tif.IOC))

        return wake

    found = engine_records(made, take)
    assert difference(found, twin_records(made, take)) is None
    return sum(fill[6] for fill in found.fills) - 5


@pytest.mark.nojit
@pytest.mark.parametrize("kind", [EventKind.CANCEL, EventKind.EXECUTE])
def test_an_unknown_order_that_leaves_gives_nothing_back_of_what_we_took_of_a_known_one(
    kind: EventKind,
) -> None:
    opening = [
        Row(100, 100, EventKind.CLEAR, 2, 0, 0),
        Row(100, 100, EventKind.ADD, 0, 99, 10, 1),
        Row(100, 100, EventKind.ADD, 1, 102, 10, 2, Flag.LAST),
    ]
    last = Row(125, 125, EventKind.ADD, 0, 98, 1, 3)
    assert _took([*opening, last]) == 5
    assert _took([*opening, Row(115, 115, kind, 1, 102, 1, 77), last]) == 4


@pytest.mark.nojit
@pytest.mark.parametrize("kind", [EventKind.CANCEL, EventKind.EXECUTE])
def test_a_level_that_a_row_of_another_level_empties_is_all_free_again(kind: EventKind) -> None:
    opening = [
        Row(100, 100, EventKind.CLEAR, 2, 0, 0),
        Row(100, 100, EventKind.ADD, 0, 99, 10, 1),
        Row(100, 100, EventKind.ADD, 1, 102, 10, 2),
        Row(100, 100, EventKind.ADD, 1, 103, 9, 2, Flag.LAST),  # the 10 are of no known order now
    ]
    emptied = Row(115, 115, kind, 1, 102, 10, 2)
    again = Row(117, 117, EventKind.ADD, 1, 102, 10, 3)
    assert _took([*opening, emptied, again, Row(125, 125, EventKind.ADD, 0, 98, 1, 4)]) == 10


@pytest.mark.nojit
@pytest.mark.parametrize("side", [0, 1, 2])
def test_a_clear_forgets_what_we_took_of_an_order_whose_level_others_had_emptied(side: int) -> None:
    rows = [
        Row(100, 100, EventKind.CLEAR, 2, 0, 0),
        Row(100, 100, EventKind.ADD, 0, 99, 10, 1),
        Row(100, 100, EventKind.ADD, 1, 102, 10, 2, Flag.LAST),
        Row(113, 113, EventKind.EXECUTE, 1, 102, 10, 77),  # of no order that we know
        Row(115, 115, EventKind.CLEAR, side, 0, 0),
        Row(115, 115, EventKind.ADD, 0, 98, 10, 4),
        Row(115, 115, EventKind.ADD, 1, 102, 10, 3, Flag.LAST),
        Row(125, 125, EventKind.ADD, 0, 97, 1, 5),
    ]
    assert _took(rows) == 10


@pytest.mark.nojit
def test_a_clear_of_the_other_side_leaves_what_we_took_of_a_level_that_still_shows_lots() -> None:
    rows = [
        Row(100, 100, EventKind.CLEAR, 2, 0, 0),
        Row(100, 100, EventKind.ADD, 0, 99, 10, 1),
        Row(100, 100, EventKind.ADD, 1, 102, 10, 2, Flag.LAST),
        Row(115, 115, EventKind.CLEAR, 0, 0, 0),
        Row(115, 115, EventKind.ADD, 0, 98, 10, 4, Flag.LAST),
        Row(125, 125, EventKind.ADD, 0, 97, 1, 5),
    ]
    assert _took(rows) == 5


@pytest.mark.nojit
def test_a_sample_of_random_markets_reaches_all_that_markets_are_drawn_for() -> None:
    """Of later markets those under limits, guards or lost answers: that takes long to find."""
    seen = Counter[tuple[str, str]]()
    for seed in range(SEARCHED):
        made = market(seed)
        if seed < 60 or made.rules or made.house or made.venue.faults.lost:
            seen += hits(made, twin_records(made))
        if not missing(seen):
            return
    pytest.fail(f"not hit in {SEARCHED} markets: {missing(seen)}")


@pytest.mark.nojit
@plain_only
@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_the_twin_finds_a_planted_fault(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch)
    needs_depth = plant.__name__ == "memory_of_256_levels"
    # On an L2 tape a place is only a number, and that is what this fault is about.
    kind = {"form": "levels", "queue": "risk_averse"} if plant.__name__.startswith("amend") else {}
    for seed in range(FOUND_WITHIN):
        made = market(seed, **kind)
        if needs_depth and not made.deep:
            continue  # fewer than 256 levels in all: this fault cannot show
        if plant in OF_A_HOUSE and made.house is None:
            continue
        if differs(made):
            monkeypatch.undo()
            assert differs(made) is None, "the market differs without the fault, too"
            with capsys.disabled():
                print(f"\n{plant.__name__}: found in market {seed + 1}")
            return
    pytest.fail(f"{plant.__name__} was not found in {FOUND_WITHIN} markets")
