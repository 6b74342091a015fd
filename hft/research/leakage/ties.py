"""Is a difference a look ahead, or what rounding makes of a tie?

A Fourier transform of more rows rounds otherwise in its last digits. Where a vote stands on a tie,
its sign then changes, with no look at anything. Two ways show it. The sign changes as well when the
inputs are moved by less than rounding does, of the rows up to the cut and of all rows alike; or it
goes back and forth when the first rows of all, long ago, are left out one by one: of numbers that
are rounded before they are used nothing else is left. Whoever looks ahead is sure either way.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from hft.core.errors import ValidationError
from hft.research.data.aliases import CLOCK_FIELDS
from hft.research.data.dataset import ResearchData

TRIES = 20  # a tie that falls alike each time is one in a million
SIZE = 1e-13  # of a field's largest value: some times what a transform rounds
SHARE_MOST, ROWS_MOST = 0.25, 20
# Rows left out, two at a time; rows whose own past that touches; how much of an answer a vote is;
# share of the rows that differ, and of all rows, that go back and forth.
LEFT_OUT, LONG_AGO, MATERIAL, TURNING, HAS_TIES = 24, 300, 0.1, 0.8, 1e-3


class Ties:
    """Tells differences at ties from others, for one alpha on one dataset."""

    def __init__(
        self,
        evaluate: Callable[[ResearchData], np.ndarray],
        data: ResearchData,
        fields: Sequence[str],
    ) -> None:
        self.evaluate, self.data = evaluate, data
        self.names = [name for name in fields if name not in CLOCK_FIELDS]
        self._of_all: np.ndarray | None = None
        self._long = min(LONG_AGO, len(data) // 4)
        self._turning: np.ndarray | None = None

    def only(self, seen: np.ndarray, known: np.ndarray) -> bool:
        """Do the signals of the first rows differ at ties alone? `known` is that of all rows."""
        differ = ~((seen == known) | (np.isnan(seen) & np.isnan(known)))
        differ &= ~np.isclose(seen, known, rtol=1e-9, atol=0.0)
        rows = np.flatnonzero(differ)
        if not self.names or not len(rows) or len(rows) > max(SHARE_MOST * len(seen), ROWS_MOST):
            return False
        try:
            return self._back_and_forth(rows) or self._by_rounding(rows, seen, known)
        except ValidationError:
            return False

    def _by_rounding(self, rows: np.ndarray, seen: np.ndarray, known: np.ndarray) -> bool:
        if self._of_all is None:
            self._of_all = self._answers(self.data)
        early = self._answers(self.data.head(len(seen)))
        pairs = ((seen, early), (known, self._of_all))
        return all(_undecided(said[rows], table[:, rows]) for said, table in pairs)

    def _back_and_forth(self, rows: np.ndarray) -> bool:
        """Do these rows' answers go back and forth when some of the first rows are left out?"""
        if self._turning is None:
            self._turning = self._turned()
        late = rows[rows >= self._long]
        if len(late):
            turning = int(self._turning[late].sum())
            return turning > 0 and len(late) - turning <= max(1.0, (1.0 - TURNING) * len(late))
        return float(self._turning[self._long :].mean()) >= HAS_TIES

    def _turned(self) -> np.ndarray:
        """The rows whose answers go up and down by a vote as rows are left out, two at a time."""
        found, begin = np.zeros(len(self.data), bool), self._long
        if begin < 2 * LEFT_OUT:
            return found
        frame = self.data.frame
        left = [self.data.with_frame(frame.slice(2 * k)) for k in range(LEFT_OUT)]
        parts = [self.evaluate(part)[begin - 2 * k :] for k, part in enumerate(left)]
        moved = np.diff(np.nan_to_num(np.stack(parts)), axis=0)
        vote = MATERIAL * float(np.quantile(np.abs(np.nan_to_num(parts[0])), 0.9))
        found[begin:] = (moved > vote).any(axis=0) & (moved < -vote).any(axis=0)
        return found

    def _answers(self, data: ResearchData) -> np.ndarray:
        """The signal with inputs moved by what rounding moves them, some times over."""
        return np.stack([self.evaluate(_rounded(data, self.names, k)) for k in range(TRIES)])


def _undecided(said: np.ndarray, answers: np.ndarray) -> bool:
    """Does each row get other answers, around the one it gave?"""
    low, high = answers.min(axis=0), answers.max(axis=0)
    with np.errstate(invalid="ignore"):
        return bool(np.all((high - low > 1e-9) & (low <= said) & (said <= high)))


def _rounded(data: ResearchData, names: Sequence[str], seed: int) -> ResearchData:
    random = np.random.Generator(np.random.Philox(key=[seed, 11]))
    moved = []
    for name in names:
        values = data.field(name).astype(np.float64, copy=True)
        largest = float(np.nanmax(np.abs(values), initial=0.0))
        moved.append(pl.Series(name, values + SIZE * largest * random.standard_normal(len(values))))
    return data.with_frame(data.frame.with_columns(moved))
