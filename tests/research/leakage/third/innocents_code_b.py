"""Innocents in code, the other eight: clocks, rules that compete, files, dice and exact sums."""

import json

import numpy as np
import polars as pl

from ..entry import HOUR_NS, Entry, Frames
from ..unseen.market import BAR, World, coins, earlier, new_york, price, table
from .shapes import TREES, led, lively, smooth

MATH = "import math"


def coin_prices(w: World) -> pl.DataFrame:
    move = smooth(w.noise("lean"), 0.9)
    return table(w, price=price(led(w, move, 0.08, bar=0.006, night=0.006), 900.0, 0.01))


def flows(w: World) -> pl.DataFrame:
    lean = smooth(w.noise("lean"), 0.7)
    return table(w, mid=price(led(w, lean, 0.25)), imbalance=np.round(np.tanh(lean), 3))


def by_hour(w: World) -> pl.DataFrame:
    shape = np.sin(2.0 * np.pi * w.slot / 13.0)
    flow = np.round(100.0 * (shape * 1.5 + w.noise("flow")))
    odd = flow - 150.0 * shape
    return table(w, mid=price(led(w, odd / 100.0, 0.2)), svol=flow)


def three(w: World) -> Frames:
    made = {}
    for k, name in enumerate(TREES[:3]):
        lean = smooth(w.noise(f"{name} lean"), 0.5)
        push = 0.4 * BAR * earlier(lean)
        mid = price(0.9 * lively(w, name) + push, 25.0 + 40.0 * k)
        made[name] = table(w, mid=mid, queue_imbalance=np.round(np.tanh(0.8 * lean), 3))
    return made


HOURS_BY_THEIR_END = Entry(
    "hours_by_their_end",
    "Blocks of four hours named by their end and joined backward: none is read before it is over.",
    "innocent", "code", coins, coin_prices,
    """
def signals(self, frame):
    blocks = frame.group_by_dynamic("ts", every="4h", closed="right", label="right").agg(
        pl.col("price").last().log().alias("close")
    )
    move = pl.col("close").diff().fill_null(0.0)
    blocks = blocks.select("ts", (move / 0.012).clip(-1.0, 1.0).alias("said"))
    return frame.join_asof(blocks, on="ts", strategy="backward")["said"].fill_null(0.0)
""",
    ("price",), horizon_ns=4 * HOUR_NS, imports="import polars as pl", seed=351,
)  # fmt: skip

AGAINST_ITS_HOUR = Entry(
    "against_its_hour",
    "Flow against the mean of the same row of earlier sessions, from 26 rows to months back.",
    "innocent", "code", new_york, by_hour,
    """
def signals(self, frame):
    place = frame.select(
        pl.col("svol"),
        (pl.int_range(pl.len()).over("session")).alias("place"),
    )
    before = pl.col("svol").shift(1).cum_sum().over("place")
    count = pl.int_range(pl.len()).over("place")
    usual = (before / pl.max_horizontal(count, pl.lit(1))).fill_null(0.0)
    return place.select(((pl.col("svol") - usual) / 200.0).clip(-1.0, 1.0).alias("said"))["said"]
""",
    ("svol", "session"), imports="import polars as pl", seed=352,
)  # fmt: skip

RULES_COMPETE = Entry(
    "rules_compete",
    "Twelve moving averages that vote with weights, which each earns by what it said before.",
    "innocent", "code", coins, coin_prices,
    """
SPANS = (2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377)

def __init__(self):
    self.reset()

def reset(self):
    self.means, self.said = None, [0.0] * len(self.SPANS)
    self.weights, self.last, self.signal = [1.0] * len(self.SPANS), math.nan, 0.0

def update(self, *, price):
    if self.means is None:
        self.means = [price] * len(self.SPANS)
    else:
        move = 100.0 * math.log(price / self.last)
        grown = [w * math.exp(0.05 * max(-5.0, min(5.0, s * move)))
                 for w, s in zip(self.weights, self.said)]
        total = sum(grown)
        self.weights = [0.999 * w / total + 0.001 / len(grown) for w in grown]
    self.last = price
    self.means = [m + (price - m) / span for m, span in zip(self.means, self.SPANS)]
    self.said = [math.tanh(80.0 * (price / m - 1.0)) for m in self.means]
    voted = sum(w * s for w, s in zip(self.weights, self.said))
    self.signal = voted / sum(self.weights)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("price",), horizon_ns=6 * HOUR_NS, imports=MATH, seed=353,
)  # fmt: skip

STATES_THAT_LAST = Entry(
    "states_that_last",
    "A machine of four states: it waits for a stretch, holds for a time, then rests for a while.",
    "innocent", "code", new_york, flows,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.state, self.count, self.slow, self.signal = State.IDLE, 0, 0.0, 0.0

def update(self, *, imbalance):
    self.slow += 0.4 * (imbalance - self.slow)
    self.count += 1
    match self.state:
        case State.IDLE if abs(self.slow) > 0.35:
            self.go(State.LONG if self.slow > 0.0 else State.SHORT)
        case State.LONG if self.slow < 0.0 or self.count >= 9:
            self.go(State.REST)
        case State.SHORT if self.slow > 0.0 or self.count >= 9:
            self.go(State.REST)
        case State.REST if self.count >= 2:
            self.go(State.IDLE)
    self.signal = {State.LONG: 1.0, State.SHORT: -1.0}.get(self.state, 0.0)
    return self.signal

def go(self, state):
    self.state, self.count = state, 0

def get_signal(self):
    return self.signal
""",
    ("imbalance",), horizon_ns=2 * HOUR_NS, imports="from enum import Enum\n",
    before='''

class State(Enum):
    IDLE = "idle"
    LONG = "long"
    SHORT = "short"
    REST = "rest"
''',
    seed=354,
)  # fmt: skip

