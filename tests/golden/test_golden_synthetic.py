"""Golden runs that need no recording: the seeded markets, wherever the tests run."""

from functools import partial

import digests
import pytest

import hft
from hft.runs.ingest import synthetic

# Strategy, market, its rows, venue; the market of a seed is part of what the digest holds fast.
CASES = {
    "synthetic_l2_making": ("market_making", "l2", 40_000, hft.Venue("2ms", "prob_log")),
    "synthetic_l2_momentum": ("momentum", "l2", 40_000, hft.Venue(("uniform", "1ms", "2ms"))),
    "synthetic_l3_two_sided": ("two_sided", "l3", 20_000, hft.Venue("250us", "fifo")),
}


@pytest.mark.parametrize("name", CASES)
def test_a_synthetic_day_gives_the_committed_digest(name, tmp_path, bless):
    strategy, kind, events, venue = CASES[name]
    tapes = synthetic(seed=7, out=tmp_path / "tapes", events=events, kind=kind)
    replay = partial(hft.replay, tapes, strategy, venue=venue, limits="research", seed=7)
    found = digests.figures(replay(record="full", out=tmp_path / "runs"))
    print(digests.row(name, found))
    assert found["orders"] > 0 and found["buys"] > 0 and found["sells"] > 0
    digests.check(name, found, bless)
