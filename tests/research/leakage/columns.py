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


P, V = pl.col("p"), pl.col("v")
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
    "two sessions of many": lambda d: np.where(
        np.isin(d.session, d.sessions[4:6]), ahead(d.price, 1), 1e-4 * noise(d)
    ),
    "silent but before large moves": lambda d: _before_large(ahead(d.price, 10)),
    "the close, before it only": lambda d: np.where(
        _left(d) < 15, by_day(d, P.last()) / d.price - 1, 1e-4 * noise(d)
    ),
    "the next opening": lambda d: _tomorrow(d, P.first()) / by_day(d, P.last()) - 1,
    "score of the day": lambda d: by_day(d, (P - P.mean()) / P.std()),
    "place in the day's range": lambda d: by_day(d, (P - P.min()) / (P.max() - P.min()) - 0.5),
    "rank in the day": lambda d: by_day(d, P.rank() / pl.len()),
    "share of the day's volume": lambda d: by_day(d, V / V.sum()),
    "score of the sample": lambda d: scaled(d.price),
    "chance of a higher close": lambda d: (
        1 / (1 + np.exp(-(by_day(d, P.last()) / d.price - 1) / 1e-3 - 0.5 * noise(d)))
    ),
    "mean by minute of what followed": lambda d: _encoded(d),
    "tomorrow's volume": lambda d: _tomorrow(d, V.sum()),
    "volume of the same minute tomorrow": lambda d: np.append(
        d.field("volume")[_rows(d) :], [np.nan] * _rows(d)
    ),
    "one row in a hundred, by lot": lambda d: np.where(
        np.abs(noise(d, 4)) > 2.6, 3e3 * ahead(d.price, 10), noise(d)
    ),
}


def _before_large(move: np.ndarray) -> np.ndarray:
    size = np.nan_to_num(np.abs(move))
    return np.where(size > np.quantile(size, 0.97), np.sign(move), 0.0)


def _left(data: ResearchData) -> np.ndarray:
    return by_day(data, pl.len() - 1 - pl.int_range(pl.len()))


def _rows(data: ResearchData) -> int:
    return int(np.median(np.unique(data.session, return_counts=True)[1]))


def _encoded(data: ResearchData) -> np.ndarray:
    place = by_day(data, pl.int_range(pl.len()))
    frame = pl.DataFrame({"m": place, "f": ahead(data.price, 5)}).fill_nan(None)
    return frame.select(pl.col("f").mean().over("m")).to_series().fill_null(0.0).to_numpy()


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
    "yesterday's volume": lambda d: _yesterday(d, V.sum()),
    "gap of this morning": lambda d: by_day(d, P.first()) / _yesterday(d, P.last()) - 1,
    "place in the range so far": lambda d: by_day(
        d, (P - P.cum_min()) / (P.cum_max() - P.cum_min() + 1e-6)
    ),
    "score by the day before": lambda d: (
        (d.price - _yesterday(d, P.mean())) / _yesterday(d, P.std())
    ),
    "yesterday's minute": lambda d: np.append([np.nan] * _rows(d), behind(d.price, 5)[: -_rows(d)]),
    "hardly ever there": lambda d: np.where(np.arange(len(d)) % 500 == 0, noise(d), np.nan),
}


def _yesterday(data: ResearchData, what: pl.Expr, by: int = 1) -> np.ndarray:
    given = {"p": data.price, "s": data.session, "v": data.field("volume")}
    days = pl.DataFrame(given).group_by("s", maintain_order=True)
    table = days.agg(what.alias("y")).with_columns(pl.col("y").shift(by))
    rows = pl.DataFrame({"s": data.session}).join(table, on="s", how="left", maintain_order="left")
    return rows["y"].fill_null(np.nan).to_numpy()


def _tomorrow(data: ResearchData, what: pl.Expr) -> np.ndarray:
    return _yesterday(data, what, -1)


def with_column(data: ResearchData, make: Make, name: str = "score") -> ResearchData:
    values = pl.Series(name, make(data), dtype=pl.Float64).fill_null(np.nan)
    return data.with_frame(data.frame.with_columns(values))
