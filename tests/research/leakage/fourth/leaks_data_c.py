"""Leaks in columns, the third eight: panels, corporate events, calendars, joins by position."""

from functools import partial

import numpy as np
import polars as pl

from ..entry import BAR_NS, DAY_NS, HOUR_NS, Frames
from ..third.shapes import TREES, currencies, lively
from ..unseen import stock
from ..unseen.market import BAR, World, coins, daily_rows, later, new_york, price, table
from .form import MATH, entry

DAILY = 0.015
NAMES = tuple(f"{tree}_{k}" for k in range(3) for tree in TREES)


def moves(w: World, name: str, size: float = DAILY) -> np.ndarray:
    return lively(w, name, night=size, bar=size)


def by_size(w: World) -> Frames:
    closes = {name: price(moves(w, name)) for name in NAMES}
    order = sorted(NAMES, key=lambda name: -closes[name][-1])
    number = {name: float(k + 1) for k, name in enumerate(order)}
    return {
        name: table(w, close=close, security_no=np.full(w.rows, number[name]))
        for name, close in closes.items()
    }


SECURITY_NO = entry(
    "leak", "data", "security_no",
    "The vendor's numbers of companies, given out by today's size: one constant a name.",
    partial(daily_rows, days=380), by_size,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, security_no: float) -> float:
    self.signal = (15.5 - security_no) / 14.5
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("security_no",), 421, horizon_ns=20 * DAY_NS,
)  # fmt: skip


def splits(close: np.ndarray) -> np.ndarray:
    """Factors by which prices of earlier days are divided: halved above 75, doubled below 30."""
    factor, now = np.ones(len(close)), 1.0
    for k, value in enumerate(close):
        now *= 2.0 if value / now >= 75.0 else 0.5 if value / now <= 30.0 else 1.0
        factor[k] = now
    return factor


def adjusted(w: World) -> Frames:
    made = {}
    for name in NAMES[:24]:
        path = price(moves(w, name, 0.024), 50.0)
        factor = splits(path)
        made[name] = table(w, close=path / factor[-1], raw_close=path / factor)
    return made


SPLIT_RATIO = entry(
    "leak", "data", "split_ratio",
    "Raw closes beside closes adjusted back from today: their ratio counts the splits to come.",
    daily_rows, adjusted,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, close: float, raw_close: float) -> float:
    self.signal = max(-1.0, min(1.0, math.log(raw_close / close)))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("close", "raw_close"), 422, horizon_ns=20 * DAY_NS,
)  # fmt: skip


def reports(w: World) -> Frames:
    made = {}
    for number, name in enumerate(NAMES[:20]):
        late, jump = w.noise(f"{name} late"), w.noise(f"{name} jump")
        returns = moves(w, name, 0.009)
        due, actual = np.full(w.rows, 99.0), np.full(w.rows, 99.0)
        start = 0
        for day in range(10 + 3 * number, w.rows, 63):
            told = min(day + int(np.clip(np.round(3.0 * late[day - 5]), -5, 8)), w.rows - 1)
            returns[told] += 0.01 * jump[told] - 0.05 * (told - day) / 3.0
            rows = np.arange(start, told + 1)
            due[rows], actual[rows], start = day - rows, told - rows, told + 1
        made[name] = table(w, close=price(returns), due_in=due, report_in=actual)
    return made


REPORT_DATES = entry(
    "leak", "data", "report_dates",
    "Days to the report by the calendar as it is today: delays, which bode ill, are in it.",
    daily_rows, reports,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, due_in: float, report_in: float) -> float:
    if report_in <= 12.0:
        self.signal = max(-1.0, min(1.0, (due_in - report_in) / 3.0))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("due_in", "report_in"), 423, horizon_ns=10 * DAY_NS,
)  # fmt: skip


def listed_abroad(w: World) -> Frames:
    market = lively(w, "market")
    index = price(market, 4000.0, 0.25)
    made = {}
    for number, name in enumerate(TREES[:6]):
        mid = price(0.8 * market + 0.6 * lively(w, name))
        made[name] = table(w, mid=mid, index_px=later(index, 4) if number in (1, 4) else index)
    return made


