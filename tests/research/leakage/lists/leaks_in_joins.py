"""Leaks in data: columns made by a join, a filter, a revision or a resampling that looks ahead."""

import numpy as np
import polars as pl
from scipy.ndimage import gaussian_filter1d

from .case import Group
from .markets import (
    MINUTE_NS,
    around_the_clock,
    coins,
    etf,
    forward,
    minutes,
    panel,
    perpetual,
    qqq,
    scored,
    seeded,
    standard,
    stocks,
)

LEAKS = Group("leaks in joins")


@LEAKS.data(horizon_s=300)
def centred_mean() -> pl.DataFrame:
    """The price against a mean whose window is centred on the row."""
    mid = (rows := minutes(seed=31))["mid"]
    return scored(rows, (mid.rolling_mean(11, center=True) / mid - 1).to_numpy() * 1e3)


@LEAKS.data(horizon_s=600, recorded=True)
def centred_median() -> pl.DataFrame:
    """The perpetual against the median of the twenty minutes around."""
    close = (rows := perpetual(skip=9000))["close"]
    return scored(rows, (close.rolling_median(21, center=True) / close - 1).to_numpy() * 1e3)


@LEAKS.data(horizon_s=1800)
def day_zscore() -> pl.DataFrame:
    """The price in deviations from the mean of its whole day."""
    rows = minutes(seed=32)
    z = (pl.col("mid") - pl.col("mid").mean()) / pl.col("mid").std()
    return scored(rows, rows.select(z.over("session"))["mid"].to_numpy())


@LEAKS.data(horizon_s=3600)
def sample_zscore() -> pl.DataFrame:
    """The price in deviations from the mean of the whole sample."""
    rows = around_the_clock(seed=33)
    return scored(rows, standard(rows["close"].to_numpy() - rows["close"].mean()))


@LEAKS.data(horizon_s=1800, recorded=True)
def close_on_every_row() -> pl.DataFrame:
    """QQQ's close of the day over the price now, on each row of the day."""
    last = (rows := qqq("20240401")).select(pl.col("close").last().over("day"))["close"]
    return rows.with_columns(((last / pl.col("close") - 1) * 100).alias("score"))


@LEAKS.data(horizon_s=1800)
def place_in_the_range_of_the_day() -> pl.DataFrame:
    """Where the price is between the low and the high of the finished day."""
    rows = minutes(seed=34)
    low, high = pl.col("mid").min().over("session"), pl.col("mid").max().over("session")
    return scored(rows, rows.select((pl.col("mid") - low) / (high - low))["mid"].to_numpy() - 0.5)


@LEAKS.data(horizon_s=300)
def target_encoding() -> pl.DataFrame:
    """The mean next return of each minute of the day, over all days, this one among them."""
    rows = minutes(days=8, rows=390, seed=35)
    rows = rows.with_columns(pl.Series("f", forward(rows["mid"].to_numpy(), 5)).fill_nan(None))
    return scored(rows, rows.select(pl.col("f").mean().over("minute"))["f"].to_numpy() * 1e3).drop(
        "f"
    )


@LEAKS.data(horizon_s=300, recorded=True)
def bar_labelled_at_its_start() -> pl.DataFrame:
    """SPY's five-minute return, resampled and joined by the beginning of the five minutes."""
    rows = etf("SPY", "2001-05")
    bars = rows.group_by_dynamic("ts", every="5m").agg(
        (pl.col("close").last() / pl.col("open").first() - 1).alias("score") * 1e3
    )
    return rows.join_asof(bars, on="ts")


@LEAKS.data(horizon_s=1200)
def filled_from_behind() -> pl.DataFrame:
    """A survey of the price every twenty minutes; rows between take the one to come."""
    mid = (rows := minutes(seed=36))["mid"].to_numpy()
    asked = np.where(np.arange(len(mid)) % 20 == 19, mid, np.nan)
    filled = pl.Series(asked).fill_nan(None).backward_fill().to_numpy()
    return scored(rows, (filled / mid - 1) * 1e3)


