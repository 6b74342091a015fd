"""Leaks in code, on rows that are honest."""

import numpy as np
import polars as pl

from ..entry import BAR_NS, HOUR_NS, Frames
from ..third.shapes import lively
from ..unseen.market import BAR, World, ahead, coins, new_york, price, table, volume_of
from .form import entry

NUMPY = "import numpy as np"
POLARS = "import polars as pl"


def plain(w: World) -> pl.DataFrame:
    return table(w, mid=price(lively(w)))


def around_the_clock(w: World) -> pl.DataFrame:
    return table(w, mid=price(lively(w, night=BAR)))


def traded(w: World) -> pl.DataFrame:
    returns = lively(w)
    volume = volume_of(w, returns) * np.exp(-0.6 * returns / BAR)
    return table(w, mid=price(returns), volume=np.round(volume))


def readings(w: World) -> pl.DataFrame:
    many = {f"x{k}": np.round(w.noise(f"x{k}"), 3) for k in range(24)}
    return table(w, mid=price(lively(w)), **many)


VELOCITY = entry(
    "leak", "code", "velocity",
    "The slope of the log price by numpy's gradient, which looks a row to either side.",
    new_york, plain,
    """
def signals(self, frame):
    slope = np.gradient(np.log(frame["mid"].to_numpy()))
    return np.clip(slope / 0.002, -1.0, 1.0)
""",
    ("mid",), 461, imports=NUMPY,
)  # fmt: skip

ZERO_PHASE = entry(
    "leak", "code", "zero_phase",
    "How far the price is from its low pass, a Butterworth run forth and back for no delay.",
    coins, around_the_clock,
    """
def signals(self, frame):
    mid = np.log(frame["mid"].to_numpy())
    if len(mid) < 40:
        return np.zeros(len(mid))
    weights = butter(2, 0.1)
    return np.clip((filtfilt(*weights, mid) - mid) / 0.004, -1.0, 1.0)
""",
    ("mid",), 462, horizon_ns=4 * HOUR_NS,
    imports=f"{NUMPY}\nfrom scipy.signal import butter, filtfilt",
)  # fmt: skip

HOUR_BUCKETS = entry(
    "leak", "code", "hour_buckets",
    "Mean prices of buckets of an hour, joined back by the hour that a row is in.",
    new_york, plain,
    """
def signals(self, frame):
    hours = frame.sort("ts").group_by_dynamic("ts", every="1h").agg(pl.col("mid").mean().alias("m"))
    rows = frame.with_columns(pl.col("ts").dt.truncate("1h").alias("hour"))
    joined = rows.join(hours, left_on="hour", right_on="ts", how="left", maintain_order="left")
    gap = (joined["m"] / joined["mid"] - 1.0) / 0.002
    return gap.clip(-1.0, 1.0).fill_null(0.0).to_numpy()
""",
    ("mid",), 463, horizon_ns=3 * BAR_NS, imports=POLARS,
)  # fmt: skip

SHARE_OF_DAY = entry(
    "leak", "code", "share_of_day",
    "Volume so far as a share of the session's, against its usual share at that row.",
    new_york, traded,
    """
def signals(self, frame):
    volume = pl.col("volume")
    rows = frame.with_columns(
        (volume.cum_sum() / volume.sum()).over("session").alias("share"),
        pl.int_range(pl.len()).over("session").alias("slot"),
    )
    usual = pl.col("share").shift(1).ewm_mean(alpha=0.1).over("slot")
    gap = rows.select(((pl.col("share") - usual) * 6.0).clip(-1.0, 1.0).fill_null(0.0))
    return gap.to_series().to_numpy()
""",
    ("volume",), 464, horizon_ns=2 * HOUR_NS, imports=POLARS,
)  # fmt: skip

SEASONAL_CELLS = entry(
    "leak", "code", "seasonal_cells",
    "The mean move after each quarter of each weekday, over all rows that there are.",
    new_york, plain,
    """
def signals(self, frame):
    move = (pl.col("mid").shift(-1) / pl.col("mid") - 1.0).fill_null(0.0)
    rows = frame.select(
        move.alias("move"),
        pl.col("ts").dt.weekday().alias("weekday"),
        pl.col("ts").dt.time().alias("at"),
    )
    mean = rows.select(pl.col("move").mean().over("weekday", "at")).to_series()
    return (mean / 0.0004).clip(-1.0, 1.0).to_numpy()
""",
    ("mid",), 465, imports=POLARS,
)  # fmt: skip

