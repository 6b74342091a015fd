"""Innocents in columns, the other eight: levels of yesterday, auctions, counters and odd clocks."""

import numpy as np
import polars as pl

from ..entry import HOUR_NS, MINUTE_NS, Entry, Frames
from ..unseen import stock
from ..unseen.market import BAR, World, coins, earlier, new_york, price, table, volume_of
from .shapes import TREES, heat, led, lively, smooth, tokyo, uneven

MATH = "import math"


def yesterday(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    days = pl.DataFrame({"day": w.day, "mid": mid}).group_by("day", maintain_order=True)
    told = days.agg(high=pl.col("mid").max(), low=pl.col("mid").min(), close=pl.col("mid").last())
    before = told.select(pl.exclude("day").shift(1).fill_null(100.0))
    levels = {f"prior_{name}": before[name].to_numpy()[w.day] for name in before.columns}
    return table(w, mid=mid, **levels)


PRIOR_LEVELS = Entry(
    "prior_levels",
    "High, low and close of the session before, on all rows of the next one.",
    "innocent", "data", new_york, yesterday,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, mid, prior_high, prior_low, prior_close):
    wide = max(prior_high - prior_low, 0.05)
    broken = max(0.0, mid - prior_high) - max(0.0, prior_low - mid)
    self.signal = math.tanh(2.0 * broken / wide + 0.5 * (mid - prior_close) / wide)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "prior_high", "prior_low", "prior_close"), horizon_ns=3 * HOUR_NS,
    known_at=("prior_high: row", "prior_low: row", "prior_close: row"), imports=MATH, seed=371,
)  # fmt: skip


def auction(w: World) -> pl.DataFrame:
    shown = w.slot >= w.last_slot - 2
    lots = w.noise("auction")
    push = np.where(w.slot > w.last_slot - 2, 0.9 * BAR * earlier(lots), 0.0)
    mid = price(lively(w) + push, 150.0)
    indicative = np.where(shown, np.round(mid * (1.0 + 0.0015 * lots), 3), np.nan)
    return table(w, mid=mid, indicative=indicative)


CLOSING_AUCTION = Entry(
    "closing_auction",
    "The indicative price of the closing auction, there on the last three rows of a session only.",
    "innocent", "data", new_york, auction,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, mid, indicative):
    self.signal = 0.0
    if math.isfinite(indicative):
        self.signal = math.tanh(500.0 * (indicative / mid - 1.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "indicative"), known_at=("indicative: row",), imports=MATH, seed=372,
)  # fmt: skip


def counted(w: World) -> pl.DataFrame:
    lean = smooth(w.noise("lean"), 0.6)
    returns = led(w, lean, 0.15)
    sent = np.round(volume_of(w, returns) * 3.0)
    total = np.cumsum(sent)
    opening = earlier(total) * (w.slot == 0)
    base = np.maximum.accumulate(np.where(w.slot == 0, opening, 0.0))
    bought = np.round(sent * (0.5 + 0.2 * np.tanh(lean)))
    return table(
        w, mid=price(returns), msg_seq=7.0e14 + (total - base), buy_msgs_total=np.cumsum(bought)
    )


MESSAGE_COUNTERS = Entry(
    "message_counters",
    "Sequence numbers of fifteen digits that begin anew each session, and a total that never does.",
    "innocent", "data", new_york, counted,
    """
def reset(self):
    self.seq, self.buys, self.signal = math.nan, math.nan, 0.0

def update(self, *, msg_seq, buy_msgs_total):
    sent, bought = msg_seq - self.seq, buy_msgs_total - self.buys
    self.seq, self.buys = msg_seq, buy_msgs_total
    if sent > 0.0:
        self.signal = math.tanh(5.0 * (bought / sent - 0.5))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("msg_seq", "buy_msgs_total"), known_at=("msg_seq: row", "buy_msgs_total: row"),
    imports=MATH, seed=373,
)  # fmt: skip


def implied(w: World) -> pl.DataFrame:
    returns = lively(w)
    level = heat(w)
    index = np.round(18.0 * level**0.7 * np.exp(-4.0 * returns + 0.03 * w.noise("vix")), 2)
    return table(w, mid=price(returns, 3900.0, 0.25), vol_index=index)


IMPLIED_VOLATILITY = Entry(
    "implied_volatility",
    "An index of volatility that falls when the price rises: it foretells how wild, not where.",
    "innocent", "data", new_york, implied,
    """
def reset(self):
    self.mean, self.last, self.signal = math.nan, math.nan, 0.0

def update(self, *, mid, vol_index):
    level = math.log(vol_index)
    self.mean = level if not math.isfinite(self.mean) else self.mean + 0.02 * (level - self.mean)
    move = 0.0 if not math.isfinite(self.last) else 300.0 * (mid / self.last - 1.0)
    self.last = mid
    self.signal = math.tanh(level - self.mean - 0.3 * move)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "vol_index"), horizon_ns=2 * HOUR_NS, known_at=("vol_index: row",), imports=MATH,
    seed=374,
)  # fmt: skip


