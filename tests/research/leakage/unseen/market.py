"""Seeded markets of the unseen list: clocks, noise and prices, each row made of draws up to it.

A market with a `twist` has the same draws up to that row and others from it on. So what differs
before the twist knew what came after it: that is how the list itself is checked, by no leak test.
"""

import datetime as dt
import zlib
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

NEW_YORK = ZoneInfo("America/New_York")
BAR = 0.002  # standard deviation of the return of a bar of fifteen minutes
NIGHT = 0.005
HOLIDAYS = [
    "2022-01-17",
    "2022-02-21",
    "2022-04-15",
    "2022-05-30",
    "2022-06-20",
    "2022-07-04",
    "2022-09-05",
    "2022-11-24",
    "2022-12-26",
    "2023-01-02",
    "2023-01-16",
    "2023-02-20",
    "2023-04-07",
    "2023-05-29",
    "2023-06-19",
    "2023-07-04",
    "2023-09-04",
    "2023-11-23",
    "2023-12-25",
]


def weekdays(count: int, first: str, holidays: tuple[str, ...] = ()) -> list[dt.date]:
    """The next trading days from a date on."""
    day, days = dt.date.fromisoformat(first), []
    while len(days) < count:
        if day.weekday() < 5 and day.isoformat() not in holidays:
            days.append(day)
        day += dt.timedelta(days=1)
    return days


@dataclass(frozen=True)
class World:
    """The clock of a market and its draws; all names of a panel share it."""

    seed: int
    twist: int | None
    days: list[dt.date]
    times: np.ndarray  # of rows, datetime64[ns], UTC
    day: np.ndarray  # index of the session of each row
    slot: np.ndarray  # number of the row in its session
    calendar: str

    @property
    def rows(self) -> int:
        return len(self.times)

    @property
    def session(self) -> np.ndarray:
        named = np.array([int(f"{day:%Y%m%d}") for day in self.days], dtype=np.int64)
        return named[self.day]

    @property
    def weekday(self) -> np.ndarray:
        return np.array([day.weekday() for day in self.days])[self.day]

    @property
    def opens(self) -> np.ndarray:
        """Whether a row is the first of its session."""
        return self.slot == 0

    @property
    def last_slot(self) -> int:
        return int(self.slot.max())

    def _generator(self, tag: str, other: bool) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(tag.encode()), int(other)])

    def _spliced(self, tag: str, size: int, first_other: int | None, kind: str) -> np.ndarray:
        drawn = _draw(self._generator(tag, False), size, kind)
        if first_other is not None and first_other < size:
            drawn[first_other:] = _draw(self._generator(tag, True), size, kind)[first_other:]
        return drawn

    def noise(self, tag: str, kind: str = "normal") -> np.ndarray:
        """A draw a row, known at its row."""
        return self._spliced(tag, self.rows, self.twist, kind)

    def daily(self, tag: str, kind: str = "normal") -> np.ndarray:
        """A draw a session, known at its first row; spread over the rows of the session."""
        other = None
        if self.twist is not None:
            inside = 0 if self.slot[self.twist] == 0 else 1
            other = int(self.day[self.twist]) + inside
        return self._spliced(tag, len(self.days), other, kind)[self.day]


def _draw(generator: np.random.Generator, size: int, kind: str) -> np.ndarray:
    return generator.random(size) if kind == "uniform" else generator.standard_normal(size)


def new_york(seed: int, twist: int | None = None, days: int = 280, minutes: int = 15) -> World:
    """Bars of a New York session, stamped by their end."""
    dates = weekdays(days, "2022-01-03", tuple(HOLIDAYS))
    steps = 390 // minutes
    offsets = [dt.timedelta(minutes=minutes * (k + 1)) for k in range(steps)]
    times = []
    for date in dates:
        opening = dt.datetime.combine(date, dt.time(9, 30), NEW_YORK).astimezone(dt.UTC)
        times += [(opening + offset).replace(tzinfo=None) for offset in offsets]
    return World(
        seed, twist, dates, np.array(times, "datetime64[ns]"),
        np.repeat(np.arange(days), steps), np.tile(np.arange(steps), days), "XNYS",
    )  # fmt: skip


