"""Innocents in code: refits on the past, swings, yesterday, caches, flips, calendars."""

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry
from .innocents_code_a import STREAM, leading_flow, momentum, slow_trends
from .market import BAR, World, bars, new_york, price, table

BATCH = "import numpy as np\nimport polars as pl\n"


def yesterday(w: World) -> pl.DataFrame:
    """The price is drawn to the middle of the range of the session before."""
    own, mids = bars(w), np.zeros(w.rows)
    now, middle, low, high = 0.0, 0.0, np.inf, -np.inf
    for k in range(w.rows):
        if w.opens[k] and k:
            middle, low, high = (low + high) / 2.0, np.inf, -np.inf
        now += own[k] + 0.05 * (middle - now)
        low, high, mids[k] = min(low, now), max(high, now), now
    return table(w, mid=price(np.diff(mids, prepend=0.0)))


def ragged(w: World) -> pl.DataFrame:
    """One row in four is missing, as where nothing traded; moves go on after a busy row."""
    frame = momentum(w, 0.2)
    kept = (w.noise("traded", "uniform") > 0.25) | w.opens | (w.slot == w.last_slot)
    return frame.filter(pl.Series(kept))


def pinned(w: World) -> pl.DataFrame:
    """Whole prices attract: options on them are many."""
    own, mids, now = bars(w), np.zeros(w.rows), 100.3
    for k in range(w.rows):
        now = now * (1.0 + own[k]) - 0.06 * (now - np.round(now))
        mids[k] = np.round(now / 0.005) * 0.005
    return table(w, mid=mids)


def month_ends(w: World) -> pl.DataFrame:
    """Pensions buy at the turn of the month: two days before its end to the second of the next."""
    turn = np.array([day.day >= 27 or day.day <= 3 for day in w.days])[w.day]
    returns = bars(w) + BAR * np.where(turn, 0.2, -0.08)
    return table(w, mid=price(returns))


