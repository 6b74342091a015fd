"""Leaks in code, the other eight: what is learnt from the rows themselves, and what is by heart."""

import json

import numpy as np
import polars as pl

from ..entry import DAY_NS, HOUR_NS, Entry, Frames
from ..third.shapes import currencies, lively
from ..unseen.market import World, ahead, coins, flow_of, new_york, price, table, volume_of

NP = "import numpy as np\nimport polars as pl"


def plain(w: World) -> pl.DataFrame:
    return table(w, mid=price(lively(w)))


def with_flow(w: World) -> pl.DataFrame:
    returns = lively(w)
    return table(w, mid=price(returns), flow=flow_of(w, returns), volume=volume_of(w, returns))


def rarely_marked(w: World) -> pl.DataFrame:
    mid = price(lively(w))
    return table(w, mid=mid, mark=np.where(w.slot % 3 == 0, np.round(mid, 2), np.nan))


BURN_IN = Entry(
    "burn_in",
    "Means of what follows each time of the week are warm after a first pass over the same rows.",
    "leak", "code", currencies, plain,
    """
def passed(self, known, mid, classes):
    made = []
    for k, one in enumerate(classes):
        if k:
            count, total = known.get(classes[k - 1], (0, 0.0))
            known[classes[k - 1]] = (count + 1, total + mid[k] / mid[k - 1] - 1.0)
        count, total = known.get(one, (0, 0.0))
        made.append(total / (count + 20) / 0.00025)
    return made

def signals(self, rows):
    mid = rows["mid"].to_list()
    hour, week = rows["ts"].dt.hour().to_list(), rows["ts"].dt.weekday().to_list()
    classes = list(zip(week, hour))
    known = {}
    self.passed(known, mid, classes)
    return np.clip(np.array(self.passed(known, mid, classes)), -1.0, 1.0)
""",
    ("mid",), horizon_ns=HOUR_NS, imports=NP, seed=511,
)  # fmt: skip

NEAREST_STATES = Entry(
    "nearest_states",
    "The mean of what followed the forty most alike rows of the file, the row itself among them.",
    "leak", "code", new_york, with_flow,
    """
def signals(self, rows):
    mid = rows["mid"].to_numpy()
    if len(mid) < 60:
        return np.zeros(len(mid))
    move = np.diff(np.log(mid), prepend=np.log(mid[0]))
    hour = np.convolve(move, np.ones(4))[: len(mid)]
    flow, volume = rows["flow"].to_numpy(), np.log(rows["volume"].to_numpy())
    states = np.column_stack([move / 0.002, hour / 0.004, flow / 400.0, volume - 6.7])
    after = np.append(mid[1:] / mid[:-1] - 1.0, 0.0)
    _, found = cKDTree(states).query(states, k=40)
    return np.clip(after[found].mean(axis=1) / 0.0004, -1.0, 1.0)
""",
    ("mid", "flow", "volume"), known_at=("flow: row",),
    imports=NP + "\nfrom scipy.spatial import cKDTree", seed=512,
)  # fmt: skip

BREAKS = Entry(
    "breaks",
    "The file is cut where its drift changes most, again and again; a row has its piece's drift.",
    "leak", "code", new_york, plain,
    """
def cut(self, total, first, last, made):
    length = last - first
    if length < 50:
        drift = (total[last] - total[first]) / length
        made[first:last] = drift * math.sqrt(length) / 0.002
        return
    inner = np.arange(first + 12, last - 12)
    left = (total[inner] - total[first]) ** 2 / (inner - first)
    right = (total[last] - total[inner]) ** 2 / (last - inner)
    at = int(inner[np.argmax(left + right)])
    self.cut(total, first, at, made)
    self.cut(total, at, last, made)

def signals(self, rows):
    logs = np.log(rows["mid"].to_numpy())
    total = np.append(0.0, np.cumsum(np.diff(logs, prepend=logs[0])))
    made = np.zeros(len(logs))
    if len(logs) >= 1:
        self.cut(total, 0, len(logs), made)
    return np.clip(made / 2.0, -1.0, 1.0)
""",
    ("mid",), horizon_ns=8 * HOUR_NS, imports="import math\n" + NP, seed=513,
)  # fmt: skip

FILLED_BETWEEN = Entry(
    "filled_between",
    "Marks come every third row; the rows between lie on a line to the next mark.",
    "leak", "code", new_york, rarely_marked,
    """
def signals(self, rows):
    marks = rows.with_columns(pl.col("mark").fill_nan(None).interpolate().forward_fill())
    slope = marks.select(pl.col("mark") / pl.col("mark").shift(1) - 1.0).to_series()
    return slope.fill_null(0.0).to_numpy().clip(-0.001, 0.001) / 0.001
""",
    ("mark",), known_at=("mark: row",), imports=NP, seed=514,
)  # fmt: skip

