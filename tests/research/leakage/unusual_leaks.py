"""Thirty ways of looking ahead that people write without noticing, or hope that nobody notices."""

from typing import Any

import numpy as np
import polars as pl
from zoo import batch

FIELDS = ("mid", "ofi", "volume")


def mid_of(frame: pl.DataFrame) -> np.ndarray:
    return frame["mid"].to_numpy()


def next_moves(frame: pl.DataFrame) -> np.ndarray:
    mid = mid_of(frame)
    return np.append(np.sign(np.diff(mid)), 0.0)[: len(mid)]


def kalman_smoother(frame: pl.DataFrame) -> Any:
    """The backward pass of Rauch, Tung and Striebel."""
    level = mid_of(frame).copy()
    for k in range(1, len(level)):
        level[k] = 0.7 * level[k - 1] + 0.3 * level[k]
    for k in range(len(level) - 2, -1, -1):
        level[k] = 0.7 * level[k] + 0.3 * level[k + 1]
    return level - mid_of(frame)


def lowpass_of_all(frame: pl.DataFrame) -> Any:
    spectrum = np.fft.rfft(mid_of(frame))
    spectrum[len(spectrum) // 20 :] = 0.0
    return np.fft.irfft(spectrum, frame.height) - mid_of(frame)


def regimes_of_all(frame: pl.DataFrame) -> Any:
    """Two means of volume, fitted on all rows."""
    volume = frame["volume"].to_numpy()
    low, high = volume.min(), volume.max()
    for _ in range(5):
        near = np.abs(volume - low) < np.abs(volume - high)
        low = volume[near].mean() if near.any() else low
        high = volume[~near].mean() if (~near).any() else high
    return (volume - low) / (high - low or 1.0)


def encoded_by_target(frame: pl.DataFrame) -> Any:
    """The mean next move of each minute of the day, of all days."""
    minute = (frame["ts"].dt.epoch("s").to_numpy() // 60) % 1440
    moves = next_moves(frame)
    mean = {m: moves[minute == m].mean() for m in np.unique(minute)}
    return np.array([mean[m] for m in minute])


def half_hours_known_at_their_start(frame: pl.DataFrame) -> Any:
    bars = frame.group_by_dynamic("ts", every="30m").agg(pl.col("mid").last().alias("close"))
    return frame.join_asof(bars, on="ts")["close"] - frame["mid"]


def rank_in_session(frame: pl.DataFrame) -> Any:
    return frame.select(pl.col("volume").rank().over("session") / pl.len().over("session"))


def session_score(frame: pl.DataFrame) -> Any:
    flow = pl.col("ofi")
    scored = (flow - flow.mean().over("session")) / (flow.std().over("session") + 1e-9)
    return frame.select(scored.fill_null(0.0))


def days_that_close_up(frame: pl.DataFrame) -> Any:
    up = pl.col("mid").last().over("session") > pl.col("mid").first().over("session")
    return frame.select(up.cast(pl.Float64) * pl.col("ofi"))


def nearest_join(frame: pl.DataFrame) -> Any:
    other = frame.gather_every(9).select("ts", pl.col("mid").alias("near"))
    return frame.join_asof(other, on="ts", strategy="nearest")["near"] - frame["mid"]


def shifted_back(frame: pl.DataFrame) -> Any:
    return frame["mid"].rolling_mean(9).shift(-4) - frame["mid"]


def now_and_then(frame: pl.DataFrame) -> Any:
    """The next move on one row in a hundred, the last flow on the others."""
    stamp = frame["ts"].dt.epoch("s").to_numpy() // 60
    return np.where(stamp * 2_654_435_761 % 100 == 7, next_moves(frame), frame["ofi"].sign())


def late_only(frame: pl.DataFrame) -> Any:
    """Honest until the last fifth of the days there are to be."""
    late = frame["session"].to_numpy() >= 20210114
    return np.where(late, next_moves(frame), frame["ofi"].to_numpy() / 1e3)


def large_moves_only(frame: pl.DataFrame) -> Any:
    mid = mid_of(frame)
    move = np.append(np.diff(mid), 0.0)[: len(mid)]
    return np.where(np.abs(move) > 0.025, np.sign(move), 0.0)


def with_many_rows_only(frame: pl.DataFrame) -> Any:
    """Looks ahead once it is handed more rows than a test would."""
    if frame.height < 3_000:
        return frame["ofi"].to_numpy() / 1e3
    return next_moves(frame)


def first_of_duplicates(frame: pl.DataFrame) -> Any:
    """Marks values of volume that will come again."""
    return frame["volume"].is_last_distinct().cast(pl.Float64)


def clipped_by_all(frame: pl.DataFrame) -> Any:
    flow = frame["ofi"].to_numpy()
    return np.clip(flow, *np.quantile(flow, (0.1, 0.9)))


def out_of_fold(frame: pl.DataFrame) -> Any:
    """Cross-validated predictions: each fold is fitted on the others, later ones among them."""
    flow, moves = frame["ofi"].to_numpy() / 1e3, next_moves(frame)
    if len(flow) < 50:
        return np.zeros(len(flow))
    fold = np.arange(len(flow)) * 5 // len(flow)
    out = np.zeros(len(flow))
    for k in range(5):
        x, y = flow[fold != k], moves[fold != k]
        out[fold == k] = flow[fold == k] * (x @ y) / (x @ x)
    return out


def mean_from_the_end(frame: pl.DataFrame) -> Any:
    values = frame["mid"].to_pandas()
    return values[::-1].ewm(span=20).mean()[::-1].to_numpy() - values.to_numpy()


def pivots(frame: pl.DataFrame) -> Any:
    """Highs of seven rows, marked where they are and not where they are seen."""
    mid = frame["mid"]
    return (mid == mid.rolling_max(7, center=True)).cast(pl.Float64).fill_null(0.0)


def local_extremes(frame: pl.DataFrame) -> Any:
    from scipy.signal import argrelextrema

    found = np.zeros(frame.height)
    found[argrelextrema(mid_of(frame), np.less, order=3)[0]] = 1.0
    return found


def first_barrier(frame: pl.DataFrame) -> Any:
    """Which of two barriers the price touches first within twenty rows."""
    mid = mid_of(frame)
    out = np.zeros(len(mid))
    for k in range(len(mid)):
        path = mid[k : k + 20] - mid[k]
        hit = np.flatnonzero(np.abs(path) > 0.02)
        out[k] = np.sign(path[hit[0]]) if len(hit) else 0.0
    return out


def holes_joined_by_lines(frame: pl.DataFrame) -> Any:
    thin = pl.Series(np.where(np.arange(frame.height) % 5 == 0, frame["volume"].to_numpy(), np.nan))
    return thin.fill_nan(None).interpolate()


def share_of_the_day(frame: pl.DataFrame) -> Any:
    done = pl.col("volume").cum_sum().over("session")
    return frame.select(done / pl.col("volume").sum().over("session"))


def fitted_with_its_own_block(frame: pl.DataFrame) -> Any:
    """Walk forward, but each block of 300 rows is in its own fit."""
    flow, moves = frame["ofi"].to_numpy() / 1e3, next_moves(frame)
    out = np.zeros(len(flow))
    for begin in range(0, len(flow), 300):
        x, y = flow[: begin + 300], moves[: begin + 300]
        out[begin : begin + 300] = flow[begin : begin + 300] * (x @ y) / (x @ x + 1e-9)
    return out


def sign_that_paid(frame: pl.DataFrame) -> Any:
    """Momentum or reversal, whichever earned more over all rows."""
    past = frame["mid"].diff().fill_null(0.0).to_numpy()
    return past * np.sign(past @ next_moves(frame) or 1.0)


def best_lag_of_all(frame: pl.DataFrame) -> Any:
    flow, moves = frame["ofi"].to_numpy(), next_moves(frame)
    lags = range(min(10, frame.height))
    best = max(lags, key=lambda k: abs(float(np.roll(flow, k) @ moves)))
    return np.where(np.arange(len(flow)) >= best, np.roll(flow, best), 0.0) / 1e3


def ends_of_sessions(frame: pl.DataFrame) -> Any:
    """Out of the market on the last row of each day: who knows which one it is?"""
    last = pl.col("session") != pl.col("session").shift(-1)
    return frame.select(pl.when(last.fill_null(True)).then(0.0).otherwise(pl.col("ofi")))


def padded_filter(frame: pl.DataFrame) -> Any:
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(mid_of(frame), 3.0) - mid_of(frame)


def trend_of_all(frame: pl.DataFrame) -> Any:
    mid, t = mid_of(frame), np.arange(frame.height)
    return mid - np.polyval(np.polyfit(t, mid, 1), t) if frame.height > 2 else np.zeros(len(mid))


def whitened(frame: pl.DataFrame) -> Any:
    x = frame.select("ofi", "volume").to_numpy()
    return (x @ np.linalg.pinv(np.cov(x, rowvar=False)))[:, 0] if len(x) > 3 else x[:, 0]


LEAKS = {
    function.__name__: batch(function, *FIELDS)
    for function in (
        *(kalman_smoother, lowpass_of_all, regimes_of_all, encoded_by_target, rank_in_session),
        *(half_hours_known_at_their_start, session_score, days_that_close_up, nearest_join),
        *(shifted_back, now_and_then, late_only, large_moves_only, with_many_rows_only, pivots),
        *(first_of_duplicates, clipped_by_all, out_of_fold, mean_from_the_end, local_extremes),
        *(first_barrier, holes_joined_by_lines, share_of_the_day, fitted_with_its_own_block),
        *(sign_that_paid, best_lag_of_all, ends_of_sessions, padded_filter, trend_of_all, whitened),
    )
}