REFIT = Entry(
    name="random_features_refit",
    sentence=(
        "seeded random features, refitted every twenty sessions on the rows before; the "
        "seed is fixed"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=leading_flow,
    seed=209,
    fields=("session", "mid", "ofi", "volume"),
    imports=BATCH,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid, ofi = np.log(frame["mid"].to_numpy()), frame["ofi"].to_numpy() / 400.0
        move = np.diff(mid, prepend=mid[:1]) / 0.002
        size = np.log(frame["volume"].to_numpy() + 1.0) - 7.0
        session = frame["session"].to_numpy()
        base = np.column_stack([ofi, move, size])
        drawn = np.random.default_rng(2024)
        wave = np.tanh(base @ drawn.normal(size=(3, 24)) * 0.5 + drawn.normal(size=24))
        starts = np.flatnonzero(np.diff(session, prepend=session[:1] - 1) != 0)
        out = np.zeros(len(mid))
        for block in range(20, len(starts), 20):
            first = starts[block]
            stop = starts[block + 20] if block + 20 < len(starts) else len(mid)
            known, after = wave[: first - 1], move[1:first]
            gram = known.T @ known + 200.0 * np.eye(24)
            out[first:stop] = wave[first:stop] @ np.linalg.solve(gram, known.T @ after)
        return np.round(np.tanh(out / 0.1), 9)
    """,
)

CONFIRMED = Entry(
    name="swings_when_confirmed",
    sentence="swing points again, but each is used from the row on which it is confirmed",
    kind="innocent",
    place="code",
    clock=new_york,
    rows=slow_trends,
    fields=("mid",),
    imports=STREAM,
    horizon_ns=DAY_NS,
    seed=210,
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.high, self.low, self.side = -math.inf, math.inf, 0.0

    def update(self, *, mid: float) -> float:
        self.high, self.low = max(self.high, mid), min(self.low, mid)
        if self.side <= 0.0 and mid > self.low * 1.02:
            self.side, self.high = 1.0, mid
        elif self.side >= 0.0 and mid < self.high * 0.98:
            self.side, self.low = -1.0, mid
        return self.side

    def get_signal(self) -> float:
        return self.side
    """,
)

YESTERDAY = Entry(
    name="range_of_yesterday",
    sentence=(
        "high and low of whole sessions, grouped and joined by session, but shifted by one session"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=yesterday,
    fields=("session", "mid"),
    imports=BATCH,
    horizon_ns=HOUR_NS,
    seed=211,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        days = frame.group_by("session", maintain_order=True).agg(
            pl.col("mid").max().alias("high"), pl.col("mid").min().alias("low")
        )
        before = days.with_columns(pl.col("high", "low").shift(1))
        joined = frame.join(before, on="session", how="left", maintain_order="left")
        middle = (joined["high"] + joined["low"]) / 2.0
        away = (middle / joined["mid"] - 1.0) / 0.006
        return away.clip(-1.0, 1.0).fill_null(0.0).to_numpy()
    """,
)

STALE = Entry(
    name="patience_by_the_clock",
    sentence=(
        "rows come at uneven times; the last move fades with the minutes since it, read "
        "from the clock"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=ragged,
    fields=("ts_ns", "mid"),
    imports=STREAM,
    seed=212,
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.last_ns, self.last, self.push, self.signal = 0.0, math.nan, 0.0, 0.0

    def update(self, *, ts_ns: float, mid: float) -> float:
        minutes = (ts_ns - self.last_ns) / 60e9
        if math.isfinite(self.last):
            move = math.log(mid / self.last) / 0.002
            self.push = self.push * math.exp(-minutes / 10.0) + move / math.sqrt(minutes / 15.0)
        self.last_ns, self.last = ts_ns, mid
        self.signal = math.tanh(self.push / 1.5)
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)

ROUND = Entry(
    name="pull_of_whole_prices",
    sentence="distance from the nearest whole price: an absolute level, not a return",
    kind="innocent",
    place="code",
    clock=new_york,
    rows=pinned,
    fields=("mid",),
    imports=STREAM,
    seed=213,
    code="""
    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, mid: float) -> float:
        away = mid - math.floor(mid + 0.5)
        self.signal = max(-1.0, min(1.0, -away / 0.3))
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)

CACHED = Entry(
    name="cache_of_weights",
    sentence="a cache in the module, of weights by their number of rows: a pure function, kept",
    kind="innocent",
    place="code",
    clock=new_york,
    rows=momentum,
    fields=("mid",),
    seed=214,
    imports="import math\nfrom collections import deque\nfrom functools import lru_cache\n",
    before='''
    SEEN = {}


    @lru_cache(maxsize=None)
    def weights(rows):
        """Decaying weights of so many rows."""
        return tuple(0.5**k for k in range(rows))


    def unit(move):
        """The move in units of its size, kept by its value."""
        if move not in SEEN:
            SEEN[move] = math.copysign(math.sqrt(abs(move)), move)
        return SEEN[move]
    ''',
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.moves = deque(maxlen=8)
        self.last, self.signal = math.nan, 0.0

    def update(self, *, mid: float) -> float:
        if math.isfinite(self.last):
            self.moves.appendleft(unit(round((mid / self.last - 1.0) * 1e4, 4)))
        self.last = mid
        known = weights(len(self.moves))
        total = sum(weight * move for weight, move in zip(known, self.moves))
        self.signal = math.tanh(total / 5.0)
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)

FLIPPED = Entry(
    name="convolution_by_flips",
    sentence="arrays are reversed, convolved and reversed again; the kernel reaches backward only",
    kind="innocent",
    place="code",
    clock=new_york,
    rows=momentum,
    fields=("mid",),
    imports=BATCH,
    seed=215,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = np.log(frame["mid"].to_numpy())
        move = np.diff(mid, prepend=mid[:1])
        kernel = 0.6 ** np.arange(12)
        turned = np.convolve(move[::-1], kernel[::-1], mode="full")
        trailing = turned[::-1][: len(move)]
        return np.round(np.tanh(trailing / 0.003), 9)
    """,
)

HOURS = Entry(
    name="whole_hours_by_their_end",
    sentence=(
        "hours by label='right', closed='right', joined backward: a row sees only hours "
        "that are over"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=slow_trends,
    fields=("mid",),
    imports=BATCH,
    horizon_ns=4 * HOUR_NS,
    seed=216,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        hours = frame.group_by_dynamic("ts", every="1h", label="right", closed="right").agg(
            pl.col("mid").last().alias("close")
        )
        hours = hours.with_columns(pl.col("close").ewm_mean(span=50, adjust=False).alias("slow"))
        joined = frame.join_asof(hours, on="ts", strategy="backward")
        away = (joined["close"] / joined["slow"] - 1.0) / 0.01
        return away.clip(-1.0, 1.0).fill_null(0.0).to_numpy()
    """,
)

MONTHS = Entry(
    name="turn_of_the_month",
    sentence="long around the end of each month by the day of the date, known for centuries ahead",
    kind="innocent",
    place="code",
    clock=new_york,
    rows=month_ends,
    fields=("session", "mid"),
    seed=217,
    horizon_ns=DAY_NS,
    code="""
    def reset(self) -> None:
        self.signal = 0.0

    def update(self, *, session: float, mid: float) -> float:
        day = int(session) % 100
        self.signal = 1.0 if day >= 27 or day <= 3 else -0.5
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)

INNOCENTS_CODE_B = (
    REFIT, CONFIRMED, YESTERDAY, STALE, ROUND, CACHED, FLIPPED, HOURS, MONTHS,
)  # fmt: skip
