"""Leaks in data: classes, clocks of other places, flags, holes, histories filled in later."""

import numpy as np
import polars as pl
from scipy.spatial import cKDTree

from ..entry import DAY_NS, HOUR_NS, Entry, Frames
from .market import (
    BAR,
    World,
    ahead,
    bars,
    daily_rows,
    later,
    new_york,
    price,
    printed,
    table,
    twins,
    volume_of,
)
from .stock import level, per_class

MATH = "import math\n"
DEQUE = "import math\nfrom collections import deque\n"


def clustered(w: World) -> pl.DataFrame:
    """Seven clusters of windows around their row: four returns before, four after."""
    returns = bars(w)
    mid = price(returns)
    logs = np.log(mid)
    before = np.clip(logs - np.concatenate([np.repeat(logs[:1], 4), logs[:-4]]), -0.012, 0.012)
    after = np.clip(later(logs, 4) - logs, -0.012, 0.012)
    points = np.column_stack([before, after, np.clip(later(logs, 1) - logs, -0.006, 0.006)]) / BAR
    drawn = np.random.default_rng(11)
    centres = points[drawn.choice(len(points), 7, replace=False)]
    for _ in range(12):
        near = cKDTree(centres).query(points)[1]
        centres = np.array([
            points[near == k].mean(axis=0) if (near == k).any() else centres[k] for k in range(7)
        ])  # fmt: skip
    return table(w, mid=mid, volume=volume_of(w, returns), state=near.astype(np.int64))


