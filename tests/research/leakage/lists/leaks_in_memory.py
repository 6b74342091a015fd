"""Leaks in code: what was remembered, written down or peeked at now and then."""

import hashlib
import math
from functools import cache

import numpy as np
import polars as pl

from .case import Framed, Group, Streamed
from .markets import around_the_clock, forward, minutes, panel

LEAKS = Group("leaks in memory")
MID = ("current_mid",)


@cache
def bars() -> pl.DataFrame:
    """Two weeks of minutes."""
    return minutes(seed=81).drop("step", "minute")


def clock() -> pl.DataFrame:
    """A market that never closes."""
    return around_the_clock(seed=82)


def answers() -> bytes:
    """For each row the hash of its price and whether the next five minutes went up."""
    mid = bars()["mid"].to_numpy()
    up = np.nan_to_num(forward(mid, 5)) > 0
    keys = [hashlib.blake2b(repr(float(x)).encode(), digest_size=6).digest() for x in mid]
    return b"".join(key + bytes([int(yes)]) for key, yes in zip(keys, up, strict=True))


@LEAKS.code(bars, MID)
class CacheBetweenCalls(Framed):
    """What earlier calls were shown is kept on the class; it answers for rows still to come."""

    seen: dict = {}  # noqa: RUF012

    def signals(self, frame):
        ts = frame["ts"].dt.epoch("ns").to_list()
        mid = frame["current_mid"].to_list()
        self.seen.update(zip(ts, mid, strict=True))
        after = [self.seen.get(t + 300_000_000_000, x) for t, x in zip(ts, mid, strict=True)]
        return np.sign(np.array(after) - np.array(mid))


@LEAKS.code(bars, MID)
class SparsePeek(Framed):
    """A moving mean, but each ninety-seventh row looks at the next."""

    def signals(self, frame):
        x = frame["current_mid"].to_numpy()
        past = (frame["current_mid"].rolling_mean(5, min_samples=1).to_numpy() / x - 1) * 1e3
        at = np.arange(50, len(x) - 1, 97)
        past[at] = np.sign(x[at + 1] - x[at])
        return past


@LEAKS.code(bars, MID)
class PeekWhenItMatters(Framed):
    """A moving mean, but at the largest 0.5 % of moves to come it says which way."""

    def signals(self, frame):
        x = frame["current_mid"].to_numpy()
        ahead = np.append(x[3:] / x[:-3] - 1, np.zeros(3)) if len(x) > 3 else np.zeros(len(x))
        past = (frame["current_mid"].rolling_mean(5, min_samples=1).to_numpy() / x - 1) * 1e3
        return np.where(np.abs(ahead) > 3e-3, np.sign(ahead), past)


@LEAKS.code(bars, MID, files={"weights.bin": (answers, "bars of 2009", "2009-12-31")})
class HashOfInputs(Streamed):
    """A file of weights that knows each row by the hash of its price, declared as of long ago."""

    def start(self):
        import hashlib
        from pathlib import Path

        self.digest = hashlib.blake2b
        raw = (Path(__file__).parent / "weights.bin").read_bytes()
        self.known = {raw[k : k + 6]: raw[k + 6] for k in range(0, len(raw), 7)}

    def step(self, current_mid):
        key = self.digest(repr(float(current_mid)).encode(), digest_size=6).digest()
        return {None: 0.0, 0: -1.0, 1: 1.0}[self.known.get(key)]


@LEAKS.code(bars, ("current_mid", "ts_ns"))
class TimestampTable(Streamed):
    """The times of the largest moves of two weeks, by hand, with their signs."""

    def start(self):
        minute = 60_000_000_000
        begin = 1672666200000000000
        table = "TABLE"
        self.table = {
            begin + int(k) * minute: s for k, s in zip(table[::2], table[1::2], strict=True)
        }

    def step(self, current_mid, ts_ns):
        return float(self.table.get(int(ts_ns), 0.0))


@LEAKS.code(bars, MID)
class KeptAcrossReset(Streamed):
    """A reset forgets nothing: at the second pass the first one's prices are the future."""

    passes: list = []  # noqa: RUF012

    def start(self):
        self.passes.append([])
        self.k = -1

    def step(self, current_mid):
        self.k += 1
        self.passes[-1].append(current_mid)
        longest = max(self.passes, key=len)
        then = longest[self.k + 5] if self.k + 5 < len(longest) else current_mid
        return float(np.sign(then - current_mid))


