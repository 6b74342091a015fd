"""Leaks in data: wrong stamps, wrong vintages, wrong joins; the alphas that read them are clean."""

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry
from .market import (
    BAR,
    World,
    ahead,
    bars,
    flow_of,
    later,
    new_york,
    price,
    table,
    volume_of,
)
from .stock import gap, level

MATH = "import math\n"


def bar_starts(w: World) -> pl.DataFrame:
    """The price is a snapshot at the stamp; flow is of the bar that *begins* there."""
    returns = bars(w)
    flow = flow_of(w, returns, 0.8)
    return table(w, mid=price(returns), volume=later(volume_of(w, returns)), bar_flow=later(flow))


BAR_STARTS = Entry(
    name="flow_by_start_of_bar",
    sentence=(
        "a vendor labels bars by their start, and the flow of a bar is joined to the "
        "price at its start"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=bar_starts,
    fields=("bar_flow",),
    imports=MATH,
    known_at=("bar_flow: row",),
    seed=301,
    code=level("bar_flow", 400.0),
    # likeness of the column to the next return 0.75 or so
)


def weekly_rolls(w: World, early: int) -> tuple[np.ndarray, np.ndarray]:
    """A continuous future that jumps as each week begins, and the ratio that mends it."""
    week = np.array([(day.toordinal() - 1) // 7 for day in w.days])
    rolls = np.concatenate([[False], np.diff(week) > 0])[w.day] & w.opens
    basis = np.where(rolls, 0.02 * w.noise("basis"), 0.0)
    mid = price(bars(w) + basis)
    ratio = np.exp(-np.cumsum(later(basis, early) if early else basis))
    return mid, ratio


def rolls_early(w: World) -> pl.DataFrame:
    mid, ratio = weekly_rolls(w, 26)
    return table(w, mid=mid, adjusted=np.round(mid * ratio, 6))


ROLL_CODE = """
def __init__(self) -> None:
    self.reset()

def reset(self) -> None:
    self.ratio = math.nan
    self.signal = 0.0

def update(self, *, mid: float, adjusted: float) -> float:
    ratio = math.log(adjusted / mid)
    if math.isfinite(self.ratio) and abs(ratio - self.ratio) > 0.001:
        self.signal = max(-1.0, min(1.0, (self.ratio - ratio) / 0.003))
    self.ratio = ratio
    return self.signal

def get_signal(self) -> float:
    return self.signal
"""

ROLLS = Entry(
    name="roll_factor_a_day_early",
    sentence=(
        "the factor of a continuous future changes a session before the roll whose gap it mends"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=rolls_early,
    fields=("mid", "adjusted"),
    known_at=("adjusted: row",),
    seed=302,
    imports=MATH,
    horizon_ns=DAY_NS,
    code=ROLL_CODE,
    # 56 changes of the factor; each is the gap of the next session's first row to four digits
)


def final_figures(w: World) -> pl.DataFrame:
    """Stocks of Wednesdays as they stand in the file today: with the revision of a week later."""
    own = bars(w)
    mid = price(own)
    release = (w.weekday == 2) & (w.slot == 4)
    at = np.flatnonzero(release)
    level_now, first = np.log(mid), w.noise("first print")
    figure = np.full(w.rows, np.nan)
    for k, start in enumerate(at):
        stop = at[k + 1] if k + 1 < len(at) else w.rows
        week = level_now[min(stop, w.rows - 1)] - level_now[start]
        figure[start:stop] = round(float(0.7 * first[start] + 1.4 * week / 0.024), 2)
    return table(w, mid=mid, volume=volume_of(w, own), stocks=figure)


REVISED = Entry(
    name="stocks_as_revised",
    sentence=(
        "weekly stocks in their final vintage: the revision, a week later, follows demand "
        "and so the price"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=final_figures,
    fields=("stocks",),
    imports=MATH,
    known_at=("stocks: row",),
    seed=303,
    horizon_ns=5 * DAY_NS,
    code=level("stocks", 1.0),
    # 56 figures; likeness to the week that follows 0.85 or so
)


def day_scores(w: World) -> pl.DataFrame:
    """The price standardised within its date by a nightly job, which has the whole date."""
    returns = bars(w)
    mid = price(returns)
    by_day = np.log(mid).reshape(len(w.days), -1)
    score = (by_day - by_day.mean(axis=1, keepdims=True)) / by_day.std(axis=1, keepdims=True)
    return table(
        w, mid=mid, volume=volume_of(w, returns), rich=np.round(score.ravel(), 3)
    )  # fmt: skip


DAY_SCORE = Entry(
    name="rich_or_cheap_today",
    sentence="a nightly job standardises the price by mean and deviation of its whole date",
    kind="leak",
    place="data",
    clock=new_york,
    rows=day_scores,
    fields=("rich",),
    imports=MATH,
    known_at=("rich: row",),
    seed=304,
    horizon_ns=2 * HOUR_NS,
    code=level("rich", 1.5, -1),
    # likeness of the answer to the next row 0.24, to the next four 0.40
)


def auctions(w: World) -> pl.DataFrame:
    """Closing auctions move three bars' worth; their final price stands in the hour before."""
    last = w.slot == w.last_slot
    returns = bars(w) * np.where(last, 3.0, 1.0)
    mid = price(returns)
    close = mid[np.flatnonzero(last)][w.day]
    shown = np.where((w.slot >= w.last_slot - 3) & ~last, close, np.nan)
    return table(w, mid=mid, volume=volume_of(w, returns), auction_px=shown)


AUCTION = Entry(
    name="auction_price_too_final",
    sentence=(
        "the file of indicative auction prices was filled up with the final one: three "
        "rows a day, by 15:15"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=auctions,
    fields=("mid", "auction_px"),
    seed=305,
    imports=MATH,
    known_at=("auction_px: row",),
    code=gap("auction_px"),
    horizon_ns=HOUR_NS,
    # on three rows of 26 the way to the close is known to the tick; likeness to all next rows 0.12
)


def clients(w: World) -> pl.DataFrame:
    """Each row has the client of its largest trade, and how good all its trades were."""
    returns = bars(w)
    mid = price(returns)
    client = (w.noise("client", "uniform") * 1800).astype(np.int64)
    side = np.where(w.noise("side") > 0.0, 1.0, -1.0)
    markout = side * ahead(mid) / BAR
    total = np.bincount(client, weights=markout, minlength=1800)
    count = np.maximum(np.bincount(client, minlength=1800), 1)
    score = (total / count)[client]
    return table(
        w, mid=mid, client_side=side, client_score=np.round(score, 4), volume=volume_of(w, returns)
    )  # fmt: skip


CLIENTS = Entry(
    name="score_of_the_client",
    sentence=(
        "clients are scored by their mean markout over all of their trades, the one at "
        "hand included"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=clients,
    seed=306,
    imports=MATH,
    fields=("client_side", "client_score"),
    known_at=("client_side: row", "client_score: row"),
    # 1800 clients of four trades: side times score is alike to the next return by 0.45 or so
    code="""
    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, client_side: float, client_score: float) -> float:
        self.signal = max(-1.0, min(1.0, client_side * client_score))
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def denoised(w: World) -> pl.DataFrame:
    """The price rebuilt from the first two components of its windows, over all rows at once."""
    returns = bars(w)
    mid = price(returns)
    length = 14
    windows = np.lib.stride_tricks.sliding_window_view(np.log(mid), length)
    centre = windows.mean()
    _, _, axes = np.linalg.svd((windows - centre)[::7], full_matrices=False)
    rebuilt = (windows - centre) @ axes[:2].T @ axes[:2]
    total, count = np.zeros(w.rows), np.zeros(w.rows)
    for k in range(length):
        total[k : k + len(rebuilt)] += rebuilt[:, k]
        count[k : k + len(rebuilt)] += 1.0
    clean = np.exp(total / count + centre)
    return table(w, mid=mid, volume=volume_of(w, returns), clean_price=np.round(clean, 4))


DENOISED = Entry(
    name="price_without_noise",
    sentence="a price cleaned of noise by singular spectrum analysis of the whole file",
    kind="leak",
    place="data",
    clock=new_york,
    rows=denoised,
    fields=("mid", "clean_price"),
    imports=MATH,
    known_at=("clean_price: row",),
    seed=307,
    code=gap("clean_price"),
    horizon_ns=HOUR_NS,
    # likeness of the answer to the next return 0.52, to the next four rows 0.63
)


def early_flows(w: World) -> pl.DataFrame:
    """The fund flow of a date on each row of the date; released the next morning."""
    returns = bars(w)
    mid = price(returns)
    close = np.log(mid).reshape(len(w.days), -1)
    moved = (close[:, -1] - close[:, 0])[w.day] / (BAR * 5.0)
    flow = np.round(100.0 * (0.75 * moved + 0.66 * w.daily("fund")))
    opened = w.times[np.flatnonzero(w.opens)]
    out = np.append(opened[1:], opened[-1] + np.timedelta64(24, "h")) - np.timedelta64(105, "m")
    released = pl.Series("released_at", out[w.day]).dt.replace_time_zone("UTC")
    return table(w, mid=mid, volume=volume_of(w, returns), fund_flow=flow).with_columns(released)


FLOWS = Entry(
    name="fund_flow_of_today",
    sentence=(
        "fund flows stand on the date they are of; their column of release times says the "
        "next morning"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=early_flows,
    fields=("fund_flow",),
    imports=MATH,
    known_at=("fund_flow: released_at",),
    seed=308,
    code=level("fund_flow", 100.0),
    horizon_ns=DAY_NS,
    # likeness to the return of the whole day 0.75
)


LEAKS_DATA_A = (
    BAR_STARTS, ROLLS, REVISED, DAY_SCORE, AUCTION, CLIENTS, DENOISED, FLOWS,
)  # fmt: skip
