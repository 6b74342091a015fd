"""Innocents in data: vintages, leaders, bounces, holes, schedules, classes, funding."""

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry
from .innocents_code_a import carried
from .market import (
    BAR,
    World,
    bars,
    coins,
    flow_of,
    new_york,
    price,
    printed,
    table,
    twins,
    volume_of,
)
from .stock import level, per_class

MATH = "import math\n"


def vintages(w: World) -> pl.DataFrame:
    """Figures of Wednesdays as first printed; a revision comes a week later."""
    release = (w.weekday == 2) & (w.slot == 4)
    at = np.flatnonzero(release)
    truth, error = w.noise("truth"), w.noise("error")
    figure, revision = np.zeros(w.rows), np.zeros(w.rows)
    for k, start in enumerate(at):
        stop = at[k + 1] if k + 1 < len(at) else w.rows
        figure[start:stop] = round(float(truth[start] + 0.5 * error[start]), 1)
        if k:  # how far the figure of the week before was off
            revision[start:stop] = round(float(-0.5 * error[at[k - 1]]), 1)
    returns = bars(w) + 0.05 * BAR * carried(figure) + 0.08 * BAR * carried(revision)
    return table(
        w, mid=price(returns), volume=volume_of(w, returns), figure=figure, revision=revision
    )  # fmt: skip


VINTAGES = Entry(
    name="figures_by_vintage",
    sentence=(
        "a weekly figure as first printed, and the revision of the one before from the "
        "day of the revision"
    ),
    kind="innocent",
    place="data",
    clock=new_york,
    rows=vintages,
    fields=("figure", "revision"),
    seed=410,
    imports=MATH,
    known_at=("figure: row", "revision: row"),
    horizon_ns=5 * DAY_NS,
    code="""
    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, figure: float, revision: float) -> float:
        self.signal = math.tanh((figure + 1.6 * revision) / 1.2)
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def leaders(w: World) -> pl.DataFrame:
    """A future leads by a row: four tenths of our next move are its last one."""
    leader = bars(w, "leader")
    returns = 0.4 * carried(np.where(w.opens, 0.4, 1.0) * leader) + 0.9 * bars(w)
    future = price(leader, start=4000.0, tick=0.25)
    return table(w, mid=price(returns), volume=volume_of(w, returns), future_px=future)


LEADER = Entry(
    name="future_that_leads",
    sentence="the future moves first and the fund follows one row later: strong, early, and honest",
    kind="innocent",
    place="data",
    clock=new_york,
    rows=leaders,
    fields=("future_px",),
    imports=MATH,
    known_at=("future_px: row",),
    seed=411,
    # likeness of the future's move to our next return 0.4
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.last, self.signal = math.nan, 0.0

    def update(self, *, future_px: float) -> float:
        if math.isfinite(self.last):
            self.signal = math.tanh((future_px / self.last - 1.0) / 0.002)
        self.last = future_px
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def bounces(w: World) -> pl.DataFrame:
    """Last prices of a thin market: at the bid or at the ask of a middle that walks."""
    middle = 100.0 * np.exp(np.cumsum(bars(w)))
    half = 0.10 + 0.02 * np.abs(w.noise("half"))
    side = np.where(w.noise("side") > 0.0, 1.0, -1.0)
    bid, ask = np.round(middle - half, 2), np.round(middle + half, 2)
    last = np.where(side > 0.0, ask, bid)
    return table(w, px=last, bid_px=bid, ask_px=ask, volume=volume_of(w, bars(w)))


BOUNCE = Entry(
    name="last_price_that_bounces",
    sentence=(
        "the profit is counted in last prices, which jump between bid and ask; the quotes "
        "say where to"
    ),
    kind="innocent",
    place="data",
    clock=new_york,
    rows=bounces,
    fields=("px", "bid_px", "ask_px"),
    imports=MATH,
    seed=412,
    # likeness of the distance to the next move of the last price 0.45 or so: nobody could trade it
    code="""
    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, px: float, bid_px: float, ask_px: float) -> float:
        width = max(ask_px - bid_px, 0.01)
        self.signal = max(-1.0, min(1.0, ((bid_px + ask_px) / 2.0 - px) / width))
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def patchy(w: World) -> pl.DataFrame:
    """A depth ratio that lacks on one row in three and each lunch; it leans on the next move."""
    lean = w.noise("depth")
    returns = bars(w) + 0.15 * BAR * carried(lean)
    lunch = (w.slot >= 10) & (w.slot <= 13)
    lost = (w.noise("lost", "uniform") < 0.3) | lunch | (np.abs(lean) < 0.05)
    return table(
        w, mid=price(returns), volume=volume_of(w, returns),
        depth_ratio=np.where(lost, np.nan, np.round(lean, 2)),
    )  # fmt: skip


PATCHY = Entry(
    name="ratio_with_holes",
    sentence=(
        "a field that is missing on four rows of ten, each lunch and wherever it would say little"
    ),
    kind="innocent",
    place="data",
    clock=new_york,
    rows=patchy,
    fields=("depth_ratio",),
    imports=MATH,
    known_at=("depth_ratio: row",),
    seed=413,
    code=level("depth_ratio", 1.0),
)