def with_lunch(w: World) -> pl.DataFrame:
    rows = np.bincount(w.day)[w.day]
    left = (rows - 1 - w.slot) * 10 + np.where((rows > 15) & (w.slot < 15), 60, 0)
    lean = smooth(w.noise("lean"), 0.6)
    mid = price(led(w, lean, 0.2), 2400.0, 0.5)
    return table(w, mid=mid, minutes_left=left, svol=np.round(50.0 * lean))


LUNCH_AND_HALF_DAYS = Entry(
    "lunch_and_half_days",
    "Minutes to a close that is known before, in a market with lunch and half days.",
    "innocent", "data", tokyo, with_lunch,
    """
def reset(self):
    self.slow, self.signal = 0.0, 0.0

def update(self, *, svol, minutes_left):
    self.slow += 0.5 * (svol - self.slow)
    room = min(1.0, minutes_left / 60.0)
    self.signal = room * math.tanh(self.slow / 50.0)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("svol", "minutes_left"), horizon_ns=30 * MINUTE_NS, known_at=("minutes_left: row",),
    imports=MATH, seed=375,
)  # fmt: skip


def tiny(w: World) -> pl.DataFrame:
    rate = np.zeros(w.rows)
    drawn = smooth(w.noise("rate"), 0.9)
    for row in range(w.rows):
        rate[row] = drawn[row] if row % 8 == 0 else rate[row - 1]
    mid = price(led(w, -rate, 0.08, bar=0.008, night=0.008), 2.4e-5, 1e-9)
    return table(w, price=mid, funding_next=np.round(1e-4 * rate, 7), funding_in=8 - w.slot % 8)


TINY_COIN = Entry(
    "tiny_coin",
    "A coin at a forty-thousandth, and the next funding, which the venue tells eight hours before.",
    "innocent", "data", coins, tiny,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, funding_next, funding_in):
    self.signal = -math.tanh(funding_next * 1e4 * (1.0 + 0.05 * funding_in))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("funding_next", "funding_in"), horizon_ns=8 * HOUR_NS,
    known_at=("funding_next: row", "funding_in: row"), imports=MATH, seed=376,
)  # fmt: skip


def followers(w: World) -> Frames:
    front = lively(w, "front")
    lead = np.round(1e4 * front, 1)
    made = {}
    for k, name in enumerate(TREES[3:8]):
        share = 0.25 + 0.05 * k
        caught = share * earlier(front)
        caught[0] = 0.0
        mid = price(caught + 0.45 * front + 0.7 * lively(w, name), 15.0 + 22.0 * k, 0.001)
        made[name] = table(w, px=mid, leader_bps=lead)
    return made


SLOW_FOLLOWERS = Entry(
    "slow_followers",
    "The move of a leader that five smaller names follow a row later: the same column for all.",
    "innocent", "data", new_york, followers, stock.level("leader_bps", 20.0),
    ("leader_bps",), known_at=("leader_bps: row",), imports=MATH, seed=377,
)  # fmt: skip


def by_events(w: World) -> pl.DataFrame:
    stamps = w.times.astype(np.int64)
    wait = np.where(w.slot == 0, 0.0, np.diff(stamps, prepend=stamps[0]) / 1e9)
    lean = smooth(w.noise("lean"), 0.5)
    own = np.sqrt(np.maximum(wait, 60.0) / 900.0) * BAR
    push = 0.25 * own * earlier(lean)
    mid = price(lively(w) * own / BAR + push, 500.0, 0.01)
    return table(w, mid=mid, idle_s=np.round(wait), hits_less_lifts=np.round(-6.0 * lean))


UNEVEN_EVENTS = Entry(
    "uneven_events",
    "Rows in bursts and pauses, the seconds since the last one, and a column with its sign turned.",
    "innocent", "data", uneven, by_events,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, idle_s, hits_less_lifts):
    kept = math.exp(-idle_s / 1800.0)
    self.signal = kept * 0.3 * self.signal + 0.7 * math.tanh(-hits_less_lifts / 6.0)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("idle_s", "hits_less_lifts"), horizon_ns=20 * MINUTE_NS,
    known_at=("idle_s: row", "hits_less_lifts: row"), imports=MATH, seed=378,
)  # fmt: skip

INNOCENTS_DATA_B = (
    PRIOR_LEVELS, CLOSING_AUCTION, MESSAGE_COUNTERS, IMPLIED_VOLATILITY,
    LUNCH_AND_HALF_DAYS, TINY_COIN, SLOW_FOLLOWERS, UNEVEN_EVENTS,
)  # fmt: skip
