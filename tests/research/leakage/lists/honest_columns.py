"""Innocent: columns of an author's own that look odd, or look ahead only by the calendar."""

import math

import numpy as np
import polars as pl

from .case import Group, Streamed
from .markets import (
    DAY_NS,
    MINUTE_NS,
    around_the_clock,
    backward,
    coins,
    decayed,
    etf,
    minutes,
    panel,
    perpetual,
    qqq,
    scored,
    seeded,
    standard,
    stocks,
)

HONEST = Group("honest columns")
HOUR_S = 3600


@HONEST.data(horizon_s=60)
def imbalance_that_works() -> pl.DataFrame:
    """A book's imbalance that the next return follows at 0.4: a fast and true edge."""
    rows = minutes(seed=141)
    random = seeded(142)
    lean = standard(decayed(random.normal(size=len(rows)), 0.6))
    step = 3e-4 * (0.4 * np.append(0.0, lean[:-1]) + 0.92 * random.normal(size=len(rows)))
    return scored(rows.with_columns(pl.Series("mid", 100 * np.exp(np.cumsum(step)))), lean)


@HONEST.data(horizon_s=300)
def slow_edge() -> pl.DataFrame:
    """A regime that lasts hours and leans on every return a little."""
    rows = around_the_clock(minutes_apart=5, seed=143)
    random = seeded(144)
    regime = standard(decayed(random.normal(size=len(rows)), 0.99))
    step = 1e-3 * (0.08 * np.append(0.0, regime[:-1]) + random.normal(size=len(rows)))
    return scored(rows.with_columns(pl.Series("close", 2e4 * np.exp(np.cumsum(step)))), regime)


@HONEST.data(horizon_s=600)
def price_that_reverts() -> pl.DataFrame:
    """Distance from par of a price that is drawn to par: strong at long horizons, and true."""
    rows = minutes(seed=145)
    level = decayed(seeded(146).normal(0, 0.05, len(rows)), 0.97)
    return scored(rows.with_columns(pl.Series("mid", 100 + level)), -level)


@HONEST.data(horizon_s=300, follow="nav_gap")
def stale_index() -> pl.DataFrame:
    """An index that is marked late: the fund's price has been where the index will go."""
    rows = minutes(seed=147)
    fair = np.log(rows["mid"].to_numpy())
    index = np.empty(len(fair))
    index[0] = fair[0]
    for k in range(1, len(fair)):
        index[k] = index[k - 1] + 0.3 * (fair[k] - index[k - 1])
    rows = rows.with_columns(pl.Series("mid", np.exp(index)))
    return scored(rows, (fair - index) * 1e3, "nav_gap")


@HONEST.data(horizon_s=600, follow="vol_forecast", recorded=True)
def forecast_of_volatility() -> pl.DataFrame:
    """QQQ's decayed absolute move of the last half hour."""
    rows = qqq("20240505", 12)
    now = pl.col("close").pct_change().abs().ewm_mean(span=30)
    return rows.with_columns((now * 1e4).alias("vol_forecast"))


@HONEST.data(horizon_s=60, follow="usual_volume", recorded=True)
def usual_volume_of_the_minute() -> pl.DataFrame:
    """The mean volume of this minute over the days before: it knows the shape of the next one."""
    rows = qqq("20240115", 12)
    before = pl.col("vol").shift(1).cum_sum() / pl.int_range(1, pl.len() + 1)
    return rows.with_columns(np.log1p(before.fill_null(0.0)).over("b").alias("usual_volume"))


@HONEST.data(horizon_s=HOUR_S, follow="to_close")
def minutes_to_the_close() -> pl.DataFrame:
    """Minutes until the session ends, known from the calendar."""
    rows = minutes(seed=148)
    return scored(rows, (249 - rows["minute"].to_numpy()) / 250, "to_close")