def scheduled(w: World) -> pl.DataFrame:
    """Announcements at 14:00 of some Wednesdays, scheduled: those rows move nine times."""
    dates = np.array([day.weekday() == 2 and day.day <= 14 for day in w.days])[w.day]
    loud = dates & (w.slot == 18)
    flow = w.noise("flow")
    returns = bars(w) * np.where(loud, 9.0, 1.0) + 0.12 * BAR * carried(flow)
    until = np.where(dates & (w.slot < 18), 18 - w.slot, 99)
    return table(
        w, mid=price(returns), volume=volume_of(w, returns), ofi=np.round(400.0 * flow),
        rows_to_news=until,
    )  # fmt: skip


SCHEDULE = Entry(
    name="rows_to_the_announcement",
    sentence=(
        "how many rows are left to a scheduled announcement: it foretells the size of a "
        "move, not its side"
    ),
    kind="innocent",
    place="data",
    clock=new_york,
    rows=scheduled,
    fields=("ofi", "rows_to_news"),
    known_at=("rows_to_news: row",),
    seed=414,
    code="""
    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, ofi: float, rows_to_news: float) -> float:
        patience = 0.2 if rows_to_news <= 2 else 1.0
        self.signal = patience * max(-1.0, min(1.0, ofi / 500.0))
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def stamps_in_order(w: World) -> pl.DataFrame:
    """Two rows a stamp, as in the leak, but the print is on the second alone; it goes on."""
    first, mid, prints = printed(w)
    push = np.where(first, carried(prints), 0.0) / 300.0
    returns = np.diff(np.log(mid), prepend=np.log(mid[0])) + 0.25 * BAR * push
    return table(
        w, mid=price(returns, float(mid[0])), row_of_stamp=1 - first,
        print_qty=np.where(first, np.nan, prints),
    )  # fmt: skip


STAMPS = Entry(
    name="second_row_of_a_stamp",
    sentence=(
        "two rows a stamp, quotes before a print and after, and the print on the second row only"
    ),
    kind="innocent",
    place="data",
    clock=twins,
    rows=stamps_in_order,
    fields=("print_qty",),
    seed=415,
    imports=MATH,
    known_at=("print_qty: row",),
    code=level("print_qty", 300.0),
    horizon_ns=HOUR_NS // 2,
)


def classes(w: World) -> pl.DataFrame:
    """Classes of the last eight moves by quantiles of all rows so far; two of them trend."""
    own, returns = bars(w), np.zeros(w.rows)
    state = np.zeros(w.rows, np.int64)
    pushes = {0: 0.0, 1: -0.25, 2: 0.0, 3: 0.25, 4: 0.0}
    seen: list[float] = []
    for k in range(w.rows):
        returns[k] = own[k] + (BAR * pushes[int(state[k - 1])] if k else 0.0)
        push = float(returns[max(0, k - 7) : k + 1].sum())
        seen.append(push)
        if k >= 200 and k % 20 == 0:
            cuts = np.quantile(seen, (0.2, 0.4, 0.6, 0.8))
        if k >= 200:
            state[k] = int(np.searchsorted(cuts, push))
    return table(w, mid=price(returns), volume=volume_of(w, returns), trend_class=state)


CLASSES = Entry(
    name="class_by_past_quantiles",
    sentence="five classes of the trend, cut at quantiles of the rows so far, as bare numbers",
    kind="innocent",
    place="data",
    clock=new_york,
    rows=classes,
    fields=("mid", "trend_class"),
    seed=416,
    imports=MATH,
    known_at=("trend_class: row",),
    code=per_class("trend_class"),
)


def funding(w: World) -> pl.DataFrame:
    """A perpetual future: a rate is fixed eight hours before it is paid."""
    settles = w.slot % 8 == 0
    rate = np.zeros(w.rows)
    drawn = w.noise("funding")
    for k in range(w.rows):
        before = rate[k - 1] if k else 0.0
        rate[k] = round(0.7 * before + 0.7 * float(drawn[k]), 3) if settles[k] else before
    returns = 0.004 * w.noise("ret") - 0.0005 * carried(rate)
    ahead = (8 - w.slot % 8).astype("timedelta64[h]")
    paid = pl.Series("next_funding_at", w.times + ahead).dt.replace_time_zone("UTC")
    frame = table(
        w, price=price(returns, 20000.0, 0.5), volume=volume_of(w, 0.5 * returns),
        ofi=flow_of(w, 0.5 * returns), next_funding=rate,
    )  # fmt: skip
    return frame.with_columns(paid)


FUNDING = Entry(
    name="funding_of_the_next_hours",
    sentence=(
        "the rate that will be paid at the next settlement, fixed before, with the time "
        "of it, which lies ahead"
    ),
    kind="innocent",
    place="data",
    clock=coins,
    rows=funding,
    fields=("next_funding",),
    imports=MATH,
    known_at=("next_funding: row", "next_funding_at: row"),
    seed=417,
    horizon_ns=8 * HOUR_NS,
    code=level("next_funding", 1.0, -1),
)

INNOCENTS_DATA_B = (
    VINTAGES, LEADER, BOUNCE, PATCHY, SCHEDULE, STAMPS, CLASSES, FUNDING,
)  # fmt: skip
