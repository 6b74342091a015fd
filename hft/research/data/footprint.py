"""Where rows lie in time and price: how one market is known again in other rows of it.

Rows that are chosen, split, sampled at another clock or given other columns are another dataset
with another hash. What they cannot help is to show, on the days they share, prices of the same
range. That is taken for the same market; two panels must have a name in common as well. Of one
name the `Paths` are kept besides, by which shifted prices, other units and other dates are known
again. Ranges of a panel are those of all its names together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from hft.research.data.dataset import ResearchData
from hft.research.data.paths import Paths

SHARE = 0.9  # of the days that both have: one day may be cut short in one of them
DIGITS = 7


@dataclass(frozen=True)
class Footprint:
    """Lowest and highest price of each session (YYYYMMDD); `names` are those of a panel, `paths`
    how the price of one name moved."""

    days: Mapping[int, tuple[float, float]]
    names: tuple[str, ...] = ()
    paths: Paths | None = None

    @classmethod
    def of(cls, data: ResearchData) -> "Footprint":
        """Of all rows of the data."""
        found = cls.of_rows(data.session, data.ts_ns, data.price)
        return replace(found, names=data.symbols, paths=None) if data.panel else found

    @classmethod
    def of_rows(cls, day: np.ndarray, ts_ns: np.ndarray, price: np.ndarray) -> "Footprint":
        """Of rows of one name in time order; `day` is the session of each."""
        rows = pl.DataFrame({"day": day, "price": price})
        low, high = pl.col("price").min().alias("low"), pl.col("price").max().alias("high")
        found = rows.group_by("day").agg(low, high).sort("day")
        days = {int(day): (_short(low), _short(high)) for day, low, high in found.iter_rows()}
        return cls(days, (), Paths.of(day, ts_ns, price))

    @classmethod
    def read(cls, given: Any) -> "Footprint | None":
        """What `to_dict` wrote; None for anything else."""
        try:
            days, low, high = ([*given[name]] for name in ("days", "low", "high"))
            ranges = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
            found = dict(zip([int(day) for day in days], ranges, strict=True))
            names, paths = (
                tuple(str(name) for name in given["names"]),
                Paths.read(given.get("paths")),
            )
            return cls(found, names, paths) if found else None
        except (KeyError, TypeError, ValueError):
            return None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "days": list(self.days),
            "low": [low for low, _ in self.days.values()],
            "high": [high for _, high in self.days.values()],
            "names": list(self.names),
            **({} if self.paths is None else {"paths": self.paths.to_dict()}),
        }

    def same_market(self, other: "Footprint") -> bool:
        """Do both have days in common and the same prices on them, or sessions of one path?"""
        return self.same_days(other) or bool(self.twins(other))

    def twins(self, other: "Footprint") -> Mapping[int, int]:
        """Sessions here that are sessions there by their path, whatever the dates; day to day."""
        if self.paths is None or other.paths is None:
            return {}
        return self.paths.twins(other.paths)

    def same_days(self, other: "Footprint") -> bool:
        """Do both have days in common, and the same prices on them?"""
        if self.names and other.names and not set(self.names) & set(other.names):
            return False
        shared = [day for day in self.days if day in other.days]
        alike = sum(_meet(self.days[day], other.days[day]) for day in shared)
        return bool(shared) and alike >= SHARE * len(shared)


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _short(price: float) -> float:
    return float(f"{price:.{DIGITS}g}")
