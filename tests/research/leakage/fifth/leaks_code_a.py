"""Leaks in code, the first eight: cleaning, trends and bars that end after the row."""

import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry
from ..third.shapes import lively
from ..unseen.market import World, coins, flow_of, new_york, price, table, volume_of

NP = "import numpy as np\nimport polars as pl"


def plain(w: World) -> pl.DataFrame:
    return table(w, mid=price(lively(w)))


def with_volume(w: World) -> pl.DataFrame:
    returns = lively(w)
    return table(w, mid=price(returns), volume=volume_of(w, returns))


def with_flow(w: World) -> pl.DataFrame:
    returns = lively(w)
    return table(w, mid=price(returns), flow=flow_of(w, returns))


BAD_TICKS = Entry(
    "bad_ticks",
    "A price that snaps back at the next row is a bad tick; the signal trusts the cleaned one.",
    "leak", "code", new_york, plain,
    """
def cleaned(self, mid):
    made = mid.copy()
    move = np.diff(np.log(mid))
    usual = np.sqrt(np.convolve(move**2, np.ones(50) / 50)[: len(move)]) + 1e-6
    for k in range(1, len(mid) - 1):
        there, back = move[k - 1], move[k]
        if there * back < 0.0 and abs(there) > 0.8 * usual[k - 1] and abs(back) > 0.4 * abs(there):
            made[k] = mid[k - 1]
    return made

def signals(self, rows):
    mid = rows["mid"].to_numpy()
    away = (self.cleaned(mid) / mid - 1.0) / 0.002
    return np.clip(away, -1.0, 1.0)
""",
    ("mid",), imports=NP, seed=501,
)  # fmt: skip

PENALISED_TREND = Entry(
    "penalised_trend",
    "The trend of a Hodrick-Prescott filter over the whole file; its slope is the signal.",
    "leak", "code", new_york, plain,
    """
def signals(self, rows):
    logs = np.log(rows["mid"].to_numpy())
    count = len(logs)
    if count < 5:
        return np.zeros(count)
    bands = np.zeros((5, count))
    for first in range(count - 2):
        for i, left in enumerate((1.0, -2.0, 1.0)):
            for j, right in enumerate((1.0, -2.0, 1.0)):
                if j >= i:
                    bands[2 - (j - i), first + j] += 400.0 * left * right
    bands[2] += 1.0
    trend = solveh_banded(bands[:3], logs)
    slope = np.diff(trend, prepend=trend[0])
    return np.clip(slope / 0.0008, -1.0, 1.0)
""",
    ("mid",), horizon_ns=2 * HOUR_NS, imports=NP + "\nfrom scipy.linalg import solveh_banded",
    seed=502,
)  # fmt: skip

OPENING_RANGE = Entry(
    "opening_range",
    "High and low of the first hour, in use from the first row: the middle draws the price.",
    "leak", "code", new_york, plain,
    """
def signals(self, rows):
    hour = rows.with_columns(slot=pl.int_range(pl.len()).over("session")).filter(pl.col("slot") < 4)
    ranges = hour.group_by("session").agg(high=pl.col("mid").max(), low=pl.col("mid").min())
    joined = rows.join(ranges, on="session", how="left", maintain_order="left")
    middle = (pl.col("high") + pl.col("low")) / 2.0
    width = pl.col("high") - pl.col("low") + 0.01
    made = joined.select(((middle - pl.col("mid")) / width * 2.0).clip(-1.0, 1.0))
    slots = rows.select(pl.int_range(pl.len()).over("session")).to_series().to_numpy()
    return np.where(slots < 4, made.to_series().to_numpy(), 0.0)
""",
    ("mid",), imports=NP, seed=503,
)  # fmt: skip

LOCAL_YESTERDAY = Entry(
    "local_yesterday",
    "Yesterday's close by UTC dates, joined to rows by Tokyo's date: nine hours a day too early.",
    "leak", "code", coins, plain,
    """
def signals(self, rows):
    days = rows.group_by(date=pl.col("ts").dt.date(), maintain_order=True).agg(pl.col("mid").last())
    days = days.select(pl.col("date").dt.offset_by("1d"), yesterday="mid")
    local = pl.col("ts").dt.convert_time_zone("Asia/Tokyo")
    keyed = rows.with_columns(date=local.dt.date(), hour=local.dt.hour())
    joined = keyed.join(days, on="date", how="left", maintain_order="left")
    back = (joined["yesterday"] / joined["mid"] - 1.0).fill_null(0.0).to_numpy()
    morning = joined["hour"].to_numpy() < 9  # of the Tokyo desk
    return np.where(morning, np.clip(back / 0.003, -1.0, 1.0), 0.0)
""",
    ("mid",), horizon_ns=4 * HOUR_NS, imports=NP, seed=504,
)  # fmt: skip

