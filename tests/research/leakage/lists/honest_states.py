"""Innocent: alphas that go row by row and keep an unusual state. All of them know only the past."""

import math
from collections import deque

import numpy as np
import polars as pl

from .case import Group, Streamed
from .markets import (
    around_the_clock,
    coins,
    euro,
    hours,
    minutes,
    panel,
    perpetual,
    qqq,
    qqq_files,
    second_quotes,
    seeded,
)

HONEST = Group("honest states")
MID = ("current_mid",)


def bars() -> pl.DataFrame:
    """Two weeks of minutes."""
    return minutes(seed=101).drop("step", "minute")


def clock() -> pl.DataFrame:
    """A market that never closes."""
    return around_the_clock(seed=102)


def thin() -> pl.DataFrame:
    """Last trades of a thin market that bounce between bid and ask."""
    rows = minutes(seed=103).drop("step", "minute")
    side = seeded(104).choice([-1, 1], len(rows))
    price = np.round(rows["mid"].to_numpy() + 0.03 * side, 2)
    return rows.select("ts", pl.Series("price", price), "trade_vol")


@HONEST.code(qqq_files, MID, recorded=True)
class ThreeVotes(Streamed):
    """Three moving averages vote, -3 to 3; ties are 0."""

    def start(self):
        self.x = deque(maxlen=31)

    def step(self, current_mid):
        self.x.append(current_mid)
        x = list(self.x)
        return sum(float(np.sign(np.mean(x[-k:]) - current_mid)) for k in (5, 15, 31))


@HONEST.code(perpetual, MID, recorded=True)
class IntegerSignal(Streamed):
    """-1, 0 or 1 by the sign of the last three moves when they agree."""

    def start(self):
        self.x = deque(maxlen=4)

    def step(self, current_mid):
        self.x.append(current_mid)
        signs = set(np.sign(np.diff(self.x)).tolist())
        return signs.pop() if len(signs) == 1 else 0.0


@HONEST.code(clock, MID, horizon_s=900)
class FourierOfThePast(Streamed):
    """The phase of the strongest wave of the last 64 rows."""

    def start(self):
        self.x = deque(maxlen=64)

    def step(self, current_mid):
        self.x.append(math.log(current_mid))
        if len(self.x) < 64:
            return float("nan")
        x = np.array(self.x)
        wave = np.fft.rfft((x - x.mean()) * np.hanning(64))[1:9]
        return float(np.cos(np.angle(wave[np.argmax(np.abs(wave))])))


@HONEST.code(lambda: qqq("20240306", 6), ("current_mid", "trade_vol", "session"), recorded=True)
class VwapOfTheSession(Streamed):
    """The price against the day's VWAP so far, over a change to summer time."""

    def start(self):
        self.day, self.money, self.volume = None, 0.0, 0.0

    def step(self, current_mid, trade_vol, session):
        if session != self.day:
            self.day, self.money, self.volume = session, 0.0, 0.0
        self.money += current_mid * trade_vol
        self.volume += trade_vol
        return 1e3 * (self.money / self.volume / current_mid - 1) if self.volume else 0.0


@HONEST.code(second_quotes, MID, horizon_s=10, recorded=True)
class KalmanLevel(Streamed):
    """A local level by Kalman's filter, forward only."""

    def start(self):
        self.level, self.p = None, 1.0

    def step(self, current_mid):
        if self.level is None:
            self.level = current_mid
        self.p += 1e-5
        gain = self.p / (self.p + 1e-4)
        self.level += gain * (current_mid - self.level)
        self.p *= 1 - gain
        return (self.level - current_mid) * 100


@HONEST.code(bars, ("ts_ns",))
class RandomByTime(Streamed):
    """A coin for each row, seeded by its time: worthless, and it repeats."""

    def step(self, ts_ns):
        return float(np.random.Generator(np.random.Philox(int(ts_ns) % 2**63)).normal())


