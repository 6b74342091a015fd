"""What the promotion claims, frozen before the first live session: mean, spread, costs, drawdown.

A canary is judged against these numbers, never against an estimate from its own stream.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

HORIZONS = (10, 20, 60, 120, 250)  # sessions for which a drawdown quantile is frozen
PATHS = 2000


@dataclass(frozen=True)
class Claim:
    """Daily figures as fractions of `capital`, the money that the whole target position stands for.

    `lots`: of the target position; a rung trades its weight of them, None where nobody said.
    `slippage_bps`, `slippage_sd`: mean and spread of a session's slippage in shadow. `drawdown`:
    a high quantile of the drawdown after so many sessions, as positive fractions. None = unknown.
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
        """The frozen quantile of the shortest horizon that is long enough; else the longest."""
        longer = [days for days in sorted(self.drawdown) if days >= sessions]
        days = longer[0] if longer else max(self.drawdown, default=None)
        return None if days is None else self.drawdown[days]


def claim_of(
    daily: np.ndarray,
    capital: float,
    *,
    quantile: float,
    slippage: tuple[float, ...] = (),
    seed: int = 42,
    lots: int | None = None,
) -> Claim | None:
    """Freeze the claim of daily net returns; None for fewer than 2 days or no variance."""
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
        drawdown=drawdown_quantiles(daily, quantile, seed),
        lots=lots,
    )


def drawdown_quantiles(daily: np.ndarray, quantile: float, seed: int) -> dict[int, float]:
    """Quantile of the drawdown within each horizon, by stationary bootstrap of the days."""
    block = max(1.0, round(math.sqrt(daily.size)))
    draws = _stationary(daily, PATHS, max(HORIZONS), block, seed)
    paths = np.cumsum(draws, axis=1)
    peaks = np.maximum.accumulate(np.maximum(paths, 0.0), axis=1)
    deepest = np.maximum.accumulate(peaks - paths, axis=1)
    return {days: float(np.quantile(deepest[:, days - 1], quantile)) for days in HORIZONS}


def _stationary(values: np.ndarray, paths: int, length: int, block: float, seed: int) -> np.ndarray:
    """Politis and Romano (1994): blocks of geometric length, wrapped around."""
    rng = np.random.Generator(np.random.Philox(seed))
    starts = rng.integers(0, values.size, (paths, length))
    fresh = rng.random((paths, length)) < 1.0 / block
    fresh[:, 0] = True
    at = np.maximum.accumulate(np.where(fresh, np.arange(length), 0), axis=1)
    index = (np.take_along_axis(starts, at, axis=1) + np.arange(length) - at) % values.size
    return values[index]
