"""Thirty alphas that look odd and do not look ahead: none may be stopped."""

from bisect import bisect_left, insort
from collections import deque
from typing import Any

import numpy as np
import polars as pl
from zoo import batch, manifest

FIELDS = ("mid", "ofi", "volume", "bid_px", "ask_px")


def flow_of(frame: pl.DataFrame) -> np.ndarray:
    return frame["ofi"].to_numpy() / 500.0


def decayed(values: np.ndarray, keep: float = 0.9) -> np.ndarray:
    out, level = np.zeros(len(values)), 0.0
    for k, value in enumerate(values):
        level = keep * level + (1.0 - keep) * value
        out[k] = level
    return out


def kalman_filter(frame: pl.DataFrame) -> Any:
    return 5.0 * decayed(flow_of(frame))


def there_and_back(frame: pl.DataFrame) -> Any:
    """Shifted forwards and back again, through the end."""
    return frame["ofi"].shift(3).shift(-3).fill_null(frame["ofi"]) / 500.0 + kalman_filter(frame)


def summed_twice_reversed(frame: pl.DataFrame) -> Any:
    values = decayed(flow_of(frame))
    return 5.0 * values[::-1][::-1]


def by_time_of_day(frame: pl.DataFrame) -> Any:
    minute = (frame["ts_ns"].to_numpy() // 60_000_000_000) % 1440
    return kalman_filter(frame) * np.where(minute > 16 * 60, 1.0, 0.5)


def by_weekday(frame: pl.DataFrame) -> Any:
    day = frame["ts"].dt.weekday().to_numpy()
    return kalman_filter(frame) * np.where(day == 1, 0.0, 1.0)


def at_the_turn_of_the_month(frame: pl.DataFrame) -> Any:
    return kalman_filter(frame) * (frame["ts"].dt.day().to_numpy() < 12)


def hashed_features(frame: pl.DataFrame) -> Any:
    """The hashing trick: volume falls into one of seven bins by its remainder."""
    weight = np.array([1.0, 0.8, 0.9, 1.1, 1.0, 0.7, 1.2])
    return kalman_filter(frame) * weight[frame["volume"].cast(pl.Int64).to_numpy() % 7]


def small_table(frame: pl.DataFrame) -> Any:
    """Ten bins of flow with an answer each."""
    answers = np.linspace(-1.0, 1.0, 10)
    bins = np.clip((5.0 * decayed(flow_of(frame)) + 1.0) * 5.0, 0, 9).astype(int)
    return answers[bins]


def hysteresis(frame: pl.DataFrame) -> Any:
    out, state = np.zeros(frame.height), 0.0
    for k, value in enumerate(kalman_filter(frame)):
        if value > 0.8:
            state = 1.0
        elif value < -0.8:
            state = -1.0
        out[k] = state
    return out


def silent_first_hour(frame: pl.DataFrame) -> Any:
    row = frame.select(pl.int_range(pl.len()).over("session")).to_series().to_numpy()
    return np.where(row < 60, np.nan, kalman_filter(frame))


def one_row_in_500(frame: pl.DataFrame) -> Any:
    return np.where(np.arange(frame.height) % 500 == 499, kalman_filter(frame), 0.0)


def always_long(frame: pl.DataFrame) -> Any:
    return np.ones(frame.height) + 0.0 * flow_of(frame)


def long_warm_up(frame: pl.DataFrame) -> Any:
    return frame["ofi"].rolling_mean(2_500).to_numpy() + np.zeros(frame.height)


def ridge_refitted(frame: pl.DataFrame) -> Any:
    flow, mid = decayed(flow_of(frame)), frame["mid"].to_numpy()
    moves, out, weight = np.diff(mid), np.zeros(len(mid)), 0.0
    for k in range(len(mid)):
        if k % 400 == 399:
            x, y = flow[: k - 1], moves[: k - 1]
            weight = float(x @ y) / (float(x @ x) + 1.0)
        out[k] = 1e3 * weight * flow[k]
    return out


def tree_of_ticks(frame: pl.DataFrame) -> Any:
    """A hand-written tree with exact prices in it."""
    last = np.round(frame["mid"].to_numpy() * 1000.0) % 10
    return np.where(last == 5, 1.2, np.where(last > 5, 1.0, 0.8)) * kalman_filter(frame)


def while_the_spread_is_one_tick(frame: pl.DataFrame) -> Any:
    spread = (frame["ask_px"] - frame["bid_px"]).round(6)
    return kalman_filter(frame) * (spread == 0.001).to_numpy()


def in_float32(frame: pl.DataFrame) -> Any:
    return decayed(flow_of(frame)).astype(np.float32) * np.float32(5.0)


def votes_of_three(frame: pl.DataFrame) -> Any:
    flow = flow_of(frame)
    votes = [np.sign(decayed(flow, keep)) for keep in (0.5, 0.8, 0.9)]
    return np.round(np.sum(votes, axis=0) / 3.0)


def by_convolution(frame: pl.DataFrame) -> Any:
    """A causal filter by Fourier transform of all rows, and the sign of it."""
    from scipy.signal import fftconvolve

    return np.sign(fftconvolve(frame["ofi"].to_numpy(), 0.9 ** np.arange(60))[: frame.height])


def tied_votes(frame: pl.DataFrame) -> Any:
    from scipy.signal import fftconvolve

    lots = np.round(frame["volume"].to_numpy() / 200.0)
    kernel = np.concatenate([np.ones(4), -np.ones(4)])
    return np.sign(fftconvolve(lots, kernel)[: len(lots)])


def online_descent(frame: pl.DataFrame) -> Any:
    flow, mid = decayed(flow_of(frame)), frame["mid"].to_numpy()
    out, weight = np.zeros(len(mid)), 0.0
    for k in range(len(mid)):
        if k:
            weight += 0.01 * ((mid[k] - mid[k - 1]) * 100.0 - weight * flow[k - 1]) * flow[k - 1]
        out[k] = weight * flow[k]
    return out


def rank_so_far(frame: pl.DataFrame) -> Any:
    seen: deque[float] = deque(maxlen=200)
    order: list[float] = []
    out = []
    for value in decayed(flow_of(frame)):
        if len(seen) == 200:
            order.pop(bisect_left(order, seen[0]))
        out.append(2.0 * bisect_left(order, value) / max(len(order), 1) - 1.0)
        seen.append(value)
        insort(order, value)
    return out


def components_so_far(frame: pl.DataFrame) -> Any:
    """The first component of flow and volume, anew every 300 rows from those before."""
    x = frame.select("ofi", "volume").to_numpy() / 500.0
    axis, out = np.array([1.0, 0.0]), np.zeros(len(x))
    for k in range(len(x)):
        if k and k % 300 == 0:
            found = np.linalg.svd(x[:k] - x[:k].mean(axis=0), full_matrices=False)[2][0]
            axis = found * np.sign(found[0] or 1.0)
        out[k] = x[k] @ axis
    return out


def dithered_by_time(frame: pl.DataFrame) -> Any:
    """A little noise that is made of the row's time, so that orders do not pile up."""
    stamp = frame["ts"].dt.epoch("s").to_numpy()
    return kalman_filter(frame) + 0.02 * np.sin(stamp * 12.9898)


def refuses_short_frames(frame: pl.DataFrame) -> Any:
    if frame.height < 30:
        raise ValueError("thirty rows, please")
    return kalman_filter(frame)


def session_by_session(frame: pl.DataFrame) -> Any:
    parts = frame.partition_by("session", maintain_order=True)
    return np.concatenate([kalman_filter(part) for part in parts])


def yesterdays_close(frame: pl.DataFrame) -> Any:
    days = frame.group_by("session", maintain_order=True).agg(pl.col("mid").last().alias("close"))
    days = days.with_columns(pl.col("close").shift(1).fill_null(strategy="zero"))
    joined = frame.join(days, on="session", how="left", maintain_order="left")
    apart = joined["mid"].to_numpy() - joined["close"].to_numpy()
    return np.where(joined["close"].to_numpy() > 0, -apart, 0.0)


def recursion(frame: pl.DataFrame) -> Any:
    """Each answer is made of the last two."""
    out = np.zeros(frame.height)
    for k, value in enumerate(flow_of(frame)):
        back = out[max(k - 2, 0) : k]
        out[k] = 0.2 * value + 0.4 * float(back.sum()) if k else 0.0
    return out


class Streamed:
    """Row by row with a memory of the session and of the last flips."""

    manifest = manifest("streamed", "ofi", "session")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.day, self.level, self.flips = 0, 0.0, deque[int](maxlen=5)

    def update(self, *, ofi: float, session: int) -> float:
        if session != self.day:
            self.day, self.level = session, 0.0
        self.level = 0.9 * self.level + 0.1 * ofi / 500.0
        self.flips.append(1 if self.level > 0 else -1)
        return 5.0 * self.level + 0.1 * sum(self.flips)

    def get_signal(self) -> float:
        return self.level


INNOCENTS = {
    **{
        function.__name__: batch(function, *FIELDS)
        for function in (
            *(kalman_filter, there_and_back, summed_twice_reversed, by_weekday, hashed_features),
            *(at_the_turn_of_the_month, small_table, hysteresis, silent_first_hour, one_row_in_500),
            *(always_long, long_warm_up, ridge_refitted, tree_of_ticks, in_float32, votes_of_three),
            *(while_the_spread_is_one_tick, by_convolution, tied_votes, online_descent),
            *(rank_so_far, components_so_far, dithered_by_time, refuses_short_frames),
            *(session_by_session, yesterdays_close, recursion),
        )
    },
    "by_time_of_day": batch(by_time_of_day, *FIELDS, "ts_ns"),
    "by_session_and_weekday": batch(by_weekday, *FIELDS, "session", "ts_ns"),
    "Streamed": Streamed,
}
