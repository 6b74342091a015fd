"""Honest code that does not look it."""

import numpy as np
import polars as pl

from ..entry import BAR_NS, DAY_NS, HOUR_NS
from ..third.shapes import led, lively, smooth
from ..unseen.market import BAR, World, coins, new_york, price, table
from .form import MATH, entry

NUMPY = "import numpy as np"
POLARS = "import polars as pl"


def flowing(w: World) -> pl.DataFrame:
    flow = w.noise("flow")
    return table(w, mid=price(led(w, flow, 0.07)), lots=np.round(400.0 * flow))


def slow_flow(w: World) -> pl.DataFrame:
    flow = w.noise("flow")
    returns = led(w, smooth(flow, 0.8), 0.07, night=BAR)
    return table(w, mid=price(returns), lots=np.round(400.0 * flow))


def by_slot(w: World) -> pl.DataFrame:
    usual = np.sin(1.7 * w.slot) + np.cos(0.9 * w.slot)
    return table(w, mid=price(lively(w) + 0.1 * BAR * usual))


def after_yesterday(w: World) -> pl.DataFrame:
    base = lively(w)
    moved = np.bincount(w.day, base)
    told = np.concatenate([[0.0], np.clip(moved[:-1] / 0.01, -2.0, 2.0)])
    returns = base + 0.07 * BAR * told[w.day]
    return table(w, mid=price(returns))


TURNED_TWICE = entry(
    "innocent", "code", "turned_twice",
    "A decayed mean in rows that were turned round, of a column that was turned round once more.",
    coins, slow_flow,
    """
def signals(self, frame):
    turned = frame.reverse().with_columns(pl.col("lots").reverse().alias("forth"))
    decayed = turned["forth"].ewm_mean(alpha=0.2, adjust=False)
    return (decayed / 200.0).clip(-1.0, 1.0).to_numpy()
""",
    ("lots",), 481, horizon_ns=HOUR_NS, imports=POLARS,
)  # fmt: skip

SHIFTED_BACK = entry(
    "innocent", "code", "shifted_back",
    "A centred mean of thirteen rows, shifted by six so that it ends where it stands.",
    coins, slow_flow,
    """
def signals(self, frame):
    centred = pl.col("lots").rolling_mean(13, center=True, min_samples=1)
    level = frame.select((centred.shift(6) / 150.0).clip(-1.0, 1.0).fill_null(0.0))
    return level.to_series().to_numpy()
""",
    ("lots",), 482, horizon_ns=HOUR_NS, imports=POLARS,
)  # fmt: skip

CUT_CONVOLUTION = entry(
    "innocent", "code", "cut_convolution",
    "A full convolution of all rows with a decaying kernel, cut to as many rows as there are.",
    coins, slow_flow,
    """
def signals(self, frame):
    lots = frame["lots"].to_numpy()
    kernel = 0.8 ** np.arange(40)
    summed = np.convolve(lots, kernel, mode="full")[: len(lots)]
    return np.clip(np.round(summed / 1000.0, 9), -1.0, 1.0)
""",
    ("lots",), 483, horizon_ns=HOUR_NS, imports=NUMPY,
)  # fmt: skip

CELLS_SO_FAR = entry(
    "innocent", "code", "cells_so_far",
    "The mean move after each row of a session, of next moves that a session has brought to light.",
    new_york, by_slot,
    """
def signals(self, frame):
    move = (pl.col("mid").shift(-1) / pl.col("mid") - 1.0).fill_null(0.0)
    slot = pl.int_range(pl.len()).over("session").alias("slot")
    rows = frame.select(move.round(9).alias("move"), slot)
    rows = rows.with_columns(
        pl.col("move").shift(1).cum_sum().over("slot").fill_null(0.0).alias("total"),
        pl.int_range(pl.len()).over("slot").alias("count"),
    )
    told = pl.col("total") / (pl.col("count") + 20.0) / 0.0003
    return rows.select(told.clip(-1.0, 1.0)).to_series().to_numpy()
""",
    ("mid",), 484, horizon_ns=BAR_NS, imports=POLARS,
)  # fmt: skip

YESTERDAYS_MOVE = entry(
    "innocent", "code", "yesterdays_move",
    "First and last prices of whole sessions, joined to the rows of the session after.",
    new_york, after_yesterday,
    """
def signals(self, frame):
    days = frame.group_by("session").agg(
        (pl.col("mid").last() / pl.col("mid").first() - 1.0).alias("moved")
    )
    days = days.sort("session").with_columns(pl.col("moved").shift(1))
    joined = frame.join(days, on="session", how="left", maintain_order="left")
    return (joined["moved"] / 0.012).clip(-1.0, 1.0).fill_null(0.0).to_numpy()
""",
    ("mid",), 485, horizon_ns=DAY_NS // 4, imports=POLARS,
)  # fmt: skip

LEARNS_AT_NIGHT = entry(
    "innocent", "code", "learns_at_night",
    "A regression of next moves on flow that is fitted anew each session, on all rows before it.",
    new_york, flowing,
    """
def signals(self, frame):
    mid, lots = frame["mid"].to_numpy(), frame["lots"].to_numpy()
    session = frame["session"].to_numpy()
    move = np.diff(np.log(mid), append=np.nan)
    said = np.zeros(len(mid))
    for start in np.flatnonzero(np.diff(session, prepend=-1)):
        if start < 500:
            continue
        x, y = lots[: start - 1], move[: start - 1]
        slope = float(np.dot(x, y) / np.dot(x, x))
        said[start:] = slope * lots[start:] / 0.0002
    return np.clip(np.round(said, 9), -1.0, 1.0)
""",
    ("mid", "lots"), 486, imports=NUMPY,
)  # fmt: skip

SPECTRUM = entry(
    "innocent", "code", "spectrum",
    "The slow part of the last 64 rows of flow, by a Fourier transform of those rows alone.",
    coins, slow_flow,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.seen = deque(maxlen=64)
    self.signal = 0.0

def update(self, *, lots):
    self.seen.append(lots)
    if len(self.seen) == 64:
        waves = np.fft.rfft(np.array(self.seen) * np.linspace(0.0, 1.0, 64))
        waves[9:] = 0.0
        level = np.fft.irfft(waves, 64)[-1]
        self.signal = float(max(-1.0, min(1.0, level / 150.0)))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("lots",), 487, horizon_ns=HOUR_NS, imports=f"from collections import deque\n\n{NUMPY}",
)  # fmt: skip

TWO_CLOCKS = entry(
    "innocent", "code", "two_clocks",
    "A sum of flow that forgets by hours since the epoch, and is sure only in the afternoon.",
    new_york, flowing,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.at = math.nan
    self.level = 0.0
    self.signal = 0.0

def update(self, *, ts_ns, lots):
    hours = 0.0 if math.isnan(self.at) else (ts_ns - self.at) / 3.6e12
    self.at = ts_ns
    self.level = self.level * math.exp(-8.0 * hours) + lots
    late = 1.0 if (ts_ns / 3.6e12) % 24.0 > 17.0 else 0.7
    self.signal = max(-1.0, min(1.0, late * self.level / 400.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("ts_ns", "lots"), 488, imports=MATH,
)  # fmt: skip

INNOCENTS_CODE = (
    TURNED_TWICE, SHIFTED_BACK, CUT_CONVOLUTION, CELLS_SO_FAR, YESTERDAYS_MOVE, LEARNS_AT_NIGHT,
    SPECTRUM, TWO_CLOCKS,
)  # fmt: skip
