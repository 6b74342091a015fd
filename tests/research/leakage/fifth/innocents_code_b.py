"""Innocents in code, the other seven: they learn, remember and count down; all honest."""

import json

import numpy as np
import polars as pl
from scipy.signal import lfilter

from ..entry import DAY_NS, HOUR_NS, Entry
from ..third.shapes import led, lively
from ..unseen.market import BAR, World, coins, new_york, price, table

MATH = "import math"
NP = "import numpy as np\nimport polars as pl"


def heavy(w: World) -> pl.DataFrame:
    push = w.noise("push")
    return table(w, mid=price(led(w, push, 0.08)), flow=np.round(90.0 * np.sinh(1.5 * push), 1))


RANK_SO_FAR = Entry(
    "rank_so_far",
    "The rank of the flow among all flows so far, in a sorted list that grows.",
    "innocent", "code", new_york, heavy,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.sorted = []
    self.signal = 0.0

def update(self, *, flow):
    insort(self.sorted, flow)
    count = len(self.sorted)
    rank = bisect_left(self.sorted, flow)
    self.signal = 0.0 if count < 50 else 2.0 * rank / (count - 1) - 1.0
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("flow",), known_at=("flow: row",), imports="from bisect import bisect_left, insort", seed=551,
)  # fmt: skip


def hourly(w: World) -> pl.DataFrame:
    moves = lively(w)
    slow = np.append(0.0, 0.06 * lfilter([1.0], [1.0, -0.85], moves)[:-1])
    return table(w, mid=price(moves + slow))


RIGHT_BARS = Entry(
    "right_bars",
    "Bars of an hour, closed and stamped at their end, joined backward: none before it is over.",
    "innocent", "code", new_york, hourly,
    """
def signals(self, rows):
    bars = rows.group_by_dynamic("ts", every="1h", closed="right", label="right").agg(
        pl.col("mid").last().alias("ended")
    )
    bars = bars.select("ts", move=(pl.col("ended") / pl.col("ended").shift(1) - 1.0).fill_null(0.0))
    joined = rows.join_asof(bars, on="ts", strategy="backward")
    return (joined["move"].fill_null(0.0) / 0.004).clip(-1.0, 1.0).to_numpy()
""",
    ("mid",), horizon_ns=HOUR_NS, imports=NP, seed=552,
)  # fmt: skip


def reverting(w: World) -> pl.DataFrame:
    moves = lively(w)
    return table(w, mid=price(lfilter([1.0, -0.1], [1.0], moves)))


GRADED_EXPERTS = Entry(
    "graded_experts",
    "Eight rules, each graded by what its last answer made of the move that came since.",
    "innocent", "code", new_york, reverting,
    """
BACKS = (1, 2, 4, 9)

def __init__(self):
    self.reset()

def reset(self):
    self.mids = []
    self.said = [0.0] * 8
    self.grades = [0.0] * 8
    self.signal = 0.0

def update(self, *, mid):
    if self.mids:
        move = (mid / self.mids[-1] - 1.0) / 0.002
        self.grades = [0.999 * g + s * move for g, s in zip(self.grades, self.said, strict=True)]
    self.mids = (self.mids + [mid])[-10:]
    sides = []
    for back in self.BACKS:
        far = self.mids[max(len(self.mids) - 1 - back, 0)]
        sides.append(max(-1.0, min(1.0, (mid / far - 1.0) / (0.002 * math.sqrt(back)))))
    self.said = sides + [-side for side in sides]
    best = max(self.grades)
    weights = [math.exp(0.15 * (grade - best)) for grade in self.grades]
    total = sum(w * s for w, s in zip(weights, self.said, strict=True))
    self.signal = total / sum(weights)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("mid",), imports=MATH, seed=553,
)  # fmt: skip


def three_fields(w: World) -> pl.DataFrame:
    draws = [w.noise(tag) for tag in ("flow", "skew", "lead")]
    push = (0.6 * draws[0] - 0.5 * draws[1] + 0.6 * draws[2]) / 0.985
    mid = price(led(w, push, 0.08))
    return table(w, mid=mid, flow=np.round(300.0 * draws[0]), skew=np.round(draws[1], 2),
                 lead_bp=np.round(8.0 * draws[2], 1))  # fmt: skip


YEAR_BEFORE = Entry(
    "year_before",
    "Weights in a file, fitted on the year before these rows and never since.",
    "innocent", "code", new_york, three_fields,
    """
def __init__(self):
    text = (pathlib.Path(__file__).parent / "weights.json").read_text()
    self.weights = json.loads(text)
    self.reset()

def reset(self):
    self.signal = 0.0

def update(self, *, flow, skew, lead_bp):
    w = self.weights
    total = w["flow"] * flow + w["skew"] * skew + w["lead_bp"] * lead_bp
    self.signal = math.tanh(total)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("flow", "skew", "lead_bp"), imports="import json\nimport math\nimport pathlib", seed=554,
    known_at=("flow: row", "skew: row", "lead_bp: row"),
    others={"weights.json": json.dumps({"flow": 0.0021, "skew": -0.47, "lead_bp": 0.081})},
    files='({"path": "weights.json", "fitted_on": "data/2021", "fitted_until": "2021-12-31"},)',
)  # fmt: skip


