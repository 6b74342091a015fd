"""Innocents in data: slow values, stale surveys, expiries, forecasts, ranks, auctions, factors."""

import datetime as dt

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry, Frames
from .innocents_code_a import carried
from .leaks_data_a import ROLL_CODE, weekly_rolls
from .market import (
    BAR,
    World,
    bars,
    daily_rows,
    flow_of,
    new_york,
    price,
    table,
    volume_of,
)
from .stock import gap, level

MATH = "import math\n"


def fair_values(w: World) -> pl.DataFrame:
    """The price comes back to a value that moves slowly and is known at its row."""
    value = np.cumsum(0.5 * bars(w, "value"))
    own, now, logs = bars(w), 0.0, np.zeros(w.rows)
    for k in range(w.rows):
        now += own[k] + (0.03 * (value[k - 1] - now) if k else 0.0)
        logs[k] = now
    mid = price(np.diff(logs, prepend=0.0))
    return table(w, mid=mid, volume=volume_of(w, own), fair_value=np.round(100 * np.exp(value), 3))


FAIR = Entry(
    name="value_that_attracts",
    sentence="a model's fair value, slow and smooth, to which the price comes back for days",
    kind="innocent",
    place="data",
    clock=new_york,
    rows=fair_values,
    fields=("mid", "fair_value"),
    imports=MATH,
    known_at=("fair_value: row",),
    seed=401,
    code=gap("fair_value"),
    horizon_ns=DAY_NS,
)


def surveys(w: World) -> pl.DataFrame:
    """A survey of Wednesdays 10:30, kept until the next: a little of the week's drift is in it."""
    release = (w.weekday == 2) & (w.slot == 4)
    which = np.cumsum(release)
    draws = np.where(release, w.noise("survey"), 0.0)
    values = np.concatenate([[0.0], draws[np.flatnonzero(release)]])
    known = values[which]
    returns = bars(w) + 0.07 * BAR * carried(known)
    return table(
        w, mid=price(returns), volume=volume_of(w, returns), sentiment=np.round(known * 10) / 10
    )  # fmt: skip


SURVEY = Entry(
    name="stale_survey",
    sentence="a weekly survey in steps: on 129 of 130 rows the value is old",
    kind="innocent",
    place="data",
    clock=new_york,
    rows=surveys,
    fields=("sentiment",),
    imports=MATH,
    known_at=("sentiment: row",),
    seed=402,
    horizon_ns=5 * DAY_NS,
    code=level("sentiment", 1.0),
)


