"""What the price by itself foretells, so that no column is blamed for what everybody can see.

A price that is drawn to par, or marked late, says where it goes: its level and its last moves do.
A column that repeats them is as likely to be followed by the move as they are. So before a column
is condemned, what it says beyond them is looked at.
"""

from collections.abc import Sequence

import numpy as np

from hft.research.leakage.likeness import (
    ROWS_MIN,
    correlation,
    moved,
    ranks,
    relative,
    tamed,
    unexplained,
)

LAGS = (1, 2, 3, 5, 10, 20)
LEAST = 10
SAME = 0.02  # share of a column that the price leaves, below which it is the price
BETTER = 0.05  # by how much more often than the price a column has to say the direction


class Past:
    """The level of a price and its moves up to each row."""

    def __init__(self, price: np.ndarray) -> None:
        mean = float(np.nanmean(price)) if np.isfinite(price).any() else 1.0
        level = relative(price, np.full(len(price), mean or 1.0))
        lags = [lag for lag in LAGS if lag < len(price) // 4]
        self.known = [np.nan_to_num(one) for one in (level, *(moved(price, k) for k in lags))]

    def beyond(self, form: np.ndarray, later: np.ndarray, rows: np.ndarray | None = None) -> float:
        """The likeness of what a column and what the moves have beyond the price's past.

        Of some rows, by rank: what the past says is then fitted to those and to all of them.
        """
        if rows is not None:
            part = self.beyond(np.where(rows, form, np.nan), later)
            left, after = self.left(form, later)
            if left is None:
                return 0.0
            both = rows & np.isfinite(left) & np.isfinite(after)
            if both.sum() < ROWS_MIN:
                return part
            by_rank = abs(correlation(ranks(left[both]), ranks(after[both])))
            by_value = abs(correlation(tamed(left[both]), tamed(after[both])))
            return min(part, max(by_rank, by_value))
        both = np.isfinite(form) & np.isfinite(later)
        few = both.sum() < 2 * ROWS_MIN
        left, after = self.left(
            np.where(both, form, np.nan),
            np.where(both, later, np.nan),
            self.known[: 2 if few else None],
        )
        return 0.0 if left is None else abs(correlation(left, after))

    def left(
        self, form: np.ndarray, later: np.ndarray, known: Sequence[np.ndarray] = ()
    ) -> tuple[np.ndarray | None, np.ndarray]:
        """What the past leaves of both; None where it leaves next to nothing of the column."""
        told = known or self.known
        left = unexplained(form, told, LEAST)
        if np.isnan(left).all() or np.nanvar(left) <= SAME * np.nanvar(form):
            return None, later
        return left, unexplained(later, told, LEAST)

    def right(self, later: np.ndarray, rows: np.ndarray) -> float:
        """How often the price's past says the direction of these rows' moves."""
        left = unexplained(later, self.known)
        said = later - left
        fine = rows & np.isfinite(said) & (later != 0)
        return float(np.mean(np.sign(said[fine]) == np.sign(later[fine]))) if fine.any() else 0.0