def coins(seed: int, twist: int | None = None, days: int = 300) -> World:
    """Hours of a market that never closes; days turn at midnight UTC."""
    first = dt.date(2022, 3, 1)
    dates = [first + dt.timedelta(days=k) for k in range(days)]
    times = np.datetime64(first, "ns") + np.arange(24 * days) * np.timedelta64(3_600_000_000_000)
    return World(
        seed, twist, dates, times,
        np.repeat(np.arange(days), 24), np.tile(np.arange(24), days), "24/7",
    )  # fmt: skip


def daily_rows(seed: int, twist: int | None = None, days: int = 560, hour: int = 21) -> World:
    """A row a weekday."""
    dates = weekdays(days, "2021-01-04")
    times = [dt.datetime.combine(date, dt.time(hour)) for date in dates]
    return World(
        seed, twist, dates, np.array(times, "datetime64[ns]"),
        np.arange(days), np.zeros(days, np.int64), "24/5",
    )  # fmt: skip


def bars(w: World, tag: str = "ret", bar: float = BAR, night: float = NIGHT) -> np.ndarray:
    """Returns that nothing foretells, nights included."""
    return w.noise(tag) * np.where(w.opens, night, bar)


def price(returns: np.ndarray, start: float = 100.0, tick: float = 0.005) -> np.ndarray:
    """Prices on a grid, of returns that count as known at their row."""
    return np.maximum(np.round(start * np.exp(np.cumsum(returns)) / tick), 1.0) * tick


def later(values: np.ndarray, rows: int = 1) -> np.ndarray:
    """What stands `rows` further down; the last value where nothing follows. This one knows."""
    return np.concatenate([values[rows:], np.repeat(values[-1:], rows)])


def earlier(values: np.ndarray, rows: int = 1) -> np.ndarray:
    """What stood `rows` before; the first value where there was nothing."""
    return np.concatenate([np.repeat(values[:1], rows), values[:-rows]])


def ahead(mid: np.ndarray, rows: int = 1) -> np.ndarray:
    """The return over the next rows. This one knows."""
    return np.asarray(later(mid, rows) / mid - 1.0)


def flow_of(w: World, returns: np.ndarray, share: float = 0.6, tag: str = "flow") -> np.ndarray:
    """Whole lots of order flow of a row, as alike to its own return as `share`."""
    scaled = returns / np.where(w.opens, NIGHT, BAR)
    mixed = share * scaled + np.sqrt(1.0 - share**2) * w.noise(tag)
    return np.asarray(np.round(400.0 * mixed))


def volume_of(w: World, returns: np.ndarray, tag: str = "volume") -> np.ndarray:
    """Lots traded: more at both ends of the session and on large moves."""
    last = max(w.last_slot, 1)
    smile = 1.0 + 1.2 * (2.0 * w.slot / last - 1.0) ** 2
    size = np.abs(returns) / BAR
    return np.asarray(np.round(800.0 * smile * np.exp(0.35 * w.noise(tag) + 0.15 * size)) + 1.0)


def table(w: World, **columns: np.ndarray) -> pl.DataFrame:
    """The rows as a file holds them: time, session and columns."""
    time = pl.Series("ts", w.times).dt.replace_time_zone("UTC")
    return pl.DataFrame({"ts": time, "session": w.session, **columns})


def twins(seed: int, twist: int | None = None) -> World:
    """Half hours with two rows a stamp: the quotes before a print, and after it."""
    w = new_york(seed, twist, minutes=30)
    return World(
        seed, twist, w.days, np.repeat(w.times, 2), np.repeat(w.day, 2),
        np.arange(2 * w.rows) % (2 * (w.last_slot + 1)), w.calendar,
    )  # fmt: skip


def printed(w: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which rows are the first of their stamp, prices, and the prints of second rows."""
    first = np.arange(w.rows) % 2 == 0
    prints = np.where(first, 0.0, np.round(300.0 * w.noise("print")))
    moved = np.where(first, bars(w), BAR * (0.8 * prints / 300.0 + 0.6 * w.noise("rest")))
    return first, price(moved), prints
