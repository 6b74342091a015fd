"""Is what is new in a column what will be new in another one, however many rows later?

A key that is a day ahead, or a clock that is an hour early, takes a column from far behind. So far
ahead nothing honest has any likeness, once the time of day and the last value are taken out. The
other column is one that a market publishes with its row: another may itself be late.
"""

import numpy as np

from hft.research.data.aliases import of_the_market
from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Foresight, is_price
from hft.research.leakage.likeness import fisher, has_news, lagged, ranks, spread, unexplained

LEAD_LEAST, LEAD, LEAD_Z = 4, 0.6, 10.0
ROWS_MOST = 4_096
COLUMNS_MOST = 24


def from_afar(values: np.ndarray, data: ResearchData, name: str) -> Foresight | None:
    """The strongest proof that a column is another one of rows at any distance."""
    rows = slice(0, ROWS_MOST)
    session, price = data.session[rows], data.price[rows]
    mine = _news(values[rows], session)
    if mine is None:
        return None
    size = 2 * len(mine)
    turned = np.conj(np.fft.rfft(mine, size))
    best = None
    kinds = data.frame.schema
    names = [one for one in data.columns if of_the_market(one) and kinds[one].is_numeric()]
    names = [one for one in names if one != name]
    for column in names[:COLUMNS_MOST]:
        series = data.field(column)[rows]
        if is_price(series, price) or not has_news(series, session):
            continue
        other = _news(series, session)
        if other is None:
            continue
        product = np.abs(np.fft.irfft(turned * np.fft.rfft(other, size), size))
        leads = product[LEAD_LEAST : len(mine) // 2]
        if not len(leads):
            continue
        at = int(np.argmax(leads)) + LEAD_LEAST
        likeness = float(min(product[at] / (len(mine) - at), 1.0))
        earlier = float(product[-at] / (len(mine) - at))
        if likeness < LEAD or fisher(likeness, len(mine) - at) < LEAD_Z or earlier > likeness / 2:
            continue
        if best is None or likeness > best.size:
            how = f"correlation of what is new in it with what will be new in column {column!r}"
            best = Foresight(how, at, likeness, 0, LEAD)
    return best


def _news(values: np.ndarray, session: np.ndarray) -> np.ndarray | None:
    """Ranks of what neither the time of a session nor the last value says, with variance 1."""
    turns = np.append(True, session[1:] != session[:-1])
    starts = np.flatnonzero(turns)
    place = np.arange(len(values)) - starts[np.cumsum(turns) - 1]
    fine = np.isfinite(values)
    ranked = ranks(values)
    count = np.maximum(np.bincount(place, fine), 1)
    usual = (np.bincount(place, np.where(fine, ranked, 0.0)) / count)[place]
    left = ranks(unexplained(ranked - usual, [lagged(ranked - usual)]))
    width = spread(left)
    if width == 0.0 or np.isfinite(left).mean() < 0.5:
        return None
    return np.nan_to_num((left - np.nanmean(left)) / width)
