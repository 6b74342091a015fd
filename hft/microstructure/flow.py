"""Measures over clock time: flow imbalance, VPIN by seconds, Kyle's lambda by regression, toxicity.

Each function is given sample times and answers with what was known then; NaN where the definition
asks for more than there is. Sessions do not run into each other.
"""

from typing import NamedTuple

import numpy as np

from hft.microstructure.trades import Mids, Trades

SECOND_NS = 1_000_000_000
ROLL_NS = 300 * SECOND_NS
VPIN_SECONDS = 50
KYLE_WINDOW, KYLE_LEAST = 50, 20
TOXIC_TRADES, TOXIC_LEAST, LONG_RUN = 1000, 100, 5


def _percent(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole * 100.0, np.nan)


def flow_imbalance(
    trades: Trades, at: np.ndarray, session: np.ndarray, span_ns: int | None = None
) -> np.ndarray:
    """(buy - sell) / (buy + sell) x 100 since the session began, or over the last `span_ns`."""
    known = np.searchsorted(trades.ts_ns, at, side="right")
    begin = np.searchsorted(trades.session, session, side="left")
    if span_ns is not None:
        begin = np.maximum(begin, np.searchsorted(trades.ts_ns, at - span_ns, side="right"))
    known = np.maximum(known, begin)
    signed = np.append(0.0, np.cumsum(trades.signed))
    volume = np.append(0.0, np.cumsum(np.where(trades.side != 0, trades.qty, 0.0)))
    return _percent(signed[known] - signed[begin], volume[known] - volume[begin])


def vpin_seconds(trades: Trades, at: np.ndarray, session: np.ndarray) -> np.ndarray:
    """Sum of |buy - sell| over sum of volume x 100, over the last 50 whole seconds."""
    out = np.full(len(at), np.nan)
    for one in np.unique(session):
        mine, rows = session == one, trades.session == one
        if not rows.any():
            continue
        second = trades.ts_ns[rows] // SECOND_NS
        first, count = int(second[0]), int(second[-1] - second[0]) + 1
        net = np.bincount(second - first, trades.signed[rows], count)
        volume = np.bincount(second - first, trades.qty[rows], count)
        one_sided = np.append(0.0, np.cumsum(np.abs(net)))
        whole = np.append(0.0, np.cumsum(volume))
        done = at[mine] // SECOND_NS - first  # whole seconds that are over
        high, low = np.clip(done, 0, count), np.clip(done - VPIN_SECONDS, 0, count)
        value = _percent(one_sided[high] - one_sided[low], whole[high] - whole[low])
        out[mine] = np.where(done >= VPIN_SECONDS, value, np.nan)
    return out


class Slope(NamedTuple):
    """A regression at each sample."""

    slope: np.ndarray
    t: np.ndarray
    r2: np.ndarray


