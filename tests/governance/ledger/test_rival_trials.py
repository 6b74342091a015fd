"""A trial that loses on purpose raises nobody's hurdle: at -50 it counts like one in the middle."""

import hashlib

import numpy as np
import polars as pl
import pytest

from hft.governance.ledger.family import view
from hft.governance.ledger.vectors import Vector

DAYS, YEAR = 504, 252.0


def hurdle(columns: np.ndarray) -> float:
    """The annual hurdle of a ledger of these return vectors."""
    vectors = {
        hashlib.sha256(one.tobytes()).hexdigest(): Vector(
            one, YEAR, np.arange(DAYS) * 86_400 * 10**9
        )
        for one in np.ascontiguousarray(columns.T)
    }
    names = list(vectors)
    trials = pl.DataFrame({"trial_id": names, "returns_sha256": names, "repeats": [0] * len(names)})
    found = view(trials, vectors).hurdle
    assert found is not None
    return found


def standard(rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(DAYS)
    return (noise - noise.mean()) / noise.std(ddof=1)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("ideas", "cells"), [(1, 1), (2, 1), (7, 1), (19, 1), (1, 12), (3, 12)])
def test_a_rival_at_minus_50_moves_the_hurdle_like_one_at_the_median(
    seed: int, ideas: int, cells: int
) -> None:
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((DAYS, ideas)) + 0.06 * rng.standard_normal(ideas)
    family = np.repeat(own, cells, axis=1) + 0.3 * rng.standard_normal((DAYS, ideas * cells))
    median = float(np.median(family.mean(axis=0) / family.std(axis=0, ddof=1)))
    rival = standard(rng)
    loser = hurdle(np.column_stack([family, rival - 50.0 / np.sqrt(YEAR)]) / 100)
    middle = hurdle(np.column_stack([family, rival + median]) / 100)
    assert loser <= 1.1 * middle


def test_forty_losers_raise_the_hurdle_no_more_than_their_number_does() -> None:
    rng = np.random.default_rng(3)
    family = rng.standard_normal((DAYS, 20))
    losers = np.column_stack([standard(rng) for _ in range(40)])
    low, middle = (hurdle(np.column_stack([family, losers - by]) / 100) for by in (3.15, 0.0))
    assert low <= 1.25 * middle
