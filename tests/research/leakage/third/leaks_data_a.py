"""Leaks in columns, the first eight: joins by date, stamps that are early, marks made later."""

import numpy as np
import polars as pl

from ..entry import HOUR_NS, Entry
from ..unseen import stock
from ..unseen.market import BAR, World, ahead, coins, flow_of, later, new_york, price, table
from .shapes import a_few, a_few_days, lively, within

MATH = "import math"


def settled(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    late = np.where(w.slot >= w.last_slot - 1, mid, np.nan)
    official = pl.DataFrame({"late": late, "day": w.day}).select(
        pl.col("late").fill_nan(None).mean().over("day").round(2)
    )
    return table(w, mid=mid, settle=official.to_series().to_numpy())


SETTLE_BY_DATE = Entry(
    "settle_by_date",
    "The day's settlement from a file of days, joined to the rows of that date.",
    "leak", "data", new_york, settled, stock.gap("settle"),
    ("mid", "settle"), horizon_ns=3 * HOUR_NS, known_at=("settle: row",), imports=MATH, seed=321,
)  # fmt: skip


def early_prints(w: World) -> pl.DataFrame:
    returns = lively(w)
    flow = flow_of(w, returns, 0.85)
    return table(w, mid=price(returns), delta=np.round(0.3 * flow + 0.7 * later(flow)))


PRINTS_OF_PARENTS = Entry(
    "prints_of_parents",
    "Signed lots booked at the time of the parent order: most of them trade a row later.",
    "leak", "data", new_york, early_prints, stock.level("delta", 700.0),
    ("delta",), known_at=("delta: row",), imports=MATH, seed=322,
)  # fmt: skip


def summer_time(w: World) -> pl.DataFrame:
    market = lively(w, "market")
    mid = price(0.9 * market + 0.4 * lively(w))
    partner = price(market, 4000.0, 0.25)
    summer = pl.Series(w.times).dt.month().is_between(4, 10).to_numpy()
    reach = np.minimum(np.arange(w.rows) + 4, np.arange(w.rows) + w.last_slot - w.slot)
    return table(w, mid=mid, index_px=np.where(summer, partner[reach], partner))


SUMMER_CLOCK = Entry(
    "summer_clock",
    "Prices of an index whose vendor forgets summer time: an hour early, from April to October.",
    "leak", "data", new_york, summer_time,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.gaps = deque(maxlen=20)
    self.signal = 0.0

def update(self, *, mid, index_px):
    gap = math.log(index_px / mid)
    if len(self.gaps) == 20:
        away = gap - sum(self.gaps) / 20.0
        self.signal = max(-1.0, min(1.0, away / 0.004))
    self.gaps.append(gap)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "index_px"), horizon_ns=HOUR_NS, known_at=("index_px: row",),
    imports="import math\nfrom collections import deque", seed=323,
)  # fmt: skip


