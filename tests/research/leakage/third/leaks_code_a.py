"""Leaks in code, the first eight: filters, joins and models that saw all rows at once."""

import polars as pl

from ..entry import HOUR_NS, Entry
from ..unseen.market import BAR, World, coins, new_york, price, table, volume_of
from .shapes import lively


def prices(w: World) -> pl.DataFrame:
    return table(w, mid=price(lively(w)))


def coin_prices(w: World) -> pl.DataFrame:
    return table(w, price=price(lively(w, bar=3.0 * BAR, night=3.0 * BAR), 2000.0, 0.5))


def traded(w: World) -> pl.DataFrame:
    returns = lively(w)
    return table(w, mid=price(returns), volume=volume_of(w, returns))


CENTRAL_SLOPE = Entry(
    "central_slope",
    "Momentum as numpy.gradient, which takes the step before and the step after.",
    "leak", "code", new_york, prices,
    """
def signals(self, frame):
    slope = np.gradient(np.log(frame["mid"].to_numpy()))
    usual = pl.Series(np.abs(slope)).ewm_mean(span=200).to_numpy()
    return np.clip(slope / np.maximum(usual, 1e-9) / 2.0, -1.0, 1.0)
""",
    ("mid",), imports="import numpy as np\nimport polars as pl", seed=301,
)  # fmt: skip

NEWEST_FIRST = Entry(
    "newest_first",
    "Rows sorted newest first, as the vendor's terminal shows them, and then a trailing mean.",
    "leak", "code", new_york, prices,
    """
def signals(self, frame):
    newest = frame.sort("ts", descending=True)
    usual = pl.col("mid").rolling_mean(12, min_samples=1)
    spread = pl.col("mid").rolling_std(40, min_samples=2).fill_null(0.05)
    away = newest.with_columns(((usual - pl.col("mid")) / (spread + 0.01)).alias("away"))
    return away.sort("ts")["away"].clip(-1.0, 1.0).fill_null(0.0)
""",
    ("mid",), imports="import polars as pl", seed=302,
)  # fmt: skip

HOUR_FROM_ITS_START = Entry(
    "hour_from_its_start",
    "Hourly closes by group_by_dynamic, named by the hour's start, joined as of the row.",
    "leak", "code", new_york, prices,
    """
def signals(self, frame):
    hourly = frame.group_by_dynamic("ts", every="1h").agg(pl.col("mid").last().alias("hour"))
    both = frame.join_asof(hourly, on="ts", strategy="backward")
    pull = np.log(both["hour"].to_numpy() / both["mid"].to_numpy())
    return np.clip(pull / 0.002, -1.0, 1.0)
""",
    ("mid",), horizon_ns=HOUR_NS, imports="import numpy as np\nimport polars as pl", seed=303,
)  # fmt: skip

NO_LAG_FILTER = Entry(
    "no_lag_filter",
    "A low-pass filter run forward and backward, since the one-way filter lags.",
    "leak", "code", coins, coin_prices,
    """
def signals(self, frame):
    logs = np.log(frame["price"].to_numpy())
    if len(logs) < 30:
        return np.zeros(len(logs))
    b, a = butter(2, 0.12)
    slope = np.diff(filtfilt(b, a, logs), prepend=np.nan)
    usual = pl.Series(np.abs(np.nan_to_num(slope))).rolling_mean(300, min_samples=1).to_numpy()
    return np.clip(np.nan_to_num(slope) / (usual + 1e-9), -1.0, 1.0)
""",
    ("price",), horizon_ns=4 * HOUR_NS,
    imports="import numpy as np\nimport polars as pl\nfrom scipy.signal import butter, filtfilt",
    seed=304,
)  # fmt: skip