@HONEST.code(lambda: perpetual(4300), ("ts_ns",), horizon_s=3600, recorded=True)
class HourAndWeekday(Streamed):
    """A table by hour and day of the week, weekends among them."""

    table = (0.1, -0.2, 0.0, 0.3, -0.1, 0.4, -0.4)

    def step(self, ts_ns):
        hour = int(ts_ns // 3_600_000_000_000)
        return self.table[(hour // 24 + 3) % 7] + 0.05 * math.sin(hour % 24 / 24 * 2 * math.pi)


@HONEST.code(lambda: minutes(30, 100, 105).drop("step", "minute"), ("session",), horizon_s=3600)
class BeforeHolidays(Streamed):
    """Long on the days before holidays of a list, flat otherwise."""

    eves = frozenset((20230113, 20230217, 20230406, 20230526, 20230703, 20230901))

    def step(self, session):
        return 1.0 if int(session) in self.eves else 0.0


@HONEST.code(clock, MID, horizon_s=86_400)
class HeldForLong(Streamed):
    """A direction that changes when the price has moved 4 % from the last change."""

    def start(self):
        self.mark, self.side = None, 0.0

    def step(self, current_mid):
        if self.mark is None:
            self.mark = current_mid
        if abs(current_mid / self.mark - 1) > 0.04:
            self.side = float(np.sign(current_mid - self.mark))
            self.mark = current_mid
        return self.side


@HONEST.code(bars, ("ofi",))
class LongWarmUp(Streamed):
    """Nothing for 130 rows, then the share of its past that is below."""

    def start(self):
        self.x = deque(maxlen=130)

    def step(self, ofi):
        self.x.append(ofi)
        if len(self.x) < 130:
            return float("nan")
        return float(np.mean(np.array(self.x) < ofi)) - 0.5


@HONEST.code(lambda: perpetual(3000, 12000), ("current_mid", "trade_vol"), recorded=True)
class GuardedInfinities(Streamed):
    """Volume over the move; no move is guarded, not divided by."""

    def start(self):
        self.last = float("nan")

    def step(self, current_mid, trade_vol):
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.float64(trade_vol) / np.float64(current_mid - self.last)
        self.last = current_mid
        return float(np.clip(np.nan_to_num(x, nan=0.0, posinf=50.0, neginf=-50.0), -50, 50))


@HONEST.code(bars, ("trade_vol", "signed_volume"))
class VeryLarge(Streamed):
    """Cumulated signed volume times 1e12."""

    def start(self):
        self.total = 0.0

    def step(self, trade_vol, signed_volume):
        self.total = 0.99 * self.total + signed_volume
        return self.total * 1e12


@HONEST.code(euro, MID, horizon_s=60, recorded=True)
class VerySmall(Streamed):
    """Ticks of EUR/USD, several a millisecond, a difference of 1e-5 times 1e-9."""

    def start(self):
        self.mean = None

    def step(self, current_mid):
        self.mean = current_mid if self.mean is None else 0.98 * self.mean + 0.02 * current_mid
        return (self.mean - current_mid) * 1e-9


@HONEST.code(bars, ("current_mid", "session", "ts_ns"))
class OnlyAtAuctions(Streamed):
    """It speaks in the first and the last five minutes of a session."""

    def start(self):
        self.first = None

    def step(self, current_mid, session, ts_ns):
        if self.first is None or self.first[0] != session:
            self.first = session, current_mid
        minute = int(ts_ns // 60_000_000_000) % 1440 - (13 * 60 + 31)
        if 5 <= minute < 245:
            return 0.0
        return 100 * (current_mid / self.first[1] - 1)


@HONEST.code(lambda: coins(rows=800), ("current_mid", "trade_vol"), recorded=True)
class SparseShocks(Streamed):
    """It speaks on one row in a hundred: after a move of four deviations."""

    def start(self):
        self.last, self.v = None, 0.0

    def step(self, current_mid, trade_vol):
        r = 0.0 if self.last is None else current_mid / self.last - 1
        self.last = current_mid
        said = -float(np.sign(r)) if self.v and abs(r) > 4 * math.sqrt(self.v) else 0.0
        self.v += 0.02 * (r * r - self.v)
        return said


@HONEST.code(thin, MID)
class FadesTheBounce(Streamed):
    """Minus the last move of a price that bounces between bid and ask."""

    def start(self):
        self.last = None

    def step(self, current_mid):
        moved = 0.0 if self.last is None else current_mid - self.last
        self.last = current_mid
        return -moved * 10


@HONEST.code(lambda: hours("ibm"), MID, horizon_s=4 * 3600, recorded=True)
class RecursiveLeastSquares(Streamed):
    """The next hour on the last two, fitted anew at each row on the rows before."""

    def start(self):
        self.p, self.w = np.eye(2) * 100.0, np.zeros(2)
        self.r = deque([0.0, 0.0], maxlen=2)
        self.last = None

    def step(self, current_mid):
        r = 0.0 if self.last is None else 100 * (current_mid / self.last - 1)
        x = np.array(self.r)
        gain = self.p @ x / (0.999 + x @ self.p @ x)
        self.w = self.w + gain * (r - x @ self.w)
        self.p = (self.p - np.outer(gain, x @ self.p)) / 0.999
        self.r.append(r)
        self.last = current_mid
        return float(np.clip(np.array(self.r) @ self.w, -5, 5))


@HONEST.code(clock, MID, horizon_s=900)
class OldNews(Streamed):
    """The move of two hours that ended ten rows ago."""

    def start(self):
        self.x = deque(maxlen=19)

    def step(self, current_mid):
        self.x.append(current_mid)
        return 100 * (self.x[8] / self.x[0] - 1) if len(self.x) == 19 else 0.0


@HONEST.code(
    lambda: hours("aig", "20080601"), ("current_mid", "trade_vol"), 4 * 3600, recorded=True
)
class EntropyOfSigns(Streamed):
    """Entropy of the patterns of the last 50 signs, times the last sign; AIG in 2008."""

    def start(self):
        self.x = deque(maxlen=51)

    def step(self, current_mid, trade_vol):
        self.x.append(current_mid)
        if len(self.x) < 51:
            return float("nan")
        up = (np.diff(self.x) > 0).astype(int)
        share = np.bincount(up[:-2] * 4 + up[1:-1] * 2 + up[2:], minlength=8) / 48
        share = share[share > 0]
        return float((2 * up[-1] - 1) * (3 + (share * np.log2(share)).sum()))


@HONEST.code(lambda: panel(seed=106).drop("minute"), ("current_mid", "trade_vol"), horizon_s=60)
class OnlineCentroids(Streamed):
    """Two centroids of move and volume, moved a little at each row; the side of the nearer one."""

    def start(self):
        self.c, self.last = np.array([[-1.0, 5.0], [1.0, 7.0]]), None

    def step(self, current_mid, trade_vol):
        moved = 0.0 if self.last is None else 1e3 * (current_mid / self.last - 1)
        self.last = current_mid
        x = np.array([moved, math.log1p(trade_vol)])
        k = int(np.argmin(((self.c - x) ** 2).sum(axis=1)))
        self.c[k] += 0.02 * (x - self.c[k])
        return float(np.clip(moved - self.c[k][0], -3, 3))


KERNEL = """
import numba


@numba.njit
def halves(x):
    k = len(x) // 2
    return x[k:].mean() - x[:k].mean()
"""


@HONEST.code(bars, MID, top=KERNEL)
class CompiledKernel(Streamed):
    """The later half of a window against the earlier one, in a compiled kernel."""

    def start(self):
        self.x, self.k = np.zeros(32), 0

    def step(self, current_mid):
        self.x = np.roll(self.x, -1)
        self.x[-1] = current_mid
        self.k += 1
        return float("nan") if self.k < 32 else halves(self.x) * 10  # noqa: F821
