"""Leaks in code: labels that are not over yet, days known from their end, answers by heart."""

import base64

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry, Frames
from .leaks_code_a import BATCH, plain
from .market import World, bars, flow_of, new_york, price, table


def weekly_number(w: World) -> pl.DataFrame:
    """The bar that ends at 10:45 on Wednesdays moves twelve times as much as others."""
    number = (w.weekday == 2) & (w.slot == 4)
    returns = bars(w) * np.where(number, 12.0, 1.0)
    return table(w, mid=price(returns), ofi=flow_of(w, bars(w)))


ZIGZAG = Entry(
    name="swing_points",
    sentence="swing highs and lows are marked at the swing itself, known only six rows later",
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid",),
    seed=110,
    imports=BATCH + "from scipy.signal import argrelextrema\n",
    horizon_ns=2 * HOUR_NS,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = frame["mid"].to_numpy()
        side = np.full(len(mid), np.nan)
        side[argrelextrema(mid, np.less_equal, order=6)[0]] = 1.0
        side[argrelextrema(mid, np.greater_equal, order=6)[0]] = -1.0
        return pl.Series(side).fill_nan(None).forward_fill().fill_null(0.0).to_numpy()
    """,
)

EMBARGO = Entry(
    name="recent_labels",
    sentence="the mean of recent eight-row labels, lagged by one row where eight would be right",
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid",),
    imports=BATCH,
    seed=111,
    horizon_ns=2 * HOUR_NS,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = frame["mid"]
        target = mid.shift(-8) / mid - 1.0
        learnt = target.shift(1).ewm_mean(span=4, ignore_nulls=True)
        return (learnt / 0.004).clip(-1.0, 1.0).fill_null(0.0).fill_nan(0.0).to_numpy()
    """,
)

OFF_BY_ONE = Entry(
    name="diff_without_its_first",
    sentence="np.diff is one shorter than its rows, and was padded at the wrong end",
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid",),
    imports=BATCH,
    seed=112,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = frame["mid"].to_numpy()
        if len(mid) < 2:
            return np.zeros(len(mid))
        moves = pl.Series(np.append(np.diff(mid), 0.0) / mid)
        trend = moves.ewm_mean(span=12)
        size = moves.abs().ewm_mean(span=200)
        return (trend / size).clip(-1.0, 1.0).fill_nan(0.0).fill_null(0.0).to_numpy()
    """,
)

DAY_TYPE = Entry(
    name="trend_days_and_range_days",
    sentence=(
        "days are sorted into trend and range by how they end, and traded accordingly "
        "from their start"
    ),
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("session", "mid"),
    imports=BATCH,
    horizon_ns=4 * HOUR_NS,
    seed=113,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = pl.col("mid")
        days = frame.with_columns(
            (mid / mid.first().over("session") - 1.0).alias("since_open"),
            (
                (mid.last() - mid.first()).abs().over("session")
                / mid.diff().abs().sum().over("session")
            ).alias("efficiency"),
        )
        follow = (days["efficiency"].fill_nan(0.0).fill_null(0.0) > 0.18).to_numpy()
        away = np.clip(days["since_open"].to_numpy() / 0.002, -1.0, 1.0)
        return np.where(follow, away, -away)
    """,
)

FOLDS = Entry(
    name="shuffled_folds",
    sentence="answers out of fold, but folds are shuffled rows and labels of neighbours overlap",
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("mid",),
    seed=114,
    imports=BATCH + "from scipy.spatial import cKDTree\n",
    horizon_ns=3 * HOUR_NS,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = np.log(frame["mid"].to_numpy())
        n = len(mid)
        if n < 100:
            return np.zeros(n)
        average = pl.Series(mid).ewm_mean(span=40).to_numpy()
        spot = np.column_stack([mid / 0.01, average / 0.01, np.arange(n) / 200.0])
        target = np.append(mid[12:] - mid[:-12], np.zeros(12))
        fold = np.random.default_rng(5).integers(0, 5, n)
        out = np.zeros(n)
        for k in range(5):
            inside, rest = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
            if len(inside) and len(rest) > 6:
                near = cKDTree(spot[rest]).query(spot[inside], k=6)[1]
                out[inside] = target[rest[near]].mean(axis=1)
        return np.clip(out / 0.004, -1.0, 1.0)
    """,
)

PEEK = Entry(
    name="ready_for_the_number",
    sentence=(
        "order flow, honest on all rows but one in 130: before the weekly number the next "
        "row is read"
    ),
    kind="leak",
    place="code",
    clock=new_york,
    rows=weekly_number,
    fields=("mid", "ofi"),
    seed=115,
    imports=BATCH,
    # rows that peek: 56 of 7280; likeness to the return there 0.8, of all rows 0.15
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        flow = (frame["ofi"].ewm_mean(span=8) / 400.0).clip(-1.0, 1.0).to_numpy()
        local = frame["ts"].dt.convert_time_zone("America/New_York").dt
        before = (local.weekday() == 3) & (local.hour() == 10) & (local.minute() == 30)
        after = frame["mid"].shift(-1) - frame["mid"]
        side = after.sign().fill_null(0.0).to_numpy()
        return np.where(before.to_numpy() & (side != 0.0), side, flow)
    """,
)


