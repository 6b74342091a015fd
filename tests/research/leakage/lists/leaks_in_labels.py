"""Leaks in data: columns that are the answer, whole or in part, under a name of their own."""

import numpy as np
import polars as pl

from .case import Group
from .markets import (
    around_the_clock,
    decayed,
    etf,
    forward,
    minutes,
    panel,
    perpetual,
    qqq,
    scored,
    seeded,
    standard,
)

LEAKS = Group("leaks in labels")


@LEAKS.data(horizon_s=60)
def next_return() -> pl.DataFrame:
    """The return of the next bar."""
    rows = minutes()
    return scored(rows, forward(rows["mid"].to_numpy(), 1))


@LEAKS.data(horizon_s=300)
def five_minutes_signed() -> pl.DataFrame:
    """Up or down over the next five minutes, as 1, 0 and -1."""
    rows = minutes(seed=11)
    return scored(rows, np.sign(forward(rows["mid"].to_numpy(), 5)))


@LEAKS.data(horizon_s=1800, recorded=True)
def half_hour_ranked() -> pl.DataFrame:
    """QQQ's next half hour as its rank within the day, from 0 to 1."""
    rows = qqq().with_columns(
        (pl.col("close").shift(-30).over("day") / pl.col("close") - 1).alias("f")
    )
    ranks = rows.select((pl.col("f").rank() / pl.len()).over("day"))["f"]
    return rows.drop("f").with_columns(ranks.alias("score"))


@LEAKS.data(horizon_s=300)
def scaled_by_volatility() -> pl.DataFrame:
    """The next five minutes over the last hour's deviation, through a logistic curve."""
    rows = minutes(seed=12)
    mid = rows["mid"]
    sd = mid.pct_change().rolling_std(60, min_samples=5).to_numpy()
    return scored(rows, 1 / (1 + np.exp(-forward(mid.to_numpy(), 5) / (sd * 2))) - 0.5)


@LEAKS.data(horizon_s=900)
def an_eighth_of_the_future() -> pl.DataFrame:
    """An eighth of the next quarter of an hour, seven eighths of noise."""
    rows = around_the_clock(minutes_apart=5, seed=13)
    future = standard(forward(rows["close"].to_numpy(), 3))
    return scored(rows, 0.125 * future + 0.875 * seeded(14).normal(size=len(rows)))


@LEAKS.data(horizon_s=60, recorded=True)
def a_third_of_the_future() -> pl.DataFrame:
    """A third of the BTC perpetual's next minute, two thirds of noise."""
    rows = perpetual()
    future = standard(forward(rows["close"].to_numpy(), 1))
    return scored(rows, future / 3 + seeded(15).normal(size=len(rows)) * 2 / 3)


@LEAKS.data(horizon_s=600)
def noisy_half() -> pl.DataFrame:
    """Half of the next ten minutes, half of slow noise that looks like a regime."""
    rows = minutes(seed=16)
    future = standard(forward(rows["mid"].to_numpy(), 10))
    slow = standard(decayed(seeded(17).normal(size=len(rows)), 0.98))
    return scored(rows, 0.5 * future + 0.5 * slow)


@LEAKS.data(horizon_s=300)
def probability_of_a_higher_close() -> pl.DataFrame:
    """A vendor's probability that the day closes higher, made with the close at hand."""
    rows = minutes(seed=18)
    last = rows.select(pl.col("mid").last().over("session"))["mid"].to_numpy()
    away = (last / rows["mid"].to_numpy() - 1) / 4e-3
    return scored(rows, 1 / (1 + np.exp(-(away + seeded(19).normal(0, 0.7, len(rows))))))


@LEAKS.data(horizon_s=60)
def next_volatility() -> pl.DataFrame:
    """How far the next ten minutes will move, whichever way."""
    rows = minutes(seed=20)
    step = np.abs(rows["step"].to_numpy())
    ahead = np.array([step[k + 1 : k + 11].mean() if k + 11 <= len(step) else np.nan
                      for k in range(len(step))])  # fmt: skip
    return scored(rows, ahead * 1e3)


@LEAKS.data(horizon_s=60)
def two_sessions_of_twelve() -> pl.DataFrame:
    """Noise, but on two days of twelve the next bar's return."""
    rows = minutes(seed=21)
    days = rows["session"].to_numpy()
    known = np.isin(days, np.unique(days)[[4, 9]])
    future = standard(forward(rows["mid"].to_numpy(), 1))
    return scored(rows, np.where(known, future, seeded(22).normal(size=len(rows))))


@LEAKS.data(horizon_s=600)
def three_percent_of_rows() -> pl.DataFrame:
    """Silent, but for the 3 % of rows before the largest moves, where it says which way."""
    rows = around_the_clock(minutes_apart=1, seed=23)
    future = np.nan_to_num(forward(rows["close"].to_numpy(), 10))
    large = np.abs(future) > np.quantile(np.abs(future), 0.97)
    return scored(rows, np.where(large, np.sign(future), 0.0))


@LEAKS.data(horizon_s=600)
def one_percent_of_rows_in_noise() -> pl.DataFrame:
    """Noise, and on 1 % of the rows, drawn by lot, the return of the next ten minutes."""
    rows = minutes(seed=24)
    random = seeded(25)
    known = random.random(len(rows)) < 0.01
    future = standard(forward(rows["mid"].to_numpy(), 10))
    return scored(rows, np.where(known, 2 * future, random.normal(size=len(rows))))


@LEAKS.data(horizon_s=600)
def only_before_the_close() -> pl.DataFrame:
    """A day's last quarter of an hour knows its closing price; the rest of the day is noise."""
    rows = minutes(seed=26)
    last = rows.select(pl.col("mid").last().over("session"))["mid"].to_numpy()
    left = last / rows["mid"].to_numpy() - 1
    late = rows["minute"].to_numpy() >= 235
    return scored(rows, np.where(late, left * 1e3, seeded(27).normal(size=len(rows))))


@LEAKS.data(horizon_s=60)
def two_names_of_ten() -> pl.DataFrame:
    """A panel's column of noise that is the next return for two of ten names."""
    rows = panel(names=10, days=6, rows=60, seed=28)
    future = (pl.col("mid").shift(-1).over("symbol") / pl.col("mid") - 1) * 1e3
    rows = rows.with_columns(
        future.alias("f"), pl.Series("noise", seeded(29).normal(size=len(rows)))
    )
    chosen = pl.col("symbol").is_in(["N03", "N07"])
    return rows.with_columns(
        pl.when(chosen).then(pl.col("f")).otherwise(pl.col("noise")).alias("score")
    ).drop("f", "noise", "minute")


@LEAKS.data(horizon_s=1800, recorded=True)
def overnight_gap_of_tomorrow() -> pl.DataFrame:
    """SPY's next opening gap stands all day beside the day before."""
    rows = etf("SPY", "2000-10", 8000).with_columns(pl.col("ts").dt.date().alias("d"))
    days = rows.group_by("d", maintain_order=True).agg(
        pl.col("open").first(), pl.col("close").last()
    )
    gap = days["open"].shift(-1) / days["close"] - 1
    days = days.select("d", (gap * 100).alias("score"))
    return rows.join(days, on="d", how="left").drop("d")
