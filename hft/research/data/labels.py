"""Forward returns with their label intervals, the one definition for features, IC and purging.

The label of a row at t is the price of the last row known by t + horizon, over its own price, less
one. Labels stay within a session, unless the horizon is a day or longer: then days count as
sessions, at the same time of day. A row whose horizon the data does not cover has no label.
"""

from dataclasses import dataclass

import numpy as np

from hft.research.data.clocks import DAY_NS


@dataclass(frozen=True)
class Labels:
    """Forward returns of rows, NaN where the horizon is not covered; with their intervals in ns.

    The label of a row is known at `t_end`; `steps` is the number of rows it reaches forward.
    """

    value: np.ndarray
    t_start: np.ndarray
    t_end: np.ndarray
    steps: np.ndarray


def of_one(
    ts_ns: np.ndarray, session: np.ndarray, price: np.ndarray, horizon_ns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value, end of the interval and rows forward, for one name in time order."""
    count = len(ts_ns)
    here = np.arange(count)
    if not count:
        return np.zeros(0), ts_ns, here
    if horizon_ns <= 0:
        ahead = np.minimum(here + 1, count - 1)
        t_end, covered = ts_ns[ahead], here + 1 < count
    elif horizon_ns < DAY_NS:
        t_end = ts_ns + horizon_ns
        ahead = np.searchsorted(ts_ns, t_end, side="right") - 1
        covered = (t_end <= ts_ns[_last_of_session(session)]) & (ahead > here)
    else:
        t_end, known = _sessions_later(ts_ns, session, max(1, round(horizon_ns / DAY_NS)))
        ahead = np.searchsorted(ts_ns, t_end, side="right") - 1
        covered = known & (ahead > here)
    value = np.full(count, np.nan)
    base, then = price[here[covered]], price[ahead[covered]]
    with np.errstate(invalid="ignore", divide="ignore"):
        value[covered] = np.where(base != 0, then / base - 1.0, np.nan)
    return value, t_end, np.where(covered, ahead - here, 0)


def _last_of_session(session: np.ndarray) -> np.ndarray:
    """For each row the index of the last row of its session."""
    ends = np.flatnonzero(np.append(session[1:] != session[:-1], True))
    return ends[np.searchsorted(ends, np.arange(len(session)))]


def _sessions_later(
    ts_ns: np.ndarray, session: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The same time of day so many sessions later, and whether there is such a session."""
    names, index = np.unique(session, return_inverse=True)
    days = np.array([f"{n // 10000:04}-{n // 100 % 100:02}-{n % 100:02}" for n in names.tolist()])
    midnight = days.astype("datetime64[D]").astype(np.int64) * DAY_NS
    later = np.minimum(index + count, len(names) - 1)
    return ts_ns + midnight[later] - midnight[index], index + count < len(names)
