"""Innocents in code: slow memories, clocks, votes with ties, learners that wait."""

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry
from .market import BAR, World, bars, flow_of, new_york, price, table, volume_of

STREAM = "import math\n"
DEQUE = "import math\nfrom collections import deque\n"


def carried(lean: np.ndarray) -> np.ndarray:
    """A lean that is known at a row moves the price by the next one."""
    return np.concatenate([[0.0], lean[:-1]])


def slow_trends(w: World) -> pl.DataFrame:
    """A drift whose sign turns every 600 rows or so."""
    side = np.where(np.cumsum(w.noise("turn", "uniform") < 1.0 / 600.0) % 2 == 0, 1.0, -1.0)
    returns = bars(w) + 0.12 * BAR * carried(side)
    return table(w, mid=price(returns), volume=volume_of(w, returns))


def mornings(w: World) -> pl.DataFrame:
    """A third of the gap of the night comes back in the first hour."""
    own = bars(w)
    night = own[np.flatnonzero(w.opens)][w.day]
    back = np.where((w.slot >= 1) & (w.slot <= 4), -0.12 * night, 0.0)
    return table(w, mid=price(own + back))


def momentum(w: World, share: float = 0.12) -> pl.DataFrame:
    """A part of each move is repeated by the next."""
    own = bars(w)
    returns = own.copy()
    for k in range(1, w.rows):
        returns[k] += share * returns[k - 1] * (not w.opens[k])
    return table(
        w, mid=price(returns, tick=0.01), volume=volume_of(w, returns), ofi=flow_of(w, returns)
    )


def leading_flow(w: World, share: float = 0.12) -> pl.DataFrame:
    """Flow of a row has a little of the next return."""
    flow = w.noise("flow")
    returns = bars(w) + share * BAR * carried(flow)
    return table(w, mid=price(returns), ofi=np.round(400.0 * flow), volume=volume_of(w, returns))


def seasons(w: World) -> pl.DataFrame:
    """Some times of some weekdays have a drift, the same in every week."""
    drift = np.random.default_rng(91).standard_normal((5, 26)) * 0.25 * BAR
    returns = bars(w) + drift[w.weekday, w.slot]
    return table(w, mid=price(returns))


def reverting(w: World) -> pl.DataFrame:
    """A price around a slow level, to which it comes back within a session or two."""
    level, away = np.cumsum(0.2 * bars(w)), np.zeros(w.rows)
    shock = bars(w, "shock")
    for k in range(1, w.rows):
        away[k] = 0.94 * away[k - 1] + shock[k]
    return table(w, mid=price(np.diff(level + away, prepend=0.0)))


SLOW = Entry(
    name="slow_average",
    sentence="an average of 600 rows, four weeks, against one of 80; the first answers come late",
    kind="innocent",
    place="code",
    clock=new_york,
    rows=slow_trends,
    fields=("mid",),
    seed=201,
    imports=STREAM,
    horizon_ns=DAY_NS,
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.slow = self.fast = math.nan
        self.signal = 0.0

    def update(self, *, mid: float) -> float:
        if math.isnan(self.slow):
            self.slow = self.fast = mid
        self.slow += (mid - self.slow) / 600.0
        self.fast += (mid - self.fast) / 80.0
        self.signal = max(-1.0, min(1.0, (self.fast / self.slow - 1.0) / 0.01))
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)

