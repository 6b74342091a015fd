"""Leaks in columns, the last eight: volumes, joins, filters, orders, weather, releases."""

import numpy as np
import polars as pl
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from ..entry import DAY_NS, HOUR_NS
from ..third.shapes import a_few, currencies, lively, uneven, within
from ..unseen import stock
from ..unseen.market import (
    BAR,
    World,
    ahead,
    coins,
    later,
    new_york,
    price,
    table,
    volume_of,
)
from .form import by_day, counted, entry, forward


def done(w: World) -> pl.DataFrame:
    returns = lively(w)
    volume = volume_of(w, returns) * np.exp(-0.6 * returns / BAR)
    share = by_day(w, volume, "cum_sum") / within(w, volume, "sum")
    return table(w, mid=price(returns), done=np.round(share, 4))


VOLUME_DONE = entry(
    "leak", "data", "volume_done",
    "Share of the day's volume that is done, of a file of days; falls trade more than rises.",
    new_york, done,
    counted(
        "usual",
        """
count, total = self.usual.get(self.row, (0, 0.0))
self.signal = 0.0
if count >= 10:
    self.signal = max(-1.0, min(1.0, 6.0 * (done - total / count)))
self.usual[self.row] = (count + 1, total + done)
""",
        "done",
    ),
    ("done", "session"), 431, horizon_ns=2 * HOUR_NS,
)  # fmt: skip


def nearest(w: World) -> pl.DataFrame:
    where = w.noise("where", "uniform")
    own, rest = lively(w, "own"), lively(w, "rest")
    returns = np.sqrt(where) * own + np.sqrt(1.0 - where) * rest
    mid = price(returns)
    print_before = mid * np.exp(-np.sqrt(1.0 - where) * rest)
    wait = np.diff(w.times.astype(np.int64), prepend=w.times[:1].astype(np.int64)) / 1e9
    next_is_nearer = later(where * wait) < (1.0 - where) * wait
    partner = np.where(next_is_nearer, later(print_before), print_before)
    return table(w, mid=mid, partner_px=np.round(partner, 3))


NEAREST_JOIN = entry(
    "leak", "data", "nearest_join",
    "Prints of another venue, the nearest in time to each row: before it or after it.",
    uneven, nearest, stock.gap("partner_px"), ("mid", "partner_px"), 432, horizon_ns=HOUR_NS // 6,
)  # fmt: skip


def filtered(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    middle = pl.Series(mid).rolling_median(5, center=True, min_samples=1).to_numpy()
    outlier = np.abs(mid / middle - 1.0) > 1.2 * BAR
    return table(w, mid=mid, clean_px=np.where(outlier, middle, mid))


HAMPEL = entry(
    "leak", "data", "hampel",
    "Prices whose outliers a filter took out, by the median of five rows around each.",
    new_york, filtered, stock.gap("clean_px"), ("mid", "clean_px"), 433,
)  # fmt: skip


def lifetimes(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    coming = 0.25 * np.clip(ahead(mid, 2) / BAR, -4.0, 4.0)
    bid = np.exp(coming + 0.9 * w.noise("bid life"))
    ask = np.exp(-coming + 0.9 * w.noise("ask life"))
    return table(w, mid=mid, bid_life=np.round(900.0 * bid), ask_life=np.round(900.0 * ask))


ORDER_LIFETIMES = entry(
    "leak", "data", "order_lifetimes",
    "Mean lifetimes of the orders that came in a row, bids and asks, in milliseconds.",
    new_york, lifetimes,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, bid_life: float, ask_life: float) -> float:
    self.signal = max(-1.0, min(1.0, math.log(bid_life / ask_life) / 2.0))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("bid_life", "ask_life"), 434,
)  # fmt: skip


def reanalysed(w: World) -> pl.DataFrame:
    news = w.noise("weather")
    true = lfilter([1.0], [1.0, -0.97], news)
    returns = lively(w, night=BAR) - 0.7 * BAR * news
    return table(w, mid=price(returns), warmth=np.round(gaussian_filter1d(true, 3.0), 2))


REANALYSIS = entry(
    "leak", "data", "reanalysis",
    "Temperatures of a reanalysis, which fits hours before and after each one.",
    coins, reanalysed,
    """
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.last = math.nan
    self.signal = 0.0

def update(self, *, warmth: float) -> float:
    if math.isfinite(self.last):
        self.signal = max(-1.0, min(1.0, 1.5 * (self.last - warmth)))
    self.last = warmth
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("warmth",), 435, horizon_ns=3 * HOUR_NS,
)  # fmt: skip


def searched(w: World) -> pl.DataFrame:
    returns = lively(w, night=BAR)
    starts = np.arange(0, w.rows - 23, 24)
    days = np.add.reduceat(returns, starts)[: len(starts)] / (BAR * 4.9)
    noise = w.noise("searches")[np.minimum(starts + 23, w.rows - 1)]
    knots = 50.0 + 8.0 * (days + 0.7 * noise)
    inside = np.minimum(np.arange(w.rows), starts[-1])
    return table(w, mid=price(returns), searches=np.round(CubicSpline(starts, knots)(inside), 1))


DAILY_SPLINE = entry(
    "leak", "data", "daily_spline",
    "Searches of a day, stamped by its first hour and drawn as a smooth line through the hours.",
    coins, searched,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, searches: float) -> float:
    self.signal = max(-1.0, min(1.0, (searches - 50.0) / 10.0))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("searches",), 436, horizon_ns=8 * HOUR_NS,
)  # fmt: skip


def released(w: World) -> pl.DataFrame:
    week = np.arange(w.rows) % 120
    first = np.where(week == 62, np.round(3.0 * w.noise("stocks"), 1), np.nan)
    change = np.where(week == 110, np.round(1.5 * w.noise("revision"), 1), 0.0)
    final = np.where(week == 62, first + later(change, 48), np.nan)
    surprise = np.where(week == 62, first, 0.0)
    returns = lively(w, night=BAR) - 1.0 * BAR * surprise - 10.0 * BAR * change
    return table(w, mid=price(returns), first=forward(first), latest=forward(final))


LATEST_VINTAGE = entry(
    "leak", "data", "latest_vintage",
    "Weekly stocks as first told and by their latest vintage, both from the hour of the first.",
    currencies, released,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, first: float, latest: float) -> float:
    self.signal = max(-1.0, min(1.0, (first - latest) / 1.5))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("first", "latest"), 437, horizon_ns=2 * DAY_NS,
)  # fmt: skip


def repaired(w: World) -> pl.DataFrame:
    returns = lively(w)
    queue = np.tanh(0.6 * returns / BAR + 0.5 * w.noise("queue"))
    lost = a_few(w, "lost", 0.25)
    found = pl.Series(np.where(lost, np.nan, queue)).fill_nan(None).backward_fill()
    return table(w, mid=price(returns), book=np.round(found.fill_null(0.0).to_numpy(), 3))


REPAIRED_BOOK = entry(
    "leak", "data", "repaired_book",
    "Imbalance of a book whose lost messages were made up for by the snapshot that came next.",
    new_york, repaired, stock.level("book", 1.0), ("book",), 438,
)  # fmt: skip

LEAKS_DATA_D = (
    VOLUME_DONE, NEAREST_JOIN, HAMPEL, ORDER_LIFETIMES, REANALYSIS, DAILY_SPLINE, LATEST_VINTAGE,
    REPAIRED_BOOK,
)  # fmt: skip
