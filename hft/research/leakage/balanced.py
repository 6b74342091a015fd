"""Does the sum of a column come back to one number at ends of blocks that only the end can know?

What a regression over a whole week leaves adds up to nothing over that week, be it five sessions,
a month, or as many as its author took. So the running sum is looked at: at the ends of sessions it
is one and the same number again and again, and at no other row. A sum that honestly comes back,
of the changes of a price that is held to par, does so at any row.
"""

from itertools import pairwise

import numpy as np

from hft.research.data.dataset import ResearchData
from hft.research.leakage.foresight import Foresight
from hft.research.leakage.likeness import has_news, spread

TIMES_LEAST, ROWS_A_SESSION = 8, 8  # ends at which it is the same; rows that a session has
SESSIONS_LEAST = 2  # of a block
ENDS_LEAST = 0.6  # of the rows at which it is the same are ends of sessions: one in eight by luck
AWAY, GONE_LEAST = 50.0, 0.9  # tolerances that it goes away in between, of so many times
ROUNDED = 3.0  # standard errors of a sum of rounded values
DIGITS_MOST = 8


def balanced(values: np.ndarray, data: ResearchData) -> Foresight | None:
    """The number to which the running sum comes back at the ends of blocks; None without one."""
    ends = np.flatnonzero(np.append(data.session[1:] != data.session[:-1], True))
    rows = len(values)
    if len(ends) < TIMES_LEAST or rows < ROWS_A_SESSION * len(ends):
        return None
    if not has_news(values, data.session):
        return None
    total, near = np.cumsum(np.nan_to_num(values)), _tolerance(values)
    at_ends, everywhere = np.sort(total[ends]), np.sort(total)
    begin, stop = (np.searchsorted(at_ends, at_ends + way * near) for way in (-1.0, 1.0))
    at = int(np.argmax(stop - begin))
    usual, times = float(at_ends[at]), int(stop[at] - begin[at])
    there = np.searchsorted(everywhere, [usual - near, usual + near])
    share = times / max(int(there[1] - there[0]), 1)
    if times < TIMES_LEAST or share < ENDS_LEAST:
        return None
    back = ends[np.abs(total[ends] - usual) <= near]
    if np.median(np.diff(np.flatnonzero(np.abs(total[ends] - usual) <= near))) < SESSIONS_LEAST:
        return None  # of single sessions `adds_up` knows more, and what a calendar says comes back
    between = pairwise(back)
    gone = [float(np.max(np.abs(total[b : e + 1] - usual))) > AWAY * near for b, e in between]
    if sum(gone) < TIMES_LEAST - 1 or np.mean(gone) < GONE_LEAST:
        return None
    length = int(np.median(np.diff(back)))
    how = (
        f"its sum since row 1 is {usual:.6g} at the ends of {times} blocks of sessions, and hardly "
        "elsewhere; the share of such rows that end a session"
    )
    return Foresight(how, length // 2, share, int(back[0]) + 1, ENDS_LEAST)


def _tolerance(values: np.ndarray) -> float:
    """How far a sum may be off because values are rounded."""
    fine = values[np.isfinite(values)]
    width = spread(values)
    grid = next(
        (
            10.0**-digits
            for digits in range(DIGITS_MOST)
            if np.max(np.abs(fine - np.round(fine, digits))) <= 1e-9 * width
        ),
        1e-7 * width,
    )
    return float(ROUNDED * grid * np.sqrt(len(fine) / 12.0))
