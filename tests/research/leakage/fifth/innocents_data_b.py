"""Innocents in columns, the other eight: scores, schedules, ages, row order; all honest."""

import numpy as np
import polars as pl
from scipy.signal import lfilter

from ..entry import BAR_NS, DAY_NS, HOUR_NS, Entry, Frames
from ..third.shapes import TREES, a_few, currencies, led, lively, smooth, tokyo, uneven
from ..unseen import stock
from ..unseen.market import (
    BAR,
    World,
    coins,
    daily_rows,
    earlier,
    new_york,
    price,
    printed,
    table,
    twins,
    volume_of,
)

MATH = "import math"


def scored(w: World) -> pl.DataFrame:
    push = smooth(w.noise("push"), 0.9)
    score = np.round(0.7 * push + 0.5 * w.noise("model"), 3)
    return table(w, mid=price(led(w, push, 0.075)), score_2h=score)


VENDOR_SCORE = Entry(
    "vendor_score",
    "Scores for the next two hours, of a vendor's model that was trained years ago and runs live.",
    "innocent", "data", new_york, scored, stock.level("score_2h", 1.2), ("score_2h",),
    horizon_ns=2 * HOUR_NS, known_at=("score_2h: row",), imports=MATH, seed=571,
)  # fmt: skip


def announced(w: World) -> Frames:
    made = {}
    for number, name in enumerate(TREES[:5]):
        draws = np.random.default_rng(40 + number)
        to_trade, drift = np.zeros(w.rows), np.zeros(w.rows)
        for first in range(15 + 7 * number, w.rows - 12, 35):
            size = draws.normal()
            left = np.linspace(1.0, 0.1, 10)
            to_trade[first : first + 10] = np.round(size * left, 2) * 1e6
            drift[first + 1 : first + 11] = 0.4 * size
        mid = price(lively(w, name, 0.012, 0.012) + 0.012 * drift, 40.0, 0.01)
        made[name] = table(w, mid=mid, shares_to_trade=to_trade)
    return made


INDEX_TO_TRADE = Entry(
    "index_to_trade",
    "Shares that index funds still have to trade before an announced change of the index.",
    "innocent", "data", daily_rows, announced, stock.level("shares_to_trade", 800000.0),
    ("shares_to_trade",), horizon_ns=10 * DAY_NS, known_at=("shares_to_trade: row",), imports=MATH,
    seed=572,
)  # fmt: skip


def two_a_stamp(w: World) -> pl.DataFrame:
    first, _, prints = printed(w)
    moved = BAR * np.where(first, lively(w) / BAR + 0.1 * earlier(prints) / 300.0, 0.0)
    moved[0] = 0.0
    pressed = np.where(first, 0.0, 0.0006 * prints / 300.0)
    return table(w, mid=price(moved + pressed), print_net=prints)


AFTER_PRINTS = Entry(
    "after_prints",
    "Two rows a stamp, the quote before the print and after it: the order of the file counts.",
    "innocent", "data", twins, two_a_stamp, stock.level("print_net", 400.0), ("print_net",),
    horizon_ns=HOUR_NS // 2, known_at=("print_net: row",), imports=MATH, seed=573,
)  # fmt: skip


def some_covered(w: World) -> Frames:
    made = {}
    for number, name in enumerate(TREES[:6]):
        told = np.where(a_few(w, f"{name} report", 0.05), w.noise(f"{name} view"), 0.0)
        slow = lfilter([1.0], [1.0, -0.85], told)
        push = 0.22 * 0.012 * earlier(slow) * (number % 2 == 0)
        push[0] = 0.0
        mid = price(lively(w, name, 0.012, 0.012) + push, 60.0, 0.01)
        column = np.round(slow, 2) if number % 2 == 0 else np.full(w.rows, np.nan)
        made[name] = table(w, mid=mid, revisions=column)
    return made


HALF_COVERED = Entry(
    "half_covered",
    "Revisions of analysts, who cover every other name; of the rest there is no number at all.",
    "innocent", "data", daily_rows, some_covered, stock.level("revisions", 1.0), ("revisions",),
    horizon_ns=5 * DAY_NS, known_at=("revisions: row",), imports=MATH, seed=574,
)  # fmt: skip


def aged(w: World) -> pl.DataFrame:
    waits = np.diff(w.times.astype(np.int64), prepend=w.times[0].astype(np.int64)) / 1e9
    moves = lively(w)
    for k in range(2, w.rows):
        if waits[k - 1] > 900.0 and not w.opens[k]:
            moves[k] -= 0.25 * moves[k - 1]
    return table(w, mid=price(moves), quiet_s=np.round(np.minimum(waits, 7200.0)))


