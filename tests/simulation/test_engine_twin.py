"""The engine and a twin of it, written from the documents alone, agree on random markets.

A market is drawn from its seed (tests/naive/engine/markets.py); the chaos strategy computes the
same decisions in both worlds from what it sees there, so that a difference of views shows, too.
"""

import os

import pytest

from tests.naive.engine.markets import market
from tests.simulation.engine_faults import FAULTS, Plant
from tests.simulation.fuzz_engine import differs, hits, shrunk, told
from tests.twin_world import difference, engine_records, twin_records

MARKETS = 120  # of each seed of the run; `make fuzz-engine` compares 200 000
FOUND_WITHIN = 2000
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
def test_a_sample_of_random_markets_reaches_what_it_is_meant_to_reach() -> None:
    seen = {("market", "all"): 0}
    for seed in range(60):
        made = market(seed)
        for key, count in hits(made, twin_records(made)).items():
            seen[key] = seen.get(key, 0) + count
    reached = {key for key, count in seen.items() if count}
    for name in ("ACK", "FILL", "CANCELLED", "EXPIRED", "CANCEL_REJECTED", "AMENDED"):
        assert ("answer", name) in reached
    for name in ("TIMER", "FILL", "ORDER", "TRADE", "BOOK", "STATUS"):
        assert ("wake", name) in reached
    for name in ("GTC", "IOC", "FOK", "DAY", "GTD", "GTX"):
        assert ("deed", f"LIMIT {name}") in reached


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
        if differs(made):
            monkeypatch.undo()
            assert differs(made) is None, "the market differs without the fault, too"
            with capsys.disabled():
                print(f"\n{plant.__name__}: found in market {seed + 1}")
            return
    pytest.fail(f"{plant.__name__} was not found in {FOUND_WITHIN} markets")
