"""Leaks in code: batch alphas whose answer at a row needs the rows after it."""

import numpy as np
import polars as pl

from .case import Framed, Group
from .markets import around_the_clock, minutes, perpetual, qqq

LEAKS = Group("leaks in frames")
MID = ("current_mid",)


def bars() -> pl.DataFrame:
    """Two weeks of minutes."""
    return minutes(seed=61).drop("step", "minute")


def clock() -> pl.DataFrame:
    """A market that never closes."""
    return around_the_clock(seed=62)


@LEAKS.code(bars, MID)
class NextMid(Framed):
    """shift(-1) of the mid."""

    def signals(self, frame):
        mid = frame["current_mid"]
        return ((mid.shift(-1) / mid - 1) * 1e3).fill_null(0.0)


@LEAKS.code(clock, MID, horizon_s=900)
class SliceAndAppend(Framed):
    """The next difference, by slices of an array."""

    def signals(self, frame):
        x = np.log(frame["current_mid"].to_numpy())
        return np.append(x[1:], x[-1]) - x


@LEAKS.code(bars, MID)
class JoinByRowNumber(Framed):
    """Each row joined with the row whose number is one higher."""

    def signals(self, frame):
        numbered = frame.with_row_index("k")
        other = numbered.select((pl.col("k") - 1).alias("k"), pl.col("current_mid").alias("b"))
        both = numbered.with_columns(pl.col("k").cast(pl.Int64)).join(
            other.with_columns(pl.col("k").cast(pl.Int64)), on="k", how="left"
        )
        return both.select((pl.col("b") / pl.col("current_mid") - 1).fill_null(0.0)).to_series()


@LEAKS.code(clock, MID, horizon_s=900)
class AsofForward(Framed):
    """The first price at or after a quarter of an hour later, by an as-of join forward."""

    def signals(self, frame):
        mine = frame.select("ts", "current_mid").with_columns(pl.col("ts").dt.offset_by("15m"))
        later = frame.select("ts", pl.col("current_mid").alias("then"))
        both = mine.join_asof(later, on="ts", strategy="forward")
        return both.select((pl.col("then") / pl.col("current_mid") - 1).fill_null(0.0)).to_series()


@LEAKS.code(bars, MID)
class CentredRolling(Framed):
    """The price against a centred rolling mean of polars."""

    def signals(self, frame):
        mid = frame["current_mid"]
        return ((mid.rolling_mean(15, center=True) / mid - 1) * 1e3).fill_null(0.0)


@LEAKS.code(bars, ("ofi",))
class WholeSampleZscore(Framed):
    """Order flow by mean and deviation of all rows."""

    def signals(self, frame):
        x = frame["ofi"].to_numpy()
        return (x - x.mean()) / x.std()


@LEAKS.code(clock, ("trade_vol",), horizon_s=900)
class RankOverFrame(Framed):
    """The volume's rank among all rows."""

    def signals(self, frame):
        return frame["trade_vol"].rank() / frame.height - 0.5


@LEAKS.code(bars, ("ofi",))
class FittedAtFirstCall(Framed):
    """Mean and deviation of the first frame it is shown, kept for later calls."""

    def __init__(self):
        self.scale = None

    def signals(self, frame):
        x = frame["ofi"].to_numpy()
        if self.scale is None:
            self.scale = x.mean(), x.std()
        return (x - self.scale[0]) / self.scale[1]


@LEAKS.code(bars, ("signed_volume",))
class CumulativeFromTheEnd(Framed):
    """Signed volume that is still to come, summed from the end."""

    def signals(self, frame):
        return np.tanh(frame["signed_volume"].cum_sum(reverse=True).to_numpy() / 1e4)


@LEAKS.code(bars, MID)
class BackwardFill(Framed):
    """Moves of the price where they are large, and before them the one to come."""

    def signals(self, frame):
        move = frame["current_mid"].pct_change().fill_null(0.0)
        large = pl.DataFrame({"m": move}).select(
            pl.when(pl.col("m").abs() > 1.5 * pl.col("m").abs().rolling_mean(200, min_samples=1))
            .then(pl.col("m"))
            .backward_fill()
        )
        return large.to_series().fill_null(0.0) * 1e3


