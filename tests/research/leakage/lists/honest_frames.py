"""Innocent: batch alphas, expressions, weights and the examples that come with hft."""

import importlib
import math
from collections import deque
from pathlib import Path

import numpy as np
import polars as pl

import hft

from .case import Framed, Group, Streamed
from .markets import (
    around_the_clock,
    etf,
    hours,
    minutes,
    perpetual,
    qqq,
    qqq_files,
    second_quotes,
    stocks,
)

HONEST = Group("honest frames")
MID = ("current_mid",)


def bars() -> pl.DataFrame:
    """Two weeks of minutes."""
    return minutes(seed=121).drop("step", "minute")


def clock() -> pl.DataFrame:
    """A market that never closes."""
    return around_the_clock(seed=122)


def weights() -> bytes:
    """Sixteen numbers of a filter."""
    return np.hanning(18)[1:-1].astype("<f8").tobytes()


@HONEST.code(lambda: perpetual(4000, 5000), MID, recorded=True)
class RollingRank(Framed):
    """The rank of the price in the last 30."""

    def signals(self, frame):
        x = frame["current_mid"].to_numpy()
        out = np.full(len(x), np.nan)
        if len(x) >= 30:
            window = np.lib.stride_tricks.sliding_window_view(x, 30)
            out[29:] = (window < window[:, -1:]).mean(axis=1) - 0.5
        return out


@HONEST.code(bars, ("ofi",))
class ExpandingZscore(Framed):
    """Order flow by mean and deviation of all rows so far."""

    def signals(self, frame):
        x, n = frame["ofi"], np.arange(1, frame.height + 1)
        mean = x.cum_sum().to_numpy() / n
        var = (x * x).cum_sum().to_numpy() / n - mean**2
        return (x.to_numpy() - mean) / np.sqrt(np.maximum(var, 1.0))


@HONEST.code(lambda: etf("IWM", "2001-03"), ("current_mid", "session"), recorded=True)
class RankedWithinTheDaySoFar(Framed):
    """The price between the day's low and high so far."""

    def signals(self, frame):
        low = pl.col("current_mid").cum_min().over("session")
        high = pl.col("current_mid").cum_max().over("session")
        place = (
            pl.when(high > low).then((pl.col("current_mid") - low) / (high - low)).otherwise(0.5)
        )
        return frame.select(place - 0.5).to_series()


@HONEST.code(clock, MID, horizon_s=900)
class DecayedBothWaysHonest(Framed):
    """A fast and a slow decayed mean of polars."""

    def signals(self, frame):
        x = frame["current_mid"]
        fast, slow = x.ewm_mean(span=5, adjust=False), x.ewm_mean(span=40, adjust=False)
        return (fast / slow - 1) * 100


@HONEST.code(lambda: qqq("20240801"), ("current_mid", "ofi"), recorded=True)
class BothEntries(Framed):
    """The same signal row by row and for frames."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.last = self.signal = 0.0

    def update(self, current_mid, ofi):
        self.signal = 0.0 if not self.last else math.tanh((current_mid / self.last - 1) * 1e3)
        self.last = current_mid
        return self.signal

    def get_signal(self):
        return self.signal

    def signals(self, frame):
        x = frame["current_mid"].to_numpy()
        moved = np.concatenate([[0.0], x[1:] / x[:-1] - 1])
        return np.array([math.tanh(v * 1e3) for v in moved])


@HONEST.code(bars, ("current_mid", "trade_vol"))
class LaggedJoin(Framed):
    """Each row joined backward with the row nearest half an hour before."""

    def signals(self, frame):
        past = frame.select(pl.col("ts").dt.offset_by("30m"), pl.col("current_mid").alias("then"))
        both = frame.select("ts", "current_mid").join_asof(past, on="ts")
        return both.select(
            (pl.col("current_mid") / pl.col("then") - 1).fill_null(0.0) * 100
        ).to_series()


@HONEST.code(lambda: stocks(rows=700), MID, horizon_s=5 * 86_400, recorded=True)
class TwelveMonthsLessOne(Framed):
    """Momentum of a year without its last month, on daily bars."""

    def signals(self, frame):
        x = frame["current_mid"]
        return (x.shift(21) / x.shift(252) - 1).fill_null(float("nan"))


@HONEST.code(lambda: hours("spy", "20100101"), ("current_mid", "ts_ns"), 3600, recorded=True)
class TurnOfTheMonth(Framed):
    """Long in the last days of a month by the calendar and in its first three, over many years."""

    def signals(self, frame):
        day = frame["ts"].dt.day()
        return ((day >= 28) | (day <= 3)).cast(pl.Float64)


@HONEST.code(bars, MID)
class CausalConvolution(Framed):
    """numpy's full convolution, cut so that only earlier rows count."""

    def signals(self, frame):
        x = np.log(frame["current_mid"].to_numpy())
        kernel = np.array([1.0, -0.5, -0.3, -0.2])
        found = np.convolve(x, kernel)[: len(x)] * 100
        found[:3] = 0.0
        return found


