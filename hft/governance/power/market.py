"""A market whose edge is known: half-hour bars of New York, and one flow that leans on the price.

The next bar's return has a correlation `snr` with a decayed sum of the flow; all else is noise. The
lean that gives an alpha a certain net Sharpe ratio after fees is solved for, not searched by trying
alphas. With `persistence` the market's daily returns follow an AR(1) and nothing leans on anything.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import exp, sqrt

import numpy as np
import polars as pl
from scipy.optimize import brentq
from scipy.signal import lfilter

from hft.core.errors import ConfigError
from hft.research.backtest import DAYS_A_YEAR, Rules, held
from hft.research.data.dataset import ResearchData
from hft.research.data.load import load
from hft.tape.sessions import Sessions, sessions_of

CALENDAR = "XNYS"
UNTIL = "20260101"  # the last session is before
BAR_NS = 30 * 60_000_000_000
MEMORY = 10.0  # bars over which flow leans on the price
SLOW = 130.0  # bars over which a flow persists in a market whose days do
BAR_SD, NIGHT_SD = 6e-4, 5e-4  # of log returns: 2.2 basis points a day, calm and liquid
PRICE, TICK, FLOW = 100.0, 0.0005, 500.0
CALIBRATED = 4000  # days that the lean is solved on
FIELD = "ofi"


@dataclass(frozen=True)
class Alpha:
    """What a drawn life trades: the decayed flow beyond a threshold that was declared."""

    taker_bps: float = 0.2
    threshold: float = 0.3
    memory: float = MEMORY

    @property
    def rules(self) -> Rules:
        """The rule of positions and its costs."""
        return Rules(threshold=self.threshold, taker_bps=self.taker_bps)


@dataclass(frozen=True, eq=False)
class Market:
    """Bars of whole sessions, and the flow that an alpha is handed."""

    ts_ns: np.ndarray
    session: np.ndarray
    mid: np.ndarray
    flow: np.ndarray  # as it is recorded, whole numbers

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The bars as a file would have them."""
        columns = {"ts": self.ts_ns, "session": self.session, "mid": self.mid, FIELD: self.flow}
        return pl.DataFrame(columns).with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")))

    @cached_property
    def data(self) -> ResearchData:
        """The bars as research data."""
        return load(self.frame, fields=(FIELD,), horizon_ns=BAR_NS)

    def daily(self, signal: np.ndarray, rules: Rules) -> np.ndarray:
        """Net points of each session by the position rule."""
        position = held(signal, rules)
        earned = np.append(0.0, position[:-1] * np.diff(self.mid))
        paid = np.abs(np.diff(position, prepend=0.0)) * self.mid * rules.taker_bps / 10_000
        _, day = np.unique(self.session, return_inverse=True)
        return np.bincount(day, earned - paid)


def decayed(flow: np.ndarray, memory: float) -> np.ndarray:
    """The decayed sum of a flow, with variance 1 in the long run for a flow of variance 1."""
    decay = exp(-1.0 / memory)
    found: np.ndarray = lfilter([sqrt(1.0 - decay * decay)], [1.0, -decay], flow)
    return found


def signal_of(flow: np.ndarray, memory: float) -> np.ndarray:
    """The alpha's signal from the flow as recorded."""
    return decayed(flow / FLOW, memory)


@lru_cache(maxsize=8)
def calendar(days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time and session of each bar, and the first bar of each session, of `days` sessions.

    Raises: ConfigError for more days than the table of sessions has.
    """
    known = sessions_of(CALENDAR)
    assert known is not None
    until = int(np.searchsorted(known.day, UNTIL))
    if not 0 < days <= until:
        raise ConfigError(f"{days} days: from 1 to {until}, which the table of sessions has")
    hours: Sessions = known.part(until - days, until)
    bars = (hours.close_ns - hours.open_ns) // BAR_NS
    last = np.cumsum(bars)
    first = last - bars
    within = np.arange(int(last[-1])) - np.repeat(first, bars) + 1
    return np.repeat(hours.open_ns, bars) + within * BAR_NS, np.repeat(hours.day, bars), first


def drawn(days: int, snr: float, seed: tuple[int, ...], memory: float = MEMORY) -> Market:
    """A market of so many sessions in which the flow's decayed sum leans on the next bar."""
    ts, session, first = calendar(days)
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    flow, noise = random.standard_normal((2, len(ts)))
    step = BAR_SD * (snr * decayed(flow, memory) + sqrt(1.0 - snr * snr) * noise)
    moved = np.append(0.0, step[:-1])
    moved[first] = np.append(0.0, NIGHT_SD * random.standard_normal(days - 1))
    return _market(ts, session, np.cumsum(moved), flow)


def persistent(days: int, rho: float, seed: tuple[int, ...]) -> Market:
    """A market without edge whose daily returns follow an AR(1), under a slow flow of noise."""
    ts, session, first = calendar(days)
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    flow, noise = random.standard_normal((2, len(ts)))
    bars = np.diff(np.append(first, len(ts)))
    total = lfilter([sqrt(1.0 - rho * rho)], [1.0, -rho], random.standard_normal(days))
    aside = noise - np.repeat(np.add.reduceat(noise, first) / bars, bars)
    each = np.repeat(total / np.sqrt(bars), bars)
    return _market(ts, session, np.cumsum(BAR_SD * (each + aside)), flow)


def _market(ts: np.ndarray, session: np.ndarray, level: np.ndarray, flow: np.ndarray) -> Market:
    mid = np.round(PRICE * np.exp(level) / TICK) * TICK
    return Market(ts, session, mid, np.round(flow * FLOW))


@lru_cache(maxsize=64)
def lean(sharpe: float, alpha: Alpha) -> float:
    """The correlation that gives the alpha this true annual Sharpe ratio, net of its fees.

    A day earns snr A + sqrt(1 - snr^2) B - F: what leans, what is noise, fees. The three are those
    of a long sample in which B is known to have mean 0. Raises: ConfigError where none does.
    """
    days = CALIBRATED
    ts, session, first = calendar(days)
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence((61, 1))))
    flow, noise = random.standard_normal((2, len(ts)))
    level = decayed(flow, alpha.memory)
    position = held(signal_of(np.round(flow * FLOW), alpha.memory), alpha.rules)
    _, day = np.unique(session, return_inverse=True)
    inside = np.append(position[:-1], 0.0)
    inside[np.append(first[1:], len(ts)) - 1] = 0.0  # the last bar of a session holds the night
    over = position[np.append(first[1:], len(ts)) - 1]
    night = np.append(0.0, over[:-1] * NIGHT_SD * random.standard_normal(days - 1))
    leaning = np.bincount(day, inside * BAR_SD * level)
    luck = np.bincount(day, inside * BAR_SD * noise) + night
    luck -= luck.mean()
    fees = np.bincount(day, np.abs(np.diff(position, prepend=0.0))) * alpha.taker_bps / 10_000

    def net(snr: float) -> float:
        earned = snr * leaning + sqrt(1.0 - snr * snr) * luck - fees
        return float(earned.mean() / earned.std() * sqrt(DAYS_A_YEAR))

    low, high = net(0.0), net(0.9)
    if not low <= sharpe <= high:
        raise ConfigError(
            f"--sharpe {sharpe:g}: after fees of {alpha.taker_bps:g} bps true Sharpe ratios from "
            f"{low:.1f} to {high:.1f} can be drawn"
        )
    return float(brentq(lambda snr: net(snr) - sharpe, 0.0, 0.9, xtol=1e-6))