VWAP_OF_THE_DAY = Entry(
    "vwap_of_the_day",
    "Reversion to the session's volume-weighted price, summed over the whole session.",
    "leak", "code", new_york, traded,
    """
def signals(self, frame):
    weighted = (pl.col("mid") * pl.col("volume")).sum().over("session")
    vwap = weighted / pl.col("volume").sum().over("session")
    away = ((vwap / pl.col("mid") - 1.0) / 0.003).clip(-1.0, 1.0)
    return frame.select(away.alias("away"))["away"]
""",
    ("mid", "volume"), horizon_ns=2 * HOUR_NS, imports="import polars as pl", seed=305,
)  # fmt: skip

SWING_PIVOTS = Entry(
    "swing_pivots",
    "Swing highs and lows by find_peaks, traded from the very row of the swing.",
    "leak", "code", coins, coin_prices,
    """
def signals(self, frame):
    logs = np.log(frame["price"].to_numpy())
    side = np.full(len(logs), np.nan)
    side[find_peaks(logs, prominence=0.05)[0]] = -1.0
    side[find_peaks(-logs, prominence=0.05)[0]] = 1.0
    return pl.Series(side).fill_nan(None).forward_fill().fill_null(0.0)
""",
    ("price",), horizon_ns=6 * HOUR_NS,
    imports="import numpy as np\nimport polars as pl\nfrom scipy.signal import find_peaks",
    seed=306,
)  # fmt: skip

SHUFFLED_FOLDS = Entry(
    "shuffled_folds",
    "Out-of-fold predictions with shuffled folds, while each label overlaps its neighbours.",
    "leak", "code", new_york, prices,
    """
def signals(self, frame):
    logs = np.log(frame["mid"].to_numpy())
    n, ahead = len(logs), 8
    label = np.full(n, np.nan)
    label[:-ahead] = logs[ahead:] - logs[:-ahead]
    moves = np.diff(logs, prepend=logs[0])
    inputs = np.column_stack([np.arange(n) / 6.0, moves / 0.01, np.abs(moves) / 0.01])
    fold = np.random.default_rng(11).integers(0, 5, n)
    said = np.zeros(n)
    for k in range(5):
        known = (fold != k) & np.isfinite(label)
        asked = fold == k
        if known.sum() < 30 or not asked.any():
            continue
        _, near = cKDTree(inputs[known]).query(inputs[asked], k=5)
        said[asked] = label[known][near].mean(axis=1)
    return np.clip(said / 0.005, -1.0, 1.0)
""",
    ("mid",), horizon_ns=2 * HOUR_NS,
    imports="import numpy as np\nfrom scipy.spatial import cKDTree", seed=307,
)  # fmt: skip

ANALOGUES = Entry(
    "analogues",
    "What followed the most alike stretches of history, which are all of the data, and itself.",
    "leak", "code", new_york, prices,
    """
def signals(self, frame):
    logs = np.log(frame["mid"].to_numpy())
    moves = np.diff(logs, prepend=logs[0])
    usual = pl.Series(np.abs(moves)).ewm_mean(span=80).to_numpy() + 1e-6
    shapes = np.zeros((len(logs), 6))
    for k in range(6):
        shapes[k:, k] = (moves / usual)[: len(logs) - k]
    after = np.zeros(len(logs))
    after[:-3] = logs[3:] - logs[:-3]
    _, near = cKDTree(shapes).query(shapes, k=min(6, len(logs)))
    said = after[near].reshape(len(logs), -1).mean(axis=1)
    return np.clip(said / usual, -1.0, 1.0)
""",
    ("mid",), horizon_ns=HOUR_NS * 3 // 4,
    imports="import numpy as np\nimport polars as pl\nfrom scipy.spatial import cKDTree", seed=308,
)  # fmt: skip

LEAKS_CODE_A = (
    CENTRAL_SLOPE, NEWEST_FIRST, HOUR_FROM_ITS_START, NO_LAG_FILTER,
    VWAP_OF_THE_DAY, SWING_PIVOTS, SHUFFLED_FOLDS, ANALOGUES,
)  # fmt: skip
