"""Do an alpha's columns know together what none of them knows alone?

A leak may be split: a side in one column and how it turned out in another, a sum and a part of it.
So levels, changes, products and signs of all pairs are fitted to later moves on some stretches of
rows and asked on another. Honest edges add up, too; so the limit is higher than for one column.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

import numpy as np
import polars as pl
from scipy.special import ndtri

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Z_MIN, Foresight, is_price, limit_of, pace_of
from hft.research.leakage.likeness import ahead, correlation, fisher, ranks, relative, unexplained
from hft.research.leakage.past import LEAST, Past

ROWS_LEAST, COLUMNS_MOST, FOLDS = 200, 6, 4
PAIRS_MOST = 6  # looked at as a column each
FLICKER = 5e-6
MORE = 0.1  # than one column may say
RIDGE = 1e-3  # of the rows: so much is a slope drawn to nothing


def together(data: ResearchData, names: Sequence[str], steps: Sequence[int]) -> Foresight | None:
    """The strongest proof that columns of one name know later moves together."""
    price, session = data.price, data.session
    columns = [data.field(name).astype(float) for name in names[:COLUMNS_MOST]]
    columns = [one for one in columns if not np.array_equal(one, price, equal_nan=True)]
    if len(columns) < 2 or len(price) < ROWS_LEAST:
        return None
    columns = [relative(one, price) if is_price(one, price) else one for one in columns]
    past, best = Past(price), None
    told = np.column_stack(past.known)
    fixed = _single(columns) + _pairs(columns)
    often, pace = float(np.mean(np.diff(price) != 0)), pace_of(data)
    for step in steps:
        later = ahead(price, step)
        inside = np.append(session[step:] == session[:-step], np.zeros(step, bool))
        if inside.sum() >= ROWS_LEAST:
            later = np.where(inside, later, np.nan)
        left = unexplained(later, past.known, LEAST)
        given = np.nan_to_num(np.column_stack([*fixed, *_over(columns, step), told]))
        fine = np.flatnonzero(np.isfinite(left))
        limit = limit_of(step, often, pace) + MORE
        if len(fine) < ROWS_LEAST:
            continue
        size = _foretold(given[fine], _bell(left[fine]), step)
        if size < limit or fisher(size, len(fine) / step) < Z_MIN:
            continue
        if best is None or size > best.size:
            how = f"likeness of what {', '.join(names)} say together, asked where it was not fitted"
            best = Foresight(how, step, size, int(fine[0]), limit)
    return best


def paired(data: ResearchData, names: Sequence[str]) -> Iterator[tuple[str, ResearchData]]:
    """Differences and ratios of two fields, as columns of data that have them alone.

    A figure in two currencies is a rate, two versions of a release are a revision: what neither
    says, the one over the other may say to the last digit.
    """
    columns = {name: data.field(name).astype(float) for name in names[:COLUMNS_MOST]}
    price = data.price
    kept = [name for name, one in columns.items() if not np.array_equal(one, price, equal_nan=True)]
    for one, other in islice(combinations(kept, 2), PAIRS_MOST):
        a, b = columns[one], columns[other]
        forms = [(f"{one} - {other}", a - b)]
        if np.nanmin(a, initial=1.0) > 0.0 and np.nanmin(b, initial=1.0) > 0.0:
            forms.append((f"{one} / {other}", _steadied(a / b)))
        for name, values in forms:
            frame = data.frame.with_columns(pl.Series(name, values))
            yield name, data.with_frame(frame)


def _steadied(ratio: np.ndarray) -> np.ndarray:
    """A ratio without the flicker that rounding of its two parts leaves."""
    with np.errstate(invalid="ignore", divide="ignore"):
        still = np.abs(np.diff(ratio, prepend=np.nan)) <= FLICKER * np.abs(ratio)
    kept = pl.Series(np.where(still, np.nan, ratio)).fill_nan(None).forward_fill()
    return np.where(np.isfinite(ratio), kept.fill_null(np.nan).to_numpy(), np.nan)


def _bell(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(ndtri(ranks(values)))


def _single(columns: Sequence[np.ndarray]) -> list[np.ndarray]:
    levels = [_bell(one) for one in columns]
    return [*levels, *(_bell(np.diff(one, prepend=np.nan)) for one in columns)]


def _over(columns: Sequence[np.ndarray], step: int) -> list[np.ndarray]:
    return [_bell(np.append(np.full(step, np.nan), one[step:] - one[:-step])) for one in columns]


def _pairs(columns: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Products, differences, and each with the other's sign; as they stand and by rank."""
    found = []
    for one, other in combinations(columns, 2):
        a, b = (np.nan_to_num(x / (np.nanstd(x) or 1.0)) for x in (one, other))
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(other != 0, one / other, np.nan)
        forms = (one * other, one - other, np.sign(one) * other, one * np.sign(other), ratio)
        centred = _bell(one) * _bell(other)
        found += [*(_bell(form) for form in forms), centred, _bell(a - b)]
    return found


def _foretold(given: np.ndarray, came: np.ndarray, step: int) -> float:
    """The likeness of fits on three quarters of the rows with the fourth, `step` rows apart."""
    said, rows = np.full(len(came), np.nan), np.arange(len(came))
    part = rows * FOLDS // len(rows)
    for k in range(FOLDS):
        asked = part == k
        inside = np.flatnonzero(asked)
        known = (rows < inside[0] - step) | (rows > inside[-1] + step)
        x, middle = given[known], given[known].mean(axis=0)
        x = x - middle
        gram = x.T @ x + RIDGE * len(x) * np.eye(x.shape[1])
        slope = np.linalg.solve(gram, x.T @ (came[known] - came[known].mean()))
        said[asked] = (given[asked] - middle) @ slope
    return max(correlation(said, came), 0.0)