@HONEST.code(clock, MID, horizon_s=900)
class ScipyFilterForward(Framed):
    """A Butterworth filter run forward only."""

    def signals(self, frame):
        from scipy.signal import butter, lfilter

        x = np.log(frame["current_mid"].to_numpy())
        b, a = butter(2, 0.1)
        return (lfilter(b, a, x - x[0]) - (x - x[0])) * 100


@HONEST.code(clock, MID, horizon_s=900, files={"kernel.f8": (weights, "nothing", "")})
class WeightsOfNoData(Streamed):
    """A filter from a file that was fitted on nothing."""

    def start(self):
        from pathlib import Path

        raw = (Path(__file__).parent / "kernel.f8").read_bytes()
        self.w = np.frombuffer(raw, "<f8")
        self.x = deque(maxlen=len(self.w))

    def step(self, current_mid):
        self.x.append(current_mid)
        if len(self.x) < len(self.w):
            return 0.0
        x = np.array(self.x)
        return float(((x * self.w).sum() / self.w.sum() / current_mid - 1) * 100)


@HONEST.code(bars, ("ofi", "trade_vol"), files={"net.f8": (weights, "flow of 2021", "2022-06-30")})
class WeightsOfThePast(Streamed):
    """A small net from a file that was fitted on rows of two years before."""

    def start(self):
        from pathlib import Path

        raw = (Path(__file__).parent / "net.f8").read_bytes()
        self.w = np.frombuffer(raw, "<f8").reshape(2, 8)

    def step(self, ofi, trade_vol):
        x = np.array([ofi / 500, math.log(trade_vol) - 7])
        return float(np.tanh(np.tanh(x @ self.w).sum()))


@HONEST.code(lambda: qqq("20240901"), ("ofi", "trade_vol"), recorded=True)
class AnExpression(Streamed):
    """An expression of the search, streamed: its expanding z-score."""

    def start(self):
        from hft.research.expressions.streaming import Streaming

        self.live = Streaming("ts_mean(ofi, 5) - ts_mean(ofi, 20)")

    def step(self, ofi, trade_vol):
        return self.live.update(ofi=ofi) / 1e4


@HONEST.code(bars, ("ofi", "queue_imbalance"))
class AModelOfFields(Streamed):
    """A policy over arrays, the mean of its clipped fields."""

    def start(self):
        from hft.research.rl.adapter import PolicyAlpha

        def model(x):
            return np.tanh(x / np.array([500.0, 1.0]))

        self.policy = PolicyAlpha(self.manifest, ("ofi", "queue_imbalance"), model)

    def step(self, ofi, queue_imbalance):
        return self.policy.update(ofi=ofi, queue_imbalance=queue_imbalance)


def _examples() -> None:
    """The five examples that come with hft, as they are, on recorded days of QQQ."""
    names = (
        "order_flow_imbalance",
        "queue_imbalance",
        "microprice_reversion",
        "trade_sign_momentum",
        "vpin_conditioned_reversion",
    )
    folder = Path(hft.__file__).parent.parent / "research" / "alphas"
    for name in names:
        text = (folder / name / "impl.py").read_text(encoding="utf-8")
        given = importlib.import_module(f"research.alphas.{name}.impl").MANIFEST
        rows = (lambda: second_quotes("aig")) if name.startswith("microprice") else qqq_files
        about = f"The example {name}, as a scaffold copies it."
        text = text.replace(f'alpha_id="{name}"', f'alpha_id="example_{name}"').replace(
            'owner=""', 'owner="root"'
        )
        HONEST.example(f"example_{name}", about, rows, text, given.data_fields, given.horizon_ns)


_examples()
HONEST.example(
    "flow_by_volume",
    "An expression as an alpha.",
    lambda: qqq("20240901"),
    """from hft.research.expressions.alpha import expression_alpha

ALPHA_CLASS = expression_alpha(
    "ts_mean(ofi, 5) * rank(trade_vol)",
    "flow_by_volume",
    owner="root",
    hypothesis="flow weighs more on busy minutes",
    family="flow_by_volume",
    horizon_ns=60_000_000_000,
)
""",
    ("ofi", "trade_vol"),
    60_000_000_000,
)
