"""Leaks in columns, the other eight: costs, residuals, peers, scores, quotes and reports."""

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry, Frames
from ..unseen import stock
from ..unseen.market import BAR, World, ahead, daily_rows, later, new_york, price, table, volume_of
from .shapes import TREES, a_few, lively

MATH = "import math"
MORE = ("maple", "oak", "pine", "poplar", "rowan", "spruce", "teak", "walnut", "willow", "yew")


def own_costs(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    traded = a_few(w, "order", 0.2)
    side = np.where(w.noise("side") > 0.0, 1.0, -1.0)
    twap = sum(later(mid, k) for k in range(1, 5)) / 4.0
    slip = np.round(1e4 * side * (twap / mid - 1.0) + 2.0 * w.noise("fill"), 1)
    return table(
        w, mid=mid, order_side=np.where(traded, side, 0.0), slip_bps=np.where(traded, slip, 0.0)
    )


OWN_SLIPPAGE = Entry(
    "own_slippage",
    "What the desk's orders cost over the next hour, booked at their arrival, beside their side.",
    "leak", "data", new_york, own_costs,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.signal = 0.0

def update(self, *, mid, order_side, slip_bps):
    pressure = order_side * slip_bps / 25.0
    self.signal = max(-1.0, min(1.0, pressure if order_side else 0.7 * self.signal))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "order_side", "slip_bps"), horizon_ns=HOUR_NS,
    known_at=("order_side: row", "slip_bps: row"), seed=331,
)  # fmt: skip


def weekly_residual(w: World) -> pl.DataFrame:
    factors = [np.cumsum(lively(w, name)) for name in TREES[:4]]
    logs = 0.4 * sum(factors) + np.cumsum(0.5 * lively(w))
    mid = price(np.diff(logs, prepend=0.0), 80.0, 0.001)
    week = w.day // 5
    residual = np.zeros(w.rows)
    for number in np.unique(week):
        rows = week == number
        x = np.column_stack([np.ones(rows.sum()), *(factor[rows] for factor in factors)])
        y = np.log(mid[rows])
        beta = np.linalg.lstsq(x, y, rcond=None)[0]
        residual[rows] = np.round(1e4 * (y - x @ beta), 2)
    return table(w, mid=mid, rich_bps=residual)


WEEKLY_RESIDUAL = Entry(
    "weekly_residual",
    "How rich a stock is against four others, by a regression over the whole running week.",
    "leak", "data", new_york, weekly_residual, stock.level("rich_bps", 25.0, -1),
    ("rich_bps",), horizon_ns=2 * HOUR_NS, known_at=("rich_bps: row",), imports=MATH,
    seed=332,
)  # fmt: skip


def peers(w: World) -> Frames:
    market = lively(w, "market")
    mids = {
        name: price(0.75 * market + 0.65 * lively(w, name), 30.0 + 20.0 * k, 0.001)
        for k, name in enumerate(TREES[:4])
    }
    moves = {name: np.diff(np.log(mid), prepend=np.log(mid[0])) for name, mid in mids.items()}
    total = sum(moves.values())
    return {
        name: table(w, px=mid, peers_bps=np.round(1e4 * later(total - moves[name]) / 3.0, 1))
        for name, mid in mids.items()
    }


PEERS_NEXT_BAR = Entry(
    "peers_next_bar",
    "The mean move of the other names, from bars that are named by their start; four names.",
    "leak", "data", new_york, peers, stock.level("peers_bps", 20.0),
    ("peers_bps",), known_at=("peers_bps: row",), imports=MATH, seed=333,
)  # fmt: skip