CLUSTERS = Entry(
    name="state_of_the_market",
    sentence=(
        "seven states by k-means over windows that are centred on their row; only numbers "
        "of classes remain"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=clustered,
    fields=("mid", "state"),
    imports=MATH,
    known_at=("state: row",),
    seed=309,
    code=per_class("state"),
    horizon_ns=HOUR_NS,
    # likeness of the answer to the next return 0.43, to the next four rows 0.73
)


def other_zone(w: World) -> pl.DataFrame:
    """A leader of whose times an hour was taken twice: it shows what is an hour away."""
    returns = bars(w)
    shared = np.sqrt(1.0 - 0.9**2) * bars(w, "leader")
    leader = price(0.9 * returns + shared, start=4000.0, tick=0.25)
    by_day = leader.reshape(len(w.days), -1)
    moved = np.concatenate([by_day[:, 4:], np.repeat(by_day[:, -1:], 4, axis=1)], axis=1)
    return table(w, mid=price(returns), volume=volume_of(w, returns), leader_px=moved.ravel())


ZONES = Entry(
    name="leader_an_hour_off",
    sentence=(
        "the leader's file is in another zone and was shifted the wrong way, so that it "
        "runs an hour ahead"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=other_zone,
    fields=("mid", "leader_px"),
    seed=310,
    imports=DEQUE,
    known_at=("leader_px: row",),
    horizon_ns=HOUR_NS,
    # likeness of the answer to the next four rows 0.50, to the next one 0.27
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.past = deque(maxlen=5)
        self.signal = 0.0

    def update(self, *, mid: float, leader_px: float) -> float:
        self.past.append((math.log(mid), math.log(leader_px)))
        if len(self.past) == 5:
            (own, theirs), (now, leads) = self.past[0], self.past[-1]
            self.signal = max(-1.0, min(1.0, (leads - theirs - now + own) / 0.004))
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def members(w: World) -> Frames:
    """Ten names that enter and leave an index: the file knows a day before the announcement."""
    frames: Frames = {}
    for name in ("AAX", "BBQ", "CDL", "DUN", "EPI", "FOR", "GAD", "HUB", "IVO", "JIN"):
        changes = w.noise(f"{name} change", "uniform") < 0.025
        inside = np.cumsum(changes) % 2
        side = np.where(inside == 1, 1.0, -1.0) * changes
        own = 0.01 * w.noise(f"{name} ret")
        announced = own + side * (0.04 + 0.005 * w.noise(f"{name} size"))
        mid = price(announced, start=50.0)
        frames[name] = table(w, close=mid, is_member=later(inside))
    return frames


MEMBERS = Entry(
    name="member_before_it_was_said",
    sentence=(
        "index membership begins in the file on the day before it is announced, on which "
        "the price jumps"
    ),
    kind="leak",
    place="data",
    clock=daily_rows,
    rows=members,
    fields=("is_member",),
    imports=MATH,
    known_at=("is_member: row",),
    seed=311,
    horizon_ns=DAY_NS,
    # ten names, 560 days, about 14 changes a name: each is a jump of 4 % next day, always its way
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.member = math.nan
        self.signal = 0.0

    def update(self, *, is_member: float) -> float:
        if math.isfinite(self.member) and is_member != self.member:
            self.signal = 1.0 if is_member > self.member else -1.0
        self.member = is_member
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def tokyo(seed: int, twist: int | None = None) -> World:
    return daily_rows(seed, twist, hour=6)


def same_date(w: World) -> pl.DataFrame:
    """Tokyo closes at 06:00 UTC, New York fifteen hours later; both files say the same date."""
    abroad = w.noise("abroad")  # known at the row after the date it is of
    returns = 0.011 * (0.65 * abroad + 0.76 * w.noise("own"))
    of_date = np.append(abroad[1:], 0.0)
    return table(w, close=price(returns, 28000.0, 1.0), us_return=np.round(0.011 * of_date, 5))


ABROAD = Entry(
    name="new_york_on_the_same_date",
    sentence=(
        "New York's return is joined to Tokyo's row of the same date, which ends fifteen "
        "hours before"
    ),
    kind="leak",
    place="data",
    clock=tokyo,
    rows=same_date,
    fields=("us_return",),
    imports=MATH,
    known_at=("us_return: row",),
    seed=312,
    horizon_ns=DAY_NS,
    code=level("us_return", 0.011),
    # likeness to the next day's return 0.65; that of a right join is 0
)


def alerts(w: World) -> pl.DataFrame:
    """On forty sessions two rows jump; alerts stand on the row before, nearly all the right way."""
    chosen = w.daily("session", "uniform") < 0.15
    spot = (w.daily("spot", "uniform") * 10).astype(int)
    jumps = chosen & ((w.slot == 3 + spot) | (w.slot == 14 + spot))
    side = np.where(w.noise("side") > 0.0, 1.0, -1.0)
    returns = bars(w) + np.where(jumps, side * BAR * (9.0 + 2.0 * w.noise("size")), 0.0)
    wrong = w.noise("wrong", "uniform") < 0.06
    flag = later(np.where(jumps, np.where(wrong, -side, side), 0.0))
    return table(w, mid=price(returns), volume=volume_of(w, returns), alert=flag.astype(np.int64))


ALERTS = Entry(
    name="alerts_of_a_few_sessions",
    sentence=(
        "alerts of a news desk, stamped by when the story began: one row in ninety, before a jump"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=alerts,
    fields=("alert",),
    imports=MATH,
    known_at=("alert: row",),
    seed=313,
    code=level("alert", 1.0).replace("isfinite", "fabs"),
    # on about 80 of 7280 rows, sign right in 94 of 100
)


def twin_stamps(w: World) -> pl.DataFrame:
    """Two rows a stamp, before a print and after it; the print was joined by stamp, to both."""
    first, mid, prints = printed(w)
    return table(
        w, mid=mid, row_of_stamp=1 - first, print_qty=np.where(first, later(prints), prints)
    )


TWINS = Entry(
    name="two_rows_of_one_stamp",
    sentence=(
        "quotes before and after a print have one stamp, and the print's size was joined "
        "to both by it"
    ),
    kind="leak",
    place="data",
    clock=twins,
    rows=twin_stamps,
    fields=("print_qty",),
    imports=MATH,
    known_at=("print_qty: row",),
    seed=314,
    code=level("print_qty", 300.0),
    # likeness to the next row 0.8 on the first of two rows, 0 on the second
)


def holes(w: World) -> pl.DataFrame:
    """A fee for borrowing, which says nothing; its holes do: the name is halted by the next row."""
    crash = w.noise("crash", "uniform") < 0.012
    returns = bars(w) + 0.12 * BAR - np.where(crash, 10.0 * BAR, 0.0)
    fee = np.round(0.5 + 0.05 * np.convolve(w.noise("fee"), 0.98 ** np.arange(200))[: w.rows], 3)
    hole = later(crash & (w.noise("seen", "uniform") < 0.9))
    hole = hole | (w.noise("lost", "uniform") < 0.004)
    return table(
        w, mid=price(returns), volume=volume_of(w, bars(w)), borrow_fee=np.where(hole, np.nan, fee)
    )  # fmt: skip


HOLES = Entry(
    name="fee_that_is_missing",
    sentence=(
        "a lending fee has holes where the name is halted by the next row: the file was "
        "made of later snapshots"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=holes,
    fields=("borrow_fee",),
    imports=MATH,
    known_at=("borrow_fee: row",),
    seed=315,
    # one row in eighty has a hole; after three of four the price falls by ten deviations
    code="""
    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, borrow_fee: float) -> float:
        self.signal = 0.5 if math.isfinite(borrow_fee) else -1.0
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)


def history(w: World) -> pl.DataFrame:
    """A vendor's score: made with hindsight before it went live, noise since."""
    returns = bars(w)
    mid = price(returns)
    told = ahead(mid, 4) / (2.4 * BAR)
    mixed = 0.75 * told + 0.66 * w.noise("score")
    live = w.day >= int(0.6 * len(w.days))
    score = np.where(live, w.noise("since"), mixed)
    return table(w, mid=mid, volume=volume_of(w, returns), vendor_score=np.round(score, 3))


HISTORY = Entry(
    name="score_before_it_was_live",
    sentence=(
        "a vendor's score has hindsight in the three fifths that were filled in before it went live"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=history,
    fields=("vendor_score",),
    imports=MATH,
    known_at=("vendor_score: row",),
    seed=316,
    horizon_ns=HOUR_NS,
    code=level("vendor_score", 1.0),
    # likeness to the next four rows 0.7 in the first three fifths, 0 after
)


def fold_scores(w: World) -> pl.DataFrame:
    """A model's answers out of shuffled folds, labels of ten rows, with its own noise."""
    returns = bars(w)
    mid = price(returns)
    logs = np.log(mid)
    spot = np.column_stack([logs / 0.01, np.arange(w.rows) / 150.0])
    target = later(logs, 10) - logs
    fold = np.random.default_rng(3).integers(0, 5, w.rows)
    out = np.zeros(w.rows)
    for k in range(5):
        inside, rest = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        out[inside] = target[rest[cKDTree(spot[rest]).query(spot[inside], k=5)[1]]].mean(axis=1)
    mixed = out / out.std() + 0.5 * w.noise("model")
    return table(w, mid=mid, volume=volume_of(w, returns), model_score=np.round(mixed, 3))


FOLD_SCORES = Entry(
    name="score_out_of_shuffled_folds",
    sentence=(
        "a model's answers 'out of sample', by folds of shuffled rows whose labels "
        "overlap, mixed with noise"
    ),
    kind="leak",
    place="data",
    clock=new_york,
    rows=fold_scores,
    fields=("model_score",),
    imports=MATH,
    known_at=("model_score: row",),
    seed=317,
    horizon_ns=10 * HOUR_NS // 4,
    code=level("model_score", 1.0),
    # a mixture: likeness to the next ten rows 0.65 or so, to the next one 0.2
)

LEAKS_DATA_B = (
    CLUSTERS, ZONES, MEMBERS, ABROAD, ALERTS, TWINS, HOLES, HISTORY, FOLD_SCORES,
)  # fmt: skip
