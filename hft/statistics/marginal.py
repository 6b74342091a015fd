"""What a candidate adds to the pool out of sample: weights fitted before, Sharpe judged after.

In sample an addition never hurts, so only the later part counts. Weights are long only and come
from a Ledoit-Wolf covariance; a resample of the judged days says how often the gain is positive.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.bootstrap import block_length, resample
from hft.statistics.covariance import maximum_sharpe, shrunk
from hft.statistics.series import FLAT, panel, series
from hft.statistics.sharpe import ratio


@dataclass(frozen=True, slots=True)
class Addition:
    """Out-of-sample per-period Sharpe with and without the candidate."""

    without: float | None  # None when the pool had no weight to give
    joined: float | None
    delta: float | None
    probability: float | None  # share of resamples with a positive delta
    weight: float  # of the candidate, last fit; 0 means it adds nothing
    judged: int  # days


def addition(
    candidate: ArrayLike,
    pool: ArrayLike,
    *,
    folds: int = 4,
    reps: int = 1000,
    block: float | None = None,
    seed: int = 42,
) -> Addition:
    """Walk forward: fit on all days before a block, judge on it, `folds` blocks after a first one.

    Raises: ValueError on unequal lengths or blocks of fewer than 10 days.
    """
    own = series(candidate, minimum=20, name="candidate")
    others = panel(pool, rows=20, columns=1, name="the pool")
    if others.shape[0] != own.size:
        raise ValueError(
            f"candidate has {own.size} rows and the pool {others.shape[0]}: align them"
        )
    size = own.size // (folds + 1)
    if size < 10:
        raise ValueError(f"{own.size} days in {folds + 1} blocks: each needs at least 10")
    whole = np.column_stack([others, own])
    first = own.size - folds * size
    outcome = np.zeros((own.size - first, 2))
    weight = 0.0
    for start in range(first, own.size, size):
        past, here = whole[:start], slice(start - first, start - first + size)
        alone = _weights(past[:, :-1])
        both = _weights(past)
        outcome[here, 0] = others[start : start + size] @ alone
        outcome[here, 1] = whole[start : start + size] @ both
        weight = float(both[-1])
    return _judged(outcome, weight, reps, block, seed)


def _weights(past: np.ndarray) -> np.ndarray:
    found = maximum_sharpe(shrunk(past), past.mean(axis=0))
    return np.zeros(past.shape[1]) if found is None else found


def _judged(
    outcome: np.ndarray, weight: float, reps: int, block: float | None, seed: int
) -> Addition:
    without, joined = (_one(outcome[:, side]) for side in (0, 1))
    if joined is None:
        return Addition(without, None, None, None, weight, len(outcome))
    base = 0.0 if without is None else without
    length = block_length(outcome[:, 1] - outcome[:, 0]) if block is None else block
    deltas = resample(
        outcome,
        lambda d: _many(d[:, :, 1]) - _many(d[:, :, 0]),
        reps=reps,
        block=length,
        seed=seed,
    )
    # A weight of zero leaves the pool as it was: no gain, and no chance of one.
    return Addition(
        without, joined, joined - base, float((deltas > 0.0).mean()), weight, len(outcome)
    )


def _one(x: np.ndarray) -> float | None:
    return ratio(float(x.mean()), float(x.std(ddof=1)))


def _many(x: np.ndarray) -> np.ndarray:
    """Sharpe of every row; 0 for a row that does not move (no position)."""
    mean, sd = x.mean(axis=1), x.std(axis=1, ddof=1)
    moving = sd > np.maximum(FLAT * np.abs(mean), 1e-300)
    return np.divide(mean, sd, out=np.zeros(len(x)), where=moving)
