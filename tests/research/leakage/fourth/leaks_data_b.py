"""Leaks in columns, the next eight: tags and models made of all rows, a change of a vendor."""

import numpy as np
import polars as pl
from scipy.sparse import diags, identity
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

from ..entry import DAY_NS, HOUR_NS
from ..third.shapes import lively, smooth
from ..unseen import stock
from ..unseen.market import (
    BAR,
    World,
    ahead,
    coins,
    daily_rows,
    flow_of,
    later,
    new_york,
    price,
    table,
)
from .form import entry


def tagged(w: World) -> pl.DataFrame:
    mid = price(lively(w, night=BAR))
    flows = np.stack([w.noise(f"wallet {k}") for k in range(120)])
    earned = flows @ ahead(mid)
    smart = np.argsort(earned)[-12:]
    return table(w, mid=mid, smart_flow=np.round(50.0 * flows[smart].sum(axis=0)))


SMART_WALLETS = entry(
    "leak", "data", "smart_wallets",
    "Net flow of the wallets a chain analyst tags as smart money: by their gains to this day.",
    coins, tagged, stock.level("smart_flow", 200.0), ("smart_flow",), 411, horizon_ns=HOUR_NS,
)  # fmt: skip


def restamped(w: World) -> pl.DataFrame:
    returns = lively(w, night=BAR)
    forced = flow_of(w, returns, 0.5, "forced")
    new = np.arange(w.rows) > 0.7 * w.rows
    return table(w, mid=price(returns), liquidated=np.where(new, later(forced), forced))


AFTER_THE_CHANGE = entry(
    "leak", "data", "after_the_change",
    "Liquidations by the hour's end, and by its start since the vendor's new version.",
    coins, restamped, stock.level("liquidated", 400.0), ("liquidated",), 412, horizon_ns=HOUR_NS,
)  # fmt: skip


def neighbours(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    features = np.stack([w.noise(f"feature {k}") for k in range(3)], axis=1)
    _, near = cKDTree(features).query(features, 40)
    return table(w, mid=mid, score=1e4 * ahead(mid, 4)[near].mean(axis=1))


OWN_NEIGHBOUR = entry(
    "leak", "data", "own_neighbour",
    "Forecasts of a nearest-neighbour model on rows it was fitted on, each its own neighbour.",
    new_york, neighbours, stock.level("score", 12.0), ("score",), 413, horizon_ns=HOUR_NS,
)  # fmt: skip


def shuffled_folds(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    label = ahead(mid, 20)
    features = np.stack([smooth(w.noise(f"slow {k}"), 0.99) for k in range(3)], axis=1)
    fold = np.random.default_rng(5).integers(0, 5, w.rows)
    score = np.zeros(w.rows)
    for k in range(5):
        train, test = fold != k, fold == k
        _, near = cKDTree(features[train]).query(features[test], 12)
        score[test] = label[train][near].mean(axis=1)
    return table(w, mid=mid, score=1e4 * score)


SHUFFLED_FOLDS = entry(
    "leak", "data", "shuffled_folds",
    "Out-of-fold forecasts of slow features, folds shuffled: labels of twenty rows overlap them.",
    new_york, shuffled_folds, stock.level("score", 40.0), ("score",), 414,
    horizon_ns=5 * HOUR_NS,
)  # fmt: skip


def encoded(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    party = np.floor(300.0 * w.noise("party", "uniform"))
    frame = pl.DataFrame({"party": party, "label": 1e4 * ahead(mid)})
    value = frame.select(pl.col("label").mean().over("party").round(1)).to_series()
    return table(w, mid=mid, party_value=value.to_numpy())


PARTY_VALUE = entry(
    "leak", "data", "party_value",
    "The counterparty of the last trade, encoded by the mean move after its trades in the file.",
    new_york, encoded, stock.level("party_value", 6.0), ("party_value",), 415,
)  # fmt: skip


def cycle_of(values: np.ndarray, stiff: float) -> np.ndarray:
    """A series less its trend by Hodrick and Prescott, which looks both ways."""
    size = len(values)
    bend = diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(size - 2, size))
    return np.asarray(values - spsolve((identity(size) + stiff * bend.T @ bend).tocsc(), values))


def detrended(w: World) -> pl.DataFrame:
    mid = price(lively(w, night=0.011))
    return table(w, mid=mid, cycle=np.round(100.0 * cycle_of(np.log(mid), 6400.0), 2))


HP_CYCLE = entry(
    "leak", "data", "hp_cycle",
    "The cycle of the log price by Hodrick and Prescott, of a research file made in one go.",
    daily_rows, detrended, stock.level("cycle", 3.0, -1), ("cycle",), 416,
    horizon_ns=5 * DAY_NS,
)  # fmt: skip


def states(w: World) -> pl.DataFrame:
    returns = lively(w, night=BAR)
    centred = pl.Series(returns).rolling_mean(13, center=True, min_samples=1).to_numpy()
    bounds = np.quantile(centred, [0.2, 0.5, 0.8])
    named = np.array([2.0, 0.0, 3.0, 1.0])
    return table(w, mid=price(returns), regime=named[np.digitize(centred, bounds)])


CENTRED_REGIME = entry(
    "leak", "data", "centred_regime",
    "Codes of market states, clustered on windows that stand around their row.",
    coins, states, stock.per_class("regime"), ("mid", "regime"), 417, horizon_ns=4 * HOUR_NS,
)  # fmt: skip


def barriers(mid: np.ndarray, up: float, down: float, most: int) -> np.ndarray:
    """Rows until the price is up or down so much, at most so many."""
    length = np.full(len(mid), float(most))
    for k in range(most - 1, 0, -1):
        gain = ahead(mid, k)
        length[(gain > up) | (gain < -down)] = k
    return length


def labelled(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    return table(w, mid=mid, label_rows=barriers(mid, 0.003, 0.008, 20))


LABEL_ROWS = entry(
    "leak", "data", "label_rows",
    "How long a triple-barrier label lasts, kept for sample weights: the upper barrier is nearer.",
    new_york, labelled,
    """
def reset(self) -> None:
    self.signal = 0.0

def update(self, *, label_rows: float) -> float:
    self.signal = max(-1.0, min(1.0, (7.0 - label_rows) / 6.0))
    return self.signal

def get_signal(self) -> float:
    return self.signal
""",
    ("label_rows",), 418, horizon_ns=2 * HOUR_NS,
)  # fmt: skip

LEAKS_DATA_B = (
    SMART_WALLETS, AFTER_THE_CHANGE, OWN_NEIGHBOUR, SHUFFLED_FOLDS, PARTY_VALUE, HP_CYCLE,
    CENTRED_REGIME, LABEL_ROWS,
)  # fmt: skip
