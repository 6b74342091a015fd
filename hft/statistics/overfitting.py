"""PBO by combinatorially symmetric cross-validation: does the winner keep its rank out of sample?

Every way of halving the blocks is tried. One matrix product over block sums gives every Sharpe
ratio of every half, so a split never walks the data again. Ties get average ranks, and a winner at
the median counts as overfit (lambda <= 0). Noise has mean PBO 1/2 but one panel scatters widely:
below ten configurations the figure says little, and it is never a p-value.
Source: Bailey, Borwein, Lopez de Prado and Zhu, "The probability of backtest overfitting" (2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from hft.statistics.series import FLAT, panel

# Splits scored at once; bounds the memory of wide matrices.
_CHUNK = 2048


@dataclass(frozen=True, slots=True)
class Dominance:
    """Does the selected configuration's out-of-sample Sharpe dominate that of all?

    `gap` is the largest amount by which its distribution function lies above the pool's: first
    order dominance is gap <= 0.
    """

    first_order: bool
    second_order: bool
    gap: float


@dataclass(frozen=True, slots=True)
class Cscv:
    """The answer of one CSCV; per-split arrays are in the lexicographic order of the halves."""

    pbo: float
    logits: np.ndarray  # one per split
    slope: float | None  # of the winner's OOS Sharpe on its IS Sharpe; None when IS never varies
    prob_loss: float  # share of splits whose winner loses out of sample
    dominance: Dominance
    n_configs: int  # used, after the odd one and constant ones were left out
    n_splits: int
    in_sample: np.ndarray
    out_of_sample: np.ndarray
    left_out: tuple[int, ...]  # columns not used


def cscv(
    matrix: ArrayLike,
    blocks: int = 16,
    purge: int = 0,
    *,
    even: bool = True,
    observations: Sequence[int] | None = None,
    trial_ids: Sequence[str] | None = None,
) -> Cscv | None:
    """CSCV of a T x N matrix of per-period returns, one column per configuration.

    Blocks differ by at most one row. `purge` rows are cut from the end of every block, so that no
    label reaches into the other half. With `even`, an odd N leaves one configuration out (see
    `odd_one_out`). None when fewer than two configurations vary.
    Raises: ValueError on NaN, an odd number of blocks, or blocks shorter than purge + 2 rows.
    """
    data = panel(matrix, rows=4, columns=1)
    if blocks < 2 or blocks % 2:
        raise ValueError(f"{blocks} blocks: an even number of at least 2 is needed")
    edges = _edges(data.shape[0], blocks, purge)
    spread = data.std(axis=0)
    flat = np.flatnonzero(spread <= FLAT * np.maximum(np.abs(data.mean(axis=0)), FLAT))
    kept = [column for column in range(data.shape[1]) if column not in set(flat.tolist())]
    if even and len(kept) % 2 and len(kept) > 2:
        kept.remove(odd_one_out(data, kept, observations, trial_ids))
    if len(kept) < 2:
        return None
    left_out = tuple(sorted(set(range(data.shape[1])) - set(kept)))
    return _score(data[:, kept], edges, left_out)


def odd_one_out(
    data: np.ndarray,
    columns: Sequence[int],
    observations: Sequence[int] | None = None,
    trial_ids: Sequence[str] | None = None,
) -> int:
    """Which configuration an odd number leaves out: the fewest observations, never the best.

    Ties go to the smallest trial_id (the column number without ids).
    """
    chosen = data[:, list(columns)]
    best = columns[int(np.argmax(chosen.mean(axis=0) / chosen.std(axis=0, ddof=1)))]
    counts = observations if observations is not None else [data.shape[0]] * data.shape[1]
    names: Sequence[str | int] = trial_ids if trial_ids is not None else range(data.shape[1])
    return min((c for c in columns if c != best), key=lambda c: (counts[c], names[c]))


@lru_cache(maxsize=4)
def halves(blocks: int) -> np.ndarray:
    """Every half of the blocks as a 0/1 row: C(S, S/2) x S."""
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    mask = np.zeros((len(chosen), blocks))
    np.put_along_axis(mask, chosen, 1.0, axis=1)
    mask.setflags(write=False)
    return mask


def _edges(rows: int, blocks: int, purge: int) -> list[tuple[int, int]]:
    sizes = [rows // blocks + (block < rows % blocks) for block in range(blocks)]
    if purge < 0 or min(sizes) < purge + 2:
        raise ValueError(
            f"{rows} rows in {blocks} blocks leave {min(sizes)} a block; purging {purge} needs "
            f"at least {purge + 2}: use fewer blocks or more history"
        )
    stops = np.cumsum(sizes).tolist()
    return [(stop - size, stop - purge) for stop, size in zip(stops, sizes, strict=True)]


def _score(data: np.ndarray, edges: list[tuple[int, int]], left_out: tuple[int, ...]) -> Cscv:
    # Centring on the grand mean and scaling keep the sums of squares well conditioned.
    shift, scale = float(data.mean()), float(data.std())
    block = [(data[a:b] - shift) / scale for a, b in edges]
    sums = np.array([part.sum(axis=0) for part in block])
    squares = np.array([(part**2).sum(axis=0) for part in block])
    counts = np.array([float(b - a) for a, b in edges])
    masks = halves(len(edges))
    ins, outs, ranks, everyone = [], [], [], []
    for start in range(0, len(masks), _CHUNK):
        mask = masks[start : start + _CHUNK]
        inside = _sharpes(mask, counts, sums, squares, shift / scale)
        outside = _sharpes(1.0 - mask, counts, sums, squares, shift / scale)
        row = np.arange(len(mask))
        star = inside.argmax(axis=1)
        won = outside[row, star]
        below = (outside < won[:, None]).sum(axis=1)
        ties = (outside == won[:, None]).sum(axis=1)
        ins.append(inside[row, star])
        outs.append(won)
        ranks.append(below + (ties + 1) / 2.0)
        everyone.append(outside.ravel())
    omega = np.concatenate(ranks) / (data.shape[1] + 1.0)
    logits = np.log(omega / (1.0 - omega))
    inside, won = np.concatenate(ins), np.concatenate(outs)
    return Cscv(
        pbo=float(np.mean(logits <= 0.0)),
        logits=logits,
        slope=_slope(inside, won),
        prob_loss=float(np.mean(won < 0.0)),
        dominance=dominance(won, np.concatenate(everyone)),
        n_configs=data.shape[1],
        n_splits=len(masks),
        in_sample=inside,
        out_of_sample=won,
        left_out=left_out,
    )


def _sharpes(
    mask: np.ndarray, counts: np.ndarray, sums: np.ndarray, squares: np.ndarray, offset: float
) -> np.ndarray:
    """Sharpe ratios of one half per row; a configuration that does not move there scores 0.

    From sums, for speed: what is left of a variance after the subtraction of two squares says less
    than `sharpe.ratio` asks for, so what counts as still is measured by the squares.
    """
    n = (mask @ counts)[:, None]
    mean = (mask @ sums) / n
    square = mask @ squares
    variance = (square - n * mean**2) / (n - 1.0)
    flat = variance <= 1e-13 * np.maximum(square / n, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (mean + offset) / np.sqrt(np.maximum(variance, 0.0))
    return np.where(flat, 0.0, ratio)


def _slope(x: np.ndarray, y: np.ndarray) -> float | None:
    centred = x - x.mean()
    spread = float(centred @ centred)
    return float(centred @ (y - y.mean())) / spread if spread > 1e-24 * x.size else None


def dominance(selected: ArrayLike, everyone: ArrayLike) -> Dominance:
    """Stochastic dominance of one sample over another, by their distribution functions."""
    chosen, pool = np.sort(np.asarray(selected)), np.sort(np.asarray(everyone))
    grid = np.union1d(chosen, pool)
    above = (
        np.searchsorted(chosen, grid, side="right") / chosen.size
        - np.searchsorted(pool, grid, side="right") / pool.size
    )
    area = np.concatenate([[0.0], np.cumsum(above[:-1] * np.diff(grid))])
    room = 1e-12 * max(1.0, float(np.abs(grid).max()))
    return Dominance(
        first_order=bool(above.max() <= 1e-12),
        second_order=bool(area.max() <= room),
        gap=float(above.max()),
    )
