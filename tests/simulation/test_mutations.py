"""A fault in one row of a thousand is found, harmless, or another market that could have been."""

import numpy as np
import pytest
from small_world import LEVEL, SNAPSHOT, columns, opening

from benchmarks import mutations
from benchmarks.mutation_kinds import KINDS, mutated
from hft.core.errors import DataError
from hft.core.instruments import Instrument
from hft.feeds.base import DecodeOptions, settle
from hft.tape.schema import Feed

SAMPLE = ("price negative", "side flipped", "side unknown", "quantity x10", "frame: price NaN")


def test_a_sample_of_faults_is_found_harmless_or_another_market():
    tallies = mutations.measure(120, [0], None, kinds=SAMPLE)
    for kind, tally in tallies.items():
        counts = tally.counts
        assert counts[mutations.UNEXPLAINED] + counts[mutations.BROKEN] == 0, f"{kind}: {tally}"
    assert tallies["price negative"].counts[mutations.REFUSED] > 0
    assert set(tallies) == set(SAMPLE)


@pytest.mark.nojit
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_changes_a_recording_or_fits_no_row(name):
    rows = opening(1, {99: 5, 98: 4}, {101: 5, 102: 7})
    rows += [(9 + k, LEVEL, k % 2, 98 + 4 * (k % 2), 3 + k) for k in range(9)]
    good = columns(rows, latency_ns=1)
    changed = [mutated(good, name, seed) for seed in range(3)]
    told = [c for c in changed if c is not None]
    differs = [any(not np.array_equal(a, b) for a, b in zip(good, c, strict=True)) for c in told]
    assert not told or any(differs) or name in ("last flag lost", "order id zero")


@pytest.mark.nojit
@pytest.mark.parametrize("kind", [LEVEL, SNAPSHOT])
def test_a_level_without_a_side_is_refused_before_the_replay(kind):
    rows = opening(1, {99: 5}, {101: 5})
    rows.insert(2, (1, kind, 2, 100, 3))
    book = Instrument("X", *mutations.ONES)
    with pytest.raises(DataError, match=f"tape row 3: {kind.name} has no side"):
        settle(Feed(book, columns(rows), source={"file": "a.csv"}), DecodeOptions())
