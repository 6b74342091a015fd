"""Innocents in columns, the first eight: dates ahead, calendars, holes, and names that mislead."""

import datetime as dt

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry
from ..unseen import stock
from ..unseen.market import BAR, World, bars, daily_rows, earlier, new_york, price, table
from .shapes import a_few, currencies, led, lively, smooth

MATH = "import math"


def third_friday(day: dt.date) -> dt.date:
    """The next third Friday of a month, the day itself included."""
    for shift in (0, 1):
        over, month = divmod(day.month + shift - 1, 12)
        first = dt.date(day.year + over, month + 1, 1)
        friday = first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)
        if friday >= day:
            return friday
    raise ValueError(day)


def expiring(w: World) -> pl.DataFrame:
    ends = [third_friday(day) for day in w.days]
    left = np.array([(end - day).days for end, day in zip(ends, w.days, strict=True)])[w.day]
    stamp = np.array([int(f"{end:%Y%m%d}") for end in ends])[w.day]
    basis = np.round(left * 0.9 + 2.0 * smooth(w.noise("basis"), 0.9), 1)
    mid = price(led(w, np.where(left <= 2, smooth(w.noise("basis"), 0.9), 0.0), 0.3))
    return table(
        w, mid=mid, basis_bps=basis, expires=stamp, days_left=left, rolls=(left == 0).astype(int)
    )


EXPIRY_AHEAD = Entry(
    "expiry_ahead",
    "Days to an expiry, its date, which lies ahead, and a flag of the day on which it is.",
    "innocent", "data", new_york, expiring,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, basis_bps, days_left, rolls, expires):
    rich = (basis_bps - 0.9 * days_left) / 4.0
    near = 1.0 if days_left <= 2 or rolls else 0.2
    self.signal = math.tanh(near * rich) if expires > 0 else 0.0
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("basis_bps", "days_left", "rolls", "expires"),
    known_at=("basis_bps: row", "days_left: row", "rolls: row", "expires: row"),
    imports=MATH, seed=361,
)  # fmt: skip


def meetings(w: World) -> pl.DataFrame:
    held = np.isin(w.day % 31, (12,))
    eve = np.isin(w.day % 31, (11,))
    drift = np.where(eve, 0.25 * BAR, 0.0)
    wild = np.where(held & (w.slot >= 18), 3.0, 1.0)
    mid = price(lively(w) * wild + drift)
    left = (12 - w.day % 31) % 31
    return table(w, mid=mid, meeting_in=left, meeting_now=(held & (w.slot == 18)).astype(int))


MEETINGS_AHEAD = Entry(
    "meetings_ahead",
    "Sessions to the next meeting of a bank, whose dates are out a year before.",
    "innocent", "data", new_york, meetings,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, mid, meeting_in, meeting_now):
    self.signal = 1.0 if meeting_in == 1 else 0.1 * math.sin(mid)
    if meeting_now:
        self.signal = 0.0
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "meeting_in", "meeting_now"), horizon_ns=6 * HOUR_NS,
    known_at=("meeting_in: row", "meeting_now: row"), imports=MATH, seed=362,
)  # fmt: skip


def filings(w: World) -> pl.DataFrame:
    there = a_few(w, "filing", 0.025)
    size = w.noise("filing")
    mood = np.zeros(w.rows)
    for row in range(1, w.rows):
        mood[row] = size[row] if there[row] else 0.9 * mood[row - 1]
    mid = price(led(w, mood, 0.4))
    return table(w, mid=mid, insider_lots=np.where(there, np.round(40.0 * size, 1), np.nan))


RARE_FILINGS = Entry(
    "rare_filings",
    "Filings on one row in forty and nothing between, with an effect that fades.",
    "innocent", "data", new_york, filings,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, insider_lots):
    if math.isfinite(insider_lots):
        self.signal = max(-1.0, min(1.0, insider_lots / 60.0))
    else:
        self.signal *= 0.9
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("insider_lots",), horizon_ns=3 * HOUR_NS, known_at=("insider_lots: row",), imports=MATH,
    seed=363,
)  # fmt: skip


def thin(w: World) -> pl.DataFrame:
    lean = w.noise("lean")
    usual = bars(w) * np.sqrt(1.0 - 0.45**2)
    push = 0.45 * BAR * earlier(lean)
    return table(w, mid=price(usual + push, 300.0, 0.01), book_tilt=np.round(np.tanh(lean), 2))


THIN_BOOK = Entry(
    "thin_book",
    "A book so thin that its tilt says 0.4 of the next row, and nothing of those after.",
    "innocent", "data", new_york, thin, stock.level("book_tilt", 1.0),
    ("book_tilt",), known_at=("book_tilt: row",), imports=MATH, seed=364,
)  # fmt: skip


def forwards(w: World) -> pl.DataFrame:
    carry = smooth(w.daily("carry")[w.slot == 0], 0.97)[w.day]
    spot = price(led(w, carry, 0.05, bar=0.001, night=0.001), 1.3, 0.00001)
    points = np.round(12.0 * carry - 3.0 + 0.4 * w.noise("points"), 2)
    return table(w, mid=spot, forward_points=points)


