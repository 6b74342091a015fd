"""Honest columns, the next six: states and scores made as time went, codes, splits, month ends."""

from functools import partial

import numpy as np
import polars as pl
from scipy.spatial import cKDTree

from ..entry import BAR_NS, DAY_NS, HOUR_NS, Frames
from ..third.shapes import TREES, led, lively, smooth
from ..unseen import stock
from ..unseen.market import BAR, World, ahead, coins, daily_rows, earlier, new_york, price, table
from .form import entry
from .leaks_data_c import NAMES, moves


def states_so_far(w: World) -> pl.DataFrame:
    flow = w.noise("flow")
    level = smooth(flow, 0.85)
    bounds = np.array([-0.8, 0.0, 0.8])
    named = np.array([2.0, 0.0, 3.0, 1.0])
    returns = led(w, level, 0.08, night=BAR)
    return table(w, mid=price(returns), regime=named[np.digitize(level, bounds)])


STATES_SO_FAR = entry(
    "innocent", "data", "states_so_far",
    "Codes of states, of a window that ends at its row.",
    coins, states_so_far, stock.per_class("regime"), ("mid", "regime"), 451,
    horizon_ns=2 * HOUR_NS,
)  # fmt: skip


def walked(w: World) -> pl.DataFrame:
    features = np.stack([w.noise(f"feature {k}") for k in range(2)], axis=1)
    mid = price(led(w, features[:, 0], 0.14))
    label = ahead(mid)
    score = np.zeros(w.rows)
    for start in range(26 * 40, w.rows, 26 * 20):
        train, test = slice(0, start - 1), slice(start, start + 26 * 20)
        _, near = cKDTree(features[train]).query(features[test], 60)
        score[test] = label[train][near].mean(axis=1)
    return table(w, mid=mid, score=np.round(1e4 * score, 2))


WALKED_SCORES = entry(
    "innocent", "data", "walked_scores",
    "Forecasts of a nearest-neighbour model, fitted each month on the months before.",
    new_york, walked, stock.level("score", 6.0), ("score",), 452,
)  # fmt: skip


def sectors(w: World) -> Frames:
    made = {}
    for number, name in enumerate(TREES):
        code = float(number % 5)
        carry = 0.0006 * (code - 2.0)
        made[name] = table(w, close=price(moves(w, name) + carry), sector=np.full(w.rows, code))
    return made


SECTOR_CODE = entry(
    "innocent", "data", "sector_code",
    "The code of a name's sector since its listing, a constant: some sectors pay for their risk.",
    partial(daily_rows, days=500), sectors,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, sector: float) -> float:
    self.signal = (sector - 2.0) / 2.0
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("sector",), 453, horizon_ns=20 * DAY_NS,
)  # fmt: skip


def split_forward(w: World, name: str) -> pl.DataFrame:
    usual = moves(w, name, 0.02)
    level, factor, since, side = 50.0, 1.0, 99, 0.0
    closes, factors = np.zeros(w.rows), np.zeros(w.rows)
    for k, move in enumerate(usual):
        level *= float(np.exp(move + (0.004 * side if since < 15 else 0.0)))
        raw, since = level / factor, since + 1
        if raw >= 68.0 or raw <= 32.0:
            side, since = (1.0 if raw >= 68.0 else -1.0), 0
            factor *= 2.0**side
        closes[k], factors[k] = level, factor
    return table(w, close=closes, raw_close=np.round(closes / factors, 2))


SPLITS_SO_FAR = entry(
    "innocent", "data", "splits_so_far",
    "Raw closes beside closes adjusted forward from the first day; prices drift on after them.",
    daily_rows, lambda w: {name: split_forward(w, name) for name in NAMES[:12]},
    """
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.factor = 1.0
    self.signal = 0.0

def update(self, *, close: float, raw_close: float) -> float:
    factor = 2.0 ** round(math.log2(close / raw_close))
    step = math.log2(factor / self.factor)
    self.factor = factor
    self.signal = step if step != 0.0 else 0.93 * self.signal
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("close", "raw_close"), 454, horizon_ns=5 * DAY_NS,
)  # fmt: skip


def rebalanced(w: World) -> pl.DataFrame:
    usual, month = lively(w), w.day // 21
    last, returns = w.day % 21 >= 18, usual.copy()
    so_far = np.zeros(w.rows)
    total = 0.0
    for k in range(w.rows):
        if k and month[k] != month[k - 1]:
            total = 0.0
        total += 0.0 if last[k] else usual[k]
        so_far[k] = total
    due = np.where(last, np.clip(-so_far / 0.05, -2.0, 2.0), 0.0)
    returns += 0.28 * BAR * np.where(np.arange(w.rows) > 0, earlier(due), 0.0)
    return table(w, mid=price(returns), rebalance_due=np.round(due, 3))


REBALANCE_DUE = entry(
    "innocent", "data", "rebalance_due",
    "What balanced funds have to sell in a month's last three sessions, by the month so far.",
    new_york, rebalanced, stock.level("rebalance_due", 1.5), ("rebalance_due",), 455,
    horizon_ns=DAY_NS // 4,
)  # fmt: skip


def after_the_auction(w: World) -> pl.DataFrame:
    told = np.where(w.slot == w.last_slot, w.noise("imbalance"), 0.0)
    returns = lively(w) + BAR * (0.8 * told - 0.5 * np.where(w.opens, earlier(told), 0.0))
    return table(w, mid=price(returns), imbalance=np.round(500.0 * told))


AFTER_THE_AUCTION = entry(
    "innocent", "data", "after_the_auction",
    "The closing auction's imbalance at the close: a day's last row, whose push goes by morning.",
    new_york, after_the_auction, stock.level("imbalance", 500.0, -1), ("imbalance",), 456,
    horizon_ns=BAR_NS,
)  # fmt: skip

INNOCENTS_DATA_B = (
    STATES_SO_FAR, WALKED_SCORES, SECTOR_CODE, SPLITS_SO_FAR, REBALANCE_DUE, AFTER_THE_AUCTION,
)  # fmt: skip