def kyle(
    trades: Trades,
    mids: Mids,
    at: np.ndarray,
    session: np.ndarray,
    root: bool = False,
) -> Slope:
    """Slope of the change of the mid on signed volume over the last 50 intervals of a second.

    With an intercept; `root` takes the signed square root of volume. NaN below 20 intervals.
    """
    out = Slope(*(np.full(len(at), np.nan) for _ in range(3)))
    for one in np.unique(session):
        mine, rows = session == one, trades.session == one
        first, last = int(at[mine][0]) // SECOND_NS, int(at[mine][-1]) // SECOND_NS
        if rows.any():
            first = min(first, int(trades.ts_ns[rows][0]) // SECOND_NS)
        edges = np.arange(first, last + 1) * SECOND_NS
        moved = np.diff(mids.of(one).at(edges))
        second = np.clip(trades.ts_ns[rows] // SECOND_NS - first, 0, len(edges))
        flow = np.bincount(second, trades.signed[rows], len(edges) + 1)[: len(edges) - 1]
        if root:
            flow = np.sign(flow) * np.sqrt(np.abs(flow))
        found = rolling_slope(flow, moved)
        done = at[mine] // SECOND_NS - first - 1  # the last whole interval
        fine = done >= 0
        for target, values in zip(out, found, strict=True):
            part = np.full(int(mine.sum()), np.nan)
            part[fine] = values[done[fine]] if len(values) else np.nan
            target[mine] = part
    return out


def rolling_slope(x: np.ndarray, y: np.ndarray) -> Slope:
    """OLS of y on x with intercept over the last 50 pairs that are there; NaN below 20."""
    fine = np.isfinite(x) & np.isfinite(y)
    count = _window(fine.astype(float))
    x0, y0 = np.where(fine, x, 0.0), np.where(fine, y, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        xm, ym = _window(x0) / count, _window(y0) / count
        sxx = _window(x0 * x0) - count * xm * xm
        syy = _window(y0 * y0) - count * ym * ym
        sxy = _window(x0 * y0) - count * xm * ym
        usable = (count >= KYLE_LEAST) & (sxx > 1e-12 * np.maximum(_window(x0 * x0), 1e-300))
        slope = sxy / sxx
        rest = np.maximum(syy - slope * sxy, 0.0)
        t = slope / np.sqrt(rest / (count - 2) / sxx)
        r2 = np.where(syy > 0, 1.0 - rest / syy, np.nan)
    parts = (np.where(usable, one, np.nan) for one in (slope, t, r2))
    return Slope(*(np.where(np.isfinite(one), one, np.nan) for one in parts))


def _window(values: np.ndarray) -> np.ndarray:
    """Sums of the last 50 values, each summed anew so that no rounding is carried along."""
    if not len(values):
        return values
    padded = np.append(np.zeros(KYLE_WINDOW - 1), values)
    return np.lib.stride_tricks.sliding_window_view(padded, KYLE_WINDOW).sum(axis=1)


def toxicity(trades: Trades, at: np.ndarray, session: np.ndarray) -> np.ndarray:
    """min(100, 10 x runs of one side longer than 5 + 2 x longest run) of the last 1000 trades."""
    known = np.searchsorted(trades.ts_ns, at, side="right")
    begin = np.searchsorted(trades.session, session, side="left")
    low = np.maximum(begin, known - TOXIC_TRADES)
    out = np.full(len(at), np.nan)
    enough = np.flatnonzero(known - low >= TOXIC_LEAST)
    if not len(enough):
        return out
    side = trades.side
    starts = np.flatnonzero(np.append(True, side[1:] != side[:-1]))
    lengths = np.diff(np.append(starts, len(side))) * (side[starts] != 0)
    run_of = np.searchsorted(starts, np.arange(len(side)), side="right") - 1
    long_runs = np.append(0, np.cumsum(lengths > LONG_RUN))
    longest = _table(lengths)
    for k in enough:
        first, last = run_of[low[k]], run_of[known[k] - 1]
        head = int((starts[first] + max(lengths[first], 1)) - low[k]) * int(side[low[k]] != 0)
        tail = int(known[k] - max(starts[last], low[k])) * int(side[known[k] - 1] != 0)
        head = tail if first == last else head
        edges = (head,) if first == last else (head, tail)
        if first != last and lengths[first] == 0:
            edges = (tail,)
        inner = int(long_runs[last] - long_runs[first + 1]) if last > first + 1 else 0
        most = max(*edges, _most(longest, int(first) + 1, int(last)), 0)
        runs = inner + sum(edge > LONG_RUN for edge in edges)
        out[k] = min(100.0, 10.0 * runs + 2.0 * most)
    return out


def _table(values: np.ndarray) -> list[np.ndarray]:
    """Maxima of spans of powers of two, so that the maximum of any span is two look-ups."""
    levels = [values.astype(np.int64)]
    span = 1
    while 2 * span <= len(values):
        levels.append(np.maximum(levels[-1][:-span], levels[-1][span:]))
        span *= 2
    return levels


def _most(levels: list[np.ndarray], low: int, high: int) -> int:
    """The maximum of [low, high); 0 when it is empty."""
    if high <= low:
        return 0
    level = (high - low).bit_length() - 1
    return int(max(levels[level][low], levels[level][high - (1 << level)]))