def in_sample(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    after = ahead(mid, 2) / (1.4 * BAR)
    noise = w.noise("model")
    taught = w.day < 0.6 * len(w.days)
    score = np.where(taught, 0.6 * np.tanh(after) + 0.42 * noise, 0.6 * noise)
    return table(w, mid=mid, model_out=np.round(score, 3))


TAUGHT_ON_THESE = Entry(
    "taught_on_these",
    "A model's scores: it was taught on the first six tenths of the very rows, and not on others.",
    "leak", "data", new_york, in_sample, stock.level("model_out", 1.0),
    ("model_out",), horizon_ns=HOUR_NS // 2, known_at=("model_out: row",), imports=MATH,
    seed=334,
)  # fmt: skip


def stops(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    opened = w.slot % 3 == 0
    way = np.column_stack([ahead(mid, k) for k in range(1, 17)])
    lost = (way.min(axis=1) < -3.0 * BAR) & opened
    return table(w, mid=mid, stopped=lost.astype(float), opened=opened.astype(float))


STOPPED_OUT = Entry(
    "stopped_out",
    "A flag at the entry of a trade that says whether its stop was hit, hours later.",
    "leak", "data", new_york, stops,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.signal = 0.0

def update(self, *, mid, opened, stopped):
    if opened > 0.5:
        self.signal = -1.0 if stopped > 0.5 else 0.6
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "opened", "stopped"), horizon_ns=4 * HOUR_NS,
    known_at=("opened: row", "stopped: row"), seed=335,
)  # fmt: skip


def late_quotes(w: World) -> pl.DataFrame:
    returns = lively(w)
    px = price(returns, 60.0, 0.005)
    volume = volume_of(w, returns)
    usual = pl.Series(volume).rolling_quantile(0.75, window_size=130, min_samples=20)
    busy = volume > usual.fill_null(np.inf).to_numpy()
    middle = np.where(busy, later(px), px)
    half = 0.01 * (1.0 + (w.noise("width") > 0.8))
    return table(
        w, px=px, volume=volume, nbbo_bid=np.round(middle - half, 3),
        nbbo_ask=np.round(middle + half, 3),
    )  # fmt: skip


QUOTES_POLLED_LATE = Entry(
    "quotes_polled_late",
    "Quotes that are asked for after the trade: on a busy row they come a row late.",
    "leak", "data", new_york, late_quotes,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.last, self.size, self.signal = math.nan, 0.0, 0.0

def update(self, *, px, nbbo_bid, nbbo_ask):
    if math.isfinite(self.last):
        self.size += 0.02 * (abs(px / self.last - 1.0) - self.size)
    self.last = px
    away = (0.5 * (nbbo_bid + nbbo_ask) / px - 1.0) / (self.size + 1e-4)
    self.signal = max(-1.0, min(1.0, away))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("px", "nbbo_bid", "nbbo_ask"), known_at=("nbbo_bid: row", "nbbo_ask: row"), imports=MATH,
    seed=336,
)  # fmt: skip


def reports(w: World) -> Frames:
    made = {}
    for k, name in enumerate(TREES[:8]):
        phase = 7 * k
        quarter = (np.arange(w.rows) + phase) // 63
        told = (np.arange(w.rows) + phase) % 63 == 24
        drawn = np.where(told, w.noise(f"{name} report"), 0.0)
        at = pl.DataFrame({"drawn": drawn, "quarter": quarter})
        known = at.select(pl.col("drawn").sum().over("quarter")).to_series().to_numpy()
        move = lively(w, name, 0.014, 0.014) + np.where(told, 0.09 * drawn, 0.0)
        made[name] = table(
            w, close=price(move, 40.0 + 9.0 * k, 0.01), eps_surprise=np.round(known, 2)
        )
    return made


BY_QUARTER_END = Entry(
    "by_quarter_end",
    "Earnings surprises from the end of the quarter on, five weeks before they were told; 8 names.",
    "leak", "data", daily_rows, reports, stock.level("eps_surprise", 1.0),
    ("eps_surprise",), horizon_ns=35 * DAY_NS, known_at=("eps_surprise: row",),
    imports=MATH, seed=337,
)  # fmt: skip


def adjusted(w: World) -> Frames:
    made = {}
    for name in (*TREES, *MORE):
        move = lively(w, name, 0.02, 0.02)
        whole = np.cumsum(move)
        splits, base = np.zeros(w.rows), 0.0
        for row in range(1, w.rows):
            if whole[row - 1] - base > 0.3:
                splits[row], base = np.log(1.5), whole[row - 1]
            elif whole[row - 1] - base < -0.3:
                splits[row], base = -np.log(1.5), whole[row - 1]
        raw = np.exp(whole - np.cumsum(splits))
        factor = np.exp(-(np.sum(splits) - np.cumsum(splits)))
        made[name] = table(
            w, close=np.round(60.0 * np.exp(whole) / 0.01) * 0.01 + 0.01,
            unadjusted=np.round(60.0 * raw, 2), adj_factor=np.round(factor, 6),
        )  # fmt: skip
    return made


SPLITS_TO_COME = Entry(
    "splits_to_come",
    "The factor that adjusts for splits to come: 3 for 2 after a rise, 2 for 3 after a fall.",
    "leak", "data", daily_rows, adjusted,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.signal = 0.0

def update(self, *, close, adj_factor):
    self.signal = max(-1.0, min(1.0, -2.0 * math.log(adj_factor)))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("close", "adj_factor"), horizon_ns=40 * DAY_NS, known_at=("adj_factor: row",),
    imports=MATH, seed=338,
)  # fmt: skip

LEAKS_DATA_B = (
    OWN_SLIPPAGE, WEEKLY_RESIDUAL, PEERS_NEXT_BAR, TAUGHT_ON_THESE,
    STOPPED_OUT, QUOTES_POLLED_LATE, BY_QUARTER_END, SPLITS_TO_COME,
)  # fmt: skip