CLOCK = Entry(
    name="first_hour_in_new_york",
    sentence=(
        "fades the gap of the night in the first hour by New York's clock, summer time included"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=mornings,
    fields=("ts_ns", "session", "mid"),
    seed=202,
    imports="import datetime as dt\nfrom zoneinfo import ZoneInfo\n",
    horizon_ns=HOUR_NS,
    code="""
    ZONE = ZoneInfo("America/New_York")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.session, self.close, self.last, self.signal = 0, 0.0, 0.0, 0.0

    def update(self, *, ts_ns: float, session: float, mid: float) -> float:
        if session != self.session:
            self.session, self.close = session, self.last
        at = dt.datetime.fromtimestamp(ts_ns / 1e9, self.ZONE)
        early = at.hour * 60 + at.minute < 10 * 60 + 45
        if early and self.close > 0.0:
            self.signal = max(-1.0, min(1.0, (self.close / mid - 1.0) / 0.004))
        self.last = mid
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)

VOTES = Entry(
    name="votes_with_ties",
    sentence=(
        "six whole votes of moves on a price grid, where ties are common and keep the last side"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=momentum,
    fields=("mid",),
    seed=203,
    imports=DEQUE,
    code="""
    BACK = (1, 1, 2, 2, 3, 4)

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.ticks = deque(maxlen=5)
        self.side = 0

    def update(self, *, mid: float) -> float:
        self.ticks.append(round(mid * 100.0))
        if len(self.ticks) == 5:
            now = self.ticks[-1]
            votes = sum(
                (now > self.ticks[-1 - k]) - (now < self.ticks[-1 - k]) for k in self.BACK
            )
            if votes != 0:
                self.side = 1 if votes > 0 else -1
        return float(self.side)

    def get_signal(self) -> float:
        return float(self.side)
    """,
)

LEARNER = Entry(
    name="learner_that_waits",
    sentence=(
        "a regression on the return of the next four rows, learnt only when those four are over"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=leading_flow,
    fields=("mid", "ofi"),
    seed=204,
    imports=DEQUE + "\nimport numpy as np\n",
    horizon_ns=HOUR_NS,
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.waiting = deque()
        self.cross, self.targets = np.eye(2) * 50.0, np.zeros(2)
        self.signal = 0.0

    def update(self, *, mid: float, ofi: float) -> float:
        features = np.array([1.0, ofi / 400.0])
        self.waiting.append((features, mid))
        if len(self.waiting) > 4:
            then, price = self.waiting.popleft()
            self.cross = 0.9995 * self.cross + np.outer(then, then)
            self.targets = 0.9995 * self.targets + then * (mid / price - 1.0) * 100.0
        slope = self.targets[1] / self.cross[1, 1]
        self.signal = float(np.tanh(slope * features[1] * 60.0))
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)

WEEKDAYS = Entry(
    name="weekday_means_so_far",
    sentence=(
        "the mean of each time of each weekday, of days before only: a bucket never has its own row"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=seasons,
    fields=("ts_ns", "session", "mid"),
    seed=205,
    imports="import datetime as dt\nimport math\n",
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.sums, self.today = {}, []
        self.session, self.slot, self.last, self.signal = 0, 0, 0.0, 0.0

    def update(self, *, ts_ns: float, session: float, mid: float) -> float:
        if session != self.session:
            for key, move in self.today:
                count, total = self.sums.get(key, (0, 0.0))
                self.sums[key] = (count + 1, total + move)
            self.today, self.session, self.slot = [], session, 0
        weekday = dt.datetime.fromtimestamp(ts_ns / 1e9, dt.timezone.utc).weekday()
        if self.slot > 0:
            self.today.append(((weekday, self.slot), math.log(mid / self.last)))
        self.slot, self.last = self.slot + 1, mid
        count, total = self.sums.get((weekday, self.slot), (0, 0.0))
        self.signal = 0.0
        if count >= 8:
            self.signal = max(-1.0, min(1.0, total / count * math.sqrt(count) / 0.003))
        return self.signal

    def get_signal(self) -> float:
        return self.signal
    """,
)

RANKS = Entry(
    name="rank_in_history_so_far",
    sentence=(
        "where the distance from an average ranks among all of its past, in one pass over "
        "a sorted list"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=reverting,
    fields=("mid",),
    seed=206,
    imports="import bisect\n\nimport numpy as np\nimport polars as pl\n",
    horizon_ns=HOUR_NS,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = frame["mid"]
        away = (mid / mid.ewm_mean(span=60, adjust=False) - 1.0).to_list()
        past, out = [], np.zeros(len(away))
        for k, value in enumerate(away):
            bisect.insort(past, value)
            if k >= 100:
                low, high = bisect.bisect_left(past, value), bisect.bisect_right(past, value)
                out[k] = 1.0 - (low + high) / len(past)
        return out
    """,
)

CYCLES = Entry(
    name="cycle_of_the_last_rows",
    sentence=(
        "a Fourier transform of the last 64 rows only, made anew at each row, its phase rounded"
    ),
    kind="innocent",
    place="code",
    clock=new_york,
    rows=lambda w: cyclic(w),
    fields=("mid",),
    seed=207,
    imports="import numpy as np\nimport polars as pl\n",
    horizon_ns=HOUR_NS,
    code="""
    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        mid = np.log(frame["mid"].to_numpy())
        out, window = np.zeros(len(mid)), np.hanning(64)
        for k in range(63, len(mid)):
            part = mid[k - 63 : k + 1]
            line = part[0] + (part[-1] - part[0]) * np.arange(64) / 63.0
            waves = np.fft.rfft((part - line) * window)
            main = 2 + int(np.round(np.abs(waves[2:9]), 9).argmax())
            phase = np.angle(waves[main]) + 2.0 * np.pi * main * 66.0 / 64.0
            out[k] = np.round(-np.sin(phase), 6)
        return out
    """,
)


def cyclic(w: World) -> pl.DataFrame:
    """Waves of about twenty rows upon a random walk."""
    wave, shock = np.zeros(w.rows), w.noise("wave")
    damp, turn = 0.985, 2.0 * np.cos(2.0 * np.pi / 20.0)
    for k in range(2, w.rows):
        wave[k] = damp * turn * wave[k - 1] - damp**2 * wave[k - 2] + 0.0006 * shock[k]
    return table(w, mid=price(0.6 * bars(w) + np.diff(wave, prepend=0.0)))


BOTH_WAYS = Entry(
    name="level_in_two_ways",
    sentence="a Kalman filter of the level, written for a frame and for a row, which agree",
    kind="innocent",
    place="code",
    clock=new_york,
    rows=reverting,
    fields=("mid",),
    seed=208,
    imports="import math\n\nimport numpy as np\nimport polars as pl\n",
    horizon_ns=HOUR_NS,
    code="""
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.level, self.doubt, self.signal = math.nan, 1.0, 0.0

    def update(self, *, mid: float) -> float:
        if math.isnan(self.level):
            self.level = mid
        self.doubt += 0.002
        gain = self.doubt / (self.doubt + 1.0)
        self.level += gain * (mid - self.level)
        self.doubt *= 1.0 - gain
        self.signal = max(-1.0, min(1.0, (self.level / mid - 1.0) / 0.006))
        return self.signal

    def get_signal(self) -> float:
        return self.signal

    def signals(self, frame: pl.DataFrame) -> np.ndarray:
        twin = type(self)()
        return np.array([twin.update(mid=mid) for mid in frame["mid"].to_list()])
    """,
)

INNOCENTS_CODE_A = (SLOW, CLOCK, VOTES, LEARNER, WEEKDAYS, RANKS, CYCLES, BOTH_WAYS)
