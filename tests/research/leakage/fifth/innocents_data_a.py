"""Innocents in columns, the first eight: forecasts, fixed rates, countdowns, gaps; all honest."""

import numpy as np
import polars as pl
from scipy.signal import lfilter

from ..entry import DAY_NS, HOUR_NS, Entry
from ..third.shapes import a_few, led, lively, smooth
from ..unseen import stock
from ..unseen.market import BAR, World, coins, daily_rows, earlier, new_york, price, table

MATH = "import math"


def forecast(w: World) -> pl.DataFrame:
    front = w.noise("front")
    shocks = 0.8 * earlier(front, 6) * (np.arange(w.rows) >= 6) + 0.6 * w.noise("air")
    warm = lfilter([0.5], [1.0, -0.98], shocks)
    coming = lfilter(0.4 * 0.98 ** np.arange(6), [1.0], front)
    seasons = 3.0 * np.sin(2.0 * np.pi * (w.slot[:, None] + np.array([0, 6]) - 9) / 24.0)
    temp = np.round(9.0 + warm + seasons[:, 0], 1)
    told = np.round(9.0 + 0.98**6 * warm + coming + seasons[:, 1], 1)
    mid = price(lively(w) - 0.12 * BAR * shocks, 60.0, 0.01)
    return table(w, mid=mid, temp=temp, temp_6h=told)


FRONTS = Entry(
    "fronts",
    "A good forecast of the temperature in six hours, made of fronts that radar has seen by now.",
    "innocent", "data", coins, forecast,
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
    known_at=("temp: row", "temp_6h: row"), imports=MATH, seed=561,
)  # fmt: skip


def surveyed(w: World) -> pl.DataFrame:
    mood = w.daily("mood")
    drift = np.where(w.opens, 0.0, 0.04 * BAR * mood)
    return table(w, mid=price(lively(w) + drift), survey=np.round(50.0 + 9.0 * mood))


MORNING_SURVEY = Entry(
    "morning_survey",
    "A survey of traders before the bell: one number a day, the same on all of its rows.",
    "innocent", "data", new_york, surveyed,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, survey):
    self.signal = max(-1.0, min(1.0, (survey - 50.0) / 12.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("survey",), horizon_ns=DAY_NS // 4, known_at=("survey: row",), imports=MATH, seed=562,
)  # fmt: skip


def lagging(w: World) -> pl.DataFrame:
    basket = np.cumsum(0.9 * lively(w, "basket"))
    own, at = 0.8 * lively(w), np.zeros(w.rows)
    for k in range(2, w.rows):
        at[k] = at[k - 1] + own[k] + 0.6 * (basket[k] - basket[k - 1])
        at[k] += 0.012 * (basket[k - 1] - at[k - 1]) + 0.06 * (basket[k - 1] - basket[k - 2])
    mid = np.round(100.0 * np.exp(at), 2)
    return table(w, mid=mid, fair=np.round(100.0 * np.exp(basket), 3))


BASKET_FAIR = Entry(
    "basket_fair",
    "Fair value from a basket with fixed weights, to which the price comes slowly.",
    "innocent", "data", new_york, lagging,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last = math.nan
    self.signal = 0.0

def update(self, *, mid, fair):
    if math.isfinite(self.last):
        led = math.log(fair / self.last) / 0.002
        self.signal = math.tanh(0.5 * led + 0.1 * math.log(fair / mid) / 0.002)
    self.last = fair
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "fair"), horizon_ns=4 * HOUR_NS, known_at=("fair: row",), imports=MATH, seed=563,
)  # fmt: skip


def dividends(w: World) -> pl.DataFrame:
    ahead_of = (47 - np.arange(w.rows) % 48).astype(float)
    run = np.where((ahead_of < 6), 0.5, np.where(ahead_of > 42, -0.4, 0.0))
    mid = price(lively(w, "ret", 0.01, 0.01) + 0.01 * run)
    return table(w, mid=mid, days_to_ex=np.where(ahead_of > 20, np.nan, ahead_of))


