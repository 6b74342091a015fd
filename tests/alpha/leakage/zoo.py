"""Real constructions that look ahead, and real ones that do not, as people write them.

Each takes the rows it is given and returns a number a row; the tests run them through Gate A's
leakage tests. Nothing here knows how those tests work.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from hft.alpha.manifest import AlphaManifest

FIELDS = ("ofi", "current_mid", "trade_vol")


def manifest(name: str, *fields: str) -> AlphaManifest:
    return AlphaManifest(
        name,
        "a construction of the zoo",
        "see the code",
        data_fields=fields or FIELDS,
        horizon_ns=60_000_000_000,
        owner="zoo",
        family="zoo",
    )


def batch(function: Callable[[pl.DataFrame], Any], *fields: str) -> type:
    """A class whose `signals` is the function."""
    told = manifest(function.__name__, *fields)

    class Alpha:
        manifest = told

        def signals(self, frame: pl.DataFrame) -> Any:
            return function(frame)

    Alpha.__name__ = function.__name__
    return Alpha


# --- looking ahead


def centred_mean(frame: pl.DataFrame) -> Any:
    return frame["ofi"].rolling_mean(5, center=True)


def filled_backwards(frame: pl.DataFrame) -> Any:
    return frame["ofi"].to_pandas().rolling(20).mean().bfill()


def interpolated(frame: pl.DataFrame) -> Any:
    return frame["ofi"].fill_nan(None).interpolate()


def scaled_by_all(frame: pl.DataFrame) -> Any:
    return (frame["ofi"] - frame["ofi"].fill_nan(None).mean()) / frame["ofi"].fill_nan(None).std()


def scaled_to_extremes(frame: pl.DataFrame) -> Any:
    mid = frame["current_mid"].to_numpy()
    return (mid - mid.min()) / (mid.max() - mid.min())


def next_row(frame: pl.DataFrame) -> Any:
    return frame["ofi"].shift(-1)


def labelled_left(frame: pl.DataFrame) -> Any:
    """Five-minute means stamped with their beginning, joined to the minutes they are made of."""
    bars = frame.group_by_dynamic("ts", every="5m", label="left").agg(
        pl.col("trade_vol").mean().alias("bar")
    )
    return frame.join_asof(bars, on="ts")["bar"]


def joined_forwards(frame: pl.DataFrame) -> Any:
    other = frame.gather_every(7).select("ts", pl.col("current_mid").alias("later"))
    return frame.join_asof(other, on="ts", strategy="forward")["later"] - frame["current_mid"]


def mean_of_the_day(frame: pl.DataFrame) -> Any:
    return frame.select(
        pl.col("trade_vol") / pl.col("trade_vol").mean().over("session")
    ).to_series()


def rank_of_all(frame: pl.DataFrame) -> Any:
    return frame["trade_vol"].rank() / frame.height


def winsorised(frame: pl.DataFrame) -> Any:
    volume = frame["trade_vol"].to_numpy()
    return np.clip(volume, *np.quantile(volume, (0.05, 0.95)))


def principal_component(frame: pl.DataFrame) -> Any:
    x = frame.select("current_mid", "trade_vol").to_numpy()
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    return x @ np.linalg.svd(x, full_matrices=False)[2][0]


def fitted_on_all(frame: pl.DataFrame) -> Any:
    """A regression of the next move on all rows, then used on the same rows."""
    mid, volume = frame["current_mid"].to_numpy(), frame["trade_vol"].to_numpy()
    if len(mid) < 3:
        return np.zeros(len(mid))
    x = np.column_stack([np.ones(len(mid)), volume])
    weights = np.linalg.lstsq(x[:-1], np.diff(mid), rcond=None)[0]
    return x @ weights


def summed_from_the_end(frame: pl.DataFrame) -> Any:
    return frame["trade_vol"].cum_sum(reverse=True)


def filtered_both_ways(frame: pl.DataFrame) -> Any:
    from scipy.signal import butter, filtfilt

    if frame.height < 20:
        return np.zeros(frame.height)
    return filtfilt(*butter(2, 0.2), frame["current_mid"].to_numpy())


def sorted_by_outcome(frame: pl.DataFrame) -> Any:
    """The best tenth of the next moves is marked."""
    moved = np.append(np.diff(frame["current_mid"].to_numpy()), 0.0)
    marked = np.zeros(frame.height)
    marked[np.argsort(-moved, kind="stable")[: max(1, frame.height // 10)]] = 1.0
    return marked


def filled_with_the_mean(frame: pl.DataFrame) -> Any:
    return frame["ofi"].fill_nan(frame["ofi"].fill_nan(None).mean() or 0.0)


def central_difference(frame: pl.DataFrame) -> Any:
    mid = frame["current_mid"].to_numpy()
    return np.gradient(mid) if len(mid) > 1 else np.zeros(len(mid))


def convolved_same(frame: pl.DataFrame) -> Any:
    return np.convolve(frame["trade_vol"].to_numpy(), np.ones(9) / 9, mode="same")[: frame.height]


def share_of_the_sample(frame: pl.DataFrame) -> Any:
    """Volume scaled by where in the sample it stands: who knows how long the sample will be?"""
    return frame["trade_vol"].to_numpy() * np.arange(frame.height) / frame.height


def smoothed_spline(frame: pl.DataFrame) -> Any:
    from scipy.signal import savgol_filter

    mid = frame["current_mid"].to_numpy()
    return savgol_filter(mid, 11, 2) if len(mid) >= 11 else mid


def pandas_resampled(frame: pl.DataFrame) -> Any:
    """The close of a bar, filled into the bar's own minutes."""
    series = frame.select("ts", "current_mid").to_pandas().set_index("ts")["current_mid"]
    bars = series.resample("10min").last()
    return bars.reindex(series.index, method="ffill").to_numpy() - series.to_numpy()


