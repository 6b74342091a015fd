"""Does a column's clock change: what it says of its own row here, it says of a later one there?

A vendor begins to stamp by the hour's start, a file of the summer stands an hour early, what lacked
is filled in from behind. Over all rows the lead drowns, and in the part it is no larger than an
edge may be. But the rest of the rows shows what the column is: its likeness with the steps of the
price around its row is a profile, and in the part the same profile stands rows earlier. An edge has
no such twin.
"""

from collections.abc import Iterator

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Foresight, is_price
from hft.research.leakage.likeness import correlation, fisher, moved, ranks, relative
from hft.research.leakage.parts import FIFTHS

LEADS = tuple(range(1, 9))  # rows: two hours of quarters
BEHIND = tuple(range(-4, 1))  # of the rest: its own row, or one that is past
LIKELY, Z_CLOCK = 0.15, 7.0
ELSEWHERE = 0.4  # of the likeness: what neither profile may reach at the other's place
TIMES = 1.5  # by which the two likenesses may differ
ROWS_LEAST = 200
SUMMER = (4, 10)  # months in which the clocks of both sides of the ocean have moved


def moved_clock(values: np.ndarray, data: ResearchData) -> Foresight | None:
    """The strongest lead of a part over the rest; None without one. Looks at one name's rows."""
    price = data.price
    if len(price) < 2 * ROWS_LEAST:
        return None
    step = ranks(moved(price, 1))
    base = relative(values, price) if is_price(values, price) else values
    best, surest = None, 0.0
    for form, column in (("level", base), ("change", np.diff(base, prepend=np.nan))):
        mine = ranks(column)
        for word, part in _parts(values, data):
            if min(part.sum(), (~part).sum()) < ROWS_LEAST:
                continue
            found = _shifted(mine, step, part)
            if found is None or found[3] <= surest:
                continue
            lead, size, own, surest = found
            how = (
                f"rank correlation of its {form} with one step of the price {word}, and {size:.4f} "
                f"of {'its own row' if own == 0 else f'the row {-own} before'} elsewhere, there"
            )
            best = Foresight(how, lead, size, int(np.flatnonzero(part)[0]), LIKELY)
    return best


def _parts(values: np.ndarray, data: ResearchData) -> Iterator[tuple[str, np.ndarray]]:
    """The beginning and the end of the rows, by fifths, the summers, and the first of equal values:
    what lacked and was filled in from behind stands there."""
    place = np.arange(len(data)) * FIFTHS // len(data)
    for fifth in range(1, FIFTHS):
        yield f"in the last {FIFTHS - fifth} fifths of its rows", place >= fifth
        yield f"in the first {fifth} fifths of its rows", place < fifth
    month = data.ts_ns.astype("datetime64[ns]").astype("datetime64[M]").astype(int) % 12 + 1
    summer = (month >= SUMMER[0]) & (month <= SUMMER[1])
    yield "in summer", summer
    yield "in winter", ~summer
    begins = np.append(True, np.diff(values) != 0)
    yield "where it is the first of several equal ones", begins & np.append(~begins[1:], False)


def _shifted(
    mine: np.ndarray, step: np.ndarray, part: np.ndarray
) -> tuple[int, float, int, float] | None:
    """Lead, likeness, the place of its twin in the rest, and the standard errors of the less sure
    of both, where the part runs ahead."""
    lags = (*BEHIND, *LEADS)
    here, there = (
        {lag: _likeness(mine, step, rows, lag) for lag in lags} for rows in (part, ~part)
    )
    lead = max(LEADS, key=lambda lag: abs(here[lag][0]))
    own = max(BEHIND, key=lambda lag: abs(there[lag][0]))
    (size, sure), (twin, twin_sure) = here[lead], there[own]
    if min(abs(size), abs(twin)) < LIKELY or min(sure, twin_sure) < Z_CLOCK or size * twin < 0:
        return None
    if max(abs(size), abs(twin)) > TIMES * min(abs(size), abs(twin)):
        return None
    most = ELSEWHERE * min(abs(size), abs(twin))
    if abs(here[own][0]) > most or abs(there[lead][0]) > most:
        return None
    return lead, abs(size), own, min(sure, twin_sure)


def _likeness(
    mine: np.ndarray, step: np.ndarray, rows: np.ndarray, lag: int
) -> tuple[float, float]:
    """Correlation with the step so many rows later, at these rows, and its standard errors."""
    then = np.full(len(step), np.nan)
    if lag > 0:
        then[:-lag] = step[lag:]
    else:
        then[-lag:] = step[: len(step) + lag]
    x, y = mine[rows], then[rows]
    size = correlation(x, y)
    return size, fisher(abs(size), int((np.isfinite(x) & np.isfinite(y)).sum()))
