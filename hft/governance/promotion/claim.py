"""What the promotion claims, frozen before the first live session: mean, spread, costs, drawdown.

A canary is judged against these numbers, never against an estimate from its own stream.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from hft.statistics.bootstrap import block_length, resample

HORIZONS = (10, 20, 60, 120, 250)  # sessions for which a drawdown limit is frozen
PATHS = 20_000  # a rung of four has 0.25 %: fifty of them
BLOCK_DAYS_MIN = 4  # fewer days do not say how they depend on each other


@dataclass(frozen=True)
class Claim:
    """Daily figures as fractions of `capital`, the money that the whole target position stands for.

    `lots`: of the target position; a rung trades its weight of them, None where nobody said.
    `slippage_bps`, `slippage_sd`: mean and spread of a session's slippage in shadow. `drawdown`:
    what the fall on a rung stays below for so many sessions, as positive fractions. None = unknown.
    """

    mu0: float
    sd0: float
    capital: float
    n: int
    slippage_bps: float | None = None
    slippage_sd: float | None = None
    drawdown: Mapping[int, float] = field(default_factory=dict)
    lots: int | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> "Claim | None":
        """The claim in a bundle; None where there is none."""
        if not data:
            return None
        drawdown = {int(days): float(value) for days, value in data["drawdown"].items()}
        names = ("mu0", "sd0", "capital", "n", "slippage_bps", "slippage_sd")
        given = {name: data[name] for name in names}
        return cls(**given, drawdown=drawdown, lots=data.get("lots"))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**self.__dict__, "drawdown": {str(k): v for k, v in self.drawdown.items()}}

    def drawdown_for(self, sessions: int) -> float | None:
        """The frozen limit of the shortest horizon that is long enough; else of the longest."""
        longer = [days for days in sorted(self.drawdown) if days >= sessions]
        days = longer[0] if longer else max(self.drawdown, default=None)
        return None if days is None else self.drawdown[days]


def claim_of(
    daily: np.ndarray,
    capital: float,
    *,
    quantile: float,
    rungs: int = 1,
    slippage: tuple[float, ...] = (),
    seed: int = 42,
    lots: int | None = None,
) -> Claim | None:
    """Freeze the claim of daily net returns; None for fewer than 2 days or no variance.

    `quantile`: the chance that a ladder of `rungs` rungs never meets a drawdown limit.
    """
    daily = np.asarray(daily, np.float64)
    if daily.size < 2 or not np.isfinite(daily).all() or float(daily.std(ddof=1)) <= 0:
        return None
    sd = float(np.std(slippage, ddof=1)) if len(slippage) > 1 else None
    return Claim(
        mu0=float(daily.mean()),
        sd0=float(daily.std(ddof=1)),
        capital=float(capital),
        n=int(daily.size),
        slippage_bps=float(np.mean(slippage)) if slippage else None,
        slippage_sd=sd,
        drawdown=drawdown_limits(daily, quantile, rungs, seed),
        lots=lots,
    )


def drawdown_limits(daily: np.ndarray, quantile: float, rungs: int, seed: int) -> dict[int, float]:
    """Limits of the fall from the peak, one a horizon, for somebody who looks every day.

    A canary looks at each session of each rung, and a limit that only the last look keeps to is
    met far more often. Under the claim the fall meets any of these, on any of the rungs, with
    probability 1 - `quantile`: each rung has an even share of it, and within a rung each horizon is
    met as often as another. By stationary bootstrap of the days, its block chosen by the series.
    """
    return dict(_limits(np.asarray(daily, np.float64).tobytes(), quantile, rungs, seed))


@lru_cache(maxsize=64)
def _limits(days: bytes, quantile: float, rungs: int, seed: int) -> dict[int, float]:
    """By the bytes of the days: a proposal and its approval ask for the same claims again."""
    daily = np.frombuffer(days, np.float64)
    block = block_length(daily) if daily.size >= BLOCK_DAYS_MIN else 1.0
    deepest = resample(daily, _falls, reps=PATHS, block=block, seed=seed, length=max(HORIZONS))
    order = np.argsort(np.argsort(-deepest, axis=0), axis=0)  # 0: the deepest of its horizon
    rarest = (order.min(axis=1) + 1) / PATHS
    rare = float(np.quantile(rarest, (1.0 - quantile) / rungs))
    limits = np.quantile(deepest, 1.0 - rare, axis=0)
    return {days: float(limit) for days, limit in zip(HORIZONS, limits, strict=True)}


def _falls(daily: np.ndarray) -> np.ndarray:
    """The deepest fall of each path within each horizon."""
    paths = np.cumsum(daily, axis=1)
    peaks = np.maximum.accumulate(np.maximum(paths, 0.0), axis=1)
    deepest = np.maximum.accumulate(peaks - paths, axis=1)
    return deepest[:, [days - 1 for days in HORIZONS]]