FORWARD_POINTS = Entry(
    "forward_points",
    "Forward points of a currency, which are quoted now whatever their name says.",
    "innocent", "data", currencies, forwards,
    """
def reset(self):
    self.mean, self.signal = None, 0.0

def update(self, *, forward_points):
    if self.mean is None:
        self.mean = forward_points
    self.mean += 0.1 * (forward_points - self.mean)
    self.signal = math.tanh((self.mean + 3.0) / 12.0)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("forward_points",), horizon_ns=12 * HOUR_NS, known_at=("forward_points: row",),
    imports=MATH, seed=365,
)  # fmt: skip


def outage(w: World) -> pl.DataFrame:
    lean = smooth(w.noise("lean"), 0.7)
    mid = price(led(w, lean, 0.2))
    tilt = np.where((w.day % 40 == 17) & (w.slot < 15), np.nan, np.round(lean, 2))
    gone = (w.day >= 120) & (w.day < 129)
    silent = (w.day % 53 == 30) & (w.slot >= 8) & (w.slot < 14)
    return table(w, mid=mid, tilt=tilt).filter(~(gone | silent))


RECORDER_OUTAGE = Entry(
    "recorder_outage",
    "Nine sessions that nobody recorded, hours without rows, mornings without the column.",
    "innocent", "data", new_york, outage,
    """
def reset(self):
    self.signal, self.blind = 0.0, 0

def update(self, *, tilt, session):
    if math.isfinite(tilt):
        self.blind = 0
        self.signal = math.tanh(tilt)
        return self.signal
    self.blind += 1
    self.signal *= 0.7
    return self.signal if self.blind < 6 else math.nan

def get_signal(self):
    return self.signal
""",
    ("tilt", "session"), known_at=("tilt: row",), imports=MATH, seed=366,
    about={"gaps": [{"after": 20220624, "before": 20220711, "reason": "not recorded"}]},
)  # fmt: skip


def surveyed(w: World) -> pl.DataFrame:
    month = np.array([day.year * 12 + day.month for day in w.days])
    turns = np.flatnonzero(np.diff(month, prepend=month[0] - 1) != 0)
    told = np.searchsorted(turns, np.arange(len(w.days)), side="right") - 1
    first = turns[told]
    level = np.round(np.cumsum(w.daily("survey")[w.slot == 0][turns])[told] * 0.25 + 5.0, 2)
    stamps = np.array([w.times[w.day == day][0] for day in first]).astype("datetime64[s]")
    mean = smooth(w.noise("lean"), 0.5)
    close = price(led(w, mean, 0.1, bar=0.011, night=0.011), 90.0, 0.01)
    return table(
        w, close=close, target_rate=level[w.day],
        told_at=stamps.astype(np.int64)[w.day], breadth=np.round(mean, 2),
    )  # fmt: skip


TARGET_RATE = Entry(
    "target_rate",
    "A bank's target rate that steps once a month, with the second at which it was told.",
    "innocent", "data", daily_rows, surveyed,
    """
def reset(self):
    self.last, self.lean, self.signal = math.nan, 0.0, 0.0

def update(self, *, target_rate, breadth):
    if math.isfinite(self.last) and target_rate != self.last:
        self.lean = -1.0 if target_rate > self.last else 1.0
    self.last = target_rate
    self.lean *= 0.97
    self.signal = math.tanh(0.5 * self.lean + breadth)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("target_rate", "breadth"), horizon_ns=5 * DAY_NS,
    known_at=("target_rate: told_at", "breadth: row"), imports=MATH, seed=367,
)  # fmt: skip


def twin_listing(w: World) -> pl.DataFrame:
    common = lively(w, "common")
    gap = 0.003 * smooth(w.noise("gap"), 0.85)
    here = np.cumsum(common) - gap
    mid = price(np.diff(here, prepend=0.0), 48.0, 0.001)
    there = np.round(48.0 * 0.25 * np.exp(np.cumsum(common) + 0.0004 * w.noise("there")), 4)
    return table(w, mid=mid, receipt_px=there)


TWIN_LISTING = Entry(
    "twin_listing",
    "The same share in another place: this price follows that one, which leads.",
    "innocent", "data", new_york, twin_listing,
    """
def reset(self):
    self.usual, self.signal = math.nan, 0.0

def update(self, *, mid, receipt_px):
    gap = math.log(receipt_px / mid)
    if not math.isfinite(self.usual):
        self.usual = gap
    self.signal = math.tanh((gap - self.usual) / 0.003)
    self.usual += 0.005 * (gap - self.usual)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "receipt_px"), horizon_ns=HOUR_NS, known_at=("receipt_px: row",), imports=MATH,
    seed=368,
)  # fmt: skip

INNOCENTS_DATA_A = (
    EXPIRY_AHEAD, MEETINGS_AHEAD, RARE_FILINGS, THIN_BOOK,
    FORWARD_POINTS, RECORDER_OUTAGE, TARGET_RATE, TWIN_LISTING,
)  # fmt: skip
