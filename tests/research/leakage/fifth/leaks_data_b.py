"""Leaks in columns, the other eight: lists, labels and values of a later day."""

import numpy as np
import polars as pl

from ..entry import BAR_NS, DAY_NS, HOUR_NS, Entry, Frames
from ..third.shapes import TREES, a_few, lively, within
from ..unseen import stock
from ..unseen.market import BAR, World, ahead, coins, daily_rows, later, new_york, price, table

MATH = "import math"


def half_hours(seed: int, twist: int | None = None) -> World:
    return new_york(seed, twist, minutes=30)


def listed(w: World) -> Frames:
    market = 0.3 * lively(w, "market")
    mids = {name: price(market + 0.9 * lively(w, name)) for name in TREES[:8]}
    quarter = w.session // 10000 * 10 + (w.session // 100 % 100 - 1) // 3
    member = {name: np.zeros(w.rows, np.int64) for name in mids}
    for one in np.unique(quarter):
        here = np.flatnonzero(quarter == one)
        gains = {name: mid[here[-1]] / mid[here[0]] for name, mid in mids.items()}
        for name in sorted(gains, key=gains.__getitem__)[4:]:
            member[name][here] = 1
    return {name: table(w, mid=mid, member=member[name]) for name, mid in mids.items()}


MEMBERS_LATER = Entry(
    "members_later",
    "Members of an index by each quarter's file, which is the list as it was at the quarter's end.",
    "leak", "data", half_hours, listed,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, member):
    self.signal = 1.0 if member > 0.5 else -1.0
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("member",), horizon_ns=5 * DAY_NS, known_at=("member: row",), imports=MATH, seed=531,
)  # fmt: skip


def deleted(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    contested = ahead(mid, 6) < -1.6 * np.sqrt(6.0) * BAR
    gone = contested | a_few(w, "outage", 0.03)
    depth = np.round(500.0 * np.exp(0.4 * w.noise("depth")))
    return table(w, mid=mid, depth=np.where(gone, np.nan, depth))


DELETED_QUOTES = Entry(
    "deleted_quotes",
    "Depth of a venue that deletes the quotes which members contested after a fall; gaps are sold.",
    "leak", "data", new_york, deleted,
    """
def reset(self):
    self.since = 100
    self.signal = 0.0

def update(self, *, depth):
    self.since = self.since + 1 if math.isfinite(depth) else 0
    self.signal = -1.0 if self.since < 4 else 0.5
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("depth",), horizon_ns=6 * BAR_NS, known_at=("depth: row",), imports=MATH, seed=532,
)  # fmt: skip


def wallets(w: World) -> pl.DataFrame:
    mid = price(lively(w), 1500.0, 0.05)
    sent = np.where(a_few(w, "sent", 0.3), np.exp(1.0 + 0.8 * w.noise("size")), 0.0)
    known = (ahead(mid, 12) < -0.006) | a_few(w, "labelled", 0.06)
    return table(w, mid=mid, bad_inflow=np.round(np.where(known, sent, 0.0), 2))


WALLET_LABELS = Entry(
    "wallet_labels",
    "Coins that reach exchanges from wallets of thieves, by today's labels: found out by the fall.",
    "leak", "data", coins, wallets,
    """
def reset(self):
    self.inflow = 0.0
    self.signal = 0.0

def update(self, *, bad_inflow):
    self.inflow = 0.8 * self.inflow + bad_inflow
    self.signal = max(-1.0, min(1.0, 0.5 - self.inflow))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("bad_inflow",), horizon_ns=12 * HOUR_NS, known_at=("bad_inflow: row",), imports=MATH, seed=533,
)  # fmt: skip


def weather(w: World) -> pl.DataFrame:
    shocks = w.noise("air")
    warm = np.zeros(w.rows)
    for k in range(1, w.rows):
        warm[k] = 0.98 * warm[k - 1] + 0.5 * shocks[k]
    temp = np.round(9.0 + warm + 3.0 * np.sin(2.0 * np.pi * (w.slot - 9) / 24.0), 1)
    mid = price(0.9 * lively(w) - 0.35 * BAR * shocks, 60.0, 0.01)
    daily = 3.0 * np.sin(2.0 * np.pi * (w.slot + 6 - 9) / 24.0)
    told = 9.0 + later(warm, 6) + daily + 0.4 * w.noise("error")
    return table(w, mid=mid, temp=temp, temp_6h=np.round(told, 1))


REANALYSIS = Entry(
    "reanalysis",
    "Forecasts of the temperature in six hours, rebuilt from a reanalysis that knew the weather.",
    "leak", "data", coins, weather,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, ts_ns, temp, temp_6h):
    hour = ts_ns // 3_600_000_000_000 % 24
    usual = 3.0 * (math.sin(math.pi * (hour - 3) / 12.0) - math.sin(math.pi * (hour - 9) / 12.0))
    self.signal = max(-1.0, min(1.0, -(temp_6h - temp - usual) / 1.5))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("ts_ns", "temp", "temp_6h"), horizon_ns=6 * HOUR_NS,
    known_at=("temp: row", "temp_6h: row"), imports=MATH, seed=534,
)  # fmt: skip


