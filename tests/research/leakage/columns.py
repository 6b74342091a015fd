"""Columns as vendors and colleagues make them: some are made of later rows, the others are not."""

from collections.abc import Callable

import numpy as np
import polars as pl

from hft.research.data.assembly import assemble
from hft.research.data.dataset import ResearchData
from hft.research.data.planted import planted

Make = Callable[[ResearchData], np.ndarray]


def market(days: int = 45, seed: int = 3) -> ResearchData:
    """Minutes in which flow leans on the next bar a little: a true edge of 0.08."""
    return assemble({"minutes": planted(0.08, days=days, seed=seed)}, {}, "minutes")


def ahead(price: np.ndarray, rows: int) -> np.ndarray:
    """The return over the next rows; NaN at the end."""
    found = np.full(len(price), np.nan)
    found[:-rows] = price[rows:] / price[:-rows] - 1.0
    return found


def behind(price: np.ndarray, rows: int) -> np.ndarray:
    """The return over the last rows; NaN at the beginning."""
    return np.concatenate([np.full(rows, np.nan), price[rows:] / price[:-rows] - 1.0])


def noise(data: ResearchData, seed: int = 9) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).standard_normal(len(data))


def scaled(values: np.ndarray) -> np.ndarray:
    return (values - np.nanmean(values)) / np.nanstd(values)


def by_day(data: ResearchData, what: pl.Expr) -> np.ndarray:
    frame = pl.DataFrame({"p": data.price, "s": data.session, "v": data.field("volume")})
    return frame.select(what.over("s").cast(pl.Float64)).to_series().to_numpy()


def rolled(values: np.ndarray, rows: int, center: bool = False) -> np.ndarray:
    return pl.Series(values).rolling_mean(rows, center=center).fill_null(np.nan).to_numpy()


P = pl.col("p")
LEAKS: dict[str, Make] = {
    "30 rows' return": lambda d: ahead(d.price, 30),
    "3 rows' return": lambda d: ahead(d.price, 3),
    "next return by volatility": lambda d: (
        ahead(d.price, 1) / (rolled(np.abs(behind(d.price, 1)), 30) + 1e-5)
    ),
    "next direction": lambda d: np.sign(ahead(d.price, 1)),
    "centred price": lambda d: rolled(d.price, 21, center=True),
    "centred price of five": lambda d: rolled(d.price, 5, center=True),
    "the day's high": lambda d: by_day(d, P.max()),
    "the day's close": lambda d: by_day(d, P.last()),
    "the day's mean price": lambda d: by_day(d, P.mean()),
    "the day's volume": lambda d: by_day(d, pl.col("v").sum()),
    "outcome rank": lambda d: pl.Series(ahead(d.price, 1)).rank().to_numpy(),
    "outcome third": lambda d: np.digitize(np.nan_to_num(ahead(d.price, 5)), [-1e-4, 1e-4]) * 1.0,
    "half future, half noise": lambda d: scaled(ahead(d.price, 30)) + 0.9 * noise(d),
    "a flag before jumps": lambda d: (ahead(d.price, 1) > 2.4e-4) * 1.0,
    "the return after the next": lambda d: np.append(ahead(d.price, 1)[1:], np.nan),
    "the next rows' high": lambda d: (
        pl.Series(d.price[::-1]).rolling_max(10).fill_null(np.nan).to_numpy()[::-1]
    ),
    "the coming volatility": lambda d: rolled(np.abs(ahead(d.price, 1))[::-1], 30)[::-1],
    "the next volume": lambda d: np.append(d.field("volume")[1:], np.nan),
    "the next flow, smoothed": lambda d: np.append(d.field("ofi")[2:], [np.nan, np.nan]),
    "hours joined by lines": lambda d: np.interp(
        np.arange(len(d)), np.arange(len(d))[::60], d.price[::60]
    ),
    "a later price": lambda d: np.append(d.price[15:], [np.nan] * 15),
    "an hour early": lambda d: np.append(behind(d.price, 1)[60:], [np.nan] * 60),
    "an hour early in summer": lambda d: np.where(
        d.session < np.median(d.session),
        np.append(behind(d.price, 1)[60:], [np.nan] * 60),
        behind(d.price, 1),
    ),
    "half hours known at their start": lambda d: (
        pl.DataFrame({"p": d.price, "g": np.arange(len(d)) // 30})
        .select((P.last() / P.first() - 1.0).over("g"))
        .to_series()
        .to_numpy()
    ),
    "volume by what comes": lambda d: d.field("volume") * np.sign(ahead(d.price, 3)),
    "minus the next return": lambda d: -ahead(d.price, 1),
}

HONEST: dict[str, Make] = {
    "price": lambda d: d.price,
    "past return": lambda d: behind(d.price, 5),
    "past return of 30 rows": lambda d: behind(d.price, 30),
    "trailing mean": lambda d: rolled(d.price, 60),
    "high so far": lambda d: by_day(d, P.cum_max()),
    "volume so far": lambda d: by_day(d, pl.col("v").cum_sum()),
    "trailing volatility": lambda d: rolled(np.abs(behind(d.price, 1)), 30),
    "flow, a true edge": lambda d: rolled(d.field("ofi"), 10),
    "noise": noise,
    "a random walk": lambda d: np.cumsum(noise(d)),
    "row number": lambda d: np.arange(len(d)) * 1.0,
    "a weak true score": lambda d: 0.1 * scaled(ahead(d.price, 30)) + noise(d),
    "yesterday's high": lambda d: _yesterday(d, P.max()),
    "sign of the last move": lambda d: np.sign(behind(d.price, 1)),
    "bounce around the price": lambda d: d.price + 0.005 * np.sign(noise(d)),
    "rank of volume in its past": lambda d: pl.Series(d.field("volume")).rank().to_numpy(),
    "constant": lambda d: np.full(len(d), 3.0),
    "hardly ever there": lambda d: np.where(np.arange(len(d)) % 500 == 0, noise(d), np.nan),
}


def _yesterday(data: ResearchData, what: pl.Expr) -> np.ndarray:
    days = pl.DataFrame({"p": data.price, "s": data.session}).group_by("s", maintain_order=True)
    table = days.agg(what.alias("y")).with_columns(pl.col("y").shift(1))
    rows = pl.DataFrame({"s": data.session}).join(table, on="s", how="left", maintain_order="left")
    return rows["y"].fill_null(np.nan).to_numpy()


def with_column(data: ResearchData, make: Make, name: str = "score") -> ResearchData:
    values = pl.Series(name, make(data), dtype=pl.Float64).fill_null(np.nan)
    return data.with_frame(data.frame.with_columns(values))