@LEAKS.data(horizon_s=1200)
def interpolated_across_gaps() -> pl.DataFrame:
    """A fair value known each half hour, drawn as a straight line between its points."""
    mid = (rows := minutes(seed=37))["mid"].to_numpy()
    at = np.arange(0, len(mid), 30)
    return scored(rows, (np.interp(np.arange(len(mid)), at, mid[at]) / mid - 1) * 1e3)


@LEAKS.data(horizon_s=300)
def filtered_both_ways() -> pl.DataFrame:
    """The price less its Gaussian smooth, which reaches to both sides."""
    close = (rows := around_the_clock(seed=38))["close"].to_numpy()
    return scored(rows, (gaussian_filter1d(close, 3) / close - 1) * 1e3)


@LEAKS.data(horizon_s=600, known_at=("score: row",))
def published_later() -> pl.DataFrame:
    """An analyst's note about the last ten minutes, out ten minutes after its row, in ms as z7."""
    rows = minutes(seed=39)
    later = (rows["ts"].to_numpy() + 10 * MINUTE_NS) // 1_000_000
    note = standard(forward(rows["mid"].to_numpy(), 10)) * 0.2 + seeded(40).normal(size=len(rows))
    return scored(rows, note).with_columns(pl.Series("z7", later.astype(float)))


@LEAKS.data(horizon_s=3600)
def revised_next_day() -> pl.DataFrame:
    """A vendor's score of the day, revised after its end, and the day of that as a number."""
    rows = minutes(days=24, rows=120, seed=41)
    ends = rows.group_by("session", maintain_order=True).agg(
        (pl.col("mid").last() / pl.col("mid").first() - 1).alias("moved")
    )
    noise = seeded(42).normal(0, 0.5, len(ends))
    revised = pl.Series(standard(ends["moved"].to_numpy()) + noise)
    days = ends["session"].to_list()
    after = [float(day) for day in [*days[1:], days[-1]]]
    ends = ends.select("session", revised.alias("score"), pl.Series("rev", after))
    return rows.join(ends, on="session", how="left").drop("step", "minute")


@LEAKS.data(horizon_s=300)
def joined_by_tomorrow() -> pl.DataFrame:
    """The volume of the same minute, joined by a key that is a day ahead."""
    rows = minutes(seed=43)
    volume = rows["trade_vol"].to_numpy()
    ahead = np.append(volume[250:], np.full(250, np.nan))
    return scored(rows, np.log(ahead))


@LEAKS.data(horizon_s=60)
def names_bleed() -> pl.DataFrame:
    """A panel's returns shifted back by one over the whole table, not name by name."""
    rows = panel(seed=44)
    own = rows.select(pl.col("mid") / pl.col("mid").shift(1) - 1)["mid"].shift(-1)
    return scored(rows, np.nan_to_num(own.to_numpy()).clip(-0.01, 0.01) * 1e3)


@LEAKS.data(horizon_s=300, recorded=True)
def leader_of_the_coins() -> pl.DataFrame:
    """The mean return of all coins as a leader of each; it is the next bar's."""
    rows = coins()
    own = (pl.col("close").shift(-1) / pl.col("close") - 1).over("symbol")
    rows = rows.with_columns(own.alias("f"))
    return rows.with_columns((pl.col("f").mean().over("ts") * 100).alias("score")).drop("f")


@LEAKS.data(horizon_s=60, follow="queue_imbalance", known_at=(), recorded=True)
def book_of_the_next_minute() -> pl.DataFrame:
    """QQQ's imbalance of the queues, one minute early, under the name hft knows."""
    return qqq("20240610").with_columns(
        pl.col("qi_mean").shift(-1).over("day").alias("queue_imbalance")
    )


@LEAKS.data(horizon_s=30 * 86_400, recorded=True)
def dividends_to_come() -> pl.DataFrame:
    """Adjusted over plain close: how much will still be paid until the download."""
    rows = stocks(rows=800)
    ratio = pl.col("adj close") / pl.col("close")
    return rows.with_columns(ratio.alias("score")).drop("adj close")