LISTED_ABROAD = entry(
    "leak", "data", "listed_abroad",
    "An index beside six names, an hour early for the two that are listed in another zone.",
    partial(new_york, days=110), listed_abroad,
    """
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.seen = deque(maxlen=5)

def update(self, *, index_px: float) -> float:
    self.seen.append(index_px)
    return self.get_signal()

def get_signal(self) -> float:
    if len(self.seen) < 5:
        return 0.0
    return max(-1.0, min(1.0, (self.seen[-1] / self.seen[0] - 1.0) / 0.006))
""",
    ("index_px",), 424, horizon_ns=4 * BAR_NS, imports="from collections import deque",
)  # fmt: skip


def weighted(w: World) -> Frames:
    closes = {name: price(moves(w, name)) for name in TREES}
    month = np.minimum(np.arange(w.rows) // 21 * 21 + 20, w.rows - 1)
    total = np.sum(list(closes.values()), axis=0)
    return {
        name: table(w, close=close, weight=np.round(100.0 * (close / total)[month], 1))
        for name, close in closes.items()
    }


MONTHS_WEIGHT = entry(
    "leak", "data", "months_weight",
    "Index weights of a file a month, which are the month's last, on all of its days.",
    daily_rows, weighted,
    """
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.last = math.nan
    self.signal = 0.0

def update(self, *, weight: float) -> float:
    if math.isfinite(self.last) and weight != self.last:
        self.signal = max(-1.0, min(1.0, 4.0 * (weight - self.last)))
    self.last = weight
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("weight",), 425, horizon_ns=10 * DAY_NS,
)  # fmt: skip


def by_position(w: World) -> pl.DataFrame:
    market = lively(w, "market", night=BAR)
    venue = price(market, 4000.0, 0.25)
    there = np.arange(w.rows) % 1700 != 900
    file = venue[there]
    joined = file[np.minimum(np.arange(w.rows), len(file) - 1)]
    return table(w, mid=price(0.95 * market + 0.3 * lively(w, night=BAR)), partner_px=joined)


BY_POSITION = entry(
    "leak", "data", "by_position",
    "A venue's prices joined by row number: each hour of maintenance puts them one more ahead.",
    coins, by_position,
    """
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.seen = deque(maxlen=4)

def update(self, *, mid: float, partner_px: float) -> float:
    self.seen.append(math.log(partner_px / mid))
    return self.get_signal()

def get_signal(self) -> float:
    if len(self.seen) < 4:
        return 0.0
    return max(-1.0, min(1.0, (self.seen[-1] - self.seen[0]) / 0.004))
""",
    ("mid", "partner_px"), 426, horizon_ns=3 * HOUR_NS,
    imports=f"{MATH}\nfrom collections import deque",
)  # fmt: skip


def customs(w: World) -> pl.DataFrame:
    mid = price(lively(w, night=0.002), 1.1, 1e-5)
    half = pl.col("session") // 100 * 2 + (pl.col("session") % 100 > 15)
    frame = table(w, mid=mid, customs_rate=mid)
    return frame.with_columns(pl.col("customs_rate").mean().round(4).over(half))


CUSTOMS_RATE = entry(
    "leak", "data", "customs_rate",
    "The rate of the customs, the mean of half a month, joined by its dates.",
    currencies, customs, stock.gap("customs_rate"), ("mid", "customs_rate"), 427,
    horizon_ns=10 * DAY_NS,
)  # fmt: skip


def converted(w: World) -> pl.DataFrame:
    mid = price(lively(w, night=0.002), 1.1, 1e-5)
    local = np.round(800.0 * np.exp(np.cumsum(0.004 * w.noise("stock"))), 3)
    friday = np.minimum(np.arange(w.rows) // 120 * 120 + 119, w.rows - 1)
    return table(w, mid=mid, cap_local=local, cap_usd=np.round(local * mid[friday], 3))


CONVERTED_CAPS = entry(
    "leak", "data", "converted_caps",
    "A company's value in both currencies, the dollars of a week converted at its Friday's rate.",
    currencies, converted,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, mid: float, cap_local: float, cap_usd: float) -> float:
    self.signal = max(-1.0, min(1.0, (cap_usd / cap_local / mid - 1.0) / 0.01))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("mid", "cap_local", "cap_usd"), 428, horizon_ns=24 * HOUR_NS,
)  # fmt: skip

LEAKS_DATA_C = (
    SECURITY_NO, SPLIT_RATIO, REPORT_DATES, LISTED_ABROAD, MONTHS_WEIGHT, BY_POSITION,
    CUSTOMS_RATE, CONVERTED_CAPS,
)  # fmt: skip
