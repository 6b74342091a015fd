"""Innocents in code, the first nine: turned about, seeded, in blocks, by a calendar."""

import numpy as np
import polars as pl
from scipy.signal import lfilter

from ..entry import DAY_NS, HOUR_NS, Entry
from ..third.shapes import led, lively, smooth, uneven
from ..unseen.market import BAR, World, coins, new_york, price, table

NP = "import numpy as np\nimport polars as pl"


def half_hours(seed: int, twist: int | None = None) -> World:
    return new_york(seed, twist, minutes=30)


def slow_flow(w: World) -> pl.DataFrame:
    push = smooth(w.noise("push"), 0.8)
    seen = np.where(w.noise("seen", "uniform") < 0.5, np.round(300.0 * push), np.nan)
    return table(w, mid=price(led(w, push, 0.07)), flow=seen)


UPSIDE_DOWN = Entry(
    "upside_down",
    "Rows are turned newest first, filled backward and turned again: that is the last known value.",
    "innocent", "code", new_york, slow_flow,
    """
def signals(self, rows):
    newest = rows.select("ts", pl.col("flow").fill_nan(None)).reverse()
    filled = newest.select(pl.col("flow").fill_null(strategy="backward")).reverse()
    return (filled.to_series().fill_null(0.0) / 400.0).clip(-1.0, 1.0).to_numpy()
""",
    ("flow",), known_at=("flow: row",), imports=NP, seed=541,
)  # fmt: skip


def gapped(w: World) -> pl.DataFrame:
    news = w.daily("news")
    moved = np.where(w.opens, 0.005 * (0.7 * news + 0.7 * w.noise("night")), lively(w))
    return table(w, mid=price(moved + np.where(w.opens, 0.0, 0.05 * BAR * news)))


FIRST_OF_DAY = Entry(
    "first_of_day",
    "The first price of a session, on all of its rows: it was there before all of them.",
    "innocent", "code", new_york, gapped,
    """
def signals(self, rows):
    first = pl.col("mid").first().over("session")
    ended = rows.group_by("session", maintain_order=True).agg(pl.col("mid").last())
    ended = ended.select("session", eve=pl.col("mid").shift(1))
    joined = rows.join(ended, on="session", how="left", maintain_order="left")
    jump = joined.select((first / pl.col("eve") - 1.0) / 0.005).to_series()
    return jump.fill_null(0.0).clip(-1.0, 1.0).to_numpy()
""",
    ("mid",), horizon_ns=DAY_NS, imports=NP, seed=542,
)  # fmt: skip


def two_fields(w: World) -> pl.DataFrame:
    one, other = w.noise("one"), w.noise("other")
    mid = price(led(w, 0.8 * one - 0.6 * other, 0.09))
    return table(w, mid=mid, flow=np.round(400.0 * one), depth_skew=np.round(other, 2))


LABELS_BEHIND = Entry(
    "labels_behind",
    "Labels are the next return, `shift(-1)`; each fit sees those of sessions that are over only.",
    "innocent", "code", new_york, two_fields,
    """
def signals(self, rows):
    label = (pl.col("mid").shift(-1) / pl.col("mid") - 1.0).over("session").alias("label")
    made = rows.with_columns(label).with_columns(day=pl.col("session").rank("dense") - 1)
    day = made["day"].to_numpy()
    known = np.column_stack([made["flow"].to_numpy() / 400.0, made["depth_skew"].to_numpy()])
    after = made["label"].to_numpy()
    signal = np.zeros(len(day))
    for first in range(20, int(day.max()) + 1, 20):
        train = (day < first) & np.isfinite(after)
        square = known[train].T @ known[train] + 100.0 * np.eye(2)
        weights = np.linalg.solve(square, known[train].T @ after[train])
        here = (day >= first) & (day < first + 20)
        signal[here] = known[here] @ weights
    return np.clip(signal / 0.0002, -1.0, 1.0)
""",
    ("mid", "flow", "depth_skew"), known_at=("flow: row", "depth_skew: row"),
    imports=NP, seed=543,
)  # fmt: skip


def pinned(w: World) -> pl.DataFrame:
    expiry = np.array([15 <= d.day + 4 - d.weekday() <= 21 for d in w.days])[w.day]
    moves = lively(w)
    for k in range(1, w.rows):
        if expiry[k]:
            moves[k] -= 0.22 * moves[k - 1]
    return table(w, mid=price(moves))


EXPIRY_WEEK = Entry(
    "expiry_week",
    "In the week of a third Friday, known for years ahead by the calendar, moves turn back.",
    "innocent", "code", new_york, pinned,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last = math.nan
    self.signal = 0.0

def update(self, *, session, mid):
    date = dt.datetime.strptime(str(int(session)), "%Y%m%d").date()
    friday = date + dt.timedelta(days=4 - date.weekday())
    move = mid / self.last - 1.0 if math.isfinite(self.last) else 0.0
    self.last = mid
    week = 15 <= date.day + (friday - date).days <= 21
    self.signal = max(-1.0, min(1.0, -move / 0.002)) if week else 0.0
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("session", "mid"), imports="import datetime as dt\nimport math", seed=544,
)  # fmt: skip


