"""Leaks in columns, the first eight: what a vendor or the desk itself wrote down afterwards."""

import numpy as np
import polars as pl

from ..entry import HOUR_NS, Entry
from ..third.shapes import a_few, lively, within
from ..unseen import stock
from ..unseen.market import BAR, World, ahead, coins, earlier, later, new_york, price, table

MATH = "import math"


def detrended(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    moves = np.append(0.0, np.diff(np.log(mid))) * 1e4
    return table(w, mid=mid, plain_bp=np.round(moves - within(w, moves, "mean"), 1))


DETRENDED = Entry(
    "detrended",
    "Returns in basis points that a vendor delivers without the drift of their own day.",
    "leak", "data", new_york, detrended,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last = math.nan
    self.signal = 0.0

def update(self, *, mid, plain_bp):
    if math.isfinite(self.last):
        drift = 1e4 * math.log(mid / self.last) - plain_bp
        self.signal = max(-1.0, min(1.0, drift / 5.0))
    self.last = mid
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "plain_bp"), horizon_ns=4 * HOUR_NS, known_at=("plain_bp: row",), imports=MATH,
    seed=521,
)  # fmt: skip


def busts(w: World) -> pl.DataFrame:
    jump = a_few(w, "jump", 0.05) * np.where(w.noise("side") > 0.0, 4.0, -4.0) * BAR
    broken = w.noise("bust", "uniform") < 0.5
    undone = np.where(broken, earlier(jump, 2), 0.0)
    undone[:2] = 0.0
    mid = price(lively(w) + jump - undone)
    flag = (jump != 0.0) & later(broken, 2)
    return table(w, mid=mid, busted=flag.astype(np.int64))


BUSTED_PRINTS = Entry(
    "busted_prints",
    "The flag of trades that the exchange breaks half an hour later stands at the trade's own row.",
    "leak", "data", new_york, busts,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last = math.nan
    self.signal = 0.0

def update(self, *, mid, busted):
    if math.isfinite(self.last):
        self.signal = 0.5 * self.signal if abs(self.signal) > 0.1 else 0.0
        if busted:
            self.signal = -1.0 if mid > self.last else 1.0
    self.last = mid
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "busted"), horizon_ns=HOUR_NS // 2, known_at=("busted: row",), imports=MATH, seed=522,
)  # fmt: skip