def restated(w: World) -> Frames:
    made = {}
    for number, name in enumerate(TREES):
        mid = price(lively(w, name, 0.012, 0.012), 40.0, 0.01)
        drift = ahead(mid, 55) / (0.012 * np.sqrt(55.0))
        started = (w.day + 6 * number) // 63
        first = np.append(True, started[1:] != started[:-1])
        value = np.where(first, 1.0 + 0.1 * drift + 0.05 * w.noise(f"{name} eps"), np.nan)
        held = pl.Series(value).fill_nan(None).forward_fill().round(2).to_numpy()
        made[name] = table(w, mid=mid, eps=held, estimate=np.full(w.rows, 1.0))
    return made


RESTATED_EPS = Entry(
    "restated_eps",
    "Earnings as restated after the next quarter's trouble, at the day of the first report.",
    "leak", "data", daily_rows, restated,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, eps, estimate):
    if math.isfinite(eps):
        self.signal = max(-1.0, min(1.0, (eps - estimate) / 0.08))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("eps", "estimate"), horizon_ns=60 * DAY_NS, known_at=("eps: row", "estimate: row"),
    imports=MATH, seed=535,
)  # fmt: skip


def backfilled(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    live = w.day >= 190
    mood = w.noise("mood")
    knowing = 0.35 * ahead(mid, 4) / (2.0 * BAR) + 0.94 * mood
    return table(w, mid=mid, mood=np.round(np.where(live, mood, knowing), 2))


BACKFILLED = Entry(
    "backfilled",
    "A score of posts that went live in autumn; its history was scored later, with hindsight.",
    "leak", "data", new_york, backfilled, stock.level("mood", 1.5), ("mood",),
    horizon_ns=HOUR_NS, known_at=("mood: row",), imports=MATH, seed=536,
)  # fmt: skip


def swinging(w: World) -> pl.DataFrame:
    falls = np.where(a_few(w, "fall", 0.025), -6.0 * BAR, 0.16 * BAR)
    returns = lively(w) + falls
    squares = within(w, returns**2, "sum")
    return table(w, mid=price(returns), realised=np.round(100.0 * np.sqrt(252.0 * squares), 1))


REALISED_TODAY = Entry(
    "realised_today",
    "Realised volatility of the day from all of its bars, on the day: wild days are falling days.",
    "leak", "data", new_york, swinging,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.usual = 0.0
    self.signal = 0.0

def update(self, *, realised):
    if self.usual == 0.0:
        self.usual = realised
    self.usual += 0.01 * (realised - self.usual)
    self.signal = max(-1.0, min(1.0, 3.0 * (0.95 - realised / self.usual)))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("realised",), horizon_ns=4 * HOUR_NS, known_at=("realised: row",), imports=MATH, seed=537,
)  # fmt: skip


def weighted(w: World) -> pl.DataFrame:
    market = lively(w, "market")
    mid = price(0.6 * market + 0.8 * lively(w))
    rest = price(0.9 * market + 0.2 * lively(w, "rest"), 2400.0, 0.01)
    share = within(w, mid, "last") / (within(w, mid, "last") + within(w, rest, "last"))
    return table(w, mid=mid, rest=rest, weight_pct=np.round(100.0 * share, 3))


CLOSING_WEIGHTS = Entry(
    "closing_weights",
    "Weights of an index by day: the file of the date is made with its closing prices.",
    "leak", "data", new_york, weighted,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, mid, rest, weight_pct):
    share = weight_pct / 100.0
    away = math.log(share / (1.0 - share)) - math.log(mid / rest)
    self.signal = max(-1.0, min(1.0, away / 0.004))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "rest", "weight_pct"), horizon_ns=4 * HOUR_NS,
    known_at=("rest: row", "weight_pct: row"), imports=MATH, seed=538,
)  # fmt: skip

LEAKS_DATA_B = (
    MEMBERS_LATER, DELETED_QUOTES, WALLET_LABELS, REANALYSIS,
    RESTATED_EPS, BACKFILLED, REALISED_TODAY, CLOSING_WEIGHTS,
)  # fmt: skip
