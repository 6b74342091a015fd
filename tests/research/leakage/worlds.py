"""Honest worlds by lot: a market and columns that know its past, the calendar, or an edge in it.

Nothing in them is later than its row, so nothing may be stopped. An edge is there on purpose: a
column may be followed by the price at up to half of what the limits allow.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from hft.research.data.assembly import assemble
from hft.research.data.dataset import ResearchData

COLUMNS_A_WORLD = 8
DAY_NS, MINUTE_NS = 86_400_000_000_000, 60_000_000_000
MONDAY = 19_359  # 2023-01-02
SHAPES = ((8, 250), (12, 250), (15, 120), (24, 120), (40, 60), (60, 26), (10, 390), (25, 7))


def decayed(steps: np.ndarray, kept: float) -> np.ndarray:
    """Each value plus `kept` of the one before."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -kept], steps))


class World:
    """One market; `columns` are honest, by name."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng([seed, 77])
        days, rows = SHAPES[int(self.random.integers(len(SHAPES)))]
        self.clock = bool(self.random.random() < 0.25)
        if self.clock:
            days, rows = 30, 96
        self.n, self.rows = days * rows, rows
        k = np.arange(self.n)
        self.day, self.minute = k // rows, k % rows
        gap = int(self.random.choice([1, 5])) if rows <= 120 else 1
        start = (MONDAY + self.day // 5 * 7 + self.day % 5) * DAY_NS + 14 * 60 * MINUTE_NS
        self.ts = start + (self.minute + 1) * gap * MINUTE_NS
        if self.clock:
            self.ts = MONDAY * DAY_NS + (k + 1) * 15 * MINUTE_NS
        self.slow = float(self.random.uniform(0.0, 0.99))
        self.drive = decayed(self.normal(), self.slow)
        self.drive /= self.drive.std()
        self.price = self._price()
        self.volume = np.round(
            1000 * self.calm * self.random.gamma(2, 0.5, self.n) * self.smile
        ) + float(self.random.integers(2))

    def normal(self) -> np.ndarray:
        return self.random.normal(size=self.n)

    def _price(self) -> np.ndarray:
        """A walk with clusters, a smile and gaps; drawn to par, late, on ticks or with momentum."""
        self.calm = np.exp(decayed(0.25 * self.normal(), 0.97))
        self.smile = 1.0 + 1.5 * (2 * self.minute / self.rows - 1) ** 2
        # What lasts says more of a long way: no edge is larger than recorded markets show.
        self.edge = float(self.random.uniform(0.0, 0.4)) * np.sqrt(1.0 - self.slow)
        fresh = self.normal() if self.random.random() < 0.7 else self.random.standard_t(4, self.n)
        step = self.edge * np.append(0.0, self.drive[:-1]) + np.sqrt(1 - self.edge**2) * fresh
        step = step * 4e-4 * np.sqrt(self.calm * self.smile)
        step[self.minute == 0] *= 5
        self.kind = str(self.random.choice(["walk", "walk", "par", "late", "ticks", "trend"]))
        if self.kind == "trend":
            step = decayed(step, float(self.random.uniform(0.05, 0.4)))
        walk = np.cumsum(step)
        if self.kind == "par":
            walk = decayed(step, float(self.random.uniform(0.9, 0.99)))
        if self.kind == "late":
            self.true = walk
            kept = float(self.random.uniform(0.2, 0.6))
            walk = decayed((1 - kept) * walk, kept)
        price = 100 * np.exp(walk)
        if self.kind == "ticks":
            side = self.random.choice([-1, 1], self.n)
            price = np.round(price / 0.05 + 0.5 * side) * 0.05
        return price

    def by_day(self, what: pl.Expr) -> np.ndarray:
        frame = pl.DataFrame({"p": self.price, "s": self.day, "v": self.volume, "m": self.minute})
        return frame.select(what.cast(pl.Float64).fill_null(np.nan)).to_series().to_numpy()

    def yesterday(self, what: pl.Expr) -> np.ndarray:
        frame = pl.DataFrame({"p": self.price, "s": self.day, "v": self.volume})
        table = frame.group_by("s", maintain_order=True).agg(what.alias("y"))
        table = table.with_columns(pl.col("y").shift(1))
        found = frame.join(table, on="s", how="left", maintain_order="left")["y"]
        return found.cast(pl.Float64).fill_null(np.nan).to_numpy()

    def moved(self, rows: int) -> np.ndarray:
        found = np.zeros(self.n)
        found[rows:] = self.price[rows:] / self.price[:-rows] - 1
        return found

    def flags(self, share: float) -> np.ndarray:
        return (self.random.random(self.n) < share) * self.random.choice([-1.0, 1.0], self.n)

    def columns(self) -> dict[str, np.ndarray]:
        """Some of the honest columns, by lot."""
        names = self.random.choice(sorted(COLUMNS), COLUMNS_A_WORLD, replace=False)
        return {str(name): COLUMNS[str(name)](self) for name in names}

    def data(self) -> ResearchData:
        """The rows with all of them."""
        begins = (self.ts[self.minute == 0] - MINUTE_NS) // DAY_NS
        day = [str(np.datetime64(int(d), "D")).replace("-", "") for d in begins]
        frame = pl.DataFrame({"ts": self.ts, "close": self.price, "volume": self.volume})
        frame = frame.with_columns(
            pl.Series("session", [day[k] for k in self.day]),
            *(pl.Series(name, values) for name, values in self.columns().items()),
        )
        return assemble({"world": frame}, {}, "world")


P, V, M = pl.col("p"), pl.col("v"), pl.col("m")
COLUMNS: dict[str, Callable[[World], np.ndarray]] = {
    "edge": lambda w: w.drive,
    "edge_in_steps": lambda w: np.round(w.drive * 2) / 2,
    "edge_where_sure": lambda w: np.where(np.abs(w.drive) > 2.0, np.sign(w.drive), 0.0),
    "noise": lambda w: w.normal(),
    "slow_noise": lambda w: decayed(w.normal(), 0.98),
    "a_walk": lambda w: np.cumsum(w.normal()),
    "momentum": lambda w: w.moved(10),
    "last_move": lambda w: np.sign(w.moved(1)),
    "against_the_mean": lambda w: (
        pl.Series(w.price).rolling_mean(30, min_samples=1).to_numpy() / w.price - 1
    ),
    "zscore_so_far": lambda w: w.by_day(
        (P - P.cum_sum().over("s") / (M + 1)) / (P.cum_max() - P.cum_min() + 0.01).over("s")
    ),
    "from_the_open": lambda w: w.by_day(P / P.first().over("s") - 1),
    "from_yesterdays_close": lambda w: w.price / w.yesterday(P.last()) - 1,
    "high_so_far": lambda w: w.by_day(P.cum_max().over("s")),
    "place_so_far": lambda w: w.by_day(
        ((P - P.cum_min()) / (P.cum_max() - P.cum_min() + 1e-6)).over("s")
    ),
    "yesterdays_high": lambda w: w.yesterday(P.max()),
    "yesterdays_volume": lambda w: w.yesterday(V.sum()),
    "gap_of_today": lambda w: w.by_day(P.first().over("s")) / w.yesterday(P.last()) - 1,
    "volume_so_far": lambda w: w.by_day(V.cum_sum().over("s")),
    "usual_volume": lambda w: w.by_day(((V.cum_sum() - V) / (pl.col("s") + 1)).over("m")),
    "usual_move": lambda w: w.by_day(
        P.pct_change().fill_null(0.0).shift(1).fill_null(0.0).cum_sum().over("m")
    ),
    "volatility": lambda w: (
        pl.Series(np.abs(w.moved(1))).ewm_mean(half_life=20.0).to_numpy() * np.sqrt(w.smile)
    ),
    "implied_volatility": lambda w: np.sqrt(w.calm * w.smile) * np.exp(0.3 * w.normal()),
    "usual_volatility": lambda w: np.sqrt(w.smile),
    "flags": lambda w: w.flags(0.02),
    "rare_flags": lambda w: w.flags(0.004),
    "announcements": lambda w: (w.minute == w.rows // 2) * 1.0,
    "to_the_close": lambda w: (w.rows - 1 - w.minute) / w.rows,
    "weekday": lambda w: (w.day % 5) * 1.0,
    "row_number": lambda w: np.arange(w.n) * 1.0,
    "score_of_the_day": lambda w: w.normal()[w.day],
    "step_down": lambda w: np.where(np.arange(w.n) < w.n // 3, 4.5, 4.75),
    "with_holes": lambda w: np.where(w.random.random(w.n) < 0.9, np.nan, w.drive),
    "constant": lambda w: np.full(w.n, 3.0),
    "rank_so_far": lambda w: (
        pl.Series(w.volume).rolling_rank(50, min_samples=1).fill_null(25.0).to_numpy() / 50
    ),
    "decile_fitted_before": lambda w: w.random.normal(size=w.rows)[w.minute],
    "standardised": lambda w: w.drive / w.drive.std() - 0.0,
    "a_small_part_of_the_future": lambda w: (
        np.clip(0.15 * np.append(w.moved(1)[1:], 0.0) / np.std(w.moved(1)), -0.5, 0.5) + w.normal()
    ),
}