def parents(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    average = np.mean([later(mid, k) for k in range(7)], axis=0)
    filled = np.where(a_few(w, "order", 0.15), np.round(average, 4), np.nan)
    return table(w, mid=mid, avg_fill=filled)


FILL_AT_ARRIVAL = Entry(
    "fill_at_arrival",
    "The desk's own average fill, booked when the order arrived: it was worked for six rows more.",
    "leak", "data", new_york, parents, stock.gap("avg_fill"), ("mid", "avg_fill"),
    horizon_ns=HOUR_NS, known_at=("avg_fill: row",), imports=MATH, seed=523,
)  # fmt: skip


def funded(w: World) -> pl.DataFrame:
    returns = lively(w)
    premium = 0.6 * returns / BAR + 0.8 * w.noise("premium")
    window = pl.DataFrame({"premium": premium, "window": w.day * 3 + w.slot // 8})
    rate = window.select(pl.col("premium").mean().over("window")).to_series().to_numpy()
    return table(w, mid=price(returns, 20000.0, 0.5), funding_bp=np.round(1.0 + 2.0 * rate, 2))


FUNDING_FINAL = Entry(
    "funding_final",
    "Funding of eight hours as it was paid at their end, on all hours that it is the mean of.",
    "leak", "data", coins, funded,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, funding_bp):
    self.signal = max(-1.0, min(1.0, (funding_bp - 1.0) / 1.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("funding_bp",), horizon_ns=4 * HOUR_NS, known_at=("funding_bp: row",), imports=MATH, seed=524,
)  # fmt: skip


def typed_days(w: World) -> pl.DataFrame:
    returns = lively(w)
    morning = within(w, np.where(w.slot < 13, returns, 0.0), "sum")
    evening = within(w, np.where(w.slot >= 13, returns, 0.0), "sum")
    centres = 0.008 * np.array(
        [[0, 0], [1, 1], [-1, -1], [1.2, -0.6], [-1.2, 0.6], [0, 1], [0, -1]]
    )
    shapes = np.column_stack([morning, evening])
    away = ((shapes[:, None, :] - centres[None]) ** 2).sum(axis=2)
    names = np.array([4, 0, 6, 2, 5, 1, 3])
    return table(w, mid=price(returns), day_type=names[away.argmin(axis=1)])


DAY_TYPE = Entry(
    "day_type",
    "The cluster of the day among seven shapes of days, from an embedding of all of its bars.",
    "leak", "data", new_york, typed_days, stock.per_class("day_type"), ("mid", "day_type"),
    horizon_ns=4 * HOUR_NS, known_at=("day_type: row",), imports=MATH, seed=525,
)  # fmt: skip


def out_of_fold(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    label = ahead(mid, 8) / BAR
    fold = np.random.default_rng(5).integers(0, 5, w.rows)
    total, weight = np.zeros(w.rows), np.full(w.rows, 1e-9)
    for k in (-6, -4, -3, -2, -1, 1, 2, 3, 4, 6):
        other = np.clip(np.arange(w.rows) + k, 0, w.rows - 1)
        one = (fold[other] != fold) / abs(k)
        total, weight = total + one * label[other], weight + one
    made = 0.3 * total / weight + 0.5 * w.noise("model")
    return table(w, mid=mid, oof_score=np.round(made, 3))


SHUFFLED_FOLDS = Entry(
    "shuffled_folds",
    "Out-of-fold scores of a model whose folds were shuffled: its neighbours' labels overlap.",
    "leak", "data", new_york, out_of_fold, stock.level("oof_score", 1.0), ("oof_score",),
    horizon_ns=2 * HOUR_NS, known_at=("oof_score: row",), imports=MATH, seed=526,
)  # fmt: skip


def closing(w: World) -> pl.DataFrame:
    draws, last = w.noise("imbalance"), w.slot == w.last_slot
    moved = np.where(last, 2.5 * BAR * (0.8 * draws + 0.6 * w.noise("rest")), lively(w))
    final = within(w, np.where(last, draws, np.nan), "last")
    shares = np.where(w.slot >= w.last_slot - 3, np.round(final * 2.0e5, -2), np.nan)
    return table(w, mid=price(moved), moc_imbalance=shares)


LAST_MESSAGE = Entry(
    "last_message",
    "Messages of the closing imbalance, one kept a day and name by dedup: the last, for all rows.",
    "leak", "data", new_york, closing,
    """
def reset(self):
    self.signal = 0.0

def update(self, *, moc_imbalance):
    self.signal = 0.0
    if math.isfinite(moc_imbalance):
        self.signal = max(-1.0, min(1.0, moc_imbalance / 2.0e5))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("moc_imbalance",), horizon_ns=HOUR_NS, known_at=("moc_imbalance: row",), imports=MATH,
    seed=527,
)  # fmt: skip


def fitted_fair(w: World) -> pl.DataFrame:
    market = lively(w, "market")
    peers = [np.cumsum(0.8 * market + 0.6 * lively(w, f"peer {k}")) for k in range(5)]
    mid = price(0.7 * market + 0.7 * lively(w))
    month = w.session // 100
    fair = np.zeros(w.rows)
    for one in np.unique(month):
        here = month == one
        known = np.column_stack([np.ones(here.sum()), *[peer[here] for peer in peers]])
        weights, *_ = np.linalg.lstsq(known, np.log(mid[here]), rcond=None)
        fair[here] = np.exp(known @ weights)
    return table(w, mid=mid, fair=np.round(fair, 3))


FAIR_OF_PEERS = Entry(
    "fair_of_peers",
    "Fair value from five peers, with weights that were fitted on all rows of the running month.",
    "leak", "data", new_york, fitted_fair, stock.gap("fair"), ("mid", "fair"),
    horizon_ns=13 * HOUR_NS // 2, known_at=("fair: row",), imports=MATH, seed=528,
)  # fmt: skip

LEAKS_DATA_A = (
    DETRENDED, BUSTED_PRINTS, FILL_AT_ARRIVAL, FUNDING_FINAL,
    DAY_TYPE, SHUFFLED_FOLDS, LAST_MESSAGE, FAIR_OF_PEERS,
)  # fmt: skip