def bars_by_start(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    opened, closed = mid, later(mid)
    top = np.maximum(opened, closed) * (1.0 + 0.4 * BAR * np.abs(w.noise("top")))
    low = np.minimum(opened, closed) * (1.0 - 0.4 * BAR * np.abs(w.noise("low")))
    return table(w, mid=mid, typical=np.round((top + low + closed) / 3.0, 4))


TYPICAL_PRICE = Entry(
    "typical_price",
    "The typical price of bars that are named by their start, beside prices at that time.",
    "leak", "data", new_york, bars_by_start, stock.gap("typical"),
    ("mid", "typical"), known_at=("typical: row",), imports=MATH, seed=324,
)  # fmt: skip


def regimes(w: World) -> pl.DataFrame:
    returns = lively(w, bar=3.0 * BAR, night=3.0 * BAR)
    path = np.concatenate([[0.0], np.cumsum(returns)])
    at = np.arange(w.rows)
    slope = path[np.minimum(at + 16, w.rows)] - path[np.maximum(at - 14, 0)]
    label = np.where(slope > 0.02, 3.0, np.where(slope < -0.02, 1.0, 2.0))
    code = np.array([np.nan, 7.0, 3.0, 5.0])[label.astype(int)]
    return table(w, price=price(returns, 1800.0, 0.25), regime=code)


REGIME_CODES = Entry(
    "regime_codes",
    "Codes of regimes that a smoother gave with what came after in view, without an order.",
    "leak", "data", coins, regimes, stock.per_class("regime", "price"),
    ("price", "regime"), horizon_ns=6 * HOUR_NS, known_at=("regime: row",), imports=MATH, seed=325,
)  # fmt: skip


def scored_news(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    there = a_few(w, "news", 0.08)
    reaction = ahead(mid, 4) / (2.0 * BAR)
    score = np.round(np.tanh(0.9 * reaction + 0.35 * w.noise("tone")), 2)
    return table(w, mid=mid, tone=np.where(there, score, np.nan))


NEWS_BY_REACTION = Entry(
    "news_by_reaction",
    "A tone of news on one row in twelve, from a model that was taught with the hour after it.",
    "leak", "data", new_york, scored_news,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.left, self.signal = 0, 0.0

def update(self, *, mid, tone):
    self.left -= 1
    if math.isfinite(tone):
        self.left, self.signal = 4, tone
    elif self.left <= 0:
        self.signal *= 0.5
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "tone"), horizon_ns=HOUR_NS, known_at=("tone: row",), imports=MATH, seed=326,
)  # fmt: skip


def nights(w: World) -> pl.DataFrame:
    mid = price(lively(w, bar=3.0 * BAR, night=3.0 * BAR), 30000.0, 1.0)
    basis = np.cumsum(w.noise("basis")) * 0.0002
    fund = mid * np.exp(basis - 0.05 * np.tanh(basis))
    shut = (w.weekday >= 5) | (w.slot < 13) | (w.slot > 20)
    there = np.flatnonzero(~shut)
    line = np.interp(np.arange(w.rows), there, fund[there])
    return table(w, price=mid, fund_px=np.round(np.where(shut, line, fund), 1))


NIGHTS_BRIDGED = Entry(
    "nights_bridged",
    "A fund that is shut at night and at week-ends, with lines across its pauses in the file.",
    "leak", "data", coins, nights,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last, self.size, self.slope, self.signal = math.nan, 0.0, 0.0, 0.0

def update(self, *, price, fund_px):
    step = math.log(fund_px / self.last) if math.isfinite(self.last) else 0.0
    self.last = fund_px
    self.size += 0.01 * (abs(step) - self.size)
    self.slope += 0.3 * (step - self.slope)
    if self.size > 0.0:
        self.signal = max(-1.0, min(1.0, self.slope / self.size))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("price", "fund_px"), horizon_ns=12 * HOUR_NS, known_at=("fund_px: row",), imports=MATH,
    seed=327,
)  # fmt: skip


def surprises(w: World) -> pl.DataFrame:
    released = a_few_days(w, "release", 0.25)
    # what is drawn at the row of the release, and then written to all rows of its day
    drawn = np.where(w.slot == 18, w.noise("figure"), 0.0)
    known = within(w, drawn, "sum")
    jump = np.where(released & (w.slot == 18), 5.0 * BAR * drawn, 0.0)
    mid = price(lively(w) + jump)
    return table(w, mid=mid, surprise=np.where(released, np.round(known, 2), 0.0))


SURPRISE_BY_DATE = Entry(
    "surprise_by_date",
    "Figures less their forecasts by date, so that they stand there hours before the release.",
    "leak", "data", new_york, surprises, stock.level("surprise", 1.0),
    ("surprise",), horizon_ns=4 * HOUR_NS, known_at=("surprise: row",), imports=MATH,
    seed=328,
)  # fmt: skip

LEAKS_DATA_A = (
    SETTLE_BY_DATE, PRINTS_OF_PARENTS, SUMMER_CLOCK, TYPICAL_PRICE,
    REGIME_CODES, NEWS_BY_REACTION, NIGHTS_BRIDGED, SURPRISE_BY_DATE,
)  # fmt: skip
