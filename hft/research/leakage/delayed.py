"""Does one step of the price, some rows after a column's rare rows, go as the column says?

A surprise that stands on all rows of its day, a report dated by its quarter's end: what they say
comes in one step, hours or weeks later, and over all the rows between it drowns. What honest news
does to a price begins at once. So of all names together the steps are looked at one by one, from
some rows after each rare row on, beyond what the price's past says of them.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.events import ALIKE, ROWS_LEAST, rare_rows
from hft.research.leakage.foresight import Foresight
from hft.research.leakage.likeness import correlation, fisher, moved, ranks, spread
from hft.research.leakage.past import Past

STEPS_LEAST, STEPS_MOST = 4, 130  # rows after the rare one: hours, and half a year of days
Z_DELAYED = 7.0  # some hundreds of steps and kinds of rows: one in 10^9 by luck


def delayed(data: ResearchData, name: str) -> Foresight | None:
    """The strongest proof among the steps after rare rows; None without one."""
    kinds = list(rare_rows(data, name))
    if not kinds:
        return None
    groups = [rows for _, rows in data.groups()]
    steps = [_usual(data.price[rows]) for rows in groups]
    best = None
    for word, side in kinds:
        for k, size, count in _likely(side, groups, steps):
            if best is not None and size <= best.size:
                continue
            if _beyond(data, side, groups, k) < ALIKE:
                continue  # a price that swings says its own later steps
            row = int(np.flatnonzero(side)[0])
            how = f"rank correlation with one step of the price after the {count} rows {word}"
            best = Foresight(how, k, size, row, ALIKE)
    return best


def _usual(price: np.ndarray) -> np.ndarray:
    """Steps of a price, in usual ones."""
    step = moved(price, 1)
    width = spread(step)
    return step / width if width > 0 else np.full(len(price), np.nan)


def _likely(
    side: np.ndarray, groups: Sequence[np.ndarray], steps: Sequence[np.ndarray]
) -> Iterator[tuple[int, float, int]]:
    """How many rows later one step is alike, how much, and after how many rare rows."""
    longest = min(STEPS_MOST, min(len(rows) for rows in groups) // 4)
    for k in range(STEPS_LEAST, longest + 1):
        said, came = [], []
        for rows, step in zip(groups, steps, strict=True):
            at = np.flatnonzero(side[rows[: len(rows) - k]])
            said.append(side[rows][at])
            came.append(step[at + k])
        x, y = np.concatenate(said), np.concatenate(came)
        fine = np.isfinite(y)
        x, y = x[fine], y[fine]
        if len(x) < ROWS_LEAST or np.ptp(x) == 0.0:
            continue
        size = abs(correlation(ranks(x), ranks(y), ROWS_LEAST))
        if size >= ALIKE and fisher(size, len(x)) >= Z_DELAYED:
            yield k, size, len(x)


def _beyond(data: ResearchData, side: np.ndarray, groups: Sequence[np.ndarray], k: int) -> float:
    """The same likeness once each name's price up to the rare row is known."""
    said, came = [], []
    for rows in groups:
        price = data.price[rows]
        later = np.append(_usual(price)[k:], np.full(k, np.nan))
        left = Past(price).left(side[rows], later)[1]
        at = np.flatnonzero((side[rows] != 0) & np.isfinite(left))
        said.append(side[rows][at])
        came.append(left[at])
    return abs(correlation(ranks(np.concatenate(said)), ranks(np.concatenate(came)), ROWS_LEAST))