@LEAKS.code(bars, MID)
class Interpolated(Framed):
    """Every tenth price joined by straight lines."""

    def signals(self, frame):
        mid = frame["current_mid"]
        tenth = pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.col("current_mid"))
        line = frame.select(tenth.interpolate()).to_series()
        return ((line / mid - 1) * 1e3).fill_null(0.0)


@LEAKS.code(clock, MID, horizon_s=900)
class FourierLowPass(Framed):
    """The slow part of the whole series by Fourier, less the price."""

    def signals(self, frame):
        x = np.log(frame["current_mid"].to_numpy())
        found = np.fft.rfft(x)
        found[len(found) // 10 :] = 0
        return (np.fft.irfft(found, len(x)) - x) * 1e2


@LEAKS.code(bars, ("current_mid", "ofi", "trade_vol"))
class PrincipalComponent(Framed):
    """The first component of three fields over all rows."""

    def signals(self, frame):
        x = frame.select("current_mid", "ofi", "trade_vol").to_numpy()
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        return x @ np.linalg.svd(x, full_matrices=False)[2][0]


@LEAKS.code(lambda: qqq("20240701"), ("ofi", "queue_imbalance", "current_mid"), recorded=True)
class RegressionOnAllRows(Framed):
    """Next return on flow and imbalance, by least squares over all rows, then applied to them."""

    def signals(self, frame):
        x = frame.select("ofi", "queue_imbalance").fill_nan(0.0).to_numpy()
        mid = frame["current_mid"].to_numpy()
        y = np.append(mid[1:] / mid[:-1] - 1, 0.0)
        return x @ np.linalg.lstsq(x, y, rcond=None)[0] * 1e4


@LEAKS.code(clock, MID, horizon_s=900)
class NumpyConvolveSame(Framed):
    """A smooth by numpy's convolution of the same length."""

    def signals(self, frame):
        x = frame["current_mid"].to_numpy()
        return (np.convolve(x, np.ones(9) / 9, mode="same") / x - 1).clip(-0.01, 0.01)


@LEAKS.code(bars, MID)
class NumpyGradient(Framed):
    """The slope of the price by central differences."""

    def signals(self, frame):
        return np.gradient(frame["current_mid"].to_numpy()) * 10


@LEAKS.code(bars, ("ofi",))
class QuantileBins(Framed):
    """Order flow in five bins with the same number of rows."""

    def signals(self, frame):
        x = frame["ofi"].to_numpy()
        return np.searchsorted(np.quantile(x, [0.2, 0.4, 0.6, 0.8]), x) / 2 - 1


@LEAKS.code(bars, MID)
class AgainstTheLastRow(Framed):
    """The price against the last price of the frame."""

    def signals(self, frame):
        mid = frame["current_mid"].to_numpy()
        return (mid[-1] / mid - 1) * 10


@LEAKS.code(bars, ("trade_vol", "session"))
class SessionTotals(Framed):
    """A minute's share of the volume of its whole session."""

    def signals(self, frame):
        share = pl.col("trade_vol") / pl.col("trade_vol").sum().over("session")
        return frame.select(share * 100).to_series()


@LEAKS.code(bars, ("current_mid", "session"))
class GroupsOfSessions(Framed):
    """Going through the sessions, the close of each is compared with its rows."""

    def signals(self, frame):
        parts = []
        for _, group in frame.group_by("session", maintain_order=True):
            mid = group["current_mid"].to_numpy()
            parts.append(np.sign(mid[-1] - mid))
        return np.concatenate(parts)


@LEAKS.code(lambda: perpetual(skip=20000), MID, horizon_s=300, recorded=True)
class ButterworthBothWays(Framed):
    """A Butterworth filter run forward and backward."""

    def signals(self, frame):
        from scipy.signal import butter, filtfilt

        x = np.log(frame["current_mid"].to_numpy())
        b, a = butter(2, 0.2)
        return (filtfilt(b, a, x) - x) * 1e3