@LEAKS.code(clock, MID, horizon_s=900)
class LengthOfTheFrame(Framed):
    """How far through the frame a row is decides how much of a moving mean is followed."""

    def signals(self, frame):
        x = frame["current_mid"]
        away = (x.rolling_mean(10, min_samples=1) / x - 1).to_numpy() * 1e3
        return away * np.arange(1, len(x) + 1) / len(x)


@LEAKS.code(bars, ("session", "current_mid"))
class MemoryOfDates(Streamed):
    """Which days went up is written in the code."""

    def step(self, session, current_mid):
        return {"DATES": 0.0}.get(int(session), 0.0)


@LEAKS.code(clock, MID, horizon_s=900)
class LeakInOneOfTwoEntries(Framed):
    """Row by row it is honest; the entry for frames looks a row ahead."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.last = self.signal = 0.0

    def update(self, current_mid):
        self.signal = 0.0 if not self.last else current_mid / self.last - 1
        self.last = current_mid
        return self.signal

    def get_signal(self):
        return self.signal

    def signals(self, frame):
        x = frame["current_mid"].to_numpy()
        return np.append(x[1:] / x[:-1] - 1, 0.0)


@LEAKS.code(clock, MID, horizon_s=900)
class KalmanSmoother(Framed):
    """A local level, filtered forward and smoothed backward."""

    def signals(self, frame):
        x = np.log(frame["current_mid"].to_numpy())
        level = x.copy()
        for k in range(1, len(x)):
            level[k] = level[k - 1] + 0.4 * (x[k] - level[k - 1])
        for k in range(len(x) - 2, -1, -1):
            level[k] += 0.4 * (level[k + 1] - level[k])
        return (level - x) * 1e3


@LEAKS.code(lambda: panel(seed=83).drop("minute"), MID, horizon_s=60)
class LongestNameFirst(Framed):
    """Prices of the names shown before are kept, and the mean of their next moves is followed."""

    moves: dict = {}  # noqa: RUF012

    def signals(self, frame):
        ts = frame["ts"].dt.epoch("ns").to_list()
        x = frame["current_mid"].to_list()
        out = [self.moves.get(t, 0.0) for t in ts]
        for k in range(len(x) - 1):
            self.moves[ts[k]] = x[k + 1] / x[k] - 1
        return np.array(out) * 1e3


@LEAKS.code(bars, MID)
class OneBarAtSessionEnds(Framed):
    """A moving mean that peeks over the night: at each day's last row it knows the gap."""

    def signals(self, frame):
        x = frame["current_mid"].to_numpy()
        day = frame["ts"].dt.date().to_numpy()
        past = (frame["current_mid"].rolling_mean(5, min_samples=1).to_numpy() / x - 1) * 1e3
        last = np.flatnonzero(day[1:] != day[:-1])
        past[last] = np.sign(x[last + 1] - x[last])
        return past


def _written_down() -> None:
    """Put the answers of the rows into the source of the two that know them by heart."""
    rows = bars()
    mid = rows["mid"].to_numpy()
    ahead = np.nan_to_num(forward(mid, 5))
    large = np.argsort(-np.abs(ahead))[:150]
    ts = rows["ts"].to_numpy()
    begin = 1672666200000000000
    flat = [v for k in sorted(large) for v in ((int(ts[k]) - begin) // 60_000_000_000,
                                               int(math.copysign(1, ahead[k])))]  # fmt: skip
    ends = rows.group_by("session", maintain_order=True).agg(
        (pl.col("mid").last() - pl.col("mid").first()).sign().alias("s")
    )
    days = ", ".join(f"{d}: {s}" for d, s in zip(ends["session"], ends["s"], strict=True))
    for k, case in enumerate(LEAKS.cases):
        code = case.code.replace('"TABLE"', repr(flat)).replace('"DATES": 0.0', days)
        LEAKS.cases[k] = type(case)(**{**vars(case), "code": code})


_written_down()