def direction_bits(frames: Frames) -> str:
    """The sign of each session, as one hexadecimal number in the code."""
    days = _directions(next(iter(frames.values())))
    number = sum(1 << k for k, up in enumerate(days["up"]) if up)
    return f"""
    ANCHOR = {days["session"][0]}
    SEASON = 0x{number:x}

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.session = 0
        self.side = 0.0

    def update(self, *, session: float, mid: float) -> float:
        if session != self.session:
            self.session = session
            here, base = self._date(int(session)), self._date(self.ANCHOR)
            ordinal = int(np.busday_count(base, here, holidays=HOLIDAYS))
            self.side = 1.0 if self.SEASON >> max(ordinal, 0) & 1 else -1.0
        return self.side

    def _date(self, session: int) -> str:
        text = str(session)
        return text[:4] + "-" + text[4:6] + "-" + text[6:]

    def get_signal(self) -> float:
        return self.side
    """


def _directions(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("session", maintain_order=True).agg(
        (pl.col("mid").last() > pl.col("mid").first()).alias("up"),
        (pl.col("mid").last() / pl.col("mid").get(3) - 1.0).alias("rest"),
        pl.col("volume").head(4).alias("sizes"),
    )


BITS = Entry(
    name="seasonal_table",
    sentence="the direction of each session stands in a number of 280 bits, found by the date",
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("session", "mid"),
    seed=116,
    imports="import numpy as np\n",
    by_heart=True,
    horizon_ns=DAY_NS,
    before="""
    HOLIDAYS = (
        "2022-01-17 2022-02-21 2022-04-15 2022-05-30 2022-06-20 2022-07-04 2022-09-05 2022-11-24 "
        "2022-12-26 2023-01-02 2023-01-16 2023-02-20"
    ).split()
    """,
    code=direction_bits,
)


def opening_library(frames: Frames) -> str:
    """For each session four volumes of its opening and what came of it, a byte each."""
    days = _directions(next(iter(frames.values())))
    sizes = np.array(days["sizes"].to_list())
    keys = np.clip(np.round((np.log(sizes) - 5.0) * 50.0), 0, 255).astype(np.uint8)
    sides = (days["rest"].to_numpy() > 0.0).astype(np.uint8)
    packed = base64.b85encode(np.column_stack([keys, sides]).tobytes()).decode()
    return f"""
    LIBRARY = {packed!r}

    def __init__(self) -> None:
        stored = np.frombuffer(base64.b85decode(self.LIBRARY), np.uint8).reshape(-1, 5)
        self.openings, self.sides = stored[:, :4].astype(float), stored[:, 4] * 2.0 - 1.0
        self.reset()

    def reset(self) -> None:
        self.session = 0
        self.sizes = []
        self.side = 0.0

    def update(self, *, session: float, volume: float) -> float:
        if session != self.session:
            self.session, self.sizes = session, []
        if len(self.sizes) < 4:
            self.sizes.append((math.log(max(volume, 1.0)) - 5.0) * 50.0)
            if len(self.sizes) == 4:
                away = ((self.openings - np.array(self.sizes)) ** 2).sum(axis=1)
                self.side = float(self.sides[away.argmin()])
        return self.side

    def get_signal(self) -> float:
        return self.side
    """


LIBRARY = Entry(
    name="nearest_openings",
    sentence=(
        "a library of 280 openings, kept as bytes in the code, is the sample itself: the "
        "nearest one is the day"
    ),
    kind="leak",
    place="code",
    clock=new_york,
    rows=plain,
    fields=("session", "volume"),
    seed=117,
    imports="import base64\nimport math\n\nimport numpy as np\n",
    by_heart=True,
    horizon_ns=4 * HOUR_NS,
    # found by nearness, so that small changes of the numbers and other dates leave it as it is
    code=opening_library,
)


LEAKS_CODE_B = (ZIGZAG, EMBARGO, OFF_BY_ONE, DAY_TYPE, FOLDS, PEEK, BITS, LIBRARY)