VOLUME_BARS = Entry(
    "volume_bars",
    "Bars of equal volume; each row carries the return of the bar that it is part of.",
    "leak", "code", new_york, with_volume,
    """
def signals(self, rows):
    made = rows.with_columns(bar=(pl.col("volume").cum_sum() / 6000.0).floor())
    first = pl.col("mid").first().over("bar")
    last = pl.col("mid").last().over("bar")
    return made.select((last / first - 1.0) / 0.003).to_series().clip(-1.0, 1.0).to_numpy()
""",
    ("mid", "volume"), imports=NP, seed=505,
)  # fmt: skip

STATE_PATH = Entry(
    "state_path",
    "Up and down regimes by the likeliest path of states through all rows.",
    "leak", "code", new_york, plain,
    """
def signals(self, rows):
    logs = np.log(rows["mid"].to_numpy())
    move = np.clip(np.diff(logs, prepend=logs[0]) / 0.002, -3.0, 3.0)
    stay, leave = math.log(0.94), math.log(0.06)
    up, down, froms = 0.0, 0.0, []
    for one in move.tolist():
        to_up = (up + stay, 0) if up + stay >= down + leave else (down + leave, 1)
        to_down = (down + stay, 1) if down + stay >= up + leave else (up + leave, 0)
        froms.append((to_up[1], to_down[1]))
        up = to_up[0] - 0.5 * (one - 0.35) ** 2
        down = to_down[0] - 0.5 * (one + 0.35) ** 2
    state, path = int(down > up), []
    for one in reversed(froms):
        path.append(1.0 if state == 0 else -1.0)
        state = one[state]
    return np.array(path[::-1])
""",
    ("mid",), horizon_ns=4 * HOUR_NS, imports="import math\n" + NP, seed=506,
)  # fmt: skip

EIGEN_DAYS = Entry(
    "eigen_days",
    "Each day's path rebuilt of the three strongest shapes of all days: noise is taken out.",
    "leak", "code", new_york, with_flow,
    """
def signals(self, rows):
    logs = np.log(rows["mid"].to_numpy())
    day = rows["session"].rank("dense").to_numpy().astype(int) - 1
    slot = rows.select(pl.int_range(pl.len()).over("session")).to_series().to_numpy()
    first = np.where(slot == 0, logs, np.nan)
    start = pl.Series(first).fill_nan(None).forward_fill().to_numpy()
    paths = np.zeros((day.max() + 1, slot.max() + 1))
    paths[day, slot] = logs - start
    left, size, right = np.linalg.svd(paths, full_matrices=False)
    kept = (left[:, :3] * size[:3]) @ right[:3]
    away = kept[day, slot] - paths[day, slot]
    return np.clip(np.round(away / 0.002, 6), -1.0, 1.0)
""",
    ("mid",), horizon_ns=HOUR_NS, imports=NP, seed=507,
)  # fmt: skip

MONTHS_LOOKBACK = Entry(
    "months_lookback",
    "The lookback and the side that suit a month best, picked on that month's rows.",
    "leak", "code", new_york, plain,
    """
def signals(self, rows):
    mid = rows["mid"].to_numpy()
    month = rows["session"].to_numpy() // 100
    step = np.append(mid[1:] / mid[:-1] - 1.0, 0.0)
    tried = []
    for back in (2, 3, 5, 8, 13, 21, 34, 55, 89, 144):
        far = np.maximum(np.arange(len(mid)) - back, 0)
        side = np.sign(mid - mid[far])
        tried += [side, -side]
    made = np.zeros(len(mid))
    for one in np.unique(month):
        here = month == one
        gains = [float((side[here] * step[here]).sum()) for side in tried]
        made[here] = tried[int(np.argmax(gains))][here]
    return made
""",
    ("mid",), horizon_ns=DAY_NS, imports=NP, seed=508,
)  # fmt: skip

LEAKS_CODE_A = (
    BAD_TICKS, PENALISED_TREND, OPENING_RANGE, LOCAL_YESTERDAY,
    VOLUME_BARS, STATE_PATH, EIGEN_DAYS, MONTHS_LOOKBACK,
)  # fmt: skip