def after_days(w: World) -> pl.DataFrame:
    moves = lively(w)
    for k in range(26, w.rows):
        if w.opens[k]:
            path = moves[k - 26 : k]
            bent = float(np.sign(path[:13].sum()) * np.sign(path[13:].sum()))
        moves[k] += (0.0 if w.opens[k] else 0.09 * BAR * bent) if w.day[k] else 0.0
    return table(w, mid=price(moves))


ANALOGUES = Entry(
    "analogues",
    "The fifteen earlier days most alike to yesterday, and how the days after them went.",
    "innocent", "code", new_york, after_days,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.day = None
    self.path = []
    self.shapes = []
    self.gains = []
    self.signal = 0.0

def turned(self):
    size = 0.002 * math.sqrt(13.0)
    middle = self.path[len(self.path) // 2]
    halves = (middle / self.path[0] - 1.0, self.path[-1] / middle - 1.0)
    if self.shapes:
        self.gains.append((self.path[-1] / self.path[0] - 1.0) / size)
    self.shapes.append(tuple(max(-1.0, min(1.0, half / size)) for half in halves))
    now, known = self.shapes[-1], self.shapes[:-1]
    if len(known) < 30:
        return 0.0
    near = sorted((math.dist(now, one), k) for k, one in enumerate(known))[:15]
    return max(-1.0, min(1.0, sum(self.gains[k] for _, k in near) / 15.0))

def update(self, *, session, mid):
    if session != self.day and self.path:
        self.signal = self.turned()
        self.path = []
    self.day = session
    self.path.append(mid)
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("session", "mid"), horizon_ns=DAY_NS, imports=MATH, seed=555,
)  # fmt: skip


def last_hour(w: World) -> pl.DataFrame:
    moves = lively(w)
    total = 0.0
    for k in range(w.rows):
        total = 0.0 if w.opens[k] else total + moves[k]
        if w.slot[k] > 21:
            moves[k] += 0.045 * (total - moves[k])
    return table(w, mid=price(moves))


TO_THE_CLOSE = Entry(
    "to_the_close",
    "Minutes that are left until four o'clock in New York: the last hour goes on with the day.",
    "innocent", "code", new_york, last_hour,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.day = None
    self.first = math.nan
    self.signal = 0.0

def update(self, *, ts_ns, session, mid):
    if session != self.day:
        self.day, self.first = session, mid
    now = dt.datetime.fromtimestamp(ts_ns // 10**9, dt.timezone.utc).astimezone(NEW_YORK)
    left = (now.replace(hour=16, minute=0, second=0) - now).total_seconds() / 60.0
    today = (mid / self.first - 1.0) / 0.006
    self.signal = max(-1.0, min(1.0, today)) if 0.0 < left <= 60.0 else 0.0
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("ts_ns", "session", "mid"), horizon_ns=HOUR_NS,
    imports="import datetime as dt\nimport math\nfrom zoneinfo import ZoneInfo",
    before='NEW_YORK = ZoneInfo("America/New_York")', seed=556,
)  # fmt: skip


def seasonal(w: World) -> pl.DataFrame:
    usual = np.random.default_rng(9).standard_normal(168)
    place = w.weekday * 24 + w.slot
    return table(w, mid=price(lively(w) + 0.14 * BAR * usual[place], 1500.0, 0.05))


SAME_HOUR_LAST_WEEKS = Entry(
    "same_hour_last_weeks",
    "What the hour that comes next did in each week so far.",
    "innocent", "code", coins, seasonal,
    """
def __init__(self):
    self.reset()

def reset(self):
    self.moves = {}
    self.last = math.nan
    self.signal = 0.0

def update(self, *, ts_ns, mid):
    hour = ts_ns // 3_600_000_000_000 % 168
    if math.isfinite(self.last):
        move = max(-3.0, min(3.0, (mid / self.last - 1.0) / 0.002))
        self.moves.setdefault(hour, []).append(move)
    self.last = mid
    next_hour = self.moves.get((hour + 1) % 168, [])
    self.signal = 0.0
    if len(next_hour) >= 6:
        self.signal = math.tanh(2.0 * sum(next_hour) / (len(next_hour) + 10.0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("ts_ns", "mid"), horizon_ns=HOUR_NS, imports=MATH, seed=557,
)  # fmt: skip


INNOCENTS_CODE_B = (
    RANK_SO_FAR, RIGHT_BARS, GRADED_EXPERTS, YEAR_BEFORE,
    ANALOGUES, TO_THE_CLOSE, SAME_HOUR_LAST_WEEKS,
)  # fmt: skip