def expiries(w: World) -> pl.DataFrame:
    """The third Friday of the month, known years ahead; the price sags in the two days before."""
    ends, left = [], []
    for day in w.days:
        end = _third_friday(day.year, day.month)
        if day > end:
            end = _third_friday(day.year + day.month // 12, day.month % 12 + 1)
        ends.append(dt.datetime.combine(end, dt.time(21)))
        left.append((end - day).days)
    days_left = np.array(left)[w.day]
    returns = bars(w) + BAR * np.where(days_left <= 3, -0.3, 0.04)
    expiry = pl.Series("expiry", np.array(ends, "datetime64[ns]")[w.day])
    frame = table(w, mid=price(returns), volume=volume_of(w, returns), days_left=days_left)
    return frame.with_columns(expiry.dt.replace_time_zone("UTC"))


def _third_friday(year: int, month: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)


EXPIRY = Entry(
    name="days_to_expiry",
    sentence="days to the next expiry, and a column with its time, which lies ahead of every row",
    kind="innocent",
    place="data",
    clock=new_york,
    rows=expiries,
    fields=("days_left",),
    seed=403,
    known_at=("days_left: row", "expiry: row"),
    horizon_ns=DAY_NS,
    code="""
    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, days_left: float) -> float:
        self.signal = -1.0 if days_left <= 3 else 0.4
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def forecasts(w: World) -> pl.DataFrame:
    """A vendor's forecast of the day, issued at 09:15 in New York; a third of it is skill."""
    drift = w.daily("day")
    returns = bars(w) + np.where(w.opens, 0.0, 0.06 * BAR * drift)
    said = np.round(0.8 * drift + 0.6 * w.daily("vendor"), 2)
    opened = w.times[np.flatnonzero(w.opens)][w.day] - np.timedelta64(30, "m")
    issued = pl.Series("issued_at", opened).dt.replace_time_zone("UTC")
    frame = table(w, mid=price(returns), volume=volume_of(w, returns), forecast=said)
    return frame.with_columns(issued)


FORECAST = Entry(
    name="forecast_of_a_vendor",
    sentence=(
        "a column called forecast: issued before the open, its time of issue beside it, "
        "with honest skill"
    ),
    kind="innocent",
    place="data",
    clock=new_york,
    rows=forecasts,
    fields=("forecast",),
    seed=404,
    imports=MATH,
    known_at=("forecast: issued_at",),
    horizon_ns=DAY_NS,
    code=level("forecast", 1.0),
)


def ranges(w: World) -> pl.DataFrame:
    """Variance comes in runs; the estimator is of highs and lows of the last 26 rows."""
    calm = np.exp(0.6 * np.sin(np.cumsum(w.noise("calm")) / 15.0))
    calm = np.concatenate([[1.0], calm[:-1]])
    own = bars(w) * calm
    returns = own.copy()
    for k in range(1, w.rows):
        returns[k] -= 0.12 * own[k - 1] * (calm[k] > 1.0)
    mid = price(returns)
    wide = np.abs(w.noise("wide")) * BAR * calm * 0.7
    last = np.concatenate([mid[:1], mid[:-1]])
    high = np.round(np.maximum(mid, last) * (1.0 + wide), 3)
    low = np.round(np.minimum(mid, last) * (1.0 - np.abs(w.noise("deep")) * BAR * calm * 0.7), 3)
    square = np.log(high / low) ** 2 / (4.0 * np.log(2.0))
    mean = np.convolve(square, np.ones(26))[: w.rows] / np.minimum(np.arange(w.rows) + 1, 26)
    return table(
        w, mid=mid, high=high, low=low, volume=volume_of(w, returns),
        range_vol=np.round(np.sqrt(mean) * 1e4, 3),
    )  # fmt: skip


RANGES = Entry(
    name="volatility_of_ranges",
    sentence="Parkinson's estimator of the last 26 rows says when moves come back",
    kind="innocent",
    place="data",
    clock=new_york,
    rows=ranges,
    fields=("mid", "range_vol"),
    seed=405,
    imports=MATH,
    known_at=("range_vol: row",),
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.last, self.usual, self.signal = math.nan, 0.0, 0.0

    def update(self, *, mid: float, range_vol: float) -> float:
        self.usual += (range_vol - self.usual) * 0.005
        if math.isfinite(self.last):
            move = math.log(mid / self.last) * 1e4
            wild = 1.0 if range_vol > self.usual else 0.3
            self.signal = math.tanh(-wild * move / max(range_vol, 1e-9))
        self.last = mid
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def ranks(w: World) -> Frames:
    """Ten names; whoever fell behind the others over five days catches up."""
    names = ("KAY", "LEO", "MIM", "NOX", "OWL", "PIA", "QED", "RYE", "SKY", "TOM")
    own = np.array([0.012 * w.noise(name) for name in names]) + 0.006 * w.noise("market")
    returns, rank = own.copy(), np.zeros_like(own)
    for k in range(w.rows):
        if k:
            returns[:, k] -= 0.002 * rank[:, k - 1]
        recent = returns[:, max(0, k - 4) : k + 1].sum(axis=1)
        rank[:, k] = (recent.argsort().argsort() - 4.5) / 4.5
    return {
        name: table(w, close=price(returns[j], 40.0, 0.01), cross_rank=np.round(rank[j], 3))
        for j, name in enumerate(names)
    }


RANKS = Entry(
    name="rank_among_ten_names",
    sentence=(
        "a rank across ten names at one stamp: each row's column knows the other names, "
        "at that stamp"
    ),
    kind="innocent",
    place="data",
    clock=daily_rows,
    rows=ranks,
    fields=("cross_rank",),
    imports=MATH,
    known_at=("cross_rank: row",),
    seed=406,
    horizon_ns=DAY_NS,
    code=level("cross_rank", 1.0, -1),
)


def gaps(w: World) -> pl.DataFrame:
    """The gap of the night stands on every row of its session; a part of it goes on."""
    own = bars(w)
    night = own[np.flatnonzero(w.opens)][w.day]
    returns = own + np.where(w.opens, 0.0, 0.012 * night)
    return table(
        w, mid=price(returns), volume=volume_of(w, returns), night_gap=np.round(night * 1e4, 1)
    )  # fmt: skip


GAPS = Entry(
    name="gap_of_the_night",
    sentence=(
        "one number a day, the gap at the open, on all rows of its session; it looks like "
        "a daily figure"
    ),
    kind="innocent",
    place="data",
    clock=new_york,
    rows=gaps,
    fields=("night_gap",),
    imports=MATH,
    known_at=("night_gap: row",),
    seed=407,
    horizon_ns=DAY_NS,
    code=level("night_gap", 50.0),
)


def indications(w: World) -> pl.DataFrame:
    """In the last hour orders for the auction are shown; a third of what they say comes true."""
    last = w.slot == w.last_slot
    hour = (w.slot >= w.last_slot - 3) & ~last
    book = np.where(hour, w.noise("book"), 0.0)
    standing = np.zeros(w.rows)
    for k in range(1, w.rows):
        standing[k] = (standing[k - 1] + book[k]) * hour[k]
    returns = bars(w) * np.where(last, 2.0, 1.0) + np.where(last, 0.7 * BAR, 0.0) * carried(
        standing
    )
    mid = price(returns)
    shown = np.where(hour, np.round(mid * (1.0 + 1.5 * BAR * standing), 2), np.nan)
    return table(w, mid=mid, volume=volume_of(w, returns), indicative_px=shown)


INDICATIVE = Entry(
    name="indicative_auction_price",
    sentence=(
        "the exchange's indicative price of the closing auction, three rows a day, "
        "elsewhere missing"
    ),
    kind="innocent",
    place="data",
    clock=new_york,
    rows=indications,
    fields=("mid", "indicative_px"),
    imports=MATH,
    known_at=("indicative_px: row",),
    seed=408,
    horizon_ns=HOUR_NS,
    code=gap("indicative_px"),
)


def rolls_in_time(w: World) -> pl.DataFrame:
    """The factor changes on the row of the gap; trends of the mended price go on."""
    mid, ratio = weekly_rolls(w, 0)
    smooth = np.round(mid * ratio, 6)
    return table(w, mid=mid, adjusted=smooth, ofi=flow_of(w, np.diff(np.log(smooth), prepend=0.0)))


FACTORS = Entry(
    name="roll_factor_in_time",
    sentence=(
        "the same future with its factor on the right row: price and column jump apart by "
        "two per cent"
    ),
    kind="innocent",
    place="data",
    clock=new_york,
    rows=rolls_in_time,
    fields=("mid", "adjusted"),
    imports=MATH,
    known_at=("adjusted: row",),
    seed=409,
    horizon_ns=DAY_NS,
    code=ROLL_CODE,
    # earns nothing: a column that is honest and useless
)

INNOCENTS_DATA_A = (
    FAIR, SURVEY, EXPIRY, FORECAST, RANGES, RANKS, GAPS, INDICATIVE, FACTORS,
)  # fmt: skip