DAYS_TO_EX = Entry(
    "days_to_ex",
    "Days until the announced next dividend, missing until it is announced.",
    "innocent", "data", daily_rows, dividends,
    """
def reset(self):
    self.signal = 0.0
    self.since = 100

def update(self, *, days_to_ex):
    self.since = 0 if days_to_ex == 0.0 else self.since + 1
    soon = math.isfinite(days_to_ex) and 0.0 < days_to_ex <= 6.0
    self.signal = 1.0 if soon else -1.0 if self.since < 5 else 0.2
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("days_to_ex",), horizon_ns=5 * DAY_NS, known_at=("days_to_ex: row",), imports=MATH, seed=564,
)  # fmt: skip


def vintages(w: World) -> pl.DataFrame:
    changed = a_few(w, "revised", 0.02)
    step = np.where(changed, w.noise("step"), 0.0)
    drift = 0.13 * BAR * earlier(lfilter([1.0], [1.0, -0.97], step))
    drift[0] = 0.0
    value = 2.0 + np.cumsum(np.round(0.2 * step, 1))
    return table(w, mid=price(lively(w) + drift), growth=np.round(value, 1))


VINTAGES = Entry(
    "vintages",
    "Growth as last known: each revision overwrites the number at the row at which it came out.",
    "innocent", "data", new_york, vintages,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last = math.nan
    self.signal = 0.0

def update(self, *, growth):
    step = growth - self.last if math.isfinite(self.last) else 0.0
    self.last = growth
    self.signal = max(-1.0, min(1.0, 0.97 * self.signal + 4.0 * step))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("growth",), horizon_ns=4 * HOUR_NS, known_at=("growth: row",), imports=MATH, seed=565,
)  # fmt: skip


def one_venue(w: World) -> pl.DataFrame:
    push = w.noise("push")
    seen = np.where(np.abs(push) > 1.0, np.round(push * 2000.0, -2), np.nan)
    return table(w, mid=price(led(w, push, 0.09)), block_net=seen)


LARGE_ONLY = Entry(
    "large_only",
    "Blocks of a venue that reports large ones only: two rows of three have no number.",
    "innocent", "data", new_york, one_venue,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, block_net):
    self.signal = 0.0
    if math.isfinite(block_net):
        self.signal = max(-1.0, min(1.0, block_net / 3000.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("block_net",), known_at=("block_net: row",), imports=MATH, seed=566,
)  # fmt: skip


def flagged(w: World) -> pl.DataFrame:
    bits = [w.noise(f"bit {k}", "uniform") < share for k, share in enumerate((0.3, 0.3, 0.5))]
    push = 1.5 * (bits[0].astype(float) - bits[1].astype(float))
    code = 4 * bits[0] + 64 * bits[1] + 1 * bits[2]
    return table(w, mid=price(led(w, push, 0.09)), conditions=code.astype(np.int64))


CONDITION_BITS = Entry(
    "condition_bits",
    "Conditions of the last trade as a number of bits, of which nobody says what they mean.",
    "innocent", "data", new_york, flagged, stock.per_class("conditions"), ("mid", "conditions"),
    known_at=("conditions: row",), imports=MATH, seed=567,
)  # fmt: skip


def fixed_funding(w: World) -> pl.DataFrame:
    window = w.day * 3 + w.slot // 8
    drawn = smooth(w.noise("premium"), 0.9)
    eve = np.append(True, window[1:] != window[:-1])
    rate = pl.Series(np.where(eve, drawn, np.nan)).fill_nan(None).forward_fill().to_numpy()
    push = -0.045 * BAR * earlier(rate)
    push[0] = 0.0
    mid = price(lively(w) + push, 20000.0, 0.5)
    return table(w, mid=mid, funding_bp=np.round(1.0 + 2.0 * rate, 2))


FUNDING_FIXED = Entry(
    "funding_fixed",
    "Funding of the next eight hours, which this venue fixes before they begin.",
    "innocent", "data", coins, fixed_funding,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, funding_bp):
    self.signal = max(-1.0, min(1.0, -(funding_bp - 1.0) / 2.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("funding_bp",), horizon_ns=8 * HOUR_NS, known_at=("funding_bp: row",), imports=MATH, seed=568,
)  # fmt: skip

INNOCENTS_DATA_A = (
    FRONTS, MORNING_SURVEY, BASKET_FAIR, DAYS_TO_EX,
    VINTAGES, LARGE_ONLY, CONDITION_BITS, FUNDING_FIXED,
)  # fmt: skip
