"""How alike two columns are: correlation, ranks, what is left of one once others are known."""

from collections.abc import Sequence

import numpy as np

from hft.statistics.information import ranks as average_ranks

ROWS_MIN = 30
TAMED = (0.01, 0.99)
NEWS = 0.2  # of its changes: what neither a calendar nor the last value foretells


def correlation(one: np.ndarray, other: np.ndarray, least: int = ROWS_MIN) -> float:
    """Pearson's, of the rows where both are numbers; 0 where there are too few."""
    fine = np.isfinite(one) & np.isfinite(other)
    if fine.sum() < least:
        return 0.0
    a, b = one[fine] - one[fine].mean(), other[fine] - other[fine].mean()
    width = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / width if width > 0 else 0.0


def fisher(size: float, count: float) -> float:
    """Standard errors of a correlation of so many independent pairs, by Fisher."""
    return float(np.arctanh(min(size, 1 - 1e-12)) * np.sqrt(max(count - 3.0, 0.0)))


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0 to 1, ties alike; NaN stays."""
    fine = np.isfinite(values)
    found = np.full(len(values), np.nan)
    found[fine] = (average_ranks(values[fine]) - 0.5) / max(int(fine.sum()), 1)
    return found


def spread(values: np.ndarray) -> float:
    """The standard deviation of the numbers there are; 0 where there are none."""
    fine = values[np.isfinite(values)]
    return float(np.std(fine)) if len(fine) else 0.0


def tamed(values: np.ndarray) -> np.ndarray:
    """Values with the outermost hundredths drawn in: a few misprints are no likeness."""
    low, high = np.quantile(values, TAMED)
    return np.clip(values, low, high) if high > low else values


def unexplained(
    values: np.ndarray, known: Sequence[np.ndarray], least: int = ROWS_MIN
) -> np.ndarray:
    """What is left of values when they are fitted to what is known; NaN where anything lacks."""
    given = np.column_stack([*known, np.ones(len(values))])
    fine = np.isfinite(given).all(axis=1) & np.isfinite(values)
    left = np.full(len(values), np.nan)
    if fine.sum() < least:
        return left
    x, y = given[fine], values[fine]
    left[fine] = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    # What rounding leaves of a column that is explained whole is no column any more.
    gone = float(np.std(left[fine])) <= 1e-9 * max(float(np.std(y)), 1e-300)
    return np.full(len(values), np.nan) if gone else left


def relative(values: np.ndarray, price: np.ndarray) -> np.ndarray:
    """How far above the price, as a share of it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return values / price - 1.0


def moved(price: np.ndarray, rows: int) -> np.ndarray:
    """The return over the last rows; NaN at the beginning."""
    found = np.full(len(price), np.nan)
    if 0 < rows < len(price):
        found[rows:] = relative(price[rows:], price[:-rows])
    return found


def ahead(price: np.ndarray, rows: int) -> np.ndarray:
    """The return over the next rows; NaN at the end."""
    found = np.full(len(price), np.nan)
    if 0 < rows < len(price):
        found[:-rows] = relative(price[rows:], price[:-rows])
    return found


def lagged(values: np.ndarray) -> np.ndarray:
    """Each row's value of the row before."""
    return np.concatenate([[np.nan], values[:-1]])


def has_news(values: np.ndarray, session: np.ndarray) -> bool:
    """Is there more to a column than its last value and the time since its session began?

    A calendar, a row number or a sum so far can be foretold by anybody.
    """
    turns = np.append(True, session[1:] != session[:-1])
    starts = np.flatnonzero(turns)
    place = np.arange(len(values)) - starts[np.cumsum(turns) - 1]
    fine = np.isfinite(values)
    count = np.maximum(np.bincount(place, fine), 1)
    usual = np.bincount(place, np.where(fine, values, 0.0)) / count
    last = lagged(values)
    left = unexplained(values, [last, lagged(last), usual[place], lagged(usual[place])])
    known = left[np.isfinite(left)]
    if not len(known):
        return False
    change = np.diff(values)
    outer = spread(tamed(known))
    return outer > NEWS * spread(tamed(change[np.isfinite(change)])) and outer > 0.0