@HONEST.data(horizon_s=HOUR_S, follow="next_expiry", known_at=("next_expiry: row",))
def next_expiry() -> pl.DataFrame:
    """Days to the next expiry of options, and its date as seconds, which lies ahead."""
    rows = minutes(seed=149)
    ts = rows["ts"].to_numpy()
    friday = (ts // DAY_NS + (8 - (ts // DAY_NS + 3) % 7 - 4) % 7) * DAY_NS + 20 * 60 * MINUTE_NS
    return scored(rows, (friday - ts) / DAY_NS, "next_expiry")


@HONEST.data(
    horizon_s=HOUR_S, follow="days_left", known_at=("days_left: row", "last_trading_day: row")
)
def last_trading_day() -> pl.DataFrame:
    """A future's last trading day as a column of times ahead, told as known."""
    rows = minutes(seed=150)
    last = np.full(len(rows), 1_679_000_000.0)
    left = (last - rows["ts"].to_numpy() / 1e9) / 86_400
    return scored(rows, left, "days_left").with_columns(pl.Series("last_trading_day", last))


@HONEST.data(horizon_s=HOUR_S, follow="sentiment", known_at=("sentiment: received",))
def vendor_with_its_times() -> pl.DataFrame:
    """A vendor's score and the time it was received, always before its row."""
    rows = minutes(seed=151)
    received = rows["ts"].to_numpy() - seeded(152).integers(1, 900, len(rows)) * 1_000_000_000
    score = decayed(seeded(153).normal(size=len(rows)), 0.95)
    return scored(rows, score, "sentiment").with_columns(pl.Series("received", received))


@HONEST.data(horizon_s=8 * HOUR_S, follow="funding", recorded=True)
def funding_steps() -> pl.DataFrame:
    """A funding rate that stands for eight hours, weekends too, from the eight hours before."""
    rows = perpetual(4320).with_columns(
        (pl.col("ts").dt.epoch("s") // 28_800).alias("period"),
    )
    past = rows.group_by("period", maintain_order=True).agg(
        (pl.col("close").last() / pl.col("close").first() - 1).alias("funding") * 100
    )
    past = past.with_columns(pl.col("funding").shift(1).fill_null(0.0))
    return rows.join(past, on="period", how="left").drop("period")


@HONEST.data(horizon_s=300, follow="rank_now", recorded=True)
def rank_among_the_coins() -> pl.DataFrame:
    """Each coin's move of half an hour ranked among all at the same time."""
    rows = coins(("ADA", "DASH", "ETC", "ETH", "XLM"), 700)
    moved = (pl.col("close") / pl.col("close").shift(6) - 1).over("symbol")
    rows = rows.with_columns(moved.alias("m"))
    rank = (pl.col("m").rank() / pl.len() - 0.5).over("ts")
    return rows.with_columns(rank.alias("rank_now")).drop("m")


@HONEST.data(horizon_s=300, follow="btc_led", recorded=True)
def leader_of_before() -> pl.DataFrame:
    """The mean move of the coins of the bar before: a leader that is really earlier."""
    rows = coins(("ETH", "LTC", "TRX", "NXT"), 900)
    moved = (pl.col("close") / pl.col("close").shift(1) - 1).over("symbol")
    rows = rows.with_columns(moved.alias("m"))
    rows = rows.with_columns(pl.col("m").mean().over("ts").alias("all"))
    led = pl.col("all").shift(1).over("symbol") * 100
    return rows.with_columns(led.alias("btc_led")).drop("m", "all")


@HONEST.data(horizon_s=86_400, follow="sector_rank", recorded=True)
def reversal_among_stocks() -> pl.DataFrame:
    """Minus the week's move against the other names, daily, 2000 on."""
    rows = stocks(("AAPL", "BAC", "KO", "T", "PFE"), 750).drop("adj close")
    moved = (pl.col("close") / pl.col("close").shift(5) - 1).over("symbol")
    rows = rows.with_columns(moved.alias("m"))
    return rows.with_columns((-(pl.col("m") - pl.col("m").mean().over("ts"))).alias("sector_rank"))


@HONEST.data(horizon_s=1800, follow="prior_high", recorded=True)
def level_of_yesterday() -> pl.DataFrame:
    """Yesterday's high as a price on each row of today."""
    rows = etf("SPY", "2000-04", 8000).with_columns(pl.col("ts").dt.date().alias("d"))
    highs = rows.group_by("d", maintain_order=True).agg(pl.col("high").max().alias("prior_high"))
    highs = highs.with_columns(pl.col("prior_high").shift(1))
    return rows.join(highs, on="d", how="left").drop("d").with_columns(pl.col("prior_high") / 1e3)


@HONEST.data(horizon_s=1800, follow="gap", recorded=True)
def gap_of_this_morning() -> pl.DataFrame:
    """This morning's opening gap, on each row after it."""
    rows = etf("IWM", "2002-07", 6000).with_columns(pl.col("ts").dt.date().alias("d"))
    days = rows.group_by("d", maintain_order=True).agg(
        pl.col("open").first(), pl.col("close").last()
    )
    days = days.select("d", ((pl.col("open") / pl.col("close").shift(1) - 1) * 100).alias("gap"))
    return rows.join(days, on="d", how="left").drop("d")


@HONEST.data(horizon_s=600, follow="day_volume", recorded=True)
def volume_of_the_day_so_far() -> pl.DataFrame:
    """Volume cumulated since the open, in millions: it rises by the clock."""
    rows = qqq("20241104", 10)
    return rows.with_columns((pl.col("vol").cum_sum().over("day") / 1e6).alias("day_volume"))


@HONEST.data(horizon_s=600, follow="pair_spread", recorded=True)
def spread_below_zero() -> pl.DataFrame:
    """ETC against ETH by a past ratio: a spread of prices that is negative half of the time."""
    rows = coins(("ETC", "ETH"), 2500)
    wide = rows.pivot(on="symbol", index="ts", values="close").sort("ts").drop_nulls()
    ratio = (wide["ETC"] / wide["ETH"]).to_numpy()
    past = pl.Series(ratio).rolling_mean(200, min_samples=1).to_numpy()
    wide = wide.select("ts", pl.Series("pair_spread", (ratio / past - 1) * 100))
    own = rows.filter(pl.col("symbol") == "ETC").drop("symbol")
    return own.join(wide, on="ts", how="inner")


@HONEST.data(horizon_s=300, follow="ret_5m", recorded=True)
def trailing_return_by_name() -> pl.DataFrame:
    """The return of the last five minutes, called ret_5m as everybody does."""
    rows = perpetual(4000, 30_000)
    past = backward(rows["close"].to_numpy(), 5) * 1e3
    return rows.with_columns(pl.Series("ret_5m", past))


@HONEST.data(horizon_s=HOUR_S, follow="futures_basis")
def basis_of_the_future() -> pl.DataFrame:
    """Futures over spot, which is a basis and no forecast."""
    rows = around_the_clock(seed=155)
    return scored(rows, decayed(seeded(156).normal(0, 0.05, len(rows)), 0.98), "futures_basis")


@HONEST.data(horizon_s=HOUR_S, follow="fed_target")
def target_rate() -> pl.DataFrame:
    """The central bank's target rate: one step in the whole sample."""
    rows = minutes(seed=157)
    return scored(rows, np.where(np.arange(len(rows)) < 1700, 4.5, 4.75), "fed_target")


@HONEST.code(
    lambda: minutes(seed=158, tick=0.25).drop("step", "minute"), ("current_mid", "trade_vol")
)
class CoarseTicks(Streamed):
    """A price with ticks of a quarter: half of its moves are zero; volume on ties."""

    def start(self):
        self.last = None

    def step(self, current_mid, trade_vol):
        tied = self.last == current_mid
        self.last = current_mid
        return math.log1p(trade_vol) / 10 - 0.7 if tied else 0.0


@HONEST.data(horizon_s=600, follow="idle")
def halted_with_zero_volume() -> pl.DataFrame:
    """A price that stands still for an hour at no volume, and minutes since the last trade."""
    rows = minutes(seed=159)
    k = np.arange(len(rows))
    still = (k % 250 >= 100) & (k % 250 < 160)
    mid = pl.Series("mid", np.where(still, np.nan, rows["mid"].to_numpy())).fill_nan(None)
    idle = np.where(still, k % 250 - 99, 0) / 60
    rows = rows.with_columns(
        mid.forward_fill(),
        pl.when(still).then(0.0).otherwise(pl.col("trade_vol")).alias("trade_vol"),
    )
    return scored(rows, idle, "idle")


@HONEST.data(horizon_s=600, follow="odd", recorded=True)
def odd_lots() -> pl.DataFrame:
    """The part of the volume of a coin beyond whole coins, less one half."""
    rows = coins(("DASH",), 4000).drop("symbol")
    return rows.with_columns((pl.col("volume") % 1.0 - 0.5).alias("odd"))


@HONEST.data(horizon_s=60, follow="lead_lag")
def panel_with_a_leader() -> pl.DataFrame:
    """A panel where one name leads the others by a minute, honestly, at 0.35."""
    rows = panel(seed=160)
    first = rows.filter(pl.col("symbol") == "N00").select("ts", pl.col("mid").alias("lead"))
    first = first.with_columns((pl.col("lead") / pl.col("lead").shift(1) - 1).fill_null(0.0))
    rows = rows.join(first, on="ts", how="left")
    pushed = pl.col("lead").shift(1).over("symbol").fill_null(0.0)
    push = pl.when(pl.col("symbol") == "N00").then(0.0).otherwise(0.4 * pushed)
    moved = push.cum_sum().over("symbol")
    rows = rows.with_columns((pl.col("mid") * (1 + moved)).alias("mid"))
    rows = rows.with_columns((pl.col("lead") * 1e3).alias("lead_lag"))
    return rows.drop("lead", "minute")
