"""More shapes of markets: clustered moves, jumps, edges that are honest, lunch, half days."""

import datetime as dt

import numpy as np
import polars as pl
from scipy.signal import lfilter

from ..unseen.market import BAR, NIGHT, World, earlier, weekdays

TREES = ("alder", "birch", "cedar", "dogwood", "elm", "fir", "hazel", "ivy", "juniper", "larch")


def heat(w: World, tag: str = "ret", slow: float = 0.98) -> np.ndarray:
    """How much larger than usual moves are just now, one on average and clustered."""
    return np.asarray(np.exp(lfilter([0.12], [1.0, -slow], w.noise(f"{tag} heat")) - 0.18))


def lively(w: World, tag: str = "ret", bar: float = BAR, night: float = NIGHT) -> np.ndarray:
    """Returns that nothing foretells: calm and wild stretches, and a jump now and then."""
    usual = w.noise(tag) * heat(w, tag) * np.where(w.opens, night, bar)
    jumps = w.noise(f"{tag} when", "uniform") < 0.004
    return np.asarray(usual + jumps * w.noise(f"{tag} size") * 5.0 * bar)


def led(w: World, by: np.ndarray, share: float, **how: float) -> np.ndarray:
    """Returns that what stood a row before foretells by `share`: an edge that is honest."""
    bar = how.get("bar", BAR)
    usual = lively(w, bar=bar, night=how.get("night", NIGHT)) * np.sqrt(1.0 - share**2)
    pushed = share * bar * earlier(by)
    pushed[0] = 0.0
    return np.asarray(usual + pushed)


def smooth(values: np.ndarray, slow: float) -> np.ndarray:
    """A decayed sum of what was so far, of variance one where its parts are."""
    return np.asarray(lfilter([np.sqrt(1.0 - slow**2)], [1.0, -slow], values))


def within(w: World, values: np.ndarray, how: str) -> np.ndarray:
    """Last, first, max, min, mean or sum of each session, on all of its rows. This one knows."""
    made = getattr(pl.col("value"), how)().over("day")
    frame = pl.DataFrame({"value": values, "day": w.day})
    return frame.select(made).to_series().to_numpy()


def a_few(w: World, tag: str, share: float) -> np.ndarray:
    """Whether a row is one of a few, by its own draw."""
    return w.noise(f"{tag} few", "uniform") < share


def a_few_days(w: World, tag: str, share: float) -> np.ndarray:
    """Whether a session is one of a few, by its own draw."""
    return w.daily(f"{tag} few", "uniform") < share


def tokyo(seed: int, twist: int | None = None, days: int = 320) -> World:
    """Ten minutes of a market with lunch, and every 23rd session ends before it."""
    dates = weekdays(days, "2022-01-05")
    times, day, slot = [], [], []
    for number, date in enumerate(dates):
        morning = [dt.timedelta(minutes=10 * (k + 1)) for k in range(15)]
        noon = [dt.timedelta(hours=3.5, minutes=10 * (k + 1)) for k in range(15)]
        offsets = morning if number % 23 == 22 else morning + noon
        times += [dt.datetime.combine(date, dt.time(0, 0)) + offset for offset in offsets]
        day += [number] * len(offsets)
        slot += range(len(offsets))
    return World(
        seed, twist, dates, np.array(times, "datetime64[ns]"),
        np.array(day), np.array(slot), "",
    )  # fmt: skip


def uneven(seed: int, twist: int | None = None, days: int = 240) -> World:
    """Rows as events come, in bursts and pauses; when they come is drawn once for all seeds."""
    draws = np.random.default_rng(77)
    dates = weekdays(days, "2022-01-05")
    times, day, slot = [], [], []
    for number, date in enumerate(dates):
        waits = np.round(draws.exponential(1.0, 30) ** 1.6 * 480.0) + 1.0
        seconds = np.cumsum(waits)
        seconds = seconds[seconds < 8.0 * 3600.0]
        opening = dt.datetime.combine(date, dt.time(8, 0))
        times += [opening + dt.timedelta(seconds=float(second)) for second in seconds]
        day += [number] * len(seconds)
        slot += range(len(seconds))
    return World(
        seed, twist, dates, np.array(times, "datetime64[ns]"),
        np.array(day), np.array(slot), "",
    )  # fmt: skip


def currencies(seed: int, twist: int | None = None, days: int = 330) -> World:
    """Hours of a market that is open from Monday to Friday, days turning at midnight UTC."""
    dates = weekdays(days, "2022-01-03")
    hours = [dt.timedelta(hours=k) for k in range(24)]
    times = [dt.datetime.combine(date, dt.time(0)) + hour for date in dates for hour in hours]
    return World(
        seed, twist, dates, np.array(times, "datetime64[ns]"),
        np.repeat(np.arange(days), 24), np.tile(np.arange(24), days), "24/5",
    )  # fmt: skip