ROLLED_WINDOW = Entry(
    "rolled_window",
    "The price against its mean of three hours, by a window whose offset puts the row amid it.",
    "leak", "code", coins, plain,
    """
def signals(self, rows):
    means = rows.rolling("ts", period="6h", offset="-3h").agg(mean=pl.col("mid").mean())
    away = means["mean"].to_numpy() / rows["mid"].to_numpy() - 1.0
    return np.clip(np.nan_to_num(away) / 0.002, -1.0, 1.0)
""",
    ("mid",), horizon_ns=3 * HOUR_NS, imports=NP, seed=515,
)  # fmt: skip


def of_cycles(frames: Frames) -> str:
    """Weights of waves in time, fitted to what followed the rows that they are judged by."""
    frame = next(iter(frames.values()))
    hours = frame["ts"].dt.epoch("ns").to_numpy() / 3.6e12
    after = np.nan_to_num(ahead(frame["mid"].to_numpy(), 12))
    periods = [24.0 * 280.0 / k for k in range(1, 91)]
    waves = [f(2.0 * np.pi * hours / p) for p in periods for f in (np.cos, np.sin)]
    weights, *_ = np.linalg.lstsq(np.column_stack(waves), after / after.std(), rcond=None)
    told = [round(float(one), 3) for one in weights]
    return f"""
WEIGHTS = {told}

def reset(self):
    self.signal = 0.0

def update(self, *, ts_ns, mid):
    hours = ts_ns / 3.6e12
    total = 0.0
    for k in range(1, 91):
        turn = 2.0 * math.pi * hours * k / 6720.0
        total += self.WEIGHTS[2 * k - 2] * math.cos(turn)
        total += self.WEIGHTS[2 * k - 1] * math.sin(turn)
    self.signal = max(-1.0, min(1.0, total))
    return self.signal

def get_signal(self):
    return self.signal
"""


CYCLES = Entry(
    "cycles",
    "Ninety cycles of the calendar, whose weights were fitted to the very rows.",
    "leak", "code", coins, plain, of_cycles, ("ts_ns", "mid"), horizon_ns=12 * HOUR_NS,
    imports="import math", seed=516, by_heart=True,
)  # fmt: skip


def of_zones(frames: Frames) -> str:
    """Zones of prices, each with the side that paid while the price was in it."""
    mid = next(iter(frames.values()))["mid"].to_numpy()
    zone = np.floor(np.log(mid) / 0.0008).astype(int)
    step = np.append(np.diff(np.log(mid)), 0.0)
    paid: dict[int, float] = {}
    for one, gain in zip(zone.tolist(), step.tolist(), strict=True):
        paid[one] = paid.get(one, 0.0) + gain
    supports = sorted(one for one, gain in paid.items() if gain > 0.002)
    resistances = sorted(one for one, gain in paid.items() if gain < -0.002)
    return f"""
SUPPORTS = frozenset({supports})
RESISTANCES = frozenset({resistances})

def reset(self):
    self.signal = 0.0

def update(self, *, mid):
    zone = math.floor(math.log(mid) / 0.0008)
    self.signal = float(zone in self.SUPPORTS) - float(zone in self.RESISTANCES)
    return self.signal

def get_signal(self):
    return self.signal
"""


SUPPORT_ZONES = Entry(
    "support_zones",
    "Zones of support and resistance as constants: prices from which these rows rose or fell.",
    "leak", "code", new_york, plain, of_zones, ("mid",), imports="import math", seed=517,
    by_heart=True,
)  # fmt: skip


def news_days(frames: Frames) -> dict[str, str]:
    """A desk's list of news days, written up afterwards: the tone is what the price did."""
    frame = next(iter(frames.values()))
    days = frame.group_by("session", maintain_order=True).agg(
        first=pl.col("mid").first(), last=pl.col("mid").last()
    )
    tones = {}
    for day, first, last in days.iter_rows():
        move = last / first - 1.0
        if abs(move) > 0.009:
            tones[str(day)] = {"tone": 1 if move > 0.0 else -1, "source": "desk diary"}
    return {"news_days.json": json.dumps(tones, indent=1)}


NEWS_DIARY = Entry(
    "news_diary",
    "A file of news days and their tone, kept by hand: the tone was set once the day was over.",
    "leak", "code", new_york, plain,
    """
def __init__(self):
    text = (pathlib.Path(__file__).parent / "news_days.json").read_text()
    self.tones = {int(day): one["tone"] for day, one in json.loads(text).items()}
    self.reset()

def reset(self):
    self.signal = 0.0

def update(self, *, session, mid):
    self.signal = float(self.tones.get(int(session), 0))
    return self.signal

def get_signal(self):
    return self.signal
""",
    ("session", "mid"), horizon_ns=DAY_NS, imports="import json\nimport pathlib", seed=518,
    by_heart=True, others=news_days,
    files='({"path": "news_days.json", "fitted_on": "nothing"},)',
)  # fmt: skip

LEAKS_CODE_B = (
    BURN_IN, NEAREST_STATES, BREAKS, FILLED_BETWEEN,
    ROLLED_WINDOW, CYCLES, SUPPORT_ZONES, NEWS_DIARY,
)  # fmt: skip
