"""Volume buckets and what is counted in them: VPIN, Kyle's lambda by buckets, Amihud.

A bucket is a fixed volume, and a trade that is larger than what is left of it is split over the
next ones. Its size is a 50th of the volume of the session before, so that it is known when the
session begins; in the first session of all it is a 50th of what the first 500 trades brought, and
buckets begin behind them. A bucket that is not full at the end of a session is dropped.
Source of VPIN: Easley, Lopez de Prado and O'Hara (2012), Review of Financial Studies 25(5).
"""

from dataclasses import dataclass

import numpy as np

from hft.microstructure.trades import Trades

BUCKETS = 50  # a day, and in the mean
FIRST_TRADES = 500
KYLE_BUCKETS, KYLE_MIN, KYLE_DIFFERENCES = 20, 10, 5
KYLE_CAP, KYLE_SCALE = 10.0, 1e4
AMIHUD_SCALE, AMIHUD_MIN = 1e6, 10


@dataclass(frozen=True, eq=False)
class Buckets:
    """Full buckets in order: when each was full, its size, what was bought, its last price."""

    ts_ns: np.ndarray
    size: np.ndarray
    bought: np.ndarray
    price: np.ndarray
    session: np.ndarray

    def __len__(self) -> int:
        return len(self.ts_ns)

    @property
    def signed(self) -> np.ndarray:
        """Bought less sold."""
        return 2.0 * self.bought - self.size


def buckets(trades: Trades, per_day: int = BUCKETS) -> Buckets:
    """The full buckets of all sessions."""
    parts: list[list[np.ndarray]] = [[], [], [], [], []]
    before = 0.0
    names, starts = np.unique(trades.session, return_index=True)
    ends = np.append(starts, len(trades))[1:]
    for session, start, end in zip(names.tolist(), starts.tolist(), ends.tolist(), strict=True):
        rows = np.arange(start, end)
        volume = float(trades.qty[rows].sum())
        size, begin = before / per_day, 0
        if before <= 0.0:
            begin = min(FIRST_TRADES, len(rows))
            size = float(trades.qty[rows[:begin]].sum()) / per_day
        before = volume
        if size > 0.0 and begin < len(rows):
            for part, values in zip(parts, _fill(trades, rows[begin:], size, session), strict=True):
                part.append(values)
    joined = [np.concatenate(part) if part else np.zeros(0) for part in parts]
    ts, volume_of, bought, price, day = joined
    return Buckets(ts.astype(np.int64), volume_of, bought, price, day.astype(np.int64))


def _fill(trades: Trades, rows: np.ndarray, size: float, session: int) -> tuple[np.ndarray, ...]:
    """Cut one session's cumulative volume at multiples of the size."""
    volume = np.cumsum(trades.qty[rows])
    bought = np.cumsum(trades.bought[rows])
    edges = size * np.arange(1, int(volume[-1] / size * (1 + 1e-12)) + 1)
    at = np.minimum(np.searchsorted(volume, edges * (1 - 1e-12), side="left"), len(rows) - 1)
    until = np.interp(edges, np.append(0.0, volume), np.append(0.0, bought))
    share = np.diff(until, prepend=0.0)
    whole = np.full(len(edges), size)
    return (
        trades.ts_ns[rows][at],
        whole,
        share,
        trades.price[rows][at],
        np.full(len(edges), session),
    )


def vpin(found: Buckets, window: int = BUCKETS) -> np.ndarray:
    """Mean share of one-sided volume of the last buckets, percent; NaN before there are enough."""
    share = np.abs(found.signed) / found.size * 100.0
    return _trailing_mean(share, window)


def vpin_bulk(found: Buckets, window: int = BUCKETS) -> np.ndarray:
    """VPIN with the sides of bulk classification: buy share = Phi(dP / sd dP).

    The deviation is that of the price changes of all buckets so far.
    """
    from scipy.special import ndtr

    change = np.diff(found.price, prepend=found.price[:1])
    count = np.arange(1, len(change) + 1)
    mean = np.cumsum(change) / count
    variance = np.maximum(np.cumsum(change * change) / count - mean * mean, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(variance > 0, change / np.sqrt(variance), 0.0)
    return _trailing_mean(np.abs(2.0 * ndtr(score) - 1.0) * 100.0, window)


def kyle(found: Buckets) -> np.ndarray:
    """|Cov(dP, signed volume) / Var(signed volume)| x 10^4 over the last 20 buckets, at most 10.

    NaN with fewer than 10 buckets, or where the sum of squares of signed volume is at most 1.
    """
    signed = found.signed
    moved = np.diff(found.price, prepend=np.nan)
    out = np.full(len(found), np.nan)
    for k in range(KYLE_MIN - 1, min(KYLE_BUCKETS - 1, len(found))):
        out[k] = _slopes(moved[None, 1 : k + 1], signed[None, 1 : k + 1])[0]
    if len(found) >= KYLE_BUCKETS:
        # The first bucket of a window has no difference to a bucket of the window before it.
        wide = np.lib.stride_tricks.sliding_window_view
        size = KYLE_BUCKETS - 1
        out[size:] = _slopes(wide(moved[1:], size), wide(signed[1:], size))
    return out


def _slopes(moved: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """|covariance / variance| of each row, scaled and capped; NaN where flow hardly varies."""
    away = flow - flow.mean(axis=1, keepdims=True)
    width = (away * away).sum(axis=1)
    together = ((moved - moved.mean(axis=1, keepdims=True)) * away).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.minimum(KYLE_CAP, np.abs(together / width) * KYLE_SCALE)
    enough = (width > 1.0) & (moved.shape[1] >= KYLE_DIFFERENCES)
    return np.where(enough, slope, np.nan)


def amihud(found: Buckets, window: int = BUCKETS) -> np.ndarray:
    """Mean of |return| / traded notional x 10^6 over the last buckets; NaN below 10."""
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.abs(np.diff(found.price, prepend=np.nan) / np.roll(found.price, 1))
        ratio = change / (found.size * found.price) * AMIHUD_SCALE
    return _trailing_mean(ratio[1:], window, AMIHUD_MIN, lead=1)


def _trailing_mean(
    values: np.ndarray, window: int, least: int | None = None, lead: int = 0
) -> np.ndarray:
    """Mean of the last `window` values, NaN below `least`; `lead` NaNs stand in front."""
    least = window if least is None else least
    out = np.full(len(values) + lead, np.nan)
    for k in range(least - 1, min(window - 1, len(values))):
        out[k + lead] = values[: k + 1].mean()
    if len(values) >= window:
        spans = np.lib.stride_tricks.sliding_window_view(values, window)
        out[window - 1 + lead :] = spans.mean(axis=1)
    return out
