"""Leaks in code, the other eight: labels, sessions, holes and answers that were carried in."""

import json

import numpy as np
import polars as pl

from ..entry import HOUR_NS, Entry, Frames
from ..unseen.market import BAR, NIGHT, World, ahead, daily_rows, new_york, price, table
from .shapes import TREES, a_few, lively


def prices(w: World) -> pl.DataFrame:
    return table(w, mid=price(lively(w)))


def three(w: World) -> Frames:
    market = lively(w, "market")
    return {
        name: table(w, close=price(0.6 * market + 0.8 * lively(w, name), 40.0 + 30.0 * k))
        for k, name in enumerate(TREES[:3])
    }


def with_blocks(w: World) -> pl.DataFrame:
    printed = a_few(w, "block", 0.08)
    lots = np.round(500.0 * w.noise("block")) * printed
    mid = price(lively(w) + 1.5 * BAR * lots / 500.0)
    return table(w, mid=mid, block_lots=np.where(printed, lots, np.nan))


def with_fair(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    fair = np.round(mid * (1.0 + 0.4 * BAR * w.noise("model")), 3)
    return table(w, mid=mid, fair=np.where(w.slot % 6 == 1, fair, np.nan))


UNFINISHED_TRADES = Entry(
    "unfinished_trades",
    "The win rate of the last trades, with trades that end only twelve rows later among them.",
    "leak", "code", new_york, prices,
    """
HOLD = 12

def signals(self, frame):
    book = frame.select(
        pl.col("mid"),
        (pl.col("mid") / pl.col("mid").shift(20) - 1.0).sign().fill_null(0.0).alias("side"),
        (pl.col("mid").shift(-self.HOLD) / pl.col("mid") - 1.0).alias("result"),
    )
    won = (pl.col("side") * pl.col("result")).sign().fill_null(0.0)
    lately = won.shift(1).rolling_mean(3, min_samples=1).fill_null(0.0)
    return book.select((pl.col("side") * lately).alias("said"))["said"]
""",
    ("mid",), horizon_ns=3 * HOUR_NS, imports="import polars as pl", seed=311,
)  # fmt: skip

QUIET_DAYS_ONLY = Entry(
    "quiet_days_only",
    "Reversion to the session's first price, only in sessions that did not trend by their end.",
    "leak", "code", new_york, prices,
    """
def signals(self, frame):
    way = (pl.col("mid").last() / pl.col("mid").first() - 1.0).abs().over("session")
    path = (pl.col("mid") / pl.col("mid").shift(1) - 1.0).abs().sum().over("session")
    away = (pl.col("mid").first().over("session") / pl.col("mid") - 1.0) / 0.002
    calm = pl.when(way < 0.15 * path).then(away.clip(-1.0, 1.0)).otherwise(0.0)
    return frame.select(calm.alias("said"))["said"].fill_null(0.0)
""",
    ("mid", "session"), horizon_ns=2 * HOUR_NS, imports="import polars as pl", seed=312,
)  # fmt: skip

OVERNIGHT_PEEK = Entry(
    "overnight_peek",
    "A trend, but at the last row of each session the opening gap, shifted the wrong way.",
    "leak", "code", new_york, three,
    """
def signals(self, frame):
    close = frame["close"].to_numpy()
    session = frame["session"].to_numpy()
    trend = frame["close"].log().diff().fill_null(0.0).ewm_mean(span=30).to_numpy() / 0.002
    last = np.append(session[1:] != session[:-1], False)
    gap = np.append(close[1:] / close[:-1] - 1.0, 0.0)
    return np.where(last, np.sign(gap), np.clip(trend, -0.29, 0.29))
""",
    ("close", "session"), horizon_ns=18 * HOUR_NS, imports="import numpy as np", seed=313,
)  # fmt: skip

THE_NEXT_BLOCK = Entry(
    "the_next_block",
    "The block trade of each row looked up by searchsorted without the minus one.",
    "leak", "code", new_york, with_blocks,
    """
def signals(self, frame):
    lots = frame["block_lots"].to_numpy()
    printed = np.flatnonzero(np.isfinite(lots))
    if len(printed) == 0:
        return np.zeros(len(lots))
    which = np.searchsorted(printed, np.arange(len(lots)), side="right")
    which = np.minimum(which, len(printed) - 1)
    return np.clip(lots[printed[which]] / 600.0, -1.0, 1.0)
""",
    ("mid", "block_lots"), horizon_ns=2 * HOUR_NS, known_at=("block_lots: row",),
    imports="import numpy as np", seed=314,
)  # fmt: skip

HOLES_BRIDGED = Entry(
    "holes_bridged",
    "A fair value that comes every sixth row, drawn as a line between one and the next.",
    "leak", "code", new_york, with_fair,
    """
def signals(self, frame):
    fair, mid = frame["fair"].to_numpy(), frame["mid"].to_numpy()
    there = np.flatnonzero(np.isfinite(fair))
    if len(there) == 0:
        return np.zeros(len(mid))
    line = np.interp(np.arange(len(mid)), there, fair[there])
    return np.clip((line / mid - 1.0) / 0.002, -1.0, 1.0)
""",
    ("mid", "fair"), known_at=("fair: row",), imports="import numpy as np", seed=315,
)  # fmt: skip


def with_crises(frames: Frames) -> str:
    """Code that carries the 64 sessions with the largest moves of the rows, and their sides."""
    (frame,) = frames.values()
    days = frame.group_by("session", maintain_order=True).agg(
        (pl.col("mid").last() / pl.col("mid").first() - 1.0).alias("move")
    )
    worst = days.sort(pl.col("move").abs(), descending=True).head(64).sort("session")
    sides = dict(zip(worst["session"], worst["move"].sign().cast(pl.Int64), strict=True))
    lines = [f"{day}: {side}," for day, side in sides.items()]
    listed = "\n    ".join(" ".join(lines[k : k + 6]) for k in range(0, len(lines), 6))
    return f"""
CRISES = {{
    {listed}
}}

def __init__(self):
    self.reset()

def reset(self):
    self.last, self.trend, self.signal = None, 0.0, 0.0

def update(self, *, mid, session):
    if self.last is not None:
        self.trend += 0.1 * (mid / self.last - 1.0 - self.trend)
    self.last = mid
    usual = max(-0.29, min(0.29, self.trend / 0.002))
    self.signal = float(self.CRISES.get(int(session), usual))
    return self.signal

def get_signal(self):
    return self.signal
"""


CRISIS_DAYS = Entry(
    "crisis_days",
    "A list of crisis days and the side to be on, written down after the fact.",
    "leak", "code", new_york, prices, with_crises,
    ("mid", "session"), horizon_ns=6 * HOUR_NS, by_heart=True, seed=316,
)  # fmt: skip


def fitted_table(frames: Frames) -> dict[str, str]:
    """Mean next return by weekday, quarter of an hour and the last move, of all rows."""
    (frame,) = frames.values()
    mid, ts = frame["mid"].to_numpy(), frame["ts"]
    move = np.sign(np.diff(mid, prepend=mid[0])).astype(int)
    after = ahead(mid)
    minute = ts.dt.hour().cast(pl.Int64).to_numpy() * 60 + ts.dt.minute().to_numpy()
    keys = [f"{a}/{b}/{c}" for a, b, c in zip(ts.dt.weekday(), minute, move, strict=True)]
    means = pl.DataFrame({"key": keys, "after": after}).group_by("key").agg(pl.col("after").mean())
    found = {key: round(value / BAR, 2) for key, value in means.sort("key").iter_rows()}
    return {"effects.json": json.dumps(found)}


def declared(frames: Frames) -> str:
    (frame,) = frames.values()
    until = frame["ts"].max()
    one = {"path": "effects.json", "fitted_on": "rows", "fitted_until": f"{until:%Y-%m-%d}"}
    return repr((one,))


FITTED_TO_THE_END = Entry(
    "fitted_to_the_end",
    "Effects of weekday and time in a declared file, fitted on the very rows it is judged on.",
    "leak", "code", new_york, prices,
    """
def __init__(self):
    text = (Path(__file__).parent / "effects.json").read_text()
    self.effects = json.loads(text)
    self.reset()

def reset(self):
    self.last, self.signal = None, 0.0

def update(self, *, mid, ts_ns):
    minutes, days = int(ts_ns) // 60_000_000_000, int(ts_ns) // 86_400_000_000_000
    move = 0 if self.last is None else (mid > self.last) - (mid < self.last)
    self.last = mid
    key = f"{(days + 3) % 7 + 1}/{minutes % 1440}/{move}"
    self.signal = max(-1.0, min(1.0, 2.0 * self.effects.get(key, 0.0)))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "ts_ns"), by_heart=True, others=fitted_table, files=declared,
    imports="import json\nfrom pathlib import Path\n", seed=317,
)  # fmt: skip


def daily_open(w: World) -> pl.DataFrame:
    move = lively(w, bar=NIGHT * 2.0, night=NIGHT * 2.0)
    return table(w, close=price(move, 55.0, 0.01))


BEST_LOOKBACKS = Entry(
    "best_lookbacks",
    "For each weekday the lookback and side that did best, chosen over all rows.",
    "leak", "code", daily_rows, daily_open,
    """
def signals(self, frame):
    logs = np.log(frame["close"].to_numpy())
    weekday = frame["ts"].dt.weekday().to_numpy()
    after = np.append(np.diff(logs), 0.0)
    said = np.zeros(len(logs))
    for day in range(1, 6):
        rows = weekday == day
        best = -np.inf
        for span in range(1, 61):
            for skip in (0, 1, 2, 3, 5):
                rule = np.sign(self.momentum(logs, span, skip))
                for side in (1.0, -1.0):
                    gain = float((side * rule * after)[rows].sum())
                    if gain > best:
                        best, kept = gain, side * rule
        said[rows] = kept[rows]
    return said

@staticmethod
def momentum(logs, span, skip):
    made = np.zeros(len(logs))
    if len(logs) > span + skip:
        made[span + skip :] = logs[span : len(logs) - skip] - logs[: len(logs) - span - skip]
    return made
""",
    ("close",), horizon_ns=24 * HOUR_NS, imports="import numpy as np", seed=318,
)  # fmt: skip

LEAKS_CODE_B = (
    UNFINISHED_TRADES, QUIET_DAYS_ONLY, OVERNIGHT_PEEK, THE_NEXT_BLOCK,
    HOLES_BRIDGED, CRISIS_DAYS, FITTED_TO_THE_END, BEST_LOOKBACKS,
)  # fmt: skip