def pushed(w: World) -> pl.DataFrame:
    push = w.noise("push")
    return table(w, mid=price(led(w, push, 0.08)), flow=np.round(400.0 * push))


DITHERED = Entry(
    "dithered",
    "The answer plus seeded noise, so that nobody reads the book off its orders.",
    "innocent", "code", new_york, pushed,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.draws = random.Random(20220103)
    self.signal = 0.0

def update(self, *, flow):
    noise = self.draws.gauss(0.0, 0.25)
    self.signal = max(-1.0, min(1.0, flow / 600.0 + noise))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("flow",), known_at=("flow: row",), imports="import random", seed=545,
)  # fmt: skip


def hidden(w: World) -> pl.DataFrame:
    push = smooth(w.noise("push"), 0.95)
    seen = np.round(200.0 * (push + 1.5 * w.noise("error")))
    return table(w, mid=price(led(w, push, 0.12)), flow=seen)


PARTICLES = Entry(
    "particles",
    "A particle filter with a seed of its own: a cloud of guesses at the pressure behind the flow.",
    "innocent", "code", half_hours, hidden,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.draws = np.random.default_rng(11)
    self.cloud = self.draws.standard_normal(64)
    self.signal = 0.0

def update(self, *, flow):
    self.cloud = 0.95 * self.cloud + 0.31 * self.draws.standard_normal(64)
    weight = np.cumsum(np.exp(-0.22 * (flow / 200.0 - self.cloud) ** 2) + 1e-12)
    picks = (np.arange(64) + self.draws.random()) / 64.0 * weight[-1]
    self.cloud = self.cloud[np.minimum(np.searchsorted(weight, picks), 63)]
    self.signal = float(np.clip(self.cloud.mean(), -1.0, 1.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("flow",), known_at=("flow: row",), horizon_ns=2 * HOUR_NS,
    imports="import numpy as np", seed=546,
)  # fmt: skip


def cyclic(w: World) -> pl.DataFrame:
    return table(w, mid=price(lively(w) + 0.09 * BAR * np.cos(2.0 * np.pi * w.slot / 13.0)))


PAST_SPECTRUM = Entry(
    "past_spectrum",
    "A Fourier transform of the last twenty sessions at each row; one frequency says the next.",
    "innocent", "code", new_york, cyclic,
    """
def signals(self, rows):
    logs = np.log(rows["mid"].to_numpy())
    move = np.clip(np.diff(logs, prepend=logs[0]), -0.006, 0.006)
    padded = np.concatenate([np.zeros(519), move])
    made = np.empty(len(move))
    for k in range(len(move)):
        made[k] = np.fft.rfft(padded[k : k + 520])[40].real
    return np.clip(np.round(made * 2.0 / 520.0 / 0.0002, 8), -1.0, 1.0)
""",
    ("mid",), imports=NP, seed=547,
)  # fmt: skip


def drifting(w: World) -> pl.DataFrame:
    return table(w, mid=price(lfilter([1.0], [1.0, -0.08], lively(w)), 20000.0, 0.5))


IN_BLOCKS = Entry(
    "in_blocks",
    "Five hundred rows at a time through a filter whose state goes over to the next block.",
    "innocent", "code", coins, drifting,
    """
def signals(self, rows):
    logs = np.log(rows["mid"].to_numpy())
    move = np.diff(logs, prepend=logs[0]) / 0.002
    state, made = np.zeros(1), []
    for first in range(0, len(move), 500):
        block, state = lfilter([0.8], [1.0, -0.2], move[first : first + 500], zi=state)
        made.append(block)
    return np.clip(np.concatenate(made), -1.0, 1.0)
""",
    ("mid",), horizon_ns=HOUR_NS, imports=NP + "\nfrom scipy.signal import lfilter", seed=548,
)  # fmt: skip


def trending(w: World) -> pl.DataFrame:
    return table(w, mid=price(led(w, smooth(w.noise("drift"), 0.97), 0.14)))


CONFIRMED_SWINGS = Entry(
    "confirmed_swings",
    "Highs and lows of swings, each known only once the price has turned far enough from it.",
    "innocent", "code", uneven, trending,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.extreme = math.nan
    self.signal = 0.0

def update(self, *, mid):
    if not math.isfinite(self.extreme):
        self.extreme = mid
    turn = mid / self.extreme - 1.0
    if self.signal >= 0.0 and turn < -0.008:
        self.signal, self.extreme = -1.0, mid
    elif self.signal <= 0.0 and turn > 0.008:
        self.signal, self.extreme = 1.0, mid
    elif (turn > 0.0) == (self.signal > 0.0):
        self.extreme = mid
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid",), horizon_ns=DAY_NS, imports="import math", seed=558,
)  # fmt: skip

INNOCENTS_CODE_A = (
    UPSIDE_DOWN, FIRST_OF_DAY, LABELS_BEHIND, EXPIRY_WEEK,
    DITHERED, PARTICLES, PAST_SPECTRUM, IN_BLOCKS, CONFIRMED_SWINGS,
)  # fmt: skip
