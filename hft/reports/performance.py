"""What a run earned over time: total equity, drawdown, Sharpe with its basis.

A statistic that has too few samples is None, never a number that means nothing.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from hft.statistics.sharpe import ratio

SHARPE_STEP = "1m"
SHARPE_STEPS_MIN = 30
STEPS_PER_DAY = 1440
SHARPE_BASIS = "1-minute changes of net P&L, mean / deviation x sqrt(1440): per day of 24 hours"


@dataclass(frozen=True)
class Drawdown:
    """The deepest fall of net P&L from its highest point so far, in currency (<= 0)."""

    depth: float
    from_ns: int
    to_ns: int


def distinct(equity: pl.LazyFrame) -> pl.LazyFrame:
    """The last sample of each moment: a run's end may fall on one that was sampled already."""
    return equity.unique(["ts", "strategy", "symbol"], keep="last", maintain_order=True)


def total_equity(equity: pl.DataFrame) -> pl.DataFrame:
    """Net P&L, its parts and nothing else per sample, over strategies and symbols."""
    parts = [pl.col(name).sum() for name in ("realized", "unrealized", "fees", "net")]
    return equity.group_by("ts", maintain_order=True).agg(parts).sort("ts")


def drawdown(total: pl.DataFrame) -> Drawdown | None:
    """None without a sample. A run starts at zero, so a first loss counts."""
    if total.height == 0:
        return None
    net = total["net"].to_numpy()
    ts = total["ts"].to_physical().to_numpy()
    peak = np.maximum(np.maximum.accumulate(net), 0.0)
    low = int(np.argmin(net - peak))
    high = int(np.argmax(net[: low + 1] >= peak[low])) if peak[low] > 0 else 0
    return Drawdown(float(net[low] - peak[low]), int(ts[high]), int(ts[low]))


def sharpe(total: pl.DataFrame) -> float | None:
    """See SHARPE_BASIS; None under 30 changes or without variation."""
    if total.height < 2:
        return None
    steps = total.group_by_dynamic("ts", every=SHARPE_STEP).agg(pl.col("net").last())
    changes = np.diff(np.concatenate([[0.0], steps["net"].to_numpy()]))
    if len(changes) < SHARPE_STEPS_MIN:
        return None
    found = ratio(float(changes.mean()), float(changes.std(ddof=1)))
    return None if found is None else found * float(np.sqrt(STEPS_PER_DAY))
