"""Real constructions that look ahead, and real ones that do not, as people write them.

Each takes the rows it is given and returns a number a row; the tests run them through Gate A's
leakage tests. Nothing here knows how those tests work.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from hft.research.alphas.manifest import AlphaManifest

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
from hft.research.alphas.manifest import AlphaManifest

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

from hft.research.alphas.manifest import AlphaManifest

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

from hft.research.alphas.manifest import AlphaManifest

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

from hft.research.alphas.manifest import AlphaManifest


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
