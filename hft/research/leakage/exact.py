"""Are some of a column's rows a later move, digit for digit?

A leak on one row in a hundred, drawn by lot, moves no figure over all rows and none over any part
that could be named. But a number that is copied agrees to all its digits: the column over the move
is one and the same number on those rows, and on no others. So the ratios are sorted, and the most
that lie in a window of a hundred thousandth are counted, against what lies around, against the past
moves, which a grid of prices makes equal as well, and against moves of other rows.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Foresight, is_price
from hft.research.leakage.likeness import ahead, moved

WINDOWS = (1e-9, 1e-6, 1e-5)  # relative: to the last digits, or rounded to so many
AROUND = 100  # windows around, which say how many are there by luck
ROWS_LEAST, TIMES = 12, 4  # agreeing rows; times as many as any honest figure's
DIFFERENT = 0.75  # of the agreeing rows have a value and a move of their own
WIDE = 1.5  # largest over smallest of their moves
SIZES_LEAST, ONE_SIZE = 8, 0.4  # sizes of their moves, and the share that one may have
ELSEWHERE = 37


def copied(values: np.ndarray, data: ResearchData, steps: Sequence[int]) -> Foresight | None:
    """Rows on which a column is a later move times one number."""
    price = data.price
    if is_price(values, price):
        return None  # a bar's high is a later close now and then, honestly
    best = None
    for step in steps:
        later, past = ahead(price, step), moved(price, step)
        for word, move in _moves(later, data.session, step):
            rows, times = _agreeing(values, move)
            if len(rows) < ROWS_LEAST or (best is not None and len(rows) <= best.size):
                continue
            usual = max(len(_agreeing(values, one)[0]) for one in (past, np.roll(move, ELSEWHERE)))
            if len(rows) < TIMES * usual + ROWS_LEAST:
                continue
            if not _many_sizes(price, rows, step):
                continue
            row = int(rows[np.argmax(np.abs(move[rows]))])
            how = f"the number of rows on which it is {times:.6g} times {word}, to five digits,"
            best = Foresight(how, step, float(len(rows)), row, float(TIMES * usual + ROWS_LEAST))
    return best


def _moves(later: np.ndarray, session: np.ndarray, step: int) -> Iterator[tuple[str, np.ndarray]]:
    """The move itself, and less its mean, as a score over all rows is made of."""
    yield "the move", later
    if np.isfinite(later).any():
        yield "the move less its mean", later - np.nanmean(later)


def _agreeing(values: np.ndarray, move: np.ndarray) -> tuple[np.ndarray, float]:
    """The rows of the fullest window of the ratio, if that is no luck, and the ratio there."""
    fine = np.isfinite(values) & np.isfinite(move) & (values != 0) & (move != 0)
    rows = np.flatnonzero(fine)
    nothing = (rows[:0], 0.0)
    if len(rows) < ROWS_LEAST:
        return nothing
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        ratio = values[rows] / move[rows]
        size = np.log(np.abs(ratio))
    # Both signs on one line, far enough apart that no window has both.
    line = np.where(ratio > 0, size, size + 1e3)
    order = np.argsort(line)
    line = line[order]
    for window in WINDOWS:
        stop = np.searchsorted(line, line + window, side="right")
        counts = stop - np.arange(len(line))
        at = int(np.argmax(counts))
        count = int(counts[at])
        if count < ROWS_LEAST:
            continue
        near = np.searchsorted(line, [line[at] - AROUND * window, line[at] + AROUND * window])
        around = (int(near[1] - near[0]) - count) / (2 * AROUND)
        other = int(np.max(counts[np.abs(line - line[at]) > window], initial=0))
        if count < ROWS_LEAST + max(around + 8 * np.sqrt(around), TIMES * other):
            continue  # of numbers on a grid several ratios are frequent
        found = rows[order[at : stop[at]]]
        if _different(values[found]) and _different(move[found]):
            return np.sort(found), float(np.median(ratio[order[at : stop[at]]]))
    return nothing


def _many_sizes(price: np.ndarray, rows: np.ndarray, step: int) -> bool:
    """Of a price on a grid whole columns agree with moves of one tick, honestly."""
    ticks = np.abs(price[rows + step] - price[rows])
    counts = np.unique(np.round(ticks / max(float(ticks.max()), 1e-300), 6), return_counts=True)[1]
    return len(counts) >= SIZES_LEAST and counts.max() <= ONE_SIZE * len(rows)


def _different(values: np.ndarray) -> bool:
    size = np.abs(values)
    apart = len(np.unique(size)) >= DIFFERENT * len(size)
    return apart and float(np.quantile(size, 0.9)) >= WIDE * float(np.quantile(size, 0.1))
