"""Does a column know what comes on some of its rows only?

A leak may sit in two sessions of twelve, in the last minutes before a close, or where the column
says anything at all. Over all rows it drowns. So rows are looked at apart by what is known of them
at the time: their session, a stretch of rows, the time since a session began and, after it has
ended, before its end, and how unusual the column's value or its change is. In each part the limits
are those of all rows, and luck is asked for more strictly, since there are many parts.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Foresight, is_price, limit_of, usual_pace
from hft.research.leakage.likeness import ROWS_MIN, ahead, correlation, fisher, ranks, relative
from hft.research.leakage.past import Past

Z_PARTS = 7.0  # some thousands of parts, forms and distances: one in 10^8 by luck
STRETCH, FIFTHS, HOURS = 125, 5, 12
ENDS = (5, 15, 30, 60)  # rows before a session's end
MODE_MIN, UNUSUAL = 0.3, (0.01, 0.05)
ROWS_A_SESSION = 20
LARGER_MOST = 3.0  # so much larger than usual are the outermost hundredths of a bell curve

Part = tuple[str, np.ndarray]  # how it is called, and which part a row is in; -1 for none


def in_parts(values: np.ndarray, data: ResearchData, steps: Sequence[int]) -> Foresight | None:
    """The strongest proof among the parts; None without one."""
    price, session = data.price, data.session
    past, best = Past(price), None
    parts = list(_parts(values, session))
    base = relative(values, price) if is_price(values, price) else values
    changed = np.diff(base, prepend=np.nan)
    forms = [("level", base, ranks(base)), ("change", changed, ranks(changed))]
    often = float(np.mean(np.diff(price) != 0)) if len(price) > 1 else 0.0
    pace = usual_pace(values, data)
    for word, step, later in _targets(price, session, steps):
        known = ranks(later)
        for name, form, ranked in forms:
            overall = abs(correlation(ranked, known))
            for part, code in parts:
                for which, size in _likely(ranked, known, code, step, overall):
                    rows = code == which
                    # A few hours of chance may reach what years may not.
                    long = _long(rows)
                    limit = _limit(limit_of(step, often, pace if long else 0.0), form, rows)
                    if size < limit or (best is not None and size <= best.size):
                        continue
                    if past.beyond(form, later, rows) < limit:
                        continue
                    both = np.flatnonzero(rows & np.isfinite(form) & np.isfinite(later))
                    row = int(both[np.argmax(np.abs(later[both]))])
                    how = f"rank correlation of its {name} with {word} {_where(part, data, row)}"
                    best = Foresight(how, step, size, row, limit)
    return best


def _targets(
    price: np.ndarray, session: np.ndarray, steps: Sequence[int]
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Moves that stay in their session, where there are sessions of several rows."""
    for step in steps:
        later = ahead(price, step)
        inside = np.zeros(len(price), bool)
        inside[:-step] = session[step:] == session[:-step]
        if inside.sum() >= ROWS_MIN:
            later = np.where(inside, later, np.nan)
        yield "the move", step, later


def _parts(values: np.ndarray, session: np.ndarray) -> Iterator[Part]:
    turns = np.append(True, session[1:] != session[:-1])
    which = np.cumsum(turns) - 1
    starts = np.flatnonzero(turns)
    lengths = np.diff(np.append(starts, len(session)))
    row = np.arange(len(session))
    if len(starts) > 1 and np.median(lengths) >= ROWS_A_SESSION:
        yield "in the session of", which
        since, left = row - starts[which], lengths[which] - 1 - (row - starts[which])
        share = (since * HOURS // np.maximum(np.median(lengths), 1)).astype(int)
        yield "at the session's hour of", np.minimum(share, HOURS - 1)
        for end in ENDS:
            yield f"in the last {end} rows of a session", np.where(left < end, 0, -1)
            yield f"in the first {end} rows of a session", np.where(since < end, 0, -1)
    yield f"in the {STRETCH} rows around", row // STRETCH
    # A history that was filled in before a score went live is years long.
    yield f"in the {-(-len(row) // FIFTHS)} rows around", row * FIFTHS // max(len(row), 1)
    for word, unusual in _unusual(values):
        yield word, np.where(unusual, 0, -1)


def _unusual(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Rows that are not the column's usual value, far from it, or a sudden change."""
    fine = np.isfinite(values)
    if not fine.any():
        return
    different, counts = np.unique(values[fine], return_counts=True)
    usual = different[np.argmax(counts)]
    if counts.max() >= MODE_MIN * fine.sum() and len(different) > 1:
        yield f"where it is not {usual:g}", fine & (values != usual)
    far = np.abs(values - np.nanmedian(values))
    jump = np.abs(np.diff(values, prepend=np.nan))
    for word, size in (("is far from its median", far), ("changes most", jump)):
        ranked = ranks(size)
        for share in UNUSUAL:
            yield f"in the {share:.0%} of rows where it {word}", ranked > 1 - share


def _long(rows: np.ndarray) -> bool:
    return bool(rows.sum() * FIFTHS >= len(rows))


def _likely(
    mine: np.ndarray, later: np.ndarray, code: np.ndarray, step: int, overall: float
) -> Iterator[tuple[int, float]]:
    """Parts in which two columns are alike beyond luck, and how much.

    What leads everywhere leads more somewhere by luck: on a short part it counts from `overall`.
    """
    fine = np.isfinite(mine) & np.isfinite(later) & (code >= 0)
    if fine.sum() < ROWS_MIN:
        return
    part, x, y = code[fine], mine[fine], later[fine]
    count = np.bincount(part).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = x - (np.bincount(part, x) / count)[part]
        y = y - (np.bincount(part, y) / count)[part]
        width = np.sqrt(np.bincount(part, x * x) * np.bincount(part, y * y))
        size = np.abs(np.bincount(part, x * y) / np.where(width > 0, width, np.inf))
    for which in np.flatnonzero((count >= ROWS_MIN) & (size > 0.25)):
        if fisher(float(size[which]), float(count[which])) < Z_PARTS:
            continue
        rows = np.flatnonzero(fine)[part == which]
        apart = len(np.unique(rows // step))
        usual = 0.0 if _long(code == which) else fisher(overall, apart)
        if fisher(float(size[which]), apart) - usual >= Z_PARTS:
            yield int(which), float(size[which])


def _limit(limit: float, form: np.ndarray, rows: np.ndarray) -> float:
    """An honest likeness as it is where a column says more than usual: its outermost values are
    followed more surely, by as much as they are larger."""
    away = (form - np.nanmedian(form)) ** 2
    usual = float(np.nanmean(away))
    larger = float(np.nanmean(away[rows])) / usual if usual > 0 else 1.0
    times = float(np.clip(np.sqrt(larger), 1.0, LARGER_MOST))
    return limit * times / float(np.sqrt((limit * times) ** 2 + 1.0 - limit**2))


def _where(part: str, data: ResearchData, row: int) -> str:
    if part.endswith(" of"):
        return f"{part} {data.session[row]}" if "hour" not in part else f"{part} row {row + 1}"
    return f"{part} row {row + 1}" if part.endswith("around") else part
