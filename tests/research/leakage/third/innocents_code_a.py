"""Innocents in code, the first eight: state, caches, refits and labels that were waited for."""

import numpy as np
import polars as pl

from ..entry import HOUR_NS, Entry
from ..unseen.market import World, coins, daily_rows, new_york, price, table
from .shapes import led, lively, smooth

MATH = "import math"


def flows(w: World) -> pl.DataFrame:
    lean = smooth(w.noise("lean"), 0.6)
    mid = price(led(w, lean, 0.2))
    return table(w, mid=mid, ofi=np.round(300.0 * lean))


def coin_flows(w: World) -> pl.DataFrame:
    lean = smooth(w.noise("lean"), 0.5)
    returns = led(w, lean, 0.15, bar=0.005, night=0.005)
    return table(w, price=price(returns, 1500.0, 0.01), svol=np.round(90.0 * lean, 1))


def prices(w: World) -> pl.DataFrame:
    return table(w, mid=price(lively(w)))


RANGE_SO_FAR = Entry(
    "range_so_far",
    "Where the price is in the range of its session so far; all of it forgotten at the next.",
    "innocent", "code", new_york, prices,
    """
def reset(self):
    self.today, self.signal = None, 0.0

def update(self, *, mid, session):
    if session != self.today:
        self.today, self.high, self.low, self.rows = session, mid, mid, 0
    self.rows += 1
    self.high, self.low = max(self.high, mid), min(self.low, mid)
    wide = self.high - self.low
    self.signal = 0.0 if self.rows < 4 or wide == 0.0 else (mid - self.low) / wide * 2.0 - 1.0
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "session"), horizon_ns=2 * HOUR_NS, seed=341,
)  # fmt: skip

CACHED_CURVE = Entry(
    "cached_curve",
    "A response curve in a cache of the module that stays from copy to copy: it knows no rows.",
    "innocent", "code", new_york, flows,
    """
def reset(self):
    self.slow, self.signal = 0.0, 0.0

def update(self, *, ofi):
    if math.isfinite(ofi):
        self.slow = 0.5 * self.slow + 0.5 * ofi
        self.signal = response(round(self.slow / 10.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("ofi",), imports="import functools\nimport math\n",
    before='''

@functools.lru_cache(maxsize=None)
def response(steps):
    """The saturating answer to a flow, as a series that is slow to sum."""
    x = steps / 30.0
    return math.tanh(sum(x ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(12)))
''',
    seed=342,
)  # fmt: skip

RANDOM_FEATURES = Entry(
    "random_features",
    "Seeded random features of the last flows, weighed by recursive least squares as they come.",
    "innocent", "code", new_york, flows,
    """
def __init__(self):
    draws = np.random.default_rng(20)
    self.mix = draws.standard_normal((8, 3))
    self.phase = draws.uniform(0.0, 2.0 * math.pi, 8)
    self.reset()

def reset(self):
    self.inputs = np.zeros(3)
    self.weights, self.cover = np.zeros(8), np.eye(8) * 10.0
    self.made, self.last, self.signal = None, math.nan, 0.0

def update(self, *, mid, ofi):
    if self.made is not None:
        gain = self.cover @ self.made / (1.0 + self.made @ self.cover @ self.made)
        wrong = 500.0 * math.log(mid / self.last) - self.weights @ self.made
        self.weights = self.weights + gain * wrong
        self.cover = self.cover - np.outer(gain, self.made @ self.cover)
    self.inputs = np.append(self.inputs[1:], ofi / 300.0)
    self.made, self.last = np.cos(self.mix @ self.inputs + self.phase), mid
    self.signal = float(np.clip(3.0 * self.weights @ self.made, -1.0, 1.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "ofi"), imports="import math\n\nimport numpy as np", seed=343,
)  # fmt: skip

REFIT_ON_EARLIER = Entry(
    "refit_on_earlier",
    "Least squares anew every 250 rows, on rows whose labels were over by then.",
    "innocent", "code", new_york, flows,
    """
STEP, AHEAD = 250, 2

def signals(self, frame):
    logs, ofi = np.log(frame["mid"].to_numpy()), frame["ofi"].to_numpy() / 300.0
    past = np.diff(logs, prepend=logs[0]) * 500.0
    x = np.column_stack([np.ones(len(logs)), ofi, past])
    said = np.zeros(len(logs))
    for start in range(2 * self.STEP, len(logs), self.STEP):
        over = start - self.AHEAD
        y = (logs[self.AHEAD : over + self.AHEAD] - logs[:over]) * 500.0
        beta = np.linalg.lstsq(x[:over], y, rcond=None)[0]
        said[start : start + self.STEP] = (x[start : start + self.STEP] * beta).sum(axis=1)
    return np.clip(3.0 * said, -1.0, 1.0)
""",
    ("mid", "ofi"), horizon_ns=HOUR_NS // 2, imports="import numpy as np", seed=344,
)  # fmt: skip

COROUTINES = Entry(
    "coroutines",
    "Averages kept in generators that are sent each value, one feeding the next.",
    "innocent", "code", coins, coin_flows,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.chain = [decayed(weight) for weight in (0.6, 0.2, 0.02)]
    for one in self.chain:
        next(one)
    self.signal = 0.0

def update(self, *, svol):
    fast = self.chain[0].send(svol)
    slow = self.chain[1].send(fast)
    size = self.chain[2].send(abs(svol))
    self.signal = math.tanh((fast - 0.3 * slow) / (size + 1.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("svol",), horizon_ns=HOUR_NS, imports=MATH + "\n",
    before='''

def decayed(weight):
    """A decayed mean of what is sent."""
    mean = None
    while True:
        value = yield mean
        mean = value if mean is None else mean + weight * (value - mean)
''',
    seed=345,
)  # fmt: skip

LABELS_THEN_LAG = Entry(
    "labels_then_lag",
    "Labels by shift(-5), used for means by class no earlier than five rows later.",
    "innocent", "code", new_york, flows,
    """
def signals(self, frame):
    made = frame.select(
        (pl.col("ofi") / 150.0).round(0).clip(-2, 2).alias("kind"),
        ((pl.col("mid").shift(-5) / pl.col("mid") - 1.0) * 300.0).alias("label"),
    )
    over = made.with_columns(pl.col("kind").shift(5), pl.col("label").shift(5))
    said = pl.lit(0.0)
    for kind in (-2.0, -1.0, 0.0, 1.0, 2.0):
        of_kind = pl.when(over["kind"] == kind).then(over["label"]).otherwise(0.0)
        seen = (over["kind"] == kind).fill_null(False).cum_sum() + 30
        mean = of_kind.fill_null(0.0).cum_sum() / seen
        said = pl.when(made["kind"] == kind).then(mean).otherwise(said)
    return made.select((3.0 * said).clip(-1.0, 1.0).alias("said"))["said"]
""",
    ("mid", "ofi"), horizon_ns=5 * HOUR_NS // 4, imports="import polars as pl", seed=346,
)  # fmt: skip

TRADES_WAITED_FOR = Entry(
    "trades_waited_for",
    "The win rate of paper trades, each counted only when its twelve rows are over.",
    "innocent", "code", new_york, flows,
    """
HOLD = 12

def __init__(self):
    self.reset()

def reset(self):
    self.open, self.won, self.row, self.signal = [], 0.0, 0, 0.0

def update(self, *, mid, ofi):
    self.row += 1
    while self.open and self.open[0][0] <= self.row:
        _, side, entry = heapq.heappop(self.open)
        self.won += 0.05 * ((1.0 if side * (mid - entry) > 0.0 else -1.0) - self.won)
    side = (ofi > 0.0) - (ofi < 0.0)
    if side:
        heapq.heappush(self.open, (self.row + self.HOLD, side, mid))
    self.signal = max(-1.0, min(1.0, ofi / 600.0 * (1.0 + self.won)))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid", "ofi"), horizon_ns=3 * HOUR_NS, imports="import heapq", seed=347,
)  # fmt: skip


def days(w: World) -> pl.DataFrame:
    lean = smooth(w.noise("lean"), 0.8)
    close = price(led(w, lean, 0.12, bar=0.011, night=0.011), 70.0, 0.01)
    breadth = np.round(lean + 0.6 * w.noise("breadth"), 2)
    return table(w, close=close, breadth=breadth)


FRACTIONAL = Entry(
    "fractional",
    "A fractional difference over 120 rows: a full convolution, of which the tail is cut off.",
    "innocent", "code", daily_rows, days,
    """
def signals(self, frame):
    breadth = frame["breadth"].to_numpy()
    weights = np.ones(120)
    for k in range(1, 120):
        weights[k] = -weights[k - 1] * (0.4 - k + 1.0) / k
    whole = np.convolve(breadth, weights, mode="full")
    return np.tanh(whole[: len(breadth)])
""",
    ("breadth",), horizon_ns=24 * HOUR_NS, known_at=("breadth: row",),
    imports="import numpy as np", seed=348,
)  # fmt: skip

INNOCENTS_CODE_A = (
    RANGE_SO_FAR, CACHED_CURVE, RANDOM_FEATURES, REFIT_ON_EARLIER,
    COROUTINES, LABELS_THEN_LAG, TRADES_WAITED_FOR, FRACTIONAL,
)  # fmt: skip