QUIET_BEFORE = Entry(
    "quiet_before",
    "Seconds without any quote before this one: a move after a long pause comes back.",
    "innocent", "data", uneven, aged,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last = math.nan
    self.signal = 0.0

def update(self, *, mid, quiet_s):
    move = mid / self.last - 1.0 if math.isfinite(self.last) else 0.0
    self.last = mid
    self.signal = max(-1.0, min(1.0, -move / 0.002)) if quiet_s > 900.0 else 0.0
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "quiet_s"), horizon_ns=BAR_NS, known_at=("quiet_s: row",), imports=MATH, seed=575,
)  # fmt: skip


def reopening(w: World) -> pl.DataFrame:
    orders = w.noise("orders")
    moves = lively(w)
    after_lunch = w.slot == 15
    reopened = 2.0 * BAR * (0.5 * earlier(orders) + 0.86 * w.noise("rest"))
    mid = price(np.where(after_lunch, reopened, moves), 2500.0, 0.5)
    told = mid * np.exp(1.2 * BAR * orders)
    return table(w, mid=mid, indicative=np.where(w.slot == 14, np.round(told), np.nan))


LUNCH_AUCTION = Entry(
    "lunch_auction",
    "The indicative price of the auction after lunch, shown as the morning ends; else missing.",
    "innocent", "data", tokyo, reopening,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.signal = 0.0

def update(self, *, mid, indicative):
    self.signal *= 0.5
    if math.isfinite(indicative):
        self.signal = max(-1.0, min(1.0, (indicative / mid - 1.0) / 0.002))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "indicative"), horizon_ns=HOUR_NS, known_at=("indicative: row",), imports=MATH,
    seed=576,
)  # fmt: skip


def anchored(w: World) -> pl.DataFrame:
    own, volume = lively(w), volume_of(w, np.zeros(w.rows))
    logs, value = np.zeros(w.rows), np.full(w.rows, np.nan)
    yesterday, paid, lots = np.nan, 0.0, 0.0
    for k in range(w.rows):
        if w.opens[k] and k:
            yesterday, paid, lots = paid / lots, 0.0, 0.0
        value[k] = yesterday
        if k:
            away = 0.0 if np.isnan(value[k - 1]) else value[k - 1] - logs[k - 1]
            logs[k] = logs[k - 1] + own[k] + 0.010 * away
        paid, lots = paid + volume[k] * logs[k], lots + volume[k]
    mid = np.round(1.1 * np.exp(logs), 5)
    return table(w, mid=mid, eve_vwap=np.round(1.1 * np.exp(value), 5))


EVE_VWAP = Entry(
    "eve_vwap",
    "Yesterday's mean price by volume on all rows of today, to which the price comes back.",
    "innocent", "data", currencies, anchored,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, mid, eve_vwap):
    if math.isfinite(eve_vwap):
        self.signal = max(-1.0, min(1.0, (eve_vwap / mid - 1.0) / 0.012))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "eve_vwap"), horizon_ns=12 * HOUR_NS, known_at=("eve_vwap: row",), imports=MATH,
    seed=577,
)  # fmt: skip


def month_to_date(w: World) -> pl.DataFrame:
    moves = lively(w)
    cut = np.where(np.abs(moves) > 1.2 * BAR, moves / BAR, 0.0) * np.exp(0.3 * w.noise("size"))
    back = -0.09 * BAR * earlier(np.clip(cut, -4.0, 4.0))
    back[0] = 0.0
    frame = pl.DataFrame({"cut": np.round(cut * 1e12), "month": w.session // 100})
    total = frame.select(pl.col("cut").cum_sum().over("month")).to_series().to_numpy()
    return table(w, mid=price(moves + back, 1500.0, 0.05), liq_mtd_wei=total)


LIQUIDATED_MTD = Entry(
    "liquidated_mtd",
    "Net liquidations of the month so far, in wei: it starts anew each month.",
    "innocent", "data", coins, month_to_date,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last = 0.0
    self.month = 0
    self.signal = 0.0

def update(self, *, session, liq_mtd_wei):
    month = int(session) // 100
    since = 0.0 if month != self.month else self.last
    self.month, self.last = month, liq_mtd_wei
    self.signal = max(-1.0, min(1.0, -(liq_mtd_wei - since) / 2e12))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("session", "liq_mtd_wei"), horizon_ns=2 * HOUR_NS, known_at=("liq_mtd_wei: row",),
    imports=MATH, seed=578,
)  # fmt: skip

INNOCENTS_DATA_B = (
    VENDOR_SCORE, INDEX_TO_TRADE, AFTER_PRINTS, HALF_COVERED,
    QUIET_BEFORE, LUNCH_AUCTION, EVE_VWAP, LIQUIDATED_MTD,
)  # fmt: skip
