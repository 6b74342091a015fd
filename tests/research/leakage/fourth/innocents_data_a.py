"""Honest columns, the first eight: published calendars, yesterday's codes, outages, releases."""

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS
from ..third.shapes import currencies, led, lively, tokyo, within
from ..unseen import stock
from ..unseen.market import BAR, World, coins, earlier, new_york, price, table
from .form import entry, fixed


def meetings(w: World) -> pl.DataFrame:
    countdown = 9.0 - w.day % 10
    returns = lively(w) + BAR * np.where(countdown <= 1.0, 0.12, -0.03)
    return table(w, mid=price(returns), days_to_meeting=countdown)


MEETING_COUNTDOWN = entry(
    "innocent", "data", "meeting_countdown",
    "Sessions to the next meeting of the bank, whose dates are published years ahead.",
    new_york, meetings,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, days_to_meeting: float) -> float:
    self.signal = 1.0 if days_to_meeting <= 1.0 else -0.5
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("days_to_meeting",), 441, horizon_ns=DAY_NS // 4,
)  # fmt: skip


def unlocks(w: World) -> pl.DataFrame:
    planned = np.round(np.exp(fixed(w, 9, len(w.days) + 7)) * 10.0)
    week = np.convolve(planned, np.ones(7), "valid")[1:][: len(w.days)]
    usual = (week - 115.0) / 60.0
    returns = lively(w, night=BAR) - 0.06 * BAR * np.clip(usual, -2.0, 2.0)[w.day]
    return table(w, mid=price(returns), unlock_week=week[w.day])


UNLOCK_WEEK = entry(
    "innocent", "data", "unlock_week",
    "Tokens that the white paper unlocks over the next seven days: a sum of what is to come.",
    coins, unlocks,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, unlock_week: float) -> float:
    self.signal = max(-1.0, min(1.0, (115.0 - unlock_week) / 60.0))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("unlock_week",), 442, horizon_ns=DAY_NS,
)  # fmt: skip


def pulled_to_open(w: World) -> pl.DataFrame:
    usual = lively(w)
    returns, away = usual.copy(), 0.0
    for k in range(w.rows):
        if w.opens[k]:
            away = 0.0
            continue
        returns[k] -= 0.02 * away
        away += returns[k]
    mid = price(returns)
    return table(w, mid=mid, open_px=within(w, mid, "first"))


OPEN_ALL_DAY = entry(
    "innocent", "data", "open_all_day",
    "The session's first price on each of its rows, to which a pinned market is pulled back.",
    new_york, pulled_to_open, stock.gap("open_px"), ("mid", "open_px"), 443,
    horizon_ns=3 * HOUR_NS,
)  # fmt: skip


def coded_by_yesterday(w: World) -> pl.DataFrame:
    flow = 400.0 * w.noise("flow")
    before = np.maximum(w.day - 1, 0)
    starts = np.flatnonzero(w.opens)
    low, high = within(w, flow, "min")[starts], within(w, flow, "max")[starts]
    share = (flow - low[before]) / (high - low)[before]
    code = np.where(w.day > 0, np.clip(np.round(255.0 * share), 0.0, 255.0), np.nan)
    return table(w, mid=price(led(w, flow / 400.0, 0.07)), coded=code)


YESTERDAYS_BYTES = entry(
    "innocent", "data", "yesterdays_bytes",
    "Flow packed to a byte between yesterday's extremes, cut off where today leaves them.",
    new_york, coded_by_yesterday,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, coded: float) -> float:
    self.signal = (coded - 127.5) / 127.5 if math.isfinite(coded) else 0.0
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("coded",), 444,
)  # fmt: skip


def planned_end(w: World) -> pl.DataFrame:
    rows = within(w, w.slot.astype(float), "max")
    left = 10.0 * (rows - w.slot)
    returns = lively(w) + BAR * np.where(left < 60.0, 0.14, -0.04)
    return table(w, mid=price(returns), minutes_left=left)


PLANNED_END = entry(
    "innocent", "data", "planned_end",
    "Minutes to the session's end, half days by the exchange's yearly circular included.",
    tokyo, planned_end,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, minutes_left: float) -> float:
    self.signal = 1.0 if minutes_left <= 60.0 else -0.4
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("minutes_left",), 445, horizon_ns=HOUR_NS,
)  # fmt: skip


def leads(w: World) -> pl.DataFrame:
    leader = lively(w, "leader")
    before = np.where(np.arange(w.rows) > 0, earlier(leader), 0.0)
    returns = 0.9 * leader + 0.06 * before + 0.4 * lively(w)
    return table(w, mid=price(returns), lead_bp=np.round(1e4 * leader))


LEADING_VENUE = entry(
    "innocent", "data", "leading_venue",
    "Whole basis points of the large venue's own move: nearly the same, and a little ahead.",
    new_york, leads, stock.level("lead_bp", 20.0), ("lead_bp",), 446,
)  # fmt: skip


def outages(w: World) -> pl.DataFrame:
    usual = lively(w)
    down = (usual < -1.2 * BAR) & (w.noise("feed", "uniform") < 0.8)
    returns = usual + 0.16 * BAR * earlier(down.astype(float))
    depth = np.round(500.0 * np.exp(0.4 * w.noise("depth")))
    return table(w, mid=price(returns), bid_depth=np.where(down, np.nan, depth))


FEED_OUTAGE = entry(
    "innocent", "data", "feed_outage",
    "Depth that is missing while a fall floods the feed, after which the price comes back a bit.",
    new_york, outages,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, bid_depth: float) -> float:
    self.signal = 0.0 if math.isfinite(bid_depth) else 1.0
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("bid_depth",), 447,
)  # fmt: skip


def vintages(w: World) -> pl.DataFrame:
    hour = np.arange(w.rows)
    first = w.noise("first")
    week = hour % 120
    release = np.where(week == 62, first, np.nan)
    revised = np.where(week == 110, 0.5 * w.noise("revision"), np.nan)
    told = pl.Series(release).fill_nan(None).forward_fill().fill_null(0.0).to_numpy()
    more = pl.Series(np.where(week == 62, 0.0, revised)).fill_nan(None)
    value = np.round(told + more.forward_fill().fill_null(0.0).to_numpy(), 1)
    jump = np.where((week == 62) | (week == 110), value - earlier(value), 0.0)
    returns = led(w, np.clip(value, -2.0, 2.0), 0.05, night=BAR) + 1.5 * BAR * jump
    return table(w, mid=price(returns), surprise=value)


VINTAGE_STEPS = entry(
    "innocent", "data", "vintage_steps",
    "A weekly surprise as it was first told, and its revision from the hour it came out.",
    currencies, vintages, stock.level("surprise", 1.5), ("surprise",), 448, horizon_ns=DAY_NS,
)  # fmt: skip

INNOCENTS_DATA_A = (
    MEETING_COUNTDOWN, UNLOCK_WEEK, OPEN_ALL_DAY, YESTERDAYS_BYTES, PLANNED_END, LEADING_VENUE,
    FEED_OUTAGE, VINTAGE_STEPS,
)  # fmt: skip
