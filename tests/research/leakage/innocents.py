"""Alphas that do not look ahead, however they may look; none may be found guilty."""

from bisect import bisect_left, insort
from collections import deque
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from zoo import batch, manifest

# --- not looking ahead


def trailing_mean(frame: pl.DataFrame) -> Any:
    """NaN for the first nineteen rows."""
    return frame["trade_vol"].rolling_mean(20)


def expanding_score(frame: pl.DataFrame) -> Any:
    volume = frame["trade_vol"].to_pandas()
    return (volume - volume.expanding(5).mean()) / volume.expanding(5).std()


def exponential_mean(frame: pl.DataFrame) -> Any:
    return frame["trade_vol"].to_pandas().ewm(span=12).mean()


def joined_backwards(frame: pl.DataFrame) -> Any:
    other = frame.gather_every(7).select("ts", pl.col("current_mid").alias("known"))
    return frame["current_mid"] - frame.join_asof(other, on="ts", strategy="backward")["known"]


def reset_each_session(frame: pl.DataFrame) -> Any:
    value = pl.col("current_mid") * pl.col("trade_vol")
    vwap = value.cum_sum().over("session") / pl.col("trade_vol").cum_sum().over("session")
    return frame.select(pl.col("current_mid") / vwap - 1.0).to_series()


def expanding_rank(frame: pl.DataFrame) -> Any:
    seen: list[float] = []
    out = []
    for value in frame["trade_vol"]:
        out.append(bisect_left(seen, value) / max(len(seen), 1))
        insort(seen, value)
    return out


def past_return(frame: pl.DataFrame) -> Any:
    return frame["current_mid"] / frame["current_mid"].shift(5) - 1.0


def labelled_right(frame: pl.DataFrame) -> Any:
    """Five-minute means stamped with their end, and joined from before that moment on."""
    bars = frame.group_by_dynamic("ts", every="5m", label="right", closed="right").agg(
        pl.col("trade_vol").mean().alias("bar")
    )
    whole = bars.filter(pl.col("ts") <= frame["ts"][-1])
    return frame.join_asof(whole, on="ts", allow_exact_matches=True)["bar"]


def filled_forwards(frame: pl.DataFrame) -> Any:
    return frame["ofi"].fill_nan(None).forward_fill()


def refitted_on_the_past(frame: pl.DataFrame) -> Any:
    """A regression on the rows so far, fitted anew every fifty rows."""
    mid, volume = frame["current_mid"].to_numpy(), frame["trade_vol"].to_numpy()
    out = np.full(len(mid), np.nan)
    weights = None
    for k in range(len(mid)):
        if k >= 50 and k % 50 == 0:
            x = np.column_stack([np.ones(k - 1), volume[: k - 1]])
            weights = np.linalg.lstsq(x, np.diff(mid[:k]), rcond=None)[0]
        if weights is not None:
            out[k] = weights[0] + weights[1] * volume[k]
    return out


def whole_votes(frame: pl.DataFrame) -> Any:
    """Integers: they are compared bit by bit."""
    fast = frame["current_mid"].rolling_mean(5).fill_null(0.0)
    slow = frame["current_mid"].rolling_mean(25).fill_null(0.0)
    return (fast > slow).cast(pl.Int64) - (fast < slow).cast(pl.Int64)


def drawdown_so_far(frame: pl.DataFrame) -> Any:
    mid = frame["current_mid"]
    return mid / mid.cum_max() - 1.0


def causal_by_fourier(frame: pl.DataFrame) -> Any:
    """A causal filter by FFT: its rounding depends on how many rows there are."""
    from scipy.signal import fftconvolve

    kernel = np.exp(-np.arange(200) / 30.0)
    return fftconvolve(frame["trade_vol"].to_numpy(), kernel)[: frame.height]


def time_of_day(frame: pl.DataFrame) -> Any:
    return np.sin(frame["ts_ns"].to_numpy() % 86_400_000_000_000 / 8.64e13 * 2 * np.pi)


def dithered(frame: pl.DataFrame) -> Any:
    """Seeded noise, the same for a row however many there are."""
    noise = np.random.Generator(np.random.Philox(5)).standard_normal(frame.height)
    return frame["trade_vol"].to_numpy() * (1.0 + 1e-3 * noise)


def in_single_precision(frame: pl.DataFrame) -> Any:
    return frame["trade_vol"].cast(pl.Float32).rolling_sum(10)


def pandas_rolling(frame: pl.DataFrame) -> Any:
    mid = pd.Series(frame["current_mid"].to_numpy())
    return mid.pct_change().rolling(30, min_periods=10).std()


def needs_a_few_rows(frame: pl.DataFrame) -> Any:
    """Refuses what is too short for it; that is no leak."""
    if frame.height < 10:
        raise ValueError("ten rows at least")
    return frame["trade_vol"].rolling_max(10)


class StreamedMean:
    """A ring of the last rows, NaN until it is full."""

    manifest = manifest("streamed_mean", "ofi")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.ring: deque[float] = deque(maxlen=30)
        self.signal = float("nan")

    def update(self, *, ofi: float) -> float:
        if ofi == ofi:
            self.ring.append(ofi)
        if len(self.ring) == 30:
            self.signal = sum(self.ring) / 30
        return self.signal

    def get_signal(self) -> float:
        return self.signal


class StreamedByDay:
    """Flow since the session began."""

    manifest = manifest("streamed_by_day", "ofi", "session")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.day, self.signal = -1, 0.0

    def update(self, *, ofi: float, session: int) -> float:
        if session != self.day:
            self.day, self.signal = session, 0.0
        self.signal += ofi if ofi == ofi else 0.0
        return self.signal

    def get_signal(self) -> float:
        return self.signal


OWN_WEIGHTS = '''
from pathlib import Path

import numpy as np

from hft.research.alphas.manifest import AlphaManifest


class WeightsAlpha:
    """Weights from a file of its own folder."""

    manifest = AlphaManifest("weights", "h", "f", (), ("trade_vol",), horizon_ns=1, owner="z",
                             family="z")

    def __init__(self):
        self.weights = np.load(Path(__file__).parent / "weights.npy")

    def signals(self, frame):
        volume = frame["trade_vol"].to_numpy()
        return sum(w * np.roll(volume, k) for k, w in enumerate(self.weights)) * (
            np.arange(len(volume)) >= len(self.weights)
        )
'''

INNOCENT = {
    **{
        function.__name__: batch(function)
        for function in (
            *(trailing_mean, expanding_score, exponential_mean, joined_backwards),
            *(reset_each_session, expanding_rank, past_return, labelled_right, filled_forwards),
            *(refitted_on_the_past, whole_votes, drawdown_so_far, causal_by_fourier, dithered),
            *(in_single_precision, pandas_rolling, needs_a_few_rows),
        )
    },
    "time_of_day": batch(time_of_day, "ts_ns"),
    "StreamedMean": StreamedMean,
    "StreamedByDay": StreamedByDay,
}