class KeptAcrossReset:
    """The deviation is remembered from one run to the next."""

    manifest = manifest("kept_across_reset", "trade_vol")

    def __init__(self) -> None:
        self.most = 1.0

    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, trade_vol: float) -> float:
        self.most = max(self.most, trade_vol)
        self.signal = trade_vol / self.most
        return self.signal

    def get_signal(self) -> float:
        return self.signal


CACHED_SCALE = """
from hft.alpha.manifest import AlphaManifest

_SCALE = []


class CachedAlpha:
    manifest = AlphaManifest("cached", "h", "f", (), ("trade_vol",), horizon_ns=1, owner="z",
                             family="z")

    def signals(self, frame):
        if not _SCALE:
            _SCALE.append((frame["trade_vol"].mean(), frame["trade_vol"].std() or 1.0))
        mean, sd = _SCALE[0]
        return (frame["trade_vol"] - mean) / sd
"""

READS_BY_PATH = """
import polars as pl

from hft.alpha.manifest import AlphaManifest

PATH = {path!r}


class ReadsAlpha:
    manifest = AlphaManifest("reads", "h", "f", (), ("ofi",), horizon_ns=1, owner="z", family="z")

    def reset(self):
        self.later = pl.read_parquet(PATH)["current_mid"].to_list()
        self.k = 0

    def update(self, *, ofi):
        k, self.k = self.k, self.k + 1
        self.signal = self.later[min(k + 1, len(self.later) - 1)] - self.later[k]
        return self.signal + 1e-9 * (ofi if ofi == ofi else 0.0)

    def get_signal(self):
        return self.signal
"""

FITTED_AT_IMPORT = """
import numpy as np
import pandas as pd

from hft.alpha.manifest import AlphaManifest

ALL = pd.read_parquet({path!r})
SCALE = float(ALL["trade_vol"].std())


class FittedAlpha:
    manifest = AlphaManifest("fitted", "h", "f", (), ("trade_vol",), horizon_ns=1, owner="z",
                             family="z")
    scale = SCALE

    def signals(self, frame):
        return frame["trade_vol"] / self.scale
"""

LOOKED_UP = '''
import numpy as np

from hft.alpha.manifest import AlphaManifest


class LookedUpAlpha:
    """The answers were written down elsewhere; the inputs are for show."""

    manifest = AlphaManifest("looked_up", "h", "f", (), ("ofi",), horizon_ns=1, owner="z",
                             family="z")

    def signals(self, frame):
        return np.sin(np.arange(frame.height) * 0.7)
'''

BATCHES_AHEAD = {
    function.__name__: batch(function)
    for function in (
        *(centred_mean, filled_backwards, interpolated, scaled_by_all, scaled_to_extremes),
        *(next_row, labelled_left, joined_forwards, mean_of_the_day, rank_of_all, winsorised),
        *(principal_component, fitted_on_all, summed_from_the_end, filtered_both_ways),
        *(sorted_by_outcome, filled_with_the_mean, central_difference, convolved_same),
        *(share_of_the_sample, smoothed_spline, pandas_resampled),
    )
}


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

from hft.alpha.manifest import AlphaManifest


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
