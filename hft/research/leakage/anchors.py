"""Does a column know in a session's first half what the session, or the next one, will bring?

One number a session is enough for a leak, and there are as many observations as sessions. So what
the column has said by a few moments of each session is held, over the sessions, against what is
still to come: the close, the high, the low, the mean, how far the price still goes, what amounts
still sum up to, the gap into the next session and how that one goes. A column that follows the
price within a session says it by its anchor: the price from which it measures
(`(price - anchor) / scale`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from hft.research.data.aliases import of_the_market
from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import PARTIAL, Foresight, is_price
from hft.research.leakage.likeness import (
    correlation,
    fisher,
    has_news,
    ranks,
    relative,
    unexplained,
)

SESSIONS_MIN, ROWS_A_SESSION = 8, 8
MOMENTS = (0.0, 0.125, 0.25, 0.5)  # of a session
LEFT = (30, 10, 3)  # rows before its end, where it has twice as many
Z_SESSIONS = 5.0  # a few hundred pairs a column: one column in ten thousand by luck
ROUGHLY, Z_RANKED = 0.6, 4.0  # of ranks, and of changes from session to session
OWN, OPEN = 0.02, 0.05  # of a variance: what a column says of its own, and what is still open
FOLLOWS = 0.1  # share of a column within sessions that the price explains, from which it follows it
AFFINE = 1e-9  # share that the price may leave of a column that is a distance from an anchor
AMOUNTS_MOST, LATELY = 6, 20
FIGURES: dict[str, Callable[[np.ndarray], float]] = {"max": np.max, "min": np.min, "mean": np.mean}


@dataclass(frozen=True)
class Table:
    """What a column said by a moment of each session, what was known then, and what came."""

    moment: float
    rows: np.ndarray  # of the moment
    said: Mapping[str, np.ndarray]
    known: Mapping[str, tuple[np.ndarray, ...]]  # of each kind of outcome
    came: Mapping[str, tuple[str, np.ndarray]]  # outcome -> kind, values


def by_session(values: np.ndarray, data: ResearchData, name: str) -> Foresight | None:
    """The strongest proof, over the sessions, that a column knows what they bring."""
    spans = _spans(data.session)
    if len(spans) < SESSIONS_MIN or np.isfinite(values).sum() < len(values) // 2:
        return None
    best = None
    for table in _tables(values, data, spans, name):
        for form, said in table.said.items():
            for word, (kind, came) in table.came.items():
                one = _alike(said, came, table.known[kind])
                if one is None or (best is not None and one <= best.size):
                    continue
                how = f"correlation over {len(spans)} sessions of {form} with {word}"
                ahead = int(np.median(np.diff(spans, axis=1)) * (1 - table.moment))
                best = Foresight(how, max(ahead, 1), one, int(table.rows[-1]), PARTIAL)
    return best


def _spans(session: np.ndarray) -> np.ndarray:
    turns = np.flatnonzero(np.append(True, session[1:] != session[:-1]))
    spans = np.column_stack([turns, np.append(turns[1:], len(session))])
    return spans[np.diff(spans, axis=1)[:, 0] >= ROWS_A_SESSION]


def _alike(said: np.ndarray, came: np.ndarray, known: tuple[np.ndarray, ...]) -> float | None:
    """The likeness beyond what was known, where it is as it stands, too, and no luck."""
    fine = np.isfinite(said) & np.isfinite(came)
    for one in known:
        fine &= np.isfinite(one)
    count = int(fine.sum())
    if count < SESSIONS_MIN or len(np.unique(said[fine])) < SESSIONS_MIN:
        return None
    x, y, told = said[fine], came[fine], [one[fine] for one in known]
    plain = abs(correlation(x, y, SESSIONS_MIN))
    if plain < PARTIAL or fisher(plain, count) < Z_SESSIONS:
        return None
    turns = abs(correlation(np.diff(x), np.diff(y), SESSIONS_MIN - 1))  # two trends are alike
    by_rank = abs(correlation(ranks(x), ranks(y), SESSIONS_MIN))  # one outlier makes a likeness
    if min(turns, by_rank) < ROUGHLY or fisher(by_rank, count) < Z_RANKED:
        return None
    left, after = unexplained(x, told, 3), unexplained(y, told, 3)
    if np.isnan(left).all() or np.isnan(after).all():
        return None
    if np.nanvar(left) < OWN * np.var(x) or np.nanvar(after) < OPEN * np.var(y):
        return None  # the one is known by then, or the other
    size = abs(correlation(left, after, SESSIONS_MIN))
    sure = fisher(size, count - len(told)) >= Z_SESSIONS
    return min(size, plain) if size >= PARTIAL and sure else None


def _tables(
    values: np.ndarray, data: ResearchData, spans: np.ndarray, name: str
) -> Iterator[Table]:
    price = data.price
    base = relative(values, price) if is_price(values, price) else values
    follows = _following(base, price, spans)
    straight = _straight(base, price, spans)
    amounts = list(_amounts(data, name))
    for moment, at in _moments(spans):
        said = {"its value": base[at], "its mean so far": _means(base, spans[:, 0], at)}
        if follows is not None:
            said["the price it measures from"] = _means(follows, spans[:, 0], at) / price[at] - 1.0
        if straight is not None and moment == MOMENTS[1]:
            anchor, scale = straight
            said["the price it measures from, by its first rows,"] = anchor / price[at] - 1.0
            said["its scale, by its first rows,"] = _log(scale / price[at])
        known, came = _prices(price, spans, at)
        for word, series in amounts:
            kind, more, still = _sums(word, series, spans, at)
            known |= {kind: (*more, price[at])}
            came |= still
        yield Table(moment, at, said, known, came)


def _moments(spans: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    lengths = np.diff(spans, axis=1)[:, 0]
    for moment in MOMENTS:
        yield moment, spans[:, 0] + (lengths * moment).astype(int)
    for left in LEFT:
        if lengths.min() >= 2 * left:
            yield 1.0 - left / float(np.median(lengths)), spans[:, 1] - 1 - left


def _means(values: np.ndarray, begin: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The mean of each session's rows up to a moment."""
    sums = np.append(0.0, np.cumsum(np.nan_to_num(values)))
    counts = np.append(0, np.cumsum(np.isfinite(values)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums[at + 1] - sums[begin]) / (counts[at + 1] - counts[begin])


def _prices(
    price: np.ndarray, spans: np.ndarray, at: np.ndarray
) -> tuple[dict[str, tuple[np.ndarray, ...]], dict[str, tuple[str, np.ndarray]]]:
    """What prices had shown by a moment of each session, and what they showed later."""
    rows = list(zip(spans[:, 0], spans[:, 1], at, strict=True))
    now, first = price[at], price[spans[:, 0]]
    close = price[spans[:, 1] - 1]
    before = np.append(np.nan, close[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.append(0.0, np.abs(np.diff(price)) / price[:-1])

        def each(of: Callable[[np.ndarray], float], till_now: bool) -> np.ndarray:
            parts = [price[b : (q + 1 if till_now else e)] for b, e, q in rows]
            return np.array([of(part) for part in parts]) / now - 1.0

        since = now / first - 1.0
        overnight = first / np.where(np.isfinite(before), before, first) - 1.0
        high, low, mean = (each(one, False) for one in FIGURES.values())
        so_far = {word: each(one, True) for word, one in FIGURES.items()}
        moved = np.array([steps[b + 1 : q + 1].sum() / max(q - b, 1) for b, e, q in rows])
        to_go = np.array([steps[q + 1 : e].sum() / max(e - q - 1, 1) for b, e, q in rows])
        whole = np.array([steps[b + 1 : e].mean() for b, e, q in rows])
        lately = np.array([steps[max(q - LATELY, 0) + 1 : q + 1].sum() for b, e, q in rows])
        gap = np.append(first[1:] / close[:-1] - 1.0, np.nan)
        after = np.append(close[1:] / first[1:] - 1.0, np.nan)
        told = np.nan_to_num(_log(np.append(whole[:1], whole[:-1])))
        went = (told, *(np.log1p(one / (np.median(whole) or 1.0)) for one in (moved, lately)))
        nothing = at == spans[:, 0]
        close_to_come = close / now - 1.0
    ranged = tuple(so_far.values())
    level = now / np.nanmean(price) - 1.0  # of a price that is drawn to par
    begun = not nothing.all()
    known = {
        "way": (level, since, overnight) if begun else (level, overnight),
        "extremes": (level, *ranged, since) if begun else (level, overnight),
        "distance": went if begun else (told,),
        "next": (level, since) if begun else (level,),
    }
    came = {
        "the close of the session": ("way", close_to_come),
        "the high of the session": ("extremes", _open(high, so_far["max"])),
        "the low of the session": ("extremes", _open(low, so_far["min"])),
        "the mean price of the session": ("extremes", mean),
        "the middle of the session's range": ("extremes", (high + low) / 2),
        "the width of the session's range": ("extremes", _log(high - low)),
        "how far the price still goes": ("distance", _log(to_go)),
        "the gap into the next session": ("next", gap),
        "the move of the next session": ("next", after),
    }
    return known, came


def _log(values: np.ndarray) -> np.ndarray:
    """NaN where there is none."""
    return np.log(np.where(values > 0, values, np.nan))


def _open(final: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """An extreme that is still to be reached; NaN where it is behind."""
    return np.where(np.isclose(final, reached, 1e-12, 1e-12), np.nan, final)


def _amounts(data: ResearchData, name: str) -> Iterator[tuple[str, np.ndarray]]:
    """A market's own amounts, never below zero; what somebody made of them may be late itself."""
    kinds = data.frame.schema
    found = 0
    for column in data.columns:
        known = of_the_market(column) and column != name
        if not known or not kinds[column].is_numeric() or found == AMOUNTS_MOST:
            continue
        series = np.nan_to_num(data.field(column))
        if series.min(initial=0.0) < 0.0 or is_price(series, data.price):
            continue
        if has_news(series, data.session):
            found += 1
            yield column, series


def _sums(
    word: str, series: np.ndarray, spans: np.ndarray, at: np.ndarray
) -> tuple[str, tuple[np.ndarray, ...], dict[str, tuple[str, np.ndarray]]]:
    """Means a row, since how many rows are left is known by the calendar."""
    sums = np.append(0.0, np.cumsum(series))
    begin, end = spans[:, 0], spans[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        so_far = np.log((sums[at + 1] - sums[begin]) / (at + 1 - begin))
        late = np.maximum(at - LATELY, 0)
        lately = np.log((sums[at + 1] - sums[late]) / (at + 1 - late))
        rest = np.log((sums[end] - sums[at + 1]) / (end - at - 1))
        whole = np.log((sums[end] - sums[begin]) / (end - begin))
    told = np.append(whole[:1], whole[:-1])
    came = {
        f"the {word} still to come": rest,
        f"the {word} of the next one": np.append(whole[1:], np.nan),
    }
    kind = f"sum of {word}"
    known = tuple(
        np.nan_to_num(one, neginf=0.0) for one in (told, so_far, lately, np.log1p(series[at]))
    )
    return (
        kind,
        known,
        {key: (kind, np.where(np.isfinite(one), one, np.nan)) for key, one in came.items()},
    )


def _following(base: np.ndarray, price: np.ndarray, spans: np.ndarray) -> np.ndarray | None:
    """The price a column measures from, at each row, where it follows the price in sessions."""
    inside = np.concatenate([np.arange(b, e) for b, e in spans])
    code = np.repeat(np.arange(len(spans)), np.diff(spans, axis=1)[:, 0])
    bell = ndtri(ranks(base))
    fine = np.isfinite(bell[inside]) & np.isfinite(price[inside]) & (price[inside] > 0)
    rows, code = inside[fine], code[fine]
    if len(rows) < len(base) // 2:
        return None
    x, y = np.log(price[rows]), bell[rows]
    count = np.maximum(np.bincount(code), 1)
    a = x - (np.bincount(code, x) / count)[code]
    b = y - (np.bincount(code, y) / count)[code]
    if not (a @ a > 0 and b @ b > 0):
        return None
    if (a @ b) ** 2 / ((a @ a) * (b @ b)) < FOLLOWS:
        return None
    slope = float(a @ b / (a @ a))
    out = np.full(len(base), np.nan)
    out[rows] = np.exp(x - y / slope)
    return out


def _straight(
    base: np.ndarray, price: np.ndarray, spans: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Anchor and scale of each session where the column is `(price - anchor) / scale` exactly,
    by the first eighth of its rows; None where it is not, or always with the same constants."""
    anchors, scales = np.full(len(spans), np.nan), np.full(len(spans), np.nan)
    for k, (begin, end) in enumerate(spans):
        rows = slice(begin, begin + max((end - begin) // 8, 4))
        x, y = price[rows], base[rows]
        if not (np.isfinite(x).all() and np.isfinite(y).all()) or np.ptp(x) <= 0 or np.ptp(y) <= 0:
            continue
        a, b = x - x.mean(), y - y.mean()
        slope = (a @ b) / (a @ a)
        left = b - slope * a
        if (left @ left) <= AFFINE * (b @ b):
            anchors[k], scales[k] = x.mean() - y.mean() / slope, 1.0 / abs(slope)
    fine = np.isfinite(anchors)
    if fine.mean() < 0.9 or np.ptp(anchors[fine]) <= 1e-9 * np.abs(anchors[fine]).max():
        return None
    return anchors, scales