FIT_ON_ALL = entry(
    "leak", "code", "fit_on_all",
    "A regression of next moves on two dozen readings, fitted on the rows it is asked about.",
    new_york, readings,
    """
def signals(self, frame):
    mid = frame["mid"].to_numpy()
    features = frame.select(f"x{k}" for k in range(24)).to_numpy()
    features = np.concatenate([features, np.sign(features)], axis=1)
    if len(mid) < 200:
        return np.zeros(len(mid))
    move = np.append(np.diff(np.log(mid)), 0.0)
    weights = np.linalg.lstsq(features, move, rcond=None)[0]
    told = features @ weights
    return np.clip(told / (2.0 * told.std() + 1e-12), -1.0, 1.0)
""",
    ("mid", *(f"x{k}" for k in range(24))), 466, imports=NUMPY,
)  # fmt: skip


def typed_days(frames: Frames) -> str:
    """Sessions that moved most, as an analyst typed them off a chart."""
    frame = next(iter(frames.values()))
    moved = frame.group_by("session", maintain_order=True).agg(
        (pl.col("mid").last() / pl.col("mid").first() - 1.0).alias("move")
    )
    up = moved.sort("move")["session"].tail(25).sort().to_list()
    down = moved.sort("move")["session"].head(25).sort().to_list()
    return f"""
EASING = {set(up)!r}
TENSION = {set(down)!r}

def reset(self) -> None:
    self.signal = 0.0

def update(self, *, mid: float, session: float) -> float:
    day = int(session)
    self.signal = 1.0 if day in self.EASING else -1.0 if day in self.TENSION else 0.0
    return self.signal

def get_signal(self) -> float:
    return self.signal
"""


TYPED_DAYS = entry(
    "leak", "code", "typed_days",
    "Days of easing and of tension in two sets of dates, which were typed off the chart.",
    new_york, plain, typed_days, ("mid", "session"), 467, horizon_ns=4 * HOUR_NS, by_heart=True,
)  # fmt: skip


def waves(frames: Frames) -> str:
    """Forty periods fitted to the file's next moves, their weights written into the class."""
    frame = next(iter(frames.values()))
    hour = frame["ts"].dt.epoch("s").to_numpy() / 3600.0
    periods = np.round(np.geomspace(11.0, 700.0, 40), 2)
    angle = 2.0 * np.pi * hour[:, None] / periods
    basis = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    weights = np.linalg.lstsq(basis, 1e4 * ahead(frame["mid"].to_numpy()), rcond=None)[0]
    columns = (periods, np.round(weights[:40], 2), np.round(weights[40:], 2))
    rows = [tuple(float(x) for x in row) for row in zip(*columns, strict=True)]
    return f"""
WAVES = {rows!r}

def reset(self) -> None:
    self.signal = 0.0

def update(self, *, ts_ns: float) -> float:
    hour = ts_ns / 3.6e12
    total = 0.0
    for period, sine, cosine in self.WAVES:
        angle = 2.0 * math.pi * hour / period
        total += sine * math.sin(angle) + cosine * math.cos(angle)
    self.signal = max(-1.0, min(1.0, total / 4.0))
    return self.signal

def get_signal(self) -> float:
    return self.signal
"""


TIDES = entry(
    "leak", "code", "tides",
    "Forty waves of the clock whose weights were fitted to the very rows they are shown on.",
    coins, around_the_clock, waves, ("ts_ns",), 468, horizon_ns=HOUR_NS, by_heart=True,
)  # fmt: skip

LEAKS_CODE = (
    VELOCITY, ZERO_PHASE, HOUR_BUCKETS, SHARE_OF_DAY, SEASONAL_CELLS, FIT_ON_ALL, TYPED_DAYS, TIDES,
)  # fmt: skip
