"""Is a difference a look ahead, or what rounding makes of a tie?

A Fourier transform of more rows rounds otherwise in its last digits. Where a vote stands on a tie,
its sign then changes, with no look at anything: it changes as well when the inputs are moved by
less than rounding does, of the rows up to the cut and of all rows alike. Whoever looks ahead there
is sure of all rows, whatever the last digits are.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from hft.core.errors import ValidationError
from hft.research.data.aliases import CLOCK_FIELDS
from hft.research.data.dataset import ResearchData

TRIES = 20  # a tie that falls alike each time is one in a million
SIZE = 1e-13  # of a field's largest value: some times what a transform rounds
SHARE_MOST, ROWS_MOST = 0.05, 20


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

    def only(self, seen: np.ndarray, known: np.ndarray) -> bool:
        """Do the signals of the first rows differ at ties alone? `known` is that of all rows."""
        differ = ~((seen == known) | (np.isnan(seen) & np.isnan(known)))
        differ &= ~np.isclose(seen, known, rtol=1e-9, atol=0.0)
        rows = np.flatnonzero(differ)
        if not self.names or not len(rows) or len(rows) > max(SHARE_MOST * len(seen), ROWS_MOST):
            return False
        try:
            if self._of_all is None:
                self._of_all = self._answers(self.data)
            early = self._answers(self.data.head(len(seen)))
        except ValidationError:
            return False
        pairs = ((seen, early), (known, self._of_all))
        return all(_undecided(said[rows], table[:, rows]) for said, table in pairs)

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