BOTH_ENTRIES = Entry(
    "both_entries",
    "The same filter row by row and by lfilter for all rows, on a strong edge; three names.",
    "innocent", "code", new_york, three,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.state, self.signal = 0.0, 0.0

def update(self, *, queue_imbalance):
    self.state = 0.7 * queue_imbalance + 0.3 * self.state
    self.signal = min(1.0, max(-1.0, self.state))
    return self.signal

def get_signal(self):
    return self.signal

def signals(self, frame):
    state = lfilter([0.7], [1.0, -0.3], frame["queue_imbalance"].to_numpy())
    return np.clip(state, -1.0, 1.0)
""",
    ("queue_imbalance",), imports="import numpy as np\nfrom scipy.signal import lfilter", seed=355,
)  # fmt: skip

EARLIER_WEIGHTS = Entry(
    "earlier_weights",
    "Weights in a declared file, fitted on years before the first row.",
    "innocent", "code", new_york, flows,
    """
def __init__(self):
    self.weights = json.loads((Path(__file__).parent / "weights.json").read_text())["lags"]
    self.reset()

def reset(self):
    self.seen, self.signal = deque([0.0] * len(self.weights), len(self.weights)), 0.0

def update(self, *, imbalance):
    self.seen.appendleft(imbalance)
    self.signal = max(-1.0, min(1.0, sum(map(operator.mul, self.weights, self.seen))))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("imbalance",),
    imports="""
import json
import operator
from collections import deque
from pathlib import Path
""",
    others={"weights.json": json.dumps({"lags": [0.91, 0.22, 0.07, -0.04, 0.01]}) + "\n"},
    files=repr(
        ({"path": "weights.json", "fitted_on": "rows of earlier years",
          "fitted_until": "2020-12-31"},)
    ),
    seed=356,
)  # fmt: skip

SEEDED_DICE = Entry(
    "seeded_dice",
    "A rule that trembles: seeded dice, thrown once a row and from the start after a reset.",
    "innocent", "code", new_york, flows,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.dice, self.signal = random.Random(8), 0.0

def update(self, *, imbalance):
    thrown = self.dice.gauss(0.0, 0.15)
    self.signal = math.tanh(1.5 * imbalance + thrown)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("imbalance",), imports="import math\nimport random", seed=357,
)  # fmt: skip

LATE_IN_THE_DAY = Entry(
    "late_in_the_day",
    "By the clock of New York: in the last two hours the way since noon, else nothing at all.",
    "innocent", "code", new_york, flows,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.noon, self.day, self.signal = math.nan, None, 0.0

def update(self, *, ts_ns, mid, imbalance):
    at = datetime.fromtimestamp(int(ts_ns) // 1_000_000_000, ZoneInfo("America/New_York"))
    if at.date() != self.day:
        self.day, self.noon = at.date(), math.nan
    if at.hour >= 12 and not math.isfinite(self.noon):
        self.noon = mid
    self.signal = 0.0
    if at.hour >= 14 and math.isfinite(self.noon):
        self.signal = math.tanh(60.0 * (mid / self.noon - 1.0) + imbalance)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("ts_ns", "mid", "imbalance"), horizon_ns=HOUR_NS,
    imports="import math\nfrom datetime import datetime\nfrom zoneinfo import ZoneInfo", seed=358,
)  # fmt: skip

INNOCENTS_CODE_B = (
    HOURS_BY_THEIR_END, AGAINST_ITS_HOUR, RULES_COMPETE, STATES_THAT_LAST,
    BOTH_ENTRIES, EARLIER_WEIGHTS, SEEDED_DICE, LATE_IN_THE_DAY,
)  # fmt: skip
