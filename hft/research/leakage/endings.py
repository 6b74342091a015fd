"""Does a column rank the names of a panel by what they will have made when the file ends?

Companies numbered by their size of today, ratios that count the splits to come, lists of who is
left: one value a name, known from the first row, and no row by itself says anything. So the value
at some early rows is held against the move of each name from there to the end. What luck can do is
read from the panel itself: the likeness of the same values with single steps scatters as much as
that with their sum would, whatever the names have in common.
"""

import numpy as np
import polars as pl

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Foresight
from hft.research.leakage.likeness import correlation, ranks

NAMES_LEAST, STEPS_LEAST = 12, 60
BEGINS = (0.0, 0.2, 0.4)  # of the times
ALIKE, Z_ENDING = 0.7, 5.0


def by_its_end(data: ResearchData, name: str) -> Foresight | None:
    """The strongest proof of a few beginnings; None without one, or where names come and go."""
    if not data.panel or len(data.symbols) < NAMES_LEAST:
        return None
    table = _table(data, name)
    if table is None:
        return None
    values, prices = table
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.log(prices[1:] / prices[:-1])
    best = None
    for share in BEGINS:
        begin = int(share * len(values))
        if len(values) - begin < STEPS_LEAST:
            break
        said = ranks(values[begin])
        if np.isfinite(said).sum() < NAMES_LEAST or np.nanmax(said) == np.nanmin(said):
            continue
        came = steps[begin:]
        alike = [correlation(said, ranks(one), NAMES_LEAST) for one in came]
        size = correlation(said, ranks(came.sum(axis=0)), NAMES_LEAST)
        usual = float(np.sqrt(np.mean(np.arctanh(np.clip(alike, -0.999, 0.999)) ** 2)))
        far = float(np.arctanh(min(abs(size), 0.999)))
        if abs(size) < ALIKE or far < Z_ENDING * max(usual, 1e-9):
            continue
        if best is None or abs(size) > best.size:
            row = int(np.flatnonzero(data.ts_ns == np.unique(data.ts_ns)[begin])[0])
            how = "rank correlation among the names with their moves to the end of the rows"
            best = Foresight(how, len(came), abs(size), row, ALIKE)
    return best


def _table(data: ResearchData, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Values and prices by time and name, of the times at which all names have a row."""
    frame = pl.DataFrame(
        {
            "ts": data.ts_ns,
            "symbol": data.frame["symbol"],
            "value": data.field(name).astype(float),
            "price": data.price,
        }
    )
    tables = [
        frame.pivot("symbol", index="ts", values=what, aggregate_function="last").sort("ts")
        for what in ("value", "price")
    ]
    values, prices = (one.drop("ts").to_numpy().astype(float) for one in tables)
    there = np.isfinite(prices).all(axis=1)
    if there.sum() < STEPS_LEAST or (prices[there] <= 0.0).any():
        return None
    return values[there], prices[there]
