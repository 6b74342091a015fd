"""Scales of the charts: linear, logarithmic and time, with round labels.

A scale maps values to 0..1 from left to right (or bottom to top) and knows its ticks. A range
without extent is widened, so that no picture divides by zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hft.reports.charts import Span, value_ticks

Tick = tuple[float, str]
LARGE = 1e15  # a picture shows nothing beyond it
TINY = 1e-30  # where a logarithmic scale ends
SMALL = 1e-4  # labels of what never reaches it are powers of ten
DAY_NS, SECOND_NS = 86_400_000_000_000, 1_000_000_000
MIDNIGHT = ("00:00", "00:00:00")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NS_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
LONG_S = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


class Axis(Protocol):
    """A scale and its ticks."""

    def at(self, values: np.ndarray) -> np.ndarray:
        """Positions from 0 to 1."""

    def ticks(self) -> list[Tick]:
        """Positions and labels."""


def usable(values: np.ndarray, large: float = LARGE) -> np.ndarray:
    """Values as float64; what no picture can show becomes NaN."""
    found = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(found) & (np.abs(found) < large), found, np.nan)


def reach(*groups: np.ndarray) -> tuple[float, float] | None:
    """Lowest and highest usable value of several arrays; None when there is none."""
    found = np.concatenate([usable(np.ravel(group)) for group in groups] or [np.zeros(0)])
    found = found[np.isfinite(found)]
    return (float(found.min()), float(found.max())) if len(found) else None


@dataclass(frozen=True)
class Linear:
    """Equal steps. `percent` labels shares as percent, `exact` never shortens a number."""

    low: float
    high: float
    percent: bool = False
    whole: bool = False
    most: int = 5
    exact: bool = False

    def at(self, values: np.ndarray) -> np.ndarray:
        """Positions from 0 to 1."""
        return (usable(values) - self.low) / (self.high - self.low)

    def ticks(self) -> list[Tick]:
        """Round values inside the range."""
        factor = 100.0 if self.percent else 1.0
        low, high = self.low * factor, self.high * factor
        found = value_ticks(low, high, self.most, whole=self.whole)
        width = self.high - self.low
        most = max(abs(low), abs(high))
        wide = most >= 1e5 and not self.exact
        found = [(v, rounded(v)) for v, _ in found] if most < SMALL else found
        return [
            ((v / factor - self.low) / width, compact(v) if wide else text + "%" * self.percent)
            for v, text in found
        ]


def linear(
    *groups: np.ndarray, include: Sequence[float | None] = (), room: float = 0.06, **more: bool
) -> Linear:
    """A linear scale over values, widened by `room` on both sides."""
    asked = np.array([v for v in include if v is not None], dtype=np.float64)
    low, high = reach(*groups, asked) or (0.0, 1.0)
    wide = (high - low) * room
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-200):
        wide = max(abs(high) * 0.5, 1e-9) if abs(high) > 1e-200 else 0.5
    return Linear(low - wide, high + wide, **more)


@dataclass(frozen=True)
class Log:
    """Equal factors; what is not positive lies at the left edge. `time` labels nanoseconds."""

    low: float
    high: float
    time: bool = False
    most: int = 7

    def at(self, values: np.ndarray) -> np.ndarray:
        """Positions from 0 to 1."""
        found = usable(values, 1 / TINY)
        found = np.log10(np.where(np.isnan(found), np.nan, np.fmax(found, self.low * 1e-3)))
        return (found - np.log10(self.low)) / (np.log10(self.high) - np.log10(self.low))

    def ticks(self) -> list[Tick]:
        """Powers of ten, with 2 and 5 between where there is room; round durations for time."""
        values = _durations() if self.time else _decades(self.low, self.high, (1.0,))
        inside = [v for v in values if self.low <= v <= self.high]
        if len(inside) < 3 and not self.time:
            values = _decades(self.low, self.high, (1.0, 2.0, 5.0))
            inside = [v for v in values if self.low <= v <= self.high]
        inside = inside[:: -(-len(inside) // self.most) or 1]
        text = duration if self.time else compact
        at = self.at(np.array(inside)).tolist() if inside else []
        return [(x, text(v)) for x, v in zip(at, inside, strict=True)]


def log(
    *groups: np.ndarray,
    include: Sequence[float | None] = (),
    room: float = 0.04,
    time: bool = False,
) -> Log:
    """A logarithmic scale over the positive values."""
    asked = np.array([v for v in include if v is not None], dtype=np.float64)
    found = np.concatenate([usable(np.ravel(group), 1 / TINY) for group in (*groups, asked)])
    found = found[found > TINY]
    low, high = (float(found.min()), float(found.max())) if len(found) else (1.0, 10.0)
    wide = max((high / low) ** room, 1.15)
    return Log(low / wide, high * wide, time)


def _decades(low: float, high: float, parts: Sequence[float]) -> list[float]:
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    return [part * 10.0**power for power in range(first, last + 1) for part in parts]


def _durations() -> list[float]:
    """Durations people think in, in nanoseconds."""
    small = [part * 10.0**power for power in range(9) for part in (1, 3)]
    seconds = [1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 43200]
    return small + [s * 1e9 for s in seconds] + [d * float(DAY_NS) for d in (1, 3, 7, 30, 90, 365)]


@dataclass(frozen=True)
class Time:
    """UTC time in nanoseconds."""

    start_ns: int
    end_ns: int
    most: int = 6

    def at(self, values: np.ndarray) -> np.ndarray:
        """Positions from 0 to 1."""
        found = np.asarray(values, dtype=np.int64) - self.start_ns
        return found / max(self.end_ns - self.start_ns, 1)

    def ticks(self) -> list[Tick]:
        """Times of day, days, months or years, whichever leaves at most `most` labels."""
        days = (self.end_ns - self.start_ns) / DAY_NS
        if days <= 1.5:
            found = Span(self.start_ns, self.end_ns).ticks(self.most + 1)
            return [(x / 1000.0, self._midnight(x, text)) for x, text in found]
        for step in (1, 2, 7, 14):
            if days / step <= self.most:
                return self._days(step)
        step = next((m for m in (1, 2, 3, 6, 12, 24, 60, 120) if days / 30.4 / m <= self.most), 240)
        return self._months(step)

    def _midnight(self, x: float, text: str) -> str:
        """A day where a time of day would say 00:00."""
        ns = self.start_ns + round(x / 1000.0 * (self.end_ns - self.start_ns))
        return day_label(ns + SECOND_NS // 2) if text in MIDNIGHT else text

    def _days(self, step: int) -> list[Tick]:
        first = -(-self.start_ns // DAY_NS)
        at = np.arange(first, self.end_ns // DAY_NS + 1, step, dtype=np.int64)
        places = self.at(at * DAY_NS).tolist()
        return [(x, day_label(d * DAY_NS)) for x, d in zip(places, at.tolist(), strict=True)]

    def _months(self, step: int) -> list[Tick]:
        start = np.datetime64(self.start_ns, "ns").astype("datetime64[M]").astype(int)
        months = range(-(-int(start) // step) * step, int(start) + 100_000, step)
        out: list[Tick] = []
        for month in months:
            ns = int(np.datetime64(month, "M").astype("datetime64[ns]").astype(np.int64))
            if ns > self.end_ns:
                break
            year, k = 1970 + month // 12, month % 12
            label = str(year) if step >= 12 else f"{MONTHS[k]} {year}"
            if ns >= self.start_ns:
                out.append((float(self.at(np.int64(ns))), label))  # type: ignore[arg-type]
        return out


def time(*groups: np.ndarray, room: float = 0.0) -> Time:
    """A time scale over stamps in nanoseconds."""
    found = np.concatenate([np.asarray(group, dtype=np.int64).ravel() for group in groups])
    if len(found) == 0:
        return Time(0, DAY_NS)
    start, end = int(found.min()), int(found.max())
    wide = int((end - start) * room) if end > start else DAY_NS // 2
    return Time(start - wide, end + wide)


def day_label(ns: int) -> str:
    """A day for an axis, such as 3 Jan."""
    text = str(np.datetime64(int(ns), "ns").astype("datetime64[D]"))
    return f"{int(text[-2:])} {MONTHS[int(text[-5:-3]) - 1]}"


def stamp(ns: int, days: bool = True) -> str:
    """A moment in full: the day, or to the second."""
    unit = "D" if days else "s"
    return str(np.datetime64(int(ns), "ns").astype(f"datetime64[{unit}]")).replace("T", " ")


def stamps(ts_ns: Sequence[int] | np.ndarray) -> list[str]:
    """Moments in full: days alone where no two share one."""
    apart = np.diff(np.asarray(ts_ns, dtype=np.int64)) if len(ts_ns) > 1 else np.array([DAY_NS])
    return [stamp(ns, bool((apart >= DAY_NS // 2).all())) for ns in ts_ns]


def duration(ns: float | None) -> str:
    """A length of time in the unit people would use."""
    if ns is None or not np.isfinite(ns):
        return "–"
    seconds = abs(ns) / 1e9
    if seconds >= 100:
        factor, unit = next(pair for pair in LONG_S if seconds >= pair[0])
        return f"{rounded(ns / 1e9 / factor)} {unit}"
    factor, unit = next((pair for pair in NS_UNITS if abs(ns) >= pair[0]), (1.0, "ns"))
    return f"{rounded(ns / factor)} {unit}"


def rounded(value: float) -> str:
    """A number to three digits, whole from 100 on, without idle zeros."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        mantissa, _, power = f"{value:.2e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    elif size >= 99.95:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.3g}"
    return ("0" if text == "-0" else text).replace("-", "−")


def compact(value: float) -> str:
    """A number for an axis: k, M, G from a thousand on, powers of ten beyond."""
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        return f"{value:.0e}".replace("-", "−").replace("e+", "e")
    for factor, suffix in SUFFIXES:
        if size >= factor * 0.9999:
            return f"{value / factor:.4g}{suffix}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")
